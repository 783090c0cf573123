"""Table of an answer, which scrolls horizontally if it is wider than the column."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import cast

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import (
    QAccessible,
    QBrush,
    QColor,
    QFont,
    QPaintEvent,
    QTextCharFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
)
from PySide6.QtWidgets import QWidget

from app.language.scripts import is_right_to_left
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import join_list
from app.ui.screen_reader import CellPosition, SpokenPart, read_as
from app.ui.text.paragraph_styles import ProseStyle, table_format
from app.ui.text.pieces import MarkdownTable, Piece, Prose, ProseLine, Spans, StyledSpan
from app.ui.text.selectable import part_of_spans
from app.ui.text.text_view import TextView
from app.ui.theme import Theme

ONE_ROW, MANY_ROWS = "1 row", "{count} rows"
ONE_COLUMN, MANY_COLUMNS = "1 column", "{count} columns"
COLUMN_PX = 96
LEAST_PX = 240
"""Width of a table whose words take less."""
PADDING_PX = 16
"""Room at both sides of a cell; the first one begins where the text does."""
FULL_WIDTH = QTextLength(QTextLength.Type.PercentageLength, 100)
_ALIGN = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}


class TableView(TextView):
    """Table view; when it grows, only changed cells are rewritten.

    A continuation has no header, takes the column widths of the first part, and scrolls with it.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.table = MarkdownTable((), ())
        """The table shown."""
        self._drawn: QTextTable | None = None
        self._cells: list[list[Spans | None]] = []
        self._leader: TableView | None = None
        self._has_followers = False
        self._shares: tuple[float, ...] = ()
        self.scroll_sideways()
        self.setAccessibleName(tr("Table"))
        read_as(self, QAccessible.Role.Table)
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    def spoken_count(self) -> int:
        return self._drawn.rows() if self._drawn is not None else 0

    def spoken_part(self, number: int) -> SpokenPart:
        drawn = self._drawn
        assert drawn is not None
        role = QAccessible.Role.Cell if number or self.table.continues else QAccessible.Role.ColumnHeader
        cells = [drawn.cellAt(number, column).firstCursorPosition().block() for column in range(drawn.columns())]
        layout, corner = self.document().documentLayout(), self.viewport().pos()
        corner -= QPoint(self.horizontalScrollBar().value(), 0)
        places = [layout.blockBoundingRect(cell).toRect().translated(corner) for cell in cells]
        above = (self._leader or self) if role == QAccessible.Role.Cell else None
        parts = tuple(
            SpokenPart(
                role, cell.text(), place, parts=self.spoken_links(cell), cell=CellPosition(number, column, above)
            )
            for column, (cell, place) in enumerate(zip(cells, places, strict=True))
        )
        words = join_list([part.name for part in parts])
        whole = places[0].united(places[-1]) if places else QRect()
        return SpokenPart(QAccessible.Role.Row, words, whole, parts=parts)

    def set_table(self, table: MarkdownTable) -> bool:
        if table == self.table:
            return False
        is_same_kind = (table.aligns, table.continues) == (self.table.aligns, self.table.continues)
        is_new = not is_same_kind or len(table.rows) < len(self.table.rows)
        if (len(table.rows), len(table.aligns)) != (len(self.table.rows), len(self.table.aligns)):
            rows = tr_count(ONE_ROW, MANY_ROWS, len(table.rows) - int(table.continues))
            columns = tr_count(ONE_COLUMN, MANY_COLUMNS, len(table.aligns))
            self.setAccessibleName(join_list((tr("Table"), rows, columns)))
        self.table = table
        self._draw(is_new or self._drawn is None)
        return True

    def height_for(self, width: int) -> int:
        """Return the height at a width, with a scroll bar if there are many columns."""
        wanted = max(width, len(self.table.aligns) * self.theme.px(COLUMN_PX))
        # The first part's widths change while it grows, and are known after its layout only.
        if self._leader is not None and self._drawn is not None and self._leader.shares() != self._shares:
            self._shares = self._leader.shares()
            self._drawn.setFormat(self._format())
        if not self._is_alone or self._drawn is None:
            return self.height_in(width, wanted)
        self._set_width(QTextLength())
        height = self.height_in(width, wanted)
        words = math.ceil(self.document().documentLayout().frameBoundingRect(self._drawn).width())
        if words < wanted:
            least = min(self.theme.px(LEAST_PX), width)
            if words < least:
                self._set_width(QTextLength(QTextLength.Type.FixedLength, least))
            height = self.height_in(width, words)
        return height

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(self.reaching(event))

    @property
    def _is_alone(self) -> bool:
        """True if the table is only as wide as its words: one in several views needs equal columns."""
        return self._leader is None and not self._has_followers

    def _set_width(self, width: QTextLength) -> None:
        assert self._drawn is not None
        look = self._drawn.format()
        if look.width() != width:
            look.setWidth(width)
            self._drawn.setFormat(look)

    def mark(self, start: int, end: int) -> None:
        # A selection that starts or ends outside of the table covers whole rows.
        drawn, length = self._drawn, self.length
        if drawn is not None and start != end and (min(start, end) == 0 or max(start, end) == length):
            first, last = (self._row_at(min(start, end), 0), self._row_at(max(start, end), drawn.rows() - 1))
            start = drawn.cellAt(first, 0).firstPosition()
            end = drawn.cellAt(last, drawn.columns() - 1).lastPosition()
        super().mark(start, end)

    def selected(self) -> list[Piece]:
        """Return the selection: several cells are a table, text in one cell is prose."""
        cursor = self.textCursor()
        if (drawn := self._drawn) is None or not cursor.hasSelection():
            return []
        first, last = drawn.cellAt(cursor.selectionStart()), drawn.cellAt(cursor.selectionEnd())
        row, rows, column, columns = cast("tuple[int, int, int, int]", cursor.selectedTableCells())
        if rows < 1 and first.isValid() and first == last:
            block = self.document().findBlock(cursor.selectionStart())
            start, end = cursor.selectionStart() - block.position(), cursor.selectionEnd() - block.position()
            return [Prose((ProseLine(part_of_spans(self._rows[first.row()][first.column()], block, start, end)),))]
        if rows < 1:  # the selection exceeds the table
            row, rows, column, columns = 0, drawn.rows(), 0, drawn.columns()
        shown = self._rows[row : row + rows]
        cells = tuple(row[column : column + columns] for row in [*self.table.rows[: self._headless], *shown])
        return [replace(self.table, rows=cells, aligns=self.table.aligns[column : column + columns])]

    def follow_table(self, table: TableView) -> TableView:
        """Continue another table: share its column widths and scrolling. Return the first part, which may need another
        height.
        """
        if self._leader is None:
            self._leader = table._leader or table
            if self._leader._is_alone:
                self._leader._has_followers = True
                self._leader._set_width(FULL_WIDTH)
            ours, theirs = self.horizontalScrollBar(), table.horizontalScrollBar()
            theirs.valueChanged.connect(ours.setValue)
            ours.valueChanged.connect(theirs.setValue)
        return self._leader

    def shares(self) -> tuple[float, ...]:
        """Return the column widths in percent of the whole table."""
        if self._drawn is None or self._leader is not None:
            return self._shares
        layout, left = self.document().documentLayout(), self.theme.px(PADDING_PX)
        first = [self._drawn.cellAt(0, column).firstCursorPosition().block() for column in range(self._drawn.columns())]
        begins = [0.0, *(layout.blockBoundingRect(block).left() - left for block in first[1:])]
        whole = max(self.document().textWidth(), 1.0)
        return tuple(round(100 * (end - begin) / whole, 3) for begin, end in pairwise([*begins, whole]))

    @property
    def _headless(self) -> int:
        """Number of leading rows shown by the table before."""
        return int(self.table.continues)

    @property
    def _rows(self) -> Sequence[tuple[Spans, ...]]:
        return self.table.rows[self._headless :]

    def _row_at(self, position: int, otherwise: int) -> int:
        cell = self._drawn.cellAt(position) if self._drawn is not None else None
        return cell.row() if cell is not None and cell.isValid() else otherwise

    def _draw(self, is_new: bool) -> None:
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        if is_new:
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.removeSelectedText()
            self._cells = []
            self._drawn = cursor.insertTable(1, len(self.table.aligns), self._format())
        assert self._drawn is not None
        missing = len(self._rows) - self._drawn.rows()
        if missing > 0:
            self._drawn.appendRows(missing)
        for number, row in enumerate(self._rows):
            if number >= len(self._cells):
                self._cells.append([None] * len(self.table.aligns))
            for column, spans in enumerate(row[: len(self.table.aligns)]):
                if self._cells[number][column] != spans:
                    self._cells[number][column] = spans
                    self._write_cell(self._drawn, number, column, spans)
        cursor.endEditBlock()

    def _write_cell(self, drawn: QTextTable, number: int, column: int, spans: Spans) -> None:
        cell = drawn.cellAt(number, column)
        px = self.theme.px
        look = QTextTableCellFormat()
        look.setTopPadding(px(3))  # a line has its extra height above the letters
        look.setBottomPadding(px(8))
        look.setLeftPadding(0 if column == 0 else px(PADDING_PX))
        look.setRightPadding(px(PADDING_PX))
        look.setBottomBorder(1)
        look.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        is_header = number == 0 and not self._headless
        look.setBottomBorderBrush(QBrush(QColor(self.theme.tokens.outline if is_header else self.theme.tokens.line)))
        cell.setFormat(look)
        cursor = cell.firstCursorPosition()
        cursor.setPosition(cell.lastCursorPosition().position(), QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        style = ProseStyle(14, 600 if is_header else 400)
        paragraph = self.block_format(style)
        paragraph.setAlignment(_ALIGN.get(self.table.aligns[column], Qt.AlignmentFlag.AlignLeft))
        cursor.setBlockFormat(paragraph)
        self.write(cursor, spans, style)

    def _format(self) -> QTextTableFormat:
        look = table_format()
        look.setWidth(QTextLength() if self._is_alone else FULL_WIDTH)
        words = " ".join(span.text for row in self.table.rows[:2] for cell in row for span in cell)
        look.setAlignment(Qt.AlignmentFlag.AlignRight if is_right_to_left(words) else Qt.AlignmentFlag.AlignLeft)
        look.setHeaderRowCount(1 - self._headless)
        look.setColumnWidthConstraints(
            [QTextLength(QTextLength.Type.PercentageLength, share) for share in self._shares]
        )
        return look

    def char_format(self, span: StyledSpan, style: ProseStyle) -> QTextCharFormat:
        look = super().char_format(span, style)
        font = look.font()
        # So that digits stand below each other.
        font.setFeature(QFont.Tag("tnum"), 1)
        look.setFont(font)
        return look

    def spans(self) -> Iterator[StyledSpan]:
        return (span for row in self.table.rows for cell in row for span in cell)

    def rewrite(self) -> None:
        if self._drawn is not None:
            self._cells = []
            self._draw(True)

    def _on_theme_changed(self) -> None:
        self.document().setDefaultFont(self.theme.font("row"))
        self.rewrite()
