"""A chat that grows beyond the model's context, as a person sees it: divider, pins, numbers, the question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors.request_errors import PromptTooLong
from app.core.events import Role
from app.features.chat.context_fitting import ContextBudget, PromptBreakdown
from app.features.error_messages import sentence_for
from app.ui.chat.actions import BRING_BACK, PIN_MESSAGE
from app.ui.chat.chat_context import (
    CONTEXT_ALMOST_FULL,
    EARLIER_TURNS,
    FREE,
    MESSAGE_TOO_LONG,
    MESSAGES_LEFT_OUT,
    NEXT_DOES_NOT_FIT,
    NEXT_NEVER_FITS,
    OLDEST_LEFT_OUT,
    ONE_MESSAGE_LEFT_OUT,
    RESERVED_FOR_ANSWER,
    TOO_LONG_WILL_ASK,
    ContextFull,
    ContextPanel,
    notes_on,
    rows_of,
)
from app.ui.chat.chat_tab import NUMBERS_WAIT
from app.ui.shared_labels import (
    COPY,
    COUNTING,
    DOCUMENTS_LABEL,
    INSTRUCTIONS_FROM_BEFORE,
    PART_TOKENS,
    PINNED,
    SYSTEM_PROMPT,
    THIS_MESSAGE,
    UNPIN,
)
from app.ui.theme import Theme
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame
from tests.helpers.texts import shows
from tests.ui.chat.conftest import Open

CONTEXT_TOKENS = 4000
LONG = "word " * 300
ANSWER = {"text": f"Certainly. {LONG}"}


def fill(desk: ChatDesk, turns: int = 5) -> int:
    """A stored conversation that leaves no room for another long turn, opened; its id."""
    conversations = desk.conversations
    conversation_id = conversations.create(title="Long").id
    parent: int | None = None
    for number in range(1, turns + 1):
        question = conversations.add_message(conversation_id, parent, Role.USER, f"Question {number}. {LONG}")
        parent = conversations.add_message(conversation_id, question.id, Role.ASSISTANT, f"Answer. {LONG}").id
    desk.chat.show_conversation(conversation_id)
    desk.wait(lambda: desk.is_settled)
    return conversation_id


@pytest.fixture
def desk(open_chat: Open) -> ChatDesk:
    return open_chat(ANSWER, load={"context_tokens": CONTEXT_TOKENS})


def test_when_it_is_full_a_divider_says_how_many_messages_the_model_no_longer_sees(desk: ChatDesk) -> None:
    fill(desk)
    assert not desk.divider.isVisible()
    desk.ask("And now?")
    divider = desk.divider
    assert divider.isVisible()
    hidden = [turn for turn in desk.turns if turn.is_forgotten]
    assert divider.accessibleName() == f"The model no longer sees earlier messages ({len(hidden)})"
    below = desk.turns[len(hidden)]
    assert hidden[-1].geometry().bottom() < divider.y()
    assert divider.geometry().bottom() < below.y()
    for width in (320, 900):
        desk.chat.resize(width, desk.chat.height())
        desk.wait(lambda: desk.is_settled)
        assert clipped_texts(desk.chat) == []
    conversation_id = desk.chat.conversation_id
    desk.chat.show_conversation(None)
    desk.chat.show_conversation(conversation_id)
    desk.wait(lambda: desk.is_settled)
    assert divider.isVisible(), "and it is there again"


def test_bring_back_shows_a_message_to_the_model_again_and_unpin_lets_it_go(desk: ChatDesk) -> None:
    conversation_id = fill(desk)
    desk.ask("And now?")
    count = len(desk.app.chat.hidden_ids(conversation_id))
    desk.click_action(desk.turns[0], BRING_BACK)
    assert len(desk.app.chat.hidden_ids(conversation_id)) == count - 1
    assert f"({count - 1})" in desk.divider.accessibleName()
    assert not desk.turns[0].is_forgotten
    desk.ask("Do you see it?")
    assert any(text.startswith("Question 1.") for _, text in desk.prompts()[-1])
    desk.click_action(desk.turns[0], UNPIN)
    assert desk.turns[0].is_forgotten


def test_a_pinned_message_says_so_at_any_time_and_a_press_on_that_unpins_it(desk: ChatDesk) -> None:
    desk.ask("Hello")
    turn = desk.turns[0]
    desk.click_action(turn, PIN_MESSAGE)
    turn.set_focused(False)
    desk.chat.focus_composer()
    assert turn.toolbar.row is not None
    assert turn.toolbar.row.pin.isVisible()
    assert turn.toolbar.row.button(COPY) is None
    desk.click(turn.toolbar.row.pin)
    assert turn.message is not None
    assert not turn.message.pinned
    assert not turn.toolbar.row.isVisible()


def dialog_of(desk: ChatDesk) -> ContextFull:
    desk.wait(lambda: bool(desk.chat.findChildren(ContextFull)))
    return desk.chat.findChildren(ContextFull)[0]


def press(desk: ChatDesk, name: str) -> None:
    buttons = {button.text(): button for button in dialog_of(desk).findChildren(QPushButton)}
    QTest.mouseClick(buttons[name], Qt.MouseButton.LeftButton)


def test_asked_first_nothing_is_sent_until_the_person_says_compact(desk: ChatDesk) -> None:
    desk.app.change_settings("chat", when_full="ask")
    fill(desk)
    desk.ask("And now?")
    assert desk.prompts() == []
    assert desk.texts[-1] == "And now?"
    assert not desk.divider.isVisible()
    assert clipped_texts(dialog_of(desk)) == []
    with desk.hears(desk.chat.answer_finished):
        QTest.keyClick(dialog_of(desk), Qt.Key.Key_Return)
    assert len(desk.prompts()) == 1
    assert desk.last_text.startswith("Certainly.")
    assert desk.divider.isVisible()


def test_a_message_larger_than_the_context_is_refused_in_words(desk: ChatDesk) -> None:
    desk.put_message("word " * 5000)
    with desk.hears(desk.chat.answer_finished):
        desk.press(Qt.Key.Key_Return)
    assert sentence_for(PromptTooLong(5000, 1000)).kept in desk.last_state
    assert desk.prompts() == []
    assert desk.texts[0] == "word " * 5000


def test_while_a_message_is_written_its_parts_are_counted(desk: ChatDesk) -> None:
    desk.ask("Hello")
    seen: list[PromptBreakdown] = []
    desk.chat.memory.parts_changed.connect(seen.append)
    desk.type("three more words")
    desk.wait(lambda: seen and seen[-1].message == 3 + 4)
    assert seen[-1].earlier > 300
    assert seen[-1].budget.context_tokens == CONTEXT_TOKENS


def test_a_message_that_will_not_fit_says_so_before_it_is_sent(desk: ChatDesk) -> None:
    fill(desk)
    desk.type("And")
    desk.wait(lambda: desk.note == OLDEST_LEFT_OUT)
    desk.app.change_settings("chat", when_full="ask")
    desk.composer_note.refresh()
    assert desk.note == TOO_LONG_WILL_ASK
    assert clipped_texts(desk.chat) == []
    desk.put_message("word " * 5000)
    desk.wait(lambda: desk.note == MESSAGE_TOO_LONG)


def test_an_almost_full_context_says_so(desk: ChatDesk) -> None:
    desk.chat.context_changed.emit(int(CONTEXT_TOKENS * 0.89))
    assert desk.note == ""
    desk.chat.context_changed.emit(int(CONTEXT_TOKENS * 0.9))
    assert desk.note == CONTEXT_ALMOST_FULL


def test_the_gauge_moves_while_the_answer_is_written(open_chat: Open) -> None:
    desk = open_chat({"text": "one two three four five six seven eight ", "repeat": 2000, "delay_s": 0.005})
    used: list[int] = []
    desk.chat.context_changed.connect(used.append)
    desk.type("Count")
    with desk.hears(desk.chat.answer_finished):
        desk.press(Qt.Key.Key_Return)
        desk.wait(lambda: len(set(used)) > 3)
        desk.press(Qt.Key.Key_Escape)
    assert used == sorted(used)
    assert used[-1] == desk.last_message.stats.prompt_tokens + desk.last_message.stats.generated_tokens  # type: ignore[union-attr]


# The panel over the gauge: each part with its number, in any direction of writing.


PARTS = PromptBreakdown(
    system=20, carried=100, pinned=300, earlier=2400, message=45, budget=ContextBudget(8192, 1024, 245), hidden=12
)


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[ContextPanel]:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    made = ContextPanel(Theme("light"), parent, show_texts=lambda: None)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    made.show()
    yield made
    parent.close()


def texts(panel: ContextPanel) -> list[str]:
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]


def test_the_rows_add_up_to_the_context() -> None:
    rows = rows_of(PARTS)
    assert [words for words, _, _ in rows] == (
        [SYSTEM_PROMPT, INSTRUCTIONS_FROM_BEFORE, PINNED, EARLIER_TURNS, THIS_MESSAGE] + [FREE, RESERVED_FOR_ANSWER]
    )
    assert sum(tokens for _, tokens, _ in rows) == 8192
    assert PINNED not in [words for words, _, _ in rows_of(replace(PARTS, pinned=0))]
    assert INSTRUCTIONS_FROM_BEFORE not in [words for words, _, _ in rows_of(replace(PARTS, carried=0))]
    assert DOCUMENTS_LABEL in [words for words, _, _ in rows_of(replace(PARTS, documents=10))]


def test_every_part_is_said_in_numbers_and_to_screen_readers(panel: ContextPanel) -> None:
    assert COUNTING in texts(panel)
    panel.show_parts(PARTS)
    assert COUNTING not in texts(panel)
    assert "2,400" in texts(panel)
    assert PART_TOKENS.format(part=EARLIER_TURNS, count="2,400") in panel.accessibleDescription()
    assert MESSAGES_LEFT_OUT.format(count=12) in texts(panel)
    assert clipped_texts(panel) == []
    panel.show_parts(replace(PARTS, earlier=2_500, hidden=0))
    assert "2,500" in texts(panel)
    assert clipped_texts(panel) == [], "also without a note below the numbers"
    assert panel.height() > 150
    assert "2,400" not in texts(panel)


def test_what_does_not_fit_is_said() -> None:
    assert notes_on(replace(PARTS, hidden=0)) == ""
    assert notes_on(replace(PARTS, hidden=1)) == ONE_MESSAGE_LEFT_OUT
    assert notes_on(replace(PARTS, earlier=9_000)).startswith(NEXT_DOES_NOT_FIT)
    assert all(tokens >= 0 for _, tokens, _ in rows_of(replace(PARTS, earlier=9_000)))
    alone = replace(PARTS, message=9_000, staying=9_320)
    assert notes_on(alone).startswith(NEXT_NEVER_FITS)


def test_the_gauge_opens_the_panel_and_follows_the_numbers(frame: Frame, qtbot: QtBot) -> None:
    gauge = frame.gauge
    gauge.show_size(8192)
    frame.chat.is_counting = False
    qtbot.mouseClick(gauge, Qt.MouseButton.LeftButton)
    panel = QApplication.activePopupWidget()
    assert isinstance(panel, ContextPanel)
    assert any(shows(NUMBERS_WAIT, text) for text in texts(panel))
    frame.chat.memory.parts_changed.emit(PARTS)
    assert gauge.accessibleName() == "Context 2.9k of 8k"
    assert "2,400" in texts(panel)
    assert panel.geometry().bottom() < gauge.mapToGlobal(gauge.rect().topLeft()).y()
    panel.close()
