"""Where a page's column stands, what folds in a narrow room, and what is scrolled in a low one."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.ui.theme import EDGE_PX, PAGE_PX, WIDE_PX, Theme
from app.ui.widgets.layouts import ColumnRow, FittingScroll, FoldingRow, column_inset, drop_margins, fill_layout
from tests.helpers.clipping import clipped_texts

WHOLE_PX = PAGE_PX + 2 * EDGE_PX
WORDS = "Fits, needs 3.0 GB, about 6 tokens a second, slower than you read"


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


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_a_row_folds_where_its_buttons_would_leave_its_words_no_room(
    qtbot: QtBot, direction: Qt.LayoutDirection
) -> None:
    row = QWidget()
    qtbot.addWidget(row)
    row.setLayoutDirection(direction)
    words, buttons = QLabel(WORDS, wordWrap=True), [QPushButton(name) for name in ("Weigh it exactly", "Fetch")]
    layout = fill_layout(FoldingRow(row), words, *buttons)
    beside = sum(button.sizeHint().width() + layout.gap_px for button in buttons)

    row.resize(600, layout.heightForWidth(600))
    row.show()
    assert words.width() == 600 - beside
    assert words.geometry().center().y() == pytest.approx(buttons[0].geometry().center().y(), abs=1)

    row.resize(280, layout.heightForWidth(280))
    layout.activate()
    assert words.width() == 280
    assert not clipped_texts(row)
    last = buttons[-1].geometry()
    assert last.top() >= words.geometry().bottom()
    assert (last.left() if row.isRightToLeft() else 279 - last.right()) == 0

    row.resize(150, layout.heightForWidth(150))  # each button has a line
    layout.activate()
    assert last.top() < buttons[-1].geometry().top()
    assert not clipped_texts(row)


def test_a_page_is_scrolled_only_where_it_has_less_than_it_needs(qtbot: QtBot) -> None:
    page, drawing, words = QWidget(), QWidget(), QLabel(WORDS, wordWrap=True)
    fill_layout(drop_margins(QVBoxLayout(page), 0), (drawing, 1), words)
    drawing.setMinimumHeight(100)
    area = FittingScroll(page)
    qtbot.addWidget(area)
    area.resize(300, 400)
    area.show()
    assert page.height() == area.viewport().height() == 400
    assert drawing.height() == 400 - words.heightForWidth(page.width())

    area.resize(300, 110)
    assert page.height() == 100 + words.heightForWidth(page.width()) > area.viewport().height()
    words.setText(f"{WORDS} {WORDS} {WORDS}")
    qtbot.waitUntil(lambda: page.height() == 100 + words.heightForWidth(page.width()))
    assert not clipped_texts(area)
