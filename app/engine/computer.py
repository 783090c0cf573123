"""Hardware of this computer: cores, memory, battery, and cached measurements."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.core.paths import private_opener

MOST_ENTRIES = 200
UNFINISHED = ".part"


def key_of(*facts: object) -> str:
    """Return a name for facts that must all be the same for an entry to be of use."""
    import hashlib  # OpenSSL comes with it: 4 MB that a window does without

    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:32]


class JsonCache:
    """Cache of JSON objects by key. Read and write errors are ignored: it only saves time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, key: str) -> dict[str, Any] | None:
        return self.entries().get(key)

    def put(self, key: str, entry: dict[str, Any]) -> None:
        """Add or replace an entry; beyond `MOST_ENTRIES` the oldest is dropped."""
        entries = self.entries()
        entries.pop(key, None)
        entries[key] = entry
        self._write_entries(dict(list(entries.items())[-MOST_ENTRIES:]))

    def forget(self, key: str) -> None:
        entries = self.entries()
        if entries.pop(key, None) is not None:
            self._write_entries(entries)

    def entries(self) -> dict[str, dict[str, Any]]:
        """Return all entries, the oldest first; none from a missing or damaged file."""
        try:
            entries = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(entries, dict):
            return {}
        return {key: entry for key, entry in entries.items() if isinstance(entry, dict)}

    def _write_entries(self, entries: dict[str, dict[str, Any]]) -> None:
        scratch = self._path.with_name(self._path.name + UNFINISHED)
        # Written beside and renamed: two programs of this kind may start at once.
        with contextlib.suppress(OSError):
            with open(scratch, "w", encoding="utf-8", opener=private_opener) as file:
                json.dump(entries, file, indent=1)
            scratch.replace(self._path)


CPUS = Path("/sys/devices/system/cpu")
POWER_SUPPLIES = Path("/sys/class/power_supply")
CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
MEMORY_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Limit, use and cold cache of a control group: version 2, then version 1."""
NO_LIMIT = 1 << 60  # version 1 writes a huge number
MEMORY = Path("/proc/meminfo")
HOST_VM_INFO64 = 4  # macOS


def default_threads() -> int:
    """Return the physical cores to use; half of them on battery, where the other half costs more than it gives."""
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
    """Return the physical cores this process may use: a second thread on a core only gets in the way."""
    cores = {_core_of(cpu) for cpu in _usable_cpus()}
    quota = _quota_cpus()
    return max(1, min(len(cores), quota or len(cores)))


def _usable_cpus() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    # Without affinity: hyper-threads of x86 are halved, Apple's cores have none.
    return set(range(max(1, (os.cpu_count() or 2) // (1 if sys.platform == "darwin" else 2))))


def _core_of(cpu: int) -> tuple[str, str]:
    topology = CPUS / f"cpu{cpu}" / "topology"
    try:
        # The same core number occurs on each socket.
        return (topology / "physical_package_id").read_text().strip(), (topology / "core_id").read_text().strip()
    except OSError:
        return "", str(cpu)


def _quota_cpus() -> int:
    """Return the whole processors that the narrowest limit of a control group allows; 0 without a limit."""
    quotas = []
    for folder in _group_folders("cpu"):
        with contextlib.suppress(OSError, ValueError):  # "max" is no limit, the root has no file
            # Version 2: "200000 100000", in microseconds; version 1 has a file for each, and -1 is no limit.
            if (folder / "cpu.max").exists():
                quota, period = map(int, (folder / "cpu.max").read_text().split())
            else:
                quota, period = (int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
            quotas += [max(1, quota // period)] if quota > 0 < period else []
    return min(quotas, default=0)


def _group_folders(controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control groups for a controller, from its own up to the root.

    A container that sees only its own part finds that at the root, whatever path the system gives.
    """
    try:
        lines = [line.split(":", 2) for line in OWN_CGROUP.read_text().splitlines()]
    except OSError:
        return
    for _, controllers, path in (line for line in lines if len(line) == 3):
        names = controllers.split(",")
        # Version 2 has one tree without a name, version 1 one for each controller.
        if names != [""] and controller not in names:
            continue
        root = CGROUPS if names == [""] else CGROUPS / controller
        folder = root / path.strip("/")
        while folder == root or root in folder.parents:
            yield folder
            folder = folder.parent


def on_battery() -> bool:
    """Return whether the computer runs on battery; False if unknown."""
    if sys.platform == "win32":
        status = (ctypes.c_ubyte * 12)()  # SYSTEM_POWER_STATUS; its first byte is 0 without mains
        return bool(ctypes.windll.kernel32.GetSystemPowerStatus(status)) and status[0] == 0
    if sys.platform == "darwin":
        return _pmset_says_battery()
    supplies = [_read_power_supply(folder) for folder in POWER_SUPPLIES.glob("*")]
    plugged_in = any(kind in ("Mains", "USB") and online == "1" for kind, _, online, _ in supplies)
    # A mouse has a battery too; its scope is "Device".
    drains = any(
        kind == "Battery" and status == "Discharging" and scope != "Device" for kind, status, _, scope in supplies
    )
    return drains and not plugged_in


def _read_power_supply(folder: Path) -> tuple[str, str, str, str]:
    """Return type, status, online and scope; empty if a file is missing."""

    def read(name: str) -> str:
        try:
            return (folder / name).read_text().strip()
        except (OSError, ValueError):
            return ""

    return read("type"), read("status"), read("online"), read("scope")


def _pmset_says_battery() -> bool:
    # An absolute path: what PATH finds first could be anything.
    try:
        found = subprocess.run(["/usr/bin/pmset", "-g", "batt"], capture_output=True, timeout=2, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return b"'Battery Power'" in found.stdout


def free_memory_bytes() -> int:
    """Return memory available without swapping, within a container's limit; 0 if unknown."""
    return _within_limit(_system_memory()[0], free=True)


def total_memory_bytes() -> int:
    """Return all memory this process could get; 0 if unknown."""
    return _within_limit(_system_memory()[1], free=False)


def _within_limit(system_bytes: int, *, free: bool) -> int:
    limits = [
        max(1, limit - (used if free else 0)) for limit, used in _memory_limits()
    ]  # 0 would mean that nobody knows
    return min([system_bytes, *limits]) if system_bytes else min(limits, default=0)


def _memory_limits() -> Iterator[tuple[int, int]]:
    """Yield (limit, use) of every control group of this process, from its own to the root.

    Cache of files not read lately counts as free, as it does for the system.
    """
    for folder in _group_folders("memory"):
        for limit_file, use_file, cold in MEMORY_FILES:
            with contextlib.suppress(OSError, ValueError):  # "max" is no limit, the root has no file
                limit, used = (int((folder / name).read_text()) for name in (limit_file, use_file))
                if limit < NO_LIMIT:
                    yield limit, max(0, used - _cold_cache(folder, cold))


def _cold_cache(folder: Path, name: str) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (folder / "memory.stat").read_text().splitlines():
            if line.startswith(f"{name} "):
                return int(line.split()[1])
    return 0


def _system_memory() -> tuple[int, int]:
    """Return free and total memory in bytes; 0 if unknown."""
    if sys.platform == "win32":
        return _windows_memory()
    if sys.platform == "darwin":
        return _mac_free(), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        fields = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines() if ":" in line)
        # MemAvailable counts cache that can be dropped, MemFree does not.
        free, total = (int(fields[name].split()[0]) * 1024 for name in ("MemAvailable", "MemTotal"))
        return free, total
    except (OSError, KeyError, ValueError, IndexError):
        return 0, 0


def _windows_memory() -> tuple[int, int]:
    """Read MEMORYSTATUSEX: two 32-bit numbers (its size, the load), then total and free physical memory."""
    status = (ctypes.c_uint64 * 8)()
    ctypes.cast(status, ctypes.POINTER(ctypes.c_uint32))[0] = ctypes.sizeof(status)
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - only Windows has it
    return (status[2], status[1]) if kernel.GlobalMemoryStatusEx(status) else (0, 0)


def _mac_free() -> int:
    """Return free and inactive pages in bytes: the first and third number of vm_statistics64."""
    system = ctypes.CDLL(None)
    counts, length = (ctypes.c_uint32 * 64)(), ctypes.c_uint32(64)
    system.mach_host_self.restype = ctypes.c_uint32
    if system.host_statistics64(system.mach_host_self(), HOST_VM_INFO64, counts, ctypes.byref(length)):
        return 0
    return (counts[0] + counts[2]) * os.sysconf("SC_PAGE_SIZE")
