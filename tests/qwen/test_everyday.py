"""What a person does with a real model: chat, ask about a document, have it summarized and translated, look inside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.bootstrap import Fireside
from app.core.events import CancelToken, Finished, FinishReason
from app.documents.blocks import Block, BlockKind
from app.engine.client import EngineClient
from app.features.document_library import DocumentStored
from app.features.inside import looks
from app.features.summarize import answer_grammars, summary_prompts
from app.features.summarize.point_answers import read_points
from app.features.summarize.sections import whole_section
from app.features.summarize.summary_result import InputDocument
from app.store.attachments import DocumentUse
from tests.helpers.blemishes import find_blemishes
from tests.helpers.engine import GREEDY, answer_of, user
from tests.helpers.qwen_models import ANSWER_S
from tests.helpers.terminal import fireside, only_json
from tests.qwen.texts import HARBOUR, WATERWORKS


def ask(app: Fireside, chat_id: int, question: str) -> str:
    """The answer that is stored; it has come to its end."""
    stored = app.chat.add_question(chat_id, question, draft_of=chat_id)
    *_, last = app.chat.answer(stored.id, CancelToken())
    assert isinstance(last, Finished) and last.stats.finish_reason is FinishReason.STOP
    return app.conversations.read_branch(chat_id)[-1].text


def test_a_chat_goes_on_with_what_was_said_before(open_program: Callable[[Path], Fireside], qwen_15b: Path) -> None:
    app = open_program(qwen_15b)
    chat = app.conversations.create(system_prompt="Answer in one short sentence.")
    answers = [
        ask(app, chat.id, "My cat is called Ferdinand and is 7 years old. Say hello to him."),
        ask(app, chat.id, "What is the name of my cat?"),
        ask(app, chat.id, "How old will he be in three years?"),
    ]
    assert [find_blemishes(answer, "", "en") for answer in answers] == [[], [], []], answers
    assert "Ferdinand" in answers[1]
    assert "10" in answers[2] or "ten" in answers[2].casefold()


def test_a_document_that_fits_is_asked_about(
    open_program: Callable[[Path], Fireside], qwen_15b: Path, tmp_path: Path
) -> None:
    app = open_program(qwen_15b)
    path = tmp_path / "harbour.md"
    path.write_text(HARBOUR, "utf-8")
    *_, kept = app.documents.read_file(path, CancelToken())
    assert isinstance(kept, DocumentStored)
    chat = app.conversations.create()
    app.documents.attachments.add_to_draft(chat.id, kept.document.id, DocumentUse.WHOLE)
    answer = ask(app, chat.id, "Who built the new crane, and how many tonnes can it lift? One sentence.")
    assert find_blemishes(answer, HARBOUR, "en") == [], answer
    assert "Brenner" in answer and "60" in answer


@pytest.mark.parametrize("size", ["0.5B", "1.5B"])
@pytest.mark.parametrize(("text", "language"), [(HARBOUR, "en"), (WATERWORKS, "de")], ids=["English", "German"])
def test_a_summary_that_a_model_wrote_is_clean_text(
    request: pytest.FixtureRequest, tmp_path: Path, size: str, text: str, language: str
) -> None:
    model: Path = request.getfixturevalue("qwen_05b" if size == "0.5B" else "qwen_15b")
    path = tmp_path / "report.md"
    path.write_text(text, "utf-8")
    result = fireside(
        "summarize", str(path), "--length", "short", "--method", "model", "--model", str(model), "--json",
        timeout_s=ANSWER_S,
    )  # fmt: skip
    body = only_json(result)
    assert (result.returncode, body["method"]) == (0, "model")
    assert find_blemishes(body["summary"], text, language) == [], body["summary"]
    assert len(body["claims"]) >= 2
    found = [claim["text"] for claim in body["claims"] if claim["found"]]
    assert len(found) * 3 >= len(body["claims"]) * 2, body["claims"]


def test_a_translation_is_in_the_other_language(qwen_15b: Path) -> None:
    text = "The library is closed on Mondays.\n\nYou can bring books back at any time.\n"
    result = fireside(
        "translate", "-", "--from", "en", "--to", "es", "--model", str(qwen_15b), text=text, timeout_s=ANSWER_S
    )
    paragraphs = result.stdout.strip().split("\n\n")
    assert (result.returncode, len(paragraphs)) == (0, 2)
    assert find_blemishes(result.stdout, "", "es") == [], result.stdout
    assert "biblioteca" in paragraphs[0].casefold() and "lunes" in paragraphs[0].casefold()


def test_inside_shows_what_the_model_writes_next(engine_05b: EngineClient) -> None:
    text = "The capital of France is"
    tokens, layers = looks.read_layers(engine_05b, text)
    assert "".join(token.data.decode() for token in tokens) == text
    assert layers[-1][-1][0].data.decode().strip() == "Paris"
    *_, (guess, *_) = layers[0][-1:]
    assert guess.data.decode("utf-8", "replace").strip() != "Paris", "the first layer cannot know it yet"
    attention = looks.read_attention(engine_05b, text)
    assert attention.shares.shape == (len(attention.layers), attention.heads, len(tokens), len(tokens))
    assert all(abs(sum(row) - 1) < 0.01 for row in attention.shares_of(0))


def test_the_terminal_looks_inside(qwen_05b: Path) -> None:
    result = fireside("inspect", "anatomy", "--model", str(qwen_05b), "--json")
    body = json.loads(result.stdout)
    assert (body["layers"], body["heads"], body["kv_heads"]) == (24, 14, 2)


def test_the_same_question_gets_the_same_answer(engine_05b: EngineClient) -> None:
    question = [user("What is the capital of France? Answer with one word.")]
    answers = [answer_of(engine_05b.generate(question, max_tokens=8, sampling=GREEDY)) for _ in range(2)]
    assert [answer.strip(" .") for answer, _ in answers] == ["Paris", "Paris"]
    assert answers[1][1].reused_tokens > 0


def test_a_list_that_is_asked_for_is_whole(engine_05b: EngineClient) -> None:
    question = [user("Name the four seasons, separated by commas.")]
    answer, _ = answer_of(engine_05b.generate(question, max_tokens=40, sampling=GREEDY))
    assert find_blemishes(answer) == [], answer
    assert all(season in answer.casefold() for season in ("spring", "summer", "winter"))


def test_what_a_text_lists_is_listed_once(engine_05b: EngineClient) -> None:
    blocks = [Block(number, BlockKind.PARAGRAPH, text) for number, text in enumerate(WATERWORKS.split("\n\n"), 1)]
    document = InputDocument(0, "report.txt", "", "", 0, (), "de", blocks)
    asked = summary_prompts.list_messages(document, whole_section(0, blocks), "all amounts of money")
    rules = answer_grammars.entries_grammar([block.id for block in blocks], 9)
    answer, stats = answer_of(engine_05b.generate(asked, grammar=rules, max_tokens=200, task_sampling=GREEDY))
    points = read_points(answer, range(1, 9))
    assert stats.finish_reason == "stop"
    assert len({point.text for point in points}) == len(points) > 0, answer
    assert find_blemishes(answer, WATERWORKS) == [], answer
