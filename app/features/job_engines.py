"""Gives a job the engine that has its model: the chat's own, a second one beside it, or the chat's for a while."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.core.events import CancelToken, ModelLoaded
from app.core.gguf import check_model
from app.engine.client import EngineClient
from app.engine.computer import free_memory_bytes
from app.engine.footprint import Layout, shape_of
from app.features.second_model import Places, SecondModel, Swap

CONTEXT_TOKENS = 8192


def needed_bytes(path: Path, context_tokens: int = CONTEXT_TOKENS) -> int:
    """What a model takes in memory, by formula. Raises ModelUnreadable or ModelMissing."""
    return shape_of(check_model(path)).needs(Layout(context_tokens)).total


class JobEngines:
    """`open` on the job's own thread, and `close` when the job is over, however it ended."""

    def __init__(
        self,
        chats: EngineClient,
        make_engine: Callable[[], EngineClient],
        ask: Callable[[Swap], bool],
        *,
        free_bytes: Callable[[], int] = free_memory_bytes,
        needs: Callable[[Path], int] = needed_bytes,
    ) -> None:
        self._chats = chats
        self._make_engine = make_engine
        self._second_model = SecondModel(ask)
        self._free_bytes = free_bytes
        self._needs = needs
        self._beside: dict[str, EngineClient] = {}
        self._gave_way: dict[str, Path] = {}

    def open(self, job: str, path: Path, cancel: CancelToken) -> EngineClient | None:
        """The engine with the job's model loaded; None when a person declined or stopped.

        Asks at most once a job, and only when both models do not fit. Raises what loading raises.
        """
        loaded = self._chats.loaded
        if loaded is not None and Path(loaded.path) == path:
            return self._chats
        if job in self._beside:
            return self._beside[job]
        place = self._place(job, path, loaded)
        if place is Places.NO:
            return None
        if place is Places.SWAP and loaded is not None:
            self._gave_way[job] = Path(loaded.path)
            engine = self._chats
        else:
            engine = self._beside[job] = self._make_engine()
        return engine if _load(engine, path, cancel) else None

    def close(self, job: str, *, is_quitting: bool = False) -> None:
        """The job is over: its own engine ends, and a model that gave way comes back, unless the program quits."""
        self._second_model.forget(job)
        beside = self._beside.pop(job, None)
        if beside is not None:
            beside.close()
        gave_way = self._gave_way.pop(job, None)
        if gave_way is not None and not is_quitting:
            _load(self._chats, gave_way, CancelToken())

    def _place(self, job: str, path: Path, loaded: ModelLoaded | None) -> Places:
        wanted = self._needs(path)
        free = self._free_bytes()
        if loaded is None or not free:  # nothing is in the way, or nobody can tell
            return Places.BOTH
        return self._second_model.decide(Swap(job, loaded.name, loaded.needed_bytes, path.stem, wanted, free))


def _load(engine: EngineClient, path: Path, cancel: CancelToken) -> bool:
    return any(isinstance(event, ModelLoaded) for event in list(engine.load(path, cancel=cancel)))
