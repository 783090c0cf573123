"""Workbooks: every cell once, as a person reads it, and no sheet too wide or too long to be survived."""

from __future__ import annotations

import re
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, rows_of
from app.documents.formats.format_detection import find_format
from app.documents.formats.sheets import read_sheets, workbook
from app.documents.formats.sheets.read_sheets import read
from app.documents.formats.sheets.workbook import kind_of_format, number_text
from app.documents.source import FileSource, Item, Opened, PageRead, ReadingRemark
from tests.helpers.office_files import write_flat_odf
from tests.helpers.text_files import OOXML, write_ods, write_ole, write_xlsx, write_zip


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def rows(items: list[Item]) -> list[list[str]]:
    return [
        row for each in items if isinstance(each, BlockPiece) and each.kind is BlockKind.TABLE for row in rows_of(each)
    ]


def test_cells_are_what_a_person_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    cells = (
        '<c r="B3" t="s"><v>0</v></c><c r="C3"><v>5</v></c><c r="D3"><v>0.30000000000000004</v></c>'
        '<c r="E3" s="1"><v>45000</v></c><c r="F3" s="2"><v>45000.5</v></c><c r="G3" s="3"><v>1.5</v></c>'
        '<c r="H3" t="b"><v>1</v></c><c r="I3" t="e"><v>#DIV/0!</v></c><c r="J3"><f>A1+1</f></c>'
        '<c r="K3" t="str"><f>"re"&amp;"sult"</f><v>result</v></c><c r="L3" t="d"><v>2024-01-02T00:00:00</v></c>'
        '<c r="M3"><v>1E+20</v></c><c r="N3" s="4"><v>0.25</v></c>'
    )
    strings = "<si><r><t>rich </t></r><r><t>text</t></r><rPh><t>spoken</t></rPh></si>"
    write_xlsx(
        path,
        {"Sums": f'<row r="3">{cells}</row><row r="7"><c r="B7"/></row><row><c><v>9</v></c></row>'},
        strings=strings,
    )
    opened, heading, table, page = read(FileSource(path))
    assert opened == Opened("sheet", 1)
    assert isinstance(heading, BlockPiece)
    assert (heading.kind, heading.text, heading.level, heading.page) == (BlockKind.HEADING, "Sums", 1, 1)
    assert isinstance(table, BlockPiece)
    dates = ["2023-03-15", "2023-03-15 12:00:00", "36:00:00"]
    first = ["", "rich text", "5", "0.3", *dates, "TRUE", "#DIV/0!", "", "result", "2024-01-02", "1e+20", "0.25"]
    assert list(rows_of(table)) == [first, ["9"]]
    assert (table.place.part, table.place.start, table.place.end, table.label) == ("Sums", 2, 8, "rows 3-8")
    assert page == PageRead(1)


def test_characters_that_xml_cannot_have_are_read_as_what_they_stand_for(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    sheet = f'<row r="1"><c r="A1" t="s"><v>0</v></c>{text_cell("B1", "a_x005F_x000D_b")}</row>'
    write_xlsx(path, {"One": sheet}, strings="<si><t>one_x000D_\ntwo</t></si>")
    assert rows(list(read(FileSource(path)))) == [["one two", "a_x000D_b"]]


def test_a_workbook_of_old_macs_counts_from_1904(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", {"A": '<row><c s="1"><v>45000</v></c></row>'}, from_1904=True)
    assert rows(list(read(FileSource(tmp_path / "a.xlsx")))) == [["2027-03-16"]]


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("1", "date", "1900-01-01"),
        ("59", "date", "1900-02-28"),
        ("61", "date", "1900-03-01"),
        ("0.75", "time", "18:00:00"),
        ("0.75", "date time", "18:00:00"),
        ("-0.5", "duration", "-12:00:00"),
        ("1e300", "date", "1e300"),
        ("nan", "date", "nan"),
        ("no number", "", "no number"),
        ("12345678901234567890", "", "12345678901234567890"),
        ("2.50", "", "2.5"),
    ],
)
def test_numbers_and_days(value: str, kind: str, expected: str) -> None:
    assert number_text(value, kind, from_1904=False) == expected


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", ""),
        ("0.00", ""),
        ("#,##0.00 [$€-407]", ""),
        ('0 "days"', ""),
        ("[Red]0", ""),
        ("dd/mm/yyyy", "date"),
        ("mmm", "date"),
        ("[$-409]h:mm AM/PM", "time"),
        ("yyyy-mm-dd hh:mm", "date time"),
        ("[h]:mm:ss", "duration"),
        ("0;[Red]-0 \\d", ""),
    ],
)
def test_what_a_format_shows(code: str, kind: str) -> None:
    assert kind_of_format(code) == kind


def test_two_cells_at_the_far_ends_of_a_sheet_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sparse.xlsx"
    write_xlsx(
        path,
        {"Far": f'<row r="1">{text_cell("A1", "here")}</row><row r="1048576">{text_cell("XFD1048576", "there")}</row>'},
    )
    (table,) = [
        each for each in read(FileSource(path)) if isinstance(each, BlockPiece) and each.kind is BlockKind.TABLE
    ]
    assert table.text == "here\n\tthere"
    assert (table.place.start, table.place.end) == (0, 1_048_576)


def test_rows_beyond_the_limit_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_sheets, "MOST_ROWS", 250)
    write_xlsx(
        tmp_path / "a.xlsx", {"Long": "".join(f"<row><c><v>{number}</v></c></row>" for number in range(1, 1001))}
    )
    items = list(read(FileSource(tmp_path / "a.xlsx")))
    assert [row[0] for row in rows(items)] == [str(number) for number in range(1, 251)]
    assert [each.label for each in items if isinstance(each, BlockPiece)][1:] == [
        "rows 1-100",
        "rows 101-200",
        "rows 201-250",
    ]
    assert ReadingRemark("rows_cut", {"sheet": "Long", "rows": 1000, "shown": 250}) in items


def test_a_sheet_of_long_texts_is_cut_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_sheets, "MOST_CHARACTERS", 1000)
    long = "".join(f'<row r="{row}"><c t="inlineStr"><is><t>{"w" * 300}</t></is></c></row>' for row in range(1, 11))
    write_xlsx(tmp_path / "a.xlsx", {"Long": long, "Short": '<row r="1"><c><v>7</v></c></row>'})
    items = list(read(FileSource(tmp_path / "a.xlsx")))
    assert [row[0][:1] for row in rows(items)] == ["w"] * 4 + ["7"]
    assert ReadingRemark("rows_cut", {"sheet": "Long", "rows": 10, "shown": 4}) in items


def test_formatting_without_text_ends_the_reading_of_a_sheet_at_some_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_PASSED", 1000)
    stray = '<row><c s="1"/><c s="1"/></row>' * 500
    write_xlsx(
        tmp_path / "a.xlsx", {"Stray": f"<row><c><v>1</v></c></row>{stray}", "Next": "<row><c><v>2</v></c></row>"}
    )
    items = list(read(FileSource(tmp_path / "a.xlsx")))
    assert rows(items) == [["1"], ["2"]]
    assert [each.values for each in items if isinstance(each, ReadingRemark)] == [
        {"sheet": "Stray", "rows": 501, "shown": 1}
    ]


def test_hidden_sheets_are_read_and_marked_and_pages_can_be_chosen(tmp_path: Path) -> None:
    row = "<row><c><v>1</v></c></row>"
    write_xlsx(tmp_path / "a.xlsx", {"One": row, "Two": row, "Empty": ""}, hidden="Two")
    items = list(read(FileSource(tmp_path / "a.xlsx")))
    assert ReadingRemark("hidden", {"unit": "sheet", "name": "Two"}) in items
    assert [each for each in items if isinstance(each, PageRead)] == [
        PageRead(1),
        PageRead(2),
        PageRead(3, has_text=False),
    ]
    chosen = list(read(FileSource(tmp_path / "a.xlsx", first_page=2, last_page=2)))
    assert [each.text for each in chosen if isinstance(each, BlockPiece)] == ["Two", "1"]


def test_an_empty_workbook_has_no_text(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", {"Sheet1": "", "Sheet2": '<row><c r="A1" s="1"/></row>'})
    assert not [each for each in read(FileSource(tmp_path / "a.xlsx")) if isinstance(each, BlockPiece)]


def test_comments_and_text_boxes_are_read_once(tmp_path: Path) -> None:
    relationship = f"{OOXML}/officeDocument/2006/relationships"
    parts = {
        "xl/worksheets/_rels/sheet1.xml.rels": f'<Relationships xmlns="{OOXML}/package/2006/relationships">'
        f'<Relationship Id="a" Type="{relationship}/comments" Target="../comments1.xml"/>'
        f'<Relationship Id="b" Type="{relationship}/drawing" Target="../drawings/drawing1.xml"/></Relationships>',
        "xl/comments1.xml": f'<comments xmlns="{OOXML}/spreadsheetml/2006/main"><commentList><comment ref="B3"><text>'
        "<r><t>a remark</t></r></text></comment></commentList></comments>",
        "xl/drawings/drawing1.xml": f'<d xmlns:a="{OOXML}/drawingml/2006/main"><a:p><a:r><a:t>in a box</a:t></a:r>'
        "</a:p></d>",
    }
    write_xlsx(tmp_path / "a.xlsx", {"One": "<row><c><v>1</v></c></row>"}, **parts)
    _, _, comment, box = [each for each in read(FileSource(tmp_path / "a.xlsx")) if isinstance(each, BlockPiece)]
    assert (comment.kind, comment.text, comment.label, comment.place.start) == (
        BlockKind.NOTE,
        "a remark",
        "comment",
        2,
    )
    assert box.text == "in a box"


def test_an_open_document_spreadsheet_is_read(tmp_path: Path) -> None:
    cell = '<table:table-cell office:value-type="string"><text:p>word</text:p></table:table-cell>'
    numbers = (
        '<table:table-cell office:value-type="float" office:value="3"><text:p>3</text:p></table:table-cell>'
        '<table:table-cell office:value-type="date" office:date-value="2024-02-03"><text:p>x</text:p>'
        "</table:table-cell>"
    )
    gap = '<table:table-cell table:number-columns-repeated="16384"/>'
    end = f'<table:table-row table:number-rows-repeated="1048574">{gap}</table:table-row>'
    write_ods(
        tmp_path / "a.ods",
        f'<table:table table:name="S"><table:table-row>{cell}{numbers}</table:table-row>{end}</table:table>',
    )
    items = list(read(FileSource(tmp_path / "a.ods")))
    assert items[0] == Opened("sheet", 1)
    assert rows(items) == [["word", "3", "2024-02-03"]]


def test_comments_of_an_open_document_spreadsheet_are_read_once(tmp_path: Path) -> None:
    note = "<office:annotation><text:p>a remark</text:p><text:p>of two lines</text:p></office:annotation>"
    cell = f'<table:table-cell office:value-type="string">{note}<text:p>word</text:p></table:table-cell>'
    write_ods(
        tmp_path / "a.ods", f'<table:table table:name="S"><table:table-row>{cell}</table:table-row></table:table>'
    )
    found = [(each.kind, each.text) for each in read(FileSource(tmp_path / "a.ods")) if isinstance(each, BlockPiece)]
    assert found[1:] == [(BlockKind.TABLE, "word"), (BlockKind.NOTE, "a remark\nof two lines")]


def test_an_encrypted_open_document_spreadsheet_is_protected(tmp_path: Path) -> None:
    entry = '<m:file-entry m:full-path="content.xml"><m:encryption-data/></m:file-entry>'
    members = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "noise"}
    write_zip(tmp_path / "a.ods", members | {"META-INF/manifest.xml": f'<m:manifest xmlns:m="x">{entry}</m:manifest>'})
    assert reason(tmp_path / "a.ods") == "protected"


def test_an_open_document_spreadsheet_that_spans_much_costs_what_it_holds(tmp_path: Path) -> None:
    cell = '<table:table-cell office:value-type="string"><text:p>word</text:p></table:table-cell>'
    gap = '<table:table-cell table:number-columns-repeated="16383"/>'
    middle = f'<table:table-row table:number-rows-repeated="1048574">{gap}</table:table-row>'
    row = f"<table:table-row>{gap}{cell}</table:table-row>"
    write_ods(
        tmp_path / "a.ods",
        f'<table:table table:name="S"><table:table-row>{cell}</table:table-row>{middle}{row}</table:table>',
    )
    found = [each for each in read(FileSource(tmp_path / "a.ods")) if isinstance(each, BlockPiece)]
    assert [(piece.text.split(), piece.label) for piece in found[1:]] == [(["word", "word"], "rows 1-1048576")]


def test_an_indented_spreadsheet_is_read_with_its_errors_repetitions_and_comments(tmp_path: Path) -> None:
    def cell(text: str, said: str = "", more: str = "") -> str:
        return f"\n  <table:table-cell {said}>\n{more}<text:p>{text}</text:p>\n</table:table-cell>\n"

    note = "<office:annotation><text:p>a remark</text:p></office:annotation>"
    first = cell("2<text:s/>\nx", 'office:value-type="string"', note) + cell(
        "#DIV/0!", 'office:value-type="float" office:value="0"'
    )
    second = (
        cell("y", 'table:number-columns-repeated="3" office:value-type="string"')
        + cell("1,50 €", 'office:value-type="currency" office:value="1.5"')
        + cell("half past", 'office:value-type="time" office:time-value="PT10H30M00S"')
        + cell("wahr", 'office:value-type="boolean" office:boolean-value="true"')
    )
    write_ods(
        tmp_path / "a.ods",
        f'\n<table:table table:name="One">\n<table:table-header-rows><table:table-row>{first}</table:table-row>'
        f'</table:table-header-rows>\n<table:table-row table:number-rows-repeated="2">{second}</table:table-row>'
        f'\n</table:table><table:table table:name="Empty"><table:table-row/></table:table>'
        f'<table:table table:name="Two"><table:table-row>{cell("z")}</table:table-row></table:table>',
    )
    found = list(read(FileSource(tmp_path / "a.ods")))
    line = "y\ty\ty\t1.5\t10:30:00\tTRUE"
    assert found[0] == Opened("sheet", 3)
    assert [(each.text, each.page, each.place) for each in found if isinstance(each, BlockPiece)] == [
        ("One", 1, BlockPlace("One")),
        (f"2 x\t#DIV/0!\n{line}\n{line}", 1, BlockPlace("One", 0, 3)),
        ("a remark", 1, BlockPlace("One", 0, 1)),
        ("Two", 3, BlockPlace("Two")),
        ("z", 3, BlockPlace("Two", 0, 1)),
    ]
    assert [each for each in found if isinstance(each, PageRead)] == [PageRead(1), PageRead(2, False), PageRead(3)]


def test_a_row_repeated_a_million_times_is_cut(tmp_path: Path) -> None:
    row = '<table:table-row table:number-rows-repeated="1048576"><table:table-cell office:value-type="string">'
    write_ods(
        tmp_path / "a.ods",
        f'<table:table table:name="S">{row}<text:p>a</text:p></table:table-cell></table:table-row></table:table>',
    )
    assert ReadingRemark("rows_cut", {"sheet": "S", "rows": 1048576, "shown": 100_000}) in list(
        read(FileSource(tmp_path / "a.ods"))
    )


def test_a_flat_spreadsheet_is_read_and_its_hidden_sheet_told(tmp_path: Path) -> None:
    sheet = '<table:table table:name="{}" table:style-name="{}"><table:table-row><table:table-cell><text:p>{}</text:p>'
    end = "</table:table-cell></table:table-row></table:table>"
    styles = (
        '<office:automatic-styles><style:style style:name="away" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
    )
    path = write_flat_odf(
        tmp_path / "a.fods",
        sheet.format("Shown", "", "one") + end + sheet.format("Hidden", "away", "two") + end,
        kind="spreadsheet",
        before=styles,
    )
    assert find_format(path) == "ods"
    found = list(read(FileSource(path)))
    assert [each.text for each in found if isinstance(each, BlockPiece)] == ["Shown", "one", "Hidden", "two"]
    assert ReadingRemark("hidden", {"unit": "sheet", "name": "Hidden"}) in found


def reason(path: Path) -> str:
    with pytest.raises(DocumentUnreadable) as caught:
        list(read(FileSource(path)))
    return caught.value.reason


def record(number: int, data: bytes) -> bytes:
    return number.to_bytes(2, "little") + len(data).to_bytes(2, "little") + data


def write_xls(path: Path, words: list[str]) -> None:
    """A workbook of 1993 (BIFF5), its first column being `words`."""
    beginning = record(0x809, b"\x00\x05\x05\x00" + bytes(4))
    name = b"\x05Sheet"
    before = len(beginning) + 4 + 6 + len(name) + 4
    book = beginning + record(0x85, before.to_bytes(4, "little") + bytes(2) + name) + record(0x0A, b"")
    sheet = record(0x809, b"\x00\x05\x10\x00" + bytes(4))
    for row, word in enumerate(words):
        data = word.encode("cp1252")
        sheet += record(0x204, row.to_bytes(2, "little") + bytes(4) + len(data).to_bytes(2, "little") + data)
    path.write_bytes(b"")
    write_ole(path, {"Book": book + sheet + record(0x0A, b"") + bytes(8000)})


def test_a_workbook_of_the_nineties_is_read(tmp_path: Path) -> None:
    write_xls(tmp_path / "a.xls", ["one", "two", "three"])
    items = list(read(FileSource(tmp_path / "a.xls")))
    assert [each.text for each in items if isinstance(each, BlockPiece)] == ["Sheet", "one\ntwo\nthree"]
    assert items[-1] == ReadingRemark("old_format", {"format": "xls"})


def test_a_long_result_a_comment_and_a_text_box_of_a_workbook_of_1997_are_read(tmp_path: Path) -> None:
    """Records end at 8,224 bytes; what is more comes in others, each of which says how wide its letters are."""
    first, second = "begin " + "a" * 8209, "b" * 3999 + "Ω end"
    result = struct.pack("<HHH8sHIH3s", 2, 1, 0, b"\0" * 6 + b"\xff\xff", 0, 0, 3, b"\x1e\x01\0")
    string = struct.pack("<HB", len(first + second), 0) + first.encode("latin-1")
    cells = record(0x06, result) + record(0x207, string) + record(0x3C, b"\x01" + second.encode("utf-16-le"))
    for kind, number, words in ((0x19, 7, "a comment"), (0x06, 8, "in a box")):
        cells += record(0x5D, struct.pack("<HHHH14x", 0x15, 0x12, kind, number))
        cells += record(0x1B6, struct.pack("<10xHHI", len(words), 16, 0)) + record(0x3C, b"\0" + words.encode())
        cells += record(0x3C, bytes(16))
    cells += record(0x1C, struct.pack("<HHHHHB", 2, 1, 0, 7, 2, 0) + b"Me\0")
    beginning, name = record(0x809, b"\x00\x06\x05\x00" + bytes(12)), b"\x05\0Sheet"
    before = len(beginning) + 4 + 6 + len(name) + 4
    book = beginning + record(0x85, before.to_bytes(4, "little") + bytes(2) + name) + record(0x0A, b"")
    sheet = record(0x809, b"\x00\x06\x10\x00" + bytes(12)) + cells + record(0x0A, b"")
    write_ole(tmp_path / "a.xls", {"Workbook": book + sheet + bytes(8000)})
    heading, table, comment, box = (
        each for each in read(FileSource(tmp_path / "a.xls")) if isinstance(each, BlockPiece)
    )
    assert (heading.text, table.text) == ("Sheet", first + second)
    assert (comment.kind, comment.text, comment.place) == (BlockKind.NOTE, "a comment", BlockPlace("Sheet", 2, 3))
    assert (box.kind, box.text) == (BlockKind.PARAGRAPH, "in a box")
    cut = sheet[: -len(record(0x0A, b""))] + record(0x5D, b"\0") + record(0x0A, b"")
    write_ole(tmp_path / "b.xls", {"Workbook": book + cut + bytes(8000)})
    items = list(read(FileSource(tmp_path / "b.xls")))
    assert ReadingRemark("beside_cells_lost") in items
    assert any(isinstance(each, BlockPiece) and each.text == first + second for each in items)


def test_damaged_workbooks_say_so(tmp_path: Path) -> None:
    write_ole(tmp_path / "a.xls", {"Workbook": b"\x09\x08" * 4000})
    assert reason(tmp_path / "a.xls") == "damaged"
    write_zip(tmp_path / "b.xlsx", {"[Content_Types].xml": "", "xl/other.xml": ""})
    assert reason(tmp_path / "b.xlsx") == "damaged"
    write_xlsx(tmp_path / "c.xlsx", {"One": "<row><c><v>1</v></row>"})
    assert reason(tmp_path / "c.xlsx") == "damaged"
    write_zip(tmp_path / "d.xlsb", {"[Content_Types].xml": "<x/>", "xl/workbook.bin": "junk"})
    assert reason(tmp_path / "d.xlsb") == "damaged"


def test_a_bomb_is_refused_before_calamine_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsb"
    write_zip(path, {"xl/workbook.bin": ""})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/styles.bin", bytes(120_000_000))
    assert reason(path) == "inflates"


CELLS = st.dictionaries(st.tuples(st.integers(0, 400), st.integers(0, 300)), st.just(""), max_size=40)


@given(CELLS)
def test_every_cell_is_kept_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, cells: dict[tuple[int, int], str]
) -> None:
    path = tmp_path_factory.mktemp("xlsx") / "a.xlsx"
    xml = ""
    for row in sorted({row for row, _ in cells}):
        columns = sorted(column for other, column in cells if other == row)
        inside = "".join(text_cell(f"{letters(column)}{row + 1}", f"m{row}x{column}e") for column in columns)
        xml += f'<row r="{row + 1}">{inside}</row>'
    write_xlsx(path, {"One": xml})
    found = re.findall(r"m\d+x\d+e", "\n".join("\t".join(row) for row in rows(list(read(FileSource(path))))))
    assert found == [f"m{row}x{column}e" for row, column in sorted(cells)]


def letters(column: int) -> str:
    first, second = divmod(column, 26)
    return (chr(64 + first) if first else "") + chr(65 + second)
