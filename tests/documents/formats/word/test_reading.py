"""DOCX: every word once and in order, nothing that was deleted or hidden, labels counted, hostile files refused."""

from __future__ import annotations

import re
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece, rows_of
from app.documents.formats.markup import xml_tree
from app.documents.formats.word.read_docx import read
from app.documents.source import FileSource, Opened, ReadingRemark
from tests.helpers.office_files import Planned, misplaced, paragraph, rels, word_part, write_docx, write_zip
from tests.helpers.word_files import STYLES


def level(number: int, format_: str, text: str, inner: str = "") -> str:
    """A level of a list."""
    return f'<w:lvl w:ilvl="{number}"><w:numFmt w:val="{format_}"/><w:lvlText w:val="{text}"/>{inner}</w:lvl>'


NUMBERING = (
    f'<w:abstractNum w:abstractNumId="0">{level(0, "decimal", "%1.")}{level(1, "decimal", "%1.%2.")}'
    f"{level(2, 'lowerLetter', '%3)')}{level(3, 'upperRoman', '(%4)')}</w:abstractNum>"
    f'<w:abstractNum w:abstractNumId="1">{level(0, "bullet", chr(0xF0B7))}{level(1, "bullet", "o")}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/>'
    "</w:lvlOverride></w:num>"
)


def pieces(path: Path) -> list[BlockPiece]:
    """What a file is read into."""
    return [item for item in read(FileSource(path)) if isinstance(item, BlockPiece)]


def texts(path: Path) -> list[str]:
    """Only the texts."""
    return [piece.text for piece in pieces(path)]


def run(text: str, properties: str = "") -> str:
    """A run of text."""
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def item(text: str, num_id: int, depth: int = 0) -> str:
    """A list item."""
    return paragraph(text, properties=f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{num_id}"/></w:numPr>')


def table(*rows: list[str]) -> str:
    """A table of cells that are blocks."""
    inner = "".join(f"<w:tr>{''.join(f'<w:tc><w:tcPr/>{cell}</w:tc>' for cell in row)}</w:tr>" for row in rows)
    return f"<w:tbl><w:tblPr/>{inner}</w:tbl>"


class Plan(Planned):
    """A DOCX that is being made up, with its notes."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: dict[str, list[str]] = {"footnote": [], "endnote": [], "comment": []}

    def note(self, kind: str) -> tuple[str, str]:
        """A note's call, and the word in it, which is to be read later."""
        word = self.unseen()
        self.notes[kind].append(word)
        return f'<w:r><w:{kind}Reference w:id="{len(self.notes[kind]) + 1}"/></w:r>', word


def plain(plan: Plan) -> str:
    return paragraph(plan.word())


def split_word(plan: Plan) -> str:
    word = plan.word()
    return f'<w:p>{run(word[:2], "<w:b/>")}<w:proofErr w:type="x"/>{run(word[2:])}</w:p>'


def heading(plan: Plan) -> str:
    return paragraph(plan.word(), "Mine")


def list_item(plan: Plan) -> str:
    return item(plan.word(), 1) + item(plan.word(), 2, 1)


def simple_table(plan: Plan) -> str:
    return table([plain(plan), plain(plan)], [plain(plan), plain(plan) + plain(plan)])


def nested_table(plan: Plan) -> str:
    first, second, inner = plan.word(), plan.word(), plan.unseen()
    plan.seen.append(inner)
    return table([paragraph(first), table([paragraph(inner), "<w:p/>"]) + paragraph(second)])


def layout_table(plan: Plan) -> str:
    return table([plain(plan) + heading(plan) + simple_table(plan)])


def footnote(plan: Plan) -> str:
    call, inside = plan.note("footnote")
    other, also = plan.note("endnote")
    before, after = plan.word(), plan.word()
    plan.seen += [inside, also]
    return f"<w:p>{run(before)}{call}{run(after)}{other}</w:p>"


def comment_in_a_table(plan: Plan) -> str:
    call, inside = plan.note("comment")
    first, second = plan.word(), plan.word()
    plan.seen.append(inside)
    return table([f"<w:p>{run(first)}{call}</w:p>", paragraph(second)])


def text_box(plan: Plan) -> str:
    before, after, inside = plan.word(), plan.word(), plan.word()
    content = f"<w:txbxContent>{paragraph(inside)}</w:txbxContent>"
    return (
        f"<w:p>{run(before)}<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wp:anchor><wps:wsp>"
        f"<wps:txbx>{content}</wps:txbx></wps:wsp></wp:anchor></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape>"
        f"<v:textbox>{content}</v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r>{run(after)}</w:p>"
    )


def old_text_box(plan: Plan) -> str:
    inside = plan.word()
    return (
        "<w:p><w:r><mc:AlternateContent><mc:Choice Requires='new'><w:drawing/></mc:Choice><mc:Fallback><w:pict>"
        f"<v:textbox><w:txbxContent>{paragraph(inside)}</w:txbxContent></v:textbox></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
    )


def tracked(plan: Plan) -> str:
    return (
        f'<w:p><w:ins w:id="1">{run(plan.word())}</w:ins>'
        f'<w:del w:id="2"><w:r><w:delText>{plan.hidden()}</w:delText><w:t>{plan.hidden()}</w:t></w:r></w:del>'
        f"<w:moveFrom>{run(plan.hidden())}</w:moveFrom><w:moveTo>{run(plan.word())}</w:moveTo></w:p>"
    )


def sdt(plan: Plan) -> str:
    properties = f'<w:sdtPr><w:alias w:val="{plan.hidden()}"/></w:sdtPr>'
    block = f"<w:sdt>{properties}<w:sdtContent>{plain(plan)}{simple_table(plan)}"
    inline = f"<w:p><w:sdt><w:sdtContent>{run(plan.word())}</w:sdtContent></w:sdt></w:p>"
    return f"{block}{inline}</w:sdtContent></w:sdt>"


def field(plan: Plan) -> str:
    def mark(kind: str) -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'

    instruction = f"<w:r><w:instrText>REF {plan.hidden()}</w:instrText></w:r>"
    inner = f"{mark('begin')}{instruction}{mark('separate')}{run(plan.hidden())}{mark('end')}"
    outer = f"{mark('begin')}{instruction}{inner}{mark('separate')}{run(plan.word())}{mark('end')}"
    never_ended = f"<w:p>{mark('begin')}{instruction}{run(plan.unseen())}</w:p>"
    plan.seen.append(re.findall(r"mk\d+q", never_ended)[-1])
    return f"<w:p>{outer}</w:p>{never_ended}<w:p><w:fldSimple w:instr='PAGE'>{run(plan.word())}</w:fldSimple></w:p>"


def link(plan: Plan) -> str:
    return f'<w:p><w:hyperlink r:id="r99">{run(plan.word())}</w:hyperlink>{run(plan.word())}</w:p>'


def hidden(plan: Plan) -> str:
    shown = run(plan.word(), '<w:vanish w:val="0"/>')
    styled = run(plan.hidden(), '<w:rStyle w:val="Secret"/>')
    return f"<w:p>{run(plan.hidden(), '<w:vanish/>')}{shown}{styled}</w:p>"


def equation(plan: Plan) -> str:
    inside, alone = (f"<m:oMath><m:r><m:t>{plan.word()}</m:t></m:r></m:oMath>" for _ in range(2))
    return f"<w:p><m:oMathPara>{inside}</m:oMathPara></w:p>{alone}"


def ruby(plan: Plan) -> str:
    base, above = plan.word(), plan.word()
    return f"<w:p><w:r><w:ruby><w:rt>{run(above)}</w:rt><w:rubyBase>{run(base)}</w:rubyBase></w:ruby></w:r></w:p>"


def code(plan: Plan) -> str:
    return paragraph(plan.word(), "SourceCode") + paragraph(plan.word(), "SourceCode")


KINDS: list[Callable[[Plan], str]] = [
    *(plain, split_word, heading, list_item, simple_table, nested_table, layout_table, footnote, comment_in_a_table),
    *(text_box, old_text_box, tracked, sdt, field, link, hidden, equation, ruby, code),
]


def made(path: Path, chosen: list[Callable[[Plan], str]]) -> Plan:
    """Writes a document of these."""
    plan = Plan()
    body = "".join(kind(plan) for kind in chosen)
    parts: dict[str, str | bytes] = {"styles.xml": word_part("styles", STYLES)}
    parts["numbering.xml"] = word_part("numbering", NUMBERING)
    for kind, words in plan.notes.items():
        words.append(plan.word())
        notes = (f'<w:{kind} w:id="{number}">{paragraph(word)}</w:{kind}>' for number, word in enumerate(words, 2))
        separator = f'<w:{kind} w:type="separator" w:id="0"/>'
        parts[f"{kind}s.xml"] = word_part(f"{kind}s", separator + "".join(notes))
    for name in ("header1", "header2", "footer1"):
        text = plan.word() if name != "header2" else plan.seen[-1]
        parts[f"{name}.xml"] = word_part("hdr" if name[0] == "h" else "ftr", paragraph(text))
    write_docx(path, body, parts)
    return plan


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.sampled_from(KINDS), max_size=12))
def test_every_word_is_read_once_and_in_order(tmp_path: Path, chosen: list[Callable[[Plan], str]]) -> None:
    path = tmp_path / "made.docx"
    plan = made(path, chosen)
    found = [word for piece in pieces(path) for word in re.findall(r"mk\d+q", f"{piece.label} {piece.text}")]
    assert found == plan.seen
    assert not set(found) & set(plan.never)


def test_a_place_finds_the_words_again(tmp_path: Path) -> None:
    path = tmp_path / "made.docx"
    made(path, KINDS * 2)
    with zipfile.ZipFile(path) as archive:
        roots = {name: etree.fromstring(archive.read(name)) for name in archive.namelist()}
    for piece in pieces(path):
        elements = list(roots[piece.place.part].iter())[piece.place.start : piece.place.end]
        said = "".join(each.text or "" for each in elements)
        assert piece.place.end > piece.place.start
        assert all(word in said for word in re.findall(r"mk\d+q", piece.text)), piece
        if piece.kind is not BlockKind.CODE:
            assert len(list(elements[0].iter())) == len(elements)


def test_headings_are_known_by_their_outline_level_in_every_language(tmp_path: Path) -> None:
    own = paragraph("own", properties='<w:outlineLvl w:val="4"/>')
    none = paragraph("none", "Mine", '<w:outlineLvl w:val="9"/>')
    body = paragraph("whole", "Titel") + paragraph("a\tb", "berschrift2") + paragraph("c", "Mine") + own + none
    path = write_docx(tmp_path / "a.docx", body + paragraph("x", "Loop"), {"styles.xml": word_part("styles", STYLES)})
    assert [(piece.kind, piece.level, piece.text) for piece in pieces(path)] == [
        (BlockKind.HEADING, 1, "whole"),
        (BlockKind.HEADING, 2, "a b"),
        (BlockKind.HEADING, 2, "c"),
        (BlockKind.HEADING, 5, "own"),
        (BlockKind.PARAGRAPH, 0, "none"),
        (BlockKind.PARAGRAPH, 0, "x"),
    ]


def test_labels_are_counted_as_word_counts_them(tmp_path: Path) -> None:
    body = "".join(
        (item("a", 1), item("b", 1, 1), item("c", 1, 1), item("d", 1, 2), item("e", 1, 3), item("f", 1))
        + (item("g", 1, 1), item("h", 2), item("i", 2, 1), item("j", 3), item("k", 3), paragraph("l", "ListNumber"))
        + (paragraph("m", "ListNumber", '<w:numPr><w:numId w:val="0"/></w:numPr>'), item("n", 77))
    )
    parts = {"styles.xml": word_part("styles", STYLES), "numbering.xml": word_part("numbering", NUMBERING)}
    found = pieces(write_docx(tmp_path / "a.docx", body, parts))
    assert [piece.label for piece in found] == (
        ["1.", "1.1.", "1.2.", "a)", "(I)", "2.", "2.1.", "•", "o", "5.", "6.", "7.", "", ""]
    )
    assert [piece.level for piece in found] == [1, 2, 2, 3, 4, 1, 2, 1, 2, 1, 1, 1, 0, 0]
    assert [piece.kind for piece in found[-2:]] == [BlockKind.PARAGRAPH, BlockKind.PARAGRAPH]


def test_merged_cells_are_not_doubled_and_keep_their_columns(tmp_path: Path) -> None:
    wide = f'<w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>{paragraph("wide")}</w:tc>'
    tall = f'<w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr>{paragraph("tall")}</w:tc>'
    under = "<w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc>"
    endless = f'<w:tc><w:tcPr><w:gridSpan w:val="999999999"/></w:tcPr>{paragraph("endless")}</w:tc>'
    cell = f"<w:tc>{paragraph('x')}</w:tc>"
    body = f"<w:tbl><w:tr>{wide}{tall}</w:tr><w:tr>{cell}{cell}{under}</w:tr><w:tr>{endless}</w:tr></w:tbl>"
    rows = list(rows_of(pieces(write_docx(tmp_path / "a.docx", body))[0]))
    assert rows[:2] == [["wide", "", "tall"], ["x", "x", ""]]
    assert rows[2][0] == "endless"
    assert len(rows[2]) == 63


def test_breaks_hyphens_and_symbols_are_what_they_look_like(tmp_path: Path) -> None:
    inside = (
        "<w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t><w:softHyphen/><w:t>e</w:t>"
        '<w:sym w:font="Symbol" w:char="F061"/><w:sym w:font="Wingdings" w:char="F0FC"/><w:sym w:char="zz"/>'
    )
    assert texts(write_docx(tmp_path / "a.docx", f"<w:p><w:r>{inside}</w:r></w:p>")) == ["a\tb\nc\u2011deα✓•"]


def test_code_is_known_by_its_style_or_its_font(tmp_path: Path) -> None:
    font = '<w:rFonts w:ascii="Courier New"/>'
    body = paragraph("for x in y:", "SourceCode") + paragraph("    pass", "SourceCode") + paragraph("then")
    body += f"<w:p>{run('ls', font)}{run(' -l', font)}</w:p><w:p>{run('say ls', font)}{run(' now')}</w:p>"
    found = pieces(write_docx(tmp_path / "a.docx", body, {"styles.xml": word_part("styles", STYLES)}))
    assert [(piece.kind, piece.text) for piece in found] == [
        (BlockKind.CODE, "for x in y:\n    pass"),
        (BlockKind.PARAGRAPH, "then"),
        (BlockKind.CODE, "ls -l"),
        (BlockKind.PARAGRAPH, "say ls now"),
    ]


def test_a_caption_is_one_and_a_title_is_the_documents_own(tmp_path: Path) -> None:
    core = '<c xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title> My\n title </dc:title></c>'
    parts = {"styles.xml": word_part("styles", STYLES), "/docProps/core.xml": core}
    path = write_docx(tmp_path / "a.docx", paragraph("Figure 1", "Beschriftung"), parts)
    items = list(read(FileSource(path)))
    assert items[0] == Opened(title="My title")
    assert isinstance(items[1], BlockPiece)
    assert items[1].kind is BlockKind.CAPTION


def test_notes_say_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    made(path, [footnote, comment_in_a_table])
    labels = [piece.label for piece in pieces(path) if piece.kind is BlockKind.NOTE]
    assert labels == ["footnote", "endnote", "comment"] + ["footnote", "endnote", "comment", "header", "footer"]


def test_a_character_that_xml_forbids_costs_nothing_else(tmp_path: Path) -> None:
    assert texts(write_docx(tmp_path / "a.docx", paragraph("be\ufffefore") + paragraph("after"))) == ["before", "after"]


def test_parts_are_found_without_relationships(tmp_path: Path) -> None:
    call = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    members = {
        "word/document.xml": word_part("document", f"<w:body><w:p>{run('a')}{call}</w:p></w:body>"),
        "word/footnotes.xml": word_part("footnotes", f'<w:footnote w:id="2">{paragraph("b")}</w:footnote>'),
    }
    assert texts(write_zip(tmp_path / "a.docx", members)) == ["a", "b"]


def test_the_main_part_is_where_the_package_says(tmp_path: Path) -> None:
    members = {
        "_rels/.rels": rels({"a": ("officeDocument", "/word/document22.xml")}),
        "word/document22.xml": word_part("document", f"<w:body>{paragraph('here')}</w:body>"),
    }
    assert texts(write_zip(tmp_path / "a.docx", members)) == ["here"]


def test_pictures_and_missing_parts_are_told(tmp_path: Path) -> None:
    picture = (
        '<w:p><w:r><w:drawing><wp:inline><wp:docPr descr="alt"/><pic:pic xmlns:pic='
        '"http://schemas.openxmlformats.org/drawingml/2006/picture"/></wp:inline></w:drawing></w:r></w:p>'
    )
    parts = {"_rels/document.xml.rels": rels({"a": ("header", "header9.xml"), "b": ("aFChunk", "chunk.html")})}
    items = list(read(FileSource(write_docx(tmp_path / "a.docx", picture, parts | {"chunk.html": "<p>x</p>"}))))
    assert items == [
        Opened(),
        ReadingRemark("missing_part", {"part": "word/header9.xml"}),
        ReadingRemark("attachment", {"name": "word/chunk.html", "size_bytes": 8}),
        ReadingRemark("pictures", {"count": 1}),
    ]


# DOCX that are damaged or meant to do harm: a situation, never a traceback, and nothing is reached.


def reason(path: Path) -> str:
    """Why a file cannot be read."""
    with pytest.raises(DocumentUnreadable) as caught:
        list(read(FileSource(path)))
    return caught.value.reason


def test_damage_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    assert reason(write_zip(path, {"word/styles.xml": word_part("styles", "")})) == "damaged"
    assert reason(write_docx(path, "", {"document.xml": word_part("document", "<w:body>")[:-8]})) == "damaged"
    assert reason(write_docx(path, "", {"styles.xml": "no XML"})) == "damaged"
    write_docx(path, paragraph("word " * 1000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(path) == "damaged"


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", word_part("document", f"<w:body>{paragraph('marker')}</w:body>"))
    path.write_bytes(path.read_bytes().replace(b"marker", b"merker"))
    assert reason(path) == "damaged"


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    deep = "<w:sdt><w:sdtContent>" * 100_000 + "</w:sdtContent></w:sdt>" * 100_000
    assert reason(write_docx(tmp_path / "a.docx", deep)) == "too_deep"


def test_the_deepest_nesting_that_is_read_ends_well(tmp_path: Path) -> None:
    for opening, closing in (
        ("<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"),
        ("<w:p><w:r><w:pict><w:txbxContent>", "</w:txbxContent></w:pict></w:r></w:p>"),
        ("<w:tbl><w:tr><w:tc><w:p/></w:tc><w:tc>", "</w:tc></w:tr></w:tbl>"),
    ):
        levels = 245 // closing.count("</")
        path = write_docx(tmp_path / "a.docx", opening * levels + paragraph("inmost") + closing * levels)
        assert [text.strip() for text in texts(path)] == ["inmost"]


def test_entities_are_refused_and_nothing_is_reached(tmp_path: Path) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text("never read")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        for address in (f"file://{canary}", f"http://127.0.0.1:{server.getsockname()[1]}/"):
            part = word_part("document", f"<w:body>{paragraph('&x;')}</w:body>")
            part = part.replace("?>", f'?><!DOCTYPE w:document [<!ENTITY x SYSTEM "{address}">]>', 1)
            assert reason(write_docx(tmp_path / "a.docx", "", {"document.xml": part})) == "entities"
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_bomb_of_elements_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_tree, "MOST_TAGS", 20_000)
    assert reason(write_docx(tmp_path / "a.docx", "<w:p/>" * 20_001)) == "inflates"


def test_a_bomb_of_one_long_text_is_refused(tmp_path: Path) -> None:
    assert reason(write_docx(tmp_path / "a.docx", paragraph("x" * 20_000_000))) == "inflates"


_TREES = misplaced(
    "w:p w:r w:t w:tbl w:tr w:tc w:pPr w:rPr w:tcPr w:trPr w:sdt w:sdtContent w:ins w:del w:numPr w:pStyle w:numId"
    " w:ilvl w:gridSpan w:vanish w:rFonts w:sym w:fldChar w:footnoteReference w:footnote w:txbxContent w:ruby w:rt"
    " w:body w:style w:basedOn w:lvl w:abstractNum w:num w:abstractNumId w:lvlOverride w:startOverride w:lvlText"
    " w:outlineLvl mc:AlternateContent mc:Choice mc:Fallback m:oMath m:t a:p a:t v:textpath",
    (
        "",
        'w:val="1"',
        'w:val=""',
        'w:val="-99999999999"',
        'w:styleId="1"',
        'w:numId="1"',
        'w:abstractNumId="1"',
        'w:ilvl="0"',
        'w:id="1"',
        'w:fldCharType="begin"',
        'w:fldCharType="end"',
        'w:char="FFFFFFFF"',
        'string="x"',
    ),
    "<w:t>word</w:t>",
)


@settings(suppress_health_check=list(HealthCheck))
@given(body=_TREES, other=_TREES)
def test_elements_where_they_do_not_belong_do_no_harm(tmp_path: Path, body: str, other: str) -> None:
    names = ("styles", "numbering", "footnotes", "header1")
    parts: dict[str, str | bytes] = {f"{name}.xml": word_part(name, other) for name in names}
    list(read(FileSource(write_docx(tmp_path / "a.docx", body, parts))))
