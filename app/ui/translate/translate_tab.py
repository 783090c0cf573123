"""The Translate tab: the work, the view and the left column, and what passes between these."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.features.translation.result import (
    SegmentDone,
    SegmentGrows,
    TranslationEvent,
    TranslationPlanned,
    TranslationRests,
)
from app.ui.second_model_question import SecondModelQuestion
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.translation.result import TranslationEvent
    from app.features.translation.stored import StoredTranslation
    from app.features.work.queue import Worked
    from app.ui.translate.translate_view import TranslateView
    from app.ui.translate.translations_column import TranslationsColumn


class TranslateTab(QObject):
    """The work can go on without the view, which is built when it is wanted."""

    state_changed = Signal(str)
    title_changed = Signal()
    models_wanted = Signal(str)
    model_changed = Signal()
    """The tab has another model now."""
    memory_changed = Signal()
    """The work may have put its model in the place of the chat's, or given the place back."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, window: QWidget) -> None:
        super().__init__(window)
        self._app, self._theme, self._notify = app, theme, notify
        self._question = SecondModelQuestion(theme, window)
        app.translations.ask = self._question.ask
        self.runner = TranslationRunner(app, notify, self)
        self.runner.state_changed.connect(self.state_changed)
        self.runner.happened.connect(self._on_happened)
        self.runner.ended.connect(self.memory_changed)

    @cached_property
    def view(self) -> TranslateView:
        """What stands in the middle of the window."""
        from app.ui.translate.translate_view import TranslateView  # work that goes on needs no view

        view = TranslateView(self._app, self._theme, self._notify, self.runner)
        view.models_wanted.connect(self.models_wanted)
        view.model_changed.connect(self.model_changed)
        view.memory_changed.connect(self.memory_changed)
        return view

    @cached_property
    def column(self) -> TranslationsColumn:
        """What stands at the window's left."""
        from app.ui.translate.translations_column import TranslationsColumn

        column = TranslationsColumn(self._theme, self._app.translations, self._notify)
        column.new_wanted.connect(self.show_new)
        column.chosen.connect(self.view.show_translation)
        column.renamed.connect(self._on_renamed)
        column.gone.connect(self._on_gone)
        column.work_wanted.connect(self.runner.start)
        self.runner.happened.connect(self._show_progress)
        self.view.list_changed.connect(column.refresh_soon)
        self.view.list_changed.connect(self.title_changed)
        self.view.shown_changed.connect(self._on_shown)
        return column

    @property
    def open_id(self) -> int | None:
        """The translation that is shown; None is a new one."""
        return self.view.translation_id

    @property
    def is_at_work(self) -> bool:
        """Whether a document or a typed text is being translated."""
        return self.runner.is_running or ("view" in self.__dict__ and self.view.text.work.is_busy)

    @property
    def title(self) -> str:
        """Of the translation that is shown."""
        try:
            stored = self._app.translations.get(self.open_id) if self.open_id else None
        except AppError as error:
            self._notify.error(error)
            stored = None
        return stored.title if stored is not None else ""

    def show_new(self) -> None:
        """The place where one begins."""
        self.view.show_new()
        self.view.take_keyboard()

    def restore(self, translation_id: int) -> None:
        """As it was before a restart: one of the list, or a new one."""
        if translation_id:
            self.view.show_translation(translation_id)
        else:
            self.view.show_new()

    def close(self) -> None:
        """The window closes: a question that waits is answered with no, what was typed is kept."""
        self._question.close()
        if "view" in self.__dict__:
            self.view.leave()

    def _on_shown(self, translation_id: int | None) -> None:
        self.column.show_open(translation_id)
        self.title_changed.emit()

    def _on_happened(self, _translation_id: int, event: object) -> None:
        if isinstance(event, TranslationPlanned):
            self.memory_changed.emit()

    def _show_progress(self, translation_id: int, event: object) -> None:
        if isinstance(event, TranslationPlanned | SegmentDone):
            self.column.show_progress(translation_id)

    def _on_renamed(self, translation_id: int) -> None:
        if translation_id == self.open_id:
            self.view.show_translation(translation_id)
            self.title_changed.emit()

    def _on_gone(self, translation_id: int) -> None:
        if translation_id == self.open_id:
            self.view.forget()
            self.show_new()


# Works off the queue of translations on a thread, and passes on what happens in each of them.


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


# How far a translation at work is, out of its events.


class Progress:
    """`done` of `segments`; `growing` is what is being written now, by segment. `rests`: why it waits, or ""."""

    def __init__(self) -> None:
        self.segments = 0
        self.done = 0
        self.rests = ""
        self.source = ""
        self.growing: dict[int, str] = {}

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.done / self.segments if self.segments else 0.0

    def take(self, event: TranslationEvent) -> None:
        """One more event."""
        if isinstance(event, TranslationPlanned):
            self.segments, self.done, self.source = event.segments, event.known, event.source
        elif isinstance(event, TranslationRests):
            self.rests = event.reason
        elif isinstance(event, SegmentGrows):
            self.growing[event.id] = event.text
        elif isinstance(event, SegmentDone):
            self.growing.pop(event.translated.id, None)
            self.done, self.segments = event.done, event.segments
