"""Runs first in the frozen program: what it starts (a file manager, a browser) must not load its bundled libraries."""

import os
import sys
import types

# PyInstaller's start program points the loader at the bundle; this process has been loaded already, and an engine
# child sets it again for itself. What the person had set before is kept in the _ORIG name.
before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
if before is None:
    os.environ.pop("LD_LIBRARY_PATH", None)
else:
    os.environ["LD_LIBRARY_PATH"] = before
# Otherwise the start program takes a child for a part of this process, and relies on the variable just taken away.
os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"

# pyqtgraph names Qt's OpenGL modules (9.6 MB) when it is imported, and draws with them only where it is asked to.
for name in ("PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets"):
    sys.modules[name] = types.ModuleType(name, "Not in this package.")
    sys.modules[name].QOpenGLWidget = type("QOpenGLWidget", (), {})
