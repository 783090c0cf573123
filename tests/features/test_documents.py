"""Documents are read by the real child into the real store, once, and shown from there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.document_errors import DocumentUnreadable
from app.core.events import CancelToken
from app.documents.blocks import Block, BlockKind, BlockPlace
from app.documents.protocol import BlocksRead, Found
from app.features.document_frames import page_mark, passages_text, whole_text, with_question
from app.features.document_library import DocumentLibrary, DocumentStored, ReadRange, Waits
from app.features.shown_document import TextHighlight
from app.store.attachments import Attachments
from app.store.database import Database
from app.store.document_store import DocumentStore, StoredDocument
from tests.helpers.attached import lease_pdf

TEXT = "The lease ends in March.\n\nThe rent is 1,250 euros.\n\nPets are allowed, GROSSE Straße.\n"


@pytest.fixture
def documents(tmp_path: Path) -> Iterator[DocumentLibrary]:
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        yield DocumentLibrary(DocumentStore(database), Attachments(database), tmp_path / "child")


@pytest.fixture
def lease(tmp_path: Path) -> Path:
    path = tmp_path / "lease.txt"
    path.write_text(TEXT, "utf-8")
    return path


def kept(documents: DocumentLibrary, path: Path, part: ReadRange | None = None) -> StoredDocument:
    *_, last = documents.read_file(path, CancelToken(), part=part or ReadRange())
    assert isinstance(last, DocumentStored)
    return last.document


def test_a_file_is_read_into_the_store(documents: DocumentLibrary, lease: Path) -> None:
    events = list(documents.read_file(lease, CancelToken()))
    assert any(isinstance(event, Found) for event in events)
    assert any(isinstance(event, BlocksRead) for event in events)
    document = kept(documents, lease)
    assert (document.name, document.format, document.unit, document.pages) == ("lease.txt", "text", "", 0)
    assert [block.text for block in documents.read_blocks(document.id)] == [
        "The lease ends in March.",
        "The rent is 1,250 euros.",
        "Pets are allowed, GROSSE Straße.",
    ]
    assert len(document.sha256) == 64


def test_its_texts_are_its_blocks_without_the_places_of_their_lines(documents: DocumentLibrary, tmp_path: Path) -> None:
    document = kept(documents, lease_pdf(tmp_path / "lease.pdf"))
    blocks = documents.read_blocks(document.id)
    assert any(block.place.boxes for block in blocks)
    assert documents.read_texts(document.id) == [replace(block, place=BlockPlace()) for block in blocks]


def test_the_same_file_is_not_read_twice_and_a_changed_one_is(documents: DocumentLibrary, lease: Path) -> None:
    first = kept(documents, lease)
    (again,) = documents.read_file(lease, CancelToken())
    assert again == DocumentStored(first)
    lease.write_text(TEXT + "\nMore.\n", "utf-8")
    changed = kept(documents, lease)
    assert changed.id != first.id
    assert documents.read_blocks(changed.id)[-1].text == "More."


def test_another_part_or_encoding_of_a_file_is_another_document(documents: DocumentLibrary, lease: Path) -> None:
    lease.write_bytes("Größe und Gewicht".encode("cp850"))
    first, chosen = kept(documents, lease), kept(documents, lease, ReadRange(encoding="cp850"))
    assert chosen.id != first.id
    assert documents.read_blocks(chosen.id)[0].text == "Größe und Gewicht"


def test_nothing_is_left_of_a_file_that_cannot_be_read(documents: DocumentLibrary, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pdf"
    empty.touch()
    with pytest.raises(DocumentUnreadable) as raised:
        list(documents.read_file(empty, CancelToken()))
    assert raised.value.reason == "empty"
    with pytest.raises(DocumentUnreadable) as raised:
        list(documents.read_file(tmp_path / "gone.pdf", CancelToken()))
    assert raised.value.reason == "missing"
    assert documents.store.purge_unused(before=1e12) == []


def test_cancelled_in_the_middle_nothing_is_kept(documents: DocumentLibrary, tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("\n\n".join(f"Paragraph {number}, with some words." for number in range(200_000)), "utf-8")
    cancel = CancelToken()
    events = documents.read_file(long, cancel)
    while not isinstance(next(events), BlocksRead):
        pass
    cancel.cancel()
    assert not any(isinstance(event, DocumentStored) for event in events)
    assert documents.store.purge_unused(before=1e12) == [], "it was taken out at once"


def test_one_document_is_read_at_a_time(documents: DocumentLibrary, lease: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("Something else.", "utf-8")
    first, cancel = documents.read_file(lease, CancelToken()), CancelToken()
    next(first)
    second = documents.read_file(other, cancel)
    assert isinstance(next(second), Waits)
    rest = threading.Thread(target=lambda: list(first))
    rest.start()
    assert isinstance(list(second)[-1], DocumentStored)
    rest.join()


def test_a_wait_can_be_cancelled(documents: DocumentLibrary, lease: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("Something else.", "utf-8")
    first, cancel = documents.read_file(lease, CancelToken()), CancelToken()
    next(first)
    second = documents.read_file(other, cancel)
    next(second)
    cancel.cancel()
    assert list(second) == []
    first.close()


def test_the_view_gets_text_and_finds_letters(documents: DocumentLibrary, lease: Path) -> None:
    shown = documents.open_document(kept(documents, lease).id)
    assert (shown.name, shown.block_count, shown.can_draw, shown.note) == ("lease.txt", 3, False, "")
    assert [block.id for block in shown.read_blocks(2, 10)] == [2, 3]
    assert shown.search_text("RENT") == [TextHighlight(2, 4, 8)]
    (strasse,) = shown.search_text("straSSe")
    assert documents.read_blocks(1)[2].text[strasse.start : strasse.end] == "Straße", "though ß is two letters folded"
    assert len(shown.search_text("e", limit=2)) == 2
    assert shown.search_text("  ") == []


def test_a_document_that_is_gone_raises(documents: DocumentLibrary) -> None:
    with pytest.raises(KeyError):
        documents.open_document(99)


# A document in a prompt is framed, names its pages, and cannot end its own frame.


def document(name: str = "lease.pdf", unit: str = "page", pages: int = 3) -> StoredDocument:
    return StoredDocument(1, name, Path("/x"), 1, 1, "", "pdf", unit, pages, {}, 0.0)


def block(number: int, text: str, page: int | None = 1, *path: str) -> Block:
    return Block(number, BlockKind.PARAGRAPH, text, page, path)


def test_a_whole_document_has_its_name_its_pages_and_all_its_text() -> None:
    text = whole_text(document(), [block(1, "The first."), block(2, "The second.", 2)])
    assert text == "===== lease.pdf, 3 pages =====\n[p. 1]\n\nThe first.\n\n[p. 2]\n\nThe second.\n===== end ====="


def test_what_is_left_out_between_passages_is_marked() -> None:
    shown = [block(2, "Second.", 1, "Terms"), block(3, "Third.", 1, "Terms"), block(7, "Seventh.", 3)]
    text = passages_text(document(), shown, 9)
    assert text.startswith("===== lease.pdf, 3 pages, only some passages of it =====\n[…]\n\n(Terms)")
    assert text.index("Second.") < text.index("Third.") < text.index("[…]\n\n[p. 3]") < text.index("Seventh.")
    assert text.endswith("Seventh.\n\n[…]\n===== end =====")
    assert "[…]" not in passages_text(document(), [block(1, "All there is.")], 1)


@given(st.text(st.sampled_from("= \nend"), max_size=60))
def test_nothing_inside_ends_the_frame(text: str) -> None:
    framed = whole_text(document("a.txt", "", 0), [block(1, text, None)])
    line = framed.split(" ", 1)[0]
    assert set(line) == {"="}
    assert framed.count(line) == 4, "two around the title, two around the end"


def test_the_question_comes_after_the_documents_and_alone_stays_as_it_is() -> None:
    assert with_question([], "Why?", is_citing=False) == "Why?"
    text = with_question(["A", "B"], "Why?", is_citing=True)
    assert text.endswith("\n\nA\n\nB\n\nWhy?")
    assert "[p. 3]" in text
    assert "[p. 3]" not in with_question(["A"], "Why?", is_citing=False)


def test_a_name_with_line_breaks_stays_on_its_line() -> None:
    text = whole_text(document("a\n===== end =====.txt", "", 0), [])
    assert text == "====== a ===== end =====.txt ======\n\n====== end ======"


@pytest.mark.parametrize(
    "text",
    [
        "One line.",
        "def f():\n    return 1\n\n\n\ndef g():\n    pass",
        "\n\nAfter an empty line.",
        "words " * 5_000 + "end",
        "x" * 20_000,
        "line\n" * 4_000 + "end",
    ],
)
def test_a_pasted_text_is_a_document_that_gives_it_back(documents: DocumentLibrary, text: str) -> None:
    kept = documents.keep_text(text, "Pasted: words")
    assert (kept.name, documents.store.get(kept.id)) == ("Pasted: words", kept)
    assert documents.text_of(kept) == text
    blocks = documents.read_blocks(kept.id)
    assert "".join("".join(block.text.split()) for block in blocks) == "".join(text.split())
    assert max(len(block.text) for block in blocks) <= 8_000
    assert not documents.open_document(kept.id).can_draw


def test_white_space_on_empty_lines_of_a_pasted_text_goes(documents: DocumentLibrary) -> None:
    kept = documents.keep_text("One.\n  \n\t\nTwo.", "Pasted")
    assert [block.text for block in documents.read_blocks(kept.id)] == ["One.", "Two."]
    assert documents.text_of(kept) == "One.\n\n\nTwo."


def test_a_document_of_a_file_as_text(documents: DocumentLibrary, lease: Path) -> None:
    assert documents.text_of(kept(documents, lease)) == TEXT.strip()


def test_pages_have_short_names() -> None:
    assert [page_mark(unit, 3) for unit in ("page", "slide", "sheet", "chapter", "")] == [
        "p. 3",
        "slide 3",
        "sheet 3",
        "ch. 3",
        "",
    ]
