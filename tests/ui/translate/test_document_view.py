"""A document in the Translate tab from the drop to the saved file, with the real store, pipeline and engine child."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.features.translation.record import outcome_of
from app.features.translation.result import Flag, FlagKind, Origin, Term, Translated
from app.store.translations import TranslationStore
from app.ui.widgets.password_dialog import PasswordDialog
from tests.helpers.attached import lease_pdf
from tests.helpers.clipping import clipped_texts
from tests.ui.translate.conftest import Desk

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
def desk(open_tab: Callable[..., Desk]) -> Desk:
    return open_tab(*ANSWERS)


def drop(desk: Desk, *paths: Path) -> Any:
    """Drops files, and waits until they are drafts whose time was estimated."""
    desk.view.add_files(paths)
    view = desk.view.document
    desk.wait(lambda: view.stored is not None and not view.drafts.files.is_reading)
    desk.wait(lambda: view.page.foot.button.isEnabled() and not view.drafts.estimating.is_busy)
    return view


def translate(desk: Desk, *paths: Path) -> Any:
    """Drops files and has the first translated."""
    view = drop(desk, *paths)
    desk.click(view.page.foot.button)
    desk.wait(lambda: view.stored.state == "done")
    return view


def shown(view: Any) -> list[str]:
    rows = view.page.segments
    return [rows.laid.row(number).target.written.text for number in range(rows.rows.rowCount())]


def go_on(desk: Desk, view: Any) -> None:
    desk.click(view.page.foot.button)
    desk.wait(lambda: view.stored.state == "done")


def press(desk: Desk, *keys: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    for key in keys:
        focus = QApplication.focusWidget()
        assert focus is not None
        desk.qtbot.keyClick(focus, key, modifier)


def test_a_dropped_document_shows_its_segments_before_it_is_begun_and_then_its_translation(
    desk: Desk, tmp_path: Path
) -> None:
    listed: list[bool] = []
    desk.view.list_changed.connect(lambda: listed.append(True))
    view = drop(desk, page(tmp_path))
    assert desk.view.pages.currentWidget() is view
    assert desk.view.translation_id == view.stored.id
    assert listed
    assert view.page.head.title.text() == "lease.html"
    assert view.page.foot.words.text().startswith("4 segments")
    assert not view.page.head.save.isVisible(), "there is nothing to save yet"
    assert view.page.segments.laid.row(0).source.written.text == HEAD
    assert shown(view) == [""] * 4
    desk.click(view.page.foot.button)
    desk.wait(lambda: view.stored.state == "done")
    assert shown(view) == [one["text"] for one in ANSWERS]
    assert view.page.foot.isHidden()
    assert view.page.head.save.text() == "Save lease (Português, Brasil).html"
    assert view.page.bar.words.text() == "4 segments"
    assert view.page.bar.choice.source.button.text() == "English (detected)"
    assert not view.page.head.flagged.isVisible()


def test_a_document_is_never_put_into_the_language_that_it_is_in(open_tab: Callable[..., Desk], tmp_path: Path) -> None:
    desk = open_tab(*ANSWERS, target="en")
    view = drop(desk, page(tmp_path))
    assert (view.stored.source_language, view.stored.wish.target) == ("en", "es")
    assert view.page.bar.choice.target.value == "es"
    assert desk.app.settings.translations.target == "en"


def test_several_documents_are_a_translation_each_take_the_same_choices_and_are_begun_at_once(
    desk: Desk, tmp_path: Path
) -> None:
    view = drop(desk, page(tmp_path), page(tmp_path, "pets.html", f"<html><body><p>{PETS}</p></body></html>"))
    desk.wait(lambda: len(view.drafts.batch) == 2 and not view.drafts.estimating.is_busy)
    assert view.page.foot.words.text().startswith("2 documents · 5 segments")
    assert view.page.foot.button.text() == "Translate 2 documents"
    view.page.bar.choice.target.choose("pt-PT")
    view.page.bar.choice.target.choose("pt-BR")
    desk.click(view.page.foot.button)
    desk.wait(lambda: [one.state for one in desk.app.translations.find()] == ["done", "done"])
    assert {one.wish.target for one in desk.app.translations.find()} == {"pt-BR"}
    assert desk.app.settings.translations.target == "pt-BR"


def test_only_the_shown_one_of_several_can_be_begun(desk: Desk, tmp_path: Path) -> None:
    view = drop(desk, page(tmp_path), page(tmp_path, "pets.html", f"<html><body><p>{PETS}</p></body></html>"))
    desk.wait(view.page.foot.one.isVisible)
    desk.click(view.page.foot.one)
    desk.wait(lambda: view.stored.state == "done")
    assert sorted(one.state for one in desk.app.translations.find()) == ["done", "draft"]


def test_a_file_that_cannot_be_read_says_why_and_does_not_stop_the_others(desk: Desk, tmp_path: Path) -> None:
    bad = tmp_path / "bad.docx"
    bad.write_bytes(b"PK\x03\x04 and nothing more")
    view = drop(desk, bad, page(tmp_path))
    desk.wait(lambda: bool(desk.notices))
    assert "bad.docx" in desk.notices[0]
    assert view.stored.name == "lease.html"


def test_where_no_file_can_be_read_they_are_listed_and_without_any_the_beginning_is_shown(
    desk: Desk, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.docx"
    bad.write_bytes(b"PK\x03\x04 and nothing more")
    desk.view.add_files([bad])
    view = desk.view.document
    desk.wait(lambda: bool(view.reading.lines) and bool(view.drafts.files.files[0].error))
    line = view.reading.lines[0]
    assert "bad.docx" in line.words.text()
    assert line.button.text() == "Remove"
    desk.click(line.button)
    assert desk.view.pages.currentWidget() is desk.view.text


def test_stop_keeps_what_is_done_offers_a_part_of_it_and_goes_on_without_repeating(
    open_tab: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = open_tab(*ANSWERS[:3], ANSWERS[3] | {"delay_s": 0.4, "times": 1}, ANSWERS[3])
    view = drop(desk, page(tmp_path))
    desk.click(view.page.foot.button)
    desk.wait(lambda: (view.page.segments.rows.growing(3) or "").startswith("Gatos"))
    assert shown(view)[3].startswith("Gatos")
    assert view.page.bar.stop.isVisible()
    desk.wait(lambda: view.page.bar.words.text().startswith("3 of 4"))
    assert view.page.head.save.text() == "Save partial"
    desk.click(view.page.bar.stop)
    desk.wait(lambda: view.stored.state == "paused" and not view.runner.is_running)
    assert view.page.state.words.text() == "Stopped: 3 of 4 segments are translated."
    assert shown(view)[3] == ""
    asked = len(desk.asked)
    desk.click(view.page.state.go_on)
    desk.wait(lambda: view.stored.state == "done")
    assert len(desk.asked) == asked + 1
    assert view.page.state.isHidden()
    assert shown(view)[3] == ANSWERS[3]["text"]


def test_another_translation_is_shown_meanwhile_and_this_one_is_found_again_as_it_is(
    open_tab: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = open_tab(*ANSWERS[:3], ANSWERS[3] | {"delay_s": 0.3})
    other = drop(desk, page(tmp_path, "other.html")).stored.id
    view = drop(desk, page(tmp_path))
    mine = view.stored.id
    desk.click(view.page.foot.button)
    desk.wait(lambda: view.page.segments.rows.growing(3) is not None)
    desk.view.show_translation(other)
    assert shown(view) == [""] * 4
    desk.view.show_translation(mine)
    assert shown(view)[0] == "Aluguel e caução"
    assert view.page.segments.rows.growing(3) is not None
    desk.wait(lambda: view.stored.state == "done")
    assert shown(view)[3] == ANSWERS[3]["text"]


def test_the_place_in_a_long_document_is_kept_while_another_is_shown(desk: Desk, tmp_path: Path) -> None:
    many = "".join(f"<p>Paragraph {number} of the lease.</p>" for number in range(300))
    other = drop(desk, page(tmp_path)).stored.id
    view = drop(desk, page(tmp_path, "long.html", f"<html><body>{many}</body></html>"))
    mine = view.stored.id
    view.page.segments.go_to(200)
    place = view.page.segments.place
    desk.view.show_translation(other)
    assert view.page.segments.place == (0, 0)
    desk.view.show_translation(mine)
    assert view.page.segments.place == place


def test_saving_offers_a_name_writes_the_file_and_says_so(desk: Desk, tmp_path: Path) -> None:
    view = translate(desk, page(tmp_path))
    desk.click(view.page.head.save)
    dialog = view.findChild(object, "save_translation")
    assert dialog.selectedFiles()[0].endswith("lease (Português, Brasil).html")
    target = tmp_path / "out.html"
    dialog.fileSelected.emit(str(target))
    dialog.close()
    desk.wait(target.exists)
    desk.wait(lambda: "Saved as out.html." in desk.notices)
    written = target.read_text("utf-8")
    assert "<h1>Aluguel e caução</h1>" in written
    assert HEAD not in written
    assert desk.notify.bar.notices[-1]._buttons[0].text() == "Open folder"
    desk.wait(view.page.head.save.isEnabled)


def test_the_source_is_never_written_over(desk: Desk, tmp_path: Path) -> None:
    path = page(tmp_path)
    view = translate(desk, path)
    view.saving.save(view.stored.id, path)
    desk.wait(lambda: bool(desk.notices))
    assert path.read_text("utf-8") == PAGE
    assert "Saved" not in desk.notices[0]


def test_both_languages_are_saved_side_by_side(desk: Desk, tmp_path: Path) -> None:
    view = translate(desk, page(tmp_path))
    menu = view.saving.menu(view.stored)
    endings = [action.text().partition("\t")[2] for action in menu.actions() if action.text()]
    assert endings == [".html", ".html", ".csv", ".tmx"]
    menu.close()
    dialog = view.saving.ask(view.stored, ".csv", is_bilingual=True)
    assert dialog is not None
    dialog.fileSelected.emit(str(tmp_path / "both"))
    dialog.close()
    target = tmp_path / "both.csv"
    desk.wait(target.exists)
    assert PETS in target.read_text("utf-8-sig")
    assert ANSWERS[3]["text"] in target.read_text("utf-8-sig")


def test_a_translation_is_edited_by_keys_and_stays_so(desk: Desk, tmp_path: Path) -> None:
    view = translate(desk, page(tmp_path))
    view.page.segments.setFocus()
    press(desk, Qt.Key.Key_Down, Qt.Key.Key_Return)
    editor = view.page.segments.editor
    assert editor is not None
    desk.qtbot.keyClicks(editor.text, " Sempre.")
    press(desk, Qt.Key.Key_Return, modifier=Qt.KeyboardModifier.ControlModifier)
    assert shown(view)[1].endswith("cada mês. Sempre.")
    stored = desk.app.translations.row(view.stored.id, 2).translated
    assert stored is not None
    assert stored.origin == "edited"
    assert stored.accepted
    assert "Nothing is left to look at." in desk.notices
    view.page.segments.edit_row(2)
    assert view.page.segments.editor is not None
    desk.qtbot.keyClicks(view.page.segments.editor.text, "!")
    desk.view.document.leave()
    assert desk.app.translations.row(view.stored.id, 3).translated.content[0].endswith("locador.!")


def flagged(open_tab: Callable[..., Desk], tmp_path: Path) -> tuple[Desk, Any]:
    """A document with a term that the model would not use."""
    late = {"when": r"Late payment(?![^\n]*translated as)", "text": ANSWERS[2]["text"]}
    desk = open_tab(*ANSWERS, late)
    desk.app.translations.keep_glossary("en", "pt-BR", [Term("interest", "juros de mora")])
    return desk, translate(desk, page(tmp_path))


def test_use_it_puts_the_glossarys_term_in_the_place_of_its_words(
    open_tab: Callable[..., Desk], tmp_path: Path
) -> None:
    desk, view = flagged(open_tab, tmp_path)
    assert view.page.head.glossary.text() == "Glossary · 1"
    assert view.page.head.flagged.text() == "Next flagged · 1"
    press(desk, Qt.Key.Key_F8)
    assert view.page.segments.current == 2
    view.page.segments.reveal(2)
    at = view.page.segments.link_rect(2, 0).center()
    desk.qtbot.mouseClick(view.page.segments.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert "rende juros de mora de um por cento" in shown(view)[2]
    assert view.page.segments.laid.row(2).links == []
    assert not view.page.head.flagged.isVisible()


def test_keep_accepts_a_segment_as_it_is(open_tab: Callable[..., Desk], tmp_path: Path) -> None:
    desk, view = flagged(open_tab, tmp_path)
    desk.click(view.page.head.flagged)
    view.page.segments.setFocus()
    press(desk, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return)
    assert shown(view)[2] == ANSWERS[2]["text"]
    assert not view.page.head.flagged.isVisible()
    kept = desk.app.translations.row(view.stored.id, 3).translated
    assert kept is not None
    assert kept.accepted


def test_try_again_asks_only_that_segment_anew(open_tab: Callable[..., Desk], tmp_path: Path) -> None:
    desk = open_tab(*ANSWERS)
    view = translate(desk, page(tmp_path))
    content = desk.app.translations.row(view.stored.id, 4).segment.content
    kept = Translated(4, content, Origin.KEPT, (Flag(FlagKind.UNTRANSLATED),))
    TranslationStore(desk.app.database).keep(view.stored.id, [outcome_of(kept)])
    view.page.segments.rows.forget()
    view.refresh()
    assert view.page.segments.laid.row(3).links[0].words == "Try again"
    asked = len(desk.asked)
    view.page.segments.go_to(3)
    view.page.segments.setFocus()
    press(desk, Qt.Key.Key_Right, Qt.Key.Key_Return)
    desk.wait(lambda: view.stored.state == "done" and shown(view)[3] == ANSWERS[3]["text"])
    assert len(desk.asked) <= asked + 1
    assert not view.page.head.flagged.isVisible()


def test_another_language_for_one_that_is_done_waits_until_it_is_applied(desk: Desk, tmp_path: Path) -> None:
    view = translate(desk, page(tmp_path))
    view.page.bar.choice.target.choose("pt-PT")
    assert view.page.state.isVisible()
    assert view.page.state.go_on.text() == "Apply to this document"
    assert view.stored.wish.target == "pt-BR"
    asked = len(desk.asked)
    desk.click(view.page.state.go_on)
    desk.wait(lambda: view.stored.state == "done" and view.stored.wish.target == "pt-PT")
    assert len(desk.asked) == asked + 4
    assert view.page.state.isHidden()
    view.page.bar.choice.target.choose("pt-BR")
    desk.click(view.page.state.go_on)
    desk.wait(lambda: view.stored.state == "done" and view.stored.wish.target == "pt-BR")
    assert len(desk.asked) == asked + 4, "the memory knows the first one"
    assert shown(view)[0] == "Aluguel e caução"


def test_the_glossary_opens_beside_takes_terms_and_is_applied_to_what_it_changes(desk: Desk, tmp_path: Path) -> None:
    view = translate(desk, page(tmp_path))
    desk.click(view.page.head.glossary)
    assert view.glossary.isVisible()
    assert view.page.isVisible()
    assert view.glossary.add_button.hasFocus()
    press(desk, Qt.Key.Key_Space)
    for words in ("interest", "juros de mora"):
        focus = QApplication.focusWidget()
        assert focus is not None
        desk.qtbot.keyClicks(focus, words)
        press(desk, Qt.Key.Key_Return)
        for _ in range(2):  # a cell's editor closes in a turn of its own, and the next one opens in another
            QApplication.processEvents()
    assert desk.app.translations.glossary("en", "pt-BR") == (Term("interest", "juros de mora"),)
    assert view.page.head.glossary.text() == "Glossary · 1"
    desk.click(view.glossary.apply)
    desk.wait(lambda: view.stored.state == "done" and view.stored.flagged == 1)
    assert not view.glossary.apply.isVisible()
    desk.view.resize(600, 600)
    desk.wait(lambda: not view.page.isVisible())
    assert view.glossary.isVisible(), "in a narrow window it takes the document's place"
    desk.click(view.glossary.close_button)
    assert not view.glossary.isVisible()
    assert view.page.isVisible()
    desk.click(view.page.head.glossary)
    assert not view.page.isVisible()
    press(desk, Qt.Key.Key_Escape)
    assert view.page.isVisible()


def test_what_a_document_repeats_is_there_again_when_it_is_reopened(
    open_tab: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = open_tab({"when": r"[^\n]*Northern Ports[^\n]*\Z", "text": "Os Portos do Norte são bons e grandes."})
    texts = ("We like the Northern Ports.", "They know the Northern Ports well.", "In the Northern Ports it rains.")
    content = "".join(f"<p>{text}</p>" for text in texts)
    view = translate(desk, page(tmp_path, content=f"<html><body>{content}</body></html>"))
    told = view.glossary.found.text()
    assert told.startswith("Northern Ports → ")
    mine = view.stored.id
    drop(desk, page(tmp_path, "other.html"))
    assert view.glossary.found.text() == ""
    desk.view.show_translation(mine)
    assert view.glossary.found.text() == told


def test_the_memory_goes_out_as_tmx_and_comes_back(desk: Desk, tmp_path: Path) -> None:
    view = translate(desk, page(tmp_path))
    menu = view.glossary.show_menu()
    assert "Export all translations (TMX)…" in [action.text() for action in menu.actions()]
    menu.close()
    memory, path = view.glossary.memory, tmp_path / "all.tmx"
    dialog = memory.ask_to_export()
    dialog.fileSelected.emit(str(path))
    dialog.close()
    desk.wait(lambda: "Saved as all.tmx." in desk.notices)
    assert PETS in path.read_text("utf-8")
    dialog = memory.ask_to_import()
    dialog.fileSelected.emit(str(path))
    dialog.close()
    desk.wait(lambda: any("translations were imported" in one for one in desk.notices))
    memory.read(tmp_path / "none.tmx")
    desk.wait(lambda: any("none.tmx" in one for one in desk.notices))


def test_search_finds_words_in_both_columns(desk: Desk, tmp_path: Path) -> None:
    view = translate(desk, page(tmp_path))
    view.page.segments.setFocus()
    press(desk, Qt.Key.Key_F, modifier=Qt.KeyboardModifier.ControlModifier)
    assert view.page.search.field.hasFocus()
    desk.qtbot.keyClicks(view.page.search.field, "MONTH")
    desk.wait(lambda: view.page.search.count.text() == "1 of 2")
    press(desk, Qt.Key.Key_Return)
    assert view.page.segments.current == 2
    view.page.search.field.setText("juros")
    desk.wait(lambda: view.page.search.count.text() == "1 of 1")
    assert list(view.page.segments.hits) == [(2, 1)]
    start, end, is_chosen = view.page.segments.hits[(2, 1)][0]
    assert view.page.segments.laid.row(2).target.written.text[start:end] == "juros"
    assert is_chosen
    press(desk, Qt.Key.Key_Escape)
    assert view.page.search.isHidden()
    assert view.page.segments.hits == {}
    assert view.page.segments.hasFocus()


def test_a_model_without_the_language_is_named_and_nothing_can_be_begun(
    open_tab: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = open_tab(*ANSWERS, model="")
    desk.view.add_files([page(tmp_path)])
    view = desk.view.document
    desk.wait(lambda: view.stored is not None and view.page.needs.isVisible())
    assert not view.page.foot.button.isEnabled()
    with desk.qtbot.waitSignal(view.model_wanted):
        desk.click(view.page.needs.others)


def test_a_pdf_says_that_its_layout_is_not_kept(desk: Desk, tmp_path: Path) -> None:
    view = drop(desk, lease_pdf(tmp_path / "lease.pdf"))
    assert "PDF cannot be written back" in view.page.foot.note.text()
    assert "not its layout" in view.page.foot.note.text()
    assert desk.app.translations.endings(view.stored.id) == (".docx", ".html")


def test_a_locked_file_asks_for_its_password_and_without_one_it_is_left_out(desk: Desk, tmp_path: Path) -> None:
    desk.view.add_files([lease_pdf(tmp_path / "lease.pdf", password="geheim")])
    view = desk.view.document
    desk.wait(lambda: view.findChild(PasswordDialog) is not None)
    assert view.reading.lines[0].words.text() == "It needs a password."
    dialog = view.findChild(PasswordDialog)
    dialog.field.setText("geheim")
    dialog.open_button.click()
    desk.wait(lambda: view.stored is not None)
    assert view.stored.segments > 0
    desk.view.add_files([lease_pdf(tmp_path / "other.pdf", password="geheim")])
    desk.wait(lambda: any(one.isVisible() for one in view.findChildren(PasswordDialog)))
    next(one for one in view.findChildren(PasswordDialog) if one.isVisible()).reject()
    desk.wait(lambda: desk.view.pages.currentWidget() is desk.view.text)


def test_reading_a_file_can_be_ended(desk: Desk, tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("\n\n".join(f"Paragraph {number} of the lease." for number in range(20_000)), "utf-8")
    desk.view.add_files([long])
    view = desk.view.document
    desk.wait(lambda: bool(view.reading.lines) and view.drafts.files.files[0].page > 0)
    assert view.reading.lines[0].words.text().startswith("Looking for its text… ")
    desk.click(view.reading.lines[0].button)
    desk.wait(lambda: desk.view.pages.currentWidget() is desk.view.text and view.drafts.files._running is None)
    assert desk.app.translations.find() == []


def test_what_is_deleted_meanwhile_is_told_and_nothing_breaks(desk: Desk, tmp_path: Path) -> None:
    view = translate(desk, page(tmp_path))
    desk.app.translations.delete(view.stored.id)
    view.page.segments.edit_row(0)
    assert view.page.segments.editor is not None
    desk.qtbot.keyClicks(view.page.segments.editor.text, "!")
    press(desk, Qt.Key.Key_Return)
    assert desk.notices


@pytest.mark.parametrize(("size", "zoom"), [((1000, 740), 1.0), ((640, 520), 1.0), ((1000, 740), 1.5)])
def test_no_text_is_clipped(open_tab: Callable[..., Desk], tmp_path: Path, size: tuple[int, int], zoom: float) -> None:
    desk = open_tab(*ANSWERS, size=size, zoom=zoom)
    view = drop(desk, page(tmp_path))
    assert clipped_texts(desk.view) == []
    go_on(desk, view)
    assert clipped_texts(desk.view) == []
    view.page.segments.edit_row(1)
    view.show_glossary(is_open=True)
    assert clipped_texts(desk.view) == []
    view.page.segments.close_editor()


def test_in_a_low_window_the_offer_of_a_model_is_scrolled_to_and_covers_nothing(
    open_tab: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = open_tab(model="", size=(380, 360))
    desk.view.add_files([page(tmp_path)])
    view = desk.view.document
    desk.wait(lambda: view.stored is not None and view.page.needs.download.isVisible())
    needs, card = view.page.needs, view.page.card
    desk.wait(lambda: needs.words.geometry().bottom() < needs.download.y())
    assert needs.words.height() >= needs.words.heightForWidth(needs.words.width())
    assert view.page.segments.height() >= view.page.segments.minimumHeight() > 0
    assert card.geometry().bottom() < needs.y()
    assert clipped_texts(view.page.foot) == []
