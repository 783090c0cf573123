"""A document in a prompt is framed, names its pages, and cannot end its own frame."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import Block, Kind
from app.features.document_prompt import page_mark, passages_text, whole_text, with_question
from app.store.documents import StoredDocument


def document(name: str = "lease.pdf", unit: str = "page", pages: int = 3) -> StoredDocument:
    return StoredDocument(1, name, Path("/x"), 1, 1, "", "pdf", unit, pages, {}, 0.0)


def block(number: int, text: str, page: int | None = 1, *path: str) -> Block:
    return Block(number, Kind.PARAGRAPH, text, page, path)


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


def test_pages_have_short_names() -> None:
    assert [page_mark(unit, 3) for unit in ("page", "slide", "sheet", "chapter", "")] == [
        "p. 3",
        "slide 3",
        "sheet 3",
        "ch. 3",
        "",
    ]
