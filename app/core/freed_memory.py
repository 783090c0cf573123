"""What the C library does with freed memory: less of it is held back, and it is given back when asked."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator

MOST_ARENAS = 2
"""glibc's own limit is eight a core: each thread frees into another one, and all of them stay as large as ever."""
_ARENA_MAX = -8
"""M_ARENA_MAX of glibc's malloc.h."""


def limit_arenas() -> None:
    """Have all threads take memory from a few places, so that what one frees the next can use; before they start."""
    with _another_library():
        ctypes.CDLL(None).mallopt(_ARENA_MAX, MOST_ARENAS)


def give_back_memory() -> None:
    """Return what was freed to the system, which takes some milliseconds; glibc keeps it until it is asked."""
    with _another_library():
        ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def _another_library() -> Iterator[None]:
    """Do without where the C library is not glibc."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        yield
