"""Typed text: translated as the typing pauses, not asked again where it is unchanged, kept in the list, reworded."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication, QLabel

from app.documents.segments import Segment
from app.features.translate.text_paragraphs import gaps_of
from app.features.translate.text_session import is_same_text
from app.features.translate.translation_events import GlossaryTerm
from app.ui.shared_labels import CHARACTER_COUNT, KEEP_LABEL, UNDO
from app.ui.translate.language_popup import DETECTED_LANGUAGE
from app.ui.translate.sentence_ranges import sentence_like, sentences_around
from app.ui.translate.text_answers import (
    CHOOSE_OTHER_LANGUAGE,
    LANGUAGE_ALREADY,
    NOT_TRANSLATED,
    STOPPED_CAN_CONTINUE,
    TRANSLATED,
)
from app.ui.translate.text_page import TRANSLATION_COPIED
from app.ui.translate.text_panes import CLEAR_TEXT
from app.ui.utf16 import characters_before
from app.ui.widgets.spoken_views import text_from_here
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.translate import TranslateDesk
from tests.helpers.models_on_disk import write_model
from tests.ui.translate.conftest import ANIMAIS, ENGLISH, MODEL, PETS, PORTUGUESE, Open

CTRL = Qt.KeyboardModifier.ControlModifier


def test_a_text_is_translated_when_the_typing_pauses_and_its_language_is_found(desk: TranslateDesk) -> None:
    desk.type(ENGLISH)
    assert desk.is_waiting
    assert desk.asked == []
    desk.translated(PORTUGUESE)
    assert desk.source_said == DETECTED_LANGUAGE.format(language="English")
    assert desk.target_said == "Português (Brasil)"
    assert desk.count.text() == CHARACTER_COUNT.format(count=56)
    assert desk.state.text().startswith(TRANSLATED)
    assert len(desk.asked) == 1
    assert ENGLISH in desk.asked[0]


def test_a_text_that_was_cleared_can_be_had_back(desk: TranslateDesk) -> None:
    desk.type("Keys: two.")
    desk.click(desk.button(CLEAR_TEXT))
    assert desk.source.text == ""
    desk.press_notice(UNDO)
    assert desk.source.text == "Keys: two."
    desk.translated("Chaves: duas.")
    assert [one.title for one in desk.translations.find()] == ["Keys: two."], "there once"
    desk.paste(ENGLISH)
    desk.translated(PORTUGUESE)
    desk.click(desk.button(CLEAR_TEXT))
    desk.press_notice(UNDO)
    assert desk.source.text == ENGLISH


def test_ctrl_enter_translates_at_once(desk: TranslateDesk) -> None:
    desk.type(ENGLISH)
    desk.press(Qt.Key.Key_Return, modifier=CTRL)
    assert not desk.is_waiting
    desk.translated(PORTUGUESE)
    assert desk.source.text == ENGLISH, "nothing was typed by it"


def test_only_the_paragraph_that_changed_is_asked_again(desk: TranslateDesk) -> None:
    desk.paste(f"{ENGLISH}\n\n{PETS}")
    desk.translated(PORTUGUESE, ANIMAIS)
    before = len(desk.asked)
    desk.type("\n\nKeys: two.")
    desk.translated(PORTUGUESE, ANIMAIS, "Chaves: duas.")
    (asked,) = desk.asked[before:]
    assert asked.endswith("\n\nKeys: two.")


def test_a_translation_grows_in_whole_words(open_tab: Open) -> None:
    words = PORTUGUESE.split()
    desk = open_tab({"when": "The tenant pays", "text": PORTUGUESE, "held_after": 6, "until": "go"})
    seen: list[str] = []
    desk.target.textChanged.connect(lambda: seen.append(desk.shown[0]))
    desk.paste(ENGLISH)
    desk.wait(lambda: desk.shown[0].startswith("O locatário"))
    assert desk.script is not None
    desk.script.with_name("go").touch()
    desk.translated(PORTUGUESE)
    grown = [one.split() for one in seen if one not in ("", "…", PORTUGUESE) and one.startswith("O ")]
    assert grown
    assert all(one == words[: len(one)] for one in grown)


def test_escape_stops_and_what_is_there_stays(open_tab: Open) -> None:
    held = {"when": "Cats and small dogs", "text": ANIMAIS, "held_after": 1, "until": "never"}
    desk = open_tab(held, {"when": "The tenant pays", "text": PORTUGUESE})
    desk.paste(f"{ENGLISH}\n{PETS}")
    desk.wait(lambda: desk.shown[0] == PORTUGUESE)
    desk.press(Qt.Key.Key_Escape)
    assert not desk.is_busy
    assert desk.state.text() == STOPPED_CAN_CONTINUE
    assert desk.shown[0] == PORTUGUESE


def test_another_language_translates_anew_and_is_remembered(open_tab: Open) -> None:
    desk = open_tab(
        {"when": "German", "text": "Der Mieter zahlt die Miete am fünften Tag jedes Monats."},
        *[{"when": "The tenant pays", "text": PORTUGUESE}],
    )
    desk.paste(ENGLISH)
    desk.translated(PORTUGUESE)
    popup = desk.open_languages()
    popup.search.setFocus()
    desk.keys("germ")
    desk.press(Qt.Key.Key_Return)
    desk.translated("Der Mieter zahlt die Miete am fünften Tag jedes Monats.")
    assert desk.settings.translations.target == "de"
    assert not desk.formality.isHidden(), "German tells how people are addressed"
    desk.choose_target("vi")
    assert desk.formality.isHidden()
    desk.choose_target("de")
    again = open_tab()
    assert again.languages[1] == "de"


def test_only_the_languages_of_the_model_are_offered(desk: TranslateDesk) -> None:
    popup = desk.open_languages()
    names = [popup.list.item(row).text() for row in range(popup.list.count())]
    popup_value = popup.list.currentItem().data(Qt.ItemDataRole.UserRole)
    popup.close()
    assert len(names) == 39, "38, of which one is written in two ways"
    assert "Portuguese (Brazil)  ·  Português (Brasil)" in names
    assert popup_value == "pt-BR"
    assert "German  ·  Deutsch" in names
    assert not any(name.startswith("Swedish") for name in names), "Hy-MT2 does not know it"
    assert popup.findChild(QLabel, "languages_remark") is None, "its makers say what it knows"


def test_the_languages_are_exchanged_with_their_texts(open_tab: Open) -> None:
    desk = open_tab({"when": "O locatário paga", "text": ENGLISH}, {"when": "The tenant pays", "text": PORTUGUESE})
    desk.paste(ENGLISH)
    desk.translated(PORTUGUESE)
    desk.click(desk.swap)
    assert desk.source.text == PORTUGUESE
    assert desk.languages == ("pt-BR", "en")
    desk.translated(ENGLISH)


def test_a_text_that_is_in_the_target_language_already_says_so(desk: TranslateDesk) -> None:
    desk.choose_target("en")
    desk.paste(ENGLISH)
    desk.wait(lambda: desk.state.text() == LANGUAGE_ALREADY.format(language="English"))
    assert desk.shown == [CHOOSE_OTHER_LANGUAGE]
    assert desk.asked == []


def test_the_target_is_another_language_than_the_texts_unless_a_person_chose_it(open_tab: Open) -> None:
    desk = open_tab(
        {"when": "Spanish", "text": "El inquilino paga el alquiler el quinto día de cada mes."}, target="en"
    )
    desk.paste(ENGLISH)
    desk.translated("El inquilino paga el alquiler el quinto día de cada mes.")
    assert desk.languages[1] == "es"
    assert desk.settings.translations.target == "en", "what was chosen before is not forgotten"
    desk.paste(PORTUGUESE)
    desk.wait(lambda: desk.languages[1] == "en")
    assert desk.source_said == DETECTED_LANGUAGE.format(language="Português (Brasil)")
    desk.choose_source("en")
    assert desk.languages[1] == "es"


def test_the_terms_of_the_pair_go_with_the_text(desk: TranslateDesk) -> None:
    desk.translations.words.keep_glossary("en", "pt-BR", [GlossaryTerm("rent", "renda")])
    desk.choose_source("en")
    desk.paste(ENGLISH)
    desk.wait(lambda: desk.is_complete)
    assert any("renda" in asked for asked in desk.asked)


def test_what_is_flagged_stands_below_its_paragraph_and_can_be_kept(open_tab: Open) -> None:
    desk = open_tab({"when": "42 keys", "text": "O locatário recebe 41 chaves do apartamento e da garagem."})
    desk.paste("The tenant gets 42 keys of the flat and of the garage.")
    desk.wait(lambda: len(desk.shown) > 1)
    flags = desk.shown[1:]
    assert any("42" in line and line.startswith("⚑") for line in flags), desk.shown
    target = desk.target
    target.selectAll()
    assert target.createMimeDataFromSelection().text() == "O locatário recebe 41 chaves do apartamento e da garagem."
    target.moveCursor(QTextCursor.MoveOperation.Start)
    spoken = text_from_here(target)
    assert spoken is not None
    assert spoken.language == "pt-BR"
    assert [sentence.text for sentence in iter(spoken.next_sentence, None)] == [desk.shown[0]]
    desk.click_words(KEEP_LABEL)
    desk.wait(lambda: len(desk.shown) == 1)


def test_a_sentence_is_put_in_other_words_with_the_keyboard(open_tab: Open) -> None:
    other = "Gatos e cachorros pequenos são aceitos com o acordo escrito do proprietário."
    desk = open_tab(
        {"when": r"Cats and small dogs[^\n]*\Z", "text": ANIMAIS, "times": 1},
        {"when": r"The tenant pays[^\n]*\Z", "text": PORTUGUESE},
        {"when": "Cats and small dogs", "text": other},
    )
    desk.paste(PETS)
    desk.translated(ANIMAIS)
    desk.select(3, 8)
    desk.press(Qt.Key.Key_Return)
    target, card = desk.target, desk.alternatives
    desk.wait(lambda: card.list.count() == 1)
    assert target.textCursor().selectedText() == ANIMAIS, "what would be replaced is marked"
    desk.press(Qt.Key.Key_Return)
    assert desk.shown == [other]
    assert not card.isVisible()
    assert target.hasFocus()
    desk.type("\n" + ENGLISH)
    desk.translated(other, PORTUGUESE)
    assert desk.asked[-1].endswith(f"\n\n{ENGLISH}"), "a person's own words are not asked for again"


def test_the_translation_is_put_back_where_that_is_wanted(open_tab: Open) -> None:
    back = "The lessee pays the rent on the fifth day of every month."
    desk = open_tab({"when": "O locatário paga", "text": back}, {"when": "The tenant pays", "text": PORTUGUESE})
    desk.paste(ENGLISH)
    desk.translated(PORTUGUESE)
    assert not desk.back_text.isVisible()
    desk.click(desk.back_button)
    desk.wait(lambda: desk.back_text.toPlainText() == back)
    assert desk.back_text.isVisible()
    desk.click(desk.back_button)
    assert not desk.back_text.isVisible()


def test_the_translation_is_copied_with_its_own_white_space(desk: TranslateDesk) -> None:
    desk.paste(f"{ENGLISH}\n\n\n{PETS}\n")
    desk.translated(PORTUGUESE, ANIMAIS)
    desk.click(desk.copy)
    assert QApplication.clipboard().text() == f"{PORTUGUESE}\n\n\n{ANIMAIS}\n"
    assert TRANSLATION_COPIED in desk.notices


def test_a_kept_text_is_shown_without_asking_the_model(open_tab: Open) -> None:
    desk = open_tab()
    desk.paste(f"{ENGLISH}\n\n{PETS}")
    desk.translated(PORTUGUESE, ANIMAIS)
    again = open_tab()
    (kept,) = again.translations.find()
    assert kept.title.startswith("The tenant pays")
    before = len(again.asked)
    again.view.show_job(kept.id)
    assert again.shown == [PORTUGUESE, ANIMAIS]
    assert again.source_said == DETECTED_LANGUAGE.format(language="English")
    again.view.show_new()
    assert again.source.text == ""
    assert len(again.asked) == before
    assert len(again.translations.find()) == 1, "looking at it makes no second one"


def test_another_text_in_its_place_gets_a_row_of_its_own(desk: TranslateDesk) -> None:
    desk.paste(ENGLISH)
    desk.translated(PORTUGUESE)
    first = desk.text_id
    assert first is not None, "what is complete is kept at once"
    desk.paste(PETS)
    desk.translated(ANIMAIS)
    assert [one.title for one in desk.translations.find()] == [PETS, ENGLISH]
    assert desk.view.open_id == desk.text_id != first


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("Hello wor", "Hello world, how are you?", True),
        ("Hello world", "Hello", True),
        ("One line\nanother", "Something before\nanother", True),
        ("The first letter", "A wholly other text", False),
        ("Hello", "Goodbye", False),
    ],
)
def test_what_was_written_on_is_the_same_text(before: str, after: str, is_same: bool) -> None:
    assert is_same_text(before, after) is is_same


def test_right_to_left_translations_are_laid_out_so_paragraph_by_paragraph(open_tab: Open) -> None:
    arabic = "يدفع المستأجر الإيجار في اليوم الخامس من كل شهر."
    desk = open_tab({"when": "The tenant pays", "text": arabic})
    desk.choose_target("ar")
    desk.paste(ENGLISH)
    desk.translated(arabic)
    target = desk.target
    block = target.document().begin()
    assert block.blockFormat().layoutDirection() is Qt.LayoutDirection.RightToLeft
    assert block.layout().lineAt(0).naturalTextRect().right() >= target.viewport().width() * 0.9


def test_an_engine_that_fails_is_a_sentence_and_the_text_stays(open_tab: Open) -> None:
    desk = open_tab({"when": "The tenant pays", "error": "ChatUnavailable", "fields": {"path": "model.gguf"}})
    desk.paste(ENGLISH)
    desk.wait(lambda: bool(desk.notices) and desk.state.text() == NOT_TRANSLATED)
    assert desk.source.text == ENGLISH
    assert not desk.is_busy


def test_the_tabs_own_model_stays_at_hand_while_one_types_and_goes_when_one_leaves(
    open_tab: Open, tmp_path: Path
) -> None:
    desk = open_tab(model="")
    starter = desk.app.model_path()
    assert starter is not None
    list(desk.engine.load(starter))
    write_model(tmp_path / MODEL, **{"tokenizer.chat_template": "{{ messages }}"})
    desk.models.choose_model("translate", tmp_path / MODEL)
    desk.view.on_model_changed()
    left = desk.heard(desk.model_let_go)
    desk.paste(ENGLISH)
    desk.translated(PORTUGUESE)
    desk.paste(PETS)
    desk.translated(ANIMAIS)
    assert not left, "the second text did not wait for it to be loaded again"
    assert desk.engine.loaded is not None
    assert Path(desk.engine.loaded.path) == starter, "the chat keeps its own"
    desk.view.hide()
    desk.wait(lambda: bool(left))


def test_nothing_is_clipped(open_tab: Open) -> None:
    zoom = 1.5
    desk = open_tab(size=(1020, 760), zoom=zoom)
    desk.paste(f"{ENGLISH}\n{PETS}")
    desk.translated(PORTUGUESE, ANIMAIS)
    desk.click(desk.back_button)
    for width, height in ((1020, 760), (640, 560), (400, 480)):
        desk.view.resize(round(width * zoom), round(height * zoom))
        assert clipped_texts(desk.view) == [], width


TEXT = "One here. Two there! Three?"


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [(0, 3, "One here. "), (11, 13, "Two there! "), (4, 12, "One here. Two there! "), (26, 27, "Three?")],
)
def test_a_selection_is_widened_to_whole_sentences(start: int, end: int, said: str) -> None:
    first, last = sentences_around(TEXT, start, end)
    assert TEXT[first:last] == said


def test_the_sentence_of_the_source_is_the_one_at_the_same_place() -> None:
    source = "Uma aqui. Duas lá! Três?"
    assert sentence_like(source, TEXT, 11, 13) == ("Duas lá!", 10, 20)
    assert sentence_like(source, TEXT, 0, 15) == ("Uma aqui. Duas lá!", 0, 20)


def test_where_the_sentences_do_not_match_everything_is_meant() -> None:
    source = "Uma aqui e duas lá."
    assert sentence_like(source, TEXT, 11, 13) == (source, 0, len(TEXT))


def test_qt_counts_an_emoji_twice() -> None:
    assert characters_before("a😀b", 3) == 2
    assert characters_before("a😀b", 99) == 3
    assert characters_before("abc", -1) == 0


def test_empty_lines_between_paragraphs_are_counted() -> None:
    text = "\nOne\n\n\n  Two\nTwo"
    segments = [Segment(number, (words,)) for number, words in enumerate(("One", "Two", "Two"), 1)]
    assert gaps_of(text, segments) == (1, 3, 1)
