"""The list of tool servers and the tools that they offer to the chat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.catalogue import TextCatalogue, use_catalogue
from app.features.error_messages import sentence_for
from app.features.mcp.server_config import parse_servers
from app.features.mcp.server_session import ServerSession
from app.features.mcp.tool_servers import FOLDER, TOOL_CHANGED, ToolServers, build_tool_servers, folder_name
from app.features.tools.result_text import run_capped
from app.hub.connection_ledger import ConnectionLedger
from app.ui.pseudo_language import PseudoEntries
from tests.features.mcp.test_server_config import CLAUDE_DESKTOP, LM_STUDIO
from tests.helpers.tool_configs import StoredSettings, config

PSEUDO = re.compile("[àéîöüýçñšž]")


@pytest.fixture
def stored() -> StoredSettings:
    return StoredSettings()


@pytest.fixture
def servers(stored: StoredSettings, tmp_path: Path) -> Iterator[ToolServers]:
    ledger = ConnectionLedger(tmp_path / "connections.jsonl")
    servers = build_tool_servers(tmp_path, lambda: stored.settings, stored.change, ledger)
    yield servers
    servers.close()


def test_servers_are_kept_as_they_are(servers: ToolServers, stored: StoredSettings) -> None:
    import json

    imported = [*parse_servers(json.dumps(CLAUDE_DESKTOP), ""), *parse_servers(json.dumps(LM_STUDIO), "")]
    assert servers.add_servers(imported) == ("files", "keys", "hub")
    assert servers.configs == tuple(imported)
    assert servers.add_servers(imported[:1]) == ("files_2",)
    servers.change_server("keys", is_on=True, writable=("/tmp/a b",))
    assert servers.configs[1] == replace(imported[1], is_on=True, writable=("/tmp/a b",))
    servers.remove_server("files")
    assert [known.name for known in servers.configs] == ["keys", "hub", "files_2"]
    stored.change("tools", servers=(*stored.settings.tools.servers, "7", "{}", "no json", '{"name": "x", "later": 1}'))
    assert [known.name for known in servers.configs] == ["keys", "hub", "files_2", "x"]
    assert "abc" not in str(stored.settings.without_texts()), "a report of a defect holds no keys"


def test_tools_of_several_servers_have_names_of_their_own(servers: ToolServers) -> None:
    servers.add_servers([config("fair", "one"), config("fair", "two: ä"), config("dying"), config("old")])
    servers.add_servers([replace(config("fair", "off"), is_on=False)])
    offered = servers.offer_tools()
    assert [tool.name for tool in offered.tools] == ["one_do", "two_do", "dying_do"]
    assert [(problem.server, problem.reason) for problem in offered.problems] == [("old", "wrong")]
    one, _, dying = offered.tools
    assert (one.server, one.changes, one.function.parameters) == (
        "one",
        False,
        {"type": "object", "properties": {"what": {"type": "string"}}},
    )
    assert one.run({"what": "x"}, lambda: False).text.startswith('{"what": "x"}')
    result = dying.run({}, lambda: False)
    assert result.is_error
    assert "out of ideas" in result.text


def test_a_model_reads_in_english_why_a_server_failed_and_the_user_in_their_language(servers: ToolServers) -> None:
    servers.add_servers([config("dying")])
    (tool,) = servers.offer_tools().tools
    use_catalogue(TextCatalogue("en", PseudoEntries()))
    try:
        result = run_capped(tool, {}, lambda: False)
        assert result.failure is not None
        shown = sentence_for(result.failure).text
    finally:
        use_catalogue(TextCatalogue())
    assert result.is_error and "out of ideas" in result.text and "out of ideas" in shown
    assert not PSEUDO.search(result.text)
    assert PSEUDO.search(shown)


def test_a_tool_that_is_another_one_now_is_not_called(servers: ToolServers) -> None:
    servers.add_servers([config("altering")])
    (before,) = servers.offer_tools().tools
    servers.session_of("altering").list_prompts()  # its answer comes behind the news
    result = before.run({"what": "x"}, lambda: False)
    assert (result.text, result.is_error) == (TOOL_CHANGED, True)
    (after,) = servers.offer_tools().tools
    servers.session_of("altering").list_prompts()
    assert after.function.parameters != before.function.parameters
    assert after.run({"what": "x"}, lambda: False).text.startswith('{"what": "x"}')


def test_a_changed_server_is_started_anew_and_a_removed_one_leaves_nothing(
    servers: ToolServers, tmp_path: Path
) -> None:
    servers.add_servers([config("fair", "mine/../x")])
    (tool,) = servers.offer_tools().tools
    assert tool.run({"what": "write here"}, lambda: False).text.startswith("done")
    folder = tmp_path / FOLDER / folder_name("mine/../x")
    assert (folder / "own.txt").read_text("utf-8") == "own"
    before = servers.session_of("mine/../x")
    servers.change_server("mine/../x", environment=(("KEY", "other"),))
    assert servers.session_of("mine/../x") is not before
    servers.remove_server("mine/../x")
    assert not folder.exists()
    with pytest.raises(KeyError):
        servers.session_of("mine/../x")


def test_folders_are_below_their_own_place_whatever_a_server_is_called() -> None:
    names = ["..", ".", "a/b", "a~2fb", "ä", "", "con", "a\\b"]
    folders = [folder_name(name) for name in names if name]
    assert len(set(folders)) == len(folders)
    assert not any(set("/\\.") & set(folder) for folder in folders)


def test_a_conversation_that_begins_while_a_server_is_changed_is_the_changed_one_and_stays(tmp_path: Path) -> None:
    stored, begun = StoredSettings(), list[ServerSession]()

    def change(section: str, **values: Any) -> None:
        stored.change(section, **values)
        if begun:  # as a chat may, as soon as the change is stored
            begun.append(servers.session_of("fair"))
            begun[-1].list_tools()

    ledger = ConnectionLedger(tmp_path / "connections.jsonl")
    servers = build_tool_servers(tmp_path, lambda: stored.settings, change, ledger)
    with closing(servers):
        servers.add_servers([config("fair")])
        begun.append(servers.session_of("fair"))
        begun[0].list_tools()
        servers.change_server("fair", environment=(("KEY", "other"),))
        before, after = begun
        assert servers.session_of("fair") is after
        assert after.state.tools is not None
        assert before.state.tools is None, "nobody else would end it"
