"""The sequences of a context and who has them: an interactive answer gets one at once, a background one where it fits.

Sequence 0 belongs to the open chat and stays warm after its answer; what else ends is saved, where it belongs to a
session, and leaves.
"""

from __future__ import annotations

from collections.abc import Sequence as Runs

from app.engine.llama.context import Context
from app.engine.llama.run import Run
from app.engine.llama.saved import SavedStates, is_worth_saving
from app.engine.llama.sequence import Sequence, common_length
from app.engine.scheduler import SideBySide

ROOM_TO_WRITE_TOKENS = 256  # an interactive answer begins with at least so much room, if others can give it


class SequencePool:
    """`runs` are all answers that run or wait, in the order they came."""

    def __init__(self, context: Context, states: SavedStates | None, side_by_side: SideBySide) -> None:
        self.sequences = [Sequence(context, number) for number in range(context.most_sequences)]
        self.runs: list[Run] = []
        self._context = context
        self._states = states
        self._side_by_side = side_by_side
        self._most_beside = context.most_sequences  # fewer after there was no room, until an answer has ended

    def place_all(self) -> list[Run]:
        """The runs that have a sequence; interactive ones get one at once, background ones while nobody waits."""
        interactive = [run for run in self.runs if run.interactive]
        for run in interactive:
            if run.sequence is None and self._may_join(run, interactive):
                run.wait("")
                self._take(run, self._free_sequence(run) or self._evict())
            elif run.sequence is None:
                run.wait("room")
        background = [run for run in self.runs if not run.interactive]
        for run in background:
            if interactive:
                run.wait("interactive")
            elif run.sequence is not None or self._has_room_for(run):
                run.wait("")
                if run.sequence is None:
                    self._take(run, self._free_sequence(run))
        return [run for run in self.runs if run.sequence is not None]

    def give_room(self, run: Run) -> None:
        """Background answers make room for what somebody waits for."""
        wanted = min(len(run.tokens) + ROOM_TO_WRITE_TOKENS, self._context.size_tokens)
        while self._held_beside(run) + wanted > self._context.size_tokens:
            if idle := self._idle():
                self._leave(idle[0])
            elif self._evict() is None:
                return

    def make_way(self, first: Run) -> bool:
        """After a decode that found no room: an idle session leaves, else the background answer that came last.

        That one waits until another has ended. False when nobody but `first` is there.
        """
        if idle := self._idle():
            self._leave(idle[0])
            return True
        if self._evict(but=first) is None:
            return False
        self._most_beside = max(1, sum(not run.interactive and run.sequence is not None for run in self.runs))
        return True

    def remove(self, run: Run) -> None:
        """An answer has ended; the open chat's sequence stays as it is."""
        self.runs.remove(run)
        self._most_beside = self._context.most_sequences
        run.chain.free()
        sequence = run.sequence
        if sequence is not None and sequence.number > 0:
            self._leave(sequence)

    def save(self) -> None:
        """Writes the states of idle sessions, before the context goes."""
        for sequence in self.sequences:
            self.park(sequence)

    @property
    def unsaved(self) -> bool:
        """Whether `save` would write anything."""
        return self._states is not None and any(is_worth_saving(s) for s in self.sequences)

    def forget(self, session: str) -> None:
        """Drops an idle session without saving it."""
        for sequence in self.sequences:
            if sequence.session == session:
                sequence.session = ""
                if self._owner(sequence) is None:
                    sequence.clear()

    def forget_all(self) -> None:
        """After NaN: cells that were left keep their values, and zero times NaN is NaN. Everything is read anew."""
        self._context.clear_all()
        for sequence in self.sequences:
            sequence.forgotten()
        for run in self.runs:
            run.prepared = False

    def park(self, sequence: Sequence) -> None:
        """Writes a sequence's state, where it has a session and has changed."""
        if self._states is not None:
            self._states.save(sequence)

    def _may_join(self, run: Run, interactive: Runs[Run]) -> bool:
        """Whether somebody is answered beside others, or after them: no answer takes another's room."""
        reserved = sum(other.most_tokens for other in interactive if other.sequence is not None)
        return not reserved or reserved + len(run.tokens) + ROOM_TO_WRITE_TOKENS <= self._context.size_tokens

    def _take(self, run: Run, sequence: Sequence | None) -> None:
        if sequence is not None:
            run.sequence, run.prepared = sequence, False

    def _free_sequence(self, run: Run) -> Sequence | None:
        free = [sequence for sequence in self.sequences if self._owner(sequence) is None]
        mine = [sequence for sequence in free if run.request.session and sequence.session == run.request.session]
        if run.interactive or len(self.sequences) == 1:
            return next(iter(mine + free), None)
        return next((sequence for sequence in free if sequence.number > 0), None)

    def _idle(self) -> list[Sequence]:
        """Sequences that hold something for nobody's answer."""
        return [s for s in self.sequences if s.tokens and self._owner(s) is None]

    def _owner(self, sequence: Sequence) -> Run | None:
        return next((run for run in self.runs if run.sequence is sequence), None)

    def _has_room_for(self, run: Run) -> bool:
        """Whether a background answer may join: not too many at once, and room for all that it can come to write."""
        beside = [other for other in self.runs if not other.interactive and other.sequence is not None]
        if not beside:
            self._make_room(run.most_tokens)
            return True
        if len(beside) >= min(self._side_by_side.best, len(self.sequences) - 1, self._most_beside):
            return False
        idle = sum(len(s.tokens) for s in self._idle())
        taken = sum(other.most_tokens for other in beside) - self._shared(beside)
        mine = run.most_tokens - max(common_length(run.tokens, other.tokens) for other in beside)
        if taken + mine > self._side_by_side.most_tokens:
            return False
        return idle + taken + mine <= self._context.size_tokens

    def _shared(self, runs: Runs[Run]) -> int:
        """Tokens that are counted for several runs but held once."""
        first = runs[0].tokens
        return sum(common_length(first, other.tokens) for other in runs[1:]) if self._context.can_forget else 0

    def _make_room(self, tokens: int) -> None:
        """Idle sessions leave, saved, when what comes needs their room."""
        if sum(len(s.tokens) for s in self.sequences) + tokens > self._context.size_tokens:
            for sequence in self._idle():
                self._leave(sequence)

    def _evict(self, but: Run | None = None) -> Sequence | None:
        """Takes the place of the background answer that came last; it is read again later, nothing of it is lost."""
        for run in reversed(self.runs):
            if run.sequence is not None and not run.interactive and run is not but:
                sequence, run.sequence, run.prepared = run.sequence, None, False
                run.wait("room")
                sequence.clear()
                sequence.session = ""
                return sequence
        return None

    def _held_beside(self, run: Run) -> int:
        return sum(len(s.tokens) for s in self.sequences if s is not run.sequence)

    def _leave(self, sequence: Sequence) -> None:
        self.park(sequence)
        sequence.clear()
        sequence.session = ""
