"""Closes the lock after idle time: the program starts again, so that no key and no word is left in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QWindow
from PySide6.QtWidgets import QApplication

from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.main_window import MainWindow

LOOK_EVERY_MS = 10_000
_INPUT = (
    QEvent.Type.KeyPress,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
    QEvent.Type.TouchBegin,
)


class IdleLock(QObject):
    """Watches for input in all windows while the data is unlocked. Work that runs is finished first."""

    def __init__(self, app: Fireside, window: MainWindow, clock: Callable[[], float] = time.time) -> None:
        super().__init__(window)
        self._app, self._window, self._clock = app, window, clock
        # By the time of day: while the computer sleeps, a monotonic clock may stand still.
        self._used_at = clock()
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)
        self._timer = new_timer(self, LOOK_EVERY_MS, self.check_idle, repeats=True)
        self._timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._timer.start()

    def check_idle(self) -> None:
        """Timer slot: lock if nobody used the program for as long as the settings say and nothing is being written."""
        after_s = self._app.settings.system.lock_after_min * 60
        if not after_s or self._is_at_work:
            return
        # Also where the clock was set back.
        if not 0 <= self._clock() - self._used_at < after_s:
            self._timer.stop()
            self._window.closing.restart()

    @property
    def _is_at_work(self) -> bool:
        return bool(self._window.tabs.work.words or self._app.pool.seat.use.leases)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _INPUT and isinstance(watched, QWindow):
            self._used_at = self._clock()
        return False
