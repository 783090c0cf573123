"""Buttons have names, follow the theme and do not steal the keyboard."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button


def test_a_text_button_is_named_and_reached_by_tab_only(qtbot: QtBot) -> None:
    button = text_button("Open folder", "quiet")
    qtbot.addWidget(button)
    assert button.accessibleName() == "Open folder"
    assert button.focusPolicy() == Qt.FocusPolicy.TabFocus
    assert button.property("kind") == "quiet"


def test_an_icon_button_is_tinted_again_when_the_theme_changes(qtbot: QtBot) -> None:
    theme = Theme("light")
    button = IconButton(theme, "copy", "Copy")
    qtbot.addWidget(button)
    before, size = button.icon().pixmap(20).toImage(), button.iconSize()
    theme.scheme = "dark"
    assert button.icon().pixmap(20).toImage() != before
    theme.zoom = 2
    assert button.iconSize() == 2 * size
    assert (button.accessibleName(), button.toolTip()) == ("Copy", "Copy")


def test_another_glyph_replaces_the_drawing(qtbot: QtBot) -> None:
    button = IconButton(Theme("light"), "arrow-up", "Send")
    qtbot.addWidget(button)
    before = button.icon().pixmap(20).toImage()
    button.set_glyph("stop", "accent")
    assert button.icon().pixmap(20).toImage() != before
