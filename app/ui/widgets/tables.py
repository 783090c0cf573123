"""Tables without frame and grid: Tab leaves them, arrows move, cells aren't editable."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QFrame, QHeaderView, QTableView


class PlainTable(QTableView):
    """Table with single-cell selection. `name` is for screen readers, `select_all` names Qt's corner button."""

    def __init__(self, rows: QAbstractItemModel, name: str, *, select_all: str) -> None:
        super().__init__()
        self.setModel(rows)
        self.setAccessibleName(name)
        # Qt's own button that selects all has no name, but screen readers meet it.
        for corner in self.findChildren(QAbstractButton):
            corner.setAccessibleName(select_all)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)


class ListTable(PlainTable):
    """Table with row selection; rows have equal height, so that none needs measuring, and no headers."""

    def __init__(self, rows: QAbstractItemModel, name: str, *, select_all: str, widest: int) -> None:
        """Set up the table; the column `widest` takes the remaining width."""
        super().__init__(rows, name, select_all=select_all)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrap(False)
        self.setProperty("elides", True)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(widest, QHeaderView.ResizeMode.Stretch)
