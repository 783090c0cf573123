"""What is typed while an answer comes: it waits, can be changed, and is sent after it, in its own chat."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.bootstrap import build_program
from app.ui.chat.answering import reading_words
from app.ui.chat.chat_view import ChatView
from app.ui.chat.message_queue import (
    QUEUED_AFTER_STOP,
    QUEUED_UNSENT,
    SENT_AFTER_ANSWER,
    SENT_AFTER_EDITING,
)
from app.ui.shared_labels import UNDO
from app.ui.shell.notify import Notify
from tests.helpers.attached import notes
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.ui.chat.conftest import Open

HELD = {"when": "hold", "text": "One two three four five", "held_after": 3, "until": "go"}


def begin(desk: ChatDesk, text: str = "hold") -> None:
    """A question whose answer comes no further than its first words until `let_go`."""
    desk.type(text)
    desk.press(Qt.Key.Key_Return)
    desk.wait(lambda: "two" in desk.last_text)


def let_go(desk: ChatDesk) -> None:
    assert desk.script is not None
    (desk.script.parent / "go").touch()


def end(desk: ChatDesk, turns: int) -> None:
    desk.wait(lambda: not desk.chat.busy and desk.message_count == turns and not desk.queued)


def test_what_is_typed_meanwhile_waits_can_be_changed_and_is_sent_in_its_order(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat(HELD, {"text": "Fine."})
    begin(desk)
    desk.queue_up("first")
    desk.attaching.add([notes(tmp_path / "notes.txt", "Buy milk.")])
    desk.wait(lambda: desk.attached and not desk.attaching.reason_to_wait())
    desk.queue_up("second")
    assert desk.attached == []
    desk.type("third")
    desk.click(desk.composer.later)
    assert desk.queued == ["first", "second", "third"]
    assert desk.queue_words == SENT_AFTER_ANSWER
    assert clipped_texts(desk.chat) == []
    desk.click(desk.chip_of("third").move_up)
    desk.click(desk.chip_of("first").remove)
    assert desk.queued == ["third", "second"]
    desk.press_notice(UNDO)
    assert desk.queued == ["first", "third", "second"]
    desk.press(Qt.Key.Key_Up)
    field = desk.chip_of("second").field
    assert field is not None
    QTest.keyClicks(field.edit, ", changed")
    QTest.keyClick(field.edit, Qt.Key.Key_Return)
    QTest.mouseClick(desk.chip_of("first"), Qt.MouseButton.LeftButton)
    field = desk.chip_of("first").field
    assert field is not None
    desk.type("not sent")
    let_go(desk)
    desk.wait(lambda: desk.queue_words == SENT_AFTER_EDITING)
    QTest.keyClick(field.edit, Qt.Key.Key_Escape)
    end(desk, 8)
    assert desk.texts[2::2] == ["first", "third", "second, changed"]
    desk.wait(lambda: [len(desk.chips_of(desk.question(place))) for place in (2, 4, 6)] == [0, 0, 1])
    assert desk.message == "not sent"


def test_escape_stops_the_answer_and_what_waits_stays_until_it_is_sent(open_chat: Open) -> None:
    desk = open_chat(HELD, {"text": "Fine."})
    begin(desk)
    desk.queue_up("next")
    assert not desk.queue.send_now.isVisible()
    with desk.hears(desk.chat.answer_finished):
        desk.press(Qt.Key.Key_Escape)
    desk.wait(lambda: desk.queue_words.startswith(QUEUED_AFTER_STOP))
    desk.ask("another")
    end(desk, 6)
    assert desk.texts[2::2] == ["another", "next"], "after an answer that ended by itself it goes on"

    begin(desk)
    desk.queue_up("later")
    with desk.hears(desk.chat.answer_finished):
        desk.press(Qt.Key.Key_Escape, Qt.Key.Key_Escape)
    assert desk.queue_words == QUEUED_UNSENT
    desk.ask("and another")
    assert desk.queued == ["later"]
    desk.click(desk.queue.send_now)
    end(desk, 12)
    assert desk.texts[8::2] == ["and another", "later"]


def test_after_an_answer_that_failed_nothing_is_sent_by_itself(open_chat: Open) -> None:
    desk = open_chat({**HELD, "crash_after": 4}, {"text": "Fine."})
    begin(desk)
    desk.queue_up("next")
    let_go(desk)
    desk.wait(lambda: desk.queue_words.startswith(QUEUED_AFTER_STOP))
    assert (desk.queued, desk.message_count) == (["next"], 2)
    desk.click(desk.queue.send_now)
    end(desk, 4)


def test_it_is_there_after_a_crash_and_not_sent_by_itself(open_chat: Open) -> None:
    desk = open_chat(HELD, {"text": "Fine."})
    begin(desk)
    desk.queue_up("kept")
    number = desk.chat.conversation_id
    again = build_program()  # as another run finds the files while this one has ended nothing
    assert desk.theme is not None
    notify = Notify(desk.theme)
    chat = ChatView(again.chats, desk.theme, notify)
    chat.show_conversation(number)
    found = ChatDesk(chat, again, notify)
    chat.show()
    assert (found.queued, found.queue_words) == (["kept"], QUEUED_UNSENT)
    with desk.hears(desk.chat.answer_finished):
        desk.chat.stop()
    found.end(chat)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (None, "Reading 1,200 of 4,800 tokens · 25 %"),
        (11.2, "Reading 1,200 of 4,800 tokens · 25 % · 12 s left"),
        (75.0, "Reading 1,200 of 4,800 tokens · 25 % · 1 min 15 s left"),
    ],
)
def test_reading_a_prompt_says_how_far_it_is(left: float | None, words: str) -> None:
    assert reading_words(1200, 4800, left) == words
