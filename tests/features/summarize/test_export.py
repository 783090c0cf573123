"""A summary as a file: Markdown, HTML, as printed, JSON, and Word, read again by us, python-docx and LibreOffice."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from docx import Document
from docx.oxml.ns import qn
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor, QTextDocument

from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.errors.saving_errors import FolderNotWritable
from app.core.json_forms import to_json
from app.documents.blocks import BlockKind
from app.features.summarize.export import (
    as_html,
    as_json,
    as_markdown,
    as_text,
    escape_markdown,
    report_fields,
    save_file,
    write_docx,
)
from app.features.summarize.laid_out import lay_out, plain_line
from app.features.summarize.summary_messages import check_words, coverage_words
from app.features.summarize.summary_result import (
    Check,
    CheckReason,
    ClaimAnchor,
    Coverage,
    Form,
    Statement,
    SummarizedDocument,
    Summary,
    SummaryOptions,
    summary_from_json,
)
from app.ui.pseudo_language import PseudoEntries
from tests.helpers.documents import read
from tests.helpers.real_files import convert

LEASE = SummarizedDocument(1, "lease.pdf", "Lease", "page", Coverage(40, 38, 12, 10, (7,), (9,)))
LETTER = SummarizedDocument(2, "letter.txt", "", "", Coverage(3, 3, 0, 0))
DIFFERS = Check(False, CheckReason.NUMBER, "900", "960")
RENT = Statement(
    "The rent is 900 euros a month.",
    (ClaimAnchor(0, 4, 3, 10, 42, "The rent is 960 euros a month."),),
    DIFFERS,
    "Money",
)
NOTICE = Statement(
    "Either party gives notice three months before.",
    (
        ClaimAnchor(0, 9, 12, text="Either party may end this agreement."),
        ClaimAnchor(0, 4, 3, 10, 42, "The rent is 960 euros a month."),
        ClaimAnchor(1, 2, None, text="I give notice today."),
    ),
    group="Ending it",
)


def summary(*statements: Statement, form: Form = Form.BULLETS, **fields: object) -> Summary:
    """A summary of a lease and a letter."""
    whole = Summary(
        "The lease & <the> letter",
        (LEASE, LETTER),
        statements or (RENT, NOTICE),
        SummaryOptions(form=form),
        "en",
        "small.gguf",
        sections=3,
        sections_read=3,
        seconds=12.3456,
    )
    return replace(whole, **fields)  # type: ignore[arg-type]


def rendered(text: str) -> str:
    """What a Markdown program makes of it: tags taken out, entities read."""
    html = MarkdownIt("commonmark").enable("table").enable("strikethrough").use(footnote_plugin).render(text)
    return text_of(html)


class _Text(HTMLParser):
    """The words of an HTML page, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(html: str) -> _Text:
    """The page as a browser's parser sees it."""
    page = _Text()
    page.feed(html)
    page.close()
    return page


def text_of(html: str) -> str:
    return " ".join("".join(parsed(html).words).split())


def test_places_are_numbered_in_the_order_in_which_they_are_named() -> None:
    laid_out = lay_out(summary())
    assert [(one.number, one.label, one.text) for one in laid_out.sources] == [
        (1, "lease.pdf, p. 3", "The rent is 960 euros a month."),
        (2, "lease.pdf, p. 12", "Either party may end this agreement."),
        (3, "letter.txt", "I give notice today."),
    ]
    notice = laid_out.parts[1].paragraphs[0][0]
    assert [(one.source, one.label) for one in notice.references] == [
        (2, "lease.pdf, p. 12"), (1, "lease.pdf, p. 3"), (3, "letter.txt, source 3")
    ]  # fmt: skip
    alone = lay_out(summary(RENT, documents=(LEASE,)))
    assert alone.parts[0].paragraphs[0][0].references[0].label == "p. 3"


def test_markdown_has_the_statements_their_pages_and_the_sources() -> None:
    text = as_markdown(summary())
    assert text.startswith("# The lease \\& \\<the\\> letter\n\n")
    assert "\n## Money\n\n- The rent is 900 euros a month. (lease.pdf, p. 3)[^1]" in text
    assert f"**{escape_markdown(check_words(DIFFERS, 'lease.pdf, p. 3'))}**" in text
    assert "\n## Sources\n\n[^1]: lease.pdf, p. 3: “The rent is 960 euros a month.”\n" in text
    assert plain_line(coverage_words(summary())) in rendered(text)
    # every note that is used is explained, and the other way round
    used = set(re.findall(r"\[\^(\d+)\](?!:)", text))
    assert used == set(re.findall(r"^\[\^(\d+)\]:", text, re.MULTILINE)) == {"1", "2", "3"}


def test_statements_of_a_paragraph_run_on() -> None:
    first, second, third = (Statement(f"Sentence {n}.", paragraph=n // 3) for n in (1, 2, 3))
    written = summary(first, second, third, form=Form.PARAGRAPHS)
    assert "\n\nSentence 1. Sentence 2.\n\nSentence 3.\n" in as_markdown(written)
    assert "<p>Sentence 1. Sentence 2.</p>\n<p>Sentence 3.</p>" in as_html(written)
    assert json.loads(as_json(written))["summary"] == "Sentence 1. Sentence 2.\n\nSentence 3."


def test_questions_are_headings_with_their_answers() -> None:
    asked = summary(replace(RENT, group="How much is the rent?"), form=Form.QUESTIONS)
    assert "## How much is the rent?\n\nThe rent is 900" in as_markdown(asked)
    assert as_text(asked).startswith("How much is the rent?\nThe rent is 900 euros a month. [lease.pdf, p. 3] (")


@given(st.text(alphabet=st.sampled_from("\\`*_[]()<>&~$|#+-=:!.^1a \n\"'")))
def test_nothing_in_a_statement_is_read_as_markdown(text: str) -> None:
    shown = rendered(as_markdown(summary(Statement(f"{text} end"), title="T")))
    assert plain_line(f"{text} end") in shown
    for form in (Form.PARAGRAPHS, Form.QUESTIONS):
        statement = Statement(f"{text} end", group=f"{text} head")
        assert plain_line(f"{text} head {text} end") in rendered(as_markdown(summary(statement, form=form, title="T")))


@given(st.text())
def test_no_text_breaks_the_page(text: str) -> None:
    statement = Statement(text, (ClaimAnchor(0, 1, 1, text=text),), DIFFERS, text)
    page = parsed(as_html(summary(statement, title=text)))
    assert plain_line(text) in " ".join("".join(page.words).split())
    allowed = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "ol", "li", "a", "span"}
    assert {tag for tag, _ in page.tags} <= allowed


def test_the_page_needs_nothing_from_elsewhere() -> None:
    hostile = Statement("<script src='https://example.org/a.js'></script><img src=x onerror=alert(1)>")
    html = as_html(summary(hostile), [Path("/docs/lease.pdf"), None])
    page = parsed(html)
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") or name == "src" for _, attributes in page.tags for name in attributes)
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_references_lead_to_the_sources_and_those_of_a_pdf_to_its_page(tmp_path: Path) -> None:
    path = tmp_path / "The lease #2.pdf"
    page = parsed(as_html(summary(), [path, tmp_path / "letter.txt"]))
    links = [str(attributes["href"]) for tag, attributes in page.tags if tag == "a"]
    ids = {f"#{attributes['id']}" for _, attributes in page.tags if "id" in attributes}
    assert {link for link in links if link.startswith("#")} == ids == {"#source-1", "#source-2", "#source-3"}
    assert [link for link in links if not link.startswith("#")] == [
        f"{path.as_uri()}#page=3",
        f"{path.as_uri()}#page=12",
    ]
    assert not [link for link in re.findall('href="([^"]*)"', as_html(summary())) if not link.startswith("#")]


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl"), ("he-IL", "rtl"), ("de", "ltr")])
def test_language_and_direction_are_set(language: str, direction: str) -> None:
    tag, attributes = next(one for one in parsed(as_html(summary(language=language))).tags if one[0] == "html")
    assert (tag, attributes) == ("html", {"lang": language, "dir": direction})


def test_json_has_the_fixed_fields() -> None:
    body = report_fields(summary(), [{"file": "gone.pdf", "reason": "There is no file gone.pdf."}])
    fields = [
        "summary",
        "claims",
        "coverage",
        "sections",
        "seconds",
        "model",
        "method",
        "warnings",
        "errors",
        "set_aside",
    ]
    assert list(body) == fields
    assert body["summary"] == (
        "Money\n- The rent is 900 euros a month.\n\nEnding it\n- Either party gives notice three months before."
    )
    assert body["claims"] == [
        {"text": RENT.text, "file": "lease.pdf", "pages": [3], "block_ids": [4], "found": False, "reason": "number"},
        {
            "text": NOTICE.text,
            "file": "lease.pdf",
            "pages": [3, 12],
            "block_ids": [4, 9],
            "found": True,
            "reason": None,
        },
    ]
    assert body["coverage"] == {
        "blocks": 43, "blocks_read": 41, "pages": 12, "pages_read": 10,
        "pages_without_text": [{"file": "lease.pdf", "page": 7}], "left_apart": [],
    }  # fmt: skip
    assert (body["sections"], body["seconds"], body["model"]) == (3, 12.346, "small.gguf")
    assert body["errors"][0]["file"] == "gone.pdf"


def test_a_json_file_also_has_every_place_and_what_stands_there() -> None:
    both = Statement("Both say so.", (ClaimAnchor(0, 4, 3, 5, 9, "rent"), ClaimAnchor(1, 2, None, 0, 7, "Dear Al")))
    wrong = Statement("It is 3.1.", (ClaimAnchor(0, 4, 3),), Check(False, CheckReason.NUMBER, "3.1", "3.7"))
    first, second = json.loads(as_json(summary(both, wrong)))["claims"]
    assert first["anchors"] == [
        {"file": "lease.pdf", "page": 3, "block_id": 4, "start": 5, "end": 9, "text": "rent"},
        {"file": "letter.txt", "page": None, "block_id": 2, "start": 0, "end": 7, "text": "Dear Al"},
    ]
    assert (first["said"], first["page_says"]) == ("", "")
    assert (second["said"], second["page_says"]) == ("3.1", "3.7")


def test_pages_without_text_are_numbers_where_there_is_one_document() -> None:
    body = json.loads(as_json(summary(RENT, documents=(LEASE,))))
    assert body["coverage"]["pages_without_text"] == [7]


def test_a_claim_without_a_place_names_a_document_only_where_there_is_one() -> None:
    loose = Statement("It is so.", check=Check(False, CheckReason.SUPPORT))
    assert json.loads(as_json(summary(loose)))["claims"][0]["file"] is None
    (claim,) = json.loads(as_json(summary(loose, documents=(LETTER,))))["claims"]
    assert (claim["file"], claim["pages"], claim["block_ids"]) == ("letter.txt", [], [])


def test_a_summary_that_was_stopped_says_so_everywhere() -> None:
    stopped = summary(is_partial=True, sections_read=1)
    sentence = "Stopped before the end: 1 of 3 sections read."
    assert sentence in rendered(as_markdown(stopped))
    assert sentence in text_of(as_html(stopped))
    assert sentence not in as_markdown(summary())


@pytest.mark.parametrize("ending", [".md", ".html", ".json"])
def test_saving_replaces_a_file_in_one_step(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "papers" / f"Über{ending}"
    path.parent.mkdir()
    path.write_text("before", "utf-8")
    path.chmod(0o640)
    save_file(summary(), path)
    assert "900 euros" in path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FolderNotWritable):
        save_file(summary(), tmp_path / "missing" / "a.md")
    folder = tmp_path / "papers" / "folder.md"
    folder.mkdir(parents=True)
    with pytest.raises(FolderNotWritable):
        save_file(summary(), folder)
    assert [one.name for one in folder.parent.iterdir()] == ["folder.md"]


@pytest.mark.parametrize("ending", [".md", ".html"])
def test_our_own_reader_finds_every_statement_and_every_place(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"summary{ending}"
    save_file(summary(), path)
    text = read(path, tmp_path).text
    for expected in (RENT.text, NOTICE.text, *(anchor.text for anchor in NOTICE.anchors)):
        assert expected in text


def test_a_result_that_was_stored_without_pictures_is_read() -> None:
    fields = to_json(summary())
    for one in fields["documents"]:
        del one["coverage"]["pictures"]
    assert summary_from_json(json.loads(json.dumps(fields))) == summary()


def test_pictures_come_back_from_the_store() -> None:
    scans = replace(LEASE, coverage=replace(LEASE.coverage, pictures=(7,)))
    given = summary(documents=(scans,))
    assert summary_from_json(json.loads(json.dumps(to_json(given)))) == given


def nothing(form: Form = Form.BULLETS) -> Summary:
    """A summary without statements."""
    return replace(summary(form=form), statements=())


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (Form.ACTIONS, "No action items found in them."),
        (Form.BULLETS, "Nothing was written about them."),
        (Form.QUESTIONS, "Nothing was written about them."),
    ],
)
def test_where_nothing_was_found_every_format_says_so(tmp_path: Path, form: Form, sentence: str) -> None:
    given = nothing(form)
    assert sentence in as_markdown(given)
    assert sentence in text_of(as_html(given))
    assert as_text(given) == sentence
    save_file(given, tmp_path / "a.docx")
    assert sentence in read(tmp_path / "a.docx", tmp_path).text
    body = json.loads(as_json(given))
    assert (body["summary"], body["claims"]) == ("", [])
    assert "statement" not in text_of(as_html(given))
    assert sentence not in as_markdown(summary(form=form))


def test_our_own_reader_finds_headings_statements_marks_and_sources(tmp_path: Path) -> None:
    path = tmp_path / "summary.docx"
    save_file(summary(), path)
    result = read(path, tmp_path)
    blocks = [(block.kind, block.text) for block in result.blocks]
    headings = [text for kind, text in blocks if kind is BlockKind.HEADING]
    assert headings == ["The lease & <the> letter", "Money", "Ending it", "Sources"]
    items = [text for kind, text in blocks if kind is BlockKind.LIST_ITEM]
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
    places = (ClaimAnchor(0, 1, 1, text="Notice is given."), ClaimAnchor(0, 2, 2, text="«1» مرحبا"))
    document = written(language="ar", statements=(Statement("مرحبا", places),))
    english, arabic = (one for one in document.paragraphs if one.style.name == "List Number")
    assert english._p.pPr.find(qn("w:bidi")) is None
    assert arabic._p.pPr.find(qn("w:bidi")) is not None
    html = as_html(replace(summary(Statement("مرحبا", places)), language="ar"))
    assert re.findall('<li id="source-\\d" dir="(...)">', html) == ["ltr", "rtl"]


@given(st.text(), st.sampled_from(Form))
def test_no_text_breaks_the_document(text: str, form: Form) -> None:
    statement = Statement(text, (ClaimAnchor(0, 1, 1, text=text),), Check(False, CheckReason.NAME, text, text), text)
    out = io.BytesIO()
    write_docx(replace(summary(statement, form=form), title=text), out)
    assert plain_line(text) in "\n".join(paragraph.text for paragraph in Document(out).paragraphs)


@pytest.mark.documents
def test_libreoffice_opens_it_and_keeps_the_links(tmp_path: Path) -> None:
    path = tmp_path / "summary.docx"
    save_file(summary(), path)
    html = convert(path, "html", tmp_path / "converted").read_text("utf-8", "replace")
    for expected in ("900 euros a month", "give notice today", "Sources"):
        assert expected in " ".join(html.split())
    for number in (1, 2, 3):
        assert f'href="#source_{number}"' in html
        assert f'name="source_{number}"' in html


def test_what_the_window_prints_is_dark_on_white_with_links(qapp: object) -> None:
    document = QTextDocument()
    document.setHtml(as_html(summary()))
    text = document.toPlainText()
    assert RENT.text in text
    assert "Sources" in text
    statement = QTextCursor(document.find(RENT.text))
    assert statement.charFormat().foreground().color().name() == "#23201d"
    assert document.rootFrame().frameFormat().background().style() == Qt.BrushStyle.NoBrush
    link = document.find("[lease.pdf, p. 3]").charFormat()
    assert (link.anchorHref(), link.foreground().color().name()) == ("#source-1", "#b23f12")
    assert document.find("lease.pdf, p. 3: ").charFormat().anchorHref() == ""
    assert "source-1" in _anchor_names(document)


def _anchor_names(document: QTextDocument) -> set[str]:
    names: set[str] = set()
    block = document.begin()
    while block.isValid():
        for piece in block:
            names |= set(piece.fragment().charFormat().anchorNames())
        block = block.next()
    return names


def test_our_words_are_in_the_language_and_json_is_not() -> None:
    def written() -> tuple[str, str, str]:
        out = io.BytesIO()
        write_docx(summary(), out)
        word = "\n".join(paragraph.text for paragraph in Document(io.BytesIO(out.getvalue())).paragraphs)
        return as_markdown(summary()), as_html(summary()), word

    english, body = written(), as_json(summary())
    use_catalogue(TextCatalogue("pl", PseudoEntries()))
    try:
        polish = written()
        assert as_json(summary()) == body
    finally:
        use_catalogue(TextCatalogue())
    for before, after in zip(english, polish, strict=True):
        for word in ("Sources", "Written by", "p. 3", "the text says", "pages"):
            assert word in before and word not in after, word
        assert "Either party" in after
    assert '<html lang="en" dir="ltr">' in polish[1], "the summary's language"
    assert '<h2 lang="pl" dir="ltr">' in polish[1], "ours"
