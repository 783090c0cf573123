"""The window: the only package that imports PySide6."""

import ctypes
import sys

# WORKAROUND for PySide6 6.12.0 (measured; no report found at https://bugreports.qt.io/projects/PYSIDE): a signal's
# `emit` gives back True without owning it, and before Python 3.12 bools are counted: after some six hundred signals
# the process ends with "bool_dealloc". A count that is never used up stands in for later Pythons' immortal True.
if sys.version_info < (3, 12):
    ctypes.c_ssize_t.from_address(id(True)).value += 1 << 60
