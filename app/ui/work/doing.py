"""What a page has done, with what goes wrong told: with stored jobs, with files that are named, on threads, in view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.ui.i18n import tr
from app.ui.shared_labels import ABOUT_A_MINUTE, ABOUT_MINUTES
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.dialogs import SAVED, file_dialog
from app.ui.widgets.notice_bar import ProgressNotice

if TYPE_CHECKING:
    from app.features.work.queue import StoredJobs

UNDER_A_MINUTE = "less than a minute"
ABOUT_AN_HOUR = "about an hour"
ABOUT_HOURS = "about {count} hours"

Row = TypeVar("Row")
Result = TypeVar("Result")


class Doing(QObject, Generic[Row]):
    """`gone` is said of a job, or of something of it, that is not there any more."""

    row_changed = Signal(int)
    """A job's row is another one."""
    queued = Signal()
    """Something waits in the queue."""

    def __init__(self, jobs: StoredJobs[Row, Any], notify: Notify, gone: str, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs, self._notify, self._gone = jobs, notify, gone

    def result_of(self, do: Callable[[], Result]) -> Result | None:
        """Does something that is stored, and returns what that returns; None where it went wrong."""
        try:
            return do()
        except AppError as error:
            self._notify.error(error)
        except KeyError:
            self._notify.mention(self._gone)
        return None

    def try_to(self, do: Callable[[], object]) -> bool:
        """The same; whether it was done."""
        return self.result_of(lambda: (do(),)) is not None  # in a tuple: what it returns may be None

    def get(self, job_id: int) -> Row | None:
        """A job as it is stored; None where there is none."""
        return self.result_of(lambda: self._jobs.get(job_id))

    def known(self, job_id: int) -> Row | None:
        """The same; that there is none is told."""
        row = self.get(job_id)
        if row is None:
            self._notify.mention(self._gone)
        return row

    def stop(self, job_id: int) -> None:
        """What is done is kept."""
        self.try_to(lambda: self._jobs.stop(job_id))
        self.row_changed.emit(job_id)

    def go_on(self, job_id: int) -> None:
        """Queues one again that was stopped or failed."""
        if self.try_to(lambda: self._jobs.resume(job_id)):
            self.queued.emit()
            self.row_changed.emit(job_id)

    def rename(self, job_id: int, title: str) -> None:
        if self.try_to(lambda: self._jobs.rename(job_id, title)):
            self.row_changed.emit(job_id)


# What a job would take: asked on a thread and never twice at once, and said in words.


SETTLE_MS = 250

Ask = Callable[[CancelToken], object]
"""What is called on the thread; returns an estimate, None when cancelled."""


class Estimating(QObject):
    """What was asked last is what is answered."""

    estimated = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._ask: Ask | None = None
        self._task: tasks.BackgroundTask | None = None
        self._later = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._later.timeout.connect(self._begin)

    @property
    def is_busy(self) -> bool:
        return self._later.isActive() or self._task is not None

    def start_estimate(self, ask: Ask) -> None:
        self.stop()
        self._ask = ask
        self._later.start()

    def stop(self) -> None:
        """Nothing is to be answered any more."""
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
    """About how long: "less than a minute", "about 4 minutes", "about 2 hours"."""
    minutes = round(seconds / 60)
    if seconds < 45:
        return tr(UNDER_A_MINUTE)
    if minutes <= 1:
        return tr(ABOUT_A_MINUTE)
    if minutes < 55:
        return tr(ABOUT_MINUTES, count=minutes)
    halves = round(seconds / 1800)
    if halves <= 2:
        return tr(ABOUT_AN_HOUR)
    return tr(ABOUT_HOURS, count=f"{halves / 2:.1f}".removesuffix(".0"))


# Files that a person saves or brings: asked for by name, read and written on a thread; what goes wrong is told.


MOST_NAME = 80
_NO_NAME = dict.fromkeys(map(ord, '<>:"/\\|?*\n\r\t'), " ")


def file_name(title: str, otherwise: str) -> str:
    """A title as the name of a file, without its ending."""
    name = " ".join(title.translate(_NO_NAME).split())[:MOST_NAME].strip(" .")
    return name or otherwise


class SavedFiles(QObject):
    """Dialogs over a window; `take` is called with the file that was named."""

    def __init__(self, notify: Notify, window: QWidget) -> None:
        super().__init__(window)
        self._notify, self._window = notify, window

    def _ask_to_save(
        self, title: str, name: str, *, kind: str, offered: str, take: Callable[[Path], object]
    ) -> QFileDialog:
        """Asks where to; `offered` is a file's name with its ending, `kind` says what such files are."""
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
        """Does something off the window's thread, and passes on what it returns."""
        return tasks.ask(lambda _cancel: do(), self, take, self._notify.error)

    def _write(self, path: Path, do: Callable[[], object]) -> tasks.BackgroundTask:
        """Writes a file off the window's thread; where that fails it can be tried again."""
        return tasks.ask(
            lambda _cancel: do(),
            self,
            lambda _done: self._notify.saved(path),
            lambda error: self._notify.error(error, action=lambda: self._write(path, do)),
        )

    def _dialog(self, title: str, name: str, filter_: str, take: Callable[[Path], object]) -> QFileDialog:
        dialog = file_dialog(self._window, title, SAVED)
        dialog.setObjectName(name)
        dialog.setNameFilters([filter_])
        dialog.fileSelected.connect(lambda file: take(Path(file)))
        return dialog


@dataclass(frozen=True)
class Far:
    """How far it is: a sentence, and how much of how much."""

    words: str
    done: int
    total: int


def run_in_sight(
    ui: UiContext,
    work: tasks.Work,
    words: str,
    how_far: Callable[[str, Any], Far | None],
    then: Callable[[Any], object],
) -> tasks.BackgroundTask:
    """Runs a generator on a thread, under a notice that says `words` and leaves at the end.

    `how_far` gets these words and an event; what it has nothing to say of goes to `then`.
    """
    task = tasks.run(work, ui.window)
    bar, notice = ui.notify.bar, ProgressNotice(ui.theme, f"{words}…", task.cancel)
    bar.add(notice)

    def on_event(event: object) -> None:
        far = how_far(words, event)
        if far is None:
            then(event)
        elif notice in bar.notices:  # a person may dismiss it
            notice.show_progress(far.words, far.done, far.total)

    def leave() -> None:
        if notice in bar.notices:
            notice.dismiss()

    def on_failed(error: BaseException) -> None:
        leave()
        ui.notify.error(error)

    task.event.connect(on_event)
    task.finished.connect(leave)
    task.failed.connect(on_failed)
    return task
