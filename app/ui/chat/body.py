"""The body of an answer: prose, code and tables under each other, changed only where the answer changed."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.ui.chat.code_block import CodeBlock
from app.ui.chat.pieces import Code, Line, Piece, Prose, Table
from app.ui.chat.prose_view import INDENT_PX, ProseView
from app.ui.chat.table_view import TableView
from app.ui.theme import Theme

GAP_PX = 14
LINES_A_VIEW = 60

View = ProseView | CodeBlock | TableView


class Body(QWidget):
    """Neighbouring prose shares a view, up to a length that is still laid out quickly."""

    link_clicked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._views: list[View] = []
        self._heights: list[int] = []
        self._dirty: set[int] = set()
        self._width = 0

    @property
    def views(self) -> list[View]:
        """The views, top to bottom."""
        return list(self._views)

    def set_pieces(self, pieces: Iterable[Piece]) -> None:
        """Shows these pieces."""
        segments = _segments(pieces)
        for index, segment in enumerate(segments):
            if index < len(self._views) and not _fits(self._views[index], segment):
                self._drop_from(index)
            if index >= len(self._views):
                self._views.append(self._new_view(segment))
                self._heights.append(0)
                self._dirty.add(index)
            if self._fill(self._views[index], segment):
                self._dirty.add(index)
        self._drop_from(len(segments))

    def arrange(self, width: int, *, is_again: bool = False) -> int:
        """Places the views; returns the height of all."""
        px = self._theme.px
        is_again = is_again or width != self._width
        self._width = width
        y = 0
        for index, view in enumerate(self._views):
            y += px(GAP_PX) if index else 0
            indent = _depth(view) * px(INDENT_PX)
            if is_again or index in self._dirty:
                self._heights[index] = view.height_for(width - indent)
            x = 0 if self.isRightToLeft() else indent
            view.setGeometry(x, y, width - indent, self._heights[index])
            y += self._heights[index]
        self._dirty.clear()
        return y

    def _new_view(self, segment: Piece) -> View:
        view: View
        if isinstance(segment, Code):
            view = CodeBlock(self._theme, self)
        else:
            view = (TableView if isinstance(segment, Table) else ProseView)(self._theme, self)
            view.link_clicked.connect(self.link_clicked)
        view.show()
        return view

    def _fill(self, view: View, segment: Piece) -> bool:
        if isinstance(view, CodeBlock) and isinstance(segment, Code):
            return view.set_code(segment)
        if isinstance(view, TableView) and isinstance(segment, Table):
            return view.set_table(segment)
        return isinstance(view, ProseView) and isinstance(segment, Prose) and view.set_lines(segment.lines)

    def _drop_from(self, index: int) -> None:
        for view in self._views[index:]:
            view.hide()
            view.deleteLater()
        del self._views[index:], self._heights[index:]
        self._dirty = {number for number in self._dirty if number < index}


def _segments(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbouring prose joined, in portions."""
    segments: list[Piece] = []
    lines: list[Line] = []
    for piece in pieces:
        if isinstance(piece, Prose):
            lines += piece.lines
            while len(lines) >= LINES_A_VIEW:
                segments.append(Prose(tuple(lines[:LINES_A_VIEW])))
                lines = lines[LINES_A_VIEW:]
            continue
        if lines:
            segments.append(Prose(tuple(lines)))
            lines = []
        segments.append(piece)
    if lines:
        segments.append(Prose(tuple(lines)))
    return segments


def _fits(view: View, segment: Piece) -> bool:
    if isinstance(view, CodeBlock):
        return isinstance(segment, Code)
    return isinstance(segment, Table if isinstance(view, TableView) else Prose)


def _depth(view: View) -> int:
    if isinstance(view, CodeBlock):
        return view.code.depth
    return view.table.depth if isinstance(view, TableView) else 0
