"""Documents of a summary's draft, a chip each: taken in, read, and read before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QSizePolicy, QWidget

from app.core.errors.app_error import AppError
from app.features.files_to_read import FileToRead, Stage, part_of
from app.store.document_store import StoredDocument
from app.ui.document.document_files import (
    DocumentChip,
    FileAction,
    remarks_words,
    size_words,
    spoken_size,
    tokens_words,
)
from app.ui.i18n import tr
from app.ui.shared_labels import CHOOSE_PAGES, DOCUMENTS_LABEL, OPEN, REMOVE, WAITS_LABEL
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.dialogs import DOCUMENTS, file_dialog
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.layouts import FlowLayout
from app.ui.work.intake import Intake

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.picture_reading import PictureReading


CHOOSE_DOCUMENTS = "Choose documents to summarize"


class FileChips(QWidget):
    """Chips of the chosen files, wrapped into rows; Delete removes one."""

    def __init__(self, theme: Theme, files: DraftFiles) -> None:
        super().__init__()
        self._theme, self._files = theme, files
        self._chips: dict[FileToRead, DocumentChip] = {}
        self._tokens: Mapping[int, int] = {}
        self._last: QWidget | None = None
        self._flow = FlowLayout(self)
        self.setAccessibleName(tr(DOCUMENTS_LABEL))
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.dress(self._flow, spacing=8)

    def add_last(self, widget: QWidget) -> None:
        """Place a widget after the last chip, also when chips come and go."""
        self._last = widget
        self._flow.addWidget(widget)

    @property
    def chips(self) -> list[DocumentChip]:
        return list(self._chips.values())

    def show_files(self, files: Sequence[FileToRead], tokens: Mapping[int, int]) -> None:
        """Show files in order, with token counts of documents where known."""
        self._tokens = tokens
        if list(self._chips) != list(files):
            for gone in [to_read for to_read in self._chips if to_read not in files]:
                self._take_out(self._chips.pop(gone))
            # Chips of files that remain are used again, so that they keep the focus.
            self._chips = {file: self._chips.get(file) or self._new_chip(file) for file in files}
            for chip in self._chips.values():  # in order
                self._flow.removeWidget(chip)
                self._flow.addWidget(chip)
            if self._last is not None:
                self._flow.removeWidget(self._last)
                self._flow.addWidget(self._last)
            self._order()
        for file in files:
            self.show_progress(file)

    def show_progress(self, file: FileToRead) -> None:
        chip = self._chips.get(file)
        if chip is None:
            return
        if file.stage is Stage.FAILED:
            chip.show_error(file.error)
        elif file.stage is Stage.READING:
            chip.show_progress(file.page, file.pages)
        elif file.stage is Stage.LOCKED:
            chip.show_words(tr("needs a password"))
        elif file.document is None:
            chip.show_words(tr(WAITS_LABEL))
        else:
            tokens = self._tokens.get(file.document.id)
            chip.show_words(size_words(file.document))
            said = (file.name, spoken_size(file.document))
            chip.setAccessibleName(", ".join(part for part in said if part))
            remarks = remarks_words(file.document)
            chip.setAccessibleDescription(remarks)
            chip.setToolTip(plain_tip("\n".join(part for part in (file.name, tokens_words(tokens), remarks) if part)))

    def _new_chip(self, file: FileToRead) -> DocumentChip:
        chip = DocumentChip(self._theme)
        chip.show_name(file.name)
        chip.set_removable(True)
        chip.clicked.connect(lambda: self._open(file))
        chip.remove_wanted.connect(lambda: self._remove(file))
        chip.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        chip.customContextMenuRequested.connect(lambda at: self._files.show_menu(file, chip.mapToGlobal(at)))
        self._flow.addWidget(chip)
        chip.show()
        return chip

    def _order(self) -> None:
        """Set the tab order: each chip, then its remove button."""
        # Qt's own order is that of creation, which reused chips don't follow.
        before: QWidget = self
        for chip in self._chips.values():
            for widget in (chip, chip.remove):
                QWidget.setTabOrder(before, widget)
                before = widget
        if self._last is not None:
            QWidget.setTabOrder(before, self._last)

    def _take_out(self, chip: DocumentChip) -> None:
        self._flow.removeWidget(chip)
        # It would stay visible until its deletion, which the event loop does.
        chip.hide()
        chip.deleteLater()

    def _open(self, file: FileToRead) -> None:
        if file.document is not None:
            self._files.opened.emit(file.document.id)
        elif file.error:
            self._files.explain(file)

    def _remove(self, file: FileToRead) -> None:
        """Remove a file; the focus moves to the next chip."""
        # Before the chip goes, as its place is where the focus stays.
        places = list(self._chips)
        had_focus = self.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        place = places.index(file) if file in places else 0
        self._files.take_out(file)
        if had_focus and self._chips:
            self.chips[min(place, len(self._chips) - 1)].setFocus(Qt.FocusReason.OtherFocusReason)


class DraftFiles(Intake):
    """Files of the draft and the actions on them."""

    opened = Signal(int)
    """Carries the id of a document to show."""

    def __init__(
        self, app: Fireside, theme: Theme, notify: Notify, window: QWidget, pictures: PictureReading | None = None
    ) -> None:
        documents = app.documents
        super().__init__(
            lambda file, cancel: documents.read_file(file.path, cancel, password=file.password, part=file.part),
            theme,
            notify,
            window,
        )
        self._documents, self._window, self.pictures = documents, window, pictures
        if pictures is not None:
            self.read.connect(lambda file: pictures.begin_by_itself(file.document))
            pictures.renewed.connect(self._on_renewed)
            pictures.changed.connect(self.changed)
        self.refused.connect(self.remove)
        self.questions.files_chosen.connect(self.add)

    @property
    def is_reading(self) -> bool:
        return super().is_reading or self.are_pictures_read

    @property
    def are_pictures_read(self) -> bool:
        """True while text recognition may still add pages to a document."""
        return self.pictures is not None and any(map(self.pictures.is_reading, self.documents))

    @property
    def documents(self) -> list[StoredDocument]:
        return [file.document for file in self.files if file.document is not None and file.stage is Stage.READ]

    def _on_renewed(self, earlier_id: int, document_id: int) -> None:
        """Replace a document by its newer version, of which more pages were read."""
        for file in self.files:
            if file.document is not None and file.document.id == earlier_id:
                file.document = self._document(document_id) or file.document
        self.changed.emit()

    def take_out(self, file: FileToRead) -> None:
        """Remove a file and offer Undo, which reads a finished file not again."""
        self.remove(file)
        self._notify.undo(tr("Left out {name}.", name=file.name), lambda: self._put_back(file))

    def _put_back(self, file: FileToRead) -> None:
        """Undo a removal: restore the file with its chosen part, without reading it again."""
        if file.stage is not Stage.READ:
            self.add_wanted(file.with_part(file.part))
        elif not self._is_here_already(file):
            self.files.append(file)
            self.changed.emit()

    def ask(self) -> None:
        self.questions.ask_for_files(tr(CHOOSE_DOCUMENTS))

    def ask_for_folder(self, take: Callable[[list[str]], object]) -> None:
        """Open the folder dialog and pass the choice to `take`."""
        dialog = file_dialog(self._window, tr("Choose a folder to summarize"), DOCUMENTS)
        dialog.setObjectName("folder_dialog")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.filesSelected.connect(take)
        dialog.open()

    def add_documents(self, ids: Sequence[int]) -> None:
        """Add documents already in the library; skip ids that no longer exist."""
        here = {file.document.id for file in self.files if file.document is not None}
        for number in ids:
            document = self._document(number) if number not in here else None
            # Again, as the newest version may be here where the one asked for is not.
            if document is not None and document.id not in here:
                file = FileToRead(document.path, part_of(document), stage=Stage.READ)
                file.document = document
                self.files.append(file)
        self.changed.emit()

    def clear(self) -> None:
        for file in list(self.files):
            self.drop(file)

    def show_menu(self, file: FileToRead, at: QPoint) -> None:
        if file.document is None:
            return
        open_it: Callable[[FileToRead], object] = lambda _one: self.opened.emit(file.document.id)  # type: ignore[union-attr]  # noqa: E731
        offers = [
            FileAction(tr(OPEN), open_it),
            FileAction(tr(CHOOSE_PAGES), self.questions.ask_for_pages, lambda file: file.has_pages_to_choose),
            FileAction(tr(REMOVE), self.take_out),
        ]
        self.questions.show_menu(file, at, offers)

    def _document(self, number: int) -> StoredDocument | None:
        """Return the newest version of a document, or None if it is gone or unreadable."""
        try:
            document = self._documents.store.get(number)
            return None if document is None else self._documents.current_document(document)
        except AppError as error:
            self._notify.error(error)
            return None
