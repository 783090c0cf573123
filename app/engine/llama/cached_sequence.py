"""One sequence of a context: the tokens its memory holds, and how to get back to an earlier point exactly.

Attention can drop its end. Recurrent and hybrid models cannot: for them the part that cannot be rolled back is copied
at two points of a prompt (before and after the last question), and going back means going to such a point.
"""

from __future__ import annotations

from collections.abc import Sequence as Tokens
from dataclasses import dataclass

from app.engine.llama.context import LlamaContext
from app.engine.llama.tiles import TileNumbers

# Each is a copy of the recurrent state, which can be large, hence both limits.
KEPT_SNAPSHOTS = 4
KEPT_SNAPSHOT_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class StateSnapshot:
    """Copy of the state that llama.cpp can't roll back (recurrent layers, sliding window), taken after `count`
    tokens.
    """

    count: int
    data: bytes


class CachedSequence:
    """`tokens` is what the memory holds, in order; `session` names what they belong to, `changed` since its save."""

    def __init__(self, context: LlamaContext, number: int, tiles: TileNumbers) -> None:
        self.number = number
        self._tiles = tiles
        self.tokens: list[int] = []
        self.session = ""
        self.changed = False
        self._context = context
        self._shift = 0  # by how much positions are fewer than tokens, because of pictures (M-RoPE)
        self._snapshots: list[StateSnapshot] = []

    @property
    def position(self) -> int:
        """Position of the next token. Lower than the token count where images take fewer positions than tokens."""
        return len(self.tokens) - self._shift

    def common_length(self, prompt: Tokens[int]) -> int:
        """Return how many tokens memory and prompt have in common, but for the beginning of a picture."""
        # A picture can't be continued in its middle: all of it is decoded at once.
        return self._tiles.whole_tiles_length(prompt, common_length(self.tokens, prompt))

    def reusable_length(self, count: int) -> int:
        """Return how many of the first `count` tokens can be kept, exactly as if they had just been read."""
        # Without recurrent layers any prefix is as good as freshly read.
        if count >= len(self.tokens) or self._context.can_forget:
            kept = min(count, len(self.tokens))
        else:
            kept = max((shot.count for shot in self._snapshots if shot.count <= count), default=0)
        # With a sliding window the cells before the window are gone, and going back would need them.
        return kept if self._context.sees_all(self.number, self._position_after(kept)) else 0

    def go_back(self, count: int) -> int:
        """Truncate to at most `count` tokens; return how many were kept, which is fewer where the model can't roll
        back.
        """
        count = self.reusable_length(count)
        if count < len(self.tokens):
            # llama.cpp refuses where cells are missing; then the whole sequence is read again.
            if not count or not self._truncate_memory(count):
                self.clear()
                return 0
            del self.tokens[count:]
            self._shift = self._tiles.position_shift(self.tokens)
            self.changed = True
            # Those ahead belong to tokens that were just taken away.
            self._snapshots = [shot for shot in self._snapshots if shot.count <= count]
        return count

    def drop_unfinished(self) -> None:
        """Remove what an unfinished decode left in the KV cache behind the recorded tokens."""
        # After an abort some layers hold the tokens of the batch and others do not.
        if self._context.can_forget:
            if not self._context.truncate_sequence(self.number, self.position):
                self.clear()
            return
        # The recurrent state has gone on and can't be undone: back to the newest copy, if any.
        before = max((shot.count for shot in self._snapshots), default=0)
        if not self._truncate_memory(before):
            self.clear()
        del self.tokens[before:]
        self._shift = self._tiles.position_shift(self.tokens)

    def extend(self, tokens: Tokens[int]) -> None:
        """Record tokens that were just decoded; the memory holds them already."""
        self.tokens += tokens
        if self._tiles.shifts:
            self._shift += self._tiles.position_shift(tokens)
        self.changed = True

    def copy_prefix(self, source: CachedSequence, count: int) -> None:
        """Copy the first `count` tokens of another sequence into this one, which must be empty."""
        self.tokens = source.tokens[:count]
        self._shift = self._tiles.position_shift(self.tokens)
        # Cells are shared, not copied, where the model allows that.
        self._context.copy_sequence(source.number, self.number, self.position)
        self.changed = True

    def can_share(self, count: int) -> bool:
        """Return whether another sequence can copy the first `count` tokens of this one."""
        # A recurrent state is one value for all that was read: only all of it can be handed on.
        if not self._context.can_forget and count != len(self.tokens):
            return False
        return self._context.sees_all(self.number, self._position_after(count))

    def take_snapshot(self) -> None:
        """Save a snapshot here if the model can't roll back by itself. Keeps the newest within a count and a byte
        limit.
        """
        if self._context.can_forget or any(shot.count == len(self.tokens) for shot in self._snapshots):
            return
        data = self._context.partial_state(self.number)  # nothing for a model that has no such state
        if data:
            self._snapshots.append(StateSnapshot(len(self.tokens), data))
        while len(self._snapshots) > KEPT_SNAPSHOTS or (
            len(self._snapshots) > 1 and sum(len(shot.data) for shot in self._snapshots) > KEPT_SNAPSHOT_BYTES
        ):
            del self._snapshots[0]  # the oldest: the next answer begins near the end

    def set_tokens(self, tokens: list[int]) -> None:
        """Record the tokens of a state that was just loaded from disk."""
        self.tokens = tokens
        self._shift = self._tiles.position_shift(tokens)
        # A file holds the state at its end only, so there is nothing to go back to before that.
        self._snapshots = []
        self.changed = False

    def clear(self) -> None:
        """Remove all tokens from the KV cache and from the record."""
        self._context.clear_sequence(self.number)
        self.mark_evicted()

    def mark_evicted(self) -> None:
        """Reset the record after the KV cache was cleared elsewhere."""
        self.tokens = []
        self._shift = 0
        self._snapshots = []
        self.changed = False

    def _position_after(self, count: int) -> int:
        return count - self._tiles.position_shift(self.tokens[:count]) if self._tiles.shifts else count

    def _truncate_memory(self, count: int) -> bool:
        """Truncate the KV cache to `count` tokens; return False if the model can't go back there."""
        if self._context.can_forget:
            return self._context.truncate_sequence(self.number, self._position_after(count))
        # The copy brings back the recurrent part, the cut the attention's cells: hybrids have both.
        shot = next((shot for shot in self._snapshots if shot.count == count), None)
        if shot is None or not self._context.set_partial_state(self.number, shot.data):
            return False
        return self._context.truncate_sequence(self.number, self._position_after(count))


def common_length(ours: Tokens[int], theirs: Tokens[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
