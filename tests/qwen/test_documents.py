"""What `chat --document` tells of an answer by a real model."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.qwen_models import ANSWER_S
from tests.helpers.terminal import fireside, only_json
from tests.qwen.texts import HARBOUR


def test_an_answer_comes_with_the_sentence_that_it_rests_on(qwen_15b: Path, tmp_path: Path) -> None:
    path = tmp_path / "harbour.md"
    path.write_text(HARBOUR, "utf-8")
    question = "Who built the new crane, and how many tonnes can it lift? One sentence."
    body = only_json(
        fireside(
            "chat", "-p", question, "--document", str(path), "--model", str(qwen_15b), "--temperature", "0",
            "--max-tokens", "60", "--json", timeout_s=ANSWER_S,
        )
    )  # fmt: skip
    assert "60" in body["text"]
    assert body["support"] == "supported", body
    said = " ".join(HARBOUR.split())
    assert all(place["sentence"] in said for place in body["places"])
    assert "60" in body["places"][0]["sentence"]
