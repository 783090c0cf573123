"""A tab of stored jobs: the work, which goes on without the view; the view, the left column, what passes between."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QWidget

from app.features.work.engines import Swap, swap_words
from app.features.work.stored import StoredJobs
from app.ui.i18n import tr
from app.ui.shell.model_loader import in_words
from app.ui.shell.tab_spec import Tab, UiContext
from app.ui.theme import Theme
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.work.column import ColumnWords, WorkColumn
from app.ui.work.runner import Runner


class WorkView(QWidget):
    """What stands in the middle of the window: one job, or the place where one begins."""

    list_changed = Signal()
    """Rows of the list are others: new, renamed, further, over."""
    shown_changed = Signal(object)
    """The id of the job that is shown now; None for a new one."""

    def __init__(self, runner: Runner[Any]) -> None:
        super().__init__()
        self.runner = runner
        self.open_id: int | None = None
        """The job that is shown; None for a new one."""

    def show_new(self) -> None:
        """The place where one begins."""

    def add_files(self, files: Sequence[str | Path]) -> None:
        """Files that somebody dropped, or sent from elsewhere."""

    def ask_for_files(self) -> None:
        """Asks for documents."""

    def show_job(self, job_id: int) -> None:
        """One of the list, as it is now."""

    def take_keyboard(self) -> None:
        """Gives the keyboard to what is shown."""

    def leave(self) -> None:
        """The window closes."""

    def show_id(self, job_id: int | None) -> None:
        """Another one is shown now, or the same."""
        if job_id != self.open_id:
            self.open_id = job_id
            self.shown_changed.emit(job_id)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.take_keyboard()


class WorkTab(Tab):
    """`begins` is the event that tells that the model is in memory, `moves` are those after which a row says more."""

    begins: type[object]
    moves: tuple[type[object], ...]

    def __init__(self, ui: UiContext, jobs: StoredJobs[Any, Any], runner: Runner[Any], words: ColumnWords) -> None:
        super().__init__()
        self._ui, self._jobs, self._words = ui, jobs, words
        self._question = SecondModelQuestion(ui.theme, ui.window)
        jobs.engines.ask = self._question.ask
        self.runner = runner
        runner.setParent(self)
        runner.state_changed.connect(self.state_changed)
        runner.happened.connect(self._on_happened)
        runner.ended.connect(ui.loader.look)  # the work may have had its model in the place of the chat's

    @property
    @abstractmethod
    def view(self) -> Any:
        """What stands in the middle of the window, a `WorkView`; made when it is asked for."""

    @cached_property
    def column(self) -> WorkColumn:
        column = WorkColumn(self._ui.theme, self._jobs, self._ui.notify, self._words)
        column.new_wanted.connect(self.show_new)
        column.chosen.connect(self.view.show_job)
        column.renamed.connect(self._on_renamed)
        column.gone.connect(self._on_gone)
        column.work_wanted.connect(self.runner.start)
        self.runner.happened.connect(self._show_progress)
        self.view.list_changed.connect(column.refresh_soon)
        self.view.list_changed.connect(self.changed)
        self.view.shown_changed.connect(self._on_shown)
        return column

    @property
    def open_id(self) -> int | None:
        shown: int | None = self.view.open_id
        return shown

    @property
    def title(self) -> str:
        with self._ui.notify.guard():
            stored = self._jobs.get(self.open_id) if self.open_id else None
            return stored.title if stored is not None else ""
        return ""

    def show_new(self) -> None:
        self.view.show_new()
        self.view.take_keyboard()

    @property
    def is_at_work(self) -> bool:
        return self.runner.is_running

    def restore(self, kept_id: int) -> None:
        if kept_id:
            self.view.show_job(kept_id)
        else:
            self.view.show_new()

    def take_keyboard(self) -> None:
        self.view.take_keyboard()

    def ask_for_files(self) -> None:
        self.view.ask_for_files()

    def take_files(self, files: Sequence[Path]) -> None:
        self.view.add_files(files)

    def go_on(self) -> None:
        self.runner.start()

    def close(self) -> None:
        """The window closes: a question that waits is answered with no, and what was typed is kept."""
        self._question.close()
        if "view" in self.__dict__:
            self.view.leave()

    def _on_shown(self, job_id: int | None) -> None:
        self.column.show_open(job_id)
        self.changed.emit()

    def _on_happened(self, _job_id: int, event: object) -> None:
        if isinstance(event, self.begins):
            self._ui.loader.look()

    def _show_progress(self, job_id: int, event: object) -> None:
        if isinstance(event, self.moves):
            self.column.show_progress(job_id)

    def _on_renamed(self, job_id: int) -> None:
        if job_id == self.open_id:
            self.view.show_job(job_id)
            self.changed.emit()

    def _on_gone(self, job_id: int) -> None:
        if job_id == self.open_id:
            self.show_new()


# Asks whether a job's model may take the place of the chat's; the job's thread waits for the answer.


class _Asked:
    """One question, and how it is answered; without an answer it is no."""

    def __init__(self, swap: Swap) -> None:
        self.swap = swap
        self.is_allowed = False
        self.is_over = threading.Event()


class SecondModelQuestion(QObject):
    """`ask` belongs on any thread but the window's, which shows the question."""

    _wanted = Signal(object)

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme, self._window = theme, window
        self._lock = threading.Lock()
        self._waiting: list[_Asked] = []
        self._is_closed = False
        self._wanted.connect(self._on_wanted, Qt.ConnectionType.QueuedConnection)

    def ask(self, swap: Swap) -> bool:
        """Whether the loaded model may be put to sleep meanwhile; no when the window closes before an answer."""
        asked = _Asked(swap)
        with self._lock:
            if self._is_closed:
                return False
            self._waiting.append(asked)
        self._wanted.emit(asked)
        asked.is_over.wait()
        return asked.is_allowed

    def close(self) -> None:
        """The window closes: whoever waits hears no, and nobody is asked any more."""
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, []
        for asked in waiting:
            asked.is_over.set()

    def _on_wanted(self, asked: _Asked) -> None:
        if asked.is_over.is_set():
            return
        title, words = tr("Two models do not fit at once"), in_words(swap_words(asked.swap))
        dialog = QuestionDialog(self._theme, title, words, self._window, no=tr("Not now"))
        dialog.setObjectName("second_model_question")
        dialog.add_choice(tr("Put to sleep"), lambda: self._answer(asked, is_allowed=True), "primary")
        dialog.rejected.connect(lambda: self._answer(asked, is_allowed=False))
        dialog.open()

    def _answer(self, asked: _Asked, *, is_allowed: bool) -> None:
        asked.is_allowed = is_allowed
        with self._lock:
            if asked in self._waiting:
                self._waiting.remove(asked)
        asked.is_over.set()
