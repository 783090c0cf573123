"""Messages are found by what they mean, where none of the words stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from app.core.events import Role
from app.features.finding import HistorySearch
from app.language.static_embeddings import load_table
from app.store.conversations import Conversations
from app.store.database import Database

PETS = "Dogs and cats are allowed as long as the neighbours do not complain."
FILLER = ["The meeting about the budget was moved to next week.", "Please write a poem about rain and the sea."]


@pytest.fixture
def database() -> Iterator[Database]:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    with closing(Database.in_memory()) as database:
        yield database


def say(database: Database, *texts: str) -> int:
    """A chat with these questions; its id."""
    conversations = Conversations(database)
    chat = conversations.create(title="Chat")
    leaf = None
    for text in texts:
        leaf = conversations.add_message(chat.id, leaf, Role.USER, text).id
    return chat.id


def test_the_message_about_it_is_found_with_the_sentence_that_says_it(database: Database) -> None:
    say(database, *FILLER)
    windows = "The windows of the flat on floor {} were painted last year by the firm from the town."
    filler = " ".join(windows.format(number) for number in range(20))
    chat = say(database, f"{filler} {PETS}\n\n{filler}")
    finding = HistorySearch(database)
    assert finding.search_text("keeping pets") == []
    hit = finding.find_similar("keeping pets", 5)[0]
    assert (hit.id, hit.marks) == (chat, ())
    assert PETS in hit.snippet
    assert finding.find_similar("keeping pets", 5, without=[chat]) == []
    assert finding.find_similar("keeping pets tag:work", 5) == []


def test_it_is_found_in_another_language(database: Database) -> None:
    say(database, *FILLER)
    chat = say(database, PETS)
    assert [hit.id for hit in HistorySearch(database).find_similar("Haustiere halten", 5)] == [chat]


def test_what_was_said_since_is_found_and_what_was_deleted_is_not(database: Database) -> None:
    say(database, *FILLER)
    finding = HistorySearch(database)
    assert finding.find_similar("keeping pets", 5) == []
    chat = say(database, PETS)
    assert [hit.id for hit in finding.find_similar("keeping pets", 5)] == [chat]
    Conversations(database).delete(chat)
    assert finding.find_similar("keeping pets", 5) == []


@pytest.mark.parametrize("query", ["", "pe", "?!", "kee", "qwrtz plkj"])
def test_what_the_table_does_not_know_finds_nothing(database: Database, query: str) -> None:
    say(database, PETS)
    assert HistorySearch(database).find_similar(query, 5) == []


def test_a_cancelled_search_goes_on_where_it_was(database: Database) -> None:
    chat = say(database, PETS)
    finding = HistorySearch(database)
    assert finding.find_similar("keeping pets", 5, is_cancelled=lambda: True) == []
    assert [hit.id for hit in finding.find_similar("keeping pets", 5)] == [chat]
