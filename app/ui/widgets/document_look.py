"""How the blocks of a document look as text: weights, indents, bullets, and the columns of a table."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontMetricsF, QTextBlockFormat, QTextCharFormat, QTextFormat, QTextOption

from app.documents.blocks import Block, Kind
from app.language.scripts import is_right_to_left
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.document_pieces import BY_LINE, Stretch

GROUND_PROPERTY = QTextFormat.Property.UserProperty.value + 1
"""What the view paints under a line: CODE_GROUND or ROW_GROUND, the rule of a table's row."""
CODE_GROUND, ROW_GROUND = 1, 2
LINE_PERCENT = 138
CODE_LINE_PERCENT = 126
INDENT_PX = 24
SAMPLED_ROWS = 200
WIDEST_CELL_PX = 480
HEADING_SIZES = {1: 18.0, 2: 16.5}
GAPS_PX = {Kind.HEADING: 18, Kind.LIST_ITEM: 5, Kind.NOTE: 8}
# Characters that Qt's documents take for structure; each becomes one that is only shown.
_ONLY_CHARACTERS = str.maketrans(
    {"\n": "\u2028", "\r": " ", "\u2029": "\u2028", "\0": "\ufffd", "\ufdd0": "\ufffd", "\ufdd1": "\ufffd"}
)


class Line(NamedTuple):
    """One paragraph of a text document. `mark` stands before the text and is not part of it."""

    mark: str
    text: str
    paragraph: QTextBlockFormat
    characters: QTextCharFormat
    mark_characters: QTextCharFormat


def units(text: str) -> int:
    """How many positions a text takes in Qt, which counts UTF-16."""
    return len(text) + sum(1 for character in text if character > "\uffff")


class DocumentLook:
    """Turns stretches into lines, for one theme; remembers the columns of tables."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._stops: dict[int, list[QTextOption.Tab]] = {}

    def forget(self) -> None:
        """Another document, or another theme."""
        self._stops.clear()

    def lines_of(self, stretch: Stretch) -> list[Line]:
        """A stretch as paragraphs; their texts and the breaks between them have the characters of the stretch."""
        block = stretch.block
        look = self._characters(block)
        if block.kind not in BY_LINE:
            mark = self._mark(block) if stretch.start == 0 else ""
            text = stretch.text.translate(_ONLY_CHARACTERS)
            return [Line(mark, text, self._paragraph(block, stretch, mark), look, self._muted(block))]
        lines = stretch.text.removesuffix("\n") if stretch.end < len(block.text) else stretch.text
        return [
            Line(
                "", line.translate(_ONLY_CHARACTERS), self._row(block, stretch, n), self._of_row(look, stretch, n), look
            )
            for n, line in enumerate(lines.split("\n"))
        ]

    def _characters(self, block: Block) -> QTextCharFormat:
        theme, look = self._theme, QTextCharFormat()
        look.setForeground(QColor(theme.tokens.text))
        match block.kind:
            case Kind.HEADING:
                look.setFont(theme.font(HEADING_SIZES.get(block.level, 15.0), 700 if block.level < 3 else 600))
            case Kind.CODE:
                look.setFont(theme.code_font(13))
            case Kind.TABLE:
                look.setFont(theme.font(13.5))
            case Kind.NOTE | Kind.CAPTION:
                look.setFont(theme.font(13))
                look.setForeground(QColor(theme.tokens.muted))
            case _:
                look.setFont(theme.font(14.5))
        return look

    def _muted(self, block: Block) -> QTextCharFormat:
        look = self._characters(block)
        look.setForeground(QColor(self._theme.tokens.muted))
        return look

    def _of_row(self, look: QTextCharFormat, stretch: Stretch, number: int) -> QTextCharFormat:
        if stretch.block.kind is not Kind.TABLE or stretch.start > 0 or number > 0:
            return look
        head = QTextCharFormat(look)
        head.setFont(self._theme.font(13.5, 600))
        return head

    def _paragraph(self, block: Block, stretch: Stretch, mark: str) -> QTextBlockFormat:
        px, look = self._theme.px, QTextBlockFormat()
        look.setLineHeight(LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        look.setTopMargin(px(GAPS_PX.get(block.kind, 12)) if stretch.start == 0 else 0)
        if block.kind is Kind.LIST_ITEM:
            look.setIndent(max(1, block.level))
            look.setTextIndent(-px(INDENT_PX) if mark else 0)
            look.setTabPositions([QTextOption.Tab(px(INDENT_PX), QTextOption.TabType.LeftTab)])
        return look

    def _row(self, block: Block, stretch: Stretch, number: int) -> QTextBlockFormat:
        px, look = self._theme.px, QTextBlockFormat()
        look.setNonBreakableLines(True)
        look.setLineHeight(CODE_LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        look.setTopMargin(px(14) if stretch.start == 0 and number == 0 else 0)
        # Left to right always: a tab in a right-to-left paragraph has no width, and code never runs the other way.
        look.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        if block.kind is Kind.CODE:
            look.setProperty(GROUND_PROPERTY, CODE_GROUND)
            look.setLeftMargin(px(10))
        else:
            look.setProperty(GROUND_PROPERTY, ROW_GROUND)
            look.setBottomMargin(px(8))
            look.setTabPositions(self._stops_of(block))
        return look

    def _stops_of(self, block: Block) -> list[QTextOption.Tab]:
        found = self._stops.get(block.id)
        if found is None:
            metrics = QFontMetricsF(self._theme.font(13.5, 600))
            longest: list[str] = []
            for line in block.text.split("\n", SAMPLED_ROWS)[:SAMPLED_ROWS]:
                for column, cell in enumerate(line.split("\t")):
                    if column == len(longest):
                        longest.append(cell)
                    elif len(cell) > len(longest[column]):
                        longest[column] = cell
            x, found = 0.0, []
            for cell in longest[:-1]:
                width = min(metrics.horizontalAdvance(cell[:200]) * 1.06, self._theme.px(WIDEST_CELL_PX))
                x += width + self._theme.px(18)
                found.append(QTextOption.Tab(x, QTextOption.TabType.LeftTab))
            self._stops[block.id] = found
        return found

    def _mark(self, block: Block) -> str:
        if block.kind is Kind.LIST_ITEM:
            # WORKAROUND: a tab in a right-to-left paragraph has no width
            gap = "\u2003" if is_right_to_left(block.text) else "\t"
            return (block.label.translate(_ONLY_CHARACTERS) or "•") + gap
        words = {"comment": tr("Comment"), "speaker notes": tr("Speaker notes")}.get(block.label)
        return f"{words}: " if block.kind is Kind.NOTE and words else ""
