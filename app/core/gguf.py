"""A bounded reader of GGUF headers: what a model file says about itself, and whether it can be one at all.

Every length in the file is checked against a limit and against what is really there before it is believed.
"""

from __future__ import annotations

import io
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from app.core.errors import ModelMissing, ModelUnreadable

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
KEPT_ITEMS = 1024  # longer arrays (vocabularies) are passed over and only counted

MAX_HEADER_BYTES = 256 * 1024 * 1024
MAX_KEYS = 100_000
MAX_TENSORS = 200_000
MAX_NAME_BYTES = 65_535
MAX_DIMENSIONS = 4
CHUNK_BYTES = 1024 * 1024

_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9

# Weights per block and bytes per block of each ggml type; a test compares them with the library's own.
# fmt: off
BLOCKS: dict[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18), 42: (64, 18),
}
# fmt: on


@dataclass(frozen=True)
class SkippedArray:
    """A long array that was counted, not kept."""

    items: int


@dataclass(frozen=True)
class TensorInfo:
    """Where a tensor lies, from the beginning of the data. `size_bytes` is 0 for a type that is not known here."""

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class GgufHeader:
    """All that stands before the weights."""

    version: int
    metadata: dict[str, Any]
    tensors: tuple[TensorInfo, ...]
    data_offset: int

    @property
    def needed_bytes(self) -> int:
        """How long the file must be at least."""
        return self.data_offset + max((tensor.offset + tensor.size_bytes for tensor in self.tensors), default=0)

    def architecture_value(self, key: str) -> Any:
        """The value of `<architecture>.<key>`, or None."""
        return self.metadata.get(f"{self.metadata.get('general.architecture')}.{key}")


class GgufProblem(Exception):
    """`reason`: one of those of `ModelUnreadable` (empty, not_gguf, truncated, newer_format, damaged, …)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_model(path: Path) -> GgufHeader:
    """The header of a file that llama.cpp may see; raises ModelMissing or ModelUnreadable for any other."""
    try:
        if path.exists() and not path.is_file():  # a folder, or a pipe that would never end
            raise ModelUnreadable(str(path), "not_a_file")
        with path.open("rb") as file:
            return read_complete(file, file.seek(0, io.SEEK_END))
    except GgufProblem as problem:
        raise ModelUnreadable(str(path), problem.reason) from problem
    except PermissionError as error:
        raise ModelUnreadable(str(path), "denied") from error
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: NUL in the path
        raise ModelMissing(str(path)) from error
    except OSError as error:
        raise ModelUnreadable(str(path), "damaged") from error


def read_complete(file: BinaryIO, size_bytes: int) -> GgufHeader:
    """The header of a complete model of `size_bytes`; raises GgufProblem."""
    header = read_header(file)
    if not header.tensors:
        raise GgufProblem("vocabulary_only")
    if size_bytes < header.needed_bytes:
        raise GgufProblem("truncated")
    return header


def read_header(source: BinaryIO | bytes) -> GgufHeader:
    """The header from an open file or from the first bytes of one; raises GgufProblem."""
    reader = _Reader(io.BytesIO(source) if isinstance(source, bytes) else source)
    version = _version(reader)
    tensor_count, key_count = reader.number("<Q"), reader.number("<Q")
    if tensor_count > MAX_TENSORS or key_count > MAX_KEYS:
        raise GgufProblem("damaged")
    metadata: dict[str, Any] = {}
    for _ in range(key_count):
        key = reader.text(MAX_NAME_BYTES)
        metadata[key] = _value(reader, reader.number("<I"))
    tensors = tuple(_tensor(reader) for _ in range(tensor_count))
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
        raise GgufProblem("damaged")
    return GgufHeader(version, metadata, tensors, -(-reader.position // alignment) * alignment)


def _version(reader: _Reader) -> int:
    start = reader.upto(len(MAGIC))
    if start != MAGIC:
        reason = "empty" if not start else "truncated" if MAGIC.startswith(start) else "not_gguf"
        raise GgufProblem(reason)
    version = int(reader.number("<I"))
    if version not in VERSIONS:
        # below 2 nobody reads any more; numbers beyond 16 bits are another byte order
        raise GgufProblem("newer_format" if VERSIONS[-1] < version < 0x10000 else "damaged")
    return version


def _value(reader: _Reader, kind: int) -> Any:
    if kind == _STRING:
        return reader.text(MAX_HEADER_BYTES)
    if kind in _NUMBERS:
        return reader.number(_NUMBERS[kind])
    if kind != _ARRAY:
        raise GgufProblem("damaged")
    item_kind, count = reader.number("<I"), reader.number("<Q")
    if item_kind == _STRING:
        if count <= KEPT_ITEMS:
            return [reader.text(MAX_HEADER_BYTES) for _ in range(count)]
        reader.skip_texts(count)
    elif item_kind in _NUMBERS:
        form = _NUMBERS[item_kind]
        if count <= KEPT_ITEMS:
            return [reader.number(form) for _ in range(count)]
        reader.skip(count * struct.calcsize(form))
    else:
        raise GgufProblem("damaged")
    return SkippedArray(count)


def _tensor(reader: _Reader) -> TensorInfo:
    name = reader.text(MAX_NAME_BYTES)
    dimensions = reader.number("<I")
    if dimensions > MAX_DIMENSIONS:
        raise GgufProblem("damaged")
    shape = tuple(reader.number("<Q") for _ in range(dimensions))
    kind, offset = reader.number("<I"), reader.number("<Q")
    weights, size = BLOCKS.get(kind, (1, 0))
    count = math.prod(shape)
    if shape and shape[0] % weights:
        raise GgufProblem("damaged")
    return TensorInfo(name, shape, kind, offset, count // weights * size)


class _Reader:
    """A buffer that grows with the header and never beyond its limit."""

    def __init__(self, file: BinaryIO) -> None:
        self.position = 0
        self._file = file
        self._data = bytearray()
        file.seek(0)

    def number(self, form: str) -> Any:
        start = self.position
        self.skip(struct.calcsize(form))
        return struct.unpack_from(form, self._data, start)[0]

    def text(self, limit: int) -> str:
        length = self.number("<Q")
        if length > limit:
            raise GgufProblem("damaged")
        start = self.position
        self.skip(length)
        return self._data[start : self.position].decode("utf-8", "replace")

    def skip(self, count: int) -> None:
        """Moves on by `count` bytes, which are in the buffer then."""
        end = self.position + count
        if end > len(self._data):
            self._fill(end)
        self.position = end

    def skip_texts(self, count: int) -> None:
        """Passes over strings; written out because vocabularies have hundreds of thousands."""
        unpack, at, known = struct.Struct("<Q").unpack_from, self.position, len(self._data)
        for _ in range(count):
            if at + 8 > known:
                known = self._fill(at + 8)
            at += 8 + unpack(self._data, at)[0]
            if at > known:
                known = self._fill(at)
        self.position = at

    def upto(self, count: int) -> bytes:
        """At most `count` bytes from the beginning."""
        self._data += self._file.read(CHUNK_BYTES)
        self.position = min(count, len(self._data))
        return bytes(self._data[: self.position])

    def _fill(self, end: int) -> int:
        if end > MAX_HEADER_BYTES:
            raise GgufProblem("damaged")
        while len(self._data) < end:
            more = self._file.read(max(CHUNK_BYTES, end - len(self._data)))
            if not more:
                raise GgufProblem("truncated")
            self._data += more
        return len(self._data)
