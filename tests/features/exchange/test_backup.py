"""Everything in one file and back: whole or not at all, with what was here kept aside, and nothing hostile let out."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import bootstrap
from app.core.errors.database_errors import DatabaseAltered
from app.core.errors.exchange_errors import BackupUnreadable, ChatsUnreadable
from app.core.errors.saving_errors import DiskFull
from app.core.events import CancelToken, Role
from app.core.paths import AppPaths
from app.core.settings import Settings, load_settings, save_settings
from app.features.exchange import restore_backup
from app.features.exchange.backup import BackupFinished, BackupProgress, BackupUnpacked, back_up
from app.features.exchange.chat_import import recognize_format
from app.features.exchange.restore_backup import (
    accept,
    last_aside,
    put_back,
    put_in_place,
    refuse_restored,
    unpack_backup,
)
from app.store.attachments import Attachments
from app.store.conversations import Conversations
from app.store.database import Database, is_let_go
from app.store.document_store import DocumentStore
from app.store.migrations import MIGRATIONS
from app.store.projects import ProjectDocuments, Projects


def home(root: Path) -> AppPaths:
    return AppPaths(root / "data", root / "config", root / "cache", root / "logs")


@pytest.fixture
def here(tmp_path: Path) -> AppPaths:
    """Somebody's chat, setting and translated document."""
    places = home(tmp_path / "here")
    with closing(Database.open(places.database)) as database:
        chat = Conversations(database).create(title="Rent")
        Conversations(database).add_message(chat.id, None, Role.USER, "How much?")
    save_settings(places.settings, Settings().changed("appearance", zoom=1.5))
    places.own_words.write_text("Fireside\n", "utf-8")
    (places.translations / "1").mkdir(parents=True)
    (places.translations / "1" / "Vertrag ü.docx").write_bytes(b"document" * 1000)
    for name in ("server.json", "Qwen3.remote", "sent.txt"):
        (places.servers / "gpu-box").mkdir(parents=True, exist_ok=True)
        (places.servers / "gpu-box" / name).write_text(name, "utf-8")
    places.recordings.mkdir()
    (places.recordings / "2026-11-27 20.15.wav").write_bytes(b"RIFF")
    return places


@pytest.fixture
def saved(here: AppPaths, tmp_path: Path) -> Path:
    path = tmp_path / "backup.zip"
    with closing(Database.open(here.database)) as database:
        *progress, last = back_up(path, here, database, CancelToken())
    assert last == BackupFinished(7, path.stat().st_size)
    assert progress[-1].done_bytes == progress[-1].total_bytes  # type: ignore[union-attr]
    return path


def stored_document(store: DocumentStore, path: Path, *, blocks: int) -> int:
    """A document with so many paragraphs; its number."""
    number = store.begin_document(path, 1, 1)
    fields = [{"id": n, "kind": "paragraph", "page": None, "text": f"Paragraph {n}."} for n in range(1, blocks + 1)]
    store.add_blocks(number, fields)
    return store.finish_document(number, format_="text", unit="", pages=0, sha256=path.name, info={}).id


def titles(places: AppPaths) -> list[str]:
    with closing(Database.open(places.database)) as database:
        return [chat.title for chat in Conversations(database).find()]


def unpacked(path: Path, places: AppPaths) -> BackupUnpacked:
    *_, last = unpack_backup(path, places, CancelToken())
    assert isinstance(last, BackupUnpacked)
    accept(places)
    return last


def test_everything_comes_back_in_an_empty_home(saved: Path, tmp_path: Path) -> None:
    there = home(tmp_path / "there")
    assert unpacked(saved, there).program.startswith("Fireside ")
    assert put_in_place(there) is not None
    assert titles(there) == ["Rent"]
    assert load_settings(there.settings)[0].appearance.zoom == 1.5
    assert there.own_words.read_text("utf-8") == "Fireside\n"
    assert (there.translations / "1" / "Vertrag ü.docx").read_bytes() == b"document" * 1000
    assert (there.recordings / "2026-11-27 20.15.wav").read_bytes() == b"RIFF"
    assert sorted(path.name for path in (there.servers / "gpu-box").iterdir()) == ["Qwen3.remote", "server.json"]
    assert not there.restore.waiting.exists()
    assert put_in_place(there) is None


def test_what_was_found_out_about_documents_comes_back(here: AppPaths, tmp_path: Path) -> None:
    """Vectors of passages, and whether some passage of a project's document answers a question."""
    given = np.random.default_rng(7).normal(size=(3, 64)).astype(np.float32)
    given /= np.linalg.norm(given, axis=1, keepdims=True)
    with closing(Database.open(here.database)) as database:
        store, projects = DocumentStore(database), Projects(database)
        lease, plan = (stored_document(store, tmp_path / name, blocks=4) for name in ("lease.txt", "plan.txt"))
        project = projects.create("Flat")
        ProjectDocuments(database).add(project.id, lease)
        chat = Conversations(database).create(title="Pets", project_id=project.id)
        verdicts = [False, True, None]
        questions = [
            Conversations(database).add_message(chat.id, None, Role.USER, f"Are pets allowed? {number}")
            for number in range(len(verdicts))
        ]
        for question, verdict in zip(questions, verdicts, strict=True):
            Attachments(database).add_passages(question.id, lease, [2, 3], has_answer=verdict)
        store.vectors.add(lease, "granite", [1, 2, 4], given)
        store.vectors.mark_complete(lease, "granite")
        store.vectors.add(plan, "granite", [1], given[:1])
        before = list(store.vectors.read_batches(lease, "granite"))
        list(back_up(tmp_path / "backup.zip", here, database, CancelToken()))
    there = home(tmp_path / "there")
    unpacked(tmp_path / "backup.zip", there)
    assert put_in_place(there) is not None
    with closing(Database.open(there.database)) as database:
        store, attachments = DocumentStore(database), Attachments(database)
        found = [attachments.of_messages([question.id])[question.id][0] for question in questions]
        assert [(one.document_id, one.passages, one.has_answer) for one in found] == [
            (lease, (2, 3), verdict) for verdict in verdicts
        ]
        assert [one.document_id for one in ProjectDocuments(database).list_documents(project.id)] == [lease]
        after = list(store.vectors.read_batches(lease, "granite"))
        assert [list(batch.blocks) for batch in after] == [[1, 2, 4]]
        assert np.array_equal(after[0].vectors, before[0].vectors)
        assert store.vectors.is_finished(lease, "granite")
        assert store.vectors.block_numbers(plan, "granite") == {1}
        assert not store.vectors.is_finished(plan, "granite"), "the rest of it is made later"


def test_what_was_here_moves_aside_and_what_models_had_read_of_it_goes(saved: Path, here: AppPaths) -> None:
    with closing(Database.open(here.database)) as database:
        Conversations(database).create(title="Later")
    here.states.mkdir(parents=True)
    (here.states / "chat-1").write_text("state")
    unpacked(saved, here)
    assert titles(here) == ["Later", "Rent"]  # nothing has changed yet
    aside = put_in_place(here)
    assert aside is not None
    assert titles(here) == ["Rent"]
    with closing(Database.open(aside / "fireside.db")) as database:
        assert [chat.title for chat in Conversations(database).find()] == ["Later", "Rent"]
    assert (aside / "settings.json").is_file()
    assert (aside / "translations" / "1").is_dir()
    assert not here.states.exists()


def test_a_backup_waits_while_somebody_has_the_database_and_the_next_start_takes_it(
    saved: Path, here: AppPaths
) -> None:
    with closing(Database.open(here.database)) as database:
        Conversations(database).create(title="Later")
        unpacked(saved, here)
        assert not is_let_go(here.database)
        assert put_in_place(here) is None
        assert len(Conversations(database).find()) == 2  # still whole, still ours
    with closing(bootstrap.build_program(here)) as app:
        (chat,) = app.conversations.find()
        assert (chat.title, app.shelf.whole.message_count(chat.id)) == ("Rent", 1)
        assert restore_backup.BACKUP_RESTORED in [notice.text for notice in app.notices]
        assert app.settings.appearance.zoom == 1.5
    with closing(bootstrap.build_program(here)) as app:
        assert not app.notices


def test_what_is_in_it_is_known_before_anybody_wants_it(saved: Path, here: AppPaths) -> None:
    *_, last = unpack_backup(saved, here, CancelToken())
    assert isinstance(last, BackupUnpacked)
    assert (last.counts["chats"], last.counts["messages"], last.counts["summaries"]) == (1, 1, 0)
    assert put_in_place(here) is None, "a program that ended here starts as if nothing had been"
    refuse_restored(here)
    assert not here.restore.unpacked.exists()
    list(unpack_backup(saved, here, CancelToken()))
    restore_backup.remove_old(here, here.restore.unpacked.stat().st_mtime + restore_backup.FORGOTTEN_S + 1)
    assert not here.restore.unpacked.exists()


def test_what_was_here_before_is_kept_for_thirty_days(saved: Path, here: AppPaths) -> None:
    unpacked(saved, here)
    aside = put_in_place(here)
    assert aside is not None
    with closing(bootstrap.build_program(here)) as app:
        app.housekeeping.remove_unreferenced()
        assert aside.is_dir()
        long_ago = aside.stat().st_mtime - 31 * 24 * 3600
        os.utime(aside, (long_ago, long_ago))
        app.housekeeping.remove_unreferenced()
        assert not aside.exists()


def test_a_copy_is_of_one_moment_though_somebody_writes(here: AppPaths, tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    with closing(Database.open(here.database)) as database, closing(Database.open(here.database)) as other:
        for event in back_up(path, here, database, CancelToken()):
            if isinstance(event, BackupProgress):
                Conversations(other).create(title="meanwhile")
    there = home(tmp_path / "there")
    unpacked(path, there)
    put_in_place(there)
    assert titles(there) == ["meanwhile", "Rent"]  # the first was there before the copy was made


def test_a_run_that_was_ended_while_it_moved_is_completed_by_the_next(
    saved: Path, here: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stop in range(6):
        unpacked(saved, here)
        calls: list[int] = []

        def move(old: Any, new: Any, calls: list[int] = calls, stop: int = stop) -> None:
            calls.append(1)
            if len(calls) > stop:
                raise OSError(28, "No space left on device")
            shutil.copytree(old, new) if Path(old).is_dir() else shutil.copy(old, new)
            shutil.rmtree(old) if Path(old).is_dir() else Path(old).unlink()

        with monkeypatch.context() as patch:
            patch.setattr(restore_backup.shutil, "move", move)
            with pytest.raises(DiskFull):
                put_in_place(here)
        assert put_in_place(here) is not None
        assert titles(here) == ["Rent"]
        assert load_settings(here.settings)[0].appearance.zoom == 1.5
        assert (here.translations / "1" / "Vertrag ü.docx").is_file()


def test_cancel_leaves_nothing_of_either(saved: Path, here: AppPaths, tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    path = tmp_path / "other.zip"
    path.write_text("as it was")
    with closing(Database.open(here.database)) as database:
        assert list(back_up(path, here, database, cancel))[-1] == BackupFinished(0, 0, is_cancelled=True)
    assert path.read_text() == "as it was"
    assert list(unpack_backup(saved, here, cancel))[-1] == BackupUnpacked("", 0.0, is_cancelled=True)
    assert not here.restore.waiting.exists()
    assert not [one.name for one in tmp_path.rglob("*") if one.name.startswith(".fireside-")]
    assert put_in_place(here) is None


Members = dict[str, bytes]


def changed(saved: Path, change: Callable[[Members, dict[str, Any]], None]) -> Path:
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(members, manifest)
    path = saved.with_name("changed.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps(manifest))
    return path


def _outside(name: str) -> Callable[[Members, dict[str, Any]], None]:
    def change(members: Members, manifest: dict[str, Any]) -> None:
        members[name] = b"evil"
        sha256 = "4e1243bd22c66e76c2ba9eddc1f91394e57f9f83"
        manifest["files"].append({"name": name, "size_bytes": 4, "sha256": sha256})

    return change


def _other_database(members: Members, manifest: dict[str, Any]) -> None:
    members["fireside.db"] = b"no database" * 100
    file = next(one for one in manifest["files"] if one["name"] == "fireside.db")
    file |= {"size_bytes": 1100, "sha256": hashlib.sha256(members["fireside.db"]).hexdigest()}


def _script(text: str) -> Callable[[Members, dict[str, Any]], None]:
    """What SQL makes of the database that is in the backup."""

    def change(members: Members, manifest: dict[str, Any]) -> None:
        with closing(sqlite3.connect(":memory:")) as copy:
            copy.deserialize(members["fireside.db"])
            copy.executescript(text)
            members["fireside.db"] = copy.serialize()
        data = members["fireside.db"]
        file = next(one for one in manifest["files"] if one["name"] == "fireside.db")
        file |= {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    return change


ALTERED = {
    "a table less": "DROP TABLE prompts",
    "a view in place of a table": "DROP TABLE prompts; CREATE VIEW prompts AS SELECT 1 AS id",
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON pages BEGIN DELETE FROM messages; END",
    "another trigger of the same name": "DROP TRIGGER titles_added; CREATE TRIGGER titles_added AFTER INSERT ON"
    " conversations BEGIN DELETE FROM messages; END",
    "another view of the same name": "DROP VIEW messages_finished; CREATE VIEW messages_finished AS"
    " SELECT id, 'x' AS text FROM messages",
    "a table of one's own": "CREATE TABLE more (x)",
    "a column more": "ALTER TABLE prompts ADD COLUMN more TEXT",
    "an index that computes": "CREATE INDEX i ON prompts (abs(id))",
}

CHANGES: dict[str, tuple[Callable[[Members, dict[str, Any]], Any], str]] = {
    "a byte": (lambda m, f: m.update({"settings.json": m["settings.json"].replace(b"1.5", b"1.6")}), "damaged"),
    "more bytes": (lambda m, f: m.update({"settings.json": m["settings.json"] + b" " * 5_000_000}), "damaged"),
    "a file less": (lambda m, f: m.pop("settings.json"), "damaged"),
    "twice": (lambda m, f: f["files"].append(f["files"][0]), "damaged"),
    "no database": (lambda m, f: f.update(files=[one for one in f["files"] if "db" not in one["name"]]), "damaged"),
    "another database": (_other_database, "damaged"),
    "a newer version": (lambda m, f: f.update(version=4), "newer"),
    "another format": (lambda m, f: f.update(format="x"), "unknown"),
    "no list": (lambda m, f: f.update(files=7), "damaged"),
    "odd sizes": (lambda m, f: f["files"][0].update(size_bytes="x"), "damaged"),
    "above": (_outside("translations/../../evil"), "damaged"),
    "absolute": (_outside("/tmp/evil"), "damaged"),
    "backslashes": (_outside("translations/..\\evil"), "damaged"),
    "a model": (_outside("models/evil.gguf"), "damaged"),
    "a version below nothing": (_script("PRAGMA user_version = -5"), "damaged"),
    "no version": (_script("PRAGMA user_version = 0"), "damaged"),
    "a version to come": (_script("PRAGMA user_version = 1000"), "newer"),
    "a version before the first": (_script("PRAGMA user_version = 11"), "older"),
} | {name: (_script(text), "altered") for name, text in ALTERED.items()}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_no_whole_backup_changes_nothing(saved: Path, here: AppPaths, tmp_path: Path, name: str) -> None:
    change, reason = CHANGES[name]
    before = sorted(tmp_path.rglob("*"))
    path = changed(saved, change)
    with pytest.raises(BackupUnreadable) as caught:
        list(unpack_backup(path, here, CancelToken()))
    assert caught.value.reason == reason
    path.unlink()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_backup_is_not_taken_for_an_export(saved: Path) -> None:
    with pytest.raises(ChatsUnreadable) as caught:
        recognize_format(saved)
    assert caught.value.reason == "backup"


def test_what_is_no_backup_says_so(here: AppPaths, tmp_path: Path) -> None:
    text, archive = tmp_path / "text", tmp_path / "a.zip"
    text.write_text("x")
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("x", "y")
    for path, reason in (
        (text, "unknown"),
        (archive, "unknown"),
        (tmp_path / "no", "missing"),
        (tmp_path, "not_a_file"),
    ):
        with pytest.raises(BackupUnreadable) as caught:
            list(unpack_backup(path, here, CancelToken()))
        assert caught.value.reason == reason


def test_a_newer_programs_database_is_refused(saved: Path, here: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.database.MIGRATIONS", {1: MIGRATIONS[12]})
    with pytest.raises(BackupUnreadable) as caught:
        list(unpack_backup(saved, here, CancelToken()))
    assert caught.value.reason == "newer"


RECORDED = Path(__file__).parents[2] / "store" / "data" / "fireside-v12.sql"


def with_recorded_database(saved: Path) -> Path:
    with closing(sqlite3.connect(":memory:")) as old:
        old.executescript(RECORDED.read_text("utf-8"))
        data = old.serialize()

    def change(members: Members, manifest: dict[str, Any]) -> None:
        members["fireside.db"] = data
        file = next(one for one in manifest["files"] if one["name"] == "fireside.db")
        file |= {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    return changed(saved, change)


@pytest.mark.parametrize("newest", [12, 13])
def test_an_older_programs_backup_is_brought_up_to_date_before_it_is_accepted(
    saved: Path, here: AppPaths, monkeypatch: pytest.MonkeyPatch, newest: int
) -> None:
    if newest == 13:
        step = "ALTER TABLE pages ADD COLUMN author"
        monkeypatch.setitem(MIGRATIONS, 13, lambda connection: connection.execute(step))
    unpacked(with_recorded_database(saved), here)
    with closing(sqlite3.connect(here.restore.waiting / "fireside.db")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone()[0] == newest
    assert {one.name for one in here.restore.waiting.iterdir()} >= {"fireside.db", "settings.json"}
    assert not [one for one in here.restore.waiting.iterdir() if one.name.startswith("fireside.db.")]
    put_in_place(here)
    assert "Größe der Sonne" in titles(here)


def files(places: AppPaths) -> dict[str, bytes]:
    """All that a person made, but the database, whose bytes change when it is opened."""
    found = [places.settings, places.own_words, *places.translations.rglob("*"), *places.media.rglob("*")]
    return {str(path): path.read_bytes() for path in found if path.is_file()}


def test_what_was_here_before_is_put_back_whole_and_again_the_other_way(
    saved: Path, here: AppPaths, tmp_path: Path
) -> None:
    """Also what the backup brought and what had not been there goes: here the words and the translated document."""
    with closing(Database.open(here.database)) as database:
        Conversations(database).create(title="Later")
    save_settings(here.settings, Settings().changed("appearance", zoom=2.0))
    here.own_words.unlink()
    shutil.rmtree(here.translations)
    before = files(here)
    unpacked(saved, here)
    put_in_place(here)
    restored = files(here)
    assert restored != before and titles(here) == ["Rent"]
    for expected, chats in ((before, ["Later", "Rent"]), (restored, ["Rent"]), (before, ["Later", "Rent"])):
        put_back(here)
        assert put_in_place(here) is not None
        assert (files(here), titles(here)) == (expected, chats)
    assert not here.restore.waiting.exists()


def test_putting_back_waits_while_somebody_has_the_database_and_loses_nothing_when_another_backup_comes(
    saved: Path, here: AppPaths
) -> None:
    with closing(Database.open(here.database)) as database:
        Conversations(database).create(title="Later")
    unpacked(saved, here)
    put_in_place(here)
    with closing(Database.open(here.database)):
        put_back(here)
        assert put_in_place(here) is None
        list(unpack_backup(saved, here, CancelToken()))  # which takes the place of what waits
        refuse_restored(here)
        put_back(here)
        assert put_in_place(here) is None
        put_back(here)  # once more: that what waits is not wanted
        assert not here.restore.waiting.exists()
        put_back(here)
    with closing(bootstrap.build_program(here)) as app:
        assert {chat.title for chat in app.conversations.find()} == {"Later", "Rent"}
        assert restore_backup.RESTORE_UNDONE in [notice.text for notice in app.notices]


def test_putting_back_that_was_ended_while_it_moved_is_completed_by_the_next(
    saved: Path, here: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.own_words.unlink()
    before = files(here)
    for stop in range(8):
        unpacked(saved, here)
        put_in_place(here)
        put_back(here)
        calls: list[int] = []

        def move(old: Any, new: Any, calls: list[int] = calls, stop: int = stop) -> None:
            calls.append(1)
            if len(calls) > stop:
                raise OSError(28, "No space left on device")
            Path(old).rename(new)

        with monkeypatch.context() as patch:
            patch.setattr(restore_backup.shutil, "move", move)
            with pytest.raises(DiskFull):
                put_in_place(here)
        assert put_in_place(here) is not None
        assert (files(here), titles(here)) == (before, ["Rent"])


def test_a_database_that_is_not_ours_is_a_sentence_and_the_one_before_can_be_put_back(
    saved: Path, here: AppPaths
) -> None:
    """As earlier programs restored it: unlooked at."""
    unpacked(saved, here)
    put_in_place(here)
    for script in ("DROP TABLE conversations", "PRAGMA user_version = -5"):
        with closing(sqlite3.connect(here.database)) as altered:
            altered.executescript(script)
        with pytest.raises(DatabaseAltered), closing(Database.open(here.database)) as database:
            Conversations(database).find()
    assert last_aside(here) is not None
    put_back(here)
    put_in_place(here)
    assert titles(here) == ["Rent"]
