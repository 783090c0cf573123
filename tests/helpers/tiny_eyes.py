"""Projectors made in a moment with the `gguf` library: one for the starter that really sees, others of random weights.

What the eye sees is written in the model's own words: a patch that is red becomes the embedding of " red". So a model
that never saw a picture says what is on it, and a test can tell seeing from guessing. An ear does the same for tones.
"""

from __future__ import annotations

import hashlib
import math
import wave
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from app.core.events import Media
from app.core.gguf import check_model
from tests.helpers.gguf_files import read_tokens

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
}
TONES = {"low": 200, "middle": 800, "high": 3200}
"""Hertz; a token of sound, 640 samples, holds whole periods of each."""
HEARING_HZ, SAMPLES_A_TOKEN = 16000, 640
IMAGE, PATCH = 112, 28
PICTURE_TOKENS = (IMAGE // PATCH) ** 2
SEED = 5

Tensors = dict[str, np.ndarray]
Values = Callable[..., np.ndarray]


# Pictures and sounds, as the engine is given them.


def picture(
    folder: Path, pixels: np.ndarray | Sequence[int], width: int = 64, height: int = 64, **fields: Any
) -> Media:
    """A picture of one colour, or of these pixels of [row, column, RGB]."""
    if len(np.shape(pixels)) == 1:
        pixels = np.broadcast_to(np.array(pixels, np.uint8), (height, width, 3))
    pixels = np.ascontiguousarray(pixels, np.uint8)
    height, width = pixels.shape[:2]
    data = b"P6\n%d %d\n255\n" % (width, height) + pixels.tobytes()
    name = hashlib.sha256(data).hexdigest()
    path = folder / f"{name}.ppm"
    path.write_bytes(data)
    return replace(Media(name, str(path), "picture", width, height), **fields)


def noisy(folder: Path, colour: str, seed: int, noise: float = 0.3, **fields: Any) -> Media:
    """A picture of a colour, 24 to 160 pixels square, each value off by about `noise` of the whole range."""
    random = np.random.default_rng(seed)
    side = int(random.integers(24, 161))
    pixels = np.array(COLOURS[colour]) + random.normal(0, noise * 255, (side, side, 3))
    return picture(folder, pixels.clip(0, 255).astype(np.uint8), **fields)


def tone(folder: Path, name: str, seconds: float = 0.4, **fields: Any) -> Media:
    """A sound of one tone; 0 hertz for any other name is silence."""
    at = np.arange(round(seconds * HEARING_HZ)) / HEARING_HZ
    samples = (0.5 * 32767 * np.sin(2 * math.pi * TONES.get(name, 0) * at)).astype("<i2")
    path = folder / f"{name}-{seconds}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(HEARING_HZ)
        file.writeframes(samples.tobytes())
    return replace(Media(hashlib.sha256(path.read_bytes()).hexdigest(), str(path), "sound", seconds=seconds), **fields)


# Eyes with random weights, one for each way in which projectors differ; what they say depends on every pixel.


def make_random_eye(
    family: str, path: Path, embedding: int, *, image: int = IMAGE, patch: int = PATCH, width: int = 32, blocks: int = 2
) -> Path:
    """A projector of a family (see `FAMILIES`) for models of this width; its matrices have 16 bits where it is wide."""
    random = np.random.default_rng(SEED)
    kept = np.float16 if width > 256 else np.float32

    def values(*shape: int) -> np.ndarray:
        scaled = random.standard_normal(shape, np.float32) / math.sqrt(shape[-1])
        return scaled.astype(kept) if len(shape) == 2 else scaled

    tensors = _tower(width, values, blocks=blocks, places=(image // patch) ** 2)
    tensors["v.patch_embd.weight"] = (values(width, 3, patch, patch) / 3 / patch**0.5).astype(np.float16)
    kind, numbers = FAMILIES[family](tensors, values, width, embedding)
    return _write(path, kind, tensors, **({"image_size": image, "patch_size": patch} | numbers))


def _llava(tensors: Tensors, values: Values, width: int, embedding: int) -> tuple[str, dict[str, int]]:
    """A picture of one size, causal."""
    tensors |= {"mm.0.weight": values(width, width), "mm.0.bias": np.zeros(width)}
    tensors |= {"mm.2.weight": values(embedding, width), "mm.2.bias": np.zeros(embedding)}
    return "mlp", {}


def _gemma3(tensors: Tensors, values: Values, width: int, embedding: int) -> tuple[str, dict[str, int]]:
    """A picture of one size, all of which sees all of it, in more tokens than text is read at once."""
    tensors |= {"mm.input_projection.weight": values(width, embedding), "mm.soft_emb_norm.weight": np.ones(width)}
    return "gemma3", {"projector.scale_factor": 1}


def _qwen2vl(tensors: Tensors, values: Values, width: int, embedding: int) -> tuple[str, dict[str, int]]:
    """Pictures of any size, in fewer positions than tokens."""
    del tensors["v.position_embd.weight"]
    tensors["v.patch_embd.weight.1"] = tensors["v.patch_embd.weight"]
    tensors |= {"mm.0.weight": values(4 * width, 4 * width), "mm.0.bias": np.zeros(4 * width)}
    tensors |= {"mm.2.weight": values(embedding, 4 * width), "mm.2.bias": np.zeros(embedding)}
    return "qwen2vl_merger", {"attention.head_count": 2}


def _pixtral(tensors: Tensors, values: Values, width: int, embedding: int) -> tuple[str, dict[str, int]]:
    """Pictures of any size, with a token at the end of each row."""
    del tensors["v.position_embd.weight"]
    for name in [name for name in tensors if name.endswith((".ln1.bias", ".ln2.bias"))]:
        del tensors[name]
    tensors |= {"mm.1.weight": values(width, width), "mm.2.weight": values(embedding, width)}
    tensors["v.token_embd.img_break"] = values(embedding)
    return "pixtral", {}


def _hunyuan(tensors: Tensors, values: Values, width: int, embedding: int) -> tuple[str, dict[str, int]]:
    """Pictures of any size, with a token at each end and behind each row, whose number is a position."""
    inner = 2 * width
    tensors |= {
        "mm.0.weight": (values(inner, width, 2, 2) / width**0.5).astype(np.float16),
        "mm.0.bias": np.zeros(inner),
    }
    tensors |= {
        "mm.2.weight": (values(inner, inner, 1, 1) / inner**0.5).astype(np.float16),
        "mm.2.bias": np.zeros(inner),
    }
    tensors |= {"mm.model.fc.weight": values(embedding, inner), "mm.model.fc.bias": np.zeros(embedding)}
    tensors |= {"mm.pre_norm.weight": np.ones(width), "mm.post_norm.weight": np.ones(embedding)}
    tensors |= {
        "mm.image_begin": values(embedding),
        "mm.image_end": values(embedding),
        "v.image_newline": values(inner),
    }
    return "hunyuanvl", {"spatial_merge_size": 2, "image_min_pixels": 4 * PATCH**2, "image_max_pixels": 400 * PATCH**2}


def _deepseek4(tensors: Tensors, values: Values, width: int, embedding: int) -> tuple[str, dict[str, int]]:
    """Pictures of any size, all of which sees all of it, with as much padding as their place in the prompt wants."""
    del tensors["v.position_embd.weight"]
    for name in [name for name in tensors if name.endswith((".ln1.bias", ".ln2.bias"))]:
        del tensors[name]
    tensors |= {"mm.1.weight": values(width, 4 * width), "mm.1.bias": np.zeros(width)}
    tensors |= {"mm.2.weight": values(embedding, width), "mm.2.bias": np.zeros(embedding)}
    for name in ("image_newline", "token_embd.img_start", "token_embd.img_end", "token_embd.img_pad"):
        tensors[f"v.{name}"] = values(embedding)
    return "deepseek4v", {"projector.scale_factor": 2, "image_min_pixels": 4 * PATCH**2}


FAMILIES = {
    "llava": _llava,
    "gemma3": _gemma3,
    "qwen2vl": _qwen2vl,
    "pixtral": _pixtral,
    "hunyuan": _hunyuan,
    "deepseek4": _deepseek4,
}
TEXT_MODELS = {
    "llava": "llama",
    "gemma3": "gemma3",
    "qwen2vl": "qwen2vl",
    "pixtral": "llama",
    "hunyuan": "qwen2vl",
    "deepseek4": "llama",
}
"""The kinds of tiny models that go with them."""


# The eye that sees, and the ear that hears.


def make_eye(model: Path, path: Path, *, metadata: Callable[[gguf.GGUFWriter], object] = lambda writer: None) -> Path:
    """A projector for `model` that knows six colours: the mean of a patch, and a unit that saturates for each of them.

    Without saturation noise would make embeddings near zero, which confuse the model.
    """
    words = _embeddings(model, [f" {name}" for name in COLOURS])
    width, embedding = 32, words.shape[1]
    tensors = _tower(width, lambda *shape: np.zeros(shape))
    kernel = np.zeros((width, 3, PATCH, PATCH))
    for channel in range(3):
        kernel[channel, channel] = 1 / PATCH**2
    tensors["v.patch_embd.weight"] = kernel.astype(np.float16)
    corners = np.array(list(COLOURS.values())) / 127.5 - 1
    up = np.zeros((2 * len(COLOURS), width))
    bias = np.zeros(2 * len(COLOURS))
    down = np.zeros((embedding, 2 * len(COLOURS)))
    steep, full = 40.0, 8.0
    for number, corner in enumerate(corners):
        for unit, later in ((2 * number, 0.0), (2 * number + 1, full)):
            up[unit, :3] = steep * corner / 3
            bias[unit] = -steep * 0.45 - later
            down[:, unit] = words[number] / full * (-1 if later else 1)
    tensors |= {"mm.0.weight": up, "mm.0.bias": bias, "mm.2.weight": down, "mm.2.bias": np.zeros(embedding)}
    return _write(path, "mlp", tensors, metadata)


def make_ear(model: Path, path: Path) -> Path:
    """A projector for `model` that knows three tones, and nothing of pictures."""
    words = _embeddings(model, [f" {name}" for name in TONES])
    at = np.arange(SAMPLES_A_TOKEN) / HEARING_HZ
    matrix = np.zeros((words.shape[1], SAMPLES_A_TOKEN))
    for word, hertz in zip(words, TONES.values(), strict=True):
        wave_ = np.sin(2 * math.pi * hertz * at) * math.sqrt(2)  # its root mean square is 1
        matrix += np.outer(word, wave_) / SAMPLES_A_TOKEN
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_bool("clip.has_audio_encoder", True)
    writer.add_string("clip.projector_type", "gemma4ua")
    for key, value in {
        "embedding_length": words.shape[1],
        "feed_forward_length": 32,
        "block_count": 0,
        "projection_dim": words.shape[1],
        "attention.head_count": 1,
        "num_mel_bins": 128,
    }.items():
        writer.add_uint32(f"clip.audio.{key}", value)
    writer.add_float32("clip.audio.attention.layer_norm_epsilon", 1e-6)
    writer.add_tensor("mm.a.input_projection.weight", matrix.astype(np.float32))
    return _written(writer, path)


def _embeddings(model: Path, words: Sequence[str]) -> np.ndarray:
    """What stands in the model's own table for words of one token, [word, width]."""
    tokens, table, kind = _read_table(model)
    return gguf.dequantize(table[[tokens[word.replace(" ", "Ġ")] for word in words]], kind)


@lru_cache(maxsize=1)
def _read_table(model: Path) -> tuple[dict[str, int], np.ndarray, gguf.GGMLQuantizationType]:
    """A model's tokens with their numbers, and its table, which stays in the file."""
    header = check_model(model)
    place = next(tensor for tensor in header.tensors if tensor.name == "token_embd.weight")
    shape = place.shape[1], place.size_bytes // place.shape[1]
    table = np.memmap(model, np.uint8, "r", header.data_offset + place.offset, shape)
    return read_tokens(model, header.data_offset), table, gguf.GGMLQuantizationType(place.type)


# The frame of all of them.


def _tower(width: int, values: Values, blocks: int = 1, places: int = PICTURE_TOKENS) -> Tensors:
    tensors: Tensors = {"v.position_embd.weight": values(places, width).astype(np.float32)}
    for number in range(blocks):
        blk = f"v.blk.{number}"
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            tensors[f"{blk}.{name}.weight"] = values(width, width)
            tensors[f"{blk}.{name}.bias"] = np.zeros(width)
        for name in ("ln1", "ln2"):
            tensors[f"{blk}.{name}.weight"] = np.ones(width)
            tensors[f"{blk}.{name}.bias"] = np.zeros(width)
        tensors[f"{blk}.ffn_up.weight"] = values(2 * width, width)
        tensors[f"{blk}.ffn_up.bias"] = np.zeros(2 * width)
        tensors[f"{blk}.ffn_down.weight"] = values(width, 2 * width)
        tensors[f"{blk}.ffn_down.bias"] = np.zeros(width)
    return tensors


def _write(
    path: Path,
    kind: str,
    tensors: Tensors,
    metadata: Callable[[gguf.GGUFWriter], object] = lambda writer: None,
    **numbers: int,
) -> Path:
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", kind)
    writer.add_bool("clip.use_gelu", True)
    blocks = sum(name.endswith("attn_out.weight") for name in tensors)
    known = {
        "image_size": IMAGE,
        "patch_size": PATCH,
        "embedding_length": len(tensors["v.patch_embd.weight"]),
        "feed_forward_length": len(tensors["v.blk.0.ffn_up.weight"]),
        "block_count": blocks,
        "projection_dim": 0,
        "attention.head_count": 2,
    }
    for key, value in (known | numbers).items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    writer.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    writer.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    metadata(writer)
    for name, values in tensors.items():
        writer.add_tensor(name, values if values.dtype == np.float16 else values.astype(np.float32))
    return _written(writer, path)


def _written(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
