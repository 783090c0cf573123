"""Languages by their codes: what they are called, which way they run, how people are addressed, what is alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.paths import resource


@dataclass(frozen=True)
class Language:
    """`code` as BCP 47 has it, `english` its English name, `own` what its speakers call it."""

    code: str
    english: str
    own: str
    is_rtl: bool = False


_RTL = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"))
"""Written from right to left, as far as the code alone tells."""
EAST_ASIAN = frozenset(("ja", "ko", "yue", "zh"))
LANGUAGES = tuple(
    Language(code, english, own, code in _RTL)
    for code, english, own in json.loads(resource("languages.json").read_text("utf-8"))
)
"""Those that texts are translated between, in the order of their codes."""
_ALSO_NAMED = {
    "eo": "Esperanto", "la": "Latin", "lo": "Lao", "mt": "Maltese", "nn": "Norwegian Nynorsk", "no": "Norwegian",
    "or": "Odia", "si": "Sinhala",
}  # fmt: skip
"""Codes that a document may have, too."""

_BY_CODE = {one.code.casefold(): one for one in LANGUAGES}
_OTHER_CODES = {
    "no": "nb", "nn": "nb", "fil": "tl", "iw": "he", "in": "id", "zh-tw": "zh-Hant", "zh-hk": "zh-Hant",
    "zh-mo": "zh-Hant", "zh-cn": "zh", "zh-sg": "zh", "zh-hans": "zh", "cmn": "zh", "zh-hant-tw": "zh-Hant",
}  # fmt: skip
_FORMAL = frozenset(
    ("bg", "bn", "bs", "ca", "cs", "de", "el", "es", "fa", "fi", "fr", "gu", "hi", "hr", "hu", "hy", "id", "it", "ja",
     "ka", "kk", "ko", "lt", "lv", "mk", "mn", "mr", "ne", "nl", "pa", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr",
     "ta", "te", "tl", "tr", "ug", "uk", "ur", "uz", "zh")
)  # fmt: skip
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


def language(code: str) -> Language | None:
    """The language of a code, whatever its spelling ("pt_BR", "zh-TW"); that of the code's first part where the whole
    is not known; None for an unknown one."""
    wanted = code.strip().replace("_", "-").casefold()
    wanted = _OTHER_CODES.get(wanted, wanted).casefold()
    first = wanted.partition("-")[0]
    return _BY_CODE.get(wanted) or _BY_CODE.get(_OTHER_CODES.get(first, first).casefold())


def base(code: str) -> str:
    """The language without region and script: "pt" for "pt-BR"; "" for none."""
    found = language(code)
    return (found.code if found else code.replace("_", "-").casefold()).partition("-")[0]


def is_rtl(code: str) -> bool:
    """Whether a language is written from right to left, in the script that its code names or in its usual one."""
    plain = code.strip().replace("_", "-").casefold()
    return plain.partition("-")[0] in _RTL or "-arab" in plain or "-hebr" in plain


def is_east_asian(code: str) -> bool:
    """Whether it is written in the signs for which office programs have a font and a language of their own."""
    return code.partition("-")[0].casefold() in EAST_ASIAN


def is_same(one: str, other: str) -> bool:
    """Whether a text in one of them needs no translation into the other. The two Chinese scripts are two."""
    first, second = base(one), base(other)
    return first == second and (first != "zh" or one == other)


def other_than(source: str, wanted: Sequence[str], among: Sequence[str]) -> str:
    """The first of the wanted languages that is not the source's, else one of `among` that many read."""
    others = (code for code in ("en", "es", *among) if not among or code in among)
    return next((code for code in (*wanted, *others) if code and not is_same(code, source)), "en")


def has_formality(code: str) -> bool:
    """Whether people are addressed in one way or another in this language (du, Sie)."""
    return base(code) in _FORMAL


def english_name(code: str) -> str:
    """As it is called in prompts; an unknown code stands for itself."""
    found = language(code)
    return _ALSO_NAMED.get(code) or (found.english if found else code)


def has_word_spaces(code: str) -> bool:
    """Whether a length in this language can be told in words."""
    return base(code) not in WITHOUT_WORD_SPACES


def are_alike(one: str, other: str) -> bool:
    """Whether two languages, or variants of one, are easily taken for each other."""
    first, second = base(one), base(other)
    return first == second or any(first in group and second in group for group in _ALIKE)


def own_name(code: str) -> str:
    """What its speakers call it, as lists show it; an unknown code stands for itself, "" for ""."""
    found = language(code) if code else None
    return found.own if found is not None else code
