"""A part is chosen by numbers of pages, and by the names of what is in an archive."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.pages_dialog import PagesDialog


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    return window


def opened(window: QWidget, names: Sequence[str] = ()) -> PagesDialog:
    unit = "file" if names else "page"
    dialog = PagesDialog(Theme("light", 1.0), "papers.zip", unit, 3, names=names, parent=window)
    dialog.open()
    return dialog


def test_the_documents_of_an_archive_are_chosen_by_their_names(qtbot: QtBot, window: QWidget) -> None:
    dialog = opened(window, ["letter.docx", "<b>old\u202e</b>/table.csv", f"{'very ' * 40}long.pdf"])
    first, last = dialog.named
    assert first.text() == "letter.docx"
    assert last.text().endswith("very long.pdf")
    qtbot.keyClick(dialog.first.number, Qt.Key.Key_Up)
    assert first.text() == "<b>old\\u202e</b>/table.csv"
    assert "table.csv" in dialog.first.number.accessibleDescription()
    chosen: list[tuple[int, int]] = []
    dialog.chosen.connect(lambda *part: chosen.append(part))
    qtbot.mouseClick(dialog.read_button, Qt.MouseButton.LeftButton)
    assert chosen == [(2, 3)]


def test_pages_have_numbers_and_no_names(window: QWidget) -> None:
    dialog = opened(window)
    assert [one.text() for one in dialog.named] == ["", ""]
    assert dialog.first.number.accessibleDescription() == ""
