"""Leases of a tab's jobs: with the tab's own model or the chat's, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from app.core.errors.app_error import AppError
from app.core.events import CancelToken, ModelLoaded
from app.engine.contract import Engine
from app.features.models.model_languages import weights_in, weights_of
from app.features.models.model_pool import LeaseTerms, ModelPool, ModelSwap
from app.features.models.pool_policy import ChatConcession, LeasePriority

LetOut = Callable[[Sequence[int], ModelLoaded], object]


class TaskEngines:
    """Leases for one tab's jobs; from any thread.

    `model` returns the tab's own model, None to use the chat's. `ask` asks the user if both don't fit; the default is
    no.
    """

    def __init__(
        self,
        task: str,
        pool: ModelPool,
        model: Callable[[], Path | None],
        *,
        priority: LeasePriority = LeasePriority.JOB,
        let_out: LetOut = lambda _ids, _model: None,
        mark_used: Callable[[Path], object] = lambda _model: None,
    ) -> None:
        self.ask: Callable[[ModelSwap], bool] = lambda swap: False
        self.let_out = let_out
        """Asks whether a job's documents may go where its model runs; raises DocumentStaysHere."""
        self._task, self._pool, self._model, self._priority = task, pool, model, priority
        self._mark_used = mark_used
        self._users: list[Path | None] = []
        """The own models of open leases, and None for each other use."""
        self._may_swap: bool | None = None
        """The user's answer, which holds until there are no users any more."""

    def model_path(self) -> Path | None:
        """Return the model a job would use now."""
        return self._model() or self._pool.chosen()

    def count_weights(self) -> float:
        """Return the number of weights without loading: from the loaded model or the file's header; 0 if unknown."""
        path, loaded = self._model(), self._pool.chat.loaded
        # The loaded model knows best; otherwise the file's header is asked.
        if loaded is not None and path in (None, Path(loaded.path)):
            return weights_of(loaded)
        path = path or self._pool.chosen()
        return weights_in(path) if path is not None else 0.0

    @contextmanager
    def hold_engine(self, cancel: CancelToken) -> Iterator[None]:
        """Keep a second model loaded between jobs within the block.

        Cancelled (the program quits), a model that was unloaded for it isn't reloaded.
        """
        with self._pool.hold_engines(), self._use_model(None):
            try:
                yield
            finally:
                if cancel.cancelled:
                    self._pool.end_swaps()

    @contextmanager
    def open_engine(self, cancel: CancelToken, *, may_ask: bool = True) -> Iterator[Engine | None]:
        """Yield the engine with the model loaded; None when cancelled. Blocks while loading.

        With `may_ask` False, a second model is loaded only if both fit, and None is yielded while a job uses another
        one. Raises NoModel, NoRoomForModel and loading errors.
        """
        path = self._model()
        # A job goes on with the model that it began with.
        if path is not None and not may_ask and any(user not in (None, path) for user in self._users):
            yield None
            return
        concession = ChatConcession.SWAP if may_ask else ChatConcession.STAY
        terms = LeaseTerms(concession, self._task, self._ask_once)
        with self._use_model(path), self._pool.lease(path, self._priority, cancel, terms) as engine:
            if engine is not None and path is not None and path != self._pool.chosen():
                with suppress(AppError):  # when it was used last is not worth a job
                    self._mark_used(path)
            yield engine

    def _ask_once(self, swap: ModelSwap) -> bool:
        if self._may_swap is None:
            self._may_swap = self.ask(swap)
        return self._may_swap

    @contextmanager
    def _use_model(self, path: Path | None) -> Iterator[None]:
        self._users.append(path)
        try:
            yield
        finally:
            self._users.remove(path)
            if not self._users:
                self._may_swap = None
