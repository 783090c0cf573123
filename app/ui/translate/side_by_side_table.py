"""A table of rows of all heights, many thousands of them, that measures only what comes into view.

Heights are estimated until then; whatever is measured, what is in view stays where it is.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.translate.side_by_side_model import RowsModel
from app.ui.translate.side_by_side_rows import Rows

ESTIMATE_PX = 60
FIRST_MEASURED = 40
ROUNDS = 4
"""Measuring what is in view may bring more into view."""


class RowTable(QTableView):
    """Two columns of equal width; `rows` are its contents, `laid` those that are laid out."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows = RowsModel(self)
        self.laid = Rows(theme, self.rows)
        self._is_fitting = False
        self._anchor = 0
        self._set_up()
        self.setModel(self.rows)
        self.rows.dataChanged.connect(self._on_data_changed)
        self.rows.grown.connect(self.on_row_changed)
        theme.changed.connect(self._on_theme_changed)

    def _set_up(self) -> None:
        self.setObjectName("side_by_side")
        self.setAccessibleName(tr("Segments"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setAutoScroll(False)
        self.setAcceptDrops(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(lambda _least, most: bar.setEnabled(most > 0))
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.hide()
            header.setMinimumSectionSize(1)
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def height_of(self, row: int) -> int:
        """How high a row is, in pixels."""
        return self.laid.row(row).height_px

    def begin(self) -> None:
        """Other rows are there: from the top, all with the mean height of the first ones."""
        self._anchor = 0
        self.laid.forget()
        self._set_columns()
        first = min(FIRST_MEASURED, self.rows.rowCount())
        heights = [self.laid.row(row).height_px for row in range(first)]
        self.verticalHeader().setDefaultSectionSize(round(sum(heights) / first) if first else ESTIMATE_PX)
        self.updateGeometries()
        self.verticalScrollBar().setValue(0)
        self.fit()

    @property
    def place(self) -> tuple[int, int]:
        """The first row in view, and how many pixels of it are above."""
        row = max(0, self.rowAt(0))
        return row, -self.rowViewportPosition(row) if self.rows.rowCount() else 0

    def go_to_place(self, place: tuple[int, int]) -> None:
        """Scrolls to what `place` was."""
        row = min(place[0], self.rows.rowCount() - 1)
        if row >= 0:
            self._scroll_to(row, -place[1])

    def reveal(self, row: int) -> None:
        """Brings a row into view, with as little movement as that takes."""
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
        """A row's upper edge comes to a place in the viewport."""
        self._anchor = row
        self._measure(row)
        for _ in range(ROUNDS):
            self.updateGeometries()
            move = self.rowViewportPosition(row) - top_px
            before = self.verticalScrollBar().value()
            self.verticalScrollBar().setValue(before + move)
            self.fit()
            if not move or self.verticalScrollBar().value() == before:
                break

    def _measure(self, row: int) -> int:
        high = self.height_of(row)
        if high != self.rowHeight(row):
            self.verticalHeader().resizeSection(row, high)
        return high

    def fit(self) -> None:
        """Measures what is in view; a row that was in view before stays where it is."""
        count, height = self.rows.rowCount(), self.viewport().height()
        if self._is_fitting or not count:
            return
        self._is_fitting = True
        bar = self.verticalScrollBar()
        anchor = min(self._anchor, count - 1)
        if not -self.rowHeight(anchor) < self.rowViewportPosition(anchor) < height:
            anchor = max(0, self.rowAt(0))
        at = self.rowViewportPosition(anchor)
        for _ in range(ROUNDS):
            if not self._measure_view(count, height):
                break
            self.updateGeometries()
            bar.setValue(bar.value() + self.rowViewportPosition(anchor) - at)
        first = max(0, self.rowAt(0))
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
        self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_columns()
        self.fit()

    def _on_theme_changed(self) -> None:
        self.laid.forget()
        self.verticalScrollBar().setSingleStep(self._theme.px(40))
        self.fit()

    def _on_data_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        if first.row() == last.row():
            self.on_row_changed(first.row())
        else:
            self.laid.forget()
            self.fit()

    def on_row_changed(self, row: int) -> None:
        """A row looks different."""
        self.laid.forget(row)
        if -self.rowHeight(row) < self.rowViewportPosition(row) < self.viewport().height():
            self.fit()
