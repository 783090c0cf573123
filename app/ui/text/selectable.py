"""A text that may be part of a selection across several: what is marked in it, and the pieces that this is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QTextBlock,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QTextBrowser

from app.ui.text.clipboard import html_of, mime_data, text_of
from app.ui.text.pieces import Line, Piece, Prose, Span, Spans

SELECTS_TEXTS = "selects_texts"
"""A property of a widget that selects across all texts in it: their mouse and their keys are its matter."""
FORMULA = QTextFormat.Property.UserProperty.value
"""Of a picture in a text: the source of the formula that it shows."""
FORMULA_SIZE = FORMULA + 1
"""As long as the formula with what stands behind it is in the text while it is shown as a picture."""
PICTURE = "\ufffc"
_OWN_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
"""They follow a link that has the keyboard."""


class SelectableText(QTextBrowser):
    """Positions are the document's, in UTF-16 units. An offset counts formulas as long as their source is.

    So an offset holds when a formula is typeset, and a position does not.
    """

    @property
    def is_shared(self) -> bool:
        """Whether something around it selects."""
        parent = self.parentWidget()
        while parent is not None and not parent.property(SELECTS_TEXTS):
            parent = parent.parentWidget()
        return parent is not None

    @property
    def length(self) -> int:
        """The last position."""
        return self.document().characterCount() - 1

    def mark(self, start: int, end: int) -> None:
        """Selects from one position to another, and scrolls nowhere."""
        now = self.textCursor()
        if (now.anchor(), now.position()) == (start, end):
            return
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        value = self.horizontalScrollBar().value()
        self.setTextCursor(cursor)
        self.horizontalScrollBar().setValue(value)

    def selected(self) -> list[Piece]:
        """What is marked."""
        text = self.textCursor().selectedText().replace("\u2029", "\n")
        return [Prose(tuple(Line((Span(line),) if line else (), "typed") for line in text.split("\n")))] if text else []

    def offset_at(self, position: int) -> int:
        """Of a position."""
        return position + sum(more for at, more in self._formulas() if at < position)

    def position_at(self, offset: int) -> int:
        """Of an offset; inside of a formula it is the formula's beginning."""
        for at, more in self._formulas():
            if at >= offset:
                break
            offset = max(offset - more, at)
        return min(offset, self.length)

    def position_near(self, point: QPointF) -> int:
        """Of the character nearest to a point of the viewport."""
        return self.cursorForPosition(point.toPoint()).position()

    def follow_link_at(self, point: QPointF) -> None:
        """As a click there does, where a link is."""
        address = self.anchorAt(point.toPoint())
        if address:
            self.anchorClicked.emit(QUrl(address))

    def _formulas(self) -> Iterator[tuple[int, int]]:
        """Where pictures of formulas stand, and how much longer their sources are."""
        document: QTextDocument = self.document()
        found = document.find(PICTURE)
        while not found.isNull():
            look = found.charFormat()
            source = str(look.property(FORMULA) or PICTURE)
            yield found.selectionStart(), units(source) - int(str(look.property(FORMULA_SIZE) or 1))
            found = document.find(PICTURE, found)

    # Where something around it selects, it leaves its mouse, keys and menus to that.

    def createMimeDataFromSelection(self) -> QMimeData:
        """Without this window's fonts and colours."""
        pieces = self.selected()
        return mime_data(html_of(pieces), text_of(pieces))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.is_shared:
            event.ignore()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A pointer that only passes by is its own matter: links change it."""
        if event.buttons() != Qt.MouseButton.NoButton and self.is_shared:
            event.ignore()
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.is_shared:
            event.ignore()
        else:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.is_shared:
            event.ignore()
        else:
            super().mouseDoubleClickEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.is_shared:
            event.ignore()
        else:
            super().contextMenuEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in _OWN_KEYS and self.is_shared:
            event.ignore()
        else:
            super().keyPressEvent(event)


def units(text: str) -> int:
    """How long a text is in a document: in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def part_of(text: str, start: int, end: int) -> str:
    """A stretch of a text, given in UTF-16 units."""
    if text.isascii():
        return text[start:end]
    return text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end].decode("utf-16-le", "ignore")


def part_of_line(line: Line, block: QTextBlock, start: int, end: int, drawn: int) -> Line:
    """What stands between two positions of a block that shows a line behind `drawn` units of its marker.

    A line of which the beginning is missing is a paragraph like any other.
    """
    if start <= 0 and end >= block.length() - 1:
        return line
    spans = part_of_spans(line.spans, block, start - drawn, end - drawn, drawn)
    return replace(line, spans=spans) if start <= 0 else Line(spans, "typed" if line.kind == "typed" else "text")


def part_of_spans(spans: Spans, block: QTextBlock, start: int, end: int, drawn: int = 0) -> Spans:
    """The same of runs that a block shows from `drawn` on; of a formula all is taken or nothing."""
    raw, found, at = block.text().encode("utf-16-le", "surrogatepass"), list[Span](), 0
    for span in spans:
        text = shown(span)
        is_picture = span.formula and raw[2 * (at + drawn) : 2 * (at + drawn + 1)].decode("utf-16-le") == PICTURE
        size = size_of_picture(block, at + drawn) if is_picture else units(text)
        if start < at + size and end > at:
            is_whole = is_picture or (start <= at and end >= at + size)
            cut = part_of(text, max(start - at, 0), min(end - at, size))
            found.append(span if is_whole else replace(span, text=cut, formula=False))
        at += size
    return tuple(found)


def shown(span: Span) -> str:
    """A run's text as it is written into a document: a line is no paragraph of its own."""
    return span.text.replace("\r", "").replace("\n", "\u2028").replace("\u2029", "\u2028")


def size_of_picture(block: QTextBlock, at: int) -> int:
    """How long a formula is that is shown at a place of a block."""
    cursor = QTextCursor(block)
    cursor.setPosition(block.position() + at + 1)
    return int(str(cursor.charFormat().property(FORMULA_SIZE) or 1))
