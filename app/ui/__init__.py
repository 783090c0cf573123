"""The window: the only package that imports PySide6."""

import sys

from app.core.pyside import make_immortal

make_immortal()

from PySide6 import QtCore  # noqa: E402 - whatever is imported behind it has its source read, see below

# WORKAROUND for PySide6 6.12.0 (https://github.com/napari/napari/issues/8584): to know whether a module may want its
# methods under other names, it reads the source of everything that is imported, and Python caches those lines: 8 MB
# and a twentieth of the start. The patch gives it the answer it assumes where there is no source.
assert QtCore
if (_feature := sys.modules.get("shibokensupport.feature")) is not None and hasattr(_feature, "_mod_uses_pyside"):
    _feature._mod_uses_pyside = lambda _module: True  # type: ignore[attr-defined]
