"""How fast a model could write on this computer, from how fast its processor reads memory.

Writing a token reads every weight that takes part in it once, so bytes per second over bytes per token bound the
speed; a few cores cannot unpack quantized weights as fast as memory gives them, which bounds it too.
"""

from __future__ import annotations

import functools
import platform
import threading
import time
from pathlib import Path
from typing import Any

from app.engine.computer import physical_cores
from app.engine.remembered import key_of

READ_BYTES = 256 * 2**20  # more than the caches of common processors hold
MEASURE_S = 0.5
BYTES_PER_CORE_S = 10e9
"""What a core unpacks and multiplies; the starter (Q8_0) took 11 to 12e9 on one core of an AMD EPYC with AVX-512."""
REACHED = 0.8
"""The share of these bounds that answers reach."""
CPU_INFO = Path("/proc/cpuinfo")


def writing_bytes_per_s(memory_bytes_per_s: float, cores: int) -> float:
    """Weights that pass in a second while a model writes, in bytes."""
    return REACHED * min(memory_bytes_per_s, cores * BYTES_PER_CORE_S)


def measure(cores: int, measure_s: float = MEASURE_S) -> float:
    """Bytes a second that `cores` threads read from memory, in about `measure_s`: the best round, which others
    disturbed least. Takes `READ_BYTES` of memory, so it belongs in a process of its own.
    """
    import numpy as np  # heavy, and the window imports this module

    parts = [np.ones(READ_BYTES // cores // 8, dtype=np.int64) for _ in range(cores)]
    barrier = threading.Barrier(cores + 1)
    is_over = threading.Event()

    def read(part: Any) -> None:
        while True:
            barrier.wait()
            if is_over.is_set():
                return
            part.max()  # numpy lets the other threads run meanwhile
            barrier.wait()

    threads = [threading.Thread(target=read, args=(part,), daemon=True) for part in parts]
    for thread in threads:
        thread.start()
    best, began = 0.0, time.perf_counter()
    while time.perf_counter() - began < measure_s:
        round_began = time.perf_counter()  # before they are let go: they may be done before this thread runs again
        barrier.wait()
        barrier.wait()
        best = max(best, sum(part.nbytes for part in parts) / (time.perf_counter() - round_began))
    is_over.set()
    barrier.wait()
    return best


@functools.cache
def machine_key() -> str:
    """The same for as long as the processor is the same."""
    return key_of("speed", _processor(), physical_cores())


def _processor() -> str:
    try:
        lines = CPU_INFO.read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
