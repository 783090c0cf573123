"""Chats of ChatGPT's data export: a tree of nodes for each, of which only some are turns.

After public readers of the format and their descriptions: mitkury/chatgpt-export-parser (`docs/`), Open WebUI's
`convertOpenAIChats`, mohamed-chs/convoviz. OpenAI documents none of it. `conversations.json` (in newer exports several,
numbered) is a list of conversations: `mapping` has the nodes by id with `parent` and `message`, `current_node` is the
end of the open branch. A message's `content` has a `content_type`, and text in `parts` or `text`. A picture is a part
with an `asset_pointer`, after whose id its file beside the list is named (`file-ID-name.png`, `dalle-generations/`,
`user-…/file_ID-….png`; newer `file_ID.dat`); `metadata.attachments` has what it was called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from app.features.exchange.foreign import (
    ForeignChat,
    Given,
    Said,
    fields_of,
    joined,
    list_of,
    name_of,
    number_of,
    seconds_of,
    text_of,
)
from app.features.exchange.json_pieces import read_value
from app.store.conversations import MessageState

_MARKS = re.compile("\ue200[^\ue201]{0,2000}\ue201")
"""References to search results, which only ChatGPT's page can show."""
_NOT_SHOWN = ("user_editable_context", "model_editable_context", "system_error", "reasoning_recap")
_PICTURES = ("image_asset_pointer",)
_VOICE = ("audio_asset_pointer", "real_time_user_audio_video_asset_pointer", "video_container_asset_pointer")
_CANVAS = "canmore.create_textdoc"
_AFTER_ID = re.compile("[?#]")


def is_chat(value: dict[str, Any]) -> bool:
    """Whether an object of a file looks like one of these."""
    return isinstance(value.get("mapping"), dict)


def read_chat(value: dict[str, Any]) -> ForeignChat:
    """The chat of one conversation object."""
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
        said = Said(name, parent if isinstance(parent, str) and parent else None, "")
        _read_message(said, message, chat)
        chat.messages.append(said)
    _give_seconds_to_thoughts(chat)
    return chat


def _give_seconds_to_thoughts(chat: ForeignChat) -> None:
    """How long was thought stands in a node of its own below the thoughts."""
    messages = {one.id: one for one in chat.messages}
    for one in chat.messages:
        above = messages.get(one.parent or "")
        if one.thinking_s is not None and above is not None and above.thinking:
            above.thinking_s = one.thinking_s


def _read_message(said: Said, message: dict[str, Any], chat: ForeignChat) -> None:
    metadata, content = fields_of(message.get("metadata")), fields_of(message.get("content"))
    role, kind = text_of(fields_of(message.get("author")).get("role")), text_of(content.get("content_type"))
    said.created_at = seconds_of(message.get("create_time"))
    if kind == "reasoning_recap":
        said.thinking_s = number_of(metadata.get("finished_duration_sec"))
    if role not in ("user", "assistant") or _is_tool_call(message) or kind in _NOT_SHOWN:
        _count_left_out(role, kind, content, message, chat)
        if _is_canvas(message):
            said.role, said.text = "assistant", _canvas(content)
        return
    if metadata.get("is_visually_hidden_from_conversation") is True:
        return
    said.role = role
    said.model = name_of(metadata.get("model_slug")) if role == "assistant" else ""
    attached = list(map(fields_of, list_of(metadata.get("attachments"))))
    names = {text_of(one.get("id")): name_of(one.get("name")) for one in attached}
    said.pictures = list(_pictures(content, names))
    assets = {one.asset for one in said.pictures}
    said.names = [name_of(one.get("name")) for one in attached if text_of(one.get("id")) not in assets]
    said.names = [name for name in said.names if name]
    chat.left_out["file"] += len(said.names)
    if message.get("status") in ("in_progress", "finished_partial_completion"):
        said.state = MessageState.INTERRUPTED
    if kind == "thoughts":
        said.thinking = joined(_thought(fields_of(one)) for one in list_of(content.get("thoughts")))
    else:
        said.text = _text(content, kind, chat)


def _is_tool_call(message: dict[str, Any]) -> bool:
    return text_of(message.get("recipient")) not in ("", "all")


def _is_canvas(message: dict[str, Any]) -> bool:
    return text_of(message.get("recipient")) == _CANVAS


def _count_left_out(role: str, kind: str, content: dict[str, Any], message: dict[str, Any], chat: ForeignChat) -> None:
    parts = [one for one in list_of(content.get("parts")) if one]
    chat.left_out["picture"] += sum(fields_of(one).get("content_type") in _PICTURES for one in parts)
    if _is_canvas(message):
        return
    if role == "tool" or _is_tool_call(message):
        chat.left_out["tool"] += 1
    elif kind in ("user_editable_context", "model_editable_context") or (role == "system" and parts):
        chat.left_out["system"] += 1


def _pictures(content: dict[str, Any], names: dict[str, str]) -> Iterator[Given]:
    """Those of a message; the export has their files by the id in the pointer, and the names of some."""
    for part in map(fields_of, list_of(content.get("parts"))):
        if text_of(part.get("content_type")) in _PICTURES:
            asset = _AFTER_ID.split(text_of(part.get("asset_pointer")).rpartition("/")[2], maxsplit=1)[0]
            yield Given(names.get(asset) or _picture_name(part), asset)


def _text(content: dict[str, Any], kind: str, chat: ForeignChat) -> str:
    if kind == "code":
        return _code(text_of(content.get("text")), text_of(content.get("language")))
    parts = list_of(content.get("parts")) or [content.get("text") or content.get("result")]
    texts = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            texts.append(_part(part, chat))
        elif part is not None:
            chat.left_out["unknown"] += 1
    text = joined(texts)
    plain = _MARKS.sub("", text)
    chat.left_out["reference"] += len(_MARKS.findall(text))
    return plain


def _part(part: dict[str, Any], chat: ForeignChat) -> str:
    kind = text_of(part.get("content_type"))
    if kind == "audio_transcription" or "text" in part:
        return text_of(part.get("text"))
    if kind in _VOICE:
        chat.left_out["voice"] += 1
    elif kind not in _PICTURES:
        chat.left_out["unknown"] += 1
    return ""


def _picture_name(part: dict[str, Any]) -> str:
    name = name_of(part.get("asset_pointer")).rpartition("/")[2] or "picture"
    width, height = number_of(part.get("width")), number_of(part.get("height"))
    return f"{name} ({width:.0f} × {height:.0f})" if width and height else name


def _thought(thought: dict[str, Any]) -> str:
    return joined([text_of(thought.get("summary")), text_of(thought.get("content"))])


def _code(text: str, language: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`{3,}", text)), default=0))
    name = language if language.isalnum() and language != "unknown" else ""
    return f"{fence}{name}\n{text.strip(chr(10))}\n{fence}" if text.strip() else ""


def _canvas(content: dict[str, Any]) -> str:
    """The document of a canvas, whose call to the tool holds all of it."""
    source = text_of(content.get("text")) or joined(text_of(one) for one in list_of(content.get("parts")))
    try:
        document = fields_of(read_value(source.encode("utf-8", "replace")))
    except ValueError:
        return ""
    text, kind = text_of(document.get("content")), text_of(document.get("type"))
    return _code(text, kind.partition("/")[2]) if kind.startswith("code/") else text
