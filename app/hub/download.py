"""The parent's side of a download: one child process for one file, watched, restarted, and killed at once."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Generator
from pathlib import Path

from app.core.child import Child, own_command
from app.core.errors import DownloadFailed
from app.core.events import CancelToken
from app.core.wire import Conversation, Ended, Failed, Said
from app.hub.protocol import WIRE, ChildEvent, Done, Fetched, Job, Phase

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.05
REPEAT_EVERY_S = 0.2
MOST_DEATHS = 3
"""In a row, without a byte more of the file."""
TAIL_CHARACTERS = 400


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
        log.info("the download child of %s ended with exit code %s", job.file, end.code)
        if deaths > MOST_DEATHS:
            raise DownloadFailed(job.file, f"exit code {end.code}. {end.tail[-TAIL_CHARACTERS:]}")


def _one_child(job: Job, folder: Path, cancel: CancelToken) -> Generator[ChildEvent, None, tuple[int, Ended | None]]:
    """How far a child came, and how it ended by itself: None where it was done or cancelled."""
    said = Said()
    child = Child(own_command("--download-worker"), folder, uses_network=True, work="download", subject=job.file)
    reached, last, at_s = 0, None, time.monotonic()
    try:
        Conversation(WIRE, child, said.put).send(job)
        while not cancel.cancelled:
            event = said.next(LOOK_EVERY_S)
            now_s = time.monotonic()
            if event is None:
                if last is not None and now_s - at_s >= REPEAT_EVERY_S:
                    last, at_s = _again(last, now_s - at_s), now_s
                    yield last
                continue
            if isinstance(event, Ended):
                return reached, event
            if isinstance(event, Failed):
                raise event.error
            last, at_s = event, now_s
            yield event
            if isinstance(event, Done):
                break
            reached = max(reached, event.done_bytes) if isinstance(event, Fetched) else reached
    finally:
        child.kill_tree()
        child.close()
    return reached, None


def _again(event: ChildEvent, passed_s: float) -> ChildEvent:
    """The same as now; a wait has become shorter."""
    if isinstance(event, Phase) and event.wait_s:
        return dataclasses.replace(event, wait_s=round(max(0.0, event.wait_s - passed_s), 2))
    return event
