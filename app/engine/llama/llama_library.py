"""Loads llama.cpp and its backends, and keeps its last words."""

from __future__ import annotations

import collections
import contextlib
import ctypes
import functools
import lzma
import os
import re
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from app.core.errors.engine_errors import OwnLibraryRefused
from app.core.paths import LIBRARY_VARIABLE, AppPaths, make_folder
from app.engine.llama.library_layout import find_layout_problem

# llama.cpp says why something failed in its last lines; all before that is progress.
KEPT_LINES = 20
WARNING, ERROR, CONTINUED = 3, 4, 5  # as in ggml.h; the numbers in llama_cpp._logger are older
_MISSING = re.compile(r"undefined symbol: (\w+)|function '(\w+)' not found|symbol '?(\w+)'? not found")
PACKED_BACKENDS = {"libggml-vulkan-*.so.xz": "libvulkan.so.1"}
"""Compressed backends of a package (large, and of no use to many computers), and the system library each needs."""


class LlamaLibrary:
    """`c` is the package's module of C functions; `ggml` and `base` are the libraries that libllama is linked with."""

    def __init__(self) -> None:
        """Load the package's libraries, or the person's if the environment names some. Raises OwnLibraryRefused."""
        self.own_folder = own = os.environ.get(LIBRARY_VARIABLE, "")
        llama_cpp, c = _import_binding(own)
        self.c: ModuleType = c
        self._lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._level = 0
        self._heard: list[str] | None = None
        # The callback is set before anything else is called: backends print while they are loaded.
        self._log_callback = c.llama_log_callback(self._on_log)  # kept: C holds only the address
        c.llama_log_set(self._log_callback, ctypes.c_void_p(0))
        package = Path(str(llama_cpp.__file__)).parent
        folder = Path(own) if own else package / "lib"
        self.ggml = _load_library(folder, "ggml")
        self.base = _load_library(folder, "ggml-base")
        self.version: str = _version_of_own(folder, c, self.base) if own else llama_cpp.__version__
        """Another version computes, and writes states, in its own way."""
        if own:
            self._load_own_backends(folder)
        else:
            self._load_backends(package)
        c.llama_backend_init()

    def redirect_log(self, *setters: Callable[[Any, Any], object]) -> None:
        """Redirect another library's log here, through each of its functions for that."""
        for set_callback in setters:
            set_callback(self._log_callback, None)  # the same object for all: C holds only its address

    def last_words(self) -> str:
        """Return warnings and errors since `forget_words`, for "Copy details"."""
        return "\n".join(self._lines)

    def forget_words(self) -> None:
        """Clear the collected warnings and errors, so that the next ones belong to what follows."""
        self._lines.clear()

    @contextlib.contextmanager
    def hearing_everything(self) -> Iterator[list[str]]:
        """Collect all log output down to debug level while the context lasts; other listeners keep theirs."""
        heard: list[str] = []
        # Listeners nest: the outer one gets the lines, too, when the inner one ends.
        before, self._heard = self._heard, heard
        try:
            yield heard
        finally:
            self._heard = before
            if before is not None:
                before += heard

    def _load_own_backends(self, folder: Path) -> None:
        """Load the backends of a build with loadable ones; in others they are registered by now."""
        if not self.ggml.ggml_backend_reg_count():
            self._load_all(folder)

    # Frozen programs have all libraries in one folder, which PyInstaller names here.
    def _load_backends(self, package: Path) -> None:
        """Load the backends of a build with loadable ones; other builds have them linked in."""
        frozen = getattr(sys, "_MEIPASS", None)
        folder = Path(frozen) / "bin" if frozen else package.parent / "bin"
        for pattern, needed in PACKED_BACKENDS.items():
            for packed in folder.glob(pattern):
                self._load_packed(packed, needed)
        # The x86 build has a library for each generation of processors; ggml picks the best that runs here.
        if any(folder.glob("*ggml-cpu*")):
            self._load_all(folder)

    def _load_all(self, folder: Path) -> None:
        self.ggml.ggml_backend_load_all_from_path.argtypes = [ctypes.c_char_p]
        self.ggml.ggml_backend_load_all_from_path(str(folder).encode("utf-8"))

    def _load_packed(self, packed: Path, needed: str) -> None:
        """Unpack and load a backend. Failures are ignored: the processor can do everything."""
        try:
            # Without the system's own loader the backend would fail anyway, and unpacking it costs time and 44 MB.
            ctypes.CDLL(needed)
        except OSError:
            return
        try:
            library = unpack_library(packed, AppPaths.from_environment().engine)
        except (OSError, EOFError, lzma.LZMAError) as error:
            line = f"{packed.name} could not be unpacked: {error}"
            sys.stderr.write(f"{line}\n")
            # Told with the next failure, as nobody reads standard error of a program with windows.
            self._lines.append(line)
            return
        self.ggml.ggml_backend_load.argtypes = [ctypes.c_char_p]
        self.ggml.ggml_backend_load.restype = ctypes.c_void_p
        self.ggml.ggml_backend_load(str(library).encode("utf-8"))

    def _on_log(self, level: int, text: bytes, _user_data: Any) -> None:
        # A line that goes on has no level of its own in ggml.
        self._level = level if level != CONTINUED else self._level
        if self._heard is not None:
            self._heard.append(text.decode("utf-8", "replace"))
        if self._level in (WARNING, ERROR):
            line = text.decode("utf-8", "replace")
            sys.stderr.write(line)
            if line.strip(" .\n"):  # dots are the progress of loading
                self._lines.append(line.rstrip("\n"))


@functools.cache
def open_library() -> LlamaLibrary:
    """Return the library, loading it at the first call."""
    return LlamaLibrary()


def _import_binding(own: str) -> tuple[ModuleType, ModuleType]:
    """Import llama-cpp-python and its module of C functions. Raises OwnLibraryRefused if `own` isn't one for it."""
    try:
        import llama_cpp
        from llama_cpp import llama_cpp as c
    # In turn: a library that can't be loaded, none that is there, a function that is missing.
    except (RuntimeError, OSError, AttributeError) as error:
        if not own:
            raise
        missing = _MISSING.search(str(error))
        reason = "missing" if isinstance(error, FileNotFoundError) else "symbol" if missing else "unloadable"
        detail = next(filter(None, missing.groups())) if missing else str(error)
        raise OwnLibraryRefused(own, reason, detail) from error
    if own and (differs := find_layout_problem(c._lib, c)):
        raise OwnLibraryRefused(own, "layout", differs)
    return llama_cpp, c


def _version_of_own(folder: Path, c: ModuleType, base: ctypes.CDLL) -> str:
    """Return the version of a build, with a stamp of its files: two builds of one commit may differ."""
    base.ggml_commit.restype = ctypes.c_char_p
    files = [(path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    stamps = [(name, found.st_size, found.st_mtime_ns) for name, found in files]
    stamp = zlib.crc32(repr(stamps).encode("utf-8"))
    return f"{c.llama_version().decode('ascii', 'replace')}+{base.ggml_commit().decode('ascii', 'replace')}.{stamp:08x}"


def unpack_library(packed: Path, folder: Path) -> Path:
    """Return a library of a package, unpacked into `folder` where that was not done before.

    Its name has a digest of what it holds, so that another version is another file; those of other versions go. xz
    checks a SHA-256 at the end. Raises OSError, EOFError and LZMAError.
    """
    target = folder / packed.stem
    if not target.is_file():
        make_folder(folder)
        # Unpacked under another name first: a second child may load it at this very moment.
        handle, scratch = tempfile.mkstemp(prefix="unpacking-", dir=folder)
        try:
            with lzma.open(packed) as source, os.fdopen(handle, "wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
                out.flush()
                os.fsync(out.fileno())  # or after a power cut the name may be there without what it stands for
            Path(scratch).replace(target)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise
    for other in folder.glob(f"{packed.stem.rpartition('-')[0]}-*.so"):
        if other != target:
            other.unlink(missing_ok=True)
    return target


def _load_library(folder: Path, name: str) -> ctypes.CDLL:
    """Return the copy that libllama uses: wheels hold copies instead of links, and another copy has a registry of its
    own.

    On Linux that is the name with the major version (`libggml.so.0`), on macOS likewise (`libggml.0.dylib`); Windows
    has one name only.
    """
    patterns = (f"lib{name}.so.[0-9]", f"lib{name}.[0-9].dylib", f"lib{name}.so", f"lib{name}.dylib", f"{name}.dll")
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            return ctypes.CDLL(str(path))
    raise OSError(f"no library {name} in {folder}")
