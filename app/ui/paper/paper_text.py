"""A chat as one text document for sheets of paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from PySide6.QtCore import QRectF, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextImageFormat,
    QTextOption,
    QTextTable,
    QTextTableCellFormat,
)

from app.language.scripts import is_right_to_left
from app.ui.paper.page_breaks import LaidOutText, RangeBackground
from app.ui.paper.paper_formulas import COLOUR, SOURCE, PaperFormulas
from app.ui.paper.sheets import TEXT_PT, Sheets, paper_font
from app.ui.text import formula
from app.ui.text.code_colours import MAX_CHARACTERS, coloured_lines, find_lexer
from app.ui.text.formats import as_one_paragraph, char_format, marker_of
from app.ui.text.markdown import MarkdownBlock, MarkdownStream
from app.ui.text.paragraph_styles import ParagraphSizes, ProseStyle, span_format, table_format
from app.ui.text.pieces import Code, Fold, MarkdownTable, Piece, Prose, ProseLine, Spans, StyledSpan
from app.ui.theme import LIGHT
from app.ui.theme_fonts import CODE_FAMILY, FAMILY

LINE_PERCENT, CODE_LINE_PERCENT = 130, 122
NOTE_PT = 8.8
CODE_PT = 8.6
HANG_PT = 4 * 0.6 * CODE_PT
"""Hanging indent of broken code lines, and tab width: four characters."""
SIZES = ParagraphSizes(
    text=TEXT_PT,
    note=NOTE_PT,
    headings={1: (14.5, 600), 2: (13.0, 600), 3: (11.8, 600), 4: (TEXT_PT, 600), 5: (TEXT_PT, 600), 6: (TEXT_PT, 600)},
    gap=6.5,
    major_gap=14,
    minor_gap=10,
    heading_gap=3,
    item_gap=3,
    rule_gap=6,
    note_gap=2,
)
FIRST_GAP_PT = 5
TABLE_PT = (9.2, 8.2, 7.2)
"""Font size of tables with up to 6, up to 9, and more columns."""
INDENT_PT = 18
PAD_PT = 8
"""Padding between a box and its text."""
CHARACTERS = 5_000
"""Characters per text document; a longer chat is split, as one document is laid out at a time."""
_FORMULA = QTextFormat.ObjectTypes.UserObject.value + 1
_ALIGN = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    # Absolute, as Qt turns plain sides around in right-to-left text.
    "right": Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute,
}
PLAIN = ProseStyle(TEXT_PT)


def answer_texts(sheets: Sheets, markdown: str, *, before: PaperText | None = None) -> Iterator[LaidOutText]:
    """Lay out Markdown as consecutive text documents, continuing `before` if given.

    Formulas are typeset here, so don't call it on the window's thread.
    """
    stream = MarkdownStream()
    stream.feed(markdown)
    stream.finish()
    paper = before or PaperText(sheets)
    for piece in _pieces(stream.closed):
        if paper.length > CHARACTERS and not paper.ends_with_heading:
            yield paper.laid_out()
            paper = PaperText(sheets, after=paper)
        paper.add(piece)
    yield paper.laid_out()


def _pieces(blocks: Sequence[MarkdownBlock]) -> Iterator[Piece]:
    """Yield prose line by line, and tables joined again that were split for the window."""
    table: MarkdownTable | None = None
    for block in blocks:
        for piece in block.pieces:
            if table is not None and isinstance(piece, MarkdownTable) and block.context.header:
                table = replace(table, rows=table.rows + piece.rows[1:])
                continue
            if table is not None:
                yield table
            table = piece if isinstance(piece, MarkdownTable) else None
            if isinstance(piece, Prose):
                yield from (Prose((line,)) for line in piece.lines)
            elif table is None:
                yield piece
    if table is not None:
        yield table


class PaperText:
    """Writer of one text document for `sheets`: a chat, or a part of one."""

    def __init__(self, sheets: Sheets, *, after: PaperText | None = None) -> None:
        self._sheets = sheets
        self._document = sheets.new_document()
        formulas = sheets.painter(_FORMULA, lambda: PaperFormulas(sheets))
        assert isinstance(formulas, PaperFormulas)
        # The document is used again, and what it held before has been painted.
        formulas.forget()
        self._formulas = formulas
        self._document.setIndentWidth(sheets.in_format(INDENT_PT))
        self._cursor = QTextCursor(self._document)
        self._cursor.beginEditBlock()  # laid out once, at the end
        self._is_empty, self._is_first = True, True
        self._gap_pt: float = after._gap_pt if after is not None else 0.0
        self._above_pt = 0.0
        """Gap to the next block; before the first, the gap above the document."""
        self._grounds: list[tuple[int, int, str]] = []
        """First block, last block and kind of each background."""
        self._quotes: list[tuple[int, int, int]] = []
        """Block, depth of quotes and depth of lists."""
        self._tables: list[QTextTable] = []
        self._last: ProseLine | None = after._last if after is not None else None
        self.length = 0
        """Number of characters so far."""

    @property
    def ends_with_heading(self) -> bool:
        """True if the last paragraph is a heading, which must not be parted from its text."""
        return self._last is not None and self._last.kind == "heading"

    def add(self, piece: Piece) -> None:
        """Append a piece of Markdown; on paper, the end of a fold is nothing."""
        match piece:
            case Prose():
                for line in piece.lines:
                    self.line(line)
            case Code():
                self.code(piece)
            case MarkdownTable():
                self.table(piece)
            case Fold():
                self.line(ProseLine((StyledSpan(piece.title, bold=True),)))

    def line(self, line: ProseLine) -> None:
        """Append a paragraph, heading, list item, formula or rule."""
        look, format_ = SIZES.style_of(line, LIGHT), QTextBlockFormat()
        format_.setIndent(line.depth + line.quote)
        if line.kind == "heading":
            format_.setHeadingLevel(line.level)
        if line.kind == "formula":
            format_.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        if line.marker:
            format_.setTextIndent(-self._sheets.pt(INDENT_PT))
            format_.setTabPositions([QTextOption.Tab(self._sheets.in_format(INDENT_PT), QTextOption.TabType.LeftTab)])
        gap = SIZES.gap_between(self._last, line) if self._last is not None else FIRST_GAP_PT
        number = self.paragraph(line.spans, look, format_, gap_pt=gap, marker=line.marker)
        if line.quote:
            self._quotes.append((number, line.quote, line.depth))
        if line.kind == "rule":
            self._grounds.append((number, number, "rule"))
        self._last = line

    def paragraph(
        self,
        spans: Spans,
        look: ProseStyle = PLAIN,
        format_: QTextBlockFormat | None = None,
        *,
        gap_pt: float = 0.0,
        marker: str = "",
    ) -> int:
        """Append a paragraph with a gap above; return its block number."""
        number = self._begin(format_ or QTextBlockFormat(), look, gap_pt)
        if marker:
            muted = self._format(StyledSpan(""), replace(look, color=LIGHT.muted))
            self._cursor.insertText(marker_of(marker, "".join(span.text for span in spans)), muted)
        self._write(self._cursor, spans, look)
        return number

    def go_on(self, spans: Spans, look: ProseStyle) -> None:
        """Append runs to the current paragraph, such as the time behind a name."""
        self._write(self._cursor, spans, look)

    def typed(self, text: str) -> None:
        """Append a user's message, verbatim, in a box, a paragraph per line."""
        # An empty document has its first block already.
        first = number = self._document.blockCount() - (1 if self._is_empty else 0)
        for at, words in enumerate(text.strip("\n").split("\n")):
            format_ = self._on_ground()
            number = self.paragraph((StyledSpan(words),), PLAIN, format_, gap_pt=PAD_PT + 4 if not at else 0)
        self._grounds.append((first, number, "bubble"))
        self._last, self._gap_pt = None, PAD_PT

    def picture(self, image: QImage, most_pt: tuple[float, float] = (300.0, 240.0)) -> None:
        """Append a picture at 96 pixels per inch, shrunk to fit."""
        self.paragraph((), gap_pt=4)
        # At 96 pixels per inch, one is three quarters of a point.
        scale = min(0.75, most_pt[0] / image.width(), most_pt[1] / image.height())
        name = f"picture:{image.cacheKey()}"
        self._document.addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(name), image)
        shown = QTextImageFormat()
        shown.setName(name)
        shown.setWidth(self._sheets.in_format(scale * image.width()))
        shown.setHeight(self._sheets.in_format(scale * image.height()))
        self._cursor.insertImage(shown)
        self._gap_pt = 4

    def said_small(self, text: str, *, quote: int = 0) -> None:
        """Append a longer text in small print: thinking or instructions."""
        for words in text.strip("\n").split("\n"):
            self.line(ProseLine((StyledSpan(words),) if words else (), "note", quote=quote))
        self._last = None

    def code(self, code: Code) -> None:
        """Append a code block; long lines are broken with a hanging indent."""
        lines, lexer = code.text.split("\n"), find_lexer(code.language)
        colours = dict(filter(None, coloured_lines(lexer, code.text))) if lexer and _is_short(code.text) else {}
        places = (self._sheets.in_format(HANG_PT * step) for step in range(1, 12))
        tabs = [QTextOption.Tab(place, QTextOption.TabType.LeftTab) for place in places]
        first = number = self._document.blockCount() - (1 if self._is_empty else 0)
        for at, words in enumerate(lines):
            format_ = self._on_ground(code.depth)
            # Code runs from left to right in every language.
            format_.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
            format_.setLineHeight(CODE_LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            format_.setLeftMargin(format_.leftMargin() + self._sheets.pt(HANG_PT))
            format_.setTextIndent(-self._sheets.pt(HANG_PT))
            format_.setTabPositions(tabs)
            number = self._begin(format_, ProseStyle(CODE_PT), 0 if at else PAD_PT + 7)
            self._write_code(words, colours.get(at, ()))
        self._grounds.append((first, number, "code"))
        self._last, self._gap_pt = None, PAD_PT

    def table(self, table: MarkdownTable) -> None:
        """Append a table whose header row repeats on each page."""
        if not table.rows:
            return
        columns = len(table.aligns)
        format_ = table_format()
        format_.setTopMargin(self._sheets.in_format(self._take_gap(6)))
        format_.setBottomMargin(self._sheets.in_format(9))
        format_.setLeftMargin(self._sheets.in_format(INDENT_PT) * table.depth)
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        drawn = self._cursor.insertTable(len(table.rows), columns, format_)
        size = TABLE_PT[(columns > 6) + (columns > 9)]
        is_rtl = is_right_to_left(" ".join(span.text for row in table.rows for spans in row for span in spans))
        for number, row in enumerate(table.rows):
            for column, spans in enumerate(row[:columns]):
                # In a right-to-left table the first column is the right one.
                place = columns - 1 - column if is_rtl else column
                self._write_cell(drawn, number, place, (spans, table.aligns[column], size))
        self._tables.append(drawn)
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._is_empty, self._last, self._gap_pt = True, None, 6  # Qt adds an empty paragraph after it
        self.length += sum(len(span.text) for row in table.rows for spans in row for span in spans)

    def laid_out(self) -> LaidOutText:
        """Finish and return the document, laid out, with its page-break rules."""
        self._cursor.endEditBlock()
        text = LaidOutText(self._document, self._above_pt)
        # Completes the layout, as positions are asked for next.
        self._document.size()
        pt, pad = self._sheets.pt, self._sheets.pt(PAD_PT)
        for first, last, kind in self._grounds:
            top, bottom = self._box(first).top(), self._box(last).bottom()
            if kind == "rule":
                middle = (top + bottom) / 2
                line = QRectF(0, middle, self._sheets.width, self._sheets.pt(0.6))
                text.grounds.append(RangeBackground(line, LIGHT.line))
                continue
            left = self._document.findBlockByNumber(first).blockFormat().indent() * self._sheets.pt(INDENT_PT)
            box = QRectF(left, top - pad + pt(1.5), self._sheets.width - left, bottom - top + 2 * pad)
            color = LIGHT.bubble if kind == "bubble" else LIGHT.code
            text.grounds.append(RangeBackground(box, color, self._sheets.pt(5)))
            # The padding of the box stays with its first and last line.
            text.kept += [(box.top(), self._line_end(first)), (self._line_begin(last), box.bottom())]
        text.grounds += self._bars()
        for table in self._tables:
            rows = list(self._rows(table))
            # The header stays with the first row.
            text.kept += [*rows, (rows[0][0], rows[min(1, len(rows) - 1)][1])]
            left = table.format().leftMargin()
            for number, (_, bottom) in enumerate(rows):
                line = QRectF(left, bottom - pt(0.6), self._sheets.width - left, pt(0.6))
                text.grounds.append(RangeBackground(line, LIGHT.line if number else LIGHT.outline))
            # A header higher than a quarter of a page is not repeated.
            if rows[0][1] - rows[0][0] < self._sheets.height / 4:
                text.heads.append((*rows[0], rows[-1][1]))
        return text

    def _take_gap(self, wanted_pt: float) -> float:
        """Take the gap before the next block; before the first one it belongs to the document."""
        gap, self._gap_pt = wanted_pt + self._gap_pt, 0.0
        if self._is_first:
            self._is_first, self._above_pt = False, gap
            return 0.0
        return gap

    def _begin(self, format_: QTextBlockFormat, look: ProseStyle, gap_pt: float) -> int:
        format_.setTopMargin(self._sheets.in_format(self._take_gap(gap_pt)))
        if not format_.lineHeight():
            height = QFontMetricsF(paper_font(look.size, look.weight)).height()
            # At least, as a formula may be higher than its line.
            kind = QTextBlockFormat.LineHeightTypes.MinimumHeight.value
            format_.setLineHeight(height * LINE_PERCENT / 100, kind)
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        if self._is_empty:
            self._cursor.setBlockFormat(format_)
        else:
            self._cursor.insertBlock(format_)
        self._cursor.setBlockCharFormat(self._format(StyledSpan(""), look))
        self._is_empty = False
        return self._cursor.blockNumber()

    def _on_ground(self, depth: int = 0) -> QTextBlockFormat:
        format_ = QTextBlockFormat()
        format_.setIndent(depth)
        format_.setLeftMargin(self._sheets.pt(PAD_PT + 2))  # the only length in device units
        format_.setRightMargin(self._sheets.pt(PAD_PT + 2))
        return format_

    def _write(self, cursor: QTextCursor, spans: Spans, look: ProseStyle) -> None:
        formula.draw(span.text for span in spans if span.formula)
        for span in spans:
            self.length += len(span.text)
            if span.formula and (drawing := formula.known_drawing(span.text)) is not None:
                color = look.color or LIGHT.text
                shown = char_format(paper_font(look.size, look.weight))
                shown.setObjectType(_FORMULA)
                shown.setProperty(SOURCE, span.text)
                shown.setProperty(COLOUR, color)
                self._formulas.add_formula(span.text, drawing, color)
                if self._formulas.hangs_deep(shown):
                    shown.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignMiddle)
                # Qt's stand-in for an object in the text.
                cursor.insertText("\ufffc", shown)
                cursor.insertText(formula.after(span.text), self._format(replace(span, code=False), look))
                continue
            cursor.insertText(as_one_paragraph(span.text), self._format(span, look))

    def _write_code(self, words: str, colours: Sequence[tuple[int, int, str]]) -> None:
        plain = self._format(StyledSpan("", code=True), ProseStyle(CODE_PT + 1))
        # The box of the block is its background.
        plain.clearBackground()
        # Colours count UTF-16 units.
        units, end = words.encode("utf-16-le", "surrogatepass"), 0
        for begin, length, token in colours:
            self._cursor.insertText(_part(units, end, begin), plain)
            shown = QTextCharFormat(plain)
            shown.setForeground(QColor(getattr(LIGHT, token)))
            self._cursor.insertText(_part(units, begin, begin + length), shown)
            end = begin + length
        self._cursor.insertText(_part(units, end, len(units) // 2), plain)
        self.length += len(words)

    def _write_cell(self, table: QTextTable, row: int, column: int, what: tuple[Spans, str, float]) -> None:
        spans, align, size = what
        cell, pt, look = table.cellAt(row, column), self._sheets.in_format, QTextTableCellFormat()
        look.setTopPadding(pt(3))
        look.setBottomPadding(pt(4))
        look.setLeftPadding(0 if column == 0 else pt(6))
        look.setRightPadding(pt(6))
        cell.setFormat(look)
        cursor, format_ = cell.firstCursorPosition(), QTextBlockFormat()
        format_.setAlignment(_ALIGN.get(align, Qt.AlignmentFlag.AlignLeft))
        cursor.setBlockFormat(format_)
        style = ProseStyle(size, 600 if row == 0 else 400)
        cursor.setBlockCharFormat(self._format(StyledSpan(""), style))
        self._write(cursor, spans, style)

    def _format(self, span: StyledSpan, look: ProseStyle) -> QTextCharFormat:
        family, size = (CODE_FAMILY, look.size - 1) if span.code else (FAMILY, look.size)
        font = paper_font(size, max(look.weight, 600) if span.bold else look.weight, family)
        return span_format(span, font, look, LIGHT, "" if span.formula else LIGHT.code)

    def _box(self, number: int) -> QRectF:
        block = self._document.findBlockByNumber(number)
        return self._document.documentLayout().blockBoundingRect(block)

    def _line_end(self, number: int) -> float:
        line = self._document.findBlockByNumber(number).layout().lineAt(0)
        return float(self._box(number).top() + line.y() + line.height())

    def _line_begin(self, number: int) -> float:
        layout = self._document.findBlockByNumber(number).layout()
        return float(self._box(number).top() + layout.lineAt(layout.lineCount() - 1).y())

    def _bars(self) -> Iterator[RangeBackground]:
        """Yield a bar for each level of quotes, from first to last line."""
        pt = self._sheets.pt
        for level in range(max((quote for _, quote, _ in self._quotes), default=0)):
            deep = [(number, depth) for number, quote, depth in self._quotes if quote > level]
            # Consecutive blocks have the same difference to their index.
            for _, group in groupby(enumerate(deep), lambda numbered: numbered[1][0] - numbered[0]):
                rows = [row[1] for row in group]
                top, bottom = self._box(rows[0][0]).top(), self._box(rows[-1][0]).bottom()
                x = (rows[0][1] + level) * pt(INDENT_PT) + pt(2)
                block = self._document.findBlockByNumber(rows[0][0])
                if block.textDirection() == Qt.LayoutDirection.RightToLeft:
                    x = self._sheets.width - x - pt(2)
                yield RangeBackground(QRectF(x, top, pt(2), bottom - top), LIGHT.line, pt(1))

    def _rows(self, table: QTextTable) -> Iterator[tuple[float, float]]:
        pt, layout = self._sheets.pt, self._document.documentLayout()
        for row in range(table.rows()):
            boxes = []
            for column in range(table.columns()):
                cell = table.cellAt(row, column)
                first, last = cell.firstCursorPosition().block(), cell.lastCursorPosition().block()
                boxes.append((layout.blockBoundingRect(first).top(), layout.blockBoundingRect(last).bottom()))
            yield min(top for top, _ in boxes) - pt(3), max(bottom for _, bottom in boxes) + pt(4.6)


def _part(units: bytes, begin: int, end: int) -> str:
    return units[2 * begin : 2 * end].decode("utf-16-le", "surrogatepass")


def _is_short(text: str) -> bool:
    return len(text) <= MAX_CHARACTERS and all(len(line) <= 2_000 for line in text.split("\n"))
