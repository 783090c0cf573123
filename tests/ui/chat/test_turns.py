"""What can be done with a turn: forked, quoted, edited as Markdown, written again by another model, mapped."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from app.core.events import AnswerStats, CancelToken, FinishReason, Role
from app.store.messages import MessageState, StoredMessage
from app.ui.chat.details import AnswerDetails, BranchMap, rows_of
from app.ui.chat.pair import PairView
from tests.helpers.attached import notes
from tests.helpers.clipping import clipped_texts
from tests.ui.chat.conftest import Open

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
FORK = "Fork: a new chat up to here"
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


def test_what_was_deleted_comes_back_beside_an_answer_that_is_being_written(open_chat: Open) -> None:
    desk = open_chat({"when": "story", "text": "Once upon a time", "held_after": 3, "until": "go"}, {"text": "Fine."})
    desk.ask("First")
    desk.ask("Second")
    desk.click_action(desk.turns[2], "Delete")
    desk.type("A story")
    desk.press(Qt.Key.Key_Return)
    desk.wait(lambda: desk.chat.live.answering is not None and desk.chat.live.answering.has_text)
    desk.press_notice("Undo")
    with desk.hears(desk.chat.answer_finished):
        (desk.script.parent / "go").touch()
    assert desk.texts == ["First", "Fine.", "A story", "Once upon a time"]
    desk.click_action(desk.turns[2], "Previous version")
    assert desk.texts == ["First", "Fine.", "Second", "Fine."]


def test_a_fork_of_a_temporary_chat_is_temporary(open_chat: Open) -> None:
    desk = open_chat({"text": "Fine."})
    desk.chat.show_temporary()
    desk.ask("First")
    desk.ask("Second")
    desk.click_action(desk.turns[1], FORK)
    assert desk.chat.is_temporary
    assert desk.texts == ["First", "Fine."]
    assert desk.conversations.find() == []


def test_with_versions_and_a_cut_answer_the_menu_has_no_more_lines_than_can_be_taken_in(open_chat: Open) -> None:
    desk = open_chat({"text": "One.", "times": 1}, {"text": "Some **bold** text that is cut", "finish": "length"})
    desk.ask("Hi")
    with desk.hears(desk.chat.answer_finished):
        desk.click_action(desk.last, "Regenerate")
    menu = desk.menu_at(desk.last)
    assert {"Continue", "Previous version", "Show two versions side by side"} <= set(desk.menu_lines(menu))
    assert len([action for action in menu.actions() if not action.isSeparator()]) <= MOST_LINES
    menu.close()
    assert desk.last.row is not None
    assert desk.last.row.button("Continue") is None, "the line below the answer has it in words"
    desk.click_action(desk.last, "Previous version")
    assert desk.last_text == "One."


def test_everything_that_can_be_done_is_in_one_menu_by_pointer_and_by_keyboard(open_chat: Open) -> None:
    desk = open_chat({"text": "Some **bold** text.\n\n```py\n1\n```", "times": 1}, {"text": "Two."})
    desk.ask("Hi")
    copies = ["Copy", "Copy as text", "Copy as Markdown", "Copy the code"]
    changes = ["Edit", FORK, "Read as Markdown", "Translate this", "Remember this…", "Pin: the model always sees this"]
    wanted = [*copies, "Regenerate", "Ask another model…", *changes, "About this answer", "Delete"]
    menu = desk.open_menu(desk.last)
    in_row = ["Copy", "Regenerate", "About this answer"]
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
        QTest.keyClick(desk.find(QMenu, "action_menu"), Qt.Key.Key_Escape)
        desk.wait(lambda: not desk.every(QMenu, "action_menu"))
    menu = desk.menu_at(desk.last)
    QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert QGuiApplication.clipboard().text() == "Some **bold** text.\n\n```py\n1\n```"
    question = ["Copy", "Edit", FORK, "Save as a prompt…", "Remember this…", changes[-1], "Delete"]
    assert desk.menu_lines(desk.menu_at(desk.turns[0])) == question


def test_a_turn_that_has_the_keyboard_hears_the_keys_of_its_menu(open_chat: Open) -> None:
    desk = open_chat({"text": "Some **bold** text.\n\n```py\n1\n```", "times": 1}, {"text": "Two."})
    desk.ask("Hi")
    desk.last.setFocus()
    QTest.keyClick(desk.last, Qt.Key.Key_C, CONTROL | SHIFT)
    assert QGuiApplication.clipboard().text() == "Some **bold** text.\n\n```py\n1\n```"
    desk.click_action(desk.last, "Copy as text")
    assert QGuiApplication.clipboard().text() == "Some bold text.\n\n1"
    desk.click_action(desk.last, "Copy the code")
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


def test_an_answer_is_edited_as_markdown_and_goes_on_from_there(open_chat: Open) -> None:
    desk = open_chat({"text": "Some **bold** text.", "times": 1}, {"text": " And more."})
    desk.ask("Hi")
    desk.click_action(desk.last, "Edit")
    editor = desk.last.editor
    assert editor is not None
    assert editor.edit.toPlainText() == "Some **bold** text."
    assert not desk.is_last_body_visible
    assert clipped_texts(desk.chat) == []
    QTest.keyClick(editor.edit, Qt.Key.Key_Escape)
    assert desk.is_last_body_visible
    desk.click_action(desk.last, "Edit")
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
        desk.click_action(desk.last, "Continue")
    assert desk.last_text == "Mine,\n*two lines* And more."
    desk.click_action(desk.last, "Previous version")
    assert desk.last_text == "Some **bold** text."
    desk.click_action(desk.last, "Edit")
    editor = desk.last.editor
    assert editor is not None
    editor.edit.selectAll()
    QTest.keyClicks(editor.edit, "All of it.")
    QTest.keyClick(editor.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert desk.last.row is not None
    assert desk.last.row.button("Continue") is None, "nothing was cut"


def test_an_answer_of_another_model_that_was_chosen_is_a_version_which_names_it(
    open_chat: Open, tmp_path: Path
) -> None:
    desk = open_chat({"text": "One."})
    desk.ask("Who?")
    assert desk.last_message is not None
    first, other = desk.last_message.model, tmp_path / "other-model.gguf"
    other.write_bytes(b"GGUF")
    desk.chat.models.known = lambda: [(tmp_path / "model.gguf", first), (other, "Other")]
    desk.click_action(desk.last, "Ask another model…")
    desk.choose(desk.find(QMenu, "other_models"), "Other")
    pair = desk.find(PairView)
    desk.wait(lambda: not desk.chat.busy and not pair.sides[1].choose.isHidden())
    desk.click(pair.sides[1].choose)
    assert desk.last_message.model not in ("", first)
    assert (len(desk.last_message.versions), desk.last.note().partition(" · ")[0]) == (2, desk.last_message.model)


def test_the_model_that_came_in_for_an_answer_is_its_author(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "One."})
    desk.ask("Who?")
    question = desk.conversations.path(desk.chat.conversation_id or 0)[0]
    events = desk.app.chat.answer(question.id, CancelToken())
    next(events)
    desk.load(tmp_path / "later.gguf")
    list(events)
    assert desk.conversations.path(question.conversation_id)[-1].model == desk.app.engine.loaded.name


def test_the_map_of_versions_leads_to_any_branch_and_loses_none(open_chat: Open) -> None:
    desk = open_chat({"text": "One.", "times": 1}, {"text": "Two.", "times": 1}, {"text": "Three."})
    desk.ask("First")
    with desk.hears(desk.chat.answer_finished):
        desk.click_action(desk.last, "Regenerate")
    desk.ask("After two")
    with desk.hears(desk.chat.answer_finished):
        desk.click_action(desk.turns[1], "Regenerate")
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
    assert desk.last.row is not None
    about = desk.last.row.about
    about.setFocus()
    QTest.keyClick(about, Qt.Key.Key_Return)
    details = desk.find(AnswerDetails)
    rows = dict(details.rows)
    assert rows["Written by"] == desk.last_message.model
    stats = desk.last_message.stats
    read = stats.prompt_tokens - stats.reused_tokens
    assert ("Of that", f"re-used {stats.reused_tokens:,}, read {read:,}") in details.rows
    assert rows["Ended"] == "by itself"
    assert clipped_texts(details) == []
    QTest.keyClick(details, Qt.Key.Key_Escape)
    desk.wait(lambda: desk.chat.findChildren(AnswerDetails) == [])


def test_the_figures_of_an_answer_are_told_in_words() -> None:
    stats = AnswerStats(12_514, 12_480, 210, 0.42, 20.9, FinishReason.LENGTH, thinking_tokens=30)
    message = StoredMessage(
        7, 1, 6, Role.ASSISTANT, "Text", MessageState.COMPLETE, "Qwen3 4B", 1.76e9, stats, (5, 7), "Hm.", 75.0
    )
    assert rows_of(message)[:-1] == [
        ("Written by", "Qwen3 4B"),
        ("Prompt", "12,514 tokens"),
        ("Of that", "re-used 12,480, read 34"),
        ("Written", "210 tokens"),
        ("Of that", "30 of thinking"),
        ("First token after", "0.4 s"),
        ("Speed", "21 tokens/s"),
        ("In all", "10.4 s"),
        ("Ended", "at its length limit"),
        ("Thought for", "1 min 15 s"),
        ("Version", "2 of 2"),
    ]
