"""XLSX written back: the words of cells and of what stands beside them, with the names that depend on them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockPiece
from app.documents.formats.office.package import escaped, unescaped, without_forbidden
from app.documents.formats.sheets.read_sheets import read
from app.documents.formats.sheets.table_headers import SheetTable, renamed_formula
from app.documents.segments import Content, Mark, Segment, SegmentKind, plain
from app.documents.source import FileSource, ReadingRemark, TargetLanguage
from tests.helpers import rewriting
from tests.helpers.office_files import rels
from tests.helpers.rewriting import reversed_words
from tests.helpers.text_files import OOXML, write_xlsx
from tests.helpers.word_files import single

MAIN = f"{OOXML}/spreadsheetml/2006/main"
SHEET_RELS = "xl/worksheets/_rels/sheet1.xml.rels"
CACHE = "xl/pivotCache/pivotCacheDefinition1.xml"


def member(data: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).decode()


def strings(data: bytes) -> list[str]:
    """The shared strings as XML."""
    return re.findall(r"<si>.*?</si>", member(data, "xl/sharedStrings.xml"), re.DOTALL)


def shared(place: str, index: int) -> str:
    return f'<c r="{place}" t="s"><v>{index}</v></c>'


def inline(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def si(*texts: str) -> str:
    return "".join(f"<si><t>{text}</t></si>" for text in texts)


def rewritten(
    tmp_path: Path,
    sheets: dict[str, str],
    change: Callable[[Segment], Content | None] | None = reversed_words,
    target: TargetLanguage | None = None,
    **parts: str,
) -> rewriting.Result:
    """A workbook of these sheets after it was rewritten."""
    write_xlsx(tmp_path / "a.xlsx", sheets, **parts)
    return rewriting.run("xlsx", tmp_path / "a.xlsx", change, target)


def pieces(data: bytes, folder: Path) -> list[BlockPiece]:
    """What our own reader finds in a file."""
    path = folder / "written.xlsx"
    path.write_bytes(data)
    return [item for item in read(FileSource(path)) if isinstance(item, BlockPiece)]


def test_a_string_of_several_cells_is_one_segment_in_the_order_of_the_cells(tmp_path: Path) -> None:
    sheets = {
        "One": row(1, shared("A1", 2), shared("B1", 0)) + row(2, shared("A2", 0), '<c r="B2"><v>7</v></c>'),
        "Two": row(1, inline("A1", "first"), inline("B1", "own"), inline("C1", "own"), shared("D1", 99)),
    }
    result = rewritten(tmp_path, sheets, strings=si("first", "nobody", "head"))
    assert [(segment.text, segment.page, segment.kind) for segment in result.segments] == [
        *(("head", 1, SegmentKind.CELL), ("first", 1, SegmentKind.CELL), ("own", 2, SegmentKind.CELL)),
    ]
    assert strings(result.data) == ["<si><t>tsrif</t></si>", "<si><t>nobody</t></si>", "<si><t>daeh</t></si>"]
    written = member(result.data, "xl/worksheets/sheet2.xml")
    assert written.count("<t>nwo</t>") == 2
    assert "<t>tsrif</t>" in written
    assert member(result.data, "xl/worksheets/sheet1.xml").count("<v>7</v>") == 1


def test_names_of_sheets_are_left_and_told(tmp_path: Path) -> None:
    result = rewritten(tmp_path, {"One": row(1, shared("A1", 0)), "2024": ""}, strings=si("text"))
    assert result.remarks == [ReadingRemark("left_names", {"count": 1})]
    assert 'name="One"' in member(result.data, "xl/workbook.xml")


def test_results_of_formulas_and_numbers_are_left(tmp_path: Path) -> None:
    cells = '<c r="A1" t="str"><f>"a"&amp;"b"</f><v>ab</v></c><c r="B1"><v>45000</v></c><c r="C1" t="b"><v>1</v></c>'
    result = rewritten(tmp_path, {"One": row(1, cells)})
    assert result.segments == []
    assert result.data == (tmp_path / "a.xlsx").read_bytes()


def test_runs_of_a_string_are_marks_and_how_it_is_spoken_goes_with_the_words(tmp_path: Path) -> None:
    bold = "<r><rPr><b/><sz val='9'/></rPr><t>bold</t></r>"
    rich = (
        f'<si><r><t xml:space="preserve">A </t></r>{bold}<rPh sb="0" eb="1"><t>x</t></rPh><phoneticPr fontId="1"/></si>'
    )
    result = rewritten(tmp_path, {"One": row(1, shared("A1", 0))}, strings=rich)
    (segment,) = result.segments
    assert segment.content == (Mark("open", 1, "other"), "A ", Mark("close", 1), "bold")
    assert strings(result.data) == [
        '<si><r><t xml:space="preserve">A </t></r><r><rPr><b/><sz val="9"/></rPr><t>dlob</t></r>'
        '<phoneticPr fontId="1"/></si>'
    ]


def test_lines_of_a_cell_stay_lines(tmp_path: Path) -> None:
    result = rewritten(tmp_path, {"One": row(1, shared("A1", 0))}, strings=si("one_x000D_\ntwo\n"))
    assert result.segments[0].content == ("one", single(1, "break"), "two")
    assert strings(result.data) == ['<si><t xml:space="preserve">eno\nowt\n</t></si>']


def test_tabs_in_a_cell_are_marks(tmp_path: Path) -> None:
    result = rewritten(tmp_path, {"One": row(1, shared("A1", 0))}, strings=si("one\ttwo"))
    assert result.segments[0].content == ("one", single(1, "tab"), "two")
    assert strings(result.data) == ["<si><t>eno\towt</t></si>"]


def test_a_text_that_looks_like_an_escape_is_none(tmp_path: Path) -> None:
    result = rewritten(
        tmp_path, {"One": row(1, shared("A1", 0))}, lambda _: ("_x0041_\x0b",), strings=si("a_x005F_x0042_")
    )
    assert result.texts == ["a_x0042_"]
    assert strings(result.data) == ["<si><t>_x005F_x0041_</t></si>"]


@given(st.lists(st.sampled_from(["_x000A_", "_", "x", "005F", "\n", "é"]) | st.text(max_size=3)).map("".join))
def test_what_is_escaped_means_the_text(text: str) -> None:
    allowed = without_forbidden(text).replace("\r", "")
    assert unescaped(escaped(allowed)) == allowed


def test_comments_and_drawings_are_translated(tmp_path: Path) -> None:
    threads = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
    sheet_rels = {"a": ("comments", "../comments1.xml"), "b": ("threadedComment", "../threadedComments/t1.xml")}
    spaces = f'xmlns:xdr="{OOXML}/drawingml/2006/spreadsheetDrawing" xmlns:a="{OOXML}/drawingml/2006/main"'
    remark = '<r><rPr><b/></rPr><t>Ann:</t></r><r><t xml:space="preserve">\na remark that is long</t></r>'
    mention = '<text>@Ann look</text><mentions><mention startIndex="0" length="4"/></mentions>'
    box = '<xdr:cNvPr id="1" name="n" descr="a picture"/><a:p><a:r><a:t>in a box</a:t></a:r></a:p>'
    cached = "<c:strCache><c:pt><c:v>North</c:v></c:pt></c:strCache>"
    parts = {
        SHEET_RELS: rels(sheet_rels | {"c": ("drawing", "../drawings/drawing1.xml")}),
        "xl/comments1.xml": f'<comments xmlns="{MAIN}"><comment ref="B3"><text>{remark}</text></comment></comments>',
        "xl/threadedComments/t1.xml": f'<t xmlns="{threads}"><threadedComment>{mention}</threadedComment></t>',
        "xl/drawings/drawing1.xml": f"<xdr:wsDr {spaces}>{box}</xdr:wsDr>",
        "xl/drawings/_rels/drawing1.xml.rels": rels({"x": ("chart", "../charts/chart1.xml")}),
        "xl/charts/chart1.xml": f'<c:chart xmlns:c="{OOXML}/drawingml/2006/chart">{cached}</c:chart>',
    }
    result = rewritten(tmp_path, {"One": row(1, shared("A1", 0))}, strings=si("North"), **parts)
    assert [(segment.text, segment.kind.value) for segment in result.segments] == [
        *(("North", "cell"), ("Ann:a remark that is long", "note"), ("@Ann look", "note")),
        *(("a picture", "label"), ("in a box", "paragraph")),
    ]
    assert "gnol si taht kramer a" in member(result.data, "xl/comments1.xml")
    assert "<text>kool nnA@</text></threadedComment>" in member(result.data, "xl/threadedComments/t1.xml")
    assert 'descr="erutcip a"' in member(result.data, "xl/drawings/drawing1.xml")
    assert "<c:v>htroN</c:v>" in member(result.data, "xl/charts/chart1.xml")


def with_member(path: Path, name: str, change: Callable[[str], str]) -> None:
    """The same archive with one member changed."""
    with zipfile.ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    members[name] = change(members[name].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, data in members.items():
            archive.writestr(each, data)


def test_headers_and_footers_keep_their_codes(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_xlsx(path, {"One": row(1, '<c r="A1"><v>1</v></c>')})
    margins = (
        '<headerFooter><oddHeader>&amp;L&amp;"Arial,Bold"&amp;12Report R&amp;&amp;D&amp;R&amp;D</oddHeader>'
        "<oddFooter>&amp;CPage &amp;P of &amp;N</oddFooter></headerFooter></worksheet>"
    )
    with_member(path, "xl/worksheets/sheet1.xml", lambda text: text.replace("</worksheet>", margins))

    def change(segment: Segment) -> Content:
        return tuple({"Report R&D": "2024 R&D", "Page ": "Seite "}.get(part, part) for part in segment.content)

    result = rewriting.run("xlsx", path, change)
    assert [segment.content for segment in result.segments] == [
        ("Report R&D",),
        ("Page ", single(1, "field"), " of ", single(2, "field")),
    ]
    assert {segment.kind for segment in result.segments} == {SegmentKind.HEADER}
    written = member(result.data, "xl/worksheets/sheet1.xml")
    assert '&amp;L&amp;"Arial,Bold"&amp;12 2024 R&amp;&amp;D&amp;R&amp;D<' in written
    assert "<oddFooter>&amp;CSeite &amp;P of &amp;N<" in written


def table_parts(columns: str, ref: str, attributes: str = "") -> dict[str, str]:
    """A table on the first sheet."""
    named = f'id="1" name="Sales" displayName="Sales" ref="{ref}" {attributes}'
    return {
        SHEET_RELS: rels({"t": ("table", "../tables/table1.xml")}),
        "xl/tables/table1.xml": f'<table xmlns="{MAIN}" {named}><tableColumns>{columns}</tableColumns></table>',
    }


def columns(data: bytes) -> list[str]:
    return re.findall(r'<tableColumn [^>]*?name="([^"]*)"', member(data, "xl/tables/table1.xml"))


def test_the_columns_of_a_table_have_the_names_of_their_header_cells(tmp_path: Path) -> None:
    names = ("Name", "Total", "Per cent")
    listed = "".join(f'<tableColumn id="{number}" name="{name}"/>' for number, name in enumerate(names, 1))
    listed = listed.replace('name="Total"', 'name="Total" totalsRowLabel="Sum"')
    formulas = row(6, '<c r="E6"><f>SUM(Sales[Total])+Sales[[#This Row],[Per cent]]+OtherSales[Total]</f><v>3</v></c>')
    sheet = row(2, *(shared(f"{letter}2", index) for index, letter in enumerate("BCD"))) + row(3, shared("C3", 3))
    result = rewritten(
        tmp_path,
        {"One": sheet + formulas},
        strings=si(*names, "Sum"),
        **table_parts(listed, "B2:D3", attributes='totalsRowCount="1"'),
    )
    assert columns(result.data) == ["emaN", "latoT", "tnec reP"]
    assert 'totalsRowLabel="muS"' in member(result.data, "xl/tables/table1.xml")
    assert "SUM(Sales[latoT])+Sales[[#This Row],[tnec reP]]+OtherSales[Total]" in member(
        result.data, "xl/worksheets/sheet1.xml"
    )


def test_names_that_became_equal_or_empty_are_told_apart_in_the_cells_too(tmp_path: Path) -> None:
    listed = "".join(f'<tableColumn id="{number}" name="{name}"/>' for number, name in enumerate("abcd", 1))
    sheet = row(1, *(shared(f"{letter}1", index) for index, letter in enumerate("ABCD"))) + row(2, shared("A2", 1))

    def change(segment: Segment) -> Content | None:
        return {"a": ("same",), "b": ("Same",), "c": (" ",)}.get(segment.text)

    result = rewritten(tmp_path, {"One": sheet}, change, strings=si(*"abcd"), **table_parts(listed, "A1:D2"))
    assert columns(result.data) == ["same", "Same 2", "c", "d"]
    written = member(result.data, "xl/worksheets/sheet1.xml")
    assert '<c r="B1" t="inlineStr"><is><t>Same 2</t></is></c><c r="C1" t="inlineStr"><is><t>c</t></is></c>' in written
    assert '<c r="A2" t="s"><v>1</v></c>' in written


def test_the_columns_of_a_query_keep_their_names(tmp_path: Path) -> None:
    parts = table_parts('<tableColumn id="1" name="Name"/>', "A1:A2", attributes='tableType="queryTable"')
    sheet = row(1, shared("A1", 0)) + row(2, shared("A2", 0))
    result = rewritten(tmp_path, {"One": sheet}, strings=si("Name"), **parts)
    assert columns(result.data) == ["Name"]
    assert '<c r="A1" t="inlineStr"><is><t>Name</t></is></c>' in member(result.data, "xl/worksheets/sheet1.xml")
    assert strings(result.data) == ["<si><t>emaN</t></si>"]


def test_the_fields_of_a_pivot_cache_and_its_slicers_are_named_like_its_source(tmp_path: Path) -> None:
    source = '<cacheSource type="worksheet"><worksheetSource ref="A1:B3" sheet="Data"/></cacheSource>'
    fields = '<cacheField name="Region"/><cacheField name="Sum"/><cacheField name="Extra" databaseField="0"/>'
    cache = f'<pivotCacheDefinition xmlns="{MAIN}">{source}<cacheFields>{fields}</cacheFields></pivotCacheDefinition>'
    slicer = f'<slicerCacheDefinition xmlns="{MAIN}" sourceName="Region"/>'
    parts = {CACHE: cache, "xl/slicerCaches/slicerCache1.xml": slicer}
    sheet = row(1, shared("A1", 0), shared("B1", 1)) + row(2, shared("A2", 2))
    result = rewritten(tmp_path, {"Data": sheet}, strings=si("Region", "Sum", "Extra"), **parts)
    assert re.findall('cacheField name="([^"]*)"', member(result.data, CACHE)) == ["noigeR", "muS", "Extra"]
    assert 'sourceName="noigeR"' in member(result.data, "xl/slicerCaches/slicerCache1.xml")


def test_a_pivot_cache_of_a_table_is_named_like_its_columns(tmp_path: Path) -> None:
    source = '<cacheSource type="worksheet"><worksheetSource name="sales"/></cacheSource>'
    cache = f'<pivotCacheDefinition xmlns="{MAIN}">{source}<cacheField name="Name"/></pivotCacheDefinition>'
    parts = table_parts('<tableColumn id="1" name="Name"/>', "A1:A2") | {CACHE: cache}
    result = rewritten(tmp_path, {"One": row(1, shared("A1", 0))}, strings=si("Name"), **parts)
    assert 'cacheField name="emaN"' in member(result.data, CACHE)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("Sales[a b]*2", "Sales[x'[y]*2"),
        ("sales[[#Headers],[a b]:[c]]&Sales[#All]", "sales[[#Headers],[x'[y]:[c]]&Sales[#All]"),
        ("Sales['#d]+MySales[a b]+SalesB[a b]", "Sales[e]+MySales[a b]+SalesB[a b]"),
        ("Sales[a b", "Sales[x'[y"),
        ("Sales[[a b]", "Sales[[x'[y]"),
    ],
)
def test_references_to_columns_are_renamed_whatever_their_form(formula: str, expected: str) -> None:
    table = SheetTable("", "", "Sales", (1, 1), (2, 2), [], renamed={"a b": "x[y", "#d": "e"})
    assert renamed_formula(formula, table) == expected


def test_inside_of_a_table_its_columns_are_renamed_without_its_name(tmp_path: Path) -> None:
    listed = '<tableColumn id="1" name="Net"/><tableColumn id="2" name="Tax"><calculatedColumnFormula>[Net]*2'
    listed += "</calculatedColumnFormula></tableColumn>"
    formula = "[[#This Row],[Net]]*2+[Net]Sheet!A1"
    cells = row(1, shared("A1", 0), shared("B1", 1)) + row(
        2, f'<c r="B2"><f>{formula}</f></c>', f'<c r="D2"><f>{formula}</f></c>'
    )
    result = rewritten(tmp_path, {"One": cells}, strings=si("Net", "Tax"), **table_parts(listed, "A1:B2"))
    written = member(result.data, "xl/worksheets/sheet1.xml")
    assert re.findall("<f>(.*?)</f>", written) == ["[[#This Row],[teN]]*2+[Net]Sheet!A1", formula]
    assert "<calculatedColumnFormula>[teN]*2<" in member(result.data, "xl/tables/table1.xml")


def test_sheets_with_translated_cells_are_turned_to_the_targets_direction(tmp_path: Path) -> None:
    sheets = {"One": row(1, shared("A1", 0)), "Two": row(1, '<c r="A1"><v>1</v></c>')}
    result = rewritten(tmp_path, sheets, reversed_words, TargetLanguage("ar", is_rtl=True), strings=si("text"))
    first = member(result.data, "xl/worksheets/sheet1.xml")
    assert '<sheetViews><sheetView workbookViewId="0" rightToLeft="1"/></sheetViews><sheetData>' in first
    assert "rightToLeft" not in member(result.data, "xl/worksheets/sheet2.xml")
    (tmp_path / "a.xlsx").write_bytes(result.data)
    back = rewriting.run("xlsx", tmp_path / "a.xlsx", reversed_words, TargetLanguage("de"))
    assert '<sheetView workbookViewId="0"/>' in member(back.data, "xl/worksheets/sheet1.xml")


@given(
    words=st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=6),
    said=st.lists(st.text(st.characters(codec="utf-8"), max_size=4), min_size=6, max_size=6),
)
def test_header_cells_and_columns_agree_whatever_the_words_are(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], said: list[str]
) -> None:
    tmp_path = tmp_path_factory.mktemp("book")
    names = list(dict.fromkeys(f"n{index}" for index, _ in enumerate(words)))
    listed = "".join(f'<tableColumn id="{number}" name="{name}"/>' for number, name in enumerate(names, 1))
    cells = row(1, *(shared(f"{chr(65 + index)}1", index) for index, _ in enumerate(names)))
    result = rewritten(
        tmp_path,
        {"One": cells},
        lambda segment: (said[segment.id - 1],),
        strings=si(*names),
        **table_parts(listed, f"A1:{chr(64 + len(names))}2"),
    )
    root = etree.fromstring(member(result.data, "xl/tables/table1.xml").encode())
    named = [unescaped(each.get("name")) for each in root.iter(f"{{{MAIN}}}tableColumn")]
    assert len({name.casefold() for name in named}) == len(names)
    assert all(name.strip() for name in named)
    sheet = etree.fromstring(member(result.data, "xl/worksheets/sheet1.xml").encode())
    table = etree.fromstring(member(result.data, "xl/sharedStrings.xml").encode())
    shown = []
    for cell in sheet.iter(f"{{{MAIN}}}c"):
        holder = cell.find(f"{{{MAIN}}}is")
        holder = table[int(cell.findtext(f"{{{MAIN}}}v"))] if holder is None else holder
        shown.append(unescaped("".join(holder.itertext())))
    assert shown == named


def test_a_workbook_in_which_nothing_changes_is_the_same_file(tmp_path: Path) -> None:
    sheets = {"One": row(1, shared("A1", 0), inline("B1", "own"))}
    for change in (None, lambda segment: segment.content):
        result = rewritten(tmp_path, sheets, change, TargetLanguage("ar", is_rtl=True), strings=si("text"))
        assert result.data == (tmp_path / "a.xlsx").read_bytes()


def test_the_title_of_a_workbook_is_a_label(tmp_path: Path) -> None:
    core = '<p xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A title</dc:title></p>'
    result = rewritten(tmp_path, {"One": ""}, **{"docProps/core.xml": core})
    assert [(plain(segment.content), segment.kind) for segment in result.segments] == [("A title", SegmentKind.LABEL)]


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(DocumentUnreadable):
        rewriting.run("xlsx", tmp_path / "a.xlsx")
