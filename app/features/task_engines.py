"""The engine that has the model of a tab's jobs: the chat's own where it is the same model, else a second one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.core.errors import EngineCrashesRepeatedly, NoModel, NoRoomForModel
from app.core.events import CancelToken, ModelLoaded
from app.engine.client import EngineClient
from app.features.job_engines import JobEngines
from app.features.second_model import Swap

LOOK_EVERY_S = 0.1

ModelPath = Callable[[], Path | None]


class TaskEngines:
    """From any thread. `task` is the tab's; `model` its model, None where the chat's serves, `chats_model` the chat's.

    `ask` is what a person is asked where both do not fit; nobody there to ask says no.
    """

    def __init__(
        self,
        task: str,
        chats: EngineClient,
        chats_model: ModelPath,
        model: ModelPath,
        *,
        make_engine: Callable[[], EngineClient],
        load_options: Callable[[], Mapping[str, Any]] = dict,
        **sizes: Callable[..., int],
    ) -> None:
        self.ask: Callable[[Swap], bool] = lambda swap: False
        self._task, self._chats, self._chats_model, self._model = task, chats, chats_model, model
        self._load_options = load_options
        self._may_ask = True
        self._beside = JobEngines(chats, make_engine, lambda swap: self._may_ask and self.ask(swap), **sizes)
        self._path: Path | None = None
        self._users, self._openers = 0, 0
        self._lock = threading.Lock()

    def model(self) -> Path | None:
        """Which model a job would be done by now."""
        return self._model() or self._chats_model()

    @contextmanager
    def held(self, cancel: CancelToken) -> Iterator[None]:
        """As long as this lasts, a second model stays between one job and the next.

        Cancelled (the program quits), a model that gave way does not come back any more.
        """
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            self._leave(is_quitting=cancel.cancelled)

    @contextmanager
    def opened(self, cancel: CancelToken, *, may_ask: bool = True) -> Iterator[EngineClient | None]:
        """The engine with the model in it; None when cancelled. Takes as long as loading takes.

        With `may_ask` False a second model comes only where there is room for both, and none (None) while another one
        is at work in its place. Raises NoModel, NoRoomForModel, or what loading raises.
        """
        path = self._model()
        if path is None or path in (self._chats_model(), _path_in(self._chats)):
            is_there = self._settle(cancel)
            if not is_there or path in (None, _path_in(self._chats)):
                yield self._chats if is_there else None
                return
        assert path is not None
        engine = self._open_beside(path, cancel, may_ask=may_ask)
        try:
            yield engine
        finally:
            if engine is not None:
                self._leave(was_open=True)

    def _settle(self, cancel: CancelToken) -> bool:
        """Waits for the chat's model, wakes it, or loads it where nobody has; False when cancelled.

        Also where it ended three times in a row: what one job did to it is not held against the next.
        """
        try:
            self._chats.count_texts(("",), cancel=cancel)
        except (NoModel, EngineCrashesRepeatedly):
            path = self._chats_model()
            if path is None:
                raise
            for _ in self._chats.load(path, cancel=cancel, **self._load_options()):
                pass
        return not cancel.cancelled

    def _open_beside(self, path: Path, cancel: CancelToken, *, may_ask: bool) -> EngineClient | None:
        while not self._lock.acquire(timeout=LOOK_EVERY_S):  # another one is loading it
            if cancel.cancelled:
                return None
        try:
            if self._path not in (None, path):  # another model was chosen since
                if self._openers and not may_ask:  # a job goes on with the one that it began with
                    return None
                self._beside.close(self._task)
            self._path, self._may_ask = path, may_ask
            loaded = self._chats.loaded
            try:
                engine = self._beside.open(self._task, path, cancel)
                if engine is not None and engine.loaded is None:  # it ended since the last job
                    self._beside.close(self._task)
                    engine = self._beside.open(self._task, path, cancel)
            except BaseException:
                self._close_unused()
                raise
            if engine is not None:
                self._users += 1
                self._openers += 1
                return engine
            if not may_ask:  # that nobody was asked is no answer
                self._beside.close(self._task)
            self._close_unused()
        finally:
            self._lock.release()
        if cancel.cancelled:
            return None
        raise NoRoomForModel(path.stem, loaded.name if loaded is not None else "")

    def close(self) -> None:
        """The program quits: a second engine ends."""
        self._beside.close(self._task, is_quitting=True)

    def _leave(self, *, was_open: bool = False, is_quitting: bool = False) -> None:
        with self._lock:
            self._users -= 1
            self._openers -= was_open
            self._close_unused(is_quitting=is_quitting)

    def _close_unused(self, *, is_quitting: bool = False) -> None:
        if not self._users:
            self._beside.close(self._task, is_quitting=is_quitting)
            self._path = None


def _path_in(engine: EngineClient) -> Path | None:
    loaded: ModelLoaded | None = engine.loaded
    return Path(loaded.path) if loaded is not None else None
