"""Language and direction in the styles of an OpenDocument, read and set.

A document has three languages at a time: for western, Asian and complex scripts. Source: OpenDocument 1.3 part 3,
20.202 (fo:language), 20.299 (style:language-asian), 20.300 (style:language-complex).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from app.core.lazy_dataclasses import dataclass
from app.documents.formats.markup.markup_tags import AttributeValue
from app.documents.formats.markup.tagged_text import TextEdit
from app.documents.source import TargetLanguage

# Languages for which LibreOffice reads the attributes with "-asian" or "-complex" instead of the plain ones.
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
"""Default region of a language, for programs that require one; "none" if they have none."""
_FONT_LOOKS = ("font-weight", "font-style", "font-size")
_PARTS = re.compile(r"([A-Za-z]{2,8})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?")


class StyleLocale(NamedTuple):
    """A language as styles name it; `keys` are the attributes for language, country, script and the whole tag."""

    language: str
    country: str
    script: str
    keys: tuple[str, str, str, str]

    @property
    def is_other(self) -> bool:
        """True if it is written in scripts that styles have properties of their own for."""
        return self.keys[0].startswith("style:")

    @property
    def said(self) -> dict[str, str]:
        """The two attributes that every style needs: a language without a country is ignored by programs."""
        return {self.keys[0]: self.language, self.keys[1]: self.country}


def locale_of(tag: str) -> StyleLocale:
    found = _PARTS.match(tag)
    language, script, country = (found[1].lower(), found[2] or "", found[3] or "") if found else (tag, "", "")
    if not country:
        country = "TW" if script.lower() == "hant" else _REGIONS.get(language, "none")
    kind = "-asian" if language in _ASIAN else "-complex" if language in _COMPLEX else ""
    space = "style" if kind else "fo"
    names = ("language", "country", "script")
    return StyleLocale(
        language,
        country.upper() if country != "none" else country,
        "" if language == "zh" else script.title(),
        (*(f"{space}:{name}{kind}" for name in names), f"style:rfc-language-tag{kind}"),  # type: ignore[arg-type]
    )


def default_language(tags: StyleTags, locale: StyleLocale) -> str:
    """Return a part's default language for this kind of script; "" if unnamed."""
    named = (
        properties.said[locale.keys[0]].value
        for properties in tags.properties
        if properties.is_default and locale.keys[0] in properties.said
    )
    return next(named, "")


def _look_of(each: _StyleProperties, locale: StyleLocale) -> dict[str, str]:
    """Return what makes text of these scripts look as western text does, where the properties do not say how it
    looks.
    """
    kind = locale.keys[0].removeprefix("style:language")
    wanted = {f"style:{name}{kind}": each.said[f"fo:{name}"].value for name in _FONT_LOOKS if f"fo:{name}" in each.said}
    return {key: value for key, value in wanted.items() if key not in each.said} if locale.is_other else {}


def _language_of(each: _StyleProperties, locale: StyleLocale, before: str) -> dict[str, str]:
    """Return the attributes to set in properties of text, where the default language was `before`."""
    said = each.said.get(locale.keys[0])
    # Only styles that spoke of the old language change: a quotation in a third one keeps its own.
    if not each.is_default and (said is None or said.value in ("none", "zxx") or said.value != before):
        return {}
    whole = {locale.keys[3]: "-".join(filter(None, (locale.language, locale.script, locale.country)))}
    written = {locale.keys[2]: locale.script} if locale.script or locale.keys[2] in each.said else {}
    return locale.said | written | (whole if locale.keys[3] in each.said else {})


_MODE, _ALIGN = "style:writing-mode", "fo:text-align"
_TO_RIGHT, _TO_LEFT = ("lr-tb", "lr"), ("rl-tb", "rl")
_DEFAULT_FAMILIES = ("paragraph", "graphic", "table-cell")
"""Style families that hold a document's defaults: text, presentation, spreadsheet."""
_MIRRORED = {"left": "right", "start": "right", "right": "left", "end": "left"}
_TEXT_FAMILIES = ("paragraph", "graphic")
_OF_CODE = {_MODE: "lr-tb", _ALIGN: "left"}


def _is_rtl(parts: Sequence[StyleTags]) -> bool:
    """Return whether a document is written from right to left: by its pages, or by most paragraph styles that say
    it.
    """
    modes = [
        (properties, properties.said[_MODE].value)
        for part in parts
        for properties in part.properties
        if _MODE in properties.said
    ]
    if any(properties.name == _PAGE_PROPERTIES and mode in _TO_LEFT for properties, mode in modes):
        return True
    of_text = [mode in _TO_LEFT for properties, mode in modes if properties.name == _PARAGRAPH_PROPERTIES]
    # By most of them: a quotation from right to left does not turn a document.
    return sum(of_text) * 2 > len(of_text)


class TargetStyles:
    """Edits of a document's styles for its target language and direction.

    `before` is the previous default language, `is_code` tests names of code styles. Source of directions: OpenDocument
    1.3 part 3, 20.404 (style:writing-mode). In LibreOffice 25.2 a paragraph from right to left is at the right only
    where its style says so, "start" being left for it, so the words for sides that mean the same everywhere are
    written.
    """

    def __init__(
        self,
        target: TargetLanguage,
        locale: StyleLocale,
        before: str,
        parts: Sequence[StyleTags],
        is_code: Callable[[str], bool],
    ) -> None:
        self._locale = locale
        self._before = before
        self._is_code = is_code
        self._is_turned = _is_rtl(parts) != target.is_rtl
        self._mode, self._align = ("rl-tb", "right") if target.is_rtl else ("lr-tb", "left")
        self._opposite = _TO_RIGHT if target.is_rtl else _TO_LEFT
        self._lacks_default = not any(
            tag.name == _DEFAULT and tag.family in _DEFAULT_FAMILIES for part in parts for tag in part.tags
        )

    def edits(self, part: StyleTags) -> Iterator[TextEdit]:
        for properties in part.properties:
            if properties.name == _TEXT_PROPERTIES:
                wanted = _look_of(properties, self._locale) | _language_of(properties, self._locale, self._before)
                yield from part.set(properties, wanted)
            elif self._is_turned:
                yield from part.set(properties, self._turn_properties(properties))
        if self._is_turned and self._mode == "rl-tb":
            yield from self._code_edits(part)
        if self._lacks_default:
            yield from self._new_default(part)

    def _turn_properties(self, each: _StyleProperties) -> dict[str, str]:
        is_text = each.name == _PARAGRAPH_PROPERTIES
        # Code reads from left to right in every language.
        if is_text and each.family == "paragraph" and not each.is_default and self._is_code(each.style):
            return _OF_CODE
        wanted: dict[str, str] = {}
        is_begun = each.is_default and (each.name == _PAGE_PROPERTIES or (is_text and each.family in _TEXT_FAMILIES))
        mode, align = each.said.get(_MODE), each.said.get(_ALIGN)
        if (mode is None and is_begun) or (mode is not None and mode.value in self._opposite):
            wanted[_MODE] = self._mode
        if align is not None and (align.value in _MIRRORED):
            wanted[_ALIGN] = _MIRRORED[align.value]
        elif align is None and is_text and is_begun:
            wanted[_ALIGN] = self._align
        return wanted

    def _code_edits(self, part: StyleTags) -> Iterator[TextEdit]:
        """Yield what keeps code from left to right in a document that is turned, where its style says nothing."""
        has_properties = {
            properties.style for properties in part.properties if properties.name == _PARAGRAPH_PROPERTIES
        }
        for tag in part.tags:
            is_code = tag.name == _STYLE and tag.family == "paragraph" and self._is_code(tag.style)
            if is_code and tag.style not in has_properties:
                yield tag.inserted(part.spelled_element(_PARAGRAPH_PROPERTIES, _OF_CODE))

    def _new_default(self, part: StyleTags) -> Iterator[TextEdit]:
        """Yield the default style of paragraphs, for a document without any."""
        for tag in part.tags:
            if tag.name == _STYLES_TAG:
                turned = {_MODE: self._mode, _ALIGN: self._align} if self._is_turned else {}
                content = part.spelled_element(_PARAGRAPH_PROPERTIES, turned) if turned else ""
                content += part.spelled_element(_TEXT_PROPERTIES, self._locale.said)
                yield tag.inserted(part.spelled_element(_DEFAULT, {"style:family": "paragraph"}, content))


_DEFAULT, _STYLE, _STYLES_TAG = "style:default-style", "style:style", "office:styles"
_PAGE_PROPERTIES, _TEXT_PROPERTIES = "style:page-layout-properties", "style:text-properties"
_PARAGRAPH_PROPERTIES = "style:paragraph-properties"


@dataclass(frozen=True)
class _StyleProperties:
    """Properties of the style `style`; of a default style, or a page layout, with `is_default`."""

    name: str
    style: str
    family: str
    is_default: bool
    at: int
    """Offset at which its attributes begin."""
    said: Mapping[str, AttributeValue]


@dataclass(frozen=True)
class _StyleTag:
    """A tag that holds styles or properties, and ends at `end`."""

    name: str
    raw: str
    style: str
    family: str
    end: int
    is_empty: bool

    def inserted(self, content: str) -> TextEdit:
        if not self.is_empty:
            return TextEdit(self.end, self.end, (content,))
        # "<x/>" becomes "<x>…</x>".
        return TextEdit(self.end - 2, self.end, (f">{content}</{self.raw}>",))


class StyleTags:
    """Gathers them in one part. `prefixes` has the file's own prefixes by the usual ones."""

    def __init__(self, prefixes: dict[str, str]) -> None:
        self.properties: list[_StyleProperties] = []
        self.tags: list[_StyleTag] = []
        self._prefixes = prefixes
        self._owner = _StyleTag("", "", "", "", 0, False)

    def read_tag(
        self, raw: str, name: str, said: dict[str, AttributeValue], at: tuple[int, int], *, is_empty: bool
    ) -> None:
        """Read a tag; `at` holds where its attributes begin and where it ends."""
        if name.endswith("-properties"):
            owner = self._owner
            is_default = owner.name == _DEFAULT or name == _PAGE_PROPERTIES
            # Page layouts have no family, but are defaults as well.
            self.properties.append(_StyleProperties(name, owner.style, owner.family, is_default, at[0], said))
        # Tab stops and header styles stand between a style and its properties.
        elif name == _STYLES_TAG or (name.startswith("style:") and not name.startswith(("style:tab", "style:header"))):
            family, style = said.get("style:family"), said.get("style:name")
            tag = _StyleTag(name, raw, style.value if style else "", family.value if family else "", at[1], is_empty)
            self.tags.append(tag)
            self._owner = tag

    def spelled(self, wanted: Mapping[str, str]) -> str:
        """Return attributes as source, if the file declares their prefix."""
        found = ""
        for key, value in wanted.items():
            prefix, _, name = key.partition(":")
            if prefix in self._prefixes:
                found += f' {self._prefixes[prefix]}:{name}="{value}"'
        return found

    def spelled_element(self, name: str, wanted: Mapping[str, str], content: str = "") -> str:
        """Return an element as source, "" where the file lacks its prefix."""
        prefix, _, local = name.partition(":")
        if prefix not in self._prefixes:
            return ""
        raw = f"{self._prefixes[prefix]}:{local}"
        return f"<{raw}{self.spelled(wanted)}>{content}</{raw}>"

    def set(self, each: _StyleProperties, wanted: Mapping[str, str]) -> Iterator[TextEdit]:
        """Yield edits that set attributes: known ones in their place, others before the first."""
        for key, value in wanted.items():
            said = each.said.get(key)
            if said is not None:
                yield TextEdit(said.start, said.end, (value,))
        if new := self.spelled({key: value for key, value in wanted.items() if key not in each.said}):
            yield TextEdit(each.at, each.at, (new,))
