"""The panel over the gauge: each part with its number, in any direction of writing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.features.chat.prompts import Budget, Parts
from app.ui.chat.context_panel import ContextPanel, notes_on, rows_of
from app.ui.shell.status_line import ContextGauge
from app.ui.theme import Theme
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame

PARTS = Parts(system=20, carried=100, pinned=300, earlier=2400, message=45, budget=Budget(8192, 1024, 245), hidden=12)


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[ContextPanel]:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    made = ContextPanel(Theme("light"), parent)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    made.show()
    yield made
    parent.close()


def texts(panel: ContextPanel) -> list[str]:
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]


def test_the_rows_add_up_to_the_context() -> None:
    rows = rows_of(PARTS)
    assert [words for words, _, _ in rows] == (
        ["System prompt", "Instructions from before", "Pinned", "Earlier turns", "This message"]
        + ["Free", "Kept for the answer"]
    )
    assert sum(tokens for _, tokens, _ in rows) == 8192
    assert "Pinned" not in [words for words, _, _ in rows_of(replace(PARTS, pinned=0))]
    assert "Instructions from before" not in [words for words, _, _ in rows_of(replace(PARTS, carried=0))]
    assert "Documents" in [words for words, _, _ in rows_of(replace(PARTS, documents=10))]


def test_every_part_is_said_in_numbers_and_to_screen_readers(panel: ContextPanel) -> None:
    assert "Counting…" in texts(panel)
    panel.show_parts(PARTS)
    assert "Counting…" not in texts(panel)
    assert "2,400" in texts(panel)
    assert "Earlier turns: 2,400 tokens" in panel.accessibleDescription()
    assert "12 earlier messages are not shown to the model." in texts(panel)
    assert clipped_texts(panel) == []
    panel.show_parts(replace(PARTS, earlier=2_500, hidden=0))
    assert "2,500" in texts(panel)
    assert clipped_texts(panel) == [], "also without a note below the numbers"
    assert panel.height() > 150
    assert "2,400" not in texts(panel)


def test_what_does_not_fit_is_said() -> None:
    assert notes_on(replace(PARTS, hidden=0)) == ""
    assert notes_on(replace(PARTS, hidden=1)) == "1 earlier message is not shown to the model."
    assert notes_on(replace(PARTS, earlier=9_000)).startswith("The next message does not fit as things are")
    assert all(tokens >= 0 for _, tokens, _ in rows_of(replace(PARTS, earlier=9_000)))


def test_escape_closes_it(panel: ContextPanel, qtbot: QtBot) -> None:
    qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert not panel.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return])
def test_the_gauge_is_a_button_for_keys_and_clicks(qtbot: QtBot, key: Qt.Key) -> None:
    gauge = ContextGauge(Theme("light"))
    qtbot.addWidget(gauge)
    gauge.show_size(8192)
    gauge.show()
    with qtbot.waitSignal(gauge.clicked):
        qtbot.keyClick(gauge, key)
    with qtbot.waitSignal(gauge.clicked):
        qtbot.mouseClick(gauge, Qt.MouseButton.LeftButton)
    assert gauge.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_the_gauge_opens_the_panel_and_follows_the_numbers(frame: Frame, qtbot: QtBot) -> None:
    gauge = frame.gauge
    gauge.show_size(8192)
    frame.chat.is_counting = False
    qtbot.mouseClick(gauge, Qt.MouseButton.LeftButton)
    panel = QApplication.activePopupWidget()
    assert isinstance(panel, ContextPanel)
    assert any("at work" in text for text in texts(panel))
    frame.chat.parts_changed.emit(PARTS)
    assert gauge.accessibleName() == "Context 2.9k of 8k"
    assert "2,400" in texts(panel)
    assert panel.geometry().bottom() < gauge.mapToGlobal(gauge.rect().topLeft()).y()
    panel.close()
