"""Chats: kept, found, searched, changed, deleted and brought back."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import AnswerStats, FinishReason, Role
from app.features.finding import HistorySearch
from app.store.attachments import Attachments, DocumentUse
from app.store.conversations import Conversations, MessageState
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.helpers.searching import search_text

ODD_TEXT = 'NUL\0 lone \ud800 half, "עברית \u200fمرحبا\u200f, 👩\u200d👩\u200d👧 e\u0301 \ufeff\u2028 \U0010ffff'
ODD_TEXT_KEPT = ODD_TEXT.replace("\0", "").replace("\ud800", "\ufffd")


def titles(conversations: Conversations, query: str = "") -> list[str]:
    return [found.title for found in conversations.find(query)]


def index_is_sound(database: Database) -> bool:
    """Raises when a full-text index does not hold exactly what the tables hold."""
    with database.transaction() as connection:
        for index in ("messages_index", "titles_index"):
            connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)")
    return True


def test_a_new_conversation_is_empty_and_has_what_was_given(conversations: Conversations) -> None:
    made = conversations.create(title="t", system_prompt="s", temperature=0.25, model="m")
    assert (made.title, made.system_prompt, made.temperature, made.model) == ("t", "s", 0.25, "m")
    assert (made.draft, made.pinned, made.leaf_id, made.created_at) == ("", False, None, 1000)
    assert conversations.get(made.id) == made
    assert conversations.read_branch(made.id) == []


def test_unknown_ids_are_none_when_read_and_a_key_error_when_written(conversations: Conversations) -> None:
    assert conversations.get(5) is None
    assert conversations.get_message(5) is None
    assert conversations.read_branch(5) == []
    for write in (
        lambda: conversations.update(5, title="x"),
        lambda: conversations.update(5),
        lambda: conversations.delete(5),
        lambda: conversations.restore(5),
        lambda: conversations.add_message(5, None, Role.USER, "x"),
        lambda: conversations.save_text(5, "x"),
        lambda: conversations.finish_message(5, "x", MessageState.COMPLETE),
        lambda: conversations.set_message_pinned(5, True),
        lambda: conversations.choose_version(5),
        lambda: conversations.delete_message(5),
        lambda: conversations.restore_message(5),
    ):
        with pytest.raises(KeyError):
            write()


def test_update_changes_only_what_is_given(conversations: Conversations) -> None:
    made = conversations.create(title="t", system_prompt="s", temperature=0.5, model="m")
    conversations.update(made.id, draft="half a question", pinned=True)
    conversations.update(made.id, temperature=None)
    conversations.update(made.id)
    changed = conversations.get(made.id)
    assert changed is not None
    assert (changed.title, changed.system_prompt, changed.model) == ("t", "s", "m")
    assert (changed.draft, changed.pinned, changed.temperature) == ("half a question", True, None)
    assert changed.updated_at == made.updated_at, "neither a draft nor a new name moves it in the list"


def test_what_a_chat_sets_itself_comes_back(conversations: Conversations) -> None:
    made = conversations.create()
    assert (made.sampling, made.thinking, made.first_kept_id) == ({}, "", None)
    conversations.update(made.id, sampling={"top_p": 0.5, "seed": 7}, thinking="off", first_kept_id=3)
    conversations.update(made.id, title="t")
    changed = conversations.get(made.id)
    assert changed is not None
    assert (changed.sampling, changed.thinking, changed.first_kept_id) == ({"top_p": 0.5, "seed": 7}, "off", 3)
    conversations.update(made.id, first_kept_id=None)
    changed = conversations.get(made.id)
    assert changed is not None
    assert changed.first_kept_id is None


def test_the_last_used_comes_first(conversations: Conversations) -> None:
    old = conversations.create(title="old")
    conversations.create(title="new")
    assert titles(conversations) == ["new", "old"]
    conversations.add_message(old.id, None, Role.USER, "again")
    assert titles(conversations) == ["old", "new"]


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("Die Straße", "STRASSE"),
        ("ПРИВЕТ мир", "привет"),
        ("Ο ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("日本語の本", "語の"),
        ("Café", "cafe"),
    ]
    + [("100 % sure", "0 %"), ("snake_case", "_"), ("a\\b", "\\"), ("it's", "'s"), ("two words", "  two ")],
)
def test_a_title_is_found_by_part_of_it_in_any_case(conversations: Conversations, title: str, query: str) -> None:
    conversations.create(title="something else")
    conversations.create(title=title)
    assert titles(conversations, query) == [title]


@pytest.mark.parametrize("query", ["%", "_", "*", "?", "\\", "'", '"'])
def test_signs_in_a_query_stand_for_themselves(conversations: Conversations, query: str) -> None:
    conversations.create(title="plain words")
    assert titles(conversations, query) == []


def test_a_blank_query_finds_all(conversations: Conversations) -> None:
    conversations.create(title="a")
    assert titles(conversations, " \n") == ["a"]


def test_a_deleted_conversation_is_gone_from_everywhere_and_comes_back(conversations: Conversations) -> None:
    chat = conversations.create(title="holiday")
    question = conversations.add_message(chat.id, None, Role.USER, "where to go")
    before = conversations.get(chat.id)
    conversations.delete(chat.id)
    assert conversations.get(chat.id) is None
    assert titles(conversations) == []
    assert search_text(conversations, "holiday") == search_text(conversations, "where") == []
    conversations.save_text(question.id, "where to go, still being written")
    conversations.restore(chat.id)
    assert conversations.get(chat.id) == before
    assert [hit[:2] for hit in search_text(conversations, "still")] == [(chat.id, question.id)]


def test_purging_really_removes_what_was_deleted_and_only_that(
    database: Database, conversations: Conversations
) -> None:
    gone, kept = conversations.create(title="gone"), conversations.create(title="kept")
    conversations.add_message(gone.id, None, Role.USER, "secret one")
    root = conversations.add_message(kept.id, None, Role.USER, "stays")
    wrong = conversations.add_message(kept.id, root.id, Role.ASSISTANT, "secret two")
    conversations.add_message(kept.id, wrong.id, Role.USER, "secret three")
    conversations.delete(gone.id)
    conversations.delete_message(wrong.id)
    conversations.purge_deleted()
    with pytest.raises(KeyError):
        conversations.restore(gone.id)
    with pytest.raises(KeyError):
        conversations.restore_message(wrong.id)
    assert [message.text for message in conversations.read_branch(kept.id)] == ["stays"]
    assert index_is_sound(database)
    path = database.path
    database.close()
    for text in (b"secret one", b"secret two", b"secret three"):
        assert text not in path.read_bytes(), "deleted text is overwritten"


def test_an_id_is_never_given_out_twice(conversations: Conversations) -> None:
    first = conversations.create()
    conversations.delete(first.id)
    conversations.purge_deleted()
    assert conversations.create().id > first.id


def test_purging_a_chat_of_three_thousand_turns_works(conversations: Conversations, database: Database) -> None:
    chat = conversations.create()
    with database.transaction() as connection:
        for number in range(1, 3001):
            connection.execute(
                "INSERT INTO messages (id, conversation_id, parent_id, role, text, state, model, chosen, created_at)"
                " VALUES (?, ?, ?, 'user', 'text', 'complete', '', 1, 0)",
                (number, chat.id, number - 1 or None),
            )
    last = conversations.add_message(chat.id, 3000, Role.USER, "last")
    assert len(conversations.read_branch(chat.id)) == 3001
    conversations.delete_message(2)
    conversations.purge_deleted()
    assert conversations.get_message(last.id) is None
    assert [message.id for message in conversations.read_branch(chat.id)] == [1]
    conversations.delete(chat.id)
    conversations.purge_deleted()
    assert conversations.get_message(1) is None


def test_text_of_every_kind_is_stored_as_clean_text_defines(conversations: Conversations) -> None:
    chat = conversations.create(title=ODD_TEXT, system_prompt=ODD_TEXT, model=ODD_TEXT)
    conversations.update(chat.id, draft=ODD_TEXT)
    question = conversations.add_message(chat.id, None, Role.USER, ODD_TEXT, model=ODD_TEXT)
    assert question.text == question.model == ODD_TEXT_KEPT
    conversations.save_text(question.id, ODD_TEXT + "1")
    assert conversations.read_branch(chat.id)[0].text == ODD_TEXT_KEPT + "1"
    conversations.finish_message(question.id, ODD_TEXT + "2", MessageState.COMPLETE)
    assert conversations.read_branch(chat.id)[0].text == ODD_TEXT_KEPT + "2"
    stored = conversations.get(chat.id)
    assert stored is not None
    assert (stored.title, stored.system_prompt, stored.model, stored.draft) == (ODD_TEXT_KEPT,) * 4
    assert [hit[:2] for hit in search_text(conversations, "עברית")] == [(chat.id, 0), (chat.id, question.id)]


def test_words_are_found_in_text_and_titles_the_last_one_as_a_beginning(conversations: Conversations) -> None:
    chat = conversations.create(title="Garden plans")
    question = conversations.add_message(chat.id, None, Role.USER, "Which roses grow in the shade of a wall?")
    conversations.add_message(chat.id, question.id, Role.ASSISTANT, "Climbing ones.")
    assert search_text(conversations, "gard") == [(chat.id, 0, "Garden plans")]
    assert search_text(conversations, "ROSES sha") == [(chat.id, question.id, question.text)]
    assert search_text(conversations, "sha roses") == [], "only the last word may be unfinished"
    assert search_text(conversations, "roses climbing") == [], "all words in one place"


def test_the_limit_holds_for_titles_and_text_together(conversations: Conversations) -> None:
    for _ in range(5):
        conversations.add_message(conversations.create(title="word").id, None, Role.USER, "word")
    assert len(search_text(conversations, "word", limit=7)) == 7
    assert len(search_text(conversations, "word", limit=3)) == 3


@pytest.mark.parametrize(
    "query",
    ["", " ", '"', '""', "'", "*", "a*", "(", ")", "a AND", "OR", "NOT a", "NEAR(a b)", "text:a", "-a", "^a", "a + b"]
    + ["{a b}: c", "\0", "\ud800", "a\0b", "🔥", "%", ";--", "\\", "{", "a" * 10_000, "a " * 3_000],
)
def test_anything_may_be_searched_for(conversations: Conversations, query: str) -> None:
    conversations.add_message(conversations.create(title="x").id, None, Role.USER, "x")
    assert search_text(conversations, query) == []
    assert HistorySearch(conversations._database).search_text(query) == []


@pytest.mark.parametrize("query", ["AND", "not", "wall -", '"wall"', "- wall", "co-op", "shade,"])
def test_operators_are_only_words(conversations: Conversations, query: str) -> None:
    conversations.add_message(conversations.create().id, None, Role.USER, "shade, and not a wall: near the co-op")
    assert len(search_text(conversations, query)) == 1


def test_an_answer_is_searchable_when_it_is_finished_under_its_last_text(
    conversations: Conversations, database: Database
) -> None:
    chat = conversations.create()
    answer = conversations.add_message(chat.id, None, Role.ASSISTANT, "first", state=MessageState.WRITING)
    conversations.save_text(answer.id, "second")
    assert search_text(conversations, "second") == []
    conversations.finish_message(answer.id, "third", MessageState.STOPPED)
    assert [len(search_text(conversations, word)) for word in ("first", "second", "third")] == [0, 0, 1]
    conversations.finish_message(answer.id, "third", MessageState.WRITING)
    conversations.save_text(answer.id, "fourth")
    assert index_is_sound(database)
    conversations.recover()
    assert [len(search_text(conversations, word)) for word in ("third", "fourth")] == [0, 1]
    assert index_is_sound(database)


def test_recover_marks_only_what_was_being_written(conversations: Conversations) -> None:
    chat = conversations.create()
    parent = None
    for state in MessageState:
        parent = conversations.add_message(chat.id, parent, Role.ASSISTANT, state.value, state=state).id
    assert conversations.recover() == 1
    assert [(message.text, message.state.value) for message in conversations.read_branch(chat.id)] == [
        ("complete", "complete"),
        ("writing", "interrupted"),
        ("interrupted", "interrupted"),
        ("stopped", "stopped"),
        ("failed", "failed"),
    ]
    assert conversations.recover() == 0


def test_the_best_speed_of_each_model_is_that_of_its_fastest_long_answer(conversations: Conversations) -> None:
    chat = conversations.create()
    answers = [("a", 40, 12.5), ("a", 40, 30.0), ("a", 3, 900.0), ("b", 100, 7.0), ("", 100, 8.0)]
    for model, tokens, speed in answers:
        message = conversations.add_message(chat.id, None, Role.ASSISTANT, "", model=model)
        stats = AnswerStats(1, 0, tokens, 0.1, speed, FinishReason.STOP)
        conversations.finish_message(message.id, "text", MessageState.COMPLETE, stats)
    conversations.add_message(chat.id, None, Role.ASSISTANT, "without numbers", model="c")
    assert conversations.best_speeds() == {"a": 30.0, "b": 7.0}


@given(texts=st.lists(st.text(alphabet=st.characters(exclude_categories=())), min_size=1, max_size=5), data=st.data())
def test_no_text_and_no_query_breaks_a_search(texts: list[str], data: st.DataObject) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Database.open(Path(folder) / "fireside.db")) as database,
    ):
        conversations = Conversations(database)
        for text in texts:
            conversations.add_message(conversations.create(title=text).id, None, Role.USER, text)
        query = data.draw(st.one_of(st.sampled_from(texts), st.text(alphabet=st.characters(exclude_categories=()))))
        for conversation_id, message_id, _ in search_text(conversations, query):
            assert conversations.get(conversation_id) is not None
            assert message_id == 0 or conversations.get_message(message_id) is not None
        conversations.find(query)
        assert {found.title for found in conversations.find(texts[0])} >= {conversations.get(1).title}  # type: ignore[union-attr]
        assert index_is_sound(database)


# Attachments wait in a draft, go with a message, and follow its versions.


@pytest.fixture
def document_id(database: Database) -> int:
    store = DocumentStore(database)
    id_ = store.begin_document(Path("/a.txt"), 1, 1)
    return store.finish_document(id_, format_="text", unit="", pages=0, sha256="", info={}).id


@pytest.fixture
def attachments(database: Database) -> Attachments:
    return Attachments(database)


def test_each_draft_has_its_own(database: Database, attachments: Attachments, document_id: int) -> None:
    chat = Conversations(database).create()
    of_new = attachments.add_to_draft(None, document_id)
    of_chat = attachments.add_to_draft(chat.id, document_id, DocumentUse.BACKGROUND)
    assert attachments.in_draft(None) == [of_new]
    assert attachments.in_draft(chat.id) == [of_chat]
    attachments.remove(of_new.id)
    assert attachments.in_draft(None) == []


def test_what_waited_goes_with_the_message(database: Database, attachments: Attachments, document_id: int) -> None:
    conversations = Conversations(database)
    chat = conversations.create()
    first = attachments.add_to_draft(None, document_id, DocumentUse.WHOLE)
    second = attachments.add_to_draft(None, document_id, DocumentUse.BACKGROUND)
    question = conversations.add_message(chat.id, None, Role.USER, "What is it?")
    sent = attachments.move_to_message(None, question.id)
    assert [(one.id, one.use, one.message_id) for one in sent] == [
        (first.id, DocumentUse.WHOLE, question.id),
        (second.id, DocumentUse.BACKGROUND, question.id),
    ]
    assert attachments.in_draft(None) == []
    assert attachments.move_to_message(None, question.id) == sent, "sending twice changes nothing"


def test_another_version_has_the_documents_but_not_the_passages(
    database: Database, attachments: Attachments, document_id: int
) -> None:
    conversations = Conversations(database)
    chat = conversations.create()
    question = conversations.add_message(chat.id, None, Role.USER, "What is it?")
    attachments.add_to_draft(chat.id, document_id, DocumentUse.BACKGROUND)
    (sent,) = attachments.move_to_message(chat.id, question.id)
    attachments.set_passages(sent.id, [3, 5])
    attachments.add_passages(question.id, document_id, [9])
    assert [one.passages for one in attachments.of_messages([question.id])[question.id]] == [(3, 5), (9,)]
    other = conversations.add_message(chat.id, None, Role.USER, "What else?")
    attachments.copy(question.id, other.id)
    assert [(one.use, one.passages) for one in attachments.of_messages([other.id])[other.id]] == [
        (DocumentUse.BACKGROUND, ())
    ]


def test_the_use_can_change(attachments: Attachments, document_id: int) -> None:
    one = attachments.add_to_draft(None, document_id)
    assert one.use is DocumentUse.UNDECIDED
    attachments.set_use(one.id, DocumentUse.BACKGROUND)
    assert attachments.in_draft(None)[0].use is DocumentUse.BACKGROUND


def test_a_chat_that_waits_with_the_same_documents_is_found(
    database: Database, attachments: Attachments, document_id: int
) -> None:
    conversations = Conversations(database)
    assert attachments.chat_waiting_with([document_id]) is None
    attachments.add_to_draft(None, document_id)
    assert attachments.chat_waiting_with([document_id]) is None
    waiting, begun = conversations.create(), conversations.create()
    for chat in (waiting, begun):
        attachments.add_to_draft(chat.id, document_id)
    conversations.add_message(begun.id, None, Role.USER, "What is the rent?")
    assert attachments.chat_waiting_with([document_id]) == waiting.id
    assert attachments.chat_waiting_with([document_id, document_id]) is None
    conversations.delete(waiting.id)
    assert attachments.chat_waiting_with([document_id]) is None
