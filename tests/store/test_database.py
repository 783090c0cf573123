"""Opening, transactions from several threads, and what a refusing disk looks like."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from app.core.errors.database_errors import DatabaseNewer, DatabaseOlder
from app.core.errors.saving_errors import DiskFull, DiskReadOnly, FolderNotWritable
from app.core.events import Role
from app.store.conversations import Conversations
from app.store.database import Database, fold_text
from app.store.migrations import MIGRATIONS
from tests.helpers.searching import search_text
from tests.store.conftest import fill_disk

LOTS_OF_TEXT = "a word and another " * 20_000
NEWEST = max(MIGRATIONS)


def pragma(database: Database, name: str) -> object:
    with database.reading() as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_file_is_made_with_its_folders_and_only_for_this_person(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "fireside.db"
    with closing(Database.open(path)) as database:
        assert database.moved_aside is None
        assert pragma(database, "journal_mode") == "wal"
        assert pragma(database, "synchronous") == 2
        assert pragma(database, "foreign_keys") == 1
        assert pragma(database, "busy_timeout") == 5000
        assert pragma(database, "user_version") == NEWEST
    assert path.exists()
    if sys.platform != "win32":
        assert path.parent.stat().st_mode & 0o077 == 0


def test_what_was_stored_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    with closing(Database.open(path)) as database:
        Conversations(database).create(title="kept")
    assert [file.name for file in tmp_path.glob("fireside.db*")] == ["fireside.db"], "closing leaves one file"
    with closing(Database.open(path)) as database:
        assert [found.title for found in Conversations(database).find()] == ["kept"]


@pytest.mark.parametrize("name", ["what? #1 100%41", "файлы", os.fsdecode(b"not utf-8 \xff")])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    try:
        (tmp_path / name).mkdir()
    except OSError:
        pytest.skip("this file system does not take the name")
    for _ in range(2):
        Database.open(tmp_path / name / "fireside.db").close()
    assert [file.name for file in (tmp_path / name).iterdir()] == ["fireside.db"]


def test_an_exception_undoes_the_whole_transaction_and_releases_the_lock(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:
        connection.execute(
            "INSERT INTO conversations (title, system_prompt, model, created_at, updated_at)"
            " VALUES ('half', '', '', 0, 0)"
        )
        _ = 1 / 0
    assert Conversations(database).find() == []
    assert Conversations(database).create(title="after").title == "after"


def test_foreign_keys_are_kept(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        connection.execute("UPDATE conversations SET leaf_id = 99")
        connection.execute(
            "INSERT INTO messages (conversation_id, role, text, state, model, chosen, created_at)"
            " VALUES (77, 'user', '', 'complete', '', 1, 0)"
        )


def test_in_memory_it_works_alike_from_any_thread_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(Database.in_memory()) as database, ThreadPoolExecutor(1) as thread:
        conversations = Conversations(database)
        chat = thread.submit(conversations.create, title="gone tomorrow").result()
        question = conversations.add_message(chat.id, None, Role.USER, "a word " * 2_000)
        conversations.delete_message(question.id)
        conversations.restore_message(question.id)
        assert [hit[:2] for hit in search_text(conversations, "word")] == [(chat.id, question.id)]
        assert min(chat.id, question.id) > 1 << 30, "none that the file gives out"
        assert pragma(database, "user_version") == NEWEST
        assert pragma(database, "foreign_keys") == 1
        assert list(tmp_path.iterdir()) == []
    with closing(Database.in_memory()) as another:
        assert Conversations(another).find() == []


def test_closing_twice_is_fine(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "fireside.db")
    database.close()
    database.close()


def test_four_threads_write_at_once_and_nothing_is_lost(conversations: Conversations) -> None:
    ids = [conversations.create(title=str(number)).id for number in range(4)]

    def write(conversation_id: int) -> None:
        parent = None
        for number in range(50):
            parent = conversations.add_message(conversation_id, parent, Role.USER, str(number)).id
            conversations.read_branch(conversation_id)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, ids))
    for number in ids:
        assert [message.text for message in conversations.read_branch(number)] == [str(n) for n in range(50)]


def test_four_programs_may_make_the_same_new_files_at_once(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from app.store.conversations import Conversations
from app.store.database import Database
input()
for number in range(20):
    database = Database.open(Path(sys.argv[1]) / f"{number}.db")
    Conversations(database).create(title=sys.argv[2])
    assert database.moved_aside is None
    database.close()
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    programs = [
        subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, cwd=Path(__file__).parents[2])
        for number in range(4)
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write(b"\n")
        program.stdin.flush()
    for program in programs:
        program.communicate()
    assert [program.returncode for program in programs] == [0] * 4
    for path in tmp_path.glob("*.db"):
        with closing(Database.open(path)) as database:
            assert sorted(found.title for found in Conversations(database).find()) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("version", "error"), [(NEWEST + 1, DatabaseNewer), (NEWEST - 1, DatabaseOlder), (1, DatabaseOlder)]
)
def test_a_file_of_another_version_is_refused_and_not_one_byte_changes(
    tmp_path: Path, version: int, error: type[DatabaseNewer | DatabaseOlder]
) -> None:
    path = tmp_path / "fireside.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE something_new (x)")
        connection.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(error) as raised:
        Database.open(path)
    assert vars(raised.value) == vars(error(str(path), version, NEWEST))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.glob("fireside.db*")] == ["fireside.db"]


def test_a_place_below_a_regular_file_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderNotWritable) as raised:
        Database.open(tmp_path / "file" / "fireside.db")
    assert raised.value.path == str(tmp_path / "file")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_folder_that_takes_no_new_file_is_not_writable() -> None:
    with pytest.raises(FolderNotWritable):
        Database.open(Path("/proc/self/fireside.db"))


def test_a_folder_in_the_place_of_the_file_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "fireside.db").mkdir()
    with pytest.raises(FolderNotWritable):
        Database.open(tmp_path / "fireside.db")


def test_a_full_disk_stops_one_write_and_nothing_else(database: Database, conversations: Conversations) -> None:
    chat = conversations.create(title="a")
    first = conversations.add_message(chat.id, None, Role.USER, "before")
    with database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFull) as raised:
        conversations.add_message(chat.id, first.id, Role.ASSISTANT, LOTS_OF_TEXT)
    assert raised.value.path == str(database.path.parent)
    with pytest.raises(DiskFull):
        conversations.save_text(first.id, LOTS_OF_TEXT)
    assert [message.text for message in conversations.read_branch(chat.id)] == ["before"], "reading still works"
    with database.reading() as connection:
        connection.execute("PRAGMA max_page_count = 100000")
    conversations.add_message(chat.id, first.id, Role.ASSISTANT, LOTS_OF_TEXT)
    assert len(conversations.read_branch(chat.id)) == 2


def test_a_disk_that_became_read_only_stops_writing_and_not_reading(
    database: Database, conversations: Conversations
) -> None:
    chat = conversations.create(title="a")
    with database.reading() as connection:
        connection.execute("PRAGMA query_only = ON")
    with pytest.raises(FolderNotWritable):
        conversations.update(chat.id, title="b")
    assert conversations.find()[0].title == "a"
    with database.reading() as connection:
        connection.execute("PRAGMA query_only = OFF")
    conversations.update(chat.id, title="b")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_failing_write_of_the_system_is_told_and_the_store_goes_on(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from app.core.errors.app_error import AppError
from app.core.events import Role
from app.store.conversations import Conversations
from app.store.database import Database
database = Database.open(Path(sys.argv[1]))
conversations = Conversations(database)
chat = conversations.create(title="a")
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
try:
    conversations.add_message(chat.id, None, Role.USER, "x" * 1_000_000)
except AppError as error:
    print(type(error).__name__)
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
conversations.add_message(chat.id, None, Role.USER, "x" * 1_000_000)
branch = conversations.read_branch(chat.id)
print([len(message.text) for message in branch], branch[0].versions)
database.close()
"""
    command = [sys.executable, "-c", script, str(tmp_path / "fireside.db")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert done.stdout.splitlines() == ["FolderNotWritable", "[1000000] (1,)"], done.stderr


def test_a_really_full_disk_at_the_start(small_disk: Path) -> None:
    fill_disk(small_disk)
    with pytest.raises(DiskFull):
        Database.open(small_disk / "fireside.db")
    (small_disk / "other").unlink()
    Database.open(small_disk / "fireside.db").close()


def test_a_really_full_disk_while_an_answer_is_written(small_disk: Path) -> None:
    with closing(Database.open(small_disk / "fireside.db")) as database:
        conversations = Conversations(database)
        chat = conversations.create(title="a")
        answer = conversations.add_message(chat.id, None, Role.ASSISTANT, "half an answer")
        fill_disk(small_disk)
        with pytest.raises(DiskFull):
            conversations.save_text(answer.id, LOTS_OF_TEXT[:300_000])
        assert conversations.read_branch(chat.id)[0].text == "half an answer"
        (small_disk / "other").unlink()
        conversations.save_text(answer.id, LOTS_OF_TEXT[:100_000])
    with closing(Database.open(small_disk / "fireside.db")) as database:
        assert len(Conversations(database).read_branch(chat.id)[0].text) == 100_000


def test_a_read_only_file_system_is_refused_at_the_start(small_disk: Path) -> None:
    Database.open(small_disk / "fireside.db").close()
    before = (small_disk / "fireside.db").read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(DiskReadOnly) as raised:
        Database.open(small_disk / "fireside.db")
    assert raised.value.path == str(small_disk)
    assert (small_disk / "fireside.db").read_bytes() == before


@pytest.mark.parametrize(
    ("title", "query"),
    [("Straße", "STRASSE"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("Привет", "ПРИВЕТ"), ("İstanbul", "istanbul"), ("Café", "cafe")]
    + [("ﬁnally", "FINALLY"), ("日本語", "日本語"), ("مرحبا", "مرحبا")],
)
def test_folding_makes_letters_of_every_script_comparable(title: str, query: str) -> None:
    assert fold_text(query) == fold_text(title)
