"""The top of the content: names of the tabs where there is room for them, icons where there is not."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from app.ui.shared_labels import CHAT_LABEL, SUMMARIZE, TRANSLATE, WRITE_LABEL
from app.ui.shell.main_window import LOOK_INSIDE
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame

NAMES = [CHAT_LABEL, SUMMARIZE, TRANSLATE, WRITE_LABEL]


def tabs(frame: Frame) -> list[QPushButton]:
    return frame.tabs.findChildren(QPushButton)


def test_in_a_narrow_window_the_tabs_are_icons_that_still_have_their_names(frame: Frame) -> None:
    frame.window.resize(1200, 700)
    QApplication.processEvents()
    assert [tab.text() for tab in tabs(frame)] == NAMES
    assert tabs(frame)[2].toolTip() == "Ctrl+3"
    frame.window.resize(640, 480)
    QApplication.processEvents()
    assert [tab.text() for tab in tabs(frame)] == ["", "", "", ""]
    assert [tab.accessibleName() for tab in tabs(frame)] == NAMES
    assert tabs(frame)[2].toolTip() == "Translate (Ctrl+3)"
    assert not any(tab.icon().isNull() for tab in tabs(frame))
    assert clipped_texts(frame.window) == []
    frame.window.resize(1200, 700)
    QApplication.processEvents()
    assert [tab.text() for tab in tabs(frame)] == NAMES


def test_picker_and_the_panels_button_stand_at_the_end_and_mirrored_at_the_other(frame: Frame) -> None:
    window, picker, button = frame.window, frame.picker, frame.button(LOOK_INSIDE)
    window.resize(1000, 700)
    QApplication.processEvents()
    content = picker.parentWidget()
    assert content is not None
    assert button.geometry().right() > content.width() - 30
    assert picker.geometry().right() < button.x() < picker.geometry().right() + 20
    assert frame.tabs.x() < 100
    window.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    QApplication.processEvents()
    assert button.x() < 30
    assert button.geometry().right() < picker.x() < button.geometry().right() + 20
    frame.click_tab("summarize")
    QApplication.processEvents()
    assert not button.isVisible()
    assert picker.x() < 30
    assert frame.tabs.geometry().right() > content.width() - 100
    assert clipped_texts(window) == []
