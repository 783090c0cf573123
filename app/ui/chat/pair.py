"""Turn with two compared answers: next to each other, or stacked in a narrow window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QKeyEvent, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from app.core.events import Role
from app.store.conversations import MessageState, StoredMessage
from app.ui.chat.actions import TurnAction
from app.ui.chat.answer_view import AnswerText, AnswerView, ThinkingView, stats_text
from app.ui.chat.branch_documents import BranchDocuments
from app.ui.chat.turn import LEAD_PX, TurnView
from app.ui.i18n import tr
from app.ui.text.selectable import SelectableText
from app.ui.text.text_body import MessageBody
from app.ui.theme import LateTheme, Theme, smooth_painter
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import ElidedLabel

if TYPE_CHECKING:
    from app.ui.chat.transcript import TurnMaker

WIDE_PX = 560
"""Width below which the answers are stacked."""
GAP_PX, PAD_PX, RADIUS_PX, BELOW_PX = 12, 16, 10, 12


class PairSide:
    """Side of a pair: an answer below a header with the model's name, statistics, and a button to choose it."""

    def __init__(self, theme: Theme, name: str, answer: AnswerView, parent: QWidget) -> None:
        self.answer = answer
        self.name = ElidedLabel(name, parent=parent)
        self.figures = ElidedLabel(parent=parent)
        self.figures.setProperty("kind", "muted")
        self.choose: QPushButton = text_button(tr("Choose"), "plain", parent, name="choose_answer")
        self.choose.setToolTip(tr("Continue with this answer; the other one is kept as a version"))
        self.choose.setAccessibleName(tr("Continue with {name}’s answer", name=name))
        self.choose.hide()
        answer.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the pair has the keyboard
        answer.shows_versions = False  # both are there
        theme.dress(self.name, font="section")
        theme.dress(self.figures, font="small")
        theme.dress(self.choose, font="control")

    def head_height(self) -> int:
        return max(self.name.sizeHint().height() + self.figures.sizeHint().height(), self.choose.sizeHint().height())

    def place_head(self, room: QRect, *, is_mirrored: bool) -> None:
        hint, first = self.choose.sizeHint(), self.name.sizeHint().height()
        words = room.width() - hint.width() - 8
        x = room.x() + room.width() - words if is_mirrored else room.x()
        self.name.setGeometry(x, room.y(), words, first)
        self.figures.setGeometry(x, room.y() + first, words, self.figures.sizeHint().height())
        left = room.x() if is_mirrored else room.right() + 1 - hint.width()
        self.choose.setGeometry(QRect(left, room.y(), hint.width(), hint.height()))

    def show_figures(self) -> None:
        message = self.answer.message
        words = stats_text(message.stats) if message is not None and message.stats is not None else ""
        if words != self.figures.text():
            self.figures.setText(words)

    @property
    def can_be_chosen(self) -> bool:
        """True if the answer is complete and has text."""
        message = self.answer.message
        return message is not None and message.state is not MessageState.WRITING and bool(message.text)


class PairView(TurnView):
    """Turn of two compared answers. `leads` is the index of the one that counts as the turn's message until the user
    chooses.
    """

    role = Role.ASSISTANT
    is_only_last = True
    chosen = Signal(int)
    """An answer was chosen; carries its index, 0 or 1."""

    def __init__(
        self, theme: Theme, names: Sequence[str], maker: TurnMaker, parent: QWidget, *, leads: int = 0
    ) -> None:
        self.sides: list[PairSide] = []
        self._leads = leads
        super().__init__(LateTheme(theme, parent), parent, maker)
        self.theme.setParent(self)
        self.setObjectName("pair")
        self.has_earlier_turns = False
        self.is_whole = False
        for number, name in enumerate(names):
            side = PairSide(self.theme, name, maker.answer(self), self)
            side.answer.setAccessibleName(tr("Answer of {name}", name=name))
            side.choose.clicked.connect(lambda _=False, number=number: self.chosen.emit(number))
            self.sides.append(side)
            side.answer.show()
        self._cards: list[QRect] = []
        self.setAccessibleName(tr("Two answers: {one} and {other}", one=names[0], other=names[1]))

    @property
    def message(self) -> StoredMessage | None:
        # The base class asks before the sides are made.
        return self.leading.message if self.sides else None

    @message.setter
    def message(self, _message: StoredMessage | None) -> None:
        """Ignore the message: each side has its own."""

    @property
    def leading(self) -> AnswerView:
        return self.sides[self._leads].answer

    @property
    def text(self) -> str:
        return self.leading.text

    @property
    def written(self) -> AnswerText:
        return self.leading.written

    @property
    def body(self) -> MessageBody:
        return self.leading.body

    @property
    def thinking(self) -> ThinkingView:
        return self.leading.thinking

    def spoken_views(self) -> Sequence[SelectableText]:
        return self.leading.spoken_views()

    @property
    def is_kept(self) -> bool:
        # Until one is chosen, the pair exists only as this view.
        return True

    @property
    def is_changing(self) -> bool:
        return any(side.answer.is_changing for side in self.sides)

    @property
    def offers(self) -> list[TurnAction]:
        # Each side has its own.
        return []

    def actions_offered(self) -> Sequence[TurnAction]:
        return ()

    def set_message(self, message: StoredMessage) -> None:
        self.leading.set_message(message)

    def show_documents(self, documents: BranchDocuments) -> None:
        for side in self.sides:
            side.answer.show_documents(documents)

    def show_choice(self, *, is_over: bool) -> None:
        """Show or hide the buttons to choose, depending on whether both answers are complete."""
        for side in self.sides:
            side.show_figures()
            side.choose.setVisible(is_over and side.can_be_chosen)
        self.host.resized.emit(self)

    def arrange(self, width: int, *, is_again: bool = False) -> int:
        px = self.theme.px
        is_wide, gap, pad = width >= px(WIDE_PX), px(GAP_PX), px(PAD_PX)
        column = (width - gap) // 2 if is_wide else width
        heights = []
        for side in self.sides:
            side.show_figures()
            if isinstance(side.answer.theme, LateTheme):
                side.answer.theme.catch_up()
            below = side.answer.arrange(column - 2 * pad, is_again=is_again)
            heights.append(px(PAD_PX) + side.head_height() + px(10) + below)
        high = max(heights)
        self._cards = []
        y = px(LEAD_PX)
        for number, side in enumerate(self.sides):
            x = number * (column + gap) if is_wide else 0
            card = QRect(
                width - x - column if self.isRightToLeft() else x, y, column, high if is_wide else heights[number]
            )
            self._cards.append(card)
            self._place_side(side, card)
            y += 0 if is_wide else card.height() + gap
        self.update()
        return self._cards[-1].bottom() + 1 + px(BELOW_PX)

    def _place_side(self, side: PairSide, card: QRect) -> None:
        px = self.theme.px
        room = QRect(card.x() + px(PAD_PX), card.y() + px(PAD_PX), card.width() - 2 * px(PAD_PX), side.head_height())
        side.place_head(room, is_mirrored=self.isRightToLeft())
        top = room.bottom() + 1 + px(10)
        side.answer.setGeometry(QRect(room.x(), top, room.width(), card.bottom() + 1 - top))

    def update_actions(self) -> None:
        """Show the actions of each answer on hover, or while the keyboard is in the pair."""
        for side in self.sides:
            side.answer.set_focused(self.toolbar.is_focused)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, radius = self.theme.tokens, self.theme.px(RADIUS_PX)
        painter = smooth_painter(self)
        painter.setPen(QPen(QColor(tokens.line), 1))
        painter.setBrush(QColor(tokens.surface))
        for card in self._cards:
            painter.drawRoundedRect(card.toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)

    def enterEvent(self, event: QEnterEvent) -> None:
        # Past the turn's own handlers: actions are shown by each side.
        QWidget.enterEvent(self, event)

    def leaveEvent(self, event: QEvent) -> None:
        QWidget.leaveEvent(self, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose an answer by the keys 1 and 2."""
        numbers = {Qt.Key.Key_1: 0, Qt.Key.Key_2: 1}
        number = numbers.get(Qt.Key(event.key())) if self.hasFocus() and not event.modifiers() else None
        if number is not None and not self.sides[number].choose.isHidden():
            self.chosen.emit(number)
        else:
            super().keyPressEvent(event)

    def minimumSizeHint(self) -> QSize:
        return QSize(1, 1)
