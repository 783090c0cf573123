"""Rows laid out for the width of now: both texts, and under the translation its flags with their links."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.documents.segments import SegmentKind
from app.features.translation.result import Origin
from app.ui.theme import Theme
from app.ui.translate.flag_texts import Remedy, Told, told
from app.ui.translate.side_by_side_cell import Cell
from app.ui.translate.side_by_side_model import RowsModel
from app.ui.translate.side_by_side_text import Writing, Written, coloured

if TYPE_CHECKING:
    from app.features.translation.stored import Row

PITCH_PX = 26.0
FLAG_PITCH_PX = 22.0
FLAG_PX = 13.0
EDGE_PX = 22
GAP_PX = 8
"""Above and below the texts of a row."""
HEADING_GAP_PX = 14
"""More of it above a heading."""
MOST_KEPT = 400
DOT = "\u00a0\u00b7 "


@dataclass(frozen=True)
class Link:
    """A remedy in a flag's line: which, and from where to where it stands."""

    told: Told
    remedy: Remedy
    words: str
    start: int
    end: int


@dataclass
class FlagLine:
    """A flag under its translation."""

    cell: Cell
    links: tuple[Link, Link]


@dataclass
class LaidRow:
    """Heights in pixels of the screen."""

    source: Cell
    target: Cell
    top_px: float
    height_px: int
    flags: list[FlagLine] = field(default_factory=list)

    @property
    def links(self) -> list[Link]:
        """All of the row."""
        return [link for line in self.flags for link in line.links]


class Rows:
    """Keeps what was laid out until it changes. `rtl` says of both columns where text begins; None: by itself."""

    def __init__(self, theme: Theme, model: RowsModel) -> None:
        self._theme, self._model = theme, model
        self._writing = Writing(theme)
        self._kept: OrderedDict[int, LaidRow] = OrderedDict()
        self._widths = (300, 300)
        self.rtl: tuple[bool | None, bool | None] = (None, None)

    def set_widths(self, widths: tuple[int, int]) -> bool:
        """How wide the columns are; whether that is news."""
        if widths == self._widths:
            return False
        self._widths = widths
        self._kept.clear()
        return True

    def forget(self, number: int | None = None) -> None:
        """A row looks different, or all do."""
        if number is None:
            self._kept.clear()
        else:
            self._kept.pop(number, None)

    def row(self, number: int) -> LaidRow:
        """A row laid out."""
        found = self._kept.get(number)
        if found is None:
            found = self._kept[number] = self._lay_out(number)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(number)
        return found

    def _lay_out(self, number: int) -> LaidRow:
        row = self._model.row(number)
        px = self._theme.px
        gap, pitch = px(GAP_PX), float(px(PITCH_PX))
        if row is None:
            empty = Cell(self._writing.write_plain(""), self._room(0), pitch)
            return LaidRow(empty, empty, gap, round(pitch) + 2 * gap)
        kind, level = row.segment.kind, row.segment.level
        source = Cell(self._writing.write(row.segment.content, kind, level), self._room(0), pitch, is_rtl=self.rtl[0])
        is_kept = row.translated is not None and row.translated.origin is Origin.KEPT  # in the source's language
        target = Cell(self._target(number, row), self._room(1), pitch, is_rtl=self.rtl[0 if is_kept else 1])
        flags = [] if self._model.growing(number) is not None else self._flags(row)
        top = gap + (px(HEADING_GAP_PX) if kind is SegmentKind.HEADING and number else 0)
        under = target.height_px + sum(line.cell.height_px for line in flags)
        return LaidRow(source, target, top, round(top + gap + max(source.height_px, under)), flags)

    def _target(self, number: int, row: Row) -> Written:
        growing = self._model.growing(number)
        if growing is not None:
            return self._writing.write_plain(growing or "…", is_muted=True)
        if row.translated is None:
            return self._writing.write_plain("")
        return self._writing.write(row.translated.content, row.segment.kind, row.segment.level)

    def _flags(self, row: Row) -> list[FlagLine]:
        return [self._flag(one) for one in told(row.segment, row.translated, self._model.language)]

    def _flag(self, one: Told) -> FlagLine:
        color, theme = self._theme.tokens.warning, self._theme
        written = Written("", [], set(), theme.font(FLAG_PX, 500))
        plain, link = coloured(color), coloured(color)
        link.setFontWeight(600)
        written.add_glyph("flag-fill", color)
        written.add(f"\u00a0 {one.reason} ", plain)
        links = []
        for number, (remedy, words) in enumerate(one.remedies):
            if number:
                written.add(DOT, plain)
            start = len(written.text)
            written.add(words.replace(" ", "\u00a0"), link)
            links.append(Link(one, remedy, words, start, len(written.text)))
        room, pitch = self._room(1), float(theme.px(FLAG_PITCH_PX))
        cell = Cell(written, room, pitch, is_rtl=False, is_at_right=bool(self.rtl[1]))
        return FlagLine(cell, (links[0], links[1]))

    def _room(self, column: int) -> float:
        return float(self._widths[column] - 2 * self._theme.px(EDGE_PX))
