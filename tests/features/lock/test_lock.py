"""The lock: no word of a person is readable on the disk, and nothing is lost, wherever a change is killed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from app.bootstrap import build_program
from app.core.errors.lock_errors import (
    DatabaseNotEncrypted,
    DataLocked,
    LockChangeBlocked,
    RestoreLocked,
    WrongPassphrase,
)
from app.core.events import CancelToken, Role
from app.core.paths import LOCK_CHANGES, AppPaths, is_locked
from app.core.settings import load_settings
from app.features.exchange.backup import back_up
from app.features.exchange.restore_backup import accept, put_in_place, stage_snapshot, unpack_backup
from app.features.lock.lock_change import change_passphrase, finish_change, remove_lock, set_lock
from app.features.lock.open_copies import close_home, remove_left_copies, unlock_home
from app.store import lock_file, sqlite_access
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.features.lock.locking_program import FAST_ROUNDS, OTHER_PASSPHRASE, PASSPHRASE
from tests.features.test_deleting import MARKER, holders, type_everywhere
from tests.helpers.picture_files import picture

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def fast_rounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A passphrase that is tried quickly, and no key left for the next test."""
    monkeypatch.setattr(lock_file, "ROUNDS", FAST_ROUNDS)
    yield
    for paths in [AppPaths.from_environment()]:
        if paths.unlocked is not None:
            close_home(paths)


@pytest.fixture
def written_home(fresh_home: Path, tmp_path: Path) -> AppPaths:
    """A home with the marker wherever a person can type or open something."""
    app = build_program()
    type_everywhere(app, picture(tmp_path / "picture.png"))
    chat = app.conversations.create(title=f"Kept {MARKER}")
    app.conversations.add_message(chat.id, None, Role.USER, f"What is {MARKER}?")
    app.media.store.put_into_draft(chat.id, app.media.store.all()[0], f"{MARKER}.png")
    app.change_settings("chat", system_prompt=f"Always {MARKER}")
    app.change_settings("window", new_chat_draft=MARKER, unread_files=(f"/home/ada/{MARKER}.txt",))
    app.spelling.add_word(MARKER)
    paths = app.paths
    paths.recordings.mkdir()
    recording = paths.recordings / f"{MARKER}.wav"
    recording.write_text(MARKER)
    DocumentStore(app.database).begin_document(recording, 10, recording.stat().st_mtime_ns)
    assert app.snapshots.take_daily() is not None
    app.close()
    shutil.copy(paths.database, paths.data / "fireside.db.before-v12")
    return paths


def run_change(paths: AppPaths, *, locks: bool) -> int:
    return len(list((set_lock if locks else remove_lock)(paths, PASSPHRASE)))


def kill_change(what: str, steps: int) -> None:
    command = [sys.executable, "-m", "tests.features.lock.locking_program", what, str(steps)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -9


def assert_whole(paths: AppPaths) -> None:
    """Everything of `written_home` is there, locked or not."""
    locked = is_locked(paths.data)
    if locked:
        assert holders(paths.data.parent) == set()
        with pytest.raises(DataLocked):
            Database.open(paths.database)
        with pytest.raises(WrongPassphrase):
            unlock_home(paths, "another one")
        paths = unlock_home(paths, PASSPHRASE)
    assert sqlite_access.is_open_file(paths.database) is not locked
    app = build_program(paths)
    chats = app.conversations
    assert app.database.moved_aside is None
    assert [chat.title for chat in chats.find("kept")] == [f"Kept {MARKER}"]
    assert chats.find("rain")
    (use,) = app.media.store.in_draft(chats.find("kept")[0].id)
    assert app.media.original_path(use.media).stat().st_size == use.media.size_bytes
    assert app.settings.chat.system_prompt == f"Always {MARKER}"
    assert MARKER in app.spelling.own_words
    (recording,) = [path for path in DocumentStore(app.database).list_paths() if path.suffix == ".wav"]
    assert recording.parent == paths.recordings
    (copy,) = app.snapshots.list_snapshots()
    with closing(Database.open(copy.path)) as database:
        assert Conversations(database).find("kept")
    app.close()
    if locked:
        assert holders(paths.data.parent) == set()
        close_home(paths)
    assert not any((paths.data / name).exists() for name in LOCK_CHANGES)


def test_a_locked_home_holds_no_word_of_it_and_unlocking_brings_all_back(written_home: AppPaths) -> None:
    before = {path.relative_to(written_home.data) for path in written_home.data.rglob("*") if path.is_file()}
    run_change(written_home, locks=True)
    assert_whole(written_home)
    run_change(written_home, locks=False)
    assert_whole(written_home)
    left = {path.relative_to(written_home.data) for path in written_home.data.rglob("*") if path.is_file()}
    assert before - left <= {Path("fireside.db-wal"), Path("fireside.db-shm")}
    assert (written_home.recordings / f"{MARKER}.wav").read_text() == MARKER


@pytest.mark.parametrize("locks", [True, False], ids=["set", "remove"])
@pytest.mark.parametrize(
    "every", [pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(900)]), 5], ids=["every step", "every fifth"]
)
def test_a_change_killed_at_any_step_leaves_the_home_as_before_or_as_wanted(
    written_home: AppPaths, tmp_path: Path, locks: bool, every: int
) -> None:
    home = written_home.data.parent
    if not locks:
        run_change(written_home, locks=True)
    kept = tmp_path / "kept"
    shutil.copytree(home, kept)
    steps = run_change(written_home, locks=locks)
    outcomes = []
    for step in range(1, steps + 1, every):
        shutil.rmtree(home)
        shutil.copytree(kept, home)
        kill_change("set" if locks else "remove", step)
        finish_change(written_home)
        outcomes.append(is_locked(written_home.data))
        assert_whole(written_home)
    # One step decides; before it nothing has changed, after it everything.
    assert outcomes == sorted(outcomes, reverse=not locks)
    assert set(outcomes) == {True, False}


def test_what_is_written_while_a_lock_is_open_is_encrypted_too(written_home: AppPaths, tmp_path: Path) -> None:
    run_change(written_home, locks=True)
    app = build_program(unlock_home(written_home, PASSPHRASE))
    type_everywhere(app, picture(tmp_path / "other.png"))
    app.spelling.add_word(f"{MARKER}s")
    app.change_settings("chat", system_prompt=f"Never {MARKER}")
    assert holders(written_home.data.parent) == set()
    app.close()
    assert holders(written_home.data.parent) == set()
    assert load_settings(replace(app.paths, unlocked=None).settings)[0].chat.system_prompt == ""
    close_home(app.paths)
    assert app.paths.unlocked is not None
    assert not app.paths.unlocked.exists()
    again = build_program(unlock_home(written_home, PASSPHRASE))
    assert again.settings.chat.system_prompt == f"Never {MARKER}"
    assert f"{MARKER}s" in again.spelling.own_words
    again.close()


def test_another_passphrase_opens_the_same_data_and_the_old_one_no_longer(written_home: AppPaths) -> None:
    run_change(written_home, locks=True)
    with pytest.raises(WrongPassphrase):
        change_passphrase(written_home, "wrong", "new")
    change_passphrase(written_home, PASSPHRASE, "new")
    with pytest.raises(WrongPassphrase):
        unlock_home(written_home, PASSPHRASE)
    paths = unlock_home(written_home, "new")
    with closing(Database.open(paths.database)) as database:
        assert Conversations(database).find("kept")


def test_a_passphrase_change_killed_at_any_step_leaves_exactly_one_that_opens(written_home: AppPaths) -> None:
    run_change(written_home, locks=True)
    kept, key, outcomes = written_home.lock.read_bytes(), lock_file.read_lock(written_home.lock, PASSPHRASE), []
    for step in (1, 2, 3):
        written_home.lock.write_bytes(kept)
        kill_change("change", step)
        opening = []
        for passphrase in (PASSPHRASE, OTHER_PASSPHRASE):
            with suppress(WrongPassphrase):
                assert lock_file.read_lock(written_home.lock, passphrase) == key
                opening.append(passphrase)
        outcomes += opening
    assert outcomes == [PASSPHRASE, PASSPHRASE, OTHER_PASSPHRASE]
    paths = unlock_home(written_home, OTHER_PASSPHRASE)
    with closing(Database.open(paths.database)) as database:
        assert Conversations(database).find("kept")


def test_a_lock_is_not_changed_while_another_process_has_the_data_open(written_home: AppPaths) -> None:
    program = (
        "from app.bootstrap import build_program; app = build_program(); print(1, flush=True); input(); app.close()"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "1\n"
        with pytest.raises(LockChangeBlocked):
            run_change(written_home, locks=True)
        other.communicate("\n")
    assert not is_locked(written_home.data)
    assert_whole(written_home)


def test_a_backup_of_a_locked_home_is_open_and_nothing_is_restored_over_a_lock(
    written_home: AppPaths, tmp_path: Path
) -> None:
    run_change(written_home, locks=True)
    paths, backup = unlock_home(written_home, PASSPHRASE), tmp_path / "all.zip"
    with closing(Database.open(paths.database)) as database:
        list(back_up(backup, paths, database, CancelToken()))
    for restore in (lambda: list(unpack_backup(backup, paths, CancelToken())), lambda: stage_snapshot(backup, paths)):
        with pytest.raises(RestoreLocked):
            restore()
    close_home(paths)
    run_change(written_home, locks=False)
    shutil.rmtree(written_home.data)
    list(unpack_backup(backup, written_home, CancelToken()))
    accept(written_home)
    put_in_place(written_home)
    with closing(Database.open(written_home.database)) as database:
        assert Conversations(database).find("kept")
    assert list(written_home.media.glob("*/*"))


@pytest.mark.logs_warnings
def test_a_database_that_is_put_into_a_locked_home_without_encryption_is_refused(
    written_home: AppPaths, tmp_path: Path
) -> None:
    plain, locked = tmp_path / "plain.db", tmp_path / "locked.db"
    shutil.copy(written_home.database, plain)
    run_change(written_home, locks=True)
    paths = unlock_home(written_home, PASSPHRASE)
    shutil.copy(paths.database, locked)
    shutil.copy(plain, paths.database)
    with pytest.raises(DatabaseNotEncrypted):
        build_program(paths)
    assert paths.database.read_bytes() == plain.read_bytes()
    shutil.copy(locked, paths.database)
    app = build_program(paths)
    assert app.conversations.find("kept")
    app.close()


def test_copies_that_a_killed_process_left_open_are_deleted_by_the_next_start(written_home: AppPaths) -> None:
    run_change(written_home, locks=True)
    place = unlock_home(written_home, PASSPHRASE).unlocked
    assert place is not None
    (user,) = (place / ".users").iterdir()
    remove_left_copies(written_home)
    assert place.exists(), "this process uses it"
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    user.rename(user.with_name(str(ended.pid)))
    remove_left_copies(written_home)
    assert not place.exists()


def test_without_a_lock_nothing_of_it_is_imported(fresh_home: Path) -> None:
    program = (
        "import sys; from app.bootstrap import build_program; app = build_program(); app.close();"
        "print([name for name in sys.modules if 'sqlcipher' in name or 'lock_change' in name or 'open_copies' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
