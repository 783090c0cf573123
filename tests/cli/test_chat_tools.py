"""`chat --tools` in the terminal: calls are carried out and told, documents and folders are what was named."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.cli.chat_tools import DOCUMENTS_LENT
from app.core.events import Role
from app.core.paths import AppPaths
from app.store.conversations import Conversations
from app.store.database import Database
from tests.helpers.script import prompts, write_script
from tests.helpers.terminal import fireside, only_json


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
