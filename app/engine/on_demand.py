"""An engine whose model can leave memory and comes back by itself with the next request that needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.core.errors import AppError
from app.core.events import CancelToken, LoadProgress, ModelLoaded
from app.engine import protocol
from app.engine.client import EngineClient
from app.engine.process import EngineProcess

WakingEvent = LoadProgress | ModelLoaded | None


class EngineOnDemand(EngineClient):
    """The client, with `sleep`. `on_waking` hears from the waking thread how far a model is that comes back by itself:

    progress, then the model, or None when it did not come back (stopped or failed; the request says why).
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.on_waking: Callable[[WakingEvent], object] = lambda event: None
        self._sleeping: protocol.LoadModel | None = None
        self._waking = threading.Lock()

    @property
    def is_asleep(self) -> bool:
        """Whether a model waits to come back."""
        return self._sleeping is not None

    def sleep(self) -> None:
        """Frees the model's memory; the child keeps what it has read of a session. Nothing is loaded: nothing happens.

        Returns when the memory is free. A request that comes meanwhile waits for it and wakes the model.
        """
        with self._lock:
            process, last = self._process, self._last_load
            if process is None or process.loaded is None or last is None:
                return
            self._sleeping, self._last_load = last, None
            request = protocol.UnloadModel(self._new_id())
            call = process.open_call(request.id)
            process.loaded = None
            process.send(request)
        try:
            for _ in call.replies(None):
                pass
        finally:
            call.abandon()

    def load(self, path: Path, **options: Any) -> Iterator[LoadProgress | ModelLoaded]:
        """As the client's; what slept is forgotten once another model is in."""
        before, self._sleeping = self._sleeping, None
        try:
            yield from super().load(path, **options)
        finally:
            if self.loaded is None:
                self._sleeping = before

    def unload(self) -> None:
        """As the client's: for good."""
        self._sleeping = None
        super().unload()

    def _process_with_model(self, cancel: CancelToken | None) -> EngineProcess | None:
        return super()._process_with_model(cancel) if self._wake(cancel) else None

    def _wake(self, cancel: CancelToken | None) -> bool:
        """Loads what sleeps; False when that was cancelled. A second request waits for the first one's waking."""
        with self._waking:
            last = self._sleeping
            if last is None:
                return True
            woken = False
            try:
                for event in super().load(Path(last.path), **_options(last), cancel=cancel):
                    woken = isinstance(event, ModelLoaded)
                    if woken:
                        self._sleeping = None
                    self.on_waking(event)
            except AppError:
                self.on_waking(None)
                raise
            if not woken:
                self.on_waking(None)
            return woken


def _options(request: protocol.LoadModel) -> dict[str, Any]:
    """The request as `EngineClient.load` takes it; where states are kept is the client's own to say."""
    left_out = ("id", "path", "states_folder", "states_budget_bytes")
    return {name: value for name, value in vars(request).items() if name not in left_out}
