"""The window: the only package that imports PySide6."""

import ctypes
import sys

from PySide6 import QtCore

# WORKAROUND for PySide6 6.12.0 (measured; no report found at https://bugreports.qt.io/projects/PYSIDE): its compiled
# code hands out None, True, False and NotImplemented without owning them, as is right from Python 3.12 on, where they
# are immortal. Before, each call costs a reference, and after some thousands the process ends with "none_dealloc".
# A count that is never used up stands in for immortality.
if sys.version_info < (3, 12):
    for _one in (None, True, False, NotImplemented, ...):
        ctypes.c_ssize_t.from_address(id(_one)).value += 1 << 60

# WORKAROUND for PySide6 6.12.0 (https://github.com/napari/napari/issues/8584): to know whether a module may want its
# methods under other names it reads the source of everything that is imported, and Python keeps those lines: 8 MB, and
# a twentieth of the start. It is told what it takes for granted where there is no source.
assert QtCore
if (_feature := sys.modules.get("shibokensupport.feature")) is not None and hasattr(_feature, "_mod_uses_pyside"):
    _feature._mod_uses_pyside = lambda _module: True  # type: ignore[attr-defined]
