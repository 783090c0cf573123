"""The window's program as a process: starts, refuses a second one, says what is wrong, leaves quickly."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.bootstrap import build_program
from app.core.errors.app_error import AppError
from app.core.errors.database_errors import DatabaseAltered
from app.core.errors.saving_errors import DiskFull
from app.core.events import Role
from app.core.paths import AppPaths
from app.store.conversations import Conversations, MessageState
from app.store.database import Database
from app.ui.icons import app_icon
from app.ui.qt_application import _ProcessSignals
from app.ui.shared_labels import COPY_DETAILS, QUIT, TRY_AGAIN
from app.ui.shell.single_instance import InstanceState, SingleInstance
from app.ui.shell.startup import OPEN_NOW, StartupProblem, StillEnding
from app.ui.theme import Theme
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame
from tests.helpers.disks import small_disk
from tests.helpers.program import ROOT, Program, wait_until
from tests.helpers.script import write_script

QUIT_TIMEOUT_S = 60


IMPATIENT = """
import runpy
from app.ui.shell import single_instance
single_instance.ANSWER_TIMEOUT_MS = {}
runpy.run_module("app", run_name="__main__", alter_sys=True)
"""


@contextmanager
def program(home: Path, *arguments: str, patience_ms: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A running window on the offscreen platform, and the file that holds what it says.

    `patience_ms` is how long it waits for an answer of the first one, where that is not the usual time.
    """
    errors = home.parent / f"errors-{time.monotonic_ns()}"
    env = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "FIRESIDE_HOME": str(home),
        "FIRESIDE_TIMING": "1",
        "FIRESIDE_ENGINE_SCRIPT": str(write_script(home.parent / "script")),
    }
    command = ["-c", IMPATIENT.format(patience_ms)] if patience_ms else ["-m", "app"]
    with errors.open("wb") as out:
        process = Program.popen([sys.executable, *command, *arguments], cwd=ROOT, env=env, stderr=out)
    try:
        yield process, errors
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(QUIT_TIMEOUT_S)


def is_visible(errors: Path) -> bool:
    return "window visible after" in errors.read_text()


@pytest.mark.cold_children
def test_the_window_appears_says_when_and_closes_cleanly(fresh_home: Path) -> None:
    with program(fresh_home) as (process, errors):
        wait_until(lambda: is_visible(errors), "the window")
        assert re.search(r"window visible after \d+ ms", errors.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(QUIT_TIMEOUT_S) == 0
        assert "Traceback" not in errors.read_text()


def test_a_signal_that_comes_while_settings_are_saved_waits_for_that(
    frame: Frame, qapp: QApplication, qtbot: QtBot
) -> None:
    with _ProcessSignals(qapp, frame.window.close):
        with frame.app._changing:
            signal.raise_signal(signal.SIGTERM)
            assert frame.window.isVisible()
        qtbot.waitUntil(lambda: not frame.window.isVisible())


def test_a_second_start_hands_over_and_leaves(fresh_home: Path, tmp_path: Path) -> None:
    model = tmp_path / "second.gguf"
    model.write_bytes(b"GGUF")
    with program(fresh_home) as (_, errors):
        wait_until(lambda: is_visible(errors), "the window")
        with program(fresh_home, str(model)) as (second, _):
            assert second.wait(QUIT_TIMEOUT_S) == 0
        settings = fresh_home / "config" / "settings.json"
        wait_until(lambda: settings.exists() and "second.gguf" in settings.read_text(), "the model of the second start")


def test_a_quick_question_needs_no_window_and_a_later_one_comes_to_the_same_program(fresh_home: Path) -> None:
    with program(fresh_home, "--ask", "What is this?") as (first, errors):
        wait_until(lambda: is_visible(errors), "the small window")
        with program(fresh_home, "--ask", "And that?") as (second, _):
            assert second.wait(QUIT_TIMEOUT_S) == 0
        assert first.poll() is None
        first.send_signal(signal.SIGTERM)
        assert first.wait(QUIT_TIMEOUT_S) == 0
        assert "Traceback" not in errors.read_text()


def test_a_start_waits_until_the_first_one_has_stored_everything(fresh_home: Path, qapp: QApplication) -> None:
    first = SingleInstance(fresh_home / "data")
    assert first.claim() is InstanceState.NOBODY
    first.stop_answering()
    with program(fresh_home) as (second, errors):
        log = fresh_home / "logs" / "fireside.log"
        wait_until(lambda: "still saving" in errors.read_text(), "the second one to wait")
        assert not log.exists()
        first.close()
        wait_until(lambda: is_visible(errors), "its window")
        assert second.poll() is None


def test_a_start_that_the_first_one_does_not_answer_has_a_window_of_its_own(fresh_home: Path) -> None:
    with program(fresh_home) as (first, errors):
        wait_until(lambda: is_visible(errors), "the window")
        first.send_signal(signal.SIGSTOP)
        with program(fresh_home, patience_ms=500) as (second, said):
            wait_until(lambda: is_visible(said), "the second window")
            assert second.poll() is None
            assert "isn’t responding" in (fresh_home / "logs" / "fireside.log").read_text()
            second.send_signal(signal.SIGTERM)
            assert second.wait(QUIT_TIMEOUT_S) == 0
        first.send_signal(signal.SIGCONT)


def test_a_full_disk_keeps_no_window_from_opening(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4_000_000) as home:
        with program(home) as (process, errors):
            wait_until(lambda: is_visible(errors), "the window")
            process.send_signal(signal.SIGTERM)
            process.wait(QUIT_TIMEOUT_S)
        with closing(Database.open(home / "data" / "fireside.db")) as database:
            chat = Conversations(database).create(title="kept")
            Conversations(database).add_message(chat.id, None, Role.USER, "half", state=MessageState.WRITING)
            Conversations(database).delete(Conversations(database).create(title="deleted").id)
        with (home / "other").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(b"x" * 4096)
        with program(home) as (process, errors):
            wait_until(lambda: is_visible(errors), "the window on a full disk")
            process.send_signal(signal.SIGTERM)
            assert process.wait(QUIT_TIMEOUT_S) == 0, errors.read_text()
            assert "Traceback" not in errors.read_text(), errors.read_text()
        (home / "other").unlink()
        app = build_program(AppPaths(home / "data", home / "config", home / "cache", home / "logs"))
        assert [chat.title for chat in app.conversations.find()] == ["kept"]
        app.close()


def test_after_sigkill_the_next_start_takes_over(fresh_home: Path) -> None:
    with program(fresh_home) as (process, errors):
        wait_until(lambda: is_visible(errors), "the window")
        process.kill()
        process.wait(QUIT_TIMEOUT_S)
    with program(fresh_home) as (process, errors):
        wait_until(lambda: is_visible(errors), "the window after a kill")
        assert process.poll() is None


def test_a_newer_database_is_told_about_and_left_alone(fresh_home: Path) -> None:
    (fresh_home / "data").mkdir(parents=True)
    database = fresh_home / "data" / "fireside.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 999")
    before = database.read_bytes()
    with program(fresh_home) as (process, errors):
        log = fresh_home / "logs" / "fireside.log"
        wait_until(lambda: log.exists() and "could not start:" in log.read_text(), "the small window")
        assert not is_visible(errors)
        process.send_signal(signal.SIGTERM)
        process.wait(QUIT_TIMEOUT_S)
    assert database.read_bytes() == before


# What keeps Fireside from starting is told in a small window, with things to do.


class Ending:
    """An earlier run that ends when the test says so."""

    def __init__(self) -> None:
        self.found = InstanceState.ENDING

    def claim(self) -> InstanceState:
        return self.found


@pytest.fixture
def waiting(qtbot: QtBot) -> tuple[StillEnding, Ending]:
    """The window that waits for it."""
    ending = Ending()
    window = StillEnding(Theme("light"), ending.claim)
    qtbot.addWidget(window)
    return window, ending


@pytest.mark.logs_warnings
def test_an_end_that_takes_long_is_said_and_waited_for(waiting: tuple[StillEnding, Ending], qtbot: QtBot) -> None:
    window, ending = waiting

    def end() -> None:
        assert "still saving" in " ".join(label.text() for label in window.findChildren(QLabel))
        assert clipped_texts(window) == []
        ending.found = InstanceState.NOBODY

    window._say_timer.timeout.connect(end)
    assert window.wait()
    assert window.found is InstanceState.NOBODY
    assert not window.isVisible()


@pytest.mark.logs_warnings
@pytest.mark.parametrize(("button", "goes_on"), [(OPEN_NOW, True), (QUIT, False)])
def test_who_does_not_want_to_wait_says_what_then(
    button: str, goes_on: bool, waiting: tuple[StillEnding, Ending], qtbot: QtBot
) -> None:
    window, _ = waiting
    named = {one.text(): one for one in window.findChildren(QPushButton)}
    window._say_timer.timeout.connect(lambda: qtbot.mouseClick(named[button], Qt.MouseButton.LeftButton))
    assert not window.wait()
    assert window.goes_on == goes_on


@pytest.mark.parametrize(
    ("button", "result"), [(TRY_AGAIN, QDialog.DialogCode.Accepted), (QUIT, QDialog.DialogCode.Rejected)]
)
def test_its_buttons_try_again_or_quit(button: str, result: QDialog.DialogCode, qtbot: QtBot, tmp_path: Path) -> None:
    window = StartupProblem(Theme("light"), DiskFull("/d"), tmp_path)
    qtbot.addWidget(window)
    window.show()
    named = {one.text(): one for one in window.findChildren(QPushButton)}
    qtbot.mouseClick(named[COPY_DETAILS], Qt.MouseButton.LeftButton)
    assert "DiskFull" in QGuiApplication.clipboard().text()
    qtbot.mouseClick(named[button], Qt.MouseButton.LeftButton)
    assert window.result() == result


@pytest.mark.parametrize("error", [DatabaseAltered("/d/fireside.db"), DiskFull("/d")], ids=lambda e: type(e).__name__)
def test_what_was_there_before_a_restore_can_be_put_back(error: AppError, qtbot: QtBot, tmp_path: Path) -> None:
    """Only where the data is what cannot be used; what goes wrong is said in the window, which stays."""
    window = StartupProblem(Theme("light"), error, tmp_path)
    qtbot.addWidget(window)
    outcomes: list[Exception | None] = [DiskFull("/d"), None]

    def put_back() -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    window.offer_to_put_back(put_back)
    window.show()
    button = window.findChild(QPushButton, "put_back")
    assert (button is not None) == isinstance(error, DatabaseAltered)
    if button is None:
        return
    assert clipped_texts(window) == []
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.isVisible() and any("disk is full" in label.text() for label in window.findChildren(QLabel))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.result() == QDialog.DialogCode.Accepted


# The program's mark can be told apart from its ground, even at 16 pixels.


@pytest.mark.parametrize("size_px", [16, 32, 64])
def test_the_mark_is_drawn_at_every_size(qapp: QApplication, size_px: int) -> None:
    image = app_icon().pixmap(QSize(size_px, size_px), 1.0).toImage()
    assert image.width() == size_px
    colours = {image.pixelColor(x, y).name() for x in range(size_px) for y in range(size_px)}
    assert len(colours) > 10
    ember = image.pixelColor(size_px // 2, round(size_px * 0.55))
    assert ember.red() > 180
    assert ember.blue() < 140


SEEN_FIRST = """
import os, sys
from app.ui import qt_application as application
late = ("app.engine.client", "app.engine.protocol", "app.engine.fit", "app.core.child", "app.documents.read_document",
        "app.documents.protocol", "app.hub.access", "app.features.models.collection", "app.ui.text.markdown",
        "app.ui.settings.dialog", "app.ui.models.models_tab", "app.features.inside", "app.ui.inside", "numpy",
        "app.ui.outside", "app.ui.chat.quick_ask", "app.features.quick_ask", "jeepney",
        "app.ui.write.write_tab", "app.features.write_pages", "app.features.exchange",
        "app.ui.exchange.export_dialog", "app.ui.exchange.import_dialog", "app.ui.paper", "PySide6.QtPrintSupport",
        "app.features.chat.prompt_inspector", "app.ui.chat.prompt_view", "app.ui.chat.remembering",
        "app.ui.chat.project_dialog",
        "app.ui.chat.assistant_dialog", "app.ui.chat.prompt_dialog", "app.ui.chat.question", "app.ui.chat.answer_view",
        "app.ui.shell.startup", "app.ui.shell.palette", "app.remote.servers", "app.features.transcribe",
        "app.server", "app.features.serving", "starlette", "uvicorn", "asyncio", "pyqtgraph", "subprocess", "email",
        "urllib.request", "app.features.retrieval.citations", "app.features.retrieval.scope")
def first_paint(*_):
    print([name for name in late if name in sys.modules], flush=True)
    import linecache
    print([name for name in linecache.cache if "/app/" in name], flush=True)
    os._exit(0)
application._after_first_paint = first_paint
application.run([])
"""


SEEN_LATER = """
import os, sys
from app.ui import qt_application as application
late = ("hashlib", "pygments", "markdown_it", "numpy", "pkgutil", "app.ui.chat.answer_view",
        "app.features.claim_checker", "app.features.retrieval.citations")
went_on = application._after_first_paint
def first_paint(*given):
    went_on(*given)
    print([name for name in late if name in sys.modules], flush=True)
    os._exit(0)
application._after_first_paint = first_paint
application.run([])
"""


STARTED_AGAIN = """
import sys
from app.ui import qt_application as application
def first_paint(app, window, notify, *_):
    notify.actions["restart"]()
application._after_first_paint = first_paint
def start_again():
    from app.core.paths import AppPaths
    from app.store.database import is_let_go
    print(is_let_go(AppPaths.from_environment().database), flush=True)
application.start_again = start_again
sys.exit(application.run([]))
"""


def test_a_new_start_comes_when_everything_is_let_go() -> None:
    done = subprocess.run([sys.executable, "-c", STARTED_AGAIN], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]


def test_the_first_paint_waits_for_no_engine_no_reader_and_no_hub() -> None:
    done = subprocess.run([sys.executable, "-c", SEEN_FIRST], capture_output=True, text=True, check=True)
    imported, read = done.stdout.splitlines()
    assert imported == "[]"
    assert read == "[]", "PySide read the source of what was imported"


def test_a_window_without_an_answer_loads_nothing_that_only_answers_need() -> None:
    done = subprocess.run([sys.executable, "-c", SEEN_LATER], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "[]"
