"""Whether a translation is in its language: by script and statistics, not its source, and without leftovers of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.language.detection import LEAST_LETTERS, Detector
from app.language.names import are_alike, base
from app.language.scripts import HAN, KANA, LATIN, count, script_of

LEAST_SCRIPT_SHARE = 0.3
"""Of the letters of a translation, so many are in the script of its language; the others may be names."""
LEAST_LETTERS_BY_SCRIPT = 12
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_LETTER = re.compile(r"[^\W\d_]")
_ORDINARY_RUN = re.compile(r"(?<![\w\-])[a-z]{2,}(?: [a-z]{2,}){2,}(?![\w\-])")
"""Three words or more in small Latin letters, with nothing but spaces between."""
_CODE = re.compile(r"[\w\-]*(?:[A-Z0-9_]|(?<=\w)-(?=\w))[\w\-]*", re.ASCII)
"""A name, an abbreviation or an identifier, which may stand in any language."""


def is_other_language(text: str, source: str, target: str, detector: Detector) -> bool:
    """Whether a text of some length is clearly not in the target language."""
    if script_of(target) != LATIN:
        text = _CODE.sub(" ", text)
    letters = len(_LETTER.findall(text))
    if letters < LEAST_LETTERS_BY_SCRIPT:
        return False
    share = count(script_of(target), text) / letters
    if share < LEAST_SCRIPT_SHARE:
        return True
    if base(target) == "ja" and letters >= LEAST_LETTERS:
        return not count(KANA, text)
    if script_of(target) == script_of(source) and detector.is_rather(text, source, target):
        return True
    found = detector.clearly(text)
    return bool(found) and not are_alike(found, target)


def is_same(source: str, target: str, source_code: str, target_code: str) -> bool:
    """Whether a translation is its source, though it has words that are no names."""
    if _level(source) != _level(target) or base(source_code) == base(target_code) != "":
        return False
    words = _WORD.findall(source)
    telling = [word for word in words if not _may_be_a_name(word)]
    if source_code and script_of(source_code) != script_of(target_code):
        return bool(telling)
    return len(telling) >= 2 and len(words) >= 3


def leftover(source: str, target: str, source_code: str, target_code: str, names: Iterable[str] = ()) -> str:
    """Words of the source's script that were left in the translation; "" for none, and where both have one script.

    A few words in Latin letters are usual in any language: they count where three ordinary ones of the source follow
    each other. `names` may stand there.
    """
    ours, theirs = script_of(source_code), script_of(target_code)
    if not source_code or ours == theirs:
        return ""
    text = target
    for name in names:
        text = text.replace(name, " ")
    if ours == LATIN:
        return _leftover_words(source, text)
    foreign = f"(?![{theirs}])[{ours}]"
    for match in re.finditer(rf"(?:{foreign})(?:(?:{foreign})|\ (?={foreign}))+", text):
        if match[0] in source:
            return match[0].strip()
    return ""


def _leftover_words(source: str, text: str) -> str:
    for match in _ORDINARY_RUN.finditer(text):
        if set(match[0].split()) <= set(_WORD.findall(source)):
            return match[0]
    return ""


def _may_be_a_name(word: str) -> bool:
    return not word[0].islower() and not re.match(rf"[{HAN}{KANA}\uac00-\ud7af]", word)


def _level(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))
