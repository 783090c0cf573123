"""The chat model's own verdict on whether the passages it is shown answer a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.events import (
    AnswerStats,
    CancelToken,
    Finished,
    FinishReason,
    ModelElsewhere,
    ModelLoaded,
    PromptProgress,
    Role,
    TextDelta,
)
from app.features.chat.answer_service import AnswerEvent, AnswerStarted, DocumentsShown
from app.features.chat.attached_documents import NO_ANSWER
from app.features.chat.passage_judge import JUDGE_REQUEST, LEAST_WEIGHTS, JudgedPrompt, can_judge
from app.features.document_library import DocumentStored
from app.store.attachments import DocumentUse
from app.store.conversations import MessageState
from tests.helpers.models_on_disk import write_model
from tests.helpers.script import requests, write_script

KILN = "The old kiln by the river cools for two days before anybody opens it."
LIKE_THE_KILN, UNLIKE_IT = "Who may open a furnace after two days?", "Which stove stays closed for a week?"
"""Questions of which the signs are hardly sure: a passage seems to answer the first, and none the second."""
SURE = "Which dog won the race in Lisbon?"
NOTE = NO_ANSWER.format("book.txt")
MODEL = Path("/any/model.gguf")
ASKED = r"yes or no\?"


@contextmanager
def program_judging(
    folder: Path, monkeypatch: pytest.MonkeyPatch, word: str, load: Mapping[str, object] | None = None, **rule: object
) -> Iterator[tuple[Fireside, Path]]:
    """The program with a model that judges by a word, and the script with what it was asked."""
    script = write_script(
        folder / "script",
        {"when": ASKED, "text": word, "unlikely": {word: 0.9}, **rule},
        {"text": "Two days."},
        load={"context_tokens": 4000, "weights": LEAST_WEIGHTS, **(load or {})},
    )
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    with closing(build_program()) as app:
        list(app.engine.load(MODEL))
        yield app, script


def stored_question(app: Fireside, folder: Path, question: str) -> int:
    """The id of a question about a book far longer than the context."""
    texts = [f"This paragraph is about nothing in particular and is number {number} of many." for number in range(240)]
    path = folder / "book.txt"
    path.write_text("\n\n".join([*texts[:149], KILN, *texts[150:]]), "utf-8")
    *_, last = app.documents.read_file(path, CancelToken())
    assert isinstance(last, DocumentStored)
    chat = app.conversations.create()
    app.documents.attachments.add_to_draft(chat.id, last.document.id, DocumentUse.BACKGROUND)
    return app.chat.add_question(chat.id, question, draft_of=chat.id).id


def ask(app: Fireside, folder: Path, question: str) -> list[AnswerEvent]:
    return list(app.chat.answer(stored_question(app, folder, question), CancelToken()))


def verdict_on(app: Fireside, events: list[AnswerEvent]) -> bool | None:
    (question_id,) = {event.question_id for event in events if isinstance(event, DocumentsShown)}
    (attachment,) = app.documents.attachments.of_messages([question_id])[question_id]
    return attachment.has_answer


@dataclass(frozen=True)
class JudgedCase:
    """A model's word on a question; `has_answer` is the verdict then, `is_turned` whether the signs said otherwise."""

    question: str
    word: str
    has_answer: bool
    is_turned: bool


@pytest.mark.parametrize(
    "case",
    [
        JudgedCase(LIKE_THE_KILN, "No", has_answer=False, is_turned=True),
        JudgedCase(LIKE_THE_KILN, "Yes", has_answer=True, is_turned=False),
        JudgedCase(UNLIKE_IT, "Yes", has_answer=True, is_turned=True),
        JudgedCase(UNLIKE_IT, "no", has_answer=False, is_turned=False),
        JudgedCase(UNLIKE_IT, "Perhaps", has_answer=False, is_turned=False),
    ],
)
def test_the_model_turns_a_verdict_that_was_hardly_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: JudgedCase
) -> None:
    with program_judging(tmp_path, monkeypatch, case.word) as (app, script):
        events = ask(app, tmp_path, case.question)
        assert verdict_on(app, events) is case.has_answer
    assert sum(isinstance(event, DocumentsShown) for event in events) == 1 + case.is_turned, "the line follows"
    judged, answered = requests(script)
    bare = judged["messages"][-1][1].removesuffix(f"\n\n{JUDGE_REQUEST}")
    assert bare.endswith(f"\n\n{case.question}")
    assert answered["messages"][-1][1] == (bare if case.has_answer else f"{bare}\n\n{NOTE}")
    assert judged["session"] == answered["session"] != "", "so that the prompt is read once"
    assert judged["max_tokens"] == 1
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Two days."


@pytest.mark.parametrize(
    ("question", "load"),
    [(SURE, {}), (UNLIKE_IT, {"weights": LEAST_WEIGHTS - 1}), (UNLIKE_IT, {"thinking": "switch_off"})],
)
def test_a_model_is_not_asked_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: str, load: dict[str, object]
) -> None:
    with program_judging(tmp_path, monkeypatch, "Yes", load) as (app, script):
        assert verdict_on(app, ask(app, tmp_path, question)) is False
    (answered,) = requests(script)
    assert answered["messages"][-1][1].endswith(NOTE)


def test_an_answer_that_is_cancelled_while_it_is_judged_is_never_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = CancelToken()
    events = []
    with program_judging(tmp_path, monkeypatch, "Yes", prompt_s=60) as (app, script):
        for event in app.chat.answer(stored_question(app, tmp_path, UNLIKE_IT), cancel):
            events.append(event)
            if isinstance(event, PromptProgress):
                cancel.cancel()
        started = next(event for event in events if isinstance(event, AnswerStarted))
        answer = app.conversations.get_message(started.message_id)
    assert isinstance(events[-1], Finished)
    assert events[-1].stats.finish_reason is FinishReason.CANCELLED
    assert answer is not None
    assert (answer.role, answer.state) == (Role.ASSISTANT, MessageState.STOPPED)
    assert len(requests(script)) == 1


@pytest.mark.parametrize(("architecture", "is_able"), [("llama", True), ("mamba", False)])
def test_a_model_that_would_read_the_question_again_is_not_asked(
    tmp_path: Path, architecture: str, is_able: bool
) -> None:
    shape = {"block_count": 1, "ssm.inner_size": 8, "ssm.state_size": 4, "ssm.conv_kernel": 4}
    path = tmp_path / f"{architecture}.gguf"
    metadata = {f"{architecture}.{key}": value for key, value in shape.items()}
    write_model(path, **metadata | {"general.architecture": architecture})
    loaded = ModelLoaded(str(path), "m", 1, 4000, 4000, True, 1, 0, "", 1, weights=LEAST_WEIGHTS)
    assert can_judge(loaded) is is_able
    assert not can_judge(ModelElsewhere(**vars(loaded), host="here:1"))


def test_what_was_read_for_the_verdict_counts_as_read_for_the_answer() -> None:
    read = AnswerStats(500, 100, 1, 9.0, 0.0, FinishReason.LENGTH)
    stats = AnswerStats(480, 470, 30, 0.5, 12.0, FinishReason.STOP)
    (told,) = JudgedPrompt([], stats=read).with_reading(iter([Finished(stats)]))
    assert told == Finished(replace(stats, reused_tokens=100, time_to_first_token_s=9.5))
    assert list(JudgedPrompt([]).with_reading(iter([Finished(stats)]))) == [Finished(stats)]
