"""Files to be read as documents: questions about them, reading queue, chips and texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QFileDialog, QWidget

from app.core.lazy_dataclasses import dataclass, replace
from app.features.document_library import ReadRange
from app.features.file_reading import AskAboutSize, AskPassword, ReadAgain
from app.features.files_to_read import FileToRead, Stage
from app.features.state_session import StateSession
from app.ui.document.document_dialogs import LargeFile, PagesDialog, PasswordDialog
from app.ui.i18n import tr
from app.ui.shared_labels import ATTACH_FILES
from app.ui.theme import Theme
from app.ui.widgets.dialogs import DOCUMENTS, document_filters, file_dialog
from app.ui.widgets.menus import Menu

ATTACH_FOLDER_TITLE = "Attach a folder"


@dataclass(frozen=True)
class FileAction:
    """Action on a file: label, function, and the files it applies to."""

    label: str
    do: Callable[[Any], object]
    serves: Callable[[Any], bool] = lambda _one: True


def offers_menu(file: object, offers: Sequence[FileAction], window: QWidget) -> Menu:
    """Return a menu of a file's actions; it deletes itself on closing."""
    menu = Menu(window, is_temporary=True)
    for offer in offers:
        if offer.serves(file):
            menu.addAction(offer.label, partial(offer.do, file))
    return menu


class DocumentQuestions(QObject):
    """Dialogs about the files of a session, which is told the answers; password dialogs come one at a time.

    `add` takes chosen files, `remove` a file that the user declined to read.
    """

    def __init__(
        self,
        theme: Theme,
        window: QWidget,
        session: StateSession[Any],
        *,
        add: Callable[[list[Path]], object],
        remove: Callable[[Any], object],
    ) -> None:
        super().__init__(window)
        self._theme, self._window, self._session = theme, window, session
        self._add, self._remove = add, remove
        session.serve({AskPassword: self._ask_for_password, AskAboutSize: self._ask_about_size})
        self._locked: list[tuple[FileToRead, bool]] = []
        self._asked: PasswordDialog | None = None

    def ask_for_files(self, title: str = "") -> None:
        mode, filters = QFileDialog.FileMode.ExistingFiles, document_filters()
        words = title or tr(ATTACH_FILES)
        file_dialog(self._window, words, DOCUMENTS, self._add, name="attach_dialog", mode=mode, filters=filters).open()

    def ask_for_folder(self) -> None:
        """Ask for a folder to be read with its subfolders."""
        mode, words = QFileDialog.FileMode.Directory, tr(ATTACH_FOLDER_TITLE)
        file_dialog(self._window, words, DOCUMENTS, self._add, name="attach_folder_dialog", mode=mode).open()

    def _ask_for_password(self, effect: AskPassword) -> None:
        """Queue a password dialog behind those already open, as they come one at a time."""
        self._locked.append((effect.part, effect.is_wrong))
        self._ask_next()

    def ask_for_pages(self, file: FileToRead) -> None:
        if (document := file.document) is None:
            return
        dialog = PagesDialog(
            self._theme, file.name, document.unit, document.pages,
            first=file.part.first_page or 1, last=file.part.last_page, names=document.info.get("names", ()),
            parent=self._window,
        )  # fmt: skip
        dialog.chosen.connect(
            lambda first, last: self._read_part(file, replace(file.part, first_page=first, last_page=last))
        )
        dialog.open()

    def _read_part(self, file: FileToRead, part: ReadRange) -> None:
        self._session.dispatch(ReadAgain(file.key, part=part))

    def _ask_about_size(self, effect: AskAboutSize) -> None:
        file = effect.part
        dialog = LargeFile(self._theme, file.name, effect.size_bytes, self._window)
        dialog.read_wanted.connect(lambda: self._session.dispatch(ReadAgain(file.key)))
        dialog.rejected.connect(lambda: self._remove(file))
        dialog.open()

    def show_menu(self, file: FileToRead, at: QPoint, offers: Sequence[FileAction]) -> Menu:
        """Return the menu of a document: its actions, and text encodings where they apply."""
        menu = offers_menu(file, offers, self._window)
        if file.has_encoding and file.document is not None:
            used = file.document.info["encoding"] or file.part.encoding
            from app.documents.source import ENCODINGS

            encodings = menu.add_submenu(tr("Text encoding"))
            for name in ENCODINGS:
                action = encodings.addAction(name, partial(self._on_encoding, file, name))
                action.setCheckable(True)
                action.setChecked(name == used)
        menu.popup(at)
        return menu

    def _on_encoding(self, file: FileToRead, name: str) -> None:
        self._read_part(file, replace(file.part, encoding=name))

    def _ask_next(self) -> None:
        while self._locked and self._asked is None:
            file, is_wrong = self._locked.pop(0)
            # It may have been removed since it was queued.
            if (now := self._session.state.find(file.key)) is None or now.stage is not Stage.LOCKED:
                continue
            dialog = self._asked = PasswordDialog(
                self._theme, file.name, is_wrong=is_wrong, parent=self._window, take=partial(self._read_with, file.key)
            )
            dialog.rejected.connect(lambda file=file: self._remove(file))
            dialog.finished.connect(self._on_done)
            dialog.open()

    def _read_with(self, key: int, password: str) -> None:
        self._session.dispatch(ReadAgain(key, password))

    def _on_done(self) -> None:
        self._asked = None
        self._ask_next()
