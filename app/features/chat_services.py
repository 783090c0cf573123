"""Services a window needs to show chats: stored and temporary ones, settings, the loaded model."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.core.lazy_dataclasses import dataclass
from app.store.conversations import Conversations
from app.store.database import Database

if TYPE_CHECKING:
    from app.core.events import CancelToken, ModelLoaded
    from app.core.paths import AppPaths
    from app.core.settings import Settings
    from app.features.chat.answer_service import AnswerService
    from app.features.document_library import DocumentLibrary
    from app.features.media import MediaLibrary
    from app.features.models.model_pool import ModelPool
    from app.features.page_reading.readings import PageReadingJobs
    from app.features.prompt_library import PromptLibrary
    from app.features.spelling import SpellChecker
    from app.features.survey.surveys import DocumentSurveys
    from app.features.tools.tool_offer import AddedServers, ToolFacts
    from app.store.assistant_store import AssistantStore


class SettingsChange(Protocol):
    """Changes settings of a section and saves them; raises DiskFull or FolderNotWritable."""

    def __call__(self, section: str, **values: Any) -> None:
        """Change settings; the change holds until quit even if it can't be saved."""


class ToolFactsLookUp(Protocol):
    """Looks up what tools cost; None without a model that runs here."""

    def __call__(self, chat: AnswerService, cancel: CancelToken, *, connects: bool) -> ToolFacts | None:
        """Count the tools of servers, too: all if it `connects`, else those that are known."""


@dataclass(frozen=True)
class Chats:
    """Services for chats. All are functions, because their values change while the program runs."""

    kept: AnswerService
    new_temporary: Callable[[], AnswerService]
    """Creates a temporary chat, closed with its last reference."""
    settings: Callable[[], Settings]
    change: SettingsChange
    loaded: Callable[[], ModelLoaded | None]
    model_path: Callable[[], Path | None]
    """The chosen model, loaded or not; None without any."""
    usual_model: Callable[[], Path | None]
    """The usual model while another one is loaded because a chat has its own; else None."""
    surveys_of: Callable[[AnswerService], DocumentSurveys]
    """Questions about the whole documents of a chat; not for the window's thread, making them takes a moment."""
    prompts: Callable[[], PromptLibrary]
    """Prompts to insert into a message by name."""
    assistants: Callable[[], AssistantStore]
    """Assistants whose choices chats can take."""
    spelling: Callable[[], SpellChecker]
    """Dictionaries for what is typed; one for the whole run."""
    pool: Callable[[], ModelPool]
    """Lends engines with other models than the loaded one."""
    tool_facts: ToolFactsLookUp = lambda _chat, _cancel, *, connects: None
    """What the tools of a chat cost, and how well the loaded model calls them. Not for the window's thread."""
    servers: Callable[[], AddedServers | None] = lambda: None
    """The tool servers that a person added, if there are any."""
    host_of: Callable[[Path], str] = lambda _path: ""
    """Host a remote model runs on; "" for others."""


class TemporaryChats:
    """Chats with a store in memory, which goes with the last reference to a chat, as its files do.

    The functions build the parts of a store; `readings` gets the folder for pictures that a model reads.
    """

    def __init__(
        self,
        paths: AppPaths,
        documents: Callable[[Database], DocumentLibrary],
        chat: Callable[[Conversations, DocumentLibrary, Callable[[], MediaLibrary]], AnswerService],
        readings: Callable[[Database, DocumentLibrary, Path], PageReadingJobs],
    ) -> None:
        self._paths, self._make_documents, self._make_chat, self._make_readings = paths, documents, chat, readings
        self._readings: weakref.WeakKeyDictionary[AnswerService, Callable[[], PageReadingJobs]] = (
            weakref.WeakKeyDictionary()
        )
        self._recordings: weakref.WeakKeyDictionary[AnswerService, Path] = weakref.WeakKeyDictionary()

    def open_chat(self) -> AnswerService:
        from app.features.media import PassingLibrary

        database = Database.in_memory()
        documents, conversations = self._make_documents(database), Conversations(database)
        media = PassingLibrary(conversations.media, self._paths.decoded, self._paths.documents)
        chat = self._make_chat(conversations, documents, lambda: media)
        self._readings[chat] = lambda: self._make_readings(database, documents, media.folder)
        self._recordings[chat] = media.recordings
        # Finalizers run at the program's exit as well, so that no picture of a temporary chat stays behind.
        weakref.finalize(chat, database.close)
        weakref.finalize(chat, media.remove_all)
        return chat

    def readings_of(self, chat: AnswerService) -> PageReadingJobs | None:
        """Return the page reading jobs of a temporary chat; None for other chats."""
        make = self._readings.get(chat)
        return make() if make is not None else None

    def recordings_of(self, chat: AnswerService) -> Path | None:
        """Return the folder for a temporary chat's recordings; None for other chats."""
        return self._recordings.get(chat)
