"""py3langid's model of 140 languages, read as a stream: 50 MB for 0.05 s, or for 0.4 s where it is still packed.

Its own loader takes 120 MB and a file on the disk, more than a child has that reads a long text.

The model is naive Bayes over the byte n-grams that tell most about the language and least about the subject (Lui and
Baldwin 2011, "Cross-domain feature selection for language identification"). An automaton finds them in one pass. Its
file is NumPy's archive (a ZIP, not compressed) inside LZMA, from which set-up takes it.
"""

from __future__ import annotations

import lzma
import math
import os
import struct
import unicodedata
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from app.core.paths import resource

UNPACKED = "languages/model.npz"
"""As set-up lays it down; where it is missing, the packed one does."""
_MEMBER = struct.Struct("<4s22xHH")
"""Of a ZIP: its mark, and how long the name and the extra fields are that follow."""
_SIZES = struct.Struct("<HHQQ")
"""The extra field of large files, which NumPy writes for all."""
_DESCRIBED = struct.Struct("<8sH")
"""Of an array: mark and version, and how long the description is that follows."""
_READ_BYTES = 1 << 20
_CODE_BYTES = 12
"""Three characters of four bytes."""


@dataclass
class _Automaton:
    """`rows` are the distinct rows of 256 next states, `row_of` says which a state has, `feature_of` what it found."""

    rows: array[int]
    row_of: array[int]
    feature_of: array[int]

    def features(self, data: bytes) -> Counter[int]:
        """How often each known n-gram is in the data."""
        state, found = 0, []
        for byte in data:
            state = self.rows[(self.row_of[state] << 8) + byte]
            if self.feature_of[state] >= 0:
                found.append(self.feature_of[state])
        return Counter(found)


def most_likely(text: str) -> tuple[str, float]:
    """The code of the language that fits best, and how certain that is, 0 to 1; ("", 0.0) where nothing is known.

    Raises OSError or ValueError when the model is not there or not as expected.
    """
    data = _bytes_of(text)
    automaton, scores, codes = _load()
    counts = automaton.features(data)
    if not counts:
        return "", 0.0
    del automaton
    for feature, weights in _weights(sorted(counts), len(codes)):
        log_count = math.log1p(counts[feature])
        for number, weight in enumerate(weights):
            scores[number] += log_count * weight
    return _best(scores, codes, len(data))


class LanguageModel:
    """The same model held in memory, some 70 MB, for many texts: a millisecond each once it is loaded.

    Raises OSError or ValueError when it is not there or not as expected.
    """

    def __init__(self) -> None:
        arrays, self._scores, self._codes, self._weights = _load_all()
        self._automaton = _Automaton(arrays["nextmove"], arrays["nextmove_row"], arrays["out_feat"])
        self._row = struct.Struct(f"<{len(self._codes)}e")

    def most_likely(self, text: str, among: Collection[str] = ()) -> tuple[str, float]:
        """As the function of this name; only languages of `among`, where it names some that the model knows."""
        data = _bytes_of(text)
        counts = self._automaton.features(data)
        places = [n for n, code in enumerate(self._codes) if not among or code in among]
        if not counts or not places:
            return "", 0.0
        scores = [self._scores[n] for n in places]
        for feature, times in counts.items():
            weights, log_count = self._row.unpack_from(self._weights, feature * self._row.size), math.log1p(times)
            for at, n in enumerate(places):
                scores[at] += log_count * weights[n]
        return _best(scores, [self._codes[n] for n in places], len(data))


def _bytes_of(text: str) -> bytes:
    return unicodedata.normalize("NFC", text.lower() if text.isupper() else text).encode("utf-8", "replace")


def _best(scores: Sequence[float], codes: list[str], size_bytes: int) -> tuple[str, float]:
    """Softmax, cooled by the square root of the length: n-grams overlap, so they are no independent witnesses."""
    highest, heat = max(scores), math.sqrt(size_bytes)
    likelihood = dict.fromkeys(codes, 0.0)
    for code, score in zip(codes, scores, strict=True):  # a language in two scripts is there twice
        likelihood[code] += math.exp((score - highest) / heat)
    best = max(codes, key=lambda code: likelihood[code])
    return best, likelihood[best] / sum(likelihood.values())


def _load() -> tuple[_Automaton, array[float], list[str]]:
    """Everything but the weights, which are the largest part: the automaton, the first scores and the codes."""
    arrays, scores, codes, _ = _load_all(has_weights=False)
    return _Automaton(arrays["nextmove"], arrays["nextmove_row"], arrays["out_feat"]), scores, codes


def _load_all(*, has_weights: bool = True) -> tuple[dict[str, array[int]], array[float], list[str], bytes]:
    arrays = {"nextmove": array("I"), "nextmove_row": array("H"), "out_feat": array("i")}
    scores: array[float] = array("f")
    codes: list[str] = []
    weights = b""
    for name, size_bytes, file in _members():
        if name == "pc":
            scores.frombytes(file.read(size_bytes))
        elif name in arrays:
            for block in _blocks(file, size_bytes):
                arrays[name].frombytes(block)
        elif name == "classes":
            raw = file.read(size_bytes)
            codes = [
                raw[start : start + _CODE_BYTES].decode("utf-32-le").rstrip("\0")
                for start in range(0, size_bytes, _CODE_BYTES)
            ]
        elif name == "ptc" and has_weights:
            weights = file.read(size_bytes)
        else:
            file.seek(size_bytes, os.SEEK_CUR)
    return arrays, array("d", scores), codes, weights


def _weights(features: list[int], languages: int) -> Iterator[tuple[int, tuple[float, ...]]]:
    """The weights of these features (in order) for each language."""
    row = struct.Struct(f"<{languages}e")
    for name, _, file in _members():
        if name == "ptc":
            at = 0
            for feature in features:
                file.seek((feature - at) * row.size, os.SEEK_CUR)
                yield feature, row.unpack(file.read(row.size))
                at = feature + 1
            return


def _members() -> Iterator[tuple[str, int, IO[bytes]]]:
    """Each array's name and size in bytes, and the file where its data begins, to be read before the next is asked."""
    with _opened() as file:
        while (head := file.read(_MEMBER.size))[:4] == b"PK\x03\x04":
            _, name_bytes, extra_bytes = _MEMBER.unpack(head)
            name, extra = file.read(name_bytes).decode("ascii"), file.read(extra_bytes)
            size_bytes = _SIZES.unpack_from(extra)[2]
            _, description_bytes = _DESCRIBED.unpack(file.read(_DESCRIBED.size))
            file.read(description_bytes)
            yield name.removesuffix(".npy"), size_bytes - _DESCRIBED.size - description_bytes, file


def _opened() -> IO[bytes]:
    unpacked = resource(UNPACKED)
    return unpacked.open("rb") if unpacked.is_file() else lzma.open(packed())


def packed() -> Path:
    """The file that comes with py3langid; raises FileNotFoundError where that is not there."""
    found = find_spec("py3langid")  # not imported: that would import NumPy
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("py3langid")
    return Path(found.submodule_search_locations[0], "data", "model.npz.xz")


def _blocks(file: IO[bytes], size_bytes: int) -> Iterator[bytes]:
    while size_bytes and (block := file.read(min(size_bytes, _READ_BYTES))):
        yield block
        size_bytes -= len(block)
