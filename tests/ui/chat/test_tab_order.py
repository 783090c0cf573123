"""Tab order of the whole window with a chat: what was said comes right behind the message field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.chat.chat_view import ChatView
from app.ui.chat.turn import TurnView
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script

CONTROL = Qt.KeyboardModifier.ControlModifier
MOST_BETWEEN = 3
"""Buttons of the composer itself."""


@pytest.fixture
def frame(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    """The whole window with two questions and answers."""
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", {"text": "Yes."})))
    with open_window(qapp, make_chat=ChatView) as made:
        yield made


@pytest.fixture
def chat(frame: Frame, tmp_path: Path) -> ChatView:
    view = frame.find_step(ChatView)
    frame.loader.load(tmp_path / "novel-4B-Q4_K_M.gguf")
    frame.wait(lambda: frame.loader.state == "ready")
    for count, text in ((2, "Is it?"), (4, "And now?")):
        view.composer.set_text(text)
        QTest.keyClick(view.composer.field.edit, Qt.Key.Key_Return)
        frame.wait(lambda count=count: view.transcript.places.count == count and not view.busy)
    return view


def focus_now() -> QWidget:
    focus = QApplication.focusWidget()
    assert focus is not None
    return focus


def test_tab_comes_from_the_message_to_the_last_question_and_from_the_first_back(chat: ChatView) -> None:
    field = chat.composer.field.edit
    field.setFocus()
    between = 0
    while not isinstance(focus_now(), TurnView):
        QTest.keyClick(focus_now(), Qt.Key.Key_Tab)
        between += 1
        assert between <= MOST_BETWEEN + 1, focus_now()
    assert focus_now() is chat.transcript.turns[-2]
    chat.transcript.turns[0].setFocus()
    for _ in range(between):
        QTest.keyClick(focus_now(), Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert focus_now() is field
