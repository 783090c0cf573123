"""Exports as other programs write them, built after their formats (see the modules that read them)."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

Fields = dict[str, Any]


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def put_zip(path: Path, members: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in members.items():
            archive.writestr(name, value if isinstance(value, bytes) else json.dumps(value))
    return path


# ChatGPT


def gpt_node(
    name: str, parent: str | None, role: str, parts: list[Any], kind: str = "text", **more: Any
) -> tuple[str, Fields]:
    content: Fields = {"content_type": kind, "parts": parts} | more.pop("content", {})
    message = {
        "id": name,
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": 1_700_000_000.5 + len(name),
        "update_time": None,
        "content": content,
        "status": "finished_successfully",
        "end_turn": True,
        "weight": 1.0,
        "metadata": {},
        "recipient": "all",
        "channel": None,
    }
    return name, {"id": name, "message": message | more, "parent": parent, "children": []}


def gpt_chat(*nodes: tuple[str, Fields], current: str, **more: Any) -> Fields:
    mapping: Fields = {"client-created-root": {"id": "root", "message": None, "parent": None, "children": []}}
    mapping |= dict(nodes)
    for name, node in mapping.items():
        if node["parent"] in mapping:
            mapping[node["parent"]]["children"].append(name)
    return {
        "title": "Boats",
        "create_time": 1_700_000_000.25,
        "update_time": 1_700_000_900.0,
        "mapping": mapping,
        "moderation_results": [],
        "current_node": current,
        "conversation_id": "c-1",
        "default_model_slug": "gpt-4o",
        "is_archived": False,
    } | more


def gpt_example() -> Fields:
    """An edited question, an answer made again, thoughts, a tool, a picture, a voice, hidden instructions."""
    root = "client-created-root"
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_7", "width": 640, "height": 480}
    thought = {"summary": "Hm", "content": "A ship?"}
    voice = {"content_type": "audio_asset_pointer", "asset_pointer": "sediment://file_8"}
    return gpt_chat(
        gpt_node("sys", root, "system", [""], metadata={"is_visually_hidden_from_conversation": True}),
        gpt_node("ctx", "sys", "user", [], "user_editable_context", content={"user_profile": "secret"}),
        gpt_node("q1", "ctx", "user", ["What floats?"]),
        gpt_node("a1", "q1", "assistant", ["Wood."], metadata={"model_slug": "gpt-4"}),
        gpt_node("q2", "ctx", "user", [picture, "And this?"], "multimodal_text"),
        gpt_node("t", "q2", "assistant", [], "thoughts", content={"thoughts": [thought]}),
        gpt_node("r", "t", "assistant", [], "reasoning_recap", metadata={"finished_duration_sec": 8}),
        gpt_node("c", "r", "assistant", [], "code", content={"text": "search('x')"}, recipient="web.run"),
        gpt_node("o", "c", "tool", ["found it"], "tether_quote"),
        gpt_node("a2", "o", "assistant", ["A ship.\ue200cite\ue202turn0\ue201"], metadata={"model_slug": "o3"}),
        gpt_node("a3", "q2", "assistant", [{"content_type": "audio_transcription", "text": "A boat."}, voice], "text"),
        gpt_node("q3", "a2", "user", ["Sure?"], metadata={"attachments": [{"id": "f", "name": "plan.pdf"}]}),
        current="q3",
    )  # fmt: skip


# Claude


def claude_message(name: str, sender: str, content: list[Fields], **more: Any) -> Fields:
    text = "\n".join(one["text"] for one in content if one["type"] == "text")
    moment = "2025-03-04T05:06:07.000001Z"
    return {
        "uuid": name,
        "text": text,
        "content": content,
        "sender": sender,
        "created_at": moment,
        "updated_at": moment,
        "attachments": [],
        "files": [],
    } | more


def claude_example() -> Fields:
    top = "00000000-0000-4000-8000-000000000000"
    thinking = {
        "type": "thinking",
        "thinking": "Rivers flow down.",
        "start_timestamp": "2025-03-04T05:06:07Z",
        "stop_timestamp": "2025-03-04T05:06:09.5Z",
    }
    paste = {"file_name": "", "file_size": 9, "file_type": "txt", "extracted_content": "a long paste"}
    return {
        "uuid": "k-1",
        "name": "Rivers",
        "created_at": "2025-03-04T05:06:07.000000Z",
        "updated_at": "2025-03-05T05:06:07.000000+00:00",
        "account": {"uuid": "x"},
        "current_leaf_message_uuid": "m3",
        "chat_messages": [
            claude_message("m1", "human", [{"type": "text", "text": "Why?"}], parent_message_uuid=top,
                           attachments=[paste], files=[{"file_name": "map.png"}]),
            claude_message("m2", "assistant", [{"type": "text", "text": "Rain."}], parent_message_uuid="m1"),
            claude_message("m3", "assistant", [thinking, {"type": "tool_use", "name": "web", "input": {}},
                                               {"type": "tool_result", "content": []},
                                               {"type": "text", "text": "Slope."}], parent_message_uuid="m1"),
        ],
    }  # fmt: skip


# LM Studio


def lm_example() -> Fields:
    stats = {
        "stopReason": "userStopped",
        "tokensPerSecond": 21.5,
        "timeToFirstTokenSec": 0.25,
        "promptTokensCount": 40,
        "predictedTokensCount": 12,
    }
    thought = {"type": "thinking", "ended": True, "title": "Thought for 3.2 seconds"}
    steps = [
        {"type": "contentBlock", "content": [{"type": "text", "text": "Think of heat."}], "style": thought},
        {"type": "toolStatus", "statusState": {}},
        {"type": "contentBlock", "content": [{"type": "toolCallResult"}]},
        {
            "type": "contentBlock",
            "content": [{"type": "text", "text": "It melts."}],
            "genInfo": {"identifier": "qwen3-4b", "stats": stats},
        },
        {"type": "debugInfoBlock", "debugInfo": "x"},
    ]
    file = {"type": "file", "fileIdentifier": "1721 - ice.png", "fileType": "image", "sizeBytes": 3}
    ask, again = ({"type": "text", "text": text} for text in ("What does ice do?", "And ice?"))
    return {
        "name": "Ice",
        "pinned": True,
        "createdAt": 1_721_000_000_123,
        "tokenCount": 52,
        "systemPrompt": "",
        "perChatPredictionConfig": {"fields": [{"key": "llm.prediction.systemPrompt", "value": "Be cool."}]},
        "lastUsedModel": {"identifier": "llama-3", "indexedModelIdentifier": "x/llama-3.gguf"},
        "messages": [
            {"versions": [{"type": "singleStep", "role": "user", "content": [ask]},
                          {"type": "singleStep", "role": "user", "content": [again, file]}], "currentlySelected": 1},
            {"versions": [{"type": "multiStep", "role": "assistant", "steps": steps,
                           "senderInfo": {"senderName": "qwen3"}},
                          {"type": "singleStep", "role": "assistant", "content": "It cools."}],
             "currentlySelected": 0},
            {"versions": [{"type": "singleStep", "role": "user", "content": [{"type": "text", "text": "Thanks"}]}],
             "currentlySelected": 0},
        ],
    }  # fmt: skip


# Jan


def jan_line(role: str, *parts: Fields, **more: Any) -> str:
    fields = {
        "id": "01J",
        "object": "thread.message",
        "thread_id": "t1",
        "role": role,
        "content": list(parts),
        "status": "ready",
        "created_at": 1_730_000_000_500,
        "completed_at": 1_730_000_001_000,
    }
    return json.dumps(fields | more)


def jan_text(text: str, kind: str = "text") -> Fields:
    return {"type": kind, "text": {"value": text, "annotations": []}}


def jan_example(folder: Path) -> Path:
    thread = {
        "id": "t1",
        "object": "thread",
        "title": "Tea",
        "assistants": [{"assistant_id": "jan", "model": {"id": "tiny", "engine": "llamacpp"}, "instructions": "Brew."}],
        "created": 1_730_000_000,
        "updated": 1_730_000_100.5,
        "metadata": {},
    }
    put(folder / "threads" / "t1" / "thread.json", thread)
    lines = [
        jan_line("user", jan_text("How hot?"), {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}),
        jan_line("assistant", jan_text("<think>\nGreen?\n</think>\n\n80 degrees.")),
        "{ not json",
        jan_line("user", jan_text("And black?")),
        jan_line("assistant", jan_text("Boiling.", "reasoning"), jan_text("95."), status="stopped"),
    ]
    (folder / "threads" / "t1" / "messages.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


# Open WebUI


def webui_message(name: str, parent: str | None, role: str, content: Any, **more: Any) -> tuple[str, Fields]:
    fields = {"id": name, "parentId": parent, "childrenIds": [], "role": role, "content": content}
    return name, fields | {"timestamp": 1_740_000_000} | more


def webui_example() -> Fields:
    thought = (
        '<details type="reasoning" done="true" duration="5">\n<summary>Thought for 5 seconds</summary>\n'
        "&gt; 2 &lt; 3, so\n&gt; yes\n</details>\nYes."
    )
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "response_token/s": 9.5}
    messages = dict(
        [
            webui_message("u1", None, "user", "Is 2 < 3?", files=[{"type": "file", "name": "sums.txt"}]),
            webui_message("a1", "u1", "assistant", thought, model="phi4:latest", done=True, usage=usage),
            webui_message("a2", "u1", "assistant", "No.", model="tiny:1b", done=False),
        ]
    )
    return {
        "id": "w-1",
        "user_id": "u",
        "title": "Sums",
        "chat": {
            "title": "Sums",
            "models": ["phi4:latest"],
            "params": {"system": "Count."},
            "history": {"messages": messages, "currentId": "a1"},
            "messages": [],
        },
        "created_at": 1_740_000_000,
        "updated_at": 1_740_000_500,
        "pinned": True,
        "meta": {"tags": []},
    }
