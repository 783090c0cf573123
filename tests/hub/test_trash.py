"""What was deleted can come back as it was, until the trash is emptied."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors.model_errors import ModelMissing, ModelNotOurs
from app.core.errors.saving_errors import FolderNotWritable
from app.hub.model_library import InstalledModel, describe_model, scan_folder
from app.hub.model_trash import NOTE, TRASH, TrashedModel, empty_trash, list_trash, put_back, throw_away
from tests.helpers import models_on_disk
from tests.helpers.models_on_disk import as_nobody, write_model, write_sidecar


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two quantizations with one vision file, and a split."""
    home = tmp_path / "models"
    for name in ("see-Q4_0.gguf", "see-Q8_0.gguf"):
        write_model(home / "org" / "see" / name)
        write_sidecar(home / "org" / "see" / name, repo="org/see")
    write_model(home / "org" / "see" / "mmproj-f16.gguf", **{"general.architecture": "clip"})
    for number in (1, 2):
        write_model(home / "org" / "big" / f"big-0000{number}-of-00002.gguf")
    write_model(home / "mine.gguf")
    return home


def model(folder: Path, name: str) -> InstalledModel:
    return next(each for each in scan_folder(folder) if each.path.name == name)


def files(folder: Path) -> dict[str, bytes]:
    """What is in the folder, without the trash."""
    return {name: data for name, data in models_on_disk.contents(folder).items() if not name.startswith(TRASH)}


@pytest.mark.parametrize("name", ["see-Q4_0.gguf", "big-00001-of-00002.gguf", "mine.gguf"])
def test_a_model_goes_and_comes_back_with_all_that_is_its_own(folder: Path, name: str) -> None:
    before = files(folder)
    thrown = throw_away(model(folder, name), folder)
    assert [each.path.name for each in scan_folder(folder) if each.path.name == name] == []
    assert list_trash(folder) == [thrown]
    assert put_back(thrown) == model(folder, name).path
    assert files(folder) == before
    assert list_trash(folder) == [] and models_on_disk.contents(folder / TRASH) == {}


def test_the_last_model_takes_the_vision_file_along(folder: Path) -> None:
    before = files(folder)
    first = throw_away(model(folder, "see-Q4_0.gguf"), folder)
    assert first.files == ("org/see/see-Q4_0.gguf", "org/see/see-Q4_0.gguf.json")
    second = throw_away(model(folder, "see-Q8_0.gguf"), folder)
    assert "org/see/mmproj-f16.gguf" in second.files
    assert not (folder / "org" / "see").exists() and (folder / "org" / "big").exists()
    assert [each.id for each in list_trash(folder)] == [second.id, first.id]
    put_back(first)
    put_back(second)
    assert files(folder) == before


@pytest.mark.parametrize("name", ["org/see/see-Q4_0.gguf", "mine.gguf"])
def test_a_place_that_is_taken_again_is_not_overwritten(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    thrown = throw_away(model(folder, Path(name).name), folder)
    (folder / name).write_bytes(b"downloaded again")
    back = put_back(thrown)
    assert (folder / name).read_bytes() == b"downloaded again"
    assert back.read_bytes() == data and back != folder / name
    assert model(folder, back.name).path == back
    assert list_trash(folder) == []


def test_a_kill_in_the_middle_of_throwing_away_leaves_it_whole(folder: Path) -> None:
    before = files(folder)
    thrown = throw_away(model(folder, "big-00001-of-00002.gguf"), folder)
    stayed = thrown.files[1]
    (folder / stayed).parent.mkdir()
    (thrown.place / stayed).rename(folder / stayed)  # as if the second part had not gone yet
    (read,) = list_trash(folder)
    put_back(read)
    assert files(folder) == before


def test_another_programs_file_is_never_touched(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "lm-studio" / "theirs.gguf"
    data = write_model(outside)
    theirs = describe_model(outside, "lm_studio")
    assert theirs is not None
    for each in (theirs, InstalledModel(**{**vars(theirs), "is_ours": True})):
        with pytest.raises(ModelNotOurs):
            throw_away(each, folder)
    (folder / "linked").symlink_to(outside.parent)
    with pytest.raises(ModelNotOurs):
        throw_away(model(folder, "theirs.gguf"), folder)
    (folder / "linked").unlink()
    (folder / "link.gguf").symlink_to(outside)
    throw_away(model(folder, "link.gguf"), folder)
    empty_trash(folder)
    assert outside.read_bytes() == data


def test_what_is_gone_already_is_said(folder: Path) -> None:
    mine = model(folder, "mine.gguf")
    mine.path.unlink()
    with pytest.raises(ModelMissing):
        throw_away(mine, folder)
    assert list_trash(folder) == []


def test_emptying_frees_the_bytes_and_ends_undo(folder: Path) -> None:
    thrown = throw_away(model(folder, "mine.gguf"), folder)
    assert empty_trash(folder, older_than_s=3600) == 0
    assert empty_trash(folder) == thrown.size_bytes > 0
    assert list_trash(folder) == []
    with pytest.raises(ModelMissing):
        put_back(thrown)


def test_only_what_is_old_enough_goes(folder: Path) -> None:
    old, fresh = (throw_away(model(folder, name), folder) for name in ("mine.gguf", "see-Q4_0.gguf"))
    note = old.place / NOTE
    note.write_text(json.dumps(json.loads(note.read_text("utf-8")) | {"thrown_at": time.time() - 7200}), "utf-8")
    empty_trash(folder, older_than_s=3600)
    assert [each.id for each in list_trash(folder)] == [fresh.id]


@pytest.mark.parametrize(
    "note",
    [
        "",
        "[]",
        "{}",
        '{"name": "x", "files": 7, "size_bytes": 1, "thrown_at": 1}',
        '{"name": "x", "files": [], "size_bytes": 1, "thrown_at": 1}',
        '{"name": "x", "files": ["../../escaped.gguf"], "size_bytes": 1, "thrown_at": 1}',
        '{"name": "x", "files": ["FOLDER/escaped.gguf"], "size_bytes": 1, "thrown_at": 1}',
        '{"name": "x", "files": ["x.gguf"], "size_bytes": "much", "thrown_at": 1}',
    ],
)
def test_a_damaged_note_cannot_be_put_back_but_emptied(folder: Path, note: str) -> None:
    place = folder / TRASH / "damaged"
    place.mkdir(parents=True)
    (folder / "escaped.gguf").write_bytes(b"there")
    (place / NOTE).write_text(note.replace("FOLDER", folder.as_posix()), "utf-8")
    (place / "x.gguf").write_bytes(b"12345")
    assert list_trash(folder) == []
    assert empty_trash(folder) == 5
    assert not place.exists()


def test_a_failure_puts_everything_back(folder: Path) -> None:
    big = model(folder, "big-00001-of-00002.gguf")
    before = files(folder)
    (folder / TRASH).write_bytes(b"in the way")
    with pytest.raises(FolderNotWritable):
        throw_away(big, folder)
    assert files(folder) == before


@pytest.mark.skipif(os.name != "posix", reason="needs the rights of POSIX")
def test_a_failure_in_the_middle_takes_back_what_went() -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        split = [top / "open" / "m-00001-of-00002.gguf", top / "closed" / "m-00002-of-00002.gguf"]
        for path in split:
            write_model(path)
        first = describe_model(split[0], "added")
        assert first is not None
        for path, mode in ((top, 0o777), (top / "open", 0o777), (top / "closed", 0o555)):
            path.chmod(mode)
        with as_nobody(), pytest.raises(FolderNotWritable):
            throw_away(replace(first, parts=tuple(split), is_ours=True), top)
        assert set(files(top)) == {"open/m-00001-of-00002.gguf", "closed/m-00002-of-00002.gguf"}
        assert list_trash(top) == []


def test_no_trash_is_an_empty_one(tmp_path: Path) -> None:
    assert list_trash(tmp_path) == [] and empty_trash(tmp_path) == 0
    (tmp_path / "elsewhere" / "keep").mkdir(parents=True)
    (tmp_path / TRASH).symlink_to(tmp_path / "elsewhere")
    assert empty_trash(tmp_path) == 0
    assert (tmp_path / "elsewhere" / "keep").exists()


def test_a_thrown_model_knows_where_it_is(tmp_path: Path) -> None:
    thrown = TrashedModel("id", tmp_path, "x", ("x.gguf",), 1, 0.0)
    assert thrown.place == tmp_path / TRASH / "id"
    assert not os.path.lexists(thrown.place)
