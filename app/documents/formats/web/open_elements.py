"""Elements of a page that are open at a moment, and the block of text that grows in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.formats.markup.markup_tags import unescaped
from app.documents.formats.web import elements
from app.documents.formats.web.elements import ElementContext
from app.documents.formats.web.html_tables import OpenTables

_BREAK = "\0"
"""Stands for a line break until white space is collapsed; NUL isn't valid in pages."""
_WHITE = " \t\n\r\f"
_SPACES = re.compile(f"[{_WHITE}]+")


def collapsed(text: str) -> str:
    """Runs of white space as one space, none at the ends. Non-breaking and other wide spaces stay, as in a browser."""
    if "\n" in text or "  " in text or "\t" in text or "\r" in text or "\f" in text:
        if text.isascii():
            # Non-breaking spaces are white to Python, too, but not in ASCII.
            return " ".join(text.split())  # the fastest way there is
        text = _SPACES.sub(" ", text)
    return text.strip(_WHITE)


class BlockText:
    """Gathers the text between two borders of blocks; `begin` and `last` are offsets in the page."""

    def __init__(self, page: str) -> None:
        self._page = page
        self.parts: list[str] = []
        """Gathered pieces; tested directly at every tag, since a method call would double the time."""
        self._has_breaks = False
        self.begin = 0
        """Behind the tag that began the block."""
        self.last = 0
        """Behind the last word or inline tag."""

    def add_range(self, start: int, end: int, is_preformatted: bool) -> None:
        words = self._page[start:end]
        # White space before a block's first word is between blocks.
        if not self.parts and not is_preformatted and words.isspace():
            return
        if "&" in words or _BREAK in words:
            words = unescaped(words).replace(_BREAK, "")
        self.parts.append(words)
        self.last = end

    def take_raw(self, start: int, end: int) -> None:
        """Add a range of the page without resolving references."""
        self.parts.append(self._page[start:end].replace(_BREAK, ""))

    def add(self, words: str) -> None:
        """Words that the page has in an attribute, or a space between two signs."""
        self.parts.append(words.replace(_BREAK, ""))

    def add_break(self) -> None:
        self.parts.append(_BREAK)
        self._has_breaks = True

    def end_line(self) -> None:
        """End a line of code unless it has ended."""
        if self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")

    def drain(self, is_preformatted: bool) -> str:
        """Return the text so far, "" where there is none; the next block begins."""
        text = self.parts[0] if len(self.parts) == 1 else "".join(self.parts)
        self.parts.clear()
        had_breaks, self._has_breaks = self._has_breaks, False
        if is_preformatted:
            # A line end right behind <pre> is not part of it (HTML standard, 13.2.6.4.7).
            text = text.replace(_BREAK, "\n").replace("\r\n", "\n").replace("\r", "\n").removeprefix("\n").rstrip()
        elif had_breaks:
            text = "\n".join(filter(None, map(collapsed, text.split(_BREAK))))
        else:
            text = collapsed(text)
        return "" if text.isspace() else text

    def stretch(self) -> tuple[int, int]:
        """Return the block's range in the page, without white space around it."""
        page, start, end = self._page, self.begin, self.last
        while start < end and page[start] in _WHITE:
            start += 1
        while end > start and page[end - 1] in _WHITE:
            end -= 1
        return start, end


MOST_LOOK_BACK = 50
"""Open elements in which an unclosed dt or dd is looked for; bounds the time on broken pages."""
_ITEM_KINDS = (BlockKind.PARAGRAPH, BlockKind.NOTE)
"""Kinds of an item's first block; a note keeps only its number."""
_Closer = Callable[[int], None]


class OpenElements:
    """Opens and closes elements, with what is so in them, and makes blocks of the text between their borders."""

    def __init__(self, text: str, page: int | None, part: str) -> None:
        self._text = text
        self._page = page
        self._part = part
        self._words = BlockText(text)
        self._parts = self._words.parts
        self._context = ElementContext()
        self._open: list[tuple[str, ElementContext, bool, _Closer | None]] = []
        """Name, what was so before it, whether it is a block, and what its end does."""
        self._scopes: list[dict[str, int]] = [{}]
        """Open elements by name in each scope, to avoid searching."""
        self._out: list[BlockPiece] = []
        self._tables = OpenTables(self._out)

    def _flush(self) -> None:
        """Make a block of the gathered text, if there is any, and store it."""
        kind, level, label, _, is_preformatted, _, _, _, item = self._context
        text = self._words.drain(is_preformatted)
        if not text:
            return
        if item is not None and not item.is_begun and kind in _ITEM_KINDS:
            item.is_begun = True
            if kind is BlockKind.PARAGRAPH:
                kind, level, label = BlockKind.LIST_ITEM, item.listing.depth, item.mark
            elif item.listing.is_ordered:
                # A note in an ordered list has its number from there.
                label = f"{label} {item.mark.removesuffix('.')}"
        start, end = self._words.stretch()
        self._tables.store_found(BlockPiece(kind, text, self._page, BlockPlace(self._part, start, end), level, label))

    def _push(self, name: str, context: ElementContext, is_block: bool = True, closer: _Closer | None = None) -> None:
        self._open.append((name, self._context, is_block, closer))
        self._context = context
        if name in elements.SCOPES:
            self._scopes.append({name: 1})
        else:
            scope = self._scopes[-1]
            scope[name] = scope.get(name, 0) + 1

    def _pop(self, end: int) -> str:
        """End the innermost element, whose end is before `end`; return its name."""
        name, before, is_block, closer = self._open.pop()
        if is_block:
            if self._parts:
                self._flush()
            self._words.begin = end
        # Nothing visible yet: the block begins behind what is hidden.
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
        """End the innermost element of this name and all inside, if open in this scope."""
        if name in self._scopes[-1]:
            while self._pop(end) != name:
                pass

    def _close_to(self, names: Iterable[str], end: int) -> None:
        """End elements up to one of these parts of the innermost table."""
        while self._tables and self._open[-1][0] not in names:
            self._pop(end)

    def _close_before(self, name: str, start: int) -> None:
        """End a paragraph, which every block ends, and a heading that was left open before such a block."""
        if "p" in self._scopes[-1]:
            self._close("p", start)
        if self._context.kind is BlockKind.HEADING and name in elements.END_A_HEADING:
            self._close_heading(start)

    # Whichever it is: <h2> is often closed by </h3>.
    def _close_heading(self, end: int) -> None:
        for name in elements.HEADINGS:
            self._close(name, end)

    def _close_definition(self, start: int) -> None:
        for name, *_ in reversed(self._open[-MOST_LOOK_BACK:]):
            if name in ("dt", "dd"):
                self._close(name, start)
            if name in ("dt", "dd", "dl") or name in elements.SCOPES:
                return
