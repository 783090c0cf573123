"""Writes GGUF files of the third version: what llama.cpp reads, with tensors of 16 or 32 bits."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np

ALIGNMENT = 32
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_TENSOR_TYPES = {"float32": 0, "float16": 1}

Value = bool | int | float | str | Sequence[str] | Sequence[int]


def write_gguf(path: Path, metadata: Mapping[str, Value], tensors: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write a model file. Tensors are float32 or float16, in C order; llama.cpp counts their axes from the last."""
    with path.open("wb") as file:
        file.write(struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata)))
        for key, value in metadata.items():
            file.write(_string_bytes(key) + _value_bytes(value))
        offset = 0
        for name, values in tensors.items():
            # ggml counts axes from the last one.
            shape = values.shape[::-1]
            kind = _TENSOR_TYPES[values.dtype.name]
            file.write(_string_bytes(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset))
            # llama.cpp maps tensors at aligned places.
            offset += -(-values.nbytes // ALIGNMENT) * ALIGNMENT
        _pad_file(file)
        for values in tensors.values():
            file.write(values.tobytes())
            _pad_file(file)


def _pad_file(file: BinaryIO) -> None:
    file.write(bytes(-file.tell() % ALIGNMENT))


def _string_bytes(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return struct.pack("<Q", len(data)) + data


def _value_bytes(value: Value) -> bytes:
    if isinstance(value, bool):  # before int, which it is
        return struct.pack("<I?", _BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", _UINT32, value)
    if isinstance(value, float):
        return struct.pack("<If", _FLOAT32, value)
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _string_bytes(value)
    return b"".join(_item_bytes(value))


def _item_bytes(values: Sequence[str] | Sequence[int]) -> Iterator[bytes]:
    kind = _STRING if not values or isinstance(values[0], str) else _INT32
    yield struct.pack("<IIQ", _ARRAY, kind, len(values))
    for value in values:
        yield _string_bytes(value) if isinstance(value, str) else struct.pack("<i", value)
