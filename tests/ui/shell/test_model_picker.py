"""The picker says name, size and state in words; its menu offers what is really there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLabel, QMenu
from pytestqt.qtbot import QtBot

from app.features.models.model_messages import ASLEEP
from app.ui.shared_labels import ABOUT_THIS_MODEL, FIND_MORE_MODELS, PUT_TO_SLEEP, SIZE, STARTER
from app.ui.shell.model_about import FILE, NOT_THERE, ModelAbout
from app.ui.shell.model_picker import (
    FOR_THIS_CHAT_ONLY,
    OPEN_MODEL_FILE,
    WAKE_UP,
)
from app.ui.shell.status_line import CPU_ONE_THREAD
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame
from tests.helpers.models_on_disk import write_model

Script = Callable[[dict[str, Any]], None]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Says how models are loaded; call it before one is."""

    def put(rule: dict[str, Any]) -> None:
        path = tmp_path / "script" / "script.json"
        path.write_text(json.dumps({"load": {"any_path": True} | rule}), "utf-8")

    return put


def load_in_active_window(frame: Frame, qtbot: QtBot) -> None:
    """A popup closes when its window is not the active one."""
    frame.loader.start()
    qtbot.waitUntil(lambda: frame.loader.state == "ready" and frame.window.isActiveWindow())
    QApplication.processEvents()


def texts(menu: QMenu) -> list[str]:
    return [action.text().split("\t")[0] for action in menu.actions() if not action.isSeparator()]


def named(menu: QMenu, beginning: str) -> QAction:
    return next(action for action in menu.actions() if action.text().startswith(beginning))


def give_room(frame: Frame) -> None:
    """Without its left column the window has room for all of the picker's words."""
    frame.left.hide()
    frame.window.resize(1000, 700)
    QApplication.processEvents()


def test_a_long_name_is_shortened_and_nothing_is_clipped(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / f"{'A-very-long-name-' * 6}Q4_K_M.gguf"
    path.write_bytes(b"GGUF")
    frame.loader.load(path)
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    frame.window.resize(640, 480)
    assert frame.picker.width() < 420
    assert clipped_texts(frame.window) == []


def test_the_menu_offers_known_models_that_are_still_there(frame: Frame, tmp_path: Path) -> None:
    here, gone = tmp_path / "here & now.gguf", tmp_path / "gone.gguf"
    write_model(here)
    frame.app.change_settings("engine", known_models=(str(here), str(gone)))
    menu = frame.model_menu
    assert texts(menu) == [
        "Starter  ·  145 MB  ·  a very small English model, often wrong",
        "here && now  ·  448 bytes",
        FOR_THIS_CHAT_ONLY,
        WAKE_UP,
        ABOUT_THIS_MODEL,
        FIND_MORE_MODELS,
        OPEN_MODEL_FILE,
    ]
    assert [action.isChecked() for action in menu.actions() if action.isCheckable()] == [True, False, False]
    menu.deleteLater()


def test_a_sleeping_model_can_be_woken_and_put_to_sleep(frame: Frame, qtbot: QtBot) -> None:
    frame.choose_model(WAKE_UP)
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    menu = frame.model_menu
    assert WAKE_UP not in texts(menu)
    named(menu, PUT_TO_SLEEP).trigger()
    menu.deleteLater()
    give_room(frame)
    assert frame.model_words == [STARTER, "145 MB", "asleep"]
    frame.wait(lambda: frame.picker.toolTip().startswith(ASLEEP.text))


def test_the_menu_works_with_the_keyboard(frame: Frame, qtbot: QtBot) -> None:
    frame.loader.start()
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    frame.picker.setFocus()
    qtbot.keyClick(frame.picker, Qt.Key.Key_Space)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    while menu.activeAction() is None or menu.activeAction().text() != PUT_TO_SLEEP:
        qtbot.keyClick(menu, Qt.Key.Key_Down)
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    assert frame.loader.state == "asleep"


@pytest.mark.display
@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_about_this_model_says_why_and_with_what_and_leaves_by_key(
    frame: Frame, qtbot: QtBot, script: Script, key: Qt.Key
) -> None:
    script({"choice": "fits", "needed_bytes": 1_200_000_000, "free_bytes": 9_800_000_000, "sequences": 8, "layers": 30})
    load_in_active_window(frame, qtbot)
    menu = frame.model_menu
    named(menu, ABOUT_THIS_MODEL).trigger()
    about = frame.window.findChild(ModelAbout)
    assert about is not None
    assert about.accessibleName() == ABOUT_THIS_MODEL
    shown = [label.text() for label in about.findChildren(QLabel) if not label.isHidden()]
    assert shown[:2] == [STARTER, "Fits: needs 1.2 GB of 9.8 GB free, context 8k."]
    assert str(frame.loader.path) in shown
    for text in ("8k, all it was trained for", CPU_ONE_THREAD, "all 30 on the CPU", "up to 8 answers"):
        assert text in shown
        assert text in about.accessibleDescription()
    assert clipped_texts(about) == []
    qtbot.keyClick(about, key)
    assert not about.isVisible()


@pytest.mark.display
def test_a_long_reason_is_not_cut(frame: Frame, qtbot: QtBot, script: Script) -> None:
    script({"gpu_missed": "the driver is older than what this version of the library needs, which is 12.8 " * 3})
    load_in_active_window(frame, qtbot)
    frame.picker.show_about()
    about = frame.window.findChild(ModelAbout)
    assert about is not None
    assert clipped_texts(about) == []
    assert "older than" in frame.picker.toolTip()
    about.close()


def test_about_a_model_that_is_not_loaded_says_what_there_is(frame: Frame, tmp_path: Path) -> None:
    frame.loader.path = tmp_path / "gone.gguf"
    frame.picker.show_about()
    about = frame.window.findChild(ModelAbout)
    assert about is not None
    shown = [label.text() for label in about.findChildren(QLabel) if not label.isHidden()]
    assert shown == ["gone", FILE, str(tmp_path / "gone.gguf"), SIZE, NOT_THERE]
    about.close()
