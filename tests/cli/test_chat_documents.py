"""`chat --document` in the terminal: what was shown, where the answer may come from, and whether it rests on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.cli.chat import POSSIBLE_SOURCES
from app.features.retrieval.support_messages import unsupported_words
from tests.helpers.documents import pdf_pages, shown
from tests.helpers.script import prompts, write_script
from tests.helpers.terminal import fireside, only_json
from tests.helpers.tiny_checker import make_checker

RENT = "The rent of the flat is 960 euros a month."
PETS = "Dogs and cats are allowed in all of the flats."
INVENTED = "The landlord lives in a castle near the northern coast."


@pytest.fixture
def lease(tmp_path: Path) -> Path:
    path = tmp_path / "lease.pdf"
    path.write_bytes(pdf_pages([shown(RENT), shown(PETS)]))
    return path


def asked(tmp_path: Path, answer: str, *files: Path, **keys: Any) -> tuple[dict[str, Any], str]:
    """The JSON of a scripted answer about these files, and the prompt's question."""
    script = write_script(tmp_path / "script", {"text": answer}, **keys)
    question = ["chat", "-p", "What does the flat cost?", "--model", "m.gguf", "--json"]
    documents = [word for file in files for word in ("--document", str(file))]
    result = fireside(*question, *documents, environment={"FIRESIDE_ENGINE_SCRIPT": str(script)})
    return only_json(result), prompts(script)[-1][-1][1]


@pytest.mark.parametrize(
    ("answer", "support", "pages"),
    [
        ("The flat's rent is 960 euros a month.", "supported", [1]),
        (f"The rent of the flat is 960 euros a month. {INVENTED}", "partly", [1]),
        ("The document does not mention what the flat costs.", "not_found", []),
        ("The rent of the flat is 690 euros a month.", "not_found", []),
    ],
)
def test_an_answer_comes_with_what_it_rests_on(
    tmp_path: Path, lease: Path, answer: str, support: str, pages: list[int]
) -> None:
    body, prompt = asked(tmp_path, answer, lease)
    assert body["text"] == answer
    assert list(body)[-3:] == ["passages", "places", "support"]
    assert [(one["file"], one["page"], one["text"]) for one in body["passages"]] == [
        ("lease.pdf", 1, RENT), ("lease.pdf", 2, PETS)
    ]  # fmt: skip
    assert all(one["text"] in prompt for one in body["passages"])
    assert body["places"] == [{"file": "lease.pdf", "page": page, "sentence": RENT} for page in pages]
    assert body["support"] == support
    assert body["finish_reason"] == "stop"


def test_of_a_long_document_the_passages_are_told_that_were_shown(tmp_path: Path, lease: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("\n\n".join(f"The boiler in house {n} was repaired by a firm." for n in range(2_000)), "utf-8")
    body, prompt = asked(tmp_path, "I don't know.", lease, long, tmp_path / "gone.txt")
    shown_of_long = [one["text"] for one in body["passages"] if one["file"] == "long.txt"]
    assert 0 < len(shown_of_long) < 1_000
    assert all(text in prompt for text in shown_of_long)
    assert [one["page"] for one in body["passages"] if one["file"] == "lease.pdf"] == [1, 2]
    assert len(body["errors"]) == 1
    assert (body["places"], body["support"]) == ([], "not_found")


def test_people_read_what_an_answer_rests_on_beside_it(tmp_path: Path, lease: Path) -> None:
    script = write_script(tmp_path / "script", {"text": RENT})
    question = ["chat", "-p", "What does the flat cost?", "--model", "m.gguf", "--document", str(lease)]
    result = fireside(*question, environment={"FIRESIDE_ENGINE_SCRIPT": str(script)})
    assert (result.returncode, result.stdout) == (0, f"{RENT}\n")
    assert POSSIBLE_SOURCES.format(places="lease.pdf, p. 1") in result.stderr
    assert not list(tmp_path.rglob("fireside.db")), "nothing of it is kept"


def test_a_checker_tells_what_the_passages_do_not_support(tmp_path: Path, lease: Path) -> None:
    folder = make_checker(tmp_path / "checker")
    rules = [{"when": "claim-checker", "can_chat": False}, {}]
    script = write_script(tmp_path / "script", {"text": f"{RENT} It has a balcony."}, load=rules)
    question = ["chat", "-p", "What does the flat cost?", "--model", "m.gguf", "--document", str(lease)]
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    body = only_json(fireside(*question, "--checker", str(folder), "--json", environment=environment))
    assert body["unsupported"] == ["It has", "balcony."]
    result = fireside(*question, "--checker", str(folder), environment=environment)
    assert unsupported_words(["It has", "balcony."]) in result.stderr


def test_without_a_question_or_a_document_nothing_is_asked(tmp_path: Path, lease: Path) -> None:
    script = write_script(tmp_path / "script", {"text": RENT})
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    both = fireside("chat", "-p", "x", "--document", str(lease), "--image", str(lease), environment=environment)
    assert (both.returncode, both.stdout) == (2, "")
    gone = fireside("chat", "-p", "x", "--document", str(tmp_path / "gone.txt"), environment=environment)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "gone.txt" in gone.stderr
    assert prompts(script) == []
