"""Prompts and resources of a real server, chosen in the composer's menu."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QMenu

from app.features.mcp.tool_servers import ToolServers
from app.features.tools.tool_offer import ServerText
from app.ui.chat.server_texts import FROM_SERVERS, MORE_OF_THEM, MOST_IN_SIGHT, NOTHING_OFFERED
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.tool_configs import config
from tests.ui.chat.conftest import Open


@pytest.fixture
def desk(open_chat: Open) -> ChatDesk:
    desk = open_chat({"text": "Hello."})
    desk.app.tool_servers.add_servers([config("fair")])
    return desk


def choose_from_servers(desk: ChatDesk, title: str) -> None:
    desk.choose_entry(FROM_SERVERS)
    (entry,) = [action for action in shown_menu(desk).actions() if action.text().startswith(title)]
    menu = shown_menu(desk)
    entry.trigger()
    menu.close()


def shown_menu(desk: ChatDesk) -> QMenu:
    def shown() -> QMenu | None:
        found = desk.root.findChildren(QMenu, "server_texts")
        return next((menu for menu in found if menu.isVisible()), None)

    desk.wait(lambda: shown() is not None)
    menu = shown()
    assert menu is not None
    return menu


def test_a_prompt_fills_the_message_with_its_blanks(desk: ChatDesk) -> None:
    choose_from_servers(desk, "greet")
    desk.wait(lambda: desk.message)
    assert desk.message == "Greet {who}."
    assert desk.prompt_library.blanks.left == ["who"]


def test_a_resource_is_attached_by_its_name(desk: ChatDesk) -> None:
    choose_from_servers(desk, "Note")
    desk.wait(lambda: [part for part in desk.chat.session.state.documents if part.document is not None])
    (part,) = desk.chat.session.state.documents
    assert part.document is not None
    assert part.document.name.startswith("Note")
    assert desk.message == ""


def test_many_are_eight_in_sight_and_without_servers_there_is_no_entry(
    desk: ChatDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [ServerText("fair", str(number), f"Text {number}", is_prompt=False) for number in range(20)]
    monkeypatch.setattr(ToolServers, "list_texts", lambda _servers: many)
    desk.choose_entry(FROM_SERVERS)
    menu = shown_menu(desk)
    words = [action.text() for action in menu.actions()]
    assert len(words) == MOST_IN_SIGHT + 1
    assert words[-1] == MORE_OF_THEM
    menu.close()
    monkeypatch.setattr(ToolServers, "list_texts", lambda _servers: [])
    desk.choose_entry(FROM_SERVERS)
    desk.wait(lambda: any(NOTHING_OFFERED in notice for notice in desk.notices))
    desk.app.tool_servers.remove_server("fair")
    entries = [action.text() for action in desk.composer.plus.make_menu().actions()]
    assert FROM_SERVERS not in entries
