"""Where a range of a laid-out paragraph is."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont, QFontMetricsF, QTextLayout, QTextOption
from pytestqt.qtbot import QtBot

from app.ui.text.line_ranges import ranges_by_line


@pytest.fixture
def layout(qtbot: QtBot) -> QTextLayout:  # colours and fonts need the application
    assert qtbot is not None
    font = QFont("monospace", 12)
    layout = QTextLayout("three words here", font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WordWrap)
    layout.setTextOption(option)
    layout.beginLayout()
    while (line := layout.createLine()).isValid():
        line.setLineWidth(QFontMetricsF(font).horizontalAdvance("three w"))
    layout.endLayout()
    return layout


def test_a_range_over_lines_has_a_part_in_each(layout: QTextLayout) -> None:
    found = [(line.textStart(), left, width > 0) for line, left, width in ranges_by_line(layout, 2, 14)]
    assert [start for start, _, _ in found] == [0, 6, 12]
    assert [left > 0 for _, left, _ in found] == [True, False, False]
    assert all(is_wide for _, _, is_wide in found)


def test_an_empty_range_is_nowhere(layout: QTextLayout) -> None:
    assert list(ranges_by_line(layout, 6, 6)) == list(ranges_by_line(layout, 40, 50)) == []


def test_a_range_is_as_wide_as_its_letters(layout: QTextLayout) -> None:
    (one,) = ranges_by_line(layout, 0, 1)
    (two,) = ranges_by_line(layout, 0, 2)
    assert two[2] == pytest.approx(2 * one[2], rel=0.5)
    assert one[2] < two[2]
