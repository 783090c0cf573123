"""The composition root: what start-up tells, and what it leaves behind when it fails."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.database_errors import DatabaseNewer
from app.core.errors.saving_errors import DiskFull, FolderNotWritable
from app.core.events import Role
from app.core.paths import AppPaths, make_folder, private_opener, starter_model
from app.core.settings import load_settings
from app.features.trash import DAY_S
from app.store.conversations import MessageState
from app.store.jobs import JobTable
from app.store.migrations import MIGRATIONS
from tests.helpers.deleted_text import files_with, rebuilt_texts
from tests.helpers.disks import small_disk
from tests.helpers.models_on_disk import write_model
from tests.helpers.program import open_to_others


def test_everything_lands_in_the_home_it_was_given(fresh_home: Path) -> None:
    app = build_program()
    app.change_settings("chat", max_tokens=7)
    app.close()
    assert load_settings(fresh_home / "config" / "settings.json")[0].chat.max_tokens == 7
    assert (fresh_home / "data" / "fireside.db").exists()
    assert (fresh_home / "logs" / "fireside.log").exists()


@pytest.mark.logs_warnings
def test_a_damaged_database_is_moved_aside_and_said(fresh_home: Path) -> None:
    database = fresh_home / "data" / "fireside.db"
    database.parent.mkdir(parents=True)
    database.write_bytes(b"not a database" * 1000)
    app = build_program()
    app.close()
    (kept,) = database.parent.glob("fireside.db.damaged-*")
    assert kept.read_bytes() == b"not a database" * 1000
    assert kept.name in app.notices[0].text


def test_wrong_settings_fall_back_and_are_named(fresh_home: Path) -> None:
    (fresh_home / "config").mkdir(parents=True)
    (fresh_home / "config" / "settings.json").write_text('{"schema_version": 1, "appearance": {"zoom": 99}}')
    app = build_program()
    app.close()
    assert app.settings.appearance.zoom == 1
    assert "appearance.zoom" in app.notices[0].text


def test_an_answer_that_was_being_written_is_interrupted_after_a_restart() -> None:
    app = build_program()
    chat = app.conversations.create()
    app.conversations.add_message(chat.id, None, Role.ASSISTANT, "half", state=MessageState.WRITING)
    app.close()
    again = build_program()
    assert again.conversations.read_branch(chat.id)[0].state is MessageState.INTERRUPTED
    again.close()


@pytest.mark.logs_warnings
def test_a_start_that_fails_leaves_no_second_log_behind(fresh_home: Path) -> None:
    app = build_program()
    with app.database.transaction() as connection:
        connection.execute("PRAGMA user_version = 999")
    app.close()
    before = list(logging.getLogger().handlers)
    with pytest.raises(DatabaseNewer):
        build_program()
    assert logging.getLogger().handlers == before


def test_opened_models_are_remembered_after_the_starter_and_the_starter_is_never_a_path(
    starter: Path, tmp_path: Path
) -> None:
    app = build_program()
    first, second = tmp_path / "a-Q4_K_M.gguf", tmp_path / "b.gguf"
    for path in (first, second):
        write_model(path)
        app.models.choose_model("chat", path)
    app.models.rename(second, "My own")
    app.models.mark_used(second)
    assert app.names.list_choices() == [(starter, "Starter"), (second, "My own"), (first, "a")]
    assert (app.names.label_of(first), app.names.label_of(second)) == ("", "My own")
    assert app.model_path() == second
    app.models.choose_model("chat", starter)
    assert app.settings.engine.model_path == ""
    assert app.model_path() == starter_model()
    app.close()


@pytest.mark.logs_warnings
def test_a_home_below_a_file_is_reported_not_crashed_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    root = tmp_path / "file" / "home"
    with pytest.raises(FolderNotWritable):
        build_program(AppPaths(root / "data", root / "config", root / "cache", root / "logs"))


def test_the_window_waits_for_nothing_that_only_summaries_need() -> None:
    code = (
        "import sys; from app.bootstrap import build_program; app = build_program(); app.close(); "
        "heavy = ('app.features.summarize.summaries', 'app.features.summarize.summarize', "
        "'rapidfuzz', 'wakepy', 'docx', 'rouge_score'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_list_of_summaries_needs_nothing_of_what_makes_them() -> None:
    code = (
        "import sys; from app.bootstrap import build_program; app = build_program(); "
        "app.summaries.find(); app.close(); "
        "heavy = ('app.features.summarize.summarize', 'rapidfuzz', 'wakepy', 'docx', 'rouge_score'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_summary_that_was_at_work_waits_again_after_a_restart_and_a_deleted_one_is_in_the_trash() -> None:
    app = build_program()
    jobs = JobTable(app.database)
    running = jobs.add("summary", "a", {}, state="running")
    deleted = jobs.add("summary", "b", {})
    app.summaries.delete(deleted.id)
    app.close()
    again = build_program()
    again.housekeeping.remove_unreferenced()
    assert [(row.id, row.state) for row in again.summaries.find()] == [(running.id, "queued")]
    again.summaries.restore(deleted.id)
    assert again.summaries is again.summaries
    again.close()


def test_a_temporary_chat_has_a_store_with_the_same_tables_and_purges_its_documents() -> None:
    app = build_program()
    chat = app.temporary.open_chat()
    store = chat.documents.store
    document_id = store.begin_document(Path("/documents/a.txt"), 1, 1)
    store.finish_document(document_id, format_="text", unit="", pages=0, sha256="", info={})
    assert len(store.purge_unused(before=1e12)) == 1
    app.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_what_others_could_read_is_closed_to_them_with_the_next_start(fresh_home: Path, tmp_path: Path) -> None:
    build_program().close()
    elsewhere = tmp_path / "elsewhere.gguf"
    elsewhere.write_bytes(b"a model that was linked")
    elsewhere.chmod(0o644)
    models = fresh_home / "data" / "models" / "some"
    models.mkdir(parents=True)
    (models / "linked.gguf").hardlink_to(elsewhere)
    (models / "pointed.gguf").symlink_to(elsewhere)
    (fresh_home / "data" / "fireside.db.before-v5").write_bytes(b"old")
    for path in fresh_home.rglob("*"):
        if not path.is_symlink() and path.name != "linked.gguf":
            path.chmod(0o755 if path.is_dir() else 0o644)
    app = build_program()
    folders = {folder: folder.stat().st_mode & 0o777 for folder in app.paths.folders}
    assert set(folders.values()) == {0o700}, "at once"
    app.housekeeping.remove_unreferenced()
    app.change_settings("chat", max_tokens=7)
    app.conversations.create(title="new")
    assert {path.name for path in fresh_home.rglob("fireside.db-*")} == {"fireside.db-wal", "fireside.db-shm"}
    assert open_to_others(fresh_home) == ["data/models/some/linked.gguf 644"], "while it is open, too"
    app.close()
    assert open_to_others(fresh_home) == ["data/models/some/linked.gguf 644"], "that is another place's file, too"
    assert elsewhere.stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_folders_and_files_are_as_closed_as_what_they_are_in(tmp_path: Path) -> None:
    for mode in (0o700, 0o755):
        top = tmp_path / f"{mode:o}"
        top.mkdir()
        top.chmod(mode)
        make_folder(top / "a" / "b")
        with open(top / "a" / "b" / "c", "wb", opener=private_opener):
            pass
        assert (top / "a" / "b").stat().st_mode & 0o777 == mode
        assert (top / "a" / "b" / "c").stat().st_mode & 0o777 == mode & 0o666


def delete_secrets(app: Fireside) -> None:
    """A chat with what models had read of it, a message of a chat that stays, and a page."""
    for number in range(3):
        chat = app.conversations.create(title=f"Title {number} Zanzibarium" if number == 1 else "kept")
        app.conversations.add_message(chat.id, None, Role.USER, f"about {'Zanzibarium' if number == 1 else 'rain'}")
    app.conversations.delete(2)
    message = app.conversations.add_message(1, None, Role.USER, "and Zanzibarium")
    app.conversations.delete_message(message.id)
    page = app.pages.create("What Zanzibarium is")
    app.pages.keep_undo(page.id, "Zanzibarium")
    app.pages.find("zanzi")
    app.pages.delete(page.id)


@pytest.mark.parametrize("way", ["30 days", "the next start", "by hand", "all by hand"])
def test_what_is_deleted_is_in_no_file_of_the_home_after_its_time_or_when_it_is_wanted(
    fresh_home: Path, tmp_path: Path, way: str
) -> None:
    app = build_program()
    if way == "the next start":
        app.change_settings("trash", keep_days=0)
    delete_secrets(app)
    app.housekeeping.remove_unreferenced()
    app.close()
    assert files_with("Zanzibarium", fresh_home) == ["fireside.db"], "it can still be restored"
    again = build_program()
    if way == "30 days":
        again.began_at += 29 * DAY_S
        again.housekeeping.remove_unreferenced()
        assert len(again.trash.list_items()) == 3
        again.began_at += 2 * DAY_S
    elif way == "by hand":
        for one in again.trash.list_items():
            again.trash.remove(one)
    elif way == "all by hand":
        again.trash.remove_all()
    if "hand" not in way:
        again.housekeeping.remove_unreferenced()
    assert files_with("Zanzibarium", fresh_home) == [], "while the program runs"
    assert again.trash.list_items() == []
    again.close()
    assert files_with("Zanzibarium", fresh_home) == []
    assert "zanzibarium" not in str(rebuilt_texts(fresh_home / "data" / "fireside.db", tmp_path / "scratch.db"))


@pytest.mark.logs_warnings
def test_what_could_be_read_of_a_damaged_database_is_here_and_said(fresh_home: Path) -> None:
    app = build_program()
    chat = app.conversations.create(title="Still here")
    app.pages.create("Here, too")
    app.conversations.add_message(chat.id, None, Role.USER, "a question")
    with app.database.reading() as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = 'messages_by_place'"
        page = connection.execute(query).fetchone()[0]
    app.close()
    with app.paths.database.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    again = build_program()
    assert [found.title for found in again.conversations.find()] == ["Still here"]
    assert "1 chat with 1 message, 1 page." in again.notices[0].kept
    assert [row.title for row in again.pages.find()] == ["Here, too"]
    again.close()


def test_what_a_killed_save_of_the_settings_left_is_gone_with_the_next_start(fresh_home: Path) -> None:
    saving = (
        "import os, pathlib, sys; import app.core.settings as s;"
        "pathlib.Path.replace = lambda *_: os.kill(os.getpid(), 9);"
        "window = s.WindowSettings(new_chat_draft='an unsent secret');"
        "s.save_settings(pathlib.Path(sys.argv[1]), s.Settings(window=window))"
    )
    subprocess.run([sys.executable, "-c", saving, str(fresh_home / "config" / "settings.json")], check=False)
    assert len(files_with("an unsent secret", fresh_home)) == 1
    build_program().close()
    assert files_with("an unsent secret", fresh_home) == []


def fill_disk(home: Path) -> None:
    with (home / "other").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 4096)


def test_on_a_full_disk_chats_that_need_an_upgrade_can_be_read_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MIGRATIONS, 13, lambda connection: connection.execute("ALTER TABLE pages ADD COLUMN author"))
    with small_disk(tmp_path / "disk", 2_000_000) as home:
        paths = AppPaths(home / "data", home / "config", home / "cache", home / "logs")
        paths.data.mkdir()
        with closing(sqlite3.connect(paths.database)) as old:
            old.execute("PRAGMA journal_mode = WAL")
            old.executescript((Path(__file__).parent / "store" / "data" / "fireside-v12.sql").read_text("utf-8"))
            titles = {title for (title,) in old.execute("SELECT title FROM conversations WHERE deleted_at IS NULL")}
        before = paths.database.read_bytes()
        fill_disk(home)
        full = build_program(paths)
        assert {found.title for found in full.conversations.find()} == titles
        assert "lost" in full.notices[0].kept
        assert full.conversations.create(title="lost").id > 1 << 30, "none that the file gives out"
        full.housekeeping.remove_unreferenced()
        full.close()
        assert paths.database.read_bytes() == before
        (home / "other").unlink()
        again = build_program(paths)
        assert ({found.title for found in again.conversations.find()}, again.notices) == (titles, [])
        again.close()


def test_on_a_full_disk_the_chats_can_be_read_and_that_is_said(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2_000_000) as home:
        paths = AppPaths(home / "data", home / "config", home / "cache", home / "logs")
        app = build_program(paths)
        chat = app.conversations.create(title="kept")
        app.close()
        fill_disk(home)
        full = build_program(paths)
        assert [found.title for found in full.conversations.find()] == ["kept"]
        assert "disk is full" in full.notices[0].text
        with pytest.raises(DiskFull):
            full.conversations.update(chat.id, title="x" * 100_000)
        (home / "other").unlink()
        full.conversations.update(chat.id, title="there is room again")
        full.close()
        again = build_program(paths)
        assert (again.notices, again.conversations.find()[0].title) == ([], "there is room again")
        again.close()


def test_what_only_turns_texts_into_vectors_is_not_offered_for_a_chat() -> None:
    with closing(build_program()) as app:
        write_model(app.paths.models / "chats.gguf")
        write_model(app.paths.models / "vectors.gguf", **{"llama.pooling_type": 1})
        assert [path.name for path, _ in app.names.list_choices() if path.is_relative_to(app.paths.models)] == [
            "chats.gguf"
        ]
