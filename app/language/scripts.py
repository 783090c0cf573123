"""Scripts: which characters are theirs, which languages are written in them, and which way a text runs.

Characters are told as the inside of a regular expression's brackets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from app.language.language_names import base_code
from app.language.text_cache import text_cache

# Blocks of Unicode, as far as letters of living languages go.
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
KANA = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d"
HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
LATIN = "A-Za-z\u00c0-\u024f\u1e00-\u1eff\ua720-\ua7ff"
_GREEK = "\u0370-\u03ff\u1f00-\u1fff"
_CYRILLIC = "\u0400-\u052f"
_ARABIC = "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc"
_HEBREW = "\u0590-\u05ff"
# One script, several languages: which of them is only told by words.
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
_SCRIPTS = {
    "latin": LATIN, "greek": _GREEK, "cyrillic": _CYRILLIC, "hebrew": _HEBREW, "arabic": _ARABIC,
    "indic": "\u0900-\u0dff", "thai": _THAI, "east asian": KANA + HAN, "hangul": HANGUL,
}  # fmt: skip
"""Scripts, those together in which the same words may be written."""


def script_of(code: str) -> str:
    known = base_code(code)
    return _OF_SEVERAL.get(known) or OF_ONE_LANGUAGE.get(known, LATIN)


def count_script(script: str, text: str) -> int:
    """Count the characters of a text that belong to a script."""
    return len(re.findall(f"[{script}]", text))


_OTHER_LETTERS = re.compile(rf"[^\W\d_{LATIN}]+")
_PAGE_BITS = 7


def find_foreign_letters(text: str, known: Sequence[str]) -> re.Match[str] | None:
    """Find the first letters of a script used neither by most of `text` nor by any of the `known` texts.

    A single letter of an alphabet is a symbol, such as μ.
    """
    for match in _OTHER_LETTERS.finditer(text):
        name = script_in(match[0])
        # One Greek letter in an English text is a formula.
        if len(match[0]) == 1 and name not in ("east asian", "hangul"):
            continue
        # Of scripts without a name here, the stretch of 128 characters that its first letter stands in.
        first = ord(match[0][0]) >> _PAGE_BITS << _PAGE_BITS
        script = _SCRIPTS[name] if name != "latin" else f"{chr(first)}-{chr(first + (1 << _PAGE_BITS) - 1)}"
        letters = re.compile(f"[{script}]")
        # A text that is mostly in that script has no foreign letters of it.
        is_main = len(letters.findall(text)) * 2 > sum(map(str.isalpha, text))
        if not is_main and not any(map(letters.search, known)):
            return match
    return None


@text_cache(4096)
def script_in(text: str) -> str:
    """Return the name of the script of most letters; "latin" if unknown."""
    # Digits and signs are in texts of all scripts.
    letters = "".join(filter(str.isalpha, text))
    counts = {name: count_script(script, letters) for name, script in _SCRIPTS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else "latin"


def is_right_to_left(text: str) -> bool:
    """Return whether the first letter with a direction is right-to-left (Unicode Bidirectional Algorithm, rule P2)."""
    # Figures and signs have no strong direction (rule P2 looks for the first that has).
    kinds = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"
