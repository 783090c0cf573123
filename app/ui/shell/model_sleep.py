"""Puts idle models to sleep, and says so."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Qt, Signal

from app.core.events import ModelElsewhere
from app.features.models.model_memory import MemoryVerdict, ModelMemoryWatch
from app.features.models.model_messages import SLEEPS_FOR_MEMORY, WAITS_FOR_ANSWER, WAITS_FOR_SUMMARY
from app.features.models.pool_policy import LeasePriority
from app.features.models.pooled_engine import ChatSeat
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify, StandingNotice
from app.ui.widgets.timers import new_timer

LOOK_EVERY_MS = 10_000


class ModelSleep(QObject):
    """Puts an idle model to sleep on a timer and tells the user."""

    _freed = Signal()
    """From any thread: the last lease of the chat's engine has ended."""

    def __init__(self, watch: ModelMemoryWatch, seat: ChatSeat, notify: Notify, loader: ModelLoader) -> None:
        super().__init__(loader)
        self._watch, self._seat, self._loader = watch, seat, loader
        self._notice = StandingNotice(notify)
        self._is_warning = False
        self._timer = new_timer(self, LOOK_EVERY_MS, self.check_memory, repeats=True)
        # To the second is enough: Qt then wakes the computer for several timers at once.
        self._timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._freed.connect(self._on_freed)
        seat.on_free = self._freed.emit
        self.destroyed.connect(partial(setattr, seat, "on_free", lambda: None))
        loader.changed.connect(self._on_model_changed)
        self._on_model_changed()

    def check_memory(self) -> None:
        """Timer slot: ask `ModelMemoryWatch`, put the model to sleep if it says so, and tell the user why."""
        leases, verdict = self._seat.use.leases, self._watch.check_memory()
        if verdict in (MemoryVerdict.SLEEP_SHORT, MemoryVerdict.SLEEP_IDLE):
            # Woken while memory is still short it would only be put to sleep again.
            self._loader.sleep(until_sent=verdict is MemoryVerdict.SLEEP_SHORT)
        if self._is_warning and not self._watch.is_warned:  # memory suffices again, or the model sleeps now
            self._notice.end()
            self._is_warning = False
        if verdict is MemoryVerdict.SLEEP_SHORT:
            self._notice.show_sentence(SLEEPS_FOR_MEMORY)
        elif verdict is MemoryVerdict.WARN_SHORT:
            self._notice.show_sentence(WAITS_FOR_SUMMARY if LeasePriority.JOB in leases else WAITS_FOR_ANSWER)
            self._is_warning = True

    @property
    def is_watching(self) -> bool:
        """True while the timer runs, which is only while a model is loaded."""
        return self._timer.isActive()

    def _on_freed(self) -> None:
        if self._watch.is_warned and self.is_watching:
            self.check_memory()  # it was only waiting for this

    def _on_model_changed(self) -> None:
        # A model elsewhere takes no memory here.
        is_there = self._loader.state == "ready" and not isinstance(self._loader.model, ModelElsewhere)
        if is_there and not self.is_watching:
            self._notice.end()
            self._timer.start()
        elif not is_there:
            self._timer.stop()
