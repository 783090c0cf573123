"""A file on its way, on the disk: names, room, its note, its lock, and its last step."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.hub_errors import DownloadFailed, DownloadRunning, NotEnoughDisk
from app.hub.part import (
    RESERVE_BYTES,
    PartialFile,
    RemoteOrigin,
    check_room,
    companion_path,
    fetched_bytes,
    file_place,
    hash_of,
    reserve_for,
    throw_away,
)

ORIGIN = RemoteOrigin("someone/Tiny", "tiny.gguf", "c0ffee", "e" * 64, 10)


def unheard(size: int) -> None:
    """Nobody asks how far a check is."""


def names(folder: Path) -> set[str]:
    """What lies there, but for the lock, which only says something while it is held."""
    return {each.name for each in folder.iterdir() if not each.name.endswith(".lock")}


@given(st.text(), st.text())
def test_whatever_the_names_are_the_place_is_inside_the_folder(repo: str, file: str) -> None:
    folder = Path("/models")
    try:
        path = file_place(folder, repo, file)
    except DownloadFailed:
        return
    assert folder in path.resolve().parents
    assert len(path.relative_to(folder).parts) >= 3


def test_a_place_is_organisation_repository_file(tmp_path: Path) -> None:
    assert file_place(tmp_path, "a/b", "c/d.gguf") == tmp_path / "a" / "b" / "c" / "d.gguf"


def test_room_is_asked_for_on_the_volume_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    check_room(folder, 1)
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(NotEnoughDisk) as caught:
        check_room(folder, 2 * free)
    assert (caught.value.path, caught.value.needed_bytes) == (str(folder), 2 * free)


def test_the_reserve_grows_with_the_file() -> None:
    assert reserve_for(1) == RESERVE_BYTES
    assert reserve_for(100 * 10**9) == 2 * 10**9


def test_a_part_goes_on_with_the_hash_of_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a" / "tiny.gguf"
    with PartialFile(path).locked() as part:
        assert part.open(ORIGIN, unheard) == 0
        part.write(b"01234")
    assert fetched_bytes(path) == 5
    heard: list[int] = []
    with PartialFile(path).locked() as part:
        assert part.is_begun
        assert part.open(ORIGIN, heard.append) == 5
        assert not part.is_begun
        part.write(b"56789")
        assert part.sync() == hashlib.sha256(b"0123456789").hexdigest()
        part.finish()
    assert heard == [5]
    assert path.read_bytes() == b"0123456789"
    assert names(path.parent) == {"tiny.gguf", "tiny.gguf.json"}
    assert fetched_bytes(path) == 0


def test_an_open_part_is_not_read_twice(tmp_path: Path) -> None:
    heard: list[int] = []
    with PartialFile(tmp_path / "tiny.gguf").locked() as part:
        part.open(ORIGIN, heard.append)
        part.write(b"01234")
        assert part.open(RemoteOrigin("someone/Tiny", "tiny.gguf", "a later commit", "e" * 64, 10), heard.append) == 5
        assert part.open(RemoteOrigin("someone/Tiny", "tiny.gguf", "c0ffee", "f" * 64, 10), heard.append) == 0
    assert heard == []


def test_starting_anew_empties_the_part_before_its_note_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power loss in between would leave old bytes under a new name."""
    path = tmp_path / "tiny.gguf"
    sizes: list[int] = []
    monkeypatch.setattr("app.hub.part._save_whole", lambda *_: sizes.append(fetched_bytes(path)))
    companion_path(path, ".part").write_bytes(b"old")
    with PartialFile(path).locked() as part:
        part.open(ORIGIN, unheard)
    assert sizes == [0]


def test_thrown_away_is_everything(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    with PartialFile(path).locked() as part:
        part.open(ORIGIN, unheard)
    throw_away(path)
    throw_away(path)
    assert list(tmp_path.iterdir()) == []


def test_another_process_is_kept_out_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    code = (
        "import sys, pathlib; from app.hub.part import PartialFile\n"
        f"with PartialFile(pathlib.Path({str(path)!r})).locked(): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(DownloadRunning), PartialFile(path).locked():
            pass
        other.kill()
    with PartialFile(path).locked():
        pass


def test_the_note_says_where_the_file_came_from(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    with PartialFile(path).locked() as part:
        part.open(ORIGIN, unheard)
        part.finish()
    note = json.loads(companion_path(path, ".json").read_text("utf-8"))
    assert sorted(note) == ["commit", "downloaded_at", "file", "repo", "sha256", "size_bytes", "version"]


def test_the_hash_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_000)
    heard: list[int] = []
    assert hash_of(path, heard.append) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert heard == [1_048_576, 2_097_152, 3_000_000]


def test_on_windows_the_last_step_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virus scanner holds a new file for a moment."""
    monkeypatch.setattr("app.hub.part.sys.platform", "win32")
    monkeypatch.setattr("app.hub.part.RENAME_WAIT_S", 0.0)
    failures = [PermissionError(), PermissionError()]
    replace = Path.replace

    def held(old: Path, new: Path) -> Path:
        if failures:
            raise failures.pop()
        return replace(old, new)

    path = tmp_path / "tiny.gguf"
    with PartialFile(path).locked() as part:
        part.open(ORIGIN, unheard)
        monkeypatch.setattr(Path, "replace", held)
        part.finish()
    assert failures == []
    assert path.exists()
