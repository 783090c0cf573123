"""What was made to hurt: depth, circles, millions of nodes, bombs, wrong types; and an import that is broken off."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.exchange_errors import ChatsUnreadable
from app.core.errors.saving_errors import DiskFull
from app.core.events import CancelToken
from app.features.exchange import chat_import, foreign, other_programs, read_chat_file
from app.features.exchange.chat_file import ChatArchive
from app.features.exchange.chat_import import (
    KINDS,
    ChatImported,
    ChatNotRead,
    ImportFinished,
    import_chats,
    left_out_words,
    not_read_words,
    recognize_format,
)
from app.features.exchange.foreign import ForeignChat, ForeignMessage, TooManyMessages, grow_tree
from app.store.conversations import Conversations
from tests.features.exchange import makers

ROOT = "client-created-root"


def read(path: Path, shelf: ChatArchive) -> list[Any]:
    return list(import_chats(path, shelf, CancelToken()))


def reason(path: Path, shelf: ChatArchive) -> str:
    with pytest.raises(ChatsUnreadable) as caught:
        read(path, shelf)
    return caught.value.reason


def test_a_deep_chat_is_no_recursion_and_its_steps_are_turns(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations
) -> None:
    roles = ("user", "assistant")
    nodes = [
        makers.gpt_node(f"n{at}", f"n{at - 1}" if at else ROOT, roles[at % 2], [f"text {at}"]) for at in range(2_000)
    ]
    path = makers.put(tmp_path / "c.json", [makers.gpt_chat(*nodes, current="n1999")])
    (imported,) = (one for one in read(path, shelf) if isinstance(one, ChatImported))
    assert imported.messages == 2_000
    assert conversations.read_branch(imported.conversation_id)[-1].text == "text 1999"


def test_circles_and_lost_parents_are_counted_and_the_rest_is_here(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations
) -> None:
    value = makers.gpt_chat(
        makers.gpt_node("a", ROOT, "user", ["kept"]),
        makers.gpt_node("x", "y", "user", ["round"]),
        makers.gpt_node("y", "x", "assistant", ["and round"]),
        makers.gpt_node("me", "me", "user", ["my own parent"]),
        makers.gpt_node("o", "nowhere", "user", ["orphan"]),
        current="x",
    )
    (imported,) = (one for one in read(makers.put(tmp_path / "c.json", value), shelf) if isinstance(one, ChatImported))
    assert imported.left_out == {"circle": 3, "parent": 1}
    assert [one.text for one in shelf.whole.all_messages(imported.conversation_id)] == ["kept", "orphan"]


def test_too_many_messages_are_refused_before_they_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "MOST_MESSAGES", 10)
    with pytest.raises(TooManyMessages):
        grow_tree(ForeignChat(messages=[ForeignMessage(str(at), None, "user", "x") for at in range(11)]), 1.0)


def test_very_many_nodes_and_elements_are_bounded(tmp_path: Path, shelf: ChatArchive) -> None:
    path = tmp_path / "many.json"
    with path.open("w") as file:
        file.write('[{"mapping": {')
        file.writelines(f'"{at}": {{"parent": "{at - 1}"}}, ' for at in range(foreign.MOST_MESSAGES))
        file.write('"end": {}}}, ')
        file.writelines("7, " for _ in range(2_000))
        file.write("7]")
    events = read(path, shelf)
    told = [one for one in events if isinstance(one, ChatNotRead)]
    assert told[0].reason == "too_many"
    assert len(told) == chat_import.MOST_TOLD + 1
    assert events[-1] == ImportFinished(0, 0, 0, 2_002)


def test_a_zip_bomb_a_locked_and_a_damaged_archive_give_a_sentence(tmp_path: Path, shelf: ChatArchive) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("conversations.json", "w") as out:
        out.write(b'["')
        for _ in range(130):
            out.write(b"x" * 1_000_000)
        out.write(b'"]')
    assert reason(bomb, shelf) == "inflates"
    damaged = tmp_path / "damaged.zip"
    data = bytearray(makers.put_zip(tmp_path / "good.zip", {"conversations.json": [makers.gpt_example()]}).read_bytes())
    data[60:90] = bytes(30)
    damaged.write_bytes(data)
    assert reason(damaged, shelf) == "damaged"
    damaged.write_bytes(data[:100])
    assert reason(damaged, shelf) == "damaged"


def test_what_is_no_export_says_so(tmp_path: Path, shelf: ChatArchive) -> None:
    empty, text, other, pipe = (tmp_path / name for name in ("empty", "text.json", "other.json", "pipe"))
    empty.write_bytes(b"")
    text.write_text("Dear diary")
    other.write_text(f"[{'7,' * chat_import.MOST_TOLD}7, 7]")
    os.mkfifo(pipe)
    folder = tmp_path / "folder"
    folder.mkdir()
    for path, wanted in ((empty, "empty"), (text, "unknown"), (other, "unknown"), (pipe, "not_a_file")):
        assert reason(path, shelf) == wanted
        assert recognize_format(path) == "" if wanted == "unknown" else True
    assert reason(folder, shelf) == "empty"
    assert reason(tmp_path / "none", shelf) == "missing"
    assert reason(makers.put_zip(tmp_path / "x.zip", {"notes.txt": "x"}), shelf) == "empty"


def test_links_in_a_folder_are_not_followed(tmp_path: Path, shelf: ChatArchive) -> None:
    outside = makers.put(tmp_path / "outside" / "conversations.json", [makers.gpt_example()])
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "conversations.json").symlink_to(outside)
    (folder / "round").symlink_to(folder, target_is_directory=True)
    assert reason(folder, shelf) == "empty"


def test_a_file_that_ends_in_the_middle_gives_its_whole_chats(tmp_path: Path, shelf: ChatArchive) -> None:
    path = makers.put(tmp_path / "conversations.json", [makers.gpt_example(), makers.claude_example()])
    data = path.read_bytes()
    path.write_bytes(data[:-200])
    events = read(path, shelf)
    assert [one.title for one in events if isinstance(one, ChatImported)] == ["Boats"]
    assert [one.reason for one in events if isinstance(one, ChatNotRead)] == ["cut_off"]


def test_cancel_keeps_whole_chats(tmp_path: Path, shelf: ChatArchive, conversations: Conversations) -> None:
    chats = [makers.gpt_example() | {"title": str(at), "create_time": 1.6e9 + at} for at in range(20)]
    cancel, titles = CancelToken(), []
    for event in import_chats(makers.put(tmp_path / "c.json", chats), shelf, cancel):
        if isinstance(event, ChatImported):
            titles.append(event.title)
            if len(titles) == 5:
                cancel.cancel()
    assert event == ImportFinished(5, 0, 0, 0, is_cancelled=True)
    assert sorted(chat.title for chat in conversations.find()) == sorted(titles)
    assert all(len(list(shelf.whole.all_messages(chat.id))) == 6 for chat in conversations.find())


def test_a_full_disk_keeps_whole_chats(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, calls = shelf.whole.add_tree, []

    def fail_later(*arguments: Any) -> int:
        calls.append(1)
        if len(calls) == 3:
            raise DiskFull("x")
        return add(*arguments)

    monkeypatch.setattr(shelf.whole, "add_tree", fail_later)
    chats = [makers.gpt_example() | {"create_time": 1.6e9 + at} for at in range(5)]
    with pytest.raises(DiskFull):
        read(makers.put(tmp_path / "c.json", chats), shelf)
    assert len(conversations.find()) == 2


# Any JSON in the place of what is expected.


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
READERS: dict[str, tuple[Callable[[Any], ForeignChat], Callable[[], dict[str, Any]]]] = {
    "chatgpt": (other_programs.read_chatgpt, makers.gpt_example),
    "claude": (other_programs.read_claude, makers.claude_example),
    "lm_studio": (other_programs.read_lm_studio, makers.lm_example),
    "open_webui": (other_programs.read_open_webui, makers.webui_example),
}


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(place for key, one in inner for place in places(one, (*above, key)))]


def with_other(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    if not place:
        return other
    changed = json.loads(json.dumps(value))
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = other
    return changed


@given(st.sampled_from(sorted(READERS)), st.data())
def test_no_reader_falls_over_a_value_of_another_type(kind: str, data: st.DataObject) -> None:
    reader, example = READERS[kind]
    value = example()
    place = data.draw(st.sampled_from(places(value)[1:]))
    chat = reader(with_other(value, place, data.draw(ODD)))
    conversation, messages, _ = grow_tree(chat, 5.0)
    assert conversation.created_at > 0
    seen: set[int | None] = {None}
    for one in messages:
        assert one.parent_id in seen
        seen.add(one.id)
    left_out_words(+chat.left_out)


@given(ODD, st.lists(ODD, max_size=4))
def test_jan_and_our_own_reader_neither(about: Any, values: list[Any]) -> None:
    thread = {"title": about, "assistants": about, "metadata": about, "created": about}
    lines = [json.dumps(one).encode("utf-8", "replace") for one in values]
    messages = [{"role": "user", "content": one, "created_at": one, "metadata": one} for one in values]
    lines += [json.dumps(one).encode("utf-8", "replace") for one in messages]
    grow_tree(other_programs.read_jan(thread, [*lines, None]), 5.0)


@given(ODD, st.lists(ODD, max_size=3))
def test_our_own_reader_neither(other: Any, values: list[Any]) -> None:
    shelf = ChatArchive(None, None, _NoDocuments())  # type: ignore[arg-type]
    names = ("title", "temperature", "sampling", "created_at", "first_kept", "draft_attachments", "messages")
    for name in names:
        read_chat_file.read_chat({name: other}, shelf, 5.0)
    message = dict.fromkeys(("text", "state", "stats", "chosen", "sources", "attachments", "thinking_s"), other)
    given_messages = [{"id": 1, "parent": None, "role": "user"} | message, *values]
    read_chat_file.read_chat({"messages": given_messages}, shelf, 5.0)


class _NoDocuments:
    def find_content(self, _sha256: str) -> None:
        return None


def test_everything_that_is_told_has_words() -> None:
    assert set(KINDS) == {"fireside", "jan", *READERS}
    assert left_out_words({"picture": 2, "tool": 1}) == "2 pictures were left out, 1 tool call was left out"
    assert not_read_words("cut_off") == "the file is cut off"
