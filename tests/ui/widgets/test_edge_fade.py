"""What scrolls fades at the ends where it goes on, and nowhere else."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QScrollArea
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.edge_fade import EdgeFade, fade_ends


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_a_line_fades_where_it_goes_on(qtbot: QtBot, direction: Qt.LayoutDirection) -> None:
    theme, area, wide = Theme("light"), QScrollArea(frameShape=QScrollArea.Shape.NoFrame), QLabel()
    qtbot.addWidget(area)
    wide.setFixedSize(900, 20)
    wide.setStyleSheet("background: #000000")
    area.setLayoutDirection(direction)
    area.setWidget(wide)
    fade_ends(area, theme, is_across=True)
    area.resize(200, 30)
    area.show()
    start, end = area.findChildren(EdgeFade)
    assert (start.isHidden(), end.isHidden()) == (True, False)
    assert (end.x() == 0) is (direction == Qt.LayoutDirection.RightToLeft)
    area.horizontalScrollBar().setValue(area.horizontalScrollBar().maximum())
    assert (start.isHidden(), end.isHidden()) == (False, True)


def test_an_end_fades_while_more_is_hidden_there(qtbot: QtBot) -> None:
    theme, area, long = Theme("light"), QScrollArea(frameShape=QScrollArea.Shape.NoFrame), QLabel()
    qtbot.addWidget(area)
    long.setFixedSize(180, 900)
    long.setStyleSheet("background: #000000")
    area.setWidget(long)
    fade_ends(area, theme)
    area.resize(200, 300)
    area.show()
    top, foot = area.findChildren(EdgeFade)

    def shown() -> list[bool]:
        return [not top.isHidden(), not foot.isHidden()]

    assert shown() == [False, True]
    area.verticalScrollBar().setValue(1)
    assert shown() == [True, True]
    picture = area.grab().toImage()
    assert picture.pixelColor(50, 0).lightness() > 200 > picture.pixelColor(50, 10).lightness()
    assert picture.pixelColor(50, 100) == QColor("#000000")
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    assert shown() == [True, False]
    area.resize(200, 1000)
    qtbot.waitUntil(lambda: shown() == [False, False])
