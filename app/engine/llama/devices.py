"""The devices ggml can really compute on, and those a model is to use."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from app.engine.computer import (
    default_threads,
    free_memory_bytes,
    on_battery,
    physical_cores,
    thread_policy,
    total_memory_bytes,
)
from app.engine.fit import GpuRoom
from app.engine.llama.library import Library
from app.engine.protocol import Device

__all__ = [
    "default_threads",
    "find_handles",
    "free_memory_bytes",
    "list_backends",
    "list_devices",
    "on_battery",
    "physical_cores",
    "thread_policy",
    "total_memory_bytes",
    "usable_gpus",
]

TYPES = ("cpu", "gpu", "igpu", "accel")
GPU_TYPES = ("gpu", "igpu")
SOFTWARE = "llvmpipe"  # Vulkan on the processor: a "gpu" whose memory is the main memory


def list_devices(library: Library) -> tuple[Device, ...]:
    """Every device ggml can compute on, with its memory."""
    return tuple(device for device, _ in _devices(library))


def usable_gpus(found: Sequence[Device], names: Sequence[str] = ()) -> tuple[GpuRoom, ...]:
    """The GPUs a model is to use: those named, else what llama.cpp takes by itself.

    That is all graphics cards (each once, though two backends may offer it), or the integrated one if there is none.
    """
    gpus = [device for device in found if device.type in GPU_TYPES]
    if names:
        gpus = [device for name in names for device in gpus if device.name == name]
    else:
        gpus = [device for device in gpus if device.type == "gpu"] or gpus
        first_backend: dict[str, str] = {}
        gpus = [d for d in gpus if first_backend.setdefault(d.description, _backend_of(d)) == _backend_of(d)]
    return tuple(
        GpuRoom(gpu.name, gpu.description, gpu.free_bytes, gpu.total_bytes, shared=_shares_memory(gpu)) for gpu in gpus
    )


def find_handles(library: Library, names: Sequence[str]) -> list[int]:
    """ggml's handles of devices, in the order of their names."""
    handles = {device.name: handle for device, handle in _devices(library)}
    return [handles[name] for name in names]


def list_backends(library: Library) -> tuple[str, ...]:
    """Names of the loaded backends."""
    ggml, base = library.ggml, library.base
    ggml.ggml_backend_reg_count.restype = ctypes.c_size_t
    ggml.ggml_backend_reg_get.restype = ctypes.c_void_p
    ggml.ggml_backend_reg_get.argtypes = [ctypes.c_size_t]
    base.ggml_backend_reg_name.restype = ctypes.c_char_p
    base.ggml_backend_reg_name.argtypes = [ctypes.c_void_p]
    registered = [ggml.ggml_backend_reg_get(index) for index in range(ggml.ggml_backend_reg_count())]
    return tuple(base.ggml_backend_reg_name(backend).decode("utf-8", "replace") for backend in registered)


def _devices(library: Library) -> Iterator[tuple[Device, int]]:
    ggml, base = library.ggml, library.base
    ggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    ggml.ggml_backend_dev_get.restype = ctypes.c_void_p
    ggml.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    for name in ("name", "description", "type"):
        function = getattr(base, f"ggml_backend_dev_{name}")
        function.argtypes = [ctypes.c_void_p]
        function.restype = ctypes.c_int if name == "type" else ctypes.c_char_p
    base.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p] + [ctypes.POINTER(ctypes.c_size_t)] * 2
    for index in range(ggml.ggml_backend_dev_count()):
        handle = ggml.ggml_backend_dev_get(index)
        yield _describe(base, handle), handle


def _describe(base: Any, handle: int) -> Device:
    free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
    base.ggml_backend_dev_memory(handle, ctypes.byref(free), ctypes.byref(total))
    kind = base.ggml_backend_dev_type(handle)
    is_cpu = kind == 0
    return Device(
        base.ggml_backend_dev_name(handle).decode("utf-8", "replace"),
        base.ggml_backend_dev_description(handle).decode("utf-8", "replace"),
        TYPES[kind] if kind < len(TYPES) else "other",
        (free_memory_bytes() if is_cpu else 0) or free.value,
        (total_memory_bytes() if is_cpu else 0) or total.value,
    )


def _backend_of(device: Device) -> str:
    return device.name.rstrip("0123456789")


def _shares_memory(gpu: Device) -> bool:
    return gpu.type == "igpu" or sys.platform == "darwin" or SOFTWARE in gpu.description
