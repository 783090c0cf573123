"""Table of segments: source and translation in two columns, edited in place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextCharFormat,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.core.lazy_dataclasses import dataclass, replace
from app.documents.segments import Content
from app.ui.focus_ring import has_ring
from app.ui.i18n import tr
from app.ui.shared_labels import COPY, EDIT_LABEL
from app.ui.shell.desktop import copy_text
from app.ui.shell.readable_texts import READ_FROM_HERE
from app.ui.text.block_selection import BlockSelection, SelectionMouse, SelectionUnit
from app.ui.text.formats import char_format
from app.ui.text.keyboard_walk import ENTER, row_after, step_aside
from app.ui.theme import Theme, smooth_painter
from app.ui.translate.missing_marks import put_back
from app.ui.translate.row_layout import EDGE_PX, LaidRow, Link, RowCell, Rows
from app.ui.translate.rows import SOURCE, TARGET, Index, RowsModel, RowSource
from app.ui.translate.segment_editor import RowEditor
from app.ui.translate.translation_texts import Remedy
from app.ui.widgets.labels import announce
from app.ui.widgets.menus import Menu

SEGMENTS = "Segments"

CONTROL = Qt.KeyboardModifier.ControlModifier


Marked = Callable[[int, int], list[tuple[int, int, QTextCharFormat]]]
"""Returns ranges of a cell (row, column) with their look."""


class CellDelegate(QStyledItemDelegate):
    """Paint cells laid out by `Rows`. `hovered` and `chosen` are highlighted links."""

    def __init__(self, theme: Theme, rows: Rows, marked: Marked, parent: QObject) -> None:
        super().__init__(parent)
        self._theme, self._rows, self._marks_in_cell = theme, rows, marked
        self.edited = -1
        """Row being edited."""
        self.hovered: tuple[int, Link] | None = None
        self.chosen: tuple[int, Link] | None = None

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect, number = option.rect, index.row()
        laid = self._rows.row(number)
        origin = QPointF(rect.left() + self._theme.px(EDGE_PX), rect.top() + laid.top_px)
        painter.save()
        painter.setClipRect(rect)
        if index.column() == SOURCE:
            laid.source.paint(painter, origin, self._marks_in_cell(number, index.column()))
        elif number != self.edited:
            laid.target.paint(painter, origin, self._marks_in_cell(number, index.column()))
            self._paint_flags(painter, origin, number, laid)
        painter.restore()

    def _paint_flags(self, painter: QPainter, origin: QPointF, number: int, laid: LaidRow) -> None:
        top = origin + QPointF(0, laid.target.height_px)
        for line in laid.flags:
            line.cell.paint(painter, top, [])
            for link in line.links:
                rects = [rect_f.translated(top) for rect_f in line.cell.rect_of(link.start, link.end)]
                if (number, link) == self.chosen:
                    self._paint_ring(painter, rects)
                elif (number, link) == self.hovered:
                    self._paint_underline(painter, rects)
            top += QPointF(0, line.cell.height_px)

    def _paint_ring(self, painter: QPainter, rects: list[QRectF]) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.tokens.focus), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        px = self._theme.px
        for rect in rects:
            painter.drawRoundedRect(rect.adjusted(-px(3), 0, px(3), 0), px(4), px(4))

    def _paint_underline(self, painter: QPainter, rects: list[QRectF]) -> None:
        painter.setPen(QPen(QColor(self._theme.tokens.warning), 1))
        for rect in rects:
            painter.drawLine(rect.bottomLeft(), rect.bottomRight())


ESTIMATE_PX = 60
FIRST_MEASURED = 40
ROUNDS = 4
"""Limit of layout passes: measuring visible rows may bring more into view."""


class RowTable(QTableView):
    """Table with two equal columns; `rows` is the content, `laid` caches layouts."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows = RowsModel(self, on_grown=self.on_row_changed)
        self.laid = Rows(theme, self.rows)
        self._is_fitting = False
        self._anchor = 0
        self._set_up()
        self.setModel(self.rows)
        self.rows.dataChanged.connect(self._on_data_changed)
        theme.changed.connect(self._on_theme_changed)

    def _set_up(self) -> None:
        self.setObjectName("side_by_side")
        self.setAccessibleName(tr(SEGMENTS))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        # Qt would scroll whenever the current row changes; `reveal` does it instead.
        self.setAutoScroll(False)
        self.setAcceptDrops(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        # Text is selected by characters and across rows, which Qt's cell selection can't.
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.hide()
            header.setMinimumSectionSize(1)
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def height_of(self, row: int) -> int:
        return self.laid.row(row).height_px

    def cell(self, row: int, column: int) -> RowCell:
        laid = self.laid.row(row)
        return laid.source if column == SOURCE else laid.target

    def point_in(self, row: int, column: int, point: QPoint) -> QPointF:
        """Convert a point of the viewport to the coordinates in which a cell's text is laid out."""
        left = self.columnViewportPosition(column) + self._theme.px(EDGE_PX)
        return QPointF(point) - QPointF(left, self.rowViewportPosition(row) + self.laid.row(row).top_px)

    def position_at(self, row: int, column: int, point: QPoint) -> int:
        """Return the character of a cell nearest to a point of the viewport."""
        return self.cell(row, column).position_at(self.point_in(row, column, point))

    def begin(self) -> None:
        """Reset for other rows; all get the mean height of the first ones."""
        self._anchor = 0
        self.laid.forget()
        self._set_columns()
        first = min(FIRST_MEASURED, self.rows.rowCount())
        heights = [self.laid.row(row).height_px for row in range(first)]
        self.verticalHeader().setDefaultSectionSize(round(sum(heights) / first) if first else ESTIMATE_PX)
        # Otherwise the bar keeps the range of the rows before.
        self.updateGeometries()
        self.verticalScrollBar().setValue(0)
        self.fit_rows()

    @property
    def place(self) -> tuple[int, int]:
        """First visible row, and the pixels of it above the viewport."""
        row = max(0, self.rowAt(0))
        return row, -self.rowViewportPosition(row) if self.rows.rowCount() else 0

    def go_to_place(self, place: tuple[int, int]) -> None:
        if (row := min(place[0], self.rows.rowCount() - 1)) >= 0:
            self._scroll_to(row, -place[1])

    def reveal(self, row: int) -> None:
        """Scroll a row into view by the shortest way."""
        height, top = self.viewport().height(), self.rowViewportPosition(row)
        is_far = top < -height or top > 2 * height
        high = self._measure(row)
        if is_far:
            self._scroll_to(row, height // 4)
        elif top < 0:
            self._scroll_to(row, self._theme.px(8))
        elif top + high > height:
            self._scroll_to(row, max(0, height - high - self._theme.px(8)))

    def _scroll_to(self, row: int, top_px: int) -> None:
        """Scroll until a row's top is at a viewport position."""
        self._anchor = row
        self._measure(row)
        for _ in range(ROUNDS):
            self.updateGeometries()
            move = self.rowViewportPosition(row) - top_px
            before = self.verticalScrollBar().value()
            self.verticalScrollBar().setValue(before + move)
            self.fit_rows()
            if not move or self.verticalScrollBar().value() == before:
                break

    def _measure(self, row: int) -> int:
        if (high := self.height_of(row)) != self.rowHeight(row):
            self.verticalHeader().resizeSection(row, high)
        return high

    def fit_rows(self) -> None:
        """Measure visible rows, keeping the top row in place."""
        count, height = self.rows.rowCount(), self.viewport().height()
        # Measuring rows scrolls, and scrolling measures rows.
        if self._is_fitting or not count:
            return
        self._is_fitting = True
        bar = self.verticalScrollBar()
        anchor = min(self._anchor, count - 1)
        # The row that stays in place must be a visible one.
        if not -self.rowHeight(anchor) < self.rowViewportPosition(anchor) < height:
            anchor = max(0, self.rowAt(0))
        at = self.rowViewportPosition(anchor)
        for _ in range(ROUNDS):
            if not self._measure_view(count, height):
                break
            self.updateGeometries()
            bar.setValue(bar.value() + self.rowViewportPosition(anchor) - at)
        first = max(0, self.rowAt(0))
        # The first row that is fully visible stays in place next time.
        self._anchor = first + 1 if self.rowViewportPosition(first) < 0 and first + 1 < count else first
        self._is_fitting = False
        self.viewport().update()

    def _measure_view(self, count: int, height: int) -> bool:
        row = max(0, self.rowAt(0))
        top, is_new = self.rowViewportPosition(row), False
        while row < count and top < height:
            before = self.rowHeight(row)
            high = self._measure(row)
            is_new = is_new or high != before
            top += high
            row += 1
        return is_new

    def _set_columns(self) -> bool:
        wide = self.viewport().width()
        widths = (wide // 2, wide - wide // 2)
        for column, width in enumerate(widths):
            self.horizontalHeader().resizeSection(column, width)
        return self.laid.set_widths(widths)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self.fit_rows()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_columns()
        self.fit_rows()

    def _on_theme_changed(self) -> None:
        self.laid.forget()
        self.verticalScrollBar().setSingleStep(self._theme.px(40))
        self.fit_rows()

    def _on_data_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        if first.row() == last.row():
            self.on_row_changed(first.row())
        else:
            self.laid.forget()
            self.fit_rows()

    def on_row_changed(self, row: int) -> None:
        self.laid.forget(row)
        # Rows out of sight keep their estimated height until they are scrolled to.
        if -self.rowHeight(row) < self.rowViewportPosition(row) < self.viewport().height():
            self.fit_rows()


@dataclass(frozen=True)
class CellSpot:
    """Position between two characters of a cell: `offset` of them come before it."""

    row: int
    offset: int
    column: int

    @property
    def key(self) -> tuple[int, int]:
        return self.row, self.offset


class CellSelection(BlockSelection[CellSpot]):
    """Selection of text across rows, within the column in which it began."""

    def __init__(self, table: RowTable) -> None:
        super().__init__(table)
        self._table = table

    @property
    def column(self) -> int:
        return self.head.column if self.head is not None else TARGET

    def extend(self, first: CellSpot, last: CellSpot | None = None) -> None:
        if first.column == self.column:
            super().extend(first, last)
        else:
            self.begin(first, last)

    def spot_at(self, place: QPointF, *, is_inside: bool = False) -> CellSpot | None:
        point, table = place.toPoint(), self._table
        index = table.indexAt(point)
        if not index.isValid():
            return None
        row, column = index.row(), index.column()
        # Flags are below the text.
        if is_inside and table.point_in(row, column, point).y() >= table.cell(row, column).height_px:
            return None
        return CellSpot(row, table.position_at(row, column, point), column)

    def spot_to_extend(self, place: QPointF) -> CellSpot | None:
        # Beside the rows the nearest one counts.
        point = place.toPoint()
        row = self._table.rowAt(min(max(point.y(), 0), self._table.viewport().height() - 1))
        return CellSpot(row, self._table.position_at(row, self.column, point), self.column) if row >= 0 else None

    def ends_of_unit(self, spot: CellSpot, unit: SelectionUnit) -> tuple[CellSpot, CellSpot]:
        text = self._table.cell(spot.row, spot.column).written.text
        start, end = (spot.offset, spot.offset) if unit is SelectionUnit.WORD else (0, len(text))
        while start > 0 and text[start - 1].isalnum():
            start -= 1
        while end < len(text) and text[end].isalnum():
            end += 1
        return replace(spot, offset=start), replace(spot, offset=end)

    def text(self) -> str:
        """Return the selected text without glyphs, with line breaks between rows."""
        if (ends := self.ends) is None:
            return ""
        rows = range(ends[0].row, ends[1].row + 1)
        spans = [(row, self.span_in((row,))) for row in rows]
        return "\n".join(
            self._table.cell(row, self.column).written.plain(*span) if span is not None else "" for row, span in spans
        )


class SelectableRows(RowTable):
    """Rows with text selection within one column, across rows."""

    link_followed = Signal(int, object)
    """A row and the clicked `Link`."""
    edit_wanted = Signal(int)
    """A row's translation was double-clicked."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.painted = CellDelegate(theme, self.laid, self._marks_in_cell, self)
        self.setItemDelegate(self.painted)
        self.selection = CellSelection(self)
        self.selection.changed.connect(self.viewport().update)
        self._mouse = SelectionMouse(self.selection, self, self.viewport(), theme)
        self._mouse.clicked.connect(self._on_clicked)
        self._pressed_link: tuple[int, Link] | None = None
        self.hits: dict[tuple[int, int], list[tuple[int, int, bool]]] = {}
        """Search hits by row and column: ranges, and whether it is the current hit."""
        self.read_from: Callable[[CellSpot], object] | None = None
        """Reads aloud from a place on; None where nothing can."""
        self._read: tuple[int, int, int, int] | None = None
        """Row, column and range of the sentence that is read aloud."""

    @property
    def current(self) -> int:
        """Row with the keyboard focus; -1 if there is none."""
        return self.currentIndex().row()

    def copy(self) -> None:
        """Copy the selection, or the translation of the current row."""
        if not (text := self.selection.text()) and self.current >= 0:
            text = self.laid.row(self.current).target.written.plain()
        if text:
            copy_text(text)

    def link_at(self, point: QPoint) -> tuple[int, Link] | None:
        index = self.indexAt(point)
        if index.column() != TARGET or index.row() == self.painted.edited:
            return None
        inside = self.point_in(index.row(), TARGET, point)
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

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if not index.isValid():
            self.selection.clear()
            return
        self.painted.chosen = None
        self.setCurrentIndex(self.rows.index(index.row(), TARGET))
        self._pressed_link = self.link_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton:
            self._mouse.press(event)
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._mouse.is_pressed:
            self._mouse.move(event.globalPosition().toPoint())
            return
        found = self.link_at(event.position().toPoint())
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if found else Qt.CursorShape.IBeamCursor)
        if found != self.painted.hovered:
            self.painted.hovered = found
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._mouse.is_pressed:
            self._mouse.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.column() == SOURCE:
            self._mouse.press(event)
        elif index.isValid() and self.link_at(event.position().toPoint()) is None:
            self._mouse.cancel()
            self.selection.clear()
            self.edit_wanted.emit(index.row())

    def _on_clicked(self, _spot: CellSpot | None, place: QPointF) -> None:
        found = self.link_at(self.viewport().mapFromGlobal(place.toPoint()))
        if found is not None and found == self._pressed_link:
            self.link_followed.emit(*found)

    def select_row(self, row: int) -> None:
        length = len(self.cell(row, TARGET).written.text)
        self.selection.begin(CellSpot(row, 0, TARGET), CellSpot(row, length, TARGET))

    def mark_read(self, sentence: tuple[int, int, int, int] | None) -> None:
        """Mark the sentence that is read aloud, by its row, column and range; None for none."""
        self._read = sentence
        self.viewport().update()

    def _marks_in_cell(self, row: int, column: int) -> list[tuple[int, int, QTextCharFormat]]:
        tokens = self._theme.tokens
        usual, strong = (char_format(None, tokens.text, ground) for ground in (tokens.selection, tokens.mark))
        found = [
            (start, end, strong if is_chosen else usual) for start, end, is_chosen in self.hits.get((row, column), ())
        ]
        if self._read is not None and self._read[:2] == (row, column):
            found.append((*self._read[2:], strong))
        span = self.selection.span_in((row,)) if self.selection.column == column else None
        return [*found, (*span, usual)] if span is not None else found

    # The leaving of a viewport comes here only, not to `leaveEvent`.
    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave and self.painted.hovered is not None:
            self.painted.hovered = None
            self.viewport().update()
        return super().viewportEvent(event)


class SegmentTable(SelectableRows):
    """Editable segments: arrows move between rows and remedies, Enter edits, F8 goes to the next flagged one."""

    edited = Signal(int, object)
    """A segment's id and its new content."""
    accepted = Signal(int)
    next_wanted = Signal(int)
    """Asks for the next flagged segment after this id."""
    remedy_wanted = Signal(int, object)
    """A segment's id and the chosen `Link`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.editor: RowEditor | None = None
        self.link_followed.connect(self._follow_link)
        self.edit_wanted.connect(self.edit_row)
        self._on_theme_changed()

    def show_source(
        self, source: RowSource | None, names: tuple[str, str], rtl: tuple[bool | None, bool | None]
    ) -> None:
        self.close_editor()
        self.hits = {}
        self.selection.clear()
        self.painted.chosen = self.painted.hovered = None
        self.laid.rtl = rtl
        self.rows.show_source(source, names)
        self.begin()
        if self.rows.rowCount():
            self.setCurrentIndex(self.rows.index(0, TARGET))

    def height_of(self, row: int) -> int:
        high = super().height_of(row)
        if self.editor is not None and row == self.painted.edited:
            high = max(high, self.editor.height_in(self.columnWidth(TARGET)) + self._theme.px(4))
        return high

    def go_to(self, row: int) -> None:
        """Make a row current and scroll to it; rows that don't exist are ignored."""
        if 0 <= row < self.rows.rowCount():
            self.painted.chosen = None
            self.setCurrentIndex(self.rows.index(row, TARGET))
            self.reveal(row)
            self.viewport().update()

    def edit_row(self, row: int, content: Content | None = None) -> None:
        """Edit a row's translation, starting with `content` if given."""
        if (found := self.rows.row(row)) is None or (self.editor is not None and self.painted.edited == row):
            return
        self.close_editor()
        self.go_to(row)
        source = found.segment.content
        # Without a translation, editing starts with the source, which has all marks.
        before = found.translated.content if found.translated is not None else source
        editor = RowEditor(
            self._theme,
            source,
            before,
            is_rtl=bool(self.laid.rtl[TARGET]),
            give_up=self._on_given_up,
            keep=self._on_kept,
            on_height=self.fit_rows,
        )
        if content is not None:
            editor.text.replace(content)
        self.editor, self.painted.edited = editor, row
        self.setIndexWidget(self.rows.index(row, TARGET), editor)
        editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.fit_rows()
        self.reveal(row)

    def close_editor(self) -> None:
        """Close the editor and keep the text; missing marks are restored."""
        if self.editor is None:
            return
        editor, row = self.editor, self.painted.edited
        found = self.rows.row(row)
        content = put_back(found.segment.content, editor.content) if found is not None else editor.content
        is_changed = editor.is_changed
        self._end_editing()
        # Segments are counted from 1.
        if is_changed:
            self.edited.emit(row + 1, content)

    def _end_editing(self) -> None:
        editor, row = self.editor, self.painted.edited
        self.editor, self.painted.edited = None, -1
        if editor is not None:
            # Removing a focused editor would pass the focus to any widget next to it.
            focus = QApplication.focusWidget()
            had_focus = focus is not None and editor.isAncestorOf(focus)
            editor.end()
            self.setIndexWidget(self.rows.index(row, TARGET), None)  # type: ignore[arg-type]
            if had_focus:
                self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.fit_rows()

    def _on_kept(self, content: Content, goes_on: bool) -> None:
        editor, row = self.editor, self.painted.edited
        if editor is None:
            return
        is_changed = editor.is_changed
        self._end_editing()
        if is_changed:
            self.edited.emit(row + 1, content)
        if goes_on:
            self._accept(row)

    def _on_given_up(self) -> None:
        self._end_editing()

    def _accept(self, row: int) -> None:
        self.accepted.emit(row + 1)
        self.next_wanted.emit(row + 1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, row, last = Qt.Key(event.key()), max(0, self.current), self.rows.rowCount() - 1
        has_control = bool(event.modifiers() & CONTROL)
        is_scroll = has_control and key in (Qt.Key.Key_Up, Qt.Key.Key_Down)
        other = None if is_scroll else row_after(event, row, last)
        page = {Qt.Key.Key_PageDown: 1, Qt.Key.Key_PageUp: -1}.get(key, 0)
        if last < 0:
            event.ignore()
        elif has_control and key == Qt.Key.Key_C:
            self.copy()
        elif has_control and key == Qt.Key.Key_A:
            self.select_row(row)
        elif has_control and key in ENTER:
            self._accept(row)
        elif page:
            self._turn(page)
        elif other is not None:
            self.go_to(other)
        # Left goes towards the text, from the first remedy to none.
        elif not has_control and (side := step_aside(event, is_rtl=self.isRightToLeft())):
            self._choose_link(row, side)
        elif key == Qt.Key.Key_F8:
            self.next_wanted.emit(row + 1)
        elif key in (*ENTER, Qt.Key.Key_Space, Qt.Key.Key_F2):
            self._follow_or_edit(row, key)
        elif key == Qt.Key.Key_Escape and self.selection.ends is not None:
            self.selection.clear()
        else:
            event.ignore()

    def _turn(self, pages: int) -> None:
        """Scroll a page and make its top row current."""
        bar = self.verticalScrollBar()
        before = bar.value()
        bar.setValue(before + pages * (self.viewport().height() - self._theme.px(40)))
        # At either end the bar doesn't move, and the last row or the first is meant.
        at_end = bar.value() == before
        row = (self.rows.rowCount() - 1 if pages > 0 else 0) if at_end else self._anchor
        self.setCurrentIndex(self.rows.index(row, TARGET))
        self.viewport().update()

    def _choose_link(self, row: int, step: int) -> None:
        links = self.laid.row(row).links
        chosen = self.painted.chosen
        at = links.index(chosen[1]) if chosen is not None and chosen[0] == row and chosen[1] in links else -1
        at = min(at + step, len(links) - 1)
        self.painted.chosen = (row, links[at]) if at >= 0 else None
        self.viewport().update()
        if at >= 0:
            self.announce_text(f"{links[at].shown.reason} {links[at].words}")

    def _follow_or_edit(self, row: int, key: Qt.Key) -> None:
        if (chosen := self.painted.chosen) is not None and chosen[0] == row and key != Qt.Key.Key_F2:
            self._follow_link(row, chosen[1])
        elif key != Qt.Key.Key_Space:
            self.edit_row(row)

    def _follow_link(self, row: int, link: Link) -> None:
        self.painted.chosen = None
        if link.remedy is Remedy.EDIT:
            self.edit_row(row)
        else:
            self.remedy_wanted.emit(row + 1, link)

    def announce_text(self, text: str) -> None:
        announce(self, text)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        # The menu key has no position in the table.
        index = self.indexAt(event.pos()) if event.reason() == event.Reason.Mouse else self.currentIndex()
        if (row := index.row()) < 0:
            return
        menu = Menu(self, is_temporary=True)
        menu.addAction(tr(COPY), self.copy)
        menu.addAction(tr(EDIT_LABEL), lambda: self.edit_row(row))
        if (read_from := self.read_from) is not None:
            # The first sentence is the one that was pointed at.
            column = index.column()
            offset = self.position_at(row, column, event.pos()) if event.reason() == event.Reason.Mouse else 0
            menu.addAction(tr(READ_FROM_HERE), lambda: read_from(CellSpot(row, offset, column)))
        for link in self.laid.row(row).links:
            if link.remedy is not Remedy.EDIT:
                menu.addAction(link.words, partial(self._follow_link, row, link))
        menu.popup(event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.current < 0 or not has_ring(self) or self.editor is not None:
            return
        painter = smooth_painter(self.viewport())
        painter.setPen(QPen(QColor(self._theme.tokens.focus), 1))
        px = self._theme.px
        top, high = self.rowViewportPosition(self.current), self.rowHeight(self.current)
        ring = QRect(px(8), top + 1, self.viewport().width() - px(16), high - 2)
        painter.drawRoundedRect(ring, px(8), px(8))
        painter.end()

    def sizeHint(self) -> QSize:
        return self.minimumSize()  # takes the remaining room

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        # A click is where somebody is looking already, so it doesn't scroll.
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason) and self.current >= 0:
            self.reveal(self.current)
        self.viewport().update()
