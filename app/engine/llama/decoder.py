"""The decoding loop of one context: answers join and leave it between two decodes, interactive ones first.

Sequence 0 belongs to the open chat and stays warm after its answer; what else ends is saved, where it belongs to a
session, and leaves. Beginnings that answers have in common are read once and shared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Sequence as Runs

from app.core.errors import AppError, ModelBroken, ModelReplaced, to_fields
from app.core.events import FinishReason
from app.engine import protocol
from app.engine.llama.context import DECODED, FEW_TOKENS, NO_ROOM, Context
from app.engine.llama.logits import CHECK_EVERY_TOKENS
from app.engine.llama.run import Run
from app.engine.llama.saved import SavedStates, is_worth_saving
from app.engine.llama.sequence import Sequence, common_length
from app.engine.scheduler import SideBySide, next_decode

LEAST_SHARED_TOKENS = 16
ROOM_TO_WRITE_TOKENS = 256  # an interactive answer begins with at least so much room, if others can give it


class Decoder:
    """`add` an answer, then `step` as long as it is `busy`."""

    def __init__(self, context: Context, states: SavedStates | None, side_by_side: SideBySide) -> None:
        self._context = context
        self._states = states
        self._side_by_side = side_by_side
        self._sequences = [Sequence(context, number) for number in range(context.most_sequences)]
        self._runs: list[Run] = []
        self._most_beside = context.most_sequences  # fewer after there was no room, until an answer has ended

    @property
    def busy(self) -> bool:
        """Whether an answer runs or waits."""
        return bool(self._runs)

    @property
    def interactive(self) -> bool:
        """Whether somebody waits for an answer."""
        return any(run.interactive for run in self._runs)

    def add(self, run: Run) -> None:
        """Lets an answer take part from the next decode on."""
        self._runs.append(run)

    def step(self, urgent: Callable[[], bool]) -> None:
        """One decode. A background prompt is broken off when `urgent` turns true meanwhile."""
        if len(self._runs) == 1 and self._runs[0].is_writing:  # by far the most frequent
            self._decode([(self._runs[0], 1)], urgent)
            return
        for run in [run for run in self._runs if run.job.cancelled]:
            self._end(run, FinishReason.CANCELLED)
        placed = self._place_all()
        width = self._side_by_side.width(sum(run.is_writing for run in placed))
        for run, _ in next_decode(placed, self._context.batch_tokens, width):
            if not run.prepared:
                self._prepare(run)  # as late as possible: what it can share is read by now
        shares = next_decode(placed, self._context.batch_tokens, width)
        if shares:
            self._decode([(run, min(count, run.next_place())) for run, count in shares], urgent)

    def save(self) -> None:
        """Writes the states of idle sessions, before the context goes."""
        for sequence in self._sequences:
            self._park(sequence)

    @property
    def unsaved(self) -> bool:
        """Whether `save` would write anything."""
        return self._states is not None and any(is_worth_saving(s) for s in self._sequences)

    def forget(self, session: str) -> None:
        """Drops an idle session without saving it."""
        for sequence in self._sequences:
            if sequence.session == session:
                sequence.session = ""
                if self._owner(sequence) is None:
                    sequence.clear()

    def give_up_background(self) -> None:
        """Ends all background answers, because their model leaves."""
        for run in [run for run in self._runs if not run.interactive]:
            self._fail(run, ModelReplaced())

    # Places.

    def _place_all(self) -> list[Run]:
        """The runs that have a sequence; interactive ones get one at once, background ones while nobody waits."""
        interactive = [run for run in self._runs if run.interactive]
        for run in interactive:
            if run.sequence is None and self._may_join(run, interactive):
                run.wait("")
                self._take(run, self._free_sequence(run) or self._evict())
            elif run.sequence is None:
                run.wait("room")
        background = [run for run in self._runs if not run.interactive]
        for run in background:
            if interactive:
                run.wait("interactive")
            elif run.sequence is not None or self._has_room_for(run):
                run.wait("")
                if run.sequence is None:
                    self._take(run, self._free_sequence(run))
        return [run for run in self._runs if run.sequence is not None]

    def _take(self, run: Run, sequence: Sequence | None) -> None:
        if sequence is not None:
            run.sequence, run.prepared = sequence, False

    def _free_sequence(self, run: Run) -> Sequence | None:
        free = [sequence for sequence in self._sequences if self._owner(sequence) is None]
        mine = [sequence for sequence in free if run.request.session and sequence.session == run.request.session]
        if run.interactive or len(self._sequences) == 1:
            return next(iter(mine + free), None)
        return next((sequence for sequence in free if sequence.number > 0), None)

    def _owner(self, sequence: Sequence) -> Run | None:
        return next((run for run in self._runs if run.sequence is sequence), None)

    def _may_join(self, run: Run, interactive: Runs[Run]) -> bool:
        """Whether somebody is answered beside others, or after them: no answer takes another's room."""
        reserved = sum(other.most_tokens for other in interactive if other.sequence is not None)
        return not reserved or reserved + len(run.tokens) + ROOM_TO_WRITE_TOKENS <= self._context.size_tokens

    def _has_room_for(self, run: Run) -> bool:
        """Whether a background answer may join: not too many at once, and room for all that it can come to write."""
        beside = [other for other in self._runs if not other.interactive and other.sequence is not None]
        if not beside:
            self._make_room(run.most_tokens)
            return True
        if len(beside) >= min(self._side_by_side.best, len(self._sequences) - 1, self._most_beside):
            return False
        idle = sum(len(s.tokens) for s in self._sequences if self._owner(s) is None)
        taken = sum(other.most_tokens for other in beside) - self._shared(beside)
        mine = run.most_tokens - max(common_length(run.tokens, other.tokens) for other in beside)
        return idle + taken + mine <= self._context.size_tokens

    def _shared(self, runs: Runs[Run]) -> int:
        """Tokens that are counted for several runs but held once."""
        first = runs[0].tokens
        return sum(common_length(first, other.tokens) for other in runs[1:]) if self._context.can_forget else 0

    def _make_room(self, tokens: int) -> None:
        """Idle sessions leave, saved, when what comes needs their room."""
        idle = [s for s in self._sequences if s.tokens and self._owner(s) is None]
        if idle and sum(len(s.tokens) for s in self._sequences) + tokens > self._context.size_tokens:
            for sequence in idle:
                self._leave(sequence)

    def _evict(self, but: Run | None = None) -> Sequence | None:
        """Takes the place of the background answer that came last; it is read again later, nothing of it is lost."""
        for run in reversed(self._runs):
            if run.sequence is not None and not run.interactive and run is not but:
                sequence, run.sequence, run.prepared = run.sequence, None, False
                run.wait("room")
                sequence.clear()
                sequence.session = ""
                return sequence
        return None

    # Reading.

    def _prepare(self, run: Run) -> None:
        """Fills the run's sequence with as much of its tokens as can be had without reading."""
        sequence, session = run.sequence, run.request.session
        assert sequence is not None
        wanted = run.tokens[:-1]  # the last one is decoded in any case: its logits are wanted
        kept = sequence.reusable(sequence.common(wanted))
        source = max(self._sequences, key=lambda other: self._shareable(other, wanted, sequence))
        shared = self._shareable(source, wanted, sequence)
        stored = 0
        if session != sequence.session:
            if session and self._states is not None:
                stored = self._states.usable(session, wanted)
            self._park(sequence)
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
            self._give_room(run)
        elif not self._context.can_forget:
            run.places |= self._places_to_share(run)
        if not run.begun:
            run.begun = True
            run.answer.begin(len(run.prompt.tokens), kept)

    def _shareable(self, source: Sequence, wanted: list[int], target: Sequence) -> int:
        if source is target:
            return 0
        count = source.common(wanted)
        return count if source.can_share(count) else 0

    def _give_room(self, run: Run) -> None:
        """Background answers make room for what somebody waits for."""
        wanted = min(len(run.tokens) + ROOM_TO_WRITE_TOKENS, self._context.size_tokens)
        while self._held_beside(run) + wanted > self._context.size_tokens:
            idle = next((s for s in self._sequences if s.tokens and self._owner(s) is None), None)
            if idle is not None:
                self._leave(idle)
            elif self._evict() is None:
                return

    def _held_beside(self, run: Run) -> int:
        return sum(len(s.tokens) for s in self._sequences if s is not run.sequence)

    def _places_to_share(self, run: Run) -> set[int]:
        """Where a model that cannot forget has to stop, to hand on what others begin with too."""
        common = [common_length(run.tokens, other.tokens) for other in self._unprepared()]
        return {count for count in common if run.held_tokens < count < len(run.tokens)}

    def _unprepared(self) -> list[Run]:
        return [run for run in self._runs if run.sequence is not None and not run.prepared]

    def _hand_on(self, run: Run) -> None:
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

    # Decoding.

    def _decode(self, shares: list[tuple[Run, int]], urgent: Callable[[], bool]) -> None:
        batch, outputs, size = [], [], 0
        for run, count in shares:
            assert run.sequence is not None
            held = run.held_tokens
            batch.append((run.sequence.number, run.tokens[held : held + count], held, held + count == len(run.tokens)))
            size += count
            outputs.append(size - 1)
        aborted = self._aborted(shares, urgent) if size > FEW_TOKENS else None
        begun_s = time.perf_counter()
        result = self._context.decode(batch, aborted)
        if result == DECODED:
            if size == len(shares) and not shares[0][0].interactive:
                self._side_by_side.took(size, time.perf_counter() - begun_s)
            self._on_decoded(shares, outputs)
        elif result == NO_ROOM:
            self._on_no_room([run for run, _ in shares])
        else:
            for run, _ in shares:
                assert run.sequence is not None
                run.sequence.drop_unfinished()
            if aborted is None or not aborted():
                raise RuntimeError(f"llama_decode returned {result} for {size} tokens")

    def _aborted(self, shares: list[tuple[Run, int]], urgent: Callable[[], bool]) -> Callable[[], bool]:
        """Whether a decode in progress is to be broken off: somebody stops, or waits while only jobs are read."""
        stops = [run.job.stop.is_set for run, _ in shares]
        if self._context.can_forget and not shares[0][0].interactive:
            stops.append(urgent)
        return lambda: any(stop() for stop in stops)

    def _on_no_room(self, runs: list[Run]) -> None:
        """Idle sessions leave first, then the background answer that came last, until another one has ended."""
        idle = next((s for s in self._sequences if s.tokens and self._owner(s) is None), None)
        if idle is not None:
            self._leave(idle)
        elif self._evict(but=runs[0]) is not None:
            self._most_beside = max(1, sum(not run.interactive and run.sequence is not None for run in self._runs))
        else:
            self._end(runs[0], FinishReason.CONTEXT)

    def _on_decoded(self, shares: list[tuple[Run, int]], outputs: list[int]) -> None:
        for run, count in shares:
            assert run.sequence is not None
            held = run.held_tokens
            run.sequence.extend(run.tokens[held : held + count])
            if run.places and run.held_tokens in run.places:
                self._hand_on(run)
        for (run, count), output in zip(shares, outputs, strict=True):
            if count > 1 and run.is_reading:
                run.answer.read(run.held_tokens)
            if run.pending_tokens == 0:
                self._write(run, output)

    def _write(self, run: Run, output: int) -> None:
        written = len(run.tokens) - len(run.prompt.tokens)
        if written % CHECK_EVERY_TOKENS == 0 and not self._context.has_numbers(output, run.model.vocabulary_size):
            self._forget_all()  # before it could be saved
            self._fail(run, ModelBroken(run.model.path))
            return
        try:
            reason = run.write(run.chain.sample(self._context.pointer, output), self._context.size_tokens)
        except AppError as error:
            self._fail(run, error)
            return
        if reason is not None:
            self._end(run, reason)

    # Endings.

    def _forget_all(self) -> None:
        """After NaN: cells that were left keep their values, and zero times NaN is NaN. Everything is read anew."""
        self._context.clear_all()
        for sequence in self._sequences:
            sequence.forgotten()
        for run in self._runs:
            run.prepared = False

    def _end(self, run: Run, reason: FinishReason) -> None:
        self._remove(run)
        run.job.reply(run.answer.finish(reason))

    def _fail(self, run: Run, error: AppError) -> None:
        self._remove(run)
        run.job.reply(protocol.Failed(run.request.id, type(error).__name__, to_fields(error)))

    def _remove(self, run: Run) -> None:
        self._runs.remove(run)
        self._most_beside = self._context.most_sequences
        run.chain.free()
        sequence = run.sequence
        if sequence is not None and sequence.number > 0:
            self._leave(sequence)

    def _leave(self, sequence: Sequence) -> None:
        self._park(sequence)
        sequence.clear()
        sequence.session = ""

    def _park(self, sequence: Sequence) -> None:
        if self._states is not None:
            self._states.save(sequence)
