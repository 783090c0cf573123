"""Memory estimate and layout: choose context, KV type and GPU layers so that a model fits.

Figures come from a formula over the model's header, or from llama.cpp itself in a throw-away process. `LoadPlan.choice`
gives the reason for the layout.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from app.core.lazy_dataclasses import dataclass
from app.engine.contract import Engine
from app.engine.model_shape import BLIND, CELLS_STEP, VALUE_BYTES, MemoryNeeds, ModelLayout, ModelShape
from app.engine.protocol import Wish

KV_TYPES = tuple(VALUE_BYTES)


MOST_SEQUENCES = 8  # beside the chat's own, which is sequence 0
BATCH_TOKENS, GPU_BATCH_TOKENS = 256, 512  # 256 is as fast on processors, with finer progress and half the scratch
DEFAULT_CONTEXT_TOKENS = 8192
# Below 512 tokens a question with its answer has no room.
CONTEXT_FLOORS = (2048, 512)  # a useful conversation; the least that answers a question
NEAR = 0.8  # of what may be used; the formula is within a few percent, its scratch memory within 40
STATE_SHARE = 8  # recurrent states of all sequences take at most this part of what is free

CHECKPOINT_SHARE = 8  # checkpoints take at most this part of what a loaded model leaves
MOST_CHECKPOINT_BYTES, LEAST_CHECKPOINT_BYTES = 1 << 30, 64 << 20

# Left to everybody else: a sixteenth of the memory, but at least what a browser tab takes when it wakes up (the
# answer grows nothing after loading), and not more than a gigabyte, which is llama.cpp's own margin for a device.
RESERVE_PART, LEAST_RESERVE_BYTES, MOST_RESERVE_BYTES = 16, 256 * 2**20, 2**30

FITS, ASKED, REMEMBERED, TIGHT = "fits", "asked", "remembered", "tight"
KV_REDUCED, CONTEXT_REDUCED = "kv_reduced", "context_reduced"
EXPERTS_APART, LAYERS_REDUCED, CPU_ONLY = "experts_apart", "layers_reduced", "cpu_only"
FEWER_LAYERS, SMALLER_CONTEXT, CPU = "fewer_layers", "smaller_context", "cpu"

Estimate = Callable[[ModelLayout], MemoryNeeds]


class DoesNotFit(Exception):
    """Not even the smallest form fits, with what is left to others; the caller knows which file it is."""

    def __init__(self, needed_bytes: int, free_bytes: int, layout: ModelLayout) -> None:
        super().__init__(f"{needed_bytes} bytes needed, {free_bytes} free")
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes
        self.layout = layout


@dataclass(frozen=True)
class GpuRoom:
    """A GPU that may be used. `shared`: its memory is the main memory."""

    name: str
    # "free" as the system says; what of it a model may take is `spare`.
    description: str
    free_bytes: int
    total_bytes: int
    shared: bool = False


@dataclass(frozen=True)
class MemoryRoom:
    """Free and all memory; 0 where it is not known, which then limits nothing."""

    free_bytes: int
    total_bytes: int
    gpus: tuple[GpuRoom, ...] = ()

    def spare(self) -> int:
        """Return the bytes of main memory a model may use."""
        return _spare_bytes(self.free_bytes, self.total_bytes)

    def reserve(self) -> int:
        """Return the bytes of main memory left to other programs."""
        return _reserve_bytes(self.total_bytes or self.free_bytes)

    def gpu_spare(self) -> int:
        """Return the bytes a model may use on all GPUs together."""
        return sum(_spare_bytes(gpu.free_bytes, gpu.total_bytes) for gpu in self.gpus)

    @property
    def shares(self) -> bool:
        """True if a GPU's memory is part of main memory."""
        return any(gpu.shared for gpu in self.gpus)


@dataclass(frozen=True)
class LoadPlan(ModelLayout):
    """Layout a model is loaded with, and why.

    `choice` is one of fits, asked, remembered, kv_reduced, experts_apart, layers_reduced, cpu_only, context_reduced and
    tight (weights exceed free memory and are read from disk again and again: works, slowly). `gpu_layers` counts as
    llama.cpp does: layers + 1 is everything. `gpu_missed` is empty, or why a requested GPU isn't used: no_device,
    no_memory or load_failed. `steps` lists the fallbacks taken: fewer_layers, smaller_context, cpu.
    """

    needed_bytes: int = 0
    free_bytes: int = 0
    choice: str = FITS
    steps: tuple[str, ...] = ()
    gpu_missed: str = ""
    device: str = ""
    threads: int = 0
    checkpoint_bytes: int = 0
    """What checkpoints may come to take, part of `needed_bytes`."""

    @property
    def layout(self) -> ModelLayout:
        """The layout alone: what is loaded how, without why."""
        return ModelLayout(**{field.name: getattr(self, field.name) for field in dataclasses.fields(ModelLayout)})


def plan_layout(layout: ModelLayout, shape: ModelShape, needs: MemoryNeeds, room: MemoryRoom, choice: str) -> LoadPlan:
    """Return a layout as a plan, with its needs, the free memory and the reason for the choice."""
    free = room.free_bytes
    if layout.gpu_layers and not room.shares:
        free += sum(gpu.free_bytes for gpu in room.gpus)
    left = max(0, room.free_bytes - (needs.total if room.shares else needs.main))
    kept = min(shape.most_checkpoint_bytes(layout), checkpoint_budget_bytes(left))
    return LoadPlan(
        **vars(layout), needed_bytes=needs.total + kept, free_bytes=free, choice=choice, checkpoint_bytes=kept
    )


def checkpoint_budget_bytes(free_bytes: int) -> int:
    """Return what checkpoints may take of so many free bytes of main memory; 0 free means that nobody knows."""
    return min(max(free_bytes // CHECKPOINT_SHARE, LEAST_CHECKPOINT_BYTES), MOST_CHECKPOINT_BYTES)


def choose_plan(shape: ModelShape, wish: Wish, room: MemoryRoom, estimate: Estimate | None = None) -> LoadPlan:
    """Return the best plan that fits; raises DoesNotFit. `estimate` replaces the formula where better numbers are
    known.
    """
    return _LayoutChooser(shape, wish, room, estimate or shape.memory_needs).choose()


def corrected_estimate(shape: ModelShape, asked: ModelLayout, measured: MemoryNeeds) -> Estimate:
    """Return an estimate that scales the formula by its error for the layout llama.cpp was asked about."""
    alone = dataclasses.replace(shape, eyes=BLIND)  # llama.cpp was asked about the model
    formula = dataclasses.asdict(alone.memory_needs(asked))
    # Part by part: the formula may be right about weights and wrong about scratch memory.
    off = {name: getattr(measured, name) / value if value else 1.0 for name, value in formula.items()}

    def estimate(layout: ModelLayout) -> MemoryNeeds:
        if layout == asked:
            return shape.eyes.added_to(measured, layout)
        scaled = {
            name: int(value * off[name]) for name, value in dataclasses.asdict(alone.memory_needs(layout)).items()
        }
        return shape.eyes.added_to(MemoryNeeds(**scaled), layout)

    return estimate


def is_near(plan: LoadPlan, needs: MemoryNeeds, room: MemoryRoom) -> bool:
    """Return whether a plan is so near to a limit, or so changed, that llama.cpp's own numbers should be asked."""
    if plan.choice not in (FITS, ASKED):
        return True
    main = needs.total if room.shares else needs.main
    near_main = bool(room.free_bytes) and main > NEAR * room.spare()
    return near_main or (plan.gpu_layers > 0 and needs.gpu > NEAR * room.gpu_spare())


def next_step(plan: LoadPlan, shape: ModelShape, wish: Wish, room: MemoryRoom, *, had_model: bool) -> LoadPlan | None:
    """Return what to try after llama.cpp refused `plan`; None when there is nothing left.

    GPU, then half of its layers or as many as `room` has memory for now, then a smaller context, then no GPU, then
    smaller contexts there. `had_model` tells that the weights were loaded and only the context was refused: without it,
    its size was not the reason.
    """
    if plan.gpu_layers > 0:
        # Half of the layers once, and no further: each attempt takes as long as loading.
        fewer = min(plan.gpu_layers // 2, _most_layers(plan, shape, room))
        if FEWER_LAYERS not in plan.steps and fewer:
            return _changed_plan(plan, shape, FEWER_LAYERS, gpu_layers=fewer)
        if had_model and SMALLER_CONTEXT not in plan.steps and plan.context_tokens > CONTEXT_FLOORS[-1]:
            return _smaller_plan(plan, shape, wish)
        try:
            # Planned anew for main memory: the plan for the GPU says nothing about it.
            on_cpu = choose_plan(shape, dataclasses.replace(wish, gpu_layers=0), dataclasses.replace(room, gpus=()))
        except DoesNotFit:
            return None
        return dataclasses.replace(on_cpu, choice=CPU_ONLY, steps=(*plan.steps, CPU))
    if had_model and plan.context_tokens > CONTEXT_FLOORS[-1]:
        return _smaller_plan(plan, shape, wish)
    return None


def _most_layers(plan: LoadPlan, shape: ModelShape, room: MemoryRoom) -> int:
    """Return how many layers of a plan the GPUs have memory for, by the formula."""
    layouts = (dataclasses.replace(plan.layout, gpu_layers=layers) for layers in range(plan.gpu_layers, 0, -1))
    return next((it.gpu_layers for it in layouts if shape.memory_needs(it).gpu <= room.gpu_spare()), 0)


def _smaller_plan(plan: LoadPlan, shape: ModelShape, wish: Wish) -> LoadPlan:
    """Halve the context, and go back to f16 if q8_0 was our own choice: the device may not support it."""
    context = max(_round_context(plan.context_tokens // 2), CONTEXT_FLOORS[-1])
    return _changed_plan(plan, shape, SMALLER_CONTEXT, context_tokens=context, kv_type=wish.kv_type or KV_TYPES[0])


def _changed_plan(plan: LoadPlan, shape: ModelShape, step: str, **changes: object) -> LoadPlan:
    # A step that is taken again is told once.
    steps = plan.steps if step in plan.steps[-1:] else (*plan.steps, step)
    choice = LAYERS_REDUCED if step == FEWER_LAYERS else CONTEXT_REDUCED
    changed = dataclasses.replace(plan, steps=steps, choice=choice, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(
        changed, needed_bytes=shape.memory_needs(changed.layout).total + changed.checkpoint_bytes
    )


class _LayoutChooser:
    """The order of preference. `_all` is how many layers would go to the GPU if everything fitted."""

    def __init__(self, shape: ModelShape, wish: Wish, room: MemoryRoom, estimate: Estimate) -> None:
        self._shape, self._wish, self._room, self._estimate = shape, wish, room, estimate
        # One more than layers: the output.
        asked = wish.gpu_layers if wish.gpu_layers >= 0 else shape.layers + 1
        self._all = min(asked, shape.layers + 1) if room.gpus else 0
        wanted = wish.context_tokens or DEFAULT_CONTEXT_TOKENS
        # A context beyond what the model was trained with gives nonsense.
        self._wanted = min(
            _round_context(wanted), _round_context(shape.trained_context_tokens) or _round_context(wanted)
        )
        offered = KV_TYPES if shape.takes_q8 and any(shape.kv_values) else KV_TYPES[:1]
        self._kv_types = (wish.kv_type,) if wish.kv_type in KV_TYPES else offered
        self._may_predict = wish.drafts and shape.predictor is not None
        self._sequences = self._affordable_sequences()

    def choose(self) -> LoadPlan:
        return (
            self._plan_as_wanted()
            or self._plan_experts_apart()
            or self._fewer_layers()
            or self._without_gpu()
            or self._plan_shorter_context()
            or self._plan_mapped_weights()
        )

    def _plan_as_wanted(self) -> LoadPlan | None:
        """Return the requested layout, with a smaller KV type if needed; None if it doesn't fit."""
        # Before fewer layers: q8_0 costs hardly any quality, a layer on the processor much speed.
        for kv_type in self._kv_types:
            layout = self._make_layout(self._wanted, kv_type, self._all)
            # Guessed words are the first thing to do without.
            if self._may_predict and self._fits(predicting := dataclasses.replace(layout, predicts=True)):
                layout = predicting
            if self._fits(layout):
                chosen = ASKED if not self._wish.is_open else FITS
                return self._make_plan(layout, chosen if kv_type == self._kv_types[0] else KV_REDUCED)
        return None

    def _plan_experts_apart(self) -> LoadPlan | None:
        """Return all layers on the GPU with as few expert tensors in main memory as possible; None if that never fits.

        A token goes through few experts but through all the rest of a layer, so they are what a GPU misses least.
        """
        for kv_type in self._kv_types if self._all else ():
            everything = self._make_layout(self._wanted, kv_type, self._all, apart=True)
            low, high = 1, everything.cpu_experts
            while low < high:  # the GPU needs less with each that leaves it
                middle = (low + high) // 2
                tried = dataclasses.replace(everything, cpu_experts=middle)
                if self._estimate(tried).gpu <= self._room.gpu_spare():
                    high = middle
                else:
                    low = middle + 1
            layout = dataclasses.replace(everything, cpu_experts=low)
            if everything.cpu_experts and self._fits(layout):
                return self._make_plan(layout, EXPERTS_APART)
        return None

    def _fewer_layers(self) -> LoadPlan | None:
        for kv_type in self._kv_types:
            for layers in range(self._all - 1, 0, -1):
                if self._fits(layout := self._make_layout(self._wanted, kv_type, layers, apart=True)):
                    return self._make_plan(layout, LAYERS_REDUCED)
        return None

    def _without_gpu(self) -> LoadPlan | None:
        for kv_type in self._kv_types if self._all else ():
            if self._fits(layout := self._make_layout(self._wanted, kv_type, 0)):
                return self._make_plan(layout, CPU_ONLY)
        return None

    def _plan_shorter_context(self) -> LoadPlan | None:
        """Return the longest context that fits, in the smallest KV type; layers on the GPU before length."""
        # Longest in the first floor: a usable conversation on the processor beats a short one on the GPU.
        for floor in CONTEXT_FLOORS:
            for layers in range(self._all, -1, -1):
                if (layout := self._longest_layout(floor, layers)) is not None:
                    return self._make_plan(layout, CONTEXT_REDUCED)
        return None

    def _longest_layout(self, floor: int, layers: int) -> ModelLayout | None:
        low, high = min(floor, self._wanted) // CELLS_STEP, self._wanted // CELLS_STEP
        # Not even the floor fits: the next one is tried.
        if not self._fits(self._make_layout(low * CELLS_STEP, self._kv_types[-1], layers, apart=True)):
            return None
        while low < high:  # the needs grow with the length
            middle = (low + high + 1) // 2
            if self._fits(self._make_layout(middle * CELLS_STEP, self._kv_types[-1], layers, apart=True)):
                low = middle
            else:
                high = middle - 1
        return self._make_layout(low * CELLS_STEP, self._kv_types[-1], layers, apart=True)

    def _plan_mapped_weights(self) -> LoadPlan:
        """Weights that stay in the file and are read as they are needed; only the rest must really fit."""
        smallest = self._make_layout(min(CONTEXT_FLOORS[-1], self._wanted), self._kv_types[-1], 0)
        mapped = dataclasses.replace(smallest, repack=False)
        # Mapped weights can be dropped and read again, so they have to fit into all memory, not into what is free.
        total = self._room.total_bytes
        if total and self._estimate(mapped).weights <= total - _reserve_bytes(total):
            for floor in CONTEXT_FLOORS:
                layout = dataclasses.replace(mapped, context_tokens=min(floor, self._wanted))
                needs = self._estimate(layout)
                if needs.kv + needs.compute + self._shape.eyes.weights <= self._room.spare():
                    return self._make_plan(layout, TIGHT)
        needed = self._estimate(smallest).total + self._room.reserve()
        raise DoesNotFit(needed, self._room.free_bytes, smallest)

    def _fits(self, layout: ModelLayout) -> bool:
        needs, room = self._estimate(layout), self._room
        main = needs.total if room.shares else needs.main
        # Fewer checkpoints are made where there is little room, but some.
        main += min(self._shape.most_checkpoint_bytes(layout), LEAST_CHECKPOINT_BYTES)
        fits = not room.free_bytes or main <= room.spare()
        return fits and (not layout.gpu_layers or needs.gpu <= room.gpu_spare())

    def _make_layout(self, context_tokens: int, kv_type: str, gpu_layers: int, *, apart: bool = False) -> ModelLayout:
        """Return a layout of these values; with `apart` the experts of layers on the GPU stay in main memory."""
        batch = GPU_BATCH_TOKENS if gpu_layers else BATCH_TOKENS
        experts = self._wish.experts_on_cpu and self._shape.is_mixture and gpu_layers > 0
        gpus = len(self._room.gpus) if gpu_layers else 1
        whole = self._shape.eyes.whole_tokens
        layout = ModelLayout(
            context_tokens,
            kv_type,
            gpu_layers,
            experts,
            sequences=self._sequences,
            batch_tokens=batch,
            gpus=gpus,
            picture_tokens=whole,
        )
        if not apart or experts or not gpu_layers:
            return layout
        return dataclasses.replace(layout, cpu_experts=len(self._shape.movable_experts(layout)))

    def _make_plan(self, layout: ModelLayout, choice: str) -> LoadPlan:
        return plan_layout(layout, self._shape, self._estimate(layout), self._room, choice)

    def _affordable_sequences(self) -> int:
        """Return how many sequences fit. Recurrent layers hold a state for each, used or not."""
        state = sum(self._shape.state_bytes)
        # From all down to two; one is what is left.
        counts = range(1 + MOST_SEQUENCES, 1, -1)
        limit = self._room.spare() // STATE_SHARE if self._room.free_bytes else state * counts[0]
        return next((count for count in counts if count * state <= limit), 1)


def _round_context(tokens: int) -> int:
    """Round a context up to whole steps of cells, as llama.cpp does."""
    return -(-tokens // CELLS_STEP) * CELLS_STEP


def _reserve_bytes(total_bytes: int) -> int:
    return min(max(total_bytes // RESERVE_PART, LEAST_RESERVE_BYTES), MOST_RESERVE_BYTES)


def _spare_bytes(free_bytes: int, total_bytes: int) -> int:
    return max(0, free_bytes - _reserve_bytes(total_bytes or free_bytes))


def gpus_of(engine: Engine) -> tuple[GpuRoom, ...]:
    """Return the GPUs found by the engine's child, which this starts."""
    return tuple(
        GpuRoom(device.name, device.description, device.free_bytes, device.total_bytes, device.type == "igpu")
        for device in engine.describe_devices().devices
        if device.type in ("gpu", "igpu")
    )
