"""Links: asked about with the whole address, opened by the system, other kinds never."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.ui.text.links import ask_to_open


def test_open_is_asked_first(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    opened: list[QUrl] = []
    box = ask_to_open("https://x.org/a", parent, lambda url: opened.append(url) is None)
    assert box is not None
    assert box.informativeText() == "https://x.org/a"
    assert opened == []
    button = next(b for b in box.findChildren(QPushButton) if b.text() == "Open")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert opened == [QUrl("https://x.org/a")]


@pytest.mark.parametrize("href", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://x", ""])
def test_other_addresses_do_nothing(qtbot: QtBot, href: str) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    assert ask_to_open(href, parent, lambda url: True) is None
