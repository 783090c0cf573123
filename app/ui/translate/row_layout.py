"""Rows laid out at the current width: both texts, and flags with links under the translation."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QTextCharFormat, QTextLayout, QTextOption

from app.core.lazy_dataclasses import dataclass, field
from app.documents.segments import SegmentKind
from app.features.translate.translation_events import TranslationSource
from app.language.scripts import is_right_to_left
from app.ui.text.formats import char_format
from app.ui.text.line_ranges import ranges_by_line
from app.ui.theme import Theme
from app.ui.translate.rows import RowsModel
from app.ui.translate.segment_layout import SegmentLayout, SegmentWriter
from app.ui.translate.translation_texts import Remedy, ShownFlag, shown_flags
from app.ui.utf16 import characters_before, utf16_length

if TYPE_CHECKING:
    from app.features.translate.translation_events import Row


class RowCell:
    """Layout of a cell.

    `is_rtl` None follows the first letter; `is_at_right` aligns right in any case. Positions are characters.
    """

    def __init__(
        self,
        written: SegmentLayout,
        width_px: float,
        pitch_px: float,
        *,
        is_rtl: bool | None = None,
        is_at_right: bool = False,
    ) -> None:
        self.written = written
        self._layout = QTextLayout(written.text, written.font)
        self._layout.setFormats(written.formats)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        runs_left = is_right_to_left(written.text) if is_rtl is None else is_rtl
        option.setTextDirection(Qt.LayoutDirection.RightToLeft if runs_left else Qt.LayoutDirection.LeftToRight)
        side = Qt.AlignmentFlag.AlignRight if runs_left or is_at_right else Qt.AlignmentFlag.AlignLeft
        # Absolute, since Qt swaps left and right in right-to-left text.
        option.setAlignment(side | Qt.AlignmentFlag.AlignAbsolute)
        self._layout.setTextOption(option)
        # A row is painted far more often than it is laid out.
        self._layout.setCacheEnabled(True)
        self.height_px = self._lay_out(max(1.0, width_px), pitch_px)

    def _lay_out(self, width_px: float, pitch_px: float) -> float:
        top = 0.0
        self._layout.beginLayout()
        while True:
            line = self._layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(width_px)
            # Glyphs and letters of other scripts may be higher than the line.
            high = max(pitch_px, line.height())
            line.setPosition(QPointF(0, top + (high - line.height()) / 2))
            top += high
        self._layout.endLayout()
        return top

    def paint(self, painter: QPainter, at: QPointF, marked: list[tuple[int, int, QTextCharFormat]]) -> None:
        """Paint the text; `marked` are ranges with their look."""
        painter.setPen(QColor(Qt.GlobalColor.black))  # for text without a colour of its own, of which there is none
        self._layout.draw(painter, at, [self._range(*mark) for mark in marked])

    def position_at(self, point: QPointF) -> int:
        """Return the character position nearest to a point in the layout's coordinates."""
        count = self._layout.lineCount()
        for number in range(count):
            line = self._layout.lineAt(number)
            if point.y() < line.y() + line.height() or number == count - 1:
                return characters_before(self.written.text, line.xToCursor(point.x()))
        return 0

    def rect_of(self, start: int, end: int) -> list[QRectF]:
        """Return the rectangles of a range, one per line."""
        text = self.written.text
        lines = ranges_by_line(self._layout, utf16_length(text[:start]), utf16_length(text[:end]))
        return [QRectF(left, line.y(), width, line.height()) for line, left, width in lines]

    def _range(self, start: int, end: int, look: QTextCharFormat) -> QTextLayout.FormatRange:
        text = self.written.text
        layout_range = QTextLayout.FormatRange()
        layout_range.start = utf16_length(text[:start])
        layout_range.length = utf16_length(text[start:end])
        layout_range.format = look
        return layout_range


PITCH_PX = 26.0
FLAG_PITCH_PX = 22.0
FLAG_PX = 13.0
EDGE_PX = 22
GAP_PX = 8
"""Space above and below the texts of a row."""
HEADING_GAP_PX = 14
"""Extra space above a heading."""
MOST_KEPT = 400
DOT = "\u00a0\u00b7 "


@dataclass(frozen=True)
class Link:
    """A remedy in a flag's line, with its range."""

    shown: ShownFlag
    remedy: Remedy
    words: str
    start: int
    end: int


@dataclass
class FlagLine:
    """A flag shown under a translation: its line and the links in it."""

    cell: RowCell
    links: tuple[Link, Link]


@dataclass
class LaidRow:
    """Layout of a row's two texts and its flags; heights in screen pixels."""

    source: RowCell
    target: RowCell
    top_px: float
    height_px: int
    flags: list[FlagLine] = field(default_factory=list)

    @property
    def links(self) -> list[Link]:
        return [link for line in self.flags for link in line.links]


class Rows:
    """Cache of row layouts. `rtl` sets the direction of each column; None detects it."""

    def __init__(self, theme: Theme, model: RowsModel) -> None:
        self._theme, self._model = theme, model
        self._writing = SegmentWriter(theme)
        self._layouts: OrderedDict[int, LaidRow] = OrderedDict()
        self._widths = (300, 300)
        self.rtl: tuple[bool | None, bool | None] = (None, None)

    def set_widths(self, widths: tuple[int, int]) -> bool:
        """Set the column widths; return True if they changed."""
        if widths == self._widths:
            return False
        self._widths = widths
        self._layouts.clear()
        return True

    def forget(self, number: int | None = None) -> None:
        """Drop the layout of a row, or of all for None."""
        if number is None:
            self._layouts.clear()
        else:
            self._layouts.pop(number, None)

    def row(self, number: int) -> LaidRow:
        if (found := self._layouts.get(number)) is None:
            found = self._layouts[number] = self._lay_out(number)
            if len(self._layouts) > MOST_KEPT:
                self._layouts.popitem(last=False)
        else:
            self._layouts.move_to_end(number)
        return found

    def _lay_out(self, number: int) -> LaidRow:
        row = self._model.row(number)
        px = self._theme.px
        gap, pitch = px(GAP_PX), float(px(PITCH_PX))
        if row is None:
            empty = RowCell(self._writing.write_plain(""), self._room(0), pitch)
            return LaidRow(empty, empty, gap, round(pitch) + 2 * gap)
        kind, level = row.segment.kind, row.segment.level
        source = RowCell(
            self._writing.write(row.segment.content, kind, level), self._room(0), pitch, is_rtl=self.rtl[0]
        )
        is_kept = (
            row.translated is not None and row.translated.origin is TranslationSource.KEPT
        )  # in the source language
        target = RowCell(self._target(number, row), self._room(1), pitch, is_rtl=self.rtl[0 if is_kept else 1])
        flags = [] if self._model.growing(number) is not None else self._flags(row)
        top = gap + (px(HEADING_GAP_PX) if kind is SegmentKind.HEADING and number else 0)
        under = target.height_px + sum(line.cell.height_px for line in flags)
        return LaidRow(source, target, top, round(top + gap + max(source.height_px, under)), flags)

    def _target(self, number: int, row: Row) -> SegmentLayout:
        if (growing := self._model.growing(number)) is not None:
            return self._writing.write_plain(growing or "…", is_muted=True)
        if row.translated is None:
            return self._writing.write_plain("")
        return self._writing.write(row.translated.content, row.segment.kind, row.segment.level)

    def _flags(self, row: Row) -> list[FlagLine]:
        return [self._flag(shown_flag) for shown_flag in shown_flags(row.segment, row.translated, self._model.language)]

    def _flag(self, flag: ShownFlag) -> FlagLine:
        color, theme = self._theme.tokens.warning, self._theme
        written = SegmentLayout("", [], set(), theme.fonts.text(FLAG_PX, 500))
        plain, link = char_format(None, color), char_format(None, color)
        link.setFontWeight(600)
        written.add_glyph("flag-fill", color)
        written.add(f"\u00a0 {flag.reason} ", plain)
        links = []
        for number, (remedy, words) in enumerate(flag.remedies):
            if number:
                written.add(DOT, plain)
            start = len(written.text)
            # No-break spaces, so that a link is never split over two lines.
            written.add(words.replace(" ", "\u00a0"), link)
            links.append(Link(flag, remedy, words, start, len(written.text)))
        room, pitch = self._room(1), float(theme.px(FLAG_PITCH_PX))
        cell = RowCell(written, room, pitch, is_rtl=False, is_at_right=bool(self.rtl[1]))
        return FlagLine(cell, (links[0], links[1]))

    def _room(self, column: int) -> float:
        return float(self._widths[column] - 2 * self._theme.px(EDGE_PX))
