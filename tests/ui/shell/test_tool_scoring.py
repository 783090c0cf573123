"""The test of a model's tool calls in the real window: begun, shown, stopped, kept, and told where one chooses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from app.features.models.model_messages import MessageTemplate
from app.features.tools.tool_scores import RIGHT_TOOL, ToolScores
from app.ui.chat.chat_view import ChatView
from app.ui.chat.tools_choice import WEAK_MODEL
from app.ui.shell.model_about import ModelAbout
from app.ui.shell.model_picker import CALLS_RIGHT
from app.ui.shell.tool_score_view import NOT_TESTED, ToolScoreView
from app.ui.shell.tool_scoring import TEST_CALLS
from tests.features.tools.lent_tools import OWN_WAY
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.models_on_disk import write_model
from tests.helpers.script import requests, write_script

REQUESTS, NEED_NONE = 24, 8
WAYS = 3


@pytest.fixture
def answers() -> list[dict[str, Any]]:
    """A model that only ever talks, so that it is right where no tool is needed."""
    return [{"text": "I don’t call anything."}]


@pytest.fixture
def script(answers: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script", *answers, calls=OWN_WAY)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


@pytest.fixture
def frame(qapp: QApplication, script: Path, tmp_path: Path) -> Iterator[Frame]:
    with open_window(qapp, make_chat=lambda *parts: ChatView(*parts)) as frame:  # noqa: PLW0108 - its class
        model = tmp_path / "model.gguf"
        write_model(model)
        frame.loader.load(model)
        frame.wait(lambda: frame.loader.state == "ready")
        yield frame


def chat_of(frame: Frame, script: Path) -> ChatDesk:
    chat: Any = frame.chat
    return ChatDesk(chat, frame.app, frame.notify, frame.theme, script)


def test_a_model_is_tested_from_the_composer_and_its_score_is_told_before_tools_are_on(
    frame: Frame, script: Path
) -> None:
    desk, scoring = chat_of(frame, script), frame.window.scoring
    model = frame.loader.path
    assert model is not None
    desk.choose_entry(TEST_CALLS)
    assert scoring.model == model
    assert frame.window.status.work.text() == scoring.activity != ""
    frame.wait(lambda: scoring.model is None)
    assert len(requests(script)) >= REQUESTS * WAYS
    score = ToolScores(frame.app.paths.cache).find_score(model)
    assert score is not None
    assert (score.requests, score.right_tool, score.called_without_need) == (REQUESTS, NEED_NONE, 0)
    assert any(words_of(score.message) in notice for notice in frame.notices)
    assert frame.window.status.work.text() == ""
    desk.wait(lambda: WEAK_MODEL.format(right=NEED_NONE, requests=REQUESTS) in desk.composer_entries())
    assert TEST_CALLS not in desk.composer_entries(), "it is known now"
    lines = [action.text() for action in frame.model_menu.actions()]
    assert any(CALLS_RIGHT.format(right=NEED_NONE, requests=REQUESTS) in line for line in lines)


def words_of(message: MessageTemplate) -> str:
    return message.text.format(**message.values)


def test_the_details_of_a_model_show_the_four_figures_as_they_come(frame: Frame) -> None:
    frame.picker.show_about()
    about = frame.window.findChild(ModelAbout)
    assert about is not None
    view = about.findChild(ToolScoreView)
    assert view is not None
    assert view.sentence.text() == NOT_TESTED
    before = about.height()
    frame.click(view.button)
    frame.wait(lambda: view.sentence.text() == RIGHT_TOOL.format(right=NEED_NONE, requests=REQUESTS))
    of_all = [value.text() for _, value in view.figures.values() if not value.isHidden()]
    assert of_all == ["24 of 24", "8 of 24", "8 of 24", "0"]
    assert about.height() > before
    assert clipped_texts(about) == []
    about.close()


NEVER_READY = [{"text": "I don’t", "times": 3}, {"text": "I don’t", "held_after": 1, "until": "go"}]
"""The fourth answer ends only when it is stopped, however quick the machine is."""


@pytest.mark.parametrize("answers", [NEVER_READY])
def test_another_model_in_its_place_ends_the_test_with_a_word(frame: Frame, tmp_path: Path) -> None:
    scoring, model = frame.window.scoring, frame.loader.path
    assert model is not None
    other = tmp_path / "other.gguf"
    write_model(other)
    scoring.toggle(model)
    frame.wait(lambda: scoring.done > 0)
    frame.loader.load(other)
    frame.wait(lambda: scoring.model is None and frame.loader.state == "ready")
    assert scoring.find_score(model) is None
    assert scoring.find_score(other) is None
    assert frame.notices
