"""Passages and places are the document's own words, letter by letter, whichever format it was read from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from html import escape
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import CancelToken
from app.core.paths import AppPaths
from app.features.document_frames import passages_text
from app.features.document_library import DocumentStored, build_documents
from app.features.retrieval.choosing import choose_passages
from app.features.retrieval.citations import sources_of
from app.store.database import Database
from app.store.document_store import StoredDocument
from tests.helpers.attached import notes
from tests.helpers.office_files import paragraph, write_docx
from tests.helpers.pdf_files import Page, column, wrapped, write_pdf
from tests.helpers.text_files import write_ods
from tests.helpers.web_files import write_epub

TEXTS = (
    "The R&D workshop pays 2,400 euros a year for its kiln, which is less than in 2019.",
    "Frau Müller-Weiß keeps the keys; nobody else may open the door before 7:30.",
    "Energy per firing fell by a fifth, mostly because the new kiln holds its heat overnight.",
    "“Never lift the lid,” says the sign, “while the needle stands above 80 °C.”",
    "Dogs and cats are welcome as long as nobody in the building complains about them.",
    "A glaze of ash and clay — the oldest of all — is fired at 1,280 degrees for nine hours.",
    "The general meeting elects the board for two years (§ 12), and may dismiss it at any time.",
    "Members who joined after 1 May 2023 do not vote on the budget of that year.",
    "Grüße aus Köln: das Café öffnet täglich außer montags, und der Eintritt ist frei.",
    "Whoever breaks a shelf replaces it at their own cost, at most £45 for each of them.",
)  # fmt: skip
WORDS = sorted({word for text in TEXTS for word in text.split()})
OTHERS = ["rocket", "puppy", "15", "not", "never", "allowed", "2,500", "who", "costs"]
SAID = st.lists(st.sampled_from(WORDS + OTHERS), min_size=1, max_size=14).map(" ".join)
ASKED = st.one_of(SAID, st.sampled_from(TEXTS), st.tuples(st.sampled_from(TEXTS), SAID).map(" ".join))


def write_pages(path: Path) -> Path:
    """Two paragraphs on each page, with divided words at the ends of lines."""
    pages = []
    for at in range(0, len(TEXTS), 2):
        page, y = Page(), 100.0
        for text in TEXTS[at : at + 2]:
            y = column(page, 72, y, wrapped(text, 200, hyphens=True)) + 24
        pages.append(page)
    return write_pdf(path, pages)


def write_chapters(path: Path) -> Path:
    """A chapter for each half of the texts."""
    halves = {"a.xhtml": TEXTS[:5], "b.xhtml": TEXTS[5:]}
    body = {name: "".join(f"<p>{escape(text)}</p>" for text in texts) for name, texts in halves.items()}
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'
    return write_epub(path, {name: page.format(inner) for name, inner in body.items()})


def write_sheet(path: Path) -> Path:
    """A row for each text, with a number before it."""
    cells = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    rows = (
        f"<table:table-row>{cells.format(number)}{cells.format(escape(text))}</table:table-row>"
        for number, text in enumerate(TEXTS)
    )
    write_ods(path, f'<table:table table:name="Rules">{"".join(rows)}</table:table>')
    return path


def write_html(path: Path) -> Path:
    """With words in bold, and an entity for every letter that has one."""
    inner = "".join(f"<p>{escape(text).replace('kiln', '<b>ki</b>ln').replace('ü', '&uuml;')}</p>" for text in TEXTS)
    path.write_text(f"<html><body>{inner}</body></html>", "utf-8")
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "txt": lambda path: notes(path, *TEXTS),
    "html": write_html,
    "docx": lambda path: write_docx(path, "".join(paragraph(escape(text)) for text in TEXTS)),
    "epub": write_chapters,
    "pdf": write_pages,
    "ods": write_sheet,
}


@pytest.mark.parametrize("ending", WRITERS)
def test_passages_and_places_are_the_documents_own_words(tmp_path: Path, ending: str) -> None:
    path = WRITERS[ending](tmp_path / f"rules.{ending}")
    paths = AppPaths(*(tmp_path / name for name in ("data", "config", "cache", "logs")))
    with closing(Database.in_memory()) as database:
        library = build_documents(paths, database)
        stored = next(e for e in library.read_file(path, CancelToken()) if isinstance(e, DocumentStored))
        document: StoredDocument = stored.document
        blocks = {block.id: block.text for block in library.read_blocks(document.id)}
        whole = " ".join(chain.from_iterable(text.split() for text in blocks.values()))
        assert all(text in whole for text in TEXTS), "read as it was written"
        assert all(sources_of(text, [document.id], library.store) for text in TEXTS), "there is a place to look at"

        @given(question=ASKED, answer=ASKED)
        def check(question: str, answer: str) -> None:
            chosen = choose_passages(
                library.store, document.id, question, 120, lambda texts: [len(text) // 4 for text in texts]
            )
            shown = library.some_blocks(document.id, chosen)
            assert [block.text for block in shown] == [blocks[number] for number in chosen]
            prompt = " ".join(passages_text(document, shown, len(blocks)).replace("\\", "").split())
            for block in shown:
                assert all(" ".join(line.split()) in prompt for line in block.text.splitlines())
            for source in sources_of(answer, [document.id], library.store):
                block_text = blocks[source.block_id]
                place = block_text[source.start : source.end]
                assert place.strip() == place != ""
                assert f"{block_text} "[source.end].isspace(), "whole words"
                assert f" {block_text}"[source.start].isspace()
                assert any(" ".join(place.split()) in text or text in place for text in TEXTS)

        check()
