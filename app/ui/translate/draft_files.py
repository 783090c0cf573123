"""Files that become translations: taken, looked through for their segments one after the other, or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError, DocumentLocked
from app.core.events import CancelToken
from app.documents.folder import Expanded, expand
from app.features.messages import Sentence, sentence_for
from app.features.translation.result import TranslationWish
from app.features.translation.stored import Added, Adding, StoredTranslation
from app.ui.document.files import LARGE_BYTES, DocumentQuestions, FileToRead, Stage, size_of, told_of
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class DraftFiles(QObject):
    """One file that cannot be read does not stop the others. `page` of a `FileToRead` counts its segments."""

    changed = Signal()
    """Others are there, or one is further, or over."""
    added = Signal(object)
    """A `StoredTranslation`, a draft."""

    def __init__(
        self, app: Fireside, theme: Theme, notify: Notify, wish: Callable[[], TranslationWish], window: QWidget
    ) -> None:
        super().__init__(window)
        self._app, self._notify, self._wish = app, notify, wish
        self.files: list[FileToRead] = []
        self._running: FileToRead | None = None
        self._questions = DocumentQuestions(theme, window)
        self._questions.password_given.connect(self._on_password)
        self._questions.refused.connect(self.remove)
        self._questions.reading_allowed.connect(self._on_allowed)

    @property
    def is_reading(self) -> bool:
        """Whether one is still on its way."""
        return any(one.is_on_its_way for one in self.files)

    def add(self, files: Sequence[str | Path]) -> None:
        """Takes files and folders; folders are looked into on a thread."""
        paths = [Path(file) for file in files]
        if not paths:
            return
        task = tasks.run(lambda _token: _expanded(paths), self)
        task.event.connect(self._on_expanded)
        task.failed.connect(self._notify.error)

    def remove(self, one: FileToRead) -> None:
        """Leaves a file out, or ends its reading."""
        if one.task is not None:
            one.task.cancel()
        if one in self.files:
            self.files.remove(one)
            self.changed.emit()

    def _on_expanded(self, found: Expanded) -> None:
        self.files = [one for one in self.files if one.is_on_its_way]
        waiting = {one.path.resolve() for one in self.files}
        for path in found.files:
            if path.resolve() in waiting:
                continue
            one = FileToRead(path, stage=Stage.WAITS)
            self.files.append(one)
            if (size_bytes := size_of(path)) >= LARGE_BYTES:
                one.stage = Stage.ASKED
                self._questions.ask_about_size(one, size_bytes)
        if told := told_of(found):
            self._notify.tell(Sentence(told))
        self._begin_next()
        self.changed.emit()

    def _begin_next(self) -> None:
        waiting = [one for one in self.files if one.stage is Stage.WAITS]
        if self._running is not None or not waiting:
            return
        one = self._running = waiting[0]
        one.stage = Stage.READING
        wish, password = self._wish(), one.password

        def work(cancel: CancelToken) -> Iterator[Adding | Added]:
            yield from self._app.translations.add(one.path, wish, cancel, password=password)

        one.task = tasks.run(work, self)
        one.task.event.connect(lambda event: self._on_event(one, event))
        one.task.finished.connect(lambda: self._on_end(one))
        one.task.failed.connect(lambda error: self._on_failed(one, error))

    def _on_event(self, one: FileToRead, event: Adding | Added) -> None:
        if isinstance(event, Adding):
            one.page = event.segments
            self.changed.emit()
            return
        translation: StoredTranslation = event.translation
        if one in self.files:
            self.files.remove(one)
            self.added.emit(translation)

    def _on_end(self, one: FileToRead) -> None:
        self._running, one.task = None, None
        self._begin_next()
        self.changed.emit()

    def _on_failed(self, one: FileToRead, error: BaseException) -> None:
        self._running, one.task = None, None
        if one in self.files and isinstance(error, DocumentLocked):
            one.stage = Stage.LOCKED
            self._questions.ask_for_password(one, is_wrong=error.is_wrong)
        elif one in self.files:
            one.stage, one.error = Stage.FAILED, sentence_for(error).text
            if not isinstance(error, AppError):
                self._notify.error(error)
        self._begin_next()
        self.changed.emit()

    def _on_password(self, one: FileToRead, password: str) -> None:
        one.password, one.stage = password, Stage.WAITS
        self._begin_next()
        self.changed.emit()

    def _on_allowed(self, one: FileToRead) -> None:
        one.stage = Stage.WAITS
        self._begin_next()
        self.changed.emit()


def _expanded(paths: Sequence[Path]) -> Iterator[Expanded]:
    yield expand(paths)
