"""Where a page's column stands: at the edge, and in the middle of a wide window; text that keeps to it too."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.ui.theme import EDGE_PX, PAGE_PX, WIDE_PX, Theme
from app.ui.widgets.layouts import ColumnRow, column_inset

WHOLE_PX = PAGE_PX + 2 * EDGE_PX


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
@pytest.mark.parametrize(
    ("room_px", "left_px"), [(900, 0), (WIDE_PX, 0), (WIDE_PX + 2, (WIDE_PX + 2 - WHOLE_PX) // 2), (1640, 302)]
)
def test_a_column_is_centred_only_in_a_wide_room(
    qtbot: QtBot, room_px: int, left_px: int, direction: Qt.LayoutDirection
) -> None:
    theme, page, column = Theme("light"), QWidget(), QWidget()
    qtbot.addWidget(page)
    page.setLayoutDirection(direction)
    ColumnRow(theme, column, page, most_px=WHOLE_PX)
    for width in (1700, room_px):  # it comes back to the edge, too
        page.resize(width, 100)
        page.show()
        page.layout().activate()
    place = column.geometry()
    lead = room_px - place.right() - 1 if page.isRightToLeft() else place.left()
    assert (lead, place.width()) == (left_px, min(room_px, WHOLE_PX))
    assert column_inset(theme, room_px) == left_px
