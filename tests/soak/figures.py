"""What a process that is used for hours must keep level, and whether it did."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil
from PySide6.QtWidgets import QApplication

ENGINE = "--engine-worker"
MOST_GROWTH, MOST_GROWTH_MB = 0.05, 8.0
"""From the second quarter of the time to the last, of memory: lists become longer, and allocators settle late."""
FEWEST_SAMPLES = 8


@dataclass(frozen=True)
class ProcessSample:
    """What the window and the engine's child hold at one moment, with nothing at work. Memory is theirs alone (USS)."""

    window_mb: float
    window_handles: int
    window_threads: int
    window_widgets: int
    engine_mb: float
    engine_handles: int
    engine_threads: int
    children: int


def take_sample() -> ProcessSample:
    """Look at this process, which is the window, and at what it has started."""
    window = psutil.Process()
    children = window.children(recursive=True)
    engines = [one for one in children if ENGINE in one.cmdline()]
    return ProcessSample(
        *_held_by([window]),
        len(QApplication.allWidgets()),
        *_held_by(engines),
        children=len(children),
    )


def _held_by(processes: Sequence[psutil.Process]) -> tuple[float, int, int]:
    megabytes = sum(one.memory_full_info().uss for one in processes) / 1e6
    return round(megabytes, 1), sum(one.num_fds() for one in processes), sum(one.num_threads() for one in processes)


def quarters_of(values: Sequence[float]) -> tuple[float, float]:
    """Return the medians of the second and of the last quarter."""
    size = len(values)
    return statistics.median(values[size // 4 : size // 2]), statistics.median(values[size * 3 // 4 :])


def verdict_on(samples: Sequence[ProcessSample], log_lines: Sequence[str], failures: Sequence[str]) -> dict[str, Any]:
    """Return what was found, and in "level" whether all of it is as it should be."""
    found: dict[str, Any] = {"warnings": list(log_lines), "failures": list(failures)}
    grown = []
    if len(samples) < FEWEST_SAMPLES:
        found["failures"].append(f"only {len(samples)} samples")
    else:
        rows = [asdict(sample) for sample in samples]
        for name in rows[0]:
            early, late = quarters_of([row[name] for row in rows])
            found[name] = [early, late]
            allowed = max(MOST_GROWTH * early, MOST_GROWTH_MB) if name.endswith("_mb") else 0
            allowed = MOST_GROWTH * early if name == "window_widgets" else allowed
            if late > early + allowed:
                grown.append(name)
    found["grown"] = grown
    found["level"] = not (grown or found["warnings"] or found["failures"])
    return found
