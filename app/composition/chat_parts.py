"""What chats need besides models and tools."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.composition.tool_parts import ToolParts
from app.core.lazy_part import LazyPart
from app.store.conversations import Conversations
from app.store.database import Database

if TYPE_CHECKING:
    from app.core.events import CancelToken
    from app.documents.protocol import Event, Read
    from app.features.chat.answer_service import AnswerService
    from app.features.chat_services import Chats, TemporaryChats
    from app.features.document_library import DocumentLibrary
    from app.features.leaving import OutboundConsent
    from app.features.media import MediaLibrary
    from app.features.page_reading.readings import PageReadingJobs
    from app.features.projects import ChatPreambles
    from app.features.spelling import SpellChecker
    from app.features.survey.surveys import DocumentSurveys
    from app.features.tools.lent_documents import LentDocuments
    from app.store.assistant_store import AssistantStore
    from app.store.document_store import DocumentStore


class ChatParts(ToolParts):
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
            forget_session=lambda session: self.pool.broadcast.forget_session(session),  # noqa: PLW0108 - made when needed
        )

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
