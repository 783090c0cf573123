"""The program outside its window: the tray, and what closing the window means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QKeySequenceEdit, QLabel, QPushButton, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from app.ui.chat import chat_tab
from app.ui.chat.chat_tab import ANSWER_READY
from app.ui.chat.chat_view import ChatView
from app.ui.icons import app_icon
from app.ui.outside import ENTRIES, KEEP_RUNNING, Outside
from app.ui.shared_labels import CANCEL, NEW_CHAT, QUICK_ASK, QUIT, WRITING_AN_ANSWER
from app.ui.shell import global_shortcut
from app.ui.shell.desktop import TaskBar
from app.ui.shell.global_shortcut import KEYS_NEED_MODIFIER, GlobalShortcut, Keys
from app.ui.shell.settings_index import label_of
from app.ui.shell.tab_spec import EndOfWork
from app.ui.widgets.dialogs import QuestionDialog
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.helpers.texts import shows
from tests.ui.shell.test_desktop import Noted


class Outdoors:
    """A window with what is outside it, on a system with a tray."""

    def __init__(self, frame: Frame) -> None:
        self.frame, self.window = frame, frame.window
        self.has_tray = True
        self.noted = Noted()
        bar = TaskBar(frame.window, lambda _: self.noted)
        self.outside = Outside(frame.app, frame.window, bar, has_tray=lambda: self.has_tray)
        self.outside.begin()
        self.tray = self.outside.tray

    @property
    def menu(self) -> list[str]:
        """The lines of the tray's menu, as they are when it opens."""
        self.tray._menu.aboutToShow.emit()
        return [action.text() for action in self.tray._menu.actions() if not action.isSeparator()]

    def choose(self, words: str) -> None:
        """A line of the menu."""
        assert words in self.menu
        next(action for action in self.tray._menu.actions() if action.text() == words).trigger()

    @property
    def question(self) -> QuestionDialog:
        """What is asked at closing."""
        return self.frame.find_step(QuestionDialog, "keep_running_question")

    def answer(self, words: str) -> None:
        """Presses a button of the question."""
        self.frame.click(next(one for one in self.question.findChildren(QPushButton) if one.text() == words))


@pytest.fixture
def outdoors(frame: Frame) -> Iterator[Outdoors]:
    yield Outdoors(frame)
    QApplication.setQuitOnLastWindowClosed(True)


def test_without_a_tray_there_is_none_and_closing_quits(frame: Frame) -> None:
    outside = Outside(frame.app, frame.window, TaskBar(frame.window), has_tray=lambda: False)
    frame.app.change_settings("system", keeps_running=True)
    frame.chat.busy = True
    ended = frame.heard(frame.window.closing.begun)
    frame.window.close()
    assert (ended, outside.tray._icon) == ([()], None)


def test_the_icon_and_its_menu_say_what_is_at_work_and_lead_there(outdoors: Outdoors) -> None:
    frame = outdoors.frame
    assert outdoors.menu == [ENTRIES["show"], NEW_CHAT, QUICK_ASK, QUIT]
    frame.chat.busy = True
    frame.window.tab("translate").state_changed.emit("Translating 2 of 5")
    assert outdoors.menu == [
        ENTRIES["show"],
        NEW_CHAT,
        QUICK_ASK,
        WRITING_AN_ANSWER,
        "Translating 2 of 5",
        QUIT,
    ]
    assert outdoors.tray._icon.toolTip() == "Fireside\nWriting an answer\nTranslating 2 of 5"
    frame.window.hide()
    outdoors.choose("Translating 2 of 5")
    assert frame.window.isVisible()
    assert frame.current_tab == "translate"
    outdoors.choose(NEW_CHAT)
    assert frame.current_tab == "chat"


def test_the_icon_at_work_is_another_picture() -> None:
    size = QSize(22, 22)
    rest, work = (app_icon((22,), is_at_work=one).pixmap(size, 1.0).toImage() for one in (False, True))
    assert rest != work
    assert work.pixelColor(17, 17).name() == "#f0793f"


def test_closing_while_work_goes_on_is_asked_about_once(outdoors: Outdoors) -> None:
    frame = outdoors.frame
    frame.chat.busy = True
    ended = frame.heard(frame.window.closing.begun)
    frame.window.close()
    assert WRITING_AN_ANSWER in outdoors.question.words.text()
    assert clipped_texts(outdoors.question) == []
    outdoors.answer(CANCEL)
    assert frame.window.isVisible()
    frame.window.close()
    outdoors.answer(QUIT)
    assert ended == [()]
    assert frame.settings.system.asked_to_keep
    assert not frame.settings.system.keeps_running


def test_the_window_that_keeps_running_comes_back_with_a_click_and_quits_by_its_menu(
    outdoors: Outdoors, qtbot: QtBot
) -> None:
    frame = outdoors.frame
    frame.chat.busy = True
    ended = frame.heard(frame.window.closing.begun)
    frame.window.close()
    outdoors.answer(KEEP_RUNNING)
    qtbot.waitUntil(lambda: not frame.window.isVisible())
    assert not QApplication.quitOnLastWindowClosed()
    assert frame.settings.system.keeps_running
    outdoors.tray._icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    assert frame.window.isVisible()
    assert QApplication.quitOnLastWindowClosed()
    frame.window.close()
    assert not ended
    outdoors.choose(QUIT)
    assert ended == [()]


def test_before_the_session_ends_what_is_typed_is_stored_and_nothing_ends(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with open_window(qapp, make_chat=ChatView) as frame:
        frame.chat.composer.set_text("half a thou")
        assert frame.settings.window.new_chat_draft == ""
        frame.window.store()
        assert frame.settings.window.new_chat_draft == "half a thou"
        assert frame.window.isVisible()


# What ends while nobody looks.


def test_what_it_was_about_is_said_where_that_is_wanted_and_a_click_leads_there(
    outdoors: Outdoors, qtbot: QtBot
) -> None:
    frame, noted = outdoors.frame, outdoors.noted
    chat = frame.conversations.create(title="The lease").id
    end = EndOfWork(ANSWER_READY, "The lease\nIn May.", chat)
    frame.window.tab("chat").work_ended.emit(end)
    assert noted.told == [], "somebody looks"
    frame.window.hide()
    qtbot.waitUntil(lambda: not frame.window.isActiveWindow())
    frame.window.tab("chat").work_ended.emit(end)
    frame.app.change_settings("system", notifies_with_words=True)
    frame.window.tab("chat").work_ended.emit(end)
    assert noted.told == [(ANSWER_READY, ""), (ANSWER_READY, "The lease\nIn May.")]
    frame.show_tab("summarize")
    assert noted.click is not None
    noted.click()
    assert frame.window.isVisible()
    assert (frame.current_tab, frame.chat.conversation_id) == ("chat", chat)


@pytest.mark.parametrize("is_temporary", [False, True])
def test_a_long_answer_that_ends_is_told_and_of_a_temporary_one_only_that(
    is_temporary: bool, qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", {"text": "In May."})))
    with open_window(qapp, make_chat=ChatView) as frame:
        ends = frame.heard(frame.window.tabs.work.ended)
        monkeypatch.setattr(chat_tab, "LONG_S", 3600)
        desk = ChatDesk(frame.chat, frame.app, frame.notify)
        frame.loader.start()
        if is_temporary:
            frame.chat.show_temporary()
        desk.ask("When?")
        assert ends == [], "it did not take long"
        monkeypatch.setattr(chat_tab, "LONG_S", 0)
        desk.ask("And where?")
        about = "" if is_temporary else "When?\nIn May."
        number = 0 if is_temporary else frame.chat.conversation_id
        frame.wait(lambda: ends == [("chat", EndOfWork(ANSWER_READY, about, number))])


# Keys from any program.


class Listening:
    """Keys that nobody asked any system for."""

    def __init__(self, keys: Keys, shortcut: GlobalShortcut) -> None:
        self.keys, self.shortcut = keys, shortcut
        self.is_closed = False
        shortcut.answer_callback()(f"They are {keys.character or keys.function}.")

    def close(self) -> None:
        self.is_closed = True


def test_keys_are_chosen_in_the_settings_which_say_what_became_of_them(
    outdoors: Outdoors, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Listening] = []
    monkeypatch.setattr(
        global_shortcut, "_listener", lambda keys, shortcut: made.append(Listening(keys, shortcut)) or made[-1]
    )
    frame = outdoors.frame
    frame.window.open_settings("system")
    field, said = frame.find_step(QKeySequenceEdit), frame.find_step(QLabel, "shortcut_said")
    assert not field.isVisible()
    frame.click(frame.button(label_of("shortcut_on")))
    assert field.isVisible()
    qtbot.waitUntil(lambda: said.text() == "They are  .")
    QTest.keyClick(field, Qt.Key.Key_F8, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: said.text() == "They are 8.")
    assert [one.is_closed for one in made] == [True, False]
    assert frame.settings.system.shortcut == "Ctrl+F8"
    QTest.keyClick(field, Qt.Key.Key_Q)
    qtbot.waitUntil(lambda: shows(KEYS_NEED_MODIFIER, said.text()))
    made[-1].shortcut.report_pressed()
    qtbot.waitUntil(outdoors.outside.quick.isVisible)
    outdoors.outside.quick.close()
    frame.click(frame.button(label_of("shortcut_on")))
    assert not field.isVisible()
    assert all(one.is_closed for one in made)
