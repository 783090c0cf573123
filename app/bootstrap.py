"""The composition root: builds every part once, hands parts over, closes them in reverse; no Qt."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import APP_NAME, __version__
from app.core.lazy_part import LazyPart
from app.core.log import end_log, start_log
from app.core.paths import AppPaths, close_to_others, coming_starter, starter_model
from app.core.settings import Settings, load_settings, sweep_settings
from app.features.error_messages import PersonMessage, start_sentences
from app.features.lock.locked_settings import store_home_settings
from app.features.work.turns import QueueTurns
from app.store.conversations import Conversations
from app.store.database import Database, open_database
from app.store.jobs import JobTable
from app.store.model_notes import ModelNotes
from app.store.unfinished_work import recover_unfinished

if TYPE_CHECKING:
    from app.core.events import CancelToken, ModelLoaded
    from app.documents.protocol import Event, Read
    from app.engine.contract import LocalEngine, WakingEvent
    from app.engine.states import StateFolder
    from app.features.chat.answer_service import AnswerService
    from app.features.chat_services import Chats, TemporaryChats
    from app.features.claim_checker.answers import AnswerChecker
    from app.features.document_library import DocumentLibrary
    from app.features.exchange.chat_file import ChatArchive
    from app.features.finding import HistorySearch
    from app.features.housekeeping import DataHousekeeping
    from app.features.leaving import OutboundConsent, OutboundDocuments
    from app.features.lock.lock_change import LockProgress
    from app.features.mcp.tool_servers import ToolServers
    from app.features.media import MediaLibrary
    from app.features.models.collection import ModelCollection
    from app.features.models.known_models import KnownModels
    from app.features.models.memory_lending import MemoryLending
    from app.features.models.model_pool import ModelPool
    from app.features.models.remote_machines import RemoteMachines
    from app.features.page_reading.readings import PageReadingJobs
    from app.features.projects import ChatPreambles
    from app.features.retrieval.passage_embedder import PassageEmbedder
    from app.features.serving.answer_server import AnswerServer
    from app.features.spelling import SpellChecker
    from app.features.summarize.summaries import SummaryJobs
    from app.features.survey.surveys import DocumentSurveys
    from app.features.tools.lent_documents import LentDocuments
    from app.features.tools.stored_grants import ChatGrants, StoredGrants
    from app.features.tools.tool_offer import ToolFacts
    from app.features.transcribe import SoundRecorder
    from app.features.translate.translation_jobs import TranslationJobs
    from app.features.trash import TrashBin
    from app.features.updates import ReleaseUpdates
    from app.features.work.task_engines import LetOut, TaskEngines
    from app.features.write_pages import Pages
    from app.hub.connection_ledger import ConnectionLedger
    from app.hub.hub_token import HubToken
    from app.hub.model_server import ModelServer
    from app.hub.web_fetcher import WebFetcher
    from app.remote.engine import RemoteEngine
    from app.remote.servers import RemoteServer, RemoteServers
    from app.store.assistant_store import AssistantStore
    from app.store.document_store import DocumentStore
    from app.store.snapshots import SnapshotFolder

log = logging.getLogger(__name__)

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
        """Change settings and save them. Raises DiskFull or FolderNotWritable; the change then holds until quit."""
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
                    pool.leave_machines()

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
    def tool_servers(self) -> ToolServers:
        from app.features.mcp.tool_servers import build_tool_servers

        forget = self.tool_grants.forget_server
        return build_tool_servers(
            self.paths.data, lambda: self.settings, self.change_settings, self.ledger, forget, kept=self.token
        )

    @LazyPart
    def tool_grants(self) -> StoredGrants:
        """Return what the tools of servers may do without asking."""
        from app.features.tools.stored_grants import StoredGrants

        return StoredGrants(lambda: self.settings, self.change_settings)

    @LazyPart
    def chat_grants(self) -> ChatGrants:
        """Return what the tools of servers may do in chats: for good, or in one of them."""
        from app.features.tools.stored_grants import ChatGrants

        return ChatGrants(self.tool_grants)

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


class ChatParts(ModelParts):
    """What chats need besides models: documents, media, and what precedes their messages."""

    @LazyPart
    def consent(self) -> OutboundConsent:
        """Return the consent for sending documents off this computer; it asks through `may_leave`."""
        from app.features.leaving import OutboundConsent

        return OutboundConsent(lambda: self.servers, lambda leaving: self.may_leave(leaving))  # noqa: PLW0108 - may come later

    @LazyPart
    def documents(self) -> DocumentLibrary:
        """Return the library of all stored documents, shared by chats and jobs."""
        return self._documents_of(self.database)

    def _documents_of(self, database: Database) -> DocumentLibrary:
        from app.features.document_library import build_documents

        # Imported with the first recording.
        def hear_recording(request: Read, cancel: CancelToken) -> Generator[Event, None, None]:
            from app.features.transcribe import hear_stored

            return hear_stored(self.paths, lambda: self.engine, database, request, cancel)

        # Without a chosen model the embedder isn't even built.
        def rank(store: DocumentStore, document_id: int, question: str, limit: int) -> list[list[int]]:
            has_model = bool(self.settings.models.passages_path)
            return self.embedder.rank(store, document_id, question, limit) if has_model else []

        return build_documents(
            self.paths, database, self.consent, recognizes=False, hear=hear_recording, rank_by_model=rank
        )

    @LazyPart
    def lent_documents(self) -> LentDocuments:
        """Return the tools by which other programs read documents; without the grant there are none."""
        from app.features.tools.lent_documents import LentDocuments

        used, is_lent = self.documents.store.list_in_use, lambda: self.settings.serving.lends_documents
        return LentDocuments(self.database, self.documents, used, is_lent)

    @LazyPart
    def media(self) -> MediaLibrary:
        from app.features.media import build_media

        return build_media(self.paths, self.database)

    @LazyPart
    def chat(self) -> AnswerService:
        """Return the service that stores chats and writes their answers."""
        return self._chat_of(self.conversations, self.documents, lambda: self.media)

    @LazyPart
    def temporary(self) -> TemporaryChats:
        from app.features.chat_services import TemporaryChats

        begin = partial(self._chat_of, is_temporary=True)
        return TemporaryChats(self.paths, self._documents_of, begin, self._readings_of)

    def _chat_of(
        self,
        conversations: Conversations,
        documents: DocumentLibrary,
        media: Callable[[], MediaLibrary],
        *,
        is_temporary: bool = False,
    ) -> AnswerService:
        from app.features.chat.answer_service import AnswerService
        from app.features.models.pool_policy import LeasePriority
        from app.features.projects import ChatPreambles

        # Instructions and memories lie in the program's own database; a temporary chat's is empty.
        return AnswerService(
            lambda: self.engine,
            conversations,
            documents,
            lambda: self.settings,
            ChatPreambles(self.database, self.documents, lambda: self.settings, is_temporary=True)
            if is_temporary
            else self.preambles,
            media=media,
            lend=lambda model, cancel: self.pool.seat.lease(LeasePriority.PERSON, cancel, model),
            usual_model=lambda: self.usual_model(),  # noqa: PLW0108 - who knows may come later
            name_of=self.names.name_of,
            is_temporary=is_temporary,
            answer_with_tools=self._answer_with_tools,
        )

    def _answer_with_tools(self, *asked: Any) -> Iterator[Any]:
        from app.features.tools.chat_answers import ChatToolSettings, answer_in_chat  # with the first such answer

        rounds, servers = self.settings.tools.rounds, self._added_servers()
        folders = [Path(folder) for folder in self.settings.tools.folders]
        settings = ChatToolSettings(self.paths.cache, servers, self.chat_grants, self.web, rounds, folders)
        return answer_in_chat(*asked, settings=settings)

    @LazyPart
    def web(self) -> WebFetcher:
        """Return what fetches pages of the web for tools, where that is switched on."""
        from app.hub.web_fetcher import WebFetcher

        return WebFetcher(lambda: self.settings, self.ledger)

    def _added_servers(self) -> ToolServers | None:
        # Most people have none, and what speaks to them need not be imported.
        return self.tool_servers if self.settings.tools.servers else None

    @LazyPart
    def preambles(self) -> ChatPreambles:
        """Return what precedes a chat's first message: project instructions and memories."""
        from app.features.projects import ChatPreambles

        return ChatPreambles(self.database, self.documents, lambda: self.settings)

    @property
    def chats(self) -> Chats:
        """Return the chat services as the window uses them."""
        from app.features.chat_services import Chats
        from app.features.prompt_library import build_prompts

        return Chats(
            self.chat,
            self.temporary.open_chat,
            lambda: self.settings,
            self.change_settings,
            lambda: self.loaded,
            self.model_path,
            lambda: self.usual_model(),  # noqa: PLW0108 - who knows may come later
            self.surveys_of,
            lambda: build_prompts(self.database, lambda: self.settings, self.change_settings),
            lambda: self.assistants,
            lambda: self.spelling,
            lambda: self.pool,
            self._find_tool_facts,
            self._added_servers,
            self.names.host_of,
        )

    def _find_tool_facts(self, chat: AnswerService, cancel: CancelToken, *, connects: bool) -> ToolFacts | None:
        from app.features.tools.tool_offer import find_tool_facts

        servers, web = self._added_servers, self.web
        return find_tool_facts(chat, self.engine, self.paths.cache, cancel, servers=servers, web=web, connects=connects)

    def surveys_of(self, chat: AnswerService) -> DocumentSurveys:
        """Return the surveys of a chat's whole documents. Takes 0.25 s the first time."""
        from app.features.survey.surveys import DocumentSurveys

        return DocumentSurveys(chat, self.engine, self.database)

    def _readings_of(self, database: Database, documents: DocumentLibrary, folder: Path) -> PageReadingJobs:
        from app.features.page_reading.readings import build_readings

        return build_readings(database, documents, self.pool, lambda: self.settings, folder)

    @LazyPart
    def assistants(self) -> AssistantStore:
        from app.store.assistant_store import AssistantStore

        return AssistantStore(self.database)

    @LazyPart
    def spelling(self) -> SpellChecker:
        from app.features.spelling import SpellChecker

        return SpellChecker(self.paths.own_words)


class Fireside(ChatParts):
    """The running program: its top-level parts, and what concerns all of them."""

    @LazyPart
    def readings(self) -> PageReadingJobs:
        return self._readings_of(self.database, self.documents, self.paths.documents)

    @LazyPart
    def summaries(self) -> SummaryJobs:
        from app.features.claim_checker.checker import ClaimChecker, chosen_checker
        from app.features.summarize.summaries import TASK, SummaryJobs

        check = ClaimChecker(lambda: chosen_checker(self.settings), self.pool).check_summary
        engines, settings = self._engines_of(TASK, self.documents.let_out), lambda: self.settings
        return SummaryJobs(self.database, self.documents, engines, settings, turns=self._turns, check=check)

    @LazyPart
    def translations(self) -> TranslationJobs:
        from app.features.translate.translation_jobs import TASK, TranslationJobs
        from app.store.translation_store import TranslationMemory

        return TranslationJobs(
            self.database,
            TranslationMemory(self.database),
            self.documents,
            engines=self._engines_of(TASK, self.documents.let_out),
            settings=lambda: self.settings,
            copies=self.paths.translations,
            child_folder=self.paths.documents,
            turns=self._turns,
            purge_copies=lambda entries: self.trash.purge_entries(entries),  # noqa: PLW0108 - as above
        )

    @LazyPart
    def writing_engines(self) -> TaskEngines:
        """Return the engines for writing pages: the chat's engine, unless another model is chosen for pages."""
        return self._engines_of(WRITING, self.documents.let_out)

    @LazyPart
    def pages(self) -> Pages:
        from app.features.write_pages import Pages

        return Pages(self.database)

    @LazyPart
    def shelf(self) -> ChatArchive:
        """Return the archive that exports and imports chats with their pictures."""
        from app.features.exchange.chat_file import build_shelf

        return build_shelf(self.database, self.media)

    @LazyPart
    def finding(self) -> HistorySearch:
        """Return the search over chats, summaries, translations and pages."""
        from app.features.finding import HistorySearch

        return HistorySearch(self.database)

    @LazyPart
    def recorder(self) -> SoundRecorder:
        """Return the microphone recorder, whose child runs only while it records."""
        from app.features.transcribe import SoundRecorder

        return SoundRecorder(self.paths.cache / "recording", lambda: time.strftime("%Y-%m-%d %H.%M"))

    @LazyPart
    def updates(self) -> ReleaseUpdates:
        """Return the update check. It contacts the server only when the user clicks."""
        from app.features.updates import build_updates

        return build_updates(lambda: self.settings, self.change_settings, self.ledger)

    @LazyPart
    def trash(self) -> TrashBin:
        from app.features.trash import build_trash

        return build_trash(
            self.paths,
            self.database,
            began_at=self.began_at,
            translations=lambda: self.translations,
            states=lambda: self.states,
            media=lambda: self.media,
            snapshots=lambda: self.snapshots,
        )

    @LazyPart
    def snapshots(self) -> SnapshotFolder:
        from app.store.snapshots import SnapshotFolder

        return SnapshotFolder(self.paths.snapshots, self.database)

    @LazyPart
    def housekeeping(self) -> DataHousekeeping:
        from app.features.housekeeping import DataHousekeeping

        return DataHousekeeping(
            self.paths,
            self.database,
            keep_days=lambda: self.settings.trash.keep_days,
            translations=lambda: self.translations,
            trash=self.trash,
            snapshots=self.snapshots,
            began_at=lambda: self.began_at,
        )

    def close(self, on_let_go: Callable[[], object] = lambda: None) -> None:
        """End all work, then close the database; safe to call twice.

        Returns when the engine has written the open chat's KV snapshot, which may take long; `on_let_go` is called
        before that, when another start can use everything else.
        """
        models = self._made_part("models")
        self.pool.end_swaps()  # also one that nobody needed: its engine starts nothing any more
        for end in self.before_closing:  # first, while the parts they use still work
            end()
        # Next, work in the background, which uses engine and database.
        self.pool.close()
        for part in filter(None, map(self._made_part, ("media", "lending", "tool_servers"))):
            part.close()
        self.engine.let_go()
        if models is not None:
            models.close()
        self.database.close()
        # Now, as another start needs the files, but not the snapshot that the engine may write for minutes.
        on_let_go()
        self.engine.close()
        end_log(self.log_handler)
        self.log_handler = None


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
        return _build_parts(paths, handler, restored)
    # Whatever ends the start, Ctrl+C included, must close the log.
    except BaseException as error:
        log.error("could not start: %s", error, exc_info=True)
        end_log(handler)  # a second try starts its own
        raise


def _build_parts(paths: AppPaths, handler: logging.Handler | None, restored: PersonMessage | None) -> Fireside:
    # What a killed save of the settings left.
    sweep_settings(paths.settings)
    settings, wrong = load_settings(paths.settings)
    database = open_database(paths.database)
    conversations = Conversations(database)
    recover_unfinished(conversations, JobTable(database))
    app = Fireside(paths, settings, database, conversations, log_handler=handler)
    app.notices = [*start_sentences(wrong, database), *filter(None, [restored])]
    return app
