"""Frame of a tab with stored jobs: runner, view, left column.

The runner works through the queue on a thread, also without a view, and emits what happens to each job.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.core.errors.app_error import AppError
from app.features.error_messages import PersonMessage
from app.features.models.model_pool import ModelSwap, swap_words
from app.features.work.queue import DONE, FAILED, PAUSED, QUEUED, RUNNING, StoredJobs
from app.store.jobs import JobRow
from app.ui.i18n import Translatable, sentence_for, tr, tr_count
from app.ui.locale_formats import join_list
from app.ui.shared_labels import GO_ON, PUT_TO_SLEEP, TRY_AGAIN
from app.ui.shell.model_loader import in_words
from app.ui.shell.notify import ACTION_LABELS, Notify
from app.ui.shell.tab_spec import EndOfWork, Tab, UiContext
from app.ui.theme import EDGE_PX, PAGE_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import Question, WaitingQuestion
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import ColumnRow, fill_layout, name_widgets
from app.ui.work.job_column import ColumnWords, WorkColumn
from app.ui.work.job_runner import INTERACTIVE, JobRunner, RunnerWords

PAUSED_WHILE_YOU_CHAT = "paused while you chat"
WAITS_FOR_MEMORY = "waiting for memory"
NOT_NOW = "Not now"


class TabColumn(QWidget):
    """Column of a job tab; widgets go into `rows`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, top_px: float = 0, bottom_px: float = 0) -> None:
        super().__init__(parent)
        self._theme = theme
        middle = QWidget()
        self.rows = QVBoxLayout(middle)
        ColumnRow(theme, middle, self, most_px=PAGE_PX + 2 * EDGE_PX)
        theme.dress(self.rows, margins=(EDGE_PX, top_px, EDGE_PX, bottom_px), spacing=6)


MOST_LINES_BESIDE = 2


class StateBar(QFrame):
    """Message with a resume button, hidden when empty. `go_on` asks to resume, or to apply changed options."""

    def __init__(self, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notify = notify
        self._action = ""
        self.setObjectName("state_bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.words = plain_label(wraps=True)
        self.other = text_button("", "quiet", on_click=self._on_other)
        self.go_on = text_button(tr(GO_ON), "plain")
        self._row, self._buttons = QBoxLayout(QBoxLayout.Direction.LeftToRight, self), QHBoxLayout()
        fill_layout(self._row, (self.words, 1), self._buttons)
        for button in (self.other, self.go_on):
            self._buttons.addWidget(button)
        theme.dress(self._row, margins=(14, 8, 8, 8), spacing=8)
        theme.dress(self._buttons, spacing=8)
        theme.dress(self.words, font="small")
        theme.dress(self.other, self.go_on, font="control")
        self.hide()
        name_widgets(state_words=self.words, state_other=self.other, go_on=self.go_on)

    def show_ended(self, job: JobRow, *, failed: Translatable, kept: str, stopped: str) -> None:
        """Show why a job stopped or failed.

        `failed` is used for failures without a known cause, `kept` is appended to any cause, `stopped` is for jobs the
        user stopped.
        """
        if job.state == FAILED or (job.state == PAUSED and job.error is not None):
            said = sentence_for(job.error) if job.error is not None else PersonMessage(failed)
            self.show_words(" ".join(part for part in (said.text, kept) if part), tr(TRY_AGAIN), said.action)
        elif job.state == PAUSED:
            self.show_words(stopped, tr(GO_ON))
        else:
            self.hide()

    def show_words(self, text: str, go_on: str, action: str = "") -> None:
        """Show a message; `action` names a second button, as in an error's sentence."""
        self.words.setText(text)
        self.setAccessibleName(text)
        self.go_on.setText(go_on)
        self.go_on.setAccessibleName(go_on)
        # "retry" is what the other button does already.
        self._action = action if action != "retry" and action in self._notify.actions else ""
        label = tr(ACTION_LABELS[self._action]) if self._action else ""
        self.other.setText(label)
        self.other.setAccessibleName(label)
        self.other.setVisible(bool(label))
        self._arrange()
        self.show()

    def _arrange(self) -> None:
        """Stack text and buttons where the text would be too narrow next to them."""
        margins, shown = (
            self._row.contentsMargins(),
            [button for button in (self.other, self.go_on) if not button.isHidden()],
        )
        buttons_px = sum(button.sizeHint().width() + self._row.spacing() for button in shown)
        room = max(1, self.width() - margins.left() - margins.right() - buttons_px)
        is_narrow = self.words.heightForWidth(room) > MOST_LINES_BESIDE * self.words.fontMetrics().lineSpacing() + 1
        ways = QBoxLayout.Direction
        self._row.setDirection(ways.TopToBottom if is_narrow else ways.LeftToRight)
        self._buttons.setAlignment(Qt.AlignmentFlag.AlignLeading)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _on_other(self) -> None:
        if self._action:
            self._notify.actions[self._action]()


def rest_words(reason: str) -> str:
    return tr(PAUSED_WHILE_YOU_CHAT) if reason == INTERACTIVE else tr(WAITS_FOR_MEMORY)


class JobEnds(QObject):
    """Announce the results of a queue once, when it is empty, however many jobs it held."""

    told = Signal(object)
    """Carries an `EndOfWork`."""

    def __init__(self, jobs: StoredJobs[Any, Any], runner: JobRunner[Any], words: RunnerWords) -> None:
        super().__init__(runner)
        self._jobs, self._words = jobs, words
        self._at_work: set[int] = set()
        self._over: dict[int, JobRow] = {}
        runner.row_changed.connect(self._on_row_changed)
        runner.ended.connect(self._on_ended)

    def _on_row_changed(self, job_id: int) -> None:
        with contextlib.suppress(AppError):  # the runner has reported it
            if (row := self._jobs.get(job_id)) is not None and row.state in (QUEUED, RUNNING):
                self._at_work.add(job_id)
                self._over.pop(job_id, None)
            elif row is not None and job_id in self._at_work:
                self._at_work.discard(job_id)
                if row.state in (DONE, FAILED) or row.error is not None:  # otherwise the user stopped it
                    self._over[job_id] = row

    def _on_ended(self) -> None:
        rows = list(self._over.values())
        self._over.clear()
        if rows:
            # A click on the notice opens this one: a problem rather than a success.
            last = next((row for row in rows if row.state != DONE), rows[-1])
            self.told.emit(EndOfWork(self._end_words(rows), join_list(row.title for row in rows), last.id))

    def _end_words(self, rows: Sequence[JobRow]) -> str:
        words, problems = self._words, sum(row.state != DONE for row in rows)
        if len(rows) == 1:
            return tr(words.problem if problems else words.done)
        texts = words.several_problems if problems else words.several_done
        return tr_count(*texts, len(rows), problems=problems)


class WorkView(QWidget):
    """Central view of a job tab: a job, or the form for a new one."""

    list_changed = Signal()
    """Rows of the job list changed."""
    shown_changed = Signal(object)
    """Id of the job now shown; None for a new one."""

    def __init__(self, runner: JobRunner[Any]) -> None:
        super().__init__()
        self.runner = runner
        self.open_id: int | None = None
        """Id of the job shown; None for a new one."""

    def show_new(self) -> None:
        """Show the form for a new job, as it was left."""

    def add_files(self, files: Sequence[str | Path]) -> None:
        """Add dropped files, or files sent from another tab."""

    def ask_for_files(self) -> None:
        """Open the file dialog; chosen files go where dropped ones do."""

    def show_job(self, job_id: int) -> None:
        """Show a job from the list, or the form if it is gone."""

    def take_keyboard(self) -> None:
        """Focus the main widget of the shown job or form."""

    def close_view(self) -> None:
        """Save typed text and stop estimates before the window closes."""

    def show_id(self, job_id: int | None) -> None:
        """Set the shown job and emit `shown_changed` if it differs."""
        if job_id != self.open_id:
            self.open_id = job_id
            self.shown_changed.emit(job_id)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.take_keyboard()


class WorkTab(Tab):
    """Tab with jobs.

    `begins` is the event emitted once the model is loaded; after the events in `moves`, a row's text is updated.
    """

    begins: type[object]
    moves: tuple[type[object], ...]

    def __init__(self, ui: UiContext, jobs: StoredJobs[Any, Any], runner: JobRunner[Any], words: ColumnWords) -> None:
        super().__init__()
        self._ui, self._jobs, self._words = ui, jobs, words
        self._question = SecondModelQuestion(ui.theme, ui.window)
        jobs.engines.ask = self._question.ask
        self.runner = runner
        runner.setParent(self)
        runner.state_changed.connect(self.state_changed)
        runner.happened.connect(self._on_happened)
        JobEnds(jobs, runner, runner.words).told.connect(self.work_ended)
        runner.ended.connect(ui.loader.sync_with_engine)  # its model may have replaced the chat's

    @property
    @abstractmethod
    def view(self) -> Any:
        """The central `WorkView`, built on first use, as jobs run without it."""

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

    def restore_list(self) -> None:
        self.column.reload()
        self.runner.start()

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

    def show_stored(self, number: int, message_id: int = 0, words: str = "") -> None:  # noqa: ARG002 - only chats have
        self.view.show_job(number)

    def take_keyboard(self) -> None:
        self.view.take_keyboard()

    def ask_for_files(self) -> None:
        self.view.ask_for_files()

    def take_files(self, files: Sequence[Path]) -> None:
        self.view.add_files(files)

    def go_on(self) -> None:
        self.runner.start()

    def close(self) -> None:
        """Answer a pending question with no and save typed text before the window closes."""
        self._question.close()
        if "view" in self.__dict__:
            self.view.close_view()

    def _on_shown(self, job_id: int | None) -> None:
        self.column.show_open(job_id)
        self.changed.emit()

    def _on_happened(self, _job_id: int, event: object) -> None:
        if isinstance(event, self.begins):
            self._ui.loader.sync_with_engine()

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


class SecondModelQuestion(WaitingQuestion[ModelSwap]):
    """Question whether a job's model may replace the chat's; see `WaitingQuestion`."""

    def dialog_for(self, asked: ModelSwap) -> Question:
        words = in_words(swap_words(asked))
        title, yes = tr("Not enough memory for two models"), tr(PUT_TO_SLEEP)
        return Question("second_model_question", title, words, yes=yes, no=tr(NOT_NOW))
