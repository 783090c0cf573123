"""Background tasks: run a generator on a thread and deliver its events on the window's thread.

Events wait in a plain list and wake the window once, however many arrive while it is busy. The window handles them for
a few milliseconds at a time, so that input and painting come in between.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, SignalInstance

from app.core.events import CancelToken

DELIVERY_SLICE_S = 0.008

Work = Callable[[CancelToken], Iterator[object]]

Answer = TypeVar("Answer")


# A class of its own: a QObject cannot have a signal called `event`, as the task has.
class _TaskSignals(QObject):
    """Signals of a task, on the window's thread."""

    happened = Signal(object)
    finished = Signal()
    failed = Signal(object)
    woken = Signal()


# WORKAROUND: QMetaMethod.fromSignal keeps a signal's object, and all that its listeners hold, for ever (PySide 6.12).
_META = _TaskSignals.staticMetaObject  # type: ignore[attr-defined]
_FAILED = _META.method(_META.indexOfSignal("failed(PyObject)"))


class BackgroundTask:
    """A running generator. Emits exactly one of `finished` and `failed`, last, after its thread has ended."""

    def __init__(self, work: Work, on_end: Callable[[BackgroundTask], None], parent: QObject) -> None:
        self._signals = _TaskSignals()
        self.event = self._signals.happened
        self.finished = self._signals.finished
        self.failed = self._signals.failed
        self._work, self._on_end = work, on_end
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
        return self._done

    def start(self) -> None:
        """Start the thread; called once, by `Tasks`."""
        # Not the method itself: a call that waits in Qt's queue would not keep the task, and may come when it is gone.
        self._delivery = self._signals.woken.connect(lambda: self.deliver(), Qt.ConnectionType.QueuedConnection)  # noqa: PLW0108
        self._thread.start()

    def cancel(self) -> None:
        """Ask the work to end; its last events are still delivered."""
        self._token.cancel()

    def abandon(self) -> None:
        """Cancel and stop delivering events, because the receiver is gone."""
        self._silent = True
        self.cancel()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread without running the event loop. Return whether it ended."""
        self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def deliver(self) -> None:
        """Deliver waiting events on the window's thread, for at most one slice of time."""
        until_s = time.monotonic() + DELIVERY_SLICE_S
        with self._lock:
            self._wake_queued = False
        while time.monotonic() < until_s:
            with self._lock:
                if not self._waiting:
                    break
                event = self._waiting.popleft()
            # A listener of the event before may have abandoned the task.
            if not self._silent:
                self.event.emit(event)
        # What is left is delivered in another turn of the event loop, after pending input and painting.
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
        # The program may have ended, and Qt's objects with it, before this thread.
        with contextlib.suppress(RuntimeError):
            self._signals.woken.emit()

    def _finish(self) -> None:
        # It has nothing left to do but return.
        self._thread.join()
        self._done = True
        # Its signals may hold a task for long, but not what it was about: a temporary chat, say.
        self._work = _nothing
        QObject.disconnect(self._orphaned)
        QObject.disconnect(self._delivery)
        self._on_end(self)
        try:
            if not self._silent:
                self._tell_end()
        finally:
            # A listener that knows its task keeps it, and is kept by its signals, a circle that Python can't see.
            self._signals.deleteLater()

    def _tell_end(self) -> None:
        if self._error is None:
            self.finished.emit()
        elif self._signals.isSignalConnected(_FAILED):
            self.failed.emit(self._error)
        # Without a receiver it counts as an uncaught exception.
        else:
            _report(self._error)


def _nothing(_token: CancelToken) -> Iterator[object]:
    yield from ()


class Tasks:
    """The running tasks. They are held here, as nobody else need keep a reference."""

    def __init__(self) -> None:
        self._running: set[BackgroundTask] = set()
        self._open = True
        self.on_idle: Callable[[], object] = lambda: None
        """Called on the window's thread when the last task that ran has ended."""

    def _on_task_ended(self, task: BackgroundTask) -> None:
        self._running.discard(task)
        if not self._running:
            self.on_idle()

    def run(self, work: Work, parent: QObject) -> BackgroundTask:
        """Start work on a new thread; it is abandoned when `parent` is destroyed."""
        task = BackgroundTask(work, self._on_task_ended, parent)
        if self._open:
            self._running.add(task)
            task.start()
        return task

    def __len__(self) -> int:
        return len(self._running)

    def stop_all(self, timeout_s: float) -> bool:
        """Cancel all tasks at quit, wait for them and deliver their last events. Return whether all ended.

        No task starts afterwards.
        """
        self._open = False
        running = list(self._running)
        for task in running:
            task.cancel()
        until_s = time.monotonic() + timeout_s
        ended = [task.join(until_s - time.monotonic()) for task in running]
        for task, is_over in zip(running, ended, strict=True):
            # The event loop runs no more, so the last events are delivered here.
            while is_over and not task.done:
                task.deliver()
        return all(ended)

    def reopen(self) -> None:
        """Allow tasks again after `stop_all`, for a second window in the same process (tests)."""
        self._open = True


running = Tasks()
"""The tasks of this process; `application` stops them at quit."""


def run(
    work: Work,
    parent: QObject,
    *,
    on_event: Callable[[Any], object] | None = None,
    on_end: Callable[[], object] | None = None,
    on_failed: Callable[[BaseException], object] | None = None,
    on_over: Callable[[], object] | None = None,
) -> BackgroundTask:
    """Run a generator on a thread, and call what is given with its events and its end on the window's thread.

    `on_over` follows `on_end` and `on_failed`.
    """
    task = running.run(work, parent)
    listeners: list[tuple[SignalInstance, Callable[..., object] | None]] = [(task.event, on_event)]
    listeners += [(task.finished, on_end), (task.failed, on_failed)]
    if on_over is not None:
        # Somebody hears of the failure then, and still nobody may have been told what it was.
        listeners += [(task.failed, _report)] if on_failed is None else []
        listeners += [(task.finished, on_over), (task.failed, lambda _error: on_over())]
    for signal, listener in listeners:
        if listener is not None:
            signal.connect(listener)
    return task


def _report(error: BaseException) -> None:
    sys.excepthook(type(error), error, error.__traceback__)


def ask(
    question: Callable[[CancelToken], Answer],
    parent: QObject,
    then: Callable[[Answer], object],
    failed: Callable[[BaseException], object] | None = None,
    over: Callable[[], object] | None = None,
) -> BackgroundTask:
    """Call a function on a thread and deliver its result, or its exception, on the window's thread.

    `over` is called last, whatever came of it.
    """

    def work(token: CancelToken) -> Iterator[Answer]:
        yield question(token)

    return run(work, parent, on_event=then, on_failed=failed, on_over=over)


class RepeatedTask:
    """Repeats a task on request: it looks for work on a thread whenever some may have arrived.

    `on_over` hears of the end of a round, after `on_failed` if it failed; if another one was requested, it is running
    already.
    """

    def __init__(
        self,
        work: Work,
        parent: QObject,
        *,
        on_event: Callable[[Any], object],
        on_failed: Callable[[BaseException], object] | None = None,
        on_over: Callable[[], object] = lambda: None,
    ) -> None:
        self._work, self._parent = work, parent
        self._on_event, self._on_failed, self._on_over = on_event, on_failed, on_over
        self._task: BackgroundTask | None = None
        self._is_asked_again = False

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        """Start a round, or request another after the running one."""
        self._is_asked_again = self._task is not None
        if self._task is None:
            self._task = run(
                self._work, self._parent, on_event=self._on_event, on_failed=self._on_failed, on_over=self._end_round
            )

    def stop(self) -> None:
        """Cancel the round; its last events are delivered, and no other follows."""
        self._is_asked_again = False
        if self._task is not None:
            self._task.cancel()

    def abandon(self) -> None:
        """Cancel the round; neither its events nor `over` come any more."""
        if self._task is not None:
            self._task.abandon()

    def _end_round(self) -> None:
        self._task = None
        if self._is_asked_again:
            self.start()
        self._on_over()
