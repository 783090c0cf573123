"""What models need: engines, files, servers and computers that lend memory."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.saving_errors import SettingLocked
from app.core.lazy_dataclasses import dataclass, field
from app.core.lazy_part import LazyPart
from app.core.paths import AppPaths, coming_starter, starter_model
from app.core.settings import Settings
from app.features.error_messages import PersonMessage
from app.features.lock.locked_settings import store_home_settings
from app.features.work.turns import QueueTurns
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.jobs import JobTable
from app.store.model_notes import ModelNotes
from app.store.model_uses import ModelUses

if TYPE_CHECKING:
    from app.core.events import ModelLoaded
    from app.engine.contract import LocalEngine, WakingEvent
    from app.engine.states import StateFolder
    from app.features.claim_checker.answers import AnswerChecker
    from app.features.leaving import OutboundDocuments
    from app.features.lock.lock_change import LockProgress
    from app.features.models.collection import ModelCollection
    from app.features.models.known_models import KnownModels
    from app.features.models.memory_lending import MemoryLending
    from app.features.models.model_pool import ModelPool
    from app.features.models.remote_machines import RemoteMachines
    from app.features.retrieval.passage_embedder import PassageEmbedder
    from app.features.serving.answer_server import AnswerServer
    from app.features.work.task_engines import LetOut, TaskEngines
    from app.hub.connection_ledger import ConnectionLedger
    from app.hub.hub_token import HubToken
    from app.hub.model_server import ModelServer
    from app.remote.engine import RemoteEngine
    from app.remote.servers import RemoteServer, RemoteServers


WRITING = "write"
"""The task of pages: whose model it is."""


@dataclass
class ModelParts:
    """What models need: where they are, run and come from. Parts are built once, on first use.

    `notices` holds start-up messages. `on_waking` is called when a model reloads by itself, see
    `app.engine.contract.WakingEvent`.
    """

    paths: AppPaths
    settings: Settings
    database: Database
    conversations: Conversations
    notices: list[PersonMessage] = field(default_factory=list)
    log_handler: logging.Handler | None = None
    on_waking: Callable[[WakingEvent], object] = lambda event: None
    before_closing: list[Callable[[], object]] = field(default_factory=list)
    """Callbacks run before the parts close, for whatever uses them from outside."""
    may_leave: Callable[[OutboundDocuments], bool] = lambda leaving: False
    """Asks the user whether documents may go to another computer; blocks the calling thread until the answer."""
    usual_model: Callable[[], Path | None] = lambda: None
    """The model for chats without their own, while a chat's own model is loaded; from any thread."""
    lock_change: Callable[[], Iterator[LockProgress]] | None = None
    """Change of the lock to run once everything is closed, before the program starts again."""
    on_passages_wanted: Callable[[], object] = lambda: None
    """Called from any thread: passages of documents may need vectors, or another model is to make them."""

    def __post_init__(self) -> None:
        # Clearing up spares what is younger: this run still uses it.
        self.began_at = time.time()
        # Two threads that change settings at once must not lose one of the changes.
        self._changing = threading.Lock()
        # Summaries and translations wait for each other here.
        self._turns = QueueTurns()

    def change_settings(self, section: str, **values: Any) -> None:
        """Change settings and save them. Raises DiskFull or FolderNotWritable; the change then holds until quit.

        What an administrator has set stays, and raises SettingLocked once the rest is changed.
        """
        with self._changing:
            self.settings = self.settings.changed(section, **values)
            store_home_settings(self.paths, self.settings)
        if section == "models" and "passages_path" in values:
            # Vectors of two models can't be compared, so the passages need new ones.
            self.on_passages_wanted()
        if section == "network" and not values.keys().isdisjoint(("allowed", "internet")):
            self.models.on_network_switched(allowed=self.settings.network.reaches_internet)
            # llama.cpp itself connects to lent memory, past the program's network switch.
            if not self.settings.network.allowed:
                if (lending := self._made_part("lending")) is not None:
                    lending.stop()
                if (pool := self._made_part("pool")) is not None:
                    pool.broadcast.leave_machines()
        present = getattr(self.settings, section)
        if any(self.settings.is_locked(f"{section}.{key}") and getattr(present, key) != values[key] for key in values):
            raise SettingLocked

    def _made_part(self, name: str) -> Any:
        """Return a part if it has been built, else None; builds nothing."""
        return self.__dict__.get(name)

    @LazyPart
    def states(self) -> StateFolder:
        """Return the folder of KV snapshots, held to the disk budget of the settings."""
        from app.engine.states import StateFolder

        return StateFolder(self.paths.states, lambda: self.settings.engine.states_budget_mb * 10**6)

    @LazyPart
    def pool(self) -> ModelPool:
        """Return the pool that lends engines, the chat's among them."""
        from app.features.models.model_engines import build_pool

        # A saved state holds what was read; with a lock, models read it again instead.
        chat = self._new_engine(None if self.paths.unlocked else self.states)
        chat.on_waking = lambda event: self.on_waking(event)  # noqa: PLW0108 - who hears may come later
        return build_pool(chat, self.model_path, lambda: self.settings, self._new_engine)

    @property
    def engine(self) -> LocalEngine:
        return self.pool.chat

    def _new_engine(self, states: StateFolder | None = None) -> LocalEngine:
        from app.features.models.model_engines import build_engine

        def elsewhere() -> RemoteEngine:
            from app.remote.engine import build_remote_engine

            return build_remote_engine(self.servers, lambda: self.settings, self.ledger)

        return build_engine(self.paths, states, elsewhere, sees=True, settings=lambda: self.settings)

    @property
    def loaded(self) -> ModelLoaded | None:
        """The model that is in the chat's engine; needs no engine to say that there is none."""
        pool: ModelPool | None = self._made_part("pool")
        return pool.chat.loaded if pool is not None else None

    @property
    def is_asleep(self) -> bool:
        """True if a model that went idle will be reloaded into the chat's engine on demand."""
        pool: ModelPool | None = self._made_part("pool")
        return pool is not None and pool.chat.asleep_path is not None

    def model_path(self) -> Path | None:
        """Return the chosen model, else the starter, even while set-up is still building it, else None."""
        chosen = self.settings.engine.model_path
        return Path(chosen) if chosen else starter_model() or coming_starter()

    @LazyPart
    def models(self) -> ModelCollection:
        """Return everything about models: installed ones, the Hub, downloads, memory estimates."""
        from app.engine.fit import gpus_of
        from app.features.models.collection import CollectionServices, ModelCollection
        from app.hub.access import access_of
        from app.hub.network import Network
        from app.store.translation_store import TranslationMemory

        return ModelCollection(
            CollectionServices(
                self.paths,
                lambda: self.settings,
                self.change_settings,
                Network(lambda: access_of(self.settings, self.token), self.ledger),
                JobTable(self.database),
                ModelNotes(self.database),
                ModelUses(self.database),
                self.states,
                lambda: self.loaded,
                lambda: gpus_of(self.engine),
                self.conversations.best_speeds,
                TranslationMemory(self.database).size_bytes,
                lambda: self.machines.lent_rooms(),  # noqa: PLW0108 - made when they are asked for
            )
        )

    @LazyPart
    def names(self) -> KnownModels:
        from app.features.models.known_models import KnownModels

        notes = ModelNotes(self.database)
        return KnownModels(notes, lambda: self.servers, lambda: self.models.list_installed())  # noqa: PLW0108 - as above

    @LazyPart
    def servers(self) -> RemoteServers:
        from app.remote.servers import RemoteServers

        return RemoteServers(self.paths.servers, self.token)

    def ask_server(self, server: RemoteServer, key: str | None = None) -> ModelServer:
        """Return a client for a server, stored or not; `key` None uses the stored key."""
        from app.remote.engine import build_model_server

        return build_model_server(server, self.servers, lambda: self.settings, self.ledger, key)

    @LazyPart
    def machines(self) -> RemoteMachines:
        """Return the computers that lend their memory (llama.cpp RPC workers)."""
        from app.features.models.remote_machines import build_machines

        return build_machines(self.paths, self.change_settings)

    @LazyPart
    def lending(self) -> MemoryLending:
        """Return what lends this computer's memory to others; off until it is started."""
        from app.features.models.memory_lending import MemoryLending

        return MemoryLending(self.paths.engine)

    @LazyPart
    def ledger(self) -> ConnectionLedger:
        """Return the log of every network connection this program makes."""
        from app.hub.connection_ledger import ConnectionLedger

        return ConnectionLedger(self.paths.connections)

    @LazyPart
    def token(self) -> HubToken:
        """Return the access token for the Hub, kept in the keyring."""
        from app.hub.hub_token import HubToken

        return HubToken()

    @LazyPart
    def serving(self) -> AnswerServer:
        """Return the server that answers API clients and embeds texts for this program."""
        from app.features.serving.answer_server import build_serving

        return build_serving(self.paths, self.pool, self.models, lambda: self.settings)

    @LazyPart
    def embedder(self) -> PassageEmbedder:
        """Return the passage embedder for the chosen model, which runs in the API clients' child."""
        from app.features.retrieval.passage_embedder import build_embedder, chosen_embedder

        embedder = build_embedder(lambda: chosen_embedder(self.settings), lambda: self.pool)
        embedder.on_wanted = lambda: self.on_passages_wanted()  # noqa: PLW0108 - who makes them may come later
        return embedder

    @LazyPart
    def answer_checker(self) -> AnswerChecker:
        from app.features.claim_checker.answers import AnswerChecker
        from app.features.claim_checker.checker import chosen_checker

        return AnswerChecker(lambda: chosen_checker(self.settings), self.pool)

    def _engines_of(self, task: str, let_out: LetOut) -> TaskEngines:
        from app.features.models.pool_policy import LeasePriority
        from app.features.work.task_engines import TaskEngines

        return TaskEngines(
            task,
            self.pool,
            lambda: self.models.for_task(task),
            priority=LeasePriority.PAGE if task == WRITING else LeasePriority.JOB,
            let_out=let_out,
            mark_used=lambda path: self.models.mark_used(path),  # noqa: PLW0108 - models are made when first used
        )
