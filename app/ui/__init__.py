"""The window: the only package that imports PySide6."""

import ctypes
import sys

# WORKAROUND for PySide6 6.12.0 (measured; no report found at https://bugreports.qt.io/projects/PYSIDE): its compiled
# code hands out None, True, False and NotImplemented without owning them, as is right from Python 3.12 on, where they
# are immortal. Before, each call costs a reference, and after some thousands the process ends with "none_dealloc".
# A count that is never used up stands in for immortality.
if sys.version_info < (3, 12):
    for _one in (None, True, False, NotImplemented, ...):
        ctypes.c_ssize_t.from_address(id(_one)).value += 1 << 60
