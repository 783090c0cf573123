"""Tables in plain text, as badly written as they come."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import Kind, Piece, rows_of
from app.documents.formats.catalogs.csv_table import DELIMITERS, ROWS, read
from app.documents.source import Opened, Remark, Source


def items(tmp_path: Path, data: bytes) -> tuple[list[list[str]], list[Piece], list[Remark]]:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    opened, *rest = read(Source(path))
    assert isinstance(opened, Opened)
    pieces = [each for each in rest if isinstance(each, Piece)]
    assert all(piece.kind is Kind.TABLE for piece in pieces)
    return (
        [row for piece in pieces for row in rows_of(piece)],
        pieces,
        [each for each in rest if isinstance(each, Remark)],
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
    assert remarks == [Remark("odd_bytes", {"count": 1})]
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
    assert remarks == [Remark("encoding", {"encoding": "utf-16-le"})]


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
