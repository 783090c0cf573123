"""py3langid's model of 140 languages: mapped as set-up lays it down, of which a text uses few pages.

Where it is packed it is read as a stream: 50 MB for 0.2 s gzipped, 0.4 s as it came. Its own loader takes 120 MB and a
file on the disk, more than a child has that reads a long text.

The model is naive Bayes over the byte n-grams that tell most about the language and least about the subject (Lui and
Baldwin 2011, "Cross-domain feature selection for language identification"). An automaton finds them in one pass. Its
file is NumPy's archive (a ZIP, not compressed) inside LZMA, from which set-up takes it.
"""

from __future__ import annotations

import gzip
import lzma
import math
import mmap
import os
import struct
import unicodedata
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from io import BufferedReader, FileIO
from pathlib import Path
from typing import IO, cast

from app.core.lazy_dataclasses import dataclass
from app.core.paths import resource_path

UNPACKED, GZIPPED = "languages/model.npz", "languages/model.npz.gz"
"""As set-up lays it down, and as a package has it; where both are missing, the packed one does."""
_MEMBER = struct.Struct("<4s22xHH")
"""Of a ZIP: its mark, and how long the name and the extra fields are that follow."""
_SIZES = struct.Struct("<HHQQ")
"""The extra field of large files, which NumPy writes for all."""
_DESCRIBED = struct.Struct("<8sH")
"""Of an array: mark and version, and how long the description is that follows."""
# Read in pieces, so that a gzip of 50 MB is never there as a whole.
_READ_BYTES = 1 << 20
_CODE_BYTES = 12
"""Three characters of four bytes."""
ARRAY_CODES = {"nextmove": "I", "nextmove_row": "H", "out_feat": "i"}
"""The automaton's members of the archive, with the type code of their numbers."""
Numbers = Sequence[int] | memoryview
"""Read into an array, or mapped from the file."""


@dataclass
class _ByteAutomaton:
    """Automaton:

    `rows` are the distinct rows of 256 next states, `row_of` each state's row, `feature_of` the n-gram it ends.
    """

    rows: Numbers
    row_of: Numbers
    feature_of: Numbers

    def count_features(self, data: bytes) -> Counter[int]:
        """Count the known n-grams in the data, each by the number of its feature."""
        state, found = 0, []
        for byte in data:
            # All rows of the states together would take far more memory: most states share one.
            state = self.rows[(self.row_of[state] << 8) + byte]
            if self.feature_of[state] >= 0:
                found.append(self.feature_of[state])
        return Counter(found)


def most_likely(text: str) -> tuple[str, float]:
    """Return the likeliest language's code and its probability, 0 to 1; ("", 0.0) if unknown.

    Raises OSError or ValueError if the model is missing or unexpected.
    """
    data = _bytes_of(text)
    automaton, scores, codes, _ = _load_model(has_weights=False)
    counts = automaton.count_features(data)
    if not counts:
        return "", 0.0
    # Freed before the weights are read, so that both are never in memory together.
    del automaton
    for feature, weights in _read_weights(sorted(counts), len(codes)):
        log_count = math.log1p(counts[feature])
        for number, weight in enumerate(weights):
            scores[number] += log_count * weight
    return _best_score(scores, codes, len(data))


class LanguageModel:
    """The same model kept for many texts, some 70 MB where it is packed: a millisecond each once it is loaded.

    Raises OSError or ValueError when it is not there or not as expected.
    """

    def __init__(self) -> None:
        self._automaton, self._scores, self._codes, self._weights = _load_model()
        self._row = struct.Struct(f"<{len(self._codes)}e")

    def most_likely(self, text: str, among: Collection[str] = ()) -> tuple[str, float]:
        """Return the likeliest language as the function of this name, restricted to those of `among` that the model
        knows, if any.
        """
        data = _bytes_of(text)
        counts = self._automaton.count_features(data)
        # Restricted to some languages, the others' scores are not even added up.
        places = [n for n, code in enumerate(self._codes) if not among or code in among]
        if not counts or not places:
            return "", 0.0
        scores = [self._scores[n] for n in places]
        for feature, times in counts.items():
            weights, log_count = self._row.unpack_from(self._weights, feature * self._row.size), math.log1p(times)
            for at, n in enumerate(places):
                scores[at] += log_count * weights[n]
        return _best_score(scores, [self._codes[n] for n in places], len(data))


def _bytes_of(text: str) -> bytes:
    # Capitals are letters of their own for the model, and a text in capitals would look like none.
    return unicodedata.normalize("NFC", text.lower() if text.isupper() else text).encode("utf-8", "replace")


def _best_score(scores: Sequence[float], codes: list[str], size_bytes: int) -> tuple[str, float]:
    """Softmax, cooled by the square root of the length: n-grams overlap, so they are no independent witnesses."""
    highest, heat = max(scores), math.sqrt(size_bytes)
    likelihood = dict.fromkeys(codes, 0.0)
    # Compared with the highest, or exp() would be 0 for all.
    for code, score in zip(codes, scores, strict=True):  # a language in two scripts is there twice
        likelihood[code] += math.exp((score - highest) / heat)
    best = max(codes, key=lambda code: likelihood[code])
    return best, likelihood[best] / sum(likelihood.values())


def _load_model(*, has_weights: bool = True) -> tuple[_ByteAutomaton, array[float], list[str], bytes | memoryview]:
    """Load the automaton, the initial scores, the codes, and the weights, the largest part."""
    arrays: dict[str, Numbers] = dict.fromkeys(ARRAY_CODES, b"")
    scores: array[float] = array("f")
    codes: list[str] = []
    weights: bytes | memoryview = b""
    for name, size_bytes, file in _archive_members():
        # Names of py3langid's arrays: pc is the prior of a language, ptc the weight of an n-gram for it.
        if name == "pc":
            scores.frombytes(file.read(size_bytes))
        elif name in arrays:
            arrays[name] = _numbers_in(file, size_bytes, ARRAY_CODES[name])
        elif name == "classes":
            raw = file.read(size_bytes)
            codes = [
                raw[start : start + _CODE_BYTES].decode("utf-32-le").rstrip("\0")
                for start in range(0, size_bytes, _CODE_BYTES)
            ]
        # The weights are the largest part, and a single text needs few of them.
        elif name == "ptc" and has_weights:
            weights = file.map_next(size_bytes) if isinstance(file, _MappedFile) else file.read(size_bytes)
        else:
            file.seek(size_bytes, os.SEEK_CUR)
    automaton = _ByteAutomaton(arrays["nextmove"], arrays["nextmove_row"], arrays["out_feat"])
    return automaton, array("d", scores), codes, weights


def _read_weights(features: list[int], languages: int) -> Iterator[tuple[int, tuple[float, ...]]]:
    """Yield these features' weights (in order) for each language."""
    row = struct.Struct(f"<{languages}e")
    for name, _, file in _archive_members():
        if name == "ptc":
            at = 0
            for feature in features:
                # Forwards only, since packed files can't go back.
                file.seek((feature - at) * row.size, os.SEEK_CUR)
                yield feature, row.unpack(file.read(row.size))
                at = feature + 1
            return


def _archive_members() -> Iterator[tuple[str, int, IO[bytes]]]:
    """Yield each array's name, size in bytes, and the file at its data, to be read before the next one."""
    with _open_model() as file:
        # A ZIP without compression is its members one after another; no directory is needed.
        while (head := file.read(_MEMBER.size))[:4] == b"PK\x03\x04":
            _, name_bytes, extra_bytes = _MEMBER.unpack(head)
            name, extra = file.read(name_bytes).decode("ascii"), file.read(extra_bytes)
            size_bytes = _SIZES.unpack_from(extra)[2]
            _, description_bytes = _DESCRIBED.unpack(file.read(_DESCRIBED.size))
            file.read(description_bytes)
            yield name.removesuffix(".npy"), size_bytes - _DESCRIBED.size - description_bytes, file


class _MappedFile(BufferedReader):
    """An unpacked file whose parts are views of one mapping, as each mapping holds a handle."""

    def __init__(self, path: Path) -> None:
        super().__init__(FileIO(path))

    @cached_property
    def _pages(self) -> memoryview:
        return memoryview(mmap.mmap(self.fileno(), 0, access=mmap.ACCESS_READ))

    def map_next(self, size_bytes: int) -> memoryview:
        """Return what comes next in the file, which is behind it then."""
        start = self.tell()
        self.seek(size_bytes, os.SEEK_CUR)
        return self._pages[start : start + size_bytes]


def _open_model() -> IO[bytes]:
    unpacked, gzipped = resource_path(UNPACKED), resource_path(GZIPPED)
    # As set-up lays it down is quickest; a package has it gzipped, a wheel as py3langid has it.
    if unpacked.is_file():
        return cast(IO[bytes], _MappedFile(unpacked))
    return cast(IO[bytes], gzip.open(gzipped)) if gzipped.is_file() else lzma.open(packed_model())


def packed_model() -> Path:
    """Return py3langid's model file. Raises FileNotFoundError if it is missing."""
    found = find_spec("py3langid")  # not imported: that would import NumPy
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("py3langid")
    return Path(found.submodule_search_locations[0], "data", "model.npz.xz")


def _numbers_in(file: IO[bytes], size_bytes: int, code: str) -> Numbers:
    """Return the numbers that come next in the file, which is behind them then."""
    if isinstance(file, _MappedFile):
        return file.map_next(size_bytes).cast(code)  # type: ignore[call-overload, no-any-return]
    numbers: array[int] = array(code)
    for block in _read_blocks(file, size_bytes):
        numbers.frombytes(block)
    return numbers


def _read_blocks(file: IO[bytes], size_bytes: int) -> Iterator[bytes]:
    while size_bytes and (block := file.read(min(size_bytes, _READ_BYTES))):
        yield block
        size_bytes -= len(block)
