"""A file that a person has becomes a model here: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from app.core.errors.hub_errors import NotEnoughDisk
from app.core.errors.model_errors import ModelMissing, ModelNotOurs, ModelUnreadable
from app.core.errors.saving_errors import DiskFull, FolderNotWritable
from app.core.events import CancelToken, CopyProgress
from app.hub import models_folder, move_files
from app.hub.model_library import scan_folder
from app.hub.models_folder import add_model
from tests.helpers.disks import other_disk, small_disk
from tests.helpers.gguf_files import vocabulary_only
from tests.helpers.models_on_disk import as_nobody, contents, in_hub_cache, in_ollama, write_model

HOW = ("copy", "move")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The models folder, which does not exist before the first model."""
    return tmp_path / "models"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A model among a person's downloads."""
    path = tmp_path / "Downloads" / "tiny-llama-Q4_0.gguf"
    write_model(path, weights=400_000)
    return path


def added(
    path: Path, folder: Path, how: str, cancel: CancelToken | None = None
) -> tuple[Path | None, list[CopyProgress]]:
    seen: list[CopyProgress] = []
    steps = add_model(path, folder, how, cancel or CancelToken(), others=())
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return end.value, seen


@pytest.mark.parametrize("how", HOW)
def test_a_file_becomes_a_model(mine: Path, folder: Path, how: str) -> None:
    data = mine.read_bytes()
    path, seen = added(mine, folder, how)
    assert path == folder / "added" / "tiny llama" / mine.name
    assert path.read_bytes() == data
    assert mine.exists() is (how == "copy")
    assert seen[-1] == CopyProgress(len(data), len(data), mine.name)
    (model,) = scan_folder(folder)
    assert (model.path, model.origin, model.is_ours, model.tag) == (path, "added", True, "Q4_0")


@pytest.mark.parametrize("how", HOW)
def test_from_another_disk(mine: Path, how: str) -> None:
    data = mine.read_bytes()
    with other_disk(mine.parent) as disk:
        path, _ = added(mine, disk, how)
        assert path is not None and path.read_bytes() == data
        assert list(contents(disk)) == ["added/tiny llama/tiny-llama-Q4_0.gguf"]
    assert mine.exists() is (how == "copy")


def test_in_place_changes_nothing(mine: Path, folder: Path) -> None:
    path, seen = added(mine, folder, "in_place")
    assert path == mine and not folder.exists()
    assert seen[-1].done_bytes == mine.stat().st_size


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("dropped", [1, 2])
def test_all_parts_and_the_vision_file_come_along(tmp_path: Path, folder: Path, how: str, dropped: int) -> None:
    home = tmp_path / "Downloads"
    names = [f"see-Q8_0-0000{number}-of-00002.gguf" for number in (1, 2)]
    for name in (*names, "unrelated.gguf"):
        write_model(home / name)
    write_model(home / "mmproj-see-f16.gguf", **{"general.architecture": "clip"})
    path, _ = added(home / names[dropped - 1], folder, how)
    (model,) = scan_folder(folder)
    assert path == model.path and model.path.name == names[0]
    assert [part.name for part in model.parts] == names and not model.missing
    assert model.vision_path is not None and model.vision_path.parent == model.path.parent
    left = {"unrelated.gguf"} | (set() if how == "move" else {*names, "mmproj-see-f16.gguf"})
    assert set(contents(home)) == left


def test_a_name_that_is_taken_gets_a_number(mine: Path, folder: Path) -> None:
    first, _ = added(mine, folder, "copy")
    write_model(mine, "another", weights=8)
    second, _ = added(mine, folder, "copy")
    assert second == folder / "added" / "tiny llama 2" / mine.name
    assert first is not None and second is not None and first.read_bytes() != second.read_bytes()


def test_what_is_in_the_folder_already_stays_there(folder: Path) -> None:
    path = folder / "org" / "repo" / "a.gguf"
    write_model(path)
    before = contents(folder)
    for how in HOW:
        assert added(path, folder, how)[0] == path
    assert contents(folder) == before


@pytest.mark.parametrize("how", (*HOW, "in_place"))
def test_what_is_no_model_is_refused(tmp_path: Path, folder: Path, how: str) -> None:
    bad = tmp_path / "bad.gguf"
    data = write_model(bad)
    for content, reason in (
        (b"", "empty"),
        (b"<html>", "not_gguf"),
        (data[:-10], "truncated"),
        (vocabulary_only(), "vocabulary_only"),
    ):
        bad.write_bytes(content)
        with pytest.raises(ModelUnreadable) as refused:
            added(bad, folder, how)
        assert refused.value.reason == reason
    with pytest.raises(ModelMissing):
        added(tmp_path / "none.gguf", folder, how)
    assert not folder.exists()


def test_a_vision_file_alone_is_refused(tmp_path: Path, folder: Path) -> None:
    write_model(tmp_path / "mmproj-f16.gguf", **{"general.architecture": "clip"})
    with pytest.raises(ModelUnreadable):
        added(tmp_path / "mmproj-f16.gguf", folder, "copy")


def test_a_split_without_all_parts_is_refused_by_the_missing_name(tmp_path: Path, folder: Path) -> None:
    write_model(tmp_path / "big-00001-of-00003.gguf")
    write_model(tmp_path / "big-00003-of-00003.gguf")
    with pytest.raises(ModelMissing) as refused:
        added(tmp_path / "big-00001-of-00003.gguf", folder, "copy")
    assert refused.value.path == str(tmp_path / "big-00002-of-00003.gguf")


def test_a_cancel_leaves_nothing_behind(mine: Path) -> None:
    before = contents(mine.parent)
    with other_disk(mine.parent) as disk:
        for how in HOW:
            cancel = CancelToken()
            cancel.cancel()
            assert added(mine, disk, how, cancel)[0] is None
            assert contents(disk) == {} and not (disk / "added").exists()
    assert contents(mine.parent) == before


def test_a_generator_that_is_given_up_leaves_nothing_behind(
    mine: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(move_files, "SAY_EVERY_S", 0)
    steps = add_model(mine, folder, "copy", CancelToken(), others=())
    next(steps)
    assert [path.suffix for path in folder.rglob("*") if path.is_file()] == [".part"]
    assert scan_folder(folder) == []
    steps.close()
    assert contents(folder) == {}


def test_what_a_kill_left_is_written_over(mine: Path, folder: Path) -> None:
    part = folder / "added" / "tiny llama" / f"{mine.name}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half of it" * 1000)
    path, _ = added(mine, folder, "copy")
    assert path is not None and path.parent == part.parent
    assert contents(folder) == {f"added/tiny llama/{mine.name}": mine.read_bytes()}


def test_a_file_of_another_program_is_copied_but_not_moved(tmp_path: Path, folder: Path) -> None:
    link, _ = in_hub_cache(tmp_path / "hub", "o/r", "m.gguf")
    blob = in_ollama(tmp_path / "ollama", "library/x")
    before = contents(tmp_path)
    others = (tmp_path / "hub", tmp_path / "ollama")
    elsewhere = tmp_path / "link-to-theirs.gguf"
    elsewhere.symlink_to(blob)
    for path in (link, blob, elsewhere):
        with pytest.raises(ModelNotOurs):
            list(add_model(path, folder, "move", CancelToken(), others))
    elsewhere.unlink()
    list(add_model(link, folder, "copy", CancelToken(), others))
    (model,) = scan_folder(folder)
    assert model.path.name == "m.gguf" and not model.path.is_symlink()
    assert contents(tmp_path).items() >= before.items()


def test_moving_a_link_takes_the_link_and_copies_the_file(mine: Path, folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.gguf"
    link.symlink_to(mine)
    path, _ = added(link, folder, "move")
    assert path is not None and path.read_bytes() == mine.read_bytes() and not path.is_symlink()
    assert mine.exists() and not link.is_symlink()


def test_too_little_room_is_said_before_anything_is_copied(mine: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 1_000_000) as disk:
        for how in HOW:
            with pytest.raises(NotEnoughDisk):
                added(mine, disk / "models", how)
        assert contents(disk) == {}
    assert mine.exists()


def test_a_disk_that_fills_up_meanwhile(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models_folder, "reserve_for", lambda size: -10_000_000)  # as if there had been room at first
    with small_disk(tmp_path / "small", 1_000_000) as disk:
        for how in HOW:
            with pytest.raises(DiskFull):
                added(mine, disk / "models", how)
            assert contents(disk) == {}
    assert mine.exists()


@pytest.mark.skipif(os.name != "posix", reason="needs the rights of POSIX")
def test_a_folder_that_may_not_be_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        write_model(top / "a.gguf")
        (top / "closed").mkdir(mode=0o555)
        for how in HOW:
            with as_nobody(), pytest.raises(FolderNotWritable):
                added(top / "a.gguf", top / "closed" / "models", how)
        assert (top / "a.gguf").exists()
