"""Prompts in a message: the list behind a slash, blanks that Tab goes through, and the dialog of all of them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QLineEdit, QMenu, QPlainTextEdit, QPushButton

from app.features.prompt_library import BUILTIN, PromptLibrary
from app.ui.chat.composer_prompts import EDIT_PROMPTS, SEND_AS_IT_IS, PromptList
from app.ui.chat.prompt_dialog import EXPORT_YOUR_PROMPTS, OFFER_BUILT_IN_PROMPTS, PROMPT_FIELDS, PromptDialog
from app.ui.shared_labels import COPY_OF, SAVE_AS_PROMPT, UNDO
from app.ui.shell.incoming_files import IMPORT_LABEL
from tests.helpers.desks.chat import ChatDesk
from tests.ui.chat.conftest import Open

KEYS = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


def library(desk: ChatDesk) -> PromptLibrary:
    return desk.app.chats.prompts()


def offered(desk: ChatDesk) -> list[str]:
    """What the list above the composer offers."""
    lists = [one for one in desk.every(PromptList) if one.isVisible()]
    return [entry.title for one in lists for entry in one.entries.entries]


def selected(desk: ChatDesk) -> str:
    return desk.field.textCursor().selectedText()


def opened(desk: ChatDesk) -> PromptDialog:
    return next(one for one in desk.every(PromptDialog) if one.isVisible())


def menu_of(desk: ChatDesk) -> QMenu:
    """The context menu of the message."""
    menu = QMenu(desk.root)
    desk.field.menu_wanted.emit(menu, QPoint(2, 2))
    return menu


def test_a_slash_offers_prompts_and_the_one_that_is_taken_asks_for_its_words(open_chat: Open) -> None:
    desk = open_chat({"text": "Oui."})
    library(desk).store.create("Say it in", "Say {text} in {language}, only in {language}.")
    desk.type("/")
    assert offered(desk) == ["Say it in", *(name for _, name, _ in BUILTIN), EDIT_PROMPTS]
    desk.type("say")
    assert offered(desk)[0] == "Say it in"
    desk.press(KEYS.Key_Return)
    assert offered(desk) == []
    assert (desk.message, selected(desk)) == ("Say {text} in {language}, only in {language}.", "{text}")
    desk.type("yes")
    desk.press(KEYS.Key_Tab)
    assert selected(desk) == "{language}"
    desk.type("French")
    desk.press(KEYS.Key_Tab)
    assert desk.message == "Say yes in French, only in French."
    desk.answer_to_enter()
    assert desk.prompts()[-1][-1][1] == "Say yes in French, only in French."
    assert library(desk).all()[0].name == "Say it in", "what was used comes first"


def test_the_list_goes_by_the_keyboard_and_escape_leaves_the_text(open_chat: Open) -> None:
    desk = open_chat()
    desk.type(" /tra")
    assert offered(desk) == ["Translate into…"]
    desk.press(KEYS.Key_Escape)
    assert (offered(desk), desk.message) == ([], " /tra")
    desk.type("n")
    assert offered(desk) == [], "somebody who left it means a slash"
    desk.press(*[KEYS.Key_Backspace] * 5)
    desk.type("/")
    desk.press(KEYS.Key_Down, KEYS.Key_Down, KEYS.Key_Up, KEYS.Key_Tab)
    assert desk.message.strip().startswith("Rewrite the text below")
    desk.press(KEYS.Key_Z, modifier=Qt.KeyboardModifier.ControlModifier)
    assert desk.message == " /", "one step of undo"


def test_a_slash_elsewhere_is_a_slash(open_chat: Open) -> None:
    desk = open_chat()
    for typed in ("and/or", "/etc/passwd is", "/ alone", "/no such prompt"):
        desk.put_message("")
        desk.type(typed)
        assert (offered(desk), desk.message) == ([], typed)
    desk.put_message("")
    desk.type("/")
    assert offered(desk)
    desk.put_message("Another draft")
    assert offered(desk) == []
    desk.put_message("/tra")
    assert offered(desk) == [], "nobody typed it"


def test_what_can_be_filled_is_and_what_cannot_is_asked_for(open_chat: Open) -> None:
    desk = open_chat()
    library(desk).store.create("Look", "Clip: {clipboard}\nHere: {selection}\n{date} {{x}}")
    QGuiApplication.clipboard().setText("copied words\n")
    desk.type("/look")
    desk.press(KEYS.Key_Return)
    first, here, last = desk.message.split("\n")
    assert (first, here) == ("Clip: copied words", "Here: {selection}")
    assert last.endswith(" {x}")
    assert any(character.isdigit() for character in last)
    assert selected(desk) == "{selection}"


def test_sending_with_a_blank_asks_first(open_chat: Open) -> None:
    desk = open_chat({"text": "Fine."})
    library(desk).store.create("Two", "One {a} and {b}.")
    desk.type("/two")
    desk.press(KEYS.Key_Return)
    desk.type("x")
    desk.press(KEYS.Key_Return)
    dialog = desk.find_step(QDialog, "blanks_left")
    assert not desk.turns
    QTest.keyClick(dialog, KEYS.Key_Escape)
    assert (selected(desk), desk.message) == ("{b}", "One x and {b}.")
    desk.press(KEYS.Key_Return)
    dialog = next(one for one in desk.every(QDialog, "blanks_left") if one.isVisible())
    with desk.hears(desk.chat.answer_finished):
        desk.click(next(one for one in dialog.findChildren(QPushButton) if one.text() == SEND_AS_IT_IS))
    assert desk.prompts()[-1][-1][1] == "One x and {b}."


def test_tab_leaves_the_message_behind_the_last_blank(open_chat: Open) -> None:
    desk = open_chat()
    library(desk).store.create("Two", "From {town} to {place}.")
    desk.chat.focus_composer()
    desk.wait(desk.field.hasFocus)
    desk.type("/two")
    desk.press(KEYS.Key_Return)
    assert (selected(desk), desk.field.hasFocus()) == ("{town}", True)
    desk.press(KEYS.Key_Tab)
    assert (selected(desk), desk.field.hasFocus()) == ("{place}", True)
    desk.press(KEYS.Key_Tab)
    assert not desk.field.hasFocus()


def test_prompts_are_made_changed_copied_and_deleted_with_a_way_back(open_chat: Open) -> None:
    desk = open_chat()
    dialog = desk.prompt_library.open_library()
    assert desk.prompt_library.open_library() is dialog, "one is enough"
    name, text = dialog.findChildren(QLineEdit, "prompt_name")[0], dialog.findChildren(QPlainTextEdit, "prompt_text")[0]
    assert name.isReadOnly(), "a built-in one is shown first"
    desk.click(dialog.new)
    QTest.keyClicks(name, "Mine")
    QTest.keyClicks(text, "About {this}")
    assert dialog.about.text() == PROMPT_FIELDS.format(names="this")
    desk.click(dialog.copy)
    assert name.text() == COPY_OF.format(name="Mine")
    QTest.keyClicks(name, "Other")
    dialog.list.setFocus()
    QTest.keyClick(dialog.list, KEYS.Key_Up)
    desk.wait(lambda: name.text() == "Mine")
    assert [(one.name, one.text) for one in library(desk).store.all()] == [
        ("Mine", "About {this}"),
        ("Other", "About {this}"),
    ]
    QTest.keyClick(dialog.list, KEYS.Key_Delete)
    assert [one.name for one in library(desk).store.all()] == ["Other"]
    undo = next(one for one in dialog.findChildren(QPushButton) if one.text() == UNDO)
    desk.click(undo)
    assert [one.name for one in library(desk).store.all()] == ["Mine", "Other"]
    assert name.text() == "Mine"
    desk.click(dialog.use)
    assert (desk.message, selected(desk)) == ("About {this}", "{this}")


def test_a_message_is_saved_as_a_prompt_and_built_in_ones_can_be_hidden(open_chat: Open) -> None:
    desk = open_chat()
    desk.type("Tell me everything that is known about {animal}, in order, with numbers")
    desk.choose(menu_of(desk), SAVE_AS_PROMPT)
    dialog = opened(desk)
    assert dialog.name.text() == "Tell me everything that is known about…"
    assert dialog.focusWidget() is dialog.name
    desk.choose(dialog.show_menu(), OFFER_BUILT_IN_PROMPTS)
    assert [row.title for row in dialog.rows.found] == ["Tell me everything that is known about…"]
    dialog.close()
    desk.put_message("")
    desk.type("/")
    assert offered(desk) == ["Tell me everything that is known about…", EDIT_PROMPTS]


def test_prompts_come_out_of_files_and_go_into_them(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat()
    library(desk).store.create("First", "One {a}")
    dialog = desk.prompt_library.open_library()
    desk.choose(dialog.show_menu(), EXPORT_YOUR_PROMPTS)
    desk.choose_file(tmp_path / "all.json", "export_prompts")
    desk.wait(lambda: (tmp_path / "all.json").exists() and dialog.notify.bar.notices)
    library(desk).store.change(1, name="Renamed")
    desk.choose(dialog.show_menu(), IMPORT_LABEL)
    desk.choose_file(tmp_path / "all.json", "import_prompts")
    desk.wait(lambda: len(library(desk).store.all()) == 2)
    assert [one.name for one in library(desk).store.all()] == ["First", "Renamed"]
    (tmp_path / "bad.json").write_text("[]")
    desk.choose(dialog.show_menu(), IMPORT_LABEL)
    desk.choose_file(tmp_path / "bad.json", "import_prompts")
    desk.wait(lambda: any("bad.json has no prompts" in one.text for one in dialog.notify.bar.notices))
