"""Formulas are typeset, follow size and colour, and are heard in words."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from app.ui.models.anatomy import ATTENTION, HEADS, PRODUCT
from app.ui.text.formula import FormulaView, drawing_of
from app.ui.theme import Theme


def darkest(picture: QImage) -> int:
    pixels = (picture.pixelColor(x, y).lightness() for x in range(picture.width()) for y in range(picture.height()))
    return min(pixels)


@pytest.mark.parametrize("formula", [ATTENTION, HEADS, PRODUCT])
def test_it_is_drawn_in_the_colour_of_the_text(theme: Theme, qtbot: QtBot, formula: tuple[str, str]) -> None:
    view = FormulaView(theme, *formula)
    qtbot.addWidget(view)
    qtbot.waitUntil(lambda: view.is_drawn, timeout=60_000)
    view.setStyleSheet("background: white")
    view.resize(view.sizeHint())
    view.show()
    assert darkest(view.grab().toImage()) <= QColor(theme.tokens.text).lightness() + 12
    assert view.accessibleName() == formula[1]


def test_it_is_shrunk_where_it_has_no_room_and_never_cut(theme: Theme, qtbot: QtBot) -> None:
    view = FormulaView(theme, *ATTENTION)
    qtbot.addWidget(view)
    qtbot.waitUntil(lambda: view.is_drawn, timeout=60_000)
    view.setStyleSheet("background: white")
    view.resize(view.sizeHint().width() // 2, view.sizeHint().height())
    view.show()
    picture = view.grab().toImage()
    edge = [picture.pixelColor(picture.width() - 1, y).lightness() for y in range(picture.height())]
    assert min(edge) > 200
    assert darkest(picture) < 140


def test_the_same_formula_is_drawn_once() -> None:
    assert drawing_of(PRODUCT[0]) is drawing_of(PRODUCT[0])
