"""Damaged files are put aside, never deleted, and a person can go on at once."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.errors.database_errors import DatabaseDamaged
from app.core.events import Role
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.document_store import DocumentStore
from app.store.jobs import JobTable, SummaryStore
from app.store.migrations import MIGRATIONS
from app.store.page_store import PageStore, StoredPageState, WrittenPage
from app.store.recovery import ALWAYS_CHECKED_BYTES, RECOVERED_TITLE
from tests.helpers.searching import search_text

PAGE_BYTES = 4096


def make_sound_file(path: Path) -> None:
    with closing(Database.open(path)) as database:
        conversations = Conversations(database)
        for number in range(5):
            parent = None
            chat = conversations.create(title=f"chat {number}")
            for turn in range(8):
                parent = conversations.add_message(chat.id, parent, Role.USER, f"turn {turn} " + "words " * 300).id


@pytest.fixture
def sound_file(tmp_path: Path) -> Path:
    path = tmp_path / "fireside.db"
    make_sound_file(path)
    return path


def root_page(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0])


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def overwrite_page(path: Path, number: int) -> None:
    with path.open("r+b") as file:
        file.seek((number - 1) * PAGE_BYTES)
        file.write(b"\xa5" * PAGE_BYTES)


def assert_moved_and_new(path: Path, damaged_bytes: bytes) -> None:
    """The old bytes lie under the name that is reported, and the new file is empty, can be used and stays."""
    with closing(Database.open(path)) as database:
        assert database.moved_aside is not None
        assert database.moved_aside.parent == path.parent
        assert database.moved_aside.name.startswith("fireside.db.damaged-")
        assert database.moved_aside.read_bytes() == damaged_bytes
        assert database.recovered is None
        conversations = Conversations(database)
        assert conversations.find() == []
        conversations.create(title="new")
    with closing(Database.open(path)) as database:
        assert database.moved_aside is None
        assert [found.title for found in Conversations(database).find()] == ["new"]


@pytest.mark.parametrize("size", [1, 15, 100, 5000, 100_000])
def test_random_bytes_are_put_aside(tmp_path: Path, size: int) -> None:
    path = tmp_path / "fireside.db"
    path.write_bytes(random.Random(size).randbytes(size))
    assert_moved_and_new(path, path.read_bytes())


TURNS = [f"turn {turn}" for turn in range(8)]
ALL = {f"chat {number}": TURNS for number in range(5)}


def contents(database: Database) -> dict[str, list[str]]:
    """The words by which each message is told from the others, by chat."""
    conversations = Conversations(database)
    return {
        chat.title: [" ".join(message.text.split()[:2]) for message in conversations.read_branch(chat.id)]
        for chat in sorted(conversations.find(), key=lambda chat: chat.id)
    }


def middle_leaf(path: Path, table: str) -> int:
    """A page in the middle of a table, read off its root: the root's children begin at the places it lists."""
    root = path.read_bytes()[(root_page(path, table) - 1) * PAGE_BYTES :][:PAGE_BYTES]
    assert root[0] == 5, "the root of a table of several pages"
    cells = [int.from_bytes(root[12 + 2 * n :][:2], "big") for n in range(int.from_bytes(root[3:5], "big"))]
    return int.from_bytes(root[cells[len(cells) // 2] :][:4], "big")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_of_a_file_cut_in_the_middle_the_first_part_is_recovered(sound_file: Path, part: float) -> None:
    whole = sound_file.read_bytes()
    sound_file.write_bytes(whole[: int(len(whole) * part)])
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is not None
        assert database.moved_aside.read_bytes() == whole[: int(len(whole) * part)]
        found = contents(database)
        assert all(title in (*ALL, RECOVERED_TITLE) for title in found)
        assert all(turn in TURNS for turns in found.values() for turn in turns)
        assert part < 0.9 or sum(map(len, found.values())) >= 20
        use_every_part(database)


def test_a_damaged_page_costs_the_messages_on_it_and_nothing_else(sound_file: Path) -> None:
    overwrite_page(sound_file, middle_leaf(sound_file, "messages"))
    damaged = sound_file.read_bytes()
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is not None
        assert database.moved_aside.read_bytes() == damaged
        found = contents(database)
        lost = {title: [turn for turn in TURNS if turn not in turns] for title, turns in found.items()}
        assert list(found) == list(ALL)
        assert 1 <= sum(map(len, lost.values())) <= 3, "about two of these messages fit on a page"
        assert database.recovered is not None
        assert (database.recovered.chats, database.recovered.messages) == (5, 40 - sum(map(len, lost.values())))
        assert len(search_text(Conversations(database), "turn")) == database.recovered.messages
        use_every_part(database)
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is None


def test_all_there_was_is_recovered_where_only_an_index_is_damaged(sound_file: Path) -> None:
    overwrite_page(sound_file, root_page(sound_file, "messages_by_place"))
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is not None
        assert contents(database) == ALL


@pytest.mark.parametrize("table", ["messages", "conversations", "sqlite_schema"])
def test_where_a_tree_is_broken_at_its_root_the_rows_are_found_on_their_pages(sound_file: Path, table: str) -> None:
    with closing(Database.open(sound_file)) as database:
        conversations = Conversations(database)
        conversations.update(2, pinned=True, sampling={"top_k": 20}, thinking="low", draft="ä draft")
        question = conversations.add_message(2, 16, Role.USER, "turn 8 " + "long " * 20_000).id
        conversations.delete(conversations.create(title="gone").id)
        conversations.purge_deleted()
        before = [conversations.get(2), conversations.get_message(question), conversations.get_message(1)]
    overwrite_page(sound_file, 1 if table == "sqlite_schema" else root_page(sound_file, table))
    damaged = sound_file.read_bytes()
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is not None
        assert database.moved_aside.read_bytes() == damaged
        conversations = Conversations(database)
        if table == "conversations":  # few: they were all on the page that is lost
            assert [chat.title for chat in conversations.find()] == [RECOVERED_TITLE] * 5
        else:
            assert contents(database) == ALL | {"chat 1": [*TURNS, "turn 8"]}
            assert conversations.get(2) == before[0]
        assert [conversations.get_message(question), conversations.get_message(1)] == before[1:]
        assert len(search_text(conversations, "turn")) == 41
        use_every_part(database)


def made_pages(path: Path) -> list[WrittenPage]:
    """Pages of several database pages each, of which one has an undo state."""
    with closing(Database.open(path)) as database:
        pages = PageStore(database)
        for number in range(12):
            page = pages.create(f"page {number}\n" + "clay " * 1500, options={"count": number})
            pages.save(page.id, page.text + "glaze", [(len(page.text), len(page.text) + 5)], 3)
        pages.keep_undo(page.id, "page before")
        pages.find("clay")
        found = [pages.get(row.id) for row in pages.find()]
    return [page for page in found if page is not None]


@pytest.mark.parametrize("what", ["pages", "sqlite_schema"])
def test_pages_are_found_where_their_tree_is_broken_at_its_root(sound_file: Path, what: str) -> None:
    before = made_pages(sound_file)
    overwrite_page(sound_file, 1 if what == "sqlite_schema" else root_page(sound_file, what))
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is not None
        assert database.recovered is not None
        assert (database.recovered.chats, database.recovered.messages) == (5, 40)
        pages = PageStore(database)
        after = [page for row in pages.find("glaz") if (page := pages.get(row.id)) is not None]
        assert 1 <= database.recovered.pages == len(after)
        assert all(page in before for page in after), "each is whole"
        assert len(after) >= (12 if what == "sqlite_schema" else 10), "some rows may lie on the root itself"
        assert contents(database) == ALL
        use_every_part(database)


def test_a_damaged_page_of_the_file_costs_the_texts_on_it(sound_file: Path) -> None:
    before = made_pages(sound_file)
    overwrite_page(sound_file, root_page(sound_file, "page_undo"))
    overwrite_page(sound_file, root_page(sound_file, "messages_by_place"))
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is not None
        pages = PageStore(database)
        assert [pages.get(row.id) for row in pages.find()] == before
        assert pages.undo_state(before[0].id) is None
        pages.keep_undo(before[0].id, "again")
        assert pages.undo_state(before[0].id) == StoredPageState("again", (), 0)


def test_a_recovery_that_was_ended_just_before_its_end_is_finished(sound_file: Path) -> None:
    sound_file.rename(sound_file.with_name("fireside.db.recovered"))
    with closing(Database.open(sound_file)) as database:
        assert contents(database) == ALL


def test_an_older_schema_is_recovered_and_then_upgraded(sound_file: Path) -> None:
    overwrite_page(sound_file, root_page(sound_file, "messages_by_place"))
    steps = {**MIGRATIONS, 13: lambda connection: connection.execute("ALTER TABLE messages ADD COLUMN author TEXT")}
    with closing(Database.open(sound_file, steps)) as database, database.reading() as connection:
        assert database.moved_aside is not None
        assert connection.execute("SELECT count(*) FROM messages WHERE author IS NULL").fetchone()[0] == 40
    assert version_of(sound_file) == 13


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "fireside.db").touch()
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        assert database.moved_aside is None
        Conversations(database).create()


def test_the_journal_goes_along(tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    path.write_bytes(b"not a database at all" * 100)
    path.with_name("fireside.db-wal").write_bytes(b"journal")
    path.with_name("fireside.db-shm").write_bytes(b"index of the journal")
    with closing(Database.open(path)) as database:
        moved = database.moved_aside
    assert moved is not None
    assert moved.with_name(moved.name + "-wal").read_bytes() == b"journal"
    assert moved.with_name(moved.name + "-shm").exists()  # what SQLite derives from the journal, its bytes may differ


def test_a_journal_whose_file_is_gone_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    path.with_name("fireside.db-wal").write_bytes(b"journal")
    with closing(Database.open(path)) as database:
        moved = database.moved_aside
    assert moved is not None
    assert moved.with_name(moved.name + "-wal").read_bytes() == b"journal"


def test_two_damaged_files_in_one_second_both_stay(tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    moved = set()
    for number in range(3):
        path.write_bytes(b"damaged %d" % number)
        with closing(Database.open(path)) as database:
            moved.add(database.moved_aside)
    assert {file.read_bytes() for file in moved if file} == {b"damaged 0", b"damaged 1", b"damaged 2"}


def test_a_database_of_another_program_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "fireside.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    assert_moved_and_new(path, path.read_bytes())


def test_a_full_text_index_that_went_wrong_is_made_again_at_the_next_start(sound_file: Path) -> None:
    with closing(Database.open(sound_file)) as database:
        with database.transaction() as connection:
            connection.execute("UPDATE messages_index_data SET block = zeroblob(20) WHERE id > 10")
        conversations = Conversations(database)
        with pytest.raises(DatabaseDamaged) as raised:
            search_text(conversations, "turn")
        assert raised.value.path == str(sound_file)
        assert len(conversations.read_branch(1)) == 8, "chats can be read meanwhile"
    for _ in range(2):
        with closing(Database.open(sound_file)) as database:
            assert database.moved_aside is None
            assert len(search_text(Conversations(database), "turn")) == 40
    assert [file.name for file in sound_file.parent.glob("fireside.db*")] == ["fireside.db"]


def test_an_index_that_a_newer_sqlite_wrote_is_built_anew(sound_file: Path) -> None:
    with closing(Database.open(sound_file)) as database, database.transaction() as connection:
        connection.execute("UPDATE messages_index_config SET v = 6 WHERE k = 'version'")
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is None
        conversations = Conversations(database)
        assert len(search_text(conversations, "turn")) == 40
        conversations.add_message(1, None, Role.USER, "another turn")
        assert len(search_text(conversations, "turn")) == 41


@pytest.mark.parametrize("index", ["blocks_index", "results_index"])
def test_so_are_the_indexes_of_documents_and_summaries(sound_file: Path, index: str) -> None:
    with closing(Database.open(sound_file)) as database:
        documents, jobs, summaries = DocumentStore(database), JobTable(database), SummaryStore(database)
        id_ = documents.begin_document(Path("/d/a.txt"), 1, 1)
        documents.add_blocks(
            id_, [{"id": n, "kind": "paragraph", "page": 1, "text": f"kiln {n}"} for n in range(1, 300)]
        )
        for number in range(30):
            summaries.keep_result(jobs.add("summary", "", {}).id, {}, f"glaze {number}")
        with database.transaction() as connection:
            connection.execute(f"UPDATE {index}_data SET block = zeroblob(20) WHERE id > 10")
        with pytest.raises(DatabaseDamaged):
            _ = documents.rank_blocks([id_], ["kiln"], 5) and summaries.search_text("glaze")
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is None
        assert len(SummaryStore(database).search_text("glaze")) == 30
        assert len(DocumentStore(database).rank_blocks([id_], ["kiln"], 5)) == 5


@pytest.mark.slow
def test_damage_in_a_very_large_file_is_met_while_working_and_put_aside_at_the_next_start(sound_file: Path) -> None:
    overwrite_page(sound_file, root_page(sound_file, "messages"))
    with sound_file.open("r+b") as file:
        file.truncate(ALWAYS_CHECKED_BYTES + PAGE_BYTES)  # a hole: takes no room
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is None
        with pytest.raises(DatabaseDamaged):
            Conversations(database).read_branch(1)
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is not None
        assert len(Conversations(database).find()) == 5
    with closing(Database.open(sound_file)) as database:
        assert database.moved_aside is None


def use_every_part(database: Database) -> None:
    conversations = Conversations(database)
    conversations.recover()
    conversations.purge_deleted()
    for found in conversations.find():
        conversations.read_branch(found.id)
    search_text(conversations, "turn")
    pages = PageStore(database)
    for row in pages.find("glaze"):
        pages.get(row.id)
    page = pages.create("new")
    pages.save(page.id, "a longer text " * 1000)
    pages.keep_undo(page.id, "new")
    assert page.id in [row.id for row in pages.find("longer")]
    chat = conversations.create(title="new")
    question = conversations.add_message(chat.id, None, Role.USER, "turn around")
    conversations.save_text(question.id, "a longer text " * 1000)
    assert len(conversations.read_branch(chat.id)) == 1


@example(seed=3, pages=1)
@given(seed=st.integers(0, 2**32), pages=st.integers(1, 4))
def test_whatever_pages_are_damaged_two_starts_later_a_person_can_chat(seed: int, pages: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fireside.db"
        make_sound_file(path)
        chance = random.Random(seed)
        for _ in range(pages):
            overwrite_page(path, chance.randint(1, path.stat().st_size // PAGE_BYTES))
        damaged = path.read_bytes()
        with closing(Database.open(path)) as database:
            if database.moved_aside is not None:
                assert database.moved_aside.read_bytes() == damaged
            try:
                use_every_part(database)
                return
            except DatabaseDamaged:
                pass
        with closing(Database.open(path)) as database:
            use_every_part(database)
