"""Limit of processor time for Python code on the window's thread, effective even within a search of `re`.

A pattern may take seconds for a text made for that, and `re` holds the interpreter's lock, so another thread wouldn't
help. But it checks for signals, so a system timer can interrupt it. Windows has no such timer; there the code runs to
its end.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StepTooLong(Exception):
    """The code inside `limited_step` exceeded its time and was interrupted."""


@contextmanager
def limited_step(most_s: float) -> Iterator[None]:
    """Raise StepTooLong inside the block once it has computed for that many seconds."""
    # Python runs signal handlers on the main thread only; elsewhere the excess is found at the end.
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        began_s = time.thread_time()
        yield
        if time.thread_time() - began_s > most_s:
            raise StepTooLong
        return
    if signal.getsignal(signal.SIGVTALRM) is not _on_timer:
        signal.signal(signal.SIGVTALRM, _on_timer)  # permanently: a late signal would end the process otherwise
    _timer.is_armed = True
    signal.setitimer(signal.ITIMER_VIRTUAL, most_s)
    try:
        yield
    finally:
        _timer.is_armed = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


class _Timer:
    is_armed = False


_timer = _Timer()


def _on_timer(_signal: int, _frame: FrameType | None) -> None:
    # A signal that comes just behind the block must not raise anywhere else.
    if _timer.is_armed:
        _timer.is_armed = False
        raise StepTooLong
