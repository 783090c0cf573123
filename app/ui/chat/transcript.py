"""The turns of a conversation under each other: opened from its end, followed while the reader is there."""

from __future__ import annotations

import time
from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QPushButton, QScrollArea, QWidget

from app.core.messages import Role
from app.store.conversations import StoredMessage
from app.ui.chat.answer_view import AnswerView
from app.ui.chat.branch_documents import BranchDocuments
from app.ui.chat.divider import Divider
from app.ui.chat.question_view import QuestionView
from app.ui.chat.turn import Turn
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.tab_order import is_tab_stop
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

COLUMN_PX = 760
MARGIN_PX = 24
SLICE_S = 0.008
NEAR_END_PX = 12
GONE_AT_ONCE = 10


class Transcript(QScrollArea):
    """Places turns itself, at once, so that following the end never lags a frame behind the text."""

    wanted = Signal(str, object)
    link_clicked = Signal(str)
    place_wanted = Signal(int, object)
    """A document's id, and the `Mark` in it or None."""
    settled = Signal()
    """Every turn of the conversation is there."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._turns: list[Turn] = []
        self._heights: dict[Turn, int] = {}
        self._older: list[StoredMessage] = []
        self._hidden: frozenset[int] = frozenset()
        self.documents = BranchDocuments()
        """Those of the messages that are shown; loaded before these are."""
        self.can_translate = True
        """Whether answers that come from now on offer to be translated."""
        self._is_following = True
        self._is_arranging = False
        self._column = QWidget()
        self._column.setObjectName("page")
        self.setWidget(self._column)
        self.divider = Divider(theme, self._column)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(tr("Conversation"))
        self.viewport().setAutoFillBackground(False)
        self._column.setAutoFillBackground(False)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self._pill: QPushButton = text_button(tr("Jump to latest"), "plain", self)
        self._pill.setObjectName("jump_to_latest")
        self._pill.clicked.connect(self.jump_to_latest)
        self._pill.hide()
        self._slices = QTimer(self, interval=0)
        self._slices.timeout.connect(self._on_slice)
        self._gone: list[QWidget] = []
        self._removal = QTimer(self, interval=0)
        self._removal.timeout.connect(self._on_removal)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def turns(self) -> list[Turn]:
        """The turns that are there, oldest first."""
        return list(self._turns)

    @property
    def is_settled(self) -> bool:
        """Whether all turns are there and laid out."""
        return not self._slices.isActive() and all(t.is_settled for t in self._turns if isinstance(t, AnswerView))

    @property
    def is_following(self) -> bool:
        """Whether the view stays at the end as the answer grows."""
        return self._is_following

    def open(self, messages: list[StoredMessage]) -> None:
        """Another conversation: the end is there at once, what is above it follows in slices."""
        self.clear()
        self._older = list(messages)
        self._add_older(until_s=0, until_px=self.viewport().height() + self._theme.px(200))
        self.jump_to_latest()
        if self._older:
            self._slices.start()
        else:
            self.settled.emit()

    def clear(self) -> None:
        """No turns."""
        self._slices.stop()
        self._older = []
        self._drop(0)
        self.arrange()

    def update_to(self, messages: list[StoredMessage]) -> None:
        """The same conversation after something changed: turns that stay are kept."""
        hidden = len(self._older)
        if [message.id for message in messages[:hidden]] != [message.id for message in self._older]:
            self.open(messages)
            return
        messages = messages[hidden:]
        same = 0
        for turn, message in zip(self._turns, messages, strict=False):
            if turn.message is None or turn.message.id != message.id:
                break
            if isinstance(turn, QuestionView | AnswerView) and turn.message != message:
                turn.set_message(message)
            turn.show_documents(self.documents)
            same += 1
        self._drop(same)
        for message in messages[same:]:
            self._insert(len(self._turns), self._turn_for(message))
        self._mark_last()
        self.arrange()

    def set_hidden(self, message_ids: Iterable[int]) -> None:
        """Which messages the model is not shown: below them the divider says so, and they can be brought back."""
        hidden = frozenset(message_ids)
        if hidden == self._hidden:
            return
        self._hidden = hidden
        self.divider.show_count(len(hidden))
        for turn in self._turns:
            turn.set_forgotten(self._is_hidden(turn))
        self.arrange()

    def add_answer(self) -> AnswerView:
        """An answer that is about to come."""
        view = AnswerView(self._theme, self._column)
        view.can_translate = self.can_translate
        view.show_documents(self.documents)
        self._insert(len(self._turns), view)
        self._mark_last()
        self.arrange()
        return view

    def show_documents(self) -> None:
        """After the documents were loaded anew."""
        for turn in self._turns:
            turn.show_documents(self.documents)

    def turn_of(self, message_id: int) -> Turn | None:
        """The turn that shows this message."""
        return next((turn for turn in self._turns if turn.message and turn.message.id == message_id), None)

    def show_turn(self, turn: Turn) -> None:
        """Scrolls so that the turn is seen."""
        self.arrange()
        self.ensureWidgetVisible(turn, 0, self._theme.px(40))

    def jump_to_latest(self) -> None:
        """To the end, and follow it."""
        self._is_following = True
        bar = self.verticalScrollBar()
        bar.setValue(bar.maximum())
        self._show_pill()

    def arrange(self, *, is_again: bool = False) -> None:
        """Places all turns; only those that changed are measured again."""
        if self._is_arranging:
            return
        self._is_arranging = True
        px = self._theme.px
        bar = self.verticalScrollBar()
        room = self.width()
        width = min(px(COLUMN_PX), room - 2 * px(MARGIN_PX))
        x = (room - width) // 2
        y = px(MARGIN_PX)
        first = self._first_shown()
        self.divider.setVisible(first is not None)
        for turn in self._turns:
            if turn is first:
                self.divider.setGeometry(x, y, width, self.divider.height_wanted)
                y += self.divider.height_wanted
            if is_again or turn not in self._heights:
                self._heights[turn] = turn.arrange(width, is_again=is_again)
            turn.setGeometry(x, y, width, self._heights[turn])
            y += self._heights[turn]
        self._column.resize(room, max(y + px(8), 1))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(px(24))
        bar.setRange(0, max(0, self._column.height() - self.viewport().height()))
        if self._is_following:
            bar.setValue(bar.maximum())
        self._is_arranging = False
        self._show_pill()

    def _is_hidden(self, turn: Turn) -> bool:
        return turn.message is not None and turn.message.id in self._hidden

    def _first_shown(self) -> Turn | None:
        """The turn below the divider: the first after the last that is not shown to the model."""
        last = next((place for place in reversed(range(len(self._turns))) if self._is_hidden(self._turns[place])), None)
        return self._turns[last + 1] if last is not None and last + 1 < len(self._turns) else None

    # Building.

    def _turn_for(self, message: StoredMessage) -> Turn:
        if message.role == Role.USER:
            question = QuestionView(self._theme, message, self._column)
            question.show_documents(self.documents)
            return question
        view = AnswerView(self._theme, self._column)
        view.can_translate = self.can_translate
        view.show_documents(self.documents)
        view.set_message(message)
        return view

    def _insert(self, index: int, turn: Turn) -> None:
        self._turns.insert(index, turn)
        turn.wanted.connect(self.wanted)
        turn.link_clicked.connect(self.link_clicked)
        turn.place_wanted.connect(self.place_wanted)
        turn.resized.connect(self._on_resized)
        if isinstance(turn, AnswerView):
            turn.opened.connect(self._on_opened)
        turn.set_forgotten(self._is_hidden(turn))
        turn.show()

    def _drop(self, index: int) -> None:
        for turn in self._turns[index:]:
            self._heights.pop(turn, None)
            turn.hide()
            if isinstance(turn, AnswerView):
                turn.leave()
                self._gone += turn.body.views
            self._gone.append(turn)
        del self._turns[index:]
        if self._gone:
            self._removal.start()

    def _on_removal(self) -> None:
        """Hundreds of views take a while to go; a few at a time, nobody waits for them."""
        for widget in self._gone[:GONE_AT_ONCE]:
            widget.deleteLater()
        del self._gone[:GONE_AT_ONCE]
        if not self._gone:
            self._removal.stop()

    def _mark_last(self) -> None:
        for turn in self._turns:
            is_last = turn is self._turns[-1]
            turn.set_last(is_last)
            if isinstance(turn, QuestionView):
                turn.set_answerless(is_last)

    def _add_older(self, *, until_s: float, until_px: int = 0) -> None:
        """Adds turns above, until a moment or a height is reached; what is seen does not move."""
        height = 0
        before = self._column.height()
        while self._older and (height < until_px if until_px else time.perf_counter() < until_s):
            turn = self._turn_for(self._older.pop())
            self._insert(0, turn)
            width = min(self._theme.px(COLUMN_PX), self.width() - 2 * self._theme.px(MARGIN_PX))
            self._heights[turn] = turn.arrange(width)
            height += self._heights[turn]
        self._mark_last()
        bar = self.verticalScrollBar()
        value = bar.value()
        self.arrange()
        if not self._is_following:
            bar.setValue(value + self._column.height() - before)

    def _on_slice(self) -> None:
        self._add_older(until_s=time.perf_counter() + SLICE_S)
        if not self._older:
            self._slices.stop()
            self.settled.emit()

    # Following.

    def _on_scrolled(self, value: int) -> None:
        if not self._is_arranging:
            self._is_following = value >= self.verticalScrollBar().maximum() - self._theme.px(NEAR_END_PX)
            self._show_pill()

    def _show_pill(self) -> None:
        is_shown = not self._is_following and self.verticalScrollBar().maximum() > 0
        if is_shown:
            size = self._pill.sizeHint()
            x = (self.viewport().width() - size.width()) // 2
            self._pill.setGeometry(
                QRect(x, self.height() - size.height() - self._theme.px(10), size.width(), size.height())
            )
            self._pill.raise_()
        self._pill.setVisible(is_shown)

    def _on_resized(self, turn: Turn) -> None:
        self._heights.pop(turn, None)
        if turn in self._turns:
            self.arrange()

    def _on_opened(self, turn: Turn) -> None:
        """What somebody opens stays where it is, however much of it comes below."""
        self._is_following = False
        self._on_resized(turn)
        self._on_scrolled(self.verticalScrollBar().value())

    def tab_entry(self, is_next: bool) -> QWidget | None:
        """The keyboard comes in at the last question, from behind at what is last, however much there is before."""
        if not self._turns or not self.isVisible():
            return None
        questions = [turn for turn in self._turns if isinstance(turn, QuestionView)]
        return (questions or self._turns)[-1] if is_next else _tab_stops(self._turns[-1])[-1]

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """Tab goes through turns, their parts and their actions as they are seen, not as they were made."""
        order = [widget for turn in self._turns for widget in _tab_stops(turn)]
        focus = QApplication.focusWidget()
        place = next((i for i, widget in enumerate(order) if widget is focus), None)
        reason = Qt.FocusReason.TabFocusReason if is_next else Qt.FocusReason.BacktabFocusReason
        if place is not None and 0 <= place + (1 if is_next else -1) < len(order):
            order[place + (1 if is_next else -1)].setFocus(reason)
            return True
        return super().focusNextPrevChild(is_next)

    def _on_focus_changed(self) -> None:
        focus = QApplication.focusWidget()
        for turn in self._turns:
            turn.set_focused(focus is not None and (focus is turn or turn.isAncestorOf(focus)))
        if focus is not None and self._column.isAncestorOf(focus) and focus.focusPolicy() & Qt.FocusPolicy.TabFocus:
            self.ensureWidgetVisible(focus, 0, self._theme.px(40))

    def _on_theme_changed(self) -> None:
        self._pill.setIcon(icon("arrow-down", self._theme.tokens.text, self._theme.px(16)))
        self._pill.setIconSize(QSize(self._theme.px(16), self._theme.px(16)))
        self._pill.setFont(self._theme.font(13.5, 500))
        self.arrange(is_again=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange(is_again=event.oldSize().width() != event.size().width())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self.arrange(is_again=True)


def _tab_stops(turn: Turn) -> list[QWidget]:
    """The turn itself, then what is in it, in reading order."""
    stops = [child for child in turn.findChildren(QWidget) if is_tab_stop(child)]

    def place(widget: QWidget) -> tuple[int, int]:
        point = widget.mapTo(turn, QPoint(0, 0))
        return point.y(), -point.x() if turn.isRightToLeft() else point.x()

    return [turn, *sorted(stops, key=place)]
