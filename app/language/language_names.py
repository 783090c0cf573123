"""Languages by their codes: their names, the scripts they are written in, and which way a text runs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from app.core.catalogue import Translatable
from app.core.lazy_dataclasses import dataclass
from app.core.paths import resource_path

WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
"""A run of scripts that put no space between words."""
INFLECTED_INSIDE = "\u0590-\u06ff\u0900-\u0dff"
"""Of scripts whose languages change words in the middle or at their beginning."""
LETTER_OR_DIGIT_WITH_CASE = r"[^\W_\u0590-\u1cff\u2e80-\ud7ff\uf900-\ufdff]"
"""Of scripts that have capitals, or a digit."""
RUNS_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
"""Of scripts that run from right to left."""


@dataclass(frozen=True)
class Language:
    """`code` as BCP 47 has it, `english` its English name, `own` what its speakers call it."""

    code: str
    english: Translatable
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


def english_name(code: str) -> Translatable:
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
