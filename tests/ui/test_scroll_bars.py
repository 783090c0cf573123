"""Scroll bars lie over the content, show while scrolling and near the pointer, and are dragged and clicked."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.ui.scroll_bars import OverlayBar
from app.ui.theme import Theme

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    theme = Theme("light")
    theme.install(qapp)
    return theme


@pytest.fixture
def area(theme: Theme, qtbot: QtBot) -> QPlainTextEdit:
    area = QPlainTextEdit("\n".join(map(str, range(200))))
    qtbot.addWidget(area)
    area.resize(300, 300)
    area.show()
    qtbot.waitExposed(area)
    return area


def painted(area: QPlainTextEdit, colour: str) -> list[int]:
    """Columns within the area's edges that show a colour."""
    picture, wanted = area.grab().toImage(), QColor(colour).rgb()
    ys = range(12, picture.height() - 12, 8)
    return [x for x in range(2, picture.width() - 2) if any(picture.pixel(x, y) == wanted for y in ys)]


def overlay(area: QPlainTextEdit) -> OverlayBar | None:
    return next((bar for bar in area.findChildren(OverlayBar) if bar.isVisible()), None)


def turn_wheel(area: QPlainTextEdit) -> None:
    at, turned, free = QPointF(50, 50), QPoint(0, -120), Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(at, at, QPoint(), turned, Qt.MouseButton.NoButton, free, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(area.windowHandle(), event)


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_a_bar_takes_no_room_and_shows_while_the_wheel_turns(
    area: QPlainTextEdit, theme: Theme, qtbot: QtBot, direction: Qt.LayoutDirection
) -> None:
    area.setLayoutDirection(direction)
    long = area.viewport().width()
    area.verticalScrollBar().setValue(5)  # as when text streams in
    assert overlay(area) is None
    turn_wheel(area)
    assert area.verticalScrollBar().value() > 5
    thumb = painted(area, theme.tokens.scroll)
    assert len(thumb) == theme.px(6)
    is_rtl = direction == Qt.LayoutDirection.RightToLeft
    assert (thumb[0] if is_rtl else area.width() - 1 - thumb[-1]) == 1 + theme.px(4)
    qtbot.waitUntil(lambda: overlay(area) is None)
    area.setPlainText("short")
    assert area.viewport().width() == long
    turn_wheel(area)
    assert overlay(area) is None


def test_a_bar_shows_near_the_pointer_and_is_dragged_and_clicked(
    area: QPlainTextEdit, theme: Theme, qtbot: QtBot
) -> None:
    own, window = area.verticalScrollBar(), area.windowHandle()
    acted: list[int] = []
    own.actionTriggered.connect(acted.append)
    QTest.mouseMove(window, QPoint(area.width() - 20, 150))
    qtbot.waitUntil(lambda: overlay(area) is not None)
    QTest.mouseMove(window, QPoint(100, 150))
    qtbot.waitUntil(lambda: overlay(area) is None)
    edge = area.width() - 8
    QTest.mouseMove(window, QPoint(edge, 20))
    qtbot.waitUntil(lambda: overlay(area) is not None)
    QTest.mousePress(window, LEFT, pos=QPoint(edge, 20))
    QTest.mouseMove(window, QPoint(edge, 120))
    qtbot.waitUntil(lambda: own.value() > own.pageStep())
    assert len(painted(area, theme.tokens.outline)) == theme.px(6)
    QTest.mouseRelease(window, LEFT, pos=QPoint(edge, 120))
    dragged = own.value()
    assert acted, "who follows the user hears of it"
    QTest.mouseClick(window, LEFT, pos=QPoint(edge, 20))
    assert dragged - 2 * own.pageStep() < own.value() < dragged
