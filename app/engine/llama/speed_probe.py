"""A small context beside the chat's own, in which tuning reads and writes nonsense for the clock."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable
from typing import Any

from app.engine.computer import free_memory_bytes, physical_cores
from app.engine.llama.context import DECODED, LlamaContext
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.llama.model import Model, c_path
from app.engine.llama.model_parameters import ModelParameters, context_parameters
from app.engine.model_shape import ModelLayout, shape_of
from app.engine.tuner import ModelTuner, SpeedVariant, TuningChoices, TuningInterrupted, thread_choices
from app.engine.tuning import FLASH_OFF, ModelTuning

PROBE_TOKENS = 1024
DEFAULT_BATCH_TOKENS = 512  # llama.cpp's n_ubatch
MOST_PROBES = 4
MOST_LOADING_S = 4.0  # of a copy for another device, of the seconds that tuning takes
STRIDE = 7919  # a prime: neighbouring tokens of the vocabulary are much alike


class ContextProbe:
    """Implements `app.engine.tuner.SpeedProbe` with a context of llama.cpp; `is_needed` tells that it has to stop."""

    def __init__(
        self,
        library: LlamaLibrary,
        model: Any,
        layout: ModelLayout,
        variant: SpeedVariant,
        is_needed: Callable[[], bool],
        *,
        vocabulary_size: int,
    ) -> None:
        """Make the context; raises MemoryError where llama.cpp refuses to make such a one."""
        small = dataclasses.replace(
            layout,
            context_tokens=PROBE_TOKENS,
            batch_tokens=variant.batch_tokens,
            picture_tokens=0,
        )
        threads = variant.prompt_threads
        pointer = library.c.llama_init_from_model(model, context_parameters(library, small, threads, variant.flash))
        if not pointer:
            raise MemoryError
        self._context = LlamaContext(
            library,
            model,
            pointer,
            threads=threads,
            fixed_threads=True,
            most_tokens=PROBE_TOKENS,
            batch_tokens=variant.batch_tokens,
        )
        self._words, self._is_needed = vocabulary_size, is_needed
        self._count = 0

    def read(self, tokens: int, threads: int) -> float:
        """Read a prompt from the beginning; return the seconds that took."""
        context = self._context
        for sequence in range(context.most_sequences):
            context.clear_sequence(sequence)
        context.set_threads(threads, threads, fixed=True)
        ids = [STRIDE * (place + 1) % self._words for place in range(tokens)]
        self._count = 0
        begun_s = time.perf_counter()
        for start in range(0, tokens, context.batch_tokens):
            self._decode([(0, ids[start : start + context.batch_tokens], start, True)])
        self._count = tokens
        return time.perf_counter() - begun_s

    def write(self, tokens: int, threads: int) -> float:
        """Write behind the prompt; return the seconds that took."""
        context = self._context
        if not self._count or self._count + tokens > context.size_tokens:
            self.read(self._count if context.can_forget and self._count else 64, threads)
        context.set_threads(threads, threads, fixed=True)
        before = self._count
        begun_s = time.perf_counter()
        for place in range(before, before + tokens):
            self._decode([(0, [STRIDE * place % self._words], place, True)])
        taken_s = time.perf_counter() - begun_s
        self._count += tokens
        # The next time it is to look at as much as now, where the model can go back.
        if context.can_forget and context.truncate_sequence(0, before):
            self._count = before
        return taken_s

    def write_together(self, answers: int, threads: int) -> float:
        """Write one token of each of several answers; return the seconds that took."""
        context = self._context
        for sequence in range(context.most_sequences):
            context.clear_sequence(sequence)
        self._count = 0
        context.set_threads(threads, threads, fixed=True)
        self._decode([(sequence, [STRIDE % self._words], 0, True) for sequence in range(answers)])
        begun_s = time.perf_counter()
        self._decode([(sequence, [2 * STRIDE % self._words], 1, True) for sequence in range(answers)])
        return time.perf_counter() - begun_s

    def close(self) -> None:
        """Free the context with all that was read into it."""
        self._context.free()

    def _decode(self, shares: list[tuple[int, list[int], int, bool]]) -> None:
        is_prompt = sum(len(tokens) for _, tokens, _, _ in shares) > len(shares)
        # llama.cpp asks some hundred times a decode: too often for single tokens, which are over soon anyway.
        result = self._context.decode(shares, self._is_needed if is_prompt else None)
        if self._is_needed() or result != DECODED:
            raise TuningInterrupted


class ProbedModels:
    """A loaded model, and a copy where that isn't: on the processor or on the integrated GPU of this name."""

    def __init__(
        self,
        library: LlamaLibrary,
        model: Model,
        layout: ModelLayout,
        integrated: str,
        is_needed: Callable[[], bool],
    ) -> None:
        self._library, self._model, self._layout, self._integrated = library, model, layout, integrated
        self._is_needed = is_needed
        self._is_loaded_on_cpu = bool(integrated) and not layout.gpu_layers
        self._copy: Any = None

    def open_probe(self, variant: SpeedVariant) -> ContextProbe | None:
        """Make a context for a variant; None where there is no room for it, or for the copy."""
        model = self._model.pointer if variant.on_cpu == self._is_loaded_on_cpu else self._copy or self._load_copy()
        try:
            return model and ContextProbe(
                self._library,
                model,
                self._layout,
                variant,
                self._is_needed,
                vocabulary_size=self._model.vocabulary_size,
            )
        except MemoryError:
            return None

    def free(self) -> None:
        """Free the copy of the model; its contexts have to be closed before."""
        if self._copy:
            self._library.c.llama_model_free(self._copy)

    def _load_copy(self) -> Any:
        shape, c = shape_of(self._model.header), self._library.c
        layout = dataclasses.replace(
            self._layout,
            gpu_layers=shape.layers + 1 if self._is_loaded_on_cpu else 0,
            experts_on_cpu=False,
            cpu_experts=0,
        )
        if shape.memory_needs(layout).total > free_memory_bytes() // 2:
            return None
        ends_s = time.monotonic() + MOST_LOADING_S
        parameters = ModelParameters(self._library, shape, layout, [self._integrated])
        parameters.value.progress_callback = callback = c.llama_progress_callback(
            lambda *_: not self._is_needed() and time.monotonic() < ends_s
        )
        self._copy = c.llama_model_load_from_file(c_path(self._model.path), parameters.value)
        del callback  # kept alive until here
        if self._is_needed():
            raise TuningInterrupted
        return self._copy


def tune_loaded(
    library: LlamaLibrary,
    model: Model,
    layout: ModelLayout,
    threads: int,
    integrated: str,
    *,
    is_needed: Callable[[], bool],
    on_progress: Callable[[float], object],
    budget_s: float,
) -> ModelTuning | None:
    """Tune a loaded model whose answers use up to `threads` by themselves; None when interrupted.

    `integrated` names the GPU that it is tried without, or with where it was left out.
    """
    # Each of the contexts takes as much; where that is short, other things decide than speed.
    needs = shape_of(model.header).memory_needs(dataclasses.replace(layout, context_tokens=PROBE_TOKENS))
    if free_memory_bytes() and MOST_PROBES * (needs.kv + needs.compute) > free_memory_bytes() // 2:
        return None
    cores = physical_cores()
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or cores
    start = SpeedVariant(threads, threads, layout.batch_tokens)
    defaults = SpeedVariant(cores, cores, DEFAULT_BATCH_TOKENS)
    others = thread_choices(cores, processors)
    choices = TuningChoices(
        answer_threads=others,
        prompt_threads=[count for count in others if count >= cores - 1],
        batch_tokens=[count for count in (128, 256, 512) if count != layout.batch_tokens],
        # Without flash attention llama.cpp takes no 8-bit values.
        flash=(FLASH_OFF,) if layout.kv_type == "f16" else (),
        most_together=layout.sequences - 1,
        on_cpu=bool(integrated),
    )
    models = ProbedModels(library, model, layout, integrated, is_needed)
    try:
        tuner = ModelTuner(models.open_probe, defaults, start, choices, budget_s=budget_s, on_progress=on_progress)
        return tuner.tune()
    finally:
        models.free()
