"""A long conversation: what is seen follows colours, zoom and width at once; the rest when it is scrolled to."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from app.features.chat.session_messages import ReloadBranch
from app.ui.chat.answer_view import AnswerView
from app.ui.chat.question import QuestionView
from app.ui.chat.turn import TurnView
from app.ui.shared_labels import COPIED, COPY, COPY_THE_ADDRESS, MORE_LABEL
from app.ui.text.prose import ProseView
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.desk import NO_KEYS
from tests.ui.chat.conftest import Open, add_turns
from tests.ui.text.test_selectable import ANSWER


def long_chat(desk: ChatDesk, count: int = 60) -> None:
    """Opened, and all that may be scrolled to next is there."""
    desk.chat.show_conversation(add_turns(desk, count, "A word, and **another**. " * 12))
    desk.wait(lambda: desk.is_settled)


def prose(turn: TurnView) -> ProseView:
    found = [view for view in turn.findChildren(ProseView) if not view.isHidden()]
    return found[0]


def look(turn: TurnView) -> tuple[str, int]:
    """The colour and the size of the first character."""
    cursor = QTextCursor(prose(turn).document())
    cursor.setPosition(1)
    style = cursor.charFormat()
    return style.foreground().color().name().upper(), style.font().pixelSize()


def seen(desk: ChatDesk) -> list[TurnView]:
    viewport = desk.transcript.viewport()
    places = {turn: turn.mapTo(viewport, QPoint(0, 0)).y() for turn in desk.turns_made}
    return [turn for turn in desk.turns_made if places[turn] < viewport.height() and places[turn] + turn.height() > 0]


def test_what_is_far_away_is_not_made_and_goes_again_when_it_was_passed(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    long_chat(desk)
    assert len(desk.turns_made) < 30 < desk.message_count == 120
    desk.scroll_bar.setValue(0)
    first, answer = desk.turns_made[:2]
    assert isinstance(first, QuestionView)
    assert first.text == "Question 0"
    assert "another" in prose(answer).toPlainText()
    desk.wait(lambda: desk.is_settled)
    assert len(desk.turns_made) < 30
    assert desk.last_text.endswith(" 59"), "the last turn may grow"


def test_each_turn_begins_where_the_one_above_ends_whatever_was_measured_again(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    long_chat(desk)
    places = desk.transcript.places

    def check() -> None:
        desk.wait(lambda: desk.is_settled)
        heights = [place.height for place in places.all]
        assert [below - above for above, below in pairwise(places.tops)] == heights

    check()
    desk.scroll_bar.setValue(desk.scroll_bar.maximum() // 2)
    check()
    desk.theme.zoom = 1.2
    check()
    desk.scroll_bar.setValue(0)
    check()
    desk.transcript.update_to(desk.transcript.places.messages[:40])  # type: ignore[arg-type] # all are stored
    check()
    assert len(places.tops) == 41
    desk.transcript.open([])
    assert len(places.tops) == 1


def test_what_somebody_opened_or_selected_or_edits_stays_however_far_it_is(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    long_chat(desk)
    answer, question = desk.turns_made[-1], desk.turns_made[-2]
    other = desk.turns_made[-3]
    assert isinstance(question, QuestionView)
    desk.transcript.show_turn(other)
    text = prose(other)
    desk.drag(text, 3, text, 30)
    assert text.textCursor().selectedText()
    editor = question.start_editing(question.text)
    editor.edit.set_text("Another one")
    desk.scroll_bar.setValue(0)
    desk.wait(lambda: desk.is_settled)
    far = desk.turns_made[-3:]
    assert far == [other, question, answer]
    assert prose(other).textCursor().hasSelection()
    assert question.start_editing(question.text).text == "Another one"


def test_colours_and_zoom_reach_what_is_seen_now_and_the_rest_when_it_is_scrolled_to(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    long_chat(desk)
    transcript, theme = desk.transcript, desk.theme
    theme.scheme = "dark"
    theme.zoom = 1.5
    expected = (QColor(theme.tokens.text).name().upper(), theme.font().pixelSize())
    assert {look(turn) for turn in seen(desk)} == {expected}
    for value in (transcript.verticalScrollBar().maximum() // 2, 0):
        transcript.verticalScrollBar().setValue(value)
        assert {look(turn) for turn in seen(desk)} == {expected}
    words = prose(desk.turns_made[1])
    assert words.height() == words.height_for(words.width()), "nothing is cut"


def test_keys_that_the_message_has_no_use_for_scroll_the_chat(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    long_chat(desk)
    bar, field = desk.transcript.verticalScrollBar(), desk.chat.composer.field.edit
    desk.chat.focus_composer()
    end, control = bar.value(), Qt.KeyboardModifier.ControlModifier
    for key, modifier, moved in (
        (Qt.Key.Key_PageUp, NO_KEYS, lambda: 0 < bar.value() < end),
        (Qt.Key.Key_PageDown, NO_KEYS, lambda: bar.value() > bar.pageStep()),
        (Qt.Key.Key_Home, control, lambda: bar.value() == 0),
        (Qt.Key.Key_End, control, lambda: bar.value() == bar.maximum()),
    ):
        QTest.keyClick(field, key, modifier)
        assert moved(), key
    assert desk.transcript.is_following
    desk.type("A word")
    QTest.keyClick(field, Qt.Key.Key_Home, control)
    assert (field.textCursor().position(), bar.value()) == (0, bar.maximum()), "first the cursor goes there"


def test_what_is_read_stays_where_it_is_when_the_zoom_changes_and_when_it_grows_above(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    long_chat(desk)
    transcript = desk.transcript
    bar = transcript.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    first = seen(desk)[0]
    desk.theme.zoom = 1.5
    assert seen(desk)[0] is first
    desk.theme.zoom = 1.0
    assert seen(desk)[0] is first
    desk.chat.resize(600, 700)
    assert seen(desk)[0] is first
    assert not transcript.is_following


def test_what_is_in_details_comes_when_they_are_opened(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    text = "Words\n\n<details>\n<summary>More</summary>\n\nHidden.\n\n</details>\n\nAfter."
    desk.chat.show_conversation(add_turns(desk, 2, text))
    answer = desk.turns[1]
    assert isinstance(answer, AnswerView)
    words = [view for view in answer.body.views if isinstance(view, ProseView)]
    assert [view.isHidden() for view in words] == [False, True, False]
    height = answer.height()
    desk.link(answer, MORE_LABEL)
    assert [view.isHidden() for view in words] == [False, False, False]
    assert answer.height() > height


def test_a_click_on_a_link_in_an_answer_asks(open_chat: Open) -> None:
    desk = open_chat({"text": "[the page](https://x.org/page)"})
    desk.ask("Where?")
    view = desk.last_views[0]
    assert isinstance(view, ProseView)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(12, 10))
    box = desk.chat.findChild(QMessageBox)
    assert box is not None
    assert box.informativeText() == "https://x.org/page"
    box.reject()
    desk.click_menu(desk.link_menu(view, 2), COPY_THE_ADDRESS)
    assert QGuiApplication.clipboard().text() == "https://x.org/page"


def test_copy_puts_both_on_the_clipboard_and_says_so(open_chat: Open) -> None:
    desk = open_chat({"text": ANSWER})
    desk.ask("Hi")
    desk.click_action(desk.last, COPY)
    data = QGuiApplication.clipboard().mimeData()
    assert data.text() == desk.last_text
    assert "<table" in data.html()
    assert "<script" not in data.html()
    row = desk.last.toolbar.row
    assert row is not None
    assert row.button(COPIED) is not None
    desk.wait(lambda: row.button(COPY) is not None)


def test_the_keyboard_goes_from_turn_to_turn_and_shows_the_beginning_of_a_tall_one(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    desk.chat.show_conversation(add_turns(desk, 12, "One line.\n\n" * 40))
    desk.wait(lambda: desk.is_settled)
    control = Qt.KeyboardModifier.ControlModifier
    desk.turns_made[-1].setFocus()
    for key, number in ((Qt.Key.Key_Up, 22), (Qt.Key.Key_Up, 21), (Qt.Key.Key_Home, 0), (Qt.Key.Key_Down, 1)):
        QTest.keyClick(desk.focus, key, control)
        turn = desk.transcript.places.all[number].turn
        assert turn is desk.focus
        assert 0 <= turn.mapTo(desk.transcript.viewport(), QPoint(0, 0)).y() < 60
    QTest.keyClick(desk.focus, Qt.Key.Key_End, control)
    assert desk.focus is desk.last
    message = desk.transcript.places.messages[4]
    assert message is not None
    desk.conversations.set_message_pinned(message.id, True)
    desk.chat.session.dispatch(ReloadBranch())
    alt = Qt.KeyboardModifier.AltModifier
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Down):
        QTest.keyClick(desk.focus, key, alt)
        assert desk.focus is desk.transcript.places.all[4].turn, "the only one that is pinned"
