"""Chats of Open WebUI's export: a tree of messages for each.

After Open WebUI's own sources (`backend/open_webui/models/chats.py`, `src/lib/utils/index.ts`): a list of rows with
`title`, `created_at` and `chat`, whose `history` has `messages` by id with `parentId`, and `currentId`. Older ones
have only the list `messages`. Pictures are `files` of a message, in older ones with what they hold in `url`; newer
ones only name where the server has them. What a model thought stands in the text, in `<details type="reasoning">`,
escaped.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from app.core.events import AnswerStats, FinishReason
from app.features.exchange.foreign import (
    ForeignChat,
    Given,
    Said,
    count_of,
    data_of,
    fields_of,
    joined,
    list_of,
    name_of,
    number_of,
    seconds_of,
    split_thinking,
    text_of,
)
from app.store.conversations import MessageState

_DETAILS = re.compile(r'<details type="(\w+)"([^>]*)>(.*?)</details>', re.DOTALL)
_SUMMARY = re.compile(r"\A\s*<summary>.*?</summary>", re.DOTALL)
_DURATION = re.compile(r'duration="(\d+(?:\.\d+)?)"')
_QUOTE = re.compile(r"^&gt; ?|^> ?", re.MULTILINE)


def is_chat(value: dict[str, Any]) -> bool:
    """Whether an object of a file looks like one of these."""
    chat = fields_of(value.get("chat")) or value
    return isinstance(fields_of(chat.get("history")).get("messages"), dict) or (
        "chat" in value and isinstance(chat.get("messages"), list)
    )


def read_chat(value: dict[str, Any]) -> ForeignChat:
    """The chat of one row, or of the `chat` in it alone."""
    body = fields_of(value.get("chat")) or value
    history, models = fields_of(body.get("history")), list_of(body.get("models"))
    chat = ForeignChat(
        text_of(value.get("title")) or text_of(body.get("title")),
        text_of(fields_of(body.get("params")).get("system")) or text_of(body.get("system")),
        name_of(models[0]) if models else "",
        seconds_of(value.get("created_at")) or seconds_of(body.get("timestamp")),
        seconds_of(value.get("updated_at")),
        value.get("pinned") is True,
    )
    messages = fields_of(history.get("messages"))
    if messages:
        for name, message in messages.items():
            parent = fields_of(message).get("parentId")
            _add(message, name, parent if isinstance(parent, str) and parent else None, chat)
        chat.shown = text_of(history.get("currentId"))
    else:
        for number, message in enumerate(list_of(body.get("messages"))):
            _add(message, str(number), chat.messages[-1].id if chat.messages else None, chat)
        chat.shown = chat.messages[-1].id if chat.messages else ""
    return chat


def _add(message: Any, name: str, parent: str | None, chat: ForeignChat) -> None:
    if not isinstance(message, dict):
        chat.left_out["damaged"] += 1
        return
    said = Said(name, parent, text_of(message.get("role")), created_at=seconds_of(message.get("timestamp")))
    if said.role == "system":
        chat.system_prompt = chat.system_prompt or text_of(message.get("content"))
    text = _content(message.get("content"), said, chat)
    if said.role == "assistant":
        said.model = name_of(message.get("model"))
        said.stats = _stats(fields_of(message.get("usage")) or fields_of(message.get("info")))
        text = _without_details(text, said, chat)
        if message.get("done") is False:
            said.state = MessageState.INTERRUPTED
        if message.get("error") and not text:
            chat.left_out["error"] += 1
    said.text = text
    for file in map(fields_of, list_of(message.get("files"))):
        name = name_of(file.get("name")) or name_of(file.get("type"))
        if file.get("type") == "image":
            said.pictures.append(Given(name, data=data_of(file.get("url"))))
        elif name:
            said.names.append(name)
    chat.left_out["file"] += len(said.names)
    chat.messages.append(said)


def _content(content: Any, said: Said, chat: ForeignChat) -> str:
    if not isinstance(content, list):
        return text_of(content)
    texts = []
    for part in map(fields_of, content):
        if "text" in part:
            texts.append(text_of(part.get("text")))
        elif part.get("type") == "image_url":
            said.pictures.append(Given("picture", data=data_of(fields_of(part.get("image_url")).get("url"))))
        else:
            chat.left_out["unknown"] += 1
    return joined(texts)


def _without_details(text: str, said: Said, chat: ForeignChat) -> str:
    thoughts = []
    for kind, attributes, inside in _DETAILS.findall(text):
        if kind == "reasoning":
            thoughts.append(unescape(_QUOTE.sub("", _SUMMARY.sub("", inside))))
            seconds = _DURATION.search(attributes)
            said.thinking_s = float(seconds[1]) if seconds else None
        elif kind in ("tool_calls", "code_interpreter"):
            chat.left_out["tool"] += 1
    plain, thinking = split_thinking(_DETAILS.sub("", text))
    said.thinking = joined([*thoughts, thinking])
    return plain.strip("\n") if said.thinking else plain


def _stats(usage: dict[str, Any]) -> AnswerStats | None:
    """From the usage that OpenAI's interface gives, or from Ollama's figures (nanoseconds)."""
    asked = count_of(usage.get("prompt_tokens")) or count_of(usage.get("prompt_eval_count"))
    written = count_of(usage.get("completion_tokens")) or count_of(usage.get("eval_count"))
    if not written:
        return None
    took = number_of(usage.get("eval_duration")) or 0.0
    speed = number_of(usage.get("response_token/s")) or (written / took * 1e9 if took > 0 else 0.0)
    first = (number_of(usage.get("prompt_eval_duration")) or 0.0) / 1e9
    return AnswerStats(asked, 0, written, max(0.0, first), max(0.0, speed), FinishReason.STOP)
