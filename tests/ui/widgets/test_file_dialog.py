"""File dialogs begin where the person was last for the same purpose, after a restart too, and filter by kind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from app.core.settings import load_settings
from app.ui.widgets.file_dialog import DOCUMENTS, MODELS, LastFolders, document_filters, file_dialog, last_folders
from tests.helpers.desks.window import Frame


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    last_folders.use((), lambda _lines: None)
    return window


def begins(dialog: QFileDialog) -> Path:
    return Path(dialog.directory().absolutePath())


def test_each_purpose_has_its_own_last_folder(window: QWidget, tmp_path: Path) -> None:
    papers, models = tmp_path / "papers", tmp_path / "models"
    for folder in (papers, models):
        folder.mkdir()
    assert begins(file_dialog(window, "Attach", DOCUMENTS)) == Path.home()
    assert begins(file_dialog(window, "Open", MODELS, first=models)) == models
    file_dialog(window, "Attach", DOCUMENTS).filesSelected.emit([str(papers / "lease.pdf")])
    assert begins(file_dialog(window, "Attach", DOCUMENTS)) == papers
    whole = file_dialog(window, "Folder", DOCUMENTS)
    whole.setFileMode(QFileDialog.FileMode.Directory)
    whole.filesSelected.emit([str(models)])
    assert begins(file_dialog(window, "Attach", DOCUMENTS)) == models
    shutil.rmtree(models)
    assert begins(file_dialog(window, "Attach", DOCUMENTS)) == tmp_path, "the nearest that is still there"


def test_what_was_kept_comes_back_and_nonsense_is_passed_over(tmp_path: Path) -> None:
    kept: list[tuple[str, ...]] = []
    folders = LastFolders()
    folders.use(("nonsense", f"documents={tmp_path}", "saved="), kept.append)
    assert folders.of(DOCUMENTS) == str(tmp_path)
    assert folders.of("saved") == str(Path.home())
    folders.remember(DOCUMENTS, tmp_path)
    assert kept == []
    folders.remember(MODELS, tmp_path / "a=b")
    assert kept[-1][-1] == f"models={tmp_path / 'a=b'}"


def test_the_kinds_of_documents_can_be_chosen_from() -> None:
    every, *_, all_files = document_filters()
    assert all(f"*.{ending}" in every for ending in ("pdf", "docx", "ods", "eml", "epub"))
    assert all_files == "All files (*)"


def test_the_window_keeps_them_in_the_settings(frame: Frame, tmp_path: Path) -> None:
    frame.window.files.ask_for_model()
    dialog = frame.window.findChild(QFileDialog, "open_model_dialog")
    assert dialog is not None
    dialog.filesSelected.emit([str(tmp_path / "x.gguf")])
    dialog.close()
    assert load_settings(frame.paths.settings)[0].window.last_folders == (f"models={tmp_path}",)
