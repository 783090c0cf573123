"""Engines as features use them: one that loads vision projectors, and one for a tab's jobs.

That is the chat's engine, a second one, or the chat's for a while.

A projector next to a model is looked up at each load, and a refused one is reported.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.core.errors import AppError, EngineCrashesRepeatedly, NoModel, NoRoomForModel, ProjectorRefused
from app.core.events import CancelToken, LoadProgress, ModelLoaded
from app.core.gguf import check_model
from app.core.paths import runs_elsewhere
from app.engine.client import EngineOnDemand
from app.engine.computer import free_memory_bytes
from app.engine.contract import Engine
from app.engine.fit import ModelLayout, shape_of
from app.engine.protocol import OPEN, Wish
from app.features.models.model_languages import weights_in, weights_of
from app.features.models.model_messages import REFUSED, MessageTemplate, format_gigabytes
from app.hub.model_library import find_projector


class SeeingEngine(EngineOnDemand):
    """Engine that loads vision projectors.

    `is_on_cpu`: encode pictures on the CPU, which leaves a small GPU's memory to the model.
    """

    def __init__(self, *arguments: Any, is_on_cpu: Callable[[], bool], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_on_cpu = is_on_cpu

    def load(
        self, path: Path, wish: Wish = OPEN, *, cancel: CancelToken | None = None
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """Load the model with its projector. A refused projector doesn't prevent the load unless it was asked for."""
        # A projector that was asked for by name is loaded or fails; one beside the model is a courtesy.
        projector = None if wish.projector else find_projector(Path(path))
        if projector is None:
            yield from super().load(path, wish, cancel=cancel)
            return
        seeing = replace(wish, projector=str(projector), projector_on_cpu=wish.projector_on_cpu or self._is_on_cpu())
        try:
            yield from super().load(path, seeing, cancel=cancel)
            return
        except ProjectorRefused as error:
            refused = f"{REFUSED}{error.reason}"
        # Without its eyes the model reads and writes as before.
        for event in super().load(path, wish, cancel=cancel):
            if isinstance(event, ModelLoaded):
                yield replace(event, steps=(*event.steps, refused), projector=str(projector))
            else:
                yield event


LOOK_EVERY_S = 0.1

ModelPath = Callable[[], Path | None]
LetOut = Callable[[Sequence[int], ModelLoaded], object]


class TaskEngines:
    """Engines for one tab's jobs; from any thread.

    `model_path` is the tab's model, None to use the chat's, `chats_model` the chat's. `ask` asks the user if both
    don't fit; the default is no.
    """

    def __init__(
        self,
        task: str,
        chats: Engine,
        chats_model: ModelPath,
        model: ModelPath,
        *,
        make_engine: Callable[[], Engine],
        wish: Callable[[], Wish] = Wish,
        let_out: LetOut = lambda _ids, _model: None,
        mark_used: Callable[[Path], object] = lambda _model: None,
        **sizes: Callable[..., int],
    ) -> None:
        self.ask: Callable[[ModelSwap], bool] = lambda swap: False
        self._mark_used = mark_used
        self.let_out = let_out
        """Asks whether a job's documents may go where its model runs; raises DocumentStaysHere."""
        self._chats, self._chats_model, self._model = chats, chats_model, model
        self._wish = wish
        self._may_ask = True
        # Nobody is asked for an estimate, only for work.
        self._beside = SecondEngine(task, chats, make_engine, lambda swap: self._may_ask and self.ask(swap), **sizes)
        self._path: Path | None = None
        self._users, self._openers = 0, 0
        self._lock = threading.Lock()

    def model_path(self) -> Path | None:
        """Return the model a job would use now."""
        return self._model() or self._chats_model()

    def count_weights(self) -> float:
        """Return the number of weights without loading: from the loaded model or the file's header; 0 if unknown."""
        path, loaded = self._model(), self._chats.loaded
        # The loaded model knows best; otherwise the file's header is asked.
        if loaded is not None and path in (None, Path(loaded.path)):
            return weights_of(loaded)
        path = path or self._chats_model()
        return weights_in(path) if path is not None else 0.0

    @contextmanager
    def hold_engine(self, cancel: CancelToken) -> Iterator[None]:
        """Keep a second model loaded between jobs within the block.

        Cancelled (the program quits), a model that was unloaded for it isn't reloaded.
        """
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            self._release_engine(is_quitting=cancel.cancelled)

    @contextmanager
    def open_engine(self, cancel: CancelToken, *, may_ask: bool = True) -> Iterator[Engine | None]:
        """Yield the engine with the model loaded; None when cancelled. Blocks while loading.

        With `may_ask` False, a second model is loaded only if both fit, and None is yielded while another one has the
        place. Raises NoModel, NoRoomForModel and loading errors.
        """
        path = self._model()
        # The tab's model is the chat's, or lies in its engine already.
        if path is None or path in (self._chats_model(), _path_in(self._chats)):
            is_there = self._ensure_model(cancel)
            if not is_there or path in (None, _path_in(self._chats)):
                yield self._chats if is_there else None
                return
        assert path is not None
        engine = self._open_beside(path, cancel, may_ask=may_ask)
        if engine is not None:
            with suppress(AppError):  # when it was used last is not worth a job
                self._mark_used(path)
        try:
            yield engine
        finally:
            if engine is not None:
                self._release_engine(was_open=True)

    def _ensure_model(self, cancel: CancelToken) -> bool:
        """Wait for, wake or load the chat's model;

        False when cancelled. Also reloads after three crashes in a row: one job's crashes aren't held against the
        next.
        """
        try:
            self._chats.count_texts(("",), cancel=cancel)
        except (NoModel, EngineCrashesRepeatedly):
            path = self._chats_model()
            if path is None:
                raise
            for _ in self._chats.load(path, self._wish(), cancel=cancel):
                pass
        return not cancel.cancelled

    def _open_beside(self, path: Path, cancel: CancelToken, *, may_ask: bool) -> Engine | None:
        if cancel.cancelled:
            return None
        while not self._lock.acquire(timeout=LOOK_EVERY_S):  # another one is loading it
            if cancel.cancelled:
                return None
        try:
            if self._path not in (None, path):  # another model was chosen since
                if self._openers and not may_ask:  # a job goes on with the one that it began with
                    return None
                self._beside.close()
            self._path, self._may_ask = path, may_ask
            loaded = self._chats.loaded
            try:
                engine = self._beside.open(path, cancel)
                if engine is not None and engine.loaded is None:  # it ended since the last job
                    self._beside.close()
                    engine = self._beside.open(path, cancel)
            except BaseException:
                self._close_unused()
                raise
            if engine is not None:
                self._users += 1
                self._openers += 1
                return engine
            if not may_ask:  # that nobody was asked is no answer
                self._beside.close()
            self._close_unused()
        finally:
            self._lock.release()
        if cancel.cancelled:
            return None
        raise NoRoomForModel(path.stem, loaded.name if loaded is not None else "")

    def close(self) -> None:
        """Close the second engine when the program quits."""
        self._beside.close(is_quitting=True)

    def _release_engine(self, *, was_open: bool = False, is_quitting: bool = False) -> None:
        with self._lock:
            self._users -= 1
            self._openers -= was_open
            self._close_unused(is_quitting=is_quitting)

    def _close_unused(self, *, is_quitting: bool = False) -> None:
        # The last one out closes it; between jobs of one run it stays.
        if not self._users:
            self._beside.close(is_quitting=is_quitting)
            self._path = None


def _path_in(engine: Engine) -> Path | None:
    loaded: ModelLoaded | None = engine.loaded
    return Path(loaded.path) if loaded is not None else None


# A second model beside the chat's, or in its place for a while.


CONTEXT_TOKENS = 8192


def needed_bytes(path: Path, context_tokens: int = CONTEXT_TOKENS) -> int:
    """Estimate a model's memory in bytes by formula. Raises ModelUnreadable or ModelMissing."""
    return shape_of(check_model(path)).memory_needs(ModelLayout(context_tokens)).total


class SecondEngine:
    """Second engine of one task.

    Call `open` on the job's own thread, and `close` at the end of the work, whatever the outcome. `ask` blocks until
    the user answers; it is called at most once before `close`, and only if it matters.
    """

    def __init__(
        self,
        task: str,
        chats: Engine,
        make_engine: Callable[[], Engine],
        ask: Callable[[ModelSwap], bool],
        *,
        free_bytes: Callable[[], int] = free_memory_bytes,
        needs: Callable[[Path], int] = needed_bytes,
    ) -> None:
        self._task, self._chats, self._make_engine, self._ask = task, chats, make_engine, ask
        self._free_bytes, self._needs = free_bytes, needs
        self._may_swap: bool | None = None
        self._beside: Engine | None = None
        # The chat's model, which made room and comes back.
        self._unloaded_model: Path | None = None

    def open(self, path: Path, cancel: CancelToken) -> Engine | None:
        """Return the engine with the model loaded; None if the user declined or stopped. Raises loading errors."""
        loaded = self._chats.loaded
        if loaded is not None and Path(loaded.path) == path:
            return self._chats
        if self._beside is not None:
            return self._beside
        place = self.placement_of(path)
        if place is ModelPlacement.NO:
            return None
        if place is ModelPlacement.SWAP and loaded is not None:
            self._unloaded_model = Path(loaded.path)
            engine = self._chats
        else:
            engine = self._beside = self._make_engine()
        # Cancelled while loading: closing takes care of what was begun.
        return engine if _load_model(engine, path, cancel) else None

    def close(self, *, is_quitting: bool = False) -> None:
        """Close the second engine, and reload a model unloaded for it, unless the program quits."""
        beside, gave_way = self._beside, self._unloaded_model
        # Asked anew for the next run: memory and minds change.
        self._may_swap = self._beside = self._unloaded_model = None
        if beside is not None:
            beside.close()
        # A program that quits loads nothing any more.
        if gave_way is not None and not is_quitting:
            _load_model(self._chats, gave_way, CancelToken())

    def placement_of(self, path: Path) -> ModelPlacement:
        """Return where this model would be loaded now. Raises ModelMissing or ModelUnreadable."""
        if runs_elsewhere(path):
            return ModelPlacement.BOTH
        loaded, wanted, free = self._chats.loaded, self._needs(path), self._free_bytes()
        if loaded is None or not free:  # nothing is in the way, or nobody can tell
            return ModelPlacement.BOTH
        return self.decide_placement(ModelSwap(self._task, loaded.name, loaded.needed_bytes, path.stem, wanted, free))

    def decide_placement(self, swap: ModelSwap) -> ModelPlacement:
        """Decide where the second model goes. Memory is measured each time; only the user's answer is remembered."""
        # Measured each time, since other programs come and go.
        room = swap.free_bytes - RESERVE_BYTES
        if swap.loaded_bytes <= 0 or swap.wanted_bytes <= room:
            return ModelPlacement.BOTH
        if swap.wanted_bytes > room + swap.loaded_bytes:
            return ModelPlacement.NO  # not even alone: there is nothing to ask
        if self._may_swap is None:
            self._may_swap = self._ask(swap)
        return ModelPlacement.SWAP if self._may_swap else ModelPlacement.NO


def _load_model(engine: Engine, path: Path, cancel: CancelToken) -> bool:
    return any(isinstance(event, ModelLoaded) for event in list(engine.load(path, cancel=cancel)))


# A job that wants another model than the one in memory: both at once, one instead of the other, or not at all.


RESERVE_BYTES = 500_000_000
"""Bytes kept free for everything else when two models share the memory."""


class ModelPlacement(StrEnum):
    """Place of a second model."""

    BOTH = "both"
    """Both fit at the same time."""
    SWAP = "swap"
    """The second model replaces the first, which is reloaded after the job."""
    NO = "no"
    """The first model stays; the job runs without the second."""


@dataclass(frozen=True)
class ModelSwap:
    """Question to the user: may `wanted` replace `loaded` for this job? Sizes in bytes."""

    job: str
    loaded: str
    loaded_bytes: int
    wanted: str
    wanted_bytes: int
    free_bytes: int
    """Free bytes while the first model is loaded."""


def swap_words(swap: ModelSwap) -> MessageTemplate:
    """Return the question of the dialog with the answers "Put to sleep" and "Not now"."""
    text = "This needs {wanted} ({needed} GB), but only {free} GB are free. Put {loaded} to sleep meanwhile?"
    values = {"needed": format_gigabytes(swap.wanted_bytes), "free": format_gigabytes(swap.free_bytes)}
    return MessageTemplate(text, {"wanted": swap.wanted, "loaded": swap.loaded} | values)
