"""Scripts: which characters are theirs, which languages are written in them, and which way a text runs.

Characters are told as the inside of a regular expression's brackets.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
KANA = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d"
HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
LATIN = "A-Za-z\u00c0-\u024f\u1e00-\u1eff\ua720-\ua7ff"
_GREEK = "\u0370-\u03ff\u1f00-\u1fff"
_CYRILLIC = "\u0400-\u052f"
_ARABIC = "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc"
_HEBREW = "\u0590-\u05ff"
_DEVANAGARI = "\u0900-\u097f"
_THAI = "\u0e00-\u0e7f"
OF_ONE_LANGUAGE = {
    "ko": HANGUL, "th": _THAI, "lo": "\u0e80-\u0eff", "my": "\u1000-\u109f", "ka": "\u10a0-\u10ff",
    "km": "\u1780-\u17ff", "hy": "\u0530-\u058f", "el": _GREEK, "he": _HEBREW, "ta": "\u0b80-\u0bff",
    "te": "\u0c00-\u0c7f", "kn": "\u0c80-\u0cff", "ml": "\u0d00-\u0d7f", "gu": "\u0a80-\u0aff", "pa": "\u0a00-\u0a7f",
    "or": "\u0b00-\u0b7f", "si": "\u0d80-\u0dff", "bo": "\u0f00-\u0fff",
}  # fmt: skip
"""Scripts that one language (nearly) has for itself."""
_OF_SEVERAL = {
    **dict.fromkeys(("ar", "fa", "ug", "ur"), _ARABIC),
    **dict.fromkeys(("be", "bg", "kk", "mk", "ru", "uk"), _CYRILLIC),
    **dict.fromkeys(("hi", "mr", "ne"), _DEVANAGARI),
    **dict.fromkeys(("zh", "yue"), HAN),
    "bn": "\u0980-\u09ff", "mn": _CYRILLIC + "\u1800-\u18af", "sr": _CYRILLIC + LATIN, "ja": HAN + KANA,
    "ko": HANGUL + HAN,
}  # fmt: skip
_ALIKE = {
    "latin": LATIN, "greek": _GREEK, "cyrillic": _CYRILLIC, "hebrew": _HEBREW, "arabic": _ARABIC,
    "indic": "\u0900-\u0dff", "thai": _THAI, "east asian": KANA + HAN, "hangul": HANGUL,
}  # fmt: skip
"""Scripts, those together in which the same words may be written."""
WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
"""A run of scripts that put no space between words."""
INFLECTED_INSIDE = "\u0590-\u06ff\u0900-\u0dff"
"""Of scripts whose languages change words in the middle or at their beginning."""
LETTER_OR_DIGIT_WITH_CASE = r"[^\W_\u0590-\u1cff\u2e80-\ud7ff\uf900-\ufdff]"
"""Of scripts that have capitals, or a digit."""
RUNS_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
"""Of scripts that run from right to left."""


def script_of(code: str) -> str:
    from app.language.names import base  # a window asks for a text's direction only

    known = base(code)
    return _OF_SEVERAL.get(known) or OF_ONE_LANGUAGE.get(known, LATIN)


def count(script: str, text: str) -> int:
    """How many characters of a script a text has."""
    return len(re.findall(f"[{script}]", text))


@lru_cache(maxsize=4096)
def script_in(text: str) -> str:
    """The name of the script that most letters of a text are in; "latin" where none is known."""
    letters = "".join(filter(str.isalpha, text))
    counts = {name: count(script, letters) for name, script in _ALIKE.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else "latin"


def is_right_to_left(text: str) -> bool:
    """As the first letter says that has a direction (Unicode Bidirectional Algorithm, rule P2)."""
    kinds = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"
