"""Measures how long the window's thread is away: the gaps between ticks of a 5 ms timer.

On a busy machine a gap also holds the time of other programs; `largest_busy_ms` counts only this thread's own.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer

TICK_MS = 5


class Gaps(QObject):
    """Ticks from `start` to `stop`; `largest_ms` is the longest the event loop did not come round."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps_ms: list[float] = []
        self.busy_ms: list[float] = []
        self._last_s = self._last_busy_s = 0.0
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)

    def start(self) -> Gaps:
        """Begins to measure."""
        self.gaps_ms.clear()
        self.busy_ms.clear()
        self._last_s, self._last_busy_s = time.perf_counter(), time.thread_time()
        self._timer.start()
        return self

    def stop(self) -> float:
        """Ends; returns the largest gap in milliseconds."""
        self._on_tick()
        self._timer.stop()
        return self.largest_ms

    @property
    def largest_ms(self) -> float:
        """The longest gap so far."""
        return max(self.gaps_ms, default=0.0)

    @property
    def largest_busy_ms(self) -> float:
        """The longest time this thread itself worked between two ticks."""
        return max(self.busy_ms, default=0.0)

    def over(self, limit_ms: float) -> int:
        """How many gaps were longer than this."""
        return sum(1 for gap in self.gaps_ms if gap > limit_ms)

    def _on_tick(self) -> None:
        now_s, busy_s = time.perf_counter(), time.thread_time()
        self.gaps_ms.append((now_s - self._last_s) * 1000)
        self.busy_ms.append((busy_s - self._last_busy_s) * 1000)
        self._last_s, self._last_busy_s = now_s, busy_s
