"""The decoding loop of one context: answers join and leave it between two decodes, interactive ones first.

Text is decoded as it is; a picture or a sound first has to be looked at, beside the decodes of others.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ModelBroken, ModelReplaced
from app.core.events import FinishReason, TokenChosen
from app.core.wire import EventReply
from app.engine import protocol
from app.engine.fit import MOST_CHECKPOINT_BYTES
from app.engine.llama.cached_sequence import CachedSequence
from app.engine.llama.checkpoints import CheckpointBudget
from app.engine.llama.context import CHECK_EVERY_TOKENS, DECODED, FEW_TOKENS, NO_ROOM, LlamaContext
from app.engine.llama.encoding_queue import EncodingQueue
from app.engine.llama.eyes import VisionEncoder
from app.engine.llama.inspection import token_seen
from app.engine.llama.pool import SequencePool
from app.engine.llama.saved_states import SavedStates
from app.engine.llama.sequence_run import SequenceRun
from app.engine.llama.shared_prefixes import SharedPrefixes
from app.engine.llama.tiles import TileNumbers
from app.engine.scheduler import ParallelismPolicy, next_decode


class BatchDecoder:
    """`add_run` an answer, then `step` as long as it is `busy`."""

    def __init__(
        self,
        context: LlamaContext,
        states: SavedStates | None,
        side_by_side: ParallelismPolicy,
        tiles: TileNumbers | None = None,
        eyes: VisionEncoder | None = None,
        *,
        checkpoint_bytes: int = MOST_CHECKPOINT_BYTES,
    ) -> None:
        tiles = tiles or TileNumbers()
        # By model: a text-only one has no encoder at all.
        self.checkpoints = CheckpointBudget(checkpoint_bytes)
        self.pool = SequencePool(context, tiles, states, side_by_side, self.checkpoints)
        self._looking = EncodingQueue(eyes, tiles) if eyes is not None else None
        self._beginnings = SharedPrefixes(context, states, self.pool)
        self._context = context
        self._side_by_side = side_by_side

    @property
    def busy(self) -> bool:
        """True if answers are running or waiting: `step` has something to do."""
        return bool(self.pool.runs)

    @property
    def interactive(self) -> bool:
        """True if somebody waits for one of the answers; jobs pause then."""
        return any(run.interactive for run in self.pool.runs)

    def add_run(self, run: SequenceRun) -> None:
        """Add a run; it takes part from the next decode on."""
        self.pool.runs.append(run)

    def step(self, urgent: Callable[[], bool]) -> None:
        """Run one decode. A background prompt is aborted when `urgent` turns true."""
        # By far the most frequent case: one answer is being written.
        if len(self.pool.runs) == 1 and self.pool.runs[0].is_writing:
            self._write_alone(self.pool.runs[0], urgent)
            return
        # Those that wait for a place are cancelled here; the others in the middle of a decode as well.
        for run in [run for run in self.pool.runs if run.job.cancelled]:
            self._end_run(run, FinishReason.CANCELLED)
        for run in self.pool.without_place():
            self._end_run(run, FinishReason.CONTEXT)
        placed = self.pool.place_all()
        width = self._side_by_side.choose_width(sum(run.is_writing for run in placed))
        # As late as possible: what it can share may have been read by now.
        for run, _ in next_decode(placed, self._context.batch_tokens, width):
            if not run.prepared:
                self._beginnings.fill_prefix(run)
        if self._looking is not None and any(run.next_tile for run in placed):
            placed = self._encode_media(self._looking, placed, urgent)
        # Chosen anew: a shared beginning changes how many tokens are pending.
        shares = next_decode(placed, self._context.batch_tokens, width)
        if shares:
            self._decode_shares([(run, min(count, run.next_place())) for run, count in shares], urgent)

    def _write_alone(self, run: SequenceRun, urgent: Callable[[], bool]) -> None:
        """Write the next token of the only answer, or several that were guessed."""
        begun_s = time.perf_counter()
        draft = run.propose_draft(self._context.size_tokens, self._context.most_draft_tokens)
        if draft and self._decode_draft(run, draft, begun_s):
            return
        if run.interactive and not run.is_reading:
            self._decode_token(run)
        else:
            self._decode_shares([(run, 1)], urgent)
        if run.drafts is not None and not draft:
            run.drafts.record_token(time.perf_counter() - begun_s)

    def _decode_token(self, run: SequenceRun) -> None:
        """Decode the newest token of the only answer, and write the next.

        Short, as it is by far the most frequent path: a decode fills all caches, so that what is looked at in between
        comes from memory each time.
        """
        sequence = run.sequence
        assert sequence is not None
        newest = run.tokens[-1]
        result = self._context.decode_token(sequence.number, newest, sequence.position)
        if result != DECODED:
            self._handle_result([(run, 1)], [0], result, None)
            return
        if run.drafts is not None:
            run.drafts.read_along(run.tokens, len(sequence.tokens), 1)
        sequence.extend((newest,))
        self._close_run(run, self._choose_next(run, 0))

    def _decode_draft(self, run: SequenceRun, draft: list[int], begun_s: float) -> bool:
        """Decode the newest token and guesses of the next together, and keep those the model chooses itself.

        Return False if nothing was decoded, which is the case where the context has no room for all of it.
        """
        sequence = run.sequence
        assert sequence is not None
        tokens = [run.tokens[-1], *draft]
        result = self._context.decode([(sequence.number, tokens, sequence.position, len(tokens))])
        if result != DECODED:
            if result != NO_ROOM:
                sequence.drop_unfinished()
            return False
        held = len(sequence.tokens)
        sequence.extend(tokens[:1])
        kept, outcome = self._choose_from_draft(run, sequence, draft)
        # Before the run ends: its sequence may be saved then.
        sequence.drop_refused(len(draft) - kept)
        if run.drafts is not None:
            run.drafts.read_along(run.tokens, held, kept + 1)
            run.drafts.record_draft(len(draft), kept, time.perf_counter() - begun_s)
        self._close_run(run, outcome)
        return True

    def _choose_from_draft(
        self, run: SequenceRun, sequence: CachedSequence, draft: list[int]
    ) -> tuple[int, FinishReason | AppError | None]:
        """Write tokens as long as they are the guessed ones, and the one behind; return how many were, and why the
        answer ends, if it does.

        Each is chosen from the logits behind the one before it, by the same sampler in the same order as without a
        draft: what was guessed decides only how many of these logits are there already.
        """
        for kept, guessed in enumerate(draft):
            outcome = self._choose_next(run, kept)
            # Forced tokens may follow the chosen one, so that its logits are not the last ones needed.
            if outcome is not None or run.tokens[run.held_tokens :] != [guessed]:
                return kept, outcome
            sequence.extend([guessed])
        return len(draft), self._choose_next(run, len(draft))

    def give_up_background(self) -> None:
        """End all background answers with `ModelReplaced`, before the model goes."""
        for run in [run for run in self.pool.runs if not run.interactive]:
            self._fail_run(run, ModelReplaced())

    def _encode_media(
        self, looking: EncodingQueue, placed: list[SequenceRun], urgent: Callable[[], bool]
    ) -> list[SequenceRun]:
        """Encode media for the runs that need it next; return the other runs, which can decode meanwhile."""
        # Encoding takes seconds, so jobs do not even begin with it while somebody waits.
        placed = [run for run in placed if run.interactive] or placed
        waiting = sorted((run for run in placed if run.next_tile), key=lambda run: run.is_outside)
        ready = looking.find_ready_run(waiting)
        if ready is not None:
            self._decode_tile(looking, ready, urgent)
            return []
        others = [run for run in placed if not run.next_tile]
        if waiting and (problem := looking.encode_next(waiting[0], lambda: self.interactive)) is not None:
            self._fail_run(waiting[0], problem)
        # Nothing to decode meanwhile: the loop must not spin.
        elif waiting and not others:
            looking.wait_for_encoder()
        return others

    def _decode_tile(self, looking: EncodingQueue, run: SequenceRun, urgent: Callable[[], bool]) -> None:
        sequence, tile = run.sequence, looking.next_tile(run)
        assert sequence is not None
        aborted = self._abort_condition([(run, tile.tokens)], urgent)
        # Logits are needed only if nothing follows the tile.
        is_last = run.pending_tokens == tile.tokens
        result = self._context.decode_tile(tile, sequence.number, sequence.position, is_last, aborted)
        output = tile.tokens - 1 if tile.is_whole else (tile.tokens - 1) % self._context.batch_tokens
        self._handle_result([(run, tile.tokens)], [output], result, aborted)

    def _decode_shares(self, shares: list[tuple[SequenceRun, int]], urgent: Callable[[], bool]) -> None:
        batch, outputs, size = [], [], 0
        for run, count in shares:
            assert run.sequence is not None
            held, position = run.held_tokens, run.sequence.position
            is_last = held + count == len(run.tokens)
            batch.append((run.sequence.number, run.tokens[held : held + count], position, is_last))
            size += count
            outputs.append(size - 1)
        aborted = self._abort_condition(shares, urgent) if size > FEW_TOKENS else None
        begun_s = time.perf_counter()
        result = self._context.decode(batch, aborted)
        if result == DECODED and len(shares) == 1:
            run, count = shares[0]
            if run.drafts is not None:
                run.drafts.read_along(run.tokens, run.held_tokens, count)
        # Only decodes with a token for each answer say how many side by side pay off.
        if result == DECODED and size == len(shares) and not shares[0][0].interactive:
            self._side_by_side.record_decode(size, time.perf_counter() - begun_s)
        self._handle_result(shares, outputs, result, aborted)

    def _handle_result(
        self, shares: list[tuple[SequenceRun, int]], outputs: list[int], result: int, aborted: Callable[[], bool] | None
    ) -> None:
        if result == DECODED:
            self._on_decoded(shares, outputs)
        elif result == NO_ROOM:
            # What has no room makes room for the local user first, then for API clients.
            first = min((run for run, _ in shares), key=lambda run: run.is_outside)
            if not self.pool.make_way(first):
                self._end_run(first, FinishReason.CONTEXT)
        else:
            for run, _ in shares:
                assert run.sequence is not None
                # A decode that was broken off leaves some of its cells filled.
                run.sequence.drop_unfinished()
            if aborted is None or not aborted():
                raise RuntimeError(f"llama_decode returned {result} for {shares[0][1]} tokens")

    def _abort_condition(self, shares: list[tuple[SequenceRun, int]], urgent: Callable[[], bool]) -> Callable[[], bool]:
        """Return a function that tells whether to abort the running decode: on Stop, or when an interactive request
        waits and only jobs are read.

        An aborted decode is repeated for the runs that weren't stopped.
        """
        stops = [run.job.stop.is_set for run, _ in shares]
        # A recurrent model can't go back to where the decode began.
        if self._context.can_forget and not shares[0][0].interactive:
            stops.append(urgent)
        others = [run for run in self.pool.runs if all(run is not decoded for decoded, _ in shares)]

        def is_aborted() -> bool:
            for run in others:
                # Answered at once, though the decode that runs has nothing to do with it.
                if run.job.cancelled:
                    run.finish(FinishReason.CANCELLED)  # its place stays taken until the decode is over
            return any(stop() for stop in stops)

        return is_aborted

    def _on_decoded(self, shares: list[tuple[SequenceRun, int]], outputs: list[int]) -> None:
        for run, count in shares:
            assert run.sequence is not None
            held = run.held_tokens
            run.sequence.extend(run.tokens[held : held + count])
            if run.places and run.held_tokens in run.places:
                self._beginnings.hand_on(run)
            if run.is_reading and run.interactive and run.pending_tokens:
                run.sequence.take_due_checkpoint(len(run.tokens))
        for (run, _), output in zip(shares, outputs, strict=True):
            if run.is_reading:
                run.answer.report_prompt(run.held_tokens)
            if run.pending_tokens == 0:
                self._close_run(run, self._choose_next(run, output))

    def _choose_next(self, run: SequenceRun, output: int) -> FinishReason | AppError | None:
        """Choose and write the next token from an output of the last decode; return why the answer ends, if it does."""
        written = len(run.tokens) - len(run.prompt.tokens)
        # Before the damaged numbers could be saved with a session.
        if written % CHECK_EVERY_TOKENS == 0 and not self._context.has_numbers(output, run.model.vocabulary_size):
            self.pool.forget_all()
            return ModelBroken(run.model.path)
        try:
            token = run.choose_token(output, self._context.pointer)
            if run.request.ask.alternatives >= 0 and not run.model.ends_answer(token):
                logits = self._context.logits(output, run.model.vocabulary_size)
                seen = token_seen(run.model, logits, token, run.request.ask.alternatives)
                run.job.reply(EventReply(run.request.id, TokenChosen(seen)))
            reason = run.write_token(token, self._context.size_tokens)
            if reason is None and run.is_told:
                reason = FinishReason.STOP
        except AppError as error:
            return error
        return reason

    def _close_run(self, run: SequenceRun, outcome: FinishReason | AppError | None) -> None:
        if isinstance(outcome, AppError):
            self._fail_run(run, outcome)
        elif outcome is not None:
            self._end_run(run, outcome)

    def _end_run(self, run: SequenceRun, reason: FinishReason) -> None:
        self.pool.remove(run)
        run.finish(reason)

    def _fail_run(self, run: SequenceRun, error: AppError) -> None:
        self.pool.remove(run)
        if not run.is_finished:
            run.job.reply(protocol.Failed(run.request.id, error))
