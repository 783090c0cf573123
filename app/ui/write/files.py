"""Files of pages: those that are opened become pages, and a page is saved as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.dialogs import DOCUMENTS, SAVED, file_dialog
from app.ui.write.kept_page import KeptPage
from app.ui.write.language import file_name

if TYPE_CHECKING:
    from app.features.pages import Pages


class PageFiles(QObject):
    """Asks which, and tells what came of it; `kept` is the page that is saved, `language` what it is written in."""

    opened = Signal(object)
    """An `OpenedFile`."""
    saved = Signal()

    def __init__(
        self,
        kept: KeptPage,
        pages: Callable[[], Pages],
        notify: Notify,
        language: Callable[[], str],
        view: QWidget,
    ) -> None:
        super().__init__(view)
        self._kept, self._pages, self._notify, self._language, self._view = kept, pages, notify, language, view

    def ask(self) -> None:
        """Which are to be opened."""
        dialog = self._dialog(tr("Open text files"), DOCUMENTS, "open_page_dialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda files: self.open([Path(file) for file in files]))
        dialog.open()

    def open(self, files: Sequence[Path]) -> None:
        """Each becomes a page."""
        for file in files:
            self._open(file)

    def _open(self, file: Path) -> None:
        pages = self._pages()
        tasks.ask(lambda _cancel: pages.open_file(file), self, self.opened.emit, self._notify.error)

    def save(self) -> None:
        """In the file that the page has, else in one that is asked for."""
        self._kept.keep()
        self._kept.look()
        if self._kept.id is None:
            self._notify.mention(tr("There is nothing on this page yet."))
        elif self._kept.file is not None:
            self._save_as(self._kept.file)
        else:
            self.ask_where_to_save()

    def ask_where_to_save(self) -> None:
        """Also where the page has a file."""
        self._kept.keep()
        self._kept.look()
        dialog = self._dialog(tr("Save the page as a file"), SAVED, "save_page_dialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(file_name(self._kept.title, self._language()))
        dialog.fileSelected.connect(lambda file: self._save_as(Path(file)))
        dialog.open()

    def _save_as(self, path: Path) -> None:
        page_id, pages = self._kept.id, self._pages()
        if page_id is None:
            return

        def told(remarks: Any) -> None:
            self._notify.saved(path, " ".join([tr("Saved as {name}.", name=path.name), *map(tr, remarks)]))
            self._kept.look()
            self.saved.emit()

        tasks.ask(lambda _cancel: pages.export(page_id, path), self, told, self._notify.error)

    def _dialog(self, title: str, place: str, name: str) -> QFileDialog:
        dialog = file_dialog(self._view, title, place)
        dialog.setObjectName(name)
        dialog.setNameFilters([tr("Text and source files (*)")])
        return dialog
