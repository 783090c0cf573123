"""A tab is one `TabSpec`: one from this file has all that the others have, and nothing else of the program knows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPlainTextEdit, QWidget

from app.bootstrap import Fireside
from app.ui.shell.keyboard import ShortcutSheet
from app.ui.shell.tab_spec import Drops, Tab, TabSpec, UiContext
from tests.helpers.attached import notes
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script


class NotesTab(Tab):
    """A field for text, and the names of what was dropped beside it."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self._field, self._list = QPlainTextEdit(), QLabel()
        self._field.setObjectName("notes_field")
        self._list.setObjectName("notes_column")

    @property
    def view(self) -> QWidget:
        return self._field

    @property
    def column(self) -> QWidget:
        return self._list

    def take_files(self, files: Sequence[Path]) -> None:
        self._list.setText(" ".join(file.name for file in files))


NOTES = TabSpec(
    "notes",
    "Notes",
    "article",
    NotesTab,
    keys=("Ctrl+5",),
    drops=Drops("Drop to note", "Note it", "Beside what you write"),
    shortcuts=(("F8", "To the next note"),),
)
SHOWN = "notes QPlainTextEdit notes_column"


@pytest.fixture
def with_notes(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Frame:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with open_window(qapp, more=[NOTES]) as frame:
        yield frame


def test_it_stands_at_the_top_and_is_opened_by_click_with_its_column(with_notes: Frame) -> None:
    button = with_notes.find_step(QAbstractButton, "tab_notes")
    assert button.isVisible()
    assert button.text() == "Notes"
    assert button.toolTip() == "Ctrl+5"
    with_notes.click_tab("notes")
    assert with_notes.shown == SHOWN
    assert with_notes.focus.objectName() == "notes_field"
    assert with_notes.window.windowTitle() == "Notes – Fireside"
    with_notes.click_tab("chat")
    assert not with_notes.shown.startswith("notes")


def test_it_is_opened_by_its_key_and_its_keys_are_on_the_sheet(with_notes: Frame) -> None:
    with_notes.key(Qt.Key.Key_5)
    assert with_notes.shown == SHOWN
    with_notes.do("shortcuts")
    sheet = with_notes.find_step(ShortcutSheet)
    said = {label.text() for label in sheet.findChildren(QLabel)}
    assert {"Notes", "Ctrl+5", "To the next note"} <= said
    sheet.close()


def test_it_has_its_place_among_those_that_take_files(with_notes: Frame, tmp_path: Path) -> None:
    file = notes(tmp_path / "plan.txt", "A plan.")
    assert "Note it" in with_notes.hint(file)
    with_notes.drop(file, share=0.99)
    assert with_notes.shown == SHOWN
    assert with_notes.find_step(QLabel, "notes_column").text() == "plan.txt"
    assert with_notes.hint(file) == "Drop to note", "above the open tab there is only one thing to do"
    with_notes.drop(notes(tmp_path / "list.txt", "A list."))
    assert with_notes.find_step(QLabel, "notes_column").text() == "list.txt"
    assert with_notes.chat.files == []
