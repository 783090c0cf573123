"""Lease engines with models: one pool for answers, pages, jobs, API clients and idle work; the rules: `pool_policy`."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.core.errors import AppError, EngineCrashesRepeatedly, ModelNotLoaded, ModelTooLarge, NoModel, NoRoomForModel
from app.core.events import CancelToken, ModelLoaded
from app.core.gguf import check_model
from app.core.paths import runs_elsewhere
from app.engine.computer import free_memory_bytes
from app.engine.contract import Engine, ensure_loaded
from app.engine.fit import ModelLayout, shape_of
from app.engine.protocol import Wish
from app.features.models.model_messages import MessageTemplate, format_gigabytes
from app.features.models.pool_policy import (
    ChatConcession,
    LeasePriority,
    MemoryState,
    ModelInMemory,
    ModelPlacement,
    place_model,
)

LOOK_EVERY_S = 0.1
"""Interval at which a waiting lease notices its own cancellation."""
CONTEXT_TOKENS = 8192


def needed_bytes(path: Path, context_tokens: int = CONTEXT_TOKENS) -> int:
    """Estimate a model's memory in bytes by formula; 0 on another computer. Raises ModelUnreadable or ModelMissing."""
    return 0 if runs_elsewhere(path) else shape_of(check_model(path)).memory_needs(ModelLayout(context_tokens)).total


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


@dataclass(frozen=True)
class LeaseTerms:
    """What a lease may do where its model is in no engine yet. Without `may_load` only the chat's model is loaded.

    For a swap `ask` asks the user, on the lease's thread, whether the chat's model may give its place to `job`.
    `context_tokens` replaces the settings' context; 0: as they say.
    """

    concession: ChatConcession = ChatConcession.STAY
    job: str = ""
    ask: Callable[[ModelSwap], bool] = lambda swap: False
    context_tokens: int = 0
    may_load: bool = True

    def load_options(self, settings: Wish) -> Wish:
        """Return how the settings and this lease want a model loaded."""
        return replace(settings, context_tokens=self.context_tokens or settings.context_tokens)


ON_ANY_TERMS = LeaseTerms()


@dataclass(eq=False)
class _PooledEngine:
    """An engine with its model, and who leases it. `needed_bytes` is what the model will take while it is loading."""

    path: Path
    engine: Engine
    leases: list[LeasePriority] = field(default_factory=list)
    needed_bytes: int = 0
    is_loading: bool = False
    used_s: float = 0.0
    kept_until_s: float = 0.0
    is_held: bool = False
    """It stays for the next job."""
    swapped_out: Path | None = None
    """The chat's model that gives its place to this one and comes back."""
    swap: ModelSwap | None = None
    """What the user is asked before."""


class ModelPool:
    """Leases engines, from any thread.

    `chat` is the chat's engine, which the pool never closes, and `chosen` returns the model that belongs there.
    `options` returns the settings' load options; `make_engine` makes an engine of another model.
    """

    def __init__(
        self,
        chat: Engine,
        chosen: Callable[[], Path | None],
        options: Callable[[], Wish],
        make_engine: Callable[[], Engine],
        *,
        free_bytes: Callable[[], int] = free_memory_bytes,
        needs: Callable[[Path], int] = needed_bytes,
    ) -> None:
        self.chat, self.chosen, self.options, self.make_engine = chat, chosen, options, make_engine
        self._free_bytes, self._needs = free_bytes, needs
        # Its path is that of a model which the pool itself loads there, as long as that takes.
        self._seat = _PooledEngine(Path(), chat)
        self._others: dict[Path, _PooledEngine] = {}
        self._changed, self._numbers = threading.Condition(), itertools.count()
        self._turns: set[tuple[LeasePriority, int]] = set()
        """Leases that decide, or wait until memory is there; the second number grows."""
        self._gone: list[Engine] = []
        """Engines to be closed outside the lock."""
        self._timer: threading.Timer | None = None
        self._holders = 0

    @contextmanager
    def lease(
        self, model: Path | None, priority: LeasePriority, cancel: CancelToken, terms: LeaseTerms = ON_ANY_TERMS
    ) -> Iterator[Engine | None]:
        """Yield an engine with that model, or with whichever the chat has for None; it stays for the block.

        Waits and loads as `pool_policy` says; yields None when cancelled. Raises NoModel, ModelNotLoaded,
        NoRoomForModel, ModelTooLarge, and loading errors.
        """
        pooled = self._take_engine(model, priority, cancel, terms)
        try:
            yield pooled.engine if pooled is not None else None
        finally:
            if pooled is not None:
                self._give_back(pooled, priority)

    @contextmanager
    def hold_engines(self) -> Iterator[None]:
        """Keep the engines of jobs from one to the next within the block, unless others need their memory."""
        with self._changed:
            self._holders += 1
        try:
            yield
        finally:
            with self._changed:
                self._holders -= 1
                for pooled in self._others.values():
                    pooled.is_held = pooled.is_held and self._holders > 0
            self._close_unused()

    def has_room(self, path: Path) -> bool:
        """Return whether a model fits beside those in memory; False for an unreadable file. Changes nothing."""
        try:
            needed = self._needs(path)
        except AppError:
            return False
        with self._changed:
            return place_model(needed, LeasePriority.PERSON, self._memory_state())[0] is ModelPlacement.BESIDE

    def make_room(self, path: Path) -> str:
        """Make room for a model of a comparison; return the name of the chat's model if that had to go to sleep.

        Raises ModelMissing or ModelUnreadable.
        """
        needed = self._needs(path)
        while True:
            with self._changed:
                placement, unused = place_model(
                    needed, LeasePriority.PERSON, self._memory_state(), ChatConcession.SLEEP
                )
                gone = self._others.pop(unused).engine if unused is not None else None
                if placement is ModelPlacement.WAIT:
                    self._changed.wait(LOOK_EVERY_S)
            if gone is not None:
                gone.close()
            if placement in (ModelPlacement.CLOSE, ModelPlacement.WAIT):
                continue
            loaded = self.chat.loaded
            if placement is not ModelPlacement.SLEEP or loaded is None:
                return ""
            # Waits for its answer: a chat isn't interrupted for a comparison.
            self.chat.sleep()
            return loaded.name

    @property
    def loaded(self) -> list[ModelLoaded]:
        """Loaded models, the chat's first."""
        chat = self.chat.loaded
        return [*([chat] if chat is not None else []), *self.list_beside()]

    def list_beside(self, least: LeasePriority = LeasePriority.PERSON) -> list[ModelLoaded]:
        """List the models in other engines that only leases of `least` and less urgent ones use."""
        with self._changed:
            found = [pooled.engine.loaded for pooled in self._engines_beside(least)]
        return [model for model in found if model is not None]

    def _engines_beside(self, least: LeasePriority) -> list[_PooledEngine]:
        return [
            pooled
            for pooled in self._others.values()
            if pooled.engine is not self.chat and all(lease >= least for lease in pooled.leases)
        ]

    def end_swaps(self) -> None:
        """Let no model come back that gave its place, as the program quits."""
        with self._changed:
            for pooled in self._others.values():
                pooled.swapped_out = None

    def close(self, least: LeasePriority = LeasePriority.PERSON) -> None:
        """Close the engines that nobody leases, or only `least` and less urgent ones; later leases load anew."""
        with self._changed:
            gone = self._engines_beside(least)
            for pooled in gone:
                # Who is loading it finds it gone, and closes its engine.
                del self._others[pooled.path]
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            # Joined, so that no timer outlives the program.
            timer.join()
        for pooled in gone:
            if not pooled.is_loading:
                pooled.engine.close()
        self._close_unused()

    # Taking.

    def _take_engine(
        self, model: Path | None, priority: LeasePriority, cancel: CancelToken, terms: LeaseTerms
    ) -> _PooledEngine | None:
        turn = (priority, next(self._numbers))
        with self._changed:
            self._turns.add(turn)
        try:
            pooled, is_new = self._find_place(model, turn, cancel, terms)
        finally:
            with self._changed:
                self._turns.discard(turn)
                self._changed.notify_all()
        if pooled is None or (is_new and not self._load_leased(pooled, priority, cancel, terms)):
            return None
        # A request of a client wakes the model by itself, and is told of one that crashes again and again.
        if pooled is not self._seat or priority not in (LeasePriority.PAGE, LeasePriority.JOB):
            return pooled
        is_ready = False
        try:
            is_ready = self._wake_chat(cancel) and (model is None or self.chat.awaited == model.absolute())
        finally:
            if not is_ready:
                self._give_back(pooled, priority)
        # Cancelled, or the user has loaded another model meanwhile.
        return pooled if is_ready else self._take_engine(model, priority, cancel, terms)

    def _find_place(
        self, model: Path | None, turn: tuple[LeasePriority, int], cancel: CancelToken, terms: LeaseTerms
    ) -> tuple[_PooledEngine | None, bool]:
        """Return the engine that has the model, or one that is to load it and True; None when cancelled."""
        needed: int | AppError | None = None
        while not cancel.cancelled:
            with self._changed:
                pooled = self._find_engine(model)
                is_new = pooled is None
                if pooled is None and needed is not None and all(turn <= other for other in self._turns):
                    pooled = self._place_model(model, needed, turn, terms)
                if pooled is not None and (is_new or not pooled.is_loading):
                    pooled.leases.append(turn[0])
                    return pooled, is_new
                gone, self._gone = self._gone, []
                if needed is not None and not gone:
                    self._changed.wait(LOOK_EVERY_S)
            # Both outside the lock, as a child takes its time to exit, and a header to be read.
            for engine in gone:
                engine.close()
            if needed is None:
                needed = self._measure_model(model)
        return None, False

    def _measure_model(self, model: Path | None) -> int | AppError:
        try:
            return self._needs(model) if model is not None else 0
        # It is only raised if memory decides: loading says as well what is wrong with a file.
        except AppError as error:
            return error

    def _find_engine(self, model: Path | None) -> _PooledEngine | None:
        """Return the engine that has a model, is loading it, or wakes it on demand."""
        pooled = self._others.get(model) if model is not None else None
        awaited = self.chat.awaited
        is_in_chat = awaited is not None and (model is None or awaited == model.absolute())
        if pooled is not None and pooled.engine is self.chat:
            if pooled.is_loading or is_in_chat:
                return pooled
            # The user has loaded another model in its place.
            pooled = None
        if is_in_chat or (self._seat.is_loading and model in (None, self._seat.path)):
            return self._seat
        if pooled is None or pooled.is_loading or pooled.leases or pooled.engine.loaded is not None:
            return pooled
        # Its child ended since.
        self._gone.append(self._others.pop(pooled.path).engine)
        return None

    def _memory_state(self) -> MemoryState:
        loaded, chat = self.chat.loaded, None
        if loaded is not None:
            in_chat = [pooled for pooled in (self._seat, *self._others.values()) if pooled.engine is self.chat]
            leases = tuple(lease for pooled in in_chat for lease in pooled.leases)
            chat = ModelInMemory(Path(loaded.path), loaded.needed_bytes, leases)
        engines = [pooled for pooled in self._others.values() if pooled.engine is not self.chat]
        others = [
            ModelInMemory(pooled.path, pooled.needed_bytes, tuple(pooled.leases), pooled.used_s)
            for pooled in engines
            if not pooled.is_loading
        ]
        loading_bytes = sum(pooled.needed_bytes for pooled in (self._seat, *engines) if pooled.is_loading)
        return MemoryState(self._free_bytes(), chat, others, loading_bytes)

    def _place_model(
        self, model: Path | None, needed: int | AppError, turn: tuple[LeasePriority, int], terms: LeaseTerms
    ) -> _PooledEngine | None:
        """Return the engine that is to load a model; None to wait. Raises what the lease raises."""
        path = model or self.chosen()
        if path is None:
            raise NoModel
        if path == self.chosen() and self.chat.awaited is None and not self._seat.is_loading:
            return self._begin_in_chat(path, needed)
        if not terms.may_load:
            raise ModelNotLoaded(path.stem)
        if isinstance(needed, AppError):
            raise needed
        memory, loaded = self._memory_state(), self.chat.loaded
        placement, unused = place_model(needed, turn[0], memory, terms.concession)
        # Who waits for another lease, not for a load, holds nobody up.
        if placement is ModelPlacement.WAIT and not memory.loading_bytes:
            self._turns.discard(turn)
        match placement:
            case ModelPlacement.BESIDE:
                pooled = _PooledEngine(path, self.make_engine(), needed_bytes=needed, is_loading=True)
            case ModelPlacement.CLOSE if unused is not None:
                self._gone.append(self._others.pop(unused).engine)
                return None
            case ModelPlacement.SWAP if loaded is not None:
                name = path.stem
                swap = ModelSwap(terms.job, loaded.name, loaded.needed_bytes, name, needed, memory.free_bytes)
                pooled = _PooledEngine(path, self.chat, is_loading=True, swapped_out=Path(loaded.path), swap=swap)
            case ModelPlacement.REPLACE:
                return self._begin_in_chat(path, needed)
            case ModelPlacement.TOO_LARGE:
                raise ModelTooLarge(str(path), needed, memory.free_bytes)
            case ModelPlacement.REFUSE if loaded is not None:
                raise NoRoomForModel(path.stem, loaded.name)
            case _:
                return None
        self._others[path] = pooled
        return pooled

    def _begin_in_chat(self, path: Path, needed: int | AppError) -> _PooledEngine:
        self._seat.path, self._seat.is_loading = path, True
        self._seat.needed_bytes = needed if isinstance(needed, int) else 0
        return self._seat

    # Loading.

    def _load_leased(
        self, pooled: _PooledEngine, priority: LeasePriority, cancel: CancelToken, terms: LeaseTerms
    ) -> bool:
        """Load the model that an engine is leased for; False when cancelled, or closed meanwhile."""
        is_in = is_kept = False
        try:
            if pooled.swap is not None:
                is_in = self._swap(pooled, pooled.swap, cancel, terms)
            else:
                is_in = ensure_loaded(pooled.engine, pooled.path, terms.load_options(self.options()), cancel=cancel)
        finally:
            with self._changed:
                pooled.is_loading = False
                is_listed = self._others.get(pooled.path) is pooled
                is_kept = is_in and (is_listed or pooled is self._seat)
                if not is_kept:
                    pooled.leases.remove(priority)
                    if is_listed:
                        del self._others[pooled.path]
                self._changed.notify_all()
            if not is_kept and pooled.engine is not self.chat:
                pooled.engine.close()
        return is_kept

    def _swap(self, pooled: _PooledEngine, swap: ModelSwap, cancel: CancelToken, terms: LeaseTerms) -> bool:
        """Load the model in the chat's engine if the user agrees. Raises NoRoomForModel if not."""
        if not terms.ask(swap):
            raise NoRoomForModel(swap.wanted, swap.loaded)
        is_in = False
        try:
            for event in self.chat.load(pooled.path, terms.load_options(self.options()), cancel=cancel):
                is_in = isinstance(event, ModelLoaded)
        finally:
            if not is_in:
                self._bring_back(pooled)
        return is_in

    def _wake_chat(self, cancel: CancelToken) -> bool:
        """Wait until the chat's model is loaded; False when cancelled.

        Crashes of one job aren't held against the next: after three in a row it is loaded again.
        """
        try:
            self.chat.count_texts(("",), cancel=cancel)
        except (NoModel, EngineCrashesRepeatedly):
            path = self.chosen()
            if path is None:
                raise
            for _ in self.chat.load(path, self.options(), cancel=cancel):
                pass
        return not cancel.cancelled

    # Giving back.

    def _give_back(self, pooled: _PooledEngine, priority: LeasePriority) -> None:
        with self._changed:
            pooled.leases.remove(priority)
            pooled.used_s = time.monotonic()
            pooled.kept_until_s = max(pooled.kept_until_s, pooled.used_s + priority.keep_s)
            pooled.is_held = self._holders > 0 and (pooled.is_held or priority is LeasePriority.JOB)
            self._changed.notify_all()
        self._close_unused()

    def _close_unused(self) -> None:
        """Close the engines that nobody leases any more, and let models that gave their place come back."""
        now_s = time.monotonic()
        with self._changed:
            unused = [
                pooled
                for pooled in self._others.values()
                if not pooled.leases and not pooled.is_loading and not pooled.is_held
            ]
            gone = [pooled for pooled in unused if pooled.engine is self.chat or pooled.kept_until_s <= now_s]
            for pooled in gone:
                del self._others[pooled.path]
                if pooled.swapped_out is not None:
                    self._begin_in_chat(pooled.swapped_out, 0)
                    # Of two that gave their place one after the other, the first comes back.
                    for other in self._others.values():
                        if other.swapped_out == pooled.path:
                            other.swapped_out = pooled.swapped_out
            left = [pooled.kept_until_s for pooled in unused if pooled not in gone]
            if left and self._timer is None:
                self._timer = threading.Timer(min(left) - now_s, self._on_timer)
                self._timer.daemon = True
                self._timer.start()
        for pooled in gone:
            if pooled.engine is not self.chat:
                pooled.engine.close()
            elif pooled.swapped_out is not None:
                try:
                    self._bring_back(pooled)
                finally:
                    with self._changed:
                        self._seat.is_loading = False
                        self._changed.notify_all()

    def _on_timer(self) -> None:
        with self._changed:
            self._timer = None
        self._close_unused()

    def _bring_back(self, pooled: _PooledEngine) -> None:
        """Load the model that gave its place, unless another one was loaded since. Raises loading errors."""
        before = pooled.swapped_out
        if before is not None and self.chat.awaited in (None, pooled.path.absolute()):
            for _ in self.chat.load(before, self.options()):
                pass
