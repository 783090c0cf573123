"""The Translate tab in the window: its key, its column, what comes from a chat, a summary or another program."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.features.translate.translation_events import TranslationWish
from app.ui.translate.translation_texts import NOT_BEGUN
from tests.helpers.attached import notes
from tests.helpers.desks.window import Frame
from tests.helpers.models_on_disk import write_model
from tests.ui.translate.conftest import ENGLISH, MODEL, PORTUGUESE

TRANSLATE = "translate TranslateView translations_column"
WISH = TranslationWish("pt-BR")


def keep(frame: Frame, source: str = ENGLISH, target: str = PORTUGUESE) -> int:
    """A typed text that is in the list."""
    return frame.translations.keep_text(source, target, WISH, "en", MODEL).id


def use_translator(frame: Frame, folder: Path) -> None:
    """The chat's model knows many languages."""
    path = folder / MODEL
    write_model(path, **{"tokenizer.chat_template": "{{ messages }}"})
    frame.app.change_settings("engine", model_path=str(path), known_models=(str(path),))
    frame.app.change_settings("translations", target="pt-BR")
    frame.loader.path = path


def test_a_text_is_found_by_a_word_of_either_side_and_renamed_in_its_row(frame: Frame, qtbot: QtBot) -> None:
    number, other = keep(frame), keep(frame, "Keys: two.", "Chaves: duas.")
    frame.key(Qt.Key.Key_3)
    column = frame.translation_list
    column.find_words("chaves")
    qtbot.waitUntil(lambda: len(column.rows) == 2)
    assert column.has_row(other)
    column.find_words("")
    qtbot.waitUntil(lambda: len(column.rows) == 3)
    column.rename(number, "The lease")
    qtbot.waitUntil(lambda: frame.translation_list.row_of(number) == "The lease")


def test_an_answer_is_translated_at_once(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    use_translator(frame, tmp_path)
    frame.chat.ask_to_translate(ENGLISH)
    assert frame.shown == TRANSLATE
    tab = frame.translate
    assert tab.source.text == ENGLISH
    qtbot.waitUntil(lambda: tab.is_complete)
    assert tab.text_id is None or tab.text_id > 0
    frame.chat.ask_to_translate("Keys: two.")
    assert tab.source.text == "Keys: two."
    assert [one.title for one in frame.translations.find()] == [ENGLISH], "what was there is kept"
    assert tab.source.hasFocus()


def test_files_dropped_on_the_chat_can_be_translated(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    plan = notes(tmp_path / "plan.txt", "We begin in May.")
    assert frame.hint(plan) == "Ask about it, Summarize, Translate, Write"
    frame.drop(plan, share=0.6)
    assert frame.shown == TRANSLATE
    assert frame.chat.files == []
    qtbot.waitUntil(lambda: [one.name for one in frame.translations.find()] == ["plan.txt"])
    assert frame.hint(plan) == "Drop to translate"
    number = frame.translations.find()[0].id
    qtbot.waitUntil(lambda: frame.open_translation == number)
    qtbot.waitUntil(lambda: frame.translation_list.row_of(number) == f"plan.txt · {NOT_BEGUN}")
    assert frame.translate.document.has_keyboard
