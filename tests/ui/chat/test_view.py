"""The chat as a person uses it: keys and clicks, the real store, the real engine child, a scripted model."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.features.chat import session_messages as m
from app.store.conversations import MessageState
from app.ui.chat.actions import ABOUT_ANSWER_LINE, NEXT_VERSION, PREVIOUS_VERSION
from app.ui.chat.answer_view import (
    ANSWER_REACHED_LIMIT,
    READ_AS_MARKDOWN,
    REGENERATE,
    AnswerView,
)
from app.ui.chat.question import ANSWER_THIS
from app.ui.shared_labels import (
    ANSWER_LINE,
    CONTINUE,
    COPY,
    DELETE,
    EDIT_LABEL,
    MORE_LABEL,
    SEND,
    STOP,
    STOPPED_LABEL,
    TRANSLATE_THIS,
    TRY_AGAIN,
    UNDO,
    WAITING_FOR_MODEL,
    YOU_LINE,
)
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.texts import start_of
from tests.ui.chat.conftest import Open, add_turns

SLOW = {"text": "one two three four five six seven eight nine ten ", "repeat": 60, "delay_s": 0.02}


def test_a_message_is_sent_with_enter_and_answered(open_chat: Open) -> None:
    desk = open_chat({"text": "A **warm** answer."})
    with desk.hears(desk.chat.title_changed):
        desk.ask("Hello there")
    assert desk.texts == ["Hello there", "A **warm** answer."]
    assert desk.last_views[0].toPlainText() == "A warm answer."
    assert desk.message == ""
    conversation = desk.conversations.find()[0]
    assert conversation.id == desk.chat.conversation_id
    assert conversation.title == "Hello there"


def test_shift_enter_breaks_the_line_and_an_empty_message_is_not_sent(open_chat: Open) -> None:
    desk = open_chat()
    desk.press(Qt.Key.Key_Return)
    assert not desk.turns
    assert not desk.send.isEnabled()
    desk.type("one")
    desk.press(Qt.Key.Key_Return, modifier=Qt.KeyboardModifier.ShiftModifier)
    desk.type("two")
    assert desk.message == "one\ntwo"
    assert not desk.turns


def test_stop_shows_at_once_keeps_the_text_and_continue_goes_on(open_chat: Open) -> None:
    desk = open_chat({"times": 1, **SLOW}, {"text": "and the end."})
    desk.type("Count")
    desk.press(Qt.Key.Key_Return)
    desk.wait(lambda: "three" in desk.last_text)
    assert desk.chat.busy
    assert desk.send.accessibleName() == STOP
    begin_s = time.perf_counter()
    with desk.hears(desk.chat.answer_finished):
        desk.press(Qt.Key.Key_Escape)
        assert desk.last_state == STOPPED_LABEL
        print(f"stop shown after {(time.perf_counter() - begin_s) * 1000:.0f} ms")
    assert not desk.chat.busy
    assert desk.send.accessibleName() == SEND
    kept = desk.last_text
    assert kept.startswith("one two three")
    assert desk.last_message is not None
    assert desk.last_message.state == MessageState.STOPPED
    with desk.hears(desk.chat.answer_finished):
        desk.link(desk.last, CONTINUE)
    assert desk.last_text == kept + "and the end."
    assert desk.last_state == ""
    assert len(desk.turns) == 2


def test_regenerate_makes_a_version_and_the_switcher_goes_back(open_chat: Open) -> None:
    desk = open_chat({"text": "First.", "times": 1}, {"text": "Second."})
    desk.ask("Say something")
    with desk.hears(desk.chat.answer_finished):
        desk.click_action(desk.last, REGENERATE)
    assert desk.texts == ["Say something", "Second."]
    assert desk.last_message is not None
    assert len(desk.last_message.versions) == 2
    desk.click_action(desk.last, PREVIOUS_VERSION)
    assert desk.texts == ["Say something", "First."]
    desk.click_action(desk.last, NEXT_VERSION)
    assert desk.texts == ["Say something", "Second."]


def test_a_question_is_edited_in_place_and_answered_anew(open_chat: Open) -> None:
    desk = open_chat({"when": "blue", "text": "Blue."}, {"text": "Red."})
    desk.ask("red?")
    question = desk.question()
    desk.press(Qt.Key.Key_Up)
    assert question.editor is not None
    edit = desk.editor_of(question)
    assert edit.toPlainText() == "red?"
    QTest.keyClick(edit, Qt.Key.Key_Escape)
    assert question.editor is None
    assert desk.texts == ["red?", "Red."]
    desk.click_action(question, EDIT_LABEL)
    edit = desk.editor_of(question)
    edit.selectAll()
    QTest.keyClicks(edit, "blue?")
    with desk.hears(desk.chat.answer_finished):
        QTest.keyClick(edit, Qt.Key.Key_Return)
    assert desk.texts == ["blue?", "Blue."]
    desk.click_action(desk.turns[0], PREVIOUS_VERSION)
    assert desk.texts == ["red?", "Red."]


def test_delete_can_be_undone(open_chat: Open) -> None:
    desk = open_chat({"text": "Yes."})
    desk.ask("Is it?")
    desk.click_action(desk.turns[0], DELETE)
    assert not desk.turns
    assert desk.empty.isVisible()
    desk.press_notice(UNDO)
    assert desk.texts == ["Is it?", "Yes."]


def test_an_answer_deleted_leaves_a_question_that_can_be_answered(open_chat: Open) -> None:
    desk = open_chat({"text": "Yes.", "times": 1}, {"text": "Again."})
    desk.ask("Is it?")
    desk.click_action(desk.last, DELETE)
    assert desk.texts == ["Is it?"]
    with desk.hears(desk.chat.answer_finished):
        desk.link(desk.turns[0], ANSWER_THIS)
    assert desk.texts == ["Is it?", "Again."]


def test_drafts_come_back_each_to_its_chat(open_chat: Open) -> None:
    desk = open_chat({"text": "Yes."})
    desk.ask("first chat")
    first = desk.chat.conversation_id
    desk.type("half a thought")
    desk.chat.show_conversation(None)
    assert desk.message == ""
    desk.type("for a new one")
    desk.chat.show_conversation(first)
    assert desk.message == "half a thought"
    desk.chat.show_conversation(None)
    assert desk.message == "for a new one"
    desk.chat.hide()
    again = open_chat({"text": "Yes."})
    assert again.message == "for a new one"
    again.chat.show_conversation(first)
    assert again.message == "half a thought"


def test_a_message_sent_while_the_model_loads_is_queued_and_says_so(open_chat: Open) -> None:
    desk = open_chat({"text": "Here."}, loaded=False, load={"until": "go"})
    from app.ui.shell import tasks

    desk.chat.set_model_state("loading")
    tasks.run(lambda token: desk.engine.load(desk.script.parent / "m.gguf", cancel=token), desk.chat)
    desk.wait(lambda: desk.engine.awaited is not None)
    desk.type("Are you there?")
    with desk.hears(desk.chat.answer_finished):
        desk.press(Qt.Key.Key_Return)
        assert desk.texts[0] == "Are you there?"
        desk.wait(lambda: desk.last_state == WAITING_FOR_MODEL)
        (desk.script.parent / "go").touch()
    assert desk.texts == ["Are you there?", "Here."]
    assert desk.last_state == ""


def test_a_crash_keeps_question_and_text_and_offers_to_go_on(open_chat: Open) -> None:
    desk = open_chat(
        {"text": "one two three four five six", "crash_after": 4, "crash": 3, "times": 1}, {"text": " and on."}
    )
    desk.ask("Count")
    assert desk.texts[0] == "Count"
    kept = desk.last_text
    assert kept.startswith("one two")
    assert "stopped" in desk.last_state
    with desk.hears(desk.chat.answer_finished):
        desk.link(desk.last, TRY_AGAIN)
    assert desk.last_text == kept + " and on."


def test_an_answer_cut_by_its_limit_says_so_and_goes_on(open_chat: Open) -> None:
    desk = open_chat({"text": "one two", "finish": "length", "times": 1}, {"text": " three"})
    desk.ask("Count")
    assert desk.last_state == ANSWER_REACHED_LIMIT
    with desk.hears(desk.chat.answer_finished):
        desk.click_action(desk.last, CONTINUE)
    assert desk.last_text == "one two three"


def test_an_answer_goes_on_while_another_chat_is_looked_at(open_chat: Open) -> None:
    desk = open_chat(SLOW)
    desk.type("Count")
    desk.press(Qt.Key.Key_Return)
    desk.wait(lambda: "three" in desk.last_text)
    running = desk.chat.conversation_id
    desk.chat.show_conversation(None)
    assert desk.chat.busy
    assert not desk.turns
    desk.chat.show_conversation(running)
    before = len(desk.last_text)
    desk.wait(lambda: len(desk.last_text) > before + 20)
    with desk.hears(desk.chat.answer_finished):
        desk.chat.stop()
    assert len(desk.turns) == 2
    assert desk.last_message is not None
    assert desk.last_text == desk.last_message.text


def test_the_view_follows_the_end_only_while_the_reader_is_there(open_chat: Open) -> None:
    desk = open_chat({**SLOW, "text": "a line\n\n", "repeat": 400, "delay_s": 0.01})
    desk.type("Go")
    desk.press(Qt.Key.Key_Return)
    bar = desk.scroll_bar
    desk.wait(lambda: bar.maximum() > 200)
    assert bar.value() == bar.maximum()
    pill = desk.transcript.findChild(QPushButton, "jump_to_latest")
    assert pill is not None
    assert not pill.isVisible()
    bar.setValue(0)
    assert pill.isVisible()
    most = bar.maximum()
    desk.wait(lambda: bar.maximum() > most + 60)
    assert bar.value() == 0
    QTest.mouseClick(pill, Qt.MouseButton.LeftButton)
    assert bar.value() == bar.maximum()
    assert not pill.isVisible()
    with desk.hears(desk.chat.answer_finished):
        desk.chat.stop()


def test_copy_and_read_as_markdown(open_chat: Open) -> None:
    desk = open_chat({"text": "Some **bold** text."})
    desk.ask("Hi")
    desk.click_action(desk.last, COPY)
    assert QGuiApplication.clipboard().text() == "Some **bold** text."
    desk.click_action(desk.last, READ_AS_MARKDOWN)
    assert desk.last.source is not None
    assert not desk.is_last_body_visible
    desk.click_action(desk.last, READ_AS_MARKDOWN)
    assert desk.is_last_body_visible
    desk.click_action(desk.turns[0], COPY)
    assert QGuiApplication.clipboard().text() == "Hi"
    wanted = desk.hear_requests(m.OpenTranslation)
    desk.click_action(desk.last, TRANSLATE_THIS)
    assert wanted == [m.OpenTranslation("Some **bold** text.")]


def test_tab_goes_through_the_last_turn_and_its_actions(open_chat: Open) -> None:
    desk = open_chat({"text": "Yes."})
    desk.ask("Is it?")
    desk.turns[0].setFocus()
    names = []
    for _ in range(9):
        focus = desk.chat.focusWidget()
        assert focus is not None
        names.append(focus.accessibleName())
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    assert names[:4] == [YOU_LINE.format(words="Is it?"), COPY, EDIT_LABEL, MORE_LABEL]
    assert names[4:8] == [ANSWER_LINE.format(words="Yes."), COPY, REGENERATE, MORE_LABEL]
    assert names[8].startswith(start_of(ABOUT_ANSWER_LINE))


def test_a_long_conversation_opens_at_its_end_and_goes_on(open_chat: Open) -> None:
    desk = open_chat({"text": "New."})
    conversation_id = add_turns(desk, 60)
    begin_s = time.perf_counter()
    desk.chat.show_conversation(conversation_id)
    print(f"end of 120 turns shown after {(time.perf_counter() - begin_s) * 1000:.0f} ms")
    assert desk.last_text.endswith(" 59")
    assert desk.message_count == 120
    bar = desk.scroll_bar
    assert bar.value() == bar.maximum()
    desk.wait(lambda: desk.is_settled)
    assert bar.value() == bar.maximum()
    desk.ask("One more")
    assert desk.message_count == 122
    assert [desk.question(-2).text, desk.last_text] == ["One more", "New."]


def test_odd_characters_are_cleaned_on_the_way(open_chat: Open) -> None:
    text = "a\0b, lone \ud800 surrogate"
    desk = open_chat({"text": "Fine."})
    desk.put_message(text)
    with desk.hears(desk.chat.answer_finished):
        desk.press(Qt.Key.Key_Return)
    assert "\0" not in desk.texts[0]
    assert desk.texts[0].encode("utf-8")
    assert isinstance(desk.last, AnswerView)


def fill_disk(desk: ChatDesk, spare_pages: int = 0) -> None:
    """From now on SQLite says what it says on a full disk, after so many more pages."""
    connection = desk.database._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + spare_pages}")


def test_on_a_full_disk_the_question_stays_in_the_field(open_chat: Open) -> None:
    desk = open_chat()
    fill_disk(desk)
    long = "A long question. " * 3000
    desk.put_message(long)
    desk.press(Qt.Key.Key_Return)
    assert desk.message == long
    assert any("disk is full" in notice for notice in desk.notices)


@pytest.mark.logs_warnings
def test_on_a_full_disk_the_words_on_the_screen_stay_there(open_chat: Open) -> None:
    desk = open_chat({"text": "word " * 20, "repeat": 200, "delay_s": 0.0003})
    desk.ask("A short one")
    before = desk.message_count
    fill_disk(desk, spare_pages=2)
    desk.ask("Again")
    assert desk.message_count == before + 2
    stored = desk.conversations.read_branch(desk.chat.conversation_id or 0)[-1]
    assert len(desk.last_text) > len(stored.text)
    assert "disk is full" in desk.last_state
