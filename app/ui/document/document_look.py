"""Formats of a document's blocks: weights, indents, bullets, and table columns."""

from __future__ import annotations

import re
from typing import NamedTuple

from PySide6.QtGui import QFontMetricsF, QTextBlockFormat, QTextCharFormat, QTextOption

from app.documents.blocks import Block, BlockKind
from app.ui.document.block_ranges import BY_LINE, BlockRange
from app.ui.i18n import tr
from app.ui.text.formats import block_format, char_format, marker_of
from app.ui.theme import Theme
from app.ui.widgets.spoken_views import CODE_GROUND, GROUND_PROPERTY, ROW_GROUND

LINE_PERCENT = 138
CODE_LINE_PERCENT = 126
INDENT_PX = 24
SAMPLED_ROWS = 200
WIDEST_CELL_PX = 480
HEADING_SIZES = {1: 18.0, 2: 16.5}
GAPS_PX = {BlockKind.HEADING: 18, BlockKind.LIST_ITEM: 5, BlockKind.NOTE: 8}
_SPOKEN = re.compile(r"(\d+:\d\d(?::\d\d)?) – ")
"""Time label of a passage in a recording."""
# Characters that structure Qt's documents, replaced by ones that are only displayed.
_ONLY_CHARACTERS = str.maketrans(
    {"\n": "\u2028", "\r": " ", "\u2029": "\u2028", "\0": "\ufffd", "\ufdd0": "\ufffd", "\ufdd1": "\ufffd"}
)


class DocumentLine(NamedTuple):
    """A paragraph of the text document. `mark` precedes the text and isn't part of it."""

    mark: str
    text: str
    paragraph: QTextBlockFormat
    characters: QTextCharFormat
    mark_characters: QTextCharFormat


class DocumentLook:
    """Format ranges as lines for a theme; caches the column widths of tables."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._tab_stops: dict[int, list[QTextOption.Tab]] = {}

    def forget(self) -> None:
        """Drop the cached columns, for another document or theme."""
        self._tab_stops.clear()

    def lines_of(self, block_range: BlockRange) -> list[DocumentLine]:
        """Return a range as paragraphs; their texts, joined by breaks, equal the range's characters."""
        block = block_range.block
        look = self._characters(block)
        if block.kind not in BY_LINE:
            mark = self._mark(block) if block_range.start == 0 else ""
            text = block_range.text.translate(_ONLY_CHARACTERS)
            return [DocumentLine(mark, text, self._paragraph(block, block_range, mark), look, self._muted(block))]
        # The break between two ranges becomes the end of Qt's block.
        lines = block_range.text.removesuffix("\n") if block_range.end < len(block.text) else block_range.text
        return [
            DocumentLine(
                "",
                line.translate(_ONLY_CHARACTERS),
                self._row(block, block_range, n),
                self._of_row(look, block_range, n),
                look,
            )
            for n, line in enumerate(lines.split("\n"))
        ]

    def _characters(self, block: Block) -> QTextCharFormat:
        theme, color = self._theme, self._theme.tokens.text
        match block.kind:
            case BlockKind.HEADING:
                font = theme.fonts.text(HEADING_SIZES.get(block.level, 15.0), 700 if block.level < 3 else 600)
            case BlockKind.CODE:
                font = theme.fonts.code(13)
            case BlockKind.TABLE:
                font = theme.font("small")
            case BlockKind.NOTE | BlockKind.CAPTION:
                font, color = theme.font("small"), theme.tokens.muted
            case _:
                font = theme.font("row")
        return char_format(font, color)

    def _muted(self, block: Block) -> QTextCharFormat:
        return char_format(self._characters(block).font(), self._theme.tokens.muted)

    def _of_row(self, look: QTextCharFormat, block_range: BlockRange, number: int) -> QTextCharFormat:
        if block_range.block.kind is not BlockKind.TABLE or block_range.start > 0 or number > 0:
            return look
        head = QTextCharFormat(look)
        head.setFont(self._theme.font("group"))
        return head

    def _paragraph(self, block: Block, block_range: BlockRange, mark: str) -> QTextBlockFormat:
        px = self._theme.px
        look = block_format(LINE_PERCENT, px(GAPS_PX.get(block.kind, 12)) if block_range.start == 0 else 0)
        if block.kind is BlockKind.LIST_ITEM:
            look.setIndent(max(1, block.level))
            look.setTextIndent(-px(INDENT_PX) if mark else 0)
            look.setTabPositions([QTextOption.Tab(px(INDENT_PX), QTextOption.TabType.LeftTab)])
        return look

    def _row(self, block: Block, block_range: BlockRange, number: int) -> QTextBlockFormat:
        px = self._theme.px
        # Always left to right: tabs have no width in a right-to-left paragraph, and code is never written that way.
        look = block_format(CODE_LINE_PERCENT, px(14) if block_range.start == 0 and number == 0 else 0, is_rtl=False)
        look.setNonBreakableLines(True)
        if block.kind is BlockKind.CODE:
            look.setProperty(GROUND_PROPERTY, CODE_GROUND)
            look.setLeftMargin(px(10))
        else:
            look.setProperty(GROUND_PROPERTY, ROW_GROUND)
            look.setBottomMargin(px(8))
            look.setTabPositions(self._tab_stops_of(block))
        return look

    def _tab_stops_of(self, block: Block) -> list[QTextOption.Tab]:
        if (found := self._tab_stops.get(block.id)) is None:
            # In the bold font of the header row, which is the wider one.
            metrics = QFontMetricsF(self._theme.font("group"))
            longest: list[str] = []
            # The first rows only, as a table may be a whole sheet.
            for line in block.text.split("\n", SAMPLED_ROWS)[:SAMPLED_ROWS]:
                for column, cell in enumerate(line.split("\t")):
                    if column == len(longest):
                        longest.append(cell)
                    elif len(cell) > len(longest[column]):
                        longest[column] = cell
            x, found = 0.0, []
            for cell in longest[:-1]:
                # The longest cell was chosen by its characters; another one may be a little wider.
                width = min(metrics.horizontalAdvance(cell[:200]) * 1.06, self._theme.px(WIDEST_CELL_PX))
                x += width + self._theme.px(18)
                found.append(QTextOption.Tab(x, QTextOption.TabType.LeftTab))
            self._tab_stops[block.id] = found
        return found

    def _mark(self, block: Block) -> str:
        if block.kind is BlockKind.LIST_ITEM:
            return marker_of(block.label.translate(_ONLY_CHARACTERS) or "•", block.text)
        spoken = _SPOKEN.match(block.label) if block.kind is BlockKind.PARAGRAPH else None
        if spoken is not None:
            return spoken[1] + 2 * "\u2002"
        words = {"comment": tr("Comment"), "speaker notes": tr("Speaker notes")}.get(block.label)
        return f"{words}: " if block.kind is BlockKind.NOTE and words else ""
