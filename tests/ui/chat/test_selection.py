"""What is selected across turns: by dragging, clicks and keys, shown as turns come and go, and copied in order."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.core.events import Role
from app.features.chat import session_messages as m
from app.ui.chat.quoting import FIND_IN_CHAT, quoted
from app.ui.chat.selection import texts_in
from app.ui.chat.turn import TurnView
from app.ui.shared_labels import COPY, COPY_AS_MARKDOWN, REMEMBER_SELECTION, TRANSLATE_THIS
from app.ui.text.text_view import TextView
from tests.helpers.desks.chat import ChatDesk
from tests.ui.chat.conftest import Open, add_turns

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
RICH = """Words before.

| Name | Size |
|---|--:|
| one | **1** |
| two | 2 |
| three | 3 |

```py
first = 1
second = 2
```

> A quote with `code`.

- item one
- item *two*"""


@pytest.fixture
def desk(open_chat: Open) -> ChatDesk:
    """Three questions, the second of which has an answer with everything in it."""
    desk = open_chat({"text": "Later words. " * 4, "delay_s": 0.01})
    number = desk.conversations.create(title="Rich").id
    parent: int | None = None
    for text in ("First words.", RICH, "Last words."):
        parent = desk.conversations.add_message(number, parent, Role.USER, f"About {text[:5]}?").id
        parent = desk.conversations.add_message(number, parent, Role.ASSISTANT, text, model="Small").id
    desk.chat.resize(900, 1400)
    desk.chat.show_conversation(number)
    desk.wait(lambda: desk.is_settled)
    return desk


def texts(turn: TurnView) -> list[TextView]:
    return [view for view in texts_in(turn) if isinstance(view, TextView)]


def marked(desk: ChatDesk) -> list[str]:
    """What every text shows as selected, in order."""
    found = (view.textCursor().selectedText() for turn in desk.turns_made for view in texts(turn))
    return [text.replace("\u2029", "\n") for text in found if text]


def test_a_drag_from_one_turn_into_another_selects_all_between(desk: ChatDesk) -> None:
    first, last = texts(desk.turns[1])[0], texts(desk.turns[5])[0]
    desk.drag(first, 6, last, 4)
    shown = marked(desk)
    assert (shown[0], shown[1], shown[-1]) == ("words.", "About Words?", "Last")
    text = desk.copied().text()
    assert text.startswith("Small:\n\nwords.\n\nYou:\n\nAbout Words?\n\nSmall:\n\nWords before.\n\n| Name | Size |")
    assert "first = 1\nsecond = 2\n\n> A quote with code.\n\n• item one\n• item two\n\nYou:\n\nAbout Last ?" in text
    assert text.endswith("Small:\n\nLast")
    html = QGuiApplication.clipboard().mimeData().html()
    assert "<p><b>You:</b></p>" in html
    assert "<li>item <i>two</i></li>" in html
    assert '<td align="right"><b>1</b></td>' in html


def test_a_table_has_whole_rows_of_what_begins_in_it_and_code_and_quotes_their_parts(desk: ChatDesk) -> None:
    before, table, code, after = texts(desk.turns[3])
    cell = table.document().find("two").selectionStart()
    desk.drag(table, cell + 1, code, 9)
    copied = desk.copied()
    assert copied.text() == "| two | 2 |\n| --- | --: |\n| three | 3 |\n\nfirst = 1"
    desk.drag(code, 10, after, 7)
    assert desk.copied().text() == "second = 2\n\n> A quote"
    desk.drag(before, 6, table, cell + 1)
    assert desk.copied().text() == "before.\n\n| Name | Size |\n| --- | --: |\n| one | 1 |\n| two | 2 |"
    desk.chat.focus_composer()
    desk.press(Qt.Key.Key_Escape)
    assert marked(desk) == [], "from wherever the keyboard is"
    desk.drag(table, cell, table, cell + 2)
    assert desk.copied().text() == "tw"


def test_keys_extend_it_over_texts_and_turns(desk: ChatDesk) -> None:
    view = texts(desk.turns[1])[0]
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=desk.place_of(view, 6))
    QTest.keyClick(desk.focus, Qt.Key.Key_Right, SHIFT)
    assert marked(desk) == ["w"]
    QTest.keyClick(desk.focus, Qt.Key.Key_End, SHIFT)
    assert marked(desk) == ["words."]
    QTest.keyClick(desk.focus, Qt.Key.Key_Right, SHIFT)
    QTest.keyClick(desk.focus, Qt.Key.Key_Right, SHIFT | CONTROL)
    assert marked(desk) == ["words.", "About "]
    QTest.keyClick(desk.focus, Qt.Key.Key_Up, SHIFT)
    assert len(marked(desk)) == 1
    QTest.keyClick(desk.focus, Qt.Key.Key_Down, SHIFT)
    assert len(marked(desk)) == 2
    QTest.keyClick(desk.focus, Qt.Key.Key_Down, SHIFT | CONTROL)
    assert marked(desk)[1] == "About Words?"
    QTest.keyClick(desk.focus, Qt.Key.Key_End, SHIFT | CONTROL)
    assert marked(desk)[-1] == "Last words."
    QTest.keyClick(desk.focus, Qt.Key.Key_Home, SHIFT | CONTROL)
    assert (marked(desk)[0], marked(desk)[-1]) == ("About First?", "First ")
    QTest.keyClick(desk.focus, Qt.Key.Key_Escape)
    assert marked(desk) == []
    desk.turns[1].setFocus()
    QTest.keyClick(desk.focus, Qt.Key.Key_A, CONTROL)
    assert len(marked(desk)) == sum(len(texts(turn)) for turn in desk.turns_made)
    assert desk.copied().text().count("You:") == 3


def test_whole_messages_are_copied_as_they_were_written_and_parts_read_the_same(desk: ChatDesk) -> None:
    first, code = texts(desk.turns[1])[0], texts(desk.turns[3])[2]
    desk.drag(first, 0, code, 9)
    desk.click_menu(desk.selection_menu(first), COPY_AS_MARKDOWN)
    text = QGuiApplication.clipboard().text()
    assert text.startswith(
        "**Small:**\n\nFirst words.\n\n**You:**\n\nAbout Words?\n\n**Small:**\n\nWords before.\n\n| Name"
    )
    assert text.endswith("| one | **1** |\n| two | 2 |\n| three | 3 |\n\n```py\nfirst = 1\n```")
    desk.drag(first, 0, texts(desk.turns[5])[0], 3)
    desk.click_menu(desk.selection_menu(first), COPY_AS_MARKDOWN)
    assert f"**Small:**\n\n{RICH}\n\n**You:**" in QGuiApplication.clipboard().text()


def test_the_menu_of_what_is_selected(desk: ChatDesk) -> None:
    view = texts(desk.turns[1])[0]
    for line, kind in ((REMEMBER_SELECTION, m.RememberText), (TRANSLATE_THIS, m.OpenTranslation)):
        told = desk.hear_requests(kind)
        desk.drag(view, 0, view, 5)
        desk.click_menu(desk.selection_menu(view), line)
        assert told == [kind("First")]
    assert desk.menu_lines(desk.menu_at(desk.turns[5]))[0] == COPY, "beside it there is the turn's"
    desk.drag(view, 0, view, 5)
    desk.click_menu(desk.selection_menu(view), FIND_IN_CHAT)
    assert desk.chat.finding.search.field.text() == "First"


def test_what_is_selected_is_quoted_in_the_message(desk: ChatDesk) -> None:
    button = desk.chat.findChild(QPushButton, "quote_selection")
    assert button is not None
    view = texts(desk.turns[3])[3]
    desk.drag_to(view, 2, view.viewport().mapToGlobal(desk.place_of(view, 25)))
    assert not button.isVisible(), "not while it is under the pointer"
    desk.let_go(view)
    assert button.isVisible()
    desk.click(button)
    assert desk.message == "> quote with code.\n>\n> • item\n\n"
    assert not button.isVisible()
    assert marked(desk) == []
    assert quoted("\na\n\nb\n") == "> a\n>\n> b"


def test_beyond_what_is_seen_the_view_follows_and_turns_that_went_come_back_selected(open_chat: Open) -> None:
    desk = open_chat({"text": "x"})
    desk.chat.show_conversation(add_turns(desk, 30, "A word, and **another**. " * 12))
    desk.wait(lambda: desk.is_settled)
    view = texts(desk.turns_made[-1])[0]
    above = desk.transcript.viewport().mapToGlobal(QPoint(300, -150))
    QCursor.setPos(above)
    desk.drag_to(view, 7, above)
    desk.wait(lambda: desk.scroll_bar.value() == 0)
    desk.let_go(view)
    assert len(desk.turns_made) < 40
    assert marked(desk)[0] == "Question 0"
    copied = desk.copied().text()
    assert copied.count("Question ") == 30
    assert copied.endswith("Answer:\n\nA word,")
    desk.scroll_bar.setValue(desk.scroll_bar.maximum())
    desk.wait(lambda: desk.is_settled)
    assert marked(desk)[-1] == "A word,"
    desk.chat.show_conversation(None)
    QTest.keyClick(desk.chat, Qt.Key.Key_C, CONTROL)
    assert desk.chat.selection.ends is None


def test_thinking_that_is_open_is_selected_with_the_rest(open_chat: Open) -> None:
    desk = open_chat({"thinking": "Some thought.\nAnother.", "text": "An answer."})
    desk.ask("Think")
    desk.click(desk.thinking.findChildren(QPushButton, "thinking")[0])
    thoughts, answer = texts(desk.last)
    desk.drag(thoughts, 5, answer, 2)
    assert desk.copied().text() == "thought.\nAnother.\n\nAn"
    desk.click(desk.thinking.findChildren(QPushButton, "thinking")[0])
    assert marked(desk) == ["An"], "what is closed is not seen"
    desk.last.setFocus()
    QTest.keyClick(desk.focus, Qt.Key.Key_A, CONTROL)
    assert desk.copied().text() == "You:\n\nThink\n\nAnswer:\n\nAn answer.".replace(
        "Answer:", f"{desk.last_message.model}:"
    )
