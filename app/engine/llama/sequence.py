"""One sequence of a context: the tokens its memory holds, and how to get back to an earlier point exactly.

Attention can drop its end. Recurrent and hybrid models cannot: for them the part that cannot be rolled back is copied
at two points of a prompt (before and after the last question), and going back means going to such a point.
"""

from __future__ import annotations

from collections.abc import Sequence as Tokens
from dataclasses import dataclass

from app.engine.llama.context import Context

KEPT_SNAPSHOTS = 4
KEPT_SNAPSHOT_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class Snapshot:
    """What cannot be rolled back, after `count` tokens."""

    count: int
    data: bytes


class Sequence:
    """`tokens` is what the memory holds, in order; `session` names what they belong to, `changed` since its save."""

    def __init__(self, context: Context, number: int) -> None:
        self.number = number
        self.tokens: list[int] = []
        self.session = ""
        self.changed = False
        self._context = context
        self._snapshots: list[Snapshot] = []

    def common(self, prompt: Tokens[int]) -> int:
        """How many tokens memory and prompt have in common."""
        return common_length(self.tokens, prompt)

    def reusable(self, count: int) -> int:
        """How many of the first `count` tokens can be kept, exactly as if they had just been read."""
        if count >= len(self.tokens) or self._context.can_forget:
            kept = min(count, len(self.tokens))
        else:
            kept = max((shot.count for shot in self._snapshots if shot.count <= count), default=0)
        return kept if self._context.sees_all(self.number, kept) else 0

    def go_back(self, count: int) -> int:
        """Keeps at most the first `count` tokens; returns how many were really kept."""
        count = self.reusable(count)
        if count < len(self.tokens):
            if not count or not self._restore(count):
                self.clear()
                return 0
            del self.tokens[count:]
            self.changed = True
            self._snapshots = [shot for shot in self._snapshots if shot.count <= count]
        return count

    def drop_unfinished(self) -> None:
        """After a decode that was not finished: removes what it left behind the tokens that are held."""
        if self._context.can_forget:
            if not self._context.keep(self.number, len(self.tokens)):
                self.clear()
            return
        before = max((shot.count for shot in self._snapshots), default=0)
        if not self._restore(before):
            self.clear()
        del self.tokens[before:]

    def extend(self, tokens: Tokens[int]) -> None:
        """These tokens were decoded."""
        self.tokens += tokens
        self.changed = True

    def share(self, source: Sequence, count: int) -> None:
        """Takes the first `count` tokens over from another sequence; this one is empty."""
        self._context.copy(source.number, self.number, count)
        self.tokens = source.tokens[:count]
        self.changed = True

    def can_share(self, count: int) -> bool:
        """Whether another sequence may take over the first `count` tokens of this one."""
        return (self._context.can_forget or count == len(self.tokens)) and self._context.sees_all(self.number, count)

    def take_snapshot(self) -> None:
        """Remembers this point, where the model could not come back to it by itself."""
        if self._context.can_forget or any(shot.count == len(self.tokens) for shot in self._snapshots):
            return
        data = self._context.partial_state(self.number)
        if data:
            self._snapshots.append(Snapshot(len(self.tokens), data))
        while len(self._snapshots) > KEPT_SNAPSHOTS or (
            len(self._snapshots) > 1 and sum(len(shot.data) for shot in self._snapshots) > KEPT_SNAPSHOT_BYTES
        ):
            del self._snapshots[0]

    def loaded(self, tokens: list[int]) -> None:
        """A saved state was put into the memory."""
        self.tokens = tokens
        self._snapshots = []
        self.changed = False

    def clear(self) -> None:
        """Forgets everything."""
        self._context.clear(self.number)
        self.forgotten()

    def forgotten(self) -> None:
        """The memory holds nothing of it any more."""
        self.tokens = []
        self._snapshots = []
        self.changed = False

    def _restore(self, count: int) -> bool:
        """Brings the memory to its first `count` tokens."""
        if self._context.can_forget:
            return self._context.keep(self.number, count)
        shot = next((shot for shot in self._snapshots if shot.count == count), None)
        if shot is None or not self._context.set_partial_state(self.number, shot.data):
            return False
        return self._context.keep(self.number, count)


def common_length(ours: Tokens[int], theirs: Tokens[int]) -> int:
    """The length of the common beginning."""
    return next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
