"""Chats of LM Studio: a file for each, with the versions of every message.

After public readers of the files in `~/.lmstudio/conversations`: YorkieDev/lm-studio-conversation-converter and the
converters of others to this format. A message has `versions` and `currentlySelected`; what comes later was said after
that version. A version is a `singleStep` with `content`, or a `multiStep` whose steps are blocks of content, thinking
among them by their `style`, and what tools did.
"""

from __future__ import annotations

import re
from typing import Any

from app.core.events import AnswerStats, FinishReason
from app.features.exchange.foreign import (
    ForeignChat,
    Given,
    Said,
    count_of,
    fields_of,
    joined,
    list_of,
    name_of,
    number_of,
    seconds_of,
    text_of,
)
from app.store.conversations import MessageState

_SYSTEM = "llm.prediction.systemPrompt"
_SECONDS = re.compile(r"(\d+(?:\.\d+)?) ?s")
_FINISHED = {
    "maxPredictedTokensReached": FinishReason.LENGTH,
    "contextLengthReached": FinishReason.CONTEXT,
    "userStopped": FinishReason.CANCELLED,
}


def is_chat(value: dict[str, Any]) -> bool:
    """Whether the object of a file looks like one of these."""
    messages = value.get("messages")
    if not isinstance(messages, list) or "mapping" in value or "chat" in value:
        return False
    if not messages:
        return "lastUsedModel" in value or "perChatPredictionConfig" in value
    return isinstance(fields_of(messages[0]).get("versions"), list)


def read_chat(value: dict[str, Any]) -> ForeignChat:
    """The chat of one file."""
    model = fields_of(value.get("lastUsedModel"))
    chat = ForeignChat(
        text_of(value.get("name")),
        _system_prompt(value),
        name_of(model.get("identifier")) or name_of(model.get("indexedModelIdentifier")),
        seconds_of(value.get("createdAt")),
        seconds_of(value.get("assistantLastMessagedAt")) or seconds_of(value.get("userLastMessagedAt")),
        value.get("pinned") is True,
    )
    parent: str | None = None
    for number, message in enumerate(list_of(value.get("messages"))):
        versions = [one for one in list_of(fields_of(message).get("versions")) if isinstance(one, dict)]
        if not versions:
            chat.left_out["damaged"] += 1
            continue
        said = [_said(one, f"{number}.{at}", parent, chat) for at, one in enumerate(versions)]
        chat.messages += said
        selected = count_of(fields_of(message).get("currentlySelected"))
        parent = said[selected if selected < len(said) else -1].id
    chat.shown = parent or ""
    return chat


def _system_prompt(value: dict[str, Any]) -> str:
    for one in map(fields_of, list_of(fields_of(value.get("perChatPredictionConfig")).get("fields"))):
        if one.get("key") == _SYSTEM:
            return text_of(one.get("value"))
    return text_of(value.get("systemPrompt"))


def _said(version: dict[str, Any], name: str, parent: str | None, chat: ForeignChat) -> Said:
    said = Said(name, parent, text_of(version.get("role")))
    said.model = name_of(fields_of(version.get("senderInfo")).get("senderName")) if said.role == "assistant" else ""
    if said.role == "system":
        chat.left_out["system"] += 1
    texts, thoughts = [_content(version.get("content"), said, chat)], []
    for step in map(fields_of, list_of(version.get("steps"))):
        kind, style = text_of(step.get("type")), fields_of(step.get("style"))
        if kind == "toolStatus":
            chat.left_out["tool"] += 1
        if kind != "contentBlock":
            continue
        text = _content(step.get("content"), said, chat)
        if style.get("type") == "thinking":
            thoughts.append(text)
            seconds = _SECONDS.search(text_of(style.get("title"))[:100])
            said.thinking_s = float(seconds[1]) if seconds else said.thinking_s
        else:
            texts.append(text)
        _read_generation(fields_of(step.get("genInfo")), said)
    said.text, said.thinking = joined(texts), joined(thoughts)
    return said


def _content(content: Any, said: Said, chat: ForeignChat) -> str:
    if isinstance(content, str):
        return content
    texts = []
    for part in map(fields_of, list_of(content)):
        kind = text_of(part.get("type"))
        if kind == "text":
            texts.append(text_of(part.get("text")))
        elif kind == "file":
            asset = text_of(part.get("fileIdentifier"))
            name = name_of(part.get("name")) or name_of(asset) or "file"
            if part.get("fileType") == "image":
                said.pictures.append(Given(name, asset))
            else:
                said.names.append(name)
                chat.left_out["file"] += 1
        elif not kind.startswith("tool"):  # a tool's status counts it already
            chat.left_out["unknown"] += 1
    return joined(texts)


def _read_generation(info: dict[str, Any], said: Said) -> None:
    stats = fields_of(info.get("stats"))
    said.model = name_of(info.get("identifier")) or said.model
    if not stats:
        return
    reason = _FINISHED.get(text_of(stats.get("stopReason")), FinishReason.STOP)
    said.stats = AnswerStats(
        count_of(stats.get("promptTokensCount")),
        0,
        count_of(stats.get("predictedTokensCount")),
        number_of(stats.get("timeToFirstTokenSec")) or 0.0,
        number_of(stats.get("tokensPerSecond")) or 0.0,
        reason,
    )
    said.state = MessageState.STOPPED if reason is FinishReason.CANCELLED else MessageState.COMPLETE
