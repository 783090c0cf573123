"""Folders as building llama.cpp leaves them, with libraries that fit and that don't."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path


def copy_library(tmp_path: Path) -> Path:
    """The program's own libraries where a person's build has them."""
    package = importlib.util.find_spec("llama_cpp")
    assert package is not None and package.origin is not None
    folder = tmp_path / "llama.cpp" / "build" / "bin"
    shutil.copytree(Path(package.origin).parent / "lib", folder)
    return folder


def compile_over(build: Path, source: str) -> None:
    """Put a library before llama.cpp's own that has one function of another make."""
    link = ["-Wl,--no-as-needed", "-L", str(build), "-l:libllama.so.0", "-Wl,-rpath,$ORIGIN"]
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-x", "none", "-o", str(build / "made.so"), *link]
    subprocess.run(command, input=source, text=True, check=True)
    (build / "made.so").replace(build / "libllama.so")


def empty_library(build: Path) -> None:
    """A library that can be loaded and has no function of llama.cpp's."""
    command = ["cc", "-shared", "-x", "c", "/dev/null", "-o", str(build / "libllama.so")]
    subprocess.run(command, check=True)
