"""FictionBook: sections, verses and notes of a book that is one XML file."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.format_detection import find_format
from app.documents.formats.web.fb2 import read
from app.documents.source import FileSource, Opened, ReadingRemark

BOOK = """<?xml version="1.0" encoding="windows-1251"?>
<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0" xmlns:l="http://www.w3.org/1999/xlink">
<description><title-info><book-title>Чайники</book-title></title-info></description>
<body><title><p>Чайники</p><p>Роман</p></title>
<section><title><p>Глава 1</p></title><image l:href="#x.png"/>
<p>Первые <emphasis>слова</emphasis>.<a l:href="#n1" type="note">[1]</a></p>
<poem><stanza><v>Строка</v><v>Другая</v></stanza></poem>
<section><title><p>Внутри</p></title><table><tr><th>a</th><td>b</td></tr></table></section></section></body>
<body name="notes"><section id="n1"><title><p>1</p></title><p>Примечание.</p><p>Ещё.</p></section></body>
<binary id="x.png" content-type="image/png">{picture}</binary></FictionBook>"""


def test_a_book_is_read_with_its_sections_verses_and_notes(tmp_path: Path) -> None:
    path = tmp_path / "a.fb2"
    path.write_bytes(BOOK.format(picture="A" * 12_000_000).encode("cp1251"))
    assert find_format(path) == "fb2"
    opened, *items = read(FileSource(path))
    assert opened == Opened(title="Чайники")
    pieces = [item for item in items if isinstance(item, BlockPiece)]
    assert [(piece.kind, piece.text, piece.level) for piece in pieces] == [
        (BlockKind.HEADING, "Чайники Роман", 1),
        (BlockKind.HEADING, "Глава 1", 2),
        (BlockKind.PARAGRAPH, "Первые слова.[1]", 0),
        (BlockKind.PARAGRAPH, "Строка", 0),
        (BlockKind.PARAGRAPH, "Другая", 0),
        (BlockKind.HEADING, "Внутри", 3),
        (BlockKind.TABLE, "a\tb", 0),
        (BlockKind.NOTE, "1 Примечание.", 0),
        (BlockKind.NOTE, "Ещё.", 0),
    ]
    assert items[-1] == ReadingRemark("pictures", {"count": 1})


def test_half_a_book_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.fb2"
    path.write_bytes(BOOK.format(picture="A").encode("cp1251")[:500])
    with pytest.raises(DocumentUnreadable) as caught:
        list(read(FileSource(path)))
    assert caught.value.reason == "damaged"
