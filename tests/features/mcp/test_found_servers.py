"""Tool servers as a person finds or types them, and what is said of their cage."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.cage_report import CageReport, CageWall
from app.features.mcp.known_files import find_server_files
from app.features.mcp.server_cage import NOT_YET, SERVER, server_cage_sentence
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.typed_server import read_typed_server
from app.features.protection import cage_sentence
from tests.features.mcp.test_server_config import CLAUDE_DESKTOP, JAN, LM_STUDIO


@pytest.mark.parametrize(
    ("platform", "environment", "claude", "jan"),
    [
        ("linux", {}, ".config/Claude", ".local/share/Jan/data"),
        ("darwin", {}, "Library/Application Support/Claude", "Library/Application Support/Jan/data"),
        ("win32", {}, "AppData/Roaming/Claude", "AppData/Roaming/Jan/data"),
        ("linux", {"JAN_DATA_FOLDER": "{home}/mine"}, ".config/Claude", "mine"),
    ],
)
def test_files_of_other_programs_are_found_where_they_keep_them(
    tmp_path: Path, platform: str, environment: dict[str, str], claude: str, jan: str
) -> None:
    environment = {name: value.format(home=tmp_path) for name, value in environment.items()}
    assert find_server_files(tmp_path, environment, platform) == []
    for place, lists in (
        (f"{claude}/claude_desktop_config.json", CLAUDE_DESKTOP),
        (".lmstudio/mcp.json", LM_STUDIO),
        (f"{jan}/mcp_config.json", JAN),
    ):
        path = tmp_path / place
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(lists), "utf-8")
    found = find_server_files(tmp_path, environment, platform)
    assert [(file.program, [server.name for server in file.servers]) for file in found] == [
        ("Claude Desktop", ["files", "keys"]),
        ("LM Studio", ["hub"]),
        ("Jan", ["fetch"]),
    ]
    found[0].path.write_text('{"mcpServers": {}}', "utf-8")
    assert [file.program for file in find_server_files(tmp_path, environment, platform)] == ["LM Studio", "Jan"]


@pytest.mark.parametrize(
    ("text", "name", "command"),
    [
        ("npx -y @modelcontextprotocol/server-filesystem '/home/a b'", "server-filesystem", "npx"),
        ("uvx mcp-server-time --local-timezone=UTC", "mcp-server-time", "uvx"),
        ("uv run server.py", "server", "uv"),
        ("/opt/tools/notes --stdio", "notes", "/opt/tools/notes"),
        ("npx", "npx", "npx"),
    ],
)
def test_a_typed_command_is_read_as_a_shell_would(text: str, name: str, command: str) -> None:
    server = read_typed_server(f"  {text} ")
    assert server is not None
    assert (server.name, server.command, server.is_remote, server.is_on) == (name, command, False, True)
    assert "/home/a b" in server.arguments or "'" not in text


def test_a_typed_address_is_one_that_is_not_started_here() -> None:
    server = read_typed_server("https://example.org/mcp", key="k")
    assert server == ServerConfig(
        "example.org", url="https://example.org/mcp", headers=(("Authorization", "Bearer k"),), is_on=True
    )
    assert read_typed_server("http://127.0.0.1:9/mcp", "mine") == ServerConfig(
        "mine", url="http://127.0.0.1:9/mcp", is_on=True
    )


@pytest.mark.parametrize("text", ["", "  ", "http://", "https://[", 'npx "open'])
def test_what_is_neither_is_no_server(text: str) -> None:
    assert read_typed_server(text) is None


def test_the_cage_is_told_with_what_was_granted_left_out() -> None:
    walls = (CageWall.NETWORK, CageWall.FILES, CageWall.WRITING)
    config = ServerConfig("x", "y")
    assert server_cage_sentence(config, None) == NOT_YET
    assert server_cage_sentence(config, CageReport(walls)) == cage_sentence(SERVER, CageReport(walls))
    home = replace(config, writable=(str(Path.home()),))
    told = server_cage_sentence(home, CageReport((CageWall.NETWORK,), (CageWall.FILES, CageWall.WRITING)))
    assert told == cage_sentence(SERVER, CageReport((CageWall.NETWORK,))), "what was opened on purpose is no gap"
    assert server_cage_sentence(replace(config, url="https://example.org"), None) not in ("", NOT_YET)
