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
VISIBLE, BARE_SEEN = re.compile(r"window visible after (\d+) ms"), re.compile("seen")
NOT_A_PERSONS = ("QT_QPA_PLATFORM", "PYTHONDONTWRITEBYTECODE")
"""Variables that tests run with, and that make a start another one."""
IDLE_S = 10
SETTLE_S = 3
CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")

MOST_VISIBLE_MS = 600
MOST_TIMES_BARE = 4
MOST_RESIDENT_MB = 110
MOST_IDLE_TICKS = 1
MOST_SETUP_MS = 2000

BARE_WINDOW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow, QTextEdit

class Window(QMainWindow):
    def paintEvent(self, event):
        QTimer.singleShot(0, lambda: print("seen", file=sys.stderr, flush=True))

application = QApplication(["bare"])
window = Window()
window.setCentralWidget(QTextEdit())
window.resize(1280, 800)
window.show()
application.exec()
"""
"""The least that a window with a text view costs on this machine."""


def rows() -> Iterator[Row]:
    """All numbers of this part."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        yield from start_and_memory(Path(scratch))
        yield from idle_after_an_answer(Path(scratch))
    yield setup_with_nothing_to_do()


def row(name: str, values: list[float], unit: str, most: float | None = None) -> Row:
    """The median of several measurements, against the most that is allowed."""
    spread = f"{min(values):.3g} to {max(values):.3g}, {len(values)} rounds"
    return Row(name, round(statistics.median(values), 1), unit, most, spread)


def start_and_memory(scratch: Path) -> Iterator[Row]:
    """Process start until the first paint, by the program's own clock and by ours; memory of the window's process.

    The model lives in another process, so the window's memory is the same with and without one.
    """
    own_ms, our_ms, resident_mb, bare_ms, bare_mb = [], [], [], [], []
    ours, bare = [sys.executable, "-m", "app"], [sys.executable, "-c", BARE_WINDOW]
    for number in range(ROUNDS + 1):
        _, bare_seen_ms, bare_resident_mb = seen(bare, BARE_SEEN, scratch)
        said, seen_ms, mb = seen(ours, VISIBLE, scratch)
        if number:  # the first start compiles, and fills the caches of the file system
            bare_ms.append(bare_seen_ms)
            bare_mb.append(bare_resident_mb)
            own_ms.append(float(said[1]))
            our_ms.append(seen_ms)
            resident_mb.append(mb)
        print(f"  start {number} of {ROUNDS}: {said[1]} ms", file=sys.stderr, flush=True)
    yield row("window_visible_after_process_start", own_ms, "ms", MOST_VISIBLE_MS)
    yield row("window_visible_seen_from_outside", our_ms, "ms", MOST_VISIBLE_MS)
    yield row("bare_window_visible_seen_from_outside", bare_ms, "ms")
    times = [ours / bare for ours, bare in zip(our_ms, bare_ms, strict=True)]
    yield row("window_visible_against_a_bare_one", times, "times", MOST_TIMES_BARE)
    yield row("window_resident", resident_mb, "MB", MOST_RESIDENT_MB)
    yield row("bare_window_resident", bare_mb, "MB")


def seen(command: list[str], sign: re.Pattern[str], scratch: Path) -> tuple[re.Match[str], float, float]:
    """Starts a window: what it said when it was painted, after how many ms that was, and its memory in MB.

    Both windows are started alike, and as a person's are: with their modules compiled once before.
    """
    env = {name: value for name, value in os.environ.items() if name not in NOT_A_PERSONS}
    env |= {"FIRESIDE_HOME": str(scratch / "start-home"), "FIRESIDE_TIMING": "1"}
    env["PYTHONPYCACHEPREFIX"] = str(scratch / "compiled")
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = next(found for line in process.stderr if (found := sign.search(line)))
        seen_ms = (time.monotonic() - started) * 1000
        time.sleep(SETTLE_S)
        return said, seen_ms, memory_mb(process.pid, "VmRSS")
    finally:
        process.terminate()
        process.communicate()


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
