"""What is asked about files on their way into a chat, a summary or a translation."""

from __future__ import annotations

from app.ui.document.document_dialogs import PagesDialog, PasswordDialog
from tests.helpers.desks.desk import Desk


class FileQuestions(Desk):
    """A desk where files can be dropped."""

    @property
    def password_dialog(self) -> PasswordDialog | None:
        """The one that can be seen."""
        return next((one for one in self.every(PasswordDialog) if one.isVisible()), None)

    def give_password(self, password: str) -> None:
        """Answers the question for one."""
        dialog = self.password_dialog
        assert dialog is not None
        dialog.field.setText(password)
        dialog.open_button.click()

    def choose_pages(self, first: int, last: int) -> None:
        """Answers the question which pages are to be read."""
        dialog = self.find_step(PagesDialog)
        dialog.first.number.setValue(first)
        dialog.last.number.setValue(last)
        self.click(dialog.read_button)
