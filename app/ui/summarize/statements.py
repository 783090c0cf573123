"""Statements of a summary with citation chips: written, painted, navigated by keys, copied."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from PySide6.QtCore import QEvent, QMimeData, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLine,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.features.summarize.summary_result import Form
from app.language.language_names import is_right_to_left
from app.ui.i18n import tr
from app.ui.summarize.summary_texts import Chip, ShownStatement
from app.ui.text.formats import block_format, char_format, cursor_over, selected_text
from app.ui.text.keyboard_walk import ENTER, is_plain, row_after, step_aside
from app.ui.text.line_ranges import ranges_by_line
from app.ui.theme import EDGE_PX, READING_PX, Theme
from app.ui.widgets.labels import announce, plain_tip


class StatementView(QTextEdit):
    """List of statements.

    Arrow keys move between statements and chips, Enter opens a source; `opened` carries a `Chip`.
    """

    opened = Signal(object)
    left = Signal()
    """Escape was pressed."""

    edge_px: float = EDGE_PX
    """Left margin in unscaled pixels."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._statements: list[ShownStatement] = []
        self._below: tuple[str, list[ShownStatement]] = ("", [])  # heading and statements of the second list
        self._form = Form.BULLETS
        self._plain = ""
        self._text = StatementText(self.document(), theme)
        self.ground = StatementGround(self, theme)
        self._pressed: QPointF | None = None
        self.current = -1
        """Statement at the keyboard position; -1 if there is none."""
        self.chip = 0
        """Its chip at the keyboard position."""
        self.open_chip: tuple[int, int] | None = None
        """Statement and chip whose source is open."""
        self.setObjectName("statements")
        self.setProperty("kind", "bare")
        self.setAccessibleName(tr("Statements"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setReadOnly(True)
        # Dropped files are the window's.
        self.setAcceptDrops(False)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        # Without the keyboard flag there is no caret; Ctrl+A and Ctrl+C still work.
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        # The pointer changes over chips, also while no button is pressed.
        self.viewport().setMouseTracking(True)
        self.document().setDocumentMargin(0)
        self.verticalScrollBar().rangeChanged.connect(self._fit_height)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def ranges(self) -> list[StatementRange]:
        """Ranges of the statements in the text document, in order."""
        return self._text.ranges

    @property
    def below(self) -> int:
        """Number of statements in the second list, below the first."""
        return len(self._below[1])

    def show_statements(self, shown: Sequence[ShownStatement], form: Form) -> None:
        """Replace all statements, drop the second list and scroll to the top."""
        self._statements, self._form, self._plain, self._below = list(shown), form, "", ("", [])
        self.current, self.chip, self.open_chip = -1, 0, None
        self._write()
        self.verticalScrollBar().setValue(0)

    def add(self, shown: Sequence[ShownStatement], below: Sequence[ShownStatement] = ()) -> None:
        """Append statements and replace the second list.

        A view scrolled to the end stays there, unless the reader is in the second list.
        """
        bar = self.verticalScrollBar()
        is_at_end = bar.value() >= bar.maximum() and not self._below[1]
        self._statements += shown
        self._below = (self._below[0], list(below))
        with self._keep_reading_position():
            self._text.leave_below()
            self._text.add(shown, self._form)
            self._text.add_below(*self._below)
        if is_at_end:
            bar.setValue(bar.maximum())

    def show_below(self, words: str, shown: Sequence[ShownStatement]) -> None:
        """Replace the second list, under the heading `words`; the reader's place stays."""
        if self._below == (words, list(shown)):
            return
        self._below = (words, list(shown))
        with self._keep_reading_position():
            self._text.leave_below()
            self._text.add_below(*self._below)

    @contextmanager
    def _keep_reading_position(self) -> Iterator[None]:
        """Keep the scroll position and the current statement across a rebuild, as far as both still exist."""
        before, bar = self.ranges, self.verticalScrollBar()
        # Where the first visible statements are; by identity, as equal ones may occur twice.
        tops = {
            id(statement_range.shown): self.ground.rect_of(statement_range).top()
            for statement_range in before[max(0, self.ground.number_at(QPointF())) :][:8]
        }
        was_at = bar.value()
        numbers = (self.current, self.open_chip[0] if self.open_chip else -1)
        places = [(id(before[number].shown) if 0 <= number < len(before) else 0) for number in numbers]
        yield
        after = {id(statement_range.shown): number for number, statement_range in enumerate(self.ranges)}
        self.current = after.get(places[0], -1)
        number = after.get(places[1])
        self.open_chip = (number, self.open_chip[1]) if number is not None and self.open_chip else None
        stays = next((number for number in tops if number in after), 0)
        self.document().size()  # completes the layout, so that the scroll bar reaches the end
        if stays and was_at:
            bar.setValue(bar.value() + round(self.ground.rect_of(self.ranges[after[stays]]).top() - tops[stays]))
        self.viewport().update()

    def show_plain(self, text: str) -> None:
        """Show text that is still being generated; a view at its end stays there."""
        bar = self.verticalScrollBar()
        is_at_end = bar.value() >= bar.maximum()
        before = bar.value()
        self._statements, self._plain, self._below, self.current = [], text, ("", []), -1
        self._write()
        bar.setValue(bar.maximum() if is_at_end else before)

    def go_to(self, number: int, chip: int = 0) -> None:
        """Move the keyboard position to a statement and chip, scroll there and announce it."""
        if not 0 <= number < len(self.ranges):
            return
        is_other = number != self.current
        self.current, self.chip = number, chip
        self._bring_into_view(number)
        shown = self.ranges[number].shown
        announce(self, shown.spoken if is_other else shown.chips[chip].spoken if shown.chips else shown.spoken)
        self.viewport().update()

    def _bring_into_view(self, number: int) -> None:
        rect = self.ground.statement_rect(number)
        bar, page = self.verticalScrollBar(), self.viewport().height()
        if rect.top() < 0:
            bar.setValue(bar.value() + round(rect.top()) - self._theme.px(12))
        elif rect.bottom() > page:
            bar.setValue(bar.value() + min(round(rect.bottom()) - page, round(rect.top())) + self._theme.px(12))

    def open_place(self, number: int, chip: int = 0) -> None:
        """Open a chip's source, as a click on it does."""
        chips: tuple[Chip, ...] = self.ranges[number].shown.chips if 0 <= number < len(self.ranges) else ()
        if 0 <= chip < len(chips):
            self.current, self.chip, self.open_chip = number, chip, (number, chip)
            self.viewport().update()
            self.opened.emit(chips[chip])

    def forget_open(self) -> None:
        """Clear the mark on the chip whose source was open."""
        self.open_chip = None
        self.viewport().update()

    def _write(self) -> None:
        self._text.clear()
        if self._plain:
            self._text.write_plain(self._plain)
        else:
            self._text.add(self._statements, self._form)
            self._text.add_below(*self._below)
        # Writing moved the text cursor to the end, and the view would follow it.
        cursor = self.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.Start)
        self.setTextCursor(cursor)
        self.viewport().update()

    def _on_theme_changed(self) -> None:
        before = self.verticalScrollBar().value()
        self._write()
        self._fit_height()
        self.verticalScrollBar().setValue(before)

    def _fit_height(self) -> None:
        px = self._theme.px
        bar, edge = self.verticalScrollBar(), px(self.edge_px)
        # The margin gives way to the scroll bar, so that the text keeps its width when the bar appears.
        taken = bar.sizeHint().width() if bar.maximum() > bar.minimum() else 0
        sides = (edge, max(0, max(self.width() - edge - px(READING_PX), edge) - taken))
        left, right = sides[::-1] if self.isRightToLeft() else sides
        self.setViewportMargins(left, 0, right, 0)

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(plain(selected_text(self.textCursor())))
        return data

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current = self.ranges[self.current] if self.current >= 0 else None
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif not is_plain(event) or not self.ranges:
            super().keyPressEvent(event)
        elif (row := row_after(event, self.current, len(self.ranges) - 1)) is not None:
            self.go_to(row)
        elif current is not None and (side := step_aside(event, is_rtl=current.is_right_to_left)):
            self.go_to(self.current, min(max(self.chip + side, 0), max(0, len(current.shown.chips) - 1)))
        elif event.key() in (*ENTER, Qt.Key.Key_Space):
            self.open_place(max(self.current, 0), self.chip)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        found = self.ground.chip_at(event.position())
        shape = Qt.CursorShape.PointingHandCursor if found else Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)
        self.ground.hover(found)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        found = self.ground.chip_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or found is None or self._pressed is None:
            return
        if self.ground.chip_at(self._pressed) == found:  # a click, not a selection that ends there
            self.open_place(*found)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if by_keys and self.ranges:
            self.go_to(max(self.current, 0), self.chip)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()  # takes the remaining room without squeezing others

    def resizeEvent(self, event: QResizeEvent) -> None:
        # Before Qt lays out the text, which the margins make narrower.
        self._fit_height()
        super().resizeEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        # For the viewport these events come here only, not to the handlers of their own.
        if event.type() == QEvent.Type.Leave:
            self.ground.hover(None)
        elif event.type() == QEvent.Type.ToolTip:
            found = self.ground.chip_at(QPointF(event.pos()))  # type: ignore[attr-defined]
            chip = self.ranges[found[0]].shown.chips[found[1]] if found else None
            self.viewport().setToolTip(plain_tip(chip.spoken) if chip else "")
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        # Behind the text, which Qt paints next.
        self.ground.paint(QRectF(event.rect()))
        super().paintEvent(event)


class WholeStatementView(StatementView):
    """Statement view as high as its text, for use inside a scroll area."""

    moved = Signal(QRect)
    """The current statement moved; the scroll area should show this rectangle."""
    edge_px = 0.0

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().documentLayout().documentSizeChanged.connect(self._grow)

    def place_of(self, number: int) -> QRect:
        """Return a statement's rectangle in this widget's coordinates, not the viewport's."""
        return self.ground.statement_rect(number).toAlignedRect().translated(self.viewport().pos())

    def _bring_into_view(self, number: int) -> None:
        self.moved.emit(self.place_of(number))

    def _grow(self) -> None:
        self.setFixedHeight(ceil(self.document().size().height()))


# Writes statements into a text document and keeps the positions of statements and chips.


TEXT_PX = 15.0
NOTE_PX = 13.0
LINE_PERCENT = 145.0
MARGIN_PX = 30
"""Width left of the words, where the bullet is painted."""
GAP_PX = 17
ABOVE_PX = 10
"""Space above the first and below the last statement, so that a frame around either isn't clipped."""
HAIR = "\u202f"
"""Narrow no-break space at both sides of a chip."""
HYPHEN = "\u2011"
"""No-break hyphen."""
ENDS = ".。।"


@dataclass
class StatementRange:
    """Positions of a statement in the text document: the whole, its chips, and its note."""

    shown: ShownStatement
    start: int
    end: int
    chips: list[tuple[int, int]]
    is_marked: bool
    """True if a bullet or sign is painted before it."""
    is_inline: bool
    """True if other statements share its paragraph."""
    is_right_to_left: bool


class _Above(NamedTuple):
    """Writer state at the end of the first list, restored when the second list is removed."""

    position: int
    ranges: int
    group: str | None
    paragraph: int | None
    is_empty: bool


class StatementText:
    """Append statements to a text document; `ranges` lists their ranges in order."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        self._document, self._theme = document, theme
        self.ranges: list[StatementRange] = []
        self._group: str | None = None  # None: nothing was written, so the first heading is
        self._paragraph: int | None = None
        self._is_empty = True
        self._above: _Above | None = None

    def clear(self) -> None:
        """Remove all text and set font and margins, which clearing resets."""
        self._document.clear()
        self._document.setDefaultFont(self._theme.font(TEXT_PX))
        frame = QTextFrameFormat()
        frame.setTopMargin(self._theme.px(ABOVE_PX))
        frame.setBottomMargin(self._theme.px(ABOVE_PX))
        self._document.rootFrame().setFrameFormat(frame)
        self.ranges, self._group, self._paragraph, self._is_empty = [], None, None, True
        self._above = None

    def add_below(self, words: str, statements: Sequence[ShownStatement]) -> None:
        """Append a list under a heading, to be removed by `leave_below`; nothing without statements."""
        cursor = QTextCursor(self._document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self._above = _Above(cursor.position(), len(self.ranges), self._group, self._paragraph, self._is_empty)
        if statements:
            self._new_block(cursor, words, gap_px=26)
            cursor.insertText(words, self._format(NOTE_PX, 500, self._theme.tokens.muted))
            self._group = ""
            self.add(statements, Form.BULLETS)

    def leave_below(self) -> None:
        """Remove the list added by `add_below`, so that the first list can grow."""
        above, self._above = self._above, None
        if above is None or above.ranges == len(self.ranges):
            return
        cursor = cursor_over(self._document, above.position)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        del self.ranges[above.ranges :]
        self._group, self._paragraph, self._is_empty = above.group, above.paragraph, above.is_empty

    def add(self, statements: Sequence[ShownStatement], form: Form) -> None:
        """Append statements in a form, continuing the last paragraph where the form is prose."""
        cursor = QTextCursor(self._document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for shown in statements:
            self._write_heading(cursor, shown.statement.group)
            if form is Form.PARAGRAPHS:
                self._write_inline(cursor, shown)
            else:
                self._write_item(cursor, shown, has_bullet=form is not Form.QUESTIONS)
        cursor.endEditBlock()

    def write_plain(self, text: str) -> None:
        """Replace everything by plain text that is still being generated."""
        self.clear()
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        for line in text.split("\n"):
            if line.strip():
                self._new_block(cursor, line, gap_px=10)
                cursor.insertText(_one_line(line), self._format())
        cursor.endEditBlock()

    def _write_heading(self, cursor: QTextCursor, group: str) -> None:
        if group == (self._group or "") and self._group is not None:
            return
        self._group, self._paragraph = group, None
        if group:
            self._new_block(cursor, group, gap_px=26)
            cursor.insertText(_one_line(group), self._format(weight=600))

    def _write_item(self, cursor: QTextCursor, shown: ShownStatement, *, has_bullet: bool) -> None:
        is_flagged = shown.is_flagged
        is_indented = has_bullet or is_flagged
        # The frame around a flagged statement needs more room.
        gap = GAP_PX + (6 if is_flagged or (self.ranges and self.ranges[-1].shown.is_flagged) else 0)
        if not has_bullet and not is_flagged and self._group:
            gap = 10
        self._new_block(cursor, shown.statement.text, gap_px=gap, is_indented=is_indented)
        start = cursor.position()
        chips = self._write_words(cursor, shown)
        if shown.note:
            self._new_block(cursor, shown.statement.text, gap_px=4, is_indented=is_indented, line_percent=125)
            token = self._theme.tokens.warning if is_flagged else self._theme.tokens.muted
            cursor.insertText(_one_line(shown.note), self._format(NOTE_PX, 500 if is_flagged else 400, token))
        self.ranges.append(
            StatementRange(
                shown, start, cursor.position(), chips, is_indented, False, is_right_to_left(shown.statement.text)
            )
        )

    def _write_inline(self, cursor: QTextCursor, shown: ShownStatement) -> None:
        if shown.statement.paragraph != self._paragraph:
            self._paragraph = shown.statement.paragraph
            self._new_block(cursor, shown.statement.text, gap_px=GAP_PX)
        else:
            cursor.insertText(" ", self._format())
        start = cursor.position()
        if shown.is_flagged:
            cursor.insertText("!\u00a0", self._format(weight=700, color=self._theme.tokens.warning))
        chips = self._write_words(cursor, shown)
        if shown.note:
            color = self._theme.tokens.warning if shown.is_flagged else self._theme.tokens.muted
            cursor.insertText(f" {_one_line(shown.note)}", self._format(NOTE_PX, 500, color))
        self.ranges.append(
            StatementRange(shown, start, cursor.position(), chips, False, True, is_right_to_left(shown.statement.text))
        )

    def _write_words(self, cursor: QTextCursor, shown: ShownStatement) -> list[tuple[int, int]]:
        """Insert a statement's words as plain characters, never as markup.

        This is the only place where model output enters the document.
        """
        text = _one_line(shown.statement.text)
        # A full stop goes behind the chips, to the end of the sentence.
        end = text[-1:] if text[-1:] in ENDS and not text.endswith("..") and shown.chips else ""
        cursor.insertText(text.removesuffix(end) if end else text, self._format())
        places = []
        for chip in shown.chips:
            cursor.insertText(" ", self._format())
            first = cursor.position()
            cursor.insertText(f"{HAIR}{_unbroken(chip.text)}{HAIR}", self._format(color=self._theme.tokens.accent))
            places.append((first, cursor.position()))
        if end:
            cursor.insertText(end, self._format())
        return places

    def _new_block(
        self,
        cursor: QTextCursor,
        text: str,
        *,
        gap_px: float,
        is_indented: bool = False,
        line_percent: float = LINE_PERCENT,
    ) -> None:
        px, is_rtl = self._theme.px, is_right_to_left(text)
        look = block_format(line_percent, 0 if self._is_empty else px(gap_px), is_rtl=is_rtl)
        if is_indented:
            (look.setRightMargin if is_rtl else look.setLeftMargin)(px(MARGIN_PX))
        # An empty document has its first block already.
        if self._is_empty:
            cursor.setBlockFormat(look)
            cursor.setBlockCharFormat(self._format())
        else:
            cursor.insertBlock(look, self._format())
        self._is_empty = False

    def _format(self, size_px: float = TEXT_PX, weight: int = 400, color: str = "") -> QTextCharFormat:
        return char_format(self._theme.font(size_px, weight), color or self._theme.tokens.text)


def plain(text: str) -> str:
    """Return selected text without the special spaces and hyphens used for layout."""
    for shown, meant in ((HAIR, ""), (HYPHEN, "-"), ("\u00a0", " ")):
        text = text.replace(shown, meant)
    return text


def _unbroken(text: str) -> str:
    """Return text with no-break spaces and hyphens, so that it stays on one line."""
    return text.replace(" ", "\u00a0").replace("-", HYPHEN)


def _one_line(text: str) -> str:
    return " ".join(text.split())


# Geometry of statements and chips, and painting behind the words: frames, signs, bullets, chips.


class StatementGround:
    """Paint frames, chips and bullets behind the text, in viewport coordinates."""

    def __init__(self, view: StatementView, theme: Theme) -> None:
        self._view, self._theme = view, theme
        self._hovered: tuple[int, int] | None = None

    def hover(self, chip: tuple[int, int] | None) -> None:
        """Set the chip under the pointer, as (statement, chip), or None."""
        if chip != self._hovered:
            self._hovered = chip
            self._view.viewport().update()

    def paint(self, area: QRectF) -> None:
        """Paint chips, bullets and frames inside `area` of the viewport."""
        view = self._view
        painter = QPainter(view.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        has_keys = view.hasFocus()
        # The frame of the statement before may reach into the area.
        for number in range(max(0, self.number_at(area.topLeft()) - 1), len(view.ranges)):
            statement_range = view.ranges[number]
            box = self._box_of(statement_range)
            # Only what is visible, so that hundreds of statements scroll as fast as a few.
            if box.top() > area.bottom():
                break
            if statement_range.shown.is_flagged:
                self._paint_flag(painter, statement_range, box)
            if statement_range.is_marked:
                self._paint_sign(painter, statement_range)
            self._paint_chips(painter, number, statement_range, is_current=has_keys and number == view.current)
            if has_keys and number == view.current:
                self._paint_ring(painter, statement_range, box)
        painter.end()

    def statement_rect(self, number: int) -> QRectF:
        return self.rect_of(self._view.ranges[number])

    def chip_rect(self, number: int, chip: int) -> QRectF:
        return self._chip(self._view.ranges[number], chip)

    def chip_at(self, point: QPointF) -> tuple[int, int] | None:
        """Return the numbers of statement and chip at a point, or None."""
        last = self.number_at(point)
        # The nearest cursor position may be in the statement that begins behind the chip.
        for number in range(max(0, last - 1), last + 1):
            for place in range(len(self._view.ranges[number].chips)):
                if self.chip_rect(number, place).contains(point):
                    return number, place
        return None

    def number_at(self, point: QPointF) -> int:
        """Return the last statement that begins at or before a point; -1 if there is none."""
        position = self._view.cursorForPosition(point.toPoint()).position()
        return bisect_right(self._view.ranges, position, key=lambda statement_range: statement_range.start) - 1

    def rect_of(self, statement_range: StatementRange) -> QRectF:
        """Return the bounding rectangle of a statement's lines; items take the full width."""
        rects = [rect for _, rect in self._lines(statement_range.start, statement_range.end)]
        around = QRectF()
        for rect in rects:
            around = around.united(rect)
        if not statement_range.is_inline:
            around.setLeft(0)
            around.setRight(self._view.viewport().width())
        return around

    def _chip(self, statement_range: StatementRange, place: int) -> QRectF:
        start, end = statement_range.chips[place]
        # Nothing in a chip can be broken, so it is on one line.
        _, rect = next(self._lines(start, end), (None, QRectF()))
        px = self._theme.px
        return rect.adjusted(0, -px(0.5), 0, px(1.5))

    def _box_of(self, statement_range: StatementRange) -> QRectF:
        side, high = (self._theme.px(3), self._theme.px(2)) if statement_range.is_inline else (0, self._theme.px(8))
        return self.rect_of(statement_range).adjusted(-side, -high, side, high)

    def _paint_flag(self, painter: QPainter, statement_range: StatementRange, box: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.bubble))
        px = self._theme.px
        if not statement_range.is_inline:
            painter.drawRoundedRect(box, px(8), px(8))
            return
        for _, rect in self._lines(statement_range.start, statement_range.end):
            painter.drawRoundedRect(rect.adjusted(-px(2), -px(2), px(2), px(3)), px(4), px(4))

    def _paint_ring(self, painter: QPainter, statement_range: StatementRange, box: QRectF) -> None:
        """Paint the keyboard focus around a statement or chip."""
        px, path = self._theme.px, QPainterPath()
        if statement_range.is_inline:
            for _, rect in self._lines(statement_range.start, statement_range.end):
                path.addRect(rect.adjusted(-px(2), -px(4), px(2), px(5)))
            # One outline around lines that touch, instead of a frame for each.
            path = path.simplified()
        else:
            path.addRoundedRect(box.adjusted(1, 1, -1, -1), px(8), px(8))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.tokens.focus), 1))
        painter.drawPath(path)

    def _paint_sign(self, painter: QPainter, statement_range: StatementRange) -> None:
        """Paint a bullet, or an exclamation mark if the statement contradicts its source."""
        line, rect = next(self._lines(statement_range.start, statement_range.start + 1), (None, QRectF()))
        if line is None:
            return
        px, tokens = self._theme.px, self._theme.tokens
        edge = self._view.viewport().width() - px(MARGIN_PX) if statement_range.is_right_to_left else 0
        middle = edge + px(MARGIN_PX) / 2 - (-px(2) if statement_range.is_right_to_left else px(2))
        if statement_range.shown.is_flagged:
            painter.setFont(self._theme.font(TEXT_PX, 700))
            painter.setPen(QColor(tokens.warning))
            room = QRectF(middle - px(MARGIN_PX) / 2, rect.top(), px(MARGIN_PX), rect.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, "!")
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.muted))
            size = px(2.5)
            painter.drawEllipse(QPointF(middle, rect.center().y() + px(1)), size, size)

    def _paint_chips(
        self, painter: QPainter, number: int, statement_range: StatementRange, *, is_current: bool
    ) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        for place in range(len(statement_range.chips)):
            rect = self._chip(statement_range, place)
            is_held = is_current and place == self._view.chip
            painter.setBrush(QColor(tokens.chip))
            if is_held:
                painter.setPen(QPen(QColor(tokens.focus), 2))
            elif (number, place) in (self._hovered, self._view.open_chip):
                painter.setPen(QPen(QColor(tokens.accent), 1))
            else:
                painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(rect, px(4), px(4))

    def _lines(self, start: int, end: int) -> Iterator[tuple[QTextLine, QRectF]]:
        """Yield each text line in a range with the rectangle of its covered characters."""
        document = self._view.document()
        layout = document.documentLayout()
        metrics = QFontMetricsF(self._theme.font(TEXT_PX))
        up = self._view.verticalScrollBar().value()
        block = document.findBlock(start)
        while block.isValid() and block.position() < end:
            origin, at = layout.blockBoundingRect(block).topLeft(), block.position()
            for line, left, width in ranges_by_line(block.layout(), start - at, min(end - at, block.length() - 1)):
                # As high as the letters, while the line is higher.
                top = origin.y() - up + line.y() + line.ascent() - metrics.ascent()
                yield line, QRectF(origin.x() + left, top, width, metrics.ascent() + metrics.descent())
            block = block.next()
