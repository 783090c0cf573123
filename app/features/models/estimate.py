"""Predict and measure whether a model fits into free memory, and its speed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.core.catalogue import fill_value
from app.core.errors.model_errors import ModelUnreadable
from app.core.gguf import GgufHeader, GgufProblem, SkippedArray, read_beginning
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass
from app.engine import fit, memory_probe
from app.engine.fit import MemoryRoom
from app.engine.model_shape import (
    MOST_LAYERS,
    MOST_UNITS,
    VALUE_BYTES,
    MemoryNeeds,
    ModelLayout,
    ModelShape,
    expert_parts,
    shape_of,
    spread_weights,
)
from app.engine.protocol import Wish
from app.features.models.model_messages import MessageTemplate, format_gigabytes

WELL, TIGHT, SLOW, TOO_LARGE = "well", "tight", "slow", "too_large"

USUAL_LINE_BITS_PER_S = 100e6
READING_TOKENS_PER_S = 8.0
"""About as fast as people read."""
LEAST_TOKENS_PER_S = 3.0
"""Unusably slow below this: about half the pace of reading aloud."""
FAST_TOKENS_PER_S = 20.0

MOST_PROBES = 2
HEADER_BYTES_PER_TOKEN = 30  # of a file that are its vocabulary, not weights; 36 in the starter, 25 in Gemma's
# Of a model of which only the size is known; they decide about some 100 MB.
USUAL_LAYERS, USUAL_WIDTH, USUAL_INNER_WIDTH, USUAL_VOCABULARY = 32, 4096, 14336, 150_000
USUAL_SIZE_PER_KV_BYTE = 40_000  # 8 billion weights in 4 bits, four queries to a key
Q4_BYTES_PER_PARAMETER = 0.62  # of Q4_K_M, the version most people take


@dataclass(frozen=True)
class MemoryFit:
    """Fit of a model:

    `word` is well, tight (little room left, or a reduced context), slow (larger than free memory, so read from disk
    again and again) or too_large.

    `free_bytes`, `active_bytes` (weights read per token) and `tokens_per_s` (predicted for this computer) are 0 if
    unknown.
    """

    word: str
    needed_bytes: int
    free_bytes: int
    context_tokens: int
    is_exact: bool = False
    """True if llama.cpp's own estimate was used."""
    active_bytes: int = 0
    tokens_per_s: float = 0.0
    is_guess: bool = False
    """True if only a size is known, or even that follows from the number of parameters."""
    helpers: tuple[str, ...] = ()
    """Other computers whose memory it needs; its speed with them is unknown beforehand."""

    @property
    def runs_well(self) -> bool:
        """In memory, and as fast as people read, as far as that is known."""
        return self.word == WELL and not 0 < self.tokens_per_s < READING_TOKENS_PER_S

    @property
    def is_usable(self) -> bool:
        """In memory, and not too slow to wait for."""
        return self.word in (WELL, TIGHT) and not 0 < self.tokens_per_s < LEAST_TOKENS_PER_S

    def at_speed(self, bytes_per_s: float) -> MemoryFit:
        """Return the fit for a computer that reads weights at this speed."""
        return dataclasses.replace(self, tokens_per_s=bytes_per_s / self.active_bytes if self.active_bytes else 0.0)

    def helped_by(self, computers: Sequence[str]) -> MemoryFit:
        """Return the fit that was found with other computers' memory added."""
        return dataclasses.replace(self, word=TIGHT, helpers=tuple(computers))


def estimate_fit(header_bytes: bytes, total_bytes: int, room: MemoryRoom, *, name: str = "") -> MemoryFit:
    """Estimate by formula from a model's first bytes and the total size of its parts. Raises ModelUnreadable(name)."""
    header = _parse_header(header_bytes, name)
    shape = estimate_shape(header, total_bytes)
    return dataclasses.replace(_make_fit(shape, room), active_bytes=_active_bytes(header, shape))


def by_size(size_bytes: int, kv_bytes_per_token: int, room: MemoryRoom, active_bytes: int = 0) -> MemoryFit:
    """Estimate from a size alone; without `kv_bytes_per_token` (16 bit) the KV cache counts as in most models.

    Of a mixture of experts `active_bytes` are fewer than all: what is not read for a token are experts, at least.
    """
    # Most models take about so much for each byte of weights.
    kv_bytes = kv_bytes_per_token or size_bytes // USUAL_SIZE_PER_KV_BYTE
    layers = USUAL_LAYERS
    experts = (max(0, size_bytes - active_bytes) // layers if active_bytes else 0,) * layers
    found = _make_fit(
        ModelShape(
            layers=layers,
            layer_weights=(size_bytes // layers,) * layers,
            expert_weights=experts,
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
            expert_tensors=expert_parts(experts),
        ),
        room,
    )
    return dataclasses.replace(found, active_bytes=active_bytes)


def guess_fit(size_bytes: int, active_bytes: int, room: MemoryRoom) -> MemoryFit:
    """Estimate from a size, before anything is asked about the model."""
    return dataclasses.replace(by_size(size_bytes, 0, room, active_bytes), is_guess=True)


def measure_fit(
    header_bytes: bytes,
    total_bytes: int,
    room: MemoryRoom,
    *,
    folder: Path,
    cancelled: Callable[[], bool] = lambda: False,
    name: str = "",
) -> MemoryFit:
    """llama.cpp's own numbers, from the whole header; takes about a second. `folder` is the process's.

    An estimate (`is_exact` says so) where llama.cpp gives none, and of models in parts, whose other headers it lacks.
    """
    header = _parse_header(header_bytes, name)
    shape = estimate_shape(header, total_bytes)
    active_bytes = _active_bytes(header, shape)
    by_formula = dataclasses.replace(_make_fit(shape, room), active_bytes=active_bytes)
    if not _has_all_tensors(header):
        return by_formula
    gpus = [gpu.name for gpu in room.gpus]
    numbers: fit.Estimate | None = None
    layout = _plan_layout(shape, room, None)[1]
    # At most twice: the exact figures may lead to another layout, which is then measured as well.
    for _ in range(MOST_PROBES):
        measured = memory_probe.probe_header(
            header_bytes, total_bytes, layout, gpus if layout.gpu_layers else (), folder=folder, cancelled=cancelled
        )
        if measured is None:
            return by_formula
        numbers = fit.corrected_estimate(shape, layout, measured)
        # A layout that the figures confirm is the answer.
        asked, layout = layout, _plan_layout(shape, room, numbers)[1]
        if layout == asked:
            break
    return dataclasses.replace(_make_fit(shape, room, numbers), is_exact=True, active_bytes=active_bytes)


_WORDS = {
    WELL: "Runs well · needs {needed} GB",
    TIGHT: "Just fits · needs {needed} GB, {free} GB free",
    SLOW: "Slow · needs {needed} GB, {free} GB free",
    TOO_LARGE: "Too large · needs {needed} GB, {free} GB free",
}
_FITS_BUT_SLOW = "Fits · needs {needed} GB"


def fit_words(fit: MemoryFit) -> MessageTemplate:
    """Describe a fit with its figures; a model slower than reading never "runs well"."""
    values = {"needed": format_gigabytes(fit.needed_bytes), "free": format_gigabytes(fit.free_bytes)}
    if fit.helpers:
        return MessageTemplate(
            "Fits with {computers} · needs {needed} GB", values | {"computers": join_entries(fit.helpers)}
        )
    if not fit.free_bytes:
        return MessageTemplate("Needs {needed} GB", values)
    return MessageTemplate(_FITS_BUT_SLOW if fit.word == WELL and not fit.runs_well else _WORDS[fit.word], values)


_VERDICTS = {WELL: "Runs well", TIGHT: "Just fits", SLOW: "Slow", TOO_LARGE: "Too large"}


def verdict_words(fit: MemoryFit) -> MessageTemplate:
    """Describe a fit in two words, without figures; empty if the free memory is unknown."""
    if fit.helpers:
        return MessageTemplate("Fits with {computers}", {"computers": join_entries(fit.helpers)})
    if not fit.free_bytes:
        return MessageTemplate("", {})
    if fit.word in (WELL, TIGHT) and not fit.is_usable:
        return MessageTemplate("Very slow", {})
    return MessageTemplate("Fits" if fit.word == WELL and not fit.runs_well else _VERDICTS[fit.word], {})


def needs_words(fit: MemoryFit) -> MessageTemplate:
    text = "needs about {needed} GB" if fit.is_guess else "needs {needed} GB"
    return MessageTemplate(text, {"needed": format_gigabytes(fit.needed_bytes)})


def speed_words(fit: MemoryFit) -> MessageTemplate | None:
    """Return the predicted speed; None if unknown or it can't run in memory."""
    if fit.tokens_per_s <= 0 or fit.word in (SLOW, TOO_LARGE):
        return None
    return MessageTemplate("{n} tokens/s", {"n": _speed_number(fit.tokens_per_s)})


def _speed_number(speed: float) -> str:
    # Below a few tokens a second the decimal matters.
    return str(round(speed)) if speed >= LEAST_TOKENS_PER_S else fill_value(speed, ".1f")


def pace_words(fit: MemoryFit) -> MessageTemplate | None:
    """Describe the predicted speed compared with reading; None if unknown or it can't run in memory."""
    if fit.tokens_per_s <= 0 or fit.word in (SLOW, TOO_LARGE):
        return None
    if (speed := fit.tokens_per_s) >= FAST_TOKENS_PER_S:
        text = "about {n} tokens/s, fast"
    elif speed >= READING_TOKENS_PER_S:
        text = "about {n} tokens/s, as fast as you read"
    elif speed >= LEAST_TOKENS_PER_S:
        text = "about {n} tokens/s, slower than you read"
    else:
        text = "about {n} tokens/s, very slow"
    return MessageTemplate(text, {"n": _speed_number(speed)})


def download_words(size_bytes: int) -> MessageTemplate:
    """Estimate the download time on a typical line, as this one's speed is unknown before a download."""
    return MessageTemplate("about {n} min at 100 Mbit/s", {"n": str(download_minutes(size_bytes))})


def download_minutes(size_bytes: int) -> int:
    return max(1, round(size_bytes * 8 / USUAL_LINE_BITS_PER_S / 60))


def _active_bytes(header: GgufHeader, shape: ModelShape) -> int:
    """Return bytes of weights read per token: layers and output, in a mixture only the active experts; 0 if unknown."""
    experts = header.architecture_value("expert_count")
    dense = sum(shape.layer_weights) + (shape.output_weights or shape.tied_weights)
    # No mixture: every weight is read for each token.
    if not isinstance(experts, int) or experts <= 0:
        return dense
    used = header.architecture_value("expert_used_count")
    if not shape.is_mixture or not isinstance(used, int) or not 0 < used <= experts:
        return 0
    mixed = sum(shape.expert_weights)
    return dense - mixed + mixed * used // experts


def _plan_layout(
    shape: ModelShape, room: MemoryRoom, numbers: fit.Estimate | None
) -> tuple[fit.LoadPlan | fit.DoesNotFit, ModelLayout]:
    """Return the plan and its layout here; the smallest layout if nothing fits."""
    try:
        plan = fit.choose_plan(shape, Wish(), room, numbers)
    except fit.DoesNotFit as refusal:
        return refusal, refusal.layout
    return plan, plan.layout


def _make_fit(shape: ModelShape, room: MemoryRoom, numbers: fit.Estimate | None = None) -> MemoryFit:
    plan, layout = _plan_layout(shape, room, numbers)
    if isinstance(plan, fit.DoesNotFit):
        return MemoryFit(TOO_LARGE, plan.needed_bytes, plan.free_bytes, layout.context_tokens)
    word = _verdict_word(plan, (numbers or shape.memory_needs)(layout), room)
    return MemoryFit(word, plan.needed_bytes, plan.free_bytes, layout.context_tokens)


def _verdict_word(plan: fit.LoadPlan, needs: MemoryNeeds, room: MemoryRoom) -> str:
    # llama.cpp would take it, reading parts from the disk again and again.
    if plan.choice == fit.TIGHT:
        return SLOW
    # Without a GPU of its own all of it lies in the computer's memory.
    main = needs.total if room.shares else needs.main
    is_near = room.free_bytes and main > fit.NEAR * room.spare()
    return TIGHT if is_near or plan.choice in (fit.KV_REDUCED, fit.CONTEXT_REDUCED) else WELL


def _parse_header(header_bytes: bytes, name: str) -> GgufHeader:
    try:
        return read_beginning(header_bytes)
    except GgufProblem as problem:
        raise ModelUnreadable(name, problem.reason) from problem


def _has_all_tensors(header: GgufHeader) -> bool:
    parts = header.metadata.get("split.count", 0)
    return header.is_complete and not (isinstance(parts, int) and parts > 1)


def estimate_shape(header: GgufHeader, total_bytes: int) -> ModelShape:
    """Return a header's shape; where its tensors are unknown, weights are spread over layers and experts."""
    shape = shape_of(header)
    if _has_all_tensors(header):
        return shape
    vocabulary = _vocabulary_size(header.metadata.get("tokenizer.ggml.tokens"))
    weights = max(0, total_bytes - vocabulary * HEADER_BYTES_PER_TOKEN)
    input_weights = min(weights // 2, vocabulary * shape.width)  # a byte each: between 6 and 8 bits, as a rule
    blocks = header.architecture_value("block_count")  # those for guessing ahead are not loaded
    blocks = max(shape.layers, min(blocks, MOST_LAYERS)) if isinstance(blocks, int) else shape.layers
    in_layers = (weights - input_weights) * shape.layers // blocks if blocks else 0
    return dataclasses.replace(
        spread_weights(header, shape, in_layers),
        input_weights=input_weights if shape.layers else weights,
        output_weights=0,
        tied_weights=0,
        tied_repacked=False,
        vocabulary=vocabulary,
    )


def _vocabulary_size(tokens: Any) -> int:
    count = tokens.items if isinstance(tokens, SkippedArray) else len(tokens) if isinstance(tokens, list) else 0
    return int(min(count, MOST_UNITS))
