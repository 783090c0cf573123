"""The window: the only package that imports PySide6."""

import builtins

from app.core.pyside import make_immortal
from app.ui.qt_enums import speed_up_enums

make_immortal()
speed_up_enums()

from PySide6 import QtCore  # noqa: E402 - as its classes are made by what stands above

# WORKAROUND for PySide6 6.12.0 (https://github.com/napari/napari/issues/8584): at each import statement of the program
# it looks whether names are wanted in another spelling, and reads the source of what is imported to know: 8 MB, and an
# eighth of the start. Nothing here wants them, so that the import it has replaced is put back.
assert QtCore
builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)
