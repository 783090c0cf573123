"""PDF files that other programs wrote: Qt's writer here, LibreOffice where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from PySide6.QtCore import QMarginsF
from PySide6.QtGui import QPageLayout, QPageSize, QPdfWriter, QTextDocument
from pytestqt.qtbot import QtBot

from app.documents.blocks import BlockKind, BlockPiece, rows_of
from app.documents.formats.pdf.pdf import read
from app.documents.source import FileSource

WORDS = "The river bends twice before the mill, and nobody knows which of the two bends is the older one. "
ITEMS = ["Upper bend", "Lower bend"]
PAGE = f"""<h1>On rivers</h1><p>{WORDS * 4}</p><p>{WORDS * 3}</p><h2>Their efficient flow</h2><p>{WORDS * 5}</p>
<ul><li>Upper bend</li><li>Lower bend</li></ul>
<table border="1" cellpadding="12"><tr><td>River</td><td>Length</td><td>Bends</td></tr>
<tr><td>Hunte</td><td>189</td><td>12</td></tr><tr><td>Haaren</td><td>17</td><td>40</td></tr></table>"""


def pieces_of(path: Path) -> list[BlockPiece]:
    return [item for item in read(FileSource(path, recognize=False)) if isinstance(item, BlockPiece)]


def check(pieces: list[BlockPiece], bullets: bool) -> None:
    headings = [piece.text for piece in pieces if piece.kind is BlockKind.HEADING]
    assert headings == ["On rivers", "Their efficient flow"]
    paragraphs = [piece.text for piece in pieces if piece.kind is BlockKind.PARAGRAPH]
    # Qt draws its bullets: there is no text to tell them by.
    assert paragraphs == [(WORDS * count).strip() for count in (4, 3, 5)] + ([] if bullets else ITEMS)
    items = [(piece.label, piece.text) for piece in pieces if piece.kind is BlockKind.LIST_ITEM]
    assert items == ([("•", item) for item in ITEMS] if bullets else [])
    (table,) = [piece for piece in pieces if piece.kind is BlockKind.TABLE]
    assert list(rows_of(table)) == [["River", "Length", "Bends"], ["Hunte", "189", "12"], ["Haaren", "17", "40"]]


def test_a_file_that_qt_wrote_is_read_into_its_blocks(tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "qt.pdf"
    writer = QPdfWriter(str(path))
    writer.setPageLayout(QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, QMarginsF()))
    writer.setTitle("Rivers")
    document = QTextDocument()
    document.setHtml(PAGE)
    document.print_(writer)
    del writer
    check(pieces_of(path), bullets=False)


@pytest.mark.documents
def test_a_file_that_libreoffice_wrote_is_read_into_its_blocks(tmp_path: Path) -> None:
    office = shutil.which("soffice")
    assert office, "make test-documents installs it"
    (tmp_path / "rivers.html").write_text(f"<html><body>{PAGE}</body></html>")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    wanted = ["--headless", "--convert-to", "pdf:writer_web_pdf_Export", "--outdir", str(tmp_path)]
    arguments = [office, profile, *wanted, str(tmp_path / "rivers.html")]
    subprocess.run(arguments, check=True, capture_output=True, timeout=100)
    check(pieces_of(tmp_path / "rivers.pdf"), bullets=True)
