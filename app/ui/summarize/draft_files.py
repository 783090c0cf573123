"""The documents that are being put together for a summary: taken, read one after the other, left out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError, DocumentLocked
from app.documents.folder import MOST_FILES, Expanded, expand
from app.features.documents import Part
from app.features.messages import Sentence, sentence_for
from app.store.documents import StoredDocument
from app.ui.document.files import (
    LARGE_BYTES,
    DocumentQuestions,
    FileToRead,
    Offer,
    ReadingLine,
    Stage,
    part_of,
    size_of,
    told_of,
)
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class DraftFiles(QObject):
    """One file that cannot be read does not stop the others."""

    changed = Signal()
    """Others are there, or something was read, or could not be."""
    moved = Signal(object)
    """The reading of a `FileToRead` is further."""
    opened = Signal(int)
    """A document is to be shown."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, window: QWidget) -> None:
        super().__init__(window)
        self._app, self._notify = app, notify
        self.files: list[FileToRead] = []
        self._questions = DocumentQuestions(theme, window)
        self._questions.password_given.connect(self._on_password)
        self._questions.refused.connect(self.remove)
        self._questions.part_chosen.connect(self._read_part)
        self._questions.reading_allowed.connect(self._read)
        self._questions.files_chosen.connect(self.add)
        self._line = ReadingLine(lambda _one: app.documents, self)
        self._line.moved.connect(self.moved)
        self._line.kept.connect(self._on_kept)
        self._line.failed.connect(self._on_failed)

    @property
    def documents(self) -> list[StoredDocument]:
        """Those that are read, in order."""
        return [one.document for one in self.files if one.document is not None and one.stage is Stage.READ]

    @property
    def is_reading(self) -> bool:
        """Whether one is still on its way."""
        return any(one.is_on_its_way for one in self.files)

    def ask(self) -> None:
        """Asks for files."""
        self._questions.ask_for_files(tr("Choose documents to summarize"))

    def add(self, files: Sequence[str | Path]) -> None:
        """Takes files and folders; folders are looked into on a thread."""
        paths = [Path(file) for file in files]
        if not paths:
            return
        task = tasks.run(lambda _token: _expanded(paths), self)
        task.event.connect(self._on_expanded)
        task.failed.connect(self._notify.error)

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

    def remove(self, one: FileToRead) -> None:
        """Leaves a document out, or ends its reading."""
        self._line.drop(one)
        if one in self.files:
            self.files.remove(one)
            self.changed.emit()

    def explain(self, one: FileToRead) -> None:
        """Says in full why one was not read."""
        self._notify.tell(Sentence(one.error))

    def clear(self) -> None:
        """Forgets all of them; nothing is told."""
        for one in self.files:
            self._line.drop(one)
        self.files = []

    def show_menu(self, one: FileToRead, at: QPoint) -> None:
        """What can be done with one of them."""
        if one.document is None:
            return
        open_it: Callable[[FileToRead], object] = lambda _one: self.opened.emit(one.document.id)  # type: ignore[union-attr]  # noqa: E731
        offers = [
            Offer(tr("Open"), open_it),
            Offer(tr("Choose pages…"), self._questions.ask_for_pages, lambda each: each.has_pages_to_choose),
            Offer(tr("Remove"), self.remove),
        ]
        self._questions.show_menu(one, at, offers)

    def _document(self, number: int) -> StoredDocument | None:
        try:
            return self._app.documents.store.get(number)
        except AppError as error:
            self._notify.error(error)
            return None

    def _on_expanded(self, found: Expanded) -> None:
        for one in [one for one in self.files if one.stage is Stage.FAILED and one.path in found.files]:
            self.files.remove(one)  # tried again
        known = {one.path.resolve() for one in self.files}
        new = [path for path in found.files if path.resolve() not in known]
        room = max(0, MOST_FILES - len(known))
        for path in new[:room]:
            one = FileToRead(path, stage=Stage.ASKED)
            self.files.append(one)
            if (size_bytes := size_of(path)) >= LARGE_BYTES:
                self._questions.ask_about_size(one, size_bytes)
            else:
                self._line.add(one)
        told = told_of(found, left=max(0, len(new) - room))
        if told:
            self._notify.tell(Sentence(told))
        self.changed.emit()

    def _read(self, one: FileToRead) -> None:
        if one in self.files:
            self._line.add(one)
            self.changed.emit()

    def _on_kept(self, one: FileToRead, document: StoredDocument) -> None:
        others = [each.document.id for each in self.files if each is not one and each.document is not None]
        if one in self.files and document.id in others:
            self.files.remove(one)  # another name of a file that is here already
        self.changed.emit()

    def _on_failed(self, one: FileToRead, error: BaseException) -> None:
        if one not in self.files:
            return
        if isinstance(error, DocumentLocked):
            one.stage = Stage.LOCKED
            self._questions.ask_for_password(one, is_wrong=error.is_wrong)
        else:
            one.stage, one.error = Stage.FAILED, sentence_for(error).text
            if not isinstance(error, AppError):
                self._notify.error(error)
        self.changed.emit()

    def _on_password(self, one: FileToRead, password: str) -> None:
        one.password = password
        self._line.add(one, is_next=True)
        self.changed.emit()

    def _read_part(self, one: FileToRead, part: Part) -> None:
        """That part takes the place of the whole."""
        if one in self.files:
            other = FileToRead(one.path, part, one.password)
            self.files[self.files.index(one)] = other
            self._line.add(other, is_next=True)
            self.changed.emit()


def _expanded(paths: Sequence[Path]) -> Iterator[Expanded]:
    yield expand(paths)
