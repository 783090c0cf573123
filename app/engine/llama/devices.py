"""The devices ggml can really compute on, here and on other computers, and how a model is laid out on them."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.engine import computer
from app.engine.fit import GpuRoom
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.protocol import MACHINE, Device

TYPES = ("cpu", "gpu", "igpu", "accel")
GPU_TYPES = ("gpu", "igpu")
SOFTWARE = "llvmpipe"  # Vulkan on the processor: a "gpu" whose memory is the main memory


def list_devices(library: LlamaLibrary) -> tuple[Device, ...]:
    """Return every device ggml can compute on, with its memory."""
    return tuple(device for device, _ in _list_devices(library))


def usable_gpus(found: Sequence[Device], names: Sequence[str] = ()) -> tuple[GpuRoom, ...]:
    """Return the GPUs for a model: the named ones, else llama.cpp's default.

    That is all graphics cards (each once, though two backends may offer it), or the integrated one if there is none.
    Devices of other computers count only if named.
    """
    gpus = [device for device in found if device.type in GPU_TYPES]
    if names:
        gpus = [device for device in found if device.type in (*GPU_TYPES, MACHINE)]
        gpus = [device for name in names for device in gpus if device.name == name]
    else:
        gpus = [device for device in gpus if device.type == "gpu"] or gpus
        first_backend: dict[str, str] = {}
        # Two backends, such as CUDA and Vulkan, may offer the same card: the first one counts.
        gpus = [d for d in gpus if first_backend.setdefault(d.description, _backend_of(d)) == _backend_of(d)]
    return tuple(
        GpuRoom(gpu.name, gpu.description, gpu.free_bytes, gpu.total_bytes, shared=_shares_memory(gpu)) for gpu in gpus
    )


def find_handles(library: LlamaLibrary, names: Sequence[str], borrowed: Mapping[str, int] | None = None) -> list[int]:
    """Return ggml's handles of the named devices, in order; `borrowed` has those of other computers."""
    handles = {device.name: handle for device, handle in _list_devices(library)} | dict(borrowed or {})
    return [handles[name] for name in names]


def list_backends(library: LlamaLibrary) -> tuple[str, ...]:
    ggml, base = library.ggml, library.base
    ggml.ggml_backend_reg_count.restype = ctypes.c_size_t
    # ctypes assumes int for results, which cuts pointers in half.
    ggml.ggml_backend_reg_get.restype = ctypes.c_void_p
    ggml.ggml_backend_reg_get.argtypes = [ctypes.c_size_t]
    base.ggml_backend_reg_name.restype = ctypes.c_char_p
    base.ggml_backend_reg_name.argtypes = [ctypes.c_void_p]
    registered = [ggml.ggml_backend_reg_get(index) for index in range(ggml.ggml_backend_reg_count())]
    return tuple(base.ggml_backend_reg_name(backend).decode("utf-8", "replace") for backend in registered)


def rpc_function(library: LlamaLibrary, name: str) -> Any:
    """Return a function of ggml's RPC backend; None where the build has none."""
    ggml, base = library.ggml, library.base
    ggml.ggml_backend_reg_by_name.restype = ctypes.c_void_p
    ggml.ggml_backend_reg_by_name.argtypes = [ctypes.c_char_p]
    base.ggml_backend_reg_get_proc_address.restype = ctypes.c_void_p
    base.ggml_backend_reg_get_proc_address.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    registry = ggml.ggml_backend_reg_by_name(b"RPC")
    address = base.ggml_backend_reg_get_proc_address(registry, name.encode("ascii")) if registry else None
    # A function outside of the loaded libraries' tables has to be asked for by name.
    return ctypes.CFUNCTYPE(None)(address) if address else None


def _list_devices(library: LlamaLibrary) -> Iterator[tuple[Device, int]]:
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
        yield _describe_device(base, handle), handle


def _describe_device(base: Any, handle: int) -> Device:
    free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
    base.ggml_backend_dev_memory(handle, ctypes.byref(free), ctypes.byref(total))
    kind = base.ggml_backend_dev_type(handle)
    is_cpu = kind == 0
    return Device(
        base.ggml_backend_dev_name(handle).decode("utf-8", "replace"),
        base.ggml_backend_dev_description(handle).decode("utf-8", "replace"),
        TYPES[kind] if kind < len(TYPES) else "other",
        # ggml knows nothing of containers and swaps, so main memory is asked of the system.
        (computer.free_memory_bytes() if is_cpu else 0) or free.value,
        (computer.total_memory_bytes() if is_cpu else 0) or total.value,
    )


def _backend_of(device: Device) -> str:
    # "Vulkan0" and "Vulkan1" are of one backend.
    return device.name.rstrip("0123456789")


def is_integrated(gpu: Device) -> bool:
    """Return whether a GPU is part of a processor that may be faster without it; Apple's never are."""
    return gpu.type == "igpu" or SOFTWARE in gpu.description


def _shares_memory(gpu: Device) -> bool:
    return is_integrated(gpu) or sys.platform == "darwin"
