"""Speed at which a model could write on this computer, from how fast its processor reads memory.

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

READ_BYTES = 256 * 2**20  # more than the caches of common processors hold
MEASURE_S = 0.5
BYTES_PER_CORE_S = 10e9
"""Bytes a core unpacks and multiplies per second; the starter (Q8_0) took 11 to 12e9 on one core of an AMD EPYC with
AVX-512.
"""
REACHED = 0.8
"""The share of these bounds that answers reach."""
CPU_INFO = Path("/proc/cpuinfo")


def writing_bytes_per_s(memory_bytes_per_s: float, cores: int) -> float:
    """Weights that pass in a second while a model writes, in bytes."""
    return REACHED * min(memory_bytes_per_s, cores * BYTES_PER_CORE_S)


def measure_memory_speed(cores: int, measure_s: float = MEASURE_S) -> float:
    """Return bytes per second read from memory by `cores` threads, in about `measure_s`.

    The best round counts, being least disturbed by others. Takes `READ_BYTES` of memory, so run it in a separate
    process.
    """
    import numpy as np  # heavy, and the window imports this module

    # Written, not only allocated: pages that were never touched are all one page of zeros.
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
    """Return the same for as long as the processor is the same; in full, since the window would load OpenSSL for a
    hash.
    """
    return f"speed {_processor_name()} {physical_cores()}"


def _processor_name() -> str:
    try:
        lines = CPU_INFO.read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
