"""Finding in the open conversation, as browsers do: counted, stepped through by keys, marked where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.events import Role
from app.ui.chat.chat_view import ChatView
from app.ui.chat.find import first_seen, seen_of, texts_in
from app.ui.text.search_row import NO_MATCHES
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.desk import NO_KEYS
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.ui.chat.conftest import Open, add_turns

Key, SHIFT = Qt.Key, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def whole_frame(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    """A window with the real chat in it."""
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with open_window(qapp, make_chat=ChatView) as frame:
        yield frame


def conversation(desk: ChatDesk, *texts: str) -> list[int]:
    """Opens a chat with these questions and answers; returns the messages' ids."""
    chat, parent, ids = desk.conversations.create(title="x").id, None, []
    for number, text in enumerate(texts):
        parent = desk.conversations.add_message(chat, parent, (Role.USER, Role.ASSISTANT)[number % 2], text).id
        ids.append(parent)
    desk.chat.show_conversation(chat)
    return ids


def look_for(desk: ChatDesk, words: str) -> None:
    """Types into the bar, and waits until it has counted."""
    desk.chat.finding.begin()
    search = desk.chat.finding.search
    search.field.clear()
    QTest.keyClicks(search.field, words)
    QTest.keyClick(search.field, Key.Key_Return)
    desk.wait(search.count.text)


def counted(desk: ChatDesk) -> str:
    return desk.chat.finding.search.count.text()


def marked(desk: ChatDesk) -> list[tuple[str, bool]]:
    """What is marked in the turns that are there, and whether it is the chosen place."""
    found = []
    for turn in desk.transcript.turns:
        for view in texts_in(turn):
            for one in view.extraSelections():
                is_chosen = one.format.background().color().name().upper() == desk.theme.tokens.accent
                found.append((one.cursor.selectedText(), is_chosen))
    return found


def test_places_are_counted_marked_and_stepped_through_round_the_end(open_chat: Open) -> None:
    desk = open_chat(loaded=False)
    table = "| Kiln | x |\n|---|---|\n| a | the kiln |"
    conversation(desk, "Which kiln? 🏺 A KILN!", f"A **ki**ln.\n\n```py\nkiln = __kiln__\n```\n\n{table}", "Thanks")
    look_for(desk, "kiln")
    desk.wait(lambda: counted(desk) == "1 of 7")
    assert [text.lower() for text, _ in marked(desk)] == ["kiln"] * 7
    assert [is_chosen for _, is_chosen in marked(desk)] == [True] + [False] * 6
    field = desk.chat.finding.search.field
    for key, modifier, said in (
        (Key.Key_Return, NO_KEYS, "2 of 7"),
        (Key.Key_F3, NO_KEYS, "3 of 7"),
        (Key.Key_F3, SHIFT, "2 of 7"),
        (Key.Key_Return, SHIFT, "1 of 7"),
        (Key.Key_Return, SHIFT, "7 of 7"),
    ):
        QTest.keyClick(field, key, modifier)
        assert counted(desk) == said
    assert [is_chosen for _, is_chosen in marked(desk)] == [False] * 6 + [True]
    look_for(desk, "zebra")
    assert counted(desk) == NO_MATCHES
    assert marked(desk) == []


def test_a_place_far_away_is_brought_into_view_and_new_turns_are_marked_as_they_come(open_chat: Open) -> None:
    desk = open_chat(loaded=False)
    chat = add_turns(desk, 200, text="needle\n\n" + "Long words that fill a line or two of the answer. " * 8)
    desk.chat.show_conversation(chat)
    look_for(desk, "needle")
    desk.wait(lambda: counted(desk).endswith("of 200"))
    assert int(counted(desk).split()[0]) > 190, "the first one that is seen"
    assert len(desk.transcript.turns) < 60
    while counted(desk) != "1 of 200":
        QTest.keyClick(desk.chat.finding.search.field, Key.Key_F3)
    desk.wait(lambda: first_seen(desk.transcript) <= 1)
    QTest.keyClick(desk.chat.finding.search.field, Key.Key_F3)
    desk.wait(lambda: (marked(desk)[:2]) == [("needle", False), ("needle", True)])
    bar = desk.transcript.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    middle = desk.transcript.column.turn_at(first_seen(desk.transcript) + 1 | 1)
    desk.wait(lambda: any(view.extraSelections() for view in texts_in(middle)))


def test_escape_closes_takes_the_marks_away_and_gives_the_keyboard_back(open_chat: Open) -> None:
    desk = open_chat(loaded=False)
    conversation(desk, "kiln", "kiln")
    desk.field.setFocus()
    look_for(desk, "kiln")
    assert marked(desk)
    QTest.keyClick(desk.chat.finding.search.field, Key.Key_Escape)
    assert (desk.chat.finding.isVisible(), marked(desk)) == (False, [])
    assert desk.chat.window().focusWidget() is desk.field
    look_for(desk, "kiln")
    desk.field.setFocus()
    QTest.keyClick(desk.field, Key.Key_F3)
    assert counted(desk) == "2 of 2", "F3 works from the message field, too"
    desk.chat.show_conversation(None)
    assert not desk.chat.finding.isVisible()
    assert not desk.chat.finding.begin(), "there is nothing to find in"


def test_a_message_on_another_branch_is_shown_with_its_words_marked(open_chat: Open) -> None:
    desk = open_chat(loaded=False)
    question, first = conversation(desk, "kiln?", "the first kiln answer")
    chat = desk.chat.conversation_id
    desk.conversations.add_message(chat, question, Role.ASSISTANT, "the second one")
    desk.chat.show_conversation(chat)
    assert desk.transcript.turns[-1].text == "the second one"
    desk.chat.show_message(first, "kil ans")
    assert desk.transcript.turns[-1].text == "the first kiln answer"
    desk.wait(lambda: [text for text, _ in marked(desk)] == ["ans"] or len(marked(desk)) == 1)
    desk.chat.show_message(first, "kiln ans")
    assert [text for text, _ in marked(desk)] == ["kiln", "ans"]
    desk.chat.finding.marks.clear()
    assert marked(desk) == []


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("**bold** and *it* `a_b`", "bold and it a_b"),
        ("see [there](https://a.b/kiln) now", "see [there] now"),
        ("```py\n__init__ * 2\n```\nafter", "__init__ * 2\n\nafter"),
        ("```\nopen **end", "open **end"),
        ("## Head\n> quote snake_case_name", "Head\nquote snake_case_name"),
        ("2 * 3 _is_ 6", "2 * 3 is 6"),
    ],
)
def test_what_is_seen_of_markdown(markdown: str, seen: str) -> None:
    assert seen_of(markdown) == seen


def test_ctrl_f_finds_in_the_chat_and_with_the_keyboard_in_the_column_searches_the_list(
    whole_frame: Frame, qtbot: QtBot
) -> None:
    frame = whole_frame
    letter = frame.conversations.create(title="Letter").id
    frame.conversations.add_message(letter, None, Role.USER, "Dear Ms Vogel")
    frame.show_chat(None)
    frame.key(Qt.Key.Key_F)
    assert frame.chats.search_text.hasFocus(), "nothing is said yet"
    frame.show_chat(letter)
    frame.chat.focus_composer()
    frame.key(Qt.Key.Key_F)
    assert frame.chat.finding.search.field.hasFocus()
    qtbot.keyClick(frame.chat.finding.search.field, Qt.Key.Key_Escape)
    assert frame.chat.composer.field.edit.hasFocus()
    frame.chats.list.setFocus()
    frame.key(Qt.Key.Key_F)
    assert frame.chats.search_text.hasFocus()
    frame.chat.focus_composer()
    frame.key(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert frame.chats.search_text.hasFocus()
