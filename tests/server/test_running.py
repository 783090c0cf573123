"""The server as a listener: what it writes leaves at once."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import tomllib
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.server import running
from app.server.recipes import RECIPES, ConnectionOffer
from app.server.running import RunningServer, names_of


async def says_hello(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


def test_a_word_does_not_wait_until_the_one_before_it_has_arrived() -> None:
    server = RunningServer(says_hello, port=0)
    server.start()
    try:
        with httpx2.Client() as client:
            assert client.get(server.address).text == "hello"
            (connection,) = server._server.server_state.connections
            transport = connection.transport
            assert transport is not None
            opened = transport.get_extra_info("socket")
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "TCP holds small pieces back for 40 ms"
    finally:
        server.stop()


def test_who_sends_no_whole_request_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "HEAD_WITHIN_S", 0.1)
    server = RunningServer(says_hello, port=0)
    server.start()
    try:
        for sent in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n"):
            with socket.create_connection(("127.0.0.1", server._port), timeout=30) as connection:
                connection.sendall(sent)
                heard = b""
                while piece := connection.recv(1000):
                    heard += piece
                assert heard.count(b"hello") == sent.count(b"\r\n\r\n")
    finally:
        server.stop()


async def never_ends(scope: Scope, receive: Receive, send: Send) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"hello"
        await asyncio.Event().wait()

    if scope["path"] == "/v1/framed":
        await StreamingResponse(pieces())(scope, receive, send)
        return
    await says_hello(scope, receive, send)
    await asyncio.Event().wait()


@pytest.mark.parametrize("path", ["plain", "framed"])
def test_switched_off_in_the_middle_of_a_request_it_logs_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    monkeypatch.setattr(running, "CLOSE_S", 0.2)
    server = RunningServer(never_ends, port=0)
    server.start()
    with caplog.at_level(logging.INFO), socket.create_connection(("127.0.0.1", server._port), timeout=30) as connection:
        connection.sendall(f"GET /v1/{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        heard = b""
        while b"hello" not in heard:
            heard += connection.recv(1000)
        server.stop()
        while connection.recv(1000):
            pass
    told = [record for record in caplog.records if record.msg == running.CUT_SHORT]
    assert [record.levelname for record in told] == ["INFO"]


def test_other_computers_may_call_this_one_by_its_names_where_they_may_reach_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "GPU-Box.example.org")
    for host in ("0.0.0.0", "::", "192.168.1.20"):
        assert names_of(host) == {host, "gpu-box.example.org", "gpu-box", "gpu-box.local"}
    assert [names_of(host) for host in ("127.0.0.1", "::1", "localhost")] == [{"127.0.0.1"}, {"::1"}, {"localhost"}]


def test_settings_for_other_programs_name_the_place_the_model_and_the_key() -> None:
    written = {
        recipe.name: recipe.write(ConnectionOffer("http://h:1/v1", "the-key", "a-model", 2048, True, 4096))
        for recipe in RECIPES
    }
    asked_for_elsewhere = {"Zed", "Codex"}
    assert {name for name, text in written.items() if "the-key" not in text} == asked_for_elsewhere
    assert {name for name, text in written.items() if "a-model" not in text} == {"Open WebUI", "Documents by MCP"}
    assert {name for name, text in written.items() if "http://h:1/v1" not in text} == {
        "Claude Code",
        "Documents by MCP",
    }
    (server,) = json.loads(written["Documents by MCP"])["mcpServers"].values()
    assert (server["url"], server["headers"]) == ("http://h:1/mcp", {"Authorization": "Bearer the-key"})
    (place,) = json.loads(written["VS Code"])
    (model,) = place["models"]
    assert model["maxInputTokens"] + model["maxOutputTokens"] == 4096
    assert model["vision"]
    (model,) = json.loads(written["Zed"])["language_models"]["openai_compatible"]["Fireside"]["available_models"]
    assert (model["max_tokens"], model["capabilities"]["images"]) == (4096, True)
    (provider,) = json.loads(written["opencode"])["provider"].values()
    assert provider["models"]["a-model"]["limit"] == {"context": 4096, "output": 1024}
    assert "CLAUDE_CODE_AUTO_COMPACT_WINDOW=4096" in written["Claude Code"]
    assert tomllib.loads(written["Codex"])["model_context_window"] == 4096


@pytest.mark.parametrize(("agent", "waits"), [("Claude Code", 2), ("Codex", 1)])
def test_no_agent_gives_up_while_a_slow_computer_reads_its_prompt(agent: str, waits: int) -> None:
    """Claude Code begins anew after five minutes without an event, however long a request may take otherwise."""
    (recipe,) = [one for one in RECIPES if one.name == agent]
    written = recipe.write(ConnectionOffer("http://h:1/v1", "k", "m"))
    assert written.count("3600000") == waits
    assert agent != "Claude Code" or "CLAUDE_STREAM_IDLE_TIMEOUT_MS=3600000" in written


@pytest.mark.parametrize(
    ("now", "largest", "words"),
    [
        (8192, 0, "about 20,000 tokens, but only 8,192 fit"),
        (8192, 32_768, "reloads with up to 32,768"),
        (32_768, 32_768, "Context: 32,768 tokens."),
        (24_000, 32_768, "Context: 24,000 tokens, up to 32,768 when"),
    ],
)
def test_each_recipe_says_whether_the_context_is_enough(now: int, largest: int, words: str) -> None:
    (recipe,) = [one for one in RECIPES if one.name == "Claude Code"]
    told = recipe.context_words(ConnectionOffer("http://h:1/v1", "k", "m", now, largest_tokens=largest))
    assert words in told.text.format(**told.values)
