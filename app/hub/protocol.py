"""The wire of the download child, see `app.core.wire`: one job goes in, events come out.

The job comes over standard input and never on the command line: it holds the token.
"""

from __future__ import annotations

from typing import get_args

from app.core.lazy_dataclasses import dataclass
from app.core.wire import Caged, Failed, Wire
from app.hub.access import NetworkAccess

# Raised with every change of the wire: another program's child may be running.
VERSION = 7


@dataclass(frozen=True)
class Job:
    """A file to fetch. `size_bytes` and `sha256` are from the Hub's file list, 0 and "" if unknown.

    `reserve_bytes` is what other queued files still need on the same volume.
    """

    repo: str
    revision: str
    file: str
    folder: str
    """The models folder; the file goes to `<folder>/<org>/<name>/<file>`, or `<org>/<name>/<version>/<file>`."""
    access: NetworkAccess
    ledger: str
    size_bytes: int = 0
    sha256: str = ""
    reserve_bytes: int = 0
    version: str = ""


@dataclass(frozen=True)
class Phase:
    """The child's phase: connecting, checking (existing data), downloading, verifying, waiting (to retry).

    `wait_s` and `problem` (the error's name) belong to waiting.
    """

    name: str
    wait_s: float = 0.0
    problem: str = ""


@dataclass(frozen=True)
class Fetched:
    """Progress of the file in bytes, at most ten times a second."""

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class Done:
    """The file is complete and verified. `resumed_bytes` were here before."""

    path: str
    size_bytes: int
    sha256: str
    commit: str
    resumed_bytes: int
    seconds: float


ChildEvent = Phase | Fetched | Done | Failed

WIRE = Wire(VERSION, (Job,), (Caged, *get_args(ChildEvent)))
