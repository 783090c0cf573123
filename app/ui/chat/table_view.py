"""A table of an answer, with a horizontal scroll of its own where it is wider than the column."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
)
from PySide6.QtWidgets import QWidget

from app.ui.chat.clipboard import html_of, mime_data, table_as_markdown
from app.ui.chat.pieces import Spans, Table
from app.ui.chat.text_view import Style, TextView
from app.ui.shell.i18n import tr
from app.ui.theme import Theme

COLUMN_PX = 96
_ALIGN = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}


class TableView(TextView):
    """Shows rows; when they grow, only cells that changed are written again."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._table = Table((), ())
        self._drawn: QTextTable | None = None
        self._cells: list[list[Spans | None]] = []
        self.scroll_sideways()
        self.setAccessibleName(tr("Table"))
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    @property
    def table(self) -> Table:
        """What is shown."""
        return self._table

    def set_table(self, table: Table) -> bool:
        """Shows a table; whether anything changed."""
        if table == self._table:
            return False
        is_new = table.aligns != self._table.aligns or len(table.rows) < len(self._table.rows)
        self._table = table
        self._draw(is_new or self._drawn is None)
        return True

    def height_for(self, width: int) -> int:
        """Content, and the scroll bar where there are many columns."""
        wanted = max(width, len(self._table.aligns) * self.theme.px(COLUMN_PX))
        bar = self.horizontalScrollBar().sizeHint().height() if wanted > width else 0
        return super().height_for(wanted) + bar

    def createMimeDataFromSelection(self) -> QMimeData:
        """Several cells are a table, wherever they are pasted."""
        row, rows, column, columns = cast("tuple[int, int, int, int]", self.textCursor().selectedTableCells())
        if rows < 1 or columns < 1:
            return super().createMimeDataFromSelection()
        cells = tuple(cells[column : column + columns] for cells in self._table.rows[row : row + rows])
        part = Table(cells, self._table.aligns[column : column + columns])
        return mime_data(html_of((part,)), table_as_markdown(part))

    def _draw(self, is_new: bool) -> None:
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        if is_new:
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.removeSelectedText()
            self._cells = []
            self._drawn = cursor.insertTable(1, len(self._table.aligns), self._format())
        assert self._drawn is not None
        missing = len(self._table.rows) - self._drawn.rows()
        if missing > 0:
            self._drawn.appendRows(missing)
        for number, row in enumerate(self._table.rows):
            if number >= len(self._cells):
                self._cells.append([None] * len(self._table.aligns))
            for column, spans in enumerate(row[: len(self._table.aligns)]):
                if self._cells[number][column] != spans:
                    self._cells[number][column] = spans
                    self._write_cell(self._drawn, number, column, spans)
        cursor.endEditBlock()

    def _write_cell(self, drawn: QTextTable, number: int, column: int, spans: Spans) -> None:
        cell = drawn.cellAt(number, column)
        px = self.theme.px
        look = QTextTableCellFormat()
        look.setTopPadding(px(4))  # a line has its extra height above its letters
        look.setBottomPadding(px(9))
        look.setLeftPadding(0 if column == 0 else px(12))
        look.setRightPadding(px(12))
        look.setBottomBorder(1)
        look.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        look.setBottomBorderBrush(QBrush(QColor(self.theme.tokens.outline if number == 0 else self.theme.tokens.line)))
        cell.setFormat(look)
        cursor = cell.firstCursorPosition()
        cursor.setPosition(cell.lastCursorPosition().position(), QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        style = Style(14, 600 if number == 0 else 400)
        paragraph = self.block_format(style)
        paragraph.setAlignment(_ALIGN.get(self._table.aligns[column], Qt.AlignmentFlag.AlignLeft))
        cursor.setBlockFormat(paragraph)
        self.write(cursor, spans, style)

    def _format(self) -> QTextTableFormat:
        look = QTextTableFormat()
        look.setBorder(0)
        look.setBorderCollapse(True)
        look.setCellSpacing(0)
        look.setHeaderRowCount(1)
        look.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        return look

    def _on_theme_changed(self) -> None:
        self.document().setDefaultFont(self.theme.font(14))
        if self._drawn is not None:
            self._cells = []
            self._draw(True)
