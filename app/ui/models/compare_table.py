"""Table of the measured models, sortable by each column."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.features.inside.model_comparison import ModelFigures
from app.ui.i18n import size_text, tr, tr_count
from app.ui.locale_formats import format_decimal
from app.ui.model_texts import short_number
from app.ui.theme import Theme
from app.ui.widgets.tables import ListTable

NAME, PARAMETERS, BITS, SPEED, FIRST, MEMORY = range(6)
WIDTHS_PX = {PARAMETERS: 98, BITS: 86, SPEED: 84, FIRST: 94, MEMORY: 84}
HEADS = ("Model", "Parameters", "Bits/byte", "Tokens/s", "First token", "Memory")
ROW_PX = 32
Index = QModelIndex | QPersistentModelIndex
Row = tuple[str, ModelFigures]
_VALUES: dict[int, Callable[[Row], Any]] = {
    NAME: lambda row: row[0].casefold(),
    PARAMETERS: lambda row: row[1].parameters,
    # NaN has no order: not measured comes last.
    BITS: lambda row: math.inf if math.isnan(row[1].bits_per_byte) else row[1].bits_per_byte,
    SPEED: lambda row: row[1].tokens_per_s,
    FIRST: lambda row: row[1].time_to_first_token_s,
    MEMORY: lambda row: row[1].memory_bytes,
}
_TEXTS: dict[int, Callable[[Row], str]] = {
    NAME: lambda row: row[0],
    PARAMETERS: lambda row: short_number(row[1].parameters),
    BITS: lambda row: "–" if math.isnan(row[1].bits_per_byte) else format_decimal(row[1].bits_per_byte, 3),
    # Above 100 tokens a second a decimal is noise.
    SPEED: lambda row: format_decimal(row[1].tokens_per_s, 0 if row[1].tokens_per_s >= 100 else 1),
    FIRST: lambda row: tr("{s} s", s=format_decimal(row[1].time_to_first_token_s, 2)),
    MEMORY: lambda row: size_text(row[1].memory_bytes),
}


class ComparisonModel(QAbstractTableModel):
    """Table model of the measured models, sortable by each column."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.found: list[Row] = []
        self._by, self._order = BITS, Qt.SortOrder.AscendingOrder

    def show_rows(self, rows: list[Row]) -> None:
        """Replace the rows, keeping the sort order."""
        self.beginResetModel()
        is_down = self._order == Qt.SortOrder.DescendingOrder
        self.found = sorted(rows, key=_VALUES[self._by], reverse=is_down)
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._by, self._order = column, order
        self.show_rows(self.found)
        # The arrow that shows the order is part of a header's text.
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(HEADS) - 1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.found)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(HEADS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.found[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _TEXTS[column](row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{tr(HEADS[column])}: {_TEXTS[column](row)}"
        if role == Qt.ItemDataRole.ToolTipRole and column == MEMORY:
            return tr_count("With {count} token of context", "With {count} tokens of context", row[1].context_tokens)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(column)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            arrow = "↓" if self._order == Qt.SortOrder.AscendingOrder else "↑"
            return f"{tr(HEADS[section])} {arrow}" if section == self._by else tr(HEADS[section])
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font("caption")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(section)
        return None


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeading if column == NAME else Qt.AlignmentFlag.AlignTrailing
    return side | Qt.AlignmentFlag.AlignVCenter


class ResultTable(ListTable):
    """Table as high as its rows; a click on a header sorts."""

    def __init__(self, theme: Theme) -> None:
        self.rows = ComparisonModel(theme)
        super().__init__(self.rows, tr("Comparison"), select_all=tr("Select all models"), widest=NAME)
        self._theme = theme
        self.setObjectName("comparison")
        # The page scrolls; the table shows all of its rows.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSortingEnabled(True)
        self.horizontalHeader().setSortIndicatorShown(False)  # the sign would cover the words
        self.sortByColumn(BITS, Qt.SortOrder.AscendingOrder)
        self.rows.modelReset.connect(self._fit_height)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self.setFont(self._theme.font("small"))
        self.verticalHeader().setDefaultSectionSize(px(ROW_PX))
        self.horizontalHeader().setFixedHeight(px(ROW_PX))
        for column, width in WIDTHS_PX.items():
            self.setColumnWidth(column, px(width))
        self._fit_height()

    def _fit_height(self) -> None:
        self.setFixedHeight(self._theme.px(ROW_PX) * (1 + self.rows.rowCount()) + self._theme.px(4))
