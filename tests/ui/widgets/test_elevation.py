"""Shadows of what floats, and the places of popovers."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.elevation import PaintedShadow, elevate
from app.ui.widgets.popovers import FloatingPanel


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.show()
    return made


def shadows(window: QWidget) -> list[PaintedShadow]:
    return [shadow for shadow in window.findChildren(PaintedShadow) if shadow.isVisible()]


def pixel_below(window: QWidget, box: QRect) -> int:
    """Lightness of the window six pixels below a box."""
    return window.grab().toImage().pixelColor(box.center().x(), box.bottom() + 6).lightness()


def test_a_floating_child_darkens_the_page_around_it_until_it_is_hidden(window: QWidget) -> None:
    card = QWidget(window)
    card.setGeometry(100, 100, 200, 80)
    elevate(card)
    before = pixel_below(window, card.geometry())
    card.show()
    assert pixel_below(window, card.geometry()) < before
    card.move(150, 200)
    assert shadows(window)[0].geometry().contains(card.geometry())
    card.hide()
    assert pixel_below(window, card.geometry()) == before and shadows(window) == []


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
@pytest.mark.parametrize("corner", [(0, 0), (450, 0), (0, 380), (450, 380), (200, 200)])
def test_a_popover_stays_in_its_window_and_covers_nothing_of_its_button(
    window: QWidget, corner: tuple[int, int], direction: Qt.LayoutDirection
) -> None:
    window.setLayoutDirection(direction)
    button = QLabel("About", window)
    button.setGeometry(QRect(QPoint(*corner), QPoint(corner[0] + 49, corner[1] + 19)))
    button.show()
    popover = FloatingPanel(Theme("light"), "about", window)
    popover.setFixedSize(150, 120)
    popover.place_at(button)
    placed = QRect(window.mapFromGlobal(popover.pos()), popover.size())
    assert window.rect().contains(placed) and not placed.intersects(button.geometry())
    is_below = placed.top() > button.geometry().bottom()
    assert is_below == (corner[1] < 380), "below unless there is no room"
