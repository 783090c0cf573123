"""Documents and other chats are searched, read, listed and counted with the places where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.core.errors.server_errors import DocumentStaysHere
from app.core.events import Role
from app.core.paths import AppPaths
from app.features.document_library import DocumentLibrary, build_documents
from app.features.retrieval.source_places import SourcePlace
from app.features.tools.chat_search import ChatSearchTool, part_around
from app.features.tools.document_tools import MOST_HITS, NO_ANSWER, NOTHING_FOUND, DocumentTools
from app.features.tools.tool import MessagePlace, ToolRefused, ToolResult
from app.store.conversations import Conversations
from app.store.database import Database

LEASE = (
    ("heading", "The lease", 1),
    ("paragraph", "It began on 1 May 2024 and ends on 31 March 2027.", 1),
    ("paragraph", "The rent of €2,400 was paid on 12 March 2025. It rises by 3 % each year.", 2),
    ("heading", "Notice", 3),
    ("paragraph", "Either party may give notice three months before the end.", 3),
    ("paragraph", "The kiln cools for two days; kilns are hot.", 4),
)
NOTES = ("The oven is cleaned every week.", "The kiln was bought in 2019.", "Ash makes a good glaze.")
ROOMS = "kitchen hall stair attic cellar door window floor roof wall gate shed".split()  # noqa: SIM905


class Shelf:
    """A lease with pages and notes without, and their tools."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.library: DocumentLibrary = build_documents(AppPaths.from_environment(), database)
        blocks = [
            {"id": n, "kind": kind, "page": page, "text": text, "heading_path": (), "level": 1}
            for n, (kind, text, page) in enumerate(LEASE, 1)
        ]
        self.lease = self.library.store.begin_document(Path("/any/Lease 2024.pdf"), 1, 1)
        self.library.store.add_blocks(self.lease, blocks)
        self.library.store.finish_document(
            self.lease, format_="pdf", unit="page", pages=4, sha256="", info={"language": "en"}
        )
        self.notes = self.library.keep_text("\n\n".join(NOTES), "notes.txt").id
        self.ids = [self.lease, self.notes]
        self.tools = DocumentTools(database, self.library, lambda: self.ids)

    def run(self, name: str, **arguments: Any) -> ToolResult:
        return getattr(self.tools, name)(arguments, lambda: False)  # type: ignore[no-any-return]

    def sources(self, result: ToolResult) -> list[tuple[int, int, str]]:
        """Document, page and passage of each place; its stretch of the text has the passage's words."""
        found = []
        for place in result.places:
            assert isinstance(place, SourcePlace)
            (block,) = self.library.some_blocks(place.document_id, [place.block_id])
            passage = block.text[place.start : place.end]
            found.append((place.document_id, place.page or 0, passage))
        return found


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with closing(Database.in_memory()) as database:
        yield Shelf(database)


def test_passages_of_all_documents_are_found_with_their_places(shelf: Shelf) -> None:
    result = shelf.run("search", query="How long does the kiln cool?")
    assert "Lease 2024.pdf [p. 4]\nThe kiln cools for two days" in result.text
    assert "notes.txt [¶ 2]\nThe kiln was bought in 2019." in result.text
    assert (shelf.lease, 4, LEASE[5][1]) in shelf.sources(result)
    for place, (_, _, passage) in zip(result.places, shelf.sources(result), strict=True):
        assert passage in result.text[place.answer_start : place.answer_end]
    assert len(result.places) <= MOST_HITS
    # Models write the default that they are told.
    assert shelf.run("search", query="How long does the kiln cool?", document="all") == result


def test_a_heading_that_is_found_brings_what_stands_below_it(shelf: Shelf) -> None:
    result = shelf.run("search", query="notice", document="lease")
    assert "# Notice\nEither party may give notice" in result.text
    assert "notes.txt" not in result.text


def test_nothing_found_is_said(shelf: Shelf) -> None:
    shelf.ids = [shelf.library.keep_text("窯は熱い。\n\n灰は釉になる。", "窯.txt").id]
    result = shelf.run("search", query="?")
    assert (result.places, result.text) == ((), NOTHING_FOUND)
    assert "窯は熱い" in shelf.run("search", query="窯は?").text
    texts = [f"The {word} of the house is {number} years old and made of wood." for number, word in enumerate(ROOMS)]
    shelf.ids = [shelf.library.keep_text("\n\n".join(texts), "house.txt").id]
    asked = "Which discount does Acme give for orders of Widget 9000?"
    assert shelf.run("search", query=asked).text.startswith(NO_ANSWER)
    assert not shelf.run("search", query="How old is the kitchen of the house?").text.startswith(NO_ANSWER)
    shelf.ids = []
    with pytest.raises(ToolRefused):
        shelf.run("search", query="kiln")


@pytest.mark.parametrize(
    ("arguments", "text", "pages"),
    [
        ({"document": "Lease 2024.pdf", "first_page": 2}, "[p. 2]\n\nThe rent of €2,400", [2]),
        ({"document": "lease", "first_page": 1, "last_page": 3}, "[p. 3]\n\n# Notice", [1, 2, 3]),
        ({"document": "notes", "first_page": 2}, "The kiln was bought in 2019.", [0]),
    ],
)
def test_pages_are_read_by_number(shelf: Shelf, arguments: dict[str, Any], text: str, pages: list[int]) -> None:
    result = shelf.run("read_pages", **arguments)
    assert text in result.text
    assert [page for _, page, _ in shelf.sources(result)] == pages
    first = result.places[0]
    assert result.text[first.answer_start : first.answer_end] == result.text.split("\n\n[p.")[0].rstrip()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"document": "lease", "first_page": 9}, "Lease 2024.pdf has the pages 1 to 4."),
        ({"document": "lease", "first_page": 3, "last_page": 2}, "Lease 2024.pdf has the pages 1 to 4."),
        ({"document": "contract", "first_page": 1}, "No document is called contract: Lease 2024.pdf, notes.txt."),
        ({"document": "", "first_page": 1}, "Say which document: Lease 2024.pdf, notes.txt."),
    ],
)
def test_what_is_not_there_is_said_with_what_is(shelf: Shelf, arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ToolRefused) as refusal:
        shelf.run("read_pages", **arguments)
    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    ("kind", "words", "count", "listed"),
    [
        ("dates", "", "**3 dates**", ["1 May 2024", "31 March 2027", "12 March 2025"]),
        ("money", "", "**1 amount of money**", ["€2,400"]),
        ("percentages", "", "**1 percentage**", ["3 %"]),
        ("headings", "", "**2 headings**", ["The lease", "Notice"]),
        ("mentions", "kiln", "**“kiln” once; “kilns” once**", ["The kiln cools"]),
        ("emails", "", "**No email addresses found.**", []),
    ],
)
def test_all_of_a_document_is_listed_and_counted(
    shelf: Shelf, kind: str, words: str, count: str, listed: list[str]
) -> None:
    arguments = {"document": "lease", "kind": kind, "words": words}
    result = shelf.run("list_all", **arguments)
    assert result.text.startswith(count)
    assert all(text in result.text for text in listed)
    assert {document for document, _, _ in shelf.sources(result)} <= {shelf.lease}
    counted = shelf.run("count_all", **arguments)
    assert counted.text.startswith(count)
    assert not any(f"- **{text}" in counted.text for text in listed)


def test_mentions_of_nothing_are_refused(shelf: Shelf) -> None:
    with pytest.raises(ToolRefused):
        shelf.run("list_all", document="lease", kind="mentions")


def test_a_document_that_may_not_leave_is_not_told(shelf: Shelf) -> None:
    def keep_here(_ids: object) -> None:
        raise DocumentStaysHere("Lease 2024.pdf", "example.org")

    shelf.tools = DocumentTools(shelf.database, shelf.library, lambda: shelf.ids, keep_here)
    for name, arguments in (
        ("search", {"query": "kiln"}),
        ("read_pages", {"document": "lease", "first_page": 1}),
        ("list_all", {"document": "lease", "kind": "dates"}),
    ):
        with pytest.raises(DocumentStaysHere):
            shelf.run(name, **arguments)


class Talks:
    """Chats that are searched."""

    def __init__(self, database: Database) -> None:
        self.chats = Conversations(database)
        self.current = 0
        self.tool = ChatSearchTool(database, lambda: self.current)

    def add(self, title: str, *texts: str) -> tuple[int, list[int]]:
        chat, parent, ids = self.chats.create(title=title).id, None, list[int]()
        for number, text in enumerate(texts):
            parent = self.chats.add_message(chat, parent, (Role.USER, Role.ASSISTANT)[number % 2], text).id
            ids.append(parent)
        return chat, ids

    def search(self, query: str) -> ToolResult:
        return self.tool.search({"query": query}, lambda: False)


@pytest.fixture
def talks() -> Iterator[Talks]:
    with closing(Database.in_memory()) as database:
        yield Talks(database)


def test_other_chats_are_found_and_the_one_that_asks_is_not(talks: Talks) -> None:
    chat, ids = talks.add("Pottery", "How hot is the kiln?", "About 1,200 °C. " + "Words. " * 200)
    talks.current, _ = talks.add("Now", "How hot was the kiln?")
    result = talks.search("What did we say about the kiln?")
    (place,) = result.places
    assert isinstance(place, MessagePlace)
    assert (place.conversation_id, place.message_id) == (chat, ids[0])
    told = result.text[place.answer_start : place.answer_end]
    assert told.startswith("Chat “Pottery”, 20")
    assert told.endswith("How hot is the kiln?")
    talks.current = chat
    assert "How hot was" in talks.search("kiln").text


def test_chats_without_it_are_said_to_be_without(talks: Talks) -> None:
    talks.add("Pottery", "How hot is the kiln?")
    result = talks.search("xylophone")
    assert (result.places, result.is_error) == ((), False)
    assert result.text.startswith("No other chat")


def test_of_a_long_message_the_part_around_is_shown() -> None:
    text = f"{'before ' * 100}the kiln is hot {'after ' * 200}"
    part = part_around(text, "kiln")
    assert "the kiln is hot after" in part
    assert part.startswith("…before")
    assert part.endswith("…")
    assert len(part) < 620
