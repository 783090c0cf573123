"""Asks, on a thread and never twice at once, what a summary would take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.events import CancelToken
from app.features.summaries import Estimate, Summaries
from app.features.summary.result import Wish
from app.ui.shell import tasks

SETTLE_MS = 250


class Estimating(QObject):
    """What was asked last is what is answered."""

    estimated = Signal(object)
    """An `Estimate`."""
    failed = Signal(object)

    def __init__(self, summaries: Callable[[], Summaries], parent: QObject) -> None:
        super().__init__(parent)
        self._summaries = summaries
        self._wanted: tuple[tuple[int, ...], Wish] | None = None
        self._task: tasks.Task | None = None
        self._later = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._later.timeout.connect(self._begin)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is on its way."""
        return self._later.isActive() or self._task is not None

    def look(self, ids: Sequence[int], wish: Wish) -> None:
        """Another question; without documents there is none."""
        self.stop()
        self._wanted = (tuple(ids), wish) if ids else None
        if ids:
            self._later.start()

    def stop(self) -> None:
        """Nothing is to be answered any more."""
        self._later.stop()
        self._wanted = None
        if self._task is not None:
            self._task.abandon()
            self._task = None

    def _begin(self) -> None:
        if self._wanted is None:
            return
        ids, wish = self._wanted
        summaries = self._summaries

        def work(cancel: CancelToken) -> Iterator[Estimate | None]:
            yield summaries().estimate(ids, wish, cancel)

        task = self._task = tasks.run(work, self)
        task.event.connect(lambda found: self.estimated.emit(found) if found is not None else None)
        task.finished.connect(self._on_ended)
        task.failed.connect(self._on_failed)

    def _on_ended(self) -> None:
        self._task = None

    def _on_failed(self, error: BaseException) -> None:
        self._task = None
        self.failed.emit(error)
