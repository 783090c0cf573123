"""Detect a text's language by script, by a statistical model of letter sequences, or by function words.

The model is more accurate but takes 0.5 s and memory; function words tell ten languages at once.
"""

from __future__ import annotations

import logging
import re
import threading
import weakref
from collections.abc import Sequence

from app.language.byte_model import LanguageModel, most_likely
from app.language.language_names import LANGUAGES, are_alike, base_code
from app.language.scripts import HAN, KANA, OF_ONE_LANGUAGE, count_script, script_in
from app.language.text_cache import text_cache
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


@text_cache(1024)
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
