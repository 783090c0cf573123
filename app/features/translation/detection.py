"""Which language a text is in: its script says it, or a statistical model that is held while it is needed."""

from __future__ import annotations

import logging
import re
import threading
import weakref
from collections.abc import Sequence

from app.documents.language import LEAST_LETTERS, language_by_script
from app.documents.language_model import LanguageModel
from app.features.translation.languages import LANGUAGES, are_alike, base

log = logging.getLogger(__name__)

LEAST_TYPED_LETTERS = 8
"""Of a typed text; with fewer the model guesses."""
LEAST_LETTERS_OF_TWO = 15
"""Where it is one of two languages."""
LEAST_CERTAINTY = 0.5
CLEARLY = 0.9
MOST_CHARACTERS = 2_000
_LETTER = re.compile(r"[^\W\d_]")
_TRADITIONAL = frozenset(
    "這個們來說時國會對學為與後經實點過還從開關問題應當書見話請讓誰給線萬體將樣電機無處變發讀寫聽買賣"
)
_SIMPLIFIED = frozenset(
    "这个们来说时国会对学为与后经实点过还从开关问题应当书见话请让谁给线万体将样电机无处变发读写听买卖"
)
_BASES = frozenset(base(one.code) for one in LANGUAGES) | {"no", "nn"}


class Detector:
    """Finds languages; the model is loaded when the first text needs it. From any thread."""

    _shared: weakref.ref[Detector] | None = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        self._model: LanguageModel | None = None
        self._is_missing = False
        self._loading = threading.Lock()

    @classmethod
    def shared(cls) -> Detector:
        """The one that somebody holds now, or a new one: its memory goes with the last who holds it."""
        with cls._lock:
            found = cls._shared() if cls._shared is not None else None
            if found is None:
                found = cls()
                cls._shared = weakref.ref(found)
            return found

    def find(self, text: str, among: Sequence[str]) -> str:
        """Which of `among` a text is in; "" where it is in none of them or cannot be told."""
        sample = text[:MOST_CHARACTERS]
        letters = len(_LETTER.findall(sample))
        found = language_by_script(sample, letters) if letters else ""
        if not found and letters >= LEAST_TYPED_LETTERS:
            found, certainty = self._most_likely(sample, {base(code) for code in among})
            found = found if certainty >= LEAST_CERTAINTY else ""
        return _variant(sample, found, among) if found else ""

    def clearly(self, text: str) -> str:
        """The language (without region) of a text of some length, of all that are known; "" where it is not clear."""
        sample = text[:MOST_CHARACTERS]
        letters = len(_LETTER.findall(sample))
        if found := language_by_script(sample, letters):
            return base(found)
        if letters < LEAST_LETTERS:
            return ""
        found, certainty = self._most_likely(sample, _BASES)
        return found if certainty >= CLEARLY else ""

    def is_rather(self, text: str, one: str, other: str) -> bool:
        """Whether a text is in one language rather than in another, which it should be in.

        Of messages of programs in ten languages, 0.1 % of 15 to 25 letters are taken for English, and fewer of longer
        ones; of English ones 75 % are found with 15 to 25 letters, 95 % with 25 to 40, and 99 % of longer ones.
        """
        sample = text[:MOST_CHARACTERS]
        if not one or are_alike(one, other) or len(_LETTER.findall(sample)) < LEAST_LETTERS_OF_TWO:
            return False
        found, certainty = self._most_likely(sample, {base(one), base(other)})
        return found == base(one) and certainty >= CLEARLY

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
        code, certainty = self._model.most_likely(text, among | ({"no", "nn"} if "nb" in among else set()))
        return base(code), certainty


def _variant(text: str, found: str, among: Sequence[str]) -> str:
    """The code of `among` for a language: by its characters for Chinese, else the first."""
    fitting = [code for code in among if base(code) == base(found)]
    if base(found) == "zh" and len(fitting) > 1:
        older = sum(character in _TRADITIONAL for character in text)
        newer = sum(character in _SIMPLIFIED for character in text)
        wanted = "zh-Hant" if older > newer else "zh"
        return wanted if wanted in fitting else fitting[0]
    plain = [code for code in fitting if code == base(found)]
    return next(iter([*plain, *fitting]), "")
