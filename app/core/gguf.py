"""A bounded reader of GGUF headers: what a model file says about itself, and whether it can be one at all.

Every length in the file is checked against a limit and against what is really there before it is believed. What
llama.cpp would refuse, or would end the process over, is refused here first. Memory stays below some tens of MB,
whatever the file says: the header passes through a window of a few MB, and of its values a budget is kept.
"""

from __future__ import annotations

import io
import math
import re
import struct
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from app.core.errors.model_errors import ModelMissing, ModelUnreadable, ProjectorRefused
from app.core.lazy_dataclasses import dataclass

MAGIC = b"GGUF"
VERSIONS = (2, 3)
# llama.cpp's own default, where a file does not say.
DEFAULT_ALIGNMENT = 32
KEPT_ITEMS = 1024  # longer arrays (vocabularies) are passed over and only counted
KEPT_TEXT_BYTES = 1024 * 1024  # likewise longer texts; chat templates have some 10 kB
KEPT_BYTES = 16 * 1024 * 1024  # of all names, texts and short arrays together

MAX_HEADER_BYTES = 128 * 1024 * 1024
MAX_KEYS = 100_000
MAX_TENSORS = 100_000
MAX_KEY_BYTES = 65_535
MAX_TENSOR_NAME_BYTES = 63  # llama.cpp's own limits from here on
MAX_DIMENSIONS = 4
MAX_WEIGHTS = 2**63 - 1
CHUNK_BYTES = 1024 * 1024

# GGUF's numbers of value types (ggml/docs/gguf.md), and how each is written.
_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9

FIRST_UNLIKELY_TYPE = 1000  # of tensors; what is new comes right after the known ones

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
    """A long array of which only the number of items is kept."""

    items: int


@dataclass(frozen=True)
class SkippedText:
    """A long text of which only the size in bytes is kept."""

    size_bytes: int


@dataclass(frozen=True)
class TensorInfo:
    """Place of a tensor, from the beginning of the data."""

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class GgufHeader:
    """All that stands before the weights of a GGUF file: facts, and where each tensor lies."""

    version: int
    metadata: dict[str, Any]
    tensors: tuple[TensorInfo, ...]
    data_offset: int
    is_complete: bool = True
    """False if only the first bytes were read: keys may be missing, lists only counted, and there are no tensors."""

    @property
    def needed_bytes(self) -> int:
        # The last tensor by its place, not by the order in which they are listed.
        return self.data_offset + max((tensor.offset + tensor.size_bytes for tensor in self.tensors), default=0)

    @property
    def weights(self) -> int:
        return sum(math.prod(tensor.shape) for tensor in self.tensors)

    def architecture_value(self, key: str) -> Any:
        """Return the value of `<architecture>.<key>`, or None without one."""
        return self.metadata.get(f"{self.metadata.get('general.architecture')}.{key}")


POOLED = (1, 2, 3)
"""llama.cpp's numbers for the mean, the first token and the last one; a ranking (4) is no vector of a text."""
MEAN, FIRST = 1, 2
_ENCODERS = frozenset(
    [
        "bert",
        "modern-bert",
        "nomic-bert",
        "nomic-bert-moe",
        "jina-bert-v2",
        "jina-bert-v3",
        "neo-bert",
        "eurobert",
        "gemma-embedding",
    ]
)
_FIRST_TOKEN = re.compile(r"granite|\bbge\b|arctic|mxbai|\bgte\b")
"""Embedding models that use the first token's vector, as their publishers say."""


def embedding_pooling(header: GgufHeader) -> int:
    """Return llama.cpp's number for how a model that turns texts into vectors pools what it read; 0 for any other.

    The file says it; of an encoder's file that does not, its family does.
    """
    value = header.architecture_value("pooling_type")
    if isinstance(value, int):
        return value if value in POOLED else 0
    if header.metadata.get("general.architecture") not in _ENCODERS:
        return 0
    name = f"{header.metadata.get('general.name', '')} {header.metadata.get('general.basename', '')}"
    return FIRST if _FIRST_TOKEN.search(name.lower()) else MEAN


class GgufProblem(Exception):
    """`reason`: one of `ModelUnreadable`'s (empty, not_gguf, truncated, newer_format, damaged, …)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


PROJECTOR = "clip"
"""The architecture of files that turn pictures or sound into what a language model reads, and write nothing."""


VOICES = frozenset({"qwen3tts_spkenc", "qwen3tts_gen", "pockettts_spkenc", "pockettts_gen"})
"""Kinds of projectors that take and make the voices of models that speak: nothing is seen or heard through them."""
UNHEARD = VOICES | {"gemma3na"}
"""Projectors through which llama.cpp can't take sound, whatever their header says."""


def check_model(path: Path) -> GgufHeader:
    """Return the header of a file that llama.cpp may see; raises ModelMissing or ModelUnreadable for any other."""
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


def known_header(path: Path) -> GgufHeader:
    """Return as `check_model`, read once until the file changes: for what is asked often, never before loading."""
    try:
        facts = path.stat()
    except (OSError, ValueError):  # ValueError: NUL in the path
        return check_model(path)
    return _header_of_file(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=8)
def _header_of_file(path: Path, _size_bytes: int, _changed: int) -> GgufHeader:
    return check_model(path)


def check_projector(path: Path, model: str) -> GgufHeader:
    """Return the header of a file through which the model file `model` may see or hear; raises ProjectorRefused for
    others.

    llama.cpp itself takes one whose end is missing, and then sees at random.
    """
    try:
        with path.open("rb") as file:
            header = read_header(file)
            size_bytes = file.seek(0, io.SEEK_END)
    except GgufProblem as problem:
        reason = "damaged" if problem.reason in ("damaged", "newer_format") else "not_a_projector"
        raise ProjectorRefused(str(path), model, "truncated" if problem.reason == "truncated" else reason) from problem
    except (OSError, ValueError) as error:
        raise ProjectorRefused(str(path), model, "missing") from error
    if header.metadata.get("general.architecture") != PROJECTOR or not header.tensors:
        raise ProjectorRefused(str(path), model, "not_a_projector")
    if size_bytes < header.needed_bytes:
        raise ProjectorRefused(str(path), model, "truncated")
    return header


def projector_kinds(metadata: Mapping[str, Any]) -> frozenset[str]:
    """Return llama.cpp's names for the image and sound encoders of a projector."""
    found = (metadata.get(f"clip.{part}projector_type") for part in ("", "vision.", "audio.", "gen.audio."))
    return frozenset(kind for kind in found if isinstance(kind, str))


def read_complete(file: BinaryIO, size_bytes: int) -> GgufHeader:
    """Return the header of a complete model of `size_bytes`; raises GgufProblem."""
    header = read_header(file)
    if not header.tensors:
        raise GgufProblem("vocabulary_only")
    if header.metadata.get("general.architecture") == PROJECTOR:
        raise GgufProblem("projector")
    if size_bytes < header.needed_bytes:
        raise GgufProblem("truncated")
    return header


def read_header(source: BinaryIO | bytes) -> GgufHeader:
    """Return the header from an open file or from the first bytes of one; raises GgufProblem."""
    return _read_header(_GgufReader(io.BytesIO(source) if isinstance(source, bytes) else source), {})


def read_beginning(data: bytes) -> GgufHeader:
    """Return what the first bytes of a file tell, as far as they go; raises GgufProblem where they are no GGUF's."""
    metadata: dict[str, Any] = {}
    reader = _GgufReader(io.BytesIO(data))
    # Truncated is the usual case here, as only the beginning was fetched.
    try:
        return _read_header(reader, metadata)
    except GgufProblem as problem:
        if problem.reason != "truncated":
            raise
        return GgufHeader(VERSIONS[-1], metadata, (), 0, is_complete=False)


def _read_header(reader: _GgufReader, metadata: dict[str, Any]) -> GgufHeader:
    """Read the header into `metadata`, which keeps what was read if GgufProblem is raised."""
    version = _read_version(reader)
    tensor_count, key_count = reader.read_number("<Q"), reader.read_number("<Q")
    # Before any loop: a count of 2**60 would otherwise run for years.
    if tensor_count > MAX_TENSORS or key_count > MAX_KEYS:
        raise GgufProblem("damaged")
    for _ in range(key_count):
        key = reader.read_text(MAX_KEY_BYTES)
        # llama.cpp refuses a key that comes twice.
        if not key or key in metadata:
            raise GgufProblem("damaged")
        kind = reader.read_number("<I")
        if kind == _ARRAY:
            item_kind, count = _read_array_head(reader)
            metadata[key] = SkippedArray(count)  # all that is known where the bytes end in the middle of it
            metadata[key] = _read_items(reader, item_kind, count)
        else:
            metadata[key] = _read_value(reader, kind)
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    # A power of two, as llama.cpp's macro for padding takes for granted.
    if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
        raise GgufProblem("damaged")
    tensors = _read_tensors(reader, tensor_count, alignment)
    return GgufHeader(version, metadata, tensors, _align_position(reader.position, alignment))


def _align_position(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment


def _read_version(reader: _GgufReader) -> int:
    start = reader.read_upto(len(MAGIC))  # read apart, so that an empty file is told from a damaged one
    if start != MAGIC:
        reason = "empty" if not start else "truncated" if MAGIC.startswith(start) else "not_gguf"
        raise GgufProblem(reason)
    version = int(reader.read_number("<I"))
    if version not in VERSIONS:
        # below 2 nobody reads any more; numbers beyond 16 bits are another byte order
        raise GgufProblem("newer_format" if VERSIONS[-1] < version < 0x10000 else "damaged")
    return version


def _read_value(reader: _GgufReader, kind: int) -> Any:
    if kind == _STRING:
        return reader.kept_text()
    if kind in _NUMBERS:
        return reader.read_number(_NUMBERS[kind])
    raise GgufProblem("damaged")


def _read_array_head(reader: _GgufReader) -> tuple[int, int]:
    """Return the kind of its items, and how many there are."""
    item_kind, count = reader.read_number("<I"), reader.read_number("<Q")
    if item_kind != _STRING and item_kind not in _NUMBERS:
        raise GgufProblem("damaged")
    return item_kind, count


def _read_items(reader: _GgufReader, kind: int, count: int) -> list[Any] | SkippedArray:
    form = _NUMBERS.get(kind, "<Q")  # of a text, its length at least
    # Of texts at least their lengths are there; what lies beyond the end is noticed before it is read.
    size = count * struct.calcsize(form)
    if count > KEPT_ITEMS or not reader.spend_budget(size):
        if kind == _STRING:
            reader.skip_texts(count)
        else:
            reader.skip_bytes(size)
        return SkippedArray(count)
    return [_read_value(reader, kind) for _ in range(count)]


def _read_tensors(reader: _GgufReader, count: int, alignment: int) -> tuple[TensorInfo, ...]:
    """Read tensor entries. Like llama.cpp, refuse gaps and repeated names."""
    tensors: list[TensorInfo] = []
    names: set[str] = set()
    end = 0
    for _ in range(count):
        tensor = _read_tensor(reader)
        # Tensors have to lie one after another; llama.cpp computes their places itself and compares.
        if tensor.name in names or tensor.offset != end:
            raise GgufProblem("damaged")
        names.add(tensor.name)
        tensors.append(tensor)
        end = _align_position(end + tensor.size_bytes, alignment)
    return tuple(tensors)


def _read_tensor(reader: _GgufReader) -> TensorInfo:
    name = reader.read_text(MAX_TENSOR_NAME_BYTES)
    dimensions = reader.read_number("<I")
    if dimensions > MAX_DIMENSIONS:
        raise GgufProblem("damaged")
    shape = tuple(reader.read_number("<Q") for _ in range(dimensions))
    kind, offset = reader.read_number("<I"), reader.read_number("<Q")
    if kind not in BLOCKS:
        # Types come in order, so the next ones are a newer program's; far ones are damage.
        raise GgufProblem("newer_format" if max(BLOCKS) < kind < FIRST_UNLIKELY_TYPE else "damaged")
    weights, size = BLOCKS[kind]
    count = math.prod(shape)
    # Rows are made of whole blocks.
    if not 0 < count <= MAX_WEIGHTS or (shape[0] if shape else 1) % weights:
        raise GgufProblem("damaged")
    return TensorInfo(name, shape, kind, offset, count // weights * size)


class _GgufReader:
    """A window that moves along the header, never beyond its limit nor beyond the end of the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        # Asked of the file itself, never of what it says.
        self._size = file.seek(0, io.SEEK_END)
        file.seek(0)
        self._data = bytearray()
        self._base = 0  # where in the file the window begins
        self._at = 0  # where in the window we are
        self._budget = KEPT_BYTES

    @property
    def position(self) -> int:
        return self._base + self._at

    def read_number(self, form: str) -> Any:
        size = struct.calcsize(form)
        self._ensure_window(size)
        self._at += size
        return struct.unpack_from(form, self._data, self._at - size)[0]

    def read_text(self, limit: int) -> str:
        length = self.read_number("<Q")
        if length > limit or not self.spend_budget(length):
            raise GgufProblem("damaged")
        # Names may be any bytes; a replaced one is only shown.
        return self._read_bytes(length).decode("utf-8", "replace")

    def kept_text(self) -> str | SkippedText:
        """Return a text, or its size where it is too long to be kept."""
        length = self.read_number("<Q")
        if length > KEPT_TEXT_BYTES or not self.spend_budget(length):
            self.skip_bytes(length)
            return SkippedText(length)
        return self._read_bytes(length).decode("utf-8", "replace")

    def spend_budget(self, size: int) -> bool:
        """Return whether the budget for kept values has room for `size` bytes more, which are taken from it then."""
        if size > self._budget:
            return False
        self._budget -= size
        return True

    def skip_bytes(self, count: int) -> None:
        """Pass over `count` bytes without keeping them; many are not even read."""
        self._check_bounds(count)
        # Beyond the window it is enough to seek; nothing of it is read.
        if self._at + count > len(self._data):
            self._base += self._at + count
            self._at = 0
            self._data.clear()
            self._file.seek(self._base)
        else:
            self._at += count

    def skip_texts(self, count: int) -> None:
        """Pass over strings; written out because vocabularies have hundreds of thousands."""
        # Each text has at least its length, so an impossible count ends here.
        self._check_bounds(8 * count)
        unpack, at, known = struct.Struct("<Q").unpack_from, self._at, len(self._data)
        for _ in range(count):
            if at + 8 > known:
                self._at = at
                self._ensure_window(8)
                at, known = self._at, len(self._data)
            size = 8 + unpack(self._data, at)[0]
            if at + size > known:
                self._at = at
                self.skip_bytes(size)
                at, known = self._at, len(self._data)
            else:
                at += size
        self._at = at

    def read_upto(self, count: int) -> bytes:
        """Return at most `count` bytes from the file's beginning, fewer if it is shorter."""
        self._data += self._file.read(CHUNK_BYTES)
        self._at = min(count, len(self._data))
        return bytes(self._data[: self._at])

    def _read_bytes(self, count: int) -> bytearray:
        self._ensure_window(count)
        self._at += count
        return self._data[self._at - count : self._at]

    def _ensure_window(self, count: int) -> None:
        """Read so that the window holds the next `count` bytes."""
        self._check_bounds(count)
        if self._at + count <= len(self._data):
            return
        # What lies behind is let go, so that the window stays small however long the header is.
        del self._data[: self._at]
        self._base += self._at
        self._at = 0
        while len(self._data) < count:
            more = self._file.read(CHUNK_BYTES)
            if not more:
                raise GgufProblem("truncated")
            self._data += more

    def _check_bounds(self, count: int) -> None:
        end = self.position + count
        if end > MAX_HEADER_BYTES:
            raise GgufProblem("damaged")
        if end > self._size:
            raise GgufProblem("truncated")
