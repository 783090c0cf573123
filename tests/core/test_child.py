"""Child processes: lines both ways, a private wire, and nothing left behind however they end."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.core.child import CHECKOUT, PARENT_VARIABLE, STDERR_TAIL_BYTES, Child, SilenceWatch, own_command
from tests.helpers.program import is_gone, wait_until

ECHO = "import sys\nfor line in sys.stdin.buffer:\n    sys.stdout.buffer.write(line)\n    sys.stdout.buffer.flush()"
WAIT_S = 20


class ShortcutListener:
    """What a child said, in order, to be waited for."""

    def __init__(self) -> None:
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.ended = threading.Event()
        self.exit: tuple[int, str] | None = None

    def on_exit(self, code: int, tail: str) -> None:
        assert self.exit is None, "on_exit was called twice"
        self.exit = (code, tail)
        self.ended.set()

    def line(self) -> bytes:
        return self.lines.get(timeout=WAIT_S)

    def result(self) -> tuple[int, str]:
        assert self.ended.wait(WAIT_S)
        assert self.exit is not None
        return self.exit


Start = Callable[..., tuple[Child, ShortcutListener]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts Python children; all are ended after the test."""
    children: list[Child] = []

    def run(
        code: str, environment: dict[str, str] | None = None, *, uses_network: bool = False
    ) -> tuple[Child, ShortcutListener]:
        listener = ShortcutListener()
        command = [sys.executable, "-c", code]
        child = Child(command, tmp_path / "its own", environment, uses_network=uses_network)
        child.listen(listener.lines.put, listener.on_exit)
        children.append(child)
        return child, listener

    yield run
    for child in children:
        child.close(0)


def test_lines_go_both_ways(start: Start) -> None:
    child, listener = start(ECHO)
    child.send(b"first\n")
    child.send("zweite: ä\n".encode())
    assert [listener.line(), listener.line()] == [b"first\n", "zweite: ä\n".encode()]


def test_a_line_longer_than_the_pipe_arrives_whole(start: Start) -> None:
    child, listener = start(ECHO)
    line = b"x" * 3_000_000 + b"\n"
    child.send(line)
    assert listener.line() == line


def test_closing_ends_a_child_that_reads_its_input(start: Start) -> None:
    child, listener = start(ECHO)
    child.close()
    assert listener.result() == (0, "")
    assert not child.running
    child.close()


def test_closing_kills_a_child_that_does_not_leave(start: Start) -> None:
    child, listener = start("import signal, threading\nprint('here', flush=True)\nthreading.Event().wait()")
    listener.line()
    child.close(0.1)
    assert listener.result() == (-signal.SIGKILL, "")


def test_the_whole_tree_is_killed(start: Start) -> None:
    child, listener = start(
        "import subprocess, sys\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True)\n"
        "sys.stdin.read()"
    )
    grandchild = int(listener.line())
    child.kill_tree()
    listener.result()
    wait_until(lambda: is_gone(grandchild), "the grandchild to end")


def test_what_a_crashed_child_started_does_not_survive_it(start: Start) -> None:
    _, listener = start(
        "import os, subprocess, sys\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True)\n"
        "os.abort()"
    )
    grandchild = int(listener.line())
    assert listener.result()[0] == -signal.SIGABRT
    wait_until(lambda: is_gone(grandchild), "the grandchild to end")


def test_the_end_of_standard_error_is_kept(start: Start) -> None:
    _, listener = start("import sys\nsys.stderr.write('noise\\n' * 10000 + 'last words')\nsys.exit(3)")
    code, tail = listener.result()
    assert code == 3
    assert tail.endswith("last words")
    assert len(tail) <= STDERR_TAIL_BYTES


def test_sending_to_a_child_that_is_gone_raises(start: Start) -> None:
    child, listener = start("pass")
    listener.result()
    with pytest.raises(OSError, match="closed"):
        child.send(b"hello\n")


def test_a_stopped_child_does_not_stop_its_parent(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.child.SEND_TIMEOUT_S", 0.2)
    child, listener = start(ECHO)
    child.send(b"ready\n")
    listener.line()
    os.kill(child.pid, signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        child.send(b"x" * 10_000_000)
    child.kill_tree()


def test_a_child_lives_in_its_own_folder_and_environment(start: Start, tmp_path: Path) -> None:
    _, listener = start("import os; print(os.getcwd()); print(os.environ['EXTRA'])", {"EXTRA": "yes"})
    assert listener.line().decode().strip() == str(tmp_path / "its own")
    assert listener.line() == b"yes\n"


def test_the_program_is_found_from_the_childs_folder_and_not_shadowed_by_it(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "its own"
    folder.mkdir()
    (folder / "app.py").write_text("raise SystemExit('the wrong app')")
    _, listener = start("import app; print(app.__file__)")
    assert listener.line().decode().strip() == str(CHECKOUT / "app" / "__init__.py")


def test_own_command_starts_this_python_or_the_frozen_program(monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_command("--flag") == [sys.executable, "-m", "app", "--flag"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_command("--flag") == [sys.executable, "--flag"]


def test_children_of_a_program_without_a_console_have_standard_streams(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("fireside.exe", "firesidew.exe"):
        (tmp_path / name).touch()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "firesidew.exe"))
    assert own_command("--flag") == [str(tmp_path / "fireside.exe"), "--flag"]


NOISY = """
import os, sys
{before}
from app.core.child import claim_wire
reader, writer = claim_wire()
os.write(1, b"noise on descriptor 1\\n")
print("noise from print", flush=True)
writer.write(b"got " + reader.readline())
writer.flush()
os.write(1, b"more noise\\n")
print(repr(sys.stdin and os.read(0, 10)), flush=True)
"""


@pytest.mark.parametrize("before", ["", "sys.stdout = sys.stderr = None"])
def test_whatever_is_printed_stays_off_the_wire(start: Start, before: str) -> None:
    child, listener = start(NOISY.format(before=before))
    child.send(b"this\n")
    code, tail = listener.result()
    assert (code, listener.line(), listener.lines.empty()) == (0, b"got this\n", True)
    assert tail.splitlines() == ["noise on descriptor 1", "noise from print", "more noise", "b''"]


PARENT = """
import sys, threading
from pathlib import Path
from app.core.child import Child
def show(line):
    sys.stdout.buffer.write(line); sys.stdout.flush()
child = Child([sys.executable, "-c", sys.argv[2]], Path(sys.argv[1]))
child.listen(show, print)
threading.Event().wait()
"""


# Python's lock is never given back while this is computed, so no thread and no handler of Python is of any use.
BUSY = """
from app.core import child
child.LAST_SIGNAL = child.SAVING_S = 1
_, writer = child.claim_wire(may_save={may_save})
import os
writer.write(b"%d\\n" % os.getpid())
writer.flush()
3 ** 10**9
"""
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a child hears of its parent's end by its input")


@pytest.mark.parametrize(
    "code",
    [
        "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()",
        pytest.param(BUSY.format(may_save=False), marks=LINUX),
        pytest.param(BUSY.format(may_save=True), marks=LINUX),
    ],
    ids=["reads", "computes", "computes and may save"],
)
def test_a_child_goes_with_its_killed_parent(tmp_path: Path, code: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), code], cwd=CHECKOUT, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait(WAIT_S)
        wait_until(lambda: is_gone(pid), "the child to leave")


def test_a_child_gets_only_the_environment_that_it_needs(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    others = (
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "HF_TOKEN",
        "SSH_AUTH_SOCK",
        "DBUS_SESSION_BUS_ADDRESS",
        "DISPLAY",
    )
    needed = ("FIRESIDE_HOME", "LANG", "TMPDIR", "VK_ICD_FILENAMES", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
    for name in (*others, *needed, "https_proxy"):
        monkeypatch.setenv(name, "/tmp")
    _, listener = start("import os\nprint(*os.environ)", {"ADDED": "1"})
    names = set(listener.line().decode().split())
    assert not names.intersection((*others, "https_proxy"))
    assert names.issuperset((*needed, "ADDED", "PATH", "HOME", "PYTHONPATH"))
    _, listener = start("import os\nprint(*os.environ)", uses_network=True)
    names = set(listener.line().decode().split())
    assert "https_proxy" in names, "only a child that uses the network learns its proxies"
    assert not names.intersection(others)


CLAIMS = """
from app.core import child
child.BEAT_EVERY_S = 0.01
reader, writer = child.claim_wire()
for line in reader:
    writer.write(line)
    writer.flush()
"""


SLEEPS = """
import os, signal
from app.core import child
child.SAVING_S = 1
reader, writer = child.claim_wire(may_save=True)
writer.write(b"%d\\n" % os.getpid())
writer.flush()
os.kill(os.getpid(), signal.SIGSTOP)
reader.read()
"""


@LINUX
def test_a_stopped_child_goes_with_its_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), SLEEPS], cwd=CHECKOUT, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, "the child to be stopped")
        parent.kill()
        parent.wait(WAIT_S)
        wait_until(lambda: is_gone(pid), "the child to leave")


def test_a_child_outlives_the_thread_that_started_it(start: Start) -> None:
    started: list[tuple[Child, ShortcutListener]] = []
    thread = threading.Thread(target=lambda: started.append(start(CLAIMS)))
    thread.start()
    thread.join(WAIT_S)
    child, listener = started[0]
    child.send(b"still here?\n")
    assert listener.line() == b"still here?\n"
    child.close()
    assert listener.result() == (0, "")


@LINUX
def test_a_child_whose_parent_ended_before_it_could_ask_leaves() -> None:
    environment = os.environ | {PARENT_VARIABLE: "1"}
    done = subprocess.run(
        [sys.executable, "-c", CLAIMS], cwd=CHECKOUT, env=environment, input=b"here\n", capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_command_that_is_not_there_is_told_to_whoever_starts_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Child([str(tmp_path / "nothing")], tmp_path)


def test_a_child_that_says_nothing_is_found_and_can_be_given_up(start: Start) -> None:
    child, listener = start(CLAIMS)
    child.send(b"ready\n")
    listener.line()
    watch = SilenceWatch()
    os.kill(child.pid, signal.SIGSTOP)
    wait_until(lambda: watch.find_silent() == [child], "the child to be found silent")
    os.kill(child.pid, signal.SIGCONT)
    wait_until(lambda: watch.find_silent() == [], "the child to be heard again")
    assert listener.lines.empty(), "beats are nobody's business"
    os.kill(child.pid, signal.SIGSTOP)
    wait_until(lambda: watch.find_silent() == [child], "the child to be found silent again")
    child.give_up()
    assert listener.result()[0] == -signal.SIGKILL
    assert child.was_given_up
    assert watch.find_silent() == []


@pytest.mark.parametrize("code", [CLAIMS, BUSY.format(may_save=False)], ids=["beats", "computes"])
def test_a_child_that_is_at_work_is_never_found_silent(start: Start, code: str) -> None:
    child, listener = start(code)
    if code == CLAIMS:
        child.send(b"ready\n")
    listener.line()
    watch, signs = SilenceWatch(), 0
    while signs < 20:
        sign = child.sign_of_life()
        wait_until(lambda sign=sign: child.sign_of_life() != sign, "a sign of life")
        signs += 1
        assert watch.find_silent() == []


def test_what_nobody_takes_is_no_silence(start: Start) -> None:
    child, listener = start(CLAIMS)
    child.send(b"ready\n")
    listener.line()
    taken = threading.Event()
    child._on_line = lambda line: taken.wait(WAIT_S)  # type: ignore[assignment, return-value]
    child.send(b"take this\n")
    wait_until(lambda: not child._is_reading, "the line to be offered")
    os.kill(child.pid, signal.SIGSTOP)
    watch = SilenceWatch()
    assert [watch.find_silent() for _ in range(9)] == [[]] * 9
    taken.set()
    wait_until(lambda: watch.find_silent() == [child], "the child to be found silent")
