"""What can be done with a turn: forked, quoted, edited as Markdown, written again by another model, mapped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QMenu

from app.core.events import CANCELLED, AnswerStats, FinishReason, Role
from app.store.message_rows import MessageState, StoredMessage
from app.ui.chat.actions import PIN_MESSAGE, PREVIOUS_VERSION
from app.ui.chat.answer_view import (
    ASK_ANOTHER_MODEL,
    COPY_AS_TEXT,
    COPY_ITS_CODE,
    READ_AS_MARKDOWN,
    REGENERATE,
)
from app.ui.chat.details import (
    AT_LENGTH_LIMIT,
    BY_ITSELF,
    ENDED,
    FIRST_TOKEN_AFTER,
    GUESSED,
    GUESSES_ENDED,
    GUESSES_KEPT,
    OF_THAT,
    SPEED,
    THINKING_TOKENS,
    THOUGHT_FOR,
    TOKENS_REUSED,
    TOTAL_TIME,
    VERSION,
    WRITTEN,
    WRITTEN_BY,
    AnswerDetails,
    BranchMap,
    rows_of,
)
from app.ui.shared_labels import (
    ABOUT_THIS_ANSWER,
    CONTINUE,
    COPY,
    COPY_AS_MARKDOWN,
    DELETE,
    EDIT_LABEL,
    FORK_CHAT,
    MINUTES_AND_SECONDS,
    PROMPT_LABEL,
    REMEMBER_ANSWER,
    SAVE_AS_PROMPT,
    TOKEN_COUNT,
    TOKENS_PER_SECOND,
    TRANSLATE_THIS,
)
from tests.helpers.attached import notes
from tests.helpers.clipping import clipped_texts
from tests.helpers.picture_files import picture
from tests.ui.chat.conftest import Open
from tests.ui.chat.test_selection import marked

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
FORK = FORK_CHAT
MOST_LINES = 8


def test_a_fork_has_everything_up_to_its_turn_and_leaves_the_other_chat_as_it_was(
    open_chat: Open, tmp_path: Path
) -> None:
    desk = open_chat({"text": "Fine."})
    desk.attach(notes(tmp_path / "notes.txt", "Buy milk."))
    desk.ask("First")
    desk.ask("Second")
    before = desk.chat.conversation_id
    desk.type("a draft")
    desk.click_action(desk.turns[1], FORK)
    assert desk.chat.conversation_id not in (None, before)
    assert desk.texts == ["First", "Fine."]
    assert [len(desk.chips_of(desk.question()))] == [1]
    assert desk.message == ""
    assert [one.title for one in desk.conversations.find()] == ["First (fork)", "First"]
    desk.ask("Third")
    assert [text for _, text in desk.prompts()[-1]][-2:] == ["Fine.", "Third"]
    desk.chat.show_conversation(before)
    assert desk.texts == ["First", "Fine.", "Second", "Fine."]
    assert desk.message == "a draft"


def test_everything_that_can_be_done_is_in_one_menu_by_pointer_and_by_keyboard(open_chat: Open) -> None:
    desk = open_chat({"text": "Some **bold** text.\n\n```py\n1\n```", "times": 1}, {"text": "Two."})
    desk.ask("Hi")
    copies = [COPY, COPY_AS_TEXT, COPY_AS_MARKDOWN, COPY_ITS_CODE]
    changes = [EDIT_LABEL, FORK, READ_AS_MARKDOWN, TRANSLATE_THIS, REMEMBER_ANSWER, PIN_MESSAGE]
    wanted = [*copies, REGENERATE, ASK_ANOTHER_MODEL, *changes, ABOUT_THIS_ANSWER, DELETE]
    menu = desk.open_menu(desk.last)
    in_row = [COPY, REGENERATE, ABOUT_THIS_ANSWER]
    assert desk.menu_lines(menu) == [line for line in wanted if line not in in_row], "the row has them in sight"
    menu.close()
    desk.wait(lambda: not desk.every(QMenu, "action_menu"))
    menu = desk.menu_at(desk.last)
    assert desk.menu_lines(menu) == wanted
    assert clipped_texts(menu) == []
    assert len([action for action in menu.actions() if not action.isSeparator()]) <= MOST_LINES
    menu.close()
    desk.last.setFocus()
    for key, modifier in ((Qt.Key.Key_Menu, Qt.KeyboardModifier.NoModifier), (Qt.Key.Key_F10, SHIFT)):
        QTest.keyClick(desk.last, key, modifier)
        desk.wait(lambda: desk.has(QMenu, "action_menu"))
        QTest.keyClick(desk.find_step(QMenu, "action_menu"), Qt.Key.Key_Escape)
        desk.wait(lambda: not desk.every(QMenu, "action_menu"))
    menu = desk.menu_at(desk.last)
    QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert QGuiApplication.clipboard().text() == "Some **bold** text.\n\n```py\n1\n```"
    question = [COPY, EDIT_LABEL, FORK, SAVE_AS_PROMPT, REMEMBER_ANSWER, changes[-1], DELETE]
    assert desk.menu_lines(desk.menu_at(desk.turns[0])) == question


def test_a_turn_that_has_the_keyboard_hears_the_keys_of_its_menu(open_chat: Open) -> None:
    desk = open_chat({"text": "Some **bold** text.\n\n```py\n1\n```", "times": 1}, {"text": "Two."})
    desk.ask("Hi")
    desk.last.setFocus()
    QTest.keyClick(desk.last, Qt.Key.Key_C, CONTROL | SHIFT)
    assert QGuiApplication.clipboard().text() == "Some **bold** text.\n\n```py\n1\n```"
    desk.click_action(desk.last, COPY_AS_TEXT)
    assert QGuiApplication.clipboard().text() == "Some bold text.\n\n1"
    desk.click_action(desk.last, COPY_ITS_CODE)
    assert QGuiApplication.clipboard().text() == "1"
    with desk.hears(desk.chat.answer_finished):
        QTest.keyClick(desk.last, Qt.Key.Key_R, CONTROL)
    assert desk.last_text == "Two."
    QTest.keyClick(desk.last, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert desk.last_text != "Two."
    QTest.keyClick(desk.last, Qt.Key.Key_F2)
    assert desk.last.editor is not None
    QTest.keyClick(desk.last.editor.edit, Qt.Key.Key_Escape)
    QTest.keyClick(desk.turns[0], Qt.Key.Key_Delete)
    assert desk.texts == []


def test_arrows_with_modifiers_work_on_every_button_of_a_turn(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "Sealed.\n\n```py\n1\n```", "thinking": "With paste."}, load={"sees": True})
    filler = (f"Paragraph {n}. " + " ".join(f"word{n * 50 + m}" for m in range(50)) for n in range(200))
    desk.attach(notes(tmp_path / "manual.txt", *filler, "The zirconium valve is sealed with copper paste."))
    desk.attaching.add([picture(tmp_path / "red.png")])
    desk.wait(lambda: len(desk.row.chips) == 2 and not desk.attaching.waits_for)
    desk.ask("How is the zirconium valve sealed?")
    question, answer = desk.turns
    seen = set()
    for turn in (question, answer):
        turn.setFocus()
        buttons = [found for found in turn.findChildren(QAbstractButton) if found.isVisible()]
        seen |= {type(button).__name__ for button in buttons}
        for button in buttons:
            for key, modifier, arrived in (
                (Qt.Key.Key_Up, CONTROL, question),
                (Qt.Key.Key_Down, CONTROL, answer if turn is question else desk.field),
            ):
                button.setFocus()
                QTest.keyClick(button, key, modifier)
                assert desk.focus is arrived, (button, key)
            button.setFocus()
            QTest.keyClick(button, Qt.Key.Key_Down, SHIFT)
            QTest.keyClick(button, Qt.Key.Key_Down, SHIFT)
            assert turn.isAncestorOf(desk.focus), button
            assert marked(desk), button
            QTest.keyClick(button, Qt.Key.Key_Escape)
            assert not marked(desk)
    assert {"DocumentChip", "PageChip", "SentPicture", "RowIcon", "TextButton"} <= seen


def test_an_answer_is_edited_as_markdown_and_goes_on_from_there(open_chat: Open) -> None:
    desk = open_chat({"text": "Some **bold** text.", "times": 1}, {"text": " And more."})
    desk.ask("Hi")
    desk.click_action(desk.last, EDIT_LABEL)
    editor = desk.last.editor
    assert editor is not None
    assert editor.edit.toPlainText() == "Some **bold** text."
    assert not desk.is_last_body_visible
    assert clipped_texts(desk.chat) == []
    QTest.keyClick(editor.edit, Qt.Key.Key_Escape)
    assert desk.is_last_body_visible
    desk.click_action(desk.last, EDIT_LABEL)
    editor = desk.last.editor
    assert editor is not None
    editor.edit.selectAll()
    QTest.keyClicks(editor.edit, "Mine,")
    QTest.keyClick(editor.edit, Qt.Key.Key_Return)
    QTest.keyClicks(editor.edit, "*two lines*")
    QTest.keyClick(editor.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert desk.texts == ["Hi", "Mine,\n*two lines*"]
    assert desk.last_message is not None
    assert (len(desk.last_message.versions), desk.last_message.stats) == (2, None)
    with desk.hears(desk.chat.answer_finished):
        desk.click_action(desk.last, CONTINUE)
    assert desk.last_text == "Mine,\n*two lines* And more."
    desk.click_action(desk.last, PREVIOUS_VERSION)
    assert desk.last_text == "Some **bold** text."
    desk.click_action(desk.last, EDIT_LABEL)
    editor = desk.last.editor
    assert editor is not None
    editor.edit.selectAll()
    QTest.keyClicks(editor.edit, "All of it.")
    QTest.keyClick(editor.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert desk.last.toolbar.row is not None
    assert desk.last.toolbar.row.button(CONTINUE) is None, "nothing was cut"


def test_the_map_of_versions_leads_to_any_branch_and_loses_none(open_chat: Open) -> None:
    desk = open_chat({"text": "One.", "times": 1}, {"text": "Two.", "times": 1}, {"text": "Three."})
    desk.ask("First")
    with desk.hears(desk.chat.answer_finished):
        desk.click_action(desk.last, REGENERATE)
    desk.ask("After two")
    with desk.hears(desk.chat.answer_finished):
        desk.click_action(desk.turns[1], REGENERATE)
    assert desk.texts == ["First", "Three."]
    tree = desk.open_map(desk.last)
    model = desk.last_message.model
    assert desk.branches(tree) == [f"{model}: One.", f"{model}: Two.  · 2 more", f"{model}: Three."]
    assert clipped_texts(tree.window()) == []
    current = tree.currentItem()
    assert current is not None
    assert current.data(0, Qt.ItemDataRole.AccessibleTextRole) == f"Version 3 of 3, {model}: Three., shown now"
    QTest.keyClick(tree, Qt.Key.Key_Up)
    QTest.keyClick(tree, Qt.Key.Key_Return)
    assert desk.texts == ["First", "Two.", "After two", "Three."]
    assert desk.chat.focusWidget() is desk.turns[1]
    tree = desk.open_map(desk.turns[1])
    QTest.keyClick(tree, Qt.Key.Key_Escape)
    desk.wait(lambda: desk.chat.findChildren(BranchMap) == [])
    assert len(desk.texts) == 4


def test_what_is_known_of_an_answer_opens_from_its_note(open_chat: Open) -> None:
    desk = open_chat({"text": "Just a few words."})
    desk.ask("Hello")
    assert desk.last.toolbar.row is not None
    about = desk.last.toolbar.row.about
    about.setFocus()
    QTest.keyClick(about, Qt.Key.Key_Return)
    details = desk.find_step(AnswerDetails)
    rows = dict(details.rows)
    assert rows[WRITTEN_BY] == desk.last_message.model
    stats = desk.last_message.stats
    read = stats.prompt_tokens - stats.reused_tokens
    assert (OF_THAT, f"re-used {stats.reused_tokens:,}, read {read:,}") in details.rows
    assert rows[ENDED] == BY_ITSELF
    assert clipped_texts(details) == []
    QTest.keyClick(details, Qt.Key.Key_Escape)
    desk.wait(lambda: desk.chat.findChildren(AnswerDetails) == [])


@pytest.mark.parametrize(("ended", "told"), [(False, GUESSES_KEPT), (True, GUESSES_ENDED)])
def test_what_was_guessed_of_an_answer_is_told(ended: bool, told: str) -> None:
    stats = replace(CANCELLED, drafted_tokens=1_200, kept_tokens=1_100, drafts_ended=ended)
    message = StoredMessage(7, 1, 6, Role.ASSISTANT, "", MessageState.COMPLETE, "Qwen3 4B", 1.76e9, stats, (7,))
    assert (GUESSED, told.format(kept="1,100", count="1,200")) in rows_of(message)


def test_the_figures_of_an_answer_are_told_in_words() -> None:
    stats = AnswerStats(12_514, 12_480, 210, 0.42, 20.9, FinishReason.LENGTH, thinking_tokens=30)
    message = StoredMessage(
        7, 1, 6, Role.ASSISTANT, "Text", MessageState.COMPLETE, "Qwen3 4B", 1.76e9, stats, (5, 7), "Hm.", 75.0
    )
    assert rows_of(message)[:-1] == [
        (WRITTEN_BY, "Qwen3 4B"),
        (PROMPT_LABEL, TOKEN_COUNT.format(count="12,514")),
        (OF_THAT, TOKENS_REUSED.format(kept="12,480", count=34)),
        (WRITTEN, TOKEN_COUNT.format(count=210)),
        (OF_THAT, THINKING_TOKENS.format(count=30)),
        (FIRST_TOKEN_AFTER, "0.4 s"),
        (SPEED, TOKENS_PER_SECOND.format(speed=21)),
        (TOTAL_TIME, "10.4 s"),
        (ENDED, AT_LENGTH_LIMIT),
        (THOUGHT_FOR, MINUTES_AND_SECONDS.format(minutes=1, seconds=15)),
        (VERSION, "2 of 2"),
    ]
