"""Words of a PDF page that are read and that nobody sees: white on white, not drawn at all, tiny, or beside the page.

A word is asked about by its first letter, and what it is drawn with only once for each run of text. Nothing is drawn:
what lies behind a word is told by the bounds and the colour of the page's other objects. What covers a word isn't.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, NamedTuple

from pypdfium2 import raw

from app.documents.formats.pdf.pdf_pages import PageGeometry, Span, address_of, quick

LEAST_SIZE = 1.5
"""Points: of smaller letters nobody can tell one from another."""
NEARLY_WHITE = 235
LEAST_ALPHA = 13
STEP = 3
MOST_OBJECTS = 2000
"""On a page with more what lies behind a word isn't known, and nothing is said of it."""
_WORD = re.compile(r"[^\s\x01]{2,}")
"""Of two letters on: bullets and marks of a layout are no words that anybody misses."""
_FILLED = frozenset({raw.FPDF_TEXTRENDERMODE_FILL, raw.FPDF_TEXTRENDERMODE_FILL_CLIP})
_UNDRAWN = frozenset({raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP})
_get_text_object = quick(raw.FPDFText_GetTextObject, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)


class TextInk(Enum):
    """What a run of text is drawn with, as far as it matters for seeing it."""

    PLAIN = "plain"
    LIGHT = "light"
    NONE = "none"
    TINY = "tiny"


class PageBackdrop(NamedTuple):
    """An object behind text: its bounds in user space, and whether white words would be seen on it."""

    bounds: Span
    is_dark: bool
    is_picture: bool


class UnseenWords:
    """Counts the words of one page that can't be seen; `index_of`, `box_of` and `size_of` take a place in its text."""

    def __init__(
        self,
        text_page: Any,
        index_of: Callable[[int], int],
        box_of: Callable[[int], Span | None],
        size_of: Callable[[int], float],
    ) -> None:
        self._handle, self._index_of, self._box_of, self._size_of = address_of(text_page), index_of, box_of, size_of
        self._inks: dict[int, TextInk] = {}

    def count_words(self, page: Any, text: str, sheet: PageGeometry) -> int:
        """Return how many words of this text of a loaded page nobody sees."""
        words = [word.start() for word in _WORD.finditer(text)]
        # Every third word is asked about at first: on nearly all pages that is all.
        if all(self._ink_at(place) is TextInk.PLAIN for place in words[::STEP]):
            return 0
        if raw.FPDFPage_CountObjects(page) > MOST_OBJECTS:
            return 0
        doubtful = [(place, ink) for place in words if (ink := self._ink_at(place)) is not TextInk.PLAIN]
        backdrops = list(_backdrops_of(page))
        return sum(not _is_seen(self._box_of(place), ink, backdrops, sheet) for place, ink in doubtful)

    def _ink_at(self, place: int) -> TextInk:
        drawn = _get_text_object(self._handle, self._index_of(place))
        if not drawn:
            return TextInk.PLAIN
        if drawn not in self._inks:
            size = self._size_of(place)
            self._inks[drawn] = TextInk.TINY if 0 < size < LEAST_SIZE else _ink_of(drawn)
        return self._inks[drawn]


def _ink_of(text_object: int) -> TextInk:
    item = ctypes.cast(text_object, raw.FPDF_PAGEOBJECT)
    mode = raw.FPDFTextObj_GetTextRenderMode(item)
    if mode in _UNDRAWN:
        return TextInk.NONE
    color = _color_of(item)
    if mode not in _FILLED or color is None:
        return TextInk.PLAIN
    if color[3] < LEAST_ALPHA:
        return TextInk.NONE
    return TextInk.LIGHT if min(color[:3]) >= NEARLY_WHITE else TextInk.PLAIN


def _color_of(item: Any) -> tuple[int, int, int, int] | None:
    """Return red, green, blue and alpha of what an object is filled with; None for a pattern."""
    parts = [ctypes.c_uint() for _ in range(4)]
    if not raw.FPDFPageObj_GetFillColor(item, *(ctypes.byref(part) for part in parts)):
        return None
    red, green, blue, alpha = (part.value for part in parts)
    return red, green, blue, alpha


def _backdrops_of(page: Any) -> Iterator[PageBackdrop]:
    edges = [ctypes.c_float() for _ in range(4)]
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    for number in range(raw.FPDFPage_CountObjects(page)):
        item = raw.FPDFPage_GetObject(page, number)
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_TEXT or not raw.FPDFPageObj_GetBounds(item, *map(ctypes.byref, edges)):
            continue
        is_dark = is_picture = kind != raw.FPDF_PAGEOBJ_PATH
        if not is_picture:
            raw.FPDFPath_GetDrawMode(item, ctypes.byref(fill), ctypes.byref(stroke))
            color = _color_of(item)
            is_dark = bool(fill.value) and (
                color is None or (color[3] >= LEAST_ALPHA and min(color[:3]) < NEARLY_WHITE)
            )
        left, bottom, right, top = (edge.value for edge in edges)
        yield PageBackdrop((left, bottom, right, top), is_dark, is_picture)


def _is_seen(box: Span | None, ink: TextInk, backdrops: list[PageBackdrop], sheet: PageGeometry) -> bool:
    """Return whether a word at this box is seen: light ones on what is dark, undrawn ones on a picture of them.

    What is beside the page is counted by lines.
    """
    if box is None:
        return True
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    if not (sheet.left <= x <= sheet.right and sheet.bottom <= y <= sheet.top):
        return True
    if ink is TextInk.TINY:
        return False
    behind = [
        backdrop
        for backdrop in backdrops
        if backdrop.bounds[0] <= x <= backdrop.bounds[2] and backdrop.bounds[1] <= y <= backdrop.bounds[3]
    ]
    return any(backdrop.is_dark if ink is TextInk.LIGHT else backdrop.is_picture for backdrop in behind)
