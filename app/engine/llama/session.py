"""A context with one sequence: reads prompts, re-uses what it has read, and writes answers token by token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.core.errors import PromptTooLong
from app.core.events import FinishReason
from app.engine.answer import Answer
from app.engine.llama.library import Library
from app.engine.llama.model import Model

# As fast as 512 on processors, with finer progress and half the scratch memory; GPUs want the larger one.
BATCH_TOKENS, GPU_BATCH_TOKENS = 256, 512
DECODED, NO_ROOM, ABORTED = 0, 1, 2


class Session:
    """Owns llama.cpp's context. `tokens` is what its memory holds, in order."""

    def __init__(self, library: Library, model: Model, pointer: Any) -> None:
        self.model = model
        self.context_tokens: int = library.c.llama_n_ctx(pointer)
        self.tokens: list[int] = []
        self._c = library.c
        self._batch_tokens: int = library.c.llama_n_batch(pointer)
        self._pointer = pointer
        self._memory = library.c.llama_get_memory(pointer)

    def write(self, prompt: list[int], chain: Any, answer: Answer, cancelled: Callable[[], bool]) -> FinishReason:
        """Reads the prompt as far as it is new, then writes; raises PromptTooLong."""
        if len(prompt) >= self.context_tokens:
            raise PromptTooLong(len(prompt), self.context_tokens)
        answer.begin(len(prompt), self._reuse(prompt))
        if not self._read(prompt, answer, cancelled):
            return FinishReason.CANCELLED
        return self._write(chain, answer, cancelled)

    def free(self) -> None:
        """Gives the memory back."""
        self._c.llama_free(self._pointer)

    def _reuse(self, prompt: list[int]) -> int:
        """Keeps what memory and prompt have in common, but the last token: its logits are wanted."""
        common = 0
        for ours, theirs in zip(self.tokens, prompt[:-1], strict=False):
            if ours != theirs:
                break
            common += 1
        if common < len(self.tokens):
            self._keep(common)
        return len(self.tokens)

    def _keep(self, count: int) -> None:
        """Forgets everything after the first `count` tokens; everything where a model cannot forget a part."""
        if not self._c.llama_memory_seq_rm(self._memory, 0, count, -1):
            self._c.llama_memory_clear(self._memory, True)
            count = 0
        del self.tokens[count:]

    def _read(self, prompt: list[int], answer: Answer, cancelled: Callable[[], bool]) -> bool:
        """Reads the new part in batches; False when it was cancelled, which is heard inside a batch too."""
        c = self._c
        on_abort = c.ggml_abort_callback(lambda _: cancelled())
        c.llama_set_abort_callback(self._pointer, on_abort, None)
        try:
            while len(self.tokens) < len(prompt):
                batch = prompt[len(self.tokens) : len(self.tokens) + self._batch_tokens]
                result = DECODED if cancelled() else self._decode(batch)
                if cancelled():
                    self._keep(len(self.tokens))  # an aborted batch leaves pieces behind
                    return False
                if result != DECODED:
                    raise RuntimeError(f"llama_decode returned {result} while reading {len(batch)} tokens")
                self.tokens += batch
                answer.read(len(self.tokens))
        finally:
            c.llama_set_abort_callback(self._pointer, c.ggml_abort_callback(0), None)
        return True

    def _write(self, chain: Any, answer: Answer, cancelled: Callable[[], bool]) -> FinishReason:
        sample, decode = self._c.llama_sampler_sample, self._c.llama_decode
        context, model = self._pointer, self.model
        one = (self._c.llama_token * 1)()
        batch = self._c.llama_batch_get_one(one, 1)
        while True:
            token = sample(chain, context, -1)
            if model.ends_answer(token):
                return FinishReason.STOP
            reason = answer.add(model.piece(token))
            if reason is not None:
                return reason
            if cancelled():
                return FinishReason.CANCELLED
            if len(self.tokens) >= self.context_tokens:
                return FinishReason.CONTEXT
            one[0] = token
            result = decode(context, batch)
            if result == NO_ROOM:
                return FinishReason.CONTEXT
            if result != DECODED:
                raise RuntimeError(f"llama_decode returned {result} while writing")
            self.tokens.append(token)

    def _decode(self, tokens: list[int]) -> int:
        ids = (self._c.llama_token * len(tokens))(*tokens)
        return int(self._c.llama_decode(self._pointer, self._c.llama_batch_get_one(ids, len(tokens))))


def open_session(library: Library, model: Model, context_tokens: int, threads: int) -> Session | None:
    """A session of this size, or None when llama.cpp cannot make it (mostly: not enough memory)."""
    c = library.c
    parameters = c.llama_context_default_params()
    parameters.n_ctx = context_tokens
    parameters.n_batch = parameters.n_ubatch = GPU_BATCH_TOKENS if model.gpu_layers else BATCH_TOKENS
    parameters.n_seq_max = 1
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.flash_attn_type = c.LLAMA_FLASH_ATTN_TYPE_AUTO
    parameters.swa_full = True  # without it, re-using a prefix silently gives wrong answers on sliding-window models
    parameters.no_perf = True
    pointer = c.llama_init_from_model(model.pointer, parameters)
    return Session(library, model, pointer) if pointer else None
