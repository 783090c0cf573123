"""One door to the person: sentences, buttons that do something, undo, uncaught exceptions; details without chats."""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors.engine_errors import EngineStopped, ProtocolViolation
from app.core.errors.error_fields import every_error
from app.core.errors.saving_errors import DiskFull
from app.features.error_messages import PersonMessage, sentence_for
from app.ui.shared_labels import COPY_DETAILS, SETTINGS, UNDO, UNDO_ALL
from app.ui.shell import notify as notify_module
from app.ui.shell.notify import ACTION_LABELS, Notify, StandingNotice, describe
from app.ui.theme import Theme
from app.ui.widgets.notice_bar import Notice
from tests.helpers.clipping import clipped_texts

SECRET = "the dog is called Bello"


@pytest.fixture
def notify(qtbot: QtBot) -> Iterator[Notify]:
    theme = Theme("light")
    one = Notify(theme)
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    page = QPlainTextEdit()  # has the keyboard, as the message field does
    column.addWidget(page)
    one.bar.float_over(window, page)
    window.resize(700, 500)
    window.show()
    with qtbot.waitActive(window):
        window.activateWindow()
    QCursor.setPos(window.mapToGlobal(QPoint(50, 50)))  # a notice under the pointer would stay
    yield one
    one.uninstall()


def buttons(notice: Notice) -> dict[str, QPushButton]:
    return {button.text(): button for button in notice.findChildren(QPushButton)}


def test_a_sentence_is_shown_with_what_was_kept(notify: Notify) -> None:
    notify.show_notice(PersonMessage("The disk is full.", "Your chats are safe."))
    assert [notice.text for notice in notify.bar.notices] == ["The disk is full. Your chats are safe."]
    assert notify.bar.isVisible()


def test_what_fails_under_a_guard_is_said_and_a_defect_is_not_caught(notify: Notify) -> None:
    with notify.guard():
        raise DiskFull(path="/a")
    assert len(notify.bar.notices) == 1
    with pytest.raises(ZeroDivisionError), notify.guard():
        raise ZeroDivisionError
    assert len(notify.bar.notices) == 1


def test_an_action_somebody_can_do_has_a_button_that_does_it(notify: Notify, qtbot: QtBot) -> None:
    done: list[str] = []
    notify.actions["settings"] = lambda: done.append("settings")
    notice = notify.show_notice(PersonMessage("Something.", action="settings"))
    qtbot.mouseClick(buttons(notice)[SETTINGS], Qt.MouseButton.LeftButton)
    assert done == ["settings"]
    assert not notify.bar.notices


def test_every_action_of_the_sentences_has_a_label() -> None:
    named = {
        "open_model",
        "new_chat",
        "retry",
        "settings",
        "network",
        "models",
        "storage",
        "open_folder",
        "end",
        "servers",
    }
    assert set(ACTION_LABELS) == named | {"take_over", "put_back", "help", "whats_new"}


def test_an_error_has_its_sentence_and_details_to_copy(notify: Notify, qtbot: QtBot) -> None:
    notify.error(DiskFull("/home/ada/data"))
    notice = notify.bar.notices[0]
    assert notice.text.startswith("The disk is full")
    qtbot.mouseClick(buttons(notice)[COPY_DETAILS], Qt.MouseButton.LeftButton)
    assert "DiskFull" in QGuiApplication.clipboard().text()
    assert notify.bar.notices, "copying does not take the notice away"


def test_details_tell_the_place_but_never_quote_a_conversation() -> None:
    def defect() -> None:
        raise ValueError(SECRET)

    with pytest.raises(ValueError, match="Bello") as caught:
        defect()
    text = describe(caught.value)
    assert "ValueError" in text
    assert "in defect" in text
    for error in (caught.value, ProtocolViolation(f"KeyError in {SECRET}"), EngineStopped(-6, f"prompt: {SECRET}")):
        assert SECRET not in describe(error).replace("raise ValueError(SECRET)", "")


_EXAMPLES = {"str": "x", "tuple[str, ...]": ("x",)}


def test_every_error_can_be_told(notify: Notify, caplog: pytest.LogCaptureFixture) -> None:
    for cls in every_error():
        values = {field.name: _EXAMPLES.get(str(field.type), 1) for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        notify.error(cls(**values))
        assert notify.bar.notices[-1].text
    caplog.clear()


test_every_error_can_be_told = pytest.mark.logs_warnings(test_every_error_can_be_told)


def test_a_notice_stays_while_its_button_has_the_focus(notify: Notify, qtbot: QtBot) -> None:
    notice = Notice(Theme("light"), "stays", lifetime_ms=30)
    notice.add_button(UNDO, lambda: None)
    notify.bar.add(notice)
    button = buttons(notice)[UNDO]
    button.setFocus(Qt.FocusReason.TabFocusReason)
    with qtbot.assertNotEmitted(notice.left, wait=120):
        pass
    with qtbot.waitSignal(notice.left):
        button.clearFocus()


def shown(notify: Notify) -> list[str]:
    return [notice.text for notice in notify.bar.notices if notice.isVisible()]


def test_one_notice_is_shown_and_only_what_can_still_be_pressed_waits_for_it_to_leave(notify: Notify) -> None:
    taken_back: list[str] = []
    notify.undo("Letter removed", lambda: taken_back.append("letter"))
    for text in ("one", "two", "two"):
        notify.mention(text)
        assert shown(notify) == [text]
    assert [notice.text for notice in notify.bar.notices] == ["Letter removed", "two"]
    notify.bar.notices[-1].dismiss()
    assert shown(notify) == ["Letter removed"]
    timer = notify.bar.notices[0].findChild(QTimer)
    assert timer is not None and timer.isActive(), "it has its full time again"
    notify.mention("three")
    assert notify.undo_last() and taken_back == ["letter"], "Ctrl+Z reaches one that waits"


def test_undos_of_the_same_kind_merge_and_others_wait(notify: Notify, qtbot: QtBot) -> None:
    taken_back: list[str] = []
    for name, count in (("a", 1), ("b", 2), ("c", 1)):
        put_back = partial(taken_back.append, name)
        notify.undo(
            f"Left out {name}", put_back, several=("{count} was left out", "{count} were left out"), count=count
        )
        notify.undo(f"Deleted {name}", lambda: taken_back.append("wrong"))
    assert [notice.text for notice in notify.bar.notices] == ["Deleted a", "Deleted b", "4 were left out", "Deleted c"]
    notify.bar.notices[-1].dismiss()
    assert shown(notify) == ["4 were left out"]
    qtbot.mouseClick(buttons(notify.bar.notices[-1])[UNDO_ALL], Qt.MouseButton.LeftButton)
    assert taken_back == ["c", "b", "a"], "the newest first, as they depend on each other"
    assert shown(notify) == ["Deleted b"]


def test_an_undo_leaves_with_its_screen_and_others_stay(notify: Notify) -> None:
    notify.mention("It was kept")
    notify.error(DiskFull("/home/ada/data"))
    notify.undo("Letter removed", lambda: None)
    lasting = notify.show_notice(PersonMessage("A model is loading."), lasts=True)
    notify.bar.leave_screen()
    assert not notify.undo_last()
    assert [notice.is_error for notice in notify.bar.notices] == [True, False] and lasting.isVisible()


def test_a_notice_floats_over_the_page_and_pushes_nothing(notify: Notify, qtbot: QtBot) -> None:
    window = notify.bar.window()
    page = window.findChild(QPlainTextEdit)
    assert page is not None
    before = page.geometry()
    for words in ("One.", "Two, which is long enough to need a second line in this window. " * 3):
        notify.show_notice(PersonMessage(words))
    QApplication.processEvents()
    assert page.geometry() == before
    assert page.geometry().contains(notify.bar.geometry())
    tall = notify.bar.height()
    notify.show_notice(PersonMessage("Three."))
    qtbot.waitUntil(lambda: notify.bar.height() < tall)
    window.resize(500, 400)
    QApplication.processEvents()
    assert page.geometry().contains(notify.bar.geometry())


@pytest.mark.parametrize("labels", [("Choose another one…",), ("Choose another one…", "Copy all of the details")])
def test_buttons_stand_below_a_sentence_that_they_would_leave_no_room(notify: Notify, labels: tuple[str, ...]) -> None:
    window = notify.bar.window()
    notice = Notice(Theme("light"), "The file is incomplete. Try downloading or copying it again.", is_error=True)
    for label in labels:
        notice.add_button(label, lambda: None)
    notify.bar.add(notice)
    for width in (900, 300, 900):
        window.resize(width, 400)
        QApplication.processEvents()
        assert not clipped_texts(window)
        words = notice.findChildren(QLabel)[-1].geometry()
        is_beside = notice.buttons[0].geometry().top() < words.bottom()
        assert is_beside == (width == 900 and len(labels) == 1)


def test_what_is_only_said_leaves_by_itself_and_what_went_wrong_stays(notify: Notify, qtbot: QtBot) -> None:
    notify.saved(Path("/home/ada/notes.txt"))
    notify.error(DiskFull("/home/ada/data"))
    standing = StandingNotice(notify)
    standing.show_sentence(PersonMessage("A model is loading."))
    saved, failed, lasting = notify.bar.notices
    assert shown(notify) == [failed.text, lasting.text]
    timers = [notice.findChild(QTimer) for notice in (saved, failed, lasting)]
    assert [timer.isActive() for timer in timers] == [False, False, False], "what waits keeps its time"
    assert timers[0].interval() == notify_module.UNDO_MS
    standing.end()
    assert timers[0].isActive()
    timers[0].timeout.emit()
    assert notify.bar.notices == [failed]


@pytest.mark.logs_warnings
def test_an_exception_of_any_thread_reaches_the_person_and_the_log(
    notify: Notify, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    before = sys.excepthook, threading.excepthook
    notify.install()
    thread = threading.Thread(target=lambda: {}["missing"])
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(notify.bar.notices))
    assert sentence_for(KeyError("missing")).text in notify.bar.notices[0].text
    assert "KeyError" in caplog.text
    notify.uninstall()
    assert (sys.excepthook, threading.excepthook) == before
