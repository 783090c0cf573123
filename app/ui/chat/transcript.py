"""The turns of a conversation under each other: opened from its end, followed while the reader is there.

Turns more than a page away from what is seen rest: they keep their height and what they say, and give the views of
their texts away. A change of colours, zoom or width is followed at once by those that are near, and by the others when
somebody scrolls to them; until then their heights are those of before, or a guess.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeGuard

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QPushButton, QScrollArea, QWidget

from app.core.events import Role
from app.store.conversations import StoredMessage
from app.ui.chat.turn import BranchDocuments, Turn
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell.tab_order import is_tab_stop
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
    settled = Signal()
    """Every turn of the conversation is there."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._turns: list[Turn] = []
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
        self._ring = FocusRing(theme, self._column)
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
        self._resting = QTimer(self, interval=0)
        self._resting.timeout.connect(self._on_resting)
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
        return not self._slices.isActive() and all(t.is_settled for t in self._turns if is_answer(t))

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
            if (is_question(turn) or is_answer(turn)) and turn.message != message:
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
        view = self._new_answer()
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
        for _ in range(2):  # what is there is measured once it is near
            self.ensureWidgetVisible(turn, 0, self._theme.px(40))

    def jump_to_latest(self) -> None:
        """To the end, and follow it."""
        self._is_following = True
        self.arrange()

    def arrange(self, *, is_again: bool = False) -> None:
        """Places all turns; those that changed are measured again, and `is_again` those that are near."""
        if self._is_arranging:
            return
        self._is_arranging = True
        held = self._held()
        if is_again:
            self._unsure.update(self._turns)
        for turn in self._turns:
            if turn not in self._heights:
                self._measure(turn)
        self._place(held)
        while late := [turn for turn in self._near() if self._is_late(turn)]:
            for turn in late:
                self._follow_look(turn)
            self._place(held)
        self._measured_anew.clear()
        self._is_arranging = False
        self._resting.start()
        self._show_pill()

    # What is near.

    @property
    def _width(self) -> int:
        return min(self._theme.px(READING_PX), self.width() - 2 * self._theme.px(EDGE_PX))

    def _held(self) -> tuple[Turn, int, int] | None:
        """What stays where it is: a turn that is seen, how far it is scrolled past its top, and its height now."""
        top = self.verticalScrollBar().value()
        seen = [one for one in self._between(top, top + self.viewport().height()) if one[0] in self._live]
        found = next((one for one in seen if not self._is_late(one[0])), seen[0] if seen else None)
        return (found[0], top - found[1].y(), found[1].height()) if found is not None else None

    def _between(self, top: int, bottom: int) -> list[tuple[Turn, QRect]]:
        """The turns that have a part there, as they were placed."""
        first = max(bisect_right(self._tops, top) - 1, 0)
        return self._placed[first : bisect_left(self._tops, bottom)]

    def _place(self, held: tuple[Turn, int, int] | None) -> None:
        px, bar, width = self._theme.px, self.verticalScrollBar(), self._width
        x, y = (self.width() - width) // 2, px(EDGE_PX)
        first = self._first_shown()
        self.divider.setVisible(first is not None)
        before, self._placed, value = dict(self._placed), [], None
        for turn in self._turns:
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
        self._column.resize(self.width(), max(y + px(8), 1))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(px(24))
        bar.setRange(0, max(0, self._column.height() - self.viewport().height()))
        if self._is_following:
            bar.setValue(bar.maximum())
        elif value is not None:
            bar.setValue(value)

    def _near(self) -> list[Turn]:
        """The turns that are seen, and those a page above and below."""
        page = self.viewport().height()
        top = self.verticalScrollBar().value()
        return [turn for turn, _place in self._between(top - page, top + 2 * page)]

    def _is_late(self, turn: Turn) -> bool:
        return turn in self._unsure or turn.is_resting

    def _follow_look(self, turn: Turn) -> None:
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

    def _measure(self, turn: Turn) -> None:
        self._heights[turn] = turn.arrange(self._width)

    def _far(self) -> list[Turn]:
        """Those that may rest: never the last one, which may grow, nor the one that has the keyboard."""
        focus = QApplication.focusWidget()
        far = self._awake.difference(self._near(), self._turns[-1:])
        return [turn for turn in far if focus is None or not _is_in(focus, turn)]

    def _on_resting(self) -> None:
        """A few turns at a time, so that scrolling stays smooth."""
        until_s = time.perf_counter() + SLICE_S
        for turn in self._far():
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
        last = next((place for place in reversed(range(len(self._turns))) if self._is_hidden(self._turns[place])), None)
        return self._turns[last + 1] if last is not None and last + 1 < len(self._turns) else None

    # Building.

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
        self._turns.insert(index, turn)
        self._live.add(turn)
        self._awake.add(turn)
        turn.wanted.connect(self.wanted)
        turn.link_clicked.connect(self.link_clicked)
        turn.place_wanted.connect(self.place_wanted)
        turn.resized.connect(self._on_resized)
        if is_answer(turn):
            turn.opened.connect(self._on_opened)
        turn.set_forgotten(self._is_hidden(turn))
        turn.show()

    def _drop(self, index: int) -> None:
        for turn in self._turns[index:]:
            if turn is self._ring.turn:
                self._ring.surround(None)
            self._heights.pop(turn, None)
            for turns in (self._unsure, self._awake, self._live):
                turns.discard(turn)
            turn.hide()
            if is_answer(turn):
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
        for place, turn in enumerate(self._turns):
            is_last = turn is self._turns[-1]
            if is_answer(turn):
                turn.has_earlier_turns = place > 1 or bool(self._older)
            turn.set_last(is_last)
            if is_question(turn):
                turn.set_answerless(is_last)

    def _add_older(self, *, until_s: float, until_px: int = 0) -> None:
        """Adds turns above, until a moment or a height is reached; what is seen does not move."""
        height = 0
        while self._older and (height < until_px if until_px else time.perf_counter() < until_s):
            turn = self._turn_for(self._older.pop())
            self._insert(0, turn)
            self._measure(turn)
            height += self._heights[turn]
        self._mark_last()
        self.arrange()

    def _on_slice(self) -> None:
        self._add_older(until_s=time.perf_counter() + SLICE_S)
        if not self._older:
            self._slices.stop()
            self.settled.emit()

    # Following.

    def _on_scrolled(self, value: int) -> None:
        if not self._is_arranging:
            self._is_following = value >= self.verticalScrollBar().maximum() - self._theme.px(NEAR_END_PX)
            if self._is_following or any(self._is_late(turn) for turn in self._near()):
                self.arrange()
            else:
                self._resting.start()
                self._show_pill()

    def _show_pill(self) -> None:
        """The button has a strip below the text to itself: it covers nothing."""
        is_shown = not self._is_following and self.verticalScrollBar().maximum() > 0
        size, gap = self._pill.sizeHint(), self._theme.px(PILL_GAP_PX)
        x = (self.viewport().width() - size.width()) // 2
        self._pill.setGeometry(QRect(QPoint(x, self.height() - size.height() - gap), size))
        self._pill.setVisible(is_shown)
        strip = size.height() + 2 * gap if is_shown else 0
        if self.viewportMargins().bottom() != strip:
            self.setViewportMargins(0, 0, 0, strip)

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
        questions = [turn for turn in self._turns if is_question(turn)]
        return (questions or self._turns)[-1] if is_next else _tab_stops(self._turns[-1])[-1]

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """Tab goes through turns, their parts and their actions as they are seen, not as they were made."""
        reason = Qt.FocusReason.TabFocusReason if is_next else Qt.FocusReason.BacktabFocusReason
        step = 1 if is_next else -1
        focus = QApplication.focusWidget()
        at = next((i for i, t in enumerate(self._turns) if focus is not None and _is_in(focus, t)), None)
        if at is not None:
            beside = self._turns[max(at - 1, 0) : at + 2]
            for turn in beside:
                self._follow_look(turn)
            order = [widget for turn in beside for widget in _tab_stops(turn)]
            place = next((i for i, widget in enumerate(order) if widget is focus), None)
            if place is not None and 0 <= place + step < len(order):
                order[place + step].setFocus(reason)
                return True
        return super().focusNextPrevChild(is_next)

    def _on_focus_changed(self) -> None:
        focus = QApplication.focusWidget()
        for turn in self._turns:
            turn.set_focused(focus is not None and _is_in(focus, turn))
        self._ring.surround(focus if isinstance(focus, Turn) and focus in self._turns else None)
        if focus is not None and self._column.isAncestorOf(focus) and focus.focusPolicy() & Qt.FocusPolicy.TabFocus:
            self.ensureWidgetVisible(focus, 0, self._theme.px(40))

    def _on_theme_changed(self) -> None:
        self._pill.setIcon(icon("arrow-down", self._theme.tokens.text, self._theme.px(16)))
        self._pill.setIconSize(QSize(self._theme.px(16), self._theme.px(16)))
        self._pill.setFont(self._theme.font(13.5, 500))
        if self._zoom != self._theme.zoom:  # a guess, for where nobody looks
            ratio, self._zoom = self._theme.zoom / self._zoom, self._theme.zoom
            self._heights = {turn: round(height * ratio) for turn, height in self._heights.items()}
        self.arrange(is_again=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange(is_again=event.oldSize().width() != event.size().width())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self.arrange(is_again=True)


class FocusRing(QWidget):
    """Around the turn that has the keyboard: outside of its text, above everything, in nobody's way."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.turn: Turn | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def surround(self, turn: Turn | None) -> None:
        """Goes around this turn, or away."""
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
