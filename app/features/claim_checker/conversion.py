"""Convert a ModernBERT token classifier from the Hub's files into one GGUF file.

LettuceDetect (Kovács and Recski, 2025) and its smaller relatives are ModernBERT with a head of two matrices.
llama.cpp has the backbone; the head is in the same file under llama.cpp's names and computed in the engine's child.
Sizes in the files are checked against reality before use.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.model_errors import ModelMissing, ModelUnreadable
from app.core.errors.request_errors import CheckingUnavailable
from app.core.gguf import check_model
from app.core.synced_files import place_file
from app.features.claim_checker.gguf_writer import Value, write_gguf
from app.hub.model_files import UNCONVERTED
from app.language.language_names import base_code

if TYPE_CHECKING:
    import numpy as np

    Tensors = dict[str, np.ndarray[Any, Any]]

CONFIG, TOKENIZER, WEIGHTS = UNCONVERTED
LANGUAGES = "general.languages"
CONVERTED = "claim-checker.gguf"
ARCHITECTURE = "ModernBertForTokenClassification"
MOST_HEADER_BYTES = 32 * 1024 * 1024
MOST_JSON_BYTES = 64 * 1024 * 1024
_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4  # llama.cpp's kinds of tokens
_LAYER = {
    "attn_norm": "attn_norm",
    "attn.Wqkv": "attn_qkv",
    "attn.Wo": "attn_output",
    "mlp_norm": "ffn_norm",
    "mlp.Wi": "ffn_up",
    "mlp.Wo": "ffn_down",
}
_OTHERS = {
    "model.embeddings.tok_embeddings.weight": "token_embd.weight",
    "model.embeddings.norm.weight": "token_embd_norm.weight",
    "model.final_norm.weight": "output_norm.weight",
    "head.dense.weight": "cls.weight",
    "head.norm.weight": "cls.norm.weight",
    "classifier.weight": "cls.output.weight",
    "classifier.bias": "cls.output.bias",
}


def convert_checker(folder: Path, target: Path, languages: Sequence[str] = ()) -> Path:
    """Convert the files in `folder` into `target`, atomically.

    Raises ModelUnreadable, or OSError. `languages` are the codes it was trained on; empty means unknown.
    """
    try:
        config, tokenizer = (_read_json(folder / name) for name in (CONFIG, TOKENIZER))
        # Another model's head would be read as this one's.
        if ARCHITECTURE not in config.get("architectures", ()):
            raise ModelUnreadable(str(folder), "not_a_checker")
        # Everything is checked before anything is written.
        metadata = {**_backbone_metadata(config), **_vocabulary_metadata(config, tokenizer)}
        metadata |= {LANGUAGES: list(languages)} if languages else {}
        tensors = dict(_rename_tensors(read_safetensors(folder / WEIGHTS), int(config["num_hidden_layers"])))
    except FileNotFoundError as error:
        raise ModelMissing(str(error.filename)) from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ModelUnreadable(str(folder), "damaged") from error
    # Under another name in the same folder, renamed at the end.
    handle, unfinished = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    os.close(handle)
    try:
        write_gguf(Path(unfinished), metadata, tensors)
        place_file(Path(unfinished), target)
    # Also on Ctrl+C: no half file stays.
    except BaseException:
        with suppress(OSError):
            Path(unfinished).unlink()
        raise
    return target


def open_checker(path: Path) -> Path:
    """Return the converted file:

    `path` itself, or the one in a folder of the Hub's files, converted if needed. Raises CheckingUnavailable for
    another model, ModelMissing and ModelUnreadable, or OSError.
    """
    if path.is_dir():
        converted = path / CONVERTED
        return converted if converted.is_file() else convert_checker(path, converted)
    header = check_model(path)
    if not {"cls.weight", "cls.output.weight"} <= {tensor.name for tensor in header.tensors}:
        raise CheckingUnavailable(str(path))
    return path


def knows_language(path: Path, language: str) -> bool:
    """False where a converted file says that it was trained on others. Raises ModelMissing or ModelUnreadable."""
    told = check_model(path).metadata.get(LANGUAGES)
    return not isinstance(told, list) or not language or base_code(language) in told


def read_safetensors(path: Path) -> Tensors:
    """Read a file's tensors as float32 or float16. Raises ValueError for other files, and OSError."""
    import numpy as np

    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        # A header longer than the file is no header.
        if not 2 <= length <= min(MOST_HEADER_BYTES, size - 8):
            raise ValueError("no safetensors header")
        header = json.loads(file.read(length))
        # Mapped, not read: the weights are hundreds of megabytes.
        data = np.memmap(path, np.uint8, "r", offset=8 + length) if size > 8 + length else np.empty(0, np.uint8)
    found: Tensors = {}
    for name, told in header.items():
        if name == "__metadata__":
            continue
        begin, end = told["data_offsets"]
        # Offsets by a stranger may point anywhere.
        if not 0 <= begin <= end <= len(data):
            raise ValueError(f"{name} lies outside the file")
        found[name] = _to_numbers(data[begin:end], told["dtype"]).reshape(told["shape"])
    return found


def _to_numbers(data: np.ndarray[Any, Any], kind: str) -> np.ndarray[Any, Any]:
    import numpy as np

    if kind == "BF16":  # the upper half of a float32
        return (data.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return data.view({"F32": np.float32, "F16": np.float16}[kind])


def _read_json(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MOST_JSON_BYTES:
        raise ValueError(f"{path.name} is too large")
    value = json.loads(path.read_text("utf-8"))
    if not isinstance(value, dict):
        raise TypeError(f"{path.name} holds no object")
    return value


def _rename_tensors(tensors: Tensors, layers: int) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Under llama.cpp's names; norms as float32, which it wants. KeyError where one is missing."""
    import numpy as np

    for theirs, ours in _OTHERS.items():
        values = tensors[theirs]
        yield ours, values if values.ndim > 1 and not ours.startswith("cls.") else values.astype(np.float32)
    for number in range(layers):
        for theirs, ours in _LAYER.items():
            name = f"model.layers.{number}.{theirs}.weight"
            if number == 0 and theirs == "attn_norm" and name not in tensors:
                continue  # the first layer has none: the embeddings are normed already
            values = tensors[name]
            yield f"blk.{number}.{ours}.weight", values if values.ndim > 1 else values.astype(np.float32)


def _backbone_metadata(config: Mapping[str, Any]) -> dict[str, Value]:
    labels = config.get("id2label") or {"0": "supported", "1": "hallucinated"}
    name = "modern-bert"
    return {
        "general.architecture": name,
        "general.name": "Claim checker",
        f"{name}.context_length": int(config["max_position_embeddings"]),
        f"{name}.embedding_length": int(config["hidden_size"]),
        f"{name}.block_count": int(config["num_hidden_layers"]),
        f"{name}.feed_forward_length": int(config["intermediate_size"]),
        f"{name}.attention.head_count": int(config["num_attention_heads"]),
        f"{name}.attention.layer_norm_epsilon": float(config.get("norm_eps", 1e-5)),
        f"{name}.attention.causal": False,
        f"{name}.attention.sliding_window": int(config["local_attention"]),
        f"{name}.attention.sliding_window_pattern": int(config["global_attn_every_n_layers"]),
        f"{name}.rope.freq_base": float(config["global_rope_theta"]),
        # Older configurations have one base for both kinds of layers.
        f"{name}.rope.freq_base_swa": float(config["local_rope_theta"] or config["global_rope_theta"]),
        f"{name}.rope.scaling.type": "none",
        f"{name}.vocab_size": int(config["vocab_size"]),
        f"{name}.pooling_type": 0,
        f"{name}.hidden_activation": str(config.get("hidden_activation", "gelu")),
        # In the order of their numbers; the last one means unsupported.
        f"{name}.classifier.output_labels": [str(labels[key]) for key in sorted(labels, key=int)],
    }


def _vocabulary_metadata(config: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> dict[str, Value]:
    """Byte-level pairs as in OLMo's tokenizer, which ModernBERT has."""
    model = tokenizer["model"]
    if model["type"] != "BPE":
        raise ValueError(f"a tokenizer of kind {model['type']}")
    # Vocabularies are padded up to a round size.
    tokens = [f"[PAD{number}]" for number in range(int(config["vocab_size"]))]
    kinds = [_USER_DEFINED] * len(tokens)
    for text, number in model["vocab"].items():
        tokens[number], kinds[number] = text, _NORMAL
    for added in tokenizer.get("added_tokens", ()):
        tokens[added["id"]], kinds[added["id"]] = added["content"], _CONTROL if added["special"] else _USER_DEFINED
    # Newer tokenizers write a merge as a pair.
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    first, last = int(config["cls_token_id"]), int(config["sep_token_id"])
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "olmo",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": first,
        "tokenizer.ggml.eos_token_id": last,
        "tokenizer.ggml.seperator_token_id": last,
        "tokenizer.ggml.padding_token_id": int(config["pad_token_id"]),
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": True,
        "tokenizer.ggml.add_sep_token": True,
    }
