"""Detect a text's language by script, by a statistical model of letter sequences, or by function words.

The model is more accurate but takes 0.5 s and memory; function words tell ten languages at once.
"""

from __future__ import annotations

import gzip
import logging
import lzma
import math
import mmap
import os
import re
import struct
import threading
import unicodedata
import weakref
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

from app.core.paths import resource_path
from app.language.language_names import (
    HAN,
    KANA,
    LANGUAGES,
    OF_ONE_LANGUAGE,
    are_alike,
    base_code,
    count_script,
    script_in,
)
from app.language.words import find_words

log = logging.getLogger(__name__)

LEAST_LETTERS = 40
"""For the model: it is right for 95 of 100 texts of this length, for 86 of 100 with 15 letters."""
LEAST_TYPED_LETTERS = 8
"""Of a typed text; with fewer the model guesses."""
LEAST_LETTERS_OF_TWO = 15
"""Letters needed to decide between two languages."""
LEAST_OF_A_SCRIPT = 6
LEAST_CERTAINTY = 0.5
CLEARLY = 0.9
KANA_SHARE = 0.05
"""Japanese has Chinese characters too, and with them always kana; a Chinese text cites a little of it."""
MOST_CHARACTERS = 2_000
SCRIPT_CHARACTERS = 200
"""Characters of a text examined."""
LEAST_SMALL_WORDS = 3
"""Function words needed to decide on a language."""
SMALL_WORDS = {
    "en": "the of and to is was are were that for with this by from it as be have has which their its not they",
    "de": "der die das und ist den von zu mit dem des ein eine nicht sich auch auf für im wird wurde werden sind",
    "fr": "le la les des et est une du dans pour que qui sur par au pas avec sont ont été cette plus ce",
    "es": "el la los las de y que en un una es por con para del se al son fue más este esta como",
    "it": "il di che è la per un una in con del della dei sono gli le nel alla ha non come è stato",
    "pt": "o a os as de que e do da em um uma para com não no na por mais foi são dos das ao",
    "nl": "de het een van en is dat op te zijn voor met niet door aan er wordt werd ook bij",
    "pl": "w i na z się nie do jest że to od po przez oraz dla był jak",
    "sv": "och att det som en är på av för med till den har inte ett om var",
    "tr": "ve bir bu için ile olarak olan da de daha çok gibi sonra",
}
"""Function words of languages in Latin script, by code."""
SMALL_WORD_SETS = {code: frozenset(row.split()) for code, row in SMALL_WORDS.items()}
_LETTER = re.compile(r"[^\W\d_]")
_TRADITIONAL = frozenset(
    "這個們來說時國會對學為與後經實點過還從開關問題應當書見話請讓誰給線萬體將樣電機無處變發讀寫聽買賣"
)
_SIMPLIFIED = frozenset(
    "这个们来说时国会对学为与后经实点过还从开关问题应当书见话请让谁给线万体将样电机无处变发读写听买卖"
)
# The model tells Bokmål and Nynorsk apart, and knows plain "no" as well.
_BASES = frozenset(base_code(language.code) for language in LANGUAGES) | {"no", "nn"}


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of a text's language, "" if unknown. Takes 1 s where the model is needed."""
    letters = len(_LETTER.findall(text))
    if letters >= LEAST_OF_A_SCRIPT and (found := language_by_script(text, letters)):
        return found
    code, certainty = most_likely(text) if letters >= LEAST_LETTERS else ("", 0.0)
    return code if certainty >= LEAST_CERTAINTY else ""


def language_by_script(text: str, letters: int) -> str:
    """Return the code of a language identified by its script; `letters` is the text's number of letters."""
    kana, han = count_script(KANA, text), count_script(HAN, text)
    # More than half of the letters: a cited name in another script does not decide.
    if (kana + han) * 2 > letters:
        return "ja" if kana > KANA_SHARE * (kana + han) else "zh"
    for code, script in OF_ONE_LANGUAGE.items():
        if count_script(script, text) * 2 > letters:
            return code
    return ""


@lru_cache(maxsize=1024)
def language_by_words(text: str) -> str:
    """Return a code, or the name of a script other than Latin; "" if there is too little text."""
    script = script_in(text[:SCRIPT_CHARACTERS])
    if script != "latin":
        return script
    here = find_words(text[:MOST_CHARACTERS])
    # As many words of one language as of the next are no decision.
    counts = sorted(((len(here & known), code) for code, known in SMALL_WORD_SETS.items()), reverse=True)
    (most, code), (second, _) = counts[0], counts[1]
    return code if most >= LEAST_SMALL_WORDS and most > second else ""


def languages_differ(one: str, other: str) -> bool:
    """Return whether two texts have known, different languages, or different scripts, so that words can't be
    compared.
    """
    ours, theirs = language_by_words(one), language_by_words(other)
    return bool(ours and theirs and ours != theirs) or scripts_differ(one, other)


def scripts_differ(one: str, other: str) -> bool:
    """Return whether two texts have different scripts; False for texts without letters."""
    both = (one[:SCRIPT_CHARACTERS], other[:SCRIPT_CHARACTERS])
    # Signs and figures alone belong to no script.
    return all(any(map(str.isalpha, text)) for text in both) and script_in(both[0]) != script_in(both[1])


class LanguageDetector:
    """Finds languages; the model is loaded when the first text needs it. From any thread."""

    # Weak: 70 MB are not kept when nobody looks for languages any more.
    _shared: weakref.ref[LanguageDetector] | None = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        self._model: LanguageModel | None = None
        self._is_missing = False
        # Two threads at once would load it twice.
        self._loading = threading.Lock()

    @classmethod
    def shared(cls) -> LanguageDetector:
        """Return the shared detector; its memory is freed with its last user."""
        with cls._lock:
            found = cls._shared() if cls._shared is not None else None
            if found is None:
                found = cls()
                cls._shared = weakref.ref(found)
            return found

    def find_language(self, text: str, among: Sequence[str]) -> str:
        """Return which of `among` a text is in; "" for none or unknown."""
        sample = text[:MOST_CHARACTERS]
        letters = len(_LETTER.findall(sample))
        found = language_by_script(sample, letters) if letters else ""
        if not found and letters >= LEAST_TYPED_LETTERS:
            # Only among what may be chosen: short texts are told apart far better so.
            found, certainty = self._most_likely(sample, {base_code(code) for code in among})
            found = found if certainty >= LEAST_CERTAINTY else ""
        return _variant_of(sample, found, among) if found else ""

    def detect_clearly(self, text: str) -> str:
        """Return the language (without region) of a longer text, of all known ones; "" if unclear."""
        sample = text[:MOST_CHARACTERS]
        letters = len(_LETTER.findall(sample))
        if found := language_by_script(sample, letters):
            return base_code(found)
        if letters < LEAST_LETTERS:
            return ""
        found, certainty = self._most_likely(sample, _BASES)
        return found if certainty >= CLEARLY else ""

    def is_rather(self, text: str, one: str, other: str) -> bool:
        """Return whether a text is in language `one` rather than in `other`, the expected one.

        Of program messages in ten languages, 0.1 % with 15 to 25 letters are mistaken for English, fewer of longer
        ones; of English ones 75 % are found with 15 to 25 letters, 95 % with 25 to 40, and 99 % of longer ones.
        """
        sample = text[:MOST_CHARACTERS]
        if not one or are_alike(one, other) or len(_LETTER.findall(sample)) < LEAST_LETTERS_OF_TWO:
            return False
        # Of two languages only, and clearly, as the text is short.
        found, certainty = self._most_likely(sample, {base_code(one), base_code(other)})
        return found == base_code(one) and certainty >= CLEARLY

    def _most_likely(self, text: str, among: set[str] | frozenset[str]) -> tuple[str, float]:
        with self._loading:
            if self._model is None and not self._is_missing:
                try:
                    self._model = LanguageModel()
                except (OSError, ValueError) as error:
                    log.info("languages cannot be told: %r", error)
                    self._is_missing = True
        if self._model is None:
            return "", 0.0
        # The three codes of Norwegian are one language here.
        code, certainty = self._model.most_likely(text, among | ({"no", "nn"} if "nb" in among else set()))
        return base_code(code), certainty


def _variant_of(text: str, found: str, among: Sequence[str]) -> str:
    """Return the code in `among` for a language: by characters for Chinese, else the first."""
    fitting = [code for code in among if base_code(code) == base_code(found)]
    if base_code(found) == "zh" and len(fitting) > 1:
        older = sum(character in _TRADITIONAL for character in text)
        # A text with characters of both counts as what it has more of.
        newer = sum(character in _SIMPLIFIED for character in text)
        wanted = "zh-Hant" if older > newer else "zh"
        return wanted if wanted in fitting else fitting[0]
    # Without a region first, as nothing else is known of the text.
    plain = [code for code in fitting if code == base_code(found)]
    return next(iter([*plain, *fitting]), "")


# py3langid's model of 140 languages: mapped as set-up lays it down, of which a text uses few pages; read as a stream
# where it is packed, 50 MB for 0.2 s gzipped, 0.4 s as it came.
#
# Its own loader takes 120 MB and a file on the disk, more than a child has that reads a long text.
#
# The model is naive Bayes over the byte n-grams that tell most about the language and least about the subject (Lui and
# Baldwin 2011, "Cross-domain feature selection for language identification"). An automaton finds them in one pass. Its
# file is NumPy's archive (a ZIP, not compressed) inside LZMA, from which set-up takes it.

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
            weights = _mapped(file, size_bytes) or file.read(size_bytes)
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


def _open_model() -> IO[bytes]:
    unpacked, gzipped = resource_path(UNPACKED), resource_path(GZIPPED)
    # As set-up lays it down is quickest; a package has it gzipped, a wheel as py3langid has it.
    if unpacked.is_file():
        return unpacked.open("rb")
    return cast(IO[bytes], gzip.open(gzipped)) if gzipped.is_file() else lzma.open(packed_model())


def packed_model() -> Path:
    """Return py3langid's model file. Raises FileNotFoundError if it is missing."""
    found = find_spec("py3langid")  # not imported: that would import NumPy
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("py3langid")
    return Path(found.submodule_search_locations[0], "data", "model.npz.xz")


def _numbers_in(file: IO[bytes], size_bytes: int, code: str) -> Numbers:
    """Return the numbers that come next in the file, which is behind them then."""
    if (mapped := _mapped(file, size_bytes)) is not None:
        return mapped.cast(code)  # type: ignore[call-overload, no-any-return]
    numbers: array[int] = array(code)
    for block in _read_blocks(file, size_bytes):
        numbers.frombytes(block)
    return numbers


def _mapped(file: IO[bytes], size_bytes: int) -> memoryview | None:
    """Map what comes next in an unpacked file, which is behind it then; None for a packed one."""
    if not isinstance(file, BufferedReader):
        return None
    place = file.tell()
    before = place % mmap.ALLOCATIONGRANULARITY
    pages = mmap.mmap(file.fileno(), before + size_bytes, access=mmap.ACCESS_READ, offset=place - before)
    file.seek(size_bytes, os.SEEK_CUR)
    return memoryview(pages)[before:]


def _read_blocks(file: IO[bytes], size_bytes: int) -> Iterator[bytes]:
    while size_bytes and (block := file.read(min(size_bytes, _READ_BYTES))):
        yield block
        size_bytes -= len(block)
