"""The document child: how soon its first blocks come, how soon it is gone when cancelled, how much memory it takes."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from comparing import progress, span
from run import Row

from app.core.events import CancelToken
from app.documents.protocol import BlocksRead, Done
from tests.helpers.documents import events_of, good_pdf, long_text, only_child

ROUNDS = 9
PAGES = 2000
MOST_START_S = 0.3
MOST_PDF_START_S = 0.5
MOST_CANCEL_S = 1.0
TEXT_BYTES = 500_000_000
MOST_TEXT_MB = 100.0


def rows() -> Iterator[Row]:
    """Each round starts a new child; the files are in the system's cache as after their first use."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as name:
        folder = Path(name)
        small, work = folder / "small.txt", folder / "work"
        small.write_text("A few words.")
        pdf = good_pdf(folder / "long.pdf", PAGES)
        yield _timed("document_child_first_blocks", lambda: _first_blocks(small, work), MOST_START_S)
        yield _timed(f"first_blocks_of_{PAGES}_pages", lambda: _first_blocks(pdf, work), MOST_PDF_START_S)
        yield _timed("document_child_cancel", lambda: _cancelled(pdf, work), MOST_CANCEL_S)
        progress(f"writing and reading {TEXT_BYTES // 10**6} MB of text")
        peak_mb, seconds = _peak(long_text(folder / "long.txt", TEXT_BYTES), work)
        note = f"{TEXT_BYTES / 1e6 / seconds:.0f} MB of text a second"
        yield Row("document_child_memory_500_mb_text", round(peak_mb, 1), "MB", MOST_TEXT_MB, note, at_most=1.0)


def _timed(name: str, once: Callable[[], float], most_s: float) -> Row:
    once()
    taken_s = [once() for _ in range(ROUNDS)]
    spread = f"{span(taken_s)}, {ROUNDS} rounds"
    return Row(name, round(statistics.median(taken_s), 3), "s", most_s, spread, at_most=1.0)


def _first_blocks(path: Path, work: Path) -> float:
    """Seconds from the start of the child to its first blocks."""
    began_s = time.monotonic()
    events = events_of(path, work)
    if not any(isinstance(event, BlocksRead) and event.blocks for event in events):
        raise AssertionError("no blocks came")
    taken_s = time.monotonic() - began_s
    events.close()
    return taken_s


def _cancelled(path: Path, work: Path) -> float:
    """Seconds from the cancel to the end of the child, in the midst of its work."""
    cancel = CancelToken()
    events = events_of(path, work, cancel)
    next(event for event in events if isinstance(event, BlocksRead) and event.blocks)
    cancel.cancel()
    began_s = time.monotonic()
    if any(isinstance(event, Done) for event in events):
        raise AssertionError("it was done before it was cancelled")
    return time.monotonic() - began_s


def _peak(path: Path, work: Path) -> tuple[float, float]:
    """The child's peak of resident memory in MB and its seconds, for a whole file."""
    began_s = time.monotonic()
    for event in events_of(path, work):
        if isinstance(event, Done):
            seconds = time.monotonic() - began_s
            status = Path(f"/proc/{only_child()}/status").read_text()
            peak = re.search(r"VmHWM:\s*(\d+) kB", status)
            assert peak is not None
            return int(peak[1]) * 1024 / 1e6, seconds
    raise AssertionError("it was never done")
