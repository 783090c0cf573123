"""What is asked of the download queue, and what it says about each item: plain values."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from app.core.errors import AppError
from app.hub.files import RemoteFile


@dataclass(frozen=True)
class DownloadRequest:
    """One thing to have: a model, which may be several files, and its vision file, from a repository at one commit."""

    repo: str
    commit: str
    title: str
    files: tuple[RemoteFile, ...]
    vision: RemoteFile | None = None
    license: str = ""

    @property
    def all_files(self) -> tuple[RemoteFile, ...]:
        """In the order in which they are fetched."""
        return self.files + ((self.vision,) if self.vision else ())

    def wants_the_same(self, other: DownloadRequest) -> bool:
        """Whether both are about the same files."""
        return (self.repo, self.all_files) == (other.repo, other.all_files)

    def to_spec(self) -> dict[str, Any]:
        """As plain JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> DownloadRequest:
        """What `to_spec` made; raises KeyError or TypeError for anything else."""
        files = tuple(RemoteFile(**file) for file in spec["files"])
        vision = spec["vision"] and RemoteFile(**spec["vision"])
        return cls(**{**spec, "files": files, "vision": vision})


@dataclass(frozen=True)
class Download:
    """An item of the queue at one moment.

    `state` is queued, running, paused, done, failed, or at last removed: it is in the queue no more. `phase` is that of
    the running child: connecting, checking, downloading, verifying or waiting (`wait_s` from when it was said, because
    of the situation named `problem`). `error` says why it failed or was paused. `left_s` is None while it is not known.
    """

    id: int
    request: DownloadRequest
    state: str
    phase: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    left_s: float | None
    wait_s: float
    error: AppError | None
    paths: tuple[str, ...]
    """The files that are complete, in the request's order; a copy found elsewhere lies where it was found."""
    resumed_bytes: int
    """What earlier tries had fetched of the finished files."""
    problem: str = ""
