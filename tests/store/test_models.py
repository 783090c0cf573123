"""Notes about model files: each by its path, changed piece by piece, forgotten on request."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.store.database import Database
from app.store.model_notes import ModelNote, ModelNotes


@pytest.fixture
def notes(database: Database) -> ModelNotes:
    return ModelNotes(database)


def test_nothing_is_known_of_a_file_that_was_never_noted(notes: ModelNotes) -> None:
    assert notes.get(Path("/models/a.gguf")) is None
    assert notes.all() == []


def test_a_note_changes_only_what_is_given(notes: ModelNotes) -> None:
    path = Path("/models/a.gguf")
    notes.update_note(path, origin="added", added_at=5.5)
    notes.update_note(path, label="Mine \udc80")
    notes.update_note(path, used_at=7.0)
    assert notes.get(path) == ModelNote(path, "Mine \ufffd", "added", 5.5, 7.0)
    notes.update_note(path, label="")
    assert notes.get(path) == ModelNote(path, "", "added", 5.5, 7.0)


def test_a_digest_is_kept_with_the_size_and_time_it_belongs_to(notes: ModelNotes, tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF")
    now = path.stat()
    notes.update_note(path, sha256="ab" * 32, size_bytes=now.st_size, mtime_ns=now.st_mtime_ns)
    found = notes.get(path)
    assert found is not None
    assert (found.sha256, found.size_bytes, found.mtime_ns) == ("ab" * 32, 4, path.stat().st_mtime_ns)


def test_each_path_has_its_own_note_until_it_is_forgotten(notes: ModelNotes) -> None:
    notes.update_note("/models/a.gguf", label="a")
    notes.update_note(Path("/models/A.gguf"), label="A")
    assert {note.path: note.label for note in notes.all()} == {
        Path("/models/a.gguf"): "a",
        Path("/models/A.gguf"): "A",
    }
    notes.forget("/models/a.gguf")
    notes.forget("/models/a.gguf")
    assert [note.label for note in notes.all()] == ["A"]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode there")
def test_a_file_whose_name_is_not_utf_8_has_notes_after_a_restart(tmp_path: Path) -> None:
    path = Path(os.fsdecode(b"/models/gr\xf6\xdfe.gguf"))
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        ModelNotes(database).update_note(path, label="Größe")
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        assert ModelNotes(database).get(path) == ModelNote(path, "Größe")
        assert ModelNotes(database).all()[0].path == path


def test_a_note_without_anything_says_that_the_file_is_known(notes: ModelNotes) -> None:
    notes.update_note("/models/a.gguf")
    notes.update_note("/models/a.gguf")
    assert notes.all() == [ModelNote(Path("/models/a.gguf"))]
