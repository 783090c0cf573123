"""What looks after the window: silent children are told of, the caret rests, garbage goes on the window’s thread."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.core.build import ProgramFile
from app.core.errors.engine_errors import EngineStopped
from app.core.events import Message, Role
from app.features.error_messages import silence_sentence
from app.ui.shell import garbage_collection
from app.ui.shell.calm_caret import CalmCaret
from app.ui.shell.notify import ACTION_LABELS, Notify
from app.ui.shell.silence_notices import SilenceNotices
from app.ui.shell.upgrade_notice import UpgradeNotice
from app.ui.theme import Theme
from tests.helpers.engine import answer_of, load, scripted_client
from tests.helpers.program import children_of, wait_until


@pytest.fixture
def notify(qtbot: QtBot) -> Iterator[Notify]:
    one = Notify(Theme("light"))
    qtbot.addWidget(one.bar)
    one.bar.show()
    yield one
    one.uninstall()


def told(notify: Notify) -> str:
    return " ".join(notice.text for notice in notify.bar.notices)


def press(notify: Notify, label: str, qtbot: QtBot) -> None:
    button = next(one for notice in notify.bar.notices for one in notice.buttons if one.text() == label)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def silent(notices: SilenceNotices, notify: Notify, words: str) -> None:
    """Stops the one child and waits until that is told; the looks of ten seconds are taken one after the other."""
    (pid,) = children_of()
    os.kill(pid, signal.SIGSTOP)

    def is_told() -> bool:
        notices.check_children()
        return words in told(notify)

    wait_until(is_told, "the silence to be told")


def test_a_silent_engine_is_told_and_ended_and_answers_again(notify: Notify, qtbot: QtBot, tmp_path: Path) -> None:
    notices = SilenceNotices(notify, notify.bar)
    script = {"answers": [{"when": "long", "delay_s": 0.01, "repeat": 10_000, "times": 1}]}
    with closing(scripted_client(tmp_path, script)) as engine:
        load(engine)
        answer = engine.generate([Message(Role.USER, "long")])
        next(answer)
        silent(notices, notify, silence_sentence("engine", "").text)
        notices.check_children()
        assert len(notify.bar.notices) == 1
        press(notify, ACTION_LABELS["end"], qtbot)
        with pytest.raises(EngineStopped) as caught:
            list(answer)
        assert caught.value.exit_code is None
        assert answer_of(engine.generate([Message(Role.USER, "hello")]))[0] == "You said: hello"
        notices.check_children()
        assert not notify.bar.notices


# The text cursor blinks while somebody types and rests afterwards.


def test_an_upgrade_while_the_window_is_open_is_told_once(
    notify: Notify, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, newer = tmp_path / "fireside", tmp_path / "fireside.dpkg-new"
    program.touch()
    newer.write_text("of the next version")
    monkeypatch.setattr("sys.executable", str(program))
    monkeypatch.setattr("sys.frozen", True, raising=False)
    notice = UpgradeNotice(notify, ProgramFile(), notify.bar)
    to_the_front = qapp.applicationStateChanged.emit
    to_the_front(Qt.ApplicationState.ApplicationActive)
    assert not told(notify)
    newer.replace(program)
    to_the_front(Qt.ApplicationState.ApplicationInactive)
    assert not told(notify)
    to_the_front(Qt.ApplicationState.ApplicationActive)
    to_the_front(Qt.ApplicationState.ApplicationActive)
    assert told(notify).count("upgraded while it was open") == 1
    notice.deleteLater()


def test_the_cursor_rests_and_wakes_with_the_next_key(qtbot: QtBot) -> None:
    usual_ms = QApplication.cursorFlashTime()
    field = QPlainTextEdit()
    qtbot.addWidget(field)
    with qtbot.waitExposed(field):
        field.show()
    field.setFocus()
    calm = CalmCaret(field, rest_after_ms=30)
    assert calm.parent() is field
    try:
        qtbot.waitUntil(lambda: QApplication.cursorFlashTime() == 0)
        with qtbot.waitActive(field):
            field.activateWindow()
        qtbot.keyClicks(field, "a")
        assert QApplication.cursorFlashTime() == usual_ms
        qtbot.waitUntil(lambda: QApplication.cursorFlashTime() == 0)
    finally:
        QApplication.setCursorFlashTime(usual_ms)


# Cycles of widgets are destroyed on the window's thread, whichever thread made the last object.


class Knot:
    """Part of a cycle; tells on which thread it went."""

    def __init__(self, told: list[threading.Thread]) -> None:
        self.itself, self.told = self, told

    def __del__(self) -> None:
        self.told.append(threading.current_thread())


@pytest.fixture
def collector_as_before() -> Iterator[None]:
    was_on = gc.isenabled()
    yield
    if was_on:
        gc.enable()


def make_many() -> list[list[int]]:
    return [[number] for number in range(100_000)]


def test_another_thread_collects_nothing_and_the_windows_does(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, collector_as_before: None
) -> None:
    monkeypatch.setattr(garbage_collection, "EVERY_MS", 20)
    parent = QObject()
    gc.enable()
    garbage_collection.collect_on_this_thread(parent)
    told: list[threading.Thread] = []
    Knot(told)
    other = threading.Thread(target=make_many)
    other.start()
    other.join()
    assert told == []
    kept = make_many()  # now there are more than Python lets be
    qtbot.waitUntil(lambda: bool(told))
    assert told == [threading.main_thread()]
    assert kept
    parent.deleteLater()
