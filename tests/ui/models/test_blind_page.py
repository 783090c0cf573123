"""Two models side by side: nothing tells them apart before the vote, and the votes are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.models import blind
from app.ui.models.blind import (
    CHOOSE_DIFFERENT_MODELS,
    COULD_NOT_ANSWER,
    TWO_MODELS_NEEDED,
    VOTES_KEPT_HERE,
    VOTES_SO_FAR,
    BlindPage,
)
from app.ui.shared_labels import STOPPED_LABEL, TOKENS_PER_SECOND, UNDO, WRITING
from tests.helpers.models_on_disk import model_bytes
from tests.helpers.script import write_script
from tests.helpers.texts import shows
from tests.ui.models.rooms import Room, open_room

FIRST, SECOND = "Alder", "Birch"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = write_script(tmp_path / "script", {"text": "A **clear** answer"})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    monkeypatch.setattr(blind.random, "sample", lambda them, _count: list(reversed(them)))
    return path


@pytest.fixture
def room(qapp: QApplication, script: Path, fast_machine: None) -> Iterator[Room]:
    models = {f"{name}.gguf": model_bytes(name) for name in (FIRST, SECOND)}
    with open_room(qapp, BlindPage, models=models) as room:
        choices = room.page.choices
        room.wait(lambda: len(room.page._names) >= 2)
        for choice, name in zip(choices, (FIRST, SECOND), strict=True):
            choice.choose(next(path for path, label in room.page._names.items() if label == name))
        yield room


def ask(room: Room, qtbot: QtBot, question: str = "Who are you?") -> None:
    room.page.question.setFocus()
    qtbot.keyClicks(room.page.question, question)
    room.click(room.page.ask_button)


def loads(script: Path) -> list[str]:
    """Which models were loaded, in their order."""
    lines = script.with_name("prompts.jsonl").read_text("utf-8").splitlines()
    asked = [json.loads(line) for line in lines]
    return [Path(one["path"]).stem for one in asked if one["type"] == "LoadModel"]


def test_with_one_model_there_is_a_way_to_a_second_which_is_chosen_when_it_comes(
    qapp: QApplication, script: Path, fast_machine: None
) -> None:
    with open_room(qapp, BlindPage) as room:
        page = room.page
        room.wait(lambda: len(page._names) == 1)
        assert page.status.text() == TWO_MODELS_NEEDED
        assert page.more.isVisible()
        second = script.parent / "Second-1B.gguf"
        second.write_bytes(model_bytes("Second"))
        room.app.models.choose_model("write", second)
        page.reload()
        room.wait(lambda: len(page._names) == 2)
        assert len({choice.value for choice in page.choices}) == 2
        assert not page.more.isVisible()


def test_names_come_after_the_vote_and_nowhere_before(room: Room, qtbot: QtBot, script: Path) -> None:
    page = room.page
    ask(room, qtbot)
    room.wait(lambda: not page.is_running)
    assert loads(script) == [SECOND, FIRST]
    assert [vote.isVisible() for vote in page.votes] == [True] * 3
    heard = room.names_heard(*page.answers, *page.votes, page.status, page.tally)
    assert FIRST not in heard
    assert SECOND not in heard
    assert not shows(TOKENS_PER_SECOND, heard)
    assert "A clear answer" in heard
    room.click(page.votes[0])  # A
    assert [card.heading for card in page.answers] == [f"A: {SECOND}", f"B: {FIRST}"]
    assert all(shows(TOKENS_PER_SECOND, card.state.text()) for card in page.answers)
    assert page.tally.text() == f"Your blind votes so far: {FIRST} 0, {SECOND} 1, the same 0."
    assert not any(vote.isVisible() for vote in page.votes)
    assert len(room.settings.models.votes) == 1


def test_votes_add_up_and_can_be_cleared(room: Room, qtbot: QtBot) -> None:
    page = room.page
    for number in (2, 1):
        ask(room, qtbot, "?")
        room.wait(lambda: not page.is_running)
        room.click(page.votes[1 if number == 2 else 2])
    assert page.tally.text() == f"Your blind votes so far: {FIRST} 1, {SECOND} 0, the same 1."
    votes = room.settings.models.votes
    room.click(page.clear)
    assert room.settings.models.votes == ()
    assert shows(VOTES_KEPT_HERE, page.tally.text())
    room.press_notice(UNDO)
    assert room.settings.models.votes == votes
    assert shows(VOTES_SO_FAR, page.tally.text())


def test_stopped_it_shows_the_names_and_asks_no_vote(room: Room, qtbot: QtBot, script: Path) -> None:
    write_script(script.parent, {"text": "word by word", "held_after": 1, "until": "never"})
    page = room.page
    ask(room, qtbot)
    room.wait(lambda: page.answers[0].state.text() == WRITING)
    room.click(page.cancel)
    room.wait(lambda: not page.is_running)
    assert page.answers[1].heading == f"B: {FIRST}"
    assert page.answers[1].state.text() == STOPPED_LABEL
    assert not any(vote.isVisible() for vote in page.votes)


def test_one_that_cannot_answer_gives_itself_away_only_at_the_end(room: Room, qtbot: QtBot, script: Path) -> None:
    rules = [{"error": "ModelMissing", "when": "", "times": 1}, {"any_path": True}]
    write_script(script.parent, {"text": "hello you", "held_after": 1, "until": "go"}, load={})
    text = json.loads(script.read_text("utf-8"))
    script.write_text(json.dumps(text | {"load": rules}), "utf-8")
    page = room.page
    ask(room, qtbot)
    room.wait(lambda: page.answers[1].state.text() == WRITING)
    assert page.answers[0].state.text() == COULD_NOT_ANSWER
    script.with_name("go").touch()
    room.wait(lambda: not page.is_running)
    assert page.answers[0].heading == f"A: {SECOND}"
    assert SECOND in page.answers[0].state.text()
    assert not any(vote.isVisible() for vote in page.votes)


def test_two_different_models_and_a_question_are_needed(room: Room, qtbot: QtBot) -> None:
    page = room.page
    assert not page.ask_button.isEnabled()
    qtbot.keyClicks(page.question, "Well?")
    assert page.ask_button.isEnabled()
    page.choices[1].choose(page.choices[0].value)
    assert not page.ask_button.isEnabled()
    assert page.status.text() == CHOOSE_DIFFERENT_MODELS
