"""What is read aloud in a chat: a turn, what is selected, or the last answer, also while it is written."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.ui.chat.chat_view import ChatView
from app.ui.chat.selection import TextPosition
from app.ui.chat.transcript import is_answer
from app.ui.chat.turn import TurnView
from app.ui.shell.text_reading import TextReading
from app.ui.text.formats import cursor_over
from app.ui.widgets.spoken_views import SpokenText, SpokenViews


class ChatReading(QObject):
    """Offers the turns of a chat to be read aloud."""

    def __init__(self, reading: TextReading, chat: ChatView) -> None:
        super().__init__(chat)
        self._reading, self._chat, self._transcript = reading, chat, chat.transcript
        maker = chat.transcript.maker
        maker.read_aloud, maker.read_selection = self._read_turn, self._read_selection
        reading.texts.add(chat, self._text_for)

    def _read_turn(self, turn: TurnView) -> None:
        self._reading.read(_text_of(turn))

    def _read_selection(self) -> None:
        if (text := self._text_from_selection()) is not None:
            self._reading.read(text)

    def _text_for(self, focus: QWidget | None) -> SpokenText | None:
        if focus is None:
            last = next((turn for turn in reversed(self._transcript.turns) if is_answer(turn)), None)
            return _text_of(last) if last is not None else None
        if not self._transcript.isAncestorOf(focus):
            return None
        if (text := self._text_from_selection()) is not None:
            return text
        turn = next((turn for turn in self._transcript.turns if turn is focus or turn.isAncestorOf(focus)), None)
        return _text_of(turn) if turn is not None and not turn.is_changing else None

    def _text_from_selection(self) -> SpokenText | None:
        """Return what is selected, or the rest of its turn if that goes on elsewhere, or from the last click on."""
        selection = self._chat.selection
        ends, head = selection.ends, selection.head
        first = ends[0] if ends is not None else head
        if first is None or first.view is None or not isValid(first.view):
            return None
        turn = next((turn for turn in self._transcript.turns if turn.isAncestorOf(first.view)), None)
        views = turn.spoken_views() if turn is not None else ()
        if turn is None or first.view not in views:
            return None
        return _text_of(turn, first, ends[1] if ends is not None and ends[1].view is first.view else first)


def _text_of(turn: TurnView, first: TextPosition | None = None, last: TextPosition | None = None) -> SpokenViews:
    """Return the text of a turn, or the part of one of its views between two positions, from it on if they are one."""
    start, number = None, 0
    if first is not None and first.view is not None:
        view, number = first.view, list(turn.spoken_views()).index(first.view)
        ends = [view.position_at(spot.offset) for spot in (first, last or first)]
        start = cursor_over(view.document(), *ends)
    turn.is_read_aloud = True

    def forget() -> None:
        if isValid(turn):
            turn.is_read_aloud = False

    return SpokenViews(
        lambda: turn.spoken_views() if isValid(turn) else (),
        start,
        first=number,
        # Long answers are laid out piece by piece, also when they are opened.
        is_growing=lambda: isValid(turn) and is_answer(turn) and (turn.written.is_open or not turn.written.is_settled),
        on_over=forget,
    )
