"""The server is switched on by clicks, curl asks while the chat is answered, and is listed; off, nothing answers."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QWidget

from app.ui.chat.chat_view import ChatView
from app.ui.settings.dialog import SettingsDialog
from app.ui.settings.programs import ProgramsSection
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.desk import Desk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script

pytestmark = [pytest.mark.display, pytest.mark.timeout(120)]

STORY = "Once upon a time a river wanted to see the mountains."


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A chat's answer waits in its middle until it may go on; everybody else is answered at once."""
    return write_script(
        tmp_path / "script",
        {"when": "long story", "text": STORY, "held_after": 4, "until": "go"},
        {"text": "Hi, curl."},
    )


@pytest.fixture
def frame(qapp: QApplication, script: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    """The window with the real chat in it. No keyring: that of whoever tests stays as it is."""
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    with open_window(qapp, make_chat=ChatView) as made:
        yield made
    keyring.set_keyring(before)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def click_in_view(desk: Desk, button: QWidget) -> None:
    """Scroll the page to it first: its section is not the first one."""
    parent = button.parentWidget()
    while parent is not None and not isinstance(parent, QScrollArea):
        parent = parent.parentWidget()
    assert isinstance(parent, QScrollArea)
    area = parent

    def is_in_view() -> bool:
        area.ensureWidgetVisible(button)  # again, while the page is laid out for what has just come
        return button.visibleRegion().boundingRect() == button.rect()

    desk.wait(is_in_view)
    desk.click(button)


def copied(desk: Desk, name: str) -> str:
    click_in_view(desk, desk.button(name))
    return QGuiApplication.clipboard().text()


def curl(desk: Desk, address: str, key: str, question: str) -> tuple[int, str]:
    """Its exit code and what it printed, while the window goes on."""
    body = {"model": "", "messages": [{"role": "user", "content": question}], "stream": True}
    command = ["curl", "--silent", "--show-error", "--no-buffer", "--max-time", "60", f"{address}/chat/completions"]
    command += ["--header", f"Authorization: Bearer {key}", "--json", json.dumps(body)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    try:
        desk.wait(lambda: process.poll() is not None)
        assert process.stdout is not None
        return process.returncode, process.stdout.read()
    finally:
        process.kill()
        process.communicate()


def words_of(stream: str) -> str:
    """What the pieces of a streamed answer say together."""
    assert stream.rstrip().endswith("data: [DONE]"), stream
    bodies = [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for body in bodies for choice in body["choices"])


def test_curl_asks_while_the_chat_is_answered_and_is_listed(frame: Frame, script: Path) -> None:
    frame.app.change_settings("serving", port=free_port())
    frame.loader.start()
    frame.wait(lambda: frame.app.loaded)
    chat = ChatDesk(frame.chat, frame.app, frame.notify)
    chat.type("Tell a long story")
    chat.click(chat.send)
    frame.wait(lambda: "Once upon a" in " ".join(chat.texts))

    frame.click(frame.button("Settings"))
    desk = Desk(frame.find_step(SettingsDialog), frame.app, frame.notify)
    desk.click(desk.button("Servers and sharing"))
    desk.wait(lambda: desk.has(ProgramsSection))
    click_in_view(desk, desk.button("Let other programs use the model"))
    desk.wait(lambda: desk.button("Copy address").isVisible())
    address, key = copied(desk, "Copy address"), copied(desk, "Copy the key")

    code, stream = curl(desk, address, key, "a secret question")
    assert code == 0
    assert words_of(stream) == "Hi, curl."
    assert frame.chat.busy, "the chat is still answered"
    journal = desk.find_step(QLabel, "server_journal")
    desk.wait(lambda: "curl/" in journal.text() and "written" in journal.text())
    assert "secret" not in journal.text()
    assert "Hi" not in journal.text()

    script.with_name("go").touch()
    frame.wait(lambda: not frame.chat.busy)
    stored = frame.app.conversations.read_branch(frame.chat.conversation_id)
    assert [message.text for message in stored] == ["Tell a long story", STORY]

    click_in_view(desk, desk.button("Let other programs use the model"))
    desk.wait(lambda: not desk.has(QLabel, "server_journal") and not frame.window.ui.programs.is_turning)
    assert curl(desk, address, key, "anybody there?")[0] == 7
