"""Cards of alternative continuations while they are written; a click, Return or a digit chooses."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QKeyEvent, QResizeEvent, QTextCursor, QWheelEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QTextEdit, QVBoxLayout, QWidget

from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_percent, join_list
from app.ui.shared_labels import TEXT_LABEL
from app.ui.text.formats import block_format
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, set_text_font
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import fill_layout, name_widgets, scrolled

UNDER_A_THOUSANDTH = "under 0.1 %"

CARD_PX = 180
"""Minimum width of a card."""
LINES, LINES_OF_SEVERAL_ROWS = 6, 4
"""Lines visible per card with one row of cards, and with several."""
LINE_PERCENT = 128
LIKELY = 0.5
"""Mean probability of a token from which a continuation counts as likely."""


class AlternativeCard(QPushButton):
    """Card with number, confidence and text; the whole card is a button."""

    def __init__(self, theme: Theme, number: int, *, press_key: Callable[[QKeyEvent], object]) -> None:
        super().__init__()
        self.press_key = press_key
        """A key the card doesn't handle."""
        self._theme, self.number = theme, number
        self._is_code, self._lines = False, LINES
        self.written = ""
        """Text shown."""
        self.is_complete = False
        self.setProperty("kind", "alternative")
        self.setObjectName("alternative")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAutoDefault(False)
        self._digit = plain_label(str(number + 1))
        self._figure = plain_label(kind="muted")
        self._body = QTextEdit(readOnly=True)
        self._body.setProperty("kind", "bare")
        self._body.setAccessibleName(tr(TEXT_LABEL))
        self._body.setFrameShape(QFrame.Shape.NoFrame)
        self._body.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._body.viewport().setAutoFillBackground(False)
        self._body.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body.setUndoRedoEnabled(False)
        # The parts form one button, so the mouse is the card's.
        for part in (self._digit, self._figure, self._body, self._body.viewport()):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        head = QHBoxLayout()
        fill_layout(head, self._digit, 1, self._figure)
        column = QVBoxLayout(self)
        fill_layout(column, head, self._body)
        theme.dress(column, margins=(14, 10, 12, 10), spacing=4)
        theme.dress(self._digit, font="group")
        theme.dress(self._figure, font="caption")
        theme.changed.connect(self._dress)
        name_widgets(alternative_figure=self._figure)
        self._dress()
        self.show_figure(0.0, 0, is_complete=False)

    def show_text(self, text: str, *, is_code: bool) -> None:
        if text == self.written:
            return
        bar, cursor = self._body.verticalScrollBar(), QTextCursor(self._body.document())
        is_at_end = bar.value() >= bar.maximum() - 2
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if not self.written:
            self._is_code = is_code
            self._dress()
        # Blank lines before the first word would leave the card empty.
        begins = text.lstrip("\n") if is_code else text.lstrip()
        cursor.insertText(text[len(self.written) :] if self.written.strip() else begins)
        self.written = text
        if is_at_end:
            bar.setValue(bar.maximum())
        self.setAccessibleName(tr("Continuation {number}: {words}", number=self.number + 1, words=text.strip()))

    def show_figure(self, probability: float, tokens: int, *, is_complete: bool) -> None:
        """Show in a word whether the model would write this itself; the tokens' mean probability is in the tooltip."""
        words = (tr("likely") if probability >= LIKELY else tr("bold")) if tokens else ""
        self._figure.setText(words)
        meaning = tr_count(
            "Average confidence {percent} in {count} token (geometric mean).",
            "Average confidence {percent} in {count} tokens (geometric mean).",
            tokens,
            percent=percent(probability),
        )
        self.setToolTip(meaning if tokens else "")
        state = "" if is_complete else tr("still being written")
        if is_complete and not self.is_complete:
            self._body.verticalScrollBar().setValue(0)  # from now on it is read from the top
        self.is_complete = is_complete
        self.setAccessibleDescription(join_list((words, state)))

    def show_lines(self, lines: int) -> None:
        self._lines = lines
        self._dress()

    def sizeHint(self) -> QSize:
        # A push button's own hint is that of its text, and this one has a layout instead.
        layout = self.layout()
        assert layout is not None
        return QSize(self._theme.px(CARD_PX), layout.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def wheelEvent(self, event: QWheelEvent) -> None:
        # The text gets no mouse events, so the card scrolls it.
        bar = self._body.verticalScrollBar()
        if bar.maximum() > 0:
            bar.setValue(bar.value() - event.angleDelta().y() // 2)
            event.accept()
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() == Qt.Key.Key_Space:
            super().keyPressEvent(event)
        else:
            self.press_key(event)  # past the scroll area, which would consume the arrows

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        announce(self, self.accessibleName())

    def _dress(self) -> None:
        font = self._theme.fonts.code(12.5) if self._is_code else self._theme.font("row")
        set_text_font(self._body, font)
        self._body.document().setDefaultFont(font)
        self._body.document().setDocumentMargin(0)
        line_px = QFontMetricsF(font).height() * LINE_PERCENT / 100
        self._body.setFixedHeight(math.ceil(self._lines * line_px))
        cursor = QTextCursor(self._body.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeBlockFormat(block_format(LINE_PERCENT))


class Alternatives(QFrame):
    """Cards shown while there is a choice. Digits choose, arrows move, Escape declines."""

    chosen = Signal(int)
    declined = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.cards: list[AlternativeCard] = []
        self._is_code, self._most = False, 1 << 20
        self.setObjectName("alternatives")
        self.setAccessibleName(tr("Continuations"))
        self._hint: QLabel = plain_label(kind="muted", wraps=True)
        none = IconButton(theme, "x", tr("Dismiss"), size_px=16, on_click=self.declined)
        none.setToolTip(tr("Dismiss (Esc)"))
        head = QHBoxLayout()
        fill_layout(head, (self._hint, 1), (none, 0, Qt.AlignmentFlag.AlignTop))
        inside = QWidget()
        inside.setObjectName("page")
        self._grid = QGridLayout(inside)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._area = scrolled(inside)
        fade_ends(self._area, theme)
        column = QVBoxLayout(self)
        fill_layout(column, head, self._area)
        theme.dress(column, margins=(0, 4, 0, 0), spacing=4)
        theme.dress(self._grid, spacing=10)
        theme.dress(self._hint, font="small")
        theme.changed.connect(self._arrange)
        name_widgets(take_none=none, alternatives_hint=self._hint)
        self.hide()

    @property
    def is_open(self) -> bool:
        return bool(self.cards)

    @property
    def has_words(self) -> bool:
        """True once any card has text, so that there is something to choose."""
        return any(card.written.strip() for card in self.cards)

    def begin(self, count: int, *, is_code: bool, takes_keyboard: bool = True) -> None:
        """Show empty cards for `count` continuations; the first takes the keyboard."""
        self.end()
        self._is_code = is_code
        for number in range(count):
            card = AlternativeCard(self._theme, number, press_key=self.keyPressEvent)
            card.clicked.connect(partial(self.chosen.emit, number))
            self.cards.append(card)
        self._hint.setText(tr("Choose one: click, press Enter or 1 to {count}. Esc dismisses.", count=count))
        self._arrange()
        self.show()
        if takes_keyboard:
            self.cards[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def show_one(self, number: int, text: str, probability: float, tokens: int, *, is_complete: bool) -> None:
        card = self.cards[number]
        card.show_text(text, is_code=self._is_code)
        card.show_figure(probability, tokens, is_complete=is_complete)

    def end(self) -> None:
        for card in self.cards:
            self._grid.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = []
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = event.key() - Qt.Key.Key_1
        along = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        if 0 <= number < len(self.cards):
            self.chosen.emit(number)
        elif event.key() == Qt.Key.Key_Escape:
            self.declined.emit()
        elif event.key() in along and self.cards:
            step = along[Qt.Key(event.key())]
            if self.isRightToLeft() and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
                step = -step
            at = next((card.number for card in self.cards if card.hasFocus()), 0)
            self.cards[(at + step) % len(self.cards)].setFocus(Qt.FocusReason.TabFocusReason)
        else:
            super().keyPressEvent(event)

    def fit_height(self, most: int) -> None:
        """Limit the height in pixels; fewer lines need less."""
        if most != self._most:
            self._most = most
            self._arrange()

    def _arrange(self) -> None:
        if not self.cards:
            return
        px, gap = self._theme.px, self._grid.horizontalSpacing()
        across = max(1, min(len(self.cards), (self.width() + gap) // (px(CARD_PX) + gap)))
        if across < len(self.cards):  # rows as even as possible
            across = -(-len(self.cards) // -(-len(self.cards) // across))
        rows = -(-len(self.cards) // across)
        for card in self.cards:
            self._grid.removeWidget(card)
            card.show_lines(LINES if rows == 1 else LINES_OF_SEVERAL_ROWS)
            card.setFixedHeight(card.sizeHint().height())
            self._grid.addWidget(card, *divmod(card.number, across))
        high = self.cards[0].height()
        # Columns of an earlier arrangement must not keep their share of the width.
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 1 if column < across else 0)
        wanted = rows * high + (rows - 1) * gap
        self._area.setFixedHeight(min(wanted, max(high, self._most - px(40))))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()


def percent(share: float) -> str:
    """Format a share, such as 34 % or 0.4 %; never 0 for a positive one."""
    value = 100 * share
    if value >= 9.95:
        return format_percent(value / 100)
    return format_percent(value / 100, 1) if value >= 0.05 else tr(UNDER_A_THOUSANDTH)
