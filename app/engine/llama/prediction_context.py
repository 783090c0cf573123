"""The context of a model's layer for multi-token prediction (MTP): it reads along with the model and guesses ahead.

As llama.cpp's own programs do it (common/speculative.cpp): each token goes in with what the model made of the token
before it, the state before the output's matrix. A guess goes on from what the layer itself made of the guess before.
"""

from __future__ import annotations

import ctypes
from typing import Any

from app.engine.llama.cached_sequence import common_length
from app.engine.llama.context import DECODED, FEW_TOKENS, LlamaContext
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.llama.model import Model
from app.engine.llama.output_logits import view_logits

DECODE = 1  # LLAMA_PROCESS_TYPE_DECODE
# Not in llama.h yet, so they bear the names that C++ gives them on Linux and macOS; Windows' compiler has others.
SET_STATES = "_Z26llama_set_embeddings_nextnP13llama_contextbb"
GET_STATE = "_Z30llama_get_embeddings_nextn_ithP13llama_contexti"
_FUNCTIONS = ("llama_batch_ext_init", "llama_batch_ext_set_embd_token", "llama_process", "llama_n_rs_seq")


def can_predict(library: LlamaLibrary) -> bool:
    """Return whether a llama.cpp has all that multi-token prediction needs."""
    c = library.c
    return all(hasattr(c, name) for name in (*_FUNCTIONS, "LLAMA_CONTEXT_TYPE_MTP")) and all(
        hasattr(c._lib, name) for name in (SET_STATES, GET_STATE)
    )


class PredictionContext:
    """Owns llama.cpp's context of the layer. It follows one answer, its `owner`, at a time."""

    def __init__(
        self, library: LlamaLibrary, model: Model, context: LlamaContext, pointer: Any, parameters: Any
    ) -> None:
        """`parameters` are those that `pointer` was made with: it is freed and made again as guesses rest."""
        c = self._c = library.c
        self._model, self._context, self._parameters = model, context, parameters
        self._width = int(c.llama_model_n_embd_out(model.pointer))
        self._set_states = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_bool, ctypes.c_bool)((SET_STATES, c._lib))
        self._get_state = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32)((GET_STATE, c._lib))
        self._pointer: Any = None
        self._batch: Any = None
        self._memory: Any = None
        self._is_on = False
        self._use_pointer(pointer)

    @property
    def is_resting(self) -> bool:
        """True while its memory is freed, from `rest` on until states are handed out again."""
        return not self._pointer

    def hand_out_states(self, *, is_on: bool) -> None:
        """Have the model hand out its states of all tokens, or no longer."""
        if is_on and not self._pointer:
            self._use_pointer(self._c.llama_init_from_model(self._model.pointer, self._parameters))
        # Other programs may have taken the memory meanwhile: then nothing is guessed.
        self._is_on = is_on and bool(self._pointer)
        self._set_states(self._context.pointer, self._is_on, False)

    def rest(self) -> None:
        """Free llama.cpp's context until states are handed out again."""
        self.hand_out_states(is_on=False)
        self.free()
        self.clear()

    def clear(self) -> None:
        """Forget all that was read, of whichever answer it was."""
        self._owner: object = None
        self._tokens: list[int] = []  # as the model has read them; the layer may lack some
        self._state: Any = None  # what the model made of the last one
        self._waiting: list[tuple[int, int, Any]] = []  # token, position, and the state before it
        self._read = 0  # positions below this are behind the layer
        if self._pointer:
            self._c.llama_memory_clear(self._memory, True)

    def read_along(self, owner: object, tokens: list[int], start: int, count: int) -> None:
        """Take in `count` tokens of `owner` from `start` on, which the model has just decoded by themselves."""
        if not self._is_on:
            return
        if owner is not self._owner or start != len(self._tokens):
            self._go_back(tokens[:start])
            self._owner = owner
        states = self._copy_rows(self._get_state(self._context.pointer, 0), count)
        if states is None:
            self.clear()
            return
        for place, token in enumerate(tokens[start : start + count], start):
            if self._state is not None and place >= self._read:
                self._waiting.append((token, place, self._state))
            self._state = states[place - start]
        self._tokens += tokens[start : start + count]
        # Few are read with the next guess, which costs no decode of its own.
        if len(self._waiting) > FEW_TOKENS:
            self._read_waiting()

    def predict(self, owner: object, tokens: list[int], most: int) -> list[int]:
        """Return at most `most` tokens that may follow `tokens`; none where the layer lacks what comes before."""
        newest = len(tokens) - 1
        if owner is not self._owner or len(self._tokens) != newest or self._state is None:
            return []
        self._waiting.append((tokens[-1], newest, self._state))
        found: list[int] = []
        while self._waiting and len(found) < most and self._read_waiting(wants_guess=True):
            guess = int(view_logits(self._c, self._pointer, -1, self._model.vocabulary_size).argmax())
            # The end of an answer is cheaper to write than to guess.
            if self._model.ends_answer(guess):
                break
            found.append(guess)
            own = self._copy_rows(self._get_state(self._pointer, -1), 1)
            self._waiting = [] if own is None else [(guess, newest + len(found), own[0])]
        # What was guessed is read again, with what the model itself makes of it.
        self._waiting, self._read = [], newest + 1
        self._c.llama_memory_seq_rm(self._memory, 0, newest + 1, -1)
        return found

    def free(self) -> None:
        if self._pointer:
            self._c.llama_batch_ext_free(self._batch)
            self._c.llama_free(self._pointer)
        self._pointer = None

    def _use_pointer(self, pointer: Any) -> None:
        self._pointer = pointer
        if pointer:
            c = self._c
            self._batch = c.llama_batch_ext_init(pointer)
            self._most_batch_tokens = int(c.llama_n_batch(pointer))
            self._memory = c.llama_get_memory(pointer)
            self._threads = 0
            self._set_states(pointer, True, True)
            self.clear()

    def _go_back(self, tokens: list[int]) -> None:
        """Keep what another answer has in common with `tokens`; those that it lacks behind that are never read."""
        if self._tokens == tokens:
            return
        kept = min(common_length(self._tokens, tokens), self._read)
        self._state = None
        self._c.llama_memory_seq_rm(self._memory, 0, kept, -1)
        self._waiting, self._read, self._tokens = [], min(self._read, kept), list(tokens)

    def _read_waiting(self, *, wants_guess: bool = False) -> bool:
        """Decode what waits; with `wants_guess` the last one's logits and state are kept. False where that failed."""
        c, waiting = self._c, self._waiting
        self._waiting = []
        self._use_threads(len(waiting))
        for begin in range(0, len(waiting), self._most_batch_tokens):
            share = waiting[begin : begin + self._most_batch_tokens]
            c.llama_batch_ext_clear(self._batch)
            for at, (token, place, state) in enumerate(share):
                c.llama_batch_ext_add_token(self._batch, 0, token)
                c.llama_batch_ext_set_pos(self._batch, at, (c.llama_pos * 1)(place))
                c.llama_batch_ext_set_embd_token(self._batch, at, self._embedding_of(state))
            is_last = begin + len(share) == len(waiting)
            c.llama_batch_ext_set_output_logits(self._batch, len(share) - 1, wants_guess and is_last)
            if c.llama_process(self._pointer, DECODE, self._batch) != DECODED:
                self.clear()
                return False
            self._read = share[-1][1] + 1
        return True

    def _use_threads(self, tokens: int) -> None:
        threads = self._context.thread_counts()[tokens > FEW_TOKENS]
        if threads != self._threads:
            self._c.llama_set_n_threads(self._pointer, threads, threads)
            self._threads = threads

    def _embedding_of(self, state: Any) -> Any:
        return self._c.llama_embd(state.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), 1, self._width)

    def _copy_rows(self, address: int | None, count: int) -> Any:
        """Return a copy of states, which the next decode overwrites; None where there are none."""
        import numpy as np

        if not address:
            return None
        rows: Any = (ctypes.c_float * (self._width * count)).from_address(address)
        return np.frombuffer(rows, "f4").reshape(count, self._width).copy()
