"""Other programs call tools over HTTP: with the key, in a session, and whatever hostile ones send instead."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.core.errors.tool_errors import ToolServerFailed
from app.features.mcp.client_session import MOST_BATCHED, MOST_MESSAGE_BYTES
from app.features.mcp.http_transport import HttpTransport
from app.features.mcp.messages import (
    FAILED_INSIDE,
    KNOWN_PROTOCOLS,
    NO_REQUEST,
    NO_SUCH_METHOD,
    NOT_JSON,
    PROTOCOL,
    SESSION_HEADER,
    VERSION_HEADER,
    WRONG_PARAMETERS,
    notification,
    request,
)
from app.features.mcp.server_session import ServerSession
from app.features.tool_calls import ToolFunction
from app.features.tools.result_text import MOST_CHARACTERS
from app.features.tools.tool import IsStopped, Tool, ToolRefused, ToolResult
from app.hub.access import NetworkAccess
from app.hub.connection_ledger import ConnectionLedger
from app.hub.message_server import MessageServer
from app.server import running
from app.server.access_guard import AccessRules
from app.server.http_application import make_application
from app.server.running import RunningServer
from app.server.tool_endpoint import MOST_SESSIONS
from tests.server.conftest import KEY, Served

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
GREETING = {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


class LentTools:
    """Tools that repeat, refuse, break, go on, and wait to be stopped."""

    def __init__(self) -> None:
        self.is_lent, self.is_waiting, self.is_over = True, threading.Event(), threading.Event()

    def list_tools(self) -> list[Tool]:
        runs: dict[str, Callable[[Mapping[str, Any], IsStopped], ToolResult]] = {
            "repeat": lambda arguments, _: ToolResult(arguments["text"]),
            "refuse": self.refuse,
            "break": self.break_down,
            "flood": lambda arguments, _: ToolResult(arguments["text"] * 10_000),
            "wait": self.wait,
        }
        found = [Tool(ToolFunction(name, f"Will {name}", TEXT), run) for name, run in runs.items()]
        return found if self.is_lent else []

    @staticmethod
    def refuse(_arguments: Mapping[str, Any], _is_stopped: IsStopped) -> ToolResult:
        raise ToolRefused("Say which document.")

    @staticmethod
    def break_down(_arguments: Mapping[str, Any], _is_stopped: IsStopped) -> ToolResult:
        raise ZeroDivisionError("a secret path")

    def wait(self, _arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        self.is_waiting.set()
        while not is_stopped():
            self.is_over.wait(0.01)
        self.is_over.set()
        return ToolResult("stopped")


class ToolClient:
    """A client that posts what it is told to, in a session."""

    def __init__(self, served: Served, tools: LentTools) -> None:
        self.served, self.tools = served, tools
        self.address = served.address.replace("/v1", "/mcp")
        self.headers = {"Authorization": f"Bearer {KEY}"}

    def post(self, message: object, **headers: str) -> httpx2.Response:
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        return httpx2.post(self.address, content=data, headers=self.headers | headers, timeout=60)

    def greet(self, version: str = PROTOCOL) -> dict[str, Any]:
        answer = self.post(request(0, "initialize", GREETING | {"protocolVersion": version}))
        self.headers |= {SESSION_HEADER: answer.headers[SESSION_HEADER]}
        result: dict[str, Any] = answer.json()["result"]
        return result

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        answer = self.post(request(1, method, parameters))
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        assert (found["jsonrpc"], found["id"]) == ("2.0", 1)
        return found

    def call(self, name: str, text: str = "hello") -> dict[str, Any]:
        result: dict[str, Any] = self.ask("tools/call", name=name, arguments={"text": text})["result"]
        return result


@pytest.fixture
def client(scripted: Callable[..., Served]) -> ToolClient:
    tools = LentTools()
    return ToolClient(scripted(list_tools=lambda: tools.list_tools()), tools)  # noqa: PLW0108 - as the program does


@pytest.mark.parametrize("version", KNOWN_PROTOCOLS)
def test_a_client_begins_lists_calls_and_leaves(client: ToolClient, version: str) -> None:
    welcome = client.greet(version)
    assert welcome["protocolVersion"] == version
    assert welcome["serverInfo"]["name"] == "fireside"
    told = client.post(notification("notifications/initialized"), **{VERSION_HEADER: version})
    assert (told.status_code, told.content) == (202, b"")
    assert client.ask("ping")["result"] == {}
    listed = client.ask("tools/list")["result"]["tools"]
    assert listed[0] == {
        "name": "repeat",
        "description": "Will repeat",
        "inputSchema": TEXT,
        "annotations": {"readOnlyHint": True, "openWorldHint": False},
    }
    assert client.call("repeat") == {"content": [{"type": "text", "text": "hello"}], "isError": False}
    assert httpx2.delete(client.address, headers=client.headers).status_code == 204
    assert client.post(request(1, "ping", {})).status_code == 404
    assert httpx2.delete(client.address, headers=client.headers).status_code == 404


def test_our_own_client_is_one_too(client: ToolClient, tmp_path: Path) -> None:
    ledger = ConnectionLedger(tmp_path / "connections.jsonl")

    def session_with(key: str) -> ServerSession:
        def open_server(headers: Callable[[], Mapping[str, str]]) -> MessageServer:
            return MessageServer(client.address, lambda: NetworkAccess(True, client.address), ledger, headers, "tools")

        return ServerSession("own", lambda: HttpTransport({"Authorization": f"Bearer {key}"}, open_server))

    with closing(session_with(KEY)) as session:
        assert [tool.name for tool in session.list_tools() if tool.only_reads][:2] == ["repeat", "refuse"]
        assert session.call_tool("repeat", {"text": "é"}).text == "é"
        outcome = session.call_tool("refuse", {"text": ""})
        assert (outcome.text, outcome.is_error) == ("Say which document.", True)
    with closing(session_with("wrong")) as session, pytest.raises(ToolServerFailed):
        session.list_tools()


def test_without_the_key_nothing_is_answered(client: ToolClient) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        client.headers = headers
        for answer in (client.post(request(0, "initialize", GREETING)), httpx2.delete(client.address, headers=headers)):
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == NO_REQUEST
            assert SESSION_HEADER not in answer.headers


def test_without_the_grant_there_are_no_tools_from_that_moment_on(client: ToolClient) -> None:
    client.greet()
    assert client.ask("tools/list")["result"]["tools"]
    client.tools.is_lent = False
    assert client.ask("tools/list")["result"]["tools"] == []
    assert client.ask("tools/call", name="repeat", arguments={"text": "x"})["error"]["code"] == WRONG_PARAMETERS


@pytest.mark.parametrize(
    ("method", "parameters", "code"),
    [
        ("resources/list", {}, NO_SUCH_METHOD),
        ("sampling/createMessage", {}, NO_SUCH_METHOD),
        ("x" * 5000, {}, NO_SUCH_METHOD),
        ("initialize", {}, WRONG_PARAMETERS),
        ("tools/list", {"cursor": "2"}, WRONG_PARAMETERS),
        ("tools/call", {}, WRONG_PARAMETERS),
        ("tools/call", {"name": "\ud800", "arguments": {}}, WRONG_PARAMETERS),
        ("tools/call", {"name": ["repeat"]}, WRONG_PARAMETERS),
        ("tools/call", {"name": "repeat", "arguments": [1]}, WRONG_PARAMETERS),
    ],
)
def test_errors_are_those_of_the_specification(
    client: ToolClient, method: str, parameters: dict[str, Any], code: int
) -> None:
    client.greet()
    error = client.ask(method, **parameters)["error"]
    assert error["code"] == code
    assert len(error["message"]) < 200


@pytest.mark.logs_warnings
def test_a_tool_that_breaks_tells_the_log_and_not_the_client(client: ToolClient) -> None:
    client.greet()
    error = client.ask("tools/call", name="break", arguments={"text": ""})["error"]
    assert error["code"] == FAILED_INSIDE
    assert "secret" not in error["message"]
    assert client.call("repeat")["content"][0]["text"] == "hello"


def test_what_a_model_can_do_better_is_a_result_of_the_tool(client: ToolClient) -> None:
    client.greet()
    wrong = client.ask("tools/call", name="repeat", arguments={"text": 5})["result"]
    assert wrong["isError"]
    assert json.dumps(TEXT) in wrong["content"][0]["text"]
    flood = client.call("flood", "line\n")["content"][0]["text"]
    assert len(flood) < MOST_CHARACTERS + 100
    assert flood.endswith("more lines not shown)")


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        (b"", 400, NOT_JSON),
        (b"{", 400, NOT_JSON),
        (b"\xff\xfe{}", 400, NOT_JSON),
        (b"[" * 200_000, 413, NO_REQUEST),
        (b"[" * 50_000, 400, NOT_JSON),
        (b'"' + b"x" * MOST_MESSAGE_BYTES + b'"', 413, NO_REQUEST),
        (b"[" + b"{}," * 150_000 + b"{}]", 413, NO_REQUEST),
        (b"9" * 5000, 400, NOT_JSON),
        (b"7", 200, NO_REQUEST),
        ({"id": 1, "method": "ping"}, 200, NO_REQUEST),
        ({"jsonrpc": "2.0", "id": None, "method": "ping"}, 200, NO_REQUEST),
        ({"jsonrpc": "2.0", "id": True, "method": "ping"}, 200, NO_REQUEST),
        ({"jsonrpc": "2.0", "id": {"a": 1}, "method": "ping"}, 200, NO_REQUEST),
        ({"jsonrpc": "2.0", "id": 1, "method": 5}, 200, NO_REQUEST),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": 5}, 200, WRONG_PARAMETERS),
        ([], 200, NO_REQUEST),
        ([{"jsonrpc": "2.0", "id": 1, "method": "ping"}] * (MOST_BATCHED + 1), 200, NO_REQUEST),
    ],
)
def test_what_is_no_message_is_refused_and_the_next_one_answered(
    client: ToolClient, message: object, status: int, code: int
) -> None:
    client.greet()
    answer = client.post(message)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert client.call("repeat")["content"][0]["text"] == "hello"


def test_a_batch_is_answered_as_earlier_versions_have_it(client: ToolClient) -> None:
    client.greet("2025-03-26")
    batch = [request(1, "ping", {}), notification("notifications/initialized"), request(2, "nothing", {})]
    assert [answer["id"] for answer in client.post(batch).json()] == [1, 2]
    assert client.post([notification("notifications/initialized")]).status_code == 202
    assert client.post({"jsonrpc": "2.0", "id": 9, "result": {}}).status_code == 202


def test_a_session_is_begun_first_and_only_so_many_are_kept(client: ToolClient) -> None:
    assert client.post(request(1, "tools/list", {})).status_code == 400
    assert client.post(request(1, "tools/list", {}), **{SESSION_HEADER: "made-up"}).status_code == 404
    client.greet()
    assert client.post(request(1, "ping", {}), **{VERSION_HEADER: "1999-01-01"}).status_code == 400
    first = dict(client.headers)
    assert client.greet("1999-01-01")["protocolVersion"] == PROTOCOL
    for _ in range(MOST_SESSIONS - 1):
        client.greet()
    assert client.post(request(1, "ping", {})).status_code == 200
    assert client.post(request(1, "ping", {}), **first).status_code == 404
    assert httpx2.get(client.address, headers=client.headers).status_code == 405


def test_who_takes_only_a_stream_gets_one(client: ToolClient) -> None:
    client.greet()
    answer = client.post(request(1, "ping", {}), Accept="text/event-stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    kind, data = answer.text.strip().splitlines()
    assert kind == "event: message"
    assert json.loads(data.removeprefix("data: ")) == {"jsonrpc": "2.0", "id": 1, "result": {}}
    both = client.post(request(1, "ping", {}), Accept="application/json, text/event-stream")
    assert both.headers["content-type"] == "application/json"


def test_a_call_that_is_taken_back_ends_and_is_not_answered(client: ToolClient) -> None:
    client.greet()
    answers: list[httpx2.Response] = []
    waiting = request(7, "tools/call", {"name": "wait", "arguments": {"text": ""}})
    thread = threading.Thread(target=lambda: answers.append(client.post(waiting)))
    thread.start()
    assert client.tools.is_waiting.wait(60)
    assert client.post(waiting).json()["error"]["code"] == NO_REQUEST, "the same id twice"
    assert client.post(notification("notifications/cancelled", {"requestId": 8})).status_code == 202
    assert client.post(notification("notifications/cancelled", {"requestId": [7]})).status_code == 202
    assert client.post(notification("notifications/cancelled", {"requestId": 7})).status_code == 202
    thread.join()
    assert answers[0].status_code == 202


@pytest.mark.logs_warnings
def test_a_server_that_is_switched_off_ends_the_calls(client: ToolClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CLOSE_S", 0)
    list_tools = client.tools.list_tools
    server = RunningServer(make_application(client.served.serving, AccessRules(KEY), list_tools), port=0)
    server.start()
    client.address = server.address.replace("/v1", "/mcp")
    client.greet()
    failed: list[type[Exception]] = []

    def call() -> None:
        try:
            client.call("wait")
        except (httpx2.HTTPError, ValueError, AssertionError) as error:
            failed.append(type(error))

    thread = threading.Thread(target=call)
    thread.start()
    assert client.tools.is_waiting.wait(60)
    server.stop()
    thread.join()
    assert failed
    assert client.tools.is_over.wait(60)


def test_calls_are_listed_without_a_word_of_them(client: ToolClient) -> None:
    client.greet()
    client.call("repeat", "a secret")
    listed = client.served.serving.journal.list_requests()
    assert [(asked.path, asked.model, asked.status) for asked in listed] == [("/mcp", "repeat", 200)]
    assert client.served.serving.journal.users == []


def test_a_page_that_is_named_may_use_the_session(scripted: Callable[..., Served]) -> None:
    served = scripted(origins=("app://obsidian.md",))
    client = ToolClient(served, LentTools())
    answer = client.post(request(0, "initialize", GREETING), Origin="app://obsidian.md")
    assert answer.headers["access-control-expose-headers"].casefold() == SESSION_HEADER
