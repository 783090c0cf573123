"""What this computer has: devices that really exist, physical cores, free memory."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from app.engine.llama.library import Library
from app.engine.protocol import Device

TYPES = ("cpu", "gpu", "igpu", "accel")
CPUS = Path("/sys/devices/system/cpu")


def list_devices(library: Library) -> tuple[Device, ...]:
    """Every device ggml can compute on, with its memory."""
    ggml, base = library.ggml, library.base
    ggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    ggml.ggml_backend_dev_get.restype = ctypes.c_void_p
    ggml.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    for name in ("name", "description", "type"):
        function = getattr(base, f"ggml_backend_dev_{name}")
        function.argtypes = [ctypes.c_void_p]
        function.restype = ctypes.c_int if name == "type" else ctypes.c_char_p
    base.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p] + [ctypes.POINTER(ctypes.c_size_t)] * 2
    devices = []
    for index in range(ggml.ggml_backend_dev_count()):
        device = ggml.ggml_backend_dev_get(index)
        free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
        base.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
        kind = base.ggml_backend_dev_type(device)
        devices.append(
            Device(
                base.ggml_backend_dev_name(device).decode("utf-8", "replace"),
                base.ggml_backend_dev_description(device).decode("utf-8", "replace"),
                TYPES[kind] if kind < len(TYPES) else "other",
                (free_memory_bytes() or free.value) if kind == 0 else free.value,
                total.value,
            )
        )
    return tuple(devices)


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


def default_threads() -> int:
    """Physical cores this process may use: a second thread on the same core only gets in the way."""
    usable = _usable_cpus()
    cores = {_core_of(cpu) for cpu in usable}
    quota = _quota_cpus()
    return max(1, min(len(cores), quota or len(cores)))


def _usable_cpus() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(max(1, (os.cpu_count() or 2) // (1 if sys.platform == "darwin" else 2))))


def _core_of(cpu: int) -> tuple[str, str]:
    topology = CPUS / f"cpu{cpu}" / "topology"
    try:
        return (topology / "physical_package_id").read_text().strip(), (topology / "core_id").read_text().strip()
    except OSError:
        return "", str(cpu)


def _quota_cpus() -> int:
    """Whole processors that a container's limit allows; 0 without a limit."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return 0 if quota == "max" else max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return 0


def free_memory_bytes() -> int:
    """Memory that can be had without swapping; 0 where it is not known."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)
