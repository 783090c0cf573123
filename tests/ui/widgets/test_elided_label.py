"""A label that shortens its text and keeps the whole of it for those who ask."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.ui.widgets.elided_label import ElidedLabel

LONG = "/home/somebody/with/a/long/path/to/the/folder"


def test_it_can_be_narrower_than_its_text(qtbot: QtBot) -> None:
    label = ElidedLabel(LONG, Qt.TextElideMode.ElideMiddle)
    qtbot.addWidget(label)
    assert label.minimumSizeHint().width() < label.sizeHint().width() / 2
    label.resize(label.sizeHint())
    whole = label.grab().toImage()
    label.resize(120, label.height())
    assert label.grab().toImage() != whole.copy(0, 0, 120, label.height())
    assert label.toolTip() == LONG
    assert label.property("elides") is True


def test_a_short_text_is_never_squeezed(qtbot: QtBot) -> None:
    label = ElidedLabel("a")
    qtbot.addWidget(label)
    assert label.minimumSizeHint().width() >= label.fontMetrics().horizontalAdvance("a")
