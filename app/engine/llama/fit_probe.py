"""The throw-away process that asks llama.cpp what a model would take, without giving it any; it may abort.

`app.engine.fit` starts it with `--fit-probe`; it answers one request. It measures the
speed of memory as well, which takes more memory than the window should ever have.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.core.child import claim_wire
from app.core.errors.engine_errors import OwnLibraryRefused
from app.core.gguf import read_complete
from app.core.wire import Caged, ParentSide, check_request
from app.engine import memory_speed
from app.engine.llama.llama_library import LlamaLibrary, open_library
from app.engine.llama.model import c_path
from app.engine.llama.model_parameters import ModelParameters, context_parameters, prediction_parameters
from app.engine.memory_probe import (
    PROBE_WIRE,
    Answer,
    FitProbe,
    LibraryTried,
    MemorySpeed,
    ProbeMemory,
    TryLibrary,
)
from app.engine.model_cage import cage_probe
from app.engine.model_shape import MemoryNeeds, ModelLayout, ModelShape, shape_of

MIB = 2**20

_LAYER = re.compile(r"load_tensors: layer +(\d+) assigned to device ([^,]+),")
_CONTEXT_PART = re.compile(r"llama_(?:kv_cache|memory_recurrent)[^:]*: size = +([\d.]+) MiB")
_SCRATCH = re.compile(r": +(\S+) +(?:compute|output) buffer size = +([\d.]+) MiB")


def main(_arguments: list[str]) -> int:
    """Run `--fit-probe`: answer one request. The process ends when its parent does."""
    parent = ParentSide(PROBE_WIRE, *claim_wire())
    parent.send_greeting()
    request = check_request(next(parent.read_requests()))
    # Before anything of the file is read: of one that was not downloaded yet it is the beginning, by a stranger.
    parent.send_reply(Caged(cage_probe(_granted_place(request))))
    # The answer is waited for on this thread; the parent's end has to be heard on another.
    parent.leave_with_parent(lambda _request: None)
    answer = _answer_request(request)
    if answer is not None:
        parent.send_reply(answer)
    sys.stderr.flush()
    os._exit(0 if answer is not None else 1)


def _granted_place(request: FitProbe | ProbeMemory | TryLibrary) -> str:
    if isinstance(request, ProbeMemory):
        return ""
    return request.path if isinstance(request, FitProbe) else request.folder


def _answer_request(request: FitProbe | ProbeMemory | TryLibrary) -> Answer | None:
    if isinstance(request, ProbeMemory):
        return MemorySpeed(memory_speed.measure_memory_speed(request.cores))
    if isinstance(request, TryLibrary):
        try:
            return LibraryTried(open_library().version)
        except OwnLibraryRefused as refused:
            return LibraryTried("", refused.reason, refused.detail)
    return measure_needs(open_library(), request.path, request.layout, request.gpus, request.split)


def measure_needs(
    library: LlamaLibrary, path: str, layout: ModelLayout, gpus: Sequence[str] = (), split: Sequence[float] = ()
) -> MemoryNeeds | None:
    """Load without allocating and return llama.cpp's memory figures; None if it refuses."""
    c = library.c
    with Path(path).open("rb") as file:
        shape = shape_of(read_complete(file, os.fstat(file.fileno()).st_size))
    parameters = ModelParameters(library, shape, layout, gpus, split=split)
    # With memory-mapped loading llama.cpp ends over an assertion (no_alloc wants LLAMA_LOAD_MODE_NONE).
    parameters.value.no_alloc = True
    parameters.value.load_mode = c.LLAMA_LOAD_MODE_NONE
    # It says its figures only in its log.
    with library.hearing_everything() as heard:
        model = c.llama_model_load_from_file(c_path(path), parameters.value)
        context = c.llama_init_from_model(model, context_parameters(library, layout, 1)) if model else None
        if context and layout.predicts:
            c.llama_init_from_model(model, prediction_parameters(library, layout, 1))
    if not context:
        return None
    return needs_from_log("".join(heard), shape, layout, gpus)


def needs_from_log(log: str, shape: ModelShape, layout: ModelLayout, gpus: Sequence[str]) -> MemoryNeeds:
    """Sums up a log: what it says in bytes, and the weights by the device it gave to each layer.

    Without memory, llama.cpp gives weights no buffers whose size could be read.
    """
    on_gpu = {int(layer) for layer, device in _LAYER.findall(log) if device in gpus}
    scratch = [(name, _mebibytes_to_bytes(size)) for name, size in _SCRATCH.findall(log)]
    context = sum(_mebibytes_to_bytes(size) for size in _CONTEXT_PART.findall(log))
    # A log line says a context's size for all layers together, so it is shared out by the formula.
    by_layer = shape.kv_bytes(layout)
    gpu_part = sum(size for layer, size in enumerate(by_layer) if layer in on_gpu)
    gpu_kv = context * gpu_part // (sum(by_layer) or 1)
    return MemoryNeeds(
        _weight_bytes(shape, layout, on_gpu)[0],
        context - gpu_kv,
        sum(size for name, size in scratch if name not in gpus),
        _weight_bytes(shape, layout, on_gpu)[1],
        gpu_kv,
        sum(size for name, size in scratch if name in gpus),
    )


def _weight_bytes(shape: ModelShape, layout: ModelLayout, on_gpu: set[int]) -> tuple[int, int]:
    """Return the weights' bytes in main memory and on GPUs."""
    on_processor = dataclasses.replace(layout, gpu_layers=0, experts_on_cpu=False, cpu_experts=0)
    everything = shape.memory_needs(on_processor).weights
    experts = shape.expert_weights if layout.experts_on_cpu else (0,) * shape.layers
    moved = sum(shape.layer_weights[layer] - experts[layer] for layer in on_gpu if layer < shape.layers)
    moved -= sum(tensor.size_bytes for tensor in shape.experts_apart(layout) if tensor.layer in on_gpu)
    # Layer number `layers` is the output.
    if shape.layers not in on_gpu:
        return everything - moved, moved
    second = shape.tied_weights if layout.repack and shape.tied_repacked else 0
    on_cpu = everything - moved - shape.output_weights - second
    return on_cpu, moved + shape.output_weights + shape.tied_weights


def _mebibytes_to_bytes(mebibytes: Any) -> int:
    return int(float(mebibytes) * MIB)
