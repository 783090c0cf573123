"""A tool server that tries to leave its cage, as the kernel records it: every call that would lead out is refused."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.core.child import Child
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.server_session import ServerSession
from app.features.mcp.stdio_transport import StdioTransport
from tests.features.mcp.test_sessions import SCRIPT, needs_cage

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
CALLS = "trace=socket,connect,openat,ptrace,execve"
SECRET = "hf_secret_of_the_person"


def start_traced(record: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """What starts a process under strace, which stays beside it (-D), so that the process keeps its number."""

    def start(command: list[str], **how: object) -> subprocess.Popen[bytes]:
        around = ["strace", "-D", "-f", "-qq", "-v", "-s", "9999", "-e", CALLS, "-o", str(record)]
        return subprocess.Popen([*around, *command], **how)  # type: ignore[call-overload,no-any-return]

    return start


@needs_cage
@needs_strace
def test_no_call_of_a_caged_server_leads_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, home, outside = tmp_path / "record", tmp_path / "person", tmp_path / "outside.txt"
    key = home / ".ssh" / "id_ed25519"
    key.parent.mkdir(parents=True)
    key.write_text("key", "utf-8")
    monkeypatch.setenv("HF_TOKEN", SECRET)
    monkeypatch.setattr(Child, "popen", staticmethod(start_traced(record)))
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
        config = ServerConfig(
            "fair",
            sys.executable,
            (str(SCRIPT), "fair"),
            (("TRIED_FILE", str(outside)), ("TRIED_PORT", str(port)), ("TRIED_HOME", str(home))),
            readable=(str(SCRIPT.parent),),
        )
        with closing(ServerSession("fair", lambda: StdioTransport(config, tmp_path / "own"))) as session:
            told = {
                what: session.call_tool("do", {"what": what}).text.partition("\n")[0]
                for what in ("connect", "look up", "write", "read key", "trace", "change user", "write here")
            }
    assert not outside.exists()
    assert told.pop("write here") == "done: 3"
    changed = told.pop("change user")
    assert changed.startswith("refused") or "uid=" not in changed
    assert set(told.values()) == {"refused: PermissionError"}, told
    # From where it became the server: before, the launcher tries the walls itself, and finds them holding.
    lines = record.read_text("utf-8", "replace").splitlines()
    began = max(number for number, line in enumerate(lines) if "execve(" in line and '"fair"]' in line)
    assert SECRET not in lines[began], "what it is started with holds no secret"
    seen = lines[began + 1 :]
    for call in (
        r"socket\(AF_INET",
        r"ptrace\(PTRACE_ATTACH",
        rf'openat\([^"]*"{re.escape(str(outside))}"',
        rf'openat\([^"]*"{re.escape(str(key))}"',
    ):
        found = [line for line in seen if re.search(call, line)]
        assert found, f"{call} was not tried"
        assert all(re.search(r"= -1 E(ACCES|PERM) ", line) for line in found), found
    reached = [line for line in seen if re.search(r"\b(socket|connect)\(.*\) = (?!-1 EACCES)", line)]
    assert reached == [], "of no family, and what it started neither"
