"""The wire of the download child: one job goes in, events come out, one JSON object a line.

The job comes over standard input and never on the command line: it holds the token. The child leaves when its standard
input closes.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from app.core.errors import AppError, ProtocolViolation, from_fields, to_fields
from app.hub.access import Access

VERSION = 2


@dataclass(frozen=True)
class Job:
    """One file to fetch. `size_bytes` and `sha256` are what the list of files said, 0 and "" where it did not.

    `reserve_bytes` is what other files of the queue still need on the same volume.
    """

    repo: str
    revision: str
    file: str
    folder: str
    """The models folder; the file goes to `<folder>/<org>/<name>/<file>`."""
    access: Access
    ledger: str
    size_bytes: int = 0
    sha256: str = ""
    reserve_bytes: int = 0


@dataclass(frozen=True)
class Phase:
    """What the child does now: connecting, checking (what is there), downloading, verifying, waiting (to try again).

    `wait_s` and `problem` (the name of the situation) belong to waiting.
    """

    name: str
    wait_s: float = 0.0
    problem: str = ""


@dataclass(frozen=True)
class Fetched:
    """How far it is, at most ten times a second."""

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class Done:
    """The file is in its place, complete and compared. `resumed_bytes` were there before."""

    path: str
    size_bytes: int
    sha256: str
    commit: str
    resumed_bytes: int
    seconds: float


@dataclass(frozen=True)
class Failed:
    """It ended with a situation; what was fetched is kept unless it was damaged."""

    error: AppError


ChildEvent = Phase | Fetched | Done | Failed
_EVENTS: dict[str, type[Phase | Fetched | Done]] = {"phase": Phase, "fetched": Fetched, "done": Done}


def job_line(job: Job) -> bytes:
    """A job as a line."""
    return _line({"version": VERSION, **dataclasses.asdict(job)})


def job_from(line: bytes) -> Job:
    """The job of a line; raises ProtocolViolation."""
    raw = _object(line)
    if raw.pop("version", None) != VERSION:
        raise ProtocolViolation("the download child is of another version")
    try:
        return Job(**{**raw, "access": Access(**raw["access"])})
    except (TypeError, KeyError) as error:
        raise ProtocolViolation(f"not a job: {error}"[:200]) from error


def event_line(event: ChildEvent) -> bytes:
    """An event as a line."""
    if isinstance(event, Failed):
        return _line({"event": "failed", "error": type(event.error).__name__, "fields": to_fields(event.error)})
    name = next(name for name, cls in _EVENTS.items() if isinstance(event, cls))
    return _line({"event": name, **dataclasses.asdict(event)})


def event_from(line: bytes) -> ChildEvent:
    """The event of a line; raises ProtocolViolation."""
    raw = _object(line)
    name = raw.pop("event", None)
    try:
        return Failed(from_fields(raw["error"], raw["fields"])) if name == "failed" else _EVENTS[str(name)](**raw)
    except (TypeError, KeyError) as error:
        raise ProtocolViolation(f"not an event: {error}"[:200]) from error


def _line(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode("ascii") + b"\n"


def _object(line: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(line)
    except ValueError as error:
        raise ProtocolViolation(repr(line[:100])) from error
    if not isinstance(raw, dict):
        raise ProtocolViolation(repr(line[:100]))
    return raw
