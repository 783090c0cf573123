"""Which language a text is in: its script says it, a statistical model of letter sequences, or its small words do.

The model is right more often and takes half a second and memory; small words tell ten languages at once.
"""

from __future__ import annotations

import logging
import re
import threading
import weakref
from collections.abc import Sequence
from functools import lru_cache

from app.language.language_model import LanguageModel, most_likely
from app.language.names import LANGUAGES, are_alike, base
from app.language.scripts import HAN, KANA, OF_ONE_LANGUAGE, count, script_in
from app.language.words import words

log = logging.getLogger(__name__)

LEAST_LETTERS = 40
"""For the model: it is right for 95 of 100 texts of this length, for 86 of 100 with 15 letters."""
LEAST_TYPED_LETTERS = 8
"""Of a typed text; with fewer the model guesses."""
LEAST_LETTERS_OF_TWO = 15
"""Where it is one of two languages."""
LEAST_OF_A_SCRIPT = 6
LEAST_CERTAINTY = 0.5
CLEARLY = 0.9
KANA_SHARE = 0.05
"""Japanese has Chinese characters too, and with them always kana; a Chinese text cites a little of it."""
MOST_CHARACTERS = 2_000
SCRIPT_CHARACTERS = 200
"""Of a text, so many are looked at."""
LEAST_SMALL_WORDS = 3
"""So many tell a language."""
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
"""What tells a language that is written in Latin letters, by its code."""
_SMALL_WORDS = {code: frozenset(row.split()) for code, row in SMALL_WORDS.items()}
_LETTER = re.compile(r"[^\W\d_]")
_TRADITIONAL = frozenset(
    "這個們來說時國會對學為與後經實點過還從開關問題應當書見話請讓誰給線萬體將樣電機無處變發讀寫聽買賣"
)
_SIMPLIFIED = frozenset(
    "这个们来说时国会对学为与后经实点过还从开关问题应当书见话请让谁给线万体将样电机无处变发读写听买卖"
)
_BASES = frozenset(base(one.code) for one in LANGUAGES) | {"no", "nn"}


def language_of(text: str) -> str:
    """The ISO 639-1 code of a text's language, "" where it cannot be told. Takes a second where a model is needed."""
    letters = len(_LETTER.findall(text))
    if letters >= LEAST_OF_A_SCRIPT and (found := language_by_script(text, letters)):
        return found
    code, certainty = most_likely(text) if letters >= LEAST_LETTERS else ("", 0.0)
    return code if certainty >= LEAST_CERTAINTY else ""


def language_by_script(text: str, letters: int) -> str:
    """The code where its script says it; `letters` is how many the text has."""
    kana, han = count(KANA, text), count(HAN, text)
    if (kana + han) * 2 > letters:
        return "ja" if kana > KANA_SHARE * (kana + han) else "zh"
    for code, script in OF_ONE_LANGUAGE.items():
        if count(script, text) * 2 > letters:
            return code
    return ""


@lru_cache(maxsize=1024)
def language_by_words(text: str) -> str:
    """A code, or the name of a script where it is not Latin; "" where too little tells it."""
    script = script_in(text[:SCRIPT_CHARACTERS])
    if script != "latin":
        return script
    here = words(text[:MOST_CHARACTERS])
    counts = sorted(((len(here & known), code) for code, known in _SMALL_WORDS.items()), reverse=True)
    (most, code), (second, _) = counts[0], counts[1]
    return code if most >= LEAST_SMALL_WORDS and most > second else ""


def differ(one: str, other: str) -> bool:
    """Whether both languages are known and not the same, or the letters are others: words cannot be compared."""
    ours, theirs = language_by_words(one), language_by_words(other)
    return bool(ours and theirs and ours != theirs) or scripts_differ(one, other)


def scripts_differ(one: str, other: str) -> bool:
    """Whether they are written in other letters; nothing is said of what has none."""
    both = (one[:SCRIPT_CHARACTERS], other[:SCRIPT_CHARACTERS])
    return all(any(map(str.isalpha, text)) for text in both) and script_in(both[0]) != script_in(both[1])


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
