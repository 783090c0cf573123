"""Build the preamble of chats: their project's instructions and documents, and memories.

It is the beginning of the prompt, identical token for token in all chats of a project, so that one KV snapshot serves
them all. What most chats have in common comes first: documents, which other chats and projects may begin with as well,
instructions, memories.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.lazy_dataclasses import dataclass
from app.features.document_frames import NO_LEADING, LeadingDocuments, sort_leading, whole_text, with_question
from app.store.projects import Memories, Memory, Project, ProjectDocuments, Projects

if TYPE_CHECKING:
    from app.core.events import ModelLoaded
    from app.core.settings import Settings
    from app.engine.contract import Engine
    from app.features.document_library import DocumentLibrary
    from app.store.conversation_row import Conversation
    from app.store.database import Database
    from app.store.document_store import StoredDocument


ICONS = (
    "folder", "briefcase", "house", "graduation-cap", "book-open", "code", "flask", "lightbulb", "heart", "star",
    "airplane", "globe", "leaf", "paw-print", "music-note", "paint-brush", "camera", "chart-line", "scales", "wrench",
    "fork-knife", "rocket", "planet", "brain",
)  # fmt: skip
"""Phosphor's names; the first is what a project without one has."""
DOCUMENTS_SHARE = 0.6
"""Of what a prompt may take, for whole documents of a project: unlike a message's they never leave the memory."""
MEMORIES_SHARE = 0.2
"""Of what a prompt may take, for memories."""
SESSION = "project-{}"
"""Engine's name of the KV snapshot that a project's chats share; filled with its id."""
TOLD_PROJECT, TOLD_MEMORY, TOLD_ASSISTANT, TOLD_DOCUMENT = "project-{}", "memory-{}", "assistant-{}", "document-{}"
"""What `Ask.made_of` names texts that stand before chats; filled with their ids."""
MEMORIES_HEADING = "What I want you to remember:"
KEPT_TEXTS = 16
BYTES_A_TOKEN = 4
"""Of English in most vocabularies; texts in other scripts take a little less than that says."""

Count = Callable[[Sequence[str]], Sequence[int]]


@dataclass(frozen=True)
class ChatPreamble:
    """The parts, "" if empty; `leading` is what `documents` begins with.

    `searched` are documents too long to show whole: passages of them go with each question. `session` is the engine's
    name of the shared KV snapshot, "" outside projects.
    """

    instructions: str = ""
    documents: str = ""
    memories: str = ""
    searched: tuple[int, ...] = ()
    session: str = ""
    leading: LeadingDocuments = NO_LEADING
    made_of: tuple[str, ...] = ()
    """Names of its texts, for `Ask.made_of`."""

    @property
    def text(self) -> str:
        return "\n\n".join(part for part in (self.documents, self.instructions, self.memories) if part)

    def system_message(self, own: str) -> str:
        """Join the preamble with a chat's own system prompt, if it has one."""
        # Without a preamble the chat's own words stay byte for byte what they were.
        return "\n\n".join(part for part in (self.text, own) if part.strip()) if self.text else own


NO_PREAMBLE = ChatPreamble()


@dataclass(frozen=True)
class PreambleCost:
    """Tokens before every chat of a project; documents by id."""

    instructions: int
    memories: int
    documents: dict[int, int]
    is_exact: bool
    searched: tuple[int, ...] = ()
    """Documents that a chat is not shown whole with the model that is loaded."""

    @property
    def tokens(self) -> int:
        return self.instructions + self.memories + self.whole_documents

    @property
    def whole_documents(self) -> int:
        """Tokens of all documents shown whole."""
        return sum(tokens for number, tokens in self.documents.items() if number not in self.searched)


class PreambleCosts:
    """Counts texts with the loaded model's tokenizer; without one, it is estimated from their length.

    `prompt_tokens` says what a prompt may take with the model that is loaded.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        prompt_tokens: Callable[[ModelLoaded], int] = lambda loaded: loaded.context_tokens,
    ) -> None:
        self._engine, self._prompt_tokens = engine, prompt_tokens

    @property
    def room_tokens(self) -> int:
        """For whole documents of a project; where no model is loaded, more than any has."""
        loaded = self._engine().loaded
        # Nothing is loaded, so nothing can be too long yet.
        return sys.maxsize if loaded is None else int(self._prompt_tokens(loaded) * DOCUMENTS_SHARE)

    def tokens_of(self, texts: Sequence[str]) -> tuple[list[int], bool]:
        """Return the tokens of each text and whether they are exact.

        Not for the window's thread: the model may be busy.
        """
        engine = self._engine()
        if engine.loaded is not None:
            return list(engine.count_texts(texts)), True
        return [-(-len(text.encode()) // BYTES_A_TOKEN) for text in texts], False


def _documents_without_room(tokens: dict[int, int], room_tokens: int) -> tuple[int, ...]:
    """Return the ids of documents that don't fit after those before them."""
    beyond = []
    # In order: each takes from what those before it left, so that the choice stays the same from chat to chat.
    for number, count in tokens.items():
        if count <= room_tokens:
            room_tokens -= count
        else:
            beyond.append(number)
    return tuple(beyond)


def model_of(project: Project | None) -> Path | None:
    """Return the project's model for chats without their own; None if its file is gone."""
    path = Path(project.model) if project is not None and project.model else None
    return path if path is not None and path.is_file() else None


class ChatPreambles:
    """Makes them of what is stored now; from any thread. Every document's text is made once."""

    def __init__(
        self,
        database: Database,
        documents: DocumentLibrary,
        settings: Callable[[], Settings],
        *,
        is_temporary: bool = False,
    ) -> None:
        self._is_temporary = is_temporary
        self.projects, self.memories = Projects(database), Memories(database)
        self.attached = ProjectDocuments(database)
        self._documents, self._settings = documents, settings
        self._texts: OrderedDict[int, str] = OrderedDict()

    def build_preamble(
        self,
        conversation: Conversation | None,
        room_tokens: int,
        count: Count,
        *,
        question: str = "",
        memory_tokens: int | None = None,
    ) -> ChatPreamble:
        """Build a chat's preamble; `room_tokens` limits whole documents, `memory_tokens` memories (None: no limit).

        If not all memories fit, those related to the question are used. Only then does the preamble change with the
        question.
        """
        project, told = self.project_of(conversation), self.memories_of(conversation)
        # Told all while they fit, so that the prompt's beginning stays the same for every question.
        if memory_tokens is not None and told:
            told = _fitting_memories(told, question, memory_tokens, count)
        memories = (
            "\n".join([MEMORIES_HEADING, *(f"- {' '.join(memory.text.split())}" for memory in told)]) if told else ""
        )
        named = tuple(TOLD_MEMORY.format(memory.id) for memory in told)
        if project is None:
            return ChatPreamble(memories=memories, made_of=named)
        found = {stored_document.id: stored_document for stored_document in self.documents_of(project.id)}
        texts = {number: self._document_text(document) for number, document in found.items()}
        searched = _documents_without_room(dict(zip(texts, count(list(texts.values())), strict=True)), room_tokens)
        whole = sort_leading([document for number, document in found.items() if number not in searched])
        shown = [texts[document.id] for document in whole]
        # Citing is asked for in all chats alike, or the shared beginning would differ.
        is_citing = any(stored_document.unit for stored_document in found.values())
        is_late = bool(whole) and not whole[0].unit
        begun = with_question(shown, "", is_citing=not is_late)
        return ChatPreamble(
            project.instructions.strip(),
            with_question(shown, "", is_citing=is_citing, is_late=is_late),
            memories,
            searched,
            SESSION.format(project.id),
            LeadingDocuments(begun, tuple(document.id for document in whole)),
            (TOLD_PROJECT.format(project.id), *named),
        )

    def project_of(self, conversation: Conversation | None, project_id: int | None = None) -> Project | None:
        """Return the project of a chat, or of a new one; None if it was deleted."""
        return self.projects.get(conversation.project_id if conversation is not None else project_id)

    def memories_of(self, conversation: Conversation | None) -> list[Memory]:
        """Return the memories a chat uses, by chat and settings; a temporary one only if chosen."""
        chosen = conversation.memory if conversation is not None else ""
        # A temporary chat uses memories only if somebody chose that.
        if not self._settings().chat.memory or chosen == "off" or (self._is_temporary and chosen != "on"):
            return []
        project = self.project_of(conversation)
        return [
            memory for memory in self.memories.list_for_project(project.id if project else None) if memory.text.strip()
        ]

    def documents_of(self, project_id: int | None) -> list[StoredDocument]:
        """Return a project's documents that still exist."""
        found = (
            self._documents.store.get(attachment.document_id) for attachment in self.attached.list_documents(project_id)
        )
        return [stored_document for stored_document in found if stored_document is not None]

    def document_ids(self, conversation: Conversation | None) -> list[int]:
        """Return the ids of the documents of a chat's project."""
        project = self.project_of(conversation)
        return [stored_document.id for stored_document in self.documents_of(project.id)] if project is not None else []

    def cost_of(
        self, project: Project, tokens_of: Callable[[Sequence[str]], tuple[list[int], bool]], room_tokens: int
    ) -> PreambleCost:
        """Return the cost of a project's preamble; `room_tokens` as in `build_preamble`."""
        documents = self.documents_of(project.id)
        told = (
            [memory.text for memory in self.memories.list_for_project(project.id)]
            if self._settings().chat.memory
            else []
        )
        texts = [project.instructions.strip(), "\n".join(f"- {text}" for text in told)]
        counts, is_exact = tokens_of([*texts, *map(self._document_text, documents)])
        of_documents = dict(zip((document.id for document in documents), counts[2:], strict=True))
        return PreambleCost(
            counts[0], counts[1], of_documents, is_exact, _documents_without_room(of_documents, room_tokens)
        )

    def _document_text(self, document: StoredDocument) -> str:
        if document.id not in self._texts:
            self._texts[document.id] = whole_text(document, self._documents.read_blocks(document.id))
            # Least recently used texts go: a document's text may be megabytes.
            while len(self._texts) > KEPT_TEXTS:
                self._texts.popitem(last=False)
        self._texts.move_to_end(document.id)
        return self._texts[document.id]


def _fitting_memories(memories: Sequence[Memory], question: str, room_tokens: int, count: Count) -> list[Memory]:
    """Return all memories if they fit, else those nearest to a question, in order."""
    tokens = count([memory.text for memory in memories])
    if sum(tokens) <= room_tokens:
        return list(memories)
    from app.features.retrieval.short_texts import rank_texts  # few people have so many

    chosen: set[int] = set()
    # Nearest first; a shorter one behind may still fit.
    for place in rank_texts(question, [memory.text for memory in memories]):
        if tokens[place] <= room_tokens:
            chosen.add(place)
            room_tokens -= tokens[place]
    return [memory for place, memory in enumerate(memories) if place in chosen]
