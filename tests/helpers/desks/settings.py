"""The settings: their pages, and what is on them, found by the names that a screen reader says."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from shiboken6 import isValid

from app.ui.settings.dialog import SettingsDialog
from app.ui.widgets.dialogs import QuestionDialog
from tests.helpers.desks.desk import Desk, Kind
from tests.helpers.desks.window import Frame


class SettingsDesk(Desk):
    """The dialog, opened in a window."""

    root: SettingsDialog

    def __init__(self, frame: Frame, page: str = "") -> None:
        frame.window.open_settings(*([page] if page else []))
        super().__init__(frame.find_step(SettingsDialog), frame.app, frame.notify)

    def close(self) -> None:
        """It deletes itself when it closes."""
        if isValid(self.root):
            self.root.close()

    def named(self, kind: type[Kind], name: str) -> Kind:
        """A control by what a screen reader says of it."""
        return next(one for one in self.every(kind) if one.accessibleName() == name)  # type: ignore[attr-defined]

    def line(self, name: str) -> QLineEdit:
        """A field for text."""
        return self.named(QLineEdit, name)

    def click_name(self, kind: type[Kind], name: str) -> None:
        """Presses a control."""
        self.click(self.named(kind, name))  # type: ignore[arg-type]

    def answer(self, name: str) -> None:
        """What is asked before something is gone."""
        asked = self.find_step(QuestionDialog, "settings_question")
        self.click(next(one for one in asked.findChildren(QPushButton) if one.text() == name))

    @property
    def page_count(self) -> int:
        """How many pages there are."""
        return self.root.pages.count()

    def show_page(self, number: int) -> None:
        """A page by its place."""
        self.root.show_page(number)

    @property
    def said(self) -> list[str]:
        """Every sentence that can be seen."""
        return [label.text() for label in self.every(QLabel) if label.isVisible()]

    def wait_for_words(self, words: str) -> None:
        """Until they can be read."""
        self.wait(lambda: any(words in text for text in self.said))
