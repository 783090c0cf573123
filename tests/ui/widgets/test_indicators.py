"""A dot in the colour of its state."""

from __future__ import annotations

from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app.ui.theme import DARK, LIGHT, Theme
from app.ui.widgets.labels import StatusDot


def test_the_dot_has_the_colour_of_its_state_in_every_scheme(qtbot: QtBot) -> None:
    theme = Theme("light")
    dot = StatusDot(theme)
    qtbot.addWidget(dot)
    dot.show_state("success")
    assert dot.grab().toImage().pixelColor(4, 4) == QColor(LIGHT.success)
    theme.scheme = "dark"
    assert dot.grab().toImage().pixelColor(4, 4) == QColor(DARK.success)
    dot.show_state("success", filled=False)
    assert dot.grab().toImage().pixelColor(4, 4) != QColor(DARK.success)
