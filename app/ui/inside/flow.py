"""Tokens as lines of tinted pieces. Only visible pieces are painted, so that long texts scroll fast."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QVBoxLayout, QWidget

from app.language.scripts import is_right_to_left
from app.ui.i18n import tr_count
from app.ui.locale_formats import format_number
from app.ui.screen_reader import SpokenPart, read_as
from app.ui.text.keyboard_walk import step_aside
from app.ui.theme import Theme, Tokens, smooth_painter
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce, plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout, name_widgets

SHOW_MORE_TOKENS = "Showing {shown} of {count} tokens. Show {more} more"

FONT_PX = 13
PAD_PX, GAP_PX, LINE_GAP_PX, MARGIN_PX = 3, 2, 5, 8
BAR_PX = 2
MARKS = str.maketrans({" ": "\u00b7", "\n": "\u21b5", "\t": "\u21e5", "\r": "\u240d", "\u00a0": "\u237d"})
"""Visible signs for white space."""
TINTS = ("code_name", "warning", "success", "code_number")
"""Theme colours mixed into the background, so that neighbouring tokens differ."""
TINT_SHARE = {False: 0.14, True: 0.24}
"""Share of the tint in the light and in the dark theme, which needs more to be visible."""


class TokenPiece(NamedTuple):
    """Appearance of a token. `ground` is "#RRGGBB"; "" draws an outline only, as for control tokens."""

    text: str
    ground: str
    ends_line: bool = False
    share: float | None = None
    """Length of the bar below it, 0 to 1; None draws no bar."""


def visible(data: bytes, *, is_control: bool = False) -> str:
    """Return a token's bytes in readable form: signs for white space, hex for parts of characters."""
    text = data.decode("utf-8", "replace")
    if is_control:
        return text
    # Half a character decodes to U+FFFD as well; only a token that is this very character shows it.
    if "\ufffd" in text and data != b"\xef\xbf\xbd":
        return hex_of(data)
    marked = text.translate(MARKS)
    # Invisible characters would look like an empty token, or reorder those around them.
    return "".join(letter if letter.isprintable() else f"U+{ord(letter):04X}" for letter in marked)


def hex_of(data: bytes) -> str:
    """Return bytes as spaced hex: "E2 98 83"."""
    return data.hex(" ").upper()


# Called for every token with few combinations of colours.
@cache
def blended(below: str, above: str, share: float) -> str:
    """Return `below` mixed with a share (0 to 1) of `above`."""
    base, tinted = QColor(below), QColor(above)
    pairs = ((base.red(), tinted.red()), (base.green(), tinted.green()), (base.blue(), tinted.blue()))
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


def tint(tokens: Tokens, number: int, *, is_dark: bool) -> str:
    """Return the background of the token at a position."""
    return blended(tokens.surface, getattr(tokens, TINTS[number % len(TINTS)]), TINT_SHARE[is_dark])


class FlowLines:
    """Flow layout of widths in lines, from the top and the leading edge."""

    def __init__(self) -> None:
        self.pitch_px = 1
        """Distance between the tops of two lines."""
        self.margin_px = self._gap_px = self._end_px = 0
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._firsts: list[int] = []
        """First item of each line."""
        self._is_new = True

    def begin(self, width_px: int, margin_px: int, gap_px: int, pitch_px: int) -> None:
        """Start an empty layout; all lengths are in pixels."""
        self.margin_px, self._gap_px, self.pitch_px = margin_px, gap_px, pitch_px
        self._end_px = width_px - margin_px
        self._starts, self._ends, self._firsts, self._is_new = [], [], [], True

    def add(self, width_px: int, *, ends_line: bool) -> None:
        """Place one more width on the current line, or on a new one if it doesn't fit."""
        # There is no sideways scrolling, so a token that is wider than a line is cut.
        width_px = min(width_px, max(1, self._end_px - self.margin_px))
        start = self._ends[-1] + self._gap_px if self._ends else 0
        if self._is_new or start + width_px > self._end_px:
            self._firsts.append(len(self._starts))
            start = self.margin_px
        self._starts.append(start)
        self._ends.append(start + width_px)
        self._is_new = ends_line

    @property
    def height_px(self) -> int:
        return len(self._firsts) * self.pitch_px + 2 * self.margin_px

    def place_of(self, index: int) -> tuple[int, int, int]:
        """Return start, end and top of an item."""
        # By bisection, as one call is made for each token painted.
        line = bisect_right(self._firsts, index) - 1
        return self._starts[index], self._ends[index], self.margin_px + line * self.pitch_px

    def within(self, top_px: int, bottom_px: int) -> range:
        """Return the items on the lines between two heights."""
        first = max(0, (top_px - self.margin_px) // self.pitch_px)
        last = min(len(self._firsts) - 1, (bottom_px - self.margin_px) // self.pitch_px)
        # Lines hold whole ranges of tokens, so painting costs what is visible and not what the text is long.
        return range(self._firsts[first], self._span(last)[1]) if first <= last else range(0)

    def item_lines_away(self, index: int, lines: int) -> int:
        """Return the item `lines` below (or above, if negative) at the same horizontal place."""
        line = bisect_right(self._firsts, index) - 1 + lines
        first, end = self._span(min(max(line, 0), len(self._firsts) - 1))
        # Ends grow along a line, so the first one past the middle is the token below.
        middle = (self._starts[index] + self._ends[index]) // 2
        return min(bisect_left(self._ends, middle, first, end), end - 1)

    def _span(self, line: int) -> tuple[int, int]:
        end = self._firsts[line + 1] if line + 1 < len(self._firsts) else len(self._starts)
        return self._firsts[line], end


class PiecePainter:
    """Measures and paints single tokens in the theme's code font."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.font = theme.fonts.code(FONT_PX)
        self._metrics = QFontMetrics(self.font)
        self._widths: dict[str, int] = {}  # by text: the same tokens come again and again
        self.height = self._metrics.height() + 2 * theme.px(PAD_PX)

    def width_of(self, text: str) -> int:
        """Return a token's width in pixels, with the room around its letters."""
        return self._advance(text) + 2 * self._theme.px(PAD_PX)

    def paint(self, painter: QPainter, piece: TokenPiece, rect: QRectF, pen: QPen, *, is_mirrored: bool) -> None:
        """Paint a token into its rectangle, with this pen round it."""
        px, tokens = self._theme.px, self._theme.tokens
        painter.setPen(pen)
        painter.setBrush(QColor(piece.ground) if piece.ground else Qt.BrushStyle.NoBrush)
        # A pen is centred on its path: half of it would be cut off at the edge.
        inset = pen.widthF() / 2
        painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), px(4), px(4))
        room = rect.adjusted(px(PAD_PX), 0, -px(PAD_PX), 0)
        painter.setPen(QColor(tokens.text if piece.ground else tokens.muted))
        text = piece.text
        if self._advance(text) > room.width():
            text = self._metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)
        if piece.share is not None:
            bar = QRectF(rect.left(), rect.bottom() - px(BAR_PX), rect.width() * piece.share, px(BAR_PX))
            if is_mirrored:
                bar.moveRight(rect.right())
            painter.fillRect(bar, QColor(tokens.muted))

    def _advance(self, text: str) -> int:
        if (width := self._widths.get(text)) is None:
            width = self._widths[text] = self._metrics.horizontalAdvance(text)
        return width


class TokenFlow(QAbstractScrollArea):
    """Token view with keyboard navigation; `announce_token` describes the current one to screen readers."""

    pointed = Signal(int)
    """Token under the pointer, else the current one; -1 if there is none."""
    chosen = Signal(int)
    """A token was clicked or confirmed by Return."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._pieces: list[TokenPiece] = []
        self._lines = FlowLines()
        self._is_mirrored = False
        self._current = self._hovered = -1
        self._width = 0
        self.setObjectName("token_flow")
        self.setAccessibleName(name)
        read_as(self, QAccessible.Role.List)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Without tracking, moves arrive only while a button is held.
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def pieces(self) -> Sequence[TokenPiece]:
        return self._pieces

    @property
    def current(self) -> int:
        """Token at the keyboard position; -1 if there was none yet."""
        return self._current

    def show_pieces(self, pieces: Iterable[TokenPiece], *, is_mirrored: bool = False) -> None:
        """Replace the tokens.

        If the new ones start with the old ones, keep the position, and the view at its end if it was there.
        `is_mirrored` lays them out right to left.
        """
        bar = self.verticalScrollBar()
        before, self._pieces = self._pieces, list(pieces)
        is_grown = bool(before) and [token_piece.text for token_piece in before] == [
            piece.text for piece in self._pieces[: len(before)]
        ]
        # Asked before the new tokens change the scroll range.
        is_at_end = is_grown and bar.value() >= bar.maximum()
        if not is_grown:
            self._current = self._hovered = -1
            bar.setValue(0)
        self._is_mirrored = is_mirrored
        self._place_pieces(0)
        if is_at_end:
            bar.setValue(bar.maximum())

    def add_pieces(self, pieces: Iterable[TokenPiece]) -> None:
        """Append tokens; a view at the end stays at the end."""
        bar = self.verticalScrollBar()
        is_at_end = bar.value() >= bar.maximum()
        first = len(self._pieces)
        self._pieces += pieces
        self._place_pieces(first)
        if is_at_end:
            bar.setValue(bar.maximum())

    def set_current(self, index: int) -> None:
        self._current, self._hovered = index, -1  # until the pointer moves
        bar, rect, margin = self.verticalScrollBar(), self.rect_of(index), self._lines.margin_px
        if rect.top() < 0:
            bar.setValue(bar.value() + rect.top() - margin)
        elif rect.bottom() > self.viewport().height():
            bar.setValue(bar.value() + rect.bottom() - self.viewport().height() + margin)
        self.viewport().update()
        self.pointed.emit(index)

    def announce_token(self, words: str) -> None:
        """Describe the current token to screen readers."""
        self.setAccessibleDescription(words)
        announce(self, words)

    def spoken_count(self) -> int:
        return len(self._pieces)

    def spoken_part(self, number: int) -> SpokenPart:
        place = self.rect_of(number).translated(self.viewport().pos())
        is_current = number == self._current
        return SpokenPart(QAccessible.Role.ListItem, self._pieces[number].text, place, is_selected=is_current)

    def rect_of(self, index: int) -> QRect:
        """Return a token's rectangle in the viewport."""
        start, end, top = self._lines.place_of(index)
        # Lines are laid out from the leading edge; only the horizontal axis is turned.
        left = self.viewport().width() - end if self._is_mirrored else start
        return QRect(left, top - self.verticalScrollBar().value(), end - start, self._painter.height)

    def index_at(self, place: QPoint) -> int:
        """Return the token at a viewport point; -1 if there is none."""
        y = place.y() + self.verticalScrollBar().value()
        return next((index for index in self._lines.within(y, y) if self.rect_of(index).contains(place)), -1)

    def _place_pieces(self, first: int) -> None:
        """Lay out tokens from `first` on; those before keep their places."""
        px, lines = self._theme.px, self._lines
        if first == 0:
            lines.begin(self.viewport().width(), px(MARGIN_PX), px(GAP_PX), self._painter.height + px(LINE_GAP_PX))
        for piece in self._pieces[first:]:
            lines.add(self._painter.width_of(piece.text), ends_line=piece.ends_line)
        bar, seen = self.verticalScrollBar(), self.viewport().height()
        bar.setPageStep(seen)
        bar.setSingleStep(lines.pitch_px)
        bar.setRange(0, max(0, lines.height_px - seen))
        self.viewport().update()

    def _on_theme_changed(self) -> None:
        self._painter = PiecePainter(self._theme)
        self._place_pieces(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_new_width = self.viewport().width() != self._width
        self._width = self.viewport().width()
        # Another height alone, as of a growing panel, moves no token.
        self._place_pieces(0 if is_new_width else len(self._pieces))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = smooth_painter(self.viewport())
        painter.setFont(self._painter.font)
        top, rect = self.verticalScrollBar().value(), event.rect()
        for index in self._lines.within(top + rect.top(), top + rect.bottom()):
            place = QRectF(self.rect_of(index))
            piece, pen = self._pieces[index], self._pen_of(index)
            self._painter.paint(painter, piece, place, pen, is_mirrored=self._is_mirrored)

    def _pen_of(self, index: int) -> QPen:
        tokens, piece = self._theme.tokens, self._pieces[index]
        if index == self._current:  # also when the focus is in the list of alternatives
            return QPen(QColor(tokens.focus if self.hasFocus() else tokens.outline), 2)
        is_outlined = not piece.ground or index == self._hovered
        return QPen(QColor(tokens.outline if is_outlined else piece.ground), 1)

    def _hover(self, index: int) -> None:
        if index != self._hovered:
            self._hovered = index
            self.viewport().update()
            # Off all tokens the description goes back to the keyboard's.
            self.pointed.emit(index if index >= 0 else self._current)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.index_at(event.position().toPoint()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self.set_current(index)
            self.chosen.emit(index)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        # A click chooses its own token right after this.
        if self._current < 0 and self._pieces and event.reason() != Qt.FocusReason.MouseFocusReason:
            self.set_current(0)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Keys of the number pad carry a modifier, on macOS all arrows do.
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier or not self._pieces:
            super().keyPressEvent(event)
            return
        if (target := self._target(event)) is not None:
            self.set_current(min(max(target, 0), len(self._pieces) - 1))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._current >= 0:
            self.chosen.emit(self._current)
        else:
            event.ignore()  # Escape closes the panel

    def _target(self, event: QKeyEvent) -> int | None:
        """Return the token a key leads to; None for other keys."""
        key = Qt.Key(event.key())
        now, page = max(self._current, 0), max(1, self.viewport().height() // self._lines.pitch_px - 1)
        lines = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: page, Qt.Key.Key_PageUp: -page}
        # The arrows follow the screen: to the right is back in a right-to-left text.
        if step := step_aside(event, is_rtl=self._is_mirrored):
            return now + step
        if key in lines:
            return self._lines.item_lines_away(now, lines[key])
        return {Qt.Key.Key_Home: 0, Qt.Key.Key_End: len(self._pieces) - 1}.get(key)

    def minimumSizeHint(self) -> QSize:
        return QSize(1, self._theme.px(60))


SHOWN_AT_ONCE = 20_000
"""Limit of tokens shown before the user asks for more."""
SAMPLE = 300
"""Tokens read to detect a right-to-left text."""


class TokenText(QWidget):
    """Token flow that shows only the first of very many.

    `piece_of` and `data_of` return appearance and bytes by token number.
    """

    def __init__(
        self, theme: Theme, name: str, *, piece_of: Callable[[int], TokenPiece], data_of: Callable[[int], bytes]
    ) -> None:
        super().__init__()
        self._piece_of, self._data_of = piece_of, data_of
        self._count = self._shown = 0
        self.flow = TokenFlow(theme, name)
        self._more = text_button("", "link", name="more_tokens", on_click=self._show_more)
        column = fill_layout(QVBoxLayout(self), (self.flow, 1), (self._more, 0, Qt.AlignmentFlag.AlignLeading))
        theme.dress(column, margins=(0, 0, 0, 0), spacing=4)
        theme.dress(self._more, font="control")
        theme.changed.connect(self.show_again)
        self._show_rest()

    def show_count(self, count: int) -> None:
        """Replace the text by one of `count` tokens, of which at most `SHOWN_AT_ONCE` are laid out."""
        self._count, self._shown = count, min(count, SHOWN_AT_ONCE)
        self.show_again()
        self._show_rest()

    def grow_to(self, count: int) -> None:
        """Extend the text to `count` tokens, keeping those shown."""
        self._count = count
        # After "Show more" growing never adds tokens by itself.
        if self._shown < SHOWN_AT_ONCE:
            self._show_to(min(count, SHOWN_AT_ONCE))
        self._show_rest()

    def show_again(self) -> None:
        """Rebuild all pieces: their bytes or the theme changed, and with the bytes maybe the direction."""
        beginning = b"".join(map(self._data_of, range(min(self._shown, SAMPLE))))
        # The sample may end inside a character.
        is_mirrored = is_right_to_left(beginning.decode("utf-8", "ignore"))
        self.flow.show_pieces(map(self._piece_of, range(self._shown)), is_mirrored=is_mirrored)

    def _show_more(self) -> None:
        self._show_to(min(self._count, self._shown + SHOWN_AT_ONCE))
        self._show_rest()

    def _show_to(self, end: int) -> None:
        first, self._shown = self._shown, end
        if first < SAMPLE:  # the direction may still change to right-to-left
            self.show_again()
        else:
            self.flow.add_pieces(map(self._piece_of, range(first, end)))

    def _show_rest(self) -> None:
        left = self._count - self._shown
        words = tr_count(
            "Showing {shown} of {count} token. Show {more} more",
            SHOW_MORE_TOKENS,
            self._count,
            shown=format_number(self._shown),
            more=format_number(min(left, SHOWN_AT_ONCE)),
        )
        self._more.setVisible(left > 0)
        self._more.setText(words)
        self._more.setAccessibleName(words)


LEAST_PX = 74


class TokenDetail(QFrame):
    """Details of the current token. It only grows, so that nothing moves back and forth while tokens are pointed at."""

    def __init__(self, theme: Theme, hint: str) -> None:
        super().__init__()
        self._theme, self._hint = theme, hint
        self.setObjectName("token_detail")
        self.setProperty("kind", "card")
        self._token, self._about = plain_label(), plain_label(kind="muted", wraps=True)
        self._about.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        # Or a long token would keep the panel from becoming narrower.
        self._token.setMinimumWidth(1)
        self._token.setProperty("elides", True)
        theme.dress(fill_layout(QVBoxLayout(self), self._token, (self._about, 1)), margins=(10, 7, 10, 7), spacing=2)
        theme.dress(self._token, font="section")
        theme.dress(self._about, font="small")
        theme.dress(self, least_height=LEAST_PX)
        name_widgets(detail_token=self._token, detail_about=self._about)
        self.clear()

    @property
    def text(self) -> str:
        """Token and details on one line."""
        return f"{self._token.text()} {self._about.text()}".strip()

    def show_token(self, token: str, about: str) -> None:
        """Show a token in readable form with its details."""
        self._token.setText(token)
        self._token.setVisible(bool(token))
        self._about.setText(about)
        self._about.setToolTip(plain_tip(about))
        self._fit_height(self.minimumHeight())

    def _fit_height(self, least: int) -> None:
        if (column := self.layout()) is not None and self.isVisible():
            self.setMinimumHeight(max(least, column.totalHeightForWidth(self.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit_height(self._theme.px(LEAST_PX))

    def clear(self) -> None:
        self.show_token("", self._hint)
