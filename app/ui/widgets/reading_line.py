"""Files that are to be read, one after the other; each is a task of the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.core.events import CancelToken
from app.documents.protocol import Found
from app.documents.source import PageRead
from app.features.documents import Documents, Kept, ReadEvent, Waits
from app.ui.shell import tasks
from app.ui.widgets.file_to_read import FileToRead, Stage


class ReadingLine(QObject):
    """Says how far each file is. `documents_of` says whose documents a file is to become one of."""

    moved = Signal(object)
    """A `FileToRead` is further."""
    kept = Signal(object, object)
    """A `FileToRead` with its `StoredDocument`."""
    failed = Signal(object, object)
    """A `FileToRead` with what was raised."""

    def __init__(self, documents_of: Callable[[Any], Documents], parent: QObject) -> None:
        super().__init__(parent)
        self._documents_of = documents_of
        self._waiting: list[FileToRead] = []
        self._running: FileToRead | None = None

    def add(self, one: FileToRead, *, is_next: bool = False) -> None:
        """Reads it when its turn comes; `is_next`: before the others."""
        one.stage, one.page = Stage.WAITS, 0
        self._waiting.insert(0 if is_next else len(self._waiting), one)
        self._begin_next()

    def drop(self, one: FileToRead) -> None:
        """It is not wanted any more; nothing more is told of it."""
        if one in self._waiting:
            self._waiting.remove(one)
        if one is self._running and one.task is not None:
            one.task.cancel()

    def _begin_next(self) -> None:
        if self._running is not None or not self._waiting:
            return
        one = self._running = self._waiting.pop(0)
        one.stage = Stage.READING
        one.task = tasks.run(self._work_of(one), self)
        one.task.event.connect(lambda event: self._on_event(one, event))
        one.task.finished.connect(lambda: self._on_end(one))
        one.task.failed.connect(lambda error: self._on_failed(one, error))

    def _on_event(self, one: FileToRead, event: ReadEvent) -> None:
        if isinstance(event, Kept):
            one.document, one.stage = event.document, Stage.READ
            return
        if isinstance(event, Waits):
            one.stage = Stage.WAITS
        elif isinstance(event, Found):
            one.stage, one.pages, one.unit = Stage.READING, event.opened.pages, event.opened.unit
        elif isinstance(event, PageRead):
            one.page = event.page
        else:
            return
        self.moved.emit(one)

    def _on_end(self, one: FileToRead) -> None:
        self._running, one.task = None, None
        if one.document is not None and one.stage is Stage.READ:
            self.kept.emit(one, one.document)
        self._begin_next()

    def _on_failed(self, one: FileToRead, error: BaseException) -> None:
        self._running, one.task = None, None
        self.failed.emit(one, error)
        self._begin_next()

    def _work_of(self, one: FileToRead) -> Callable[[CancelToken], Iterator[ReadEvent]]:
        documents = self._documents_of(one)
        return lambda token: documents.read(one.path, token, password=one.password, part=one.part)
