"""Whether a model that is not here yet would fit into the free memory, from its first bytes, its size, or exactly."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import ModelUnreadable
from app.core.gguf import GgufHeader, GgufProblem, SkippedArray, read_beginning
from app.engine import fit, probe_request
from app.engine.fit import Room, Wish
from app.engine.footprint import MOST_LAYERS, MOST_UNITS, VALUE_BYTES, Layout, Needs, Shape, shape_of
from app.features.model_sentences import Words, gigabytes

WELL, TIGHT, SLOW, TOO_LARGE = "well", "tight", "slow", "too_large"

MOST_PROBES = 2
HEADER_BYTES_PER_TOKEN = 30  # of a file that are its vocabulary, not weights; 36 in the starter, 25 in Gemma's
# Of a model of which only the size is known; they decide about some 100 MB.
USUAL_LAYERS, USUAL_WIDTH, USUAL_INNER_WIDTH, USUAL_VOCABULARY = 32, 4096, 14336, 150_000
USUAL_SIZE_PER_KV_BYTE = 40_000  # 8 billion weights in 4 bits, four queries to a key


@dataclass(frozen=True)
class Fit:
    """`word` is one of well, tight (little room left, or a reduced context), slow (larger than what is free, so it is
    read from the disk again and again) and too_large. `free_bytes` is 0 where nobody knows.
    """

    word: str
    needed_bytes: int
    free_bytes: int
    context_tokens: int
    is_exact: bool = False
    """Whether llama.cpp itself was asked."""


def estimate(header_bytes: bytes, total_bytes: int, room: Room, *, name: str = "") -> Fit:
    """By formula, from a model's first bytes and the length of all its parts; raises ModelUnreadable(name)."""
    return _fit(_shape(_header(header_bytes, name), total_bytes), room)


def by_size(size_bytes: int, kv_bytes_per_token: int, room: Room) -> Fit:
    """From a size alone; without `kv_bytes_per_token` (in 16 bit) the context counts as it does in most models."""
    kv_bytes = kv_bytes_per_token or size_bytes // USUAL_SIZE_PER_KV_BYTE
    layers = USUAL_LAYERS
    return _fit(
        Shape(
            layers=layers,
            layer_weights=(size_bytes // layers,) * layers,
            expert_weights=(0,) * layers,
            input_weights=0,
            output_weights=0,
            tied_weights=0,
            tied_repacked=False,
            kv_values=(int(kv_bytes / VALUE_BYTES["f16"] / layers),) * layers,
            state_bytes=(0,) * layers,
            width=USUAL_WIDTH,
            inner_width=USUAL_INNER_WIDTH,
            vocabulary=USUAL_VOCABULARY,
            masks=1,
            trained_context_tokens=0,
            takes_q8=True,
        ),
        room,
    )


def exact(
    header_bytes: bytes,
    total_bytes: int,
    room: Room,
    *,
    folder: Path,
    cancelled: Callable[[], bool] = lambda: False,
    name: str = "",
) -> Fit:
    """llama.cpp's own numbers, from the whole header; takes about a second. `folder` is the process's.

    An estimate (`is_exact` says so) where llama.cpp gives none, and of models in parts, whose other headers it lacks.
    """
    header = _header(header_bytes, name)
    shape = _shape(header, total_bytes)
    by_formula = _fit(shape, room)
    if not _has_all_tensors(header):
        return by_formula
    gpus = [gpu.name for gpu in room.gpus]
    numbers: fit.Estimate | None = None
    layout = _plan(shape, room, None)[1]
    for _ in range(MOST_PROBES):
        measured = probe_request.probe_header(
            header_bytes, total_bytes, layout, gpus if layout.gpu_layers else (), folder=folder, cancelled=cancelled
        )
        if measured is None:
            return by_formula
        numbers = fit.corrected(shape, layout, measured)
        asked, layout = layout, _plan(shape, room, numbers)[1]
        if layout == asked:
            break
    return dataclasses.replace(_fit(shape, room, numbers), is_exact=True)


_WORDS = {
    WELL: "Runs well · needs {needed} GB",
    TIGHT: "Just fits · needs {needed} GB, {free} GB free",
    SLOW: "Slow · needs {needed} GB, {free} GB free",
    TOO_LARGE: "Too large · needs {needed} GB, {free} GB free",
}


def fit_words(fit: Fit) -> Words:
    """A fit in words with its numbers."""
    values = {"needed": gigabytes(fit.needed_bytes), "free": gigabytes(fit.free_bytes)}
    return Words(_WORDS[fit.word] if fit.free_bytes else "Needs {needed} GB", values)


def _plan(shape: Shape, room: Room, numbers: fit.Estimate | None) -> tuple[fit.Plan | fit.DoesNotFit, Layout]:
    """What would be done with it here, and its layout; that of the smallest form where nothing fits."""
    try:
        plan = fit.choose(shape, Wish(), room, numbers)
    except fit.DoesNotFit as refusal:
        return refusal, refusal.layout
    return plan, plan.layout


def _fit(shape: Shape, room: Room, numbers: fit.Estimate | None = None) -> Fit:
    plan, layout = _plan(shape, room, numbers)
    if isinstance(plan, fit.DoesNotFit):
        return Fit(TOO_LARGE, plan.needed_bytes, plan.free_bytes, layout.context_tokens)
    word = _word(plan, (numbers or shape.needs)(layout), room)
    return Fit(word, plan.needed_bytes, plan.free_bytes, layout.context_tokens)


def _word(plan: fit.Plan, needs: Needs, room: Room) -> str:
    if plan.choice == fit.TIGHT:
        return SLOW
    main = needs.total if room.shares else needs.main
    is_near = room.free_bytes and main > fit.NEAR * room.spare()
    return TIGHT if is_near or plan.choice in (fit.KV_REDUCED, fit.CONTEXT_REDUCED) else WELL


def _header(header_bytes: bytes, name: str) -> GgufHeader:
    try:
        return read_beginning(header_bytes)
    except GgufProblem as problem:
        raise ModelUnreadable(name, problem.reason) from problem


def _has_all_tensors(header: GgufHeader) -> bool:
    parts = header.metadata.get("split.count", 0)
    return header.is_complete and not (isinstance(parts, int) and parts > 1)


def _shape(header: GgufHeader, total_bytes: int) -> Shape:
    """A header's shape; where its tensors are not known, the weights are spread evenly over the layers."""
    shape = shape_of(header)
    if _has_all_tensors(header):
        return shape
    vocabulary = _vocabulary(header.metadata.get("tokenizer.ggml.tokens"))
    weights = max(0, total_bytes - vocabulary * HEADER_BYTES_PER_TOKEN)
    input_weights = min(weights // 2, vocabulary * shape.width)  # a byte each: between 6 and 8 bits, as a rule
    blocks = header.architecture_value("block_count")  # those for guessing ahead are not loaded
    blocks = max(shape.layers, min(blocks, MOST_LAYERS)) if isinstance(blocks, int) else shape.layers
    layer_weights = (weights - input_weights) // blocks if blocks else 0
    return dataclasses.replace(
        shape,
        layer_weights=(layer_weights,) * shape.layers,
        input_weights=input_weights if shape.layers else weights,
        output_weights=0,
        tied_weights=0,
        tied_repacked=False,
        vocabulary=vocabulary,
    )


def _vocabulary(tokens: Any) -> int:
    count = tokens.items if isinstance(tokens, SkippedArray) else len(tokens) if isinstance(tokens, list) else 0
    return int(min(count, MOST_UNITS))
