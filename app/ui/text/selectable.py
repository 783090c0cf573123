"""Text views that can share a selection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QTextBlock, QTextDocument
from PySide6.QtWidgets import QTextBrowser

from app.core.visible import settle_directions
from app.ui.text.copied_text import html_of, mime_data, text_of
from app.ui.text.formats import as_one_paragraph, cursor_over
from app.ui.text.keyboard_walk import ENTER
from app.ui.text.pieces import Piece, Prose, ProseLine, Spans, StyledSpan
from app.ui.utf16 import utf16_length, utf16_slice
from app.ui.widgets.spoken_views import SOURCE_PROPERTY

SELECTS_TEXTS = "selects_texts"
"""Property of a widget that selects across the texts in it and handles their mouse and keys."""
FORMULA = SOURCE_PROPERTY
"""Format property of a formula's picture: its source."""
FORMULA_SIZE = FORMULA + 1
"""Format property of a formula's picture: length of its source with what follows it in the text."""
PICTURE = "\ufffc"


class SelectableText(QTextBrowser):
    """Text view with shared selection.

    Positions are the document's, in UTF-16 units; offsets count each formula as its source, so they stay valid when it
    is typeset.
    """

    @property
    def is_shared(self) -> bool:
        """True if an ancestor (`SELECTS_TEXTS`) selects across texts, and so handles mouse and keys."""
        parent = self.parentWidget()
        while parent is not None and not parent.property(SELECTS_TEXTS):
            parent = parent.parentWidget()
        return parent is not None

    @property
    def length(self) -> int:
        """Last position of the document, in UTF-16 units; pictures count one."""
        return self.document().characterCount() - 1

    def mark(self, start: int, end: int) -> None:
        """Select between two positions (UTF-16 units) without scrolling to them."""
        # During a drag this is called for all texts between its ends, most of which stay as they are.
        now = self.textCursor()
        if (now.anchor(), now.position()) == (start, end):
            return
        # setTextCursor scrolls to the cursor, sideways, too.
        value = self.horizontalScrollBar().value()
        self.setTextCursor(cursor_over(self.document(), start, end))
        self.horizontalScrollBar().setValue(value)

    def selected(self) -> list[Piece]:
        text = self.textCursor().selectedText().replace("\u2029", "\n")
        return (
            [Prose(tuple(ProseLine((StyledSpan(line),) if line else (), "typed") for line in text.split("\n")))]
            if text
            else []
        )

    def offset_at(self, position: int) -> int:
        """Convert a document position to an offset, in which formulas count as their source."""
        return position + sum(more for at, more in self._formulas() if at < position)

    def position_at(self, offset: int) -> int:
        """Convert an offset to a position; inside a formula, to its start."""
        for at, more in self._formulas():
            if at >= offset:
                break
            offset = max(offset - more, at)
        return min(offset, self.length)

    def position_near(self, point: QPointF) -> int:
        return self.cursorForPosition(point.toPoint()).position()

    def follow_link_at(self, point: QPointF) -> None:
        """Follow the link at a viewport point, if there is one."""
        if address := self.anchorAt(point.toPoint()):
            self.anchorClicked.emit(QUrl(address))

    def _formulas(self) -> Iterator[tuple[int, int]]:
        """Yield the positions of formula pictures, with the extra length of their sources."""
        document: QTextDocument = self.document()
        found = document.find(PICTURE)
        while not found.isNull():
            look = found.charFormat()
            source = str(look.property(FORMULA) or PICTURE)
            yield found.selectionStart(), utf16_length(source) - int(str(look.property(FORMULA_SIZE) or 1))
            found = document.find(PICTURE, found)

    def createMimeDataFromSelection(self) -> QMimeData:
        # Without this window's fonts and colours.
        pieces = self.selected()
        return mime_data(html_of(pieces), text_of(pieces))

    def _handle(self, handler: Callable[[Any], None], event: QEvent, *, is_own: bool = False) -> None:
        """Leave an event to the ancestor that selects across texts, if there is one and the event isn't this text's."""
        if is_own or not self.is_shared:
            handler(event)
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._handle(super().mousePressEvent, event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        # Without a button the pointer changes over links.
        self._handle(super().mouseMoveEvent, event, is_own=event.buttons() == Qt.MouseButton.NoButton)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._handle(super().mouseReleaseEvent, event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._handle(super().mouseDoubleClickEvent, event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._handle(super().contextMenuEvent, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Enter follows a focused link.
        self._handle(super().keyPressEvent, event, is_own=event.key() in ENTER)


def part_of_line(line: ProseLine, block: QTextBlock, start: int, end: int, drawn: int) -> ProseLine:
    """Return the part of a line between two positions of its block, whose marker takes `drawn` units.

    Without its beginning, it becomes a plain paragraph.
    """
    if start <= 0 and end >= block.length() - 1:
        return line
    spans = part_of_spans(line.spans, block, start - drawn, end - drawn, drawn)
    return replace(line, spans=spans) if start <= 0 else ProseLine(spans, "typed" if line.kind == "typed" else "text")


def part_of_spans(spans: Spans, block: QTextBlock, start: int, end: int, drawn: int = 0) -> Spans:
    """Return the part of runs that a block shows from `drawn` on; formulas are taken whole or not at all."""
    # Cut as UTF-16 bytes: slices of a str count characters, while positions count units.
    raw, found, at = block.text().encode("utf-16-le", "surrogatepass"), list[StyledSpan](), 0
    for span in spans:
        text = as_one_paragraph(span.text)
        is_picture = span.formula and raw[2 * (at + drawn) : 2 * (at + drawn + 1)].decode("utf-16-le") == PICTURE
        size = size_of_picture(block, at + drawn) if is_picture else utf16_length(text)
        if start < at + size and end > at:
            is_whole = is_picture or (start <= at and end >= at + size)
            cut = utf16_slice(text, max(start - at, 0), min(end - at, size))
            found.append(span if is_whole else replace(span, text=cut, formula=False))
        at += size
    return tuple(found)


def shown(span: StyledSpan) -> str:
    """Return a run's text for a document: newlines start no paragraph, direction marks affect no other text."""
    return settle_directions(as_one_paragraph(span.text))


def size_of_picture(block: QTextBlock, at: int) -> int:
    """Return the source length of the formula at a position in a block."""
    cursor = cursor_over(block.document(), block.position() + at + 1)
    return int(str(cursor.charFormat().property(FORMULA_SIZE) or 1))
