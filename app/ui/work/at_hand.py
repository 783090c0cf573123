"""Keep a model loaded while a user sends requests in a row, and release it after a pause.

Requests run one at a time; a new one of a kind cancels the one before.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.core.events import CancelToken, LinkedToken
from app.core.lazy_dataclasses import dataclass, field
from app.ui.shell import tasks

if TYPE_CHECKING:
    from app.engine.contract import Engine
    from app.features.work.task_engines import TaskEngines

LOOK_EVERY_S = 0.1
IDLE_S = 60.0
"""Time a tab's own model stays loaded after the last request."""


@dataclass(frozen=True)
class WorkEnded:
    """End of a request, cut short or not, with the time it took."""

    is_partial: bool
    seconds: float


@dataclass(frozen=True)
class WorkEvent:
    """Event of a request by its number: from the work, or `WorkEnded`."""

    kind: Any
    number: int
    event: Any


@dataclass(frozen=True)
class TabModelLoaded:
    """The tab's model was loaded, told before any answer."""


WAKING = "waking"
"""Kind of request that only loads the model."""
Steps = Callable[["Engine", CancelToken], Iterator[Any]]


@dataclass(frozen=True)
class _Ask:
    """A request. `stop` cancels it, also when a newer one replaces it."""

    kind: Hashable
    number: int
    model: Path | None
    steps: Steps
    stop: CancelToken = field(default_factory=CancelToken)


class ModelAtHand(QObject):
    """Runner of requests. `answered` carries events of the newest request of each kind; replaced ones are silent."""

    answered = Signal(object)
    """Carries a `WorkEvent`."""
    failed = Signal(object)
    """Carries the error; all requests have ended."""
    ended = Signal()
    """The tab's model was released."""
    state_changed = Signal()

    def __init__(self, engines: Callable[[], TaskEngines], parent: QObject) -> None:
        super().__init__(parent)
        self._engines = engines
        # Taken by the thread, while `_waiting` is the window's view of the same requests.
        self._asks: queue.SimpleQueue[_Ask | None] = queue.SimpleQueue()
        self._waiting: dict[Hashable, _Ask] = {}
        self._number = 0
        self._task: tasks.BackgroundTask | None = None
        self._is_open = self._is_resting = False

    @property
    def state(self) -> str:
        """State of the tab's model: "asleep", "loading" or "ready"."""
        return "asleep" if self._task is None else "ready" if self._is_open else "loading"

    def wake(self, model: Path) -> None:
        """Load the tab's model ahead of requests, on the thread."""
        self.ask(WAKING, model, lambda _engine, _stop: iter(()))

    def sleep(self) -> None:
        """Cancel all requests and release the model, once the running step notices."""
        self.stop()
        self.rest()

    @property
    def has_model(self) -> bool:
        """True while the tab's model is held and is not about to be released."""
        return self._task is not None and not self._is_resting

    def is_asked(self, kind: Hashable, number: int = 0) -> bool:
        """Return whether a request of a kind, or a certain one, is unanswered."""
        ask = self._waiting.get(kind)
        return ask is not None and number in (0, ask.number)

    def ask(self, kind: Hashable, model: Path | None, steps: Steps) -> int:
        """Request work with the tab's model, replacing a request of the same kind; return its number.

        None is the chat's model, whichever that is.
        """
        self.stop(kind)
        self._number += 1
        ask = self._waiting[kind] = _Ask(kind, self._number, model, steps)
        self._asks.put(ask)
        if self._task is None:
            self._start()
        return ask.number

    def stop(self, kind: Hashable | None = None) -> None:
        """Cancel the unanswered requests of a kind, or all for None."""
        for hashable in [kind] if kind is not None else list(self._waiting):
            if (ask := self._waiting.pop(hashable, None)) is not None:
                ask.stop.cancel()

    def rest(self) -> None:
        """Release the model after the current requests, instead of after the idle time."""
        if self._task is not None:
            self._is_resting = True
            self._asks.put(None)  # nothing more to wait for

    def is_cut_short(self, event: Any) -> bool:  # noqa: ARG002 - a kind of work may know
        """Return whether an event means that the work ended early."""
        return False

    def _start(self) -> None:
        self._is_resting = False
        self._task = tasks.run(
            self._serve, self, on_event=self._on_answer, on_end=self._on_ended, on_failed=self._on_failed
        )
        self.state_changed.emit()

    def _on_answer(self, answer: WorkEvent | TabModelLoaded) -> None:
        if isinstance(answer, TabModelLoaded):
            self._is_open = True
            self.state_changed.emit()
            return
        if (ask := self._waiting.get(answer.kind)) is None or ask.number != answer.number:
            return
        if isinstance(answer.event, WorkEnded):
            del self._waiting[answer.kind]
        if answer.kind != WAKING:
            self.answered.emit(answer)

    def _on_ended(self) -> None:
        self._task, self._is_open = None, False
        if not self._waiting:
            self.ended.emit()
            self.state_changed.emit()
            return
        self._drain()  # requests that came while the thread was ending
        for ask in self._waiting.values():
            self._asks.put(ask)
        self._start()

    def _on_failed(self, error: BaseException) -> None:
        self._task, self._is_open = None, False
        self.stop()
        # What the thread had not taken yet.
        self._drain()
        self.failed.emit(error)
        self.ended.emit()
        self.state_changed.emit()

    def _drain(self) -> None:
        while not self._asks.empty():
            self._asks.get_nowait()

    def _serve(self, cancel: CancelToken) -> Iterator[WorkEvent | TabModelLoaded]:
        ask = self._next(cancel)
        while ask is not None:
            with self._engines().open_engine(cancel) as engine:
                # Declined by the user, or stopped meanwhile.
                if engine is None:
                    return
                yield TabModelLoaded()
                model, is_here = ask.model, True
                while ask is not None and is_here:
                    yield from self._carry_out(ask, engine, cancel)
                    ask = self._next(cancel)
                    # Another model, or one that was unloaded meanwhile, has to be opened again.
                    is_here = ask is not None and ask.model == model and _has(engine, model)

    def _next(self, cancel: CancelToken) -> _Ask | None:
        """Return the next request; None when the idle time is over."""
        end_s = time.monotonic() + IDLE_S
        while not cancel.cancelled and time.monotonic() < end_s:
            try:
                # In short waits, so that a cancel is noticed.
                ask = self._asks.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                continue
            # One that was cancelled while it waited is passed over.
            if ask is None or not ask.stop.cancelled:
                return ask
        return None

    def _carry_out(self, ask: _Ask, engine: Engine, cancel: CancelToken) -> Iterator[WorkEvent]:
        begun_s, is_partial, stop = time.monotonic(), False, LinkedToken(ask.stop, cancel)
        for event in ask.steps(engine, stop):
            is_partial = is_partial or self.is_cut_short(event)
            yield WorkEvent(ask.kind, ask.number, event)
        yield WorkEvent(ask.kind, ask.number, WorkEnded(is_partial or stop.cancelled, time.monotonic() - begun_s))


def _has(engine: Engine, model: Path | None) -> bool:
    """Return whether a model is the one now loaded."""
    return model is not None and engine.loaded is not None and Path(engine.loaded.path) == model
