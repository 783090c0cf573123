"""A tool server of one's own in the real window: asked about in the chat, allowed, forbidden, and stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from app.features.mcp.tool_servers import FOLDER
from app.ui.chat.chat_view import ChatView
from app.ui.chat.permission_card import PermissionCard
from app.ui.shell.main_window import MainWindow
from app.ui.shell.tab_spec import EndOfWork
from tests.features.tools.lent_tools import OWN_WAY, written_call
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import open_window
from tests.helpers.script import write_script
from tests.helpers.tool_configs import config

pytestmark = [pytest.mark.display, pytest.mark.timeout(120)]

RULES = (
    {"when": "note was written", "text": "It is on your list."},
    {"when": "The notes", "text": "Your list has milk."},
    {"when": "not allow", "text": "Then I won’t."},
    {"when": "buy", "text": written_call("write_note", by_template=True, text="milk")},
    {"when": "list", "text": written_call("read_notes", by_template=True)},
)


@pytest.fixture
def desk(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatDesk]:
    """The chat of a window whose person added a server that keeps notes."""
    script = write_script(tmp_path / "script", *RULES, calls=OWN_WAY)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    with open_window(qapp, make_chat=ChatView) as frame:
        frame.app.tool_servers.add_servers([config("notes")])
        frame.loader.start()
        frame.wait(lambda: frame.app.loaded)
        desk = ChatDesk(frame.chat, frame.app, frame.notify)
        desk.choose_entry("Tools")
        yield desk


def wait_for_card(desk: ChatDesk) -> PermissionCard:
    def seen() -> list[PermissionCard]:
        return [card for card in desk.root.findChildren(PermissionCard) if card.isVisible() and card.is_ready]

    desk.wait(lambda: len(seen()) == 1)
    return seen()[0]


def press(desk: ChatDesk, words: str) -> None:
    """A button of the card, with the mouse, and the end of the answer."""
    card = wait_for_card(desk)
    button = next(found for found in card.findChildren(QPushButton) if found.text() == words)
    with desk.hears(desk.root.answer_finished):
        desk.click(button)


def ask(desk: ChatDesk, text: str) -> None:
    desk.type(text)
    desk.press(Qt.Key.Key_Return)


def test_a_server_is_asked_about_allowed_forbidden_and_stopped(desk: ChatDesk) -> None:
    notes = desk.app.paths.data / FOLDER / "notes" / "notes.txt"
    ask(desk, "I have to buy milk")
    assert wait_for_card(desk).accessibleName().startswith("Allow write_note from notes?")
    assert not notes.exists()
    press(desk, "Allow once")
    assert (desk.last_text, notes.read_text("utf-8")) == ("It is on your list.", "milk\n")

    ask(desk, "What is on my list?")
    press(desk, "Always allow all that only read")
    assert desk.last_text == "Your list has milk."
    ask(desk, "Again, my list")
    desk.wait(lambda: len(desk.turns) == 6 and desk.last_text == "Your list has milk." and not desk.chat.busy)

    ask(desk, "And buy milk once more")
    wait_for_card(desk)
    with desk.hears(desk.root.answer_finished):
        desk.click(desk.send)  # which is Stop now

    ask(desk, "Do buy milk")
    press(desk, "Never allow")
    assert desk.last_text == "Then I won’t."
    assert notes.read_text("utf-8") == "milk\n"


def test_the_window_tells_the_system_that_a_chat_waits(desk: ChatDesk) -> None:
    told: list[EndOfWork] = []
    window = desk.root.window()
    assert isinstance(window, MainWindow)
    window.tabs.work.ended.connect(lambda _tab, end: told.append(end))
    ask(desk, "I have to buy milk")
    wait_for_card(desk)
    (waits,) = told
    assert (waits.words, waits.number) == ("An answer is waiting for you to allow a tool.", desk.chat.conversation_id)
    press(desk, "Not now")
    desk.wait(lambda: len(told) == 1)


def test_the_window_closes_while_a_card_waits(desk: ChatDesk) -> None:
    ask(desk, "I have to buy milk")
    card = wait_for_card(desk)
    desk.root.window().close()
    desk.wait(lambda: not card.question.is_open)
    assert not (desk.app.paths.data / FOLDER / "notes" / "notes.txt").exists()
