"""A table of painted cells of one size, with names at two sides; the keyboard goes from cell to cell."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyleOptionViewItem,
    QTableView,
)

from app.ui.theme import Theme


class CellTable(QTableView):
    """Tab leaves it. `select_all` is what Qt's own button in the corner is called for screen readers."""

    def __init__(self, cells: QAbstractTableModel, select_all: str) -> None:
        super().__init__()
        self.setModel(cells)
        for corner in self.findChildren(QAbstractButton):
            corner.setAccessibleName(select_all)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setMinimumSectionSize(1)
            header.setHighlightSections(True)
            header.setSectionsClickable(False)


def paint_frame(painter: QPainter, theme: Theme, option: QStyleOptionViewItem) -> None:
    """Around a cell: stronger where the keyboard is."""
    has_focus = option.state & QStyle.StateFlag.State_HasFocus
    painter.setBrush(QColor(0, 0, 0, 0))
    painter.setPen(QPen(QColor(theme.tokens.focus if has_focus else theme.tokens.outline), 2))
    painter.drawRect(option.rect.adjusted(1, 1, -1, -1))
