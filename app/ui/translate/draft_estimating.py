"""Asks, on a thread and never twice at once, what translations would take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.events import CancelToken
from app.features.translation.stored import TranslationEstimate
from app.ui.shell import tasks

if TYPE_CHECKING:
    from app.features.translations import Translations

SETTLE_MS = 250


class DraftEstimating(QObject):
    """What was asked last is what is answered."""

    estimated = Signal(object)
    """A `TranslationEstimate` of all that was asked about."""
    failed = Signal(object)

    def __init__(self, translations: Callable[[], Translations], parent: QObject) -> None:
        super().__init__(parent)
        self._translations = translations
        self._ids: tuple[int, ...] = ()
        self._task: tasks.Task | None = None
        self._later = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._later.timeout.connect(self._begin)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is on its way."""
        return self._later.isActive() or self._task is not None

    def look(self, ids: Sequence[int]) -> None:
        """Another question; without translations there is none."""
        self.stop()
        self._ids = tuple(ids)
        if ids:
            self._later.start()

    def stop(self) -> None:
        """Nothing is to be answered any more."""
        self._later.stop()
        self._ids = ()
        if self._task is not None:
            self._task.abandon()
            self._task = None

    def _begin(self) -> None:
        ids, translations = self._ids, self._translations

        def work(cancel: CancelToken) -> Iterator[TranslationEstimate]:
            found = [translations().estimate(number, cancel) for number in ids]
            whole = [one for one in found if one is not None]
            if len(whole) == len(ids):
                yield _sum(whole)

        task = self._task = tasks.run(work, self)
        task.event.connect(self.estimated)
        task.finished.connect(self._on_ended)
        task.failed.connect(self._on_failed)

    def _on_ended(self) -> None:
        self._task = None

    def _on_failed(self, error: BaseException) -> None:
        self._task = None
        self.failed.emit(error)


def _sum(estimates: Sequence[TranslationEstimate]) -> TranslationEstimate:
    seconds = [one.seconds for one in estimates if one.seconds is not None]
    return TranslationEstimate(
        sum(one.segments for one in estimates),
        sum(one.known for one in estimates),
        sum(one.tokens for one in estimates),
        sum(seconds) if len(seconds) == len(estimates) else None,
    )
