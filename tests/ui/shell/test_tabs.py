"""The top of the content: names of the tabs where there is room for them, icons where there is not."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame

NAMES = ["Chat", "Summarize", "Translate"]


def tabs(frame: Frame) -> list[QPushButton]:
    return frame.tabs.findChildren(QPushButton)


def test_in_a_narrow_window_the_tabs_are_icons_that_still_have_their_names(frame: Frame) -> None:
    frame.window.resize(1200, 700)
    QApplication.processEvents()
    assert [tab.text() for tab in tabs(frame)] == NAMES
    assert tabs(frame)[2].toolTip() == "Ctrl+3"
    frame.window.resize(640, 480)
    QApplication.processEvents()
    assert [tab.text() for tab in tabs(frame)] == ["", "", ""]
    assert [tab.accessibleName() for tab in tabs(frame)] == NAMES
    assert tabs(frame)[2].toolTip() == "Translate (Ctrl+3)"
    assert not any(tab.icon().isNull() for tab in tabs(frame))
    assert clipped_texts(frame.window) == []
    frame.window.resize(1200, 700)
    QApplication.processEvents()
    assert [tab.text() for tab in tabs(frame)] == NAMES


def test_the_picker_stands_at_the_end_and_mirrored_at_the_other(frame: Frame) -> None:
    window, picker = frame.window, frame.picker
    window.resize(1000, 700)
    QApplication.processEvents()
    content = picker.parentWidget()
    assert content is not None
    assert picker.geometry().right() > content.width() - 30
    assert frame.tabs.x() < 100
    window.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    QApplication.processEvents()
    assert picker.x() < 30
    assert frame.tabs.geometry().right() > content.width() - 100
    assert clipped_texts(window) == []
