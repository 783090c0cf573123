"""Runs a generator of events on a thread and hands its events to the window's thread.

Events wait in a plain list and wake the window once, however many arrive while it is busy;
the window takes them for a few milliseconds at a time, so that keys and painting come in between.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from app.core.events import CancelToken

DELIVERY_SLICE_S = 0.008

Work = Callable[[CancelToken], Iterator[object]]

Answer = TypeVar("Answer")


class _TaskSignals(QObject):
    """Lives on the window's thread. (A QObject cannot have a signal called `event`, so the task is not one.)"""

    happened = Signal(object)
    finished = Signal()
    failed = Signal(object)
    woken = Signal()


# WORKAROUND: QMetaMethod.fromSignal keeps a signal's object, and all that its listeners hold, for ever (PySide 6.12).
_META = _TaskSignals.staticMetaObject  # type: ignore[attr-defined]
_FAILED = _META.method(_META.indexOfSignal("failed(PyObject)"))


class BackgroundTask:
    """One running generator. Exactly one of `finished` and `failed` comes, last, when its thread is gone."""

    def __init__(self, work: Work, on_end: Callable[[BackgroundTask], None], parent: QObject) -> None:
        self._signals = _TaskSignals()
        self.event = self._signals.happened
        self.finished = self._signals.finished
        self.failed = self._signals.failed
        self._work = work
        self._on_end = on_end
        self._token = CancelToken()
        self._lock = threading.Lock()
        self._waiting: deque[object] = deque()
        self._wake_queued = False
        self._ended = False
        self._error: BaseException | None = None
        self._done = False
        self._silent = False
        self._orphaned = parent.destroyed.connect(self.abandon)
        self._thread = threading.Thread(target=self._run, name=f"task {getattr(work, '__qualname__', '')}", daemon=True)

    @property
    def done(self) -> bool:
        """Whether `finished` or `failed` has been told."""
        return self._done

    def start(self) -> None:
        """Begins; called once, by `Tasks`."""
        # Not the method itself: a call that waits in Qt's queue would not keep the task, and may come when it is gone.
        self._delivery = self._signals.woken.connect(lambda: self.deliver(), Qt.ConnectionType.QueuedConnection)  # noqa: PLW0108
        self._thread.start()

    def cancel(self) -> None:
        """Asks the work to end; its last events still come."""
        self._token.cancel()

    def abandon(self) -> None:
        """Cancels and tells nobody any more: whoever wanted the events is gone."""
        self._silent = True
        self.cancel()

    def join(self, timeout_s: float) -> bool:
        """Waits for the thread without running the event loop; whether it ended."""
        self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def deliver(self) -> None:
        """Hands over what waits, on the window's thread, for at most a slice of time."""
        until_s = time.monotonic() + DELIVERY_SLICE_S
        with self._lock:
            self._wake_queued = False
        while time.monotonic() < until_s:
            with self._lock:
                if not self._waiting:
                    break
                event = self._waiting.popleft()
            if not self._silent:
                self.event.emit(event)
        with self._lock:
            left, ended = bool(self._waiting), self._ended
        if left:
            self._wake()
        elif ended and not self._done:
            self._finish()

    def _run(self) -> None:
        try:
            for event in self._work(self._token):
                with self._lock:
                    self._waiting.append(event)
                self._wake()
        except BaseException as error:  # noqa: BLE001 (handed to `failed`, nothing is lost)
            self._error = error
        with self._lock:
            self._ended = True
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            if self._wake_queued:
                return
            self._wake_queued = True
        with contextlib.suppress(RuntimeError):  # the program has ended, and Qt's objects with it, before this thread
            self._signals.woken.emit()

    def _finish(self) -> None:
        self._thread.join()  # it has nothing left to do but return
        self._done = True
        self._work = _nothing  # its signals may hold a task for long, but not what it was about: a temporary chat, say
        QObject.disconnect(self._orphaned)
        QObject.disconnect(self._delivery)
        self._on_end(self)
        if self._silent:
            return
        if self._error is None:
            self.finished.emit()
        elif self._signals.isSignalConnected(_FAILED):
            self.failed.emit(self._error)
        else:  # nobody listens: the one door for uncaught exceptions does
            sys.excepthook(type(self._error), self._error, self._error.__traceback__)


def _nothing(_token: CancelToken) -> Iterator[object]:
    yield from ()


class Tasks:
    """The tasks that run, kept alive until they end."""

    def __init__(self) -> None:
        self._running: set[BackgroundTask] = set()
        self._open = True

    def run(self, work: Work, parent: QObject) -> BackgroundTask:
        """Starts work on a thread of its own; it is cancelled and silenced when `parent` goes away."""
        task = BackgroundTask(work, self._running.discard, parent)
        if self._open:
            self._running.add(task)
            task.start()
        return task

    def __len__(self) -> int:
        return len(self._running)

    def stop_all(self, timeout_s: float) -> bool:
        """At quit: cancels everything, waits, tells the last events; nothing starts any more. Whether all ended."""
        self._open = False
        running = list(self._running)
        for task in running:
            task.cancel()
        until_s = time.monotonic() + timeout_s
        ended = [task.join(until_s - time.monotonic()) for task in running]
        for task, is_over in zip(running, ended, strict=True):
            while is_over and not task.done:
                task.deliver()
        return all(ended)

    def reopen(self) -> None:
        """Allows new work after `stop_all`, for a second window in the same process (tests)."""
        self._open = True


running = Tasks()
"""Those of this process; `application` stops them at quit."""


def run(work: Work, parent: QObject) -> BackgroundTask:
    """Runs a generator on a thread; its events come on the window's thread."""
    return running.run(work, parent)


def ask(
    question: Callable[[CancelToken], Answer],
    parent: QObject,
    then: Callable[[Answer], object],
    failed: Callable[[BaseException], object] | None = None,
) -> BackgroundTask:
    """Asks something with one answer on a thread; the answer, or the failure, comes on the window's thread."""

    def work(token: CancelToken) -> Iterator[Answer]:
        yield question(token)

    task = run(work, parent)
    task.event.connect(then)
    if failed is not None:
        task.failed.connect(failed)
    return task


class Rounds(QObject):
    """Work that is looked for on a thread whenever somebody says that there may be some."""

    happened = Signal(object)
    failed = Signal(object)
    """A round, which is over all the same."""
    over = Signal()
    """A round; another one that was asked for meanwhile is running already."""

    def __init__(self, work: Work, parent: QObject) -> None:
        super().__init__(parent)
        self._work = work
        self._task: BackgroundTask | None = None
        self._is_asked_again = False

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        """Begins a round; one that runs is followed by another."""
        self._is_asked_again = self._task is not None
        if self._task is None:
            self._task = run(self._work, self)
            self._task.event.connect(self.happened)
            self._task.finished.connect(self._on_over)
            self._task.failed.connect(self._on_failed)

    def stop(self) -> None:
        """Ends the round, whose last events still come; none follows."""
        self._is_asked_again = False
        if self._task is not None:
            self._task.cancel()

    def abandon(self) -> None:
        """Ends the round and tells nobody any more."""
        if self._task is not None:
            self._task.abandon()

    def _on_failed(self, error: BaseException) -> None:
        self.failed.emit(error)
        self._on_over()

    def _on_over(self) -> None:
        self._task = None
        if self._is_asked_again:
            self.start()
        self.over.emit()
