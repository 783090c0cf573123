"""A document in the Translate tab from the drop to the saved file, with the real store, pipeline and engine child."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.features.translate.at_work import outcome_of
from app.features.translate.translation_events import Flag, FlagKind, GlossaryTerm, Translated, TranslationSource
from app.store.translation_store import TranslationStore
from app.ui.document.reading_pane import SAVED_NOTE
from app.ui.shared_labels import APPLY_GLOSSARY, OPEN_FOLDER, REMOVE, SAVED_AS, TRY_AGAIN, UNDO
from app.ui.translate.document_head import NEXT_FLAGGED, SAVE_PARTIAL
from app.ui.translate.document_page import NOTHING_LEFT_TO_REVIEW, STOPPED_AT
from app.ui.translate.glossary_panel import EXPORT_TMX, GLOSSARY_COUNT, TRANSLATIONS_IMPORTED
from app.ui.translate.language_popup import DETECTED_LANGUAGE
from app.ui.translate.translation_draft import NEEDS_PASSWORD, TRANSLATE_DOCUMENTS
from app.ui.translate.translation_texts import SEGMENT_COUNT, SEGMENTS_TRANSLATED
from tests.helpers.attached import lease_pdf
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.translate import DocumentDesk, TranslateDesk
from tests.helpers.texts import shows
from tests.ui.translate.conftest import Open

HEAD = "Rent and deposit"
PAYS = "The tenant pays the rent on the fifth working day of each month."
LATE = "Late payment bears interest of one percent per month for the landlord."
PETS = "Cats and small dogs are allowed once the owner has agreed in writing."
PAGE = f"<html><body><h1>{HEAD}</h1><p>{PAYS}</p><p>{LATE}</p><p>{PETS}</p></body></html>"
ANSWERS: tuple[dict[str, Any], ...] = (
    {"when": r"Rent and deposit\s*\Z", "text": "Aluguel e caução"},
    {"when": r"The tenant pays[^\n]*\Z", "text": "O locatário paga o aluguel no quinto dia útil de cada mês."},
    {
        "when": r"Late payment[^\n]*\Z",
        "text": "O pagamento em atraso rende juros de um por cento ao mês para o locador.",
    },
    {
        "when": r"Cats and small dogs[^\n]*\Z",
        "text": "Gatos e cães pequenos são permitidos quando o dono concorda por escrito.",
    },
)


def page(folder: Path, name: str = "lease.html", content: str = PAGE) -> Path:
    path = folder / name
    path.write_text(content, "utf-8")
    return path


@pytest.fixture
def desk(open_tab: Open) -> TranslateDesk:
    return open_tab(*ANSWERS)


def translate(desk: TranslateDesk, *paths: Path) -> DocumentDesk:
    """Drops files and has the first translated."""
    sheet = desk.drop(*paths)
    sheet.translate()
    return sheet


def test_a_dropped_document_shows_its_segments_before_it_is_begun_and_then_its_translation(
    desk: TranslateDesk, tmp_path: Path
) -> None:
    listed: list[bool] = []
    desk.view.list_changed.connect(lambda: listed.append(True))
    sheet = desk.drop(page(tmp_path))
    assert desk.is_document_shown
    assert desk.view.open_id == sheet.stored.id
    assert listed
    assert sheet.title.text() == "lease.html"
    assert sheet.draft_words.text().startswith(SEGMENT_COUNT.format(count=4))
    assert not sheet.save_button.isVisible(), "there is nothing to save yet"
    assert sheet.source_of(0) == HEAD
    assert sheet.shown == [""] * 4
    sheet.translate()
    assert sheet.shown == [one["text"] for one in ANSWERS]
    assert sheet.foot.isHidden()
    assert sheet.save_button.text() == "Save lease (Português, Brasil).html"
    assert sheet.work_words.text() == SEGMENT_COUNT.format(count=4)
    assert sheet.source_said == DETECTED_LANGUAGE.format(language="English")
    assert not sheet.flagged.isVisible()


def test_a_document_is_never_put_into_the_language_that_it_is_in(open_tab: Open, tmp_path: Path) -> None:
    desk = open_tab(*ANSWERS, target="en")
    sheet = desk.drop(page(tmp_path))
    assert (sheet.stored.source_language, sheet.wish.target) == ("en", "es")
    assert sheet.languages[1] == "es"
    assert desk.settings.translations.target == "en"


def test_several_documents_are_a_translation_each_take_the_same_choices_and_are_begun_at_once(
    desk: TranslateDesk, tmp_path: Path
) -> None:
    sheet = desk.drop(page(tmp_path), page(tmp_path, "pets.html", f"<html><body><p>{PETS}</p></body></html>"))
    desk.wait(lambda: sheet.drafts == 2 and not sheet.is_estimating)
    words = sheet.draft_words.text()
    assert words.startswith("2 ")
    assert SEGMENT_COUNT.format(count=5) in words
    assert sheet.begin_button.text() == TRANSLATE_DOCUMENTS.format(count=2)
    sheet.choose_target("pt-PT")
    sheet.choose_target("pt-BR")
    desk.click(sheet.begin_button)
    desk.wait(lambda: [one.state for one in desk.translations.find()] == ["done", "done"])
    assert {one.wish.target for one in desk.translations.find()} == {"pt-BR"}
    assert desk.settings.translations.target == "pt-BR"


def test_where_no_file_can_be_read_they_are_listed_and_without_any_the_beginning_is_shown(
    desk: TranslateDesk, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.docx"
    bad.write_bytes(b"PK\x03\x04 and nothing more")
    desk.view.add_files([bad])
    sheet = desk.document
    desk.wait(lambda: "bad.docx" in "".join(sheet.file_words))
    assert sheet.file_button.text() == REMOVE
    desk.click(sheet.file_button)
    assert desk.is_text_shown


def test_stop_keeps_what_is_done_offers_a_part_of_it_and_goes_on_without_repeating(
    open_tab: Open, tmp_path: Path
) -> None:
    desk = open_tab(*ANSWERS[:3], ANSWERS[3] | {"held_after": 2, "until": "never", "times": 1}, ANSWERS[3])
    sheet = desk.drop(page(tmp_path))
    desk.click(sheet.begin_button)
    desk.wait(lambda: (sheet.growing(3) or "").startswith("Gatos"))
    assert sheet.shown[3].startswith("Gatos")
    assert sheet.stop.isVisible()
    desk.wait(lambda: sheet.work_words.text().startswith("3 of 4"))
    assert sheet.save_button.text() == SAVE_PARTIAL
    desk.click(sheet.stop)
    desk.wait(lambda: sheet.state == "paused" and not sheet.root.runner.is_running)
    assert sheet.state_words.text() == STOPPED_AT.format(words=SEGMENTS_TRANSLATED.format(done=3, all=4))
    assert sheet.shown[3] == ""
    asked = len(desk.asked)
    desk.click(sheet.go_on_button)
    sheet.wait_until_done()
    assert len(desk.asked) == asked + 1
    assert sheet.state_bar.isHidden()
    assert sheet.shown[3] == ANSWERS[3]["text"]


def test_another_translation_is_shown_meanwhile_and_this_one_is_found_again_as_it_is(
    open_tab: Open, tmp_path: Path
) -> None:
    desk = open_tab(*ANSWERS[:3], ANSWERS[3] | {"held_after": 2, "until": "go"})
    other = desk.drop(page(tmp_path, "other.html")).stored.id
    sheet = desk.drop(page(tmp_path))
    mine = sheet.stored.id
    desk.click(sheet.begin_button)
    desk.wait(lambda: sheet.growing(3) is not None and sheet.shown[:3] == [one["text"] for one in ANSWERS[:3]])
    desk.view.show_job(other)
    assert sheet.shown == [""] * 4
    desk.view.show_job(mine)
    assert sheet.shown[0] == "Aluguel e caução"
    assert sheet.growing(3) is not None
    assert desk.script is not None
    desk.script.with_name("go").touch()
    sheet.wait_until_done()
    assert sheet.shown[3] == ANSWERS[3]["text"]


def test_saving_offers_a_name_writes_the_file_and_says_so(desk: TranslateDesk, tmp_path: Path) -> None:
    sheet = translate(desk, page(tmp_path))
    target = tmp_path / "out.html"
    assert sheet.save_as(target).endswith("lease (Português, Brasil).html")
    desk.wait(target.exists)
    desk.wait(lambda: SAVED_AS.format(name="out.html") in desk.notices)
    written = target.read_text("utf-8")
    assert "<h1>Aluguel e caução</h1>" in written
    assert HEAD not in written
    assert desk.notice_buttons[0] == OPEN_FOLDER
    desk.wait(sheet.save_button.isEnabled)


def test_the_source_is_never_written_over(desk: TranslateDesk, tmp_path: Path) -> None:
    path = page(tmp_path)
    sheet = translate(desk, path)
    sheet.save_to(path)
    desk.wait(lambda: bool(desk.notices))
    assert path.read_text("utf-8") == PAGE
    assert SAVED_NOTE not in desk.notices[0]


def test_both_languages_are_saved_side_by_side(desk: TranslateDesk, tmp_path: Path) -> None:
    sheet = translate(desk, page(tmp_path))
    assert sheet.save_forms == [".html", ".html", ".csv", ".tmx"]
    sheet.save_as(tmp_path / "both", ".csv", is_bilingual=True)
    target = tmp_path / "both.csv"
    desk.wait(target.exists)
    assert PETS in target.read_text("utf-8-sig")
    assert ANSWERS[3]["text"] in target.read_text("utf-8-sig")


def test_a_translation_is_edited_by_keys_and_stays_so(desk: TranslateDesk, tmp_path: Path) -> None:
    sheet = translate(desk, page(tmp_path))
    sheet.segments.setFocus()
    desk.press(Qt.Key.Key_Down, Qt.Key.Key_Return)
    sheet.keys(" Sempre.")
    desk.press(Qt.Key.Key_Return, modifier=Qt.KeyboardModifier.ControlModifier)
    assert sheet.shown[1].endswith("cada mês. Sempre.")
    stored = desk.translations.segments.read_row(sheet.stored.id, 2).translated
    assert stored is not None
    assert stored.origin == "edited"
    assert stored.accepted
    assert NOTHING_LEFT_TO_REVIEW in desk.notices
    sheet.edit(2)
    sheet.keys("!")
    sheet.root.close_view()
    assert desk.translations.segments.read_row(sheet.stored.id, 3).translated.content[0].endswith("locador.!")


def flagged(open_tab: Open, tmp_path: Path) -> tuple[TranslateDesk, DocumentDesk]:
    """A document with a term that the model would not use."""
    late = {"when": r"Late payment(?![^\n]*translated as)", "text": ANSWERS[2]["text"]}
    desk = open_tab(*ANSWERS, late)
    desk.translations.words.keep_glossary("en", "pt-BR", [GlossaryTerm("interest", "juros de mora")])
    return desk, translate(desk, page(tmp_path))


def test_use_it_puts_the_glossarys_term_in_the_place_of_its_words(open_tab: Open, tmp_path: Path) -> None:
    desk, sheet = flagged(open_tab, tmp_path)
    assert sheet.glossary_button.text() == GLOSSARY_COUNT.format(count=1)
    assert sheet.flagged.text() == f"{NEXT_FLAGGED} · 1"
    desk.press(Qt.Key.Key_F8)
    assert sheet.current == 2
    sheet.click_link(2)
    assert "rende juros de mora de um por cento" in sheet.shown[2]
    assert sheet.links_of(2) == []
    assert not sheet.flagged.isVisible()


def test_try_again_asks_only_that_segment_anew(open_tab: Open, tmp_path: Path) -> None:
    desk = open_tab(*ANSWERS)
    sheet = translate(desk, page(tmp_path))
    content = desk.translations.segments.read_row(sheet.stored.id, 4).segment.content
    kept = Translated(4, content, TranslationSource.KEPT, (Flag(FlagKind.UNTRANSLATED),))
    TranslationStore(desk.app.database).save_outcomes(sheet.stored.id, [outcome_of(kept)])
    sheet.read_again()
    assert sheet.links_of(3)[0] == TRY_AGAIN
    asked = len(desk.asked)
    sheet.segments.go_to(3)
    sheet.segments.setFocus()
    desk.press(Qt.Key.Key_Right, Qt.Key.Key_Return)
    desk.wait(lambda: sheet.is_done and sheet.shown[3] == ANSWERS[3]["text"])
    assert len(desk.asked) <= asked + 1
    assert not sheet.flagged.isVisible()


def test_a_term_that_is_put_back_comes_into_the_glossary_that_it_was_in(desk: TranslateDesk, tmp_path: Path) -> None:
    words, rent, keys, other = (
        desk.translations.words,
        GlossaryTerm("rent", "aluguel"),
        GlossaryTerm("keys", "chaves"),
        GlossaryTerm("a", "b"),
    )
    words.keep_glossary("en", "pt-BR", [rent, keys])
    words.keep_glossary("en", "pt-PT", [other])
    sheet = desk.drop(page(tmp_path))
    desk.click(sheet.glossary_button)
    sheet.glossary.table.delete_wanted.emit([0])
    assert words.read_glossary("en", "pt-BR") == (keys,)
    sheet.root.show_glossary(is_open=True)
    sheet.choose_target("pt-PT")
    desk.press_notice(UNDO)
    assert set(words.read_glossary("en", "pt-BR")) == {rent, keys}
    assert words.read_glossary("en", "pt-PT") == (other,)


def test_another_language_for_one_that_is_done_waits_until_it_is_applied(desk: TranslateDesk, tmp_path: Path) -> None:
    sheet = translate(desk, page(tmp_path))
    sheet.choose_target("pt-PT")
    assert sheet.state_bar.isVisible()
    assert sheet.go_on_button.text() == APPLY_GLOSSARY
    assert sheet.wish.target == "pt-BR"
    asked = len(desk.asked)
    desk.click(sheet.go_on_button)
    desk.wait(lambda: sheet.is_done and sheet.wish.target == "pt-PT")
    assert len(desk.asked) == asked + 4
    assert sheet.state_bar.isHidden()
    sheet.choose_target("pt-BR")
    desk.click(sheet.go_on_button)
    desk.wait(lambda: sheet.is_done and sheet.wish.target == "pt-BR")
    assert len(desk.asked) == asked + 4, "the memory knows the first one"
    assert sheet.shown[0] == "Aluguel e caução"


def test_the_glossary_opens_beside_takes_terms_and_is_applied_to_what_it_changes(
    desk: TranslateDesk, tmp_path: Path
) -> None:
    sheet = translate(desk, page(tmp_path))
    desk.click(sheet.glossary_button)
    assert sheet.glossary.isVisible()
    assert sheet.page.isVisible()
    assert sheet.add_term.hasFocus()
    desk.press(Qt.Key.Key_Space)
    for words in ("interest", "juros de mora"):
        desk.keys(words)
        desk.press(Qt.Key.Key_Return)
        for _ in range(2):  # a cell's editor closes in a turn of its own, and the next one opens in another
            QApplication.processEvents()
    assert desk.translations.words.read_glossary("en", "pt-BR") == (GlossaryTerm("interest", "juros de mora"),)
    assert sheet.glossary_button.text() == GLOSSARY_COUNT.format(count=1)
    desk.click(sheet.apply_glossary)
    desk.wait(lambda: sheet.is_done and sheet.stored.flagged == 1)
    assert not sheet.apply_glossary.isVisible()
    desk.view.resize(600, 600)
    desk.wait(lambda: not sheet.page.isVisible())
    assert sheet.glossary.isVisible(), "in a narrow window it takes the document's place"
    desk.click(sheet.close_glossary)
    assert not sheet.glossary.isVisible()
    assert sheet.page.isVisible()
    desk.click(sheet.glossary_button)
    assert not sheet.page.isVisible()
    desk.press(Qt.Key.Key_Escape)
    assert sheet.page.isVisible()


def test_the_memory_goes_out_as_tmx_and_comes_back(desk: TranslateDesk, tmp_path: Path) -> None:
    sheet = translate(desk, page(tmp_path))
    assert EXPORT_TMX in sheet.memory_menu
    path = tmp_path / "all.tmx"
    sheet.export_memory(path)
    desk.wait(lambda: SAVED_AS.format(name="all.tmx") in desk.notices)
    assert PETS in path.read_text("utf-8")
    sheet.import_memory(path)
    desk.wait(lambda: any(shows(TRANSLATIONS_IMPORTED, one) for one in desk.notices))
    sheet.import_memory(tmp_path / "none.tmx")
    desk.wait(lambda: any("none.tmx" in one for one in desk.notices))


def test_search_finds_words_in_both_columns(desk: TranslateDesk, tmp_path: Path) -> None:
    sheet = translate(desk, page(tmp_path))
    sheet.segments.setFocus()
    desk.press(Qt.Key.Key_F, modifier=Qt.KeyboardModifier.ControlModifier)
    assert sheet.search_field.hasFocus()
    sheet.keys("MONTH")
    desk.wait(lambda: sheet.search_count.text() == "1 of 2")
    desk.press(Qt.Key.Key_Return)
    assert sheet.current == 2
    sheet.search_field.setText("juros")
    desk.wait(lambda: sheet.search_count.text() == "1 of 1")
    assert sheet.found == [(2, 1, "juros", True)]
    desk.press(Qt.Key.Key_Escape)
    assert sheet.search_row.isHidden()
    assert sheet.found == []
    assert sheet.segments.hasFocus()


def test_a_locked_file_asks_for_its_password_and_without_one_it_is_left_out(
    desk: TranslateDesk, tmp_path: Path
) -> None:
    desk.view.add_files([lease_pdf(tmp_path / "lease.pdf", password="geheim")])
    sheet = desk.document
    desk.wait(lambda: sheet.password_dialog is not None)
    assert sheet.file_words[0] == NEEDS_PASSWORD
    sheet.give_password("geheim")
    desk.wait(lambda: sheet.stored is not None)
    assert sheet.stored.segments > 0
    desk.view.add_files([lease_pdf(tmp_path / "other.pdf", password="geheim")])
    desk.wait(lambda: sheet.password_dialog is not None)
    sheet.password_dialog.reject()
    desk.wait(lambda: desk.is_text_shown)


def test_what_is_deleted_meanwhile_is_told_and_nothing_breaks(desk: TranslateDesk, tmp_path: Path) -> None:
    sheet = translate(desk, page(tmp_path))
    desk.translations.delete(sheet.stored.id)
    sheet.edit(0)
    sheet.keys("!")
    desk.press(Qt.Key.Key_Return)
    assert desk.notices


@pytest.mark.parametrize(("size", "zoom"), [((640, 520), 1.0), ((1000, 740), 1.5)])
def test_no_text_is_clipped(open_tab: Open, tmp_path: Path, size: tuple[int, int], zoom: float) -> None:
    desk = open_tab(*ANSWERS, size=size, zoom=zoom)
    sheet = desk.drop(page(tmp_path))
    assert clipped_texts(desk.view) == []
    sheet.translate()
    assert clipped_texts(desk.view) == []
    sheet.edit(1)
    sheet.root.show_glossary(is_open=True)
    assert clipped_texts(desk.view) == []
    sheet.segments.close_editor()
