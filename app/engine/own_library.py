"""A llama.cpp that the person built: found in a folder, tried in a throw-away process, given to children by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from app.core.errors.engine_errors import OwnLibraryRefused
from app.core.paths import LIBRARY_VARIABLE
from app.engine.memory_probe import LibraryTried, TryLibrary, ask_probe

EYES_VARIABLE = "MTMD_CPP_LIB"
"""The same for the library that reads pictures and sounds; the two must come from one build."""
PLACES = ("", "build/bin", "build/lib", "bin", "lib", "build/bin/Release")
NAMES = {"win32": ("llama.dll", "libllama.dll"), "darwin": ("libllama.dylib",)}
TRY_S = 30.0
"""Limit for loading a library with its backends; a driver may take ten seconds the first time."""


def find_library_folder(chosen: Path) -> Path:
    """Return the folder that holds llama.cpp's library, in or below what a person chose. Raises OwnLibraryRefused."""
    names = NAMES.get(sys.platform, ("libllama.so",))
    for place in PLACES:
        if any((chosen / place / name).is_file() for name in names):
            return (chosen / place).resolve()
    raise OwnLibraryRefused(str(chosen), "missing")


def try_library(folder: Path, *, scratch: Path, cancelled: Callable[[], bool] = lambda: False) -> str:
    """Load a library as the engine would, in a process of its own, and return its version.

    `scratch` becomes that process's working directory. Raises OwnLibraryRefused.
    """
    answer = ask_probe(TryLibrary(str(folder)), scratch, cancelled, TRY_S, library_variables(str(folder)))
    if not isinstance(answer, LibraryTried):
        raise OwnLibraryRefused(str(folder), "crashed")
    if answer.reason:
        raise OwnLibraryRefused(str(folder), answer.reason, answer.detail)
    return answer.version


def stamp_library(folder: str) -> tuple[tuple[str, int, int], ...]:
    """Return what tells one build in a folder from the next; empty for one that is gone."""
    try:
        found = [(path.name, path.stat()) for path in sorted(Path(folder).iterdir()) if path.is_file()]
    except OSError:
        return ()
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)


def library_variables(folder: str) -> dict[str, str]:
    """Return the environment that makes a child load the library in `folder`; "" is the program's own."""
    return {LIBRARY_VARIABLE: folder, EYES_VARIABLE: folder} if folder else {}
