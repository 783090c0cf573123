"""Runs first in the frozen program: what it starts (a file manager, a browser) must not load its bundled libraries."""

import os

# PyInstaller's start program points the loader at the bundle; this process has been loaded already, and an engine
# child sets it again for itself. What the person had set before is kept in the _ORIG name.
before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
if before is None:
    os.environ.pop("LD_LIBRARY_PATH", None)
else:
    os.environ["LD_LIBRARY_PATH"] = before
# Otherwise the start program takes a child for a part of this process, and relies on the variable just taken away.
os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
