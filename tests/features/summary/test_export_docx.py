"""A summary as a Word document: read again by our own reader, by python-docx, and by LibreOffice."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document
from docx.oxml.ns import qn
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import Kind
from app.features.summary.export import as_html, save, write_docx
from app.features.summary.laid_out import plain
from app.features.summary.messages import check_words
from app.features.summary.result import Anchor, Check, Form, Reason, Statement
from tests.features.summary.test_export import DIFFERS, NOTICE, RENT, summary
from tests.helpers.documents import read
from tests.helpers.real_files import convert


def test_our_own_reader_finds_headings_statements_marks_and_sources(tmp_path: Path) -> None:
    path = tmp_path / "summary.docx"
    save(summary(), path)
    result = read(path, tmp_path)
    blocks = [(block.kind, block.text) for block in result.blocks]
    headings = [text for kind, text in blocks if kind is Kind.HEADING]
    assert headings == ["The lease & <the> letter", "Money", "Ending it", "Sources"]
    items = [text for kind, text in blocks if kind is Kind.LIST_ITEM]
    assert items[0] == f"{RENT.text} [lease.pdf, p. 3] {check_words(DIFFERS, 'lease.pdf, p. 3')}"
    assert items[1].startswith(f"{NOTICE.text} [lease.pdf, p. 12] [lease.pdf, p. 3] [letter.txt, source 3]")
    assert items[2:] == [
        "lease.pdf, p. 3: “The rent is 960 euros a month.”",
        "lease.pdf, p. 12: “Either party may end this agreement.”",
        "letter.txt: “I give notice today.”",
    ]
    assert result.found.opened.title == "The lease & <the> letter"


def written(**fields: object) -> Document:  # type: ignore[valid-type]
    out = io.BytesIO()
    write_docx(replace(summary(), **fields), out)  # type: ignore[arg-type]
    return Document(out)


def test_references_lead_to_bookmarks_that_exist() -> None:
    body = written().element.body
    anchors = [link.get(qn("w:anchor")) for link in body.iter(qn("w:hyperlink"))]
    marks = [mark.get(qn("w:name")) for mark in body.iter(qn("w:bookmarkStart"))]
    assert anchors == ["source_1", "source_2", "source_1", "source_3"]
    assert marks == ["source_1", "source_2", "source_3"]
    ids = [mark.get(qn("w:id")) for mark in body.iter(qn("w:bookmarkEnd"))]
    assert ids == [mark.get(qn("w:id")) for mark in body.iter(qn("w:bookmarkStart"))]


def test_language_and_title_are_the_documents_own() -> None:
    document = written(language="de")
    (language,) = document.styles.element.xpath("w:docDefaults//w:lang")
    assert language.get(qn("w:val")) == "de"
    properties = document.core_properties
    assert (properties.title, properties.language) == ("The lease & <the> letter", "de")
    assert "python-docx" not in (properties.author + properties.comments)


def test_a_language_from_right_to_left_turns_every_paragraph_of_the_summary() -> None:
    document = written(language="ar", statements=(Statement("مرحبا"),))
    (language,) = document.styles.element.xpath("w:docDefaults//w:lang")
    assert language.get(qn("w:bidi")) == "ar"
    item = next(one for one in document.paragraphs if one.text == "مرحبا")
    assert item._p.pPr.find(qn("w:bidi")) is not None
    assert all(run.font.rtl for run in item.runs)


def test_a_source_keeps_its_own_direction() -> None:
    places = (Anchor(0, 1, 1, text="Notice is given."), Anchor(0, 2, 2, text="«1» مرحبا"))
    document = written(language="ar", statements=(Statement("مرحبا", places),))
    english, arabic = (one for one in document.paragraphs if one.style.name == "List Number")
    assert english._p.pPr.find(qn("w:bidi")) is None
    assert arabic._p.pPr.find(qn("w:bidi")) is not None
    html = as_html(replace(summary(Statement("مرحبا", places)), language="ar"))
    assert re.findall('<li id="source-\\d" dir="(...)">', html) == ["ltr", "rtl"]


@given(st.text(), st.sampled_from(Form))
def test_no_text_breaks_the_document(text: str, form: Form) -> None:
    statement = Statement(text, (Anchor(0, 1, 1, text=text),), Check(False, Reason.NAME, text, text), text)
    out = io.BytesIO()
    write_docx(replace(summary(statement, form=form), title=text), out)
    assert plain(text) in "\n".join(paragraph.text for paragraph in Document(out).paragraphs)


@pytest.mark.documents
def test_libreoffice_opens_it_and_keeps_the_links(tmp_path: Path) -> None:
    path = tmp_path / "summary.docx"
    save(summary(), path)
    html = convert(path, "html", tmp_path / "converted").read_text("utf-8", "replace")
    for expected in ("900 euros a month", "give notice today", "Sources"):
        assert expected in " ".join(html.split())
    for number in (1, 2, 3):
        assert f'href="#source_{number}"' in html
        assert f'name="source_{number}"' in html
