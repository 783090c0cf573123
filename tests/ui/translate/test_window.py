"""The Translate tab in the window: its key, its column, what comes from a chat, a summary or another program."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from app.features.translation.result import TranslationWish
from app.ui.translate.translate_view import TranslateView
from tests.helpers.attached import notes
from tests.helpers.clipping import clipped_texts
from tests.helpers.models_on_disk import write_model
from tests.helpers.ui import Frame, open_window
from tests.ui.test_views import button, drop_at, hint, press, shown
from tests.ui.translate.conftest import ENGLISH, MODEL, PORTUGUESE

TRANSLATE = "translate TranslateView translations_column"
WISH = TranslationWish("pt-BR")


def view_of(frame: Frame) -> TranslateView:
    found = frame.window.findChild(TranslateView)
    assert found is not None
    return found


def keep(frame: Frame, source: str = ENGLISH, target: str = PORTUGUESE) -> int:
    """A typed text that is in the list."""
    return frame.app.translations.keep_text(source, target, WISH, "en", MODEL).id


def use_translator(frame: Frame, folder: Path) -> None:
    """The chat's model knows many languages."""
    path = folder / MODEL
    write_model(path, **{"tokenizer.chat_template": "{{ messages }}"})
    frame.app.change("engine", model_path=str(path), known_models=(str(path),))
    frame.app.change("translations", target="pt-BR")
    frame.loader.path = path


def row_of(frame: Frame, number: int) -> str:
    column = frame.window.views._translations().column
    return str(column.model.index_of(number).data())


def click_row(frame: Frame, qtbot: QtBot, number: int) -> None:
    column = frame.window.views._translations().column
    qtbot.waitUntil(lambda: column.model.index_of(number).isValid())
    place = column.list.visualRect(column.model.index_of(number)).center()
    qtbot.mouseClick(column.list.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_the_tab_is_opened_by_key_and_by_click_and_one_can_type_at_once(frame: Frame, qtbot: QtBot) -> None:
    press(frame, qtbot, Qt.Key.Key_3)
    assert shown(frame) == TRANSLATE
    assert frame.window.windowTitle() == "Translate – Fireside"
    assert view_of(frame).text.panes.source.hasFocus()
    press(frame, qtbot, Qt.Key.Key_1)
    assert frame.chat.composer.hasFocus()
    qtbot.mouseClick(button(frame, "tab_translate"), Qt.MouseButton.LeftButton)
    assert shown(frame) == TRANSLATE


def test_keys_mean_the_translations_in_their_tab(frame: Frame, qtbot: QtBot) -> None:
    number = keep(frame)
    press(frame, qtbot, Qt.Key.Key_3)
    click_row(frame, qtbot, number)
    assert view_of(frame).translation_id == number
    assert frame.window.windowTitle() == f"{ENGLISH} – Fireside"
    press(frame, qtbot, Qt.Key.Key_F)
    focus = QApplication.focusWidget()
    assert focus is not None
    assert focus.accessibleName() == "Search translations"
    press(frame, qtbot, Qt.Key.Key_N)
    assert view_of(frame).translation_id is None
    assert view_of(frame).text.panes.source.text == ""
    press(frame, qtbot, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    dialog = frame.window.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.windowTitle() == "Choose documents to translate"
    dialog.reject()


def test_the_last_tab_and_the_last_translation_come_back(qapp: QApplication, qtbot: QtBot) -> None:
    with open_window(qapp) as frame:
        number = keep(frame)
        press(frame, qtbot, Qt.Key.Key_3)
        click_row(frame, qtbot, number)
    with open_window(qapp) as frame:
        qtbot.waitUntil(lambda: shown(frame) == TRANSLATE)
        assert view_of(frame).translation_id == number
        assert view_of(frame).text.panes.source.text == ENGLISH
        press(frame, qtbot, Qt.Key.Key_2)
    with open_window(qapp) as frame:
        qtbot.waitUntil(lambda: shown(frame).startswith("summarize"))
        press(frame, qtbot, Qt.Key.Key_3)
        assert view_of(frame).translation_id == number, "though the tab was not open"
        frame.app.translations.delete(number)
    with open_window(qapp) as frame:
        qtbot.waitUntil(lambda: shown(frame) == TRANSLATE)
        assert view_of(frame).translation_id is None


def test_what_was_just_typed_is_there_after_the_window_was_closed(qapp: QApplication, qtbot: QtBot) -> None:
    with open_window(qapp) as frame:
        press(frame, qtbot, Qt.Key.Key_3)
        qtbot.keyClicks(view_of(frame).text.panes.source, "Half a thought")
    with open_window(qapp) as frame:
        qtbot.waitUntil(lambda: shown(frame) == TRANSLATE)
        assert view_of(frame).text.panes.source.text == "Half a thought"
        assert len(frame.app.translations.find()) == 1


def test_a_deleted_text_leaves_the_middle_and_comes_back_with_undo(frame: Frame, qtbot: QtBot) -> None:
    number = keep(frame)
    press(frame, qtbot, Qt.Key.Key_3)
    click_row(frame, qtbot, number)
    column = frame.window.views._translations().column
    column.list.setFocus()
    qtbot.keyClick(column.list, Qt.Key.Key_Delete)
    assert view_of(frame).text.panes.source.text == ""
    assert frame.app.translations.find() == []
    undo = next(one for one in frame.notify.bar.findChildren(QPushButton) if one.text() == "Undo")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert view_of(frame).translation_id == number
    assert view_of(frame).text.panes.source.text == ENGLISH


def test_a_text_is_found_by_a_word_of_either_side_and_renamed_in_its_row(frame: Frame, qtbot: QtBot) -> None:
    number, other = keep(frame), keep(frame, "Keys: two.", "Chaves: duas.")
    press(frame, qtbot, Qt.Key.Key_3)
    column = frame.window.views._translations().column
    column.search.setText("chaves")
    qtbot.waitUntil(lambda: column.model.rowCount() == 2)
    assert column.model.index_of(other).isValid()
    column.search.setText("")
    qtbot.waitUntil(lambda: column.model.rowCount() == 3)
    column.rename(column.model.index_of(number))
    editor = QApplication.focusWidget()
    assert editor is not None
    qtbot.keyClicks(editor, "The lease")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: row_of(frame, number) == "The lease")


def test_an_answer_is_translated_at_once(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    use_translator(frame, tmp_path)
    frame.chat.translate_wanted.emit(ENGLISH)
    assert shown(frame) == TRANSLATE
    page = view_of(frame).text
    assert page.panes.source.text == ENGLISH
    qtbot.waitUntil(lambda: page.paragraphs.is_complete, timeout=10_000)
    assert page.text_id is None or page.text_id > 0
    frame.chat.translate_wanted.emit("Keys: two.")
    assert page.panes.source.text == "Keys: two."
    assert [one.title for one in frame.app.translations.find()] == [ENGLISH], "what was there is kept"
    assert page.panes.source.hasFocus()


def test_files_dropped_on_the_chat_can_be_translated(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    plan = notes(tmp_path / "plan.txt", "We begin in May.")
    assert hint(frame, plan) == "Ask about it, Summarize, Translate"
    drop_at(frame, 0.9, plan)
    assert shown(frame) == TRANSLATE
    assert frame.chat.attaching.files == []
    qtbot.waitUntil(lambda: [one.name for one in frame.app.translations.find()] == ["plan.txt"], timeout=10_000)
    assert hint(frame, plan) == "Drop to translate"
    number = frame.app.translations.find()[0].id
    qtbot.waitUntil(lambda: view_of(frame).translation_id == number)
    qtbot.waitUntil(lambda: row_of(frame, number) == "plan.txt · not begun")
    assert view_of(frame).document.page.segments.hasFocus()


def test_a_document_of_a_chat_goes_over_to_the_translations(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    frame.chat.attaching.translate_wanted.emit(notes(tmp_path / "plan.txt", "We begin in May."))
    assert shown(frame) == TRANSLATE
    qtbot.waitUntil(lambda: [one.name for one in frame.app.translations.find()] == ["plan.txt"], timeout=10_000)


def test_the_tabs_model_is_its_own_and_says_what_can_be_translated(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    press(frame, qtbot, Qt.Key.Key_3)
    page = view_of(frame).text
    qtbot.waitUntil(lambda: page.panes.are_needs_shown)
    path = tmp_path / MODEL
    write_model(path, **{"tokenizer.chat_template": "{{ messages }}"})
    frame.app.change("engine", known_models=(str(path),))
    menu = frame.window.picker.menu_now()
    next(action for action in menu.actions() if action.text().startswith("Hy MT2 1.8B")).trigger()
    menu.deleteLater()
    qtbot.waitUntil(lambda: not page.panes.are_needs_shown)
    assert page.able.translates
    assert Path(frame.app.settings.models.translate_path) == path
    assert frame.app.settings.engine.model_path == "", "the chat keeps its own"


@pytest.mark.parametrize("zoom", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_clipped_in_the_window(frame: Frame, qtbot: QtBot, zoom: float, scheme: str) -> None:
    number = keep(frame)
    press(frame, qtbot, Qt.Key.Key_3)
    click_row(frame, qtbot, number)
    frame.theme.zoom, frame.theme.scheme = zoom, scheme
    frame.window.resize(900, 600)
    assert clipped_texts(frame.window.left) == []
    assert clipped_texts(frame.window) == []
