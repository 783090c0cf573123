"""The elements of a page that are open at a moment, and the block of text that grows in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.documents.blocks import Kind, Piece, Place
from app.documents.formats.web import elements
from app.documents.formats.web.elements import Context
from app.documents.formats.web.tables import Table
from app.documents.formats.web.words import Words

_ITEM_KINDS = (Kind.PARAGRAPH, Kind.NOTE)
"""What an item's first block is by itself; a note keeps its number only."""
_Closer = Callable[[int], None]


class OpenElements:
    """Opens and closes elements, with what is so in them, and makes blocks of the text between their borders."""

    def __init__(self, text: str, page: int | None, part: str) -> None:
        self._text = text
        self._page = page
        self._part = part
        self._words = Words(text)
        self._parts = self._words.parts
        self._context = Context()
        self._open: list[tuple[str, Context, bool, _Closer | None]] = []
        """Name, what was so before it, whether it is a block, and what its end does."""
        self._scopes: list[dict[str, int]] = [{}]
        """How many elements of each name are open, by scope: no search for what is not there."""
        self._out: list[Piece] = []
        self._sinks: list[list[Piece]] = [self._out]
        self._tables: list[Table | None] = []

    def _flush(self) -> None:
        """What was gathered is a block."""
        kind, level, label, _, is_preformatted, _, _, _, item = self._context
        text = self._words.drain(is_preformatted)
        if not text:
            return
        if item is not None and not item.is_begun and kind in _ITEM_KINDS:
            item.is_begun = True
            if kind is Kind.PARAGRAPH:
                kind, level, label = Kind.LIST_ITEM, item.listing.depth, item.mark
            elif item.listing.is_ordered:
                label = f"{label} {item.mark.removesuffix('.')}"
        start, end = self._words.stretch()
        self._sinks[-1].append(Piece(kind, text, self._page, Place(self._part, start, end), level, label))

    def _push(self, name: str, context: Context, is_block: bool = True, closer: _Closer | None = None) -> None:
        self._open.append((name, self._context, is_block, closer))
        self._context = context
        if name in elements.SCOPES:
            self._scopes.append({name: 1})
        else:
            scope = self._scopes[-1]
            scope[name] = scope.get(name, 0) + 1

    def _pop(self, end: int) -> str:
        """Ends the innermost element, whose end tag, or what stands for it, is before `end`."""
        name, before, is_block, closer = self._open.pop()
        if is_block:
            if self._parts:
                self._flush()
            self._words.begin = end
        elif self._context.is_hidden and not self._parts:
            self._words.begin = end
        if name in elements.SCOPES:
            self._scopes.pop()
        elif self._scopes[-1][name] == 1:
            del self._scopes[-1][name]
        else:
            self._scopes[-1][name] -= 1
        self._context = before
        if closer is not None:
            closer(end)
        return name

    def _close(self, name: str, end: int) -> None:
        """Ends the innermost open element of this name and all in it, if there is one in this scope."""
        if name in self._scopes[-1]:
            while self._pop(end) != name:
                pass

    def _close_to(self, names: Iterable[str], end: int) -> None:
        """Ends what is open in the innermost table up to one of these parts of it."""
        while self._tables and self._open[-1][0] not in names:
            self._pop(end)

    def _close_before(self, name: str, start: int) -> None:
        """Ends what a new block ends without saying so."""
        if "p" in self._scopes[-1]:
            self._close("p", start)
        if self._context.kind is Kind.HEADING and name in elements.END_A_HEADING:
            self._close_heading(start)

    def _close_heading(self, end: int) -> None:
        for name in elements.HEADINGS:
            self._close(name, end)
