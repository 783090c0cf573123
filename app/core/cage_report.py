"""What a caged child can no longer do, as it has tried itself; see `app.core.cage`."""

from __future__ import annotations

from enum import Enum

from app.core.lazy_dataclasses import dataclass


class CageWall(Enum):
    """What a cage keeps a child from."""

    NETWORK = "network"
    FILES = "files"
    WRITING = "writing"
    PROGRAMS = "programs"


@dataclass(frozen=True)
class CageReport:
    """What a child tried in its cage: the walls that held, and those that did not."""

    held: tuple[CageWall, ...] = ()
    missing: tuple[CageWall, ...] = ()
