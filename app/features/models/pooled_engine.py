"""Engines of the pool: who leases each, and the chat's, in which models come and go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.errors.engine_errors import EngineCrashesRepeatedly
from app.core.errors.model_errors import NoModel
from app.core.events import CancelToken, LoadProgress, ModelLoaded
from app.core.lazy_dataclasses import dataclass, field
from app.engine.contract import LocalEngine, ensure_loaded
from app.engine.protocol import Wish
from app.features.models.pool_policy import LeasePriority


@dataclass(eq=False)
class PooledEngine:
    """An engine with its model, and who leases it. `needed_bytes` is what the model will take while it is loading."""

    path: Path
    engine: LocalEngine
    leases: list[LeasePriority] = field(default_factory=list)
    needed_bytes: int = 0
    loads: int = 0
    """Loads that run now: a person may choose another model before the first is in."""
    used_s: float = 0.0
    kept_until_s: float = 0.0
    is_held: bool = False
    """It stays for the next job."""

    @property
    def is_loading(self) -> bool:
        return self.loads > 0


@dataclass(frozen=True)
class ChatUse:
    """Who leases the chat's engine now, and for how long nobody has."""

    leases: tuple[LeasePriority, ...]
    idle_s: float


class ChatSeat(PooledEngine):
    """The chat's engine; its path is that of the last model which a lease loaded there.

    From any thread. `changed` is the pool's condition, `give_back` ends a lease, and `make_way` closes what nobody uses
    where a model wouldn't fit otherwise; it returns the bytes that the model needs.
    """

    def __init__(
        self,
        engine: LocalEngine,
        options: Callable[[], Wish],
        changed: threading.Condition,
        make_way: Callable[[Path], int],
        give_back: Callable[[PooledEngine, LeasePriority], object],
    ) -> None:
        super().__init__(Path(), engine, used_s=time.monotonic())
        self.clock: Callable[[], float] = time.monotonic
        self._options, self._changed, self._make_way, self._give_back = options, changed, make_way, give_back
        self.swapped_out: Path | None = None
        """The chat's model that gave its place to another and comes back."""
        self.on_free: Callable[[], object] = lambda: None
        """Called from any thread when the last lease has ended."""

    @property
    def use(self) -> ChatUse:
        with self._changed:
            return ChatUse(tuple(self.leases), 0.0 if self.leases else self.clock() - self.used_s)

    @contextmanager
    def lease(
        self, priority: LeasePriority, cancel: CancelToken, model: Path | None = None
    ) -> Iterator[LocalEngine | None]:
        """Yield the engine with `model`, which takes the place of any other, or as it is for None.

        Yields None when cancelled. A sleeping model wakes with the first request. Raises loading errors.
        """
        with self._changed:
            self.leases.append(priority)
        try:
            wanted = model.absolute() if model is not None else self.engine.asleep_path
            if wanted is None or self.engine.awaited == wanted:
                if wanted is not None and self.engine.loaded is None:
                    self._make_way(wanted)
                yield self.engine
            else:
                with self._load_counted(wanted):
                    is_in = ensure_loaded(self.engine, wanted, self._options(), cancel=cancel)
                yield self.engine if is_in else None
        finally:
            self._give_back(self, priority)

    def load_model(self, path: Path, cancel: CancelToken) -> Iterator[LoadProgress | ModelLoaded]:
        """Load the model that a person chose; a cancelled load ends without `ModelLoaded`. Raises loading errors."""
        with self._load_counted(path):
            yield from self.engine.load(path, self._options(), cancel=cancel)
        with self._changed:
            self.used_s = self.clock()

    @contextmanager
    def _load_counted(self, path: Path) -> Iterator[None]:
        needed = self._make_way(path)
        with self._changed:
            self.loads, self.needed_bytes = self.loads + 1, needed
        try:
            yield
        finally:
            self.end_load()

    def begin_load(self, path: Path, needed: int, swapped_out: Path | None = None) -> ChatSeat:
        """Note that a lease is to load a model here, which the caller does; the lock is held."""
        self.path, self.needed_bytes, self.swapped_out = path, needed, swapped_out
        self.loads += 1
        return self

    def end_load(self) -> None:
        with self._changed:
            self.loads -= 1
            self._changed.notify_all()

    def wake_model(self, chosen: Callable[[], Path | None], cancel: CancelToken) -> bool:
        """Wait until the chat's model is loaded; False when cancelled.

        Crashes of one job aren't held against the next: after three in a row it is loaded again.
        """
        if self.engine.loaded is None and self.engine.asleep_path is not None:
            self._make_way(self.engine.asleep_path)
        try:
            self.engine.count_texts(("",), cancel=cancel)
        except (NoModel, EngineCrashesRepeatedly):
            if (path := chosen()) is None:
                raise
            for _ in self.engine.load(path, self._options(), cancel=cancel):
                pass
        return not cancel.cancelled

    def put_back(self, path: Path) -> None:
        """Load the model that had given its place, after `begin_load`. Raises loading errors."""
        try:
            for _ in self.engine.load(path, self._options()):
                pass
        finally:
            self.end_load()
