"""What this computer has for computing: cores, free memory, and whether it runs from a battery."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CPUS = Path("/sys/devices/system/cpu")
POWER_SUPPLIES = Path("/sys/class/power_supply")
CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
MEMORY = Path("/proc/meminfo")
HOST_VM_INFO64 = 4  # macOS


def default_threads() -> int:
    """Physical cores this process may use; half of them on battery, where the second half costs more than it gives."""
    cores = physical_cores()
    return max(1, cores // 2) if on_battery() else cores


def thread_policy() -> dict[str, Any]:
    """Facts for people about threads: physical_cores, start, on_battery, busy_wait (how waiting threads spin)."""
    return {
        "physical_cores": physical_cores(),
        "start": default_threads(),
        "on_battery": on_battery(),
        "busy_wait": os.environ.get("GOMP_SPINCOUNT") or os.environ.get("OMP_WAIT_POLICY") or "default",
    }


def physical_cores() -> int:
    """Physical cores this process may use: a second thread on the same core only gets in the way."""
    cores = {_core_of(cpu) for cpu in _usable_cpus()}
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
        quota, period = (CGROUPS / "cpu.max").read_text().split()
        return 0 if quota == "max" else max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return 0


def on_battery() -> bool:
    """Whether the computer runs from its battery now; False where that is not known."""
    if sys.platform == "win32":
        status = (ctypes.c_ubyte * 12)()  # SYSTEM_POWER_STATUS; its first byte is 0 without mains
        return bool(ctypes.windll.kernel32.GetSystemPowerStatus(status)) and status[0] == 0
    if sys.platform == "darwin":
        return _pmset_says_battery()
    supplies = [_supply(folder) for folder in POWER_SUPPLIES.glob("*")]
    plugged_in = any(kind in ("Mains", "USB") and online == "1" for kind, _, online, _ in supplies)
    # A mouse has a battery too; its scope is "Device".
    drains = any(
        kind == "Battery" and status == "Discharging" and scope != "Device" for kind, status, _, scope in supplies
    )
    return drains and not plugged_in


def _supply(folder: Path) -> tuple[str, str, str, str]:
    """Type, status, online and scope; empty where the file is missing."""

    def read(name: str) -> str:
        try:
            return (folder / name).read_text().strip()
        except (OSError, ValueError):
            return ""

    return read("type"), read("status"), read("online"), read("scope")


def _pmset_says_battery() -> bool:
    try:
        found = subprocess.run(["/usr/bin/pmset", "-g", "batt"], capture_output=True, timeout=2, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return b"'Battery Power'" in found.stdout


def free_memory_bytes() -> int:
    """Memory that can be had without swapping, also within a container's limit; 0 where it is not known."""
    return _within_limit(_system_memory()[0], free=True)


def total_memory_bytes() -> int:
    """All memory this process could ever have; 0 where it is not known."""
    return _within_limit(_system_memory()[1], free=False)


def _within_limit(system_bytes: int, *, free: bool) -> int:
    limits = [max(1, limit - (used if free else 0)) for limit, used in _limits()]  # 0 would mean that nobody knows
    return min([system_bytes, *limits]) if system_bytes else min(limits, default=0)


def _limits() -> Iterator[tuple[int, int]]:
    """Memory limit and use of every control group (version 2) this process is in, from its own to the root.

    Cache of files that nobody read lately counts as free, as it does for the system.
    """
    try:
        own = next(line[3:] for line in OWN_CGROUP.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return
    folder = CGROUPS / own.strip("/")
    while folder == CGROUPS or CGROUPS in folder.parents:
        with contextlib.suppress(OSError, ValueError):  # "max" is no limit, the root has no file
            limit = int((folder / "memory.max").read_text())
            used = int((folder / "memory.current").read_text())
            yield limit, max(0, used - _cold_cache(folder))
        folder = folder.parent


def _cold_cache(folder: Path) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (folder / "memory.stat").read_text().splitlines():
            if line.startswith("inactive_file "):
                return int(line.split()[1])
    return 0


def _system_memory() -> tuple[int, int]:
    """Free and all memory; 0 where it is not known."""
    if sys.platform == "win32":
        return _windows_memory()
    if sys.platform == "darwin":
        return _mac_free(), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        fields = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines() if ":" in line)
        free, total = (int(fields[name].split()[0]) * 1024 for name in ("MemAvailable", "MemTotal"))
        return free, total
    except (OSError, KeyError, ValueError, IndexError):
        return 0, 0


def _windows_memory() -> tuple[int, int]:
    """MEMORYSTATUSEX: two 32-bit numbers (its own size, the load), then total and free physical memory."""
    status = (ctypes.c_uint64 * 8)()
    ctypes.cast(status, ctypes.POINTER(ctypes.c_uint32))[0] = ctypes.sizeof(status)
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - only Windows has it
    return (status[2], status[1]) if kernel.GlobalMemoryStatusEx(status) else (0, 0)


def _mac_free() -> int:
    """Free and inactive pages: the first and third number of vm_statistics64."""
    system = ctypes.CDLL(None)
    counts, length = (ctypes.c_uint32 * 64)(), ctypes.c_uint32(64)
    system.mach_host_self.restype = ctypes.c_uint32
    if system.host_statistics64(system.mach_host_self(), HOST_VM_INFO64, counts, ctypes.byref(length)):
        return 0
    return (counts[0] + counts[2]) * os.sysconf("SC_PAGE_SIZE")
