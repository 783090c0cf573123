"""Beginnings of answers: what a sequence holds already, what another one can share, or what was saved."""

from __future__ import annotations

from app.engine.llama.cached_sequence import CachedSequence, common_length
from app.engine.llama.context import LlamaContext
from app.engine.llama.pool import SequencePool
from app.engine.llama.saved_states import NOT_BORROWED, BorrowedState, SavedStates
from app.engine.llama.sequence_run import SequenceRun
from app.engine.states import MARK_TOKENS, name_beginning

# So few are read again as fast.
LEAST_SHARED_TOKENS = 16
LEAST_BORROWED_TOKENS = MARK_TOKENS  # reading so few takes no longer than looking through what is kept on the disk


class SharedPrefixes:
    """Saves reading: beginnings that answers have in common are read once."""

    def __init__(self, context: LlamaContext, states: SavedStates | None, pool: SequencePool) -> None:
        self._context = context
        self._states = states
        self._pool = pool

    def fill_prefix(self, run: SequenceRun) -> None:
        """Fill the run's sequence from the cache, other sequences or saved states, so that as little as possible is
        decoded.
        """
        sequence, session = run.sequence, run.request.ask.session
        assert sequence is not None
        wanted = run.tokens[:-1]  # the last one is decoded in any case: its logits are wanted
        # Three sources are compared: what is there, what another sequence has, what lies on the disk.
        kept = sequence.reusable_length(sequence.common_length(wanted))
        source = max(self._pool.sequences, key=lambda other: self._shareable_length(other, wanted, sequence))
        shared = self._shareable_length(source, wanted, sequence)
        stored, name, other = 0, "", NOT_BORROWED
        if session != sequence.session:
            stored, name = max((self._stored_length(name, wanted), name) for name in (_beginning_of(run), session))
            # Something else comes into this sequence: keep what it held.
            self._pool.save_sequence(sequence)
            # Looking through all files is only worth it where much would be left to read.
            if max(kept, shared, stored) + LEAST_BORROWED_TOKENS < len(wanted):
                other = self._find_borrowable(run, wanted)
        if self._states is not None and other.common > max(kept, shared, stored) + LEAST_BORROWED_TOKENS:
            sequence.clear()
            self._states.load_borrowed(other, sequence)  # the other chat's state stays where it is
            kept = sequence.go_back(sequence.common_length(wanted))
        elif stored > max(kept, shared) and self._states is not None:
            sequence.clear()
            self._states.load(name, sequence)
            kept = sequence.go_back(sequence.common_length(wanted))
        elif shared > kept + LEAST_SHARED_TOKENS:
            sequence.clear()
            kept = sequence.copy_prefix(source, shared)
        else:
            kept = sequence.go_back(sequence.common_length(wanted))
        sequence.session, sequence.ends = session, run.prompt.ends
        sequence.made_of = run.request.ask.made_of
        run.prepared = True
        if run.interactive:
            self._pool.give_room(run)
        elif not self._context.can_forget:
            # Stops at what others begin with, so that the state can be copied there.
            run.places |= self._places_to_share(run)
        if not run.begun:
            run.begun = True
            run.answer.begin_prompt(len(run.prompt.tokens), kept)

    def hand_on(self, run: SequenceRun) -> None:
        """At a marked position, take a checkpoint and share the prefix with runs and sessions that start with it."""
        sequence = run.sequence
        assert sequence is not None
        # Saved exactly where it ends, as that is what other chats can begin with.
        name = _beginning_of(run)
        if name and len(sequence.tokens) == run.prompt.shared and self._states is not None:
            self._states.save_shared(name, sequence)
        if run.interactive:
            sequence.take_checkpoint()
            return
        # Background answers of one task begin alike: they get what was just read, instead of reading it themselves.
        for other in self._unprepared_runs():
            held = len(sequence.tokens)
            if other.sequence is not None and common_length(sequence.tokens, other.tokens[:-1]) == held:
                other.sequence.clear()
                other.sequence.copy_prefix(sequence, held)

    def _find_borrowable(self, run: SequenceRun, wanted: list[int]) -> BorrowedState:
        """Find a saved state to borrow, for chats only: response times must not tell API clients what the user has
        read.
        """
        if self._states is None or not run.request.ask.session or run.is_outside:
            return NOT_BORROWED
        return self._states.find_closest(wanted)

    def _stored_length(self, session: str, wanted: list[int]) -> int:
        return self._states.usable_length(session, wanted) if session and self._states is not None else 0

    # Copying onto itself would clear it first.
    def _shareable_length(self, source: CachedSequence, wanted: list[int], target: CachedSequence) -> int:
        if source is target:
            return 0
        return source.reusable_length(source.common_length(wanted))

    def _places_to_share(self, run: SequenceRun) -> set[int]:
        """Return where a model that cannot forget has to stop, to hand on what others begin with too."""
        common = [common_length(run.tokens, other.tokens) for other in self._unprepared_runs()]
        return {count for count in common if run.held_tokens < count < len(run.tokens)}

    def _unprepared_runs(self) -> list[SequenceRun]:
        return [run for run in self._pool.runs if run.sequence is not None and not run.prepared]


def _beginning_of(run: SequenceRun) -> str:
    """Return the session that keeps what a run shares with others; "" if it shares or keeps nothing."""
    ask, count = run.request.ask, run.prompt.shared
    return name_beginning(ask.shared, run.tokens[:count]) if count and ask.session else ""
