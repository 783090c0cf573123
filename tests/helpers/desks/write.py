"""The Write tab: the page, the continuations to choose from, and what is said below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton

from app.ui.sampling_fields import KnobStepper
from app.ui.widgets.buttons import ChoiceButton
from app.ui.widgets.input_fields import Stepper
from app.ui.widgets.labels import ElidedLabel
from app.ui.write.alternatives import AlternativeCard
from app.ui.write.page_edit import PageEdit
from app.ui.write.write_tab import FirstWords, WriteView
from app.ui.write.writing_options import OptionsSheet
from tests.helpers.desks.desk import Desk, Found
from tests.helpers.script import requests

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


class WriteDesk(Desk):
    """One page, and what a person and a model do with it."""

    root: WriteView

    edit = Found(PageEdit)
    first = Found(FirstWords)
    go_on_button = Found(QPushButton, "continue_button")
    again_button = Found(QPushButton, "again_button")
    options_button = Found(QPushButton, "write_options_button")
    note_line = Found(ElidedLabel, "write_note")
    count_line = Found(QLabel, "write_count_tokens")
    cut_line = Found(QLabel, "write_cut")
    where_button = Found(QPushButton, "write_where")
    title_line = Found(ElidedLabel, "page_title")
    file_line = Found(ElidedLabel, "page_file")
    language = Found(ChoiceButton, "page_language")
    save_button = Found(QToolButton, "page_save")

    script: Path | None = None

    # The page.

    @property
    def text(self) -> str:
        """All that stands in it."""
        return self.edit.text

    @property
    def tinted(self) -> list[str]:
        """What is marked as written by the model."""
        state = self.edit.state
        return [state.text[start:end] for start, end in state.written]

    @property
    def shown_tints(self) -> list[str]:
        """What is drawn with a tint now."""
        return [one.cursor.selectedText() for one in self.edit.extraSelections()]

    @property
    def cursor(self) -> int:
        """Where it stands, in characters."""
        return self.edit.state.cursor

    def is_seen(self, place: int) -> bool:
        """Whether one sees a place, by its characters."""
        cursor = QTextCursor(self.edit.document())
        cursor.setPosition(place)
        return self.edit.viewport().rect().contains(self.edit.cursorRect(cursor).center())

    def put_cursor(self, place: int, to: int | None = None) -> None:
        """As with the mouse; `to` selects."""
        cursor = self.edit.textCursor()
        cursor.setPosition(place)
        if to is not None:
            cursor.setPosition(to, QTextCursor.MoveMode.KeepAnchor)
        self.edit.setTextCursor(cursor)

    def type(self, text: str) -> None:
        """With the keyboard in the page."""
        self.edit.setFocus()
        self.keys(text)

    # Continuing.

    def go_on(self) -> None:
        """Ctrl+Return."""
        self.edit.setFocus()
        self.press(Qt.Key.Key_Return, modifier=CTRL)

    def continue_to_end(self) -> None:
        """The same, until nothing more comes."""
        self.go_on()
        self.wait(lambda: not self.is_busy)

    @property
    def is_busy(self) -> bool:
        """Whether something is being written."""
        return self.root.continuing.is_busy

    @property
    def note(self) -> str:
        """What is said beside the buttons."""
        return self.note_line.text()

    @property
    def cards(self) -> list[AlternativeCard]:
        """What can be chosen."""
        return list(self.root.cards.cards)

    @property
    def offered(self) -> list[str]:
        """The texts of the cards."""
        return [card.written for card in self.cards]

    @property
    def figures(self) -> list[str]:
        """What is said of how sure the model was."""
        return [card.findChild(QLabel, "alternative_figure").text() for card in self.cards]

    def choose_options(self, **values: Any) -> None:
        """As on the sheet."""
        from dataclasses import replace

        self.root.options.take_options(replace(self.root.options.now, **values))

    def open_options(self) -> OptionsSheet:
        """The sheet; a test closes it."""
        self.click(self.options_button)
        return self.find_step(OptionsSheet)

    def knob(self, name: str) -> KnobStepper:
        """One of the numbers on the sheet."""
        return next(one for one in self.every(KnobStepper) if one.number.accessibleName() == name)

    def stepper(self, name: str) -> Stepper:
        """The length."""
        return self.find_step(Stepper, name)

    # What is kept.

    def keep_step(self) -> None:
        """Without waiting."""
        self.root.kept.save_page()

    @property
    def open_id(self) -> int | None:
        """The number of the page that is open."""
        return self.root.open_id

    @property
    def pages(self) -> Any:
        """The stored pages."""
        return self.app.pages

    @property
    def stored(self) -> Any:
        """The page that is open, as it is stored."""
        return self.pages.get(self.open_id)

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What the model was asked, oldest first."""
        assert self.script is not None
        return [one for one in requests(self.script) if one["text"]]
