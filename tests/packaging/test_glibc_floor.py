"""On which systems a package runs is read from its programs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not (shutil.which("readelf") and shutil.which("cc")), reason="a compiler of Linux"
)


@pytest.fixture(autouse=True)
def packaging_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))


def library(path: Path, symbol: str) -> Path:
    """One that asks for a symbol of the C library."""
    code = f"void *{symbol}(void *); void *used(void *given) {{ return {symbol}(given); }}"
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", path]
    subprocess.run(command, input=code, text=True, check=True, capture_output=True)
    return path


def test_the_newest_symbol_of_any_file_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from glibc_floor import floors, main

    (tmp_path / "note.txt").write_text("no program")
    library(tmp_path / "old.so", "free")
    assert max(floors(tmp_path).values()) < (2, 34)
    assert main([str(tmp_path), "2.34"]) == 0
    new = library(tmp_path / "new.so", "__isoc23_strtol")  # since 2.38, which GCC uses by itself from then on
    if floors(tmp_path)[new] < (2, 38):
        pytest.skip("this system's C library is older")
    assert main([str(tmp_path), "2.34"]) == 1
    said = capsys.readouterr().out
    assert "not RHEL 9, Ubuntu 22.04, Debian 12." in said and f"glibc 2.38: {new}" in said


def test_a_folder_without_programs_is_a_mistake(tmp_path: Path) -> None:
    from glibc_floor import main

    with pytest.raises(SystemExit):
        main([str(tmp_path)])
