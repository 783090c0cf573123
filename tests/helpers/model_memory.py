"""A computer's memory for models, with engines in this process whose models have known sizes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from app.core.errors.model_errors import ModelUnreadable, NoModel
from app.core.events import CancelToken, LoadProgress, ModelLoaded
from app.engine.protocol import OPEN, Wish
from app.features.models import model_pool
from app.features.models.model_pool import LeaseTerms, ModelPool
from app.features.models.pool_policy import RESERVE_BYTES, LeasePriority

GB = 10**9
SIZES = {"chat": 4, "small": 1, "medium": 3, "large": 4, "larger": 7, "other": 4, "huge": 90, "broken": 1}


def model(name: str) -> Path:
    """The path of a model, by whose name its size is known."""
    return Path(f"/models/{name}.gguf")


class ScriptedEngine:
    """An engine in this process that holds a model of a known size."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.loaded: ModelLoaded | None = None
        self.asleep: Path | None = None
        self.on_waking: Callable[[Any], object] = lambda event: None
        self.forgotten: list[str] = []
        memory.engines.append(self)

    @property
    def asleep_path(self) -> Path | None:
        return self.asleep

    @property
    def awaited(self) -> Path | None:
        return Path(self.loaded.path) if self.loaded is not None else self.asleep

    def load(
        self, path: Path, wish: Wish = OPEN, *, cancel: CancelToken | None = None
    ) -> Iterator[LoadProgress | ModelLoaded]:
        self._memory.begun.append(path.stem)
        self._memory.loading.release()
        assert self._memory.go_on.wait(30)
        if cancel is not None and cancel.cancelled:
            return
        if path.stem == "broken":
            raise ModelUnreadable(str(path), "damaged")
        size = SIZES[path.stem] * GB
        self.loaded = ModelLoaded(
            str(path), path.stem, 10, 1, wish.context_tokens, True, 1, 0, "CPU", 1, needed_bytes=size
        )
        self.asleep = None
        yield self.loaded

    def forget_session(self, session: str) -> None:
        self.forgotten.append(session)
        if self.loaded is None:
            raise NoModel

    def sleep(self) -> None:
        self.asleep, self.loaded = self.awaited, None

    def count_texts(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> tuple[int, ...]:
        if self.asleep is not None:
            list(self.load(self.asleep, cancel=cancel))
        if self.loaded is None:
            raise NoModel
        return (0,) * len(texts)

    def close(self) -> None:
        self.loaded = None
        self._memory.engines.remove(self)
        self._memory.closed.release()


class Memory:
    """A computer with so many GB for models, and the pool around its chat."""

    def __init__(self, gigabytes: int, chat: str = "chat") -> None:
        self._gigabytes = gigabytes
        self.engines: list[ScriptedEngine] = []
        self.begun: list[str] = []
        self.measured, self.loading, self.closed = (threading.Semaphore(0) for _ in range(3))
        self.go_on = threading.Event()
        self.go_on.set()
        self.chat: Any = ScriptedEngine(self)
        if chat:
            list(self.chat.load(model(chat)))
            self.loading.acquire()
        self.chosen: Path | None = model("chat")
        make: Any = lambda: ScriptedEngine(self)  # noqa: E731
        self.pool = ModelPool(
            self.chat, lambda: self.chosen, lambda: Wish(512), make, free_bytes=self._free_bytes, needs=self._needs
        )
        self._leases: dict[str, ExitStack] = {}

    def _free_bytes(self) -> int:
        used = sum(engine.loaded.needed_bytes for engine in self.engines if engine.loaded is not None)
        return self._gigabytes * GB + RESERVE_BYTES - used

    def _needs(self, path: Path) -> int:
        self.measured.release()
        return SIZES[path.stem] * GB

    def lease(
        self,
        name: str,
        priority: LeasePriority = LeasePriority.JOB,
        terms: LeaseTerms = model_pool.ON_ANY_TERMS,
        *,
        key: str = "",
    ) -> None:
        """A lease that lasts until `end`; its name is the model's, or `key`."""
        stack = ExitStack()
        assert stack.enter_context(self.pool.lease(model(name), priority, CancelToken(), terms)) is not None
        self._leases[key or name] = stack

    def ask(self, name: str = "", priority: LeasePriority = LeasePriority.PERSON) -> None:
        """Leases the chat's engine until `end`, with a model of the chat's own or as it is; its name is the model's."""
        stack, own = ExitStack(), model(name) if name else None
        engine = stack.enter_context(self.pool.seat.lease(priority, CancelToken(), own))
        assert engine is self.chat
        engine.count_texts(("",))
        self._leases[name or "ask"] = stack

    def choose(self, name: str) -> None:
        """A person's choice of a model for the chat."""
        self.loads = list(self.pool.seat.load_model(model(name), CancelToken()))

    def end(self, name: str) -> None:
        """Ends a lease by its name."""
        self._leases.pop(name).close()

    @property
    def shown(self) -> str:
        """The chat's model, in brackets while it sleeps, and the others."""
        chat = self.chat.loaded.name if self.chat.loaded else f"({self.chat.asleep.stem})" if self.chat.asleep else "-"
        return " ".join([chat, *sorted(e.loaded.name for e in self.engines if e.loaded and e is not self.chat)])
