"""Read Fireside's own file of chats, a chat at a time."""

from __future__ import annotations

from collections import Counter
from typing import Any

from app.core.events import AnswerStats, FinishReason, Role
from app.core.lazy_dataclasses import dataclass, field, replace
from app.features.chat.chat_options import EFFORTS
from app.features.exchange import chat_pictures
from app.features.exchange.answer_marks import marked_sources
from app.features.exchange.chat_file import ChatArchive, file_name
from app.features.exchange.foreign import (
    MOST_MESSAGES,
    TooManyMessages,
    attached_line,
    count_of,
    fields_of,
    join_texts,
    list_of,
    name_of,
    number_of,
    seconds_of,
    text_of,
)
from app.store.attachments import DocumentUse
from app.store.conversation_row import Conversation
from app.store.conversations import MessageState, TreeMessage
from app.store.media_store import NewUse

_SOURCE_NUMBERS = ("answer_start", "answer_end", "block_id", "start", "end")


@dataclass
class ReadChat:
    """A chat of a file, ready to be added. `left_out` counts what could not be taken over."""

    chat: Conversation
    messages: list[TreeMessage]
    attached: dict[int | None, list[tuple[int, DocumentUse]]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    media: dict[int | None, list[NewUse]] = field(default_factory=dict)
    """Pictures by the message that they are at; None: the draft."""
    around: dict[str, Any] = field(default_factory=dict)
    """As `ChatStores.surroundings_fields` has it."""


def read_chat(value: dict[str, Any], shelf: ChatArchive, fallback_at: float) -> ReadChat:
    """Any object becomes a chat: what is missing or impossible is as in a new one. Raises TooManyMessages."""
    # Counted before reading: all of it goes into one transaction.
    given = list_of(value.get("messages"))
    if len(given) > MOST_MESSAGES:
        raise TooManyMessages
    # A chat without a time is as old as its file.
    created_at = seconds_of(value.get("created_at")) or fallback_at
    kept = value.get("first_kept")
    read = ReadChat(
        Conversation(
            0,
            text_of(value.get("title")),
            text_of(value.get("system_prompt")),
            _parse_temperature(value.get("temperature")),
            file_name(text_of(value.get("model"))),  # older files have its path
            text_of(value.get("draft")),
            created_at,
            seconds_of(value.get("updated_at")) or created_at,
            None,
            value.get("pinned") is True,
            {
                name: setting
                for name, setting in fields_of(value.get("sampling")).items()
                if number_of(setting) is not None
            },
            value["thinking"] if value.get("thinking") in ("on", "off", *EFFORTS) else "",
            kept if isinstance(kept, int) else None,
        ),
        [],
    )
    read.around = {name: value.get(name) for name in ("project", "assistant", "tags")}
    seen: set[int] = set()
    for fields in given:
        if (message := _parse_message(fields, seen, created_at, read.left_out)) is not None:
            seen.add(message.id)
            read.messages.append(_with_documents(message, fields, shelf, read))
    _take_pictures(None, value.get("draft_media"), shelf, read)
    draft, missing = _find_documents(value.get("draft_attachments"), shelf)
    if draft:
        read.attached[None] = draft
    if missing:
        read.left_out["file"] += len(missing)
        # Nothing goes silently: what is missing is named in the text.
        read.chat = replace(read.chat, draft=join_texts([read.chat.draft, attached_line(missing)]))
    return read


def _parse_temperature(value: Any) -> float | None:
    number = number_of(value)
    return number if number is not None and 0 <= number <= 5 else None


def _parse_message(value: Any, seen: set[int], created_at: float, left_out: Counter[str]) -> TreeMessage | None:
    """Parse a message; None if it is invalid or its parent doesn't precede it."""
    fields = fields_of(value)
    number, parent = fields.get("id"), fields.get("parent")
    # A role or id that can't be makes the message unusable, not the chat.
    if not isinstance(number, int) or number in seen or text_of(fields.get("role")) not in list(Role):
        left_out["damaged"] += 1
        return None
    # Parents come first in our files, so a circle can't be.
    if parent is not None and (not isinstance(parent, int) or parent not in seen):
        left_out["parent"] += 1
        return None
    state, chosen = text_of(fields.get("state")), fields.get("chosen")
    if state not in list(MessageState) or state == MessageState.WRITING:
        state = MessageState.INTERRUPTED if state == MessageState.WRITING else MessageState.COMPLETE
    return TreeMessage(
        number,
        parent,
        Role(fields["role"]),
        text_of(fields.get("text")),
        MessageState(state),
        text_of(fields.get("model")),
        seconds_of(fields.get("created_at")) or created_at,
        # Beyond 2**53 JSON readers round numbers.
        chosen if isinstance(chosen, int) and abs(chosen) < 2**53 else 0,
        _parse_stats(fields_of(fields.get("stats"))),
        text_of(fields.get("thinking")),
        number_of(fields.get("thinking_s")),
        fields.get("pinned") is True,
        recalled=tuple(
            message_id
            for message_id in list_of(fields.get("recalled"))
            if isinstance(message_id, int) and message_id in seen
        ),
    )


def _parse_stats(fields: dict[str, Any]) -> AnswerStats | None:
    if text_of(fields.get("finish_reason")) not in list(FinishReason):
        return None
    return AnswerStats(
        count_of(fields.get("prompt_tokens")),
        count_of(fields.get("reused_tokens")),
        count_of(fields.get("generated_tokens")),
        number_of(fields.get("time_to_first_token_s")) or 0.0,
        number_of(fields.get("tokens_per_s")) or 0.0,
        FinishReason(fields["finish_reason"]),
        count_of(fields.get("thinking_tokens")),
        count_of(fields.get("media_tokens")),
        count_of(fields.get("encoded_media")),
        drafted_tokens=count_of(fields.get("drafted_tokens")),
        kept_tokens=count_of(fields.get("kept_tokens")),
        drafts_ended=fields.get("drafts_ended") is True,
    )


def _with_documents(message: TreeMessage, fields: dict[str, Any], shelf: ChatArchive, read: ReadChat) -> TreeMessage:
    """Attach the documents that are here, and name the others in the message's text."""
    found, missing = _find_documents(fields.get("attachments"), shelf)
    if found:
        read.attached[message.id] = found
    missing += _take_pictures(message.id, fields.get("media"), shelf, read)
    given = [fields_of(source_fields) for source_fields in list_of(fields.get("sources"))]
    sources = [source for fields in given if (source := _parse_source(fields, shelf))]
    read.left_out["file"] += len(missing)
    # A use that a newer program wrote is decided again.
    read.left_out["reference"] += len(given) - len(sources)
    sources = marked_sources(fields.get("marks"), message.text, sources)
    if not missing and not sources:
        return message
    text = join_texts([message.text, attached_line(missing)]) if missing else message.text
    return replace(message, text=text, sources=tuple(sources))


def _take_pictures(place: int | None, value: Any, shelf: ChatArchive, read: ReadChat) -> list[str]:
    """Import a message's pictures (None: the draft's); return the names of those that can't be."""
    if shelf.media is None:
        return []
    uses, missing = chat_pictures.take_pictures(shelf.media, value)
    if uses:
        read.media[place] = uses
    return missing


def _find_documents(value: Any, shelf: ChatArchive) -> tuple[list[tuple[int, DocumentUse]], list[str]]:
    """Return the stored documents with their use, and the names of missing ones."""
    found, missing = [], []
    for fields in map(fields_of, list_of(value)):
        document = shelf.documents.find_content(text_of(fields.get("sha256")))
        use = text_of(fields.get("use"))
        if document is not None:
            found.append((document.id, DocumentUse(use) if use in list(DocumentUse) else DocumentUse.UNDECIDED))
        elif name := name_of(fields.get("name")):
            missing.append(name)
    return found, missing


def _parse_source(fields: dict[str, Any], shelf: ChatArchive) -> dict[str, Any] | None:
    document = shelf.documents.find_content(text_of(fields.get("sha256")))
    # Places of a document that is another by now would mark any words.
    if document is None or not all(isinstance(fields.get(name), int) for name in _SOURCE_NUMBERS):
        return None
    page = fields.get("page")
    source = {name: fields[name] for name in _SOURCE_NUMBERS} | {"document_id": document.id}
    return source | {"page": page if isinstance(page, int) else None, "is_named": fields.get("is_named") is True}
