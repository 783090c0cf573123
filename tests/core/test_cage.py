"""What a process in its cage can't do any more, tried in one, and what goes on in it."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.core import landlock
from app.core.child import CHECKOUT
from app.core.rlimits import MOST_FILES

pytestmark = pytest.mark.skipif(
    landlock.kernel_version() < landlock.VERSION_WITH_SCOPES or platform.machine() not in ("x86_64", "aarch64"),
    reason="this kernel cages less",
)

BEGIN = """
import json, os, socket, subprocess, sys, threading
from pathlib import Path
from app.core.cage import *
from app.core.landlock import *
from app.core.seccomp import SocketRule

def tried(attempt):
    try:
        return str(attempt())
    except OSError as error:
        return type(error).__name__

def cage(ports=(), sockets=SocketRule.NONE, programs=programs_of(Path(sys.executable)), listening=(), **others):
    grant = ThreadGrant(program_places(), [Path.cwd(), Path(os.devnull)], (), programs, ports, listening)
    report = enter_cage(grant, sockets, **others)
    return [wall.value for wall in report.held], [wall.value for wall in report.missing]

def connect(port):
    with socket.create_connection(("127.0.0.1", port), 5):
        return "connected"
"""


def _run(folder: Path, code: str, *arguments: object, told: list[str] | None = None) -> list[Any]:
    home, work = folder / "home", folder / "work"
    for made in (home, work):
        made.mkdir(exist_ok=True)
    (home / "diary.txt").write_text("mine")
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code, str(home), *map(str, arguments)],
        cwd=work,
        env=os.environ | {"HOME": str(home), "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
    )
    if told is not None:
        told.append(done.stderr)
    return list(json.loads(done.stdout))


def test_a_caged_process_reaches_nothing_and_works_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = _run(
            tmp_path,
            """
home, port = Path(sys.argv[1]), int(sys.argv[2])
before = os.open(home / "diary.txt", os.O_RDONLY)
report = cage()
status = dict(line.split(":\\t") for line in Path("/proc/self/status").read_text().splitlines())
threads = []
thread = threading.Thread(target=lambda: threads.append(tried(lambda: connect(port))))
thread.start(), thread.join()
helper = [sys.executable, "-c", "import socket\\ntry: socket.socket()\\nexcept PermissionError: print('caged')"]
print(json.dumps([
    report, status["NoNewPrivs"], status["Seccomp"], threads,
    tried(lambda: connect(port)), tried(lambda: socket.socket(socket.AF_UNIX)),
    tried(lambda: (home / "diary.txt").read_text()), tried(lambda: (home / "new").write_text("x")),
    tried(lambda: subprocess.run(["/bin/sh", "-c", ":"])), tried(lambda: os.kill(os.getppid(), 0)),
    tried(lambda: os.unshare(os.CLONE_NEWUSER)) if hasattr(os, "unshare") else "PermissionError",
    os.read(before, 9).decode(), tried(lambda: Path("own").write_text("12")),
    subprocess.run(helper, capture_output=True, text=True).stdout.strip(),
]))
""",
            server.getsockname()[1],
        )
    refused = "PermissionError"
    assert found[0] == [["network", "files", "writing", "programs"], []]
    assert found[1:4] == ["1", "2", [refused]]
    assert found[4:11] == [refused] * 7
    assert found[11:] == ["mine", "2", "caged"]


def test_only_the_ports_that_were_granted_are_reached(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as granted, socket.create_server(("127.0.0.1", 0)) as other:
        found = _run(
            tmp_path,
            """
granted, other = map(int, sys.argv[2:])
report = cage((granted,), SocketRule.TCP)
print(json.dumps([
    report, tried(lambda: connect(granted)), tried(lambda: connect(other)),
    tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)), tried(lambda: socket.socket(socket.AF_INET6)),
    tried(lambda: socket.create_server(("127.0.0.1", 0))),
]))
""",
            granted.getsockname()[1],
            other.getsockname()[1],
        )
    assert found == [
        [["network", "files", "writing", "programs"], []],
        "connected",
        *["PermissionError"] * 4,
    ]


def test_threads_that_were_there_before_are_caged_too(tmp_path: Path) -> None:
    found = _run(
        tmp_path,
        """
import queue
home, orders, answers = Path(sys.argv[1]), queue.Queue(), queue.Queue()
def serve():
    while True:
        answers.put(orders.get()())
threading.Thread(target=serve, daemon=True).start()
def run_there(what):
    orders.put(what)
    return answers.get()
cage(programs=(), other_threads=[run_there])
print(json.dumps([
    run_there(lambda: tried(lambda: (home / "diary.txt").read_text())), run_there(lambda: tried(socket.socket)),
    tried(lambda: subprocess.run([sys.executable, "-c", ""])),
]))
""",
    )
    assert found == ["PermissionError"] * 3


def test_what_starts_nothing_makes_threads_but_no_processes(tmp_path: Path) -> None:
    found = _run(
        tmp_path,
        """
cage(programs=())
threads = []
thread = threading.Thread(target=threads.append, args=("thread",))
thread.start(), thread.join()
print(json.dumps([tried(lambda: os.fork() or os._exit(0)), *threads]))
""",
    )
    assert found == ["PermissionError", "thread"]


def test_a_server_has_one_port_and_no_new_socket_once_it_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = _run(
            tmp_path,
            """
with socket.create_server(("127.0.0.1", 0)) as found:
    own = found.getsockname()[1]
report = cage((own,), SocketRule.TCP, (), (own,))
server = socket.create_server(("127.0.0.1", own))
elsewhere = [tried(lambda: socket.create_server(("127.0.0.1", own + 1))), tried(lambda: connect(int(sys.argv[2])))]
client = socket.create_connection(("127.0.0.1", own), 5)
close_sockets()
accepted, _ = server.accept()
client.sendall(b"hi")
print(json.dumps([report, elsewhere, accepted.recv(2).decode(), tried(socket.socket), tried(lambda: connect(own))]))
""",
            other.getsockname()[1],
        )
    refused = "PermissionError"
    assert found == [[["network", "files", "writing", "programs"], []], [refused] * 2, "hi", refused, refused]


def test_who_records_reaches_programs_of_this_computer_and_no_other(tmp_path: Path) -> None:
    found = _run(
        tmp_path,
        """
cage((), SocketRule.UNIX, ())
with socket.socket(socket.AF_UNIX):
    pass
tries = [tried(lambda: connect(9)), tried(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))]
report = close_sockets()
print(json.dumps([tries, tried(lambda: socket.socket(socket.AF_UNIX)), len(report.held)]))
""",
    )
    assert found == [["PermissionError"] * 2, "PermissionError", 4]


def test_limits_are_lowered_for_good(tmp_path: Path) -> None:
    found = _run(
        tmp_path,
        """
import resource
cage(most_file_bytes=1000)
kinds = (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)
limits = [resource.getrlimit(kind) for kind in kinds]
def write(size):
    Path("large").write_bytes(bytes(size))
print(json.dumps([limits, tried(lambda: write(1000)), tried(lambda: write(1001))]))
""",
    )
    (core, file, files), *written = found
    assert core == [0, 0] and file == [1000, 1000] and files[0] == files[1] <= MOST_FILES
    assert written == ["None", "OSError"]


@pytest.mark.parametrize(("platform", "lacking"), [("darwin", "sandbox_init"), ("win32", "WinDLL")])
def test_each_system_has_its_own_walls_and_lacking_them_is_told(tmp_path: Path, platform: str, lacking: str) -> None:
    found = _run(
        tmp_path,
        f"""
import logging
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
report = cage(platform={platform!r})
print(json.dumps([report, tried(lambda: (Path(sys.argv[1]) / "diary.txt").read_text())]))
""",
        told=(told := []),
    )
    assert found == [[[], ["network", "files", "writing", "programs"]], "mine"]
    assert lacking in told[0]


def test_a_kernel_without_it_is_told_and_the_program_goes_on(tmp_path: Path) -> None:
    found = _run(
        tmp_path,
        """
from app.core import landlock, seccomp
landlock.kernel_version = lambda: 0
seccomp._PROCESSORS.clear()
print(json.dumps([cage(), tried(lambda: (Path(sys.argv[1]) / "diary.txt").read_text())]))
""",
    )
    assert found == [[[], ["network", "files", "writing", "programs"]], "mine"]
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["diary.txt"]
