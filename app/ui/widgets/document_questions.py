"""What the person is asked about files that are to be read: which, a password, the pages to read, the encoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.documents.source import ENCODINGS
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.file_dialog import DOCUMENTS, document_filters, file_dialog
from app.ui.widgets.file_to_read import FileToRead, Stage
from app.ui.widgets.large_file import LargeFile
from app.ui.widgets.pages_dialog import PagesDialog
from app.ui.widgets.password_dialog import PasswordDialog


@dataclass(frozen=True)
class Offer:
    """Something that can be done with a file: its words, what it does, and for which files it is there."""

    label: str
    do: Callable[[Any], object]
    serves: Callable[[Any], bool] = lambda _one: True


class DocumentQuestions(QObject):
    """Dialogs over a window; only one asks for a password at a time."""

    files_chosen = Signal(list)
    password_given = Signal(object, str)
    """A `FileToRead` and what was typed."""
    refused = Signal(object)
    """No password for this `FileToRead`."""
    part_chosen = Signal(object, object)
    """A `FileToRead` and the `Part` of it that is to be read."""
    reading_allowed = Signal(object)
    """A large `FileToRead` is to be read."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme, self._window = theme, window
        self._locked: list[tuple[FileToRead, bool]] = []
        self._asked: PasswordDialog | None = None

    def ask_for_files(self, title: str = "") -> None:
        """Several may be chosen."""
        dialog = file_dialog(self._window, title or tr("Attach files"), DOCUMENTS)
        dialog.setObjectName("attach_dialog")
        dialog.setNameFilters(document_filters())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self.files_chosen.emit)
        dialog.open()

    def ask_for_password(self, one: FileToRead, *, is_wrong: bool) -> None:
        """When those that are locked before it have been asked about."""
        self._locked.append((one, is_wrong))
        self._ask_next()

    def ask_for_pages(self, one: FileToRead) -> None:
        """Which part of it is to be read."""
        document = one.document
        if document is None:
            return
        dialog = PagesDialog(
            self._theme, one.name, document.unit, document.pages,
            first=one.part.first_page or 1, last=one.part.last_page, names=document.info.get("names", ()),
            parent=self._window,
        )  # fmt: skip
        dialog.chosen.connect(
            lambda first, last: self.part_chosen.emit(one, replace(one.part, first_page=first, last_page=last))
        )
        dialog.open()

    def ask_about_size(self, one: FileToRead, size_bytes: int) -> None:
        """Whether a large file is to be read."""
        dialog = LargeFile(self._theme, one.name, size_bytes, self._window)
        dialog.read_wanted.connect(lambda: self.reading_allowed.emit(one))
        dialog.rejected.connect(lambda: self.refused.emit(one))
        dialog.open()

    def show_menu(self, one: FileToRead, at: QPoint, offers: Sequence[Offer]) -> QMenu:
        """What can be done with a document, and in which encoding it can be read."""
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for offer in offers:
            if offer.serves(one):
                menu.addAction(offer.label, partial(offer.do, one))
        if one.has_encoding and one.document is not None:
            used = one.document.info["encoding"] or one.part.encoding
            encodings = menu.addMenu(tr("Text encoding"))
            for name in ENCODINGS:
                action = encodings.addAction(name, partial(self._on_encoding, one, name))
                action.setCheckable(True)
                action.setChecked(name == used)
        menu.popup(at)
        return menu

    def _on_encoding(self, one: FileToRead, name: str) -> None:
        self.part_chosen.emit(one, replace(one.part, encoding=name))

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
