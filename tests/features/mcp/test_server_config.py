"""Lists of tool servers as other programs write them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.tool_errors import ToolServersUnreadable
from app.features.mcp import stdio_transport
from app.features.mcp.server_config import ServerConfig, parse_servers, read_servers, suggested_folders
from app.features.mcp.stdio_transport import find_program, login_search_path

CLAUDE_DESKTOP = {
    "mcpServers": {
        "files": {"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/tmp"]},
        "keys": {"command": "uvx", "args": ["mcp-server-x"], "env": {"API_KEY": "abc", "PORT": 7}},
        "nothing": {},
        "broken": {"command": 3},
    }
}
LM_STUDIO = {"mcpServers": {"hub": {"url": "https://example.org/mcp", "headers": {"Authorization": "Bearer x"}}}}
JAN = {"mcpServers": {"fetch": {"command": "uvx", "args": ["mcp-server-fetch"], "env": {}, "active": True}}}
VS_CODE = {"mcp": {"servers": {"time": {"type": "stdio", "command": "python3", "args": ["-m", "time"]}}}}


def test_lists_of_four_programs_are_read_and_nothing_is_switched_on() -> None:
    files, keys = parse_servers(json.dumps(CLAUDE_DESKTOP), "claude.json")
    assert files == ServerConfig("files", "npx", ("-y", "@modelcontextprotocol/server-filesystem", "/tmp"))
    assert keys.environment == (("API_KEY", "abc"), ("PORT", "7"))
    (hub,) = parse_servers(json.dumps(LM_STUDIO), "mcp.json")
    assert (hub.is_remote, hub.headers) == (True, (("Authorization", "Bearer x"),))
    (fetch,) = parse_servers(json.dumps(JAN), "mcp_config.json")
    assert not fetch.is_on, "which servers run here is said here"
    assert [server.command for server in parse_servers(json.dumps(VS_CODE), "settings.json")] == ["python3"]


def test_what_is_no_list_is_said(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    for text, reason in (
        ("[1", "no_json"),
        ("{}", "no_servers"),
        ('{"mcpServers": []}', "no_servers"),
        ("7", "no_servers"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(ToolServersUnreadable) as failed:
            read_servers(path)
        assert failed.value.reason == reason, text
    for other, reason in ((tmp_path / "none.json", "missing"), (tmp_path, "not_a_file")):
        with pytest.raises(ToolServersUnreadable) as failed:
            read_servers(other)
        assert failed.value.reason == reason
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(JAN).encode())
    assert read_servers(path), "Windows writes a mark before it"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["mcpServers", "servers", "mcp", "command", "args", "env", "url", "headers"]), inner
            )
        ),
    )
)
def test_any_json_is_a_list_or_said_to_be_none(value: object) -> None:
    try:
        assert parse_servers(json.dumps(value), "list.json")
    except ToolServersUnreadable as error:
        assert error.reason == "no_servers"


def test_folders_that_arguments_name_are_suggested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "notes").mkdir()
    arguments = ("-y", "~/notes", f"--db={tmp_path}/notes", "/no/such/folder", "notes")
    assert suggested_folders(ServerConfig("files", "npx", arguments)) == (str(tmp_path / "notes"),)


def test_programs_are_found_on_the_path_of_the_login_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "toolserver"
    program.parent.mkdir()
    shell = tmp_path / "shell"
    for file, text in (
        (program, "#!/bin/sh\n"),
        (shell, f'#!/bin/sh\necho Welcome\nPATH={program.parent}:$PATH\neval "$3"\n'),
    ):
        file.write_text(text, "utf-8")
        file.chmod(0o700)
    monkeypatch.setenv("SHELL", str(shell))
    stdio_transport.login_search_path.cache_clear()
    found = find_program("toolserver", login_search_path())
    stdio_transport.login_search_path.cache_clear()
    assert found is not None
    assert (found.path, found.folders[:2]) == (str(program), (str(program.parent), str(tmp_path)))
    assert find_program("toolserver", os.defpath) is None
    monkeypatch.setenv("HOME", str(tmp_path))
    again = find_program(str(program), "")
    assert again is not None
    assert again.folders[0] == str(program.parent)
    assert str(tmp_path) not in again.folders, "the whole home is not the program's"


@pytest.mark.parametrize("first", ["#!{runs}", "#!/usr/bin/env {name}", "#!/usr/bin/env -S {name} -x"])
def test_what_runs_a_program_and_its_packages_belong_to_it(tmp_path: Path, first: str) -> None:
    runs, packages = tmp_path / "python" / "bin" / "runs", tmp_path / "project" / "node_modules"
    program = packages / "server" / "dist" / "server.js"
    for file in (runs, program):
        file.parent.mkdir(parents=True)
        file.write_text(first.format(runs=runs, name="runs") + "\n", "utf-8")
        file.chmod(0o700)
    (packages / ".bin").mkdir()
    (packages / ".bin" / "server").symlink_to(program)
    found = find_program(str(packages / ".bin" / "server"), str(runs.parent))
    assert found is not None
    assert {str(packages), str(runs.parent), str(tmp_path / "python")} <= set(found.folders)
    assert not {str(tmp_path), str(tmp_path / "project")} & set(found.folders)
