"""Sequence slots of one llama.cpp context: placement, eviction and reuse of cached prefixes.

Interactive answers get a sequence at once, background ones while there is room. Sequence 0 belongs to the open chat and
stays warm after its answer. Other sequences are saved when they end, if they have a session, and then cleared.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence as Runs
from collections.abc import Set as AbstractSet

from app.engine.llama.cached_sequence import CachedSequence, common_length
from app.engine.llama.checkpoints import CheckpointBudget
from app.engine.llama.context import LlamaContext
from app.engine.llama.saved_states import SavedStates, is_worth_saving
from app.engine.llama.sequence_run import SequenceRun
from app.engine.llama.tiles import TileNumbers
from app.engine.scheduler import ParallelismPolicy

log = logging.getLogger(__name__)


ROOM_TO_WRITE_TOKENS = 256  # an interactive answer begins with at least so much room, if others can give it


class SequencePool:
    """`runs` are all answers that run or wait, in the order they came."""

    def __init__(
        self,
        context: LlamaContext,
        tiles: TileNumbers,
        states: SavedStates | None,
        side_by_side: ParallelismPolicy,
        budget: CheckpointBudget,
    ) -> None:
        self.sequences = [CachedSequence(context, number, tiles, budget) for number in range(context.most_sequences)]
        self.runs: list[SequenceRun] = []
        self._context = context
        self._states = states
        self._side_by_side = side_by_side
        # Sequence 0 is the open chat's; the others are for answers side by side.
        self._most_beside = context.most_sequences  # fewer after there was no room, until an answer has ended

    def place_all(self) -> list[SequenceRun]:
        """Assign sequences and return the runs that have one. Interactive runs come first, background ones fill what is
        left.
        """
        # The person at this computer first, other programs after them; among equals who came first.
        interactive = sorted((run for run in self.runs if run.interactive), key=lambda run: run.is_outside)
        for run in interactive:
            if run.sequence is None and self._may_join(run, interactive):
                run.report_waiting("")
                # Room is made by force only for interactive answers.
                self._assign_sequence(run, self._free_sequence(run) or self._evict_run(run))
            elif run.sequence is None:
                run.report_waiting("room")
        background = [run for run in self.runs if not run.interactive]
        for run in background:
            # Background work rests completely meanwhile: its steps would slow the words that somebody reads.
            if interactive:
                run.report_waiting("interactive")
            elif run.sequence is not None or self._has_room_for(run):
                run.report_waiting("")
                if run.sequence is None:
                    self._assign_sequence(run, self._free_sequence(run))
        return [run for run in self.runs if run.sequence is not None]

    def without_place(self) -> list[SequenceRun]:
        """Return waiting runs that may not evict anything (`Ask.modest`) and for which there is no free room."""
        idle = sum(len(sequence.tokens) for sequence in self._idle_sequences())
        # With one sequence only, an idle session has to go in any case.
        room = self._context.size_tokens - idle if len(self.sequences) > 1 or not idle else 0
        waiting = [run for run in self.runs if run.request.ask.modest and run.sequence is None]
        return [run for run in waiting if run.most_tokens > room]

    def give_room(self, run: SequenceRun) -> None:
        """Evict idle sessions, then lower-priority runs, until `run` fits into the context."""
        wanted = min(len(run.tokens) + ROOM_TO_WRITE_TOKENS, self._context.size_tokens)
        # Idle ones are on the disk and cost 12 ms to read back; an answer that is thrown out is read again as a whole.
        while self._held_beside(run) + wanted > self._context.size_tokens:
            if idle := self._idle_sequences():
                self._release_sequence(idle[0])
            elif self._evict_run(run) is None:
                return

    def make_way(self, first: SequenceRun) -> bool:
        """Free room after a decode found none: evict an idle session, else the newest lower-priority run.

        The evicted run waits until another ends. Returns False if only `first` is left.
        """
        if idle := self._idle_sequences():
            self._release_sequence(idle[0])
            return True
        if self._evict_run(first) is None:
            return False
        # Or the same two would throw each other out again and again.
        self._most_beside = max(1, sum(not run.interactive and run.sequence is not None for run in self.runs))
        return True

    def remove(self, run: SequenceRun) -> None:
        """Remove a finished run. Its sequence is saved and cleared, except for the open chat's."""
        self.runs.remove(run)
        self._most_beside = self._context.most_sequences  # there is more room again
        run.chain.free()
        sequence = run.sequence
        if sequence is not None and sequence.is_forgotten:
            self._forget_sequence(sequence)
        # Sequence 0 keeps what it holds: the next question in the open chat begins with it.
        elif sequence is not None and sequence.number > 0:
            self._release_sequence(sequence)

    def save_idle(self) -> None:
        """Save all sequences that are worth it; called before the context is freed and when the program ends."""
        for sequence in self.sequences:
            self.save_sequence(sequence)

    @property
    def unsaved(self) -> bool:
        """True if `save_idle` would write something, so that sleep and quitting wait for it."""
        return self._states is not None and any(is_worth_saving(s) for s in self.sequences)

    def forget_session(self, session: str) -> None:
        """Forget a session without saving it; its cache is cleared, when its answer has ended."""
        for sequence in self.sequences:
            if sequence.session == session:
                self._forget_sequence(sequence)

    def forget_texts(self, names: AbstractSet[str]) -> None:
        """Forget what was made of texts with these names, sessions of these names, and what doesn't tell."""
        for sequence in self.sequences:
            if not sequence.session or not names.isdisjoint((sequence.session, *sequence.made_of)):
                self._forget_sequence(sequence)

    def forget_all(self) -> None:
        """Clear the context and have every run read again.

        Needed after NaN: freed cells keep their values, and zero times NaN is NaN in attention.
        """
        self._context.clear_all()
        for sequence in self.sequences:
            sequence.mark_evicted()
        for run in self.runs:
            run.prepared = False

    def save_sequence(self, sequence: CachedSequence) -> None:
        """Save the sequence's state if saved states are on."""
        if self._states is not None:
            self._states.save(sequence)

    def _may_join(self, run: SequenceRun, interactive: Runs[SequenceRun]) -> bool:
        """Return whether an interactive run fits beside those of its priority that are placed; otherwise it waits for
        them.
        """
        placed = [other for other in interactive if other.sequence is not None]
        beside = [other for other in placed if not self._goes_before(run, other)]
        if not beside:
            return True
        # What all begin with is held once and counted once.
        reserved = sum(other.most_tokens for other in beside) - self._shared_tokens(beside)
        mine = len(run.tokens) - self._shared_tokens([run, *beside[:1]])
        return reserved + mine + ROOM_TO_WRITE_TOKENS <= self._context.size_tokens

    def _assign_sequence(self, run: SequenceRun, sequence: CachedSequence | None) -> None:
        if sequence is not None:
            run.sequence, run.prepared = sequence, False

    def _free_sequence(self, run: SequenceRun) -> CachedSequence | None:
        # A chat goes back to the sequence that still holds it.
        free = [sequence for sequence in self.sequences if self._run_of(sequence) is None]
        session = run.request.ask.session
        mine = [sequence for sequence in free if session and sequence.session == session]
        if run.interactive or len(self.sequences) == 1:
            return next(iter(mine + free), None)
        # Background answers never take the open chat's.
        return next((sequence for sequence in free if sequence.number > 0), None)

    def _idle_sequences(self) -> list[CachedSequence]:
        """Return sequences that hold tokens but belong to no running answer."""
        return [s for s in self.sequences if s.tokens and self._run_of(s) is None]

    def _run_of(self, sequence: CachedSequence) -> SequenceRun | None:
        return next((run for run in self.runs if run.sequence is sequence), None)

    def _has_room_for(self, run: SequenceRun) -> bool:
        """Return whether a background answer may join: not too many at once, and room for all that it can come to
        write.
        """
        beside = [other for other in self.runs if not other.interactive and other.sequence is not None]
        # Alone it may throw idle sessions out: otherwise it could wait for ever.
        if not beside:
            self._make_room(run.most_tokens)
            return True
        if len(beside) >= min(self._side_by_side.best, len(self.sequences) - 1, self._most_beside):
            return False
        idle = sum(len(s.tokens) for s in self._idle_sequences())
        taken = sum(other.most_tokens for other in beside) - self._shared_tokens(beside)
        mine = run.most_tokens - max(common_length(run.tokens, other.tokens) for other in beside)
        # Beyond this, what each step reads of the KV cache is no longer small beside the weights.
        if taken + mine > self._side_by_side.most_tokens:
            return False
        return idle + taken + mine <= self._context.size_tokens

    def _shared_tokens(self, runs: Runs[SequenceRun]) -> int:
        """Tokens that are counted for several runs but held once."""
        first = runs[0].tokens
        return sum(common_length(first, other.tokens) for other in runs[1:]) if self._context.can_forget else 0

    def _forget_sequence(self, sequence: CachedSequence) -> None:
        sequence.session, sequence.made_of = "", ()
        # A running answer goes on: what is kept of it is forgotten, not the answer.
        sequence.is_forgotten = self._run_of(sequence) is not None
        if sequence.is_forgotten:
            return
        sequence.clear()
        # Cells that are free keep their bytes until they are used again.
        if not any(other.tokens for other in self.sequences):
            self._context.clear_all()

    def _make_room(self, tokens: int) -> None:
        """Save and clear idle sequences if `tokens` more would not fit."""
        if sum(len(s.tokens) for s in self.sequences) + tokens > self._context.size_tokens:
            for sequence in self._idle_sequences():
                self._release_sequence(sequence)

    def _evict_run(self, first: SequenceRun) -> CachedSequence | None:
        """Evict the newest lower-priority run to free a sequence: background runs first, then API clients'.

        The evicted run is read again later; nothing of its answer is lost.
        """
        placed = [run for run in reversed(self.runs) if run.sequence is not None and run is not first]
        # Background ones first, and of those the newest, which has lost the least.
        for run in sorted(placed, key=lambda run: run.interactive):
            if run.sequence is not None and self._goes_before(first, run):
                # The answer keeps its tokens; reading them again is all that is lost.
                sequence, run.sequence, run.prepared = run.sequence, None, False
                run.report_waiting("room")
                sequence.clear()
                sequence.session = ""  # what it will hold is not that session's any more
                return sequence
        return None

    @staticmethod
    def _goes_before(first: SequenceRun, other: SequenceRun) -> bool:
        return not other.interactive or (other.is_outside and first.interactive and not first.is_outside)

    def _held_beside(self, run: SequenceRun) -> int:
        return sum(len(s.tokens) for s in self.sequences if s is not run.sequence)

    def _release_sequence(self, sequence: CachedSequence) -> None:
        self.save_sequence(sequence)
        sequence.clear()
        sequence.session = ""
