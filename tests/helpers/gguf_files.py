"""Small GGUF files made byte by byte, good and bad; and the tokens of real ones."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TOKENS = b"tokenizer.ggml.tokens"


def text(value: str) -> bytes:
    """A string as GGUF writes it: its length, then its bytes."""
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def value(item: Any) -> bytes:
    """A metadata value with its type before it."""
    if isinstance(item, bool):
        return struct.pack("<I?", BOOL, item)
    if isinstance(item, int):
        return struct.pack("<II", U32, item)
    if isinstance(item, float):
        return struct.pack("<If", F32, item)
    if isinstance(item, str):
        return struct.pack("<I", STRING) + text(item)
    kind = struct.pack("<I", I32) if isinstance(item[0], int) else value(item[0])[:4]
    return struct.pack("<I", ARRAY) + kind + struct.pack("<Q", len(item)) + b"".join(value(each)[4:] for each in item)


def header(
    metadata: Mapping[str, Any],
    tensors: Sequence[tuple[str, tuple[int, ...], int, int]] = (),
    *,
    version: int = 3,
    magic: bytes = b"GGUF",
) -> bytes:
    """The bytes before the weights; a tensor is name, shape, type and offset."""
    data = magic + struct.pack("<IQQ", version, len(tensors), len(metadata))
    data += b"".join(text(key) + value(item) for key, item in metadata.items())
    for name, shape, kind, offset in tensors:
        data += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    return data


def padded(data: bytes, alignment: int = 32) -> bytes:
    """Filled up to where the weights begin."""
    return data + bytes(-len(data) % alignment)


def vocabulary_only() -> bytes:
    """What llama.cpp's own `ggml-vocab-*.gguf` files are: a tokenizer and no weights."""
    return header(
        {
            "general.architecture": "llama",
            "general.name": "words",
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.tokens": ["a", "b", "ab"],
            "tokenizer.ggml.merges": ["a b"],
        }
    )


def sentencepiece_vocabulary() -> bytes:
    """A vocabulary that puts a space before every text, as those of Llama 2 and the first Mistral models do."""
    control = ["<s>", "</s>", "[INST]", "[/INST]"]
    letters = [f"<0x{byte:02X}>" for byte in range(256)]
    pieces = ["\u2581", *"helo", "he", "ll", "hell", "hello", "\u2581hello"]
    tokens = ["<unk>", *control, *letters, *pieces]
    return header(
        {
            "general.architecture": "llama",
            "tokenizer.ggml.model": "llama",
            "tokenizer.ggml.tokens": tokens,
            "tokenizer.ggml.scores": [-float(number) for number in range(len(tokens))],
            "tokenizer.ggml.token_type": [2] + [3] * len(control) + [6] * len(letters) + [1] * len(pieces),
            "tokenizer.ggml.bos_token_id": 1,
            "tokenizer.ggml.eos_token_id": 2,
            "tokenizer.ggml.add_bos_token": True,
        }
    )


def unknown_architecture() -> bytes:
    """A complete file that llama.cpp refuses by itself."""
    return padded(header({"general.architecture": "nonesuch"}, [("weights", (32,), 0, 0)])) + bytes(128)


def read_tokens(model: Path, header_bytes: int) -> dict[str, int]:
    """A model's tokens with their numbers; the reader of the `gguf` library takes seconds."""
    with model.open("rb") as file:
        data = file.read(header_bytes)
    at = data.index(TOKENS) + len(TOKENS) + 8  # behind the kinds of the list and of what is in it
    (count,) = struct.unpack_from("<Q", data, at)
    at, tokens = at + 8, {}
    for number in range(count):
        end = at + 8 + struct.unpack_from("<Q", data, at)[0]
        tokens[data[at + 8 : end].decode()] = number
        at = end
    return tokens
