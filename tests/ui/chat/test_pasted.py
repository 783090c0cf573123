"""Long pastes: they stay in the message, become documents when somebody wants that, and come back."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QWidget

from app.features.chat import session_messages as m
from app.ui.chat.attaching import REMOVE_ALL
from app.ui.chat.message_field import (
    ATTACH_AS_DOCUMENT,
    CHARACTERS_PASTED,
    LEAVE_IN_MESSAGE,
    OFFERED_CHARACTERS,
    LongText,
    PasteChip,
)
from app.ui.chat.pasted import PASTED_TEXT
from app.ui.shared_labels import EDIT_LABEL, SAVE, UNDO
from app.ui.summarize.summary_texts import WORDS
from tests.helpers.desks.chat import ChatDesk
from tests.ui.chat.conftest import Open

LETTER = "Dear Ana,\n\n" + "The kiln is ready and the glaze is blue. " * 120 + "\n\nYours, Bo"
CTRL = Qt.KeyboardModifier.ControlModifier
assert len(LETTER) > OFFERED_CHARACTERS


def paste_in(desk: ChatDesk, text: str) -> None:
    desk.chat.focus_composer()
    QGuiApplication.clipboard().setText(text)
    desk.paste()


def chips(desk: ChatDesk) -> list[str]:
    """What the chips of pastes say."""
    return [chip.findChildren(QLabel)[0].text() for chip in desk.every(PasteChip) if chip.isVisible()]


def press_in(desk: ChatDesk, widget: QWidget, words: str) -> None:
    """A button of a part of the window, by its words."""
    found = [one for one in widget.findChildren(QPushButton) if one.text() == words]
    desk.wait(lambda: any(one.isVisible() for one in found))
    desk.click(next(one for one in found if one.isVisible()))


def test_a_long_paste_stays_in_the_message_and_is_a_document_with_one_click(open_chat: Open) -> None:
    desk = open_chat({"text": "It is ready."})
    desk.type("See this: ")
    paste_in(desk, LETTER)
    desk.type(" Is it ready?")
    assert desk.message == f"See this: {LETTER} Is it ready?"
    assert chips(desk) == [f"{len(LETTER):,} characters pasted"]
    desk.click(desk.button(ATTACH_AS_DOCUMENT))
    desk.wait_until_attached(1)
    assert (desk.message, chips(desk)) == ("See this:  Is it ready?", [])
    assert desk.attached_names == [PASTED_TEXT.format(words="Dear Ana, The kiln is ready…")]
    told = desk.hear_requests(m.ShowDocument)
    desk.click(desk.chips[0])
    document = desk.documents.open_document(told[0].document_id)
    assert document.read_blocks(1, 1)[0].text == "Dear Ana,"
    desk.answer_to_enter()
    asked = desk.prompts()[-1][-1][1]
    assert "Yours, Bo" in asked
    assert asked.endswith("See this:  Is it ready?")


def test_undo_brings_a_paste_back_and_redo_attaches_it_again(open_chat: Open) -> None:
    desk = open_chat()
    paste_in(desk, LETTER)
    desk.click(desk.button(ATTACH_AS_DOCUMENT))
    desk.wait_until_attached(1)
    desk.type("What is blue?")
    for _ in range(20):
        if desk.message.endswith("Bo"):
            break
        desk.press(Qt.Key.Key_Z, modifier=CTRL)
    assert (desk.message, desk.attached, desk.in_draft) == (LETTER, [], [])
    desk.press(Qt.Key.Key_Y, modifier=CTRL)
    desk.wait_until_attached(1)
    assert desk.message == ""


def test_what_is_selected_can_be_a_document_and_short_pastes_offer_nothing(open_chat: Open) -> None:
    desk = open_chat()
    paste_in(desk, "a few words")
    assert chips(desk) == []
    desk.field.moveCursor(QTextCursor.MoveOperation.WordLeft, QTextCursor.MoveMode.KeepAnchor)
    menu = QMenu(desk.root)
    desk.field.menu_wanted.emit(menu, QPoint())
    desk.choose(menu, "Attach the selection")
    desk.wait_until_attached(1)
    assert (desk.message, desk.attached_names) == ("a few ", [PASTED_TEXT.format(words=WORDS)])


def test_an_offer_goes_when_it_is_declined_or_its_text_is_deleted(open_chat: Open) -> None:
    desk = open_chat()
    paste_in(desk, "line\n" * 70)
    assert chips(desk) == [CHARACTERS_PASTED.format(count=350)]
    desk.click(desk.button(LEAVE_IN_MESSAGE))
    assert chips(desk) == []
    paste_in(desk, LETTER)
    desk.field.selectAll()
    desk.press(Qt.Key.Key_Delete)
    assert (chips(desk), desk.message) == ([], "")


def test_a_text_that_is_too_long_for_the_field_is_edited_in_a_dialog_also_while_it_waits(open_chat: Open) -> None:
    text = "many words " * 12_000
    desk = open_chat({"when": "hold", "text": "One two three four five", "held_after": 3, "until": "go"})
    desk.type("hold")
    desk.press(Qt.Key.Key_Return)
    desk.wait(lambda: "two" in desk.last_text)
    paste_in(desk, text)
    assert chips(desk) == [f"Pasted text, {len(text):,} characters"]
    desk.press(Qt.Key.Key_Return)
    chip = desk.queue.chips[0]
    chip.start_editing()
    press_in(desk, chip, EDIT_LABEL)
    dialog = desk.find_step(LongText)
    QTest.keyClicks(dialog.edit, "Not so ")
    dialog.accept()
    press_in(desk, chip, SAVE)
    assert desk.queue.chips[0].text.startswith("Not so many words")


def test_a_document_that_was_taken_out_comes_back_in_its_place(open_chat: Open) -> None:
    desk = open_chat()
    for text in ("first " * 900, "second " * 900):
        paste_in(desk, text)
        desk.click(desk.button(ATTACH_AS_DOCUMENT))
    desk.wait_until_attached(2)
    names = desk.attached_names
    desk.click(desk.chips[0].remove)
    assert desk.attached_names == names[1:]
    desk.press_notice(UNDO)
    desk.wait_until_attached(2)
    assert desk.attached_names == names
    desk.choose(desk.menu_of(desk.chips[0]), REMOVE_ALL)
    assert (desk.attached, desk.in_draft) == ([], [])
    desk.press_notice(UNDO)
    desk.wait_until_attached(2)
    assert desk.attached_names == names


def test_of_a_temporary_chat_a_pasted_document_is_nowhere_on_the_disk(open_chat: Open) -> None:
    desk = open_chat()
    desk.chat.show_temporary()
    secret = "persimmon " * 500
    paste_in(desk, secret)
    desk.click(desk.button(ATTACH_AS_DOCUMENT))
    desk.wait_until_attached(1)
    files = [path for path in desk.paths.data.rglob("*") if path.is_file()]
    assert files
    assert not any(b"persimmon" in path.read_bytes() for path in files)
