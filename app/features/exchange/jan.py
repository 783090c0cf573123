"""Chats of Jan: a folder for each, with what is known of it and a line for each message.

After Jan's own sources (janhq/jan, `core/src/types/thread` and `core/src/types/message`) and its description of the
files: `threads/<id>/thread.json` has title, assistants and times, `messages.jsonl` the messages in their order, with
parts of text, reasoning, pictures and tools in `content`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.features.exchange.foreign import (
    ForeignChat,
    Given,
    Said,
    data_of,
    fields_of,
    joined,
    list_of,
    name_of,
    seconds_of,
    split_thinking,
    text_of,
)
from app.features.exchange.json_pieces import read_value
from app.store.conversations import MessageState

_STATES = {"stopped": MessageState.STOPPED, "error": MessageState.FAILED, "pending": MessageState.INTERRUPTED}


def read_chat(thread: dict[str, Any], lines: Iterable[bytes | None]) -> ForeignChat:
    """The chat of a thread and its lines; a line that is None was too long to be read."""
    assistant = fields_of(next(iter(list_of(thread.get("assistants"))), None))
    metadata = fields_of(thread.get("metadata"))
    chat = ForeignChat(
        text_of(thread.get("title")) or text_of(metadata.get("title")),
        text_of(assistant.get("instructions")),
        name_of(fields_of(assistant.get("model")).get("id")) or name_of(fields_of(thread.get("model")).get("id")),
        seconds_of(thread.get("created")),
        seconds_of(thread.get("updated")),
        thread.get("isFavorite") is True or metadata.get("is_favorite") is True,
    )
    for line in lines:
        message: Any = None
        if line is not None:
            if not line.strip():
                continue
            try:
                message = read_value(line)
            except ValueError:
                message = None
        if not isinstance(message, dict):
            chat.left_out["damaged"] += 1
            continue
        chat.messages.append(_said(message, chat))
    chat.shown = chat.messages[-1].id if chat.messages else ""
    return chat


def _said(message: dict[str, Any], chat: ForeignChat) -> Said:
    before = chat.messages[-1].id if chat.messages else None
    said = Said(str(len(chat.messages)), before, text_of(message.get("role")))
    said.created_at = seconds_of(message.get("created_at"))
    said.state = _STATES.get(text_of(message.get("status")), MessageState.COMPLETE)
    metadata = fields_of(message.get("metadata"))
    said.model = name_of(metadata.get("modelId")) or name_of(fields_of(metadata.get("model")).get("id"))
    if said.role in ("system", "tool"):
        chat.left_out[said.role] += 1
    texts, thoughts = [], []
    for part in _parts(message.get("content")):
        kind, text = text_of(part.get("type")), part.get("text")
        value = text if isinstance(text, str) else text_of(fields_of(text).get("value"))
        if kind == "text":
            plain, thinking = split_thinking(value)
            texts.append(plain)
            thoughts.append(thinking)
        elif kind == "reasoning":
            thoughts.append(value)
        elif kind in ("image_url", "image"):
            said.pictures.append(Given("picture", data=data_of(fields_of(part.get("image_url")).get("url"))))
        elif kind in ("tool_call", "tool"):
            chat.left_out["tool"] += 1
        else:
            chat.left_out["unknown"] += 1
    chat.left_out["file"] += len(list_of(message.get("attachments")))
    said.text, said.thinking = joined(texts), joined(thoughts)
    return said


def _parts(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [fields_of(one) for one in list_of(content)]
