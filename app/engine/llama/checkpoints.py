"""Checkpoints along a sequence: copies of what a model can't roll back, so that going back reads one stretch again.

Recurrent layers hold one value for all that was read, and a sliding window's cells are gone once they are behind it.
llama.cpp's copies on the device (ON_DEVICE) are one for each sequence, so these are copies in main memory.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from itertools import pairwise

from app.core.lazy_dataclasses import dataclass
from app.engine.fit import MOST_CHECKPOINT_BYTES
from app.engine.model_shape import MOST_CHECKPOINTS

LEAST_APART_TOKENS = 256  # so few are read again in the time that a person does not notice
LATEST = 2  # the two ends of the last question, where another answer or an edited question begins


@dataclass(frozen=True)
class StateCheckpoint:
    """The state after `count` tokens; `data` are llama.cpp's bytes."""

    count: int
    data: ctypes.Array[ctypes.c_uint8]

    @property
    def size_bytes(self) -> int:
        return len(self.data)


class CheckpointBudget:
    """Bytes that the checkpoints of all sequences of a context may take together."""

    def __init__(self, most_bytes: int = MOST_CHECKPOINT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._owners: list[SequenceCheckpoints] = []

    @property
    def used_bytes(self) -> int:
        return sum(owner.size_bytes for owner in self._owners)

    def add_owner(self, owner: SequenceCheckpoints) -> None:
        self._owners.append(owner)

    def trim(self) -> None:
        """Drop the least useful, where most bytes are. Each sequence keeps its newest."""
        while self.used_bytes > self._most_bytes:
            if not max(self._owners, key=lambda owner: owner.size_bytes).drop_least_useful():
                return


class SequenceCheckpoints:
    """The checkpoints of one sequence, in the order of its tokens."""

    def __init__(self, budget: CheckpointBudget) -> None:
        self._budget = budget
        self._kept: list[StateCheckpoint] = []
        budget.add_owner(self)

    @property
    def size_bytes(self) -> int:
        return sum(checkpoint.size_bytes for checkpoint in self._kept)

    @property
    def all_kept(self) -> list[StateCheckpoint]:
        return list(self._kept)

    def up_to(self, count: int) -> list[StateCheckpoint]:
        """Return the checkpoints that lie within the first `count` tokens."""
        return [checkpoint for checkpoint in self._kept if checkpoint.count <= count]

    def latest_count(self, count: int) -> int:
        """Return the most tokens, at most `count`, after which there is a checkpoint; 0 without any."""
        return max((checkpoint.count for checkpoint in self._kept if checkpoint.count <= count), default=0)

    def find(self, count: int) -> StateCheckpoint | None:
        """Return the checkpoint that was taken after exactly `count` tokens."""
        return next((checkpoint for checkpoint in self._kept if checkpoint.count == count), None)

    def add(self, checkpoint: StateCheckpoint) -> None:
        """Add a checkpoint behind all others, and drop the least useful ones beyond the limits."""
        self._kept.append(checkpoint)
        if len(self._kept) > MOST_CHECKPOINTS:
            self.drop_least_useful()
        self._budget.trim()

    def replace_all(self, checkpoints: Iterable[StateCheckpoint]) -> None:
        """Take over those of another sequence, or of a file, which hold for the tokens of this one."""
        self._kept = list(checkpoints)
        self._budget.trim()

    def drop_least_useful(self) -> bool:
        """Drop the one whose loss makes the shortest stretch to read again; return False if only the newest is left."""
        if len(self._kept) < 2:
            return False
        # The latest go last: most people go back to the last question, if at all.
        older = self._kept[:-LATEST] or self._kept[:-1]
        before = [0, *(checkpoint.count for checkpoint in self._kept)]
        stretches = [after - earlier for earlier, after in pairwise(before)][: len(older)]
        del self._kept[stretches.index(min(stretches))]
        return True


def thin_out(checkpoints: Iterable[StateCheckpoint], most_bytes: int) -> list[StateCheckpoint]:
    """Return the most useful checkpoints that take at most so many bytes together."""
    thinned = SequenceCheckpoints(CheckpointBudget(most_bytes))
    thinned.replace_all(checkpoints)
    return thinned.all_kept if thinned.size_bytes <= most_bytes else []
