"""A PDF's outline (bookmarks), read as far as it is needed, page by page."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

from pypdfium2 import raw

from app.core.lazy_dataclasses import dataclass
from app.documents.formats.pdf.annotations import said

MOST_ENTRIES = 20_000
MOST_AT_ONCE = 400
MOST_TITLE_BYTES = 4000
DEEPEST = 9


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A title, the page it leads to (from 1), its height there in user space where it says one, and its depth."""

    title: str
    page: int
    y: float | None
    level: int


class PdfOutline:
    """The entries of each page. Finding the page of an entry costs time, so it is done as reading gets there."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._entries = self._walk_outline()
        self._by_page: dict[int, list[OutlineEntry]] = {}
        self._reached = 0

    def entries_of(self, page: int) -> list[OutlineEntry]:
        """Return the entries that lead to a page, forgetting earlier pages' ones."""
        # So many entries at once: an outline of 20,000 must not hold up the first page.
        for _ in range(MOST_AT_ONCE):
            if self._reached > page:
                break
            entry = next(self._entries, None)
            if entry is None:
                break
            self._reached = max(self._reached, entry.page)
            self._by_page.setdefault(entry.page, []).append(entry)
        for old in [number for number in self._by_page if number < page]:
            del self._by_page[old]
        return self._by_page.get(page, [])

    def _walk_outline(self) -> Iterator[OutlineEntry]:
        """Yield entries depth first without recursion; a repeated one ends a loop."""
        seen: set[int] = set()
        above: list[Any] = []
        at = raw.FPDFBookmark_GetFirstChild(self._document.raw, None)
        while at or above:
            # Up again when there are no more siblings.
            if not at:
                at = raw.FPDFBookmark_GetNextSibling(self._document.raw, above.pop())
                continue
            address = ctypes.cast(at, ctypes.c_void_p).value or 0
            if address in seen or len(seen) >= MOST_ENTRIES:
                at = None
                continue
            seen.add(address)
            entry = self._outline_entry(at, len(above) + 1)
            if entry:
                yield entry
            above.append(at)
            at = raw.FPDFBookmark_GetFirstChild(self._document.raw, at)

    def _outline_entry(self, bookmark: Any, level: int) -> OutlineEntry | None:
        title = said(lambda room, size: raw.FPDFBookmark_GetTitle(bookmark, room, size), MOST_TITLE_BYTES)
        if not title:
            return None
        target = raw.FPDFBookmark_GetDest(self._document.raw, bookmark)
        # A bookmark leads to its place by itself or by an action (GoTo).
        if not target:
            action = raw.FPDFBookmark_GetAction(bookmark)
            target = action and raw.FPDFAction_GetDest(self._document.raw, action)
        page = raw.FPDFDest_GetDestPageIndex(self._document.raw, target) if target else -1
        if page < 0:
            return None
        return OutlineEntry(title, page + 1, _target_height(target), min(level, DEEPEST))


def _target_height(target: Any) -> float | None:
    has_x, has_y, has_zoom = (ctypes.c_int() for _ in range(3))
    x, y, zoom = (ctypes.c_float() for _ in range(3))
    refs = [ctypes.byref(value) for value in (has_x, has_y, has_zoom, x, y, zoom)]
    # Not each destination says a height: "fit page" has none.
    return y.value if raw.FPDFDest_GetLocationInPage(target, *refs) and has_y.value else None
