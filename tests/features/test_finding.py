"""Finding: in everything a person has, in any order of the words, with the words marked, and never what is deleted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.core.events import Role
from app.features.finding import (
    HistorySearch,
    SearchHit,
    SearchQuery,
    marks_in,
    parse_query,
    phrase_pattern,
    text_around,
)
from app.store.conversations import Conversations, MessageState
from app.store.database import Database
from app.store.jobs import JobResults, JobTable
from app.store.media_store import StoredMedia
from app.store.page_store import PageStore
from app.store.projects import Projects, Tags


class Store:
    """A database to search, in which everything is written a second after what was before it."""

    def __init__(self, database: Database) -> None:
        ticks = itertools.count(1000)

        def clock() -> float:
            return float(next(ticks))

        self.finding = HistorySearch(database)
        self.chats, self.jobs = Conversations(database, clock), JobTable(database, clock)
        self.results, self.pages = JobResults(database), PageStore(database, clock)

    def chat(self, title: str, *texts: str) -> tuple[int, list[int]]:
        chat, parent, ids = self.chats.create(title=title), None, []
        for number, text in enumerate(texts):
            role = (Role.USER, Role.ASSISTANT)[number % 2]
            parent = self.chats.add_message(chat.id, parent, role, text).id
            ids.append(parent)
        return chat.id, ids

    def job(self, kind: str, title: str, text: str, state: str = "done") -> int:
        job = self.jobs.add(kind, title, {}, state=state)
        self.results.keep_result(job.id, {}, text)
        return job.id


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        yield Store(database)


def marked(hit: SearchHit) -> list[str]:
    return [hit.snippet[start:end] for start, end in hit.marks]


def test_everything_a_person_has_is_found_titles_first_then_the_newest(store: Store) -> None:
    page = store.pages.create("Notes\nHow glaze behaves in a hot kiln.")
    chat, (question, answer) = store.chat("Pottery", "Which kiln for my glaze?", "Any **kiln** that reaches 1,240 °C.")
    titled, _ = store.chat("The kiln", "Hello")
    summary = store.job("summary", "Report", "The kiln was repaired.")
    translation = store.job("translation", "Brief.docx", "Der Ofen\nThe kiln")
    store.job("summary", "Half", "kiln", state="draft")
    store.job("download", "kiln", "kiln")
    hits = store.finding.search_text("kiln")
    assert [(hit.kind, hit.id, hit.message_id) for hit in hits] == [
        ("chat", titled, 0),
        ("translation", translation, 0),
        ("summary", summary, 0),
        ("chat", chat, answer),
        ("chat", chat, question),
        ("page", page.id, 0),
    ]
    assert hits[0].snippet == ""
    assert hits[3].snippet == "Any kiln that reaches 1,240 °C."
    assert [marked(hit) for hit in hits[1:]] == [["kiln"]] * 5
    assert [hit.title for hit in hits[3:]] == ["Pottery", "Pottery", "Notes"]
    assert [hit.id for hit in store.finding.search_text("kiln", kinds=["page"])] == [page.id]


def test_a_picture_is_found_by_its_name_and_not_in_the_trash(store: Store) -> None:
    chat, (question, _) = store.chat("Walls", "Which one?", "The left one.")
    store.chats.media.add(StoredMedia("a" * 64, "picture", "png", 9, 4, 3))
    store.chats.media.add_uses(question, [("a" * 64, "Kitchen wall (2).png", 0)])
    found = [hit for hit in store.finding.search_text("wall kitchen") if hit.message_id]
    assert [(hit.id, hit.message_id, hit.snippet) for hit in found] == [(chat, question, "Kitchen wall (2).png")]
    store.chats.delete_message(question)
    assert not [hit for hit in store.finding.search_text("kitchen") if hit.message_id]


def test_words_in_any_order_the_last_a_beginning_without_case_and_accents(store: Store) -> None:
    _, (first, second) = store.chat("x", "Die Größe der Sonne", "une crème brûlée très légère")
    for query, found in (
        ("sonne grö", [first]),
        ("GROSSE", []),
        ("größe SON", [first]),
        ("creme brulee", [second]),
        ("Legere", [second]),
        ("son größe", []),
        ('"sonne" OR -', []),
        ("()*", []),
        ("", []),
    ):
        assert [hit.message_id for hit in store.finding.search_text(query)] == found, query
    assert marked(store.finding.search_text("brulee cre")[0]) == ["crè", "brûlée"]


def test_words_one_behind_the_other_come_before_newer_ones_that_are_apart(store: Store) -> None:
    _, ids = store.chat("x", "the red door is open", "the door is red")
    assert [hit.message_id for hit in store.finding.search_text("red door")] == ids


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("我昨天在东京吃了拉面。", "东京"),
        ("我昨天在东京吃了拉面。", "拉"),
        ("きのう東京でラーメンを食べた。", "ラーメン"),
        ("ฉันกินข้าวที่กรุงเทพ", "ข้าว"),
        ("Mein Hotel heißt 東京飯店 und ist gut", "東京 hotel"),
    ],
)
def test_scripts_without_spaces_are_found_inside(store: Store, text: str, query: str) -> None:
    chat, ids = store.chat(text, text)
    job = store.job("summary", "x", text)
    page = store.pages.create(f"x\n{text}") if " " not in query else None
    hits = store.finding.search_text(query)
    wanted = {("chat", chat, 0), ("chat", chat, ids[0]), ("summary", job, 0)}
    assert {(hit.kind, hit.id, hit.message_id) for hit in hits} == wanted | ({("page", page.id, 0)} if page else set())
    assert all(query.split(maxsplit=1)[0] in marked(hit) for hit in hits if hit.snippet)


def test_what_was_deleted_is_never_found_and_comes_back_with_it(store: Store) -> None:
    chat, (_, answer) = store.chat("kiln", "a kiln", "the 窯 kiln")
    job, page = store.job("summary", "kiln", "kiln"), store.pages.create("kiln").id
    store.chats.delete_message(answer)
    assert answer not in [hit.message_id for hit in store.finding.search_text("kiln")]
    assert store.finding.search_text("窯") == []
    store.chats.restore_message(answer)
    for take, bring in (
        (lambda: store.chats.delete(chat), lambda: store.chats.restore(chat)),
        (lambda: store.jobs.delete(job), lambda: store.jobs.restore(job)),
        (lambda: store.pages.delete(page), lambda: store.pages.restore(page)),
    ):
        before = store.finding.search_text("kiln")
        take()
        assert len(store.finding.search_text("kiln")) < len(before)
        bring()
        assert store.finding.search_text("kiln") == before
    for remove in (lambda: store.chats.delete(chat), lambda: store.jobs.delete(job), lambda: store.pages.delete(page)):
        remove()
    assert store.finding.search_text("kiln") == store.finding.search_text("窯") == []


def test_what_is_being_written_is_found_when_it_is_finished(store: Store) -> None:
    chat, (question,) = store.chat("x", "hello")
    answer = store.chats.add_message(chat, question, Role.ASSISTANT, "", state=MessageState.WRITING)
    store.chats.save_text(answer.id, "the kiln 窯")
    assert store.finding.search_text("kiln") == store.finding.search_text("窯") == []
    store.chats.finish_message(answer.id, "the kiln 窯", MessageState.COMPLETE)
    assert len(store.finding.search_text("kiln")) == len(store.finding.search_text("窯")) == 1


def test_a_single_letter_is_a_word_of_its_own(store: Store) -> None:
    _, (first, _) = store.chat("x", "vitamin B is good", "bread is better")
    assert [hit.message_id for hit in store.finding.search_text("b")] == [first]
    assert len(store.finding.search_text("br")) == 1


def test_a_search_that_nobody_wants_any_more_ends(store: Store) -> None:
    store.chat("x", "窯")
    assert store.finding.search_text("窯", is_cancelled=lambda: True) == []


def test_snippets_are_one_line_around_the_words_also_of_long_and_repetitive_texts() -> None:
    text = "the sea and " * 20_000 + "\n\n## The **land**\n\nis `far` away, " + "and " * 200
    line, marks = text_around(text, "far land")
    assert line.startswith("…")
    assert "The land is far away, and" in line
    assert line.endswith("…")
    assert [line[start:end] for start, end in marks] == ["land", "far"]
    inside = "million " * 30 + "a list of it"
    assert text_around(inside, "li")[0].endswith("a list of it"), "where it begins a word, not inside of one"
    assert text_around("Only a short text", "nothing") == ("Only a short text", ())


def test_letters_are_marked_whatever_way_they_are_written() -> None:
    assert [("Cafe\u0301 CAFÉ cafés"[a:b]) for a, b in marks_in("Cafe\u0301 CAFÉ cafés", "cafe")] == [
        "Cafe\u0301", "CAFÉ", "café"
    ]  # fmt: skip
    assert marks_in("Straße", "strasse") == ((0, 6),)
    assert marks_in("a.b", "*") == ()
    pattern = phrase_pattern("b (c")
    assert pattern is not None
    assert [found.span() for found in pattern.finditer("ab\n(cd")] == [(1, 5)]


def test_what_is_typed_names_tags_and_projects_beside_its_words() -> None:
    assert parse_query('  kiln tag:work Project:"New  house" glaze') == SearchQuery(
        "kiln glaze", ("work",), ("New  house",)
    )
    assert parse_query('tag:"unfinished') == SearchQuery("", ("unfinished",))
    for plain in ("kiln tag:", "a tag", "notatag:work", "12:30 tags:work", ""):
        assert parse_query(plain) == SearchQuery(plain)


def test_a_search_is_limited_to_chats_with_a_tag_or_of_a_project(store: Store, tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        tags, projects = Tags(database), Projects(database)
        pottery, (kiln, _) = store.chat("Pottery", "Which kiln?", "Any kiln.")
        garden, _ = store.chat("Garden", "A kiln in the garden")
        unspaced, (asked_there,) = store.chat("窯", "窯は何度ですか")
        store.chat("Kiln of others", "kiln")
        store.pages.create("A kiln of work")
        work = tags.create("Wörk list")
        house = projects.create("House").id
        for number in (pottery, unspaced):
            tags.set_tag(work.id, number)
        for number in (pottery, garden):
            store.chats.update(number, project_id=house)
        found = store.finding.search_text("kiln tag:work")
        assert [(hit.kind, hit.id) for hit in found] == [("chat", pottery)] * 2
        assert marked(found[0]) == ["kiln"]
        assert kiln in [hit.message_id for hit in found]
        assert {hit.id for hit in store.finding.search_text("kiln project:hou")} == {pottery, garden}
        assert {hit.id for hit in store.finding.search_text("project:hou tag:wor")} == {pottery}
        assert [hit.message_id for hit in store.finding.search_text("窯は tag:work")] == [asked_there]
        assert [hit.title for hit in store.finding.search_text("tag:work")] == ["窯", "Pottery"], (
            "without words their titles"
        )
        assert store.finding.search_text("kiln tag:nothing") == []
        tags.delete(work.id)
        projects.delete(house)
        assert store.finding.search_text("kiln tag:work") == store.finding.search_text("kiln project:house") == []
