"""Each program's chats as they arrive: branches, what is shown, thinking, and a count of what did not come along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.events import CancelToken, FinishReason, Role
from app.features.exchange.chat_file import ChatArchive
from app.features.exchange.chat_import import (
    ChatContinued,
    ChatImported,
    ChatIsHere,
    ImportFinished,
    import_chats,
    recognize_format,
)
from app.store.conversation_row import Conversation
from app.store.conversations import Conversations, MessageState, TreeMessage
from tests.features.exchange import makers


def imported(path: Path, shelf: ChatArchive, conversations: Conversations) -> tuple[ChatImported, Conversation]:
    events = [one for one in import_chats(path, shelf, CancelToken()) if isinstance(one, ChatImported)]
    (event,) = events
    chat = conversations.get(event.conversation_id)
    assert chat is not None
    return event, chat


def outline(shelf: ChatArchive, chat: Conversation) -> list[str]:
    """Every message with how deep it stands, its first letter and whether it is on the open branch."""
    depths: dict[int | None, int] = {None: -1}
    shown = {one.id for one in shelf.whole.iterate_branch(chat.id)}
    lines = []
    for one in shelf.whole.all_messages(chat.id):
        depths[one.id] = depths[one.parent_id] + 1
        lines.append(f"{depths[one.id]}{'*' if one.id in shown else ' '}{one.role[0]}: {one.text!r}")
    return lines


def by_text(shelf: ChatArchive, chat: Conversation, text: str) -> TreeMessage:
    return next(one for one in shelf.whole.all_messages(chat.id) if text in one.text)


def test_chatgpt(tmp_path: Path, shelf: ChatArchive, conversations: Conversations) -> None:
    members = {"user.json": {"id": "u"}, "conversations.json": [makers.gpt_example()], "chat.html": "x"}
    path = makers.put_zip(tmp_path / "export.zip", members)
    assert recognize_format(path) == "chatgpt"
    event, chat = imported(path, shelf, conversations)
    assert outline(shelf, chat) == [
        "0 u: 'What floats?'",
        "1 a: 'Wood.'",
        "0*u: 'And this?\\n\\n[Attached: file_7 (640 × 480)]'",
        "1*a: 'A ship.'",
        "2*u: 'Sure?\\n\\n[Attached: plan.pdf]'",
        "1 a: 'A boat.'",
    ]
    ship = by_text(shelf, chat, "A ship")
    assert (ship.thinking, ship.thinking_s, ship.model) == ("Hm\n\nA ship?", 8.0, "o3")
    assert by_text(shelf, chat, "A boat").model == "gpt-4o"
    assert (chat.title, chat.created_at, chat.updated_at) == ("Boats", 1_700_000_000.25, 1_700_000_900.0)
    assert event.left_out == {"system": 1, "tool": 2, "picture": 1, "reference": 1, "voice": 1, "file": 1}


def test_claude(tmp_path: Path, shelf: ChatArchive, conversations: Conversations) -> None:
    path = makers.put_zip(tmp_path / "data.zip", {"conversations.json": [makers.claude_example()], "users.json": []})
    assert recognize_format(path) == "claude"
    event, chat = imported(path, shelf, conversations)
    assert outline(shelf, chat) == [
        "0*u: 'a long paste\\n\\nWhy?\\n\\n[Attached: map.png]'",
        "1 a: 'Rain.'",
        "1*a: 'Slope.'",
    ]
    slope = by_text(shelf, chat, "Slope")
    assert (slope.thinking, slope.thinking_s) == ("Rivers flow down.", 2.5)
    assert (chat.title, chat.created_at, slope.created_at) == ("Rivers", 1_741_064_767.0, 1_741_064_767.000001)
    assert event.left_out == {"tool": 2, "file": 1}


def test_claudes_older_list_without_parents_is_one_branch(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations
) -> None:
    old = makers.claude_example()
    for message in old["chat_messages"]:
        del message["parent_message_uuid"], message["content"]
    del old["current_leaf_message_uuid"]
    _, chat = imported(makers.put(tmp_path / "conversations.json", [old]), shelf, conversations)
    # two answers in a row are the steps of one
    assert outline(shelf, chat)[1:] == ["1*a: 'Rain.\\n\\nSlope.'"]


def test_lm_studio(tmp_path: Path, shelf: ChatArchive, conversations: Conversations) -> None:
    makers.put(tmp_path / "lm" / "conversations" / "folder" / "1721.conversation.json", makers.lm_example())
    makers.put(tmp_path / "lm" / "conversations" / "other.json", {"not": "a chat"})
    assert recognize_format(tmp_path / "lm") == "lm_studio"
    event, chat = imported(tmp_path / "lm", shelf, conversations)
    assert outline(shelf, chat) == [
        "0 u: 'What does ice do?'",
        "0*u: 'And ice?\\n\\n[Attached: 1721 - ice.png]'",
        "1*a: 'It melts.'",
        "2*u: 'Thanks'",
        "1 a: 'It cools.'",
    ]
    melts = by_text(shelf, chat, "melts")
    assert (melts.thinking, melts.thinking_s, melts.model) == ("Think of heat.", 3.2, "qwen3-4b")
    assert melts.state is MessageState.STOPPED
    assert melts.stats is not None
    assert (melts.stats.generated_tokens, melts.stats.tokens_per_s) == (12, 21.5)
    assert melts.stats.finish_reason is FinishReason.CANCELLED
    assert (chat.system_prompt, chat.pinned, chat.model) == ("Be cool.", True, "llama-3")
    assert chat.created_at == 1_721_000_000.123
    assert event.left_out == {"picture": 1, "tool": 1}


@pytest.mark.parametrize("chosen", ["", "threads", "threads/t1", "threads/t1/messages.jsonl", "threads/t1/thread.json"])
def test_jan(tmp_path: Path, shelf: ChatArchive, conversations: Conversations, chosen: str) -> None:
    path = makers.jan_example(tmp_path / "jan") / chosen
    assert recognize_format(path) == "jan"
    event, chat = imported(path, shelf, conversations)
    assert outline(shelf, chat) == [
        "0*u: 'How hot?\\n\\n[Attached: picture]'",
        "1*a: '80 degrees.'",
        "2*u: 'And black?'",
        "3*a: '95.'",
    ]
    assert [one.thinking for one in shelf.whole.iterate_branch(chat.id)] == ["", "Green?", "", "Boiling."]
    assert by_text(shelf, chat, "95").state is MessageState.STOPPED
    assert (chat.title, chat.system_prompt, chat.model, chat.created_at) == ("Tea", "Brew.", "tiny", 1_730_000_000)
    assert event.left_out == {"picture": 1, "damaged": 1}


def test_open_webui(tmp_path: Path, shelf: ChatArchive, conversations: Conversations) -> None:
    path = makers.put(tmp_path / "chat-export-1.json", [makers.webui_example()])
    assert recognize_format(path) == "open_webui"
    event, chat = imported(path, shelf, conversations)
    assert outline(shelf, chat) == ["0*u: 'Is 2 < 3?\\n\\n[Attached: sums.txt]'", "1*a: 'Yes.'", "1 a: 'No.'"]
    yes, no = by_text(shelf, chat, "Yes"), by_text(shelf, chat, "No")
    assert (yes.thinking, yes.thinking_s, yes.model) == ("2 < 3, so\nyes", 5.0, "phi4:latest")
    assert yes.stats is not None
    assert (yes.stats.prompt_tokens, yes.stats.generated_tokens, yes.stats.tokens_per_s) == (7, 3, 9.5)
    assert (no.state, no.model) == (MessageState.INTERRUPTED, "tiny:1b")
    assert (chat.system_prompt, chat.pinned, chat.updated_at) == ("Count.", True, 1_740_000_500)
    assert event.left_out == {"file": 1}


def test_open_webuis_older_list_of_messages(tmp_path: Path, shelf: ChatArchive, conversations: Conversations) -> None:
    messages = [{"role": "system", "content": "S."}, {"role": "user", "content": "Hi"}]
    messages.append({"role": "assistant", "content": [{"type": "text", "text": "Hello"}, {"type": "image_url"}]})
    path = makers.put(
        tmp_path / "x.json", [{"chat": {"title": "Old", "messages": messages, "timestamp": 1_690_000_000}}]
    )
    event, chat = imported(path, shelf, conversations)
    assert outline(shelf, chat) == ["0*u: 'Hi'", "1*a: 'Hello\\n\\n[Attached: picture]'"]
    assert (chat.title, chat.system_prompt, chat.created_at) == ("Old", "S.", 1_690_000_000)
    assert event.left_out == {"picture": 1}


def test_a_canvas_of_chatgpt_is_its_document(tmp_path: Path, shelf: ChatArchive, conversations: Conversations) -> None:
    document = {"text": json.dumps({"name": "n", "type": "code/python", "content": "print('```')\n"})}
    value = makers.gpt_chat(
        makers.gpt_node("q", "client-created-root", "user", ["Write it"]),
        makers.gpt_node("c", "q", "assistant", [], "code", content=document, recipient="canmore.create_textdoc"),
        makers.gpt_node("o", "c", "tool", ["ok"]),
        makers.gpt_node("a", "o", "assistant", ["Done."]),
        current="a",
    )  # fmt: skip
    event, chat = imported(makers.put(tmp_path / "one.json", value), shelf, conversations)
    assert by_text(shelf, chat, "Done").text == "````python\nprint('```')\n````\n\nDone."
    assert event.left_out == {"tool": 1}


def test_a_chat_that_went_on_elsewhere_and_here_gets_what_is_new(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations
) -> None:
    value = makers.claude_example()
    path = makers.put(tmp_path / "conversations.json", [value])
    _, chat = imported(path, shelf, conversations)
    own = conversations.add_message(chat.id, chat.leaf_id, Role.USER, "asked here")
    value["chat_messages"] += [
        makers.claude_message("m4", "human", [{"type": "text", "text": "More?"}], parent_message_uuid="m3"),
        makers.claude_message("m5", "assistant", [{"type": "text", "text": "More."}], parent_message_uuid="m4"),
        makers.claude_message("m6", "human", [{"type": "text", "text": "And rain?"}], parent_message_uuid="m2"),
    ]
    value["updated_at"] = "2025-04-05T05:06:07Z"
    makers.put(path, [value])
    events = list(import_chats(path, shelf, CancelToken()))
    assert [(one.conversation_id, one.messages) for one in events if isinstance(one, ChatContinued)] == [(chat.id, 3)]
    found = conversations.get(chat.id)
    assert found is not None
    assert (found.leaf_id, found.updated_at) == (own.id, max(found.updated_at, 1_743_829_567.0))
    assert [line for line in outline(shelf, found) if "0" not in line[:1]] == [
        "1 a: 'Rain.'",
        "1*a: 'Slope.'",
        "2*u: 'asked here'",
        "2 u: 'And rain?'",
        "2 u: 'More?'",
        "3 a: 'More.'",
    ]
    conversations.choose_version(by_text(shelf, found, "Rain").id)
    assert [one.text for one in conversations.read_branch(chat.id)][1:] == ["Rain.", "And rain?"]
    assert list(import_chats(path, shelf, CancelToken()))[-1] == ImportFinished(0, 0, 1, 0)


def test_several_makers_in_one_folder_and_the_same_chats_twice(tmp_path: Path, shelf: ChatArchive) -> None:
    folder = tmp_path / "all"
    makers.put(folder / "a.json", [makers.gpt_example(), makers.claude_example()])
    makers.put(folder / "b.json", makers.lm_example())
    makers.put(folder / "c.json", {"conversations": [makers.gpt_example(), 7]})
    events = list(import_chats(folder, shelf, CancelToken()))
    assert [one.kind for one in events if isinstance(one, ChatImported)] == ["chatgpt", "claude", "lm_studio"]
    (here,) = (one for one in events if isinstance(one, ChatIsHere))
    assert here.title == "Boats"
    assert events[-1] == ImportFinished(3, 0, 1, 1)
    again = list(import_chats(folder, shelf, CancelToken()))
    assert again[-1] == ImportFinished(0, 0, 4, 1)
    copies = list(import_chats(folder, shelf, CancelToken(), with_copies=True))
    assert copies[-1] == ImportFinished(4, 0, 0, 1)
