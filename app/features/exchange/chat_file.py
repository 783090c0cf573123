"""Fireside's own file of chats: JSON with every branch, written a message at a time and read a chat at a time.

`resources/exchange/chats.schema.json` describes it for others. The outermost object has `format` ("fireside-chats"),
`version`, `program`, `exported_at` and `chats`; the version goes up when an older program could misread a file, and
what is only added does not count. Times are seconds since 1970.

A chat has `title`, `system_prompt`, `temperature`, `model`, `draft`, `created_at`, `updated_at`, `pinned`, `sampling`,
`thinking`, `first_kept` and `open` (ids of messages or null), `project` and `assistant` (by what they hold, or null),
`tags`, `draft_attachments`, and `messages`, each after its parent: `id`, `parent`, `role`, `text`, `state`, `model`,
`created_at`, `chosen` (of those with one parent the highest is shown), `stats`, `thinking`,
`thinking_s`, `pinned`, `sources`, `marks` where something was judged of an answer (that its documents do not say it,
what a checker doubts, how it was made of whole documents, what tools did for it), `recalled` (ids of messages),
`attachments`, and `media` where it has pictures:
`name`, `sha256`, `kind`, `most_tokens`, and at its first place in the chat `data`, the file itself in base64.
Documents are named, with the SHA-256 of their content; where this computer has such a document, a chat that comes back
has it again. A model is named by its file, without the folder: where that lies is nobody else's concern.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from app import APP_NAME, __version__
from app.core.lazy_dataclasses import asdict, dataclass
from app.features.chat.chat_options import EFFORTS
from app.features.exchange import chat_pictures
from app.features.exchange.answer_marks import marks_to_fields
from app.features.exchange.foreign import count_of, fields_of, list_of, number_of, text_of
from app.features.media import MediaLibrary
from app.store.assistant_store import Assistant, AssistantStore
from app.store.attachments import Attachment, Attachments, DocumentUse
from app.store.conversation_row import Conversation
from app.store.conversations import MessageState, TreeMessage
from app.store.database import Database
from app.store.document_store import DocumentStore
from app.store.media_store import MediaUse
from app.store.projects import Memories, Project, ProjectDocuments, Projects, Tags
from app.store.whole_conversations import WholeConversations

MOST = 1_000
"""Of tags, memories or documents."""


class ChatStores:
    """Those of the chats of a database. Writes may raise DiskFull or FolderNotWritable."""

    def __init__(self, database: Database) -> None:
        self._projects, self._memories = Projects(database), Memories(database)
        self._project_documents, self._documents = ProjectDocuments(database), DocumentStore(database)
        self._assistants, self._tags = AssistantStore(database), Tags(database)

    def surroundings_fields(self, chat: Conversation) -> dict[str, Any]:
        """Return the fields `project` (or null), `assistant` (or null), `tags`."""
        project, assistant = self._projects.get(chat.project_id), self._assistants.get(chat.assistant_id)
        return {
            "project": None if project is None else self._project_fields(project),
            "assistant": None if assistant is None else _assistant_fields(assistant),
            "tags": [tag.name for tag in self._tags.of_chat(chat.id)],
        }

    def _project_fields(self, project: Project) -> dict[str, Any]:
        attached = (
            self._documents.get(attachment.document_id)
            for attachment in self._project_documents.list_documents(project.id)
        )
        return {
            "name": project.name,
            "icon": project.icon,
            "instructions": project.instructions,
            "memories": [memory.text for memory in self._memories.all() if memory.project_id == project.id],
            "documents": [
                {"name": stored_document.name, "sha256": stored_document.sha256}
                for stored_document in attached
                if stored_document is not None
            ],
        }

    def project_of(self, told: dict[str, Any]) -> int | None:
        """Return the project for an imported chat, created if needed; None without one."""
        fields = fields_of(told.get("project"))
        if not (name := text_of(fields.get("name")).strip()):
            return None
        # By its name: importing the same file twice makes no second project.
        found = next((project for project in self._projects.all() if project.name == name), None)
        if found is not None:
            return found.id
        project = self._projects.create(name, text_of(fields.get("icon")))
        self._projects.update(project.id, instructions=text_of(fields.get("instructions")))
        for text in filter(None, map(text_of, list_of(fields.get("memories"))[:MOST])):
            # What a file holds is bounded, since nobody knows who wrote it.
            self._memories.add(text, project.id)
        for document_fields in map(fields_of, list_of(fields.get("documents"))[:MOST]):
            # Documents aren't in the file; those that are here by their content are found again.
            if (document := self._documents.find_content(text_of(document_fields.get("sha256")))) is not None:
                self._project_documents.add(project.id, document.id)
        return project.id

    def assistant_of(self, told: dict[str, Any]) -> int | None:
        """Return the assistant of an imported chat, created if needed; None without one."""
        fields = fields_of(told.get("assistant"))
        if not (name := text_of(fields.get("name")).strip()):
            return None
        found = next((assistant for assistant in self._assistants.all() if assistant.name == name), None)
        if found is not None:
            return found.id
        sampling = {
            key: setting for key, setting in fields_of(fields.get("sampling")).items() if number_of(setting) is not None
        }
        thinking = text_of(fields.get("thinking"))
        return self._assistants.create(
            name,
            text_of(fields.get("icon")),
            instructions=text_of(fields.get("instructions")),
            sampling=sampling,
            thinking=thinking if thinking in ("on", "off", *EFFORTS) else "",
        ).id

    def apply_tags(self, conversation_id: int, fields: dict[str, Any]) -> None:
        for name in filter(None, (text_of(tag).strip() for tag in list_of(fields.get("tags"))[:MOST])):
            self._tags.set_tag(self._tags.create(name).id, conversation_id)


def _assistant_fields(assistant: Assistant) -> dict[str, Any]:
    names = ("name", "icon", "instructions", "sampling", "thinking")
    return {name: getattr(assistant, name) for name in names}


FORMAT = "fireside-chats"
VERSION = 1


@dataclass(frozen=True)
class ChatArchive:
    """Stores of chats and their documents."""

    whole: WholeConversations
    attachments: Attachments
    documents: DocumentStore
    around: ChatStores | None = None
    """None: the file says nothing of projects, assistants and tags."""
    media: MediaLibrary | None = None
    """None: pictures aren't exported or imported."""

    def list_pictures(self, message_id: int) -> list[MediaUse]:
        found = self.media.store.of_messages([message_id]) if self.media is not None else {}
        return found.get(message_id, [])


Written = tuple[str, int]
"""A part of a file, and how many messages end with it."""


def file_parts(shelf: ChatArchive, chats: Iterable[Conversation]) -> Iterator[Written]:
    """Yield the whole file, one line a message."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "program": f"{APP_NAME} {__version__}",
        "exported_at": round(time.time(), 3),
    }
    yield f'{_dump_json(head)[:-1]}, "chats": [', 0
    for number, chat in enumerate(chats):
        yield "," * bool(number), 0
        yield from _chat_parts(shelf, chat)
    yield "\n]}\n", 0


def _chat_parts(shelf: ChatArchive, chat: Conversation) -> Iterator[Written]:
    fields = {
        name: getattr(chat, name)
        for name in ("title", "system_prompt", "temperature", "model", "draft", "created_at", "updated_at", "pinned")
    }
    fields |= {"model": file_name(chat.model), "sampling": chat.sampling, "thinking": chat.thinking}
    fields |= {"first_kept": chat.first_kept_id, "open": chat.leaf_id}
    if shelf.around is not None:
        fields |= shelf.around.surroundings_fields(chat)
    fields["draft_attachments"] = _attachment_fields(shelf, shelf.attachments.in_draft(chat.id))
    written: set[str] = set()
    if shelf.media is not None and (drafted := shelf.media.store.in_draft(chat.id)):
        fields["draft_media"] = chat_pictures.picture_fields(shelf.media, drafted, written)
    yield f'\n{_dump_json(fields)[:-1]}, "messages": [', 0
    for number, message in enumerate(shelf.whole.all_messages(chat.id)):
        yield f"{',' * bool(number)}\n{_dump_json(_message_fields(shelf, message, written))}", 1
    yield "\n]}", 0


def _message_fields(shelf: ChatArchive, message: TreeMessage, written: set[str]) -> dict[str, Any]:
    fields = asdict(message)
    del fields["other_texts"]  # of a message that is being imported
    fields["parent"] = fields.pop("parent_id")
    # Ids of documents mean nothing elsewhere; name and hash do.
    fields["sources"] = [named for source in message.sources if (named := _named_source(shelf, source))]
    if marks := marks_to_fields(message.sources):
        fields["marks"] = marks
    fields["attachments"] = _attachment_fields(shelf, shelf.attachments.of_messages([message.id]).get(message.id, []))
    if shelf.media is not None and (uses := shelf.list_pictures(message.id)):
        fields["media"] = chat_pictures.picture_fields(shelf.media, uses, written)
    # Nobody goes on writing it where the file is read.
    if message.state is MessageState.WRITING:
        fields["state"] = MessageState.INTERRUPTED
    return fields


def _attachment_fields(shelf: ChatArchive, attachments: Sequence[Attachment]) -> list[dict[str, Any]]:
    found = []
    for attachment in attachments:
        document = shelf.documents.get(attachment.document_id)
        if (
            document is not None and attachment.use is not DocumentUse.PASSAGES
        ):  # passages are of what is attached above
            found.append({"name": document.name, "sha256": document.sha256, "use": attachment.use.value})
    return found


def _named_source(shelf: ChatArchive, source: dict[str, Any]) -> dict[str, Any] | None:
    if (document := shelf.documents.get(count_of(source.get("document_id")))) is None:
        return None
    fields = {name: value for name, value in source.items() if name != "document_id"}
    return fields | {"name": document.name, "sha256": document.sha256}


def file_name(model: str) -> str:
    """Return the file name of an absolute path of any system; other names, such as "openai/gpt-4o", are unchanged."""
    # Both kinds are tried, since the file may come from another system.
    for path in (PureWindowsPath(model), PurePosixPath(model)):
        if path.is_absolute():
            return path.name
    return model


def _dump_json(value: Any) -> str:
    return json.dumps(_finite_value(value), ensure_ascii=False, allow_nan=False)


def _finite_value(value: Any) -> Any:
    """JSON has no infinity; where a measurement has one, nothing is known."""
    if isinstance(value, float):
        return number_of(value)
    if isinstance(value, dict):
        return {name: _finite_value(one) for name, one in value.items()}
    return [_finite_value(item) for item in value] if isinstance(value, list | tuple) else value


def build_shelf(database: Database, media: MediaLibrary | None = None) -> ChatArchive:
    """Build the archive that exports and imports a database's chats with their pictures."""
    around = ChatStores(database)
    return ChatArchive(WholeConversations(database), Attachments(database), DocumentStore(database), around, media)
