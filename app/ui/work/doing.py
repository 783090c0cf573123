"""Actions of a page with errors shown: on stored jobs, on chosen files, on threads, with progress."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_decimal
from app.ui.shared_labels import ABOUT_A_MINUTE, ABOUT_MINUTES
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.dialogs import SAVED, file_dialog
from app.ui.widgets.notice_bar import ProgressNotice
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.features.work.queue import StoredJobs

UNDER_A_MINUTE = "less than a minute"
ABOUT_AN_HOUR = "about an hour"
ABOUT_HOURS = "about {count} hours"

Row = TypeVar("Row")
Result = TypeVar("Result")


class JobActions(QObject, Generic[Row]):
    """Run actions on jobs and show errors. `gone` is shown if a job, or a part of it, doesn't exist any more."""

    row_changed = Signal(int)
    """Id of a job whose row changed."""
    queued = Signal()
    """A job was queued."""

    def __init__(self, jobs: StoredJobs[Row, Any], notify: Notify, gone: str, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs, self._notify, self._gone = jobs, notify, gone

    def result_of(self, do: Callable[[], Result]) -> Result | None:
        """Run `do` and return its result; on an error show it and return None."""
        try:
            return do()
        except AppError as error:
            self._notify.error(error)
        except KeyError:
            self._notify.mention(self._gone)
        return None

    def try_to(self, do: Callable[[], object]) -> bool:
        """Run `do`, show its error if there is one, and return whether it succeeded."""
        return self.result_of(lambda: (do(),)) is not None  # in a tuple, as the result may be None

    def get(self, job_id: int) -> Row | None:
        """Return a job, or None if it doesn't exist."""
        return self.result_of(lambda: self._jobs.get(job_id))

    def known(self, job_id: int) -> Row | None:
        """Return a job; if it doesn't exist, say so and return None."""
        if (row := self.get(job_id)) is None:
            self._notify.mention(self._gone)
        return row

    def stop(self, job_id: int) -> None:
        """Stop a job; its finished parts are kept for a resume."""
        self.try_to(lambda: self._jobs.stop(job_id))
        self.row_changed.emit(job_id)

    def go_on(self, job_id: int) -> None:
        """Resume a stopped or failed job by queueing it again."""
        if self.try_to(lambda: self._jobs.resume(job_id)):
            self.queued.emit()
            self.row_changed.emit(job_id)

    def rename(self, job_id: int, title: str) -> None:
        if self.try_to(lambda: self._jobs.rename(job_id, title)):
            self.row_changed.emit(job_id)


SETTLE_MS = 250

Ask = Callable[[CancelToken], object]
"""Runs on the thread; returns an estimate, or None if cancelled."""


class JobEstimates(QObject):
    """Compute estimates on a thread; only the latest request is answered."""

    estimated = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._ask: Ask | None = None
        self._task: tasks.BackgroundTask | None = None
        # After a pause, as options often change several times in a row.
        self._later = new_timer(self, SETTLE_MS, self._begin)

    @property
    def is_busy(self) -> bool:
        return self._later.isActive() or self._task is not None

    def start_estimate(self, ask: Ask) -> None:
        self.stop()
        self._ask = ask
        self._later.start()

    def stop(self) -> None:
        """Cancel the request; an answer that comes all the same is dropped."""
        self._later.stop()
        self._ask = None
        if self._task is not None:
            self._task.abandon()
            self._task = None

    def _begin(self) -> None:
        if self._ask is not None:
            self._task = tasks.ask(self._ask, self, self._on_answered, self._on_failed)

    def _on_answered(self, estimate: object) -> None:
        self._task = None
        if estimate is not None:
            self.estimated.emit(estimate)

    def _on_failed(self, error: BaseException) -> None:
        self._task = None
        self.failed.emit(error)


def time_words(seconds: float) -> str:
    """Return an approximate time: "less than a minute", "about 4 minutes", "about 2 hours"."""
    minutes = round(seconds / 60)
    if seconds < 45:
        return tr(UNDER_A_MINUTE)
    if minutes <= 1:
        return tr(ABOUT_A_MINUTE)
    if minutes < 55:
        return tr_count("about {count} minute", ABOUT_MINUTES, minutes)
    if (halves := round(seconds / 1800)) <= 2:
        return tr(ABOUT_AN_HOUR)
    # Halves take the form of 2 in languages that have one.
    count = 2 if halves % 2 else halves // 2
    return tr_count("about {count} hour", ABOUT_HOURS, count, count=format_decimal(halves / 2, 1, is_trimmed=True))


MOST_NAME = 80
# Forbidden in file names on Windows, some of them everywhere.
_NO_NAME = dict.fromkeys(map(ord, '<>:"/\\|?*\n\r\t'), " ")


def file_name(title: str, otherwise: str) -> str:
    """Return a title as a valid file name, without ending."""
    # Windows drops a blank or a dot at the end of a name.
    return " ".join(title.translate(_NO_NAME).split())[:MOST_NAME].strip(" .") or otherwise


class SavedFiles(QObject):
    """File dialogs of a window; `take` gets the chosen file."""

    def __init__(self, notify: Notify, window: QWidget) -> None:
        super().__init__(window)
        self._notify, self._window = notify, window

    def _ask_to_save(
        self, title: str, name: str, *, kind: str, offered: str, take: Callable[[Path], object]
    ) -> QFileDialog:
        """Open a save dialog; `offered` is a file name with its ending, `kind` describes the format."""
        ending = Path(offered).suffix
        dialog = self._dialog(title, name, f"{kind} (*{ending})", take)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(ending.removeprefix("."))
        dialog.selectFile(offered)
        dialog.open()
        return dialog

    def _ask_to_open(self, title: str, name: str, *, filter_: str, take: Callable[[Path], object]) -> QFileDialog:
        dialog = self._dialog(title, name, filter_, take)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.open()
        return dialog

    def _read(self, do: Callable[[], object], take: Callable[[object], object]) -> tasks.BackgroundTask:
        """Run `do` on a thread and pass its result to `take`."""
        return tasks.ask(lambda _cancel: do(), self, take, self._notify.error)

    def _write(self, path: Path, do: Callable[[], object]) -> tasks.BackgroundTask:
        """Write a file on a thread; if that fails, offer to try again."""
        return tasks.ask(
            lambda _cancel: do(),
            self,
            lambda _done: self._notify.saved(path),
            lambda error: self._notify.error(error, action=lambda: self._write(path, do)),
        )

    def _dialog(self, title: str, name: str, filter_: str, take: Callable[[Path], object]) -> QFileDialog:
        return file_dialog(self._window, title, SAVED, lambda paths: take(paths[0]), name=name, filters=[filter_])


@dataclass(frozen=True)
class NoticeProgress:
    """Progress for a notice: a sentence, and done of total."""

    words: str
    done: int
    total: int


def run_in_sight(
    ui: UiContext,
    work: tasks.Work,
    words: str,
    progress_of: Callable[[str, Any], NoticeProgress | None],
    then: Callable[[Any], object],
) -> tasks.BackgroundTask:
    """Run a generator on a thread with a progress notice.

    `how_far` turns `words` and an event into progress; events for which it returns None go to `then`.
    """
    bar = ui.notify.bar

    def on_event(event: object) -> None:
        if (progress := progress_of(words, event)) is None:
            then(event)
        elif notice in bar.notices:  # the user may have dismissed it
            notice.show_progress(progress.words, progress.done, progress.total)

    def dismiss_notice() -> None:
        if notice in bar.notices:
            notice.dismiss()

    def on_failed(error: BaseException) -> None:
        dismiss_notice()
        ui.notify.error(error)

    task = tasks.run(work, ui.window, on_event=on_event, on_end=dismiss_notice, on_failed=on_failed)
    notice = ProgressNotice(ui.theme, f"{words}…", task.cancel)
    bar.add(notice)
    return task
