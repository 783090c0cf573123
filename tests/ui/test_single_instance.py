"""One window for one data folder."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.ui.single_instance import SingleInstance

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def first(tmp_path: Path) -> Iterator[SingleInstance]:
    one = SingleInstance(tmp_path / "data")
    assert one.claim()
    yield one
    one.close()


def test_a_second_one_is_refused_and_hands_its_files_over(first: SingleInstance, tmp_path: Path, qtbot: QtBot) -> None:
    second = (
        "import sys, pathlib; from app.ui.single_instance import SingleInstance as S;"
        "s = S(pathlib.Path(sys.argv[1])); print(s.claim(), s.hand_over(sys.argv[2:]))"
    )
    command = [sys.executable, "-c", second, str(tmp_path / "data"), "model.gguf", "/ä/b.gguf"]
    with qtbot.waitSignal(first.asked) as told:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    qtbot.waitUntil(lambda: process.poll() is not None)
    assert process.communicate()[0].split() == ["False", "True"]
    assert told.args == [[str(Path.cwd() / "model.gguf"), "/ä/b.gguf"]]


def test_another_data_folder_is_another_program(first: SingleInstance, tmp_path: Path) -> None:
    other = SingleInstance(tmp_path / "elsewhere")
    assert other.claim()
    other.close()


def test_what_a_killed_one_left_behind_is_taken_over(tmp_path: Path) -> None:
    one = SingleInstance(tmp_path / "data")
    left = Path(tempfile.gettempdir()) / one.name
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))  # bound and never listened to, as after SIGKILL
    assert left.exists()
    assert one.claim()
    one.close()


def test_after_closing_the_next_one_is_the_first(first: SingleInstance, tmp_path: Path) -> None:
    first.close()
    other = SingleInstance(tmp_path / "data")
    assert other.claim()
    other.close()


def test_nonsense_on_the_line_is_ignored(first: SingleInstance, tmp_path: Path, qtbot: QtBot) -> None:
    from PySide6.QtNetwork import QLocalSocket

    noise = QLocalSocket()
    noise.connectToServer(first.name)
    assert noise.waitForConnected(1000)
    with qtbot.assertNotEmitted(first.asked, wait=50), qtbot.waitSignal(noise.disconnected):
        noise.write(b'{"not": "a list"}\n')


def test_handing_over_to_nobody_says_so(tmp_path: Path) -> None:
    assert not SingleInstance(tmp_path / "data").hand_over([])
