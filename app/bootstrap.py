"""The composition root: builds every part once, hands parts over, closes them in reverse; no Qt."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from app import APP_NAME, __version__
from app.core.errors.model_errors import ModelMissing, ModelUnreadable
from app.core.errors.saving_errors import DiskFull
from app.core.log import end_log, start_log
from app.core.paths import AppPaths, close_to_others, coming_starter, runs_elsewhere, starter_model
from app.core.settings import Settings, load_settings, store_settings, sweep_settings
from app.features.error_messages import PersonMessage, start_sentences
from app.features.work.turns import QueueTurns
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.jobs import JobTable
from app.store.model_notes import ModelNotes

if TYPE_CHECKING:
    from app.core.events import CancelToken, ModelLoaded
    from app.documents.protocol import Event, Read
    from app.engine.contract import Engine, WakingEvent
    from app.engine.protocol import Wish
    from app.engine.states import StateFolder
    from app.features.chat.answer_service import AnswerService
    from app.features.chat_services import Chats
    from app.features.claim_checker.answers import AnswerChecker
    from app.features.document_library import DocumentLibrary, Hear
    from app.features.exchange.chat_file import ChatArchive
    from app.features.finding import HistorySearch
    from app.features.leaving import OutboundConsent, OutboundDocuments
    from app.features.media import MediaLibrary
    from app.features.models.collection import ModelCollection
    from app.features.models.memory_lending import MemoryLending
    from app.features.models.model_pool import ModelPool
    from app.features.models.remote_machines import RemoteMachines
    from app.features.page_reading.readings import PageReadingJobs
    from app.features.projects import ChatPreambles
    from app.features.retrieval.passage_embedder import PassageEmbedder
    from app.features.serving import AnswerServer
    from app.features.spelling import SpellChecker
    from app.features.summarize.summaries import SummaryJobs
    from app.features.survey.surveys import DocumentSurveys
    from app.features.transcribe import RecordedFiles, SoundRecorder
    from app.features.translate.translation_jobs import TranslationJobs
    from app.features.trash import TrashBin
    from app.features.updates import ReleaseUpdates
    from app.features.work.task_engines import TaskEngines
    from app.features.write_pages import Pages
    from app.hub.connection_ledger import ConnectionLedger
    from app.hub.hub_token import HubToken
    from app.hub.model_server import ModelServer
    from app.remote.engine import RemoteEngine
    from app.remote.routing import RoutedEngine
    from app.remote.servers import RemoteServer, RemoteServers
    from app.store.assistant_store import AssistantStore
    from app.store.document_store import DocumentStore
    from app.store.translation_store import TranslationMemory

log = logging.getLogger(__name__)

SUMMARY, TRANSLATION, PAGE_READING = "summary", "translation", "page_reading"
"""The kinds of their jobs; what knows more of them is imported when it is needed."""
WRITING = "write"
"""The task of pages: whose model it is."""
DAY_S = 24 * 3600.0


Part = TypeVar("Part")


class _LazyPart(Generic[Part]):
    """Descriptor of a part built on first access, from any thread, importing its modules only then.

    None is needed before the window appears, and some never.
    """

    def __init__(self, make: Callable[[Any], Part]) -> None:
        self._make, self._lock = make, threading.RLock()

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, owner: Any, kind: type) -> Part:
        with self._lock:
            if self._name not in owner.__dict__:
                owner.__dict__[self._name] = self._make(owner)  # from now on it is found there, without coming here
            part: Part = owner.__dict__[self._name]
            return part


@dataclass
class ProgramParts:
    """Build and hold the parts that both window and terminal use, each once, on first use.

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
    # Weak, as a temporary chat goes with its last reference.
    _passing_readings: weakref.WeakKeyDictionary[AnswerService, Callable[[], PageReadingJobs]] = field(
        default_factory=weakref.WeakKeyDictionary
    )
    """Factories of the page reading jobs of temporary chats."""
    _passing_recordings: weakref.WeakKeyDictionary[AnswerService, Path] = field(
        default_factory=weakref.WeakKeyDictionary
    )
    usual_model: Callable[[], Path | None] = lambda: None
    """The model for chats without their own, while a chat's own model is loaded; from any thread."""

    on_passages_wanted: Callable[[], object] = lambda: None
    """Called from any thread: passages of documents may need vectors, or another model is to make them."""

    def __post_init__(self) -> None:
        # Clearing up spares what is younger: this run still uses it.
        self.began_at = time.time()
        # Two threads that change settings at once must not lose one of the changes.
        self._changing = threading.Lock()
        # Summaries and translations wait for each other here.
        self._turns = QueueTurns()
        # Weak, as the engine of a job goes with the job.
        self._engines: weakref.WeakSet[RoutedEngine] = weakref.WeakSet()
        self.spelling = cache(lambda: build_spelling(self.paths))

    @_LazyPart
    def states(self) -> StateFolder:
        """Return the folder of KV snapshots, held to the disk budget of the settings."""
        from app.engine.states import StateFolder

        return StateFolder(self.paths.states, lambda: self.settings.engine.states_budget_mb * 10**6)

    @_LazyPart
    def engine(self) -> Engine:
        engine = self._new_engine(self.states)
        engine.on_waking = lambda event: self.on_waking(event)  # noqa: PLW0108 - who hears may come later
        return engine

    def _new_engine(self, states: StateFolder | None = None) -> Engine:
        def elsewhere() -> RemoteEngine:
            from app.remote.engine import build_remote_engine

            return build_remote_engine(self.servers, lambda: self.settings, self.ledger)

        engine = build_engine(self.paths, states, elsewhere, sees=True, settings=lambda: self.settings)
        self._engines.add(engine)
        return engine

    @_LazyPart
    def servers(self) -> RemoteServers:
        from app.remote.servers import RemoteServers

        return RemoteServers(self.paths.servers, self.token)

    @_LazyPart
    def consent(self) -> OutboundConsent:
        """Return the consent for sending documents off this computer; it asks through `may_leave`."""
        from app.features.leaving import OutboundConsent

        consent = OutboundConsent(lambda: self.servers)
        consent.ask = lambda leaving: self.may_leave(leaving)  # noqa: PLW0108 - whom to ask may come later
        return consent

    @property
    def loaded(self) -> ModelLoaded | None:
        """The model that is in the chat's engine; needs no engine to say that there is none."""
        engine: Engine | None = self._made_part("engine")
        return engine.loaded if engine is not None else None

    @property
    def is_outdated(self) -> bool:
        """True if the loaded model was loaded with settings that have changed since."""
        engine: Engine | None = self._made_part("engine")
        return engine is not None and engine.is_outdated

    @_LazyPart
    def ledger(self) -> ConnectionLedger:
        """Return the log of every network connection this program makes."""
        from app.hub.connection_ledger import ConnectionLedger

        return ConnectionLedger(self.paths.connections)

    @_LazyPart
    def token(self) -> HubToken:
        """Return the access token for the Hub, kept in the keyring."""
        from app.hub.hub_token import HubToken

        return HubToken()

    @_LazyPart
    def documents(self) -> DocumentLibrary:
        """Return the library of all stored documents, shared by chats and jobs."""
        from app.features.document_library import build_documents

        return build_documents(
            self.paths,
            self.database,
            self.consent,
            recognizes=False,
            hear=self._make_hear(self.database),
            rank_by_model=self.rank_by_model,
        )

    def rank_by_model(self, store: DocumentStore, document_id: int, question: str, limit: int) -> list[list[int]]:
        """Rank as `PassageEmbedder.rank`; without a chosen model the embedder isn't even built."""
        if not self.settings.models.passages_path:
            return []
        return self.embedder.rank(store, document_id, question, limit)

    @_LazyPart
    def embedder(self) -> PassageEmbedder:
        """Return the passage embedder for the chosen model, which runs in the API clients' child."""
        from app.features.models.model_pool import LeaseTerms
        from app.features.models.pool_policy import LeasePriority
        from app.features.retrieval.passage_embedder import PassageEmbedder
        from app.features.serving import EMBEDDING_TOKENS

        terms = LeaseTerms(context_tokens=EMBEDDING_TOKENS)

        def chosen() -> Path | None:
            path = self.settings.models.passages_path
            return Path(path) if path and Path(path).is_file() else None

        embedder = PassageEmbedder(
            chosen,
            lambda path, cancel: self.pool.lease(path, LeasePriority.IDLE, cancel, terms),
            is_loaded=lambda path: any(Path(model.path) == path for model in self.pool.loaded),
            # A copy, as engines come and go on other threads.
            is_answering=lambda: any(engine.is_answering for engine in list(self._engines)),
        )
        embedder.on_wanted = lambda: self.on_passages_wanted()  # noqa: PLW0108 - who makes them may come later
        return embedder

    @_LazyPart
    def answer_checker(self) -> AnswerChecker:
        """Return the checker of answers about documents, which runs the chosen claim checker in its own child."""
        from app.features.claim_checker.answers import AnswerChecker
        from app.features.claim_checker.checker import chosen_checker

        return AnswerChecker(
            lambda: chosen_checker(self.settings),
            self._new_engine,
            # A copy, as above.
            is_answering=lambda: any(engine.is_answering for engine in list(self._engines)),
        )

    @_LazyPart
    def serving(self) -> AnswerServer:
        """Return the server that answers API clients and embeds texts for this program."""
        return build_serving(self.paths, self.pool, self.models, lambda: self.settings)

    @_LazyPart
    def pool(self) -> ModelPool:
        """Return the pool that lends engines to all but the open chat, which has its own."""
        return build_pool(self.engine, self.model_path, lambda: self.settings, self._new_engine)

    def _make_hear(self, database: Database) -> Hear:
        """Return the transcriber of recordings.

        While a transcription runs, finished parts are stored in this database.
        """

        def hear(request: Read, cancel: CancelToken) -> Generator[Event, None, None]:
            from app.features.transcribe import build_hearing
            from app.store.document_store import PageReadings

            hearing = build_hearing(self.paths, lambda: self.engine, PageReadings(database))
            yield from hearing.read_recording(request, cancel)

        return hear

    @_LazyPart
    def readings(self) -> PageReadingJobs:
        """Return the jobs that read pages stored as pictures."""
        return self._readings_of(self.documents, self.database, self.paths.documents)

    def readings_of(self, chat: AnswerService) -> PageReadingJobs:
        """Return the page reading jobs for one chat's documents; those of a temporary chat store nothing."""
        passing = self._passing_readings.get(chat)
        return passing() if passing is not None else self.readings

    def _readings_of(self, documents: DocumentLibrary, database: Database, folder: Path) -> PageReadingJobs:
        from app.features.page_reading.readings import PageReadingJobs
        from app.features.work.task_engines import TaskEngines
        from app.store.jobs import JobResults

        # Whatever model is in, if it sees: nobody chooses one for this.
        engines = TaskEngines(PAGE_READING, self.pool, lambda: None, let_out=documents.let_out)
        return PageReadingJobs(
            JobTable(database),
            JobResults(database),
            documents,
            engines,
            lambda: self.settings,
            folder=folder,
            loaded=lambda: self.loaded,
        )

    @_LazyPart
    def media(self) -> MediaLibrary:
        from app.features.media import build_media

        return build_media(self.paths, self.database)

    @_LazyPart
    def chat(self) -> AnswerService:
        """Return the service that stores chats and writes their answers."""
        from app.features.chat.answer_service import AnswerService

        return AnswerService(
            lambda: self.engine,
            self.conversations,
            self.documents,
            lambda: self.settings,
            self.preambles,
            media=lambda: self.media,
            usual_model=lambda: self.usual_model(),  # noqa: PLW0108 - who knows may come later
            name_of=self.name_of,
        )

    @_LazyPart
    def preambles(self) -> ChatPreambles:
        """Return what precedes a chat's first message: project instructions and memories."""
        from app.features.projects import ChatPreambles

        return ChatPreambles(self.database, self.documents, lambda: self.settings)

    @_LazyPart
    def models(self) -> ModelCollection:
        """Return everything about models: installed ones, the Hub, downloads, memory estimates."""
        from app.engine.fit import gpus_of
        from app.features.models.collection import CollectionServices, ModelCollection
        from app.hub.access import access_of
        from app.hub.network import Network

        return ModelCollection(
            CollectionServices(
                self.paths,
                lambda: self.settings,
                self.change_settings,
                Network(lambda: access_of(self.settings, self.token), self.ledger),
                JobTable(self.database),
                ModelNotes(self.database),
                self.states,
                lambda: self.loaded,
                lambda: gpus_of(self.engine),
                self.conversations.best_speeds,
                lambda: self.translations.words.memory_bytes(),  # noqa: PLW0108 - they are made when they are asked for
                lambda: self.machines.lent_rooms(),  # noqa: PLW0108 - as well
            )
        )

    @_LazyPart
    def translations(self) -> TranslationJobs:
        from app.features.translate.translation_jobs import TASK, TranslationJobs
        from app.store.translation_store import TranslationMemory, TranslationStore

        return TranslationJobs(
            JobTable(self.database),
            TranslationStore(self.database),
            TranslationMemory(self.database),
            self.documents,
            engines=self._engines_of(TASK),
            settings=lambda: self.settings,
            copies=self.paths.translations,
            child_folder=self.paths.documents,
            turns=self._turns,
        )

    @_LazyPart
    def writing_engines(self) -> TaskEngines:
        """Return the engines for writing pages: the chat's engine, unless another model is chosen for pages."""
        return self._engines_of(WRITING)

    def _made_part(self, name: str) -> Any:
        """Return a part if it has been built, else None; builds nothing."""
        return self.__dict__.get(name)

    def _engines_of(self, task: str) -> TaskEngines:
        from app.features.models.pool_policy import LeasePriority
        from app.features.work.task_engines import TaskEngines

        return TaskEngines(
            task,
            self.pool,
            lambda: self.models.for_task(task),
            priority=LeasePriority.PAGE if task == WRITING else LeasePriority.JOB,
            let_out=self.documents.let_out,
            mark_used=lambda path: self.models.mark_used(path),  # noqa: PLW0108 - models are made when first used
        )

    @_LazyPart
    def machines(self) -> RemoteMachines:
        """Return the computers that lend their memory (llama.cpp RPC workers)."""
        from app.features.models.remote_machines import build_machines

        return build_machines(self.paths, self.change_settings)

    @_LazyPart
    def lending(self) -> MemoryLending:
        """Return what lends this computer's memory to others; off until it is started."""
        from app.features.models.memory_lending import MemoryLending

        return MemoryLending(self.paths.engine)

    def change_settings(self, section: str, **values: Any) -> None:
        """Change settings and save them. Raises DiskFull or FolderNotWritable; the change then holds until quit."""
        with self._changing:
            self.settings = self.settings.changed(section, **values)
            store_settings(self.paths, self.settings)
        if section == "models" and "passages_path" in values:
            # Vectors of two models can't be compared, so the passages need new ones.
            self.on_passages_wanted()
        if section == "network" and not values.keys().isdisjoint(("allowed", "internet")):
            self.models.on_network_switched(allowed=self.settings.network.reaches_internet)
            # llama.cpp itself connects to lent memory, past the program's network switch.
            if not self.settings.network.allowed:
                if (lending := self._made_part("lending")) is not None:
                    lending.stop()
                # A copy, as engines come and go on other threads.
                for engine in list(self._engines):
                    engine.leave_machines()

    def label_of(self, path: Path) -> str:
        """Return the user's label for a model, "" without one."""
        if runs_elsewhere(path):
            return self._name_elsewhere(path)
        note = ModelNotes(self.database).get(path)
        return note.label if note else ""

    def name_of(self, path: Path) -> str:
        """Return the name to show for a model: the user's label, else one made from its file name."""
        from app.features.models.model_names import display_name

        return display_name(path, self.label_of(path))

    def _name_elsewhere(self, path: Path) -> str:
        with suppress(ModelMissing, ModelUnreadable):
            return self.servers.read_model(path).short_name
        return path.stem

    def model_path(self) -> Path | None:
        """Return the chosen model, else the starter, even while set-up is still building it, else None."""
        chosen = self.settings.engine.model_path
        return Path(chosen) if chosen else starter_model() or coming_starter()


class Fireside(ProgramParts):
    """The running program: its top-level parts, and what concerns all of them."""

    @_LazyPart
    def recorder(self) -> SoundRecorder:
        """Return the microphone recorder, whose child runs only while it records."""
        from app.features.transcribe import SoundRecorder

        return SoundRecorder(self.paths.cache / "recording", lambda: time.strftime("%Y-%m-%d %H.%M"))

    def recordings_of(self, chat: AnswerService) -> Path:
        """Return the folder for a chat's recordings; a temporary chat's is deleted with it."""
        return self._passing_recordings.get(chat, self.paths.recordings)

    @_LazyPart
    def shelf(self) -> ChatArchive:
        """Return the archive that exports and imports chats with their pictures."""
        from app.features.exchange.chat_file import build_shelf

        return build_shelf(self.database, self.media)

    @_LazyPart
    def assistants(self) -> AssistantStore:
        from app.store.assistant_store import AssistantStore

        return AssistantStore(self.database)

    @_LazyPart
    def pages(self) -> Pages:
        """Return the store of pages written with a model."""
        from app.features.write_pages import Pages

        return Pages(self.database)

    @_LazyPart
    def finding(self) -> HistorySearch:
        """Return the search over chats, summaries, translations and pages."""
        from app.features.finding import HistorySearch

        return HistorySearch(self.database)

    @_LazyPart
    def updates(self) -> ReleaseUpdates:
        """Return the update check. It contacts the server only when the user clicks."""
        from app.core.build import RELEASES
        from app.features.updates import ReleaseUpdates
        from app.hub.access import access_to
        from app.hub.network import Network

        network = Network(lambda: access_to(RELEASES.address, self.settings), self.ledger)
        return ReleaseUpdates(RELEASES, network, lambda: self.settings, self.change_settings)

    @_LazyPart
    def summaries(self) -> SummaryJobs:
        from app.features.claim_checker.checker import ClaimChecker, chosen_checker
        from app.features.summarize.summaries import TASK, SummaryJobs
        from app.store.jobs import SummaryStore

        jobs, store, engines = JobTable(self.database), SummaryStore(self.database), self._engines_of(TASK)
        checker = ClaimChecker(lambda: chosen_checker(self.settings), self._new_engine)
        return SummaryJobs(
            jobs, store, self.documents, engines, lambda: self.settings, turns=self._turns, check=checker.check_summary
        )

    @property
    def is_asleep(self) -> bool:
        """True if a model that went idle will be reloaded into this engine on demand."""
        engine: Engine | None = self._made_part("engine")
        return engine is not None and engine.asleep_path is not None

    @property
    def is_away(self) -> bool:
        """True if the server of the chosen model didn't respond to the last request."""
        engine: RoutedEngine | None = self._made_part("engine")
        return engine is not None and engine.is_away

    def surveys_of(self, chat: AnswerService) -> DocumentSurveys:
        """Return the surveys of a chat's whole documents. Takes 0.25 s the first time."""
        from app.features.survey.surveys import DocumentSurveys
        from app.features.work.pace import MeasuredSpeeds

        return DocumentSurveys(chat, self.engine, MeasuredSpeeds(SUMMARY, JobTable(self.database), seconds="worked_s"))

    @property
    def chats(self) -> Chats:
        """Return the chat services as the window uses them."""
        from app.features.chat_services import Chats
        from app.features.prompt_library import build_prompts

        return Chats(
            self.chat,
            self.temporary_chat,
            lambda: self.settings,
            self.change_settings,
            lambda: self.loaded,
            self.model_path,
            lambda: self.usual_model(),  # noqa: PLW0108 - who knows may come later
            self.surveys_of,
            lambda: build_prompts(self.database, lambda: self.settings, self.change_settings),
            lambda: self.assistants,
            self.spelling,
            lambda: self.pool,
            self.host_of,
        )

    def temporary_chat(self) -> AnswerService:
        """Build a temporary chat. Its store is in memory and closes with the last reference to the chat."""
        from app.features.chat.answer_service import AnswerService
        from app.features.document_library import build_documents
        from app.features.media import PassingLibrary
        from app.features.projects import ChatPreambles

        database = Database.in_memory()
        documents = build_documents(
            self.paths,
            database,
            self.consent,
            recognizes=False,
            hear=self._make_hear(database),
            rank_by_model=self.rank_by_model,
        )
        conversations = Conversations(database)
        media = PassingLibrary(conversations.media, self.paths.decoded, self.paths.documents)
        # Instructions and memories lie in the program's own database; a temporary chat's is empty.
        preambles = ChatPreambles(self.database, self.documents, lambda: self.settings, is_temporary=True)
        chat = AnswerService(
            lambda: self.engine,
            conversations,
            documents,
            lambda: self.settings,
            preambles,
            media=lambda: media,
            usual_model=lambda: self.usual_model(),  # noqa: PLW0108 - as above
            name_of=self.name_of,
            is_temporary=True,
        )
        self._passing_readings[chat] = lambda: self._readings_of(documents, database, media.folder)
        self._passing_recordings[chat] = media.recordings
        # Finalizers run at the program's exit as well, so that no picture of a temporary chat stays behind.
        weakref.finalize(chat, database.close)
        weakref.finalize(chat, media.remove_all)
        return chat

    def known_models(self) -> list[tuple[Path, str]]:
        """List models to choose from with their names: the starter, then the last used; no embedding models."""
        rows = [row for row in self.models.list_installed() if not row.model.missing and not row.embeds]
        # False goes before True, so the starter is first.
        rows.sort(key=lambda row: (row.model.origin != "starter", -(row.used_at or 0)))
        found = [(row.model.path, row.label) for row in rows]
        return found + [(model.path, model.short_name) for model in self.servers.list_models()]

    @property
    def hub_host(self) -> str:
        """The host that Hub requests and the stored token go to."""
        from app.hub.access import endpoint_of

        return urlsplit(endpoint_of(self.settings)).netloc

    def host_of(self, path: Path) -> str:
        """Return the host a remote model runs on; "" for a local or missing model."""
        if not runs_elsewhere(path):
            return ""
        with suppress(ModelMissing, ModelUnreadable):
            return self.servers.read_model(path).server.host
        return ""

    def may_ask(self, path: Path) -> bool:
        """Return whether the network settings allow asking a remote model."""
        network = self.settings.network
        with suppress(ModelMissing, ModelUnreadable):
            return network.allowed if self.servers.read_model(path).server.is_own_network else network.reaches_internet
        return network.allowed

    def senses_elsewhere(self, path: Path) -> tuple[bool, bool]:
        """Return (sees, hears) for a remote model, as far as known."""
        from app.remote.servers import SEES

        with suppress(ModelMissing, ModelUnreadable):
            return self.servers.read_model(path).sees == SEES, False
        return False, False

    def ask_server(self, server: RemoteServer, key: str | None = None) -> ModelServer:
        """Return a client for a server, stored or not; `key` None uses the stored key."""
        from app.remote.engine import build_model_server

        return build_model_server(server, self.servers, lambda: self.settings, self.ledger, key)

    def remember_model(self, path: Path) -> None:
        """Choose a model for the chat and add it to the list."""
        self.models.choose_model("chat", path)

    def remove_unreferenced(self) -> None:
        """Delete unreferenced documents and their copies. Slow: run it on a worker thread."""
        from app.features.work.saved_file import remove_interrupted
        from app.store.trash import remove_old_backups

        # Each file, which takes a while: the start itself only looks at folders.
        close_to_others(self.paths.folders, deeply=True)
        remove_interrupted()
        copies = self.paths.translations
        if JobTable(self.database).list_ids(TRANSLATION) or (copies.is_dir() and any(copies.iterdir())):
            self.translations.remove_leftovers(self.began_at)  # imports 7 MB of modules
        # Deleting rows needs room on the disk, too.
        with suppress(DiskFull):
            for done in JobTable(self.database).find(PAGE_READING, ("done",)):
                JobTable(self.database).remove(done.id)
        with suppress(DiskFull):  # which was told at start: what was deleted stays until there is room
            build_trash(self).purge_older(self.began_at - self.settings.trash.keep_days * DAY_S)
        for folder in (self.paths.decoded, self.paths.documents):
            if folder.is_dir():
                from app.features.media import remove_passing

                remove_passing(folder, self.began_at)
        remove_old_backups(self.database, time.time())
        if self.paths.before_restoring.is_dir() or self.paths.unpacked.is_dir():
            from app.features.exchange.restore_backup import remove_old

            remove_old(self.paths, time.time())

    def close(self, on_let_go: Callable[[], object] = lambda: None) -> None:
        """End all work, then close the database; safe to call twice.

        Returns when the engine has written the open chat's KV snapshot, which may take long; `on_let_go` is called
        before that, when another start can use everything else.
        """
        models = self._made_part("models")
        pool: ModelPool | None = self._made_part("pool")
        if pool is not None:
            pool.end_swaps()
        for end in self.before_closing:  # first, while the parts they use still work
            end()
        # Next, work in the background, which uses engine and database.
        if pool is not None:
            pool.close()
        if (media := self._made_part("media")) is not None:
            media.close()
        if (lending := self._made_part("lending")) is not None:
            lending.close()
        self.engine.let_go()  # also one that nobody needed: it starts nothing any more
        if models is not None:
            models.close()
        self.database.close()
        # Now, as another start needs the files, but not the snapshot that the engine may write for minutes.
        on_let_go()
        self.engine.close()
        end_log(self.log_handler)
        self.log_handler = None


def build_trash(app: Fireside) -> TrashBin:
    from app.features.trash import TrashBin

    def recordings() -> RecordedFiles | None:
        from app.features.transcribe import build_recordings  # few chats have any

        return build_recordings(app.paths, app.database) if app.paths.recordings.is_dir() else None

    return TrashBin(
        app.database,
        translations=lambda: app.translations,
        forget=lambda session: app.states.delete_session(session),  # noqa: PLW0108 - made when there is something to forget
        began_at=app.began_at,
        forget_media=lambda before: app.media.remove_unused(before) if app.paths.media.is_dir() else None,
        recordings=recordings,
    )


def build_spelling(paths: AppPaths) -> SpellChecker:
    from app.features.spelling import SpellChecker

    return SpellChecker(paths.own_words)


def build_summaries(
    paths: AppPaths,
    settings: Settings,
    database: Database,
    documents: DocumentLibrary,
    *,
    engine: Engine,
    model: Path,
) -> SummaryJobs:
    """Build summary jobs for a terminal command: own database, one engine, one model."""
    from app.features.claim_checker.checker import ClaimChecker, chosen_checker
    from app.features.summarize.summaries import TASK, SummaryJobs
    from app.store.jobs import SummaryStore

    engines = _engines_of_one(TASK, paths, settings, engine, lambda: model)
    checker = ClaimChecker(lambda: chosen_checker(settings), lambda: build_engine(paths))
    return SummaryJobs(
        JobTable(database), SummaryStore(database), documents, engines, lambda: settings, check=checker.check_summary
    )


def build_translations(
    paths: AppPaths,
    settings: Settings,
    database: Database,
    memory: TranslationMemory,
    *,
    engine: Engine,
    model: Callable[[], Path],
) -> TranslationJobs:
    """Build translation jobs for a terminal command: own database but the shared memory, one engine, one model.

    Source files stay in place.
    """
    from app.features.document_library import build_documents
    from app.features.translate.translation_jobs import TASK, TranslationJobs
    from app.store.translation_store import TranslationStore

    return TranslationJobs(
        JobTable(database),
        TranslationStore(database),
        memory,
        build_documents(paths, database),
        engines=_engines_of_one(TASK, paths, settings, engine, model),
        settings=lambda: settings,
        copies=None,
        child_folder=paths.documents,
    )


def _engines_of_one(
    task: str, paths: AppPaths, settings: Settings, engine: Engine, model: Callable[[], Path]
) -> TaskEngines:
    from app.features.work.task_engines import TaskEngines

    return TaskEngines(task, build_pool(engine, model, lambda: settings, lambda: build_engine(paths)), lambda: None)


def build_pool(
    chat: Engine,
    chosen: Callable[[], Path | None],
    settings: Callable[[], Settings],
    make_engine: Callable[[], Engine],
) -> ModelPool:
    """Build the pool around an engine, for which `chosen` returns the model; nothing is loaded yet."""
    from app.features.chat.chat_options import wish_of
    from app.features.models.model_pool import ModelPool

    return ModelPool(chat, chosen, lambda: wish_of(settings().engine), make_engine)


def build_engine(
    paths: AppPaths,
    states: StateFolder | None = None,
    elsewhere: Callable[[], RemoteEngine] | None = None,
    *,
    sees: bool = False,
    settings: Callable[[], Settings] | None = None,
) -> RoutedEngine:
    """Build the engine's client; nothing starts yet.

    Without `states` no KV snapshots are stored. With `sees`, models load with the projector found next to them.
    `settings` returns current settings; without it those on disk are read. `elsewhere` builds the client for remote
    models. FIRESIDE_ENGINE_SCRIPT puts the scripted backend into the child.
    """
    from app.core.child import own_command
    from app.engine.client import EngineClient
    from app.engine.engine_build import EngineBuild
    from app.features.chat.chat_options import wish_of
    from app.features.models.remote_machines import build_machines
    from app.remote.routing import RoutedEngine

    def elsewhere_by_files() -> RemoteEngine:
        from app.remote.engine import open_remote_engine

        return open_remote_engine(paths)

    # Called at each loading: a model that slept comes back with the settings of now.
    def settings_wish() -> Wish:
        engine = (settings() if settings is not None else load_settings(paths.settings)[0]).engine
        return replace(wish_of(engine), projector_on_cpu=engine.projector_on_cpu)

    command = own_command("--engine-worker")
    script = os.environ.get("FIRESIDE_ENGINE_SCRIPT")
    if script:
        command += ["--scripted", script]
    # A function, as ggml connects by itself and must be given no address while the network is off.
    options: dict[str, Any] = {"states": states, "machines": build_machines(paths).usable_addresses}
    here = EngineClient(command, paths.engine, **options)
    if sees:
        from app.hub.model_library import find_projector

        here.find_projector = find_projector
    here.settings_wish, here.build = settings_wish, EngineBuild.from_environment()
    # Made when a server's model is chosen: until then neither HTTP nor the keyring is imported.
    return RoutedEngine(here, elsewhere or elsewhere_by_files)


def build_serving(
    paths: AppPaths,
    pool: ModelPool,
    models: ModelCollection,
    settings: Callable[[], Settings],
    *,
    may_replace: bool = False,
) -> AnswerServer:
    """Build the server that answers API clients.

    The pool's chosen model is always served, wherever its file is, and is the default when a request names no model.
    `may_replace` as in `AnswerServer`, for servers without a window.
    """
    from app.features.media import build_passing_media
    from app.features.serving import AnswerServer, ServedModel, served_models
    from app.features.transcribe import build_hearing

    def installed() -> list[ServedModel]:
        first = pool.chosen()
        files = {} if first is None or not first.is_file() else {first: (first.stat().st_size, False, False)}
        rows = [row.model for row in models.list_installed() if not row.model.missing]
        files |= {model.path: (model.size_bytes, model.vision_path is not None, model.hears) for model in rows}
        return served_models((path, *facts) for path, facts in files.items())

    return AnswerServer(
        pool,
        installed,
        lambda: build_passing_media(paths),
        lambda engine: build_hearing(paths, engine),
        may_load=lambda: settings().serving.loads_models,
        may_replace=may_replace,
    )


def build_program(paths: AppPaths | None = None) -> Fireside:
    """Build everything for the window.

    Raises DatabaseNewer, MigrationFailed, FolderNotWritable or DiskFull if the data can't be used. Any later call
    into the store may raise DatabaseDamaged, FolderNotWritable or DiskFull.
    """
    paths = paths or AppPaths.from_environment()
    # Folders only; each file is looked at later, which takes a while.
    close_to_others(paths.folders, deeply=False)
    handler = start_log(paths.logs)
    log.info("%s %s starts", APP_NAME, __version__)
    try:
        # Before anything opens the database, which is replaced as a file.
        restored = None
        if paths.restoring.is_dir():
            from app.features.exchange.restore_backup import restore_waiting

            restored = restore_waiting(paths)
        app = _build_parts(paths, handler)
        if restored is not None:
            app.notices.append(restored)
        return app
    # Whatever ends the start, Ctrl+C included, must close the log.
    except BaseException as error:
        log.error("could not start: %s", error, exc_info=True)
        end_log(handler)  # a second try starts its own
        raise


def _build_parts(paths: AppPaths, handler: logging.Handler | None) -> Fireside:
    # What a killed save of the settings left.
    sweep_settings(paths.settings)
    settings, wrong = load_settings(paths.settings)
    database = _open_database(paths.database)
    conversations = Conversations(database)
    # Before anything new is queued, as everything that is marked as running counts as left over.
    _settle_unfinished(conversations, JobTable(database))
    app = Fireside(paths, settings, database, conversations, log_handler=handler)
    app.notices = start_sentences(wrong, database)
    return app


def _open_database(path: Path) -> Database:
    """Open the database. On a full disk it is read-only; a new one, or the copy for an upgrade, is then in memory."""
    try:
        return Database.open(path)
    except DiskFull:
        has_chats = path.exists() and path.stat().st_size > 0
        return Database.in_memory(path if has_chats else None)


def _settle_unfinished(conversations: Conversations, jobs: JobTable) -> None:
    """Requeue or fail whatever an earlier run left unfinished."""
    try:
        conversations.recover()
        jobs.recover(SUMMARY)
        jobs.recover(TRANSLATION)
        jobs.recover(PAGE_READING)
    except DiskFull:
        log.info("the disk is full: what the run before left stays as it is")
