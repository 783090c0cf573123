"""Rows of a left column: a row that is scrolled to shows a part of its neighbours."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QStringListModel
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.row_list import AROUND_ROW_PX, RowList


@pytest.mark.parametrize("row", [30, 5])
def test_a_row_that_is_scrolled_to_stands_off_the_end(qtbot: QtBot, theme: Theme, row: int) -> None:
    rows = RowList(theme, QStringListModel([f"Row {number}" for number in range(60)]), "Rows")
    qtbot.addWidget(rows)
    rows.resize(240, 300)
    rows.show()
    rows.scrollTo(rows.model().index(59 - row, 0))
    rows.scrollTo(rows.model().index(row, 0))
    place = rows.visualRect(rows.model().index(row, 0))
    room = theme.px(AROUND_ROW_PX)
    assert place.top() >= room
    assert place.bottom() <= rows.viewport().height() - room
