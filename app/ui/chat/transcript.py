"""The turns of a conversation under each other: opened from its end, followed while the reader is there.

Turns more than a page away from what is seen rest: they keep their height and what they say, and give the views of
their texts away. A change of colours, zoom or width is followed at once by those that are near, and by the others when
somebody scrolls to them; until then their heights are those of before, or a guess.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeGuard

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QPushButton, QScrollArea, QWidget

from app.core.events import Role
from app.store.conversations import StoredMessage
from app.ui.chat.documents import BranchDocuments
from app.ui.chat.turn import Turn
from app.ui.i18n import tr
from app.ui.shell.keyboard import is_tab_stop
from app.ui.theme import EDGE_PX, READING_PX, LateTheme, Theme
from app.ui.widgets.buttons import text_button

if TYPE_CHECKING:
    from app.ui.chat.answer import AnswerView
    from app.ui.chat.question import QuestionView

SLICE_S = 0.008
NEAR_END_PX = 12
GONE_AT_ONCE = 10
PILL_GAP_PX = 6
RING_PX = 10


class Transcript(QScrollArea):
    """Places turns itself, at once, so that following the end never lags a frame behind the text."""

    wanted = Signal(str, object)
    link_clicked = Signal(str)
    place_wanted = Signal(int, object)
    """A document's id, and the `Mark` in it or None."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._older: list[StoredMessage] = []
        self.documents = BranchDocuments()
        """Those of the messages that are shown; loaded before these are."""
        self.can_translate = True
        """Whether answers that come from now on offer to be translated."""
        self.is_following = True
        """Whether the view stays at the end as the answer grows."""
        self._is_arranging = False
        self._column = TurnColumn(theme, self.width)
        self.setWidget(self._column)
        self.turns = self._column.turns
        """Those that are there, oldest first."""
        self.divider = self._column.divider
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
        self._slices.timeout.connect(self._add_older)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]
        theme.dress(self._pill, font=(13.5, 500), glyph=("arrow-down", "text", 16))
        theme.changed.connect(self._arrange_again)

    @property
    def is_settled(self) -> bool:
        return not self._slices.isActive() and all(t.written.is_settled for t in self.turns if is_answer(t))

    def open(self, messages: list[StoredMessage]) -> None:
        """Another conversation: the end is there at once, what is above it follows in slices."""
        self._slices.stop()
        self._column.drop(0)
        self.arrange()
        self._older = list(messages)
        self._slices.start()
        self._add_older(until_px=self.viewport().height() + self._theme.px(200))
        self.jump_to_latest()

    def update_to(self, messages: list[StoredMessage]) -> None:
        """The same conversation after something changed: turns that stay are kept."""
        hidden = len(self._older)
        if [message.id for message in messages[:hidden]] != [message.id for message in self._older]:
            self.open(messages)
            return
        messages = messages[hidden:]
        same = 0
        for turn, message in zip(self.turns, messages, strict=False):
            if turn.message is None or turn.message.id != message.id:
                break
            if (is_question(turn) or is_answer(turn)) and turn.message != message:
                turn.set_message(message)
            turn.show_documents(self.documents)
            same += 1
        self._column.drop(same)
        for message in messages[same:]:
            self._insert(len(self.turns), self._turn_for(message))
        self._column.mark_last(has_older=bool(self._older))
        self.arrange()

    def set_hidden(self, message_ids: Iterable[int]) -> None:
        """Which messages the model is not shown: below them the divider says so, and they can be brought back."""
        if self._column.set_hidden(frozenset(message_ids)):
            self.arrange()

    def add_answer(self) -> AnswerView:
        """An answer that is about to come."""
        view = self._new_answer()
        self._insert(len(self.turns), view)
        self._column.mark_last(has_older=bool(self._older))
        self.arrange()
        return view

    def show_documents(self) -> None:
        for turn in self.turns:
            turn.show_documents(self.documents)

    def turn_of(self, message_id: int) -> Turn | None:
        return next((turn for turn in self.turns if turn.message and turn.message.id == message_id), None)

    def show_turn(self, turn: Turn) -> None:
        """Scrolls so that the turn is seen."""
        self.arrange()
        for _ in range(2):  # what is there is measured once it is near
            self.ensureWidgetVisible(turn, 0, self._theme.px(40))

    def jump_to_latest(self) -> None:
        """To the end, and follow it."""
        self.is_following = True
        self.arrange()

    def arrange(self, *, is_again: bool = False) -> None:
        """Places all turns; those that changed are measured again, and `is_again` those that are near."""
        if self._is_arranging:
            return
        self._is_arranging = True
        column = self._column
        held = column.held()
        if is_again:
            column.doubt_all()
        for turn in self.turns:
            column.measure(turn)
        self._place(held)
        while late := [turn for turn in column.near() if column.is_late(turn)]:
            for turn in late:
                column.follow_look(turn)
            self._place(held)
        column.settle()
        self._is_arranging = False
        self._show_pill()

    def tab_entry(self, is_next: bool) -> QWidget | None:
        """The keyboard comes in at the last question, from behind at what is last, however much there is before."""
        turns = self.turns
        if not turns or not self.isVisible():
            return None
        questions = [turn for turn in turns if is_question(turn)]
        return (questions or turns)[-1] if is_next else _tab_stops(turns[-1])[-1]

    def _place(self, held: Held | None) -> None:
        bar = self.verticalScrollBar()
        value = self._column.place(held)
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(self._theme.px(24))
        bar.setRange(0, max(0, self._column.height() - self.viewport().height()))
        if self.is_following:
            bar.setValue(bar.maximum())
        elif value is not None:
            bar.setValue(value)

    def _turn_for(self, message: StoredMessage) -> Turn:
        if message.role == Role.USER:
            from app.ui.chat.question import QuestionView  # as in `is_answer`

            question = QuestionView(LateTheme(self._theme, self._column), message, self._column)
            question.theme.setParent(question)
            question.show_documents(self.documents)
            return question
        view = self._new_answer()
        view.set_message(message)
        return view

    def _new_answer(self) -> AnswerView:
        from app.ui.chat.answer import AnswerView  # as in `is_answer`

        view = AnswerView(LateTheme(self._theme, self._column), self._column)
        view.theme.setParent(view)
        view.can_translate = self.can_translate
        view.show_documents(self.documents)
        return view

    def _insert(self, index: int, turn: Turn) -> None:
        turn.wanted.connect(self.wanted)
        turn.link_clicked.connect(self.link_clicked)
        turn.place_wanted.connect(self.place_wanted)
        turn.resized.connect(self._on_resized)
        if is_answer(turn):
            turn.opened.connect(self._on_opened)
        self._column.insert(index, turn)

    def _add_older(self, until_px: int = 0) -> None:
        """Adds turns above, for a moment or until a height is reached; what is seen does not move."""
        height, until_s = 0, time.perf_counter() + SLICE_S
        while self._older and (height < until_px if until_px else time.perf_counter() < until_s):
            turn = self._turn_for(self._older.pop())
            self._insert(0, turn)
            height += self._column.measure(turn)
        self._column.mark_last(has_older=bool(self._older))
        self.arrange()
        if not self._older:
            self._slices.stop()

    # Following.

    def _on_scrolled(self, value: int) -> None:
        if not self._is_arranging:
            self.is_following = value >= self.verticalScrollBar().maximum() - self._theme.px(NEAR_END_PX)
            if self.is_following or any(self._column.is_late(turn) for turn in self._column.near()):
                self.arrange()
            else:
                self._column.settle()
                self._show_pill()

    def _show_pill(self) -> None:
        """The button has a strip below the text to itself: it covers nothing."""
        is_shown = not self.is_following and self.verticalScrollBar().maximum() > 0
        size, gap = self._pill.sizeHint(), self._theme.px(PILL_GAP_PX)
        x = (self.viewport().width() - size.width()) // 2
        self._pill.setGeometry(QRect(QPoint(x, self.height() - size.height() - gap), size))
        self._pill.setVisible(is_shown)
        strip = size.height() + 2 * gap if is_shown else 0
        if self.viewportMargins().bottom() != strip:
            self.setViewportMargins(0, 0, 0, strip)

    def _on_resized(self, turn: Turn) -> None:
        if self._column.forget_height(turn):
            self.arrange()

    def _on_opened(self, turn: Turn) -> None:
        """What somebody opens stays where it is, however much of it comes below."""
        self.is_following = False
        self._on_resized(turn)
        self._on_scrolled(self.verticalScrollBar().value())

    def _on_focus_changed(self) -> None:
        focus = QApplication.focusWidget()
        self._column.show_focus(focus)
        if focus is not None and self._column.isAncestorOf(focus) and focus.focusPolicy() & Qt.FocusPolicy.TabFocus:
            self.ensureWidgetVisible(focus, 0, self._theme.px(40))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange(is_again=event.oldSize().width() != event.size().width())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._arrange_again()

    def _arrange_again(self) -> None:
        self.arrange(is_again=True)


Held = tuple[Turn, int, int]
"""What stays where it is: a turn that is seen, how far it is scrolled past its top, and its height now."""


class TurnColumn(QWidget):
    """The turns with their heights and places; those that nobody is near rest. Lies in what scrolls it.

    `whole_width` is how much room there is at the sides, margins included.
    """

    def __init__(self, theme: Theme, whole_width: Callable[[], int]) -> None:
        super().__init__()
        self.setObjectName("page")
        self._theme, self._whole_width = theme, whole_width
        self.turns: list[Turn] = []
        """Oldest first."""
        self._heights: dict[Turn, int] = {}
        self._unsure: set[Turn] = set()
        """Whose heights were measured at another width or zoom."""
        self._measured_anew: set[Turn] = set()
        self._live: set[Turn] = set()
        self._awake: set[Turn] = set()
        self._placed: list[tuple[Turn, QRect]] = []
        self._tops: list[int] = []
        """Where the turns were placed last, and the tops alone to search in."""
        self._zoom = theme.zoom
        self._hidden: frozenset[int] = frozenset()
        self.divider = Divider(theme, self)
        self._ring = FocusRing(theme, self)
        self._resting = QTimer(self, interval=0)
        self._resting.timeout.connect(self._on_resting)
        self._removal = Removal(self)

    def insert(self, index: int, turn: Turn) -> None:
        self.turns.insert(index, turn)
        self._live.add(turn)
        self._awake.add(turn)
        turn.set_forgotten(self._is_hidden(turn))
        turn.show()

    def drop(self, index: int) -> None:
        for turn in self.turns[index:]:
            if turn is self._ring.turn:
                self._ring.surround(None)
            self._heights.pop(turn, None)
            for turns in (self._unsure, self._awake, self._live):
                turns.discard(turn)
            turn.hide()
            if is_answer(turn):
                turn.written.stop()
                self._removal.add(turn.body.views)
            self._removal.add([turn])
        del self.turns[index:]

    def set_hidden(self, message_ids: frozenset[int]) -> bool:
        """Which messages the model is not shown; whether these are others than before."""
        if message_ids == self._hidden:
            return False
        self._hidden = message_ids
        self.divider.show_count(len(message_ids))
        for turn in self.turns:
            turn.set_forgotten(self._is_hidden(turn))
        return True

    def mark_last(self, *, has_older: bool) -> None:
        """Tells every turn whether it is the last one; `has_older`: there are others before the first one here."""
        for place, turn in enumerate(self.turns):
            is_last = turn is self.turns[-1]
            if is_answer(turn):
                turn.has_earlier_turns = place > 1 or has_older
            turn.set_last(is_last)
            if is_question(turn):
                turn.set_answerless(is_last)

    def measure(self, turn: Turn) -> int:
        """The height of a turn; it is laid out only where that is not known."""
        if turn not in self._heights:
            self._heights[turn] = turn.arrange(self._width)
        return self._heights[turn]

    def forget_height(self, turn: Turn) -> bool:
        """It needs another one; whether it is one of these."""
        self._heights.pop(turn, None)
        return turn in self.turns

    def doubt_all(self) -> None:
        """The width or the look is another: all are measured again once they are near."""
        if self._zoom != self._theme.zoom:  # a guess, for where nobody looks
            ratio, self._zoom = self._theme.zoom / self._zoom, self._theme.zoom
            self._heights = {turn: round(height * ratio) for turn, height in self._heights.items()}
        self._unsure.update(self.turns)

    def held(self) -> Held | None:
        """What is seen now and shall be seen after turns were placed again."""
        top = self._top
        seen = [one for one in self._between(top, top + self._page) if one[0] in self._live]
        found = next((one for one in seen if not self.is_late(one[0])), seen[0] if seen else None)
        return (found[0], top - found[1].y(), found[1].height()) if found is not None else None

    def place(self, held: Held | None) -> int | None:
        """Puts the turns under each other; returns how far to scroll so that what is held stays where it was."""
        px, width = self._theme.px, self._width
        x, y = (self._whole_width() - width) // 2, px(EDGE_PX)
        first = self._first_shown()
        self.divider.setVisible(first is not None)
        before, self._placed, value = dict(self._placed), [], None
        for turn in self.turns:
            if turn is first:
                self.divider.setGeometry(x, y, width, self.divider.height_wanted)
                y += self.divider.height_wanted
            height = self._heights[turn]
            place = QRect(x, y, width, height)
            if before.get(turn) != place:
                turn.setGeometry(place)
            if held is not None and turn is held[0]:
                is_inside = held[1] > 0 and turn in self._measured_anew
                value = y + (held[1] * height // max(held[2], 1) if is_inside else held[1])
            self._placed.append((turn, place))
            y += height
        self._tops = [place.y() for _turn, place in self._placed]
        self._ring.surround(self._ring.turn)
        self.resize(self._whole_width(), max(y + px(8), 1))
        return value

    def near(self) -> list[Turn]:
        """The turns that are seen, and those a page above and below."""
        return [turn for turn, _place in self._between(self._top - self._page, self._top + 2 * self._page)]

    def is_late(self, turn: Turn) -> bool:
        """Whether its look or its height is that of before."""
        return turn in self._unsure or turn.is_resting

    def follow_look(self, turn: Turn) -> None:
        """Brings a turn that comes near up to date, and shows it."""
        if turn.is_resting:
            turn.wake()
            self._awake.add(turn)
            self._unsure.add(turn)
        if isinstance(turn.theme, LateTheme) and turn.theme.is_late:
            self._unsure.add(turn)
            turn.theme.catch_up()
        if turn in self._unsure:
            self._unsure.discard(turn)
            self._measured_anew.add(turn)
            self._heights[turn] = turn.arrange(self._width, is_again=True)

    def settle(self) -> None:
        """All is where it belongs: what is far away may rest."""
        self._measured_anew.clear()
        self._resting.start()

    def show_focus(self, focus: QWidget | None) -> None:
        """The turn that has the keyboard shows its actions, and a ring when it is the turn itself."""
        for turn in self.turns:
            turn.set_focused(focus is not None and _is_in(focus, turn))
        self._ring.surround(focus if isinstance(focus, Turn) and focus in self.turns else None)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """Tab goes through turns, their parts and their actions as they are seen, not as they were made."""
        reason = Qt.FocusReason.TabFocusReason if is_next else Qt.FocusReason.BacktabFocusReason
        step = 1 if is_next else -1
        focus = QApplication.focusWidget()
        at = next((i for i, turn in enumerate(self.turns) if focus is not None and _is_in(focus, turn)), None)
        if at is not None:
            beside = self.turns[max(at - 1, 0) : at + 2]
            for turn in beside:
                self.follow_look(turn)
            order = [widget for turn in beside for widget in _tab_stops(turn)]
            place = next((i for i, widget in enumerate(order) if widget is focus), None)
            if place is not None and 0 <= place + step < len(order):
                order[place + step].setFocus(reason)
                return True
        return super().focusNextPrevChild(is_next)

    @property
    def _width(self) -> int:
        return min(self._theme.px(READING_PX), self._whole_width() - 2 * self._theme.px(EDGE_PX))

    @property
    def _top(self) -> int:
        return -self.y()

    @property
    def _page(self) -> int:
        scrolled = self.parentWidget()
        return scrolled.height() if scrolled is not None else 0

    def _between(self, top: int, bottom: int) -> list[tuple[Turn, QRect]]:
        first = max(bisect_right(self._tops, top) - 1, 0)
        return self._placed[first : bisect_left(self._tops, bottom)]

    def _on_resting(self) -> None:
        """A few turns at a time, so that scrolling stays smooth; never the last one, which may grow."""
        until_s, focus = time.perf_counter() + SLICE_S, QApplication.focusWidget()
        for turn in self._awake.difference(self.near(), self.turns[-1:]):
            if focus is not None and _is_in(focus, turn):
                continue
            turn.rest()
            if turn.is_resting:
                self._awake.discard(turn)
            if time.perf_counter() > until_s:
                return
        self._resting.stop()

    def _is_hidden(self, turn: Turn) -> bool:
        return turn.message is not None and turn.message.id in self._hidden

    def _first_shown(self) -> Turn | None:
        """The turn below the divider: the first after the last that is not shown to the model."""
        if not self._hidden:
            return None
        last = next((place for place in reversed(range(len(self.turns))) if self._is_hidden(self.turns[place])), None)
        return self.turns[last + 1] if last is not None and last + 1 < len(self.turns) else None


class Removal(QObject):
    """Hundreds of views take a while to go; a few at a time, nobody waits for them."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._gone: list[QWidget] = []
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_turn)

    def add(self, widgets: Iterable[QWidget]) -> None:
        """These go for good."""
        self._gone += widgets
        self._timer.start()

    def _on_turn(self) -> None:
        for widget in self._gone[:GONE_AT_ONCE]:
            widget.deleteLater()
        del self._gone[:GONE_AT_ONCE]
        if not self._gone:
            self._timer.stop()


class FocusRing(QWidget):
    """Around the turn that has the keyboard: outside of its text, above everything, in nobody's way."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.turn: Turn | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def surround(self, turn: Turn | None) -> None:
        self.turn = turn
        if turn is not None:
            room = self._theme.px(RING_PX)
            self.setGeometry(turn.geometry().adjusted(-room, -room // 2, room, -room // 2))
            self.raise_()
        self.setVisible(turn is not None)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.tokens.focus), 2))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(1, 1, -1, -1), self._theme.px(8), self._theme.px(8))


def _is_in(widget: QWidget, turn: Turn) -> bool:
    return widget is turn or turn.isAncestorOf(widget)


def _tab_stops(turn: Turn) -> list[QWidget]:
    """The turn itself, then what is in it, in reading order."""
    stops = [child for child in turn.findChildren(QWidget) if is_tab_stop(child)]

    def place(widget: QWidget) -> tuple[int, int]:
        point = widget.mapTo(turn, QPoint(0, 0))
        return point.y(), -point.x() if turn.isRightToLeft() else point.x()

    return [turn, *sorted(stops, key=place)]


# The line in a transcript above which the model no longer sees what was said.

HEIGHT_PX = 44
GAP_PX = 14


class Divider(QWidget):
    """Words between two fine lines; the turns above offer to be brought back."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("divider")
        self._theme = theme
        self.text = ""
        self.hide()

    def show_count(self, count: int) -> None:
        """How many messages above are not shown to the model."""
        self.text = tr("The model no longer sees earlier messages ({count})", count=count)
        self.setAccessibleName(self.text)
        self.setProperty("painted_text", self.text)
        self.setToolTip(tr("They are still here, and Bring back shows one to the model again."))
        self.update()

    @property
    def height_wanted(self) -> int:
        """In pixels; the words never break, they are elided."""
        return self._theme.px(HEIGHT_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        px, tokens = self._theme.px, self._theme.tokens
        painter = QPainter(self)
        painter.setFont(self._theme.font(12.5, 500))
        room = self.width() - 2 * px(GAP_PX) - 2 * px(24)
        text = painter.fontMetrics().elidedText(self.text, Qt.TextElideMode.ElideRight, room)
        width = painter.fontMetrics().horizontalAdvance(text) + 2 * px(GAP_PX)
        words = QRect((self.width() - width) // 2, 0, width, self.height())
        painter.setPen(QColor(tokens.outline))
        middle = self.height() // 2
        painter.drawLine(0, middle, words.left(), middle)
        painter.drawLine(words.right(), middle, self.width(), middle)
        painter.setPen(QColor(tokens.muted))
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, text)


def is_answer(turn: Turn | None) -> TypeGuard[AnswerView]:
    """Whether it is the model's; without loading what draws an answer: 10 MB, which an empty chat does without."""
    return turn is not None and turn.role is Role.ASSISTANT


def is_question(turn: Turn | None) -> TypeGuard[QuestionView]:
    """Whether it is the person's; as `is_answer`."""
    return turn is not None and turn.role is Role.USER
