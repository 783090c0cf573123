"""The composition root: builds every part once, hands parts over, closes them in reverse; no Qt."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app import APP_NAME, __version__
from app.core.child import own_command
from app.core.errors import DiskFull
from app.core.log import start_log
from app.core.paths import AppPaths, close_to_others, disk_problem, starter_model
from app.core.settings import Settings, load_settings, save_settings, sweep_settings
from app.engine.client import EngineOnDemand
from app.engine.fit import GpuRoom
from app.engine.states import StateFolder
from app.features.chat.answers import SESSION, Chat
from app.features.chat.options import wish_of
from app.features.documents import Documents
from app.features.messages import Sentence, sentence_for
from app.features.work.turns import Turns
from app.features.work.whole_file import remove_interrupted
from app.hub.access import HUB_HOST, Ledger, Token
from app.store.conversations import Attachments, Conversations
from app.store.database import Database
from app.store.documents import DocumentStore
from app.store.erasing import erase_traces, remove_old_backups
from app.store.jobs import Jobs, SummaryStore
from app.store.models import ModelNotes

if TYPE_CHECKING:
    from app.features.models.collection import Models
    from app.features.summary.summaries import Summaries
    from app.features.translation.translations import Translations
    from app.features.work.engines import TaskEngines
    from app.hub.access import Access
    from app.store.translations import TranslationMemory

log = logging.getLogger(__name__)

SUMMARY, TRANSLATION = "summary", "translation"
"""The kinds of their jobs; what knows more of them is imported when it is needed."""


@dataclass
class Fireside:
    """All parts of the running program. `notices` is what start-up has to tell."""

    paths: AppPaths
    settings: Settings
    engine: EngineOnDemand
    database: Database
    conversations: Conversations
    states: StateFolder
    ledger: Ledger
    token: Token
    documents: Documents
    chat: Chat = field(init=False)
    notices: list[Sentence] = field(default_factory=list)
    log_handler: logging.Handler | None = None

    def __post_init__(self) -> None:
        self.chat = Chat(self.engine, self.conversations, self.documents, lambda: self.settings)
        self._began_at = time.time()
        self._changing, self._making = threading.Lock(), threading.Lock()
        self._making_summaries, self._making_translations = threading.Lock(), threading.Lock()
        self._models: Models | None = None
        self._summaries: Summaries | None = None
        self._translations: Translations | None = None
        self._turns = Turns()

    @property
    def models(self) -> Models:
        """Everything about models; made when it is asked for, which the window does once it is there."""
        with self._making:
            if self._models is None:
                self._models = self._make_models()
            return self._models

    def _make_models(self) -> Models:
        from app.features.models.collection import Models, Surroundings  # 80 ms that the window need not wait for
        from app.hub.network import Network

        return Models(
            Surroundings(
                self.paths,
                lambda: self.settings,
                self.change,
                Network(lambda: access_of(self.settings, self.token), self.ledger),
                Jobs(self.database),
                ModelNotes(self.database),
                self.states,
                lambda: self.engine.loaded,
                lambda: gpus_of(self.engine),
                self.conversations.best_speeds,
                lambda: self.translations.words.memory_bytes(),  # noqa: PLW0108 - they are made when they are asked for
            )
        )

    @property
    def summaries(self) -> Summaries:
        """All stored summaries; made when they are asked for, which the window does once it is there."""
        with self._making_summaries:
            if self._summaries is None:
                self._summaries = self._make_summaries()
            return self._summaries

    def _make_summaries(self) -> Summaries:
        from app.features.summary.summaries import TASK, Summaries

        jobs, store, engines = Jobs(self.database), SummaryStore(self.database), self._engines_of(TASK)
        return Summaries(jobs, store, self.documents, engines, lambda: self.settings, turns=self._turns)

    @property
    def translations(self) -> Translations:
        """All stored translations; made when they are asked for, which the window does once it is there."""
        with self._making_translations:
            if self._translations is None:
                self._translations = self._make_translations()
            return self._translations

    def _make_translations(self) -> Translations:
        from app.features.translation.translations import TASK, Translations
        from app.store.translations import TranslationMemory, TranslationStore

        return Translations(
            Jobs(self.database),
            TranslationStore(self.database),
            TranslationMemory(self.database),
            self.documents,
            engines=self._engines_of(TASK),
            settings=lambda: self.settings,
            copies=self.paths.translations,
            child_folder=self.paths.documents,
            turns=self._turns,
        )

    def _engines_of(self, task: str) -> TaskEngines:
        from app.features.work.engines import TaskEngines

        return TaskEngines(
            task,
            self.engine,
            self.model_path,
            lambda: self.models.for_task(task),
            make_engine=lambda: build_engine(self.paths),
            wish=lambda: wish_of(self.settings.engine),
        )

    def temporary_chat(self) -> Chat:
        """A chat of which nothing is kept: its store is in memory, and is closed when nobody holds the chat."""
        database = Database.in_memory()
        documents = build_documents(self.paths, database)
        chat = Chat(self.engine, Conversations(database), documents, lambda: self.settings, is_temporary=True)
        weakref.finalize(chat, database.close)
        return chat

    def change(self, section: str, **values: Any) -> None:
        """Changes settings and saves them; raises DiskFull or FolderNotWritable, the change then holds until quit."""
        with self._changing:
            self.settings = self.settings.changed(section, **values)
            _save(self.paths, self.settings)
        if section == "network" and "allowed" in values:
            self.models.on_network_switched(allowed=values["allowed"])

    def model_path(self) -> Path | None:
        """The chosen model, else the starter, else None."""
        chosen = self.settings.engine.model_path
        return Path(chosen) if chosen else starter_model()

    def known_models(self) -> list[tuple[Path, str]]:
        """Models to choose from, with what they are called: the starter, then those used last."""
        rows = [row for row in self.models.installed() if not row.model.missing]
        rows.sort(key=lambda row: (row.model.origin != "starter", -(row.used_at or 0)))
        return [(row.model.path, row.label) for row in rows]

    @property
    def hub_host(self) -> str:
        """Which host is asked, and gets the token that is kept for it."""
        return urlsplit(endpoint_of(self.settings)).netloc

    def label_of(self, path: Path) -> str:
        """What a person calls a model; "" where that is nothing of its own."""
        note = ModelNotes(self.database).get(path)
        return note.label if note else ""

    def remember_model(self, path: Path) -> None:
        """Chooses a model for the chat and keeps it in the list."""
        self.models.use("chat", path)

    def tidy(self) -> None:
        """Removes what nothing refers to any more: documents, and copies of them; slow, for a thread of its own."""
        close_to_others(self.paths.folders, deeply=True)
        remove_interrupted()
        copies = self.paths.translations
        if Jobs(self.database).ids(TRANSLATION) or (copies.is_dir() and any(copies.iterdir())):
            self.translations.tidy(self._began_at)  # 7 MB of modules, which who never translated does without
        self.documents.store.purge(self._began_at)
        erase_traces(self.database)
        remove_old_backups(self.database, time.time())

    def close(self, on_let_go: Callable[[], object] = lambda: None) -> None:
        """Ends all work, then the database; safe to call twice.

        Returns when the engine has written what it keeps of the open chat, which may take long; `on_let_go` is called
        before, when everything else can be used by another start.
        """
        for work in (self._summaries, self._translations):
            if work is not None:
                work.close()
        self.engine.let_go()
        if self._models is not None:
            self._models.close()
        self.database.close()
        on_let_go()
        self.engine.close()
        _end_log(self.log_handler)
        self.log_handler = None


def build_documents(paths: AppPaths, database: Database) -> Documents:
    """Documents kept in a database."""
    return Documents(DocumentStore(database), Attachments(database), paths.documents)


def build_summaries(
    paths: AppPaths,
    settings: Settings,
    database: Database,
    documents: Documents,
    *,
    engine: EngineOnDemand,
    model: Path,
) -> Summaries:
    """Summaries in a database of their own, made by the one model of an engine: a terminal command's."""
    from app.features.summary.summaries import TASK, Summaries

    engines = _engines_of_one(TASK, paths, settings, engine, lambda: model)
    return Summaries(Jobs(database), SummaryStore(database), documents, engines, lambda: settings)


def build_translations(
    paths: AppPaths,
    settings: Settings,
    database: Database,
    memory: TranslationMemory,
    *,
    engine: EngineOnDemand,
    model: Callable[[], Path],
) -> Translations:
    """Translations in a database of their own, but for the memory, made by the one model of an engine: a terminal
    command's. Their files stay where they are."""
    from app.features.translation.translations import TASK, Translations
    from app.store.translations import TranslationStore

    return Translations(
        Jobs(database),
        TranslationStore(database),
        memory,
        build_documents(paths, database),
        engines=_engines_of_one(TASK, paths, settings, engine, model),
        settings=lambda: settings,
        copies=None,
        child_folder=paths.documents,
    )


def _engines_of_one(
    task: str, paths: AppPaths, settings: Settings, engine: EngineOnDemand, model: Callable[[], Path]
) -> TaskEngines:
    from app.features.work.engines import TaskEngines

    return TaskEngines(
        task,
        engine,
        model,
        lambda: None,
        make_engine=lambda: build_engine(paths),
        wish=lambda: wish_of(settings.engine),
    )


def build_engine(paths: AppPaths, states: StateFolder | None = None) -> EngineOnDemand:
    """The engine's client; nothing is started yet. Without `states` nothing of a chat is kept for later.

    FIRESIDE_ENGINE_SCRIPT puts the scripted backend into the child.
    """
    command = own_command("--engine-worker")
    script = os.environ.get("FIRESIDE_ENGINE_SCRIPT")
    if script:
        command += ["--scripted", script]
    return EngineOnDemand(command, paths.engine, states=states)


def endpoint_of(settings: Settings) -> str:
    """The Hub's address: what the settings name goes before HF_ENDPOINT."""
    return (settings.network.mirror or os.environ.get("HF_ENDPOINT") or f"https://{HUB_HOST}").rstrip("/")


def access_of(settings: Settings, token: Token) -> Access:
    """How the network may be used."""
    from app.hub.access import Access

    network, endpoint = settings.network, endpoint_of(settings)
    return Access(
        network.allowed, endpoint, network.proxy, token.load(urlsplit(endpoint).netloc) if network.allowed else ""
    )


def gpus_of(engine: EngineOnDemand) -> tuple[GpuRoom, ...]:
    """The GPUs that the engine's child finds; starts it."""
    return tuple(
        GpuRoom(device.name, device.description, device.free_bytes, device.total_bytes, device.type == "igpu")
        for device in engine.describe_devices().devices
        if device.type in ("gpu", "igpu")
    )


@contextmanager
def build_models(paths: AppPaths) -> Iterator[Models]:
    """The models without the window's parts, for the terminal: labels and queue stay the window's."""
    from app.features.models.collection import Models, Surroundings
    from app.hub.network import Network

    settings, _ = load_settings(paths.settings)
    token = Token()

    def change(section: str, **values: Any) -> None:
        nonlocal settings
        settings = settings.changed(section, **values)
        _save(paths, settings)

    with closing(Database.in_memory()) as database:
        models = Models(
            Surroundings(
                paths,
                lambda: settings,
                change,
                Network(lambda: access_of(settings, token), Ledger(paths.connections)),
                Jobs(database),
                ModelNotes(database),
                StateFolder(paths.states, lambda: settings.engine.states_budget_mb * 10**6),
            )
        )
        with closing(models):
            yield models


def build(paths: AppPaths | None = None) -> Fireside:
    """Builds everything for the window.

    Raises DatabaseNewer, MigrationFailed, FolderNotWritable or DiskFull when the data cannot be used. Any later call
    into the store may raise DatabaseDamaged, FolderNotWritable or DiskFull.
    """
    paths = paths or AppPaths.from_environment()
    close_to_others(paths.folders, deeply=False)
    handler = start_log(paths.logs)
    log.info("%s %s starts", APP_NAME, __version__)
    try:
        return _build_parts(paths, handler)
    except BaseException as error:
        log.error("could not start: %s", error, exc_info=True)
        _end_log(handler)  # a second try starts its own
        raise


def _build_parts(paths: AppPaths, handler: logging.Handler | None) -> Fireside:
    sweep_settings(paths.settings)
    settings, wrong = load_settings(paths.settings)
    database = _opened(paths.database)
    conversations = Conversations(database)
    gone = _begin(conversations, Jobs(database))
    states = StateFolder(paths.states, lambda: app.settings.engine.states_budget_mb * 10**6)
    engine, ledger = build_engine(paths, states), Ledger(paths.connections)
    documents = build_documents(paths, database)
    app = Fireside(
        paths, settings, engine, database, conversations, states, ledger, Token(), documents, log_handler=handler
    )
    for conversation_id in gone:
        states.delete(SESSION.format(conversation_id))
    app.notices = _notices(wrong, database)
    return app


def _opened(path: Path) -> Database:
    """The database. On a full disk it can be read; a new one, or a copy that gets its upgrade, is then in memory."""
    try:
        return Database.open(path)
    except DiskFull:
        has_chats = path.exists() and path.stat().st_size > 0
        return Database.in_memory(path if has_chats else None)


def _begin(conversations: Conversations, jobs: Jobs) -> list[int]:
    """Settles what the run before left unfinished; returns which conversations are gone for good."""
    try:
        conversations.recover()
        gone = conversations.purge_deleted()
        jobs.recover(SUMMARY)
        jobs.recover(TRANSLATION)
        jobs.purge_deleted(but=TRANSLATION)  # a book of these takes long: see `Fireside.tidy`
    except DiskFull:
        log.info("the disk is full: what the run before left stays as it is")
        return []
    return gone


def _save(paths: AppPaths, settings: Settings) -> None:
    try:
        save_settings(paths.settings, settings)
    except OSError as error:
        raise disk_problem(error, paths.config) from error


def _end_log(handler: logging.Handler | None) -> None:
    if handler is not None:
        logging.getLogger().removeHandler(handler)
        handler.close()


def _notices(wrong_settings: list[str], database: Database) -> list[Sentence]:
    notices: list[Sentence] = []
    if not database.has_room or database.path == Path(":memory:"):
        full, kept = sentence_for(DiskFull("")), "Your chats can be read; nothing new is kept until there is room."
        if database.has_room:
            kept = f"What is written now is lost with the window. Make room, then start {APP_NAME} again."
        notices.append(Sentence(full.text, kept, full.action))
    if database.moved_aside is not None:
        text = (
            f"The file with your chats was damaged. It was moved to {database.moved_aside.name}, nothing was deleted."
        )
        found, kept = database.recovered, "A new, empty one is in use."
        if found is not None:
            chats, messages = _counted(found.chats, "chat"), _counted(found.messages, "message")
            kept = f"What could be read of it is here: {chats} with {messages}."
        notices.append(Sentence(text, kept, "open_folder"))
    if wrong_settings == ["settings"]:
        notices.append(
            Sentence("The settings could not be read; the old file was kept beside them.", "Defaults are in use.")
        )
    elif wrong_settings:
        names = ", ".join(wrong_settings)
        notices.append(Sentence(f"These settings had values that are not possible: {names}.", "Defaults are in use."))
    return notices


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
