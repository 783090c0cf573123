"""The head of a right-hand panel: one height, and the close button at the same place whatever the title is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.labels import ElidedLabel
from app.ui.widgets.pane_head import HEAD_MARGIN_PX, PANE_EDGE_PX, PANE_HEAD_PX, PaneHead


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
@pytest.mark.parametrize("title", ["Atlas", "A title that is much wider than any panel " * 3])
def test_the_close_button_keeps_its_place(qtbot: QtBot, title: str, direction: Qt.LayoutDirection) -> None:
    head = PaneHead(Theme("light"), ElidedLabel(title), 1, close="Put away", name="closer")
    qtbot.addWidget(head)
    head.setLayoutDirection(direction)
    head.resize(400, 100)
    head.show()
    closer, is_mirrored = head.closer.geometry(), head.isRightToLeft()
    assert head.height() == PANE_HEAD_PX
    assert (closer.left() if is_mirrored else head.width() - closer.right() - 1) == HEAD_MARGIN_PX
    name = head.title.contentsRect().translated(head.title.pos())
    assert (head.width() - name.right() - 1 if is_mirrored else name.left()) == PANE_EDGE_PX
