"""Files that a person asked for: whole or not there, and nothing left beside them by a program that was killed."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.errors.saving_errors import NameTooLong
from app.core.paths import AppPaths
from app.features.work.saved_file import remove_interrupted, write_file
from tests.helpers.program import ROOT

SAVING = """
import sys
from pathlib import Path
from app.features.work.saved_file import write_file
with write_file(Path(sys.argv[1])) as file:
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
    with pytest.raises(ValueError, match="no"), write_file(path) as file:
        file.write(b"new")
        raise ValueError("no")
    assert path.read_text() == "older"
    assert [one for one in names(tmp_path) if one.startswith(".fireside-")] == []


COPYING = """
import os, sqlite3, sys
from pathlib import Path
from app.features.work.saved_file import scratch_beside
with scratch_beside(Path(sys.argv[1]), ".db") as scratch:
    sqlite3.connect(f"{scratch}.part").execute("CREATE TABLE t (x)")
    for ending in ("-journal", ".part-journal"):
        Path(f"{scratch}{ending}").touch()
    os._exit(9)
"""


def test_what_a_killed_copy_of_a_database_left_goes_with_it(tmp_path: Path) -> None:
    """Each is a database with all chats, or a part of one."""
    folder = tmp_path / "documents"
    folder.mkdir()
    ended = subprocess.run([sys.executable, "-c", COPYING, folder / "backup.zip"], cwd=ROOT, check=False)
    assert ended.returncode == 9 and len(names(folder)) == 3
    remove_interrupted()
    assert names(folder) == []


@pytest.mark.parametrize("was_there", [False, True])
def test_what_is_private_is_its_persons_alone(tmp_path: Path, *, was_there: bool) -> None:
    path = tmp_path / "backup.zip"
    if was_there:
        path.write_text("older")
        path.chmod(0o644)
    with write_file(path, is_private=True) as file:
        file.write(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_name_that_is_too_long_is_the_reason_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / f"{'long' * 75}.zip"
    with pytest.raises(NameTooLong) as refused, write_file(path):
        pytest.fail("nothing is to be written")
    assert refused.value.path == str(path)
    assert list(tmp_path.glob(".fireside-*")) == []
