"""Tool servers that others made, each in its cage: `make test-clients` installs them first."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors.tool_errors import ToolServerFailed
from app.features.mcp.http_transport import HttpTransport
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.server_session import ServerSession
from app.features.mcp.stdio_transport import StdioTransport
from app.features.mcp.tool_servers import NOT_GRANTED, build_tool_servers
from app.hub.access import NetworkAccess
from app.hub.connection_ledger import ConnectionLedger
from app.hub.message_server import MessageServer
from tests.helpers.tool_configs import StoredSettings

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fireside" / "clients"
OF_NODE, OF_PYTHON = CACHE / "node_modules" / ".bin", CACHE / "tool_servers" / "bin"
FILES, EVERYTHING = OF_NODE / "mcp-server-filesystem", OF_NODE / "mcp-server-everything"
Begin = Callable[[ServerConfig], ServerSession]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    begun: list[ServerSession] = []

    def begin(config: ServerConfig) -> ServerSession:
        begun.append(ServerSession(config.name, lambda: StdioTransport(config, tmp_path / "own" / config.name)))
        return begun[-1]

    yield begin
    for session in begun:
        session.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a person's, with a note in it."""
    made = tmp_path / "notes"
    made.mkdir()
    (made / "kiln.txt").write_text("The kiln cools for two days.", "utf-8")
    return made


def read_note(session: ServerSession, folder: Path) -> tuple[bool, str]:
    outcome = session.call_tool("read_text_file", {"path": str(folder / "kiln.txt")})
    return outcome.is_error, outcome.text


def test_files_are_read_written_and_moved_where_that_is_granted(begin: Begin, folder: Path, tmp_path: Path) -> None:
    files = ServerConfig("files", str(FILES), (str(folder), str(tmp_path)))
    granted = begin(replace(files, writable=(str(folder),)))
    reading = {tool.name for tool in granted.list_tools() if tool.only_reads}
    assert {"read_text_file", "list_directory", "search_files"} <= reading
    assert not {"write_file", "edit_file", "move_file", "create_directory"} & reading
    assert read_note(granted, folder) == (False, "The kiln cools for two days.")
    note, below = folder / "glaze.txt", folder / "below"
    for name, arguments in (
        ("write_file", {"path": str(note), "content": "Ash."}),
        ("edit_file", {"path": str(note), "edits": [{"oldText": "Ash", "newText": "Ash makes a glaze"}]}),
        ("create_directory", {"path": str(below)}),
        ("move_file", {"source": str(note), "destination": str(below / "glaze.txt")}),
    ):
        outcome = granted.call_tool(name, arguments)
        assert not outcome.is_error, outcome.text
    assert (below / "glaze.txt").read_text("utf-8") == "Ash makes a glaze."
    outside = granted.call_tool("write_file", {"path": str(tmp_path / "outside.txt"), "content": "x"})
    assert outside.is_error, "the server allows it by its arguments; the cage does not"
    assert not (tmp_path / "outside.txt").exists()
    reading_only = begin(replace(files, name="reading", readable=(str(folder),)))
    assert read_note(reading_only, folder)[0] is False
    assert reading_only.call_tool("write_file", {"path": str(note), "content": "x"}).is_error


def test_a_folder_that_is_not_granted_is_told(folder: Path, tmp_path: Path) -> None:
    stored = StoredSettings()
    ledger = ConnectionLedger(tmp_path / "connections.jsonl")
    with closing(build_tool_servers(tmp_path, lambda: stored.settings, stored.change, ledger)) as servers:
        servers.add_servers([ServerConfig("files", str(FILES), (str(folder),), is_on=True)])
        tool = next(tool for tool in servers.offer_tools().tools if tool.name == "read_text_file")
        result = tool.run({"path": str(folder / "kiln.txt")}, lambda: False)
    assert result.is_error
    assert NOT_GRANTED in result.text


def test_the_time_is_told(begin: Begin) -> None:
    session = begin(ServerConfig("time", str(OF_PYTHON / "mcp-server-time")))
    assert [(tool.name, tool.only_reads) for tool in session.list_tools()] == [
        ("get_current_time", True),
        ("convert_time", True),
    ]
    asked = {"source_timezone": "Europe/Vienna", "time": "12:00", "target_timezone": "Asia/Tokyo"}
    told = session.call_tool("convert_time", asked).text
    assert "+7.0h" in told or "+8.0h" in told, "in summer or in winter"
    assert session.call_tool("get_current_time", {"timezone": "Nowhere"}).is_error


def test_a_database_is_filled_and_asked_in_a_granted_folder(begin: Begin, folder: Path) -> None:
    session = begin(
        ServerConfig(
            "sqlite",
            str(OF_PYTHON / "mcp-server-sqlite"),
            ("--db-path", str(folder / "kilns.db")),
            writable=(str(folder),),
        )
    )
    for name, query in (
        ("create_table", "CREATE TABLE kilns (days INTEGER)"),
        ("write_query", "INSERT INTO kilns VALUES (2)"),
    ):
        assert not session.call_tool(name, {"query": query}).is_error
    assert session.call_tool("read_query", {"query": "SELECT * FROM kilns"}).text == "[{'days': 2}]"
    assert [prompt["name"] for prompt in session.list_prompts()] == ["mcp-demo"]
    assert "kilns" in session.read_prompt("mcp-demo", {"topic": "kilns"})
    assert [resource["uri"] for resource in session.list_resources()] == ["memo://insights"]
    assert "insights" in session.read_resource("memo://insights")


def try_everything(session: ServerSession) -> None:
    """What the server that does everything does with what we offer: no sampling, no questions, no roots, no tasks."""
    names = {tool.name for tool in session.list_tools()}
    offered = {"trigger-sampling-request", "trigger-elicitation-request", "get-roots-list", "simulate-research-query"}
    assert not names & offered
    for name, arguments, told in (
        ("echo", {"message": "é"}, "Echo: é"),
        ("get-sum", {"a": 1, "b": 2}, "The sum of 1 and 2 is 3."),
        ("get-tiny-image", {}, "[image, image/png, not shown]"),
        ("get-resource-links", {"count": 2}, "[Text Resource 2: demo://resource/dynamic/text/2]"),
        ("get-resource-reference", {"resourceType": "Text", "resourceId": 1}, "This is a plaintext resource"),
        ("get-resource-reference", {"resourceType": "Blob", "resourceId": 1}, "blob/1: not text, not shown]"),
        ("get-structured-content", {"location": "Chicago"}, '"temperature"'),
        ("trigger-long-running-operation", {"duration": 1, "steps": 3}, "Long running operation completed"),
    ):
        outcome = session.call_tool(name, arguments)
        assert told in outcome.text
        assert not outcome.is_error
    assert "args-prompt" in [prompt["name"] for prompt in session.list_prompts()]
    assert session.read_prompt("args-prompt", {"city": "Graz"}) == "What's weather in Graz?"
    with pytest.raises(ToolServerFailed) as failed:
        session.read_prompt("resource-prompt", {"resourceType": "Film", "resourceId": "1"})
    assert failed.value.reason == "declined"
    uri = session.list_resources()[0]["uri"]
    assert session.read_resource(uri).startswith("#")


def test_everything_over_standard_streams(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    session = begin(ServerConfig("everything", str(EVERYTHING)))
    try_everything(session)
    environment = session.call_tool("get-env", {}).text
    assert '"HOME"' in environment
    assert "hf_secret" not in environment


def test_everything_over_http(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [str(EVERYTHING), "streamableHttp"],
        env=os.environ | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as server:
        assert server.stderr is not None
        try:
            assert any("listening" in line for line in server.stderr), "it has ended"
            address = f"http://127.0.0.1:{port}/mcp"
            ledger = ConnectionLedger(tmp_path / "connections.jsonl")
            session = ServerSession(
                "everything",
                lambda: HttpTransport(
                    {},
                    lambda headers: MessageServer(
                        address, lambda: NetworkAccess(True, address), ledger, headers, "tools"
                    ),
                ),
            )
            with closing(session):
                try_everything(session)
            assert {entry.why for entry in ledger.connections()} == {"tools"}
        finally:
            server.terminate()


@pytest.mark.parametrize(
    ("command", "arguments", "tool"),
    [
        ("npx", ("-y", "@modelcontextprotocol/server-filesystem@2026.8.31", "{folder}"), "read_text_file"),
        (str(OF_PYTHON / "uvx"), ("mcp-server-time@2026.10.10",), "get_current_time"),
    ],
    ids=["npx", "uvx"],
)
def test_what_is_fetched_needs_the_network_at_its_first_start_only(
    begin: Begin, folder: Path, command: str, arguments: tuple[str, ...], tool: str
) -> None:
    words = tuple(word.format(folder=folder) for word in arguments)
    config = ServerConfig("fetched", command, words, writable=(str(folder),))
    with pytest.raises(ToolServerFailed) as failed:
        begin(config).list_tools()
    assert failed.value.reason == "unfetched"
    for has_network in (True, False):
        with closing(begin(replace(config, has_network=has_network))) as session:
            assert tool in {known.name for known in session.list_tools()}
