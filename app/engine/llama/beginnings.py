"""How an answer begins: with what its sequence holds already, what another one can share, or what was saved."""

from __future__ import annotations

from app.engine.llama.context import Context
from app.engine.llama.pool import SequencePool
from app.engine.llama.run import Run
from app.engine.llama.saved import SavedStates
from app.engine.llama.sequence import Sequence, common_length

LEAST_SHARED_TOKENS = 16


class Beginnings:
    """Saves reading: beginnings that answers have in common are read once."""

    def __init__(self, context: Context, states: SavedStates | None, pool: SequencePool) -> None:
        self._context = context
        self._states = states
        self._pool = pool

    def prepare(self, run: Run) -> None:
        """Fills the run's sequence with as much of its tokens as can be had without reading."""
        sequence, session = run.sequence, run.request.session
        assert sequence is not None
        wanted = run.tokens[:-1]  # the last one is decoded in any case: its logits are wanted
        kept = sequence.reusable(sequence.common(wanted))
        source = max(self._pool.sequences, key=lambda other: self._shareable(other, wanted, sequence))
        shared = self._shareable(source, wanted, sequence)
        stored = 0
        if session != sequence.session:
            if session and self._states is not None:
                stored = self._states.usable(session, wanted)
            self._pool.park(sequence)
        if stored > max(kept, shared) and self._states is not None:
            sequence.clear()
            self._states.load(session, sequence)
            kept = sequence.go_back(sequence.common(wanted))
        elif shared > kept + LEAST_SHARED_TOKENS:
            sequence.clear()
            sequence.share(source, shared)
            kept = shared
        else:
            kept = sequence.go_back(sequence.common(wanted))
        sequence.session = session
        run.prepared = True
        if run.interactive:
            self._pool.give_room(run)
        elif not self._context.can_forget:
            run.places |= self._places_to_share(run)
        if not run.begun:
            run.begun = True
            run.answer.begin(len(run.prompt.tokens), kept)

    def hand_on(self, run: Run) -> None:
        """At a place: a snapshot for coming back, and the beginning for those who have it in common."""
        sequence = run.sequence
        assert sequence is not None
        if run.interactive:
            sequence.take_snapshot()
            return
        for other in self._unprepared():
            held = len(sequence.tokens)
            if other.sequence is not None and common_length(sequence.tokens, other.tokens[:-1]) == held:
                other.sequence.clear()
                other.sequence.share(sequence, held)

    def _shareable(self, source: Sequence, wanted: list[int], target: Sequence) -> int:
        if source is target:
            return 0
        count = source.common(wanted)
        return count if source.can_share(count) else 0

    def _places_to_share(self, run: Run) -> set[int]:
        """Where a model that cannot forget has to stop, to hand on what others begin with too."""
        common = [common_length(run.tokens, other.tokens) for other in self._unprepared()]
        return {count for count in common if run.held_tokens < count < len(run.tokens)}

    def _unprepared(self) -> list[Run]:
        return [run for run in self._pool.runs if run.sequence is not None and not run.prepared]
