"""What a process that is used for hours must keep level, and whether it did.

From the second quarter of the time to the last one, by the medians of their samples, each taken at rest: no handle, no
thread, no child and no widget more; of objects that Python's collector knows no more than a hundredth, as lists of what
was written become longer; of memory no more than `MOST_GROWTH_MB` in the window and in the engine's child.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from PySide6.QtWidgets import QApplication

ENGINE = "--engine-worker"
MOST_GROWTH_MB, MOST_GROWTH_OF_OBJECTS = 3.0, 0.01
FEWEST_SAMPLES = 8


@dataclass(frozen=True)
class ProcessSample:
    """What the window and the engine's child hold at one moment, with nothing at work.

    Memory is what they wrote themselves (Private_Dirty): pages of files are shared with whatever else runs.
    """

    window_mb: float
    window_handles: int
    window_threads: int
    window_widgets: int
    window_objects: int
    engine_mb: float
    engine_handles: int
    engine_threads: int
    children: int


def take_sample() -> ProcessSample:
    """Look at this process, which is the window, and at what it has started."""
    # What only cycles hold counts as gone: the window collects them when enough has come together.
    gc.collect()
    window = psutil.Process()
    children = window.children(recursive=True)
    engines = [one for one in children if ENGINE in one.cmdline()]
    return ProcessSample(
        *_held_by([window]),
        len(QApplication.allWidgets()),
        len(gc.get_objects()),
        *_held_by(engines),
        children=len(children),
    )


def _held_by(processes: Sequence[psutil.Process]) -> tuple[float, int, int]:
    megabytes = sum(map(count_own_bytes, processes)) / 1e6
    return round(megabytes, 1), sum(one.num_fds() for one in processes), sum(one.num_threads() for one in processes)


def count_own_bytes(process: psutil.Process) -> int:
    """Count the memory that a process wrote itself and shares with no other."""
    rows = Path(f"/proc/{process.pid}/smaps_rollup").read_text("ascii").splitlines()
    return next(int(row.split()[1]) * 1024 for row in rows if row.startswith("Private_Dirty:"))


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
            if late > early + _allowed_growth(name, early):
                grown.append(name)
    found["grown"] = grown
    found["level"] = not (grown or found["warnings"] or found["failures"])
    return found


def _allowed_growth(name: str, early: float) -> float:
    if name.endswith("_mb"):
        return MOST_GROWTH_MB
    return MOST_GROWTH_OF_OBJECTS * early if name == "window_objects" else 0
