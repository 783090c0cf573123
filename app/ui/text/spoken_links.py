"""Links of a text for screen readers: with a place, pressed by an action, told when the keyboard comes to them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import QPoint, QRect, QRectF, QUrl
from PySide6.QtGui import QAccessible, QTextBlock
from PySide6.QtWidgets import QTextBrowser

from app.core.lazy_dataclasses import dataclass
from app.ui.screen_reader import SpokenPart
from app.ui.text.line_ranges import ranges_by_line
from app.ui.utf16 import utf16_slice


@dataclass(frozen=True)
class LinkRange:
    """A link in a paragraph; positions are the document's, in UTF-16 units."""

    start: int
    end: int
    address: str


def links_in(block: QTextBlock) -> Iterator[LinkRange]:
    """Yield the links of a paragraph, each once, however many formats it has."""
    found: LinkRange | None = None
    parts = block.begin()
    while not parts.atEnd():
        fragment = parts.fragment()
        address, start = fragment.charFormat().anchorHref(), fragment.position()
        if found is not None and (found.address != address or found.end != start):
            yield found
            found = None
        if address:
            found = LinkRange(found.start if found else start, start + fragment.length(), address)
        parts += 1
    if found is not None:
        yield found


def spoken_links(view: QTextBrowser, block: QTextBlock, corner: QPoint) -> tuple[SpokenPart, ...]:
    """Return the links of a paragraph as parts; `corner` is where the document begins in the view."""
    cursor = view.textCursor()
    focused = (cursor.selectionStart(), cursor.selectionEnd()) if view.hasFocus() else None
    return tuple(
        SpokenPart(
            QAccessible.Role.Link,
            utf16_slice(block.text(), link.start - block.position(), link.end - block.position()),
            _range_rect(block, link).translated(corner),
            is_focused=focused == (link.start, link.end),
            press=partial(view.anchorClicked.emit, QUrl(link.address)),
        )
        for link in links_in(block)
    )


def _range_rect(block: QTextBlock, link: LinkRange) -> QRect:
    """Return the rectangle of a link in its document, round all of its lines."""
    rect = QRectF()
    start = block.position()
    for line, left, width in ranges_by_line(block.layout(), link.start - start, link.end - start):
        rect = rect.united(QRectF(left, line.y(), width, line.height()))
    # Of a paragraph in a table the layout's own place is the one in its cell.
    return rect.translated(block.document().documentLayout().blockBoundingRect(block).topLeft()).toAlignedRect()
