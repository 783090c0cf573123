"""One sequence of a context: the tokens its memory holds, and how to get back to an earlier point exactly.

Attention can drop its end. Recurrent and hybrid models cannot: for them the part that cannot be rolled back is copied
along the prompt (see `app.engine.llama.checkpoints`), and going back means going to such a point.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Tokens

from app.engine.llama.checkpoints import (
    LEAST_APART_TOKENS,
    CheckpointBudget,
    SequenceCheckpoints,
    StateCheckpoint,
    thin_out,
)
from app.engine.llama.context import LlamaContext
from app.engine.llama.tiles import TileNumbers
from app.engine.model_shape import MOST_CHECKPOINTS

LEAST_BETWEEN_WINDOWS_TOKENS = 2 * LEAST_APART_TOKENS  # a window is larger than a recurrent state of the same model


class CachedSequence:
    """`tokens` is what the memory holds, in order; `session` names what they belong to, `changed` since its save."""

    def __init__(self, context: LlamaContext, number: int, tiles: TileNumbers, budget: CheckpointBudget) -> None:
        self.number = number
        self._tiles = tiles
        self.tokens: list[int] = []
        self.session = ""
        self.made_of: tuple[str, ...] = ()  # see `Ask`
        self.changed = False
        self.is_forgotten = False
        """True if all of it goes when the answer that uses it has ended."""
        self.ends: tuple[int, ...] = ()
        """Where another answer or an edited question would begin, and the end of long instructions."""
        self._context = context
        self._shift = 0  # by how much positions are fewer than tokens, because of pictures (M-RoPE)
        self._checkpoints = SequenceCheckpoints(budget)
        self._is_rolled_back = False

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
        kept = min(count, len(self.tokens))
        return kept if self._can_truncate(kept) else self._checkpoints.latest_count(kept)

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
            self._checkpoints.replace_all(self._checkpoints.up_to(count))
        return count

    def drop_unfinished(self) -> None:
        """Remove what an unfinished decode left in the KV cache behind the recorded tokens."""
        # After an abort some layers hold the tokens of the batch and others do not.
        if self._context.can_forget:
            if not self._context.truncate_sequence(self.number, self.position):
                self.clear()
            return
        # The recurrent state has gone on and can't be undone: back to the newest checkpoint, if any.
        before = self._checkpoints.latest_count(len(self.tokens))
        if not before or not self._truncate_memory(before):
            self.clear()
        del self.tokens[before:]
        self._shift = self._tiles.position_shift(self.tokens)

    def drop_refused(self, count: int) -> None:
        """Remove the last `count` tokens of a decode behind the recorded ones, which were guessed wrong."""
        if self._context.can_forget or not self._context.truncate_sequence(self.number, self.position):
            self.drop_unfinished()
        elif count:
            self._is_rolled_back = not self._context.can_forget

    def extend(self, tokens: Tokens[int]) -> None:
        """Record tokens that were just decoded; the memory holds them already."""
        self.tokens += tokens
        self._is_rolled_back = False
        if self._tiles.shifts:
            self._shift += self._tiles.position_shift(tokens)
        self.changed = True

    def copy_prefix(self, source: CachedSequence, count: int) -> int:
        """Copy the first `count` tokens of another sequence into this one, which must be empty; return how many it has
        then.
        """
        source._settle_rollback()
        # Where only a checkpoint leads there, all is copied first, since a recurrent state can't be cut.
        copied = count if source._can_truncate(count) else len(source.tokens)
        self.tokens = source.tokens[:copied]
        self._shift = self._tiles.position_shift(self.tokens)
        # Cells are shared, not copied, where the model allows that.
        self._context.copy_sequence(source.number, self.number, self.position)
        self._checkpoints.replace_all(source._checkpoints.up_to(copied))
        self.changed = True
        return self.go_back(count)

    def take_checkpoint(self) -> None:
        """Copy the state here if the model can't roll back by itself."""
        if self._context.can_forget or self._checkpoints.find(len(self.tokens)):
            return
        data = self._context.partial_state(self.number)  # nothing for a model that has no such state
        if data:
            self._checkpoints.add(StateCheckpoint(len(self.tokens), data))

    def take_due_checkpoint(self, prompt_tokens: int) -> None:
        """Take a checkpoint if the last one is far enough, for a prompt of so many tokens."""
        if not self._context.can_forget:
            apart = max(LEAST_APART_TOKENS, prompt_tokens // MOST_CHECKPOINTS)
            if len(self.tokens) - self._checkpoints.latest_count(len(self.tokens)) >= apart:
                self.take_checkpoint()

    def checkpoints_to_save(self, most_bytes: int) -> list[StateCheckpoint]:
        """Return the points to go back to that a saved state keeps, within so many bytes.

        A saved state holds a sliding window at its end only, so its earlier windows are copied now.
        """
        kept = {checkpoint.count: checkpoint for checkpoint in self._checkpoints.all_kept}
        whole = len(self.tokens)
        if self._context.can_forget and not self._context.can_cut_saved(whole, 0):
            self._copy_windows(kept, reversed(self.ends), most_bytes)
            if size := max((checkpoint.size_bytes for checkpoint in kept.values()), default=0):
                room = max(0, most_bytes // size - len(kept))
                step = max(LEAST_BETWEEN_WINDOWS_TOKENS, whole // (room + 1))
                self._copy_windows(kept, range(whole - step, 0, -step), most_bytes)
        return thin_out([kept[count] for count in sorted(kept)], most_bytes)

    def _copy_windows(self, kept: dict[int, StateCheckpoint], places: Iterable[int], most_bytes: int) -> None:
        """Add what a sliding window sees at these places to `kept`, until all take so many bytes."""
        used = sum(checkpoint.size_bytes for checkpoint in kept.values())
        for place in places:
            count = self._tiles.whole_tiles_length(self.tokens, min(place, len(self.tokens)))
            if count and count not in kept:
                data = self._context.window_state(self.number, self._position_after(count))
                if data is None or (used := used + len(data)) > most_bytes:
                    return
                kept[count] = StateCheckpoint(count, data)

    def set_tokens(self, tokens: list[int], checkpoints: Tokens[StateCheckpoint]) -> None:
        """Record the tokens and checkpoints of a state that was just loaded from disk."""
        self.tokens = tokens
        self._shift = self._tiles.position_shift(tokens)
        self._checkpoints.replace_all(checkpoints)
        self.changed = False

    def clear(self) -> None:
        """Remove all tokens from the KV cache and from the record."""
        self._context.clear_sequence(self.number)
        self.mark_evicted()

    def mark_evicted(self) -> None:
        """Reset the record after the KV cache was cleared elsewhere."""
        self.tokens = []
        self._shift, self._is_rolled_back = 0, False
        self._checkpoints.replace_all(())
        self.changed = self.is_forgotten = False

    def _settle_rollback(self) -> None:
        """Make the state that tokens were taken back from the newest: llama.cpp copies that to another sequence."""
        if self._is_rolled_back:
            data = self._context.partial_state(self.number)
            if data is None or not self._context.set_partial_state(self.number, data):
                self.clear()
            self._is_rolled_back = False

    def _position_after(self, count: int) -> int:
        return count - self._tiles.position_shift(self.tokens[:count]) if self._tiles.shifts else count

    def _can_truncate(self, count: int) -> bool:
        """Return whether memory can be cut to `count` tokens, and is then as if just those had been read."""
        if count == len(self.tokens):
            return True
        # With a sliding window the cells before the window can be gone, and going back would need them.
        return self._context.can_forget and self._context.sees_all(self.number, self._position_after(count))

    def _truncate_memory(self, count: int) -> bool:
        """Truncate the KV cache to `count` tokens; return False if the model can't go back there."""
        # A decode that failed leaves no state behind that llama.cpp could roll back to, even by a single token.
        if not self._context.can_forget or not self._can_truncate(count):
            # The copy brings back the recurrent part, the cut the attention's cells: hybrids have both.
            checkpoint = self._checkpoints.find(count)
            if checkpoint is None or not self._context.set_partial_state(self.number, checkpoint.data):
                return False
        return self._context.truncate_sequence(self.number, self._position_after(count))


def common_length(ours: Tokens[int], theirs: Tokens[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
