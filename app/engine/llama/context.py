"""llama.cpp's context: one decode for several sequences, their memory, the threads, and whether it still computes."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from app.core.lazy_dataclasses import dataclass
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.llama.output_logits import view_logits
from app.engine.model_shape import MOST_DRAFTED_TOGETHER
from app.engine.thread_controller import ThreadController, thread_counts

CHECK_EVERY_TOKENS = 16  # while writing; and once when the prompt was read


def has_numbers(logits: Any) -> bool:
    """Return whether the best of these logits is a finite number and none is NaN; False without any.

    Minus infinity rules a token out and is fine. Takes one pass of a few microseconds over 100,000 tokens.
    """
    # numpy's max is NaN where any value is.
    return logits is not None and math.isfinite(logits.max())


DECODED, NO_ROOM, ABORTED = 0, 1, 2
FEW_TOKENS = 16  # up to here a decode is bound by memory, as writing is; above by computing, as reading is
PARTIAL_ONLY = 1  # LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY: what cannot be rolled back, see `LlamaContext.partial_state`


@dataclass(frozen=True)
class TileEmbeddings:
    """Output of the encoder for a tile: `embeddings` [token, width] and `positions` [dimension * token].

    Without `positions` they are consecutive. `is_whole`: its tokens attend to all of it, so it must be decoded at once.
    """

    embeddings: Any
    positions: Any = None
    is_whole: bool = False

    @property
    def tokens(self) -> int:
        return len(self.embeddings)

    # mtmd's embeddings enter llama.cpp as a batch without token ids.
    def make_batch(self, c: Any, start: int, most: int, sequence: int, position: int) -> TokenBatch:
        """Return part of the tile as a llama.cpp batch, for a sequence in which it begins at `position`."""
        import numpy as np

        end = min(self.tokens, start + most)
        count = end - start
        values = np.ascontiguousarray(self.embeddings[start:end], np.float32)
        if self.positions is None:
            places = np.arange(position + start, position + end, dtype=np.int32)
        else:
            # M-RoPE wants all positions of the first dimension, then all of the second, and so on.
            places = np.ascontiguousarray(self.positions.reshape(-1, self.tokens)[:, start:end], np.int32).reshape(-1)
        owner = (c.llama_seq_id * 1)(sequence)
        # One pointer a token and a NULL, as llama_batch_init makes it.
        owners = (ctypes.POINTER(c.llama_seq_id) * (count + 1))(*[owner] * count)
        batch = c.llama_batch(
            count,
            None,
            values.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
            places.ctypes.data_as(ctypes.POINTER(c.llama_pos)),
            (ctypes.c_int32 * count)(*[1] * count),
            owners,
            (ctypes.c_int8 * count)(),
        )
        return TokenBatch(batch, (values, places, owner, owners))


@dataclass(frozen=True)
class TokenBatch:
    """A llama.cpp batch and the arrays its pointers refer to."""

    batch: Any
    kept: tuple[Any, ...]


class LlamaContext:
    """Owns llama.cpp's context. `can_forget` says whether a part of a sequence can be dropped from its end."""

    def __init__(
        self,
        library: LlamaLibrary,
        model: Any,
        pointer: Any,
        *,
        threads: int,
        fixed_threads: bool,
        most_tokens: int,
        batch_tokens: int,
    ) -> None:
        """`most_tokens` limits a sequence's length if the model does; `batch_tokens` is read at once, except for images
        that must be decoded whole.
        """
        c = self.c = library.c
        self.pointer = pointer
        self.size_tokens = min(int(c.llama_n_ctx(pointer)), most_tokens)
        self._most_batch_tokens: int = c.llama_n_batch(pointer)
        # Some models take less at once than the context was asked for.
        self.batch_tokens = min(batch_tokens, self._most_batch_tokens)
        self.most_sequences: int = c.llama_n_seq_max(pointer)
        # As many of the newest tokens can be taken back at once, though a recurrent state is overwritten at each.
        self.rollback_tokens: int = c.llama_n_rs_seq(pointer) if hasattr(c, "llama_n_rs_seq") else 0
        self.can_forget = not (c.llama_model_is_recurrent(model) or c.llama_model_is_hybrid(model))
        self._memory = c.llama_get_memory(pointer)
        self._window_tokens: int = c.llama_model_n_swa(model)
        # Allocated once: filling it costs less than allocating one for each token.
        self._batch = batch = c.llama_batch_init(self.batch_tokens, 0, 1)
        # Looked up once: each look-up makes a pointer of Python's, and there are some for each token.
        self._columns = (batch.token, batch.pos, batch.seq_id, batch.logits)
        for place in range(self.batch_tokens):
            batch.n_seq_id[place] = 1
        self._counts = [threads] if fixed_threads else thread_counts(threads)
        self._first_count = threads
        self._writing: dict[int, ThreadController] = {}
        self._reading_threads = threads
        self._threads = (0, 0)

    def decode(
        self, shares: Sequence[tuple[int, Sequence[int], int, int]], aborted: Callable[[], bool] | None = None
    ) -> int:
        """Decode shares of (sequence, token ids, first position, how many of the last want logits) together; return
        llama.cpp's code.

        `aborted` is called some hundred times meanwhile; True ends with `ABORTED`. After any code but `DECODED` and
        `NO_ROOM`, remove leftovers with `truncate_sequence`.
        """
        # Reading is bound by computing, and has its own number of threads.
        count = self._fill_batch(shares)
        is_draft = len(shares) == 1 and count == shares[0][3] > 1
        controller = None if is_draft else self._thread_controller(count)
        # A draft is read beside the same other programs as the single tokens before it.
        usual = self.thread_counts()[0] if is_draft else self._reading_threads
        self._use_threads(controller.count if controller else usual)
        begun_s = time.perf_counter()
        result = self._decode_batch(self._batch, aborted)
        # An aborted decode says nothing about speed.
        if result == DECODED and controller:
            controller.record_time(time.perf_counter() - begun_s)
        return result

    def decode_token(self, sequence: int, token: int, position: int) -> int:
        """Decode one token of one sequence, as `decode` does with its share; return llama.cpp's code."""
        ids, positions, owners, outputs = self._columns
        ids[0], positions[0], owners[0][0], outputs[0] = token, position, sequence, True
        self._batch.n_tokens = 1
        controller = self._thread_controller(1)
        assert controller is not None
        self._use_threads(controller.count)
        begun_s = time.perf_counter()
        result = int(self.c.llama_decode(self.pointer, self._batch))
        if result == DECODED:
            controller.record_time(time.perf_counter() - begun_s)
        return result

    def decode_tile(
        self, tile: TileEmbeddings, sequence: int, position: int, wants_logits: bool, aborted: Callable[[], bool]
    ) -> int:
        """Decode a tile of an image or sound, like `decode`. Its last output is `tile.tokens - 1`."""
        self._use_threads(self._reading_threads)
        # What attends to all of itself can't be cut into batches.
        step = tile.tokens if tile.is_whole else self.batch_tokens
        if step > self._most_batch_tokens:
            raise RuntimeError(f"{step} tokens at once, and room for {self._most_batch_tokens}")
        if tile.is_whole:
            self.c.llama_set_causal_attn(self.pointer, False)
        try:
            for start in range(0, tile.tokens, step):
                share = tile.make_batch(self.c, start, step, sequence, position)
                # Only the last token of the last part is followed by an answer.
                share.batch.logits[share.batch.n_tokens - 1] = wants_logits and start + step >= tile.tokens
                if (result := self._decode_batch(share.batch, aborted)) != DECODED:
                    return result
        finally:
            if tile.is_whole:  # the switch is for all sequences
                self.c.llama_set_causal_attn(self.pointer, True)
        return DECODED

    def _decode_batch(self, batch: Any, aborted: Callable[[], bool] | None) -> int:
        if aborted is None:
            return int(self.c.llama_decode(self.pointer, batch))
        # Kept in a variable: ctypes frees a callback that nothing refers to.
        callback = self.c.ggml_abort_callback(lambda _: aborted())
        self.c.llama_set_abort_callback(self.pointer, callback, None)
        try:
            return int(self.c.llama_decode(self.pointer, batch))
        finally:
            # It is called some hundred times a token, so it is set only while it is needed.
            self.c.llama_set_abort_callback(self.pointer, self.c.ggml_abort_callback(0), None)

    def sees_all(self, sequence: int, count: int) -> bool:
        """Return whether a sequence still holds all that a sliding window sees from behind its first `count` positions.

        A saved state holds the last window only, and cells that no window sees any more may be given to others.
        """
        if not self._window_tokens or not count:
            return True
        # The first position still held, and what the window would look at from behind `count`.
        first = int(self.c.llama_memory_seq_pos_min(self._memory, sequence))
        return 0 <= first <= max(0, count - self._window_tokens + 1)

    @property
    def has_window(self) -> bool:
        """True if some layers of the model see the last tokens only."""
        return self._window_tokens > 0

    def can_cut_saved(self, held: int, count: int) -> bool:
        """Return whether a saved state of `held` tokens can be cut to `count` without a checkpoint."""
        if not self.can_forget or not self._window_tokens:
            return self.can_forget or count == held
        # A file holds the last window only, and what is seen from one token earlier.
        return count >= held - 1 or held <= self._window_tokens

    def truncate_sequence(self, sequence: int, count: int) -> bool:
        """Remove a sequence's positions from `count` on; False if the model can't."""
        return bool(self.c.llama_memory_seq_rm(self._memory, sequence, count, -1))

    def clear_sequence(self, sequence: int) -> None:
        self.c.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def clear_all(self) -> None:
        """Remove all sequences and overwrite their data, so that no NaN is left in it."""
        self.c.llama_memory_clear(self._memory, True)

    def logits(self, output: int, vocabulary_size: int) -> Any:
        """Return the logits of one output of the last decode; the array is valid until the next."""
        return view_logits(self.c, self.pointer, output, vocabulary_size)

    def has_numbers(self, output: int, vocabulary_size: int) -> bool:
        """Return whether the logits at a place of the last decode are numbers."""
        return has_numbers(self.logits(output, vocabulary_size))

    def copy_sequence(self, source: int, target: int, count: int) -> None:
        """Share the first `count` positions with an empty sequence; nothing is computed or moved."""
        # A recurrent state is copied as it is; there is no part of it.
        self.c.llama_memory_seq_cp(
            self._memory, source, target, 0 if self.can_forget else -1, count if self.can_forget else -1
        )

    def partial_state(self, sequence: int) -> ctypes.Array[ctypes.c_uint8] | None:
        """Return a copy of the part of a sequence's memory that cannot be rolled back; None where there is none."""
        # A second llama.cpp, older than this one, may lack them.
        get_size = getattr(self.c, "llama_state_seq_get_size_ext", None)
        if get_size is None:
            return None
        size = get_size(self.pointer, sequence, PARTIAL_ONLY)
        data = (ctypes.c_uint8 * size)()
        written = self.c.llama_state_seq_get_data_ext(self.pointer, data, size, sequence, PARTIAL_ONLY)
        return data if size and written == size else None

    def window_state(self, sequence: int, count: int) -> ctypes.Array[ctypes.c_uint8] | None:
        """Return the partial state as it was after `count` positions; None if it is gone or no sequence is empty."""
        unused = (n for n in range(self.most_sequences) if self.c.llama_memory_seq_pos_max(self._memory, n) < 0)
        if not self.sees_all(sequence, count) or (scratch := next(unused, None)) is None:
            return None
        # An empty sequence shares the cells for a moment: what a window sees is reckoned from a sequence's end.
        self.copy_sequence(sequence, scratch, count)
        try:
            return self.partial_state(scratch)
        finally:
            self.clear_sequence(scratch)

    def set_partial_state(self, sequence: int, data: ctypes.Array[ctypes.c_uint8]) -> bool:
        """Restore a partial state; return whether llama.cpp took it."""
        return bool(self.c.llama_state_seq_set_data_ext(self.pointer, data, len(data), sequence, PARTIAL_ONLY))

    def set_threads(self, answers: int, prompts: int, *, fixed: bool = False) -> None:
        """Write with `answers` threads from now on, which measured times may change unless `fixed`; read with
        `prompts`.
        """
        self._counts = [answers] if fixed else sorted({*thread_counts(max(answers, self._counts[-1])), answers})
        self._first_count = answers
        self._writing.clear()
        self._reading_threads = prompts

    @property
    def most_draft_tokens(self) -> int:
        """Most tokens that may be guessed at once; 0 where wrong ones can't be taken back without a trace, as in
        sliding windows and most recurrent states.
        """
        if not self.can_forget:
            return self.rollback_tokens
        # The token before them is decoded again with each draft.
        most = min(MOST_DRAFTED_TOGETHER, self.batch_tokens) - 1
        return 0 if self._window_tokens else most

    def thread_counts(self) -> tuple[int, int]:
        """Threads in use for writing one token, and for reading."""
        writing = self._writing.get(1)
        return writing.settled if writing else self._first_count, self._reading_threads

    def lost_share(self) -> float:
        """Return the share of the time of writing one token that trials of other numbers of threads have cost."""
        writing = self._writing.get(1)
        return writing.lost_share if writing else 0.0

    def free(self) -> None:
        self.c.llama_batch_free(self._batch)
        self.c.llama_free(self.pointer)

    def _fill_batch(self, shares: Sequence[tuple[int, Sequence[int], int, int]]) -> int:
        ids, positions, owners, outputs = self._columns
        at = 0
        for sequence, tokens, position, wanted in shares:
            silent = len(tokens) - wanted
            for offset, token in enumerate(tokens):
                ids[at] = token
                positions[at] = position + offset
                owners[at][0] = sequence
                outputs[at] = offset >= silent
                at += 1
        self._batch.n_tokens = at
        return at

    def _thread_controller(self, count: int) -> ThreadController | None:
        """Return the controller for this number of writing sequences; None for prompts.

        Prompts use all threads: ggml hands out pieces of large matrices one by one, so slowed threads take fewer.
        """
        if count > FEW_TOKENS:
            return None
        # Each number of sequences has its own best number of threads.
        if count not in self._writing:
            self._writing[count] = ThreadController(self._counts, self._first_count)
        return self._writing[count]

    def _use_threads(self, count: int) -> None:
        if self._threads != (count, count):
            self._threads = (count, count)
            self.c.llama_set_n_threads(self.pointer, count, count)
