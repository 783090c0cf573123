"""Tool servers as real processes: what they may do in their cage, and what becomes of those that misbehave."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from app.core import child, landlock
from app.core.cage_report import CageWall
from app.core.errors.tool_errors import ToolServerFailed
from app.features.mcp import server_session as session_module
from app.features.mcp.messages import MOST_RESULT_CHARACTERS
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.server_session import MOST_WORDS, ServerSession, ServerState
from app.features.mcp.stdio_transport import StdioTransport
from tests.helpers import tool_server

SCRIPT = Path(tool_server.__file__)
ASKED = "sampling/createMessage: -32601\nelicitation/create: -32601\nroots/list: -32601\nping: answered"
Begin = Callable[..., ServerSession]

needs_cage = pytest.mark.skipif(
    landlock.kernel_version() < landlock.VERSION_WITH_PORTS or platform.machine() not in ("x86_64", "aarch64"),
    reason="this kernel cages less",
)


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    begun: list[ServerSession] = []

    def begin(mode: str, **changes: object) -> ServerSession:
        config = ServerConfig(mode, sys.executable, (str(SCRIPT), mode), readable=(str(SCRIPT.parent),))
        config = replace(config, **changes)  # type: ignore[arg-type]
        begun.append(ServerSession(mode, lambda: StdioTransport(config, tmp_path / "own")))
        return begun[-1]

    yield begin
    for session in begun:
        session.close()


def tried(session: ServerSession, what: str) -> str:
    return session.call_tool("do", {"what": what}).text.partition("\n")[0]


def test_tools_prompts_and_resources_of_a_fair_server(begin: Begin) -> None:
    session = begin("fair")
    (tool,) = session.list_tools()
    assert (tool.name, tool.only_reads, len(tool.description)) == ("do", True, MOST_WORDS)
    outcome = session.call_tool("do", {"what": "é", "count": 3})
    assert outcome.text == '{"what": "\\u00e9", "count": 3}\n\n[image, image/png, not shown]'
    assert not outcome.is_error
    assert [prompt["name"] for prompt in session.list_prompts()] == ["greet"]
    assert session.read_prompt("greet", {"who": "Ada"}) == "Greet Ada."
    assert [resource["uri"] for resource in session.list_resources()] == ["note://1"]
    assert session.read_resource("note://1") == "The note.\n\n[note://2: not text, not shown]"
    assert session.call_tool("undo", {}).is_error
    with pytest.raises(ToolServerFailed) as failed:
        session.read_prompt("nothing", {})
    assert (failed.value.reason, failed.value.detail) == ("declined", "No such prompt.")


@needs_cage
def test_a_server_can_not_leave_its_cage(begin: Begin, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("mine", "utf-8")
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        environment = (("TRIED_FILE", str(secret)), ("TRIED_PORT", str(listening.getsockname()[1])))
        session = begin("fair", environment=environment)
        for what in ("connect", "look up", "read", "write"):
            assert tried(session, what) == "refused: PermissionError", what
        assert tried(session, "write here") == "done: 3"
        assert tried(session, "move") == "done: own.txt", "its own files it may move"
        assert tried(session, "start") == "done: b''", "what it starts is in the same cage"
        session.close()
        granted = begin("fair", environment=environment, readable=(str(SCRIPT.parent), str(secret)), has_network=True)
        assert tried(granted, "connect").startswith("done")
        assert tried(granted, "read") == "done: mine"
        assert tried(granted, "write") == "refused: PermissionError"
        granted.close()
        writing = begin("fair", environment=environment, writable=(str(secret),))
        assert tried(writing, "write") == "done: 8"
    assert secret.read_text("utf-8") == "mine now"


@needs_cage
def test_the_walls_of_a_server_are_told(tmp_path: Path) -> None:
    config = ServerConfig("fair", sys.executable, (str(SCRIPT), "fair"), readable=(str(SCRIPT.parent),))
    transport = StdioTransport(config, tmp_path / "own")
    with closing(ServerSession("fair", lambda: transport)) as session:
        session.list_tools()
    assert transport.cage is not None
    assert set(transport.cage.held) == {CageWall.NETWORK, CageWall.FILES, CageWall.WRITING}
    assert transport.cage.missing == ()


def test_a_server_gets_none_of_the_secrets_around_it(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("FIRESIDE_HOME", "/somewhere")
    session = begin("fair", environment=(("API_KEY", "its own"),))
    environment = json.loads(tried(session, "environment"))
    assert environment["API_KEY"] == "its own"
    assert not {"HF_TOKEN", "FIRESIDE_HOME", "FIRESIDE_TOOL_ENVIRONMENT"} & set(environment)
    assert environment["HOME"] != os.environ.get("HOME")


@pytest.mark.parametrize("how", ["fork", pytest.param("fork away", marks=needs_cage)])
def test_what_a_server_started_ends_with_it(begin: Begin, how: str) -> None:
    session = begin("fair")
    started = psutil.Process(int(tried(session, how)))
    session.close()
    assert psutil.wait_procs([started], timeout=30)[0] or started.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(("mode", "reason"), [("old", "wrong"), ("dying", "ended"), ("gone", "ended")])
def test_servers_that_fail_are_told_and_started_again(begin: Begin, mode: str, reason: str) -> None:
    session = begin(mode) if mode != "gone" else begin("fair", arguments=(str(SCRIPT.parent / "none.py"),))
    for _ in range(2):  # the second time it is another process
        with pytest.raises(ToolServerFailed) as failed:
            session.call_tool("do", {})
        assert failed.value.reason == reason
    if mode == "dying":
        assert failed.value.detail == "out of ideas"


@pytest.mark.logs_warnings
def test_a_server_that_sends_a_line_without_end_is_ended(begin: Begin) -> None:
    with pytest.raises(ToolServerFailed) as failed:
        begin("endless").list_tools()
    assert failed.value.reason == "ended"


def test_a_program_that_is_not_there_is_named(begin: Begin) -> None:
    with pytest.raises(ToolServerFailed) as failed:
        begin("fair", command="no-such-program").list_tools()
    assert failed.value.reason == "missing"


@pytest.mark.parametrize("mode", ["silent", "deaf"])
def test_a_server_that_does_not_answer_is_left_alone_for_a_while(
    begin: Begin, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0

    def clock() -> float:
        nonlocal now_s
        now_s += session_module.CALL_TIMEOUT_S / 100  # each look at the clock takes so long
        return now_s

    session = begin(mode)
    session._clock = clock
    with pytest.raises(ToolServerFailed) as failed:
        session.call_tool("do", {})
    assert failed.value.reason == "silent"
    with pytest.raises(ToolServerFailed) as failed:
        session.list_tools()
    assert failed.value.reason == "busy"
    now_s += session_module.COOLING_S
    if mode == "deaf":
        assert session.list_tools(), "it is tried again"


def test_odd_servers_do_no_harm(begin: Begin) -> None:
    text = begin("huge").call_tool("do", {}).text
    assert text.endswith("characters not shown]")
    assert len(text) < MOST_RESULT_CHARACTERS + 100
    assert begin("asking").call_tool("do", {}).text == ASKED, "it may ask neither the model nor the person"
    assert begin("flooding").call_tool("do", {}).text == "done"
    assert len(begin("paging").list_tools()) == session_module.MOST_PAGES
    assert begin("garbage").call_tool("do", {"what": "é"}).text.startswith("{")


def test_tools_that_changed_are_asked_for_again(begin: Begin) -> None:
    session = begin("renaming")
    assert [tool.name for tool in session.list_tools()] == ["do"]
    assert session.call_tool("do", {}).text.startswith("{}"), "the server told of a change meanwhile"


def test_a_server_that_asks_without_end_and_hears_nothing_is_stopped_like_any_other(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "SEND_TIMEOUT_S", 3600)  # whoever waited for it would wait for ever
    session = begin("begging")
    begged = tmp_path / "own" / "begged"
    assert session.call_tool("do", {}, begged.exists).text == "Stopped."


def test_a_call_that_tells_progress_is_waited_for(begin: Begin, tmp_path: Path) -> None:
    now_s, seen, session = 0.0, 0, begin("plodding")

    def clock() -> float:
        nonlocal now_s, seen
        if max(session._waiting.progress.values(), default=0) > seen:
            seen, now_s = seen + 1, now_s + session_module.CALL_TIMEOUT_S * 0.9
            (tmp_path / "own" / "seen").write_bytes(b"")
        return now_s

    session.list_tools()
    session._clock = clock
    assert session.call_tool("do", {}).text == "done"
    assert now_s > 2 * session_module.CALL_TIMEOUT_S


def test_what_fetches_a_server_needs_the_network_once(begin: Begin, tmp_path: Path) -> None:
    runner = tmp_path / "npx"
    runner.write_text('#!/bin/sh\necho "npm error $npm_config_offline $UV_OFFLINE" >&2\nexit 1\n', "utf-8")
    runner.chmod(0o700)
    for has_network, reason, detail in ((False, "unfetched", "true 1"), (True, "ended", "npm error")):
        with pytest.raises(ToolServerFailed) as failed:
            begin("fair", command=str(runner), has_network=has_network).list_tools()
        assert failed.value.reason == reason
        assert detail in failed.value.detail


@needs_cage
@pytest.mark.parametrize("has_network", [False, True])
def test_a_container_program_reaches_no_daemon_and_that_is_told(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_network: bool
) -> None:
    monkeypatch.chdir(tmp_path)  # an address of such a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind("docker.sock")
        daemon.listen()
        docker = tmp_path / "docker"
        asks = f"import socket; socket.socket(socket.AF_UNIX).connect('{tmp_path}/docker.sock'); print(open('/in'))"
        docker.write_text(f"#!{sys.executable}\n{asks}\n", "utf-8")
        docker.chmod(0o700)
        granted = {"readable": (str(tmp_path),), "writable": (str(tmp_path),), "has_network": has_network}
        session = begin("fair", command=str(docker), arguments=("run", "-i", "mcp/time"), **granted)
        with pytest.raises(ToolServerFailed) as failed:
            session.list_tools()
        assert (failed.value.reason, failed.value.detail) == ("contained", "Docker")
        daemon.setblocking(False)
        with pytest.raises(BlockingIOError):
            daemon.accept()


def test_a_server_ends_with_the_program_however_it_ends(tmp_path: Path) -> None:
    """Killed, the program can end nothing itself, and what the server started hears nothing of the kernel."""
    program = f"""
import sys, time
from pathlib import Path
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.server_session import ServerSession
from app.features.mcp.stdio_transport import StdioTransport
config = ServerConfig("fair", sys.executable, ({str(SCRIPT)!r}, "fair"), readable=({str(SCRIPT.parent)!r},))
session = ServerSession("fair", lambda: StdioTransport(config, Path({str(tmp_path / "own")!r})))
print(session.call_tool("do", {{"what": "fork"}}).text.splitlines()[0], flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        forked = psutil.Process(int(parent.stdout.readline()))
        (server,) = [
            child for child in psutil.Process(parent.pid).children() if SCRIPT.name in " ".join(child.cmdline())
        ]
        parent.kill()
    assert psutil.wait_procs([server, forked], timeout=30)[1] == []


def test_the_line_that_says_why_a_server_ended_is_told(begin: Begin, tmp_path: Path) -> None:
    program = tmp_path / "server"
    told = "node:internal:283\n    throw new Error();\n\nError [E1]: Cannot find module x\n    at y\n\nNode.js v20\n"
    program.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{told}END\nexit 1\n", "utf-8")
    program.chmod(0o700)
    with pytest.raises(ToolServerFailed) as failed:
        begin("fair", command=str(program)).list_tools()
    assert failed.value.detail == "Error [E1]: Cannot find module x"


def test_stop_ends_a_call_at_once_and_tells_the_server(begin: Begin, tmp_path: Path) -> None:
    session = begin("slow")
    looks = iter([False, False, True])
    assert session.call_tool("do", {}, lambda: next(looks)).text == "Stopped."
    session.close()
    stopped = json.loads((tmp_path / "own" / "stopped.json").read_text("utf-8"))
    assert stopped["method"] == "notifications/cancelled"


def test_closing_ends_a_wait_for_a_server_that_never_answers(tmp_path: Path) -> None:
    config = ServerConfig("silent", sys.executable, (str(SCRIPT), "silent"), readable=(str(SCRIPT.parent),))
    transport = StdioTransport(config, tmp_path / "own")
    session = ServerSession("silent", lambda: transport)
    with ThreadPoolExecutor() as threads:
        listed = threads.submit(session.list_tools)
        while transport.cage is None:  # it was started, and is asked who it is
            with suppress(TimeoutError):
                listed.exception(timeout=0.05)
        session.close()
        with pytest.raises(ToolServerFailed) as failed:
            listed.result()
    assert failed.value.reason == "ended"


def test_what_is_known_of_a_server_is_told_without_asking_it(begin: Begin) -> None:
    fair, dying, missing = begin("fair"), begin("dying"), begin("fair", command="no-such-program")
    assert fair.state == ServerState()
    tools = fair.list_tools()
    assert (fair.state.tools, fair.state.problem) == (tools, None)
    assert fair.state.cage is not None
    dying.list_tools()
    with pytest.raises(ToolServerFailed):
        dying.call_tool("do", {})
    assert dying.state.tools is None
    assert dying.state.problem is not None
    assert dying.state.problem.detail == "out of ideas"
    with pytest.raises(ToolServerFailed):
        missing.list_tools()
    assert missing.state.problem is not None
    assert missing.state.problem.reason == "missing"
