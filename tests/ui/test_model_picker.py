"""The picker says name, size and state in words; its menu offers what is really there."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMenu
from pytestqt.qtbot import QtBot

from tests.helpers.clipping import clipped_texts
from tests.helpers.ui import Frame


def words(frame: Frame) -> list[str]:
    return [label.text() for label in frame.window.picker.findChildren(QLabel) if label.isVisible() and label.text()]


def texts(menu: QMenu) -> list[str]:
    return [action.text().split("\t")[0] for action in menu.actions() if not action.isSeparator()]


def named(menu: QMenu, beginning: str) -> QAction:
    return next(action for action in menu.actions() if action.text().startswith(beginning))


def test_the_picker_has_a_word_beside_its_dot(frame: Frame) -> None:
    assert words(frame) == ["Starter", "0.1 GB", "asleep"]
    assert frame.window.picker.accessibleName() == "Model"
    assert frame.window.picker.accessibleDescription() == "Starter, 0.1 GB, asleep"


def test_a_long_name_is_shortened_and_nothing_is_clipped(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / f"{'A-very-long-name-' * 6}Q4_K_M.gguf"
    path.write_bytes(b"GGUF")
    frame.loader.load(path)
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    frame.window.resize(640, 480)
    assert frame.window.picker.width() < 420
    assert clipped_texts(frame.window) == []


def test_the_menu_offers_known_models_that_are_still_there(frame: Frame, tmp_path: Path) -> None:
    here, gone = tmp_path / "here & now.gguf", tmp_path / "gone.gguf"
    here.write_bytes(b"GGUF")
    frame.app.change("engine", known_models=(str(here), str(gone)))
    menu = frame.window.picker.menu_now()
    assert texts(menu) == [
        "Starter  ·  0.1 GB  ·  a very small English model, often wrong",
        "here && now  ·  1 MB",
        "Load it again",
        "Open a model file…",
    ]
    assert [action.isChecked() for action in menu.actions() if action.isCheckable()] == [True, False]
    menu.deleteLater()


def test_choosing_in_the_menu_loads(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(b"GGUF")
    frame.app.change("engine", known_models=(str(path),))
    menu = frame.window.picker.menu_now()
    named(menu, "other").trigger()
    menu.deleteLater()
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert frame.loader.name == "other"


def test_a_sleeping_model_can_be_loaded_again(frame: Frame, qtbot: QtBot) -> None:
    menu = frame.window.picker.menu_now()
    named(menu, "Load it again").trigger()
    menu.deleteLater()
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
