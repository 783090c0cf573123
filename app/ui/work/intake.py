"""Intake of files dropped, chosen or sent anywhere in the window: expanded, asked about, read in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError, DocumentLocked, MediaRefused, NoModel
from app.core.events import CancelToken, ModelLoaded
from app.documents.folder import MOST_FILES, ExpandedPaths, expand
from app.features.document_library import ReadRange
from app.features.error_messages import PersonMessage, sentence_for
from app.ui.document.document_files import (
    LARGE_BYTES,
    DocumentQuestions,
    FileToRead,
    Stage,
    left_out_words,
    size_of,
    told_of,
)
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
        one = new(paths[0])

        def on_found(found: ExpandedPaths) -> None:
            self.looked_at.remove(one)
            self._on_expanded(found, new)

        def on_failed(error: BaseException) -> None:
            self._notify.error(error)
            self.leave_out(one)

        self.looked_at.append(one)
        tasks.ask(lambda _token: expand(paths), self, on_found, on_failed)
        self.changed.emit()

    def leave_out(self, one: FileToRead) -> None:
        """Drop an entry whose files are still being looked up."""
        self.looked_at.remove(one)
        self.left_out.emit()
        self.changed.emit()

    def add_wanted(self, one: FileToRead) -> None:
        """Add a file without asking about its size or looking for duplicates."""
        self.files.append(one)
        self._line_up(one)
        self.changed.emit()

    def remove(self, one: FileToRead) -> None:
        """Remove a file, cancelling its reading, and emit `changed` if it was here."""
        is_here = one in self.files
        self.drop(one)
        if is_here:
            self.changed.emit()

    def drop(self, one: FileToRead) -> None:
        """Remove a file, cancelling its reading, without emitting `changed`."""
        if one in self._waiting:
            self._waiting.remove(one)
        if one in self._running.values() and one.task is not None:
            # It ends like any other, which begins the next one.
            one.task.cancel()
        if one in self.files:
            self.files.remove(one)

    def again(self, one: FileToRead) -> None:
        """Retry a failed file; a recording resumes where it stopped."""
        if one in self.files and (one.stage is Stage.FAILED or one.awaits_model):
            one.error, one.is_unheard, one.awaits_model = "", False, False
            self._line_up(one)
            self.changed.emit()

    def explain(self, one: FileToRead) -> None:
        """Show why a file couldn't be read as a notice, in full."""
        # A chip has room for its beginning only.
        self._notify.show_notice(PersonMessage(one.error))

    def _on_expanded(self, found: ExpandedPaths, new: Callable[[Path], FileToRead]) -> None:
        given = [new(path) for path in found.files]
        here = [file for file in self.files if given and file.group == given[0].group]
        for one in [file for file in here if file.stage is Stage.FAILED and file.path in found.files]:
            self.drop(one)  # for a retry
        # Resolved, as a link to a file is that file.
        known = {file.path.resolve() for file in here if file.stage is not Stage.FAILED}
        fresh = [to_read for to_read in given if to_read.path.resolve() not in known]
        room = max(0, MOST_FILES - len(known))
        for one in fresh[:room]:
            self._add_file(one)
        if told := told_of(found, left=max(0, len(fresh) - room)):
            self._notify.show_notice(PersonMessage(told))
            self.left_out.emit()
        elif told := left_out_words(found):
            self._notify.mention(told)
        self.changed.emit()

    def _add_file(self, one: FileToRead) -> None:
        self.files.append(one)
        if (size_bytes := size_of(one.path)) >= LARGE_BYTES:
            one.stage = Stage.ASKED
            self.questions.ask_about_size(one, size_bytes)
        else:
            self._line_up(one)

    # Answers of dialogs.

    def _on_allowed(self, one: FileToRead) -> None:
        if one in self.files:
            self._line_up(one)
            self.changed.emit()

    def _on_password(self, one: FileToRead, password: str) -> None:
        one.password = password
        # It has waited for its turn before.
        self._line_up(one, is_next=True)
        self.changed.emit()

    def _on_part(self, one: FileToRead, part: ReadRange) -> None:
        if one in self.files:
            other = one.with_part(part)
            self.files[self.files.index(one)] = other
            self._line_up(other, is_next=True)
            self.replaced.emit(one)
            self.changed.emit()

    # Reading in turn.

    def _line_up(self, one: FileToRead, *, is_next: bool = False) -> None:
        one.stage, one.page = Stage.WAITS, 0
        self._waiting.insert(0 if is_next else len(self._waiting), one)
        self._begin_next()

    def _begin_next(self) -> None:
        for waiting_file in list(self._waiting):
            is_heard = _is_heard(waiting_file)
            if is_heard not in self._running:
                self._waiting.remove(waiting_file)
                self._running[is_heard] = waiting_file
                self._begin(waiting_file)

    def _begin(self, one: FileToRead) -> None:
        one.stage = Stage.READING
        one.task = tasks.run(lambda cancel: self._reading(one, cancel), self)
        one.task.event.connect(lambda event: self.moved.emit(one) if one.take_event(event) else None)
        one.task.finished.connect(lambda: self._on_end(one))
        one.task.failed.connect(lambda error: self._on_failed(one, error))

    def _on_end(self, one: FileToRead) -> None:
        self._release(one)
        if one in self.files and one.stage is Stage.READ:
            # The same document by another path.
            if self._is_here_already(one):
                self.drop(one)
            else:
                self.read.emit(one)
        self._begin_next()
        self.changed.emit()

    def _release(self, one: FileToRead) -> None:
        self._running = {is_heard: to_read for is_heard, to_read in self._running.items() if to_read is not one}
        one.task = None

    def _is_here_already(self, one: FileToRead) -> bool:
        others = [file for file in self.files if file is not one and file.group == one.group]
        return one.document is not None and one.document.id in [other.document.id for other in others if other.document]

    def _on_failed(self, one: FileToRead, error: BaseException) -> None:
        self._release(one)
        if one in self.files and isinstance(error, DocumentLocked):
            one.stage = Stage.LOCKED
            self.questions.ask_for_password(one, is_wrong=error.is_wrong)
        elif one in self.files:
            one.stage, one.error = Stage.FAILED, sentence_for(error).text
            one.is_unheard = isinstance(error, MediaRefused) and error.reason == "deaf"
            one.awaits_model = isinstance(error, NoModel)
            if not isinstance(error, AppError):
                self._notify.error(error)
            self.failed.emit(one)
        self._begin_next()
        self.changed.emit()


def _is_heard(one: FileToRead) -> bool:
    from app.documents.formats.sound import (
        is_sound,  # imports the protocol of a child, not needed before a file is read
    )

    return is_sound(one.path)


# Files not read when the program ends are read, or transcribed, on the next start.


class Unread:
    """Files not read yet; recordings among them wait for an audio model. `model` returns the loaded one."""

    def __init__(self, intake: Intake, model: Callable[[], ModelLoaded | None]) -> None:
        self._intake, self._model = intake, model

    @property
    def lines(self) -> tuple[str, ...]:
        """Paths for the settings, so that the next start resumes them."""
        return tuple(file.kept_as for file in self._intake.files if file.is_kept_unread)

    def waits(self, one: FileToRead) -> bool:
        """Set a file that was skipped for lack of a model to waiting and return True; else note the model that cannot
        take its audio.
        """
        if one.awaits_model:
            one.stage, one.error = Stage.WAITS, ""
            return True
        model = self._model()
        one.unheard_by = model.path if model is not None and one.is_unheard else ""
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

    def _on_failed(self, one: FileToRead) -> None:
        if self._unread.waits(one) and self._app.loaded is None:
            self._loader.wake()
