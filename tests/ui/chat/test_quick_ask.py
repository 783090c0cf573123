"""The small window for a quick question, beside the window of the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton

from app.core.events import Role
from app.ui.chat import quick_ask
from app.ui.chat.answer_view import REGENERATE
from app.ui.chat.chat_view import ChatView
from app.ui.chat.composer import MESSAGE
from app.ui.chat.quick_ask import (
    COPY_AND_CLOSE,
    LEAVE_TEXT_OUT,
    NOT_MADE_FOR_TRANSLATING,
    OPEN_AS_CHAT,
    OPEN_IN_TRANSLATE,
    CapturedText,
    QuickAsk,
    TakenText,
)
from app.ui.outside import Outside
from app.ui.shared_labels import SEND, STARTER, SUMMARIZE, TRANSLATE, WRITING_AN_ANSWER
from app.ui.shell.desktop import TaskBar
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.desk import Desk, Found
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import prompts, write_script

LEASE = "The lease runs until the end of May."


class QuickDesk(Desk):
    """The small window, and what a person does with it."""

    root: QuickAsk

    chip = Found(TakenText)
    take_text = Found(QPushButton, "take_text")
    remove_button = Found(QToolButton, "remove_taken")

    def __init__(self, frame: Frame, outside: Outside, script: Path) -> None:
        super().__init__(outside.quick, frame.app, frame.notify)
        self.frame, self.outside, self.script = frame, outside, script
        self.chat = ChatDesk(outside.quick.chat, frame.app, frame.notify, frame.theme, script)

    def open(self, words: str = "") -> None:
        """As by the global keys."""
        self.outside.ask(words)
        self.wait(lambda: self.root.isActiveWindow() and not self.root._wants_text)

    def choose(self, name: str) -> None:
        """One of what can be done with the text at once."""
        self.click(self.find_step(QPushButton, f"quick_{name}"))

    @property
    def said(self) -> str:
        """What the chip of the text says; "" without it."""
        return self.chip.accessibleName() if self.chip.isVisible() else ""

    @property
    def asked(self) -> list[str]:
        """The last message of everything that the model was asked."""
        return [prompt[-1][1] for prompt in prompts(self.script)]


def copy(text: str, *formats: str) -> None:
    """As another program does."""
    mime = QMimeData()
    mime.setText(text)
    for name in formats:
        mime.setData(name, b"secret")
    QGuiApplication.clipboard().setMimeData(mime)


@pytest.fixture
def quick(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[QuickDesk]:
    """Not opened yet; the model's answer is held until "go" where a test asks for that."""
    held = {"held_after": 2, "until": "go"} if request.node.get_closest_marker("held") else {}
    script = write_script(tmp_path / "script", {"text": "In the last days of May.", "times": 1, **held})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    copy(LEASE)
    with open_window(qapp, make_chat=ChatView) as frame:
        frame.loader.start()
        frame.wait(lambda: frame.loader.state == "ready")
        outside = Outside(frame.app, frame.window, TaskBar(frame.window), has_tray=lambda: False)
        desk = QuickDesk(frame, outside, script)
        yield desk
        script.with_name("go").touch()
        desk.root.close()
        desk.root.deleteLater()
    QApplication.setQuitOnLastWindowClosed(True)


def test_a_question_goes_with_the_text_that_was_copied_and_nothing_of_it_is_kept(quick: QuickDesk) -> None:
    quick.open()
    assert quick.said == "Clipboard, 36 characters"
    assert clipped_texts(quick.root) == []
    small = quick.root.height()
    quick.chat.ask("When does it end?")
    assert quick.asked == [f"When does it end?\n\n{LEASE}"]
    assert quick.chat.last.text == "In the last days of May."
    assert quick.said == ""
    assert quick.root.height() > small
    assert quick.frame.conversations.find() == []
    quick.press(Qt.Key.Key_Escape)
    assert not quick.root.isVisible()
    quick.open()
    assert quick.root.height() == small
    assert quick.chat.transcript.places.count == 0
    assert quick.said == "Clipboard, 36 characters", "another question about it"


def test_what_a_password_manager_copied_is_left_where_it_is(quick: QuickDesk) -> None:
    copy("hunter2", quick_ask.SECRET)
    quick.outside.ask()
    quick.wait(quick.root.isActiveWindow)
    assert quick.said == ""
    assert not quick.take_text.isVisible()


def test_a_model_that_cannot_translate_does_not_pretend(quick: QuickDesk) -> None:
    quick.open()
    quick.choose("translate")
    bar = quick.root._notify.bar
    quick.wait(lambda: bar.notices)
    assert [notice.text for notice in bar.notices] == [NOT_MADE_FOR_TRANSLATING.format(name=STARTER)]
    assert quick.root.isVisible(), "nothing is kept unasked"
    assert quick.frame.current_tab == "chat"
    button = next(one for one in bar.findChildren(QPushButton) if one.text() == OPEN_IN_TRANSLATE)
    quick.wait(button.isVisible)
    quick.click(button)
    quick.wait(lambda: quick.frame.current_tab == "translate")
    assert quick.frame.translate.source.text == LEASE
    assert not quick.root.isVisible()
    assert quick.asked == []


def test_what_was_selected_is_offered_once_and_then_waits_for_a_click(
    quick: QuickDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_ask, "texts_elsewhere", lambda: [CapturedText("Old words", True)])
    quick.open()
    assert quick.said == "Selected text, 9 characters"
    quick.root.close()
    quick.open()
    assert quick.said == ""
    quick.click(quick.take_text)
    assert quick.said == "Selected text, 9 characters"


def test_the_answer_takes_the_place_of_what_was_copied(quick: QuickDesk) -> None:
    quick.open()
    assert not quick.button(COPY_AND_CLOSE).isVisible()
    quick.chat.ask("When?")
    quick.click(quick.button(COPY_AND_CLOSE))
    assert QGuiApplication.clipboard().text() == "In the last days of May."
    assert not quick.root.isVisible()


def test_it_becomes_a_chat_with_all_its_versions(quick: QuickDesk) -> None:
    quick.open()
    quick.chat.ask("When?")
    quick.chat.click_action(quick.chat.last, REGENERATE)
    quick.wait(lambda: len(quick.asked) == 2 and not quick.root.chat.busy)
    quick.click(quick.button(OPEN_AS_CHAT))
    (chat,) = quick.frame.conversations.find()
    assert quick.frame.current_tab == "chat"
    assert quick.frame.chat.conversation_id == chat.id
    messages = list(quick.frame.conversations.whole.all_messages(chat.id))
    assert [one.role for one in messages] == [Role.USER, Role.ASSISTANT, Role.ASSISTANT]
    assert messages[0].text == f"When?\n\n{LEASE}"
    assert not quick.root.isVisible()


@pytest.mark.held
def test_an_answer_that_is_being_written_goes_on_in_its_chat(quick: QuickDesk) -> None:
    quick.open()
    quick.chat.type("When?")
    quick.press(Qt.Key.Key_Return)
    quick.wait(lambda: quick.root.chat.open_chat.live.has_text)
    assert quick.outside.work == {"chat": WRITING_AN_ANSWER}
    quick.click(quick.button(OPEN_AS_CHAT))
    quick.wait(lambda: len(quick.asked) == 2)
    quick.wait(lambda: not quick.frame.chat.busy)
    (chat,) = quick.frame.conversations.find()
    question, answer = quick.frame.conversations.read_branch(chat.id)
    assert answer.text.startswith("In"), "its first token was there when it became a chat"
    assert question.text.startswith("When?")


@pytest.mark.held
def test_escape_stops_the_answer_and_then_closes(quick: QuickDesk) -> None:
    quick.open()
    quick.chat.type("When?")
    quick.press(Qt.Key.Key_Return)
    quick.wait(lambda: quick.root.chat.open_chat.live.has_text)
    quick.press(Qt.Key.Key_Escape)
    assert quick.root.isVisible()
    quick.wait(lambda: not quick.root.chat.busy)
    quick.press(Qt.Key.Key_Escape)
    assert not quick.root.isVisible()


def test_words_of_a_command_line_stand_in_the_field_and_the_tab_key_goes_through_all_of_it(quick: QuickDesk) -> None:
    quick.open("What is")
    assert quick.chat.composer.field.text == "What is"
    QTest.keyClicks(quick.focus, " this?")
    assert quick.chat.composer.field.text == "What is this?"
    names = set()
    for _ in range(12):
        quick.press(Qt.Key.Key_Tab)
        names.add(quick.focus.accessibleName())
    assert {LEAVE_TEXT_OUT, SUMMARIZE, TRANSLATE, "Explain", "Improve", MESSAGE, SEND} <= names


def test_a_program_that_was_started_for_one_question_ends_with_it(quick: QuickDesk) -> None:
    quick.frame.window.hide()
    ended = quick.heard(quick.frame.window.closing.begun)
    quick.open()
    quick.root.close()
    assert ended == [()]
