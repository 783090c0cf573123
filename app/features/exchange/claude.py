"""Chats of Claude's data export: a list of messages for each, whose parents make a tree.

After public readers of the format: Sinity/polylogue (`docs/providers/claude-ai.md`), nicepkg/chat2poster (its types),
socketteer/Claude-Conversation-Exporter. `conversations.json` is a list of conversations with `chat_messages`; each has
`sender`, blocks in `content` (the older `text` holds the same, or nothing), `attachments` and `files`. A long paste is
an attachment without a name. Parents are there in newer exports only; the top has one of zeros.
"""

from __future__ import annotations

from typing import Any

from app.features.exchange.foreign import ForeignChat, Said, fields_of, joined, list_of, name_of, seconds_of, text_of
from app.store.conversations import MessageState

_TOP = "00000000-0000-"
_ROLES = {"human": "user", "user": "user", "assistant": "assistant"}
_TOOLS = ("tool_use", "tool_result", "server_tool_use", "web_search_tool_result")


def is_chat(value: dict[str, Any]) -> bool:
    """Whether an object of a file looks like one of these."""
    return isinstance(value.get("chat_messages"), list)


def read_chat(value: dict[str, Any]) -> ForeignChat:
    """The chat of one conversation object."""
    chat = ForeignChat(
        text_of(value.get("name")),
        model=name_of(value.get("model")),
        created_at=seconds_of(value.get("created_at")),
        updated_at=seconds_of(value.get("updated_at")),
        is_pinned=value.get("is_starred") is True,
        shown=text_of(value.get("current_leaf_message_uuid")),
    )
    before: str | None = None
    for number, message in enumerate(list_of(value.get("chat_messages"))):
        if not isinstance(message, dict):
            chat.left_out["damaged"] += 1
            continue
        said = _said(message, text_of(message.get("uuid")) or f"#{number}", before, chat)
        chat.messages.append(said)
        before = said.id
    if not chat.shown and chat.messages:
        chat.shown = chat.messages[-1].id
    return chat


def _said(message: dict[str, Any], name: str, before: str | None, chat: ForeignChat) -> Said:
    parent = before
    if isinstance(given := message.get("parent_message_uuid"), str):
        parent = None if given.startswith(_TOP) else given
    said = Said(name, parent, _ROLES.get(text_of(message.get("sender")), ""))
    if not said.role:
        chat.left_out["unknown"] += 1
    said.created_at = seconds_of(message.get("created_at"))
    blocks, texts, thoughts = list_of(message.get("content")), [], []
    for block in map(fields_of, blocks):
        kind = text_of(block.get("type"))
        if kind == "text":
            texts.append(text_of(block.get("text")))
        elif kind == "thinking":
            thoughts.append(text_of(block.get("thinking")))
            said.thinking_s = _with_seconds(said.thinking_s, block)
        elif kind in _TOOLS:
            chat.left_out["tool"] += 1
        elif kind == "image":
            chat.left_out["picture"] += 1
        elif kind not in ("token_budget", "flag"):
            chat.left_out["unknown"] += 1
    pastes = _attachments(message, said, chat)
    said.text = joined([*pastes, joined(texts) or text_of(message.get("text"))])
    said.thinking = joined(thoughts)
    if message.get("truncated") is True or message.get("stop_reason") == "user_canceled":
        said.state = MessageState.STOPPED
    return said


def _attachments(message: dict[str, Any], said: Said, chat: ForeignChat) -> list[str]:
    """Names go to the message; the texts of long pastes, which have none, come back."""
    pastes = []
    for key in ("attachments", "files", "files_v2"):
        for one in map(fields_of, list_of(message.get(key))):
            name = name_of(one.get("file_name"))
            if not name:
                pastes.append(text_of(one.get("extracted_content")))
            elif name not in said.names:
                said.names.append(name)
    chat.left_out["file"] += len(said.names)
    return pastes


def _with_seconds(so_far: float | None, block: dict[str, Any]) -> float | None:
    start, stop = seconds_of(block.get("start_timestamp")), seconds_of(block.get("stop_timestamp"))
    return so_far if start is None or stop is None or stop < start else (so_far or 0.0) + stop - start
