"""Runs first in the frozen program: what it starts (a file manager, a browser) must not load its bundled libraries."""

import os
import sys
import types
from typing import Any

# PyInstaller's start program points the loader at the bundle; this process has been loaded already, and an engine
# child sets it again for itself. What the person had set before is kept in the _ORIG name.
before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
if before is None:
    os.environ.pop("LD_LIBRARY_PATH", None)
else:
    os.environ["LD_LIBRARY_PATH"] = before
# Otherwise the start program takes a child for a part of this process, and relies on the variable just taken away.
os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"

# An upgrade puts another file where this program's modules are read from, each when it is first wanted: what is open
# goes on with its own. (Elsewhere than on Linux the file of an open program stays, or is opened at its old position.)
if sys.platform == "linux" and getattr(sys, "frozen", False):  # a test runs this in a checkout
    from pyimod02_importers import pyz_archive  # PyInstaller's

    pyz_archive._filename = f"/proc/self/fd/{os.open(pyz_archive._filename, os.O_RDONLY)}"

# pyqtgraph names Qt's OpenGL modules (9.6 MB) when it is imported, and draws with them only where it is asked to.
for name in ("PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets"):
    sys.modules[name] = types.ModuleType(name, "Not in this package.")
    sys.modules[name].QOpenGLWidget = type("QOpenGLWidget", (), {})

# ROUGE wants one stemmer of nltk, which comes without the rest (2 MB) and so without what imports all of it.
for name in ("nltk", "nltk.stem"):
    sys.modules[name] = types.ModuleType(name, "Mostly not in this package.")
    sys.modules[name].__path__ = [os.path.join(getattr(sys, "_MEIPASS", ""), *name.split("."))]  # noqa: PTH118


# SecretStorage takes cryptography (12 MB) for one thing: AES in CBC mode, for what goes to the desktop's keyring and
# comes from there. The library that checks the release file's signature has that, too.
class Cipher:
    """The part of cryptography's class of this name that SecretStorage uses; the key and the vector are bytes."""

    def __init__(self, key: bytes, vector: bytes, _backend: object = None) -> None:
        self._key, self._vector = key, vector

    def encryptor(self) -> Any:
        """What has `update` and `finalize`."""
        return self._direction("encrypt")

    def decryptor(self) -> Any:
        """What has `update` and `finalize`."""
        return self._direction("decrypt")

    def _direction(self, name: str) -> Any:
        from Cryptodome.Cipher import AES

        cipher = AES.new(self._key, AES.MODE_CBC, iv=self._vector)
        return types.SimpleNamespace(update=getattr(cipher, name), finalize=bytes)


for name, content in {
    "backends": {"default_backend": lambda: None},
    "primitives.ciphers": {
        "Cipher": Cipher,
        "algorithms": types.SimpleNamespace(AES=bytes),
        "modes": types.SimpleNamespace(CBC=bytes),
    },
}.items():
    sys.modules[f"cryptography.hazmat.{name}"] = types.ModuleType(name, "Not in this package.")
    vars(sys.modules[f"cryptography.hazmat.{name}"]).update(content)
