"""Frees memory when the window comes to rest: what was kept to be quick, and what the C library holds back."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject

from app.core.freed_memory import give_back_memory
from app.language.text_cache import forget_texts
from app.ui.shell import tasks
from app.ui.widgets.timers import new_timer

REST_AFTER_MS = 5_000


class MemoryRest(QObject):
    """Frees memory some seconds after the last background task has ended, unless another one has begun."""

    def __init__(self, parent: QObject, rest_after_ms: int = REST_AFTER_MS) -> None:
        super().__init__(parent)
        self._timer = new_timer(self, rest_after_ms, self._on_rest)
        tasks.running.on_idle = self._timer.start
        self.destroyed.connect(partial(setattr, tasks.running, "on_idle", lambda: None))

    def _on_rest(self) -> None:
        if not len(tasks.running):
            forget_texts()
            give_back_memory()
