"""A question closes with one choice; Escape and Cancel are none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.settings import load_settings
from app.features.assistants import AssistantChoice
from app.ui.chat.chat_options import ChatSettings
from app.ui.shared_labels import SAVE
from app.ui.theme import Theme
from app.ui.widgets import dialogs, layouts
from app.ui.widgets.dialogs import (
    DOCUMENTS,
    MODELS,
    LastFolders,
    QuestionDialog,
    file_dialog,
    last_folders,
)
from tests.helpers.desks.window import Frame


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    last_folders.use((), lambda _lines: None)
    return window


def opened(window: QWidget, said: list[str]) -> QuestionDialog:
    theme = Theme("light", 1.0)
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    dialog = QuestionDialog(theme, "Really?", "It cannot be undone.", window)
    dialog.add_choice("Maybe", lambda: said.append("maybe"))
    dialog.add_choice("Yes", lambda: said.append("yes"), "primary")
    dialog.open()
    return dialog


def test_enter_means_the_primary_choice(qtbot: QtBot, window: QWidget) -> None:
    said: list[str] = []
    dialog = opened(window, said)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert said == ["yes"]
    assert not dialog.isVisible()


@pytest.mark.parametrize("way", ["escape", "cancel"])
def test_no_choice_does_nothing_and_says_so(qtbot: QtBot, window: QWidget, way: str) -> None:
    said: list[str] = []
    dialog = opened(window, said)
    dialog.rejected.connect(lambda: said.append("rejected"))
    if way == "escape":
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    else:
        qtbot.mouseClick(dialog.findChildren(QPushButton)[0], Qt.MouseButton.LeftButton)
    assert said == ["rejected"]


# File dialogs begin where the person was last for the same purpose, after a restart too, and filter by kind.


def begins(dialog: QFileDialog) -> Path:
    return Path(dialog.directory().absolutePath())


def test_each_purpose_has_its_own_last_folder(window: QWidget, tmp_path: Path) -> None:
    papers, models = tmp_path / "papers", tmp_path / "models"
    taken: list[list[Path]] = []
    for folder in (papers, models):
        folder.mkdir()
    assert begins(file_dialog(window, "Attach", DOCUMENTS, taken.append)) == Path.home()
    assert begins(file_dialog(window, "Open", MODELS, taken.append, first=models)) == models
    file_dialog(window, "Attach", DOCUMENTS, taken.append).filesSelected.emit([str(papers / "lease.pdf")])
    assert begins(file_dialog(window, "Attach", DOCUMENTS, taken.append)) == papers
    whole = file_dialog(window, "Folder", DOCUMENTS, taken.append, mode=QFileDialog.FileMode.Directory)
    whole.filesSelected.emit([str(models)])
    assert begins(file_dialog(window, "Attach", DOCUMENTS, taken.append)) == models
    shutil.rmtree(models)
    assert begins(file_dialog(window, "Attach", DOCUMENTS, taken.append)) == tmp_path, "the nearest that is still there"
    assert taken == [[papers / "lease.pdf"], [models]]


def test_what_was_kept_comes_back_and_nonsense_is_passed_over(tmp_path: Path) -> None:
    kept: list[tuple[str, ...]] = []
    folders = LastFolders()
    folders.use(("nonsense", f"documents={tmp_path}", "saved="), kept.append)
    assert folders.nearest_folder(DOCUMENTS) == str(tmp_path)
    assert folders.nearest_folder("saved") == str(Path.home())
    folders.remember(DOCUMENTS, tmp_path)
    assert kept == []
    folders.remember(MODELS, tmp_path / "a=b")
    assert kept[-1][-1] == f"models={tmp_path / 'a=b'}"


def test_the_window_keeps_them_in_the_settings(frame: Frame, tmp_path: Path) -> None:
    frame.window.files.ask_for_model()
    dialog = frame.window.findChild(QFileDialog, "open_model_dialog")
    assert dialog is not None
    dialog.filesSelected.emit([str(tmp_path / "x.gguf")])
    dialog.close()
    assert load_settings(frame.paths.settings)[0].window.last_folders == (f"models={tmp_path}",)


def test_a_dialog_that_grows_moves_up_and_keeps_its_foot_on_a_low_screen(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = QRect(0, 0, 1366, 768)
    for module in (layouts, dialogs):
        monkeypatch.setattr(module, "screen_room", lambda _window: screen)
    dialog = ChatSettings(Theme("light"), AssistantChoice())
    qtbot.addWidget(dialog)
    dialog.offer_memories(True, is_on=True)
    dialog.show()
    dialog.move(300, 200)
    assert dialog.height() <= 768 - 96
    dialog.findChildren(QPushButton, "more_sampling")[0].click()
    save = next(button for button in dialog.findChildren(QPushButton) if button.text() == SAVE)
    qtbot.waitUntil(lambda: dialog.height() <= 768 - 96 and dialog.frameGeometry().bottom() <= 768)
    assert dialog.y() < 200, "it moved up"
    assert screen.contains(QRect(save.mapToGlobal(QPoint(0, 0)), save.size()))
