"""Grants in the settings: they hold after a restart, can be taken back, and go with their server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.settings import Settings, load_settings, save_settings
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.tool_servers import ToolServers, build_tool_servers
from app.features.tools.permissions import PermissionAnswer
from app.features.tools.stored_grants import StoredGrant, StoredGrants
from app.features.tools.tool import Tool
from app.hub.connection_ledger import ConnectionLedger
from tests.features.tools.lent_tools import LentTool
from tests.helpers.tool_configs import StoredSettings

ALWAYS, OF_SERVER, NEVER = PermissionAnswer.TOOL, PermissionAnswer.SERVER, PermissionAnswer.NEVER
READS, SENDS = LentTool("read", server="mail").tool, LentTool("send", changes=True, server="mail").tool
SEES = LentTool("read", server="web").tool


@pytest.fixture
def stored() -> StoredSettings:
    return StoredSettings()


@pytest.fixture
def grants(stored: StoredSettings) -> StoredGrants:
    return StoredGrants(lambda: stored.settings, stored.change)


def allowed(grants: StoredGrants, *tools: Tool) -> list[bool | None]:
    known = grants.as_grants()
    return [known.allow_call(tool) for tool in tools]


def test_answers_for_good_are_stored_and_others_are_not(grants: StoredGrants, stored: StoredSettings) -> None:
    for answer in (PermissionAnswer.ONCE, PermissionAnswer.CHAT):
        grants.keep_answer(SENDS, answer)
    assert (grants.list_grants(), stored.settings.tools.grants) == ((), ())
    grants.keep_answer(SENDS, ALWAYS)
    grants.keep_answer(READS, OF_SERVER)
    grants.keep_answer(SEES, NEVER)
    again = StoredGrants(lambda: stored.settings, stored.change)
    assert again.list_grants() == (
        StoredGrant("mail", "send", ALWAYS),
        StoredGrant("mail", "", OF_SERVER),
        StoredGrant("web", "read", NEVER),
    )
    assert allowed(again, READS, SENDS, SEES) == [True, True, False]


def test_a_tool_that_its_server_changed_asks_again(grants: StoredGrants, stored: StoredSettings) -> None:
    sends, reads = replace(SENDS, served_name="send"), replace(READS, served_name="read")
    grants.keep_answer(sends, ALWAYS)
    function = sends.function
    for changed in (
        replace(function, description="Sends it, and your password."),
        replace(function, parameters={**function.parameters, "required": ["password"]}),
    ):
        other = replace(sends, function=changed)
        assert allowed(StoredGrants(lambda: stored.settings, stored.change), sends, other) == [True, None]
        chat = grants.as_grants().with_answer(reads, PermissionAnswer.CHAT)
        assert chat.allow_call(replace(reads, function=changed)) is None
        grants.keep_answer(other, NEVER)
        assert allowed(grants, sends, other) == [False, False], "what is forbidden stays so, whatever it becomes"
        grants.keep_answer(sends, ALWAYS)


def test_a_later_answer_about_a_tool_holds_and_each_can_be_taken_back(grants: StoredGrants) -> None:
    grants.keep_answer(SENDS, ALWAYS)
    grants.keep_answer(READS, OF_SERVER)
    grants.keep_answer(SENDS, NEVER)
    assert allowed(grants, READS, SENDS) == [True, False]
    for grant in grants.list_grants():
        grants.take_back(grant)
    assert (grants.list_grants(), allowed(grants, READS, SENDS)) == ((), [None, None])


def test_a_grant_is_for_the_name_that_the_server_knows(grants: StoredGrants) -> None:
    grants.keep_answer(replace(SEES, served_name="web/read"), ALWAYS)
    renamed = replace(SEES, function=replace(SEES.function, name="web_read"), served_name="web/read")
    assert allowed(grants, renamed, SEES) == [True, None]


def test_what_no_version_has_written_grants_nothing(grants: StoredGrants, stored: StoredSettings) -> None:
    odd = ("7", "{}", "no json", '{"server": "mail", "tool": "send", "answer": "once"}', '{"server": 1, "tool": 2}')
    stored.change("tools", grants=odd)
    assert grants.list_grants() == ()


@pytest.mark.parametrize(
    ("change", "is_kept"),
    [
        (lambda servers: servers.remove_server("mail"), False),
        (lambda servers: servers.change_server("mail", command="other"), False),
        (lambda servers: servers.change_server("mail", is_on=True), True),
        (lambda servers: servers.remove_server("web"), True),
    ],
)
def test_grants_go_with_the_program_that_they_are_for(
    grants: StoredGrants, stored: StoredSettings, tmp_path: Path, change: Callable[[ToolServers], object], is_kept: bool
) -> None:
    ledger = ConnectionLedger(tmp_path / "connections.jsonl")
    servers = build_tool_servers(tmp_path, lambda: stored.settings, stored.change, ledger, grants.forget_server)
    servers.add_servers([ServerConfig("mail", sys.executable), ServerConfig("web", sys.executable)])
    grants.keep_answer(SENDS, ALWAYS)
    change(servers)
    assert allowed(grants, SENDS) == [True if is_kept else None]


def test_grants_and_rounds_come_back_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    settings = Settings().changed("tools", grants=('{"server": "a", "tool": "b", "answer": "tool"}',), rounds=3)
    save_settings(path, settings)
    assert load_settings(path) == (settings, [])
