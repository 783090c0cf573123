"""Intake of files dropped, chosen or sent anywhere in the window: expanded, asked about, read in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentLocked
from app.core.errors.model_errors import NoModel
from app.core.errors.request_errors import MediaRefused
from app.core.events import CancelToken, ModelLoaded
from app.documents.folder import MOST_FILES, ExpandedPaths, expand
from app.features.document_library import ReadRange
from app.features.error_messages import PersonMessage
from app.features.files_to_read import LARGE_BYTES, FileToRead, Stage, size_of
from app.ui.document.document_files import DocumentQuestions, left_out_words, told_of
from app.ui.i18n import sentence_for
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.tab_spec import UiContext

KEEP_MS = 800


class Intake(QObject):
    """Queue of files, in which an unreadable one doesn't stop the rest.

    `files` holds `FileToRead` or subclasses; `reading` runs on a thread for each in turn, its events go to
    `FileToRead.take_event`.
    """

    changed = Signal()
    """Files were added or removed, or one was read or failed."""
    moved = Signal(object)
    """A file's reading progressed."""
    read = Signal(object)
    """A file was read; one that is already there under another name is dropped instead."""
    failed = Signal(object)
    """A file couldn't be read; its `error` says why."""
    replaced = Signal(object)
    """Another range of this file is read in its place."""
    refused = Signal(object)
    """The user declined this file."""
    left_out = Signal()
    """Some added files were rejected, with a notice."""

    def __init__(
        self, reading: Callable[[Any, CancelToken], Iterator[object]], theme: Theme, notify: Notify, window: QWidget
    ) -> None:
        super().__init__(window)
        self._reading, self._notify = reading, notify
        self.files: list[Any] = []
        self.looked_at: list[Any] = []
        """Entries whose files are still being looked up; one for each drop."""
        self._waiting: list[Any] = []
        self._running: dict[bool, FileToRead] = {}
        """The file being read, and (True) a recording being transcribed at the same time, since that takes minutes."""
        self.questions = DocumentQuestions(theme, window)
        self.questions.password_given.connect(self._on_password)
        self.questions.refused.connect(self.refused)
        self.questions.part_chosen.connect(self._on_part)
        self.questions.reading_allowed.connect(self._on_allowed)

    @property
    def is_reading(self) -> bool:
        return bool(self.looked_at) or any(file.is_on_its_way for file in self.files)

    def add(self, files: Sequence[str | Path], new: Callable[[Path], FileToRead] = FileToRead) -> None:
        """Add files and folders; `new` makes each entry. Folders are expanded on a thread."""
        paths = [Path(file) for file in files]
        if not paths:
            return
        # Stands for what was dropped until folders are expanded.
        file = new(paths[0])

        def on_found(found: ExpandedPaths) -> None:
            self.looked_at.remove(file)
            self._on_expanded(found, new)

        def on_failed(error: BaseException) -> None:
            self._notify.error(error)
            self.leave_out(file)

        self.looked_at.append(file)
        tasks.ask(lambda _token: expand(paths), self, on_found, on_failed)
        self.changed.emit()

    def leave_out(self, file: FileToRead) -> None:
        """Drop an entry whose files are still being looked up."""
        self.looked_at.remove(file)
        self.left_out.emit()
        self.changed.emit()

    def add_wanted(self, file: FileToRead) -> None:
        """Add a file without asking about its size or looking for duplicates."""
        self.files.append(file)
        self._line_up(file)
        self.changed.emit()

    def remove(self, file: FileToRead) -> None:
        """Remove a file, cancelling its reading, and emit `changed` if it was here."""
        is_here = file in self.files
        self.drop(file)
        if is_here:
            self.changed.emit()

    def drop(self, file: FileToRead) -> None:
        """Remove a file, cancelling its reading, without emitting `changed`."""
        if file in self._waiting:
            self._waiting.remove(file)
        if file in self._running.values() and file.task is not None:
            # It ends like any other, which begins the next one.
            file.task.cancel()
        if file in self.files:
            self.files.remove(file)

    def again(self, file: FileToRead) -> None:
        """Retry a failed file; a recording resumes where it stopped."""
        if file in self.files and (file.stage is Stage.FAILED or file.awaits_model):
            file.error, file.is_unheard, file.awaits_model = "", False, False
            self._line_up(file)
            self.changed.emit()

    def explain(self, file: FileToRead) -> None:
        """Show why a file couldn't be read as a notice, in full."""
        # A chip has room for its beginning only.
        self._notify.show_notice(PersonMessage(file.error))

    def _on_expanded(self, found: ExpandedPaths, new: Callable[[Path], FileToRead]) -> None:
        given = [new(path) for path in found.files]
        here = [file for file in self.files if given and file.group == given[0].group]
        for file in [file for file in here if file.stage is Stage.FAILED and file.path in found.files]:
            self.drop(file)  # for a retry
        # Resolved, as a link to a file is that file.
        known = {file.path.resolve() for file in here if file.stage is not Stage.FAILED}
        fresh = [to_read for to_read in given if to_read.path.resolve() not in known]
        room = max(0, MOST_FILES - len(known))
        for file in fresh[:room]:
            self._add_file(file)
        if told := told_of(found, left=max(0, len(fresh) - room)):
            self._notify.show_notice(PersonMessage(told))
            self.left_out.emit()
        elif told := left_out_words(found):
            self._notify.mention(told)
        self.changed.emit()

    def _add_file(self, file: FileToRead) -> None:
        self.files.append(file)
        if (size_bytes := size_of(file.path)) >= LARGE_BYTES:
            file.stage = Stage.ASKED
            self.questions.ask_about_size(file, size_bytes)
        else:
            self._line_up(file)

    def _on_allowed(self, file: FileToRead) -> None:
        if file in self.files:
            self._line_up(file)
            self.changed.emit()

    def _on_password(self, file: FileToRead, password: str) -> None:
        file.password = password
        # It has waited for its turn before.
        self._line_up(file, is_next=True)
        self.changed.emit()

    def _on_part(self, file: FileToRead, part: ReadRange) -> None:
        if file in self.files:
            other = file.with_part(part)
            self.files[self.files.index(file)] = other
            self._line_up(other, is_next=True)
            self.replaced.emit(file)
            self.changed.emit()

    def _line_up(self, file: FileToRead, *, is_next: bool = False) -> None:
        file.stage, file.page = Stage.WAITS, 0
        self._waiting.insert(0 if is_next else len(self._waiting), file)
        self._begin_next()

    def _begin_next(self) -> None:
        for waiting_file in list(self._waiting):
            is_heard = _is_heard(waiting_file)
            if is_heard not in self._running:
                self._waiting.remove(waiting_file)
                self._running[is_heard] = waiting_file
                self._begin(waiting_file)

    def _begin(self, file: FileToRead) -> None:
        file.stage = Stage.READING
        file.task = tasks.run(lambda cancel: self._reading(file, cancel), self)
        file.task.event.connect(lambda event: self.moved.emit(file) if file.take_event(event) else None)
        file.task.finished.connect(lambda: self._on_end(file))
        file.task.failed.connect(lambda error: self._on_failed(file, error))

    def _on_end(self, file: FileToRead) -> None:
        self._release(file)
        if file in self.files and file.stage is Stage.READ:
            # The same document by another path.
            if self._is_here_already(file):
                self.drop(file)
            else:
                self.read.emit(file)
        self._begin_next()
        self.changed.emit()

    def _release(self, file: FileToRead) -> None:
        self._running = {is_heard: to_read for is_heard, to_read in self._running.items() if to_read is not file}
        file.task = None

    def _is_here_already(self, file: FileToRead) -> bool:
        others = [other for other in self.files if other is not file and other.group == file.group]
        return file.document is not None and file.document.id in [
            other.document.id for other in others if other.document
        ]

    def _on_failed(self, file: FileToRead, error: BaseException) -> None:
        self._release(file)
        if file in self.files and isinstance(error, DocumentLocked):
            file.stage = Stage.LOCKED
            self.questions.ask_for_password(file, is_wrong=error.is_wrong)
        elif file in self.files:
            file.stage, file.error = Stage.FAILED, sentence_for(error).text
            file.is_unheard = isinstance(error, MediaRefused) and error.reason == "deaf"
            file.awaits_model = isinstance(error, NoModel)
            if not isinstance(error, AppError):
                self._notify.error(error)
            self.failed.emit(file)
        self._begin_next()
        self.changed.emit()


def _is_heard(file: FileToRead) -> bool:
    from app.documents.formats.sound import (
        is_sound,  # imports the protocol of a child, not needed before a file is read
    )

    return is_sound(file.path)


class Unread:
    """Files not read yet; recordings among them wait for an audio model. `model` returns the loaded one."""

    def __init__(self, intake: Intake, model: Callable[[], ModelLoaded | None]) -> None:
        self._intake, self._model = intake, model

    @property
    def lines(self) -> tuple[str, ...]:
        """Paths for the settings, so that the next start resumes them."""
        return tuple(file.kept_as for file in self._intake.files if file.is_kept_unread)

    def waits(self, file: FileToRead) -> bool:
        """Set a file that was skipped for lack of a model to waiting and return True; else note the model that cannot
        take its audio.
        """
        if file.awaits_model:
            file.stage, file.error = Stage.WAITS, ""
            return True
        model = self._model()
        file.unheard_by = model.path if model is not None and file.is_unheard else ""
        return False

    def transcribe_waiting(self, shown: Sequence[FileToRead]) -> None:
        """Transcribe recordings that waited for a model, or for another one."""
        model = self._model()
        if model is None:
            return
        for to_read in shown:
            is_other = to_read.is_unheard and model.hears and to_read.unheard_by != model.path
            if to_read.awaits_model or is_other:
                self._intake.again(to_read)


class KeptUnread(QObject):
    """Unread files of a tab, kept in the settings as `field` of the window, from `go_on` until `keep_unread`."""

    def __init__(
        self,
        intake: Intake,
        field: str,
        app: Fireside,
        ui: UiContext,
        new: Callable[[Path], FileToRead] = FileToRead,
    ) -> None:
        super().__init__(intake)
        self._intake, self._field, self._new = intake, field, new
        self._app, self._loader, self._notify = app, ui.loader, ui.notify
        self._unread, self._keeps = Unread(intake, lambda: app.loaded), False
        self._timer = QTimer(self, singleShot=True, interval=KEEP_MS)
        self._timer.timeout.connect(self.save)
        intake.failed.connect(self._on_failed)
        intake.changed.connect(self._on_changed)
        ui.loader.changed.connect(self._on_model)

    def go_on(self) -> None:
        """Resume the files an earlier session hadn't finished, and track them from now on."""
        for path in getattr(self._app.settings.window, self._field):
            self._intake.add_wanted(self._new(Path(path)))
        # Not before, or the settings would lose those that weren't added yet.
        self._keeps = True

    def keep_unread(self) -> None:
        """Save the unread files before the window closes, then stop tracking them."""
        self.save()
        self._keeps = False

    def save(self) -> None:
        """Save the unread files if they changed since the last save."""
        self._timer.stop()
        lines = self._unread.lines
        if self._keeps and lines != getattr(self._app.settings.window, self._field):
            with self._notify.guard():
                self._app.change_settings("window", **{self._field: lines})

    def _on_changed(self) -> None:
        if self._keeps and not self._timer.isActive():
            self._timer.start()

    def _on_model(self) -> None:
        self._unread.transcribe_waiting(list(self._intake.files))

    def _on_failed(self, file: FileToRead) -> None:
        if self._unread.waits(file) and self._app.loaded is None:
            self._loader.wake()
