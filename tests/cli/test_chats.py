"""`chats …` in the terminal, as a process: out to every format, in from another program, with its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.cli.chats import CHOOSE_CHATS, NO_SUCH_CHAT
from app.core.errors.exchange_errors import ChatsUnreadable
from app.core.events import Role
from app.core.paths import AppPaths
from app.features.error_messages import sentence_for
from app.features.exchange.chat_import import left_out_words
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.projects import Projects, Tags
from tests.features.exchange import makers
from tests.helpers import warm
from tests.helpers.program import open_to_others
from tests.helpers.terminal import ROOT, command, fireside, only_json

MANY = 20_000
"""Chats that nobody has imported before Ctrl+C is pressed."""


@pytest.fixture
def chat_id() -> int:
    with closing(Database.open(AppPaths.from_environment().database)) as database:
        conversations = Conversations(database)
        chat = conversations.create(title="Rent")
        question = conversations.add_message(chat.id, None, Role.USER, "How much?")
        conversations.add_message(chat.id, question.id, Role.ASSISTANT, "**Much.**", model="tiny.gguf")
        conversations.update(chat.id, project_id=Projects(database).create("Flat").id)
        tags = Tags(database)
        tags.set_tag(tags.create("Home").id, chat.id)
        return chat.id


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_chats_that_others_could_read_are_closed_to_them_from_the_terminal_too(chat_id: int, mode: int) -> None:
    paths = AppPaths.from_environment()
    old = paths.translations / "1" / "lease.txt"
    if mode == 0o755:  # what lies deeper in a folder that is closed nobody could read
        old.parent.mkdir(parents=True)
        old.write_text("The rent is due.")
    paths.database.chmod(0o644)
    for folder in (paths.data, paths.data.parent):
        folder.chmod(mode)
    assert fireside("chats", "list").stdout == f"{chat_id}  Rent\n"
    paths.data.parent.chmod(0o700)
    assert open_to_others(paths.data.parent) == []


def test_chats_are_listed_exported_and_come_back_in_another_home(chat_id: int, tmp_path: Path) -> None:
    (row,) = only_json(fireside("chats", "list", "--json"))["chats"]
    assert (row["id"], row["title"], row["messages"]) == (chat_id, "Rent", 2)
    assert (row["project"], row["tags"]) == ("Flat", ["Home"])
    assert fireside("chats", "list", "ren").stdout == f"{chat_id}  Rent\n"
    for ending in ("json", "md", "html", "docx"):
        out = tmp_path / f"out.{ending}"
        body = only_json(fireside("chats", "export", str(chat_id), "-o", str(out), "--json"))
        assert body == {"path": str(out), "format": ending, "chats": 1, "messages": 2}
        assert out.stat().st_size
    elsewhere = {"FIRESIDE_HOME": str(tmp_path / "elsewhere")}
    came = only_json(fireside("chats", "import", str(tmp_path / "out.json"), "--json", environment=elsewhere))
    assert [(one["title"], one["program"], one["messages"]) for one in came["chats"]] == [("Rent", "Fireside", 2)]
    assert (came["continued"], came["already_here"], came["errors"]) == ([], [], [])
    again = fireside("chats", "import", str(tmp_path / "out.json"), environment=elsewhere)
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "0 chats imported.")
    assert "1 chat " in again.stdout and "--copies" in again.stdout
    out = tmp_path / "back.json"
    fireside("chats", "export", "--all", "-o", str(out), environment=elsewhere)
    (chat,) = json.loads(out.read_text())["chats"]
    assert [one["text"] for one in chat["messages"]] == ["How much?", "**Much.**"]


def test_another_programs_chats_come_with_what_was_left_out_and_what_is_none_is_said(tmp_path: Path) -> None:
    export = makers.put_zip(tmp_path / "x.zip", {"conversations.json": [makers.claude_example(), {"mapping": {}}]})
    notes = tmp_path / "notes.json"
    notes.write_text("[1]")
    result = fireside("chats", "import", str(export), str(notes), "--json")
    body = only_json(result)
    assert [(one["program"], one["left_out"]) for one in body["chats"]] == [("Claude", {"tool": 2, "file": 1})]
    reasons = [(Path(one["file"]).name, one["reason"]) for one in body["errors"]]
    assert reasons == [("conversations.json", "empty"), ("notes.json", "unknown")]
    assert result.returncode == 0
    assert f"Rivers: {left_out_words({'file': 1, 'tool': 2})}." in result.stderr
    alone = fireside("chats", "import", str(notes))
    assert alone.returncode == 1
    assert sentence_for(ChatsUnreadable("notes.json", "unknown")).text in alone.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["export", "-o", "x.json"], 2, CHOOSE_CHATS),
        (["export", "--all", "-o", "x.rtf"], 2, ".docx"),
        (["export", "7", "-o", "x.json"], 1, NO_SUCH_CHAT.format(number=7)),
        (["import", "nowhere.zip"], 1, sentence_for(ChatsUnreadable("nowhere.zip", "missing")).text),
        (["list"], 0, ""),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: list[str], code: int, words: str) -> None:
    result = fireside("chats", *arguments)
    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C is a signal here")
def test_ctrl_c_ends_an_import_with_130_and_keeps_whole_chats(tmp_path: Path) -> None:
    chats = [makers.claude_example() | {"created_at": 1_600_000_000 + at} for at in range(MANY)]
    path = makers.put(tmp_path / "conversations.json", chats)
    process = warm.Process(
        command(["chats", "import", str(path)]), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    process.stderr.readline()  # it is at it
    os.kill(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    with closing(Database.open(AppPaths.from_environment().database)) as database:
        found = Conversations(database).find()
        assert 0 < len(found) < MANY
        assert all(Conversations(database).read_branch(chat.id) for chat in found)
    assert f"{len(found):,} chat" in out
