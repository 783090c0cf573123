"""Start, memory and idleness of the real window, and what set-up costs when nothing is to be done."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from run import ROOT, Row

from tests.helpers.program import Program, wait_until

ROUNDS = 9
VISIBLE = re.compile(r"window visible after (\d+) ms")
IDLE_S = 10
SETTLE_S = 3
CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")

MOST_VISIBLE_MS = 600
MOST_RESIDENT_MB = 120
MOST_IDLE_TICKS = 1
MOST_SETUP_MS = 2000


def rows() -> Iterator[Row]:
    """All numbers of this part."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        yield from start_and_memory(Path(scratch))
        yield from idle_after_an_answer(Path(scratch))
    yield setup_with_nothing_to_do()


def row(name: str, values: list[float], unit: str, most: float) -> Row:
    """The median of several measurements, against the most that is allowed."""
    spread = f"{min(values):.0f} to {max(values):.0f}, {len(values)} rounds"
    return Row(name, round(statistics.median(values), 1), unit, most, spread)


def start_and_memory(scratch: Path) -> Iterator[Row]:
    """Process start until the first paint, by the program's own clock and by ours; memory of the window's process.

    The model lives in another process, so the window's memory is the same with and without one.
    """
    own_ms, our_ms, resident_mb = [], [], []
    for number in range(ROUNDS + 1):
        started = time.monotonic()
        program = Program(scratch / "start-home", {"FIRESIDE_TIMING": "1"})
        try:
            said = wait_until(lambda p=program: VISIBLE.search(p.stderr()), "the window's first paint")
            seen_ms = (time.monotonic() - started) * 1000
            time.sleep(SETTLE_S)
            if number:  # the first start fills the caches of the file system
                own_ms.append(float(said[1]))
                our_ms.append(seen_ms)
                resident_mb.append(memory_mb(program.process.pid, "VmRSS"))
            program.quit()
        finally:
            program.kill()
        print(f"  start {number} of {ROUNDS}: {said[1]} ms", file=sys.stderr, flush=True)
    yield row("window_visible_after_process_start", own_ms, "ms", MOST_VISIBLE_MS)
    yield row("window_visible_seen_from_outside", our_ms, "ms", MOST_VISIBLE_MS)
    yield row("window_resident", resident_mb, "MB", MOST_RESIDENT_MB)


def idle_after_an_answer(scratch: Path) -> Iterator[Row]:
    """Processor time of the window and of its engine child in ten seconds after an answer."""
    program = Program(scratch / "idle-home")
    try:
        program.ask("Say hello.")
        wait_until(
            lambda: [m for m in program.messages() if m[0] == "assistant" and m[2] == "complete"], "an answer", 60
        )
        time.sleep(SETTLE_S)
        (child,) = program.children()
        watched = {"window": program.process.pid, "engine": child}
        before = {name: ticks(pid) for name, pid in watched.items()}
        time.sleep(IDLE_S)
        for name, pid in watched.items():
            used = ticks(pid) - before[name]
            yield Row(f"idle_{name}_in_{IDLE_S}_s", used, f"ticks of 1/{CLOCK_TICKS_PER_S} s", MOST_IDLE_TICKS)
        yield Row("window_resident_after_an_answer", round(memory_mb(program.process.pid, "VmRSS"), 1), "MB")
        yield Row("engine_resident_with_the_starter", round(memory_mb(child, "VmRSS"), 1), "MB")
        program.quit()
    finally:
        program.kill()


def setup_with_nothing_to_do() -> Row:
    """What a second `make run` spends before the program starts."""
    taken_ms = []
    for _ in range(ROUNDS):
        started = time.monotonic()
        subprocess.run(["make", "-s", "setup"], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
        taken_ms.append((time.monotonic() - started) * 1000)
    return row("second_make_run_extra", taken_ms, "ms", MOST_SETUP_MS)


def memory_mb(pid: int, field: str) -> float:
    """One memory field of a process, in MB of a million bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB", status, re.M)
    assert found is not None, f"no {field} of {pid}"
    return int(found[1]) * 1024 / 1e6


def ticks(pid: int) -> int:
    """Processor time that a process has used so far, in clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
