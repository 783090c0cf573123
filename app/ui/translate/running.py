"""Works off the queue of translations on a thread, and passes on what happens in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.errors import AppError
from app.core.events import CancelToken
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.translate.progress import Progress

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.translation.result import TranslationEvent
    from app.features.translation.stored import StoredTranslation
    from app.features.work.queue import Worked


class TranslationRunner(QObject):
    """Runs while something waits; `start` looks for what a former run left. It ends with its parent."""

    happened = Signal(int, object)
    """A translation's id and its `TranslationEvent`."""
    row_changed = Signal(int)
    """A translation's row is another one: its state, its title, what went wrong."""
    state_changed = Signal(str)
    """For the status line; "" when nothing is at work."""
    ended = Signal()
    """Nothing waits any more, and what the work had in memory has gone."""

    def __init__(self, app: Fireside, notify: Notify, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app, self._notify = app, notify
        self._task: tasks.Task | None = None
        self._is_asked_again = False
        self._progress: dict[int, Progress] = {}
        self._at_work: int | None = None
        self._batch: list[int] = []
        self.state = ""

    @property
    def is_running(self) -> bool:
        """Whether the thread is there."""
        return self._task is not None

    def start(self) -> None:
        """Goes on with what waits in the queue, if anything does; called again while it runs, it looks once more."""
        if self._task is not None:
            self._is_asked_again = True
            return
        self._is_asked_again = False
        self._task = tasks.run(self._work, self)
        self._task.event.connect(self._on_worked)
        self._task.finished.connect(self._on_ended)
        self._task.failed.connect(self._on_failed)

    def stop(self) -> None:
        """Ends the thread; the translation at work stays in the queue."""
        if self._task is not None:
            self._is_asked_again = False
            self._task.cancel()

    def progress_of(self, translation_id: int) -> Progress | None:
        """How far the one at work is; None for any other."""
        return self._progress.get(translation_id)

    def _work(self, cancel: CancelToken) -> Iterator[Worked[TranslationEvent]]:
        # The queue's parts are loaded here, on the thread.
        yield from self._app.translations.run(cancel)

    def _on_worked(self, worked: Worked[TranslationEvent]) -> None:
        number, event = worked.id, worked.event
        if event is None:
            self._look_at_row(number)
            self.row_changed.emit(number)
            return
        progress = self._progress.setdefault(number, Progress())
        was_at_work, rested = self._at_work, progress.rests
        progress.take(event)
        self._at_work = number
        if progress.rests != rested or was_at_work != number:
            self._tell()
        self.happened.emit(number, event)

    def _look_at_row(self, translation_id: int) -> None:
        stored = self._row(translation_id)
        if stored is not None and stored.state == "running":
            self._at_work = translation_id
            self._progress.setdefault(translation_id, Progress())
        else:
            self._progress.pop(translation_id, None)
            self._at_work = None if self._at_work == translation_id else self._at_work
        self._tell()

    def _row(self, translation_id: int) -> StoredTranslation | None:
        try:
            return self._app.translations.get(translation_id)
        except AppError as error:
            self._notify.error(error)
            return None

    def _tell(self) -> None:
        """Where the queue is, in words; between two of them it is still at work."""
        if self._at_work is None and self._task is not None:
            return
        state = self._busy_words(self._progress.get(self._at_work)) if self._at_work is not None else ""
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _busy_words(self, progress: Progress | None) -> str:
        if progress is not None and progress.rests == "interactive":
            return tr("Translation paused while you chat")
        if progress is not None and progress.rests:
            return tr("Translation waits for memory")
        number, count = self._place()
        return tr("Translating {number} of {count}", number=number, count=count) if count > 1 else tr("Translating")

    def _place(self) -> tuple[int, int]:
        """Which of how many this one is, of all that were in the queue since it was last empty."""
        try:
            waiting = [one.id for one in self._app.translations.find() if one.state in ("queued", "running")]
        except AppError:
            waiting = []
        over = [one for one in self._batch if one not in waiting]
        self._batch = over + [one for one in waiting if one not in over]
        if self._at_work not in self._batch:
            return 1, 1
        return self._batch.index(self._at_work) + 1, len(self._batch)

    def _on_ended(self) -> None:
        self._task, self._at_work = None, None
        self._progress.clear()
        if self._is_asked_again:
            self.start()
            return
        self._batch = []
        self._tell()
        self.ended.emit()

    def _on_failed(self, error: BaseException) -> None:
        """A defect in one of them; it is marked as failed, and the others keep their turn."""
        self._notify.error(error)
        failed = self._at_work
        self._on_ended()
        if failed is not None:
            self.row_changed.emit(failed)
            self.start()
