"""The portable folder's start script finds its program from anywhere and can make a menu entry."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

LINUX = Path(__file__).resolve().parents[2] / "packaging" / "linux"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A portable folder with an awkward name, and a program that says what it was given."""
    folder = tmp_path / "a&b | 100% née"
    (folder / "program").mkdir(parents=True)
    shutil.copy(LINUX / "fireside.sh", folder / "fireside")
    (folder / "share" / "applications").mkdir(parents=True)
    shutil.copy(LINUX / "fireside.desktop", folder / "share" / "applications")
    (folder / "program" / "fireside").write_text('#!/bin/sh\necho "$# $*"\n')
    for script in (folder / "fireside", folder / "program" / "fireside"):
        script.chmod(0o755)
    return folder


def run(script: Path, *arguments: str, **environment: str) -> str:
    return subprocess.run(
        [str(script), *arguments],
        cwd="/",
        env=os.environ | environment,
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    ).stdout


def test_arguments_reach_the_program_through_a_link(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder / "fireside")
    assert run(link, "chat", "-p", "two words") == "3 chat -p two words\n"


def test_the_menu_entry_starts_this_folder(folder: Path, tmp_path: Path) -> None:
    run(folder / "fireside", "--add-to-menu", XDG_DATA_HOME=str(tmp_path / "share"))
    entry = (tmp_path / "share" / "applications" / "fireside.desktop").read_text("utf-8").splitlines()
    # In an Exec line a percent sign is written twice.
    assert f'Exec="{str(folder).replace("%", "%%")}/fireside" %F' in entry
    assert f'Exec="{str(folder).replace("%", "%%")}/fireside" --translate %F' in entry
    assert f"TryExec={folder}/fireside" in entry  # without it there, the desktop would not show the entry
    assert f"Icon={folder}/fireside.png" in entry
