"""Files that a person asked for: whole or not there, and nothing left beside them by a program that was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.core.paths import AppPaths
from app.features.work.saved_file import remove_interrupted, written
from tests.helpers.program import ROOT

SAVING = """
import sys
from pathlib import Path
from app.features.work.saved_file import written
with written(Path(sys.argv[1])) as file:
    file.write(b"half of it")
    file.flush()
    print("at it", flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_what_a_killed_program_was_writing_is_removed_and_what_another_is_writing_stays(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "out.txt").write_text("older")
    (folder / ".fireside-of-somebody").write_text("not ours to remove: nothing says that it was being written")
    saving = [
        subprocess.Popen(
            [sys.executable, "-c", SAVING, folder / "out.txt"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        for _ in range(2)
    ]
    for one in saving:
        assert one.stdout is not None
        assert one.stdout.readline().strip() == b"at it"
    saving[0].kill()
    saving[0].communicate()
    assert len(names(folder)) == 4
    remove_interrupted()
    assert len(names(folder)) == 3, "the other one goes on"
    saving[1].communicate()
    assert names(folder) == [".fireside-of-somebody", "out.txt"]
    assert (folder / "out.txt").read_bytes() == b"half of it"
    remove_interrupted()
    assert names(AppPaths.from_environment().data / "saving") == []


def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("older")
    with pytest.raises(ValueError, match="no"), written(path) as file:
        file.write(b"new")
        raise ValueError("no")
    assert path.read_text() == "older"
    assert [one for one in names(tmp_path) if one.startswith(".fireside-")] == []
