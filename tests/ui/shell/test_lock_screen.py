"""The screen before the window while the data is locked."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from app.core.errors.lock_errors import WrongPassphrase
from app.features.error_messages import sentence_for
from app.features.lock.lock_change import LockProgress
from app.ui.i18n import tr
from app.ui.shell.idle_lock import IdleLock
from app.ui.shell.lock_screen import ChangingLock, LockScreen
from app.ui.theme import Theme
from tests.helpers.accessible_tree import description_of
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame

LOCKED_AFTER_CLOSING = """
import sys
from app.core.paths import AppPaths, is_locked
from app.features.lock.lock_change import set_lock
from app.ui import qt_application as application
def first_paint(app, window, notify, *_):
    app.conversations.create(title="Rent")
    app.lock_change = lambda: set_lock(app.paths, "correct horse")
    notify.actions["restart"]()
application._after_first_paint = first_paint
def start_again():
    paths = AppPaths.from_environment()
    print(is_locked(paths.data), b"Rent" in paths.database.read_bytes(), flush=True)
application.start_again = start_again
sys.exit(application.run([]))
"""


def test_a_lock_is_set_when_everything_is_closed_and_before_the_new_start() -> None:
    command = [sys.executable, "-c", LOCKED_AFTER_CLOSING]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def open_with(passphrase: str) -> None:
    if passphrase != "correct horse":
        raise WrongPassphrase


@pytest.fixture
def screen(theme: Theme, qtbot: QtBot) -> LockScreen:
    screen = LockScreen(theme, open_with)
    qtbot.addWidget(screen)
    screen.show()
    qtbot.waitExposed(screen)
    return screen


def test_a_wrong_passphrase_is_said_and_the_right_one_opens(screen: LockScreen, qtbot: QtBot) -> None:
    assert not screen.unlock_button.isEnabled()
    qtbot.keyClicks(screen.field, "battery")
    qtbot.keyClick(screen.field, Qt.Key.Key_Return)
    assert screen.isVisible()
    assert screen.problem.text() == description_of(screen.field) == tr(sentence_for(WrongPassphrase()).text)
    assert not clipped_texts(screen)
    assert screen.field.text() == ""
    qtbot.keyClicks(screen.field, "correct horse")
    assert not screen.problem.isVisible(), "what was wrong before"
    qtbot.keyClick(screen.field, Qt.Key.Key_Return)
    assert screen.result() == QDialog.DialogCode.Accepted


def test_there_is_no_way_round(screen: LockScreen, qtbot: QtBot) -> None:
    qtbot.keyClick(screen.field, Qt.Key.Key_Return)
    assert screen.isVisible(), "nothing was typed"
    qtbot.keyClick(screen, Qt.Key.Key_Escape)
    assert screen.result() == QDialog.DialogCode.Rejected


def test_a_change_shows_how_far_it_is_and_cannot_be_closed(theme: Theme, qtbot: QtBot) -> None:
    window = ChangingLock(theme)
    qtbot.addWidget(window)
    window.show()
    window.show_progress(LockProgress(30, 120))
    assert (window.bar.value(), window.bar.maximum()) == (250, 1000)
    window.close()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.isVisible()
    window.hide()


def test_it_locks_after_idle_time_and_never_while_used_or_at_work(frame: Frame, qtbot: QtBot) -> None:
    now, restarted = [1000.0], []
    frame.window.closing.restart = lambda: restarted.append(now[0])  # type: ignore[method-assign]
    lock = IdleLock(frame.app, frame.window, clock=lambda: now[0])
    frame.app.change_settings("system", lock_after_min=5)
    now[0] += 299
    lock.check_idle()
    qtbot.mouseMove(frame.window)
    qtbot.keyClick(frame.window.windowHandle(), Qt.Key.Key_Shift)
    now[0] += 299
    lock.check_idle()
    frame.app.change_settings("system", lock_after_min=0)
    now[0] += 10_000
    lock.check_idle()
    frame.app.change_settings("system", lock_after_min=5)
    frame.window.tab("summarize").state_changed.emit("Summarizing 2 of 5")
    lock.check_idle()
    assert not restarted
    frame.window.tab("summarize").state_changed.emit("")
    lock.check_idle()
    assert restarted == [now[0]]
