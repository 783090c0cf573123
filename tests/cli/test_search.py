"""`search FILE… -q QUESTION` in the terminal, as a process: the passages that answer, without a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.passage_model import WITHOUT_IT
from app.core.paths import AppPaths
from app.core.settings import Settings, save_settings
from app.language.static_embeddings import load_table
from tests.helpers.documents import pdf_pages, shown
from tests.helpers.models_on_disk import write_model
from tests.helpers.office_files import paragraph, write_docx
from tests.helpers.script import write_script
from tests.helpers.terminal import fireside, only_json

HOUSE_RULES = [
    "The rules of the house were agreed by all who live in it, and they are the same for every floor of the building.",
    *[f"The flat on floor {number} was painted, and the floor was sanded by the same firm." for number in range(1, 30)],
    "Dogs and cats are allowed as long as the neighbours do not complain about them to the landlord.",
    *[f"The windows of flat {number} were cleaned, and it was paid for by the owners." for number in range(1, 30)],
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A text, a PDF of two pages and a Word document that say different things."""
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "rules.txt").write_text("\n\n".join(HOUSE_RULES), "utf-8")
    pages = ["The kiln is fired twice a week.", "The kiln cools for two days before it is opened."]
    (folder / "kiln.pdf").write_bytes(pdf_pages([shown(text) for text in pages]))
    write_docx(
        folder / "minutes.docx", paragraph("The committee met in October.") + paragraph("The kiln was paid for.")
    )
    return folder


def test_json_is_one_object_with_the_passages_of_all_files_best_first(tmp_path: Path, folder: Path) -> None:
    files = [str(folder / name) for name in ("rules.txt", "kiln.pdf", "minutes.docx", "gone.txt")]
    questions = ["How long does the kiln cool?", "committee October"]
    result = fireside("search", *files, "-q", questions[0], "-q", questions[1], "--top", "3", "--json")
    body = only_json(result)
    assert (result.returncode, list(body)) == (0, ["results", "errors"])
    assert [one["question"] for one in body["results"]] == questions
    cooling, meeting = (one["passages"] for one in body["results"])
    assert [passage.keys() for passage in cooling] == [{"file", "page", "text", "score"}] * 3
    assert (cooling[0]["file"], cooling[0]["page"]) == ("kiln.pdf", 2)
    assert (meeting[0]["file"], meeting[0]["page"]) == ("minutes.docx", None)
    for passages in (cooling, meeting):
        scores = [passage["score"] for passage in passages]
        assert scores == sorted(scores, reverse=True)
        assert 0 < scores[-1] <= scores[0] <= 1
    assert [error.keys() for error in body["errors"]] == [{"file", "reason"}]
    assert body["errors"][0]["reason"] in result.stderr
    assert not list(tmp_path.rglob("fireside.db")), "nothing of it is kept"


def test_each_passage_is_a_block_as_read_tells_it(folder: Path) -> None:
    read = only_json(fireside("read", str(folder / "rules.txt"), "--json"))["blocks"]
    (result,) = only_json(fireside("search", str(folder), "-q", "Who paid for the windows?", "--json"))["results"]
    texts = {block["text"] for block in read}
    assert len(result["passages"]) == 5
    assert all(passage["text"] in texts for passage in result["passages"] if passage["file"] == "rules.txt")
    assert any(passage["file"] == "rules.txt" for passage in result["passages"])


def test_a_question_in_other_words_finds_its_passage(folder: Path) -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    (result,) = only_json(fireside("search", str(folder), "-q", "Am I permitted to keep pets?", "--json"))["results"]
    assert HOUSE_RULES[30] in [passage["text"] for passage in result["passages"]]


def test_people_read_where_each_passage_is(folder: Path) -> None:
    result = fireside("search", str(folder / "kiln.pdf"), "-q", "How long does it cool?", "--top", "1")
    assert result.returncode == 0
    assert result.stdout.splitlines() == [
        "How long does it cool?", "", "1. kiln.pdf, p. 2", "    The kiln cools for two days before it is opened."
    ]  # fmt: skip
    assert "Reading kiln.pdf" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["rules.txt"], 2, "-q"),
        (["rules.txt", "-q", " "], 2, "empty"),
        (["rules.txt", "-q", "pets", "--top", "0"], 2, "1 or more"),
        (["gone.txt", "-q", "pets"], 1, "gone.txt"),
    ],
)
def test_what_cannot_be_searched_is_told(folder: Path, arguments: list[str], code: int, told: str) -> None:
    result = fireside("search", str(folder / arguments[0]), *arguments[1:], "--json")
    assert (result.returncode, result.stdout) == (code, "")
    assert told in result.stderr


def test_an_embedding_model_finds_what_shares_no_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", load={"can_chat": False})))
    model, first, second = (tmp_path / name for name in ("e5.gguf", "a.txt", "b.txt"))
    write_model(model, **{"llama.pooling_type": 1})
    first.write_text("\n\n".join(f"mmm uuu ccc {number}." for number in range(30)), "utf-8")
    second.write_text("\n\n".join(["mmm uuu.", "zoo zoo zoo.", *(f"ccc ccc {n}." for n in range(20))]), "utf-8")
    files = ["search", str(first), str(second), "-q", "Ooo?", "--top", "1", "--json"]
    result = fireside(*files, "--passage-model", str(model))
    assert (result.returncode, result.stderr) == (0, "Reading a.txt\nReading b.txt\n")
    (passage,) = only_json(result)["results"][0]["passages"]
    assert (passage["file"], passage["text"]) == ("b.txt", "zoo zoo zoo.")
    settings = AppPaths.from_environment().settings
    save_settings(settings, Settings().changed("models", passages_path=str(model)))
    assert only_json(fireside(*files))["results"][0]["passages"] == [passage], "the one that the window uses"
    assert only_json(fireside(*files, "--passage-model", "none"))["results"][0]["passages"] != [passage]
    monkeypatch.delenv("FIRESIDE_ENGINE_SCRIPT")
    missing = fireside(*files, "--passage-model", str(tmp_path / "gone.gguf"))
    assert (missing.returncode, len(only_json(missing)["results"])) == (0, 1)
    assert missing.stderr.splitlines()[-1].endswith(WITHOUT_IT)
