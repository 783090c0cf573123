"""On which systems a package runs is read from its programs; some are made to need no newer one than they must."""

from __future__ import annotations

import ctypes
import lzma
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not (shutil.which("readelf") and shutil.which("cc")), reason="a compiler of Linux"
)


def library(path: Path, symbol: str) -> Path:
    """One that asks for a symbol of the C library."""
    return compiled(path, f"void *{symbol}(void *); void *used(void *given) {{ return {symbol}(given); }}")


def compiled(path: Path, code: str) -> Path:
    """A library of C code."""
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-lm", "-o", path]
    subprocess.run(command, input=code, text=True, check=True, capture_output=True)
    return path


def test_the_newest_symbol_of_any_file_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from glibc_floor import floor_of, main

    (tmp_path / "note.txt").write_text("no program")
    assert floor_of(library(tmp_path / "old.so", "free")) < (2, 34)
    assert main([str(tmp_path), "2.34"]) == 0 and main([str(tmp_path), "RHEL 9"]) == 0
    new = library(tmp_path / "new.so", "__isoc23_strtol")  # since 2.38, which GCC uses by itself from then on
    if floor_of(new) < (2, 38):
        pytest.skip("this system's C library is older")
    assert main([str(tmp_path), "2.34"]) == 1 and main([str(tmp_path), "RHEL 9"]) == 1
    said = capsys.readouterr().out
    assert "not RHEL 9, Ubuntu 22.04, Debian 12." in said and f"glibc 2.38: {new}" in said
    (tmp_path / "new.so.xz").write_bytes(lzma.compress(new.read_bytes()))  # as the library for Vulkan lies in a package
    new.unlink()
    assert main([str(tmp_path), "RHEL 9"]) == 1


@pytest.mark.parametrize(
    ("asked", "systems"),
    [
        ({"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29)}, 5),
        ({"GLIBC": (2, 17), "GLIBCXX": (3, 4, 30)}, 4),
        ({"GLIBC": (2, 35)}, 4),
        ({"GLIBC": (2, 36), "GLIBCXX": (3, 4, 31)}, 2),
    ],
)
def test_the_cpp_library_counts_too(asked: dict[str, tuple[int, ...]], systems: int) -> None:
    from glibc_floor import SYSTEMS, runs

    assert sum(runs(asked, has) for has in SYSTEMS.values()) == systems


def test_a_function_is_asked_for_by_the_version_that_older_systems_have(tmp_path: Path) -> None:
    from glibc_floor import floor_of
    from older_symbols import ask_for_older

    used = (
        "double hypot(double, double); int getpid(void); double used(double a) { return getpid() ? hypot(a, 4) : 0; }"
    )
    alike = compiled(tmp_path / "alike.so", used)
    newer = compiled(tmp_path / "newer.so", f"float fsqrt(double); float new(double a) {{ return fsqrt(a); }} {used}")
    if floor_of(alike) != (2, 35):
        pytest.skip("this system's hypot has no newer version")
    assert ask_for_older(tmp_path) == [alike] and ask_for_older(tmp_path) == []
    assert floor_of(alike) < (2, 34)
    assert floor_of(newer) >= (2, 35)  # there is no older fsqrt
    function = ctypes.CDLL(str(alike)).used
    function.argtypes, function.restype = [ctypes.c_double], ctypes.c_double
    assert function(3.0) == 5.0


def test_a_folder_without_programs_is_a_mistake(tmp_path: Path) -> None:
    from glibc_floor import main

    with pytest.raises(SystemExit):
        main([str(tmp_path)])
