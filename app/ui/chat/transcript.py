"""Scrolling view of a chat's turns: opens at the end and follows it while the reader stays there.

Virtualized: only turns within a page of the viewport exist as widgets, and those that are expanded, edited or focused.
The others are messages with a measured or an estimated height. When an estimate above the viewport turns out wrong, the
visible turns keep their position.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeGuard, TypeVar

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QColor, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QPushButton, QScrollArea, QScrollBar, QWidget

from app.core.events import Role
from app.store.conversations import StoredMessage
from app.ui.chat.branch_documents import BranchDocuments
from app.ui.chat.places import TurnPlace, TurnPlaces
from app.ui.chat.turn import TurnHost, TurnView
from app.ui.i18n import tr
from app.ui.screen_reader import read_as
from app.ui.shell.keyboard import AFTER_SIBLINGS, is_tab_stop
from app.ui.theme import EDGE_PX, READING_PX, LateTheme, Theme, smooth_painter
from app.ui.widgets.buttons import text_button
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.elevation import elevate
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.ui.chat.answer_view import AnswerView
    from app.ui.chat.question import QuestionView

AnyTurn = TypeVar("AnyTurn", bound=TurnView)

SLICE_S = 0.008
STEPS = {"Ctrl+Up": -1, "Ctrl+Down": 1, "Ctrl+Home": -sys.maxsize, "Ctrl+End": sys.maxsize}
"""Shortcuts that move the focus by this many turns, or to the first or last one."""
PINNED_STEPS = {"Alt+Up": -1, "Alt+Down": 1}
"""Shortcuts that move the focus to the previous or next pinned turn."""
NEAR_END_PX = 12
GONE_AT_ONCE = 10
PILL_GAP_PX = 6
RING_PX = 10
TOP_GAP_PX = 12
"""Gap kept above the top of a turn that is taller than the viewport."""


class ChatTranscript(QScrollArea):
    """Scroll area of the turns. Lays them out synchronously, so that following the end never lags a frame behind the
    text.
    """

    placed = Signal()
    """Turns were added, removed or moved."""
    dropped = Signal(int)
    """The turns from this number on were removed or replaced."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = self._theme = theme
        self.maker = TurnMaker(theme)
        self.documents = self.maker.documents
        self.is_following = True
        """True while the view sticks to the end as the answer grows."""
        self._is_arranging = False
        self.column = read_as(TurnColumn(theme, self.width, self.maker, on_made=self.arrange), QAccessible.Role.List)
        self.places = self.column.places
        self.setWidget(self.column)
        self.divider = self.column.divider
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(tr("Messages"))
        # What was said is what is read, so it comes behind the message field and not behind the whole window.
        self.setProperty(AFTER_SIBLINGS, True)
        self.viewport().setAutoFillBackground(False)
        self.column.setAccessibleName(tr("Messages"))
        # Opaque, so that a scroll paints nothing of what lies behind it.
        self.column.setAutoFillBackground(True)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        fade_ends(self, theme)
        self._pill = JumpPill(theme, self)
        self._pill.button.clicked.connect(self.jump_to_latest)
        self.steps = TurnSteps(self)
        self._slices = new_timer(self, 0, self._on_slice, repeats=True)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]
        theme.changed.connect(self._arrange_again)
        self.maker.resized.connect(self._on_resized)
        self.maker.opened.connect(self._on_opened)

    @property
    def turns(self) -> list[TurnView]:
        """The turns that exist as widgets now, oldest first."""
        return self.column.turns

    @property
    def is_settled(self) -> bool:
        # An answer is laid out piece by piece.
        return not self._slices.isActive() and all(t.written.is_settled for t in self.turns if is_answer(t))

    def open(self, messages: Sequence[StoredMessage]) -> None:
        """Show another chat, scrolled to its end."""
        with self._changing():
            self.column.drop(0)
            self.column.add(messages)
        self.dropped.emit(0)
        self.jump_to_latest()

    def update_to(self, messages: Sequence[StoredMessage]) -> None:
        """Show the same chat after a change, keeping the widgets of unchanged turns."""
        with self._changing():
            same = self.places.update_messages(messages)
            self.column.drop(same)
            self.column.add(messages[same:])
            self.show_documents()
        self.dropped.emit(same)
        self.arrange()

    def set_hidden(self, message_ids: Iterable[int]) -> None:
        """Mark the messages that the model no longer sees. They are above the divider and offer to be brought back."""
        with self._changing():
            is_another = self.column.set_hidden(frozenset(message_ids))
        if is_another:
            self.arrange()

    def add_answer(self) -> AnswerView:
        """Append an empty answer, ready to stream."""
        return self.add_turn(self.maker.answer)

    def add_turn(self, make: Callable[[QWidget], AnyTurn]) -> AnyTurn:
        """Append a turn of another kind and return it; `make` is called with its parent."""
        with self._changing():
            turn = make(self.column)
            self.column.add_turn(turn)
        self.arrange()
        return turn

    def show_documents(self) -> None:
        for turn in self.turns:
            turn.show_documents(self.documents)

    def turn_of(self, message_id: int) -> TurnView | None:
        """Return the turn of a message, creating it if necessary; None for a message that is not shown."""
        number = self.places.number_of(message_id)
        return None if number is None else self.column.turn_at(number)

    def last_question(self) -> QuestionView | None:
        """Return the user's last question, or None."""
        number = self.places.last_of(Role.USER)
        turn = self.column.turn_at(number) if number is not None else None
        return turn if is_question(turn) else None

    def show_turn(self, turn: TurnView) -> None:
        """Scroll the turn into view; of one taller than the viewport, its beginning."""
        self.arrange()
        # The first pass measures turns near the target, the second scrolls to their final place.
        for _ in range(2):
            bring_into_view(self, turn)

    def jump_to_latest(self) -> None:
        """Scroll to the end and follow it from now on."""
        self.is_following = True
        self.arrange()

    def arrange(self, *, is_again: bool = False, pages: float = 1.0) -> None:
        """Lay out all turns; measure those that changed and those within `pages` of the viewport.

        `is_again`: the width or the theme changed.
        """
        # Laying out resizes turns, which ask for a layout again.
        if self._is_arranging:
            return
        column = self.column
        with self._changing():
            held = column.held()
            if is_again:
                column.invalidate_heights()
            column.measure_changed()
            self._place_turns(held)
            # Repeat: measuring a turn moves those below it, so others may come near the viewport.
            while late := column.late(pages):
                for index in late:
                    column.lay_out(index)
                self._place_turns(held)
            column.settle()
            # What is a page away is made when the event loop is idle.
            self._slices.start()
        self._pill.place_button(is_shown=not self.is_following and self.verticalScrollBar().maximum() > 0)
        self.placed.emit()

    def tab_entry(self, is_next: bool) -> QWidget | None:
        """Return the widget that Tab enters: the last question going forward, the last tab stop going backward.

        A long chat is thereby never traversed from its beginning.
        """
        if not self.places.count or not self.isVisible():
            return None
        last = self.column.turn_at(self.places.count - 1)
        return (self.last_question() or last) if is_next else _tab_stops(last)[-1]

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Suspend layout while turns change, so that their resize signals cause one layout afterwards."""
        self._is_arranging = True
        try:
            yield
        finally:
            self._is_arranging = False

    def _place_turns(self, held: Held | None) -> None:
        bar = self.verticalScrollBar()
        value = self.column.place_turns(held)
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(self._theme.px(24))
        # Before its value, which Qt would clip to the former range.
        bar.setRange(0, max(0, self.column.height() - self.viewport().height()))
        if self.is_following:
            bar.setValue(bar.maximum())
        elif value is not None:
            bar.setValue(value)

    def _on_slice(self) -> None:
        """Timer slot: create turns that will be scrolled to next, then drop distant ones, within a time budget."""
        until_s = time.perf_counter() + SLICE_S
        if not (late := self.column.late(pages=1.0)):
            if self.column.let_go(until_s):
                self._slices.stop()
            return
        with self._changing():
            held = self.column.held()
            for index in late:
                self.column.lay_out(index)
                if time.perf_counter() > until_s:
                    break
            self._place_turns(held)
            self.column.settle()
        self.placed.emit()

    def _on_scrolled(self, value: int) -> None:
        if not self._is_arranging:
            self.is_following = value >= self.verticalScrollBar().maximum() - self._theme.px(NEAR_END_PX)
            # Making turns that are still out of view can wait.
            if self.is_following or self.column.late(pages=0.0):
                self.arrange(pages=0.0)
            else:
                self._slices.start()
                self._pill.place_button(is_shown=not self.is_following and self.verticalScrollBar().maximum() > 0)

    def _on_resized(self, turn: TurnView) -> None:
        if self.column.forget_height(turn):
            self.arrange()

    def _on_opened(self, turn: TurnView) -> None:
        # So that what the user expands stays in place.
        self.is_following = False
        self._on_resized(turn)
        self._on_scrolled(self.verticalScrollBar().value())

    def _on_focus_changed(self) -> None:
        focus = QApplication.focusWidget()
        self.column.show_focus(focus)
        if QApplication.mouseButtons() != Qt.MouseButton.NoButton:
            # Not by a click: the clicked turn is visible, and moving it would move the text under the pointer.
            return
        if focus is not None and self.column.isAncestorOf(focus) and focus.focusPolicy() & Qt.FocusPolicy.TabFocus:
            bring_into_view(self, focus)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Another height alone changes no line breaks.
        self.arrange(is_again=event.oldSize().width() != event.size().width())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._arrange_again()
        elif event.type() == QEvent.Type.LanguageChange:
            QTimer.singleShot(0, self, self._arrange_again)  # what is inside has its words after this event

    def _arrange_again(self) -> None:
        self.arrange(is_again=True)


def bring_into_view(transcript: ChatTranscript, widget: QWidget) -> None:
    """Scroll to a widget in the transcript; of one taller than the viewport, its beginning."""
    if widget.height() < transcript.viewport().height():
        transcript.ensureWidgetVisible(widget, 0, transcript.theme.px(40))
    else:
        top = widget.mapTo(transcript.column, QPoint(0, 0)).y()
        transcript.verticalScrollBar().setValue(top - transcript.theme.px(TOP_GAP_PX))


SCROLLING = {
    Qt.Key.Key_PageUp: QScrollBar.SliderAction.SliderPageStepSub,
    Qt.Key.Key_PageDown: QScrollBar.SliderAction.SliderPageStepAdd,
    Qt.Key.Key_Home: QScrollBar.SliderAction.SliderToMinimum,
    Qt.Key.Key_End: QScrollBar.SliderAction.SliderToMaximum,
}


def scroll_by_key(transcript: ChatTranscript, key: Qt.Key) -> None:
    """Scroll the way the key scrolls a text, even if the focus is elsewhere."""
    transcript.verticalScrollBar().triggerAction(SCROLLING[key])


class TurnSteps(QObject):
    """Moves the focus from turn to turn by the keys in `STEPS`, however far they are from the viewport."""

    def __init__(self, transcript: ChatTranscript) -> None:
        super().__init__(transcript)
        self.go_below: Callable[[], object] = lambda: None
        """Called for a step below the last turn."""
        self._transcript = transcript
        transcript.maker.key_pressed.connect(self._on_key)

    def _on_key(self, event: QKeyEvent) -> None:
        """Move the focus for a key in `STEPS`, accepting only the events it handles."""
        places, focus = self._transcript.places, QApplication.focusWidget()
        keys = QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)
        here = next(
            (turn_place.number for turn, turn_place in places.made.items() if focus and _is_in(focus, turn)), None
        )
        if here is None or keys not in STEPS | PINNED_STEPS:
            return
        event.accept()
        number = here + STEPS[keys] if keys in STEPS else self._pinned(here, PINNED_STEPS[keys])
        if number == places.count:
            self.go_below()
            return
        self._focus_turn(min(max(number, 0), places.count - 1))

    def focus_last(self) -> None:
        """Give the keyboard to the newest turn, if there is one."""
        if count := self._transcript.places.count:
            self._focus_turn(count - 1)

    def _focus_turn(self, number: int) -> None:
        turn = self._transcript.column.turn_at(number)
        self._transcript.show_turn(turn)
        turn.setFocus(Qt.FocusReason.OtherFocusReason)

    def _pinned(self, here: int, step: int) -> int:
        """Return the index of the nearest pinned turn in a direction, or `here` if there is none."""
        messages = self._transcript.places.messages
        numbers = range(here + step, len(messages) if step > 0 else -1, step)
        return next((n for n in numbers if (message := messages[n]) is not None and message.pinned), here)


class TurnMaker(TurnHost):
    """Builds the turns of messages, and tells what they tell."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.documents = BranchDocuments()
        """Documents of the branch's messages; must be loaded before those are shown."""
        self.can_translate = True
        """True if new answers offer to be translated."""

    def turn(self, message: StoredMessage, parent: QWidget) -> TurnView:
        if message.role == Role.USER:
            from app.ui.chat.question import QuestionView  # as in `is_answer`

            # A theme of its own, so that a zoom doesn't lay out turns far away; they catch up when they come near.
            question = QuestionView(LateTheme(self._theme, parent), message, parent, self)
            question.theme.setParent(question)
            question.show_documents(self.documents)
            return question
        view = self.answer(parent)
        view.set_message(message)
        return view

    def answer(self, parent: QWidget) -> AnswerView:
        """Build an empty answer that will stream."""
        from app.ui.chat.answer_view import AnswerView  # as in `is_answer`

        view = AnswerView(LateTheme(self._theme, parent), parent, self)
        view.theme.setParent(view)
        view.can_translate = self.can_translate
        view.show_documents(self.documents)
        return view


class JumpPill(QObject):
    """Button that jumps to the end of the chat."""

    def __init__(self, theme: Theme, transcript: ChatTranscript) -> None:
        super().__init__(transcript)
        self._theme, self._transcript = theme, transcript
        self.button: QPushButton = text_button(tr("Jump to latest"), "plain", transcript, name="jump_to_latest")
        self.button.hide()
        elevate(self.button)
        theme.dress(self.button, font="control", glyph=("arrow-down", "text", 16))

    def place_button(self, *, is_shown: bool) -> None:
        around, size, gap = self._transcript, self.button.sizeHint(), self._theme.px(PILL_GAP_PX)
        x = (around.viewport().width() - size.width()) // 2
        self.button.setGeometry(QRect(QPoint(x, around.height() - size.height() - gap), size))
        self.button.setVisible(is_shown)
        # A strip of its own below the text, so that the button covers nothing.
        strip = size.height() + 2 * gap if is_shown else 0
        # Setting margins lays out the area again, and that would call this again.
        if around.viewportMargins().bottom() != strip:
            around.setViewportMargins(0, 0, 0, strip)


Held = tuple[int, int, int]
"""Scroll anchor: index of a visible turn, how far it is scrolled past its top, and its height now."""


class TurnColumn(QWidget):
    """Column of the turns inside the scroll area.

    `whole_width` returns the available width, margins included.
    """

    def __init__(
        self, theme: Theme, whole_width: Callable[[], int], maker: TurnMaker, *, on_made: Callable[[], object]
    ) -> None:
        super().__init__()
        self.on_made = on_made
        """A turn was created outside of layout and has no position yet."""
        self._theme, self._whole_width, self._maker = theme, whole_width, maker
        self.places = TurnPlaces()
        self._laid_out: set[int] = set()
        """Indices of the turns whose height changed since the last full layout."""
        self._zoom = theme.zoom
        self._is_zoomed = False
        """True if all heights were scaled since the last layout."""
        self._hidden: frozenset[int] = frozenset()
        self._first_shown: int | None = None
        """Index of the turn below the divider: the first after the last one hidden from the model."""
        self.divider = TurnDivider(theme, self)
        self._ring = TurnRing(theme, self)
        self._removal = ViewRemoval(self)

    @property
    def turns(self) -> list[TurnView]:
        return [turn for turn, _place in sorted(self.places.made.items(), key=lambda entry: entry[1].number)]

    def add(self, messages: Iterable[StoredMessage]) -> None:
        """Append places for messages, without creating their turns."""
        self.places.add(messages, self._width, self._theme.zoom)
        self._tell_places()

    def add_turn(self, turn: TurnView) -> None:
        """Append a place for a turn that has no message yet."""
        self.places.made[turn] = self.places.add_turn(turn)
        turn.show()
        self._tell_places()

    def drop(self, index: int) -> None:
        """Remove all places from this index on."""
        for place in self.places.all[index:]:
            self._remove_turn(place)
        self.places.remove_from(index)
        self._tell_places()

    def set_hidden(self, message_ids: frozenset[int]) -> bool:
        """Mark the messages hidden from the model. Return whether the set changed."""
        if message_ids == self._hidden:
            return False
        self._hidden = message_ids
        self.divider.show_count(len(message_ids))
        self._tell_places()
        return True

    def turn_at(self, index: int) -> TurnView:
        """Return the turn at an index, creating it and announcing it by `made` if necessary."""
        if (turn := self.places.all[index].turn) is None:
            turn = self._turn_for(index)
            self.on_made()
        return turn

    def forget_height(self, turn: TurnView) -> bool:
        """Mark a turn's height as outdated. Return whether the turn is in this column."""
        place = self.places.made.get(turn)
        around = turn.parentWidget()
        # One of two answers side by side is in the turn of both.
        if place is None and isinstance(around, TurnView):
            place = self.places.made.get(around)
        if place is not None:
            place.is_sure = False
        return place is not None

    def invalidate_heights(self) -> None:
        """Mark all heights as outdated after a change of width or theme; turns are measured again when near the
        viewport.
        """
        # Scaling is good enough for turns out of view.
        if self._zoom != self._theme.zoom:
            ratio, self._zoom = self._theme.zoom / self._zoom, self._theme.zoom
            self._is_zoomed = True
            for place in self.places.all:
                place.height = round(place.height * ratio)
        for place in self.places.made.values():
            place.is_sure, place.is_doubted = False, True

    def measure_changed(self) -> None:
        """Measure the existing turns that announced a change, wherever they are: one may be a growing answer."""
        for place in self.places.made.values():
            # Doubtful ones are measured when they come near the viewport.
            if not place.is_sure and not place.is_doubted and place.turn is not None:
                place.height, place.is_sure = place.turn.arrange(self._width), True

    def lay_out(self, index: int) -> None:
        """Create the turn at an index if necessary, bring it up to date and measure it."""
        place = self.places.all[index]
        turn = place.turn or self._turn_for(index)
        if isinstance(turn.theme, LateTheme):
            turn.theme.catch_up()
        place.height, place.is_sure = turn.arrange(self._width, is_again=place.is_doubted), True
        place.is_doubted = False
        self._laid_out.add(index)

    def late(self, pages: float) -> list[int]:
        """Return the indices within `pages` of the viewport whose turn is missing or outdated."""
        top, beyond = self._top, round(self._page * pages)
        # The widgets within a page are there before they are scrolled to.
        seen = self.places.between(top - beyond, top + self._page + beyond)
        return [index for index in seen if not self.places.all[index].is_sure]

    def held(self) -> Held | None:
        """Return the anchor to restore after the next layout, or None for an empty column."""
        top = self._top
        seen = self.places.between(top, top + self._page)
        # One that was measured: an estimate may turn out wrong, and the anchor would jump.
        index = next((index for index in seen if self.places.all[index].is_sure), seen[0] if seen else None)
        return None if index is None else (index, top - self.places.tops[index], self.places.all[index].height)

    def place_turns(self, held: Held | None) -> int | None:
        """Position all turns. Return the scroll offset that keeps the anchor `held` in place, or None."""
        px, width, first = self._theme.px, self._width, self._first_shown
        x, above = (self._whole_width() - width) // 2, self.divider.height_for(width)
        self.places.begin_at(px(EDGE_PX), first, above, is_again=self._is_zoomed)
        self._is_zoomed = False
        self.divider.setVisible(first is not None)
        if first is not None:
            self.divider.setGeometry(x, self.places.tops[first], width, above)
        for turn, place in self.places.made.items():
            y = self.places.tops[place.number] + (above if place.number == first else 0)
            turn.setGeometry(x, y, width, place.height + px(turn.overhang_px))
        self._ring.surround(self._ring.turn)
        self.resize(self._whole_width(), max(self.places.tops[-1] + px(8), 1))
        if held is None or held[0] >= self.places.count:
            return None
        index, past, height = held
        # Keep the relative position within the anchor turn.
        if past > 0 and index in self._laid_out:
            past = past * self.places.all[index].height // max(height, 1)
        return self.places.tops[index] + past

    def settle(self) -> None:
        """Forget which turns were laid out, after everything is in place."""
        self._laid_out.clear()

    def let_go(self, until_s: float) -> bool:
        """Delete turns far from the viewport until `until_s` by `time.perf_counter`. Return whether all are gone."""
        near = self.places.between(self._top - self._page, self._top + 2 * self._page)
        focus = QApplication.focusWidget()
        for turn, place in list(self.places.made.items()):
            # The last one may be growing.
            if place.number in near or place.number == self.places.count - 1 or turn.is_kept:
                continue
            if focus is None or not _is_in(focus, turn):
                self._remove_turn(place)
                place.let_go()
            if time.perf_counter() > until_s:
                return False
        return True

    def show_focus(self, focus: QWidget | None) -> None:
        """Show the actions of the focused turn, and a focus ring if the turn itself has the keyboard."""
        for turn in self.places.made:
            turn.set_focused(focus is not None and _is_in(focus, turn))
        self._ring.surround(focus if isinstance(focus, TurnView) and focus in self.places.made else None)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        # Qt's order is that of creation, and turns are created as they are scrolled to.
        reason = Qt.FocusReason.TabFocusReason if is_next else Qt.FocusReason.BacktabFocusReason
        step = 1 if is_next else -1
        focus = QApplication.focusWidget()
        at = next(
            (turn_place.number for turn, turn_place in self.places.made.items() if focus and _is_in(focus, turn)), None
        )
        if at is not None:
            # The neighbours are enough, and a long chat has too many to make.
            neighbours = [self.turn_at(index) for index in range(max(at - 1, 0), min(at + 2, self.places.count))]
            order = [widget for turn in neighbours for widget in _tab_stops(turn)]
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

    def _turn_for(self, index: int) -> TurnView:
        place = self.places.all[index]
        assert place.message is not None, "a place without a message has a turn"
        turn = place.turn = self._maker.turn(place.message, self)
        self.places.made[turn] = place
        turn.show()
        self._tell_place(place)
        return turn

    def _remove_turn(self, place: TurnPlace) -> None:
        if (turn := place.turn) is None:
            return
        if turn is self._ring.turn:
            self._ring.surround(None)
        del self.places.made[turn]
        turn.hide()
        if is_answer(turn):
            # It would go on laying out a text that nobody sees.
            turn.written.stop()
            self._removal.add(turn.body.views)
        self._removal.add([turn])

    def _tell_places(self) -> None:
        """Update what turns derive from their position: being the last one, or hidden from the model."""
        count, hidden = self.places.count, self._hidden
        # From the end: the divider is behind the last one hidden.
        ids = (place.message.id if place.message is not None else 0 for place in reversed(self.places.all))
        after = next((after for after, number in enumerate(ids) if number in hidden), None) if hidden else None
        self._first_shown = count - after if after else None
        for place in self.places.made.values():
            self._tell_place(place)

    def _tell_place(self, place: TurnPlace) -> None:
        turn, is_last = place.turn, place.number == self.places.count - 1
        assert turn is not None
        turn.set_forgotten(turn.message is not None and turn.message.id in self._hidden)
        if is_answer(turn):
            turn.has_earlier_turns = place.number > 1
        turn.set_last(is_last)
        if is_question(turn):
            turn.set_answerless(is_last)


class ViewRemoval(QObject):
    """Deletes views, a few at each turn of the event loop."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._gone: list[QWidget] = []
        self._timer = new_timer(self, 0, self._on_turn, repeats=True)

    def add(self, widgets: Iterable[QWidget]) -> None:
        """Schedule widgets for deletion, a few at each timer tick."""
        self._gone += widgets
        self._timer.start()

    def _on_turn(self) -> None:
        # Deleting hundreds at once would block the window.
        for widget in self._gone[:GONE_AT_ONCE]:
            widget.deleteLater()
        del self._gone[:GONE_AT_ONCE]
        if not self._gone:
            self._timer.stop()


class TurnRing(QWidget):
    """Outline around the focused turn, transparent to the pointer."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.turn: TurnView | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def surround(self, turn: TurnView | None) -> None:
        self.turn = turn
        if turn is not None:
            room = self._theme.px(RING_PX)
            below = self._theme.px(turn.overhang_px) + self._theme.px(2)
            self.setGeometry(turn.geometry().adjusted(-room, -room // 2, room, -below))
            # Below the turn, whose actions reach over its edge.
            self.stackUnder(turn)
        self.setVisible(turn is not None)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = smooth_painter(self)
        painter.setPen(QPen(QColor(self._theme.tokens.focus), 2))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(1, 1, -1, -1), self._theme.px(8), self._theme.px(8))


def _is_in(widget: QWidget, turn: TurnView) -> bool:
    return widget is turn or turn.isAncestorOf(widget)


def _tab_stops(turn: TurnView) -> list[QWidget]:
    """Return the tab stops of a turn in reading order, the turn itself first."""
    # The order of `findChildren` is that of creation.
    stops = [child for child in turn.findChildren(QWidget) if is_tab_stop(child)]

    def place(widget: QWidget) -> tuple[int, int]:
        point = widget.mapTo(turn, QPoint(0, 0))
        return point.y(), -point.x() if turn.isRightToLeft() else point.x()

    return [turn, *sorted(stops, key=place)]


# The divider above which the model no longer sees the messages.

HEIGHT_PX = 44
GAP_PX = 14
LINE_PX = 24


class TurnDivider(QLabel):
    """Divider with a text between two thin lines; turns above it are hidden from the model and can be brought back."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        centre = Qt.AlignmentFlag.AlignCenter
        super().__init__(parent, textFormat=Qt.TextFormat.PlainText, wordWrap=True, alignment=centre)
        self.setObjectName("divider")
        self.setProperty("kind", "muted")
        self._theme = theme
        theme.dress(self, font="caption", margins=(GAP_PX + LINE_PX, GAP_PX, GAP_PX + LINE_PX, GAP_PX))
        self.hide()

    def show_count(self, count: int) -> None:
        """Show how many messages above the divider are hidden from the model."""
        self.setText(tr("The model no longer sees earlier messages ({count})", count=count))
        self.setAccessibleName(self.text())
        self.setToolTip(tr("They’re still in the chat. “Bring back” shows one to the model again."))

    def height_for(self, width: int) -> int:
        """Return the height for a width, in pixels; the text is wrapped."""
        return max(self._theme.px(HEIGHT_PX), self.heightForWidth(width))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        words = self.fontMetrics().boundingRect(self.contentsRect(), flags, self.text())
        gap, middle = self._theme.px(GAP_PX), self.height() // 2
        painter = QPainter(self)
        painter.setPen(QColor(self._theme.tokens.outline))
        painter.drawLine(0, middle, words.left() - gap, middle)
        painter.drawLine(words.right() + gap, middle, self.width(), middle)


def is_answer(turn: TurnView | None) -> TypeGuard[AnswerView]:
    """Return whether the turn is an answer, without importing the answer view: 10 MB that an empty chat does
    not need.
    """
    return turn is not None and turn.role is Role.ASSISTANT


def is_question(turn: TurnView | None) -> TypeGuard[QuestionView]:
    """Return whether the turn is a question, without importing the question view, as `is_answer` does."""
    return turn is not None and turn.role is Role.USER
