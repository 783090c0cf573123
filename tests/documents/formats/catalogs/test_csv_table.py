"""Tables in plain text, as badly written as they come."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.documents.blocks import BlockKind, BlockPiece, rows_of
from app.documents.formats.catalogs.csv_table import DELIMITERS, ROWS, cells, read
from app.documents.segments import SegmentKind
from app.documents.source import FileSource, Opened, ReadingRemark
from tests.helpers.rewriting import reversed_words, run_on, takes_words


def items(tmp_path: Path, data: bytes) -> tuple[list[list[str]], list[BlockPiece], list[ReadingRemark]]:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    opened, *rest = read(FileSource(path))
    assert isinstance(opened, Opened)
    pieces = [each for each in rest if isinstance(each, BlockPiece)]
    assert all(piece.kind is BlockKind.TABLE for piece in pieces)
    return (
        [row for piece in pieces for row in rows_of(piece)],
        pieces,
        [each for each in rest if isinstance(each, ReadingRemark)],
    )


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    text = "name|price|where\ntea|2,50|town and harbour\ncoffee|3,00|village\n".replace("|", delimiter)
    expected = [next(csv.reader([line], delimiter=delimiter)) for line in text.splitlines()]
    if delimiter == ",":
        text = text.replace("2,50", '"2.50"').replace("3,00", '"3.00"')
        expected = list(csv.reader(io.StringIO(text)))
    assert items(tmp_path, text.encode())[0] == expected


@pytest.mark.parametrize("said", ["sep=;", "SEP=;", '"sep=;"'])
def test_a_line_that_names_the_delimiter_is_no_row(tmp_path: Path, said: str) -> None:
    assert items(tmp_path, f"{said}\r\na,b;c\r\n".encode("utf-8-sig"))[0] == [["a,b", "c"]]


def test_one_column_is_not_divided_at_a_letter(tmp_path: Path) -> None:
    words = ["word", "moon", "book", "door"]
    assert items(tmp_path, "\n".join(words).encode())[0] == [[word] for word in words]


def test_ragged_rows_line_breaks_in_quotes_and_nuls_are_no_error(tmp_path: Path) -> None:
    rows, pieces, remarks = items(
        tmp_path, b'a,b\n1\n\n1,2,3\n"two\nlines, ""quoted""",x\n4,\0five\n"open, to the end\nof all'
    )
    assert rows[:3] == [["a", "b"], ["1"], ["1", "2", "3"]]
    assert rows[3] == ['two lines, "quoted"', "x"]
    assert rows[4] == ["4", "five"]
    assert rows[5] == ["open, to the end of all"]
    assert remarks == [ReadingRemark("odd_bytes", {"count": 1})]
    assert pieces[0].label == "rows 1-7"


def test_a_field_of_three_hundred_kilobytes_is_kept(tmp_path: Path) -> None:
    field = "word " * 60_000
    rows = items(tmp_path, f'a,"{field}"\nb,c\n'.encode())[0]
    assert rows == [["a", field.strip()], ["b", "c"]]


def test_a_long_table_comes_in_parts_that_say_which_rows_they_are(tmp_path: Path) -> None:
    data = "".join(f"{number};value {number}\r\n" for number in range(1, 251)).encode("utf-16")
    rows, pieces, remarks = items(tmp_path, data)
    assert [row[0] for row in rows] == [str(number) for number in range(1, 251)]
    assert [piece.label for piece in pieces] == ["rows 1-100", "rows 101-200", "rows 201-250"]
    text = data.decode("utf-16")
    assert text[pieces[1].place.start : pieces[1].place.end].splitlines()[0] == "101;value 101"
    assert remarks == [ReadingRemark("encoding", {"encoding": "utf-16-le"})]


CELLS = st.text(st.sampled_from('ab ",;|\t\n\r\u00e9'), max_size=6)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=2 * ROWS), st.sampled_from(DELIMITERS))
def test_every_cell_is_kept_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]], delimiter: str
) -> None:
    marked = [[f"m{row}x{column}e{cell}" for column, cell in enumerate(each)] for row, each in enumerate(cells)]
    out = io.StringIO(newline="")
    out.write(f"sep={delimiter}\n")
    csv.writer(out, delimiter=delimiter).writerows(marked)
    rows = items(tmp_path_factory.mktemp("csv"), out.getvalue().encode())[0]
    assert rows == [[" ".join(cell.split()) for cell in each] for each in marked]


# Tables in plain text written back: cells that are language change, quoted as they were.


TABLE = """\
Name;Price;Remark
"Red ""big"" apple";1,20;Nice, and good
Pear;3;"two
lines"

http://x.y;2026-01-01;A1
ragged row;;;more here
"""
REVERSED = """\
emaN;ecirP;krameR
"elppa ""gib"" deR";1,20;doog dna ,eciN
raeP;3;"owt
senil"

http://x.y;2026-01-01;A1
wor deggar;;;ereh erom
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_cells_change_and_all_else_stays(tmp_path: Path, newline: str) -> None:
    data = TABLE.replace("\n", newline).encode("utf-8-sig")
    takes_words("csv", tmp_path, data)
    assert run_on("csv", tmp_path, data, reversed_words).data == REVERSED.replace("\n", newline).encode("utf-8-sig")


def test_a_cell_knows_its_column(tmp_path: Path) -> None:
    found = [(segment.text, segment.context) for segment in run_on("csv", tmp_path, TABLE).segments]
    assert ("Price", "") in found
    assert ("Nice, and good", "Remark") in found
    assert ("more here", "") in found
    assert {segment.kind for segment in run_on("csv", tmp_path, TABLE).segments} == {SegmentKind.CELL}


def test_the_line_that_names_the_delimiter_stays(tmp_path: Path) -> None:
    assert (
        run_on("csv", tmp_path, "sep=|\nName|A word, and more\n", reversed_words).text
        == "sep=|\nemaN|erom dna ,drow A\n"
    )


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("eins; zwei", '"eins; zwei"'),
        ('ein "Wort"', '"ein ""Wort"""'),
        ("zwei\nZeilen", "zwei Zeilen"),
        ("eins, zwei", "eins, zwei"),
    ],
)
def test_a_cell_is_quoted_where_it_must_be(tmp_path: Path, new: str, expected: str) -> None:
    result = run_on(
        "csv", tmp_path, "a;b\nsome words;2\nx;3\n", lambda segment: (new,) if "some" in segment.text else None
    )
    assert result.text == f"a;b\n{expected};2\nx;3\n"


def test_a_table_of_tabs_gets_no_tab_and_no_quotes(tmp_path: Path) -> None:
    result = run_on(
        "csv",
        tmp_path,
        "a\tb\nsome words\t2\nx\t3\n",
        lambda segment: ('a\tb "c"',) if "some" in segment.text else None,
    )
    assert result.text == 'a\tb\na b "c"\t2\nx\t3\n'


def test_the_letters_of_another_script_make_it_utf8_with_a_mark(tmp_path: Path) -> None:
    data = "a;b\nCafé;2\nx;3\n".encode("cp1252")
    result = run_on("csv", tmp_path, data, lambda segment: ("дом",) if "Caf" in segment.text else None)
    assert result.data == "a;b\nдом;2\nx;3\n".encode("utf-8-sig")


@pytest.mark.parametrize(
    "data",
    [
        b'a,"unterminated words\nb,c\nd,e\n', b'"' * 999 + b"\nwords,b\n", b"a\0b,some words\n" * 3,
        b"one column\nof words\n", b'x,"' + b"word " * 60_000 + b'",y\n', b",,,\n,,,\n", b'a,"b"junk words,c\n' * 3,
        b'a, "b c", d\n' * 3, b"\xff\xfe\xff words;x\n" * 3,
    ],
)  # fmt: skip
def test_odd_tables_come_back_as_they_were(tmp_path: Path, data: bytes) -> None:
    assert run_on("csv", tmp_path, data).data == data


CELL = st.text(st.sampled_from('ab ",;\n\r'), max_size=6)


@given(
    st.lists(st.lists(CELL, min_size=1, max_size=4), min_size=1, max_size=4),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_cells_are_those_that_were_written(rows: list[list[str]], quoting: int) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    assert [cell.value for cell in cells(out.getvalue(), ",", 0)] == [cell for row in rows for cell in row if cell]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(["some words", '"', ",", "\n", '""', '"quoted words"', " ", "\r\n", "x"]), max_size=15
    ).map("".join)
)
def test_any_table_comes_back_as_it_was_and_takes_words(tmp_path: Path, text: str) -> None:
    takes_words("csv", tmp_path, text)


def test_names_with_a_capital_inside_are_words(tmp_path: Path) -> None:
    found = run_on("csv", tmp_path, b"last,kind\nMcLaughlin,camelCase\nLaMonte,MyBigClass\nSmith,x_y\n").segments
    assert [each.text for each in found] == ["last", "kind", "McLaughlin", "LaMonte", "Smith"]
