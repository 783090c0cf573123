"""Settings are saved and in force at once, and cannot be wrong."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QCheckBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.core.build import this_build
from app.core.settings import Settings, load_settings
from app.engine.states import StateIdentity
from app.ui.settings.about import DIAGNOSTICS_COPIED
from app.ui.settings.chat_page import ASK_ME, NO_LIMIT, WHEN_FULL
from app.ui.settings.engine_page import (
    DEVICE_FREE_MEMORY,
    DEVICES_UNKNOWN,
    LOADING_NEW_VALUES,
    LOOK_AGAIN,
    NO_GPU_FOUND,
    RELOAD_NOW,
    DeviceChoice,
)
from app.ui.settings.settings_pages import SettingsPage
from app.ui.settings.shared_sections import CLEAR, CLEAR_SAVED_STATES, KEPT_SIZE, NOTHING_KEPT
from app.ui.shared_labels import AUTOMATIC_LABEL, CANCEL, DEFAULT, NEVER
from app.ui.shell.settings_index import PAGES, label_of, page_label
from app.ui.widgets.input_fields import STEP_UP, Switch
from app.ui.widgets.setting_rows import DESCRIPTION, MORE_ABOUT, RING_PX, HelpMark, SettingCard
from app.ui.work.doing import SavedFiles
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.script import write_script

CHAT, ENGINE, SYSTEM = ([page.name for page in PAGES].index(name) for name in ("chat", "engine", "system"))
GB = 10**9
DEVICES = [
    {"name": "Vulkan0", "description": "Radeon 780M", "type": "igpu", "free_bytes": 7 * GB, "total_bytes": 8 * GB},
    {"name": "CPU", "description": "Ryzen 7", "type": "cpu", "free_bytes": 0, "total_bytes": 0},
]


@pytest.fixture
def dialog(frame: Frame) -> Iterator[SettingsDesk]:
    opened = SettingsDesk(frame)
    yield opened
    opened.close()


def saved(frame: Frame) -> Settings:
    settings, wrong = load_settings(frame.paths.settings)
    assert wrong == []
    return settings


def load_model(frame: Frame, qtbot: QtBot) -> None:
    frame.loader.start()
    qtbot.waitUntil(lambda: frame.loader.state == "ready")


def keep_state(frame: Frame, session: str, size_bytes: int) -> None:
    frame.paths.states.mkdir(parents=True)
    unfinished = frame.paths.states / "new.part"
    unfinished.write_bytes(bytes(size_bytes))
    frame.app.states.add_state(session, StateIdentity(1, 1, "", "", "f16", ""), [1, 2, 3], unfinished)


def test_a_page_is_made_when_it_is_first_opened_and_kept(dialog: SettingsDesk) -> None:
    (first,) = dialog.every(SettingsPage)
    assert first.isVisible()
    dialog.show_page(CHAT)
    second = dialog.root.pages.currentWidget()
    dialog.show_page(0)
    assert dialog.root.pages.currentWidget() is first
    dialog.show_page(CHAT)
    assert dialog.root.pages.currentWidget() is second
    assert set(dialog.every(SettingsPage)) == {first, second}


def test_a_closed_dialog_leaves_nothing_behind(frame: Frame) -> None:
    """Or each look at the settings would cost memory until the window is closed."""

    def look_at_all_pages() -> list[QObject]:
        dialog = SettingsDesk(frame)
        for number in range(dialog.page_count):
            dialog.show_page(number)
            if number == ENGINE:
                dialog.wait_for_words(NO_GPU_FOUND)
        dialog.close()
        dialog.wait(lambda: not isValid(dialog.root))
        gc.collect()
        return [*QApplication.allWidgets(), *frame.window.findChildren(SavedFiles)]

    look_at_all_pages()
    before = look_at_all_pages()
    assert [thing for thing in look_at_all_pages() if thing not in before] == []


def test_the_look_is_in_force_at_once_and_saved(dialog: SettingsDesk, frame: Frame) -> None:
    dialog.click_name(QPushButton, "Colors: Dark")
    assert frame.theme.is_dark
    assert saved(frame).appearance.scheme == "dark"

    dialog.named(QCheckBox, label_of("high_contrast")).click()
    assert frame.theme.has_high_contrast
    assert saved(frame).appearance.high_contrast

    dialog.named(QCheckBox, label_of("dim_pages")).click()
    assert frame.theme.dims_pages
    assert saved(frame).appearance.dim_pages

    dialog.named(QCheckBox, label_of("system_font")).click()
    assert frame.theme.system_font
    assert saved(frame).appearance.system_font

    dialog.click_name(QWidget, STEP_UP.format(name=label_of("zoom")))
    assert frame.theme.zoom == pytest.approx(1.1)
    assert saved(frame).appearance.zoom == pytest.approx(1.1)


def test_what_the_page_of_the_chat_asks_for_is_saved(dialog: SettingsDesk, frame: Frame, qtbot: QtBot) -> None:
    dialog.show_page(CHAT)
    field = dialog.named(QDoubleSpinBox, label_of("temperature"))
    assert field.text() == DEFAULT
    for expected in (0.7, 0.75, 0.8):
        field.stepUp()
        assert saved(frame).chat.temperature == pytest.approx(expected, abs=1e-9)
    field.setValue(-1)
    assert saved(frame).chat.temperature == -1

    dialog.show_page(CHAT)
    field = dialog.named(QDoubleSpinBox, label_of("max_tokens"))
    field.selectAll()
    qtbot.keyClicks(field, "-99999999999abc")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert saved(frame).chat.max_tokens == -1
    assert field.text() == NO_LIMIT

    dialog.show_page(CHAT)
    dialog.click_name(QPushButton, "Thinking: Off")
    dialog.click_name(QPushButton, f"When a chat is full: {ASK_ME}")
    assert (saved(frame).chat.thinking, saved(frame).chat.when_full) == ("off", "ask")
    assert any(WHEN_FULL["ask"] in label.text() for label in dialog.every(QLabel))

    dialog.show_page(CHAT)
    field = dialog.named(QDoubleSpinBox, label_of("thinking_budget"))
    assert field.text() == NO_LIMIT
    field.stepUp()
    assert saved(frame).chat.thinking_budget == 256
    field.setValue(0)
    assert saved(frame).chat.thinking_budget == -1

    dialog.show_page(CHAT)
    field = dialog.named(QPlainTextEdit, label_of("system_prompt"))
    field.setPlainText("Be brief.")
    dialog.close()
    assert saved(frame).chat.system_prompt == "Be brief."


def test_engine_changes_say_that_they_apply_after_loading_and_load(
    dialog: SettingsDesk, frame: Frame, qtbot: QtBot
) -> None:
    load_model(frame, qtbot)
    dialog.show_page(ENGINE)
    button = dialog.named(QPushButton, RELOAD_NOW)
    assert not button.isVisible()
    field = dialog.named(QDoubleSpinBox, label_of("context_tokens"))
    assert field.text() == AUTOMATIC_LABEL
    field.setValue(2048)
    assert saved(frame).engine.context_tokens == 2048
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert LOADING_NEW_VALUES in {label.text() for label in dialog.every(QLabel)}
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert frame.loader.model is not None
    assert frame.loader.model.context_tokens == 2048
    assert not button.isVisible()


def test_engine_changes_are_offered_until_they_hold_and_hold_at_the_next_loading_of_any_kind(
    frame: Frame, qtbot: QtBot
) -> None:
    load_model(frame, qtbot)
    first = SettingsDesk(frame)
    first.show_page(ENGINE)
    field, button = first.named(QDoubleSpinBox, label_of("context_tokens")), first.named(QPushButton, RELOAD_NOW)
    field.setValue(2048)
    assert button.isVisible()
    field.setValue(0)
    assert not button.isVisible(), "as the model was loaded"
    field.setValue(2048)
    first.close()

    second = SettingsDesk(frame)
    second.show_page(ENGINE)
    button = second.named(QPushButton, RELOAD_NOW)
    assert button.isVisible()
    frame.loader.sleep()
    qtbot.waitUntil(lambda: not button.isVisible())
    assert [len(frame.app.engine.inspect("tokens", "One two").tokens)] == [2]  # which wakes it
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert frame.loader.model is not None
    assert frame.loader.model.context_tokens == 2048
    assert not button.isVisible()
    second.close()


def test_what_the_pages_of_engine_and_system_ask_for_is_saved(dialog: SettingsDesk, frame: Frame, qtbot: QtBot) -> None:
    dialog.show_page(ENGINE)
    button = dialog.named(QPushButton, "Context precision: 8-bit")
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert saved(frame).engine.kv_type == "q8_0"

    dialog.show_page(SYSTEM)
    switch = dialog.named(QCheckBox, label_of("stay_awake"))
    assert switch.isChecked()
    switch.click()
    assert not saved(frame).summaries.stay_awake

    dialog.show_page(ENGINE)
    dialog.named(QCheckBox, label_of("memory")).click()
    assert not saved(frame).engine.unload_when_memory_short
    field = dialog.named(QDoubleSpinBox, label_of("unload_after"))
    assert field.text() == NEVER
    field.stepUp()
    assert (saved(frame).engine.unload_after_min, field.text()) == (5, "5 min")


def test_without_a_gpu_there_is_no_choice_and_no_row_about_one(dialog: SettingsDesk) -> None:
    assert not dialog.every(DeviceChoice)
    dialog.show_page(ENGINE)
    dialog.wait_for_words(NO_GPU_FOUND)
    assert not dialog.named(QDoubleSpinBox, label_of("gpu_layers")).isVisible()
    assert not dialog.named(QCheckBox, label_of("experts_on_cpu")).isVisible()
    assert not dialog.named(QCheckBox, label_of("projector_on_cpu")).isVisible()


def test_a_gpu_can_be_chosen_and_is_saved(frame: Frame, qtbot: QtBot, tmp_path: Path, dialog: SettingsDesk) -> None:
    write_script(tmp_path / "script", devices=DEVICES)
    load_model(frame, qtbot)
    dialog.show_page(ENGINE)
    qtbot.waitUntil(lambda: bool(dialog.every(DeviceChoice)))
    assert dialog.named(QDoubleSpinBox, label_of("gpu_layers")).isVisible()
    row = dialog.named(QRadioButton, "Radeon 780M")
    assert row.accessibleDescription() == DEVICE_FREE_MEMORY.format(name="Vulkan0", free="7.0", total="8.0")
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    assert saved(frame).engine.devices == ("Vulkan0",)
    assert dialog.named(QPushButton, RELOAD_NOW).isVisible()
    qtbot.mouseClick(dialog.named(QCheckBox, label_of("projector_on_cpu")), Qt.MouseButton.LeftButton)
    assert saved(frame).engine.projector_on_cpu
    assert clipped_texts(dialog.root) == []


def test_an_engine_that_does_not_answer_is_asked_again(frame: Frame, tmp_path: Path, dialog: SettingsDesk) -> None:
    script = tmp_path / "script" / "script.json"
    text = script.read_text("utf-8")
    script.write_text("{ not json", "utf-8")
    dialog.show_page(ENGINE)
    dialog.wait_for_words(DEVICES_UNKNOWN)
    script.write_text(text, "utf-8")
    dialog.click_name(QPushButton, LOOK_AGAIN)
    dialog.wait_for_words(NO_GPU_FOUND)


def test_saved_states_show_their_size_and_can_be_cleared(dialog: SettingsDesk, frame: Frame, qtbot: QtBot) -> None:
    keep_state(frame, "chat-1", 31_000_000)
    dialog.show_page(ENGINE)
    dialog.wait_for_words(KEPT_SIZE.format(size="31 MB"))
    clear = dialog.named(QPushButton, CLEAR_SAVED_STATES)
    qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    dialog.answer(CANCEL)
    qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    assert list(frame.paths.states.iterdir()) != []
    dialog.answer(CLEAR)
    dialog.wait_for_words(NOTHING_KEPT)
    assert not clear.isEnabled()
    assert list(frame.paths.states.iterdir()) == []


def test_every_description_is_one_short_line_and_every_field_ends_on_the_same_edge(dialog: SettingsDesk) -> None:
    for number in range(dialog.page_count):
        edges: set[int] = set()
        dialog.show_page(number)
        assert clipped_texts(dialog.root) == []
        page = dialog.root.pages.currentWidget()
        for label in page.findChildren(QLabel, DESCRIPTION):
            assert len(label.text()) <= 60, label.text()
            assert not label.isVisible() or label.height() < 2 * label.fontMetrics().height(), label.text()
        for card in page.findChildren(SettingCard):
            for row in filter(QWidget.isVisible, card.rows):
                line = row.layout()
                if isinstance(line, QHBoxLayout | QBoxLayout) and line.direction() == QBoxLayout.Direction.LeftToRight:
                    field = line.itemAt(line.count() - 1).widget()
                    ring_px = RING_PX if isinstance(field, Switch) else 0
                    if field.isVisible():
                        edges.add(field.mapTo(page, field.rect().topRight()).x() - ring_px)
        assert len(edges) <= 1, number


def test_what_a_line_leaves_out_is_behind_a_mark_that_the_keyboard_reaches(dialog: SettingsDesk) -> None:
    dialog.show_page(CHAT)
    mark = dialog.named(HelpMark, MORE_ABOUT.format(name=label_of("max_tokens")))
    dialog.named(QDoubleSpinBox, label_of("temperature")).setFocus(Qt.FocusReason.TabFocusReason)
    while dialog.focus is not mark and dialog.focus.accessibleName() != label_of("max_tokens"):
        dialog.press(Qt.Key.Key_Tab)
    assert dialog.focus is mark
    assert mark.accessibleDescription() in mark.toolTip()
    dialog.press(Qt.Key.Key_Space)
    assert mark.accessibleDescription() in QToolTip.text()
    QToolTip.hideText()


def test_diagnostics_are_copied_without_anything_that_was_written(dialog: SettingsDesk, frame: Frame) -> None:
    frame.app.conversations.create(title="My secret plan")
    dialog.root.show_page_named("about")
    dialog.click_name(QPushButton, label_of("diagnostics"))
    dialog.wait_for_words(DIAGNOSTICS_COPIED)
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith(this_build().line)
    assert f"Folder for data: {frame.paths.data}" in copied
    assert "Device: " in copied
    assert "secret" not in copied


def test_up_and_down_in_the_list_show_the_pages_and_tab_goes_into_the_one_that_is_shown(dialog: SettingsDesk) -> None:
    last = dialog.page_count - 1
    for key, numbers in (
        (Qt.Key.Key_Down, (*range(1, last + 1), last)),
        (Qt.Key.Key_Up, range(last - 1, CHAT - 1, -1)),
    ):
        for number in numbers:
            dialog.press(key)
            assert dialog.root.pages.currentIndex() == number
            assert isinstance(dialog.focus, QPushButton)
            assert dialog.focus.isChecked()
    dialog.press(Qt.Key.Key_Tab)
    assert dialog.root.pages.currentWidget().isAncestorOf(dialog.focus), "the other names of the list are no stops"
    dialog.press(Qt.Key.Key_Backtab)
    assert dialog.named(QPushButton, page_label("chat")) is dialog.focus
