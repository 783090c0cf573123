"""Parts of an XLS workbook that python-calamine leaves out: the rest of long formula results, comments, text boxes.

Source: MS-XLS 2.1.4 (records, and Continue where one is too long), 2.4.28 (BoundSheet8), 2.4.127 (Formula),
2.4.179 (Note), 2.4.181 (Obj), 2.4.268 (String), 2.4.329 (TxO).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from olefile import OleFileIO
from olefile.olefile import OleFileError

from app.core.lazy_dataclasses import dataclass, field
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.source import FileSource

_FORMULA, _NOTE, _CONTINUE, _OBJECT, _SHEET, _TEXT, _STRING, _BEGIN = 0x06, 0x1C, 0x3C, 0x5D, 0x85, 0x1B6, 0x207, 0x809
_BIFF_8 = 0x0600
_IS_NOTE = 0x19
_IS_WIDE = 0x1


@dataclass
class SheetExtras:
    """Texts that calamine truncates, by row and column from 0, and objects above the cells."""

    long: dict[tuple[int, int], str] = field(default_factory=dict)
    texts: dict[int, tuple[bool, str]] = field(default_factory=dict)
    """By object number: (is a comment, words)."""
    notes: dict[int, int] = field(default_factory=dict)
    """Row of the cell, by object number."""

    def pieces(self, page: int, name: str) -> Iterator[BlockPiece]:
        for number, (is_note, text) in self.texts.items():
            row = self.notes.get(number, 0)
            place = BlockPlace(name, row, row + 1)
            kind, label = (BlockKind.NOTE, "comment") if is_note else (BlockKind.PARAGRAPH, "")
            yield BlockPiece(kind, text.strip(), page, place, label=label)


def beside_cells(source: FileSource) -> tuple[list[SheetExtras], bool]:
    """Return each sheet's extras and whether they are complete; none for files older than Excel 97."""
    try:
        with OleFileIO(str(source.path)) as ole:
            data = ole.openstream("Workbook").read() if ole.exists("Workbook") else b""
    except (OSError, OleFileError, struct.error):
        return [], True
    walk, is_all = _SheetWalk(data), True
    try:
        walk.run()
    except (struct.error, IndexError):  # a record that is too short, at which calamine may not have looked
        is_all = False
    return list(walk.sheets.values()), is_all


class _SheetWalk:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.sheets: dict[int, SheetExtras] = {}
        """By the offset of each sheet's start."""
        self._sheet = SheetExtras()
        self._cell = (0, 0)
        self._object = (0, False)

    def run(self) -> None:
        """Read all records. Raises struct.error if one is too short."""
        for kind, at, parts in self._iterate_records():
            first = parts[0]
            match kind:
                case _ if kind == _BEGIN:
                    # Only BIFF8 (Excel 97 and later) has records of these forms.
                    if at == 0 and struct.unpack_from("<H", first)[0] != _BIFF_8:
                        return
                    # BoundSheet8 has told where each sheet begins; a BOF at another place is a chart's.
                    self._sheet = self.sheets.get(at, self._sheet)
                case _ if kind == _SHEET:
                    self.sheets[struct.unpack_from("<I", first)[0]] = SheetExtras()
                case _ if kind == _FORMULA:
                    self._cell = struct.unpack_from("<HH", first)
                case _ if kind == _STRING and len(parts) > 1:
                    count = struct.unpack_from("<H", first)[0]
                    self._sheet.long[self._cell] = _join_parts([first[2:], *parts[1:]], count)
                case _ if kind == _OBJECT:
                    of_type, number = struct.unpack_from("<4xHH", first)
                    self._object = (number, of_type == _IS_NOTE)
                case _ if kind == _TEXT and len(parts) > 1:
                    number, is_note = self._object
                    # The first Continue record holds the words, the second their formatting.
                    self._sheet.texts[number] = (is_note, _join_parts(parts[1:], struct.unpack_from("<10xH", first)[0]))
                case _ if kind == _NOTE:
                    row, _, _, number = struct.unpack_from("<HHHH", first)
                    self._sheet.notes[number] = row

    def _iterate_records(self) -> Iterator[tuple[int, int, list[bytes]]]:
        """Yield each record's kind, place, and data including its continuations."""
        waiting: tuple[int, int, list[bytes]] | None = None
        at = 0
        while at + 4 <= len(self._data):
            kind, length = struct.unpack_from("<HH", self._data, at)
            part = self._data[at + 4 : at + 4 + length]
            # A record holds 8,224 bytes at most; what follows in Continue belongs to it.
            if kind == _CONTINUE and waiting is not None:
                waiting[2].append(part)
            else:
                if waiting is not None:
                    yield waiting
                waiting = (kind, at, [part])
            at += 4 + length
        if waiting is not None:
            yield waiting


def _join_parts(parts: list[bytes], count: int) -> str:
    """Return a text of so many UTF-16 units; each part says in its first byte how wide they are in it."""
    text = b""
    for part in parts:
        if len(text) >= 2 * count or not part:
            break
        is_wide, units = part[0] & _IS_WIDE, part[1:]
        # Each part chooses its width anew, even within a text (MS-XLS 2.5.293).
        text += units if is_wide else units.decode("latin-1").encode("utf-16-le")
    return text[: 2 * count].decode("utf-16-le", "replace")
