"""Keep the computer from going to sleep while long work goes on, as long as it has mains power."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


LOOK_EVERY_S = 10.0
ANSWER_TIMEOUT_S = 3.0


@contextmanager
def keep_awake(
    wanted: Callable[[], bool],
    *,
    has_mains: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[], None]]:
    """Keep the system awake while `wanted` returns True.

    Call the yielded function now and then: every 10 s it checks again. Work continues where the system offers no such
    call.
    """
    keeper, has_mains, looked_at_s = _AwakeKeeper(), has_mains or has_mains_power, clock()

    def note_activity() -> None:
        nonlocal looked_at_s
        # Every 10 s is often enough for a plug, and costs nothing.
        if clock() - looked_at_s >= LOOK_EVERY_S:
            looked_at_s = clock()
            keeper.switch(on=wanted() and has_mains())

    keeper.switch(on=wanted() and has_mains())
    try:
        yield note_activity
    finally:
        keeper.switch(on=False)


def has_mains_power() -> bool:
    """Return whether the computer is plugged in, has no battery, or can't tell."""
    import psutil

    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError, ValueError):  # not on this system, or files that make no sense
        return True
    return battery is None or battery.power_plugged is not False


class _AwakeKeeper:
    """A thread that holds the request: wakepy wants one, and a system's bus that hangs must not hold up the work."""

    def __init__(self) -> None:
        self._end: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def switch(self, *, on: bool) -> None:
        """Make or withdraw the request; returns when that is done, or takes too long."""
        if on and self._end is None:
            self._end, asked = threading.Event(), threading.Event()
            # A thread of its own: wakepy wants one, and a system's bus that hangs must not hold up the work.
            self._thread = threading.Thread(target=_hold_request, args=(asked, self._end), name="awake", daemon=True)
            self._thread.start()
            # The system's answer may never come; the work goes on without it.
            asked.wait(ANSWER_TIMEOUT_S)
        elif not on and self._end is not None and self._thread is not None:
            self._end.set()
            self._thread.join(ANSWER_TIMEOUT_S)
            self._end, self._thread = None, None


def _hold_request(asked: threading.Event, end: threading.Event) -> None:
    try:
        from wakepy import keep

        logging.getLogger("wakepy").setLevel(logging.WARNING)  # it tells the long story of each try
        with keep.running(on_fail="pass") as mode:
            if not mode.active:
                log.info("the system cannot be asked to stay awake")
            asked.set()
            end.wait()
    except Exception as error:  # noqa: BLE001 - a courtesy: whatever goes wrong, the work goes on
        log.info("the system could not be asked to stay awake: %r", error)
    finally:
        asked.set()
