"""Reading aloud with Qt's silent voice: by key, menu and button, with its bar, its mark and what stops it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QTextEdit, QToolButton

from app.core.child import running_children
from app.features.reading_aloud.sentence_reading import ReadingState
from app.features.reading_aloud.voice_process import TRIAL_VARIABLE
from app.ui.chat.chat_tab import ChatTab
from app.ui.chat.chat_view import ChatView
from app.ui.shared_labels import READ_ALOUD
from app.ui.shell.readable_texts import READ_FROM_HERE
from app.ui.shell.reading_bar import CONTINUE_READING, PAUSE_READING, speed_words
from app.ui.shell.text_reading import NO_SERVICE, NO_VOICE_FOR, NOTHING_TO_READ, TextReading
from app.ui.widgets.input_fields import PlainEdit
from app.ui.widgets.spoken_views import TextEdit
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.helpers.texts import shows

LONG = "This is the first sentence of the answer, and it is not short. " * 2
ANSWER = f"{LONG}\n\nHere is another one that follows it. And this is the third."


@pytest.fixture
def frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object) -> Iterator[Frame]:
    monkeypatch.setenv(TRIAL_VARIABLE, "mock")
    script = write_script(tmp_path / "script", {"when": "trains", "text": ANSWER})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    with open_window(qapp, make_chat=ChatView) as frame:  # type: ignore[arg-type]
        yield frame


def reading_of(frame: Frame) -> TextReading:
    reading = frame.window.ui.reading
    assert reading is not None
    return reading


def press(frame: Frame, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.ShiftModifier) -> None:
    QTest.keyClick(frame.window.focusWidget() or frame.window, Qt.Key.Key_F9, modifier)


def click(frame: Frame, name: str) -> None:
    button = reading_of(frame).bar.findChild(QToolButton, name)
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def marked(view: TextEdit) -> list[str]:
    return [selection.cursor.selectedText() for selection in view.extraSelections()]


def write_page(frame: Frame, text: str) -> PlainEdit:
    frame.show_tab("write")
    page = next(field for field in frame.middle.findChildren(PlainEdit) if field.isVisible())
    page.setFocus()
    page.setPlainText(text)
    return page


def test_a_page_is_read_from_the_caret_with_each_sentence_marked(frame: Frame) -> None:
    reading, page = reading_of(frame), write_page(frame, "One is here. Two comes. Three.")
    seen = []
    reading.changed.connect(lambda: seen.append((marked(page), reading.bar.sentence.text())))
    press(frame)
    assert reading.is_on
    assert reading.bar.isVisible()
    frame.wait(lambda: not reading.is_on)
    said = [words for words, _ in seen if words]
    assert said == [["One is here."], ["Two comes."], ["Three."]]
    assert [sentence for words, sentence in seen if words] == ["One is here.", "Two comes.", "Three."]
    assert marked(page) == []
    assert not reading.bar.isVisible()
    frame.wait(lambda: running_children() == [])


def test_the_bar_pauses_steps_changes_the_speed_and_stops(frame: Frame) -> None:
    reading, page = reading_of(frame), write_page(frame, f"{LONG}And then another long one follows here. Last.")
    bar = reading.bar
    press(frame)
    frame.wait(lambda: reading.state is ReadingState.SPEAKING)
    first = marked(page)
    assert bar.pause.accessibleName() == PAUSE_READING
    click(frame, "pause_reading")
    assert reading.state is ReadingState.PAUSED
    assert marked(page) == first, "where it will go on"
    assert bar.pause.accessibleName() == CONTINUE_READING
    press(frame)
    assert reading.state is ReadingState.SPEAKING
    click(frame, "next_sentence")
    click(frame, "next_sentence")
    assert marked(page) == ["And then another long one follows here."]
    click(frame, "previous_sentence")
    assert marked(page) == first
    bar.speed.choose("1.5")
    assert frame.app.settings.voice.reading_speed == 1.5
    assert bar.speed.button.text() == speed_words(1.5)
    click(frame, "stop_reading")
    assert not reading.is_on
    assert marked(page) == []
    press(frame)
    frame.wait(lambda: reading.state is ReadingState.SPEAKING)
    press(frame, Qt.KeyboardModifier.ControlModifier)
    assert not reading.is_on


def ask(frame: Frame) -> ChatDesk:
    desk = ChatDesk(frame.find_step(ChatTab).chat, frame.app, frame.notify)
    frame.window.loader.start()
    frame.wait(lambda: frame.window.loader.model is not None)
    desk.ask("When do the trains leave?")
    frame.wait(lambda: desk.last_text == ANSWER and not desk.chat.busy)
    return desk


def test_an_answer_is_read_by_its_button_and_ends_with_its_chat(frame: Frame) -> None:
    reading, desk = reading_of(frame), ask(frame)
    desk.click_action(desk.last, READ_ALOUD)
    frame.wait(lambda: reading.state is ReadingState.SPEAKING)
    (view,) = desk.last.spoken_views()
    assert marked(view) == [LONG.partition(". ")[0] + "."]
    assert desk.last.is_kept
    desk.chat.show_conversation(None)
    frame.wait(lambda: not reading.is_on)


def test_the_last_answer_is_read_where_nothing_is_typed(frame: Frame) -> None:
    reading, desk = reading_of(frame), ask(frame)
    desk.chat.focus_composer()
    press(frame)
    frame.wait(lambda: reading.state is ReadingState.SPEAKING)
    assert marked(desk.last.spoken_views()[0])
    reading.stop()
    assert not desk.last.is_read_aloud
    view = desk.last.spoken_views()[0]
    start = view.toPlainText().index("another")
    desk.drag(view, start, view, start + len("another one"))
    press(frame)
    frame.wait(lambda: reading.state is ReadingState.SPEAKING)
    assert marked(view) == ["another one"]
    reading.stop()


def test_what_cannot_be_read_is_said_in_words(frame: Frame, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, page = reading_of(frame), write_page(frame, "")
    press(frame)
    assert frame.notices[-1].startswith(NOTHING_TO_READ.text)
    page.setPlainText("Der Zug nach Hamburg fährt heute leider nicht, weil die Strecke gesperrt ist.")
    press(frame)
    frame.wait(lambda: not reading.is_on)
    assert shows(NO_VOICE_FOR, frame.notices[-1])
    monkeypatch.setenv(TRIAL_VARIABLE, "none such")
    press(frame)
    frame.wait(lambda: not reading.is_on)
    assert frame.notices[-1].startswith(NO_SERVICE.text)


def test_a_read_only_text_offers_it_in_its_menu_and_is_read_before_a_field(frame: Frame) -> None:
    reading, view = reading_of(frame), QTextEdit(frame.window)
    write_page(frame, "A page.")
    view.setPlainText("Only to be read. Nothing else.")
    view.setReadOnly(True)
    view.setGeometry(0, 0, 300, 200)
    view.show()
    view.setFocus()
    place = view.viewport().rect().center()
    QApplication.sendEvent(
        view.viewport(),
        QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, view.viewport().mapToGlobal(place)),
    )
    menu = next(menu for menu in view.findChildren(QMenu) if menu.isVisible())
    next(action for action in menu.actions() if action.text() == READ_FROM_HERE).trigger()
    menu.close()
    frame.wait(lambda: reading.state is ReadingState.SPEAKING)
    reading.stop()
    view.hide()
    frame.show_tab("chat")
    view.show()
    frame.find_step(ChatTab).chat.focus_composer()
    reading.toggle()
    frame.wait(lambda: marked(view) == ["Only to be read."])
    reading.stop()


def test_dictation_ends_what_is_read(frame: Frame) -> None:
    reading, dictation = reading_of(frame), frame.window.ui.dictation
    assert dictation is not None
    write_page(frame, LONG)
    press(frame)
    frame.wait(lambda: reading.state is ReadingState.SPEAKING)
    dictation._begin(frame.window.focusWidget())  # type: ignore[arg-type]  # no model that hears is needed to begin
    assert not reading.is_on
    dictation.close()
