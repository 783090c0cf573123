"""Decide when to unload a model: memory is short, or it has been idle for a while.

Nothing here runs by itself: the window asks every 10 s while a model is loaded, and not at all otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from app.core.lazy_dataclasses import dataclass
from app.core.settings import EngineSettings
from app.features.models.pooled_engine import ChatUse

PROC = Path("/proc")
LEAST_AVAILABLE_BYTES = 500_000_000
LEAST_AVAILABLE_SHARE = 0.05
MOST_OF_SMALL_MACHINES = 0.1  # 500 MB of a machine with 2 GB would be short all day
_KILOBYTES = re.compile(r"^(MemTotal|MemAvailable):\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class MachineMemory:
    """The machine's memory now. How long programs waited for some says nothing: a slow disk makes them wait, too."""

    total_bytes: int
    available_bytes: int

    @property
    def is_short(self) -> bool:
        """True if memory is so short that something must be unloaded now."""
        # On a small machine a fixed limit would be short all day.
        small = min(LEAST_AVAILABLE_BYTES, MOST_OF_SMALL_MACHINES * self.total_bytes)
        return self.available_bytes < max(LEAST_AVAILABLE_SHARE * self.total_bytes, small)


def read_memory(proc: Path = PROC) -> MachineMemory | None:
    """Read Linux's memory figures; None elsewhere."""
    try:
        found = {name: int(kilobytes) * 1024 for name, kilobytes in _KILOBYTES.findall((proc / "meminfo").read_text())}
        return MachineMemory(found["MemTotal"], found["MemAvailable"])
    except (OSError, ValueError, KeyError):
        return None


class MemoryVerdict(StrEnum):
    """Decision on the loaded model."""

    STAY = "stay"
    SLEEP_SHORT = "sleep_short"
    """Memory is short, and nothing is being written."""
    WARN_SHORT = "warn_short"
    """Memory is short during an answer; said once until it is over."""
    SLEEP_IDLE = "sleep_idle"


class ModelMemoryWatch:
    """Decides from the settings, the machine's memory, and who uses the model or how long nobody has."""

    def __init__(
        self,
        settings: Callable[[], EngineSettings],
        use: Callable[[], ChatUse],
        read: Callable[[], MachineMemory | None] = read_memory,
    ) -> None:
        self._settings, self._use, self._read = settings, use, read
        self.is_warned = False
        """True if memory ran short during an answer still being written."""

    def check_memory(self) -> MemoryVerdict:
        settings, use = self._settings(), self._use()
        memory = self._read() if settings.unload_when_memory_short else None
        if memory is None or not memory.is_short:
            # Enough again: the next shortage is worth a word.
            self.is_warned = False
            after_s = settings.unload_after_min * 60
            is_idle = after_s > 0 and not use.leases and use.idle_s >= after_s
            return MemoryVerdict.SLEEP_IDLE if is_idle else MemoryVerdict.STAY
        # No work is ever interrupted for memory; it is only announced.
        if not use.leases:
            self.is_warned = False
            return MemoryVerdict.SLEEP_SHORT
        # Said once until the answer ends.
        if self.is_warned:
            return MemoryVerdict.STAY
        self.is_warned = True
        return MemoryVerdict.WARN_SHORT
