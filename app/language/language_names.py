"""Languages by their codes: their names, the scripts they are written in, and which way a text runs."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.core.paths import resource_path

# Scripts: which characters are theirs, which languages are written in them, and which way a text runs.
#
# Characters are told as the inside of a regular expression's brackets.


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
WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
"""A run of scripts that put no space between words."""
INFLECTED_INSIDE = "\u0590-\u06ff\u0900-\u0dff"
"""Of scripts whose languages change words in the middle or at their beginning."""
LETTER_OR_DIGIT_WITH_CASE = r"[^\W_\u0590-\u1cff\u2e80-\ud7ff\uf900-\ufdff]"
"""Of scripts that have capitals, or a digit."""
RUNS_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
"""Of scripts that run from right to left."""


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


@lru_cache(maxsize=4096)
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


@dataclass(frozen=True)
class Language:
    """`code` as BCP 47 has it, `english` its English name, `own` what its speakers call it."""

    code: str
    english: str
    own: str
    is_rtl: bool = False


_RTL = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"))
"""Languages written from right to left, as far as the code alone tells."""
EAST_ASIAN = frozenset(("ja", "ko", "yue", "zh"))
LANGUAGES = tuple(
    Language(code, english, own, code in _RTL)
    for code, english, own in json.loads(resource_path("languages.json").read_text("utf-8"))
)
"""Those that texts are translated between, in the order of their codes."""
_ALSO_NAMED = {
    "eo": "Esperanto", "la": "Latin", "lo": "Lao", "mt": "Maltese", "nn": "Norwegian Nynorsk", "no": "Norwegian",
    "or": "Odia", "si": "Sinhala",
}  # fmt: skip
"""Codes that a document may have, too."""

_BY_CODE = {language.code.casefold(): language for language in LANGUAGES}
# Old codes, regions that tell the script, and the codes of other lists, by what is meant.
_OTHER_CODES = {
    "no": "nb", "nn": "nb", "fil": "tl", "iw": "he", "in": "id", "zh-tw": "zh-Hant", "zh-hk": "zh-Hant",
    "zh-mo": "zh-Hant", "zh-cn": "zh", "zh-sg": "zh", "zh-hans": "zh", "cmn": "zh", "zh-hant-tw": "zh-Hant",
}  # fmt: skip
_FORMAL = frozenset(
    ("bg", "bn", "bs", "ca", "cs", "de", "el", "es", "fa", "fi", "fr", "gu", "hi", "hr", "hu", "hy", "id", "it", "ja",
     "ka", "kk", "ko", "lt", "lv", "mk", "mn", "mr", "ne", "nl", "pa", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr",
     "ta", "te", "tl", "tr", "ug", "uk", "ur", "uz", "zh")
)  # fmt: skip
# By language and not by script, as a length in words has to be asked for before there is a text.
WITHOUT_WORD_SPACES = frozenset(("bo", "ja", "km", "lo", "my", "th", "yue", "zh"))
"""Their words have no spaces between them."""
MANY_TOKENS = frozenset(
    ("bn", "bo", "gu", "hy", "ka", "km", "kn", "ml", "mr", "my", "ne", "pa", "ta", "te", "th", "ug", "ur")
)
"""Models' vocabularies have few words of these, so that a text takes more tokens."""
_ALIKE = tuple(
    frozenset(group.split())
    for group in ("bs hr sr sl", "id ms", "hi ne mr", "nb da sv", "gl pt es", "cs sk", "bg mk", "zh yue", "af nl")
)


def find_language(code: str) -> Language | None:
    """Return a code's language in any spelling ("pt_BR", "zh-TW"), else that of the code's first part;

    None if unknown.
    """
    wanted = code.strip().replace("_", "-").casefold()
    # Once for the whole code, so that zh-TW is told from zh, and then for its first part.
    wanted = _OTHER_CODES.get(wanted, wanted).casefold()
    first = wanted.partition("-")[0]
    return _BY_CODE.get(wanted) or _BY_CODE.get(_OTHER_CODES.get(first, first).casefold())


def base_code(code: str) -> str:
    """Return the code without region and script: "pt" for "pt-BR"; "" for none."""
    found = find_language(code)
    return (found.code if found else code.replace("_", "-").casefold()).partition("-")[0]


def is_rtl(code: str) -> bool:
    """Return whether a language is written from right to left, in the script its code names or its usual one."""
    plain = code.strip().replace("_", "-").casefold()
    # A script in the code counts before the language's usual one.
    return plain.partition("-")[0] in _RTL or "-arab" in plain or "-hebr" in plain


def is_east_asian(code: str) -> bool:
    """Return whether it uses a script for which office programs have separate font and language settings."""
    return code.partition("-")[0].casefold() in EAST_ASIAN


def is_same(one: str, other: str) -> bool:
    """Return whether texts need no translation between the two. The two Chinese scripts count as different."""
    first, second = base_code(one), base_code(other)
    # Simplified and traditional are two languages to a reader.
    return first == second and (first != "zh" or one == other)


def other_than(source: str, wanted: Sequence[str], among: Sequence[str]) -> str:
    """Return the first wanted language that isn't the source's, else a widely read one in `among`."""
    others = (code for code in ("en", "es", *among) if not among or code in among)
    return next((code for code in (*wanted, *others) if code and not is_same(code, source)), "en")


def has_formality(code: str) -> bool:
    """Return whether a language has formal and informal address (du, Sie)."""
    return base_code(code) in _FORMAL


def english_name(code: str) -> str:
    """Return the language's name for prompts; an unknown code is returned as it is."""
    # Some that can't be translated into can still be the language of a document.
    found = find_language(code)
    return _ALSO_NAMED.get(code) or (found.english if found else code)


def has_word_spaces(code: str) -> bool:
    """Return whether lengths in this language can be given in words."""
    return base_code(code) not in WITHOUT_WORD_SPACES


def are_alike(one: str, other: str) -> bool:
    """Return whether two languages, or variants of one, are easily confused."""
    first, second = base_code(one), base_code(other)
    return first == second or any(first in group and second in group for group in _ALIKE)


def own_name(code: str) -> str:
    """Return the language's own name, for lists; an unknown code is returned as it is, "" for ""."""
    found = find_language(code) if code else None
    return found.own if found is not None else code
