"""ODT, ODP and their flat forms: every word once and in order, nothing deleted or hidden, labels counted."""

from __future__ import annotations

import base64
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece, rows_of
from app.documents.formats.opendocument.read_odf import read
from app.documents.source import FileSource, Opened, PageRead, ReadingRemark
from tests.helpers.office_files import Planned, misplaced, odf_content, odf_part, write_flat_odf, write_odf

STYLES = (
    '<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>'
    '<style:style style:name="P2" style:family="paragraph" style:parent-style-name="Illustration"/>'
    '<style:style style:name="Illustration" style:family="paragraph" style:parent-style-name="Caption"/>'
    '<style:style style:name="P3" style:family="paragraph" style:parent-style-name="Preformatted_20_Text"/>'
    '<style:style style:name="Loop" style:family="paragraph" style:parent-style-name="Loop"/>'
    '<style:style style:name="Hid" style:family="text"><style:text-properties text:display="none"/></style:style>'
    '<style:style style:name="Away" style:family="drawing-page"><style:drawing-page-properties '
    'presentation:visibility="hidden"/></style:style>'
    '<text:list-style style:name="L1">'
    '<text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>'
    '<text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")" text:display-levels="2"/>'
    '<text:list-level-style-bullet text:level="3" text:bullet-char="–"/></text:list-style>'
    '<text:outline-style><text:outline-level-style text:level="1" style:num-format="I"/>'
    '<text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/></text:outline-style>'
)


def items_of(path: Path, **choice: int) -> list[object]:
    """What a file is read into."""
    return list(read(FileSource(path, **choice)))


def pieces(path: Path) -> list[BlockPiece]:
    """Only the pieces."""
    return [item for item in items_of(path) if isinstance(item, BlockPiece)]


def p(text: str, style: str = "") -> str:
    """A paragraph."""
    return f'<text:p text:style-name="{style}">{text}</text:p>'


def entry(*blocks: str, start: str = "") -> str:
    """A list item."""
    begin = f' text:start-value="{start}"' if start else ""
    return f"<text:list-item{begin}>{''.join(blocks)}</text:list-item>"


def listing(*entries: str, attributes: str = 'text:style-name="L1"') -> str:
    """A list."""
    return f"<text:list {attributes}>{''.join(entries)}</text:list>"


def table(*rows: list[str]) -> str:
    """A table of cells that are blocks."""
    inner = "".join(
        f"<table:table-row>{''.join(f'<table:table-cell>{cell}</table:table-cell>' for cell in row)}</table:table-row>"
        for row in rows
    )
    return f"<table:table><table:table-column/>{inner}</table:table>"


def plain(plan: Planned) -> str:
    return p(plan.word())


def heading(plan: Planned) -> str:
    return f'<text:h text:outline-level="2">{plan.word()}</text:h>'


def inline(plan: Planned) -> str:
    word = plan.word()
    spans = f"<text:span>{word[:2]}<text:span>{word[2:]}</text:span></text:span>"
    link = f'<text:a xlink:href="http://127.0.0.1:9/">{plan.word()}</text:a><text:s text:c="3"/>{plan.word()}'
    return p(f"{spans}<text:tab/>{link}<text:line-break/>{plan.word()}<text:bookmark/> {plan.word()}")


def lists(plan: Planned) -> str:
    first = entry(p(plan.word()), p(plan.word()), listing(entry(p(plan.word()), listing(entry(p(plan.word()))))))
    header = f"<text:list-header>{p(plan.word())}</text:list-header>"
    return listing(first, header, entry(table([p(plan.word()), p(plan.word())])), entry(heading(plan)))


def simple_table(plan: Planned) -> str:
    return table([plain(plan), plain(plan)], [plain(plan) + plain(plan), listing(entry(p(plan.word())))])


def nested_table(plan: Planned) -> str:
    first, second, inner = plan.word(), plan.word(), plan.word()
    return table([p(first), table([p(inner), p("")]) + p(second)])


def layout_table(plan: Planned) -> str:
    return table([plain(plan) + heading(plan) + simple_table(plan)])


def notes(plan: Planned) -> str:
    before, after, inside, also = plan.word(), plan.word(), plan.word(), plan.word()
    note = f'<text:note text:note-class="endnote"><text:note-citation>1</text:note-citation><text:note-body>{p(inside)}'
    comment = f"<office:annotation><dc:creator>{plan.hidden()}</dc:creator>{p(also)}</office:annotation>"
    return p(f"{before}{note}</text:note-body></text:note>{comment}{after}")


def note_in_a_table(plan: Planned) -> str:
    first, second, inside = plan.word(), plan.word(), plan.word()
    return table([p(f"{first}<text:note><text:note-body>{p(inside)}</text:note-body></text:note>"), p(second)])


def frame(plan: Planned) -> str:
    before, after, inside = plan.word(), plan.word(), plan.word()
    box = f"<draw:frame><draw:text-box>{p(inside)}</draw:text-box></draw:frame>"
    return p(f"{before}{box}{after}") + f"<draw:custom-shape>{plain(plan)}</draw:custom-shape>"


def tracked(plan: Planned) -> str:
    deleted = f"<text:changed-region><text:deletion>{p(plan.hidden())}</text:deletion></text:changed-region>"
    marks = f'<text:change-start/>{plan.word()}<text:change-end/><text:change text:change-id="1"/>'
    return f"<text:tracked-changes>{deleted}</text:tracked-changes>{p(marks)}"


def hidden(plan: Planned) -> str:
    inside = f'<text:span text:style-name="Hid">{plan.hidden()}</text:span>'
    inside += f"<text:hidden-text>{plan.hidden()}</text:hidden-text>"
    section = f'<text:section text:display="none">{p(plan.hidden())}</text:section>'
    return p(f"{inside}{plan.word()}") + section


def section(plan: Planned) -> str:
    inner = f"<text:section><text:section>{plain(plan)}</text:section>{plain(plan)}</text:section>"
    source = f"<text:table-of-content-source>{p(plan.hidden())}</text:table-of-content-source>"
    index = f"<text:index-body><text:index-title>{plain(plan)}</text:index-title>{plain(plan)}</text:index-body>"
    return f"{inner}<text:table-of-content>{source}{index}</text:table-of-content>"


def ruby(plan: Planned) -> str:
    inside = f"<text:ruby-base>{plan.word()}</text:ruby-base><text:ruby-text>{plan.word()}</text:ruby-text>"
    return p(f"<text:ruby>{inside}</text:ruby>")


KINDS: list[Callable[[Planned], str]] = [
    *(plain, heading, inline, lists, simple_table, nested_table, layout_table, notes, note_in_a_table),
    *(frame, tracked, hidden, section, ruby),
]


def made(path: Path, chosen: list[Callable[[Planned], str]]) -> Planned:
    """Writes a document of these, packed or flat as the name says."""
    plan = Planned()
    body = "".join(kind(plan) for kind in chosen)
    header, footer = plan.word(), plan.word()
    page = f"<style:header>{p(header)}</style:header><style:header-left>{p(header)}</style:header-left>"
    styles = STYLES if hidden in chosen else STYLES.replace('text:display="none"', "")  # most documents hide nothing
    page = f"<style:master-page>{page}<style:footer>{p(footer)}</style:footer></style:master-page>"
    masters = f"<office:master-styles>{page}</office:master-styles>"
    if path.suffix == ".fodt":
        write_flat_odf(path, body, before=f"<office:automatic-styles>{styles}</office:automatic-styles>{masters}")
    else:
        write_odf(path, body, {"styles.xml": odf_part("document-styles", masters)}, styles=styles)
    return plan


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.sampled_from(KINDS), max_size=12), ending=st.sampled_from([".odt", ".fodt"]))
def test_every_word_is_read_once_and_in_order(
    tmp_path: Path, chosen: list[Callable[[Planned], str]], ending: str
) -> None:
    path = tmp_path / f"made{ending}"
    plan = made(path, chosen)
    found = [word for piece in pieces(path) for word in re.findall(r"mk\d+q", f"{piece.label} {piece.text}")]
    assert found == plan.seen
    assert not set(found) & set(plan.never)


@pytest.mark.parametrize("ending", [".odt", ".fodt"])
def test_a_place_finds_the_words_again(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"made{ending}"
    made(path, KINDS * 2)
    roots = {"": etree.fromstring(path.read_bytes())} if ending == ".fodt" else {}
    if not roots:
        with zipfile.ZipFile(path) as archive:
            roots = {name: etree.fromstring(archive.read(name)) for name in archive.namelist() if name[-3:] == "xml"}
    for piece in pieces(path):
        elements = list(roots[piece.place.part].iter())[piece.place.start : piece.place.end]
        said = "".join((each.text or "") + (each.tail or "") for each in elements)
        assert len(list(elements[0].iter())) == len(elements)
        assert all(word in said for word in re.findall(r"mk\d+q", piece.text)), piece


def test_styles_say_what_a_paragraph_is(tmp_path: Path) -> None:
    body = p("a", "P1") + p("b", "P2") + p("x =<text:s text:c='2'/>1", "P3") + p("d", "Loop") + p("e", "nowhere")
    found = pieces(write_odf(tmp_path / "a.odt", body, styles=STYLES))
    assert [(piece.kind, piece.text) for piece in found] == [
        (BlockKind.HEADING, "a"),
        (BlockKind.CAPTION, "b"),
        (BlockKind.CODE, "x =  1"),
        (BlockKind.PARAGRAPH, "d"),
        (BlockKind.PARAGRAPH, "e"),
    ]


def test_labels_are_counted(tmp_path: Path) -> None:
    deeper = listing(entry(p("c")), entry(p("d"), listing(entry(p("e")), attributes="")), attributes="")
    body = listing(entry(p("a")), entry(p("b"), p("more"), deeper), entry(p("f")))
    body += listing(entry(p("g")), attributes='text:style-name="L1" text:continue-numbering="true"')
    body += listing(entry(p("h")), entry(p("i"), start="7"), entry(p("j")))
    headings = [(1, "k"), (2, "l"), (2, "m"), (1, "n"), (2, "o")]
    body += "".join(f'<text:h text:outline-level="{level}">{text}</text:h>' for level, text in headings)
    found = pieces(write_odf(tmp_path / "a.odt", body, styles=STYLES))
    labels = ["1.", "2.", "", "2.a)", "2.b)", "–", "3.", "4.", "1.", "7.", "8.", "I", "I.1", "I.2", "II", "II.1"]
    assert [piece.label for piece in found] == labels
    assert [piece.level for piece in found] == [1, 1, 1, 2, 2, 3, 1, 1, 1, 1, 1, 1, 2, 2, 1, 2]


def test_repeated_and_covered_cells_have_a_bound(tmp_path: Path) -> None:
    many = 'table:number-columns-repeated="999999999"'
    row = f"<table:table-cell>{p('a')}</table:table-cell><table:covered-table-cell/><table:table-cell>{p('b')}"
    body = (
        f"<table:table><table:table-header-rows><table:table-row>{row}</table:table-cell><table:table-cell {many}/>"
        f"</table:table-row></table:table-header-rows><table:table-row table:number-rows-repeated='999999999'>"
        f"<table:table-cell {many}>{p('c')}</table:table-cell></table:table-row></table:table>"
    )
    rows = list(rows_of(pieces(write_odf(tmp_path / "a.odt", body))[0]))
    assert rows[0] == ["a", "", "b"]
    assert rows[1:] == [["c"] * 64] * 64


def test_white_space_is_as_the_format_says(tmp_path: Path) -> None:
    body = p("  a \n\t b<text:span> c</text:span><text:s text:c='999999999'/>d ")
    assert pieces(write_odf(tmp_path / "a.odt", body))[0].text == "a b c" + " " * 100 + "d"


def test_an_equation_is_read_from_its_own_member(tmp_path: Path) -> None:
    signs = "<mi>E</mi><mo>=</mo><mi>m</mi><annotation>no</annotation>"
    math = f'<math xmlns="http://www.w3.org/1998/Math/MathML">{signs}</math>'
    body = p('see <draw:frame><draw:object xlink:href="./Object 1"/><draw:image/></draw:frame>')
    items = items_of(write_odf(tmp_path / "a.odt", body, {"Object 1/content.xml": math}))
    assert isinstance(items[1], BlockPiece)
    assert items[1].text == "see E = m"


def test_the_title_is_the_documents_own(tmp_path: Path) -> None:
    meta = "<office:meta><dc:title>My title</dc:title></office:meta>"
    packed = write_odf(tmp_path / "a.odt", "", {"meta.xml": odf_part("document-meta", meta)})
    flat = write_flat_odf(tmp_path / "a.fodt", "", before=meta)
    assert items_of(packed) == items_of(flat) == [Opened(title="My title")]


def test_a_flat_document_with_large_pictures_is_read(tmp_path: Path) -> None:
    picture = base64.b64encode(b"\x00" * 9_000_000).decode()
    image = f"<draw:frame><draw:image><office:binary-data>{picture}</office:binary-data></draw:image></draw:frame>"
    path = write_flat_odf(tmp_path / "a.fodt", p(f"before{image}") + p("after") + p(image))
    assert [piece.text for piece in pieces(path)] == ["before", "after"]
    assert items_of(path)[-1] == ReadingRemark("pictures", {"count": 2})


def slide(*shapes: str, attributes: str = "") -> str:
    """A slide."""
    return f"<draw:page {attributes}>{''.join(shapes)}</draw:page>"


def box(text: str, kind: str = "") -> str:
    """A frame with a text."""
    return f'<draw:frame presentation:class="{kind}"><draw:text-box>{p(text)}</draw:text-box></draw:frame>'


SLIDES = (
    "<presentation:footer-decl>Company</presentation:footer-decl>"
    + slide(
        box("First", "title"),
        f"<draw:g>{box('grouped')}<draw:rect>{p('shape')}</draw:rect></draw:g>",
        f"<draw:custom-shape>{listing(entry(p('point'), listing(entry(p('deeper')))))}</draw:custom-shape>",
        f"<draw:frame>{table([p('x'), p('y')])}</draw:frame>",
        f"<presentation:notes><draw:page-thumbnail/>{box('say this', 'notes')}</presentation:notes>",
        f"<office:annotation><dc:creator>me</dc:creator>{p('remark')}</office:annotation>",
    )
    + slide(box("Second", "title"), attributes='draw:style-name="Away"')
    + slide("<draw:frame><draw:image/></draw:frame>")
)


@pytest.mark.parametrize("ending", [".odp", ".fodp"])
def test_slides_are_read_with_their_notes(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    if ending == ".odp":
        write_odf(path, SLIDES, kind="presentation", styles=STYLES)
    else:
        before = f"<office:automatic-styles>{STYLES}</office:automatic-styles>"
        write_flat_odf(path, SLIDES, kind="presentation", before=before)
    items = items_of(path)
    found = [(item.page, item.kind.value, item.label, item.text) for item in items if isinstance(item, BlockPiece)]
    assert found == [
        (1, "heading", "", "First"),
        (1, "paragraph", "", "grouped"),
        (1, "paragraph", "", "shape"),
        (1, "list_item", "1.", "point"),
        (1, "list_item", "1.a)", "deeper"),
        (1, "table", "", "x\ty"),
        (1, "note", "speaker notes", "say this"),
        (1, "note", "comment", "remark"),
        (2, "heading", "", "Second"),
        (None, "note", "footer", "Company"),
    ]
    assert items[0] == Opened("slide", 3)
    told = [item for item in items if isinstance(item, PageRead | ReadingRemark)]
    assert told == [
        PageRead(1),
        ReadingRemark("hidden", {"unit": "slide", "name": "2"}),
        PageRead(2),
        PageRead(3, has_text=False, is_picture=True),
        ReadingRemark("pictures", {"count": 1}),
    ]
    chosen = items_of(path, first_page=2, last_page=2)
    assert [item.page for item in chosen if isinstance(item, PageRead)] == [2]


CODE = "Preformatted_20_Text"


def test_paragraphs_of_code_are_one_piece_with_their_own_white_space_only(tmp_path: Path) -> None:
    lines = [
        p("\n<text:span>def</text:span><text:s/>f():\n", CODE),
        p('\n<text:span><text:s text:c="4"/></text:span>return 1\n', CODE),
        p("", CODE),
        p(" f()", CODE),
        p("", CODE),
    ]
    path = write_odf(tmp_path / "code.odt", p("Before", "") + "\n".join(lines) + p("After") + p("g()", CODE))
    found = pieces(path)
    assert [(piece.kind, piece.text) for piece in found] == [
        (BlockKind.PARAGRAPH, "Before"),
        (BlockKind.CODE, "def f():\n    return 1\n\nf()"),
        (BlockKind.PARAGRAPH, "After"),
        (BlockKind.CODE, "g()"),
    ]
    with zipfile.ZipFile(path) as archive:
        elements = list(etree.fromstring(archive.read("content.xml")).iter())
    there = elements[found[1].place.start : found[1].place.end]
    assert "".join("".join(each.itertext()) for each in there if each.tag.endswith("}p")).split() == (
        ["deff():", "return", "1", "f()"]
    )


def test_a_numbered_paragraph_has_its_number(tmp_path: Path) -> None:
    def numbered(text: str, level: int, list_id: str = "a") -> str:
        said = f'text:list-id="{list_id}" text:style-name="L1" text:level="{level}"'
        return f"<text:numbered-paragraph {said}>{p(text)}</text:numbered-paragraph>"

    body = numbered("one", 1) + numbered("inner", 2) + numbered("two", 1) + p("between") + numbered("anew", 1, "b")
    found = pieces(write_odf(tmp_path / "a.odt", body, styles=STYLES))
    assert [(piece.text, piece.level, piece.label) for piece in found if piece.kind is BlockKind.LIST_ITEM] == [
        ("one", 1, "1."), ("inner", 2, "1.a)"), ("two", 1, "2."), ("anew", 1, "1."),
    ]  # fmt: skip


def test_a_collapsed_row_is_not_read(tmp_path: Path) -> None:
    row = f"<table:table-row{{}}>{'<table:table-cell>{}</table:table-cell>' * 2}</table:table-row>"
    hidden = row.format(' table:visibility="collapse"', p("no"), p("never"))
    rows_ = row.format("", p("a"), p("b")) + hidden + row.format("", p("c"), p("d"))
    found = pieces(write_odf(tmp_path / "a.odt", f"<table:table>{rows_}</table:table>"))
    assert [piece.text for piece in found] == ["a\tb\nc\td"]


def test_a_flat_text_in_utf_16_may_have_a_large_picture(tmp_path: Path) -> None:
    data = base64.b64encode(bytes(7_000_000)).decode()
    image = f"<draw:frame><draw:image><office:binary-data>{data}</office:binary-data></draw:image></draw:frame>"
    path = write_flat_odf(tmp_path / "a.fodt", p(f"before{image}") + p("naïve 好"))
    text = path.read_text("utf-8").replace('encoding="UTF-8"', 'encoding="UTF-16"')
    path.write_text(text, "utf-16")
    assert [piece.text for piece in pieces(path)] == ["before", "naïve 好"]


# OpenDocuments that are damaged, protected or meant to do harm: a situation, never a traceback.


def reason(path: Path) -> str:
    """Why a file cannot be read."""
    with pytest.raises(DocumentUnreadable) as caught:
        items_of(path)
    return caught.value.reason


def test_an_encrypted_document_is_protected(tmp_path: Path) -> None:
    manifest = (
        '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry><m:encryption-data/>'
        "</m:file-entry></m:manifest>"
    )
    path = write_odf(tmp_path / "a.odt", "", {"META-INF/manifest.xml": manifest, "content.xml": b"\x01\x02"})
    assert reason(path) == "protected"


def test_damage_and_hostility_are_told_as_such(tmp_path: Path) -> None:
    path, flat = tmp_path / "a.odt", tmp_path / "a.fodt"
    assert reason(write_odf(path, "", {"content.xml": odf_content("")[:-5]})) == "damaged"
    assert reason(write_odf(path, "", {"styles.xml": "no XML"})) == "damaged"
    deep = "<text:section>" * 200_000 + "</text:section>" * 200_000
    assert reason(write_odf(path, deep)) == "too_deep"
    assert reason(write_flat_odf(flat, deep)) == "too_deep"
    entity = f'<!DOCTYPE x [<!ENTITY x SYSTEM "file://{path}">]>'
    declared = odf_content(p("&x;")).replace("?>", f"?>{entity}", 1)
    assert reason(write_odf(path, "", {"content.xml": declared})) == "entities"
    flat.write_text(declared)
    assert reason(flat) == "entities"
    write_odf(path, p("word " * 1000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(path) == "damaged"
    write_flat_odf(flat, p("word " * 1000))
    flat.write_bytes(flat.read_bytes()[: flat.stat().st_size // 2])
    assert reason(flat) == "damaged"


def test_a_missing_part_is_damage(tmp_path: Path) -> None:
    path = write_odf(tmp_path / "a.odt", "")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
    assert reason(path) == "damaged"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<text:section>", "</text:section>"),
        ("<text:list><text:list-item>", "</text:list-item></text:list>"),
        ("<table:table><table:table-row><table:table-cell>", "</table:table-cell></table:table-row></table:table>"),
        ("<text:p><draw:frame><draw:text-box>", "</draw:text-box></draw:frame></text:p>"),
        ("<text:p><text:note><text:note-body>", "</text:note-body></text:note></text:p>"),
    ],
)
def test_the_deepest_nesting_that_is_read_ends_well(tmp_path: Path, opening: str, closing: str) -> None:
    levels = 245 // closing.count("</")
    path = write_odf(tmp_path / "a.odt", opening * levels + p("inmost") + closing * levels)
    assert [piece.text for piece in pieces(path)] == ["inmost"]


_TREES = misplaced(
    "text:p text:h text:span text:s text:list text:list-item text:note text:note-body text:ruby text:section"
    " text:tracked-changes table:table table:table-row table:table-cell draw:frame draw:page draw:text-box"
    " draw:object draw:image office:annotation presentation:notes office:body office:text office:automatic-styles"
    " office:master-styles style:style text:list-style text:list-level-style-number",
    (
        "",
        'text:style-name="1"',
        'style:name="1" style:family="text"',
        'text:level="1"',
        'text:level="99"',
        'text:c="-1"',
        'style:parent-style-name="1"',
        'text:outline-level="x"',
        'table:number-columns-repeated="x"',
        'xlink:href="/.."',
    ),
    "<text:p>word</text:p>",
)


@settings(suppress_health_check=list(HealthCheck))
@given(body=_TREES, kind=st.sampled_from(["text", "presentation"]))
def test_elements_where_they_do_not_belong_do_no_harm(tmp_path: Path, body: str, kind: str) -> None:
    parts = {"styles.xml": odf_part("document-styles", body), "meta.xml": odf_part("document-meta", body)}
    items_of(write_odf(tmp_path / "a.odt", body, parts, kind=kind))
    items_of(write_flat_odf(tmp_path / "a.fodt", body, kind=kind, before=body))
