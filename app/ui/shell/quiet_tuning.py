"""Tunes a model once after its first load, when neither the model nor the computer has anything to do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

from PySide6.QtCore import QObject, Qt

from app.core.errors.app_error import AppError
from app.core.events import CancelToken, ModelElsewhere, TuningProgress
from app.engine.computer import on_battery, physical_cores
from app.engine.tuning import ModelTuning
from app.features.models.pool_policy import LeasePriority
from app.features.models.pooled_engine import ChatSeat
from app.ui.shell import tasks
from app.ui.shell.model_loader import ModelLoader
from app.ui.widgets.timers import new_timer

LOOK_EVERY_MS = 30_000
QUIET_S = 60.0
"""Seconds without a request: who has just read an answer may be typing the next question."""
MOST_TRIES = 3
BUSY_SHARE = 0.5
"""Load per core from which other programs would disturb the measurement."""


def is_computer_quiet() -> bool:
    """Return whether other programs leave the processor alone, on mains power."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return load < BUSY_SHARE * physical_cores() and not on_battery()


class QuietTuning(QObject):
    """Looks now and then while a model is loaded that was not tuned yet; any request ends the measuring."""

    def __init__(self, seat: ChatSeat, loader: ModelLoader, is_quiet: Callable[[], bool] = is_computer_quiet) -> None:
        super().__init__(loader)
        self._seat, self._loader, self._is_quiet = seat, loader, is_quiet
        self._done: set[str] = set()
        self._tries: dict[str, int] = {}
        self._task: tasks.BackgroundTask | None = None
        self._timer = new_timer(self, LOOK_EVERY_MS, self.tune_if_quiet, repeats=True)
        # To the second is enough: Qt then wakes the computer for several timers at once.
        self._timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        loader.changed.connect(self._on_model_changed)
        self._on_model_changed()

    @property
    def is_waiting(self) -> bool:
        """True while the loaded model is to be tuned at the next quiet moment."""
        return self._timer.isActive()

    def tune_if_quiet(self) -> None:
        """Timer slot: measure if nobody has used the model for a while and the computer is quiet."""
        use = self._seat.use
        if self._task is not None or use.leases or use.idle_s < QUIET_S or not self._is_quiet():
            return
        if (model := self._loader.model) is None:
            return
        self._tries[model.path] = self._tries.get(model.path, 0) + 1
        self._task = tasks.run(self._tune, self, on_event=self._on_event, on_over=self._on_over)

    def _tune(self, cancel: CancelToken) -> Iterator[TuningProgress | ModelTuning]:
        # The model may be gone again by now, or its child ended: then there is nothing to measure.
        with suppress(AppError), self._seat.lease(LeasePriority.IDLE, cancel) as engine:
            if engine is not None and engine.loaded is not None:
                yield from engine.tune(cancel=cancel, only_new=True)

    def _on_event(self, event: TuningProgress | ModelTuning) -> None:
        if isinstance(event, ModelTuning) and self._loader.model is not None:
            self._done.add(self._loader.model.path)

    def _on_over(self) -> None:
        self._task = None
        self._on_model_changed()

    def _on_model_changed(self) -> None:
        model = self._loader.model
        is_local = self._loader.state == "ready" and model is not None and not isinstance(model, ModelElsewhere)
        is_open = model is not None and model.path not in self._done and self._tries.get(model.path, 0) < MOST_TRIES
        if is_local and is_open:
            if not self.is_waiting:
                self._timer.start()
        else:
            self._timer.stop()
