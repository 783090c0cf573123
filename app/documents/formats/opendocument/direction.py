"""In which direction an OpenDocument is written, and how its styles say the other one.

Source: OpenDocument 1.3 part 3, 20.404 (style:writing-mode). What LibreOffice 25.2 makes of it was looked at: a
paragraph from right to left stands at the right only where its style says so, "start" being left for it; so the words
for sides that mean the same everywhere are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from app.documents.formats.markup.stretches import Edit
from app.documents.formats.opendocument.language import Locale, language_of, look_of
from app.documents.formats.opendocument.properties import (
    DEFAULT,
    PAGE_PROPERTIES,
    PARAGRAPH_PROPERTIES,
    STYLE,
    STYLES,
    TEXT_PROPERTIES,
    Properties,
    StyleTags,
)
from app.documents.visits import Target

_MODE, _ALIGN = "style:writing-mode", "fo:text-align"
_TO_RIGHT, _TO_LEFT = ("lr-tb", "lr"), ("rl-tb", "rl")
_DEFAULT_FAMILIES = ("paragraph", "graphic", "table-cell")
"""One of these has what all text has: of a text, a presentation, a spreadsheet."""
_MIRRORED = {"left": "right", "start": "right", "right": "left", "end": "left"}
_TEXT_FAMILIES = ("paragraph", "graphic")
_OF_CODE = {_MODE: "lr-tb", _ALIGN: "left"}


def is_rtl(parts: Sequence[StyleTags]) -> bool:
    """Whether a document is written from right to left: by its pages, or by most paragraph styles that say it."""
    modes = [(each, each.said[_MODE].value) for part in parts for each in part.properties if _MODE in each.said]
    if any(each.name == PAGE_PROPERTIES and mode in _TO_LEFT for each, mode in modes):
        return True
    of_text = [mode in _TO_LEFT for each, mode in modes if each.name == PARAGRAPH_PROPERTIES]
    return sum(of_text) * 2 > len(of_text)


class Turning:
    """What the styles of a document need for its target: its language, and its direction where that changes.

    `before` is the default language so far, `is_code` tells styles of code by their names.
    """

    def __init__(
        self, target: Target, locale: Locale, before: str, parts: Sequence[StyleTags], is_code: Callable[[str], bool]
    ) -> None:
        self._locale = locale
        self._before = before
        self._is_code = is_code
        self._is_turned = is_rtl(parts) != target.is_rtl
        self._mode, self._align = ("rl-tb", "right") if target.is_rtl else ("lr-tb", "left")
        self._opposite = _TO_RIGHT if target.is_rtl else _TO_LEFT
        self._lacks_default = not any(
            tag.name == DEFAULT and tag.family in _DEFAULT_FAMILIES for part in parts for tag in part.tags
        )

    def edits(self, part: StyleTags) -> Iterator[Edit]:
        """What changes in a part."""
        for each in part.properties:
            if each.name == TEXT_PROPERTIES:
                wanted = look_of(each, self._locale) | language_of(each, self._locale, self._before)
                yield from part.set(each, wanted)
            elif self._is_turned:
                yield from part.set(each, self._turned(each))
        if self._is_turned and self._mode == "rl-tb":
            yield from self._code_edits(part)
        if self._lacks_default:
            yield from self._new_default(part)

    def _turned(self, each: Properties) -> dict[str, str]:
        is_text = each.name == PARAGRAPH_PROPERTIES
        if is_text and each.family == "paragraph" and not each.is_default and self._is_code(each.style):
            return _OF_CODE
        wanted: dict[str, str] = {}
        is_begun = each.is_default and (each.name == PAGE_PROPERTIES or (is_text and each.family in _TEXT_FAMILIES))
        mode, align = each.said.get(_MODE), each.said.get(_ALIGN)
        if (mode is None and is_begun) or (mode is not None and mode.value in self._opposite):
            wanted[_MODE] = self._mode
        if align is not None and (align.value in _MIRRORED):
            wanted[_ALIGN] = _MIRRORED[align.value]
        elif align is None and is_text and is_begun:
            wanted[_ALIGN] = self._align
        return wanted

    def _code_edits(self, part: StyleTags) -> Iterator[Edit]:
        """Code stays from left to right, whatever is around it."""
        has_properties = {each.style for each in part.properties if each.name == PARAGRAPH_PROPERTIES}
        for tag in part.tags:
            is_code = tag.name == STYLE and tag.family == "paragraph" and self._is_code(tag.style)
            if is_code and tag.style not in has_properties:
                yield tag.inserted(part.spelled_element(PARAGRAPH_PROPERTIES, _OF_CODE))

    def _new_default(self, part: StyleTags) -> Iterator[Edit]:
        """The default style of paragraphs, for a document without any."""
        for tag in part.tags:
            if tag.name == STYLES:
                turned = {_MODE: self._mode, _ALIGN: self._align} if self._is_turned else {}
                content = part.spelled_element(PARAGRAPH_PROPERTIES, turned) if turned else ""
                content += part.spelled_element(TEXT_PROPERTIES, self._locale.said)
                yield tag.inserted(part.spelled_element(DEFAULT, {"style:family": "paragraph"}, content))
