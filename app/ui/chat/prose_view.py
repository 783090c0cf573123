"""Paragraphs, headings, lists, quotes and rules in one document, so that they are selected and copied together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QTextBlockFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QWidget

from app.language.scripts import is_right_to_left
from app.ui.chat.pieces import Line, Span
from app.ui.chat.text_view import Style, TextView
from app.ui.theme import Theme

INDENT_PX = 26
ABOVE_PX = 4
"""A line has its extra height above its letters; a bar begins nearer to them."""
HEADINGS = {1: (20.0, 700), 2: (18.0, 700), 3: (16.5, 600), 4: (15.0, 600), 5: (14.0, 600), 6: (13.0, 600)}
"""Size and weight; the two lowest are muted."""


class ProseView(TextView):
    """Shows lines; when they grow, only what changed at the end is written again."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._lines: tuple[Line, ...] = ()
        self._marked: list[int] = []
        self._has_links = False
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def set_lines(self, lines: tuple[Line, ...]) -> bool:
        """Shows these lines; whether anything changed."""
        old = self._lines
        if lines == old:
            return False
        same = 0
        while same < len(old) and same < len(lines) and (old[same] is lines[same] or old[same] == lines[same]):
            same += 1
        self._lines = lines
        if same == len(old) - 1 and len(lines) >= len(old) and self._grow_last(old[same], lines[same]):
            same += 1
        self._write_from(same)
        return True

    def _grow_last(self, old: Line, new: Line) -> bool:
        """The common case while an answer streams: the last run of characters became longer."""
        if not old.spans or len(new.spans) < len(old.spans) or old.spans[:-1] != new.spans[: len(old.spans) - 1]:
            return False
        before, after = old.spans[-1], new.spans[len(old.spans) - 1]
        same_look = (old.kind, old.level, old.depth, old.quote, old.marker) == (
            new.kind, new.level, new.depth, new.quote, new.marker,
        )  # fmt: skip
        if not same_look or not after.text.startswith(before.text) or _look(before) != _look(after):
            return False
        grown = Span(after.text[len(before.text) :], *_look(after))
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self.write(cursor, (grown, *new.spans[len(old.spans) :]), self._style(new))
        return True

    def _write_from(self, first: int) -> None:
        document = self.document()
        self._marked = [number for number in self._marked if number < first]
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        block = document.findBlockByNumber(first)
        is_there = block.isValid()  # not after the removal: Qt may keep another one of the joined blocks
        if is_there:
            cursor.setPosition(block.position())
            cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            if first >= len(self._lines) and first > 0:
                cursor.deletePreviousChar()
        for number in range(first, len(self._lines)):
            cursor.movePosition(QTextCursor.MoveOperation.End)
            look = self._block_format(number)
            if number and not (number == first and is_there):
                cursor.insertBlock(look)
            else:
                cursor.setBlockFormat(look)
            self._write_line(cursor, number)
        cursor.endEditBlock()
        if self._has_links and self.focusPolicy() != Qt.FocusPolicy.StrongFocus:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _write_line(self, cursor: QTextCursor, number: int) -> None:
        line = self._lines[number]
        style = self._style(line)
        if line.quote or line.kind == "rule":
            self._marked.append(number)
        if line.marker:
            # WORKAROUND: a tab in a right-to-left paragraph has no width
            gap = "\u2003" if is_right_to_left("".join(span.text for span in line.spans)) else "\t"
            cursor.insertText(
                line.marker + gap, self.char_format(Span(""), replace(style, color=self.theme.tokens.muted))
            )
        else:
            cursor.setBlockCharFormat(self.char_format(Span(""), style))
        self._has_links = self._has_links or any(span.href for span in line.spans)
        self.write(cursor, line.spans, style)

    def _style(self, line: Line) -> Style:
        tokens = self.theme.tokens
        if line.kind == "heading":
            return Style(*HEADINGS[line.level], color=tokens.muted if line.level > 4 else "")
        if line.kind == "formula":
            return Style(is_bare=True)
        if line.kind == "note":
            return Style(13.0, color=tokens.muted)
        if line.kind == "rule":
            return Style(4.0)
        return Style(color=tokens.muted if line.quote else "")

    def _block_format(self, number: int) -> QTextBlockFormat:
        line = self._lines[number]
        before = self._lines[number - 1] if number else None
        look = self.block_format(self._style(line))
        px = self.theme.px
        look.setIndent(line.depth + line.quote)
        if line.marker:
            look.setTextIndent(-px(INDENT_PX))
            look.setTabPositions([QTextOption.Tab(px(INDENT_PX), QTextOption.TabType.LeftTab)])
        look.setTopMargin(0 if before is None else px(_gap(before, line)))
        return look

    def _on_theme_changed(self) -> None:
        self.document().setDefaultFont(self.theme.font())
        self.document().setIndentWidth(self.theme.px(INDENT_PX))
        if self._lines:
            self._write_from(0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bars beside quotes and rules, then the text."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.tokens.line))
        for number in self._marked:
            if number < len(self._lines) and self._lines[number].kind == "rule":
                box = self._box(number)
                painter.drawRect(QRectF(0, box.center().y(), self.document().textWidth(), 1))
        for level in range(max((self._lines[number].quote for number in self._marked), default=0)):
            for first, last in self._quotes(level):
                self._paint_bar(painter, level, first, last)
        painter.end()
        super().paintEvent(event)

    def _box(self, number: int) -> QRectF:
        return self.document().documentLayout().blockBoundingRect(self.document().findBlockByNumber(number))

    def _quotes(self, level: int) -> Iterator[tuple[int, int]]:
        """First and last line of each quote that is at least so deep."""
        for is_quoted, group in groupby(range(len(self._lines)), lambda number: self._lines[number].quote > level):
            numbers = list(group)
            if is_quoted:
                yield numbers[0], numbers[-1]

    def _paint_bar(self, painter: QPainter, level: int, first: int, last: int) -> None:
        """One bar from the first line to the last, whatever is between them."""
        px = self.theme.px
        top = self._box(first).top() + px(ABOVE_PX)
        x = (self._lines[first].depth + level) * px(INDENT_PX) + px(3)
        width = px(3)
        if self.document().findBlockByNumber(first).textDirection() == Qt.LayoutDirection.RightToLeft:
            x = int(self.document().textWidth()) - x - width
        bottom = self._box(last).bottom() + px(2)
        painter.drawRoundedRect(QRectF(x, top, width, bottom - top), width / 2, width / 2)


def _look(span: Span) -> tuple[bool, bool, bool, bool, bool, str, str]:
    return span.bold, span.italic, span.strike, span.code, span.raised, span.href, span.script


def _gap(before: Line, line: Line) -> float:
    """The space above a line, in pixels of the drawing."""
    if line.kind == "typed":
        return 0
    if line.kind == "heading":
        return 20 if line.level < 3 else 16
    if line.kind == "rule" or before.kind == "rule":
        return 10
    if before.kind == "heading":
        return 6
    if line.depth and (before.depth or line.marker):
        return 5
    return 12
