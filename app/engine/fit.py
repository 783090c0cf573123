"""Chooses context length, KV type and GPU layers so that a model fits into the memory that is free now.

Never silently: a `Plan` says by `choice` why it is as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from app.engine.footprint import CELLS_STEP, KV_TYPES, Layout, Needs, Shape

MOST_SEQUENCES = 8  # beside the chat's own, which is sequence 0
BATCH_TOKENS, GPU_BATCH_TOKENS = 256, 512  # 256 is as fast on processors, with finer progress and half the scratch
DEFAULT_CONTEXT_TOKENS = 8192
CONTEXT_FLOORS = (2048, 512)  # a useful conversation; the least that answers a question
NEAR = 0.8  # of what may be used; the formula is within a few percent, its scratch memory within 40
STATE_SHARE = 8  # recurrent states of all sequences take at most this part of what is free

# Left to everybody else: a sixteenth of the memory, but at least what a browser tab takes when it wakes up (the
# answer grows nothing after loading), and not more than a gigabyte, which is llama.cpp's own margin for a device.
RESERVE_PART, LEAST_RESERVE_BYTES, MOST_RESERVE_BYTES = 16, 256 * 2**20, 2**30

FITS, ASKED, REMEMBERED, TIGHT = "fits", "asked", "remembered", "tight"
KV_REDUCED, CONTEXT_REDUCED = "kv_reduced", "context_reduced"
LAYERS_REDUCED, CPU_ONLY = "layers_reduced", "cpu_only"
FEWER_LAYERS, SMALLER_CONTEXT, CPU = "fewer_layers", "smaller_context", "cpu"

Estimate = Callable[[Layout], Needs]


class DoesNotFit(Exception):
    """Not even the smallest form fits, with what is left to others; the caller knows which file it is."""

    def __init__(self, needed_bytes: int, free_bytes: int, layout: Layout) -> None:
        super().__init__(f"{needed_bytes} bytes needed, {free_bytes} free")
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes
        self.layout = layout


@dataclass(frozen=True)
class GpuRoom:
    """A GPU that may be used. `shared`: its memory is the main memory."""

    name: str
    description: str
    free_bytes: int
    total_bytes: int
    shared: bool = False


@dataclass(frozen=True)
class Room:
    """Free and all memory; 0 where it is not known, which then limits nothing."""

    free_bytes: int
    total_bytes: int
    gpus: tuple[GpuRoom, ...] = ()

    def spare(self) -> int:
        """Main memory that may be used."""
        return _spare(self.free_bytes, self.total_bytes)

    def reserve(self) -> int:
        """Main memory that is left to everybody else."""
        return _reserve(self.total_bytes or self.free_bytes)

    def gpu_spare(self) -> int:
        """Memory of all GPUs that may be used."""
        return sum(_spare(gpu.free_bytes, gpu.total_bytes) for gpu in self.gpus)

    @property
    def shares(self) -> bool:
        """Whether what the GPU takes is taken from main memory."""
        return any(gpu.shared for gpu in self.gpus)


@dataclass(frozen=True)
class Wish:
    """What was asked for; 0, -1 and "" leave it open."""

    context_tokens: int = 0
    kv_type: str = ""
    gpu_layers: int = -1
    experts_on_cpu: bool = False

    @property
    def is_open(self) -> bool:
        """Whether nothing was asked for."""
        return not self.context_tokens and not self.kv_type and self.gpu_layers < 0


@dataclass(frozen=True)
class Plan:
    """How a model is loaded, and why.

    `choice` is one of fits, asked, remembered, kv_reduced, layers_reduced, cpu_only, context_reduced and tight (the
    weights are more than what is free, so they are read from the disk again and again: it works, slowly).
    `gpu_layers` counts as llama.cpp does: layers + 1 is everything. `gpu_missed` is empty, or why a GPU that was
    asked for is not used: no_device, no_memory or load_failed. `steps` of the ladder were needed: fewer_layers,
    smaller_context, cpu.
    """

    context_tokens: int
    kv_type: str
    gpu_layers: int
    sequences: int
    needed_bytes: int
    free_bytes: int
    choice: str
    batch_tokens: int = BATCH_TOKENS
    experts_on_cpu: bool = False
    repack: bool = True
    gpus: int = 1
    steps: tuple[str, ...] = ()
    gpu_missed: str = ""
    device: str = ""
    threads: int = 0

    @property
    def layout(self) -> Layout:
        """Where things go."""
        return Layout(
            self.context_tokens,
            self.kv_type,
            self.gpu_layers,
            self.experts_on_cpu,
            self.sequences,
            self.batch_tokens,
            self.repack,
            self.gpus,
        )


def choose(shape: Shape, wish: Wish, room: Room, estimate: Estimate | None = None) -> Plan:
    """The best plan that fits; raises DoesNotFit. `estimate` replaces the formula where better numbers are known."""
    return _Chooser(shape, wish, room, estimate or shape.needs).choose()


def corrected(shape: Shape, asked: Layout, measured: Needs) -> Estimate:
    """The formula, off by what it was off for the layout llama.cpp was asked about."""
    formula = dataclasses.asdict(shape.needs(asked))
    off = {name: getattr(measured, name) / value if value else 1.0 for name, value in formula.items()}

    def estimate(layout: Layout) -> Needs:
        if layout == asked:
            return measured
        return Needs(
            **{name: int(value * off[name]) for name, value in dataclasses.asdict(shape.needs(layout)).items()}
        )

    return estimate


def is_near(plan: Plan, needs: Needs, room: Room) -> bool:
    """Whether a plan is so near to a limit, or so changed, that llama.cpp's own numbers should be asked."""
    if plan.choice not in (FITS, ASKED):
        return True
    main = needs.total if room.shares else needs.main
    near_main = bool(room.free_bytes) and main > NEAR * room.spare()
    return near_main or (plan.gpu_layers > 0 and needs.gpu > NEAR * room.gpu_spare())


def next_step(plan: Plan, shape: Shape, wish: Wish, room: Room, *, had_model: bool) -> Plan | None:
    """What to try after llama.cpp refused `plan`; None when there is nothing left.

    GPU, then half of its layers, then a smaller context, then no GPU, then smaller contexts there. `had_model` tells
    that the weights were loaded and only the context was refused: without it, its size was not the reason.
    """
    if plan.gpu_layers > 0:
        if FEWER_LAYERS not in plan.steps and plan.gpu_layers > 1:
            return _changed(plan, shape, FEWER_LAYERS, gpu_layers=plan.gpu_layers // 2)
        if had_model and SMALLER_CONTEXT not in plan.steps and plan.context_tokens > CONTEXT_FLOORS[-1]:
            return _smaller(plan, shape, wish)
        try:
            on_cpu = choose(shape, dataclasses.replace(wish, gpu_layers=0), dataclasses.replace(room, gpus=()))
        except DoesNotFit:
            return None
        return dataclasses.replace(on_cpu, choice=CPU_ONLY, steps=(*plan.steps, CPU))
    if had_model and plan.context_tokens > CONTEXT_FLOORS[-1]:
        return _smaller(plan, shape, wish)
    return None


def _smaller(plan: Plan, shape: Shape, wish: Wish) -> Plan:
    """Half the context; in f16 where q8_0 was our own idea, because a device may not be able to compute with it."""
    context = max(_rounded(plan.context_tokens // 2), CONTEXT_FLOORS[-1])
    return _changed(plan, shape, SMALLER_CONTEXT, context_tokens=context, kv_type=wish.kv_type or KV_TYPES[0])


def _changed(plan: Plan, shape: Shape, step: str, **changes: object) -> Plan:
    steps = plan.steps if step in plan.steps[-1:] else (*plan.steps, step)
    choice = LAYERS_REDUCED if step == FEWER_LAYERS else CONTEXT_REDUCED
    changed = dataclasses.replace(plan, steps=steps, choice=choice, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(changed, needed_bytes=shape.needs(changed.layout).total)


class _Chooser:
    """The order of preference. `_all` is how many layers would go to the GPU if everything fitted."""

    def __init__(self, shape: Shape, wish: Wish, room: Room, estimate: Estimate) -> None:
        self._shape, self._wish, self._room, self._estimate = shape, wish, room, estimate
        asked = wish.gpu_layers if wish.gpu_layers >= 0 else shape.layers + 1
        self._all = min(asked, shape.layers + 1) if room.gpus else 0
        wanted = wish.context_tokens or DEFAULT_CONTEXT_TOKENS
        self._wanted = min(_rounded(wanted), _rounded(shape.trained_context_tokens) or _rounded(wanted))
        offered = KV_TYPES if shape.takes_q8 and any(shape.kv_values) else KV_TYPES[:1]
        self._kv_types = (wish.kv_type,) if wish.kv_type in KV_TYPES else offered
        self._sequences = self._affordable_sequences()

    def choose(self) -> Plan:
        return self._whole() or self._fewer_layers() or self._without_gpu() or self._shorter() or self._tight()

    def _whole(self) -> Plan | None:
        """Everything as wanted, or with a smaller KV type."""
        for kv_type in self._kv_types:
            if self._fits(layout := self._layout(self._wanted, kv_type, self._all)):
                chosen = ASKED if not self._wish.is_open else FITS
                return self._plan(layout, chosen if kv_type == self._kv_types[0] else KV_REDUCED)
        return None

    def _fewer_layers(self) -> Plan | None:
        for kv_type in self._kv_types:
            for layers in range(self._all - 1, 0, -1):
                if self._fits(layout := self._layout(self._wanted, kv_type, layers)):
                    return self._plan(layout, LAYERS_REDUCED)
        return None

    def _without_gpu(self) -> Plan | None:
        for kv_type in self._kv_types if self._all else ():
            if self._fits(layout := self._layout(self._wanted, kv_type, 0)):
                return self._plan(layout, CPU_ONLY)
        return None

    def _shorter(self) -> Plan | None:
        """The longest context that fits, in the smallest KV type; layers on the GPU before length."""
        for floor in CONTEXT_FLOORS:
            for layers in range(self._all, -1, -1):
                if (layout := self._longest(floor, layers)) is not None:
                    return self._plan(layout, CONTEXT_REDUCED)
        return None

    def _longest(self, floor: int, layers: int) -> Layout | None:
        low, high = min(floor, self._wanted) // CELLS_STEP, self._wanted // CELLS_STEP
        if not self._fits(self._layout(low * CELLS_STEP, self._kv_types[-1], layers)):
            return None
        while low < high:  # the needs grow with the length
            middle = (low + high + 1) // 2
            if self._fits(self._layout(middle * CELLS_STEP, self._kv_types[-1], layers)):
                low = middle
            else:
                high = middle - 1
        return self._layout(low * CELLS_STEP, self._kv_types[-1], layers)

    def _tight(self) -> Plan:
        """Weights that stay in the file and are read as they are needed; only the rest must really fit."""
        smallest = self._layout(min(CONTEXT_FLOORS[-1], self._wanted), self._kv_types[-1], 0)
        mapped = dataclasses.replace(smallest, repack=False)
        total = self._room.total_bytes
        if total and self._estimate(mapped).weights <= total - _reserve(total):
            for floor in CONTEXT_FLOORS:
                layout = dataclasses.replace(mapped, context_tokens=min(floor, self._wanted))
                needs = self._estimate(layout)
                if needs.kv + needs.compute <= self._room.spare():
                    return self._plan(layout, TIGHT)
        needed = self._estimate(smallest).total + self._room.reserve()
        raise DoesNotFit(needed, self._room.free_bytes, smallest)

    def _fits(self, layout: Layout) -> bool:
        needs, room = self._estimate(layout), self._room
        main = needs.total if room.shares else needs.main
        fits = not room.free_bytes or main <= room.spare()
        return fits and (not layout.gpu_layers or needs.gpu <= room.gpu_spare())

    def _layout(self, context_tokens: int, kv_type: str, gpu_layers: int) -> Layout:
        batch = GPU_BATCH_TOKENS if gpu_layers else BATCH_TOKENS
        experts = self._wish.experts_on_cpu and self._shape.is_mixture and gpu_layers > 0
        gpus = len(self._room.gpus) if gpu_layers else 1
        return Layout(context_tokens, kv_type, gpu_layers, experts, self._sequences, batch, gpus=gpus)

    def _plan(self, layout: Layout, choice: str) -> Plan:
        room = self._room
        free = room.free_bytes
        if layout.gpu_layers and not room.shares:
            free += sum(gpu.free_bytes for gpu in room.gpus)
        return Plan(
            layout.context_tokens,
            layout.kv_type,
            layout.gpu_layers,
            layout.sequences,
            self._estimate(layout).total,
            free,
            choice,
            layout.batch_tokens,
            layout.experts_on_cpu,
            layout.repack,
            layout.gpus,
        )

    def _affordable_sequences(self) -> int:
        """Recurrent layers keep a state for each sequence, used or not."""
        state = sum(self._shape.state_bytes)
        counts = range(1 + MOST_SEQUENCES, 1, -1)
        limit = self._room.spare() // STATE_SHARE if self._room.free_bytes else state * counts[0]
        return next((count for count in counts if count * state <= limit), 1)


def _rounded(tokens: int) -> int:
    """A context as llama.cpp makes it."""
    return -(-tokens // CELLS_STEP) * CELLS_STEP


def _reserve(total_bytes: int) -> int:
    return min(max(total_bytes // RESERVE_PART, LEAST_RESERVE_BYTES), MOST_RESERVE_BYTES)


def _spare(free_bytes: int, total_bytes: int) -> int:
    return max(0, free_bytes - _reserve(total_bytes or free_bytes))
