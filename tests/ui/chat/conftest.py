"""A chat view with the real store, features and engine child, and a scripted model behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from app.bootstrap import Fireside, build
from app.core.events import Role
from app.ui import tasks
from app.ui.chat.answer_view import AnswerView
from app.ui.chat.chat_view import ChatView
from app.ui.chat.question_view import QuestionView
from app.ui.chat.turn import Turn
from app.ui.notify import Notify
from app.ui.theme import Theme
from tests.helpers.script import prompts, requests, write_script


@dataclass
class Desk:
    """The parts, and what a person does with them."""

    app: Fireside
    chat: ChatView
    notify: Notify
    theme: Theme
    script: Path
    qtbot: QtBot

    def type(self, text: str) -> None:
        self.chat.focus_composer()
        self.qtbot.keyClicks(self.chat.composer.field.edit, text)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.keyClick(self.chat.composer.field.edit, key, modifier)

    def ask(self, text: str) -> None:
        """Types, presses Enter and waits for the answer."""
        self.type(text)
        with self.qtbot.waitSignal(self.chat.answer_finished, timeout=20_000):
            self.press(Qt.Key.Key_Return)

    def click(self, turn: Turn, name: str) -> None:
        """Presses a turn's action, found by its accessible name, with the pointer over the turn."""
        turn.set_focused(True)
        button = turn.row.button(name) if turn.row else None
        assert button is not None, f"no {name}"
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def link(self, turn: Turn, name: str) -> None:
        """Presses a button inside the turn."""
        found = [b for b in turn.findChildren(QAbstractButton) if b.accessibleName() == name and b.isVisible()]
        assert found, f"no {name}"
        self.qtbot.mouseClick(found[0], Qt.MouseButton.LeftButton)

    @property
    def turns(self) -> list[Turn]:
        return self.chat.transcript.turns

    @property
    def last(self) -> AnswerView:
        turn = self.turns[-1]
        assert isinstance(turn, AnswerView)
        return turn

    @property
    def texts(self) -> list[str]:
        return [turn.text for turn in self.turns if isinstance(turn, QuestionView | AnswerView)]

    def prompts(self) -> list[list[tuple[str, str]]]:
        return prompts(self.script)

    def requests(self) -> list[dict[str, Any]]:
        return requests(self.script)

    def notices(self) -> list[str]:
        return [notice.text for notice in self.notify.bar.notices]


@pytest.fixture
def theme(qapp: Any) -> Theme:
    return Theme("light")


@pytest.fixture
def open_chat(
    qtbot: QtBot, qapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Desk]]:
    """Opens a chat whose model answers by these rules (see app/engine/fake_backend.py)."""
    opened: list[Desk] = []

    def make(*rules: dict[str, Any], loaded: bool = True, **keys: Any) -> Desk:
        script = write_script(tmp_path / f"script{len(opened)}", *rules, **keys)
        monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
        app = build()
        theme = Theme("light")
        theme.install(qapp)
        notify = Notify(theme)
        if loaded:
            list(app.engine.load(tmp_path / "model.gguf"))
        chat = ChatView(app, theme, notify)
        chat.resize(900, 700)
        chat.show()
        chat.set_model_state("ready" if loaded else "asleep", "")
        qtbot.waitExposed(chat)
        chat.activateWindow()
        desk = Desk(app, chat, notify, theme, script, qtbot)
        opened.append(desk)
        return desk

    yield make
    for desk in opened:
        desk.chat.stop()
        desk.chat.close()
        assert tasks.running.stop_all(10)
        tasks.running.reopen()
        desk.app.close()
        desk.chat.deleteLater()
        desk.notify.bar.deleteLater()
    qapp.setStyleSheet("")


def add_turns(desk: Desk, count: int, text: str = "An answer with **bold** words.") -> int:
    """A stored conversation with so many questions and answers; returns its id."""
    conversations = desk.app.conversations
    conversation_id = conversations.create(title="Long").id
    parent: int | None = None
    for number in range(count):
        question = conversations.add_message(conversation_id, parent, Role.USER, f"Question {number}")
        parent = conversations.add_message(conversation_id, question.id, Role.ASSISTANT, f"{text} {number}").id
    return conversation_id
