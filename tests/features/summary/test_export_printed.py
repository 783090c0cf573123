"""The HTML of a summary as QTextDocument lays it out, which is how the window prints a PDF."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor, QTextDocument

from app.features.summary.export import as_html
from tests.features.summary.test_export import RENT, summary


def test_what_the_window_prints_is_dark_on_white_with_links(qapp: object) -> None:
    document = QTextDocument()
    document.setHtml(as_html(summary()))
    text = document.toPlainText()
    assert RENT.text in text
    assert "Sources" in text
    statement = QTextCursor(document.find(RENT.text))
    assert statement.charFormat().foreground().color().name() == "#23201d"
    assert document.rootFrame().frameFormat().background().style() == Qt.BrushStyle.NoBrush
    link = document.find("[lease.pdf, p. 3]").charFormat()
    assert (link.anchorHref(), link.foreground().color().name()) == ("#source-1", "#b23f12")
    assert document.find("lease.pdf, p. 3: ").charFormat().anchorHref() == ""
    assert "source-1" in _anchor_names(document)


def _anchor_names(document: QTextDocument) -> set[str]:
    names: set[str] = set()
    block = document.begin()
    while block.isValid():
        for piece in block:
            names |= set(piece.fragment().charFormat().anchorNames())
        block = block.next()
    return names
