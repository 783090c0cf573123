"""What scrolls fades at the ends where it goes on, and nowhere else."""

from __future__ import annotations

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QScrollArea
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.edge_fade import EdgeFade, fade_ends


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
