"""Models from a folder or a disk, in the window: shown with their checksums, added in sight, and copied to one."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from app.core.errors.model_errors import ModelAltered
from app.features.error_messages import sentence_for
from app.ui.models.add_model_file import COPY
from app.ui.models.installed_page import COPY_TO_DISK
from app.ui.models.model_disk_dialog import (
    ADDED_UNCHECKED,
    EXPORTED,
    IS_HERE,
    MANY_ADDED,
    ONE_ADDED,
    WITH_CHECKSUMS,
    WITHOUT_CHECKSUMS,
    DiskDialog,
)
from app.ui.models.models_tab import ModelsView
from app.ui.shared_labels import ADD
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame
from tests.helpers.models_on_disk import write_model
from tests.helpers.texts import shows


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """Two models: one with a checksum, one without."""
    folder = tmp_path / "stick"
    write_model(folder / "first-Q4_0.gguf", weights=200_000)
    write_model(folder / "sub" / "second-Q8_0.gguf", weights=200_000)
    sha256 = hashlib.sha256((folder / "first-Q4_0.gguf").read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{sha256}  first-Q4_0.gguf\n")
    return folder


@pytest.fixture
def view(frame: Frame) -> Iterator[ModelsView]:
    frame.window.open_models("installed")
    yield frame.find_step(ModelsView)


def opened(frame: Frame, qtbot: QtBot) -> DiskDialog:
    qtbot.waitUntil(lambda: frame.window.findChild(DiskDialog) is not None)
    dialog = frame.window.findChild(DiskDialog)
    assert dialog is not None
    return dialog


def press_add(dialog: DiskDialog, qtbot: QtBot) -> None:
    button = next(button for button in dialog.findChildren(QPushButton) if shows(ADD, button.text()))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def details(dialog: DiskDialog) -> dict[str, str]:
    return {found.model.path.name: row.accessibleDescription() for row, found in dialog.models}


def test_a_chosen_folder_shows_what_there_is_and_adds_it(
    view: ModelsView, frame: Frame, stick: Path, qtbot: QtBot
) -> None:
    qtbot.mouseClick(frame.find_step(QPushButton, "add_file").parent().add_folder, Qt.MouseButton.LeftButton)
    files = frame.find_step(QFileDialog, "disk_folder_dialog")
    files.filesSelected.emit([str(stick)])
    files.close()
    dialog = opened(frame, qtbot)
    assert shows(WITH_CHECKSUMS, details(dialog)["first-Q4_0.gguf"])
    assert shows(WITHOUT_CHECKSUMS, details(dialog)["second-Q8_0.gguf"])
    assert dialog.how == COPY and len(dialog.chosen) == 2 and clipped_texts(dialog) == []
    press_add(dialog, qtbot)
    told = f"{MANY_ADDED.format(count=2)} {ADDED_UNCHECKED.format(names='second')}"
    qtbot.waitUntil(lambda: frame.notices == [told])
    names = {row.model.path.name for row in frame.models.list_installed()}
    assert {"first-Q4_0.gguf", "second-Q8_0.gguf"} <= names
    assert frame.loader.state == "asleep", "nobody asked for one of them to be opened"
    view.disks.add_folder(stick)
    qtbot.waitUntil(lambda: opened(frame, qtbot) is not dialog)
    again = opened(frame, qtbot)
    assert shows(IS_HERE, details(again)["first-Q4_0.gguf"])
    assert [found.model.name for found in again.chosen] == ["second"]
    again.reject()


def test_a_wrong_checksum_is_told_and_the_others_are_added(
    view: ModelsView, frame: Frame, stick: Path, qtbot: QtBot
) -> None:
    (stick / "SHA256SUMS").write_text(f"{'a' * 64}  first-Q4_0.gguf\n")
    view.disks.add_folder(stick)
    press_add(opened(frame, qtbot), qtbot)
    told = sentence_for(ModelAltered(str(stick / "first-Q4_0.gguf"))).text
    qtbot.waitUntil(lambda: any(told in notice for notice in frame.notices))
    qtbot.waitUntil(lambda: any(ONE_ADDED in notice for notice in frame.notices))


def test_a_model_is_copied_to_a_disk_from_its_menu(
    view: ModelsView, frame: Frame, tmp_path: Path, qtbot: QtBot
) -> None:
    write_model(frame.paths.models / "org" / "repo" / "mine-Q4_0.gguf", weights=200_000)
    view.installed.reload()
    qtbot.waitUntil(lambda: any(card.name.text() == "mine" for card in view.installed.cards()))
    card = next(card for card in view.installed.cards() if card.name.text() == "mine")
    menu = view.installed.menu_for(card)
    next(action for action in menu.actions() if shows(COPY_TO_DISK, action.text())).trigger()
    target = tmp_path / "usb"
    target.mkdir()
    files = frame.find_step(QFileDialog, "export_model_dialog")
    files.filesSelected.emit([str(target)])
    files.close()
    place = target / "mine Q4_0"
    qtbot.waitUntil(lambda: frame.notices == [EXPORTED.format(name="mine", path=place)])
    subprocess.run(["sha256sum", "--status", "-c", "SHA256SUMS"], cwd=place, check=True)
