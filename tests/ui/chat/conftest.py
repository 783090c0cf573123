"""A chat view with the real store, features and engine child, and a scripted model behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.bootstrap import build_program
from app.core.events import Role
from app.ui.chat.chat_view import ChatView
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.script import write_script

Open = Callable[..., ChatDesk]


@pytest.fixture
def open_chat(qtbot: QtBot, qapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a chat whose model answers by these rules (see tests/helpers/scripted_backend.py)."""
    opened: list[ChatDesk] = []

    def make(*rules: dict[str, Any], loaded: bool = True, **keys: Any) -> ChatDesk:
        script = write_script(tmp_path / f"script{len(opened)}", *rules, **keys)
        monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
        app = build_program()
        theme = Theme("light")
        theme.install(qapp)
        notify = Notify(theme)
        if loaded:
            list(app.engine.load(tmp_path / "model.gguf"))
        with theme.without_sheet():
            chat = ChatView(app.chats, theme, notify)
        chat.resize(900, 700)
        chat.show()
        chat.set_model_state("ready" if loaded else "asleep")
        qtbot.waitExposed(chat)
        chat.activateWindow()
        desk = ChatDesk(chat, app, notify, theme, script)
        opened.append(desk)
        return desk

    yield make
    for desk in opened:
        desk.chat.stop()
        desk.end(desk.chat)
    qapp.setStyleSheet("")


def add_turns(desk: ChatDesk, count: int, text: str = "An answer with **bold** words.") -> int:
    """A stored conversation with so many questions and answers; returns its id."""
    conversations = desk.conversations
    conversation_id = conversations.create(title="Long").id
    parent: int | None = None
    for number in range(count):
        question = conversations.add_message(conversation_id, parent, Role.USER, f"Question {number}")
        parent = conversations.add_message(conversation_id, question.id, Role.ASSISTANT, f"{text} {number}").id
    return conversation_id
