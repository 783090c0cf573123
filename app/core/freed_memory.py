"""Memory that was freed, given back to the system."""

from __future__ import annotations

import contextlib
import ctypes


def give_back_memory() -> None:
    """Return what was freed to the system, which takes some milliseconds; does nothing with another C library."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        # glibc keeps freed memory for itself until it is asked.
        ctypes.CDLL(None).malloc_trim(0)
