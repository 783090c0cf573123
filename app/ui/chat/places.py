"""Where the messages of a conversation stand under each other, most of them without a turn.

A message that nobody is near has a height all the same: the one that was measured, or a guess.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from app.core.events import Role
from app.store.conversations import StoredMessage
from app.ui.chat.turn import ACTIONS_PX, TurnView

CHARACTER_PX, LINE_PX = 7, 23
"""About as wide and as high as text is, for what nobody has measured yet."""
MOST_GUESSED = 1_500
"""Characters of a question: of a longer one only the beginning is shown."""


class TurnPlace:
    """Where a message stands in the column, and its turn while somebody is near."""

    __slots__ = ("_message", "height", "is_doubted", "is_sure", "number", "turn")

    def __init__(self, number: int, message: StoredMessage | None, height: int, turn: TurnView | None = None) -> None:
        self.number, self._message, self.turn = number, message, turn
        self.height = height
        self.is_sure = False
        """Whether the height is that of the turn as it is now."""
        self.is_doubted = False
        """Whether the turn was laid out for another width or look."""

    @property
    def message(self) -> StoredMessage | None:
        """As the turn has it, which may have come further."""
        return self.turn.message if self.turn is not None else self._message

    def set_message(self, message: StoredMessage) -> None:
        if self.turn is None:
            self._message = message
        elif self.turn.message != message:
            self.turn.set_message(message)

    def let_go(self) -> None:
        """The turn goes; its height stays."""
        self._message, self.turn = self.message, None
        self.is_sure = self.is_doubted = False


class TurnPlaces:
    """Oldest first. They come and go at the end only, so that a number stays one message's."""

    def __init__(self) -> None:
        self.all: list[TurnPlace] = []
        self.tops = [0]
        """Where each begins, and where the last one ends, in pixels."""
        self.made: dict[TurnView, TurnPlace] = {}
        """Those that have a turn."""

    @property
    def count(self) -> int:
        return len(self.all)

    @property
    def messages(self) -> list[StoredMessage | None]:
        """Of all of them; None for one that has no message yet."""
        return [place.message for place in self.all]

    def number_of(self, message_id: int) -> int | None:
        """None for a message that is none of these."""
        return next((place.number for place in self.all if place.message and place.message.id == message_id), None)

    def last_of(self, role: Role) -> int | None:
        """The number of the last thing that one of both has said."""
        found = (place.number for place in reversed(self.all) if place.message and place.message.role is role)
        return next(found, None)

    def add(self, messages: Iterable[StoredMessage], width: int, zoom: float) -> None:
        """Without turns; their heights are guessed."""
        guess = guessed_height(width, zoom)
        self.all += [TurnPlace(number, message, guess(message)) for number, message in enumerate(messages, self.count)]

    def add_turn(self, turn: TurnView) -> TurnPlace:
        """One for a turn that has no message yet."""
        self.all.append(TurnPlace(self.count, None, 0, turn))
        return self.all[-1]

    def update_messages(self, messages: Sequence[StoredMessage]) -> int:
        """Takes over what has changed in the messages; returns how many places from the first on are still theirs."""
        same = 0
        for place, message in zip(self.all, messages, strict=False):
            if place.message is None or place.message.id != message.id:
                break
            if place.turn is not None and place.turn.is_only_last and same < len(messages) - 1:
                break
            place.set_message(message)
            same += 1
        return same

    def begin_at(self, top: int, divided: int | None, divider: int) -> None:
        """Puts them under each other; above the one numbered `divided` there is room for a divider."""
        heights = [place.height for place in self.all]
        if divided is not None:
            heights[divided] += divider
        self.tops = list(accumulate(heights, initial=top))

    def between(self, top: int, bottom: int) -> range:
        """The numbers of those that reach into a stretch."""
        count = min(len(self.tops) - 1, self.count)
        first = max(bisect_right(self.tops, top, hi=count) - 1, 0)
        return range(first, bisect_left(self.tops, bottom, hi=count))


def guessed_height(width: int, zoom: float) -> Callable[[StoredMessage], int]:
    """For messages that nobody has measured, at a width in pixels."""
    lines_a_character = CHARACTER_PX * zoom / max(width, 1)
    line_px, actions_px = LINE_PX * zoom, (LINE_PX + ACTIONS_PX) * zoom

    def guess(message: StoredMessage) -> int:
        text = message.text
        size = min(len(text), MOST_GUESSED) if message.role is Role.USER else len(text)
        return int((text.count("\n", 0, size) + size * lines_a_character) * line_px + actions_px)

    return guess
