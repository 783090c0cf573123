"""The decoding loop of one context: answers join and leave it between two decodes, interactive ones first."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.core.errors import AppError, ModelBroken, ModelReplaced
from app.core.events import FinishReason
from app.engine import protocol
from app.engine.llama.context import CHECK_EVERY_TOKENS, DECODED, FEW_TOKENS, NO_ROOM, Context
from app.engine.llama.eyes import Eyes
from app.engine.llama.inspection import token_seen
from app.engine.llama.looking import Looking
from app.engine.llama.pool import Beginnings, Run, SavedStates, SequencePool
from app.engine.llama.tiles import Tiles
from app.engine.scheduler import SideBySide, next_decode


class Decoder:
    """`add` an answer, then `step` as long as it is `busy`."""

    def __init__(
        self,
        context: Context,
        states: SavedStates | None,
        side_by_side: SideBySide,
        tiles: Tiles | None = None,
        eyes: Eyes | None = None,
    ) -> None:
        tiles = tiles or Tiles()
        self.pool = SequencePool(context, tiles, states, side_by_side)
        self._looking = Looking(eyes, tiles) if eyes is not None else None
        self._beginnings = Beginnings(context, states, self.pool)
        self._context = context
        self._side_by_side = side_by_side

    @property
    def busy(self) -> bool:
        """Whether an answer runs or waits."""
        return bool(self.pool.runs)

    @property
    def interactive(self) -> bool:
        """Whether somebody waits for an answer."""
        return any(run.interactive for run in self.pool.runs)

    def add(self, run: Run) -> None:
        """Lets an answer take part from the next decode on."""
        self.pool.runs.append(run)

    def step(self, urgent: Callable[[], bool]) -> None:
        """One decode. A background prompt is broken off when `urgent` turns true meanwhile."""
        if len(self.pool.runs) == 1 and self.pool.runs[0].is_writing:  # by far the most frequent
            self._decode([(self.pool.runs[0], 1)], urgent)
            return
        for run in [run for run in self.pool.runs if run.job.cancelled]:
            self._end(run, FinishReason.CANCELLED)
        for run in self.pool.without_place():
            self._end(run, FinishReason.CONTEXT)
        placed = self.pool.place_all()
        width = self._side_by_side.width(sum(run.is_writing for run in placed))
        for run, _ in next_decode(placed, self._context.batch_tokens, width):
            if not run.prepared:
                self._beginnings.prepare(run)  # as late as possible: what it can share is read by now
        if self._looking is not None and any(run.next_tile for run in placed):
            placed = self._see(self._looking, placed, urgent)
        shares = next_decode(placed, self._context.batch_tokens, width)
        if shares:
            self._decode([(run, min(count, run.next_place())) for run, count in shares], urgent)

    def give_up_background(self) -> None:
        """Ends all background answers, because their model leaves."""
        for run in [run for run in self.pool.runs if not run.interactive]:
            self._fail(run, ModelReplaced())

    def _see(self, looking: Looking, placed: list[Run], urgent: Callable[[], bool]) -> list[Run]:
        """Takes those on for which a picture or a sound comes next; returns the others, which may go on meanwhile."""
        placed = [run for run in placed if run.interactive] or placed
        waiting = [run for run in placed if run.next_tile]
        ready = looking.ready(waiting)
        if ready is not None:
            self._decode_tile(looking, ready, urgent)
            return []
        others = [run for run in placed if not run.next_tile]
        if waiting and (problem := looking.see(waiting[0], lambda: self.interactive)) is not None:
            self._fail(waiting[0], problem)
        elif waiting and not others:
            looking.wait()
        return others

    def _decode_tile(self, looking: Looking, run: Run, urgent: Callable[[], bool]) -> None:
        sequence, tile = run.sequence, looking.tile(run)
        assert sequence is not None
        aborted = self._aborted([(run, tile.tokens)], urgent)
        is_last = run.pending_tokens == tile.tokens
        result = self._context.decode_tile(tile, sequence.number, sequence.position, is_last, aborted)
        output = tile.tokens - 1 if tile.is_whole else (tile.tokens - 1) % self._context.batch_tokens
        self._after([(run, tile.tokens)], [output], result, aborted)

    def _decode(self, shares: list[tuple[Run, int]], urgent: Callable[[], bool]) -> None:
        batch, outputs, size = [], [], 0
        for run, count in shares:
            assert run.sequence is not None
            held, position = run.held_tokens, run.sequence.position
            is_last = held + count == len(run.tokens)
            batch.append((run.sequence.number, run.tokens[held : held + count], position, is_last))
            size += count
            outputs.append(size - 1)
        aborted = self._aborted(shares, urgent) if size > FEW_TOKENS else None
        begun_s = time.perf_counter()
        result = self._context.decode(batch, aborted)
        if result == DECODED and size == len(shares) and not shares[0][0].interactive:
            self._side_by_side.took(size, time.perf_counter() - begun_s)
        self._after(shares, outputs, result, aborted)

    def _after(
        self, shares: list[tuple[Run, int]], outputs: list[int], result: int, aborted: Callable[[], bool] | None
    ) -> None:
        if result == DECODED:
            self._on_decoded(shares, outputs)
        elif result == NO_ROOM:
            if not self.pool.make_way(shares[0][0]):
                self._end(shares[0][0], FinishReason.CONTEXT)
        else:
            for run, _ in shares:
                assert run.sequence is not None
                run.sequence.drop_unfinished()
            if aborted is None or not aborted():
                raise RuntimeError(f"llama_decode returned {result} for {shares[0][1]} tokens")

    def _aborted(self, shares: list[tuple[Run, int]], urgent: Callable[[], bool]) -> Callable[[], bool]:
        """Whether a decode in progress is to be broken off: somebody stops, or waits while only jobs are read."""
        stops = [run.job.stop.is_set for run, _ in shares]
        if self._context.can_forget and not shares[0][0].interactive:
            stops.append(urgent)
        return lambda: any(stop() for stop in stops)

    def _on_decoded(self, shares: list[tuple[Run, int]], outputs: list[int]) -> None:
        for run, count in shares:
            assert run.sequence is not None
            held = run.held_tokens
            run.sequence.extend(run.tokens[held : held + count])
            if run.places and run.held_tokens in run.places:
                self._beginnings.hand_on(run)
        for (run, count), output in zip(shares, outputs, strict=True):
            if count > 1 and run.is_reading:
                run.answer.read(run.held_tokens)
            if run.pending_tokens == 0:
                self._write(run, output)

    def _write(self, run: Run, output: int) -> None:
        written = len(run.tokens) - len(run.prompt.tokens)
        if written % CHECK_EVERY_TOKENS == 0 and not self._context.has_numbers(output, run.model.vocabulary_size):
            self.pool.forget_all()  # before it could be saved
            self._fail(run, ModelBroken(run.model.path))
            return
        try:
            token = run.choose(output, self._context.pointer)
            if run.request.ask.alternatives >= 0 and not run.model.ends_answer(token):
                logits = self._context.logits(output, run.model.vocabulary_size)
                seen = token_seen(run.model, logits, token, run.request.ask.alternatives)
                run.job.reply(protocol.Chosen(run.request.id, seen))
            reason = run.write(token, self._context.size_tokens)
            if reason is None and run.is_told:
                reason = FinishReason.STOP
        except AppError as error:
            self._fail(run, error)
            return
        if reason is not None:
            self._end(run, reason)

    def _end(self, run: Run, reason: FinishReason) -> None:
        self.pool.remove(run)
        run.job.reply(run.answer.finish(reason))

    def _fail(self, run: Run, error: AppError) -> None:
        self.pool.remove(run)
        run.job.reply(protocol.Failed(run.request.id, error))
