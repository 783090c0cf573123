"""What the terminal's commands share: one JSON object, an interruptible stretch of work, progress on standard error."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from app.core.cancel import CancelToken

INTERRUPTED = 130
QUIET_EVERY_S = 5.0


def print_json(body: dict[str, Any]) -> None:
    """The one object on standard output."""
    print(json.dumps(body, ensure_ascii=False))


@contextmanager
def interruptible() -> Iterator[CancelToken]:
    """A token that Ctrl+C sets; the second Ctrl+C raises as usual."""
    cancel = CancelToken()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if cancel.cancelled:
            raise KeyboardInterrupt
        cancel.cancel()

    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, previous)


class ProgressLine:
    """One line that is written over on a terminal; elsewhere a line every few seconds and with each new beginning."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._beginning, self._width, self._told_s = "", 0, float("-inf")

    def show(self, beginning: str, rest: str = "") -> None:
        """`beginning` says what is done, `rest` how far it is."""
        text = f"{beginning} {rest}".rstrip()
        if self._is_live:
            print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)
            self._width = len(text)
            return
        now_s = time.monotonic()
        if beginning != self._beginning or now_s - self._told_s >= QUIET_EVERY_S:
            self._beginning, self._told_s = beginning, now_s
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """The next line is somebody else's."""
        if self._is_live and self._width:
            print(file=sys.stderr, flush=True)
            self._width = 0
