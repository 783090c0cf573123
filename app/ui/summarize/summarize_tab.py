"""The Summarize tab: the work, the view and the left column, and what passes between these."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.features.summaries import StoredSummary
from app.features.summarize import Planned, SectionRead
from app.features.summary.result import SummaryEvent
from app.features.work.queue import Worked
from app.ui.second_model_question import SecondModelQuestion
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.summarize.texts import Progress, rest_words
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.summarize.summaries_column import SummariesColumn
    from app.ui.summarize.summarize_view import SummarizeView


class SummarizeTab(QObject):
    """The work can go on without the view, which is built when it is wanted."""

    ask_wanted = Signal(list, str)
    """Ids of documents and a title: a chat about them is wanted."""
    state_changed = Signal(str)
    title_changed = Signal()
    model_wanted = Signal()
    translate_wanted = Signal(str)
    """The text of a summary is to be translated."""
    memory_changed = Signal()
    """The work may have put its model in the place of the chat's, or given the place back."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, window: QWidget) -> None:
        super().__init__(window)
        self._app, self._theme, self._notify = app, theme, notify
        self._question = SecondModelQuestion(theme, window)
        app.summaries.ask = self._question.ask
        self.runner = SummaryRunner(app, notify, self)
        self.runner.state_changed.connect(self.state_changed)
        self.runner.happened.connect(self._on_happened)
        self.runner.ended.connect(self.memory_changed)

    @cached_property
    def view(self) -> SummarizeView:
        """What stands in the middle of the window."""
        from app.ui.summarize.summarize_view import SummarizeView  # work that goes on needs no view

        view = SummarizeView(self._app, self._theme, self._notify, self.runner)
        view.ask_wanted.connect(self.ask_wanted)
        view.model_wanted.connect(self.model_wanted)
        view.translate_wanted.connect(self.translate_wanted)
        return view

    @cached_property
    def column(self) -> SummariesColumn:
        """What stands at the window's left."""
        from app.ui.summarize.summaries_column import SummariesColumn

        column = SummariesColumn(self._theme, self._app.summaries, self._notify)
        column.new_wanted.connect(self.show_new)
        column.chosen.connect(self.view.show_summary)
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
        """The summary that is shown; None is one that is being put together."""
        return self.view.summary_id

    @property
    def title(self) -> str:
        """Of the summary that is shown."""
        try:
            stored = self._app.summaries.get(self.open_id) if self.open_id else None
        except AppError as error:
            self._notify.error(error)
            stored = None
        return stored.title if stored is not None else ""

    def show_new(self) -> None:
        """The place where documents are put together."""
        self.view.show_new()
        self.view.take_keyboard()

    def restore(self, summary_id: int) -> None:
        """As it was before a restart: one of the list, or what is being put together."""
        if summary_id:
            self.view.show_summary(summary_id)
        else:
            self.view.show_new()

    def close(self) -> None:
        """The window closes: a question that waits is answered with no, the child that draws pages ends."""
        self._question.close()
        if "view" in self.__dict__:
            self.view.leave()

    def _on_shown(self, summary_id: int | None) -> None:
        self.column.show_open(summary_id)
        self.title_changed.emit()

    def _on_happened(self, _summary_id: int, event: object) -> None:
        if isinstance(event, Planned):
            self.memory_changed.emit()

    def _show_progress(self, summary_id: int, event: object) -> None:
        if isinstance(event, Planned | SectionRead):
            self.column.show_progress(summary_id)

    def _on_renamed(self, summary_id: int) -> None:
        if summary_id == self.open_id:
            self.view.show_summary(summary_id)
            self.title_changed.emit()

    def _on_gone(self, summary_id: int) -> None:
        if summary_id == self.open_id:
            self.show_new()


# Works off the queue of summaries on a thread, and passes on what happens in each of them.


class SummaryRunner(QObject):
    """Runs while something waits; `start` looks for what a former run left. It ends with its parent."""

    happened = Signal(int, object)
    """A summary's id and its `SummaryEvent`."""
    row_changed = Signal(int)
    """A summary's row is another one: its state, its title, what went wrong."""
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
        """Ends the thread; the summary at work stays in the queue."""
        if self._task is not None:
            self._is_asked_again = False
            self._task.cancel()

    def progress_of(self, summary_id: int) -> Progress | None:
        """How far the one at work is; None for any other."""
        return self._progress.get(summary_id)

    def _work(self, cancel: CancelToken) -> Iterator[Worked[SummaryEvent]]:
        # The queue's parts are loaded here, on the thread.
        yield from self._app.summaries.run(cancel)

    def _on_worked(self, worked: Worked[SummaryEvent]) -> None:
        if worked.event is None:
            self._look_at_row(worked.id)
            self.row_changed.emit(worked.id)
            return
        if worked.id not in self._progress:
            self._progress[worked.id] = Progress()
        progress, was_at_work = self._progress[worked.id], self._at_work
        rested = progress.rests
        progress.take(worked.event)
        self._at_work = worked.id
        if progress.rests != rested or was_at_work != worked.id:
            self._tell()
        self.happened.emit(worked.id, worked.event)

    def _look_at_row(self, summary_id: int) -> None:
        stored = self._row(summary_id)
        if stored is not None and stored.state == "running":
            self._at_work = summary_id
            self._progress.setdefault(summary_id, Progress())
        else:
            self._progress.pop(summary_id, None)
            self._at_work = None if self._at_work == summary_id else self._at_work
        self._tell()

    def _row(self, summary_id: int) -> StoredSummary | None:
        try:
            return self._app.summaries.get(summary_id)
        except AppError as error:
            self._notify.error(error)
            return None

    def _tell(self) -> None:
        """Where the queue is, in words."""
        state = ""
        if self._at_work is not None:
            progress = self._progress.get(self._at_work)
            state = self._busy_words(progress)
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _busy_words(self, progress: Progress | None) -> str:
        if progress is not None and progress.rests == "interactive":
            return tr("Summary paused while you chat")
        if progress is not None and progress.rests:
            return tr("Summary {why}", why=rest_words(progress.rests))
        number, count = self._place()
        return tr("Summarizing {number} of {count}", number=number, count=count) if count > 1 else tr("Summarizing")

    def _place(self) -> tuple[int, int]:
        """Which of how many this one is, of all that were in the queue since it was last empty."""
        try:
            waiting = [one.id for one in self._app.summaries.find() if one.state in ("queued", "running")]
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
