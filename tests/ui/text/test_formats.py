"""Formats, cursors and highlights of every text view."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QTextDocument
from pytestqt.qtbot import QtBot

from app.ui.text.formats import block_format, char_format, cursor_over, highlight, marker_of, selected_text

AUTOMATIC, RIGHT_TO_LEFT = Qt.LayoutDirection.LayoutDirectionAuto, Qt.LayoutDirection.RightToLeft


@pytest.mark.usefixtures("qtbot")
def test_a_selection_reads_as_lines_from_either_end() -> None:
    document = QTextDocument("one\ntwo\u2028three 😀")
    for ends in ((2, 11), (11, 2)):
        cursor = cursor_over(document, *ends)
        assert (cursor.anchor(), cursor.position()) == ends
        assert selected_text(cursor) == "e\ntwo\nthr"
    assert not cursor_over(document, 4).hasSelection()


def test_formats_say_only_what_they_were_given(qtbot: QtBot) -> None:
    mark = highlight(cursor_over(QTextDocument("mark"), 0, 4), char_format(None, background="#112233"))
    assert mark.format.background().color() == QColor("#112233")
    assert not mark.format.hasProperty(mark.format.Property.ForegroundBrush.value)
    plain, above = block_format(140), block_format(140, 12, is_rtl=True)
    assert (plain.hasProperty(plain.Property.BlockTopMargin.value), plain.layoutDirection()) == (False, AUTOMATIC)
    assert (above.topMargin(), above.layoutDirection(), above.lineHeight()) == (12, RIGHT_TO_LEFT, 140)


@pytest.mark.parametrize(("text", "marker"), [("one", "•\t"), ("الفرن", "•\u2003")])
def test_the_gap_behind_a_marker_has_a_width_in_either_direction(text: str, marker: str) -> None:
    assert marker_of("•", text) == marker
