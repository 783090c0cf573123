"""The parent's side of a download: one child process for one file, watched, restarted, and killed at once."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import queue
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from app.core.child import Child, own_command
from app.core.errors import DownloadFailed, ProtocolViolation
from app.core.events import CancelToken
from app.hub.protocol import ChildEvent, Done, Failed, Fetched, Job, Phase, event_from, job_line

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.05
REPEAT_EVERY_S = 0.2
MOST_DEATHS = 3
"""In a row, without a byte more of the file."""
TAIL_CHARACTERS = 400


@dataclass
class _Said:
    """What a child says, and its end: its exit code and last words."""

    lines: queue.SimpleQueue[bytes | tuple[int, str]] = field(default_factory=queue.SimpleQueue)

    def on_exit(self, code: int, tail: str) -> None:
        self.lines.put((code, tail))


def fetch(job: Job, *, folder: Path, cancel: CancelToken) -> Generator[ChildEvent, None, None]:
    """Fetches a file; the last event is Done. `folder` is the child's own working directory.

    What was said last is said again five times a second, so that the loop that owns this can look about. A cancel
    kills the child at once and ends the events; what was fetched stays (see `app.hub.part.throw_away`). Raises the
    AppError that the child met, or DownloadFailed when it ended by itself again and again.
    """
    furthest, deaths = 0, 0
    while not cancel.cancelled:
        reached, end = yield from _one_child(job, folder, cancel)
        if end is None:
            return
        deaths = 0 if reached > furthest else deaths + 1
        furthest = max(furthest, reached)
        log.info("the download child of %s ended with exit code %s", job.file, end[0])
        if deaths > MOST_DEATHS:
            raise DownloadFailed(job.file, f"exit code {end[0]}. {end[1][-TAIL_CHARACTERS:]}")


def _one_child(
    job: Job, folder: Path, cancel: CancelToken
) -> Generator[ChildEvent, None, tuple[int, tuple[int, str] | None]]:
    """How far a child came, and how it ended by itself: None where it was done or cancelled."""
    said = _Said()
    child = Child(own_command("--download-worker"), folder, uses_network=True, work="download", subject=job.file)
    child.listen(said.lines.put, said.on_exit)
    reached, last, at_s = 0, None, time.monotonic()
    try:
        with contextlib.suppress(OSError):  # gone already: its end comes like everything it says
            child.send(job_line(job))
        while not cancel.cancelled:
            item = _next(said)
            now_s = time.monotonic()
            if item is None:
                if last is not None and now_s - at_s >= REPEAT_EVERY_S:
                    last, at_s = _again(last, now_s - at_s), now_s
                    yield last
                continue
            if isinstance(item, tuple):
                return reached, item
            last, at_s = event_from(item), now_s
            if isinstance(last, Failed):
                raise last.error
            yield last
            if isinstance(last, Done):
                break
            reached = max(reached, last.done_bytes) if isinstance(last, Fetched) else reached
    except ProtocolViolation:
        log.info("the download child does not speak as it should: %s", child.pid)
        raise
    finally:
        child.kill_tree()
        child.close()
    return reached, None


def _next(said: _Said) -> bytes | tuple[int, str] | None:
    try:
        return said.lines.get(timeout=LOOK_EVERY_S)
    except queue.Empty:
        return None


def _again(event: ChildEvent, passed_s: float) -> ChildEvent:
    """The same as now; a wait has become shorter."""
    if isinstance(event, Phase) and event.wait_s:
        return dataclasses.replace(event, wait_s=round(max(0.0, event.wait_s - passed_s), 2))
    return event
