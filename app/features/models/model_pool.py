"""Lease engines with models: one pool for answers, pages, jobs, API clients and idle work; the rules: `pool_policy`."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path

from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ModelNotLoaded, ModelTooLarge, NoModel, NoRoomForModel
from app.core.events import CancelToken, ModelLoaded
from app.core.gguf import known_header
from app.core.lazy_dataclasses import dataclass, replace
from app.core.paths import runs_elsewhere
from app.engine.computer import free_memory_bytes
from app.engine.contract import Engine, LocalEngine, ensure_loaded
from app.engine.model_shape import ModelLayout, shape_of
from app.engine.protocol import Wish
from app.features.models.model_messages import MessageTemplate, format_gigabytes
from app.features.models.pool_policy import (
    ChatConcession,
    LeasePriority,
    MemoryState,
    ModelInMemory,
    ModelPlacement,
    make_way,
    place_model,
)
from app.features.models.pooled_engine import ChatSeat, PooledEngine

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
"""Interval at which a waiting lease notices its own cancellation."""
CONTEXT_TOKENS = 8192
EMBEDDING_TOKENS = 512
"""Context of an embedding model: what smaller ones were trained on."""


def needed_bytes(path: Path, context_tokens: int = CONTEXT_TOKENS) -> int:
    """Estimate a model's memory in bytes by formula; 0 on another computer. Raises ModelUnreadable or ModelMissing."""
    return 0 if runs_elsewhere(path) else shape_of(known_header(path)).memory_needs(ModelLayout(context_tokens)).total


@dataclass(frozen=True)
class ModelSwap:
    """Question to the user: may `wanted` replace `loaded` for this job? Sizes in bytes."""

    job: str
    loaded: str
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


ON_ANY_TERMS = LeaseTerms()


class EngineBroadcast:
    """Asks every engine that has a model, whoever leases it, the chat’s among them."""

    def __init__(self, list_engines: Callable[[], list[LocalEngine]]) -> None:
        self._list_engines = list_engines

    @property
    def is_answering(self) -> bool:
        """True while a model writes an interactive answer, in any engine."""
        return any(engine.is_answering for engine in self._list_engines())

    def leave_machines(self) -> None:
        """Reload models that are partly on other computers without them, after the network was switched off."""
        for engine in self._list_engines():
            engine.leave_machines()

    def forget_texts(self, names: AbstractSet[str]) -> None:
        """Drop what holds texts of these names (`Ask.made_of`), or tells none, from the memory of all models."""
        self._forget(lambda engine: engine.forget_texts(names))

    def forget_session(self, session: str) -> None:
        """Delete what is saved of a session, and what the model of any engine holds of it."""
        self._forget(lambda engine: engine.forget_session(session))

    def _forget(self, forget: Callable[[LocalEngine], object]) -> None:
        for engine in self._list_engines():
            try:
                forget(engine)
            except AppError as error:  # the child ended, and what it had in memory with it
                log.info("what a model had read could not be forgotten: %s", type(error).__name__)


class ModelPool:
    """Leases engines, from any thread.

    `chat` is the chat's engine, which the pool never closes, and `chosen` returns the model that belongs there.
    `options` returns the settings' load options; `make_engine` makes an engine of another model.
    """

    def __init__(
        self,
        chat: LocalEngine,
        chosen: Callable[[], Path | None],
        options: Callable[[], Wish],
        make_engine: Callable[[], LocalEngine],
        *,
        free_bytes: Callable[[], int] = free_memory_bytes,
        needs: Callable[[Path], int] = needed_bytes,
    ) -> None:
        self.chat, self.chosen, self.options, self.make_engine = chat, chosen, options, make_engine
        self._free_bytes, self._needs = free_bytes, needs
        self._changed, self._numbers = threading.Condition(), itertools.count()
        self.seat = ChatSeat(chat, options, self._changed, self._make_way, self._give_back)
        self._others: dict[Path, PooledEngine] = {}
        self.broadcast = EngineBroadcast(self._list_engines)
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
                for pooled in (self.seat, *self._others.values()):
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

    def _list_engines(self) -> list[LocalEngine]:
        with self._changed:
            return [self.chat, *(pooled.engine for pooled in self._others.values())]

    def list_beside(self, least: LeasePriority = LeasePriority.PERSON) -> list[ModelLoaded]:
        """List the models in other engines that only leases of `least` and less urgent ones use."""
        with self._changed:
            found = [pooled.engine.loaded for pooled in self._engines_beside(least)]
        return [model for model in found if model is not None]

    def _engines_beside(self, least: LeasePriority) -> list[PooledEngine]:
        return [pooled for pooled in self._others.values() if all(lease >= least for lease in pooled.leases)]

    def end_swaps(self) -> None:
        """Let no model come back that gave its place, as the program quits."""
        with self._changed:
            self.seat.swapped_out = None

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

    def _take_engine(
        self, model: Path | None, priority: LeasePriority, cancel: CancelToken, terms: LeaseTerms
    ) -> PooledEngine | None:
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
        if pooled is not self.seat or priority not in (LeasePriority.PAGE, LeasePriority.JOB):
            return pooled
        is_ready = False
        try:
            is_ready = self.seat.wake_model(self.chosen, cancel) and (
                model is None or self.chat.awaited == model.absolute()
            )
        finally:
            if not is_ready:
                self._give_back(pooled, priority)
        # Cancelled, or the user has loaded another model meanwhile.
        return pooled if is_ready else self._take_engine(model, priority, cancel, terms)

    def _find_place(
        self, model: Path | None, turn: tuple[LeasePriority, int], cancel: CancelToken, terms: LeaseTerms
    ) -> tuple[PooledEngine | None, bool]:
        """Return the engine that has the model, or one that is to load it and True; None when cancelled."""
        path, needed, may_swap = model or self.chosen(), -1, False
        while not cancel.cancelled:
            with self._changed:
                found: PooledEngine | ModelSwap | None = self._find_engine(model)
                is_new = found is None
                if is_new and needed >= 0 and all(turn <= other for other in self._turns):
                    found = self._place_model(path, needed, turn, terms, may_swap=may_swap)
                if isinstance(found, PooledEngine) and (is_new or not found.is_loading):
                    found.leases.append(turn[0])
                    return found, is_new
                gone, self._gone = self._gone, []
                if needed >= 0 and not gone and not isinstance(found, ModelSwap):
                    self._changed.wait(LOOK_EVERY_S)
            # Outside the lock, as a child takes its time to exit, a header to be read, and a user to answer.
            for engine in gone:
                engine.close()
            if isinstance(found, ModelSwap) and not (may_swap := terms.ask(found)):
                raise NoRoomForModel(found.wanted, found.loaded)
            if needed < 0:
                needed = self._size_of(path) if path is not None else 0
        return None, False

    def _make_way(self, path: Path) -> int:
        """Close unused models where one wouldn't fit in the chat's engine otherwise; return the bytes that it needs."""
        needed = self._size_of(path)
        while True:
            with self._changed:
                unused = make_way(needed, self._memory_state())
                gone = self._others.pop(unused).engine if unused is not None else None
            if gone is None:
                return needed
            gone.close()

    def _size_of(self, path: Path) -> int:
        try:
            return self._needs(path)
        # Loading says what is wrong with the file.
        except AppError:
            return 0

    def _find_engine(self, model: Path | None) -> PooledEngine | None:
        """Return the engine that has a model, is loading it, or wakes it on demand."""
        awaited = self.chat.awaited
        is_in_chat = awaited is not None and (model is None or awaited == model.absolute())
        if is_in_chat or (self.seat.is_loading and model in (None, self.seat.path)):
            return self.seat
        pooled = self._others.get(model) if model is not None else None
        if pooled is None or pooled.is_loading or pooled.leases or pooled.engine.loaded is not None:
            return pooled
        # Its child ended since.
        self._gone.append(self._others.pop(pooled.path).engine)
        return None

    def _memory_state(self) -> MemoryState:
        loaded, all_engines = self.chat.loaded, (self.seat, *self._others.values())
        others = [
            ModelInMemory(pooled.path, pooled.needed_bytes, tuple(pooled.leases), pooled.used_s)
            for pooled in self._others.values()
            if not pooled.is_loading
        ]
        return MemoryState(
            self._free_bytes(),
            ModelInMemory(Path(loaded.path), loaded.needed_bytes, tuple(self.seat.leases)) if loaded else None,
            others,
            loading_bytes=sum(pooled.needed_bytes for pooled in all_engines if pooled.is_loading),
        )

    def _place_model(
        self, path: Path | None, needed: int, turn: tuple[LeasePriority, int], terms: LeaseTerms, *, may_swap: bool
    ) -> PooledEngine | ModelSwap | None:
        """Return the engine that is to load a model, or what to ask the user first; None to wait.

        Raises what the lease raises.
        """
        if path is None:
            raise NoModel
        if path == self.chosen() and self.chat.awaited is None and not self.seat.is_loading:
            return self.seat.begin_load(path, needed)
        if not terms.may_load:
            raise ModelNotLoaded(path.stem)
        memory, loaded = self._memory_state(), self.chat.loaded
        placement, unused = place_model(needed, turn[0], memory, terms.concession)
        # Who waits for another lease or the user, not for a load, holds nobody up.
        if placement is ModelPlacement.SWAP or (placement is ModelPlacement.WAIT and not memory.loading_bytes):
            self._turns.discard(turn)
        match placement:
            case ModelPlacement.BESIDE:
                pooled = PooledEngine(path, self.make_engine(), needed_bytes=needed, loads=1)
                self._others[path] = pooled
                return pooled
            case ModelPlacement.CLOSE if unused is not None:
                self._gone.append(self._others.pop(unused).engine)
            case ModelPlacement.SWAP if loaded is not None and not may_swap:
                return ModelSwap(terms.job, loaded.name, path.stem, needed, memory.free_bytes)
            case ModelPlacement.SWAP if loaded is not None:
                # Of two that give their place one after the other, the first comes back.
                is_second = self.seat.swapped_out is not None and self.chat.awaited == self.seat.path.absolute()
                before = self.seat.swapped_out if is_second else Path(loaded.path)
                return self.seat.begin_load(path, needed, before)
            case ModelPlacement.REPLACE:
                return self.seat.begin_load(path, needed)
            case ModelPlacement.TOO_LARGE:
                raise ModelTooLarge(str(path), needed, memory.free_bytes)
            case ModelPlacement.REFUSE if loaded is not None:
                raise NoRoomForModel(path.stem, loaded.name)
        return None

    def _load_leased(
        self, pooled: PooledEngine, priority: LeasePriority, cancel: CancelToken, terms: LeaseTerms
    ) -> bool:
        """Load the model that an engine is leased for; False when cancelled, or closed meanwhile."""
        is_in, options = False, self.options()
        options = replace(options, context_tokens=terms.context_tokens or options.context_tokens)
        try:
            if pooled is not self.seat or self.seat.swapped_out is None:
                is_in = ensure_loaded(pooled.engine, pooled.path, options, cancel=cancel)
            else:
                # Without a word to the window, for which the chat's model stays the one that it was.
                for event in self.chat.load(pooled.path, options, cancel=cancel):
                    is_in = isinstance(event, ModelLoaded)
        finally:
            with self._changed:
                pooled.loads -= 1
                is_listed = self._others.get(pooled.path) is pooled
                is_kept = is_in and (is_listed or pooled is self.seat)
                if not is_kept:
                    pooled.leases.remove(priority)
                    if is_listed:
                        del self._others[pooled.path]
                self._changed.notify_all()
            if not is_kept:
                if pooled is not self.seat:
                    pooled.engine.close()
                self._close_unused()
        return is_kept

    def _give_back(self, pooled: PooledEngine, priority: LeasePriority) -> None:
        with self._changed:
            pooled.leases.remove(priority)
            pooled.used_s = self.seat.clock()
            pooled.kept_until_s = max(pooled.kept_until_s, pooled.used_s + priority.keep_s)
            pooled.is_held = self._holders > 0 and (pooled.is_held or priority is LeasePriority.JOB)
            self._changed.notify_all()
            is_free = pooled is self.seat and not pooled.leases
        self._close_unused()
        if is_free:
            self.seat.on_free()

    def _close_unused(self) -> None:
        """Close the engines that nobody leases any more, and let the model come back that gave its place.

        Raises loading errors.
        """
        now_s, seat, before = self.seat.clock(), self.seat, None
        with self._changed:
            if threading.current_thread() is self._timer:
                self._timer = None
            everything = (seat, *self._others.values())
            unused = [p for p in everything if not p.leases and not p.is_loading and not p.is_held]
            if seat in unused and self.seat.swapped_out is not None:
                # Unless the user has loaded another model meanwhile.
                before = self.seat.swapped_out if self.chat.awaited in (None, seat.path.absolute()) else None
                self.seat.swapped_out = None
                if before is not None:
                    self.seat.begin_load(before, 0)
            gone = [pooled for pooled in unused if pooled is not seat and pooled.kept_until_s <= now_s]
            for pooled in gone:
                del self._others[pooled.path]
            left = [pooled.kept_until_s for pooled in unused if pooled is not seat and pooled not in gone]
            if left and self._timer is None:
                self._timer = threading.Timer(min(left) - now_s, self._close_unused)
                self._timer.daemon = True
                self._timer.start()
        for pooled in gone:
            pooled.engine.close()
        if before is not None:
            seat.put_back(before)
