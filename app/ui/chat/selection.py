"""Text selection across the turns of a chat, by mouse and keyboard, and its copies for the clipboard.

Turns without a widget are selected whole, by their message. A turn in which a selection begins or ends keeps its
widget.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.core.events import Role
from app.core.lazy_dataclasses import dataclass, replace
from app.features.error_messages import model_words
from app.ui.chat.transcript import ChatTranscript, is_answer
from app.ui.chat.turn import TurnView
from app.ui.i18n import tr
from app.ui.text.block_selection import END, BlockSelection, SelectionUnit, span_between
from app.ui.text.formats import cursor_over

if TYPE_CHECKING:
    from app.store.conversations import StoredMessage
    from app.ui.text.pieces import Piece
    from app.ui.text.selectable import SelectableText

MOST_READ = 200_000
"""Most characters parsed as Markdown for rich text on the clipboard; a longer selection is copied as source only."""
BEFORE, BEHIND = -1, END
"""Text numbers outside any real text: the very beginning and the very end of a turn."""


@dataclass(frozen=True)
class TextPosition:
    """Position in a chat: index of a turn, of a text widget in it, and an offset in that text."""

    number: int
    text: int
    offset: int = 0
    view: SelectableText | None = None

    @property
    def key(self) -> tuple[int, int, int]:
        """Sort key in reading order."""
        return self.number, self.text, self.offset


class SelectedTurn(NamedTuple):
    """Selected part of one turn: its pieces (None if too long to parse) and its Markdown."""

    message: StoredMessage | None
    pieces: list[Piece] | None
    source: str | None
    """Markdown of the whole message, if all of it is selected."""


class ChatSelection(BlockSelection[TextPosition]):
    """Selection between two positions, shown by the text widgets as they are created and change.

    It is cleared when its turns are removed.
    """

    def __init__(self, transcript: ChatTranscript) -> None:
        super().__init__(transcript)
        self._transcript = transcript
        self._places = transcript.places
        self._marked: set[SelectableText] = set()
        self._texts: dict[TurnView, list[SelectableText]] = {}
        transcript.placed.connect(self._on_placed)
        transcript.dropped.connect(self._on_dropped)

    def select_all(self) -> None:
        if self._places.count:
            self.begin(TextPosition(0, BEFORE), TextPosition(self._places.count - 1, BEHIND))

    def texts(self, turn: TurnView) -> list[SelectableText]:
        """Return the visible text widgets of a turn in reading order."""
        # Asked for at each move of the mouse, and searched for only after a layout.
        if turn not in self._texts:
            self._texts[turn] = texts_in(turn)
        return self._texts[turn]

    def spot_at(self, place: QPointF, *, is_inside: bool = False) -> TextPosition | None:
        places, column = self._places, self._transcript.column
        if not places.count:
            return None
        if (y := math.floor(place.y())) < places.tops[0]:
            return None if is_inside else TextPosition(0, BEFORE)
        if y >= places.tops[-1]:
            return None if is_inside else TextPosition(places.count - 1, BEHIND)
        number = places.between(y, y + 1)[0]
        turn = places.all[number].turn
        texts = self.texts(turn) if turn is not None else []
        here, last = self._answer_near(texts, place.toPoint()), self.end_of(number)
        for at, view in enumerate(texts):
            # Of two answers side by side only the one under the pointer, as the lines of both have the same heights.
            if answer_of(view) is not here:
                continue
            box = QRect(view.viewport().mapTo(column, QPoint(0, 0)), view.viewport().size())
            if y < box.top():
                return None if is_inside else TextPosition(number, at, 0, view)
            if y <= box.bottom():
                position = view.position_near(QPointF(view.viewport().mapFrom(column, place)))
                return TextPosition(number, at, view.offset_at(position), view)
            last = TextPosition(number, at, view.offset_at(view.length), view)
        return None if is_inside else last

    def _answer_near(self, texts: list[SelectableText], place: QPoint) -> TurnView | None:
        """Return the nearest view with texts at a point: a turn of compared answers contains two next to each other."""
        answers = {answer: None for view in texts if (answer := answer_of(view)) is not None}

        def away(answer: TurnView) -> int:
            box = QRect(answer.mapTo(self._transcript.column, QPoint(0, 0)), answer.size())
            across = max(box.left() - place.x(), place.x() - box.right(), 0)
            return across + max(box.top() - place.y(), place.y() - box.bottom(), 0)

        return min(answers, key=away, default=None)

    def beginning_of(self, number: int) -> TextPosition:
        """Return the position before the first text of a turn."""
        turn = self._places.all[number].turn
        texts = self.texts(turn) if turn is not None else []
        return TextPosition(number, 0, 0, texts[0]) if texts else TextPosition(number, BEFORE)

    def end_of(self, number: int) -> TextPosition:
        """Return the position after the last text of a turn."""
        turn = self._places.all[number].turn
        texts = self.texts(turn) if turn is not None else []
        if not texts:
            return TextPosition(number, BEHIND)
        return TextPosition(number, len(texts) - 1, texts[-1].offset_at(texts[-1].length), texts[-1])

    def rect_of(self, spot: TextPosition) -> QRect | None:
        """Return the cursor rectangle of a position in column coordinates, or None if its text has no widget."""
        view, column = spot.view, self._transcript.column
        # Turns far from the viewport are deleted while positions in them stay.
        if view is None or not isValid(view):
            return None
        rect = view.cursorRect(cursor_over(view.document(), view.position_at(spot.offset)))
        return QRect(view.viewport().mapTo(column, rect.topLeft()), rect.size())

    def ends_of_unit(self, spot: TextPosition, unit: SelectionUnit) -> tuple[TextPosition, TextPosition]:
        if (view := spot.view) is None:
            return spot, spot
        cursor = cursor_over(view.document(), view.position_at(spot.offset))
        if unit is SelectionUnit.WORD:
            cursor.select(QTextCursor.SelectionType.WordUnderCursor)
        else:
            cursor.movePosition(QTextCursor.MoveOperation.StartOfBlock)
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        first, last = cursor.selectionStart(), cursor.selectionEnd()
        return replace(spot, offset=view.offset_at(first)), replace(spot, offset=view.offset_at(last))

    def _on_placed(self) -> None:
        self._texts.clear()
        if self._anchor is not None and self._head is not None:
            self._anchor, self._head = (
                (self._remap(self._anchor[0]), self._remap(self._anchor[1])),
                self._remap(self._head),
            )
            self._mark_texts()

    def _remap(self, spot: TextPosition) -> TextPosition:
        """Map a position to the current widgets of its turn; if its text is gone, to the text that follows."""
        turn = self._places.all[spot.number].turn
        texts = self.texts(turn) if turn is not None and spot.view is not None else []
        if not texts:
            return spot
        if spot.view in texts:
            return replace(spot, text=texts.index(spot.view))
        at = min(spot.text, len(texts) - 1)
        return replace(spot, text=at, offset=0, view=texts[at])

    def _on_dropped(self, number: int) -> None:
        """Clear the selection if it reaches into the turns that were removed or replaced."""
        self._texts.clear()
        if self._anchor is not None and self._head is not None:
            last = max(spot.number for spot in (*self._anchor, self._head))
            if last >= number:
                self.clear()

    def show_selection(self) -> None:
        self._mark_texts()
        super().show_selection()

    def _mark_texts(self) -> None:
        ends = self.ends
        wanted: set[SelectableText] = set()
        held = {spot.number for spot in ends} if ends is not None else set()
        for turn, place in self._places.made.items():
            turn.holds_selection = place.number in held
            if ends is not None and ends[0].number <= place.number <= ends[1].number:
                texts = enumerate(self.texts(turn))
                wanted |= {view for at, view in texts if self._mark_text(ends, (place.number, at), view)}
        for view in self._marked - wanted:
            if isValid(view):
                view.mark(0, 0)
        self._marked = wanted

    def _mark_text(self, ends: tuple[TextPosition, TextPosition], block: tuple[int, int], view: SelectableText) -> bool:
        """Select what is between the ends in a text. Return whether that is anything."""
        if (span := span_between(ends, block)) is None:
            return False
        # Finding the position of an offset reads the whole text.
        start = view.position_at(span[0]) if span[0] else 0
        end = view.length if span[1] == END else view.position_at(span[1])
        if start != end:
            # Reversed for a backward selection: the caret sits at the second position.
            view.mark(*((start, end) if self.head == ends[1] else (end, start)))
        return start != end

    @property
    def has_answer(self) -> bool:
        """True if the selection includes any text of an answer."""
        if (ends := self.ends) is None:
            return False
        # A new answer has none yet.
        message = self._places.all[ends[0].number].message
        return ends[1].number > ends[0].number or message is None or message.role is Role.ASSISTANT

    def text(self) -> str:
        """Return the selection as plain text, with the speakers' names if there are several; long ones as Markdown."""
        from app.ui.text.copied_text import text_of  # as in `is_answer`

        said = list(self._selected_turns())
        return _join_turns(
            said,
            [
                source_of(selected_turn) if selected_turn.pieces is None else text_of(selected_turn.pieces)
                for selected_turn in said
            ],
            "{}:",
        )

    def markdown(self) -> str:
        """Return the selection as Markdown; a part of a message is written so that it renders the same."""
        from app.ui.text.copied_text import markdown_of  # as in `is_answer`

        said = list(self._selected_turns(is_source_enough=True))
        texts = [
            markdown_of(selected_turn.pieces or ()) if selected_turn.source is None else selected_turn.source
            for selected_turn in said
        ]
        return _join_turns(said, texts, "**{}:**")

    def data(self) -> QMimeData:
        """Return clipboard data: plain text, and rich text unless the selection is very long."""
        from app.ui.text.copied_text import html_of, mime_data, text_of  # as in `is_answer`
        from app.ui.text.pieces import Prose, ProseLine, StyledSpan

        said = list(self._selected_turns())
        texts = [
            source_of(selected_turn) if selected_turn.pieces is None else text_of(selected_turn.pieces)
            for selected_turn in said
        ]
        text = _join_turns(said, texts, "{}:")
        # Too long to parse: rich text would take seconds.
        if any(turn.pieces is None for turn in said):
            data = QMimeData()
            data.setText(text)
            return data
        pieces: list[Piece] = []
        for selected_turn in said:
            if len(said) > 1:
                pieces.append(Prose((ProseLine((StyledSpan(f"{_speaker(selected_turn)}:", bold=True),)),)))
            pieces += selected_turn.pieces or ()
        return mime_data(html_of(pieces), text)

    def _selected_turns(self, *, is_source_enough: bool = False) -> Iterator[SelectedTurn]:
        if (ends := self.ends) is None:
            return
        messages = self._places.messages
        numbers = range(ends[0].number, ends[1].number + 1)
        # All of it counts, as it is parsed at once.
        size = sum(len(message.text) for number in numbers if (message := messages[number]) is not None)
        for number in numbers:
            message, turn = messages[number], self._places.all[number].turn
            is_whole = message is not None and self._is_whole(number, turn, ends)
            if is_whole and message is not None:
                is_read = size <= MOST_READ and not is_source_enough
                yield SelectedTurn(message, read_pieces(message) if is_read else None, message.text)
            elif turn is not None:
                pieces = [piece for view in self.texts(turn) for piece in view.selected()]
                if pieces:
                    yield SelectedTurn(message, pieces, None)

    def _is_whole(self, number: int, turn: TurnView | None, ends: tuple[TextPosition, TextPosition]) -> bool:
        """Return whether the whole message is selected, and nothing else that its turn shows."""
        if turn is None:
            return True
        # Other texts of the turn, such as thinking that was opened, are no part of the message.
        if turn.is_changing or (is_answer(turn) and not all(turn.body.isAncestorOf(view) for view in self.texts(turn))):
            return False
        return ends[0].key <= self.beginning_of(number).key and self.end_of(number).key <= ends[1].key


def read_pieces(message: StoredMessage) -> list[Piece]:
    """Parse a message as it is displayed: answers as Markdown, questions as plain lines."""
    from app.ui.text.markdown import read  # as in `is_answer`
    from app.ui.text.pieces import Prose, ProseLine, StyledSpan

    if message.role is Role.ASSISTANT:
        return [piece for block in read(message.text) for piece in block.pieces]
    return [Prose(tuple(ProseLine((StyledSpan(line),) if line else (), "typed") for line in message.text.split("\n")))]


def source_of(said: SelectedTurn) -> str:
    return said.source or ""


def _join_turns(said: list[SelectedTurn], texts: list[str], name: str) -> str:
    """Join the texts of several turns, each below its speaker's name; a single text stays as it is."""
    if len(said) < 2:
        return "".join(texts)
    pairs = zip(said, texts, strict=True)
    return "\n\n".join(f"{name.format(_speaker(pair))}\n\n{text.strip()}" for pair, text in pairs)


def _speaker(said: SelectedTurn) -> str:
    if (message := said.message) is not None and message.role is Role.USER:
        return tr("You")
    return (model_words(message.model) if message is not None else "") or tr("Answer")


def texts_in(turn: TurnView) -> list[SelectableText]:
    """Return the visible texts of a turn in reading order; of two compared answers, all of the first one first."""
    from app.ui.text.selectable import SelectableText  # as in `is_answer`

    # By the top of its answer, then its side, then the height within: a pair's first answer as a whole comes first.
    def place(view: SelectableText) -> tuple[int, int, int]:
        at, y = (answer_of(view) or turn).mapTo(turn, QPoint(0, 0)), view.mapTo(turn, QPoint(0, 0)).y()
        return at.y(), -at.x() if turn.isRightToLeft() else at.x(), y

    return sorted((view for view in turn.findChildren(SelectableText) if view.isVisibleTo(turn)), key=place)


def answer_of(view: QWidget) -> TurnView | None:
    """Return the innermost turn that contains a widget."""
    parent = view.parentWidget()
    while parent is not None and not isinstance(parent, TurnView):
        parent = parent.parentWidget()
    return parent
