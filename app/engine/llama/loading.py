"""Open a model and its context as planned, falling back step by step and reporting each step."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.core.errors.model_errors import ModelLoadFailed, ModelTooLarge, ProjectorRefused
from app.core.events import LoadProgress, Placed
from app.core.gguf import GgufHeader, check_projector
from app.core.lazy_dataclasses import dataclass
from app.core.wire import EventReply
from app.engine import computer, fit, memory_probe, protocol
from app.engine.backend import EngineJob
from app.engine.computer import JsonCache, key_of
from app.engine.fit import GpuRoom, LoadPlan, MemoryRoom
from app.engine.llama import devices
from app.engine.llama.eyes import VisionEncoder, open_eyes
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.llama.model import Model, load_model
from app.engine.llama.model_parameters import (
    BorrowedDevices,
    ModelParameters,
    context_parameters,
    prediction_parameters,
)
from app.engine.llama.prediction_context import can_predict
from app.engine.llama.template_process import TemplateProcess
from app.engine.llama.tiles import TileNumbers
from app.engine.model_shape import MemoryNeeds, ModelLayout, shape_of
from app.engine.predicted_drafts import PredictionRest
from app.engine.protocol import Device
from app.engine.rpc_machines import watch_connections
from app.engine.states import model_identity
from app.engine.tuning import FLASH_AUTO, ModelTuning, TuningTable

REMEMBERED_FILE = "loading.json"  # in the child's own working folder
PROJECTOR = "projector"  # the step of the ladder, or rather beside it, that a crash is told apart by
# Each is a process of its own, which nobody should wait for long.
MOST_PROBES = 2
CPU_DEVICE = "CPU"
MIB = 2**20
_LAYER = re.compile(r"load_tensors: layer +\d+ assigned to device ([^,]+),")
_WEIGHTS = re.compile(r"load_tensors: +(\S+) model buffer size = +([\d.]+) MiB")
MORE_FREE = 1.25  # with so much more memory free, what once had to be reduced is tried in full again


@dataclass(frozen=True)
class OpenedModel:
    """A model and its context (llama.cpp's pointer; the caller frees both, and the projector) with the plan used."""

    model: Model
    context: Any
    context_tokens: int
    plan: LoadPlan
    placement: tuple[Placed, ...] = ()
    machines_missed: tuple[str, ...] = ()
    # Numbers of pictures are those of one model: another would count other tokens for each.
    tiles: TileNumbers = dataclasses.field(default_factory=TileNumbers)
    eyes: VisionEncoder | None = None
    devices: tuple[str, ...] = ()
    """Devices that it may use, named and described: what was measured holds for these."""
    tuning: ModelTuning | None = None
    """What was measured here earlier, if its values are in force."""
    prediction: tuple[Any, Any] | None = None
    """llama.cpp's pointer of the context for multi-token prediction and its parameters, if the plan has one."""
    integrated: str = ""
    """Name of the integrated GPU that nobody asked for, which a tuning may leave out."""
    rest: PredictionRest = PredictionRest()
    rest_key: str = ""
    """Under which the rest is remembered in `REMEMBERED_FILE`."""

    @property
    def held(self) -> set[str]:
        """Names of the devices that hold parts of it."""
        return {placed.device for placed in self.placement}


def open_model(
    library: LlamaLibrary,
    request: protocol.LoadModel,
    header: GgufHeader,
    job: EngineJob,
    *,
    freed_bytes: int = 0,
    give_up: Callable[[], None] = lambda: None,
    folder: Path | None = None,
    borrowed: BorrowedDevices | None = None,
    held: Collection[str] = (),
    renderer: TemplateProcess | None = None,
) -> OpenedModel | None:
    """Open the model in the best layout that fits; None if cancelled.

    `give_up` frees the replaced model, and with it about `freed_bytes`; it is called once the new one is known to fit,
    after `Loading` with fraction 0. Raises ModelTooLarge (usually before that) and ModelLoadFailed with llama.cpp's
    last words. `folder` holds the cache, by default the working directory. `borrowed` knows RPC workers, `held` are the
    devices of the replaced model, `renderer` is the process of the file's template.
    """
    borrowed = borrowed or BorrowedDevices(library)
    opening = _ModelOpening(
        library, request, header, job, folder or Path.cwd(), borrowed=borrowed, held=held, renderer=renderer
    )
    return opening.open(freed_bytes, give_up)


class _ModelOpening:
    def __init__(
        self,
        library: LlamaLibrary,
        request: protocol.LoadModel,
        header: GgufHeader,
        job: EngineJob,
        folder: Path,
        *,
        borrowed: BorrowedDevices,
        held: Collection[str],
        renderer: TemplateProcess | None,
    ) -> None:
        self._library, self._request, self._job, self._borrowed = library, request, job, borrowed
        self._wish = wish = request.wish
        self._projector = check_projector(Path(wish.projector), request.path) if wish.projector else None
        self._header, self._renderer = header, renderer
        # Where a projector lies decides which memory it takes, so it is part of the shape.
        self._shape = shape_of(header, self._projector, projector_on_cpu=wish.projector_on_cpu)
        if not can_predict(library):
            self._shape = dataclasses.replace(self._shape, predictor=None)
        lent, missed = borrowed.find_devices(request.machines, held)
        self._lent, self._unreached = lent, tuple(problem.address for problem in missed)
        self._found = devices.list_devices(library) + lent
        # 0 layers is the wish for the processor alone.
        self._gpus = () if wish.gpu_layers == 0 else self._gpu_rooms(self._found, wish.devices)
        names, split = self._names, wish.tensor_split
        # Shares are given for the devices of a wish; those that aren't there are left out, and llama.cpp scales the
        # rest.
        self._split = [share for name, share in zip(wish.devices or names, split, strict=False) if name in names]
        self._folder = folder
        self._remembered = JsonCache(folder / REMEMBERED_FILE)
        self._model: Model | None = None
        self._prediction: tuple[Any, Any] | None = None
        self._integrated = ""
        self._rest, self._rest_key = PredictionRest(), ""
        self._tiles = TileNumbers()
        self._eyes: VisionEncoder | None = None
        self._placement: tuple[object, ...] = ()
        self._placed: tuple[Placed, ...] = ()
        self._missed: tuple[str, ...] = ()
        self._tuning: ModelTuning | None = None

    def open(self, freed_bytes: int, give_up: Callable[[], None]) -> OpenedModel | None:
        self._take_machines(freed_bytes)
        # Planned before the old model goes: a file that does not fit must leave it where it is.
        planned = self._first_plan(self._memory_room(freed_bytes))
        if self._job.cancelled:
            return None
        self._report_progress(0.0)
        give_up()
        self._library.forget_words()
        planned_for, self._gpus = self._gpus, self._gpus_now()
        room = self._memory_room()
        # The old model is gone now, and how much it really gave back is better known than planned; or another program
        # has taken a GPU's memory meanwhile.
        is_as_planned = freed_bytes == 0 and self._gpus == planned_for
        plan: LoadPlan | None = planned if is_as_planned else self._first_plan(room)
        while plan is not None:
            context = self._try_plan(plan)
            if self._job.cancelled:
                self._drop_context(context)
                return None
            if context and self._model is not None:
                return self._make_opened_model(plan, context)
            # What was free a moment ago may be another program's now.
            self._gpus = self._gpus_now()
            plan = self._plan_after(plan, self._memory_room())
            if plan is not None:
                self._report_progress(0.0, plan.steps[-1] if plan.steps else "")
        self._drop_context(None)
        raise ModelLoadFailed(self._request.path, self._library.last_words())

    def _take_machines(self, freed_bytes: int) -> None:
        """Use RPC workers if named, or if this computer lacks the memory: a network is slower."""
        wish, named = self._wish, self._wish.devices
        # Named ones that are missing are told even if there is enough memory here.
        self._missed = tuple(address for address in self._unreached if address in named)
        if self._request.machines and not named and wish.gpu_layers != 0 and not self._fits_here(freed_bytes):
            # Any of those that did not answer could have helped.
            self._missed = self._unreached
            self._gpus += self._gpu_rooms(self._lent, [device.name for device in self._lent])
        # Whatever changes which plan works: another file, build, device or wish starts anew.
        described = [device.name + device.description for device in self._found]
        facts = (self._library.version, described, self._names)
        self._key = key_of(model_identity(Path(self._request.path)), *facts, wish)
        self._devices = (*described, *self._names)
        self._integrated = self._integrated_gpu()
        self._tuning = self._find_tuning()
        if self._tuning is not None and self._tuning.on_cpu:
            self._gpus = ()
        self._rest_key = key_of(
            "guesses", model_identity(Path(self._request.path)), self._library.version, self._devices
        )
        if self._shape.predictor is not None:
            self._rest = self._find_rest()
        # What guesses cost more than they gained here: not even the layer is loaded, until they are tried again.
        if self._rest.answers:
            self._shape = dataclasses.replace(self._shape, predictor=None)

    def _find_rest(self) -> PredictionRest:
        entry = self._remembered.find(self._rest_key) or {}
        try:
            return PredictionRest(int(entry["answers"]), max(1, int(entry["next_answers"])))
        except (KeyError, TypeError, ValueError):
            return PredictionRest()

    def _find_tuning(self) -> ModelTuning | None:
        """Return the tuning for this model, these devices and this build, if it changes anything."""
        table = TuningTable(self._folder)
        found = table.find(Path(self._request.path), self._library.version, self._devices)
        is_used = found is not None and found.is_faster and (self._integrated or not found.on_cpu)
        return found if is_used else None

    def _integrated_gpu(self) -> str:
        """Return the name of the integrated GPU if that is all that is used, and nobody asked for it."""
        if self._wish.gpu_layers >= 0 or self._wish.devices or len(self._gpus) != 1:
            return ""
        name = self._gpus[0].name
        return name if any(device.name == name and devices.is_integrated(device) for device in self._found) else ""

    def _gpu_rooms(self, found: Sequence[Device], names: Sequence[str]) -> tuple[GpuRoom, ...]:
        """Return the GPUs; one lent to ourselves shares its memory with this computer."""
        gpus = devices.usable_gpus(found, names)
        return tuple(dataclasses.replace(gpu, shared=gpu.shared or self._borrowed.is_here(gpu.name)) for gpu in gpus)

    def _gpus_now(self) -> tuple[GpuRoom, ...]:
        """Return the GPUs with the memory that is free now; lent ones can't be asked again while a model is there."""
        free = {device.name: device.free_bytes for device in devices.list_devices(self._library)} if self._gpus else {}
        return tuple(dataclasses.replace(gpu, free_bytes=free.get(gpu.name, gpu.free_bytes)) for gpu in self._gpus)

    def _fits_here(self, freed_bytes: int) -> bool:
        try:
            plan = fit.choose_plan(self._shape, self._wish, self._memory_room(freed_bytes))
        except fit.DoesNotFit:
            return False
        return plan.choice not in (fit.CONTEXT_REDUCED, fit.TIGHT)

    @property
    def _names(self) -> list[str]:
        return [gpu.name for gpu in self._gpus]

    def _memory_room(self, freed_bytes: int = 0) -> MemoryRoom:
        free, total = computer.free_memory_bytes(), computer.total_memory_bytes()
        # A free of 0 means that it isn't known: then nothing is added to it.
        return MemoryRoom(free and min(free + freed_bytes, total or free + freed_bytes), total, self._gpus)

    def _first_plan(self, room: MemoryRoom) -> LoadPlan:
        """Return what worked last time, else the best by formula; near the limit by llama.cpp's own numbers."""
        # A ladder of failures costs seconds per step, so the step that worked is tried first.
        worked = self._remembered_plan(room)
        if worked is not None:
            return worked
        plan: LoadPlan | None = None
        estimate: fit.Estimate | None = None
        # Only near the limit is llama.cpp itself asked, since that starts a process.
        for _ in range(1 + MOST_PROBES):
            problem, former = None, plan
            try:
                plan = fit.choose_plan(self._shape, self._wish, room, estimate)
            except fit.DoesNotFit as refusal:
                plan, problem = None, refusal
            layout = plan.layout if plan else problem.layout if problem else None
            # The same layout twice: another probe would say the same.
            if plan and (self._is_far(plan, room, estimate) or (former and former.layout == layout)):
                return plan
            measured = self._measure_layout(layout) if layout else None
            if measured is None:  # the probe failed: the formula has to do
                break
            estimate = fit.corrected_estimate(self._shape, *measured)
        if plan is None:
            assert problem is not None
            raise ModelTooLarge(self._request.path, problem.needed_bytes, problem.free_bytes) from problem
        return plan

    def _is_far(self, plan: LoadPlan, room: MemoryRoom, estimate: fit.Estimate | None) -> bool:
        return not fit.is_near(plan, (estimate or self._shape.memory_needs)(plan.layout), room)

    def _measure_layout(self, layout: ModelLayout) -> tuple[ModelLayout, MemoryNeeds] | None:
        """Return llama.cpp's figures for a layout, or for one that differs in context length only: one probe serves
        all.
        """
        if any(device.name in self._names for device in self._lent):
            return None  # a computer that holds the model now does not answer to a second process
        key = key_of("needs", self._key, dataclasses.replace(layout, context_tokens=0))
        entry = self._remembered.find(key)
        if entry is not None:
            # Tried out here, as the file can have been written by an older version with other fields.
            try:
                known = ModelLayout(**entry["layout"]), MemoryNeeds(**entry["needs"])
                fit.corrected_estimate(self._shape, *known)(layout)
                return known
            except (KeyError, TypeError, ValueError):
                self._remembered.forget(key)
        path, cancelled = Path(self._request.path).absolute(), self._job.stop.is_set
        needs = memory_probe.probe_file(
            path, layout, self._names, self._split, folder=self._folder, cancelled=cancelled
        )
        if needs is None:
            return None
        self._remembered.put(key, {"layout": dataclasses.asdict(layout), "needs": dataclasses.asdict(needs)})
        return layout, needs

    def _remembered_plan(self, room: MemoryRoom) -> LoadPlan | None:
        """Return the plan that worked last time after others had failed, if it fits now and nothing better could."""
        entry = self._remembered.find(self._key)
        if entry is None:
            return None
        try:
            layout, then_free = ModelLayout(**entry["layout"]), int(entry["free_bytes"])
            layout = dataclasses.replace(layout, predicts=layout.predicts and self._shape.predictor is not None)
            needs = self._shape.memory_needs(layout)
        except (KeyError, TypeError, ValueError):
            self._remembered.forget(self._key)
            return None
        free = room.free_bytes + (sum(gpu.free_bytes for gpu in room.gpus) if layout.gpu_layers else 0)
        # Much more memory than then, so that the full plan could work now; or less than it needs.
        if free > then_free * MORE_FREE or (room.free_bytes and needs.main > room.spare()):
            return None
        return fit.plan_layout(layout, self._shape, needs, room, fit.REMEMBERED)

    def _plan_after(self, plan: LoadPlan, room: MemoryRoom) -> LoadPlan | None:
        """Return the next plan after a failed one. A failed remembered plan is forgotten and planning starts over."""
        if plan.choice == fit.REMEMBERED:
            self._remembered.forget(self._key)
            return self._first_plan(room)
        return fit.next_step(plan, self._shape, self._wish, room, had_model=self._model is not None)

    def _try_plan(self, plan: LoadPlan) -> Any:
        """Return the context's pointer; nothing where the model or the context is refused. Keeps a model that can
        stay.
        """
        # Only these decide where weights lie; a smaller context or another KV type keeps the loaded model.
        placement = (plan.gpu_layers, plan.experts_on_cpu, plan.cpu_experts, plan.repack, plan.predicts)
        if self._model is None or self._placement != placement:
            self._drop_context(None)
            self._model, self._placement = self._load_weights(plan), placement
        if self._model is None or self._job.cancelled:
            return None
        threads = self._wish.threads or computer.default_threads()
        # The projector is loaded once and stays for the next tries: it doesn't depend on the context.
        if self._projector is not None and self._eyes is None:
            self._eyes = self._open_eyes(self._model, plan, threads)
            if self._eyes is None:
                return None
        # Pictures that have to be read in one piece need a batch of that length.
        whole = self._eyes.projector.whole_tokens if self._eyes is not None else 0
        layout = dataclasses.replace(self._tuned_layout(plan), picture_tokens=whole)
        flash = self._tuning.flash if self._tuning is not None else FLASH_AUTO
        c, parameters = self._library.c, context_parameters(self._library, layout, threads, flash)
        context = c.llama_init_from_model(self._model.pointer, parameters)
        if context and layout.predicts:
            parameters = prediction_parameters(self._library, layout, threads, flash)
            # Without it the model answers all the same.
            if pointer := c.llama_init_from_model(self._model.pointer, parameters):
                self._prediction = pointer, parameters
        return context

    def _tuned_layout(self, plan: LoadPlan) -> ModelLayout:
        """Return the plan's layout with the tuned number of tokens at once, where memory is not what decides."""
        if self._tuning is None or plan.choice not in (fit.FITS, fit.ASKED):
            return plan.layout
        return dataclasses.replace(plan.layout, batch_tokens=self._tuning.batch_tokens)

    def _open_eyes(self, model: Model, plan: LoadPlan, threads: int) -> VisionEncoder | None:
        """Load the projector and try it out; None if cancelled."""
        assert self._projector is not None
        self._report_progress(1.0, PROJECTOR)
        on_gpu = plan.gpu_layers > 0 and not self._wish.projector_on_cpu
        lent = {device.name for device in self._lent}
        # Never on a lent device: each picture would cross the network in both directions.
        here = [name for name in self._names if name not in lent][:1]
        handles = devices.find_handles(self._library, here) if on_gpu else []
        # Where the GPU is too full for it, the processor looks: slower, but the text keeps the GPU.
        for device in (*handles, None):
            try:
                eyes = open_eyes(
                    self._library,
                    self._wish.projector,
                    self._projector,
                    model,
                    self._tiles,
                    threads=threads,
                    device=device,
                    cancelled=self._job.stop.is_set,
                )
            except ProjectorRefused as refused:
                if device is None or refused.reason != "no_memory":
                    self._drop_context(None)
                    raise
                continue
            if eyes is not None:
                try:
                    # A projector that doesn't go with the model would otherwise fail at somebody's first picture.
                    eyes.try_out()
                except ProjectorRefused:
                    eyes.close()
                    self._drop_context(None)
                    raise
            return eyes
        return None

    def _load_weights(self, plan: LoadPlan) -> Model | None:
        lent = self._borrowed.device_handles(self._names) if plan.gpu_layers > 0 else {}
        parameters = ModelParameters(
            self._library, self._shape, plan.layout, self._names, split=self._split, borrowed=lent
        )
        step = plan.steps[-1] if plan.steps else ""
        # Which layer went where is only said in the log, at debug level.
        with self._library.hearing_everything() as heard:
            model = load_model(
                self._library,
                self._request.path,
                self._header,
                plan.gpu_layers,
                tell=lambda fraction: self._report_progress(fraction, step),
                cancelled=self._job.stop.is_set,
                parameters=parameters.value,
                renderer=self._renderer,
            )
        self._placed = placement_from_log("".join(heard), self._borrowed.device_names(lent))
        if lent:
            watch_connections()  # ggml does not notice by itself that a connection has died
        return model

    def _make_opened_model(self, plan: LoadPlan, context: Any) -> OpenedModel:
        assert self._model is not None
        tokens = self._library.c.llama_n_ctx(context)  # llama.cpp rounds the size up
        # Remembered only if steps were needed: a plan that worked at once is found again as fast.
        if plan.steps:
            entry = {"layout": dataclasses.asdict(plan.layout), "free_bytes": plan.free_bytes}
            self._remembered.put(self._key, entry)
        plan = dataclasses.replace(
            plan,
            context_tokens=tokens,
            gpu_missed=self._gpu_missed(plan),
            device=self._describe_devices(plan),
            threads=self._wish.threads or computer.default_threads(),
        )
        return OpenedModel(
            self._model,
            context,
            tokens,
            dataclasses.replace(plan, batch_tokens=self._tuned_layout(plan).batch_tokens),
            self._placed,
            self._missed,
            self._tiles,
            self._eyes,
            self._devices,
            self._tuning,
            self._prediction,
            self._integrated,
            self._rest,
            self._rest_key,
        )

    def _gpu_missed(self, plan: LoadPlan) -> str:
        """Return why a requested GPU isn't used; "" if it is."""
        asked = self._wish.gpu_layers > 0 or any(name != "CPU" for name in self._wish.devices)
        if not asked or plan.gpu_layers > 0 or self._wish.gpu_layers == 0:
            return ""
        if not self._gpus:
            return "no_device"
        # What was tried and failed is something else than what was never tried for lack of memory.
        return "load_failed" if fit.CPU in plan.steps or plan.choice == fit.REMEMBERED else "no_memory"

    def _describe_devices(self, plan: LoadPlan) -> str:
        """Descriptions of the devices that are used, as people know them."""
        if plan.gpu_layers > 0:
            return " + ".join(dict.fromkeys(gpu.description for gpu in self._gpus))
        return next((device.description for device in self._found if device.type == "cpu"), "")

    def _report_progress(self, fraction: float, step: str = "") -> None:
        self._job.reply(EventReply(self._request.id, LoadProgress(fraction, step)))

    # The context first: it points into the model.
    def _drop_context(self, context: Any) -> None:
        for pointer in filter(None, (self._prediction and self._prediction[0], context)):
            self._library.c.llama_free(pointer)
        self._prediction = None
        if self._eyes is not None:
            self._eyes.close()
            self._eyes = None
        if self._model is not None:
            self._model.free()
            self._model = None


def placement_from_log(log: str, names: Mapping[str, str]) -> tuple[Placed, ...]:
    """Return what llama.cpp said that it put where, in the order of the layers; `names` are ours for devices that have
    one.

    The output counts as a layer, as everywhere in llama.cpp.
    """
    layers = Counter(names.get(device, device) for device in _LAYER.findall(log))
    sizes: Counter[str] = Counter()
    for buffer, size in _WEIGHTS.findall(log):
        device = names.get(buffer, buffer)  # main memory has buffers of several names
        sizes[device if device in layers else CPU_DEVICE] += int(float(size) * MIB)
    return tuple(Placed(device, layers[device], sizes[device]) for device in {**layers, **sizes})
