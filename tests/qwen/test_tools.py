"""`chat --tools` with a real model: what it calls is carried out, and it answers with what came back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.helpers.qwen_models import ANSWER_S
from tests.helpers.terminal import fireside, only_json
from tests.qwen.texts import HARBOUR


def ask(model: Path, question: str, *more: str) -> dict[str, Any]:
    """What the terminal tells of one answer."""
    return only_json(
        fireside("chat", "--tools", "-p", question, "--model", str(model), "--json", *more, timeout_s=ANSWER_S)
    )


def test_a_calculation_is_carried_out_and_answered_with(qwen_15b: Path) -> None:
    body = ask(qwen_15b, "What is 1249.50 times 0.19?")
    (step,) = body["steps"]
    assert (step["tool"], step["is_error"]) == ("calculate", False), step
    assert "237.405" in step["result"]
    assert "237.4" in body["text"]


def test_a_document_is_searched_and_answered_from(qwen_15b: Path, tmp_path: Path) -> None:
    path = tmp_path / "harbour.md"
    path.write_text(HARBOUR, "utf-8")
    body = ask(qwen_15b, "Search my documents: how many tonnes does the new crane lift?", "--document", str(path))
    found = [step for step in body["steps"] if step["tool"] == "search_documents"]
    assert any("Brenner" in step["result"] for step in found), body["steps"]
    assert "60" in body["text"], body
