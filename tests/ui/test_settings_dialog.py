"""Settings are saved and in force at once, and cannot be wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.core.settings import Settings, load_settings
from app.ui.settings_dialog import LicenceSheet, SettingsDialog, licence_notices
from tests.helpers.clipping import clipped_texts
from tests.helpers.ui import Frame


@pytest.fixture
def dialog(frame: Frame) -> Iterator[SettingsDialog]:
    frame.window.show_settings()
    found = frame.window.findChild(SettingsDialog)
    assert found is not None
    yield found
    if isValid(found):  # it deletes itself when it closes
        found.close()


def saved(frame: Frame) -> Settings:
    settings, wrong = load_settings(frame.app.paths.settings)
    assert wrong == []
    return settings


def by_name(dialog: SettingsDialog, kind: type[QWidget], name: str) -> QWidget:
    return next(widget for widget in dialog.findChildren(kind) if widget.accessibleName() == name)


def test_the_scheme_is_in_force_and_saved(dialog: SettingsDialog, frame: Frame, qtbot: QtBot) -> None:
    qtbot.mouseClick(by_name(dialog, QPushButton, "Colours: Dark"), Qt.MouseButton.LeftButton)
    assert frame.theme.is_dark
    assert saved(frame).appearance.scheme == "dark"


def test_the_systems_font_is_in_force_and_saved(dialog: SettingsDialog, frame: Frame) -> None:
    by_name(dialog, QCheckBox, "Use the system’s font").click()
    assert frame.theme.system_font
    assert saved(frame).appearance.system_font


def test_zoom_is_in_force_and_saved(dialog: SettingsDialog, frame: Frame, qtbot: QtBot) -> None:
    qtbot.mouseClick(by_name(dialog, QWidget, "Zoom: more"), Qt.MouseButton.LeftButton)
    assert frame.theme.zoom == pytest.approx(1.1)
    assert saved(frame).appearance.zoom == pytest.approx(1.1)


def test_the_system_prompt_is_saved_when_typing_pauses_or_the_window_closes(
    dialog: SettingsDialog, frame: Frame, qtbot: QtBot
) -> None:
    field = by_name(dialog, QPlainTextEdit, "System prompt")
    assert isinstance(field, QPlainTextEdit)
    field.setPlainText("Be brief.")
    dialog.close()
    assert saved(frame).chat.system_prompt == "Be brief."


def test_the_lowest_temperature_is_the_models_own(dialog: SettingsDialog, frame: Frame) -> None:
    field = by_name(dialog, QDoubleSpinBox, "Temperature")
    assert isinstance(field, QDoubleSpinBox)
    assert field.text() == "Model’s own"
    for expected in (0.0, 0.1, 0.2):
        field.stepUp()
        assert saved(frame).chat.temperature == pytest.approx(expected, abs=1e-9)
    field.setValue(-1)
    assert saved(frame).chat.temperature == -1


def test_wrong_values_cannot_be_typed(dialog: SettingsDialog, frame: Frame, qtbot: QtBot) -> None:
    field = by_name(dialog, QDoubleSpinBox, "Longest answer")
    assert isinstance(field, QDoubleSpinBox)
    field.selectAll()
    qtbot.keyClicks(field, "-99999999999abc")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert saved(frame).chat.max_tokens >= 16


def test_engine_changes_say_that_they_apply_after_loading_and_load(
    dialog: SettingsDialog, frame: Frame, qtbot: QtBot
) -> None:
    dialog.show_page(2)
    button = by_name(dialog, QPushButton, "Load the model again")
    assert not button.isVisible()
    field = by_name(dialog, QDoubleSpinBox, "Context")
    assert isinstance(field, QDoubleSpinBox)
    assert field.text() == "Automatic"
    field.setValue(2048)
    assert saved(frame).engine.context_tokens == 2048
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert frame.loader.model is not None
    assert frame.loader.model.context_tokens == 2048


def test_no_page_clips_its_text(dialog: SettingsDialog, qtbot: QtBot) -> None:
    for number in range(dialog.pages.count()):
        dialog.show_page(number)
        assert clipped_texts(dialog) == []


def test_the_licences_are_a_file_that_can_be_read(dialog: SettingsDialog, frame: Frame) -> None:
    notices = licence_notices()
    assert notices is not None
    sheet = LicenceSheet(frame.theme, notices, dialog)
    text = sheet.findChild(QPlainTextEdit, "licences")
    assert text is not None
    assert "Qt" in text.toPlainText()
    sheet.deleteLater()
