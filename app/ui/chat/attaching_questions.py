"""What the person is asked while documents are attached: for files, a password, the pages to read."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.ui.chat.draft_document import DraftDocument, Stage
from app.ui.chat.pages_dialog import PagesDialog
from app.ui.chat.password_dialog import PasswordDialog
from app.ui.i18n import tr
from app.ui.theme import Theme


class AttachingQuestions(QObject):
    """Dialogs over the chat; only one asks for a password at a time."""

    files_chosen = Signal(list)
    password_given = Signal(object, str)
    """A `DraftDocument` and what was typed."""
    refused = Signal(object)
    """No password for this `DraftDocument`."""
    pages_chosen = Signal(object, int, int)
    """A `DraftDocument`, the first and the last page."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme, self._window = theme, window
        self._locked: list[tuple[DraftDocument, bool]] = []
        self._asked: PasswordDialog | None = None

    def ask_for_files(self) -> None:
        """Several may be chosen."""
        dialog = QFileDialog(self._window, tr("Attach files"))
        dialog.setObjectName("attach_dialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self.files_chosen.emit)
        dialog.open()

    def ask_for_password(self, one: DraftDocument, *, is_wrong: bool) -> None:
        """When those that are locked before it have been asked about."""
        self._locked.append((one, is_wrong))
        self._ask_next()

    def ask_for_pages(self, one: DraftDocument) -> None:
        """Which part of it is to be read."""
        document = one.document
        if document is None:
            return
        dialog = PagesDialog(
            self._theme, one.name, document.unit, document.pages,
            first=one.part.first_page or 1, last=one.part.last_page, parent=self._window,
        )  # fmt: skip
        dialog.chosen.connect(lambda first, last: self.pages_chosen.emit(one, first, last))
        dialog.open()

    def _ask_next(self) -> None:
        while self._locked and self._asked is None:
            one, is_wrong = self._locked.pop(0)
            if one.stage is not Stage.LOCKED:
                continue
            dialog = self._asked = PasswordDialog(self._theme, one.name, is_wrong=is_wrong, parent=self._window)
            dialog.given.connect(lambda password, one=one: self.password_given.emit(one, password))
            dialog.rejected.connect(lambda one=one: self.refused.emit(one))
            dialog.finished.connect(self._on_done)
            dialog.open()

    def _on_done(self) -> None:
        self._asked = None
        self._ask_next()
