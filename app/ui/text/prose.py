"""Frameless text views as high as their content: prose with lists and quotes, and tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QWidget

from app.core.visible import has_directions
from app.language.scripts import is_right_to_left
from app.ui.icons import icon
from app.ui.screen_reader import SpokenPart, read_as
from app.ui.text.formats import marker_of
from app.ui.text.paragraph_styles import ParagraphSizes
from app.ui.text.pieces import Piece, Prose, ProseLine, StyledSpan
from app.ui.text.selectable import PICTURE, part_of_line
from app.ui.text.text_view import TextView
from app.ui.theme import Theme, smooth_painter
from app.ui.utf16 import utf16_length

CODE_LINE_PERCENT = 128


INDENT_PX = 26
QUOTE_PX, BAR_PX = 19, 3
"""Inset of a quote with its bar, and the bar's width."""
TASKS = {"☐": "square", "☑": "check-square"}
"""Icons painted in place of the markers of tasks."""
TASK_PX = 16
SIZES = ParagraphSizes(
    text=15,
    note=13,
    headings={1: (20, 700), 2: (18, 700), 3: (16.5, 600), 4: (15, 600), 5: (14, 600), 6: (13, 600)},
    gap=12,
    major_gap=20,
    minor_gap=16,
    heading_gap=6,
    item_gap=5,
    rule_gap=10,
    note_gap=12,
)


def spoken_line(line: ProseLine, place: QRect, links: tuple[SpokenPart, ...]) -> SpokenPart:
    """Return what a reader is told of a line: a heading, an item of a list, a quote or a paragraph, with its links."""
    role = QAccessible.Role.Paragraph
    if line.kind == "heading":
        role = QAccessible.Role.Heading
    elif line.marker:
        role = QAccessible.Role.ListItem
    elif line.quote:
        role = QAccessible.Role.BlockQuote
    level = line.level if line.kind == "heading" else 0
    return SpokenPart(role, "".join(span.text for span in line.spans), place, level=level, parts=links)


class ProseView(TextView):
    """View of lines; when they grow, only the changed end is rewritten."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.lines: tuple[ProseLine, ...] = ()
        """The lines shown."""
        self._decorated_lines: list[int] = []  # numbers of lines with quote bars or a rule to paint
        read_as(self, QAccessible.Role.Section)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    def spoken_count(self) -> int:
        return len(self._spoken_groups())

    def spoken_part(self, number: int) -> SpokenPart:
        lines = self._spoken_groups()[number]
        parts = tuple(map(self._spoken_line, lines))
        if not self.lines[lines[0]].marker:
            return parts[0]
        whole = QRect()
        for part in parts:
            whole = whole.united(part.place)
        return SpokenPart(QAccessible.Role.List, "", whole, parts=parts)

    def _spoken_groups(self) -> list[list[int]]:
        """Return the numbers of the lines that readers are told together: the items of a list; others are alone."""
        groups: list[list[int]] = []
        for number, line in enumerate(self.lines):
            if line.marker and groups and self.lines[groups[-1][0]].marker:
                groups[-1].append(number)
            else:
                groups.append([number])
        return groups

    def _spoken_line(self, number: int) -> SpokenPart:
        block = self.document().findBlockByNumber(number)
        place = self.document().documentLayout().blockBoundingRect(block).toRect().translated(self.viewport().pos())
        return spoken_line(self.lines[number], place, self.spoken_links(block))

    def set_lines(self, lines: tuple[ProseLine, ...]) -> bool:
        old = self.lines
        if lines == old:
            return False
        same = 0
        while same < len(old) and same < len(lines) and (old[same] is lines[same] or old[same] == lines[same]):
            same += 1
        self.lines = lines
        if same == len(old) - 1 and len(lines) >= len(old) and self._grow_last(old[same], lines[same]):
            same += 1
        self._write_from(same)
        return True

    def _grow_last(self, old: ProseLine, new: ProseLine) -> bool:
        """Append to the last run, the usual case while an answer streams; return False if it isn't that."""
        if not old.spans or len(new.spans) < len(old.spans) or old.spans[:-1] != new.spans[: len(old.spans) - 1]:
            return False
        before, after = old.spans[-1], new.spans[len(old.spans) - 1]
        if before.formula:
            return False
        is_alike = replace(old, spans=()) == replace(new, spans=()) and replace(before, text=after.text) == after
        # A mark of direction changes how the text around it is shown, so the run is written as a whole.
        if not is_alike or not after.text.startswith(before.text) or has_directions(after.text):
            return False
        grown = replace(after, text=after.text[len(before.text) :])
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self.write(cursor, (grown, *new.spans[len(old.spans) :]), SIZES.style_of(new, self.theme.tokens))
        return True

    def _write_from(self, first: int) -> None:
        document = self.document()
        self._decorated_lines = [number for number in self._decorated_lines if number < first]
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        block = document.findBlockByNumber(first)
        is_there = block.isValid()  # before the removal: Qt may keep either of the joined blocks
        if is_there:
            cursor.setPosition(block.position())
            cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            if first >= len(self.lines) and first > 0:
                cursor.deletePreviousChar()
        for number in range(first, len(self.lines)):
            cursor.movePosition(QTextCursor.MoveOperation.End)
            look = self._block_format(number)
            if number and not (number == first and is_there):
                cursor.insertBlock(look)
            else:
                cursor.setBlockFormat(look)
            self._write_line(cursor, number)
        cursor.endEditBlock()

    def _write_line(self, cursor: QTextCursor, number: int) -> None:
        line = self.lines[number]
        style = SIZES.style_of(line, self.theme.tokens)
        if line.quote or line.kind == "rule" or line.marker in TASKS:
            self._decorated_lines.append(number)
        if line.marker:
            look = self.char_format(StyledSpan(""), replace(style, color=self.theme.tokens.muted))
            if line.marker in TASKS:
                look.setFont(self._room_for_icon(look.font()))
                look.setForeground(QColor(Qt.GlobalColor.transparent))
            cursor.insertText(marker_of(line.marker, "".join(span.text for span in line.spans)), look)
        else:
            cursor.setBlockCharFormat(self.char_format(StyledSpan(""), style))
        self.write(cursor, line.spans, style)

    def _room_for_icon(self, font: QFont) -> QFont:
        """Return a font in which a marker can't be seen and leaves room for an icon; screen readers still read it."""
        font.setPixelSize(1)
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, self.theme.px(INDENT_PX) / 2)
        return font

    def _block_format(self, number: int) -> QTextBlockFormat:
        line = self.lines[number]
        before = self.lines[number - 1] if number else None
        look = self.block_format(SIZES.style_of(line, self.theme.tokens))
        px = self.theme.px
        look.setIndent(line.depth)
        if line.quote:
            is_rtl = is_right_to_left("".join(span.text for span in line.spans))
            (look.setRightMargin if is_rtl else look.setLeftMargin)(px(QUOTE_PX) * line.quote)
        if line.marker:
            look.setTextIndent(-px(INDENT_PX))
            look.setTabPositions([QTextOption.Tab(px(INDENT_PX), QTextOption.TabType.LeftTab)])
        look.setTopMargin(0 if before is None else px(SIZES.gap_between(before, line)))
        return look

    def selected(self) -> list[Piece]:
        cursor, document, found = self.textCursor(), self.document(), list[ProseLine]()
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        block = document.findBlock(start)
        while start < end and block.isValid() and block.position() <= end and block.blockNumber() < len(self.lines):
            line = self.lines[block.blockNumber()]
            marker = utf16_length(line.marker) + 1 if line.marker else 0
            part = part_of_line(line, block, start - block.position(), end - block.position(), marker)
            if part.spans or part is line:
                found.append(part)
            block = block.next()
        return [Prose(tuple(found))] if found else []

    def spans(self) -> Iterator[StyledSpan]:
        return (span for line in self.lines for span in line.spans)

    def rewrite(self) -> None:
        if self.lines:
            self._write_from(0)

    def _on_theme_changed(self) -> None:
        self.document().setDefaultFont(self.theme.font())
        self.document().setIndentWidth(self.theme.px(INDENT_PX))
        self.rewrite()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint quote bars and rules below the text, since Qt's document has neither."""
        if self._decorated_lines:
            self._paint_decorations()
        super().paintEvent(self.reaching(event))

    def _paint_decorations(self) -> None:
        painter = smooth_painter(self.viewport(), fill=QColor(self.theme.tokens.line))
        for number in self._decorated_lines:
            if number < len(self.lines) and self.lines[number].kind == "rule":
                box = self._box(number)
                painter.drawRect(QRectF(0, box.center().y(), self.document().textWidth(), 1))
            elif number < len(self.lines) and self.lines[number].marker in TASKS:
                self._paint_task(painter, number)
        for level in range(max((self.lines[number].quote for number in self._decorated_lines), default=0)):
            for first, last in self._quotes(level):
                self._paint_bar(painter, level, first, last)
        painter.end()

    def _box(self, number: int) -> QRectF:
        return self.document().documentLayout().blockBoundingRect(self.document().findBlockByNumber(number))

    def _quotes(self, level: int) -> Iterator[tuple[int, int]]:
        """Yield first and last line of each quote at least that deep."""
        for is_quoted, group in groupby(range(len(self.lines)), lambda number: self.lines[number].quote > level):
            numbers = list(group)
            if is_quoted:
                yield numbers[0], numbers[-1]

    def _paint_bar(self, painter: QPainter, level: int, first: int, last: int) -> None:
        """Paint a bar from the first to the last line, also past other blocks."""
        px = self.theme.px
        above, below = (self.document().findBlockByNumber(number).layout() for number in (first, last))
        if not above.lineCount() or not below.lineCount():
            return
        line = below.lineAt(below.lineCount() - 1)
        # From line to line: a block has extra height above the letters.
        top = above.position().y() + above.lineAt(0).y() - px(1)
        bottom = below.position().y() + line.y() + line.height() + px(1)
        x, width = self.lines[first].depth * px(INDENT_PX) + level * px(QUOTE_PX), px(BAR_PX)
        if self.document().findBlockByNumber(first).textDirection() == Qt.LayoutDirection.RightToLeft:
            x = int(self.document().textWidth()) - x - width
        painter.drawRoundedRect(QRectF(x, top, width, bottom - top), width / 2, width / 2)

    def _paint_task(self, painter: QPainter, number: int) -> None:
        """Paint a box, open or checked, in the middle of the letters of a line."""
        block, size = self.document().findBlockByNumber(number), self.theme.px(TASK_PX)
        layout = block.layout()
        if not layout.lineCount():
            return
        line = layout.lineAt(0)
        letters = QFontMetricsF(self.theme.fonts.text(SIZES.text)).capHeight()
        middle = layout.position().y() + line.y() + line.ascent() - letters / 2
        x = layout.position().x() + line.cursorToX(0)[0]  # type: ignore[index]
        left = round(x) - size if block.textDirection() == Qt.LayoutDirection.RightToLeft else round(x)
        box = QRect(left, round(middle - size / 2), size, size)
        icon(TASKS[self.lines[number].marker], self.theme.tokens.muted, size).paint(painter, box)


def is_display_formula(line: ProseLine) -> bool:
    """Return whether a line is a formula that has a view of its own; in quotes and after markers it has not."""
    return line.kind == "formula" and not line.quote and not line.marker


class DisplayFormulaView(ProseView):
    """View of a formula in the middle of its column; one that is wider scrolls horizontally."""

    has_wide_formulas = True

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.scroll_sideways()

    def height_for(self, width: int) -> int:
        is_source = self.document().firstBlock().text()[:1] != PICTURE
        return self.height_in(width, width if is_source else math.ceil(self.document().idealWidth()))

    def _block_format(self, number: int) -> QTextBlockFormat:
        look = super()._block_format(number)
        look.setIndent(0)  # the view has it
        look.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        return look
