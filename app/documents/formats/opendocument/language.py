"""The locales that the styles of an OpenDocument name, and how they name another one.

A document has three languages at a time: for western, Asian and complex scripts. Source: OpenDocument 1.3 part 3,
20.202 (fo:language), 20.299 (style:language-asian), 20.300 (style:language-complex).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from app.documents.formats.opendocument.properties import Properties, StyleTags

_ASIAN = frozenset(("zh", "ja", "ko", "yue"))
_COMPLEX = frozenset(
    ("am", "ar", "as", "bn", "bo", "ckb", "dv", "dz", "fa", "gu", "he", "hi", "km", "kn", "ks", "lo", "ml", "mr")
    + ("my", "ne", "or", "pa", "ps", "sa", "sd", "si", "syr", "ta", "te", "th", "ti", "ug", "ur", "yi")
)
_REGIONS = {
    "af": "ZA", "am": "ET", "ar": "EG", "bg": "BG", "bn": "BD", "ca": "ES", "cs": "CZ", "da": "DK", "de": "DE",
    "el": "GR", "en": "US", "es": "ES", "et": "EE", "eu": "ES", "fa": "IR", "fi": "FI", "fr": "FR", "ga": "IE",
    "gl": "ES", "gu": "IN", "he": "IL", "hi": "IN", "hr": "HR", "hu": "HU", "hy": "AM", "id": "ID", "is": "IS",
    "it": "IT", "ja": "JP", "ka": "GE", "kk": "KZ", "km": "KH", "kn": "IN", "ko": "KR", "lo": "LA", "lt": "LT",
    "lv": "LV", "mk": "MK", "ml": "IN", "mn": "MN", "mr": "IN", "ms": "MY", "my": "MM", "nb": "NO", "ne": "NP",
    "nl": "NL", "nn": "NO", "no": "NO", "pa": "IN", "pl": "PL", "ps": "AF", "pt": "PT", "ro": "RO", "ru": "RU",
    "si": "LK", "sk": "SK", "sl": "SI", "sq": "AL", "sr": "RS", "sv": "SE", "sw": "KE", "ta": "IN", "te": "IN",
    "th": "TH", "tr": "TR", "uk": "UA", "ur": "PK", "uz": "UZ", "vi": "VN", "zh": "CN",
}  # fmt: skip
"""Where a language is at home, for programs that want to be told; "none" is what they write where they are not."""
_LOOKS = ("font-weight", "font-style", "font-size")
_PARTS = re.compile(r"([A-Za-z]{2,8})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?")


class Locale(NamedTuple):
    """A language as styles name it; `keys` are the attributes for language, country, script and the whole tag."""

    language: str
    country: str
    script: str
    keys: tuple[str, str, str, str]

    @property
    def is_other(self) -> bool:
        """Whether it is written in scripts that styles have properties of their own for."""
        return self.keys[0].startswith("style:")

    @property
    def said(self) -> dict[str, str]:
        """The attributes that are always there."""
        return {self.keys[0]: self.language, self.keys[1]: self.country}


def locale_of(tag: str) -> Locale:
    """The locale of a BCP 47 tag."""
    found = _PARTS.match(tag)
    language, script, country = (found[1].lower(), found[2] or "", found[3] or "") if found else (tag, "", "")
    if not country:
        country = "TW" if script.lower() == "hant" else _REGIONS.get(language, "none")
    kind = "-asian" if language in _ASIAN else "-complex" if language in _COMPLEX else ""
    space = "style" if kind else "fo"
    names = ("language", "country", "script")
    return Locale(
        language,
        country.upper() if country != "none" else country,
        "" if language == "zh" else script.title(),
        (*(f"{space}:{name}{kind}" for name in names), f"style:rfc-language-tag{kind}"),  # type: ignore[arg-type]
    )


def default_language(tags: StyleTags, locale: Locale) -> str:
    """The language that a part has for scripts of this kind, "" where it names none."""
    named = (
        each.said[locale.keys[0]].value for each in tags.properties if each.is_default and locale.keys[0] in each.said
    )
    return next(named, "")


def look_of(each: Properties, locale: Locale) -> dict[str, str]:
    """What makes text of these scripts look as western text does, where the properties do not say how it looks."""
    kind = locale.keys[0].removeprefix("style:language")
    wanted = {f"style:{name}{kind}": each.said[f"fo:{name}"].value for name in _LOOKS if f"fo:{name}" in each.said}
    return {key: value for key, value in wanted.items() if key not in each.said} if locale.is_other else {}


def language_of(each: Properties, locale: Locale, before: str) -> dict[str, str]:
    """The attributes to set in properties of text, where the default language was `before`."""
    said = each.said.get(locale.keys[0])
    if not each.is_default and (said is None or said.value in ("none", "zxx") or said.value != before):
        return {}
    whole = {locale.keys[3]: "-".join(filter(None, (locale.language, locale.script, locale.country)))}
    written = {locale.keys[2]: locale.script} if locale.script or locale.keys[2] in each.said else {}
    return locale.said | written | (whole if locale.keys[3] in each.said else {})
