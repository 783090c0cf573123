"""Tool servers over HTTP, as a real server on this computer, through the network's door."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from app.core.errors.tool_errors import ToolServerFailed
from app.features.mcp.http_transport import HttpTransport
from app.features.mcp.server_session import ServerSession
from app.hub.access import NetworkAccess
from app.hub.connection_ledger import ConnectionLedger
from app.hub.message_server import MessageServer
from tests.helpers.program import wait_until

WHY = "Tools"
GIGABYTE, WORDS = 1_000_000_000, b"word " * 20_000


class ToolPage(BaseHTTPRequestHandler):
    """`sessions` are those that it knows; `mode` says how it answers."""

    protocol_version = "HTTP/1.1"
    mode: ClassVar[str] = "json"
    sessions: ClassVar[set[str]] = set()
    seen: ClassVar[list[tuple[str, dict[str, str]]]] = []
    cancelled: ClassVar[threading.Event] = threading.Event()
    sent_bytes: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method, session = message["method"], self.headers.get("Mcp-Session-Id")
        self.seen.append((method, {name.lower(): value for name, value in self.headers.items()}))
        if method == "initialize":
            name = f"session-{len(self.sessions)}"
            self.sessions.add(name)
            self._answer(message, {"protocolVersion": "2025-03-26", "capabilities": {"tools": {}}}, session=name)
        elif session not in self.sessions:
            self._send(404, b"", "text/plain")
        elif "id" not in message:
            if method == "notifications/cancelled":
                self.cancelled.set()
            self._send(202, b"", "text/plain")
        elif method == "tools/list":
            self._answer(message, {"tools": [{"name": "do", "inputSchema": {"type": "object"}}]})
        elif self.mode in ("endless json", "endless stream"):
            self._send_endlessly(message)
        elif self.mode == "hanging":
            self.cancelled.wait(60)
            self._send(500, b"", "text/plain")
        else:
            self._answer(message, {"content": [{"type": "text", "text": json.dumps(message["params"]["arguments"])}]})

    def _answer(self, message: dict[str, Any], result: dict[str, Any], session: str = "") -> None:
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()
        if self.mode == "stream":
            progress = b'{"jsonrpc": "2.0", "method": "notifications/progress"}'
            body = b": hello\n\ndata: " + progress + b"\n\nevent: message\ndata: " + body + b"\n\n"
            self._send(200, body, "text/event-stream", session)
        else:
            self._send(200, body, "application/json", session)

    def _send_endlessly(self, message: dict[str, Any]) -> None:
        """A result of a gigabyte, until the client hangs up."""
        is_stream = self.mode == "endless stream"
        begin = f'{{"jsonrpc": "2.0", "id": {message["id"]}, "result": {{"content": [{{"type": "text", "text": "'
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if is_stream else "application/json")
        self.send_header("Content-Length", str(GIGABYTE))
        self.end_headers()
        self.wfile.write((b"data: " if is_stream else b"") + begin.encode())
        try:
            for _ in range(GIGABYTE // len(WORDS)):
                self.wfile.write(WORDS)
                self.sent_bytes.append(len(WORDS))
        finally:
            self.cancelled.set()

    def _send(self, status: int, body: bytes, kind: str, session: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if session:
            self.send_header("Mcp-Session-Id", session)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_parts: object) -> None:
        """Nothing on standard error."""


class ToolHost(ThreadingHTTPServer):
    def handle_error(self, _request: object, _address: object) -> None:
        """A client that hung up is none."""


@pytest.fixture
def address() -> Iterator[str]:
    ToolPage.mode, ToolPage.sessions, ToolPage.seen, ToolPage.cancelled = "json", set(), [], threading.Event()
    ToolPage.sent_bytes = []
    with ToolHost(("127.0.0.1", 0), ToolPage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/mcp"
        server.shutdown()
        thread.join()


@pytest.fixture
def ledger(tmp_path: Path) -> ConnectionLedger:
    return ConnectionLedger(tmp_path / "connections.jsonl")


def session_with(address: str, ledger: ConnectionLedger, *, allowed: bool = True) -> ServerSession:
    def access() -> NetworkAccess:
        return NetworkAccess(allowed, address)

    return ServerSession(
        "far",
        lambda: HttpTransport({"X-Key": "k"}, lambda headers: MessageServer(address, access, ledger, headers, WHY)),
    )


@pytest.mark.parametrize("mode", ["json", "stream"])
def test_calls_are_answered_as_json_or_as_a_stream(address: str, ledger: ConnectionLedger, mode: str) -> None:
    ToolPage.mode = mode
    with closing(session_with(address, ledger)) as session:
        assert session.call_tool("do", {"what": "é"}).text == '{"what": "\\u00e9"}'
        wanted = {"initialize", "notifications/initialized", "tools/list", "tools/call"}
        # Nobody waits for an answer to the notification.
        wait_until(lambda: {method for method, _ in ToolPage.seen} == wanted, "all four messages arrived")
    methods = [method for method, _ in ToolPage.seen]
    _, headers = ToolPage.seen[methods.index("tools/call")]
    assert (headers["mcp-session-id"], headers["mcp-protocol-version"]) == ("session-0", "2025-03-26")
    assert headers["x-key"] == "k"
    assert {entry.why for entry in ledger.connections()} == {WHY}, "every message is in the list of connections"


@pytest.mark.parametrize("mode", ["endless json", "endless stream"])
def test_a_result_of_a_gigabyte_is_not_taken(address: str, ledger: ConnectionLedger, mode: str) -> None:
    ToolPage.mode = mode
    with closing(session_with(address, ledger)) as session:
        assert session.call_tool("do", {}).is_error
        assert ToolPage.cancelled.wait(60)
    assert sum(ToolPage.sent_bytes) < GIGABYTE / 10


def test_nothing_is_sent_while_the_network_is_off(address: str, ledger: ConnectionLedger) -> None:
    with closing(session_with(address, ledger, allowed=False)) as session, pytest.raises(ToolServerFailed) as failed:
        session.list_tools()
    assert failed.value.reason == "refused"
    assert ToolPage.seen == []


def test_an_expired_session_is_begun_anew(address: str, ledger: ConnectionLedger) -> None:
    with closing(session_with(address, ledger)) as session:
        session.list_tools()
        ToolPage.sessions.clear()
        ToolPage.sessions.add("another")
        with pytest.raises(ToolServerFailed) as failed:
            session.call_tool("do", {})
        assert failed.value.reason == "ended"
        assert session.call_tool("do", {}).text == "{}"


def test_stop_ends_a_call_elsewhere(address: str, ledger: ConnectionLedger) -> None:
    ToolPage.mode = "hanging"
    with closing(session_with(address, ledger)) as session:
        looks = iter([False, True])
        assert session.call_tool("do", {}, lambda: next(looks)).is_error
        assert ToolPage.cancelled.wait(60)


def test_a_page_for_people_is_no_tool_server(address: str, ledger: ConnectionLedger) -> None:
    with closing(session_with(address.replace("/mcp", "x"), ledger)) as session, pytest.raises(ToolServerFailed):
        session.list_tools()
