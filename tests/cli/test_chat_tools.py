"""`chat --tools` in the terminal: calls are carried out and told, and what servers and the web offer is asked about."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from app.cli.chat_tools import DOCUMENTS_LENT, NO_SUCH_TOOL
from app.cli.terminal import INTERRUPTED
from app.cli.tool_permission import CHOICES, REFUSED_IN_PIPE
from app.core.events import Role
from app.core.paths import AppPaths
from app.core.settings import Settings, store_settings
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.tool_servers import FOLDER
from app.features.tools.call_words import ALLOW_TOOL, CAN_CHANGE
from app.store.conversations import Conversations
from app.store.database import Database
from tests.helpers.script import prompts, write_script
from tests.helpers.terminal import command, fireside, only_json
from tests.helpers.tool_configs import config


def call(name: str, **arguments: Any) -> str:
    return json.dumps({"name": name, "arguments": arguments})


def ask(script: Path, *options: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    return fireside("chat", "--tools", "--model", "m.gguf", *options, environment=environment, text=text)


def test_what_was_called_is_told_beside_the_answer(tmp_path: Path) -> None:
    script = write_script(
        tmp_path / "script",
        {"when": "12.5", "text": "It is 12.5."},
        {"text": call("calculate", formula="25 / 2")},
    )
    result = ask(script, "-p", "Half of 25?")
    assert (result.returncode, result.stdout) == (0, "It is 12.5.\n")
    assert '→ calculate {"formula": "25 / 2"}\n  25 / 2 = 12.5\n' in result.stderr
    body = only_json(ask(script, "-p", "Half of 25?", "--json"))
    assert body["text"] == "It is 12.5."
    assert body["steps"] == [
        {"tool": "calculate", "arguments": {"formula": "25 / 2"}, "result": "25 / 2 = 12.5", "is_error": False}
    ]
    assert list(body)[-1] == "steps"


def test_documents_are_read_by_the_tools(tmp_path: Path) -> None:
    lease = tmp_path / "lease.txt"
    lease.write_text("The rent is 960 euros.\n\nIt is paid on 3 May 2024.", "utf-8")
    script = write_script(
        tmp_path / "script",
        {"when": "1 date", "text": "One."},
        {"text": call("count_in_document", document="lease", kind="dates")},
    )
    body = only_json(ask(script, "-p", "How many dates?", "--document", str(lease), str(tmp_path / "no.txt"), "--json"))
    assert body["text"] == "One."
    assert body["steps"][0]["result"].startswith("**1 date**")
    assert len(body["errors"]) == 1
    first = prompts(script)[0]
    assert DOCUMENTS_LENT.format(names="lease.txt") in first[0][1]
    assert "960" not in str(first), "the document itself isn't shown"


def test_only_named_folders_are_read(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside.txt"
    inside.mkdir()
    (inside / "notes.txt").write_text("The kiln is hot.", "utf-8")
    outside.write_text("secret", "utf-8")
    script = write_script(
        tmp_path / "script",
        {"when": "was not granted", "text": "Done."},
        {"when": "kiln is hot", "text": call("read_file", path=str(outside))},
        {"text": call("read_file", path="notes.txt")},
    )
    body = only_json(ask(script, "-p", "Read.", "--folder", str(inside), "--json"))
    assert [step["is_error"] for step in body["steps"]] == [False, True]
    assert "secret" not in str(body["steps"])


def test_the_persons_chats_are_searched(tmp_path: Path) -> None:
    paths = AppPaths.from_environment()
    paths.database.parent.mkdir(parents=True)
    database = Database.open(paths.database)
    chats = Conversations(database)
    chats.add_message(chats.create(title="Pottery").id, None, Role.USER, "The kiln cools for two days.")
    database.close()
    script = write_script(
        tmp_path / "script", {"when": "Pottery", "text": "Two days."}, {"text": call("search_chats", query="kiln")}
    )
    body = only_json(ask(script, "-p", "How long?", "--json"))
    assert body["text"] == "Two days."
    assert "The kiln cools for two days." in body["steps"][0]["result"]


def keep_servers(*configs: ServerConfig, **tools: Any) -> None:
    """Store servers as the window does."""
    stored = Settings().changed("tools", servers=tuple(config.to_json() for config in configs), **tools)
    store_settings(AppPaths.from_environment(), stored)


NOTE = {"when": "note was written", "text": "Noted."}
WRITE = {"when": "note down", "text": call("write_note", text="milk")}
NOT_ALLOWED_RULE = {"when": "not allow", "text": "Then not."}


def notes_file() -> Path:
    return AppPaths.from_environment().data / FOLDER / "notes" / "notes.txt"


def test_tools_of_servers_are_refused_in_a_pipe_unless_allowed_by_name(tmp_path: Path) -> None:
    keep_servers(config("notes"), replace(config("fair", "gone"), command="no-such-program"))
    script = write_script(tmp_path / "script", NOTE, NOT_ALLOWED_RULE, WRITE)
    refused = ask(script, "-p", "note down milk", "--json")
    body = only_json(refused)
    assert body["text"] == "Then not."
    assert REFUSED_IN_PIPE.format(tool="write_note") in refused.stderr
    assert body["steps"][0]["is_error"]
    assert [error["server"] for error in body["errors"]] == ["gone"]
    assert not notes_file().exists()
    assert only_json(ask(script, "-p", "note down milk", "--allow", "write_note", "--json"))["text"] == "Noted."
    assert notes_file().read_text("utf-8") == "milk\n"


def test_what_was_allowed_or_refused_for_good_in_the_window_holds(tmp_path: Path) -> None:
    of_server = {"server": "notes", "tool": "", "answer": "server"}
    never = {"server": "notes", "tool": "write_note", "answer": "never"}
    keep_servers(config("notes"), grants=tuple(map(json.dumps, (of_server, never))))
    read = {"when": "look", "text": call("read_notes")}
    script = write_script(tmp_path / "script", {"when": "The notes", "text": "You have notes."}, read)
    result = ask(script, "-p", "look at my notes")
    assert result.stdout == "You have notes.\n"
    told = str(prompts(script)[0])
    assert "read_notes" in told
    assert "write_note" not in told


def test_a_page_of_the_web_is_refused_in_a_pipe_by_its_host(tmp_path: Path) -> None:
    keep_servers(web=True)
    script = write_script(
        tmp_path / "script", NOT_ALLOWED_RULE, {"text": call("read_web_page", url="https://kiln.example/glaze")}
    )
    result = ask(script, "-p", "Look it up.")
    assert result.stdout == "Then not.\n"
    assert REFUSED_IN_PIPE.format(tool="kiln.example") in result.stderr
    assert not AppPaths.from_environment().connections.exists()


def test_an_allowed_tool_that_nobody_has_is_said(tmp_path: Path) -> None:
    keep_servers(config("notes"))
    result = ask(write_script(tmp_path / "script"), "-p", "Hello", "--allow", "write_notes")
    assert result.returncode == 2
    assert NO_SUCH_TOOL.format(names="write_notes", tools="read_notes, write_note") in result.stderr


@dataclass
class OnTerminal:
    """The command on a terminal of its own, whose answers are typed."""

    process: subprocess.Popen[bytes]
    end: int
    shown: str = ""

    def read_until(self, words: str) -> None:
        while words not in self.shown:
            self.shown += os.read(self.end, 4096).decode("utf-8", "replace")

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())


@pytest.fixture
def on_terminal() -> Iterator[Callable[..., OnTerminal]]:
    began: list[OnTerminal] = []

    def begin(script: Path, *options: str) -> OnTerminal:
        end, other = os.openpty()
        arguments = command(["chat", "--tools", "--model", "m.gguf", *options])
        environment = {**os.environ, "FIRESIDE_ENGINE_SCRIPT": str(script)}
        process = subprocess.Popen(arguments, stdin=other, stdout=subprocess.PIPE, stderr=other, env=environment)
        os.close(other)
        began.append(OnTerminal(process, end))
        return began[-1]

    yield begin
    for terminal in began:
        terminal.process.kill()
        terminal.process.wait()
        assert terminal.process.stdout is not None
        terminal.process.stdout.close()
        os.close(terminal.end)


def test_on_a_terminal_each_call_is_asked_about(tmp_path: Path, on_terminal: Callable[..., OnTerminal]) -> None:
    keep_servers(config("notes"))
    again = {"when": "note was written", "text": call("write_note", text="bread"), "times": 1}
    script = write_script(tmp_path / "script", again, NOT_ALLOWED_RULE, NOTE, WRITE)
    terminal = on_terminal(script, "-p", "note down milk")
    terminal.read_until(CHOICES)
    assert ALLOW_TOOL.format(tool="write_note", server="notes") in terminal.shown
    assert '"text": "milk"' in terminal.shown
    assert CAN_CHANGE in terminal.shown
    assert not notes_file().exists()
    terminal.type("once\n")
    terminal.read_until('"text": "bread"')
    terminal.type("\n")
    said, _ = terminal.process.communicate()
    assert said == b"Then not.\n"
    assert notes_file().read_text("utf-8") == "milk\n"


def test_an_answer_for_the_chat_holds_while_it_runs(tmp_path: Path, on_terminal: Callable[..., OnTerminal]) -> None:
    keep_servers(config("notes"))
    again = {"when": "note was written", "text": call("write_note", text="bread"), "times": 1}
    terminal = on_terminal(write_script(tmp_path / "script", again, NOTE, WRITE), "-p", "note down milk")
    terminal.read_until(CHOICES)
    terminal.type("c\n")
    said, _ = terminal.process.communicate()
    assert said == b"Noted.\n"
    assert notes_file().read_text("utf-8") == "milk\nbread\n"


def test_ctrl_c_at_the_question_stops_the_answer(tmp_path: Path, on_terminal: Callable[..., OnTerminal]) -> None:
    keep_servers(config("notes"))
    terminal = on_terminal(write_script(tmp_path / "script", NOTE, WRITE), "-p", "note down milk")
    terminal.read_until(CHOICES)
    terminal.process.send_signal(signal.SIGINT)
    terminal.process.communicate()
    assert terminal.process.returncode == INTERRUPTED
    assert not notes_file().exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--image", "a.png"), "Use --tools or --image, not both."),
        (("--checker", "c.gguf"), "Use --tools or --checker, not both."),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path: Path, options: tuple[str, ...], reason: str) -> None:
    result = ask(tmp_path / "script.json", "-p", "Hello", *options)
    assert (result.returncode, result.stderr.strip()) == (2, reason)


def test_a_folder_needs_tools(tmp_path: Path) -> None:
    result = fireside("chat", "-p", "Hello", "--folder", str(tmp_path))
    assert (result.returncode, result.stderr.strip()) == (2, "--folder needs --tools.")
    result = fireside("chat", "-p", "Hello", "--allow", "write_note")
    assert (result.returncode, result.stderr.strip()) == (2, "--allow needs --tools.")
