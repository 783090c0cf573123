"""Two models on one question: beside each other, stopped, chosen from, kept while another chat is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from app.core.errors.model_errors import ModelMissing
from app.features.error_messages import sentence_for
from app.features.models.model_pool import ModelPool
from app.ui.chat.answer_view import ASK_ANOTHER_MODEL, REGENERATE, SHOW_TWO_VERSIONS, StateLine
from app.ui.chat.pair import PairView
from app.ui.chat.second_model import CHOOSE_AN_ANSWER, SECOND_MODEL, VERSION_LINE, VERSION_PLACE
from app.ui.shared_labels import STOPPED_LABEL
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.models_on_disk import write_model
from tests.ui.chat.conftest import Open

STORY = {"when": "story", "text": "word ", "repeat": 4000, "delay_s": 0.005}


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "Other-2B-Q8_0.gguf"
    write_model(path)
    return path


ROOMS = pytest.mark.parametrize("room", [True, False], ids=["room for both", "one after the other"], indirect=True)


@pytest.fixture
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether both fit into memory."""
    has_room: bool = getattr(request, "param", False)
    monkeypatch.setattr(ModelPool, "has_room", lambda *_: has_room)
    return has_room


def know(desk: ChatDesk, *paths: Path) -> None:
    desk.chat.models.others.known = lambda: [(path, path.stem) for path in paths]


def pair_in(desk: ChatDesk) -> PairView:
    return desk.find_step(PairView)


def ask_both(desk: ChatDesk, text: str, second: Path) -> PairView:
    assert desk.chat.open_chat.pairs.second is not None
    desk.chat.open_chat.pairs.second.choose(second)
    desk.type(text)
    desk.press(Qt.Key.Key_Return)
    return pair_in(desk)


def is_over(desk: ChatDesk, pair: PairView) -> bool:
    return not desk.chat.busy and any(not side.choose.isHidden() for side in pair.sides)


@ROOMS
def test_two_models_answer_one_question_and_one_is_chosen(open_chat: Open, other: Path, room: bool) -> None:
    desk = open_chat({"text": "One.", "times": 1}, {"text": "Two."})
    know(desk, other)
    desk.choose(desk.chat.open_chat.pairs.second.menu(), "Other")
    assert desk.button(SECOND_MODEL.format(name="Other 2B")).isVisible()
    desk.type("Which?")
    desk.press(Qt.Key.Key_Return)
    pair = pair_in(desk)
    desk.wait(lambda: is_over(desk, pair))
    assert [side.answer.text for side in pair.sides] == ["One.", "Two."]
    assert [side.name.text() for side in pair.sides] == ["model", "Other 2B"]
    assert all("token" in side.figures.text() for side in pair.sides)
    assert (desk.message_count, pair.sides[0].answer.x() < pair.sides[1].answer.x()) == (2, True)
    assert desk.note == CHOOSE_AN_ANSWER.format(name="model")
    assert clipped_texts(desk.chat) == []
    pair.setFocus()
    QTest.keyClick(pair, Qt.Key.Key_2)
    assert desk.texts == ["Which?", "Two."]
    assert len(desk.last_message.versions) == 2
    assert desk.chat.models.options.model == other, "the chat goes on with its model"
    assert desk.chat.open_chat.pairs.second.path is None, "the next question is asked of one"
    path = Path(desk.engine.loaded.path)
    assert path == (desk.script.parent.parent / "model.gguf" if room else other)


def test_a_message_that_is_sent_before_goes_on_with_the_first(open_chat: Open, other: Path, room: bool) -> None:
    desk = open_chat({"text": "One.", "times": 1}, {"text": "Two."})
    pair = ask_both(desk, "Which?", other)
    desk.wait(lambda: is_over(desk, pair))
    desk.ask("And now?")
    assert desk.texts == ["Which?", "One.", "And now?", "Two."]
    assert not desk.has(PairView)
    assert len(desk.conversations.read_branch(desk.chat.conversation_id)[1].versions) == 2


@ROOMS
def test_esc_stops_both_and_what_came_is_kept(open_chat: Open, other: Path, room: bool) -> None:
    desk = open_chat(STORY)
    pair = ask_both(desk, "A story", other)
    desk.wait(lambda: all(side.answer.text for side in pair.sides[: 2 if room else 1]))
    desk.press(Qt.Key.Key_Escape)
    desk.wait(lambda: not desk.chat.busy)
    if room:
        assert all(side.answer.text and STOPPED_LABEL in said(side.answer) for side in pair.sides)
    else:
        assert desk.texts[0] == "A story"
        assert not desk.has(PairView), "the second never began"


def said(view: object) -> str:
    lines = view.findChildren(StateLine)  # type: ignore[attr-defined]
    return " ".join(line.text for line in lines)


def test_an_answer_that_is_there_is_compared_with_another_models(open_chat: Open, other: Path, room: bool) -> None:
    desk = open_chat({"text": "One.", "times": 1}, {"text": "Two."})
    know(desk, other)
    desk.ask("Which?")
    desk.ask("And then?")
    first = desk.turns[1]
    desk.click_action(first, ASK_ANOTHER_MODEL)
    desk.choose(desk.find_step(QMenu, "other_models"), "Other")
    pair = pair_in(desk)
    desk.wait(lambda: is_over(desk, pair))
    assert [side.answer.text for side in pair.sides] == ["One.", "Two."]
    assert desk.message_count == 2, "what followed is that version's"
    desk.click(pair.sides[0].choose)
    assert desk.texts == ["Which?", "One.", "And then?", "Two."]


def test_a_pair_goes_on_and_is_shown_again_when_its_chat_was_left(open_chat: Open, other: Path, room: bool) -> None:
    desk = open_chat(STORY | {"repeat": 30}, {"text": "Else."})
    pair = ask_both(desk, "A story", other)
    number = desk.chat.conversation_id
    desk.wait(lambda: bool(pair.sides[0].answer.text))
    desk.chat.show_conversation(None)
    assert not desk.has(PairView)
    desk.chat.show_conversation(number)
    pair = pair_in(desk)
    desk.wait(lambda: is_over(desk, pair))
    assert [side.answer.text.count("word") for side in pair.sides] == [30, 30]
    desk.chat.show_conversation(None)
    desk.chat.show_conversation(number)
    assert is_over(desk, pair_in(desk))


def test_a_second_model_that_fails_leaves_the_first_and_says_why(open_chat: Open, other: Path, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    desk = open_chat({"text": "One."}, load={"any_path": False})
    other.unlink()
    pair = ask_both(desk, "Which?", other)
    desk.wait(lambda: is_over(desk, pair))
    assert [not side.choose.isHidden() for side in pair.sides] == [True, False]
    assert sentence_for(ModelMissing("Other-2B-Q8_0.gguf")).text in said(pair.sides[1].answer)
    desk.click(pair.sides[0].choose)
    assert desk.texts == ["Which?", "One."]


BESIDE = SHOW_TWO_VERSIONS


def regenerate(desk: ChatDesk) -> None:
    with desk.hears(desk.chat.answer_finished):
        desk.click_action(desk.last, REGENERATE)


def test_two_versions_that_are_stored_stand_beside_each_other_again(open_chat: Open) -> None:
    desk = open_chat({"text": "One.", "times": 1}, {"text": "Two.", "times": 1}, {"text": "And this."})
    desk.ask("Which?")
    assert BESIDE not in desk.menu_lines(desk.open_menu(desk.last)), "there is one only"
    regenerate(desk)
    desk.ask("And then?")
    number = desk.chat.conversation_id
    desk.click_action(desk.turns[1], BESIDE)
    pair = pair_in(desk)
    assert [side.answer.text for side in pair.sides] == ["One.", "Two."]
    assert [side.name.text() for side in pair.sides] == [VERSION_PLACE.format(place=1), VERSION_PLACE.format(place=2)]
    assert desk.note == CHOOSE_AN_ANSWER.format(name=VERSION_PLACE.format(place=2))
    assert clipped_texts(desk.chat) == []
    desk.chat.show_conversation(None)
    desk.chat.show_conversation(number)
    assert desk.texts == ["Which?", "Two.", "And then?", "And this."], "only looked at: what followed is there again"
    desk.click_action(desk.turns[1], BESIDE)
    desk.click(pair_in(desk).sides[0].choose)
    assert desk.texts == ["Which?", "One."]
    desk.click_action(desk.last, BESIDE)
    desk.click(pair_in(desk).sides[1].choose)
    assert desk.texts == ["Which?", "Two.", "And then?", "And this."]


def test_of_more_versions_the_other_one_is_chosen_and_a_message_goes_on_with_the_one_that_was_shown(
    open_chat: Open,
) -> None:
    desk = open_chat(*({"text": text, "times": 1} for text in ("One.", "Two.", "Three.", "Well.")))
    desk.ask("Which?")
    regenerate(desk)
    regenerate(desk)
    desk.click_action(desk.last, BESIDE)
    menu = desk.find_step(QMenu, "other_versions")
    assert [action.text() for action in menu.actions()] == [
        VERSION_LINE.format(place=1, words="model One."),
        VERSION_LINE.format(place=2, words="model Two."),
    ]
    desk.choose(menu, VERSION_PLACE.format(place=1))
    assert [side.answer.text for side in pair_in(desk).sides] == ["One.", "Three."]
    desk.ask("And now?")
    assert desk.texts == ["Which?", "Three.", "And now?", "Well."]
    assert not desk.has(PairView)
