"""Storage: sizes, Clear with a question first, and the folder on its way to another disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.ui.models.storage import DISK_USE, EMPTY, MOVE_STOPPED, own_folder
from tests.ui.models.stand_in import Pages


def open_page(pages: Pages, qtbot: QtBot) -> None:
    pages.show("storage")
    qtbot.waitUntil(lambda: bool(pages.storage_rows["jobs"].amount.text()))


def amounts(pages: Pages) -> dict[str, str]:
    return {key: row.amount.text() for key, row in pages.storage_rows.items()}


def test_everything_has_its_size(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    assert amounts(pages) == {
        "models": "21.0 GB",
        "trash": "5.0 GB",
        "parts": "700 MB",
        "states": "1.4 GB",
        "memory": EMPTY,
        "jobs": "2 kB",
    }
    assert pages.lead("storage") == DISK_USE.format(used="28.1 GB", free="212.0 GB")
    assert pages.folder_path.text() == "/home/ada/.local/share/fireside/models"


@pytest.mark.parametrize("key", ["trash", "parts", "states", "jobs"])
def test_clear_asks_first_and_then_clears(pages: Pages, qtbot: QtBot, key: str) -> None:
    open_page(pages, qtbot)
    row = pages.storage_rows[key]
    qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)
    assert pages.models.calls == []
    assert row.yes.isVisible()
    qtbot.mouseClick(row.yes, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: row.amount.text() == EMPTY)
    assert pages.models.calls == [("clear", f"{key}_bytes")]
    assert not row.button.isEnabled()


def test_moving_shows_how_far_and_then_the_new_folder(pages: Pages, qtbot: QtBot, tmp_path: Path) -> None:
    open_page(pages, qtbot)
    inside = pages.folder_row.folder / "org" / "model.gguf"
    pages.loader.path = inside
    pages.move_models(tmp_path)
    qtbot.waitUntil(lambda: "2.0 GB of 8.0 GB" in pages.move_state.text())
    assert pages.move_line.value() == 250
    assert not pages.move_button.isVisible()
    pages.models.move_may_go_on.set()
    new = tmp_path / "Fireside models"
    qtbot.waitUntil(lambda: pages.folder_path.text() == str(new))
    assert pages.notices == [f"Models moved to {new}."]
    assert pages.loader.loaded == [new / "org" / "model.gguf"]


def test_moving_can_be_cancelled(pages: Pages, qtbot: QtBot, tmp_path: Path) -> None:
    open_page(pages, qtbot)
    before = pages.models.report.folder
    pages.move_models(tmp_path)
    qtbot.waitUntil(lambda: "2.0 GB of 8.0 GB" in pages.move_state.text())
    qtbot.mouseClick(pages.stop_moving, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(pages.move_button.isVisible)
    assert pages.notices == [MOVE_STOPPED]
    assert pages.models.report.folder == before


def test_models_get_a_folder_of_their_own(tmp_path: Path) -> None:
    own = tmp_path / "Fireside models"
    assert own_folder(tmp_path) == own
    assert own_folder(own) == own
