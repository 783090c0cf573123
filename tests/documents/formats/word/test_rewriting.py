"""DOCX written back: every word a reader sees changes, everything else stays, and the file opens elsewhere."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from docx.shared import Pt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockPiece
from app.documents.formats.word.read_docx import read
from app.documents.segments import Content, Mark, Segment, SegmentKind, marks
from app.documents.source import FileSource, ReadingRemark, TargetLanguage
from tests.documents.formats.word.test_reading import (
    KINDS,
    Plan,
    code,
    equation,
    field,
    level,
    made,
    ruby,
    split_word,
    table,
)
from tests.helpers import rewriting
from tests.helpers.hostile_files import docx_of_3_gigabytes, docx_of_20_million_paragraphs, zip_with_overlapping_members
from tests.helpers.office_files import paragraph, rels, word_part, write_docx
from tests.helpers.rewriting import reversed_words
from tests.helpers.word_files import (
    BOLD,
    STYLES,
    UNDERLINED,
    body,
    closed,
    complex_field,
    mark,
    member,
    only,
    opened,
    rewritten,
    run,
    single,
)

TURNED = [kind for kind in KINDS if kind not in (equation, code, ruby, field, split_word)]
ARABIC = TargetLanguage("ar", is_rtl=True)


def pieces(data: bytes, folder: Path) -> list[BlockPiece]:
    """What our own reader finds in a file."""
    path = folder / "written.docx"
    path.write_bytes(data)
    return [item for item in read(FileSource(path)) if isinstance(item, BlockPiece)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.sampled_from(TURNED), max_size=12), is_rtl=st.booleans())
def test_every_word_that_is_read_is_translated_in_its_place(
    tmp_path: Path, chosen: list[Callable[[Plan], str]], is_rtl: bool
) -> None:
    plan = made(tmp_path / "a.docx", chosen)
    before = pieces((tmp_path / "a.docx").read_bytes(), tmp_path)
    result = rewriting.run("docx", tmp_path / "a.docx", reversed_words, TargetLanguage("ar", is_rtl))
    after = pieces(result.data, tmp_path)
    assert [(each.kind, each.level, each.label) for each in after] == [
        (each.kind, each.level, each.label) for each in before
    ]
    for one, other in zip(before, after, strict=True):
        words = re.findall(r"mk\d+q", one.text)
        assert sorted(re.findall(r"mk\d+q|q\d+km", other.text)) == sorted(word[::-1] for word in words)
    assert all(word in member(result.data) for word in plan.never)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.sampled_from(KINDS), max_size=12))
def test_a_document_in_which_nothing_changes_is_the_same_file(
    tmp_path: Path, chosen: list[Callable[[Plan], str]]
) -> None:
    made(tmp_path / "a.docx", chosen)
    for change in (None, lambda segment: segment.content):
        assert rewriting.run("docx", tmp_path / "a.docx", change).data == (tmp_path / "a.docx").read_bytes()


def test_code_is_left_unless_the_whole_document_is_typewritten(tmp_path: Path) -> None:
    typed = run("typed", '<w:rFonts w:ascii="Courier New"/>')
    assert rewritten(tmp_path, f"<w:p>{typed}</w:p>").texts == ["typed"]
    assert rewritten(tmp_path, f"<w:p>{typed}</w:p>{paragraph('much longer text')}").texts == ["much longer text"]
    assert rewritten(tmp_path, paragraph("x = 1", "SourceCode")).texts == []


def test_what_is_left_and_what_is_missing_is_told(tmp_path: Path) -> None:
    inner = f"{paragraph('x = 1', 'SourceCode')}<w:p/>{paragraph('y = 2', 'SourceCode')}{paragraph('text')}"
    result = rewritten(tmp_path, f"{inner}{paragraph('z', 'SourceCode')}")
    assert result.remarks == [ReadingRemark("left_blocks", {"count": 2})]
    named = rels({"a": ("header", "header1.xml"), "b": ("aFChunk", "chunk.html")})
    write_docx(tmp_path / "a.docx", paragraph("text"), {"chunk.html": "<p>words"})
    with zipfile.ZipFile(tmp_path / "a.docx", "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("word/_rels/document.xml.rels", named)
    assert rewriting.run("docx", tmp_path / "a.docx").remarks == [
        ReadingRemark("missing_part", {"part": "word/header1.xml"}),
        ReadingRemark("attachment", {"name": "word/chunk.html", "size_bytes": 8}),
    ]


def test_text_boxes_and_words_for_pictures_are_said_once_and_written_in_every_form(tmp_path: Path) -> None:
    def box(text: str) -> str:
        return f"<w:txbxContent>{paragraph(text)}</w:txbxContent>"

    drawn = (
        "<mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wp:inline><wp:docPr id='1' descr='a house'/>"
        f"<wps:wsp><wps:txbx>{box('boxed')}</wps:txbx></wps:wsp></wp:inline></w:drawing></mc:Choice><mc:Fallback><w:pict>"
        f"<v:shape alt='a house'><v:textbox>{box('boxed')}</v:textbox><v:textpath string='curved'/></v:shape></w:pict>"
        "</mc:Fallback></mc:AlternateContent>"
    )
    result = rewritten(tmp_path, f"<w:p>{run('before ')}<w:r>{drawn}</w:r>{run(' after')}</w:p>")
    assert [(segment.text, segment.kind) for segment in result.segments] == [
        ("before  after", SegmentKind.PARAGRAPH),
        ("a house", SegmentKind.LABEL),
        ("boxed", SegmentKind.PARAGRAPH),
        ("curved", SegmentKind.LABEL),
    ]
    written = member(result.data)
    assert (written.count("dexob"), written.count("esuoh a"), written.count("devruc")) == (2, 2, 1)
    assert not re.search("boxed|a house|curved", written)


def test_notes_comments_margins_and_properties_are_translated_and_say_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A title</dc:title><dc:creator>Ann</dc:creator>'
        "<dc:language>en</dc:language><cp:keywords>one, two</cp:keywords></cp:coreProperties>"
    )
    parts: dict[str, str | bytes] = {"/docProps/core.xml": core}
    for kind in ("footnote", "endnote", "comment"):
        inner = f'<w:{kind} w:type="separator">{paragraph("-")}</w:{kind}>' if kind != "comment" else ""
        parts[f"{kind}s.xml"] = word_part(f"{kind}s", f'{inner}<w:{kind} w:id="2">{paragraph(kind)}</w:{kind}>')
    parts["header1.xml"] = word_part("hdr", paragraph("head"))
    parts["footer1.xml"] = word_part("ftr", table([paragraph("foot"), paragraph("er")]))
    write_docx(path, paragraph("body"), parts)
    result = rewriting.run("docx", path, reversed_words, TargetLanguage("de"))
    assert [(segment.text, segment.kind.value) for segment in result.segments] == [
        *(("A title", "label"), ("one, two", "label"), ("body", "paragraph"), ("footnote", "note")),
        *(("endnote", "note"), ("comment", "note"), ("head", "header"), ("foot", "header"), ("er", "header")),
    ]
    assert "<dc:title>eltit A</dc:title><dc:creator>Ann</dc:creator><dc:language>de<" in member(
        result.data, "docProps/core.xml"
    )
    assert ">daeh<" in member(result.data, "word/header1.xml")


def test_charts_and_diagrams_are_translated_where_they_are_kept(tmp_path: Path) -> None:
    spaces = (
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'
    )
    cached = "<c:strCache><c:pt><c:v>North</c:v></c:pt></c:strCache><c:numCache><c:pt><c:v>5</c:v></c:pt></c:numCache>"
    chart = f"<c:chart {spaces}><c:title><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:title>{cached}{cached}</c:chart>"
    drawn = f"<x {spaces}><a:p><a:r><a:t>Step</a:t></a:r></a:p></x>"
    named = rels(
        {
            "r1": ("chart", "charts/chart1.xml"),
            "r2": ("diagramData", "diagrams/data1.xml"),
            "r3": ("diagramDrawing", "diagrams/drawing1.xml"),
        }
    )
    parts: dict[str, str | bytes] = {"charts/chart1.xml": chart, "_rels/document.xml.rels": named}
    parts |= {"diagrams/data1.xml": drawn, "diagrams/drawing1.xml": drawn}
    write_docx(tmp_path / "a.docx", paragraph("body"), {})
    with zipfile.ZipFile(tmp_path / "a.docx", "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for name, content in parts.items():
            archive.writestr(f"word/{name}", content)
    result = rewriting.run("docx", tmp_path / "a.docx", reversed_words)
    assert result.texts == ["body", "Sales", "North", "Step"]
    written = member(result.data, "word/charts/chart1.xml")
    assert written == chart.replace("Sales", "selaS").replace("North", "htroN")
    assert all(">petS<" in member(result.data, f"word/diagrams/{name}1.xml") for name in ("data", "drawing"))


def test_the_words_in_labels_of_lists_are_translated(tmp_path: Path) -> None:
    chapter = level(0, "decimal", "Chapter %1:") + level(1, "bullet", "oo") + level(2, "decimal", "%3.")
    numbering = f'<w:abstractNum w:abstractNumId="9">{chapter}</w:abstractNum>'
    numbering += '<w:num w:numId="7"><w:abstractNumId w:val="9"/></w:num>'
    unused = f'<w:abstractNum w:abstractNumId="8">{level(0, "decimal", "Article %1")}</w:abstractNum>'
    inner = paragraph("Text", properties='<w:numPr><w:ilvl w:val="0"/><w:numId w:val="7"/></w:numPr>')
    result = rewritten(
        tmp_path,
        inner,
        lambda segment: ("Kapitel", " ", *segment.content[1:2], ".") if segment.kind is SegmentKind.LABEL else None,
        numbering=word_part("numbering", unused + numbering),
    )
    assert result.segments[-1].content == ("Chapter ", single(2, "field", "%1"), ":")
    assert 'w:val="Kapitel %1."' in member(result.data, "word/numbering.xml")


def test_a_strict_document_stays_strict(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    write_docx(path, paragraph("text"), {"styles.xml": word_part("styles", STYLES)})
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    strict = b"http://purl.oclc.org/ooxml/"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(
                name,
                re.sub(rb"http://schemas.openxmlformats.org/(\w+)/2006/(\w+)(?=\")", strict + rb"\1/\2", data)
                if name.startswith("word/")
                else data,
            )
    written = member(rewriting.run("docx", path, reversed_words).data)
    assert "txet" in written
    assert 'xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main"' in written
    assert "schemas.openxmlformats.org/wordprocessingml/2006" not in written


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_part_keeps_its_declaration_and_encoding(tmp_path: Path, encoding: str) -> None:
    name = "UTF-16" if encoding == "utf-16" else "UTF-8"
    text = word_part("document", f"<w:body>{paragraph('Übung')}</w:body>")
    declaration = f'<?xml version="1.0" encoding="{name}" standalone="yes"?>\r\n'
    text = text.replace('<?xml version="1.0" encoding="UTF-8"?>', declaration)
    path = write_docx(tmp_path / "a.docx", "", {"/word/document.xml": text.encode(encoding)})
    with zipfile.ZipFile(io.BytesIO(rewriting.run("docx", path, reversed_words).data)) as archive:
        written = archive.read("word/document.xml")
    expected = text.replace("Übung", "gnubÜ").replace(' xml:space="preserve"', "")
    assert written.decode(encoding) == expected.replace("<w:pPr></w:pPr>", "<w:pPr/>")
    assert written[:2] == text.encode(encoding)[:2]


def test_compatibility_prefixes_stay_declared(tmp_path: Path) -> None:
    space = 'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" mc:Ignorable="w14"'
    text = word_part("document", f"<w:body>{paragraph('text')}</w:body>").replace("<w:document", f"<w:document {space}")
    path = write_docx(tmp_path / "a.docx", "", {"/word/document.xml": text})
    written = member(rewriting.run("docx", path, reversed_words).data)
    assert written[: written.index("<w:body>")].count("xmlns:") == text.count("xmlns:")
    assert 'mc:Ignorable="w14"' in written
    assert "ns0" not in written


def test_a_right_to_left_target_turns_paragraphs_runs_and_tables(tmp_path: Path) -> None:
    properties = '<w:b/><w:sz w:val="28"/><w:lang w:val="en-US"/>'
    inner = (
        '<w:p><w:pPr><w:keepNext/><w:spacing w:after="0"/><w:jc w:val="center"/></w:pPr>'
        f"{run('Hello', properties)}</w:p>{table([paragraph('cell'), paragraph('42') + paragraph('left')])}"
        "<w:sectPr><w:pgSz/><w:docGrid/></w:sectPr>"
    )
    slanted = '<w:style w:styleId="B"><w:rPr><w:i/></w:rPr></w:style>'
    styles = f"<w:docDefaults><w:rPrDefault/></w:docDefaults>{STYLES}{slanted}"

    def change(segment: Segment) -> Content:
        return segment.content if segment.text in ("42", "left") else ("مرحبا",)

    settings_ = word_part("settings", '<w:themeFontLang w:val="en-US"/>')
    result = rewritten(tmp_path, inner, change, ARABIC, styles=word_part("styles", styles), settings=settings_)
    written = body(result.data)
    assert '<w:pPr><w:keepNext/><w:bidi/><w:spacing w:after="0"/><w:jc w:val="center"/></w:pPr>' in written
    assert (
        '<w:rPr><w:b/><w:bCs/><w:sz w:val="28"/><w:szCs w:val="28"/><w:rtl/><w:lang w:val="en-US" w:bidi="ar"/></w:rPr>'
        in written
    )
    assert "<w:tblPr><w:bidiVisual/></w:tblPr>" in written
    assert '<w:p><w:pPr><w:bidi/></w:pPr><w:r><w:t xml:space="preserve">42' in written
    assert '<w:p><w:pPr/><w:r><w:t xml:space="preserve">left' in written
    assert "<w:pgSz/><w:bidi/><w:docGrid/>" in written
    styled = member(result.data, "word/styles.xml")
    assert '<w:docDefaults><w:rPrDefault><w:rPr><w:lang w:bidi="ar"/></w:rPr></w:rPrDefault></w:docDefaults>' in styled
    assert "<w:i/><w:iCs/>" in styled
    assert '<w:themeFontLang w:val="en-US" w:bidi="ar"/>' in member(result.data, "word/settings.xml")


def test_a_left_to_right_target_turns_a_document_back(tmp_path: Path) -> None:
    hebrew = '<w:rtl/><w:lang w:bidi="he"/>'
    inner = (
        f"<w:p><w:pPr><w:bidi/></w:pPr>{run('שלום', hebrew)}</w:p>"
        "<w:tbl><w:tblPr><w:bidiVisual/></w:tblPr><w:tr><w:tc><w:p>"
        f"{run('תא')}</w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl><w:sectPr><w:bidi/></w:sectPr>"
    )
    styles = '<w:style w:styleId="A"><w:pPr><w:bidi/></w:pPr><w:rPr><w:rtl/></w:rPr></w:style>'
    result = rewritten(tmp_path, inner, lambda _: ("Hallo",), TargetLanguage("de"), styles=word_part("styles", styles))
    for name in ("word/document.xml", "word/styles.xml"):
        assert not re.search("<w:(bidi|rtl|bidiVisual)[ /]", member(result.data, name))
    assert '<w:lang w:bidi="he" w:val="de"/>' in member(result.data)


@pytest.mark.parametrize(
    ("language", "attribute"),
    [("de-AT", 'w:val="de-AT"'), ("zh-Hant", 'w:eastAsia="zh-TW"'), ("ja", 'w:eastAsia="ja"')],
)
def test_the_language_is_told_where_word_looks_for_it(tmp_path: Path, language: str, attribute: str) -> None:
    result = rewritten(tmp_path, paragraph("text"), reversed_words, TargetLanguage(language))
    assert f"<w:lang {attribute}/>" in member(result.data, "word/styles.xml")


def test_nothing_tells_of_a_language_when_nothing_was_translated(tmp_path: Path) -> None:
    result = rewritten(tmp_path, paragraph("text"), None, ARABIC)
    assert result.data == (tmp_path / "a.docx").read_bytes()


def test_a_document_of_python_docx_opens_there_again(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("A heading", 1)
    words = document.add_paragraph("Some ")
    words.add_run("bold").bold = True
    words.add_run(" and ")
    words.add_run("large").font.size = Pt(20)
    document.add_paragraph("An item", style="List Bullet")
    document.add_table(1, 2).cell(0, 1).text = "A cell"
    document.sections[0].header.paragraphs[0].text = "A header"
    document.save(str(tmp_path / "a.docx"))
    result = rewriting.run("docx", tmp_path / "a.docx", reversed_words, ARABIC)
    again = docx.Document(io.BytesIO(result.data))
    assert [each.text for each in again.paragraphs] == ["gnidaeh A", "emoS dlob dna egral", "meti nA"]
    assert [(each.text, each.bold) for each in again.paragraphs[1].runs][1] == ("dlob", True)
    assert again.paragraphs[1].runs[3].font.size == Pt(20)
    assert again.paragraphs[2].style.name == "List Bullet"
    assert again.tables[0].cell(0, 1).text == "llec A"
    assert again.sections[0].header.paragraphs[0].text == "redaeh A"


def test_untouched_parts_keep_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    write_docx(path, paragraph("text"), {"header1.xml": word_part("hdr", paragraph("2024")), "media/a.png": b"\x89PNG"})

    def change(segment: Segment) -> Content | None:
        return ("txet",) if segment.text == "text" else None

    data = rewriting.run("docx", path, change).data
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(io.BytesIO(data)) as new:
        assert new.namelist() == old.namelist()
        differing = [name for name in old.namelist() if old.read(name) != new.read(name)]
    assert differing == ["word/document.xml"]


def test_what_is_damaged_or_hostile_is_refused(tmp_path: Path) -> None:
    entity = '<!DOCTYPE x [<!ENTITY a "b">]><w:document xmlns:w="x"/>'
    deep = word_part("document", f"<w:body>{'<w:sdt>' * 300}{'</w:sdt>' * 300}</w:body>")
    for text, reason in ((entity, "entities"), ("<w:document", "damaged"), (deep, "too_deep")):
        path = write_docx(tmp_path / "a.docx", "", {"/word/document.xml": text})
        with pytest.raises(DocumentUnreadable) as caught:
            rewriting.run("docx", path)
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    "bomb",
    [docx_of_3_gigabytes, docx_of_20_million_paragraphs, zip_with_overlapping_members],
    ids=lambda each: each.__name__,
)
def test_a_bomb_is_refused(tmp_path: Path, bomb: Callable[[Path], Path]) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        rewriting.run("docx", bomb(tmp_path / "a.docx"))
    assert caught.value.reason == "inflates"


def test_the_child_rewrites_a_document(tmp_path: Path) -> None:
    write_docx(tmp_path / "a.docx", f"<w:p>{run('some ')}{run('bold', '<w:b/>')}{run(' words')}</w:p>")
    (tmp_path / "child").mkdir()
    _, last = rewriting.by_the_child(
        tmp_path / "a.docx", tmp_path / "b.docx", tmp_path / "child", rewriting.reversed_words
    )
    (piece,) = pieces((tmp_path / "b.docx").read_bytes(), tmp_path)
    assert piece.text == "emos dlob sdrow"
    assert last.remarks == ()


# What stands among the words of a DOCX's paragraph: what becomes a mark, and how it comes back.


def test_runs_of_equal_looks_are_one_text_and_other_looks_are_marks(tmp_path: Path) -> None:
    noise = '<w:proofErr w:type="spellStart"/>'
    lang = '<w:lang w:val="en-US"/>'
    inner = (
        f"<w:p>{run('The ten')}{noise}{run('ant', lang)}{run(' pays ')}{run('all', BOLD)}{run(' ', '')}"
        f"{run('rent', BOLD)}{run(' on ')}{run('time', '<w:i/>')}{run('.')}</w:p>"
    )
    result = rewritten(tmp_path, inner)
    marks = (opened(1, "bold"), "all rent", closed(1), " on ", opened(2, "italic"), "time", closed(2), ".")
    assert only(result) == ("The tenant pays ", *marks)
    assert body(result.data) == (
        '<w:p><w:r><w:rPr/><w:t xml:space="preserve">syap tnanet ehT </w:t></w:r>'
        '<w:r><w:rPr><w:b/></w:rPr><w:t>tner lla</w:t></w:r><w:r><w:rPr/><w:t xml:space="preserve"> no </w:t></w:r>'
        "<w:r><w:rPr><w:i/></w:rPr><w:t>emit</w:t></w:r><w:r><w:rPr/><w:t>.</w:t></w:r></w:p>"
    )


def test_a_look_that_all_words_have_is_no_mark(tmp_path: Path) -> None:
    link = f'<w:hyperlink r:id="r9">{run("here", BOLD)}</w:hyperlink>'
    result = rewritten(tmp_path, f"<w:p>{run('all', BOLD)}</w:p><w:p>{link}</w:p>")
    assert [segment.content for segment in result.segments] == [("all",), ("here",)]
    assert '<w:hyperlink r:id="r9"><w:r><w:rPr><w:b/></w:rPr><w:t>ereh</w:t></w:r></w:hyperlink>' in body(result.data)


def test_marks_that_cross_or_stay_open_still_give_a_document(tmp_path: Path) -> None:
    inner = f'<w:p>{run("a")}<w:hyperlink r:id="r9">{run("b")}</w:hyperlink>{run("c", BOLD)}</w:p>'

    def cross(_: Segment) -> Content:
        return closed(2), opened(1, "link"), "one ", opened(2, "bold"), "two", closed(1), " three", opened(1, "link")

    written = body(rewritten(tmp_path, inner, cross).data)
    assert re.sub("<[^>]+>", "", written) == "one two three"
    assert written.count("<w:hyperlink") == 1


def test_what_only_leads_or_ends_a_paragraph_keeps_its_place_without_a_mark(tmp_path: Path) -> None:
    inner = (
        "<w:p><w:r><w:tab/></w:r><w:r><w:drawing/></w:r>"
        f"{run(' text ')}<w:r><w:footnoteReference w:id='2'/></w:r><w:r><w:br w:type='page'/></w:r></w:p>"
    )
    result = rewritten(tmp_path, inner)
    assert only(result) == ("text",)
    written = body(result.data)
    places = [written.index(each) for each in ("<w:tab/>", "<w:drawing/>", "txet", "footnoteReference", "w:br")]
    assert places == sorted(places)


def test_breaks_tabs_and_hyphens_inside_are_kept(tmp_path: Path) -> None:
    mail = "<w:t>E</w:t><w:noBreakHyphen/><w:t>mail</w:t>"
    inner = f"<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/>{mail}</w:r></w:p>"
    result = rewritten(tmp_path, inner, lambda segment: segment.content + (" a\tb\nc\x00\x0b\ufffe",))
    assert only(result) == ("one", single(1, "tab"), "two", single(2, "break"), "E‑mail")
    assert "<w:t>E</w:t><w:noBreakHyphen/><w:t>mail a b c</w:t>" in body(result.data)


def test_a_line_to_write_on_is_not_text(tmp_path: Path) -> None:
    result = rewritten(tmp_path, f"<w:p>{run('Name: ')}{run('        ', UNDERLINED)}{run(' Date')}</w:p>")
    assert only(result) == ("Name: ", single(1, "other"), " Date")
    assert '<w:u w:val="single"/></w:rPr><w:t>        </w:t>' in body(result.data)


def test_a_space_in_a_line_of_underlined_words_is_text(tmp_path: Path) -> None:
    inner = f"<w:p>{run('two', UNDERLINED)}{run(' ', UNDERLINED)}{run('words', UNDERLINED)}{run(' of all these')}</w:p>"
    result = rewritten(tmp_path, inner)
    assert only(result) == (opened(1, "underline"), "two words", closed(1), " of all these")


def test_a_field_shows_its_value_and_keeps_its_code(tmp_path: Path) -> None:
    simple = f'<w:fldSimple w:instr=" NUMPAGES ">{run("12")}</w:fldSimple>'
    inner = f"<w:p>{run('Page ')}{complex_field('PAGE', run('3'))}{run(' of ')}{simple}{run(' pages')}</w:p>"
    result = rewritten(tmp_path, inner)
    assert only(result) == ("Page ", single(1, "field", "3"), " of ", single(2, "field", "12"), " pages")
    assert complex_field("PAGE", run("3")) in body(result.data)
    assert simple in body(result.data)


def test_the_words_of_a_link_and_of_a_reference_are_translated_inside_of_their_fields(tmp_path: Path) -> None:
    link = complex_field('HYPERLINK "https://example.org"', run("our page"))
    inner = f"<w:p>{run('See ')}{link}{run(' or ')}{complex_field('REF _Ref1', run('the end'))}{run('.')}</w:p>"
    result = rewritten(tmp_path, inner)
    reference = (opened(2, "field"), "the end", closed(2))
    assert only(result) == ("See ", opened(1, "link"), "our page", closed(1), " or ", *reference, ".")
    words = "<w:r><w:rPr/><w:t>egap ruo</w:t></w:r>"
    assert complex_field('HYPERLINK "https://example.org"', words) in body(result.data)


def test_a_table_of_contents_is_translated_with_its_numbers_kept(tmp_path: Path) -> None:
    def entry(text: str, page: str) -> str:
        number = complex_field("PAGEREF _Toc1 \\h", run(page))
        tab = "<w:r><w:tab/></w:r>"
        return f'<w:hyperlink w:anchor="_Toc1">{run("1")}{tab}{run(text)}{tab}{number}</w:hyperlink>'

    begin = f'{mark("begin")}<w:r><w:instrText>TOC \\o "1-3"</w:instrText></w:r>{mark("separate")}'
    inner = f"<w:p>{begin}{entry('Rent', '4')}</w:p><w:p>{entry('Repairs', '7')}</w:p><w:p>{mark('end')}</w:p>"
    result = rewritten(tmp_path, inner)
    assert [segment.content for segment in result.segments] == [
        ("1", single(1, "tab"), "Rent"),
        ("1", single(1, "tab"), "Repairs"),
    ]
    written = body(result.data)
    order = ["begin", "TOC", "separate", "hyperlink", ">1<", "tneR", "PAGEREF", ">4<", "sriapeR", ">7<"]
    places = [written.index(each) for each in order]
    assert places == sorted(places)
    assert written.count("fldCharType") == inner.count("fldCharType")


def test_insertions_are_translated_and_deletions_are_left(tmp_path: Path) -> None:
    inserted = f'<w:ins w:id="1" w:author="A">{run("new")}</w:ins><w:ins w:id="2" w:author="A">{run("er")}</w:ins>'
    deleted = '<w:del w:id="3"><w:r><w:delText>gone</w:delText></w:r></w:del>'
    result = rewritten(tmp_path, f"<w:p>{run('A ')}{inserted}{deleted}{run(' text')}</w:p>")
    assert only(result) == ("A ", opened(1, "other"), "newer", closed(1), " text")
    assert f'<w:ins w:id="1" w:author="A"><w:r><w:rPr/><w:t>rewen</w:t></w:r></w:ins>{deleted}' in body(result.data)


def test_bookmarks_and_comments_keep_their_places_without_marks(tmp_path: Path) -> None:
    def range_(kind: str, text: str, id_: int) -> str:
        return f'<w:{kind}Start w:id="{id_}"/>{text}<w:{kind}End w:id="{id_}"/>'

    number = complex_field("SEQ Figure", run("1"))
    called = range_("commentRange", run("so"), 5) + '<w:r><w:commentReference w:id="5"/></w:r>'
    inner = f"<w:p>{range_('bookmark', run('Figure ') + number, 4)}{run(': it is ')}{called}{run(' there')}</w:p>"
    result = rewritten(tmp_path, inner, lambda _: ("Abbildung ", single(1, "field"), ": es ist dort so"))
    assert only(result) == ("Figure ", single(1, "field", "1"), ": it is so there")
    written = body(result.data)
    order = ["bookmarkStart", "Abbildung", "SEQ", "bookmarkEnd", "commentRangeStart", "commentRangeEnd"]
    places = [written.index(each) for each in (*order, "commentReference")]
    assert places == sorted(places)
    assert re.sub(r"<[^>]+>", "", written) == "Abbildung  SEQ Figure 1: es ist dort so"


def test_a_range_stays_a_range_when_marks_change_their_order(tmp_path: Path) -> None:
    first, second = (f'<w:r><w:footnoteReference w:id="{number}"/></w:r>' for number in (1, 2))
    marked = f'<w:bookmarkStart w:id="7"/>{first}{run("b")}{second}<w:bookmarkEnd w:id="7"/>'
    inner = f"<w:p>{run('a')}{marked}{run('c')}</w:p>"
    result = rewritten(tmp_path, inner, lambda _: ("x", single(2, "note"), "y", single(1, "note"), "z"))
    assert body(result.data).index("bookmarkStart") < body(result.data).index("bookmarkEnd")


def test_content_controls_are_kept_and_no_longer_bound(tmp_path: Path) -> None:
    bound = '<w:sdtPr><w:alias w:val="Name"/><w:dataBinding w:xpath="/a"/></w:sdtPr>'
    control = f"<w:sdt>{bound}<w:sdtContent>{run('inside')}</w:sdtContent></w:sdt>"
    box = (
        '<w:sdt><w:sdtPr><w14:checkbox xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"/></w:sdtPr>'
        f"<w:sdtContent>{run('☒')}</w:sdtContent></w:sdt>"
    )
    result = rewritten(tmp_path, f"<w:p>{run('It is ')}{control}{run(' or ')}{box}{run(' not')}</w:p>")
    inside = (opened(1, "other"), "inside", closed(1))
    assert only(result) == ("It is ", *inside, " or ", single(2, "other", "☒"), " not")
    assert (
        '<w:sdt><w:sdtPr><w:alias w:val="Name"/></w:sdtPr><w:sdtContent><w:r><w:rPr/><w:t>edisni</w:t></w:r>'
        "</w:sdtContent></w:sdt>" in body(result.data)
    )
    assert box.replace(' xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"', "") in re.sub(
        r' xmlns:w14="[^"]*"', "", body(result.data)
    )


def test_formulas_and_code_inside_are_shown_and_kept(tmp_path: Path) -> None:
    formula = "<m:oMath><m:r><m:t>x=2</m:t></m:r></m:oMath>"
    code_run = run("print()", '<w:rFonts w:ascii="Consolas"/>')
    inner = f"<w:p>{run('If ')}{formula}{run(' call ')}{code_run}{run(' now')}</w:p>"
    result = rewritten(tmp_path, inner)
    assert only(result) == ("If ", single(1, "formula", "x=2"), " call ", single(2, "code", "print()"), " now")
    assert formula in body(result.data)
    assert code_run in body(result.data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8") | st.sampled_from("\x00\x0b\ufffe<&]>\u200b\u2011"), max_size=30))
def test_whatever_comes_back_gives_a_file_that_is_well_formed(tmp_path: Path, text: str) -> None:
    inner = f"<w:p>{run('a')}{run('b', BOLD)}</w:p>"
    result = rewritten(tmp_path, inner, lambda segment: (text, *segment.content, text))
    etree.fromstring(member(result.data).encode())


def test_noise_of_word_is_no_mark_and_codes_that_show_nothing_keep_their_place(tmp_path: Path) -> None:
    entry = f'{mark("begin")}<w:r><w:instrText>XE "word"</w:instrText></w:r>{mark("end")}'
    noise = "<w:r><w:softHyphen/><w:lastRenderedPageBreak/></w:r>"
    result = rewritten(tmp_path, f"<w:p>{run('one smart')}{entry}{noise}{run(' word')}</w:p>")
    assert only(result) == ("one smart word",)
    assert entry in body(result.data)
    assert not re.search("softHyphen|lastRendered", body(result.data))


def test_a_smart_tag_stays_around_its_words(tmp_path: Path) -> None:
    def smart(name: str, inner: str) -> str:
        return f'<w:smartTag w:uri="urn:x" w:element="{name}">{inner}</w:smartTag>'

    about = '<w:smartTagPr><w:attr w:name="k" w:val="v"/></w:smartTagPr>'
    place = smart("place", smart("City", about + run("Paris")))
    inner = f"<w:p>{run('They went to ')}{place}{run(' by train')}</w:p>"
    result = rewritten(tmp_path, inner)
    found = only(result)
    assert [each for each in found if isinstance(each, str)] == ["They went to ", "Paris", " by train"]
    assert len(marks(found)) == 2, "tags that hold only each other are one pair of marks"
    text = body(result.data)
    assert "</w:smartTagPr><w:r>" in text
    assert smart("place", smart("City", about + run("siraP"))) in text


def test_a_link_around_a_picture_is_one_thing(tmp_path: Path) -> None:
    picture = '<w:hyperlink r:id="r9"><w:r><w:drawing/></w:r></w:hyperlink>'
    in_a_field = complex_field("HYPERLINK x", "<w:r><w:drawing/></w:r>")
    inner = f"<w:p>{run('see ')}{picture}{run(' and ')}{in_a_field}{run(' there')}</w:p>"
    result = rewritten(tmp_path, inner)
    assert only(result) == ("see ", single(1, "link"), " and ", single(2, "link"), " there")
    assert picture in body(result.data)
    assert in_a_field in body(result.data)


def test_styles_of_characters_tell_how_words_look(tmp_path: Path) -> None:
    styles = (
        '<w:style w:type="character" w:styleId="L"><w:name w:val="Hyperlink"/></w:style>'
        '<w:style w:type="character" w:styleId="S"><w:name w:val="Mine"/><w:rPr><w:i/></w:rPr></w:style>'
    )
    linked, slanted = run("link", '<w:rStyle w:val="L"/>'), run("slanted", '<w:rStyle w:val="S"/>')
    raised = run("2", '<w:vertAlign w:val="superscript"/>')
    inner = f"<w:p>{run('many words ')}{linked}{run(' and ')}{slanted}{raised}{run(' end')}</w:p>"
    result = rewritten(tmp_path, inner, styles=word_part("styles", styles))
    looks = [each.look for each in only(result) if isinstance(each, Mark) and each.role == "open"]
    assert looks == ["link", "italic", "small"]


def test_simple_fields_symbols_and_code_in_pieces(tmp_path: Path) -> None:
    link = f'<w:fldSimple w:instr="HYPERLINK x">{run("link")}</w:fldSimple>'
    sign = '<w:r><w:sym w:font="Wingdings" w:char="F0E0"/></w:r>'
    unknown = '<w:r><w:sym w:font="Wingdings" w:char="xyz"/></w:r>'
    font = '<w:rFonts w:ascii="Consolas"/>'
    inner = (
        f"<w:p>{run('a ')}{link}{sign}{run('b')}{unknown}{run('c')}{run('x', font)}{run('()', font)}{run(' d')}</w:p>"
    )
    result = rewritten(tmp_path, inner)
    assert only(result) == (
        *("a ", opened(1, "link"), "link", closed(1), single(2, "other", "→"), "b", single(3, "other", "•"), "c"),
        *(single(4, "code", "x()"), " d"),
    )
    assert f"{run('x', font)}{run('()', font)}" in body(result.data)


def test_the_record_of_a_changed_look_is_not_copied(tmp_path: Path) -> None:
    changed = '<w:b/><w:rPrChange w:id="1"><w:rPr/></w:rPrChange>'
    assert "rPrChange" not in body(rewritten(tmp_path, f"<w:p>{run('text', changed)}</w:p>").data)


EVERYTHING = (
    f"<w:p>{run('a')}{run('b', BOLD)}<w:bookmarkStart w:id='1'/>{run(' c ')}<w:r><w:footnoteReference w:id='2'/></w:r>"
    f'<w:hyperlink r:id="r9">{run("d")}<w:bookmarkEnd w:id="1"/>{run("e", UNDERLINED)}</w:hyperlink><w:r><w:tab/></w:r>'
    f"<w:commentRangeStart w:id='3'/><w:ins w:id='5'>{run('f')}</w:ins>{complex_field('PAGE', run('4'))}{run('g')}"
    f"<w:commentRangeEnd w:id='3'/><w:r><w:commentReference w:id='3'/></w:r>"
    f"{complex_field('HYPERLINK x', run('h', BOLD))}{run(' i')}</w:p>"
)
KEPT = ("bookmarkStart", "bookmarkEnd", "footnoteReference", "commentRangeStart", "commentRangeEnd", "commentReference")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_is_lost_however_the_marks_are_moved_dropped_or_doubled(tmp_path: Path, data: st.DataObject) -> None:
    def change(segment: Segment) -> Content:
        parts = [*segment.content, *(part for part in segment.content if data.draw(st.booleans()))]
        return tuple(part for part in data.draw(st.permutations(parts)) if data.draw(st.integers(0, 4)))

    given_: list[Content] = []
    result = rewritten(tmp_path, EVERYTHING, lambda segment: given_.append(change(segment)) or given_[0])
    written = body(result.data)
    etree.fromstring(member(result.data).encode())
    for name in KEPT:
        assert written.count(f"<w:{name} ") == 1
    assert written.count("<w:tab/>") == 1
    assert written.count("PAGE") == 1
    for name in ("bookmark", "commentRange"):
        assert written.index(f"<w:{name}Start") < written.index(f"<w:{name}End")
    depth = 0
    for kind in re.findall(r'fldCharType="(\w+)"', written):
        depth += {"begin": 1, "end": -1}.get(kind, 0)
        assert depth > 0 or kind == "end"
    assert depth == 0
    if given_ and given_[0] != result.segments[0].content:
        words = "".join(part for part in given_[0] if isinstance(part, str))
        shown = re.sub("<w:instrText.*?</w:instrText>|<[^>]+>", "", written)
        assert sorted(shown) == sorted(f"{words}4")
