"""The documents that are being put together for a summary: files that are taken in, and documents that are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.core.errors import AppError
from app.store.documents import StoredDocument
from app.ui.document.files import FileToRead, Offer, Stage, part_of
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.dialogs import DOCUMENTS, file_dialog
from app.ui.work.intake import Intake

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class DraftFiles(Intake):
    """What the intake has, and what can be done with each of them."""

    opened = Signal(int)
    """A document is to be shown."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, window: QWidget) -> None:
        documents = app.documents
        super().__init__(
            lambda one, cancel: documents.read(one.path, cancel, password=one.password, part=one.part),
            theme,
            notify,
            window,
        )
        self._documents, self._window = documents, window
        self.refused.connect(self.remove)
        self.questions.files_chosen.connect(self.add)

    @property
    def documents(self) -> list[StoredDocument]:
        """Those that are read, in order."""
        return [one.document for one in self.files if one.document is not None and one.stage is Stage.READ]

    def ask(self) -> None:
        """Asks for files."""
        self.questions.ask_for_files(tr("Choose documents to summarize"))

    def ask_for_folder(self, take: Callable[[list[str]], object]) -> None:
        """Asks for a folder; `take` is called with it."""
        dialog = file_dialog(self._window, tr("Choose a folder to summarize"), DOCUMENTS)
        dialog.setObjectName("folder_dialog")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.filesSelected.connect(take)
        dialog.open()

    def add_documents(self, ids: Sequence[int]) -> None:
        """Takes documents that are read already; those that are gone are left out."""
        here = {one.document.id for one in self.files if one.document is not None}
        for number in ids:
            document = self._document(number) if number not in here else None
            if document is not None:
                one = FileToRead(document.path, part_of(document), stage=Stage.READ)
                one.document = document
                self.files.append(one)
        self.changed.emit()

    def clear(self) -> None:
        """Forgets all of them; nothing is told."""
        for one in list(self.files):
            self.drop(one)

    def show_menu(self, one: FileToRead, at: QPoint) -> None:
        """What can be done with one of them."""
        if one.document is None:
            return
        open_it: Callable[[FileToRead], object] = lambda _one: self.opened.emit(one.document.id)  # type: ignore[union-attr]  # noqa: E731
        offers = [
            Offer(tr("Open"), open_it),
            Offer(tr("Choose pages…"), self.questions.ask_for_pages, lambda each: each.has_pages_to_choose),
            Offer(tr("Remove"), self.remove),
        ]
        self.questions.show_menu(one, at, offers)

    def _document(self, number: int) -> StoredDocument | None:
        try:
            return self._documents.store.get(number)
        except AppError as error:
            self._notify.error(error)
            return None
