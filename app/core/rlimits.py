"""Limits that a child sets itself and can't raise again: the system's own (`setrlimit`), where it has them.

Not the number of processes: it counts all that the person runs, threads included, so that a full computer would end
answers. Children that start nothing are refused processes by `app.core.seccomp`. Not the address space of a model: maps
of its file and of a card's memory are far larger than what it takes.
"""

from __future__ import annotations

import contextlib
import sys

MOST_FILES = 4096
"""Open at once: a model in a thousand parts, and the driver of a graphics card. The system's table has more."""


def lower_limit(kind: str, most: int, *, is_final: bool = True) -> None:
    """Lower one of this process's limits (`RLIMIT_…`), never raise it; what the system lacks stays as it was.

    One that `is_final` can't be raised again, which a library that a file has taken over would try.
    """
    if sys.platform == "win32":
        return
    import resource

    if (number := getattr(resource, kind, None)) is None:
        return
    soft, hard = resource.getrlimit(number)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    if is_final:
        allowed = hard = allowed if soft == resource.RLIM_INFINITY else min(allowed, soft)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(number, (allowed, hard))
