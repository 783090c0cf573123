"""Timers made with what they do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, SignalInstance


def new_timer(
    parent: QObject, interval_ms: int, do: Callable[[], object] | SignalInstance, *, repeats: bool = False
) -> QTimer:
    """Return a timer that does something once when it was started, or again and again."""
    timer = QTimer(parent, singleShot=not repeats, interval=interval_ms)
    timer.timeout.connect(do)
    return timer
