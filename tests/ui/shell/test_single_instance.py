"""One window for one data folder."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.ui.shell.single_instance import HandOverReply, InstanceState, SingleInstance, StartRequest

pytestmark = pytest.mark.usefixtures("qapp")
NOBODY = 65534
SQUATTER = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
place = socket.socket(socket.AF_UNIX)
place.bind(sys.argv[1]); place.listen(5); print("listens", flush=True)
while True:
    line = place.accept()[0]
    print(line.recv(1000), flush=True)
"""
GUEST = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
try:
    line.sendall(b'{"files": ["/etc/passwd"]}\\n'); print(line.recv(100), flush=True)
except OSError:
    print(b"", flush=True)
"""
others_can_be_had = pytest.mark.skipif(
    sys.platform != "linux" or os.getuid() != 0, reason="another user can be played only by root"
)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """With a short name: a socket's path has room for 107 characters, and those of tests are long."""
    with tempfile.TemporaryDirectory(prefix="one-") as folder:
        yield Path(folder)


@pytest.fixture
def first(tmp_path: Path) -> Iterator[SingleInstance]:
    one = SingleInstance(tmp_path / "data")
    assert one.claim() is InstanceState.NOBODY
    yield one
    one.close()


def test_a_second_one_is_refused_and_hands_its_files_over(first: SingleInstance, tmp_path: Path, qtbot: QtBot) -> None:
    second = (
        "import sys, pathlib; from app.ui.shell.single_instance import SingleInstance as S, StartRequest;"
        "s = S(pathlib.Path(sys.argv[1])); request = StartRequest.from_arguments(sys.argv[2:]);"
        "print(s.claim().name, s.hand_over(request).name)"
    )
    command = [sys.executable, "-c", second, str(tmp_path / "data"), "model.gguf", "/ä/b.gguf"]
    with qtbot.waitSignal(first.asked) as told:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    qtbot.waitUntil(lambda: process.poll() is not None)
    assert process.communicate()[0].split() == ["FIRST", "SHOWN"]
    assert told.args == [StartRequest((str(Path.cwd() / "model.gguf"), "/ä/b.gguf"))]


ODD = os.fsdecode(b"/home/\xff \xc3\xa4.pdf")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], StartRequest()),
        (["a b.pdf", "../c", ODD], StartRequest((f"{Path.cwd()}/a b.pdf", f"{Path.cwd()}/../c", ODD))),
        (["file:///home/%FF%20%C3%A4.pdf", "file://localhost/b.pdf"], StartRequest((ODD, "/b.pdf"))),
        (["--summarize", "/a.pdf"], StartRequest(("/a.pdf",), "summarize")),
        (["--translate"], StartRequest((), "translate")),
        (["--ask", "When", "is it?"], StartRequest((), "ask", "When is it?")),
    ],
)
def test_a_command_line_arrives_as_it_was_meant(arguments: list[str], wanted: StartRequest) -> None:
    assert StartRequest.from_arguments(arguments) == wanted
    assert StartRequest.from_line(wanted.line) == wanted


def test_the_right_to_come_to_the_front_is_handed_over_where_there_is_one() -> None:
    for arguments in ([], ["/a.pdf"], ["--ask", "When", "is", "it?"]):
        wanted = StartRequest.from_arguments(arguments, "a-token")
        assert wanted.token == "a-token"
        assert StartRequest.from_line(wanted.line) == wanted


@pytest.mark.parametrize("line", [b"", b"7", b"nonsense", b'{"files": "/a"}', b"[1]", b'{"files": [], "tab": 3}'])
def test_a_line_that_says_nothing_is_nothing(line: bytes) -> None:
    assert StartRequest.from_line(line) is None


def test_what_a_killed_one_left_behind_is_taken_over(tmp_path: Path) -> None:
    one = SingleInstance(tmp_path / "data")
    left = Path(one.name)
    left.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))  # bound and never listened to, as after SIGKILL
    assert left.exists()
    assert one.claim() is InstanceState.NOBODY
    one.close()


def test_while_the_first_one_ends_the_next_one_waits(first: SingleInstance, tmp_path: Path) -> None:
    first.stop_answering()
    other = SingleInstance(tmp_path / "data")
    assert other.claim() is InstanceState.ENDING
    assert other.hand_over(StartRequest(("/a.gguf",))) is HandOverReply.LEFT
    first.close()
    assert other.claim() is InstanceState.NOBODY
    assert SingleInstance(tmp_path / "data").claim() is InstanceState.FIRST
    other.close()


def test_nonsense_on_the_line_is_ignored(first: SingleInstance, tmp_path: Path, qtbot: QtBot) -> None:
    from PySide6.QtNetwork import QLocalSocket

    noise = QLocalSocket()
    noise.connectToServer(first.name)
    assert noise.waitForConnected(1000)
    with qtbot.assertNotEmitted(first.asked, wait=50), qtbot.waitSignal(noise.disconnected):
        noise.write(b'{"not": "a list"}\n')


def test_the_socket_is_where_others_cannot_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    for data, expected in ((tmp_path / "data", runtime), (tmp_path / "data", tmp_path / "data")):
        one = SingleInstance(data)
        assert one.claim() is InstanceState.NOBODY
        assert Path(one.name).parent == expected
        assert stat.S_IMODE(expected.stat().st_mode) == 0o700
        assert Path(one.name).stat().st_mode & 0o077 == 0
        one.close()
        runtime.chmod(0o755)  # then it is not trusted
    long = SingleInstance(tmp_path / ("long" * 30) / "data")
    assert long.claim() is InstanceState.NOBODY
    assert stat.S_IMODE(Path(long.name).parent.stat().st_mode) == 0o700
    assert SingleInstance(tmp_path / ("long" * 30) / "data").claim() is InstanceState.FIRST
    long.close()


@pytest.mark.logs_warnings
@others_can_be_had
def test_a_strangers_socket_gets_no_file_names_and_does_not_keep_the_window_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = _in_the_open(tmp_path, monkeypatch)
    with subprocess.Popen(
        [sys.executable, "-c", SQUATTER, one.name], stdout=subprocess.PIPE, text=True, cwd="/"
    ) as squatter:
        try:
            assert squatter.stdout is not None
            assert squatter.stdout.readline() == "listens\n"
            assert one.hand_over(StartRequest(("/home/person/secret.pdf",))) is HandOverReply.LEFT
            assert one.claim() is InstanceState.NOBODY, "the window opens"
        finally:
            squatter.kill()
        assert "secret" not in squatter.stdout.read()
    one.close()
    assert "65534" in caplog.text


@pytest.mark.logs_warnings
@others_can_be_had
def test_what_a_stranger_asks_is_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    one = _in_the_open(tmp_path, monkeypatch)
    assert one.claim() is InstanceState.NOBODY
    Path(one.name).chmod(0o777)
    asked: list[object] = []
    one.asked.connect(asked.append)
    guest = subprocess.Popen([sys.executable, "-c", GUEST, one.name], stdout=subprocess.PIPE, text=True, cwd="/")
    qtbot.waitUntil(lambda: guest.poll() is not None)
    assert (guest.communicate()[0].strip(), asked) == ("b''", [])
    one.close()
    assert "65534" in caplog.text


def _in_the_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SingleInstance:
    """One whose socket others can reach, as no start of the program makes it."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("app.ui.shell.single_instance.close_to_others", lambda _folders, deeply: None)
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    for folder in (tmp_path, *tmp_path.parents):
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    return SingleInstance(data)
