"""The rows under the mouse: text that is selected and copied, words, and links that are followed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from app.ui.shell.desktop import copy_text
from app.ui.theme import Theme
from app.ui.translate.side_by_side_delegate import CellDelegate
from app.ui.translate.side_by_side_model import SOURCE, TARGET
from app.ui.translate.side_by_side_rows import EDGE_PX, Link
from app.ui.translate.side_by_side_selection import Place, Selection
from app.ui.translate.side_by_side_table import RowTable


class SelectableRows(RowTable):
    """Text is selected within one column, over as many rows as the mouse is drawn."""

    link_followed = Signal(int, object)
    """A row and the `Link` that was clicked."""
    edit_wanted = Signal(int)
    """A row's translation was clicked twice."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.painted = CellDelegate(theme, self.laid, self._marked, self)
        self.setItemDelegate(self.painted)
        self._selection: Selection | None = None
        self._is_pressed = False
        self._pressed_link: tuple[int, Link] | None = None
        self.hits: dict[tuple[int, int], list[tuple[int, int, bool]]] = {}
        """Row and column: stretches that a search found, and whether it is the chosen one."""

    @property
    def current(self) -> int:
        """The row of the keyboard; -1 without any."""
        return self.currentIndex().row()

    def copy(self) -> None:
        """What is selected, or the translation of the row with the keyboard."""
        text = self.selected_text()
        if not text and self.current >= 0:
            text = self.laid.row(self.current).target.written.plain()
        if text:
            copy_text(text)

    def selected_text(self) -> str:
        """Rows are joined by line breaks."""
        selection = self._selection
        if selection is None or selection.is_empty:
            return ""
        lines = []
        for row in range(selection.first.row, selection.last.row + 1):
            laid = self.laid.row(row)
            written = (laid.source if selection.column == SOURCE else laid.target).written
            span = selection.span_in(row, len(written.text))
            lines.append(written.plain(*span) if span is not None else "")
        return "\n".join(lines)

    def link_at(self, point: QPoint) -> tuple[int, Link] | None:
        """The row and the link there."""
        index = self.indexAt(point)
        if index.column() != TARGET or index.row() == self.painted.edited:
            return None
        inside = self._inside(index.row(), TARGET, point)
        laid = self.laid.row(index.row())
        top = laid.target.height_px
        for line in laid.flags:
            for link in line.links:
                if any(
                    rect.translated(0, top).adjusted(-2, -2, 2, 2).contains(inside)
                    for rect in line.cell.rect_of(link.start, link.end)
                ):
                    return index.row(), link
            top += line.cell.height_px
        return None

    def link_rect(self, row: int, number: int) -> QRect:
        """Where a link of a row is, in the viewport."""
        laid = self.laid.row(row)
        corner = self._corner(row, TARGET)
        top = laid.target.height_px
        for line in laid.flags:
            for link in line.links:
                if link is laid.links[number]:
                    rect = line.cell.rect_of(link.start, link.end)[0]
                    return rect.translated(corner.x(), corner.y() + top).toRect()
            top += line.cell.height_px
        return QRect()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        index = self.indexAt(point)
        if not index.isValid():
            self.select(None)
            return
        self.painted.chosen = None
        self.setCurrentIndex(self.rows.index(index.row(), TARGET))
        self._pressed_link = self.link_at(point)
        if event.button() == Qt.MouseButton.LeftButton and self._pressed_link is None:
            place = Place(index.row(), self._position_at(index.row(), index.column(), point))
            old = self._selection
            is_more = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            begin = old.begin if is_more and old is not None and old.column == index.column() else place
            self._is_pressed = True
            self.select(Selection(index.column(), begin, place))
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        if self._is_pressed and self._selection is not None:
            self._drag_to(point, self._selection)
            return
        found = self.link_at(point)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if found else Qt.CursorShape.IBeamCursor)
        if found != self.painted.hovered:
            self.painted.hovered = found
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._is_pressed = False
        found, pressed = self.link_at(event.position().toPoint()), self._pressed_link
        self._pressed_link = None
        if event.button() == Qt.MouseButton.LeftButton and found is not None and found == pressed:
            self.link_followed.emit(*found)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and self.link_at(event.position().toPoint()) is None:
            self._is_pressed = False
            self.select(None)
            if index.column() == TARGET:
                self.edit_wanted.emit(index.row())
            else:
                self._select_word(index.row(), event.position().toPoint())

    def _drag_to(self, point: QPoint, selection: Selection) -> None:
        height, bar = self.viewport().height(), self.verticalScrollBar()
        if not 0 <= point.y() < height:  # the view follows the mouse
            bar.setValue(bar.value() + (point.y() if point.y() < 0 else point.y() - height))
        row = self.rowAt(min(max(point.y(), 0), height - 1))
        if row >= 0:
            place = Place(row, self._position_at(row, selection.column, point))
            self.select(Selection(selection.column, selection.begin, place))

    def select(self, selection: Selection | None) -> None:
        """Selects that, or nothing."""
        self._selection = selection
        self.viewport().update()

    def select_row(self, row: int) -> None:
        """Selects the whole translation of a row."""
        length = len(self.laid.row(row).target.written.text)
        self.select(Selection(TARGET, Place(row, 0), Place(row, length)))

    def _select_word(self, row: int, point: QPoint) -> None:
        text = self.laid.row(row).source.written.text
        at = self._position_at(row, SOURCE, point)
        start = end = at
        while start > 0 and text[start - 1].isalnum():
            start -= 1
        while end < len(text) and text[end].isalnum():
            end += 1
        self.select(Selection(SOURCE, Place(row, start), Place(row, end)))

    def _marked(self, row: int, column: int) -> list[tuple[int, int, str]]:
        tokens = self._theme.tokens
        found = [
            (start, end, tokens.mark if is_chosen else tokens.selection)
            for start, end, is_chosen in self.hits.get((row, column), ())
        ]
        selection = self._selection
        if selection is not None and selection.column == column:
            laid = self.laid.row(row)
            span = selection.span_in(row, len((laid.source if column == SOURCE else laid.target).written.text))
            found += [(*span, tokens.selection)] if span is not None else []
        return found

    def _corner(self, row: int, column: int) -> QPointF:
        """Where a cell's text begins, in the viewport."""
        left = self.columnViewportPosition(column) + self._theme.px(EDGE_PX)
        return QPointF(left, self.rowViewportPosition(row) + self.laid.row(row).top_px)

    def _inside(self, row: int, column: int, point: QPoint) -> QPointF:
        return QPointF(point) - self._corner(row, column)

    def _position_at(self, row: int, column: int, point: QPoint) -> int:
        laid = self.laid.row(row)
        return (laid.source if column == SOURCE else laid.target).position_at(self._inside(row, column, point))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave and self.painted.hovered is not None:
            self.painted.hovered = None
            self.viewport().update()
        return super().viewportEvent(event)
