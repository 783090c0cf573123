"""Chats of other programs' files, each in its own form: ChatGPT, Claude, LM Studio, Jan and Open WebUI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any

from app.core.events import AnswerStats, FinishReason
from app.features.exchange.foreign import (
    ForeignChat,
    ForeignMessage,
    GivenPicture,
    count_of,
    data_of,
    fields_of,
    join_texts,
    list_of,
    name_of,
    number_of,
    seconds_of,
    split_thinking,
    text_of,
)
from app.features.exchange.json_pieces import read_value
from app.store.conversations import MessageState

# ChatGPT's data export, after public readers and their descriptions: mitkury/chatgpt-export-parser (`docs/`), Open
# WebUI's `convertOpenAIChats`, mohamed-chs/convoviz; OpenAI documents none of it. `conversations.json` (newer exports
# have several, numbered) is a list of conversations: `mapping` has the nodes by id with `parent` and `message`, of
# which only some are turns; `current_node` is the end of the open branch. A message's `content` has a `content_type`,
# and text in `parts` or `text`. A picture is a part with an `asset_pointer`, after whose id its file is named
# (`file-ID-name.png`, `dalle-generations/`, `user-…/file_ID-….png`; newer `file_ID.dat`); `metadata.attachments` has
# what it was called. What a model drew stands in a tool's answer, in the same way or, where code drew it, in
# `metadata.aggregate_result.messages`.
_MARKS = re.compile("\ue200[^\ue201]{0,2000}\ue201")
"""References to search results, which only ChatGPT's page can show."""
_NOT_SHOWN = ("user_editable_context", "model_editable_context", "system_error", "reasoning_recap")
_PICTURES = ("image_asset_pointer",)
_VOICE = ("audio_asset_pointer", "real_time_user_audio_video_asset_pointer", "video_container_asset_pointer")
_CANVAS = "canmore.create_textdoc"
_AFTER_ID = re.compile("[?#]")


def is_of_chatgpt(value: dict[str, Any]) -> bool:
    """Return whether an object of a file is a ChatGPT conversation."""
    return isinstance(value.get("mapping"), dict)


def read_chatgpt(value: dict[str, Any]) -> ForeignChat:
    chat = ForeignChat(
        text_of(value.get("title")),
        model=name_of(value.get("default_model_slug")),
        created_at=seconds_of(value.get("create_time")),
        updated_at=seconds_of(value.get("update_time")),
        is_pinned=value.get("is_starred") is True,
        shown=text_of(value.get("current_node")),
    )
    for name, node in fields_of(value.get("mapping")).items():
        if not isinstance(node, dict):
            chat.left_out["damaged"] += 1
            continue
        message, parent = fields_of(node.get("message")), node.get("parent")
        said = ForeignMessage(name, parent if isinstance(parent, str) and parent else None, "")
        _read_message(said, message, chat)
        chat.messages.append(said)
    _give_seconds_to_thoughts(chat)
    return chat


def _give_seconds_to_thoughts(chat: ForeignChat) -> None:
    """Attach thinking times, which are stored in a separate node below the thoughts."""
    messages = {message.id: message for message in chat.messages}
    for message in chat.messages:
        above = messages.get(message.parent or "")
        if message.thinking_s is not None and above is not None and above.thinking:
            above.thinking_s = message.thinking_s


def _read_message(said: ForeignMessage, message: dict[str, Any], chat: ForeignChat) -> None:
    metadata, content = fields_of(message.get("metadata")), fields_of(message.get("content"))
    role, kind = text_of(fields_of(message.get("author")).get("role")), text_of(content.get("content_type"))
    # The time comes for every node, also for those that only link others.
    said.created_at = seconds_of(message.get("create_time"))
    if kind == "reasoning_recap":
        said.thinking_s = number_of(metadata.get("finished_duration_sec"))
    if role not in ("user", "assistant") or _is_tool_call(message) or kind in _NOT_SHOWN:
        # Tools and hidden instructions stay as nodes, since turns hang below them.
        _count_left_out(role, kind, content, message, chat)
        if _is_canvas(message):
            # A canvas is the document that the answer is about, so it becomes the answer's text.
            said.role, said.text = "assistant", _canvas_text(content)
        elif role == "tool":
            # What a tool drew is shown, the call isn't.
            said.role, said.pictures = "assistant", [*_message_pictures(content, {}), *_code_charts(metadata)]
        return
    if metadata.get("is_visually_hidden_from_conversation") is True:
        return
    said.role = role
    said.model = name_of(metadata.get("model_slug")) if role == "assistant" else ""
    attached = list(map(fields_of, list_of(metadata.get("attachments"))))
    names = {text_of(fields.get("id")): name_of(fields.get("name")) for fields in attached}
    said.pictures = list(_message_pictures(content, names))
    assets = {picture.asset for picture in said.pictures}
    # Pictures are attachments, too, and would be named twice.
    said.names = [name_of(fields.get("name")) for fields in attached if text_of(fields.get("id")) not in assets]
    said.names = [name for name in said.names if name]
    chat.left_out["file"] += len(said.names)
    if message.get("status") in ("in_progress", "finished_partial_completion"):
        said.state = MessageState.INTERRUPTED
    if kind == "thoughts":
        said.thinking = join_texts(_thought_text(fields_of(thought)) for thought in list_of(content.get("thoughts")))
    else:
        said.text = _content_text(content, kind, chat)


def _is_tool_call(message: dict[str, Any]) -> bool:
    # An answer "to" anybody but all is a call.
    return text_of(message.get("recipient")) not in ("", "all")


def _is_canvas(message: dict[str, Any]) -> bool:
    return text_of(message.get("recipient")) == _CANVAS


def _count_left_out(role: str, kind: str, content: dict[str, Any], message: dict[str, Any], chat: ForeignChat) -> None:
    parts = [part for part in list_of(content.get("parts")) if part]
    if role != "tool":  # of these they come along
        chat.left_out["picture"] += sum(fields_of(part).get("content_type") in _PICTURES for part in parts)
    if _is_canvas(message):
        return
    if role == "tool" or _is_tool_call(message):
        chat.left_out["tool"] += 1
    elif kind in ("user_editable_context", "model_editable_context") or (role == "system" and parts):
        chat.left_out["system"] += 1


def _message_pictures(content: dict[str, Any], names: dict[str, str]) -> Iterator[GivenPicture]:
    """Yield a message's pictures; the export has files by the pointer's id, and names for some."""
    for part in map(fields_of, list_of(content.get("parts"))):
        if text_of(part.get("content_type")) in _PICTURES:
            asset = _asset_id(part.get("asset_pointer"))
            # The pointer names a size where the attachment's name is missing.
            yield GivenPicture(names.get(asset) or _picture_name(part, part.get("asset_pointer")), asset)


def _code_charts(metadata: dict[str, Any]) -> Iterator[GivenPicture]:
    """Yield pictures drawn by code, as in published conversations of 2023 and 2025."""
    for fields in map(fields_of, list_of(fields_of(metadata.get("aggregate_result")).get("messages"))):
        if text_of(fields.get("message_type")) == "image":
            yield GivenPicture(_picture_name(fields, fields.get("image_url")), _asset_id(fields.get("image_url")))


def _asset_id(pointer: Any) -> str:
    """Return the id in a pointer such as "file-service://file-Ab1"."""
    return _AFTER_ID.split(text_of(pointer).rpartition("/")[2], maxsplit=1)[0]


def _content_text(content: dict[str, Any], kind: str, chat: ForeignChat) -> str:
    if kind == "code":
        return _code_block(text_of(content.get("text")), text_of(content.get("language")))
    parts = list_of(content.get("parts")) or [content.get("text") or content.get("result")]
    texts = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            texts.append(_part_text(part, chat))
        elif part is not None:
            chat.left_out["unknown"] += 1
    text = join_texts(texts)
    # Marks of searches are private-use characters, which only their page can resolve.
    plain = _MARKS.sub("", text)
    chat.left_out["reference"] += len(_MARKS.findall(text))
    return plain


def _part_text(part: dict[str, Any], chat: ForeignChat) -> str:
    # Newer parts of spoken chats hold their transcript.
    if (kind := text_of(part.get("content_type"))) == "audio_transcription" or "text" in part:
        return text_of(part.get("text"))
    if kind in _VOICE:
        chat.left_out["voice"] += 1
    elif kind not in _PICTURES:
        chat.left_out["unknown"] += 1
    return ""


def _picture_name(part: dict[str, Any], pointer: Any) -> str:
    name = name_of(pointer).rpartition("/")[2] or "picture"
    width, height = number_of(part.get("width")), number_of(part.get("height"))
    return f"{name} ({width:.0f} × {height:.0f})" if width and height else name


def _thought_text(thought: dict[str, Any]) -> str:
    return join_texts([text_of(thought.get("summary")), text_of(thought.get("content"))])


def _code_block(text: str, language: str) -> str:
    # A fence longer than any in the text.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`{3,}", text)), default=0))
    name = language if language.isalnum() and language != "unknown" else ""
    return f"{fence}{name}\n{text.strip(chr(10))}\n{fence}" if text.strip() else ""


def _canvas_text(content: dict[str, Any]) -> str:
    """Return a canvas's document, which is in full in the call to the tool."""
    source = text_of(content.get("text")) or join_texts(text_of(part) for part in list_of(content.get("parts")))
    try:
        document = fields_of(read_value(source.encode("utf-8", "replace")))
    except ValueError:
        return ""
    text, kind = text_of(document.get("content")), text_of(document.get("type"))
    return _code_block(text, kind.partition("/")[2]) if kind.startswith("code/") else text


# Claude's data export, after public readers: Sinity/polylogue (`docs/providers/claude-ai.md`), nicepkg/chat2poster (its
# types), socketteer/Claude-Conversation-Exporter. `conversations.json` is a list of conversations with `chat_messages`;
# each has `sender`, blocks in `content` (the older `text` holds the same, or nothing), `attachments` and `files`. A
# long paste is an attachment without a name. Parents are there in newer exports only; the top has one of zeros.
_TOP = "00000000-0000-"
_ROLES = {"human": "user", "user": "user", "assistant": "assistant"}
_TOOLS = ("tool_use", "tool_result", "server_tool_use", "web_search_tool_result")


def is_of_claude(value: dict[str, Any]) -> bool:
    """Return whether an object of a file is a Claude conversation."""
    return isinstance(value.get("chat_messages"), list)


def read_claude(value: dict[str, Any]) -> ForeignChat:
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
        # Without an id, its number stands for one.
        said = _said_to_claude(message, text_of(message.get("uuid")) or f"#{number}", before, chat)
        chat.messages.append(said)
        before = said.id
    # Older exports don't say which branch was open.
    if not chat.shown and chat.messages:
        chat.shown = chat.messages[-1].id
    return chat


def _said_to_claude(message: dict[str, Any], name: str, before: str | None, chat: ForeignChat) -> ForeignMessage:
    parent = before
    if isinstance(given := message.get("parent_message_uuid"), str):
        # Zeros stand for the top.
        parent = None if given.startswith(_TOP) else given
    said = ForeignMessage(name, parent, _ROLES.get(text_of(message.get("sender")), ""))
    if not said.role:
        chat.left_out["unknown"] += 1
    said.created_at = seconds_of(message.get("created_at"))
    blocks, texts, thoughts = list_of(message.get("content")), [], []
    for block in map(fields_of, blocks):
        if (kind := text_of(block.get("type"))) == "text":
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
    pastes = _attachment_texts(message, said, chat)
    # Older exports have the text beside empty blocks.
    said.text = join_texts([*pastes, join_texts(texts) or text_of(message.get("text"))])
    said.thinking = join_texts(thoughts)
    if message.get("truncated") is True or message.get("stop_reason") == "user_canceled":
        said.state = MessageState.STOPPED
    return said


def _attachment_texts(message: dict[str, Any], said: ForeignMessage, chat: ForeignChat) -> list[str]:
    """Add attachment names to the message; return the texts of long pastes, which have no name."""
    pastes = []
    # The same file may be in several of these lists.
    for key in ("attachments", "files", "files_v2"):
        for fields in map(fields_of, list_of(message.get(key))):
            if not (name := name_of(fields.get("file_name"))):
                pastes.append(text_of(fields.get("extracted_content")))
            elif name not in said.names:
                said.names.append(name)
    chat.left_out["file"] += len(said.names)
    return pastes


def _with_seconds(so_far: float | None, block: dict[str, Any]) -> float | None:
    start, stop = seconds_of(block.get("start_timestamp")), seconds_of(block.get("stop_timestamp"))
    return so_far if start is None or stop is None or stop < start else (so_far or 0.0) + stop - start


# LM Studio's files in `~/.lmstudio/conversations`, after YorkieDev/lm-studio-conversation-converter and others'
# converters to this format. A message has `versions` and `currentlySelected`; what comes later was said after that
# version. A version is a `singleStep` with `content`, or a `multiStep` whose steps are blocks of content, thinking
# among them by their `style`, and what tools did.
_SYSTEM = "llm.prediction.systemPrompt"
_SECONDS = re.compile(r"(\d+(?:\.\d+)?) ?s")
_FINISHED = {
    "maxPredictedTokensReached": FinishReason.LENGTH,
    "contextLengthReached": FinishReason.CONTEXT,
    "userStopped": FinishReason.CANCELLED,
}


def is_of_lm_studio(value: dict[str, Any]) -> bool:
    """Return whether a file's object is an LM Studio chat."""
    messages = value.get("messages")
    # Open WebUI and ChatGPT have a list of messages, too, but not of versions.
    if not isinstance(messages, list) or "mapping" in value or "chat" in value:
        return False
    if not messages:
        return "lastUsedModel" in value or "perChatPredictionConfig" in value
    return isinstance(fields_of(messages[0]).get("versions"), list)


def read_lm_studio(value: dict[str, Any]) -> ForeignChat:
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
        versions = [version for version in list_of(fields_of(message).get("versions")) if isinstance(version, dict)]
        if not versions:
            chat.left_out["damaged"] += 1
            continue
        said = [_version_message(version, f"{number}.{at}", parent, chat) for at, version in enumerate(versions)]
        chat.messages += said
        selected = count_of(fields_of(message).get("currentlySelected"))
        # What follows was said after the version that was chosen.
        parent = said[selected if selected < len(said) else -1].id
    chat.shown = parent or ""
    return chat


def _system_prompt(value: dict[str, Any]) -> str:
    for fields in map(fields_of, list_of(fields_of(value.get("perChatPredictionConfig")).get("fields"))):
        if fields.get("key") == _SYSTEM:
            return text_of(fields.get("value"))
    return text_of(value.get("systemPrompt"))


def _version_message(version: dict[str, Any], name: str, parent: str | None, chat: ForeignChat) -> ForeignMessage:
    said = ForeignMessage(name, parent, text_of(version.get("role")))
    said.model = name_of(fields_of(version.get("senderInfo")).get("senderName")) if said.role == "assistant" else ""
    if said.role == "system":
        chat.left_out["system"] += 1
    texts, thoughts = [_content_of(version.get("content"), said, chat)], []
    for step in map(fields_of, list_of(version.get("steps"))):
        kind, style = text_of(step.get("type")), fields_of(step.get("style"))
        if kind == "toolStatus":
            chat.left_out["tool"] += 1
        if kind != "contentBlock":
            continue
        text = _content_of(step.get("content"), said, chat)
        if style.get("type") == "thinking":
            thoughts.append(text)
            # The duration is only in the title, "Thought for 12.3 seconds".
            seconds = _SECONDS.search(text_of(style.get("title"))[:100])
            said.thinking_s = float(seconds[1]) if seconds else said.thinking_s
        else:
            texts.append(text)
        _read_generation(fields_of(step.get("genInfo")), said)
    said.text, said.thinking = join_texts(texts), join_texts(thoughts)
    return said


def _content_of(content: Any, said: ForeignMessage, chat: ForeignChat) -> str:
    if isinstance(content, str):
        return content
    texts = []
    for part in map(fields_of, list_of(content)):
        if (kind := text_of(part.get("type"))) == "text":
            texts.append(text_of(part.get("text")))
        elif kind == "file":
            asset = text_of(part.get("fileIdentifier"))
            name = name_of(part.get("name")) or name_of(asset) or "file"
            # Other files are named only: their text isn't in the chat.
            if part.get("fileType") == "image":
                said.pictures.append(GivenPicture(name, asset))
            else:
                said.names.append(name)
                chat.left_out["file"] += 1
        elif not kind.startswith("tool"):  # a tool's status counts it already
            chat.left_out["unknown"] += 1
    return join_texts(texts)


def _read_generation(info: dict[str, Any], said: ForeignMessage) -> None:
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


# Jan's folders, after its own sources (janhq/jan, `core/src/types/thread` and `core/src/types/message`):
# `threads/<id>/thread.json` has title, assistants and times, `messages.jsonl` the messages in their order, with parts
# of text, reasoning, pictures and tools in `content`.
_STATES = {"stopped": MessageState.STOPPED, "error": MessageState.FAILED, "pending": MessageState.INTERRUPTED}


def read_jan(thread: dict[str, Any], lines: Iterable[bytes | None]) -> ForeignChat:
    """Read a thread's chat from its lines; a None line was too long."""
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
        chat.messages.append(_line_message(message, chat))
    chat.shown = chat.messages[-1].id if chat.messages else ""
    return chat


def _line_message(message: dict[str, Any], chat: ForeignChat) -> ForeignMessage:
    # Jan has no branches: each message follows the one before.
    before = chat.messages[-1].id if chat.messages else None
    said = ForeignMessage(str(len(chat.messages)), before, text_of(message.get("role")))
    said.created_at = seconds_of(message.get("created_at"))
    said.state = _STATES.get(text_of(message.get("status")), MessageState.COMPLETE)
    metadata = fields_of(message.get("metadata"))
    said.model = name_of(metadata.get("modelId")) or name_of(fields_of(metadata.get("model")).get("id"))
    if said.role in ("system", "tool"):
        chat.left_out[said.role] += 1
    texts, thoughts = [], []
    for part in _content_parts(message.get("content")):
        kind, text = text_of(part.get("type")), part.get("text")
        # The text is a string or an object, by version.
        value = text if isinstance(text, str) else text_of(fields_of(text).get("value"))
        if kind == "text":
            plain, thinking = split_thinking(value)
            texts.append(plain)
            thoughts.append(thinking)
        elif kind == "reasoning":
            thoughts.append(value)
        elif kind in ("image_url", "image"):
            said.pictures.append(GivenPicture("picture", data=data_of(fields_of(part.get("image_url")).get("url"))))
        elif kind in ("tool_call", "tool"):
            chat.left_out["tool"] += 1
        else:
            chat.left_out["unknown"] += 1
    chat.left_out["file"] += len(list_of(message.get("attachments")))
    said.text, said.thinking = join_texts(texts), join_texts(thoughts)
    return said


def _content_parts(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [fields_of(part) for part in list_of(content)]


# Open WebUI's export, after its own sources (`backend/open_webui/models/chats.py`, `src/lib/utils/index.ts`): a list of
# rows with `title`, `created_at` and `chat`, whose `history` has `messages` by id with `parentId`, and `currentId`.
# Older ones have only the list `messages`. Pictures are `files` of a message, in older ones with what they hold in
# `url`; newer ones only name where the server has them. What a model thought stands in the text, in `<details
# type="reasoning">`, escaped.
_DETAILS = re.compile(r'<details type="(\w+)"([^>]*)>(.*?)</details>', re.DOTALL)
_SUMMARY = re.compile(r"\A\s*<summary>.*?</summary>", re.DOTALL)
_DURATION = re.compile(r'duration="(\d+(?:\.\d+)?)"')
_QUOTE = re.compile(r"^&gt; ?|^> ?", re.MULTILINE)


def is_of_open_webui(value: dict[str, Any]) -> bool:
    """Return whether an object of a file is an Open WebUI chat."""
    # A row of the export, or the chat alone.
    chat = fields_of(value.get("chat")) or value
    return isinstance(fields_of(chat.get("history")).get("messages"), dict) or (
        "chat" in value and isinstance(chat.get("messages"), list)
    )


def read_open_webui(value: dict[str, Any]) -> ForeignChat:
    """Read the chat of one row, or of its `chat` alone."""
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
    if messages := fields_of(history.get("messages")):
        for name, message in messages.items():
            parent = fields_of(message).get("parentId")
            _add_message(message, name, parent if isinstance(parent, str) and parent else None, chat)
        chat.shown = text_of(history.get("currentId"))
    else:
        for number, message in enumerate(list_of(body.get("messages"))):
            _add_message(message, str(number), chat.messages[-1].id if chat.messages else None, chat)
        chat.shown = chat.messages[-1].id if chat.messages else ""
    return chat


def _add_message(message: Any, name: str, parent: str | None, chat: ForeignChat) -> None:
    if not isinstance(message, dict):
        chat.left_out["damaged"] += 1
        return
    said = ForeignMessage(name, parent, text_of(message.get("role")), created_at=seconds_of(message.get("timestamp")))
    if said.role == "system":
        # The first system message is the chat's instructions.
        chat.system_prompt = chat.system_prompt or text_of(message.get("content"))
    text = _read_content(message.get("content"), said, chat)
    if said.role == "assistant":
        said.model = name_of(message.get("model"))
        said.stats = _usage_stats(fields_of(message.get("usage")) or fields_of(message.get("info")))
        text = _without_details(text, said, chat)
        if message.get("done") is False:
            said.state = MessageState.INTERRUPTED
        # An answer that is an error has no text to keep.
        if message.get("error") and not text:
            chat.left_out["error"] += 1
    said.text = text
    for file in map(fields_of, list_of(message.get("files"))):
        name = name_of(file.get("name")) or name_of(file.get("type"))
        if file.get("type") == "image":
            said.pictures.append(GivenPicture(name, data=data_of(file.get("url"))))
        elif name:
            said.names.append(name)
    chat.left_out["file"] += len(said.names)
    chat.messages.append(said)


def _read_content(content: Any, said: ForeignMessage, chat: ForeignChat) -> str:
    if not isinstance(content, list):
        return text_of(content)
    texts = []
    for part in map(fields_of, content):
        if "text" in part:
            texts.append(text_of(part.get("text")))
        elif part.get("type") == "image_url":
            said.pictures.append(GivenPicture("picture", data=data_of(fields_of(part.get("image_url")).get("url"))))
        else:
            chat.left_out["unknown"] += 1
    return join_texts(texts)


def _without_details(text: str, said: ForeignMessage, chat: ForeignChat) -> str:
    thoughts = []
    for kind, attributes, inside in _DETAILS.findall(text):
        if kind == "reasoning":
            # Thinking is quoted and escaped inside its details.
            thoughts.append(unescape(_QUOTE.sub("", _SUMMARY.sub("", inside))))
            seconds = _DURATION.search(attributes)
            said.thinking_s = float(seconds[1]) if seconds else None
        elif kind in ("tool_calls", "code_interpreter"):
            chat.left_out["tool"] += 1
    # Newer models write `<think>` without details.
    plain, thinking = split_thinking(_DETAILS.sub("", text))
    said.thinking = join_texts([*thoughts, thinking])
    return plain.strip("\n") if said.thinking else plain


def _usage_stats(usage: dict[str, Any]) -> AnswerStats | None:
    """Convert usage in OpenAI's format, or Ollama's figures (nanoseconds)."""
    asked = count_of(usage.get("prompt_tokens")) or count_of(usage.get("prompt_eval_count"))
    written = count_of(usage.get("completion_tokens")) or count_of(usage.get("eval_count"))
    if not written:
        return None
    # Ollama counts in nanoseconds.
    took = number_of(usage.get("eval_duration")) or 0.0
    speed = number_of(usage.get("response_token/s")) or (written / took * 1e9 if took > 0 else 0.0)
    first = (number_of(usage.get("prompt_eval_duration")) or 0.0) / 1e9
    return AnswerStats(asked, 0, written, max(0.0, first), max(0.0, speed), FinishReason.STOP)
