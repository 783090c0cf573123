"""Tool servers as a person finds or types them, and what is said of their cage."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.cage_report import CageReport, CageWall
from app.features.mcp.known_files import find_server_files
from app.features.mcp.server_cage import NO_CONTAINERS, NOT_YET, SERVER, server_cage_sentence
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.typed_server import HIDDEN_VALUE, TypedServer, fields_of, read_typed_server
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
    server = read_typed_server(TypedServer(f"  {text} "))
    assert server is not None
    assert (server.name, server.command, server.is_remote, server.is_on) == (name, command, False, True)
    assert "/home/a b" in server.arguments or "'" not in text


def test_a_typed_address_is_one_that_is_not_started_here() -> None:
    server = read_typed_server(TypedServer("https://example.org/mcp", key="k"))
    assert server == ServerConfig(
        "example.org", url="https://example.org/mcp", headers=(("Authorization", "Bearer k"),), is_on=True
    )
    assert read_typed_server(TypedServer("http://127.0.0.1:9/mcp", "mine")) == ServerConfig(
        "mine", url="http://127.0.0.1:9/mcp", is_on=True
    )


@pytest.mark.parametrize("text", ["", "  ", "http://", "https://[", 'npx "open'])
def test_what_is_neither_is_no_server(text: str) -> None:
    assert read_typed_server(TypedServer(text)) is None


NOTES = ServerConfig(
    "notes", "uvx", ("notes", "/home/a b"), (("TOKEN", "s"), ("LEVEL", "1")), readable=("/home/a b",), is_on=True
)


def test_a_server_is_edited_without_its_secrets_being_shown() -> None:
    fields = fields_of(NOTES)
    assert fields.line == "uvx notes '/home/a b'"
    assert fields.environment == f"TOKEN={HIDDEN_VALUE}\nLEVEL={HIDDEN_VALUE}"
    assert read_typed_server(fields, NOTES) == NOTES, "what nobody changed stays"
    changed = replace(fields, line="uvx notes@2", environment=f"TOKEN={HIDDEN_VALUE}\n MORE = a=b ")
    assert read_typed_server(changed, NOTES) == replace(
        NOTES, arguments=("notes@2",), environment=(("TOKEN", "s"), ("MORE", "a=b"))
    )
    with pytest.raises(ValueError, match="no variable"):
        read_typed_server(replace(fields, environment="no variable"), NOTES)


def test_a_key_stays_with_its_host_alone() -> None:
    far = ServerConfig("far", url="https://a.example/mcp", headers=(("X-Team", "t"), ("Authorization", "Bearer k")))
    fields = fields_of(far)
    assert fields.key == HIDDEN_VALUE
    moved = read_typed_server(replace(fields, line="https://a.example/other"), far)
    assert moved == replace(far, url="https://a.example/other")
    elsewhere = read_typed_server(replace(fields, line="https://b.example/mcp"), far)
    assert elsewhere == replace(far, url="https://b.example/mcp", headers=())
    renewed = read_typed_server(replace(fields, key="new", client_id="c"), far)
    assert renewed == replace(far, headers=(("X-Team", "t"), ("Authorization", "Bearer new")), client_id="c")
    assert read_typed_server(replace(fields, key=""), far) == replace(far, headers=(("X-Team", "t"),))


def test_a_container_is_told_of_before_it_fails() -> None:
    config = ServerConfig("time", "/usr/bin/docker", ("run", "-i", "--rm", "mcp/time"))
    assert server_cage_sentence(config, None) == NO_CONTAINERS.format(container="Docker")


def test_the_cage_is_told_with_what_was_granted_left_out() -> None:
    walls = (CageWall.NETWORK, CageWall.FILES, CageWall.WRITING)
    config = ServerConfig("x", "y")
    assert server_cage_sentence(config, None) == NOT_YET
    assert server_cage_sentence(config, CageReport(walls)) == cage_sentence(SERVER, CageReport(walls))
    home = replace(config, writable=(str(Path.home()),))
    told = server_cage_sentence(home, CageReport((CageWall.NETWORK,), (CageWall.FILES, CageWall.WRITING)))
    assert told == cage_sentence(SERVER, CageReport((CageWall.NETWORK,))), "what was opened on purpose is no gap"
    assert server_cage_sentence(replace(config, url="https://example.org"), None) not in ("", NOT_YET)
