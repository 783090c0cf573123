"""Background embedding of passages for a window: started, stopped and resumed, with its progress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from app.core.events import CancelToken
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.retrieval.passage_embedder import IndexProgress

LATER_MS = 500
"""Delay before a start: attaching a document triggers several signals."""


class PassageIndexing(QObject):
    """Embeds the passages of new documents. Nothing is imported until an embedding model is chosen."""

    changed = Signal()
    """The progress, the model, or the stopped state changed."""
    _wanted = Signal()
    """Embedding was requested; emitted from any thread."""

    def __init__(self, app: Fireside, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._app, self._notify = app, notify
        self.progress: IndexProgress | None = None
        """Progress of the document being embedded; None when idle."""
        self.is_stopped = False
        """True after the user stopped it, until it is resumed, another model is chosen, or the program restarts."""
        self._failed_path = ""
        """Model that failed to load. It is not retried until it is chosen again or the program restarts."""
        # One round at a time; documents that come meanwhile are found by the next.
        self._rounds = tasks.RepeatedTask(
            self._work, self, on_event=self._on_progress, on_failed=self._on_failed, on_over=self._on_over
        )
        self._delay = new_timer(self, LATER_MS, self.start)
        self._path = app.settings.models.passages_path
        # Queued, because the signal is emitted from other threads.
        self._wanted.connect(self._on_wanted, Qt.ConnectionType.QueuedConnection)
        app.on_passages_wanted = self._wanted.emit

    @property
    def is_chosen(self) -> bool:
        return bool(self._app.settings.models.passages_path)

    @property
    def is_running(self) -> bool:
        return self._rounds.is_running

    def start(self) -> None:
        """Embed the missing passages, unless the user stopped that or the model failed to load."""
        if self.is_chosen and not self.is_stopped and self._failed_path != self._path:
            self._app.embedder.is_served = True
            self._rounds.start()

    def start_later(self) -> None:
        if self.is_chosen:
            # A document may have been added, and more may follow.
            self._delay.start()

    def stop(self) -> None:
        """Stop embedding until `resume`; finished vectors are kept."""
        self.is_stopped = True
        # Otherwise a question would wait for vectors that nobody makes.
        self._app.embedder.is_served = False
        self._rounds.stop()
        self.changed.emit()

    def resume(self) -> None:
        """Continue after a stop or a failed model."""
        self.is_stopped, self._failed_path = False, ""
        self.start()
        self.changed.emit()

    def _on_wanted(self) -> None:
        if (path := self._app.settings.models.passages_path) != self._path:
            self._path, self.is_stopped, self._failed_path = path, False, ""
            self.changed.emit()
            if not path:
                # A round without a model drops the vectors of the last one.
                self._rounds.start()
                return
        self.start()

    def _work(self, cancel: CancelToken) -> Iterator[IndexProgress]:
        yield from self._app.embedder.index(self._app.documents.store, cancel)

    def _on_progress(self, progress: IndexProgress) -> None:
        self.progress = progress
        self.changed.emit()

    def _on_failed(self, error: BaseException) -> None:
        self._failed_path = self._path
        self._app.embedder.is_served = False
        self._notify.error(error)

    def _on_over(self) -> None:
        # Another round may have begun, whose progress follows.
        if not self._rounds.is_running:
            self.progress = None
        self.changed.emit()
