"""Tables of the house: without frame and grid, left by Tab, gone through by arrows, changed nowhere in their cells."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QFrame, QHeaderView, QTableView


class PlainTable(QTableView):
    """One cell is chosen at a time. `name` is for screen readers, `select_all` that of Qt's button in the corner."""

    def __init__(self, rows: QAbstractItemModel, name: str, *, select_all: str) -> None:
        super().__init__()
        self.setModel(rows)
        self.setAccessibleName(name)
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
    """A whole row is chosen at a time; rows are of one height, so that none has to be measured, and have no heading."""

    def __init__(self, rows: QAbstractItemModel, name: str, *, select_all: str, widest: int) -> None:
        """The column `widest` takes what the others leave."""
        super().__init__(rows, name, select_all=select_all)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrap(False)
        self.setProperty("elides", True)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(widest, QHeaderView.ResizeMode.Stretch)
