"""Workbooks: XLSX and ODS by hand, XLS and XLSB by python-calamine.

A place's part is the sheet's name; its start and end are rows, counted from 0, the end being the first row that is no
more in the piece. A piece has at most `ROWS` rows; its label says which, counted from 1 as a spreadsheet does.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import olefile
import python_calamine

from app.documents.archive import CHUNK_BYTES, Archive, is_zip
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, table_text
from app.documents.formats.markup.xml_tree import WithoutPictures
from app.documents.formats.opendocument.odf_spreadsheet import OdfSpreadsheet, RepeatedRows
from app.documents.formats.opendocument.styles import CONTENT, refuse_protected
from app.documents.formats.sheets.workbook import Workbook
from app.documents.formats.sheets.xls_extras import SheetExtras, beside_cells
from app.documents.source import FileSource, Item, Opened, PageRead, ReadingRemark, counted

ROWS = 100
MOST_ROWS = 100_000
_MOST_CELLS = 1_000_000
"""Limit of a sheet; the rest isn't read, with a remark."""
MOST_CHARACTERS = 50_000_000
"""Limit of a sheet, as `_MOST_CELLS`."""
_MOST_PIECE_CHARACTERS = 100_000
_MOST_EMPTY_COLUMNS = 64
"""More of them between the columns of a piece are left out of it."""


_Rows = Iterator[tuple[int, dict[int, str]]]
"""Row by row, its number and its cells by column, both from 0; only rows that have any."""


class _SheetContent(NamedTuple):
    """Content of a sheet in and next to its cells; skipped rows are counted on demand."""

    rows: _Rows
    beside: Iterable[BlockPiece]
    count_rows: Callable[[], int]
    is_cut: Callable[[], bool] = lambda: False
    """Asked for after the last row."""


def read(source: FileSource) -> Iterator[Item]:
    """Yield the sheets in order, hidden ones too; raises DocumentUnreadable."""
    if is_zip(source.path):
        with Archive(source) as archive:
            if "xl/workbook.bin" in archive:
                # calamine inflates without a limit, so all is counted before it may.
                _count_inflated(archive)
                yield from _by_calamine(source)
            elif CONTENT in archive:
                refuse_protected(archive, source)
                yield from _read_ods(OdfSpreadsheet(lambda: archive.open(CONTENT), source), source)
            else:
                yield from _read_xlsx(Workbook(archive, source), source)
    elif olefile.isOleFile(source.path):
        yield from _by_calamine(source)
        yield ReadingRemark("old_format", {"format": "xls"})
    else:
        yield from _read_ods(OdfSpreadsheet(lambda: WithoutPictures(source.path.open("rb")), source), source)


def _read_xlsx(book: Workbook, source: FileSource) -> Iterator[Item]:
    yield Opened("sheet", len(book.sheets), book.title)
    for page, sheet in enumerate(book.sheets, 1):
        if source.wants(page):
            count = partial(book.count_rows, sheet)
            content = _SheetContent(book.rows(sheet), book.beside(sheet, page), count, lambda: book.is_cut)
            yield from _Sheet(sheet.name, page, source).items(content if sheet.part else None, sheet.is_hidden)


def _read_ods(book: OdfSpreadsheet, source: FileSource) -> Iterator[Item]:
    yield Opened("sheet", len(book.sheets), book.title)
    for index, found in groupby(book.found(), key=lambda repeated: repeated.sheet):
        page, sheet = index + 1, book.sheets[index]
        if source.wants(page):
            beside: list[BlockPiece] = []
            content = _SheetContent(
                _repeat_rows(found, beside, page, sheet.name), beside, partial(getattr, sheet, "rows")
            )
            yield from _Sheet(sheet.name, page, source).items(content, sheet.is_hidden)
    yield from counted("pictures", book.pictures)


def _repeat_rows(found: Iterator[RepeatedRows], beside: list[BlockPiece], page: int, name: str) -> _Rows:
    """Yield rows with repetitions; drawings and notes are added to `beside`, with their rows as place."""
    for _, number, times, cells, pieces in found:
        end = number + max(times, 1)
        beside += (piece._replace(page=page, place=BlockPlace(name, number, end)) for piece in pieces)
        if cells:
            yield from ((row, cells) for row in range(number, end))


def _by_calamine(source: FileSource) -> Iterator[Item]:
    with _open_book(source) as book:
        sheets = book.sheets_metadata
        # Before the sheets: their long texts replace what calamine truncates.
        found, is_all = beside_cells(source)
        others = dict(enumerate(found, 1))
        yield Opened("sheet", len(sheets))
        if not is_all:
            yield ReadingRemark("beside_cells_lost")
        for page, sheet in enumerate(sheets, 1):
            if not source.wants(page):
                continue
            content = None
            if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet:
                cells, beside = _sheet(book, page - 1, source), others.get(page, SheetExtras())
                content = _SheetContent(
                    _iterate_rows(cells, beside), beside.pieces(page, sheet.name), partial(getattr, cells, "height")
                )
            is_hidden = sheet.visible != python_calamine.SheetVisibleEnum.Visible
            yield from _Sheet(sheet.name, page, source).items(content, is_hidden)


def _open_book(source: FileSource) -> Any:
    with _translate_errors(source):
        return python_calamine.CalamineWorkbook.from_path(str(source.path))


def _sheet(book: Any, index: int, source: FileSource) -> Any:
    with _translate_errors(source):
        return book.get_sheet_by_index(index)


@contextmanager
def _translate_errors(source: FileSource) -> Iterator[None]:
    try:
        yield
    except python_calamine.PasswordError:
        raise source.unreadable("protected") from None
    except python_calamine.CalamineError as error:
        # It has no class of its own for a sheet that spans too much.
        raise source.unreadable("inflates" if "limit" in str(error) else "damaged") from None
    except (OSError, ValueError):
        raise source.unreadable("damaged") from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of Rust, and no Exception
            raise source.unreadable("damaged") from None
        raise


def _count_inflated(archive: Archive) -> None:
    """Count the bytes that calamine will inflate without limit, before it does."""
    for name in archive.names:
        if name.lower().endswith((".xml", ".bin", ".rels")):
            with archive.open(name) as stream:
                while stream.read(CHUNK_BYTES):
                    pass


def _iterate_rows(cells: Any, beside: SheetExtras) -> _Rows:
    # calamine's rows begin with the sheet's first, its columns with the first that is used.
    left = cells.start[1] if cells.start else 0  # rows come from the first of the sheet, columns from the first used
    for number, row in enumerate(cells.iter_rows()):
        found = {column: text for column, value in enumerate(row, left) if (text := _cell_text(value))}
        found |= {column: beside.long[number, column] for column in found if (number, column) in beside.long}
        if found:
            yield number, found


def _cell_text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return str(value).upper()
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
        case datetime.datetime():
            return value.isoformat(sep=" ", timespec="seconds").removesuffix(" 00:00:00")
        case datetime.time() | datetime.date():
            return value.isoformat()
        case _:
            return str(value)


class _Sheet:
    def __init__(self, name: str, page: int, source: FileSource) -> None:
        self._name = name
        self._page = page
        self._source = source
        self._left = 1 << 20
        self._shown = 0
        """Rows."""
        self._has_text = False
        self._is_cut = False

    def items(self, content: _SheetContent | None, is_hidden: bool) -> Iterator[Item]:
        """Yield everything; `content` is None for a sheet without cells, such as a chart."""
        if is_hidden:
            yield ReadingRemark("hidden", {"unit": "sheet", "name": self._name})
        if content is not None:
            yield from self._table_pieces(content.rows)
            if self._is_cut or content.is_cut():
                values: dict[str, str | int] = {"sheet": self._name, "rows": content.count_rows(), "shown": self._shown}
                yield ReadingRemark("rows_cut", values)
            for piece in content.beside:
                yield from self._sheet_heading()
                yield piece
        yield PageRead(self._page, self._has_text)

    def _sheet_heading(self) -> Iterator[BlockPiece]:
        """Yield its name, once, before the first of its text: a sheet without any is none to tell of."""
        if not self._has_text:
            self._has_text = True
            yield BlockPiece(BlockKind.HEADING, self._name, self._page, BlockPlace(self._name), level=1)

    def _table_pieces(self, rows: _Rows) -> Iterator[BlockPiece]:
        waiting: list[tuple[int, dict[int, str]]] = []
        cells = characters = all_characters = 0
        for number, row in rows:
            # A sheet may claim a million rows; what is left out is told.
            if self._shown >= MOST_ROWS or cells >= _MOST_CELLS or all_characters >= MOST_CHARACTERS:
                self._is_cut = True
                break
            length = sum(map(len, row.values()))
            self._source.text.require(characters + length)  # its cells may all be one string, and are none yet
            waiting.append((number, row))
            self._shown += 1
            cells += len(row)
            characters += length
            all_characters += length
            if len(waiting) >= ROWS or characters > _MOST_PIECE_CHARACTERS:
                yield from self._sheet_heading()
                yield self._table_piece(waiting)
                waiting, characters = [], 0
        if waiting:
            yield from self._sheet_heading()
            yield self._table_piece(waiting)

    def _table_piece(self, rows: list[tuple[int, dict[int, str]]]) -> BlockPiece:
        used = sorted({column for _, row in rows for column in row})
        # A table keeps its left edge through all pieces of a sheet, so that columns stay comparable.
        self._left = min(self._left, used[0])
        columns = list(range(self._left, used[-1] + 1))
        # Cells A1 and XFD1 in a row would be 16,000 tabs.
        if len(columns) > len(used) + _MOST_EMPTY_COLUMNS:
            columns = used
        first, last = rows[0][0], rows[-1][0]
        text = "\n".join(table_text([[row.get(column, "") for column in columns]]).rstrip("\t") for _, row in rows)
        label = f"rows {first + 1}-{last + 1}" if last > first else f"row {first + 1}"
        return BlockPiece(BlockKind.TABLE, text, self._page, BlockPlace(self._name, first, last + 1), label=label)
