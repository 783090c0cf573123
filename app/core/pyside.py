"""Work-around for PySide6 on Python 3.11, in every process that imports it; does not import it."""

from __future__ import annotations

import ctypes
import sys


def make_immortal() -> None:
    """Make None and True immortal by setting their reference counts.

    WORKAROUND for PySide6 6.12.0 (measured; no report found at https://bugreports.qt.io/projects/PYSIDE): its compiled
    code hands out None, True, False and NotImplemented without owning them, as is right from Python 3.12 on, where they
    are immortal. Before, each call costs a reference, and after some thousands the process ends with "none_dealloc".
    """
    if sys.version_info < (3, 12):
        for value in (None, True, False, NotImplemented, ...):
            # 2**60 references are never given back in a lifetime.
            ctypes.c_ssize_t.from_address(id(value)).value += 1 << 60
