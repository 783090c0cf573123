"""A server is added, tested and chosen; a chat and a summary come from there, and it is unplugged in the middle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from app.core.errors.server_errors import ServerUnreachable
from app.hub import access
from app.remote import request_batch
from app.ui.chat.chat_view import ChatView
from app.ui.chat.draft_pictures import PictureChip
from app.ui.settings.servers_page import ServerDialog, ServersSection
from app.ui.widgets.dialogs import QuestionDialog
from tests.helpers.attached import notes
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.summarize import SummarizeDesk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.fake_server import FakeServer
from tests.helpers.picture_files import RED, picture
from tests.helpers.summaries import paragraphs

_SHOWN = re.compile(r"^\[(\d+)\] (.+?\.)", re.MULTILINE)


def answer(body: dict[str, Any]) -> str:
    """Some of what it is shown, with its numbers; else a greeting."""
    shown = _SHOWN.findall(body["messages"][-1]["content"])
    return "\n".join(f"- {said} [{number}]" for number, said in shown[:3]) or "Hello from afar."


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(answer, kind="vllm") as server:
        server.models = ["maker/tiny-1B", "maker/embed-small"]
        yield server


@pytest.fixture
def frame(qapp: QApplication, fast_machine: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    monkeypatch.setattr(access, "is_this_computer", lambda host: False)  # as if it were another one in this network
    monkeypatch.setattr(request_batch, "FIRST_PAUSE_S", 0.01)
    with open_window(qapp, make_chat=ChatView) as made:
        yield made


def add_server(desk: SettingsDesk, server: FakeServer) -> ServersSection:
    """With clicks and keys, as a person does."""
    page = desk.find_step(ServersSection)
    desk.click(page.add)
    dialog = page.findChild(ServerDialog)
    assert dialog is not None and not dialog.save.isEnabled() and not dialog.test.isEnabled()
    QTest.keyClicks(dialog.address, "no address at all")
    desk.click(dialog.ask)
    assert "isn’t an address" in dialog.note.text()
    dialog.address.clear()
    QTest.keyClicks(dialog.address, server.host)
    desk.click(dialog.ask)
    desk.wait(dialog.test.isEnabled)
    assert "vLLM" in dialog.note.text() and dialog.chosen == ["maker/tiny-1B"]  # the other one answers nobody
    desk.click(dialog.test)
    desk.wait(lambda: dialog.told.text().count("\n") == 5)
    assert "✓ Its context is 4,096 tokens." in dialog.told.text() and "– It doesn’t count tokens" in dialog.told.text()
    desk.click(dialog.sees)  # which such a server does not say
    desk.wait(dialog.save.isEnabled)
    desk.click(dialog.save)
    desk.wait(lambda: bool(page.rows))
    return page


def test_a_model_elsewhere_is_added_asked_and_unplugged(
    frame: Frame, server: FakeServer, qtbot: QtBot, tmp_path: Path
) -> None:
    window, app = frame.window, frame.app
    settings = SettingsDesk(frame, "connections/servers")
    page = add_server(settings, server)
    assert "in your own network" in page.rows[0].said.text() and "tiny-1B" in page.rows[0].said.text()
    settings.close()

    menu = window.picker.menu_now()
    entry = next(one for one in menu.actions() if "tiny-1B" in one.text())
    assert f"on {server.host}" in entry.text() and "sees" in entry.text()
    entry.trigger()
    menu.close()
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert server.host in window.picker.accessibleDescription()
    assert window.status.device.text() == f"Runs on {server.host}" and not window.status.device.isHidden()

    chat = ChatDesk(frame.chat, app, frame.notify)
    assert f"sent to {server.host}" in " ".join(
        label.text() for label in chat.root.models.empty.findChildren(type(page.rows[0].said))
    )
    chat.ask("Hello")
    stored = app.conversations.read_branch(frame.chat.conversation_id)[-1]
    assert stored.text == "Hello from afar." and server.host in stored.model
    assert "about" in window.status.gauge.accessibleName()

    chat.click(window.status.network)
    assert "network off" in window.picker.accessibleDescription()
    chat.click(window.status.network)
    assert "network off" not in window.picker.accessibleDescription()

    chat.attaching.add([picture(tmp_path / "red.png", RED, (640, 480))])
    chip = next(iter(qtbot_wait(qtbot, lambda: [one for one in chat.row.chips if isinstance(one, PictureChip)])))
    words = f"sent to {server.host}, about 396 tokens"
    qtbot.waitUntil(lambda: chip.accessibleDescription() == words)
    chat.click(chip.remove)

    tab = window.show_tab("summarize")
    desk = SummarizeDesk(tab.view, app, frame.notify)  # type: ignore[attr-defined]
    desk.drop(notes(tmp_path / "kilns.txt", *paragraphs(400)))
    sent = len(server.asked())
    server.fail("half", after=1, times=-1)
    desk.click(desk.anyway_button)  # a model of a billion weights chooses sentences by itself
    question = next(iter(qtbot_wait(qtbot, lambda: window.findChildren(QuestionDialog, "leaving_question"))))
    assert question.no.isDefault(), "a document does not leave by a key that was pressed too often"
    assert "kilns.txt" in question.words.text() and len(server.asked()) == sent  # nothing of it has left
    desk.click(next(one for one in question.findChildren(QPushButton) if one.text() == "Send"))
    qtbot.waitUntil(lambda: bool(app.summaries.find()) and app.summaries.find()[0].state == "failed")
    assert isinstance(app.summaries.find()[0].error, ServerUnreachable)
    desk.wait(lambda: "was lost" in desk.state_words.text())

    server._faults.clear()
    desk.click(desk.go_on_button)
    qtbot.waitUntil(lambda: app.summaries.find()[0].state == "done")
    assert not window.findChildren(QuestionDialog, "leaving_question")  # it was asked once
    desk.wait(
        lambda: "made by tiny 1B on a server" in desk.facts.text() or "made by tiny-1B on a server" in desk.facts.text()
    )

    settings = SettingsDesk(frame, "connections/servers")
    page = settings.find_step(ServersSection)
    settings.click(next(one for one in page.rows[0].findChildren(QToolButton) if one is page.rows[0].remove))
    settings.answer("Remove")
    settings.wait(lambda: not page.rows)
    assert not any("tiny-1B" in name for _, name in app.names.list_choices())
    qtbot.waitUntil(lambda: frame.loader.state == "ready")  # the starter is back
    settings.close()


def qtbot_wait(qtbot: QtBot, find: Any) -> Any:
    """What is found, as soon as there is something."""
    qtbot.waitUntil(lambda: bool(find()))
    return find()
