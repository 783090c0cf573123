"""A model without a chat template: the chat says so, sends nothing, and leads to Write."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from app.features.chat import session_messages as m
from app.ui.chat.answer_view import REGENERATE
from app.ui.chat.chat_notices import NO_CHAT_TEMPLATE, CompletionNotice
from app.ui.chat.chat_view import ChatView
from app.ui.chat.pasted import ATTACH_ENTRY
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.desk import Found
from tests.helpers.desks.window import open_window
from tests.helpers.texts import shows
from tests.helpers.tiny_models import make_tiny
from tests.ui.chat.conftest import Open, add_turns

COMPLETES = {"can_chat": False}


class CompletionDesk(ChatDesk):
    notice = Found(CompletionNotice)
    write = Found(QPushButton, "open_in_write")


def opened(open_chat: Open, path: Path) -> CompletionDesk:
    chat = open_chat({"text": "never"}, load=COMPLETES)
    desk = CompletionDesk(chat.chat, chat.app, chat.notify, chat.theme, chat.script)
    desk.chat.set_model_state("ready", path)
    return desk


def test_it_is_said_and_nothing_is_sent(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat, tmp_path / "model.gguf")
    assert desk.notice.isVisible()
    assert shows(NO_CHAT_TEMPLATE, desk.notice.accessibleName())
    assert not any(idea.isVisible() for idea in desk.empty.findChildren(QPushButton))
    desk.type("Deep learning is")
    desk.press(Qt.Key.Key_Return)
    can_attach = desk.composer_entries()[ATTACH_ENTRY]
    assert (desk.message, desk.send.isEnabled(), can_attach) == ("Deep learning is", False, False)
    assert (desk.turns, desk.conversations.find(), desk.prompts()) == ([], [], [])
    assert clipped_texts(desk.chat) == []


def test_write_takes_what_is_typed(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat, tmp_path / "model.gguf")
    wanted = desk.hear_requests(m.ContinueText)
    desk.click(desk.write)
    desk.type("Deep learning is")
    desk.click(desk.write)
    assert wanted == [m.ContinueText(""), m.ContinueText("Deep learning is")]
    assert desk.message == ""


def test_it_stays_said_while_the_model_sleeps_and_goes_with_another_one(open_chat: Open, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    desk = opened(open_chat, path)
    desk.app.engine.sleep()
    desk.chat.set_model_state("asleep", path)
    assert desk.notice.isVisible()
    desk.chat.set_model_state("loading", path)
    assert desk.notice.isVisible()
    desk.type("A question")
    desk.chat.set_model_state("loading", tmp_path / "other.gguf")
    assert not desk.notice.isVisible()
    assert desk.send.isEnabled()


def test_nothing_under_a_turn_asks_it_for_an_answer(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat, tmp_path / "model.gguf")
    desk.chat.show_conversation(add_turns(desk, 1))
    desk.click_action(desk.last, REGENERATE)
    assert "no chat template" in desk.notices[-1]
    assert desk.prompts() == []
    assert desk.last_message is not None
    assert len(desk.last_message.versions) == 1


@pytest.mark.model
def test_write_goes_on_with_what_was_typed_and_with_this_model(
    qapp: QApplication, starter: Path, tmp_path: Path
) -> None:
    model = make_tiny("gpt2", tmp_path / "tiny-gpt2.gguf", template="")
    with open_window(qapp, make_chat=ChatView) as frame:
        frame.app.models.choose_model("write", starter)
        frame.loader.load(model)
        desk = CompletionDesk(frame.chat, frame.app, frame.notify)
        desk.wait(lambda: frame.loader.state == "ready")
        desk.type("the inner ")
        desk.click(desk.write)
        page = frame.write
        assert frame.shown.startswith("write ")
        assert (page.text, desk.message) == ("the inner ", "")
        assert frame.app.models.for_task("write") == model
        page.continue_to_end()
        assert len(page.text) > len("the inner ")
        assert page.tinted == [page.text.removeprefix("the inner ")]
