"""Pages: every character is kept, found again, and deleted with a way back."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.core.errors.saving_errors import DiskFull
from app.core.visible import clean_text
from app.store.database import Database
from app.store.page_store import PageStore, StoredPageState
from app.store.trash import erase_traces
from tests.store.conftest import fill_disk


@pytest.fixture
def pages(database: Database) -> PageStore:
    ticks = itertools.count(1000)
    return PageStore(database, clock=lambda: float(next(ticks)))


def texts(pages: PageStore, query: str = "") -> list[str]:
    return [page.text for row in pages.find(query) if (page := pages.get(row.id)) is not None]


def test_a_page_is_what_was_saved_last(pages: PageStore) -> None:
    page = pages.create("Deep learning is", options={"count": 3})
    assert (page.title, page.text, page.written, page.cursor) == ("Deep learning is", "Deep learning is", (), 0)
    pages.save(page.id, "Deep learning is fun", [(16, 20)], 20)
    kept = pages.get(page.id)
    assert kept is not None
    assert (kept.text, kept.written, kept.cursor, kept.options) == (
        "Deep learning is fun", ((16, 20),), 20, {"count": 3}
    )  # fmt: skip
    pages.save(page.id, "", options={})
    assert pages.get(page.id) is not None
    assert texts(pages) == [""]


def test_the_last_changed_comes_first_and_moving_the_cursor_changes_nothing(pages: PageStore) -> None:
    first, second = pages.create("one"), pages.create("two")
    pages.save(first.id, "one", cursor=2)
    assert texts(pages) == ["two", "one"]
    pages.save(first.id, "one more", cursor=2)
    assert texts(pages) == ["one more", "two"]
    pages.rename(second.id, "zwei")
    pages.set_pinned(second.id, True)
    assert [(row.title, row.pinned) for row in pages.find()] == [("one more", False), ("zwei", True)]


@pytest.mark.parametrize(
    ("text", "title", "snippet"),
    [
        ("", "", ""),
        (" \n\t\n", "", ""),
        ("\n  # The sun\n\nIt is   wide.\nAnd hot.", "The sun", "It is wide. And hot."),
        ("###\nbelow", "###", "below"),
        ('"""Prime numbers."""\n\nimport math', "Prime numbers.", "import math"),
        ('"""\nPrime numbers\n"""', "Prime numbers", '"""'),
        ("“The sun”\nis wide", "The sun", "is wide"),
        ('"Stop," he said.\nNobody did.', '"Stop," he said.', "Nobody did."),
        ("#include <stdio.h>\nint main", "#include <stdio.h>", "int main"),
        ("word " * 30, "word word word word word word word word word word word word…", ("word " * 30)[:120].strip()),
        ("x" * 70, "x" * 60 + "…", "x" * 70),
    ],
)
def test_its_title_is_its_first_line_until_it_has_one_of_its_own(
    pages: PageStore, text: str, title: str, snippet: str
) -> None:
    page = pages.create(text)
    (row,) = pages.find()
    assert (row.title, row.snippet.strip()) == (title, snippet)
    assert page.title == title
    pages.rename(page.id, "  Mine ")
    kept = pages.get(page.id)
    assert kept is not None
    assert [kept.title, pages.find()[0].title] == ["Mine", "Mine"]
    pages.rename(page.id, "")
    assert pages.find()[0].title == title


def test_ranges_stay_inside_the_text_apart_and_in_order(pages: PageStore) -> None:
    page = pages.create()
    pages.save(page.id, "0123456789", [(7, 9), (-3, 2), (2, 4), (5, 5), (8, 99), (3, 1)], 50)
    kept = pages.get(page.id)
    assert kept is not None
    assert (kept.written, kept.cursor) == (((0, 4), (7, 10)), 10)
    pages.save(page.id, "a\0bc\0d", [(2, 4), (5, 6)], 5)
    kept = pages.get(page.id)
    assert kept is not None
    assert (kept.text, kept.written, kept.cursor) == ("abcd", ((1, 4),), 3)


def test_words_are_found_wherever_they_stand_and_as_beginnings(pages: PageStore) -> None:
    sun, code = pages.create("Größe der Sonne\n" + "Licht. " * 50 + "Sie ist 109 Erden breit."), pages.create("a -> b")
    pages.rename(code.id, "Pfeile")
    for query in ("ERD", "große", "breit sonne", "109 licht erd", "ich", "109 Erden b"):
        assert [row.id for row in pages.find(query)] == [sun.id], query
    for query in ("->", "pfeil", "FEILE", "a b"):
        assert [row.id for row in pages.find(query)] == [code.id], query
    for query in ("mond", "sonne mond", "breit 109 s x", "* OR"):
        assert pages.find(query) == [], query
    assert "109 Erden breit" in pages.find("erden")[0].snippet
    assert pages.find("BREIT größe")[0].snippet.startswith("Größe der Sonne Licht."), "the first of the words"
    pages.save(sun.id, "Der Mond ist klein.")
    assert [[row.id for row in pages.find(word)] for word in ("erden", "mond")] == [[], [sun.id]]


def test_a_deleted_page_comes_back_until_it_is_purged(pages: PageStore) -> None:
    kept, gone = pages.create("kept words"), pages.create("gone words")
    pages.keep_undo(gone.id, "gone")
    pages.delete(gone.id)
    assert (pages.get(gone.id), texts(pages), texts(pages, "words")) == (None, ["kept words"], ["kept words"])
    pages.save(gone.id, "gone words, once more")
    pages.purge_deleted(before=0.0)
    pages.restore(gone.id)
    assert texts(pages, "words") == ["gone words, once more", "kept words"]
    pages.delete(gone.id)
    pages.purge_deleted(before=1e12)
    with pytest.raises(KeyError):
        pages.restore(gone.id)
    assert (texts(pages), pages.undo_state(gone.id)) == (["kept words"], None)
    assert pages.create().id > gone.id
    assert pages.get(kept.id) is not None


def test_what_is_gone_cannot_be_written_to(pages: PageStore) -> None:
    writes: list[Callable[[], None]] = [
        lambda: pages.save(7, "text"),
        lambda: pages.rename(7, "title"),
        lambda: pages.set_pinned(7, True),
        lambda: pages.keep_undo(7, "text"),
        lambda: pages.delete(7),
        lambda: pages.restore(7),
    ]
    for write in writes:
        with pytest.raises(KeyError):
            write()


def test_the_state_before_the_last_change_is_there_after_a_restart(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        pages = PageStore(database)
        page = pages.create("Deep")
        assert pages.undo_state(page.id) is None
        pages.keep_undo(page.id, "Deep", [], 2)
        pages.keep_undo(page.id, "Deep sea", [(4, 8)], 4)
        pages.save(page.id, "Deep learning", [(4, 13)], 13)
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        pages = PageStore(database)
        assert pages.undo_state(page.id) == StoredPageState("Deep sea", ((4, 8),), 4)
        assert texts(pages) == ["Deep learning"]


def test_saving_does_not_touch_the_index_until_somebody_searches(database: Database, pages: PageStore) -> None:
    page = pages.create("kiln")

    def entries() -> int:
        with database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM pages_index_docsize").fetchone()[0])

    assert entries() == 0
    assert texts(pages, "kiln") == ["kiln"]
    assert entries() == 1
    pages.save(page.id, "kiln", cursor=3)
    assert entries() == 1
    pages.save(page.id, "kiln glaze")
    assert entries() == 0
    assert texts(pages, "glaz") == ["kiln glaze"]


def test_a_text_that_says_the_same_again_and_again_is_found_as_soon_as_any(pages: PageStore) -> None:
    """With FTS5's own snippets, whose time goes with the square of how often a word comes, this takes minutes."""
    page = pages.create("the sea and " * 40_000 + "the land")
    assert [row.id for row in pages.find("sea the")] == [page.id]
    assert pages.find("the land")[0].snippet.endswith("the sea and the land")


def test_on_a_full_disk_what_was_saved_is_found_and_nothing_is_lost(small_disk: Path) -> None:
    with closing(Database.open(small_disk / "fireside.db")) as database:
        pages = PageStore(database)
        page = pages.create("Every word of it")
        fill_disk(small_disk)
        with pytest.raises(DiskFull):
            pages.save(page.id, "x" * 2_000_000)
        assert texts(pages) == ["Every word of it"]
        assert texts(pages, "word") == ["Every word of it"]


ANY_TEXT = st.text(st.characters(), max_size=300)
"""Also what is no text, such as half of a surrogate pair."""


@given(saved=st.lists(ANY_TEXT, min_size=1, max_size=4), spans=st.lists(st.tuples(st.integers(), st.integers())))
def test_any_text_comes_out_as_it_went_in_and_is_found(saved: list[str], spans: list[tuple[int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(Database.open(Path(folder) / "fireside.db")) as database:
        pages = PageStore(database)
        page = pages.create(saved[0])
        other = pages.create("nothing of the kind")
        for text in saved:
            pages.save(page.id, text, spans)
            kept = pages.get(page.id)
            assert kept is not None
            assert kept.text == clean_text(text)
            assert all(0 <= start < end <= len(kept.text) for start, end in kept.written)
            for part in (kept.text[: len(kept.text) // 2], kept.text[len(kept.text) // 3 :], kept.text):
                if part.strip():
                    assert page.id in [row.id for row in pages.find(part)]
        pages.find("kind")
        pages.delete(page.id)
        pages.purge_deleted(1e12)
        with database.transaction() as connection:
            connection.execute("INSERT INTO pages_index (pages_index, rank) VALUES ('integrity-check', 1)")
        assert [row.id for row in pages.find()] == [other.id]


WORDS = st.lists(st.sampled_from(["kiln", "glaze", "clay", "\n"]), max_size=4).map(" ".join)


@dataclass
class Known:
    """What a page has to be."""

    text: str
    changed: float
    title: str = ""
    undo: str | None = None
    is_deleted: bool = False


class Kept(RuleBasedStateMachine):
    """Any order of writing, renaming, searching, deleting, restoring, purging, opening again, against a plain list."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database.open(Path(self.folder.name) / "fireside.db")
        self.now = 0.0
        self.pages = PageStore(self.database, self.clock)
        self.known: dict[int, Known] = {}

    def clock(self) -> float:
        self.now += 1
        return self.now

    def one(self, data: st.DataObject, *, is_deleted: bool | None = None) -> int:
        return data.draw(st.sampled_from(
            [number for number, page in self.known.items() if is_deleted in (None, page.is_deleted)]
        ))  # fmt: skip

    @rule(text=WORDS)
    def create(self, text: str) -> None:
        page = self.pages.create(text)
        self.known[page.id] = Known(text, changed=self.now)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), text=WORDS)
    def save(self, data: st.DataObject, text: str) -> None:
        number = self.one(data)
        page = self.known[number]
        self.pages.keep_undo(number, page.text)
        self.pages.save(number, text)
        page.undo, page.text, page.changed = page.text, text, page.changed if text == page.text else self.now

    @precondition(lambda self: self.known)
    @rule(data=st.data(), title=WORDS)
    def rename(self, data: st.DataObject, title: str) -> None:
        number = self.one(data)
        self.pages.rename(number, title)
        self.known[number].title = title.strip()

    @precondition(lambda self: any(not page.is_deleted for page in self.known.values()))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        number = self.one(data, is_deleted=False)
        self.pages.delete(number)
        self.known[number].is_deleted = True

    @precondition(lambda self: any(page.is_deleted for page in self.known.values()))
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        number = self.one(data, is_deleted=True)
        self.pages.restore(number)
        self.known[number].is_deleted = False

    @rule()
    def purge_and_open_again(self) -> None:
        self.pages.purge_deleted(self.now + 1)
        self.known = {number: page for number, page in self.known.items() if not page.is_deleted}
        erase_traces(self.database)
        self.database.close()
        self.database = Database.open(Path(self.folder.name) / "fireside.db")
        assert self.database.moved_aside is None
        self.pages = PageStore(self.database, self.clock)

    @rule(word=st.sampled_from(["kiln", "glaze", "clay"]))
    def search_text(self, word: str) -> None:
        wanted = {number for number, page in self.live() if word in f"{page.title} {page.text}".split()}
        assert {row.id for row in self.pages.find(word)} == wanted
        with self.database.transaction() as connection:
            connection.execute("INSERT INTO pages_index (pages_index, rank) VALUES ('integrity-check', 1)")

    def live(self) -> list[tuple[int, Known]]:
        return [(number, page) for number, page in self.known.items() if not page.is_deleted]

    @invariant()
    def all_is_as_it_was_left(self) -> None:
        if not hasattr(self, "pages"):
            return
        live = sorted(self.live(), key=lambda one: (one[1].changed, one[0]), reverse=True)
        assert [row.id for row in self.pages.find()] == [number for number, _ in live]
        for number, page in live:
            stored, undo = self.pages.get(number), self.pages.undo_state(number)
            assert stored is not None
            assert stored.text == page.text
            assert (undo.text if undo is not None else None) == page.undo

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()


TestKept = Kept.TestCase
TestKept.settings = settings(stateful_step_count=25)
