"""A tab of stored jobs: the work, which goes on without the view; the view, the left column, what passes between."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal, SignalInstance
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError
from app.features.work.stored import StoredJobs
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.work.column import ColumnWords, WorkColumn
from app.ui.work.runner import Runner
from app.ui.work.second_model_question import SecondModelQuestion


class WorkView(Protocol):
    """What stands in the middle of the window: one job, or the place where one begins."""

    list_changed: SignalInstance
    """Rows of the list are others: new, renamed, further, over."""
    shown_changed: SignalInstance
    """The id of the job that is shown now; None for a new one."""

    @property
    def open_id(self) -> int | None:
        """The job that is shown; None for a new one."""

    def show_new(self) -> None:
        """The place where one begins."""

    def show_job(self, job_id: int, /) -> None:
        """One of the list, as it is now."""

    def take_keyboard(self) -> None:
        """Gives the keyboard to what is shown."""

    def forget(self) -> None:
        """What is shown was deleted."""

    def leave(self) -> None:
        """The window closes."""


class WorkTab(QObject):
    """`begins` is the event that tells that the model is in memory, `moves` are those after which a row says more."""

    state_changed = Signal(str)
    """For the status line; "" when nothing is at work."""
    title_changed = Signal()
    memory_changed = Signal()
    """The work may have put its model in the place of the chat's, or given the place back."""

    begins: type[object]
    moves: tuple[type[object], ...]

    def __init__(
        self,
        jobs: StoredJobs[Any, Any],
        runner: Runner[Any],
        words: ColumnWords,
        *,
        theme: Theme,
        notify: Notify,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._jobs, self._words, self._theme, self._notify = jobs, words, theme, notify
        self._question = SecondModelQuestion(theme, window)
        jobs.ask = self._question.ask
        self.runner = runner
        runner.setParent(self)
        runner.state_changed.connect(self.state_changed)
        runner.happened.connect(self._on_happened)
        runner.ended.connect(self.memory_changed)

    @property
    @abstractmethod
    def view(self) -> Any:
        """What stands in the middle of the window, a `WorkView`; made when it is asked for."""

    @cached_property
    def column(self) -> WorkColumn:
        """What stands at the window's left."""
        column = WorkColumn(self._theme, self._jobs, self._notify, self._words)
        column.new_wanted.connect(self.show_new)
        column.chosen.connect(self.view.show_job)
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
        """The job that is shown; None for a new one."""
        shown: int | None = self.view.open_id
        return shown

    @property
    def title(self) -> str:
        """Of the job that is shown."""
        try:
            stored = self._jobs.get(self.open_id) if self.open_id else None
        except AppError as error:
            self._notify.error(error)
            stored = None
        return stored.title if stored is not None else ""

    def show_new(self) -> None:
        """The place where one begins."""
        self.view.show_new()
        self.view.take_keyboard()

    def restore(self, job_id: int) -> None:
        """As it was before a restart: one of the list, or a new one."""
        if job_id:
            self.view.show_job(job_id)
        else:
            self.view.show_new()

    def close(self) -> None:
        """The window closes: a question that waits is answered with no, and what was typed is kept."""
        self._question.close()
        if "view" in self.__dict__:
            self.view.leave()

    def _on_shown(self, job_id: int | None) -> None:
        self.column.show_open(job_id)
        self.title_changed.emit()

    def _on_happened(self, _job_id: int, event: object) -> None:
        if isinstance(event, self.begins):
            self.memory_changed.emit()

    def _show_progress(self, job_id: int, event: object) -> None:
        if isinstance(event, self.moves):
            self.column.show_progress(job_id)

    def _on_renamed(self, job_id: int) -> None:
        if job_id == self.open_id:
            self.view.show_job(job_id)
            self.title_changed.emit()

    def _on_gone(self, job_id: int) -> None:
        if job_id == self.open_id:
            self.view.forget()
            self.show_new()
