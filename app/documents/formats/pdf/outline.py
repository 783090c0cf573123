"""A PDF's outline (bookmarks), read as far as it is needed, page by page."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pypdfium2 import raw

MOST_ENTRIES = 20_000
MOST_AT_ONCE = 400
DEEPEST = 9


@dataclass(frozen=True, slots=True)
class Entry:
    """A title, the page it leads to (from 1), its height there in user space where it says one, and its depth."""

    title: str
    page: int
    y: float | None
    level: int


class Outline:
    """The entries of each page. Finding the page of an entry costs time, so it is done as reading gets there."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._entries = self._walk()
        self._by_page: dict[int, list[Entry]] = {}
        self._reached = 0

    def of(self, page: int) -> list[Entry]:
        """The entries that lead to a page; those of pages before it are forgotten."""
        for _ in range(MOST_AT_ONCE):
            if self._reached > page:
                break
            entry = next(self._entries, None)
            if entry is None:
                break
            self._reached = max(self._reached, entry.page)
            self._by_page.setdefault(entry.page, []).append(entry)
        for old in [each for each in self._by_page if each < page]:
            del self._by_page[old]
        return self._by_page.get(page, [])

    def _walk(self) -> Iterator[Entry]:
        """Depth first, without recursion; an entry that was seen already ends a loop."""
        seen: set[int] = set()
        above: list[Any] = []
        at = raw.FPDFBookmark_GetFirstChild(self._document.raw, None)
        while at or above:
            if not at:
                at = raw.FPDFBookmark_GetNextSibling(self._document.raw, above.pop())
                continue
            address = ctypes.cast(at, ctypes.c_void_p).value or 0
            if address in seen or len(seen) >= MOST_ENTRIES:
                at = None
                continue
            seen.add(address)
            entry = self._entry(at, len(above) + 1)
            if entry:
                yield entry
            above.append(at)
            at = raw.FPDFBookmark_GetFirstChild(self._document.raw, at)

    def _entry(self, bookmark: Any, level: int) -> Entry | None:
        size = raw.FPDFBookmark_GetTitle(bookmark, None, 0)
        if not 2 < size < 4000:
            return None
        room = ctypes.create_string_buffer(size)
        raw.FPDFBookmark_GetTitle(bookmark, room, size)
        target = raw.FPDFBookmark_GetDest(self._document.raw, bookmark)
        if not target:
            action = raw.FPDFBookmark_GetAction(bookmark)
            target = action and raw.FPDFAction_GetDest(self._document.raw, action)
        page = raw.FPDFDest_GetDestPageIndex(self._document.raw, target) if target else -1
        if page < 0:
            return None
        title = " ".join(room.raw[:-2].decode("utf-16-le", "replace").split())
        return Entry(title, page + 1, _height(target), min(level, DEEPEST))


def _height(target: Any) -> float | None:
    has_x, has_y, has_zoom = (ctypes.c_int() for _ in range(3))
    x, y, zoom = (ctypes.c_float() for _ in range(3))
    refs = [ctypes.byref(each) for each in (has_x, has_y, has_zoom, x, y, zoom)]
    return y.value if raw.FPDFDest_GetLocationInPage(target, *refs) and has_y.value else None
