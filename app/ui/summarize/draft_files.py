"""Documents of a summary's draft, a chip each: taken in, read, and read before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QSizePolicy, QWidget

from app.features.files_to_read import FileToRead, Stage
from app.features.summarize.summary_draft import SummaryDraftSession
from app.features.work import job_draft as d
from app.store.document_store import StoredDocument
from app.ui.document.document_chip import DocumentChip
from app.ui.document.document_details import remarks_words, size_words, spoken_size, tokens_words
from app.ui.document.document_files import FileAction
from app.ui.i18n import tr
from app.ui.locale_formats import join_list
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
        self._chips: dict[int, DocumentChip] = {}
        """By the keys of their files."""
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
        keys = [file.key for file in files]
        if list(self._chips) != keys:
            for gone in [key for key in self._chips if key not in keys]:
                self._take_out(self._chips.pop(gone))
            # Chips of files that remain are used again, so that they keep the focus.
            self._chips = {file.key: self._chips.get(file.key) or self._new_chip(file) for file in files}
            for chip in self._chips.values():  # in order
                self._flow.removeWidget(chip)
                self._flow.addWidget(chip)
            if self._last is not None:
                self._flow.removeWidget(self._last)
                self._flow.addWidget(self._last)
            self._order()
        for file in files:
            self._show_progress(file)

    def _show_progress(self, file: FileToRead) -> None:
        chip = self._chips[file.key]
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
            chip.setAccessibleName(join_list(said))
            remarks = remarks_words(file.document)
            chip.setAccessibleDescription(remarks)
            chip.setToolTip(plain_tip("\n".join(part for part in (file.name, tokens_words(tokens), remarks) if part)))

    def _new_chip(self, file: FileToRead) -> DocumentChip:
        chip = DocumentChip(self._theme)
        chip.show_name(file.name)
        chip.set_removable(True)
        key = file.key
        chip.clicked.connect(lambda: self._open(key))
        chip.remove_wanted.connect(lambda: self._remove(key))
        chip.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        chip.customContextMenuRequested.connect(lambda at: self._files.show_menu(self._file(key), chip.mapToGlobal(at)))
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

    def _file(self, key: int) -> FileToRead:
        file: FileToRead = self._files.session.state.find(key)
        return file

    def _open(self, key: int) -> None:
        file = self._file(key)
        if file.document is not None:
            self._files.opened.emit(file.document.id)
        elif file.error:
            self._files.explain(file)

    def _remove(self, key: int) -> None:
        """Remove a file; the focus moves to the next chip."""
        # Before the chip goes, as its place is where the focus stays.
        had_focus = self.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        place = list(self._chips).index(key)
        self._files.take_out(self._file(key))
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
        self._drafts = SummaryDraftSession(app.summaries, documents)
        super().__init__(
            self._drafts,
            lambda file, cancel: documents.read_file(file.path, cancel, password=file.password, part=file.part),
            theme,
            notify,
            window=window,
            pictures=pictures,
        )
        self._window = window
        if pictures is not None:
            pictures.renewed.connect(self._on_renewed)

    @property
    def documents(self) -> tuple[StoredDocument, ...]:
        return self.session.state.documents

    def _on_renewed(self, earlier_id: int, document_id: int) -> None:
        """Replace a document by its newer version, of which more pages were read."""
        with self._notify.guard():
            found = self._drafts.find_documents([document_id])
            self.session.dispatch(d.DocumentRenewed(earlier_id, document_id, next(iter(found), None)))

    def take_out(self, file: FileToRead) -> None:
        """Remove a file and offer Undo, which reads a finished file not again."""
        self.session.dispatch(d.RemoveFiles((file.key,), is_told=True))

    def ask(self) -> None:
        self.questions.ask_for_files(tr(CHOOSE_DOCUMENTS))

    def ask_for_folder(self, take: Callable[[list[Path]], object]) -> None:
        """Open the folder dialog and pass the choice to `take`."""
        mode, words = QFileDialog.FileMode.Directory, tr("Choose a folder to summarize")
        dialog = file_dialog(self._window, words, DOCUMENTS, take, name="folder_dialog", mode=mode)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.open()

    def add_documents(self, ids: Sequence[int]) -> None:
        """Add documents already in the library; skip ids that no longer exist."""
        with self._notify.guard():
            self.session.dispatch(d.AddDocuments(self._drafts.find_documents(ids)))

    def show_menu(self, file: FileToRead, at: QPoint) -> None:
        if file.document is None:
            return
        number = file.document.id
        offers = [
            FileAction(tr(OPEN), lambda _file: self.opened.emit(number)),
            FileAction(tr(CHOOSE_PAGES), self.questions.ask_for_pages, lambda file: file.has_pages_to_choose),
            FileAction(tr(REMOVE), self.take_out),
        ]
        self.questions.show_menu(file, at, offers)
