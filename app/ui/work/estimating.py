"""What a job would take: asked on a thread and never twice at once, and said in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.events import CancelToken
from app.ui.i18n import tr
from app.ui.shell import tasks

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
        self._task: tasks.Task | None = None
        self._later = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._later.timeout.connect(self._begin)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is on its way."""
        return self._later.isActive() or self._task is not None

    def look(self, ask: Ask) -> None:
        """Another question."""
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
        ask = self._ask
        if ask is None:
            return

        def work(cancel: CancelToken) -> Iterator[object]:
            found = ask(cancel)
            if found is not None:
                yield found

        self._task = tasks.run(work, self)
        self._task.event.connect(self.estimated)
        self._task.finished.connect(self._on_ended)
        self._task.failed.connect(self._on_failed)

    def _on_ended(self) -> None:
        self._task = None

    def _on_failed(self, error: BaseException) -> None:
        self._task = None
        self.failed.emit(error)


def time_words(seconds: float) -> str:
    """About how long: "less than a minute", "about 4 minutes", "about 2 hours"."""
    minutes = round(seconds / 60)
    if seconds < 45:
        return tr("less than a minute")
    if minutes <= 1:
        return tr("about a minute")
    if minutes < 55:
        return tr("about {count} minutes", count=minutes)
    halves = round(seconds / 1800)
    if halves <= 2:
        return tr("about an hour")
    return tr("about {count} hours", count=f"{halves / 2:.1f}".removesuffix(".0"))
