"""Positions of a chat's messages in the column, most of them without a widget.

Every message has a height, which is measured once it comes near the viewport and estimated before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from app.core.events import Role
from app.store.conversations import StoredMessage
from app.ui.chat.turn import TURN_GAP_PX, TurnView

CHARACTER_PX, LINE_PX = 7, 23
"""Average width of a character and height of a line, to estimate heights."""
MOST_GUESSED = 1_500
"""Most characters counted of a question: longer ones are collapsed."""


class TurnPlace:
    """Position of a message in the column, with its turn while that exists."""

    # A chat may have ten thousand of these.
    __slots__ = ("_message", "height", "is_doubted", "is_sure", "number", "turn")

    def __init__(self, number: int, message: StoredMessage | None, height: int, turn: TurnView | None = None) -> None:
        self.number, self._message, self.turn, self.height = number, message, turn, height
        self.is_sure = False
        """True if the height is that of the turn in its current state."""
        self.is_doubted = False
        """True if the turn was last laid out for another width or theme."""

    @property
    def message(self) -> StoredMessage | None:
        """The turn's message, which may be newer, or else the stored one."""
        return self.turn.message if self.turn is not None else self._message

    def set_message(self, message: StoredMessage) -> None:
        if self.turn is None:
            self._message = message
        elif self.turn.message != message:
            self.turn.set_message(message)

    def let_go(self) -> None:
        """Forget the turn, keeping its message and height."""
        self._message, self.turn = self.message, None
        self.is_sure = self.is_doubted = False


class TurnPlaces:
    """Places of all messages, oldest first. They are added and removed at the end only, so an index stays valid."""

    def __init__(self) -> None:
        self.all: list[TurnPlace] = []
        self.tops = [0]
        """Top of each place, followed by the bottom of the last one, in pixels."""
        self._around: tuple[int, int | None, int] = (0, None, 0)
        """What `begin_at` was told last."""
        self.made: dict[TurnView, TurnPlace] = {}
        """Places whose turn exists, by turn."""

    @property
    def count(self) -> int:
        return len(self.all)

    @property
    def messages(self) -> list[StoredMessage | None]:
        """Message of each place; None for a turn without one yet."""
        return [place.message for place in self.all]

    def number_of(self, message_id: int) -> int | None:
        """Return the index of a message, or None if it is not in the column."""
        return next((place.number for place in self.all if place.message and place.message.id == message_id), None)

    def last_of(self, role: Role) -> int | None:
        """Return the index of the last message with a role, or None."""
        found = (place.number for place in reversed(self.all) if place.message and place.message.role is role)
        return next(found, None)

    def add(self, messages: Iterable[StoredMessage], width: int, zoom: float) -> None:
        """Append messages without turns, with estimated heights."""
        guess = guessed_height(width, zoom)
        self.all += [TurnPlace(number, message, guess(message)) for number, message in enumerate(messages, self.count)]

    def add_turn(self, turn: TurnView) -> TurnPlace:
        """Append a place for a turn that has no message yet."""
        self.all.append(TurnPlace(self.count, None, 0, turn))
        return self.all[-1]

    def update_messages(self, messages: Sequence[StoredMessage]) -> int:
        """Update the messages in place. Return how many places from the start are unchanged."""
        same = 0
        for place, message in zip(self.all, messages, strict=False):
            if place.message is None or place.message.id != message.id:
                break
            # A pair of compared answers stands only at the end; further up it is one answer.
            if place.turn is not None and place.turn.is_only_last and same < len(messages) - 1:
                break
            place.set_message(message)
            same += 1
        return same

    def remove_from(self, number: int) -> None:
        """Remove the places from a number on, with the positions that depend on them."""
        del self.all[number:]
        del self.tops[number + 1 :]

    def begin_at(self, top: int, divided: int | None, divider: int, *, is_again: bool = False) -> None:
        """Compute all positions from `top` on, leaving `divider` pixels above the place numbered `divided`.

        Those above the first changed turn stay as they are; `is_again` if heights without a turn changed, too.
        """
        around = (top, divided, divider)
        first = 0 if is_again or around != self._around else self._first_changed()
        self._around = around
        heights = [place.height for place in self.all[first:]]
        if divided is not None and divided >= first:
            heights[divided - first] += divider
        self.tops[first:] = accumulate(heights, initial=self.tops[first] if first else top)

    def _first_changed(self) -> int:
        known, (_, divided, divider) = min(len(self.tops) - 1, self.count), self._around
        changed = [
            place.number
            for place in self.made.values()
            if place.number < known
            and self.tops[place.number + 1] - self.tops[place.number]
            != place.height + (divider if place.number == divided else 0)
        ]
        return min(changed, default=known)

    def between(self, top: int, bottom: int) -> range:
        """Return the indices of the places that overlap a vertical range."""
        count = min(len(self.tops) - 1, self.count)
        first = max(bisect_right(self.tops, top, hi=count) - 1, 0)
        return range(first, bisect_left(self.tops, bottom, hi=count))


def guessed_height(width: int, zoom: float) -> Callable[[StoredMessage], int]:
    """Return a function that estimates a message's height at a width in pixels."""
    lines_a_character = CHARACTER_PX * zoom / max(width, 1)
    line_px, around_px = LINE_PX * zoom, (LINE_PX + TURN_GAP_PX) * zoom

    def guess(message: StoredMessage) -> int:
        text = message.text
        # A long question is collapsed, so only its beginning counts.
        size = min(len(text), MOST_GUESSED) if message.role is Role.USER else len(text)
        return int((text.count("\n", 0, size) + size * lines_a_character) * line_px + around_px)

    return guess
