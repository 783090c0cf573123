"""OpenMP against ggml's own threads: a question asked once, for it builds llama.cpp a second time."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from busy import beside, busy_processes
from comparing import compared, in_turns, progress
from llama_build import DEFAULT, OWN_THREADS, built
from our_engine import starter
from run import Row

from app.engine.client import ENVIRONMENT

BY_NAME_ONLY = True
BUSY = (0, 1)
ROUNDS = 3
TESTS = {"reading 256 tokens": ("-p", "256", "-n", "0"), "writing 24 tokens": ("-p", "0", "-n", "24")}


def rows() -> Iterator[Row]:
    """llama-bench of both builds; the spin that our child sets is a third way."""
    default, own = built(DEFAULT) / "llama-bench", built(OWN_THREADS) / "llama-bench"
    for busy in BUSY:
        for test, options in TESTS.items():
            progress(f"{test} {beside(busy)}")
            with busy_processes(busy):
                mine, openmp, short_spin = in_turns(
                    [bench(own, options, {}), bench(default, options, {}), bench(default, options, ENVIRONMENT)],
                    ROUNDS,
                )
            label = f"llama-bench, {test} {beside(busy)}, GGML_OPENMP=OFF"
            yield compared(f"{label} against ON", mine, openmp, "tokens/s")
            yield compared(f"{label} against ON with our child's short spin", mine, short_spin, "tokens/s")


def bench(program: Path, options: tuple[str, ...], environment: dict[str, str]) -> Callable[[int], float]:
    """One run of llama-bench: the median of its repetitions in tokens per second."""

    def measured(_number: int) -> float:
        command = [program, "-m", starter(), *options, "-r", "2", "-o", "json"]
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, check=True, timeout=600)
        (result,) = json.loads(done.stdout)
        return statistics.median(result["samples_ts"])

    return measured
