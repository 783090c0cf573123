"""Models and programs read English whatever the user's language: prompts, results of tools, and JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run
from tests.helpers.script import requests, write_script

PSEUDO = re.compile("[àéîöüýçñšžÀÉÎÖÜÇÑŠ]")
RENT = "The rent of the flat is 960 euros a month."
LEASE = f"{RENT}\n\nIt is paid on 3 May 2024. Notice is given three months before the end."

pytestmark = pytest.mark.usefixtures("pseudo_language")


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"text": json.dumps({"name": name, "arguments": arguments})}


CALLS = [
    call("count_in_document", document="lease", kind="dates"),
    call("search_document", document="lease", query="rent"),
    call("read_pages", document="lease", first_page=7),
    call("read_file", path="/nowhere/secret.txt"),
    call("calculate", formula="1 / 0"),
    call("no_such_tool"),
]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (["chat", "-p", "What is the rent?", "--document", "LEASE", "--json"], {"text": RENT}),
        (["chat", "-p", "What is the rent?", "--document", "LEASE", "none.pdf", "--json"], {"text": RENT}),
        (["summarize", "LEASE", "none.pdf", "--method", "model", "--json"], {"text": f"- It is 90. [1]\n- {RENT} [1]"}),
        (["summarize", "LEASE", "--method", "model", "--form", "sections", "--json"], {"text": RENT}),
        (["translate", "LEASE", "--to", "de", "--json"], {"text": "Die Miete: 690 Euro."}),
        (["complete", "-p", "The rent", "--json"], {"text": " is 960 euros."}),
        (["read", "LEASE", "--json"], {"text": ""}),
        *((["chat", "--tools", "-p", "Say it.", "--document", "LEASE", "--json"], rule) for rule in CALLS),
    ],
)  # fmt: skip
def test_no_translated_word_reaches_a_model_or_a_program(
    command: list[str],
    answer: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lease = tmp_path / "lease.txt"
    lease.write_text(LEASE, "utf-8")
    # A result of a tool is the last message that a model is shown.
    script = write_script(tmp_path / "script", {"when": "<tool_response>", "text": "Said."}, answer)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    words = [str(lease) if word == "LEASE" else word for word in command]
    words += ["--model", "hy-mt2-scripted.gguf"] if command[0] != "read" else []
    assert run(words) == 0
    said = capsys.readouterr()
    body, asked = json.loads(said.out), requests(script)
    assert asked or command[0] == "read"
    for read in (body, asked):
        assert not PSEUDO.findall(json.dumps(read, ensure_ascii=False))
    if "--tools" in command:
        assert body["steps"], "the tool was called"
    if "none.pdf" in command:
        assert body["errors"]
        assert PSEUDO.search(said.err), "the user reads it in the language"
