"""The Summarize tab from the drop to the page: documents, choices, the work, stopping, results, and going on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog

from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.model_errors import ModelTooLarge
from app.core.events import CancelToken
from app.features.document_library import DocumentStored
from app.features.error_messages import sentence_for
from app.features.page_reading.corrections import PageCorrections
from app.features.shown_document import TextHighlight
from app.features.summarize.summarize import Merging, Planned, SectionRead, TaskRests, Writing
from app.features.summarize.summary_messages import DIGEST_WORDS
from app.features.summarize.summary_result import Form, Length, SummaryOptions
from app.ui.chat.welcome import OPEN_A_MODEL
from app.ui.document.document_details import TOKENS_FOR_MODEL
from app.ui.shared_labels import STARTER, STARTER_WARNING, SUMMARIZE, TRY_AGAIN, UNDO, WRITING
from app.ui.summarize.better_model import NOT_MADE_FOR
from app.ui.summarize.draft import KEEP_SENTENCES, ONE_SUMMARY_EACH
from app.ui.summarize.summarize_tab import POINTS_SO_FAR
from app.ui.summarize.summarize_tab import WRITES as WRITES_LABEL
from app.ui.summarize.summary_drop_zone import DROP_DOCUMENTS_HERE
from app.ui.summarize.summary_page import CHOOSE_AGAIN, SUMMARIZE_AGAIN, WRITTEN_BY_MODEL
from app.ui.summarize.summary_texts import (
    JOINING_STEP,
    SECTION_STEP,
    STOPPED_AT_SECTION,
    STOPPED_WHILE_WRITING,
)
from app.ui.summarize.wish import SUMMARIZE_ANYWAY
from app.ui.work.job_tab import PAUSED_WHILE_YOU_CHAT
from tests.helpers.attached import lease_pdf, notes
from tests.helpers.clipping import clipped_texts
from tests.helpers.pdf_files import Page
from tests.helpers.scans import drawn, scan
from tests.helpers.texts import shows
from tests.ui.summarize.conftest import FOUND, Desk, Open, differing, found, summary_of

WRITES = "/any/model.gguf"
WRITTEN = (
    "- The deposit is 2,400 euros and is paid back within eight weeks [4].\n"
    "- The lease begins on the first of June [2]."
)
NOTE = "The kiln holds its heat overnight, and energy per firing fell by a fifth."


def test_without_documents_there_is_a_place_to_drop_them_that_enter_opens(desk: Desk) -> None:
    assert desk.page == "empty"
    zone = desk.zone
    desk.view.setFocus()
    assert zone.hasFocus()
    assert DROP_DOCUMENTS_HERE in zone.accessibleName()
    desk.press(Qt.Key.Key_Return)
    desk.find_step(QFileDialog, "attach_dialog").close()


def test_dropped_documents_show_pages_tokens_and_what_it_takes(open_tab: Open, tmp_path: Path) -> None:
    desk = open_tab(model=WRITES)
    desk.drop(lease_pdf(tmp_path / "lease.pdf"), notes(tmp_path / "notes.txt", NOTE))
    assert desk.page == "draft"
    lease, text = desk.chips
    assert lease.accessibleName().startswith("lease.pdf, 4 pages, ")
    assert lease.accessibleName().endswith(" words")
    assert shows(TOKENS_FOR_MODEL, lease.toolTip())
    assert text.accessibleName().startswith("notes.txt, ")
    figures = desk.figures
    assert figures.text.startswith("2 documents, 4 pages, ")
    assert " words, " in figures.text
    assert "tokens" not in figures.text
    assert shows(TOKENS_FOR_MODEL, figures.toolTip())
    assert "section" in figures.text
    assert desk.together.isVisible()


GERMAN = "Die Miete der Wohnung beträgt 960 Euro und wird am ersten Tag des Monats von der Mieterin gezahlt. " * 3


def test_a_language_that_the_model_was_not_made_for_is_told_before_the_start_and_with_the_result(
    desk: Desk, tmp_path: Path
) -> None:
    desk.drop(notes(tmp_path / "notes.txt", NOTE))
    card = desk.better
    desk.wait(card.isVisible)
    assert not shows(NOT_MADE_FOR, card.accessibleName())
    desk.drop(notes(tmp_path / "miete.txt", GERMAN))
    desk.wait(lambda: card.accessibleName().startswith(NOT_MADE_FOR.format(model=STARTER, languages="German")))
    desk.remove(1)
    desk.wait(lambda: card.accessibleName().startswith(STARTER_WARNING))
    desk.press_notice(UNDO)
    desk.wait(lambda: card.accessibleName().startswith(NOT_MADE_FOR.format(model=STARTER, languages="German")))
    desk.remove(1)
    desk.wait(lambda: card.accessibleName().startswith(STARTER_WARNING))
    desk.choose_language("ja")
    desk.wait(lambda: card.accessibleName().startswith(NOT_MADE_FOR.format(model=STARTER, languages="Japanese")))
    head = desk.head
    summary = replace(summary_of([], SummaryOptions(), [found()]), unknown_languages=("ja",))
    head.show_facts(summary)
    assert head.text.endswith("by a model that isn’t made for Japanese")


def test_a_folder_gives_its_documents_and_one_that_cannot_be_read_does_not_stop_the_others(
    desk: Desk, tmp_path: Path
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    lease_pdf(folder / "a.pdf")
    (folder / "b.pdf").write_bytes(b"%PDF-1.4 nothing more")
    notes(folder / "c.txt", NOTE)
    desk.view.add_files([folder])
    desk.wait(lambda: len(desk.files) == 3 and not desk.is_reading)
    words = [chip.accessibleDescription() for chip in desk.chips]
    assert words[1] == sentence_for(DocumentUnreadable("b.pdf", "damaged")).text
    assert len(desk.document_ids) == 2
    desk.wait(desk.begin_button.isEnabled)


def test_delete_takes_a_document_out_and_without_any_the_place_to_drop_is_back(desk: Desk, tmp_path: Path) -> None:
    desk.drop(lease_pdf(tmp_path / "lease.pdf"))
    chip = desk.chips[0]
    chip.setFocus()
    desk.press(Qt.Key.Key_Delete)
    assert desk.files == []
    assert desk.page == "empty"
    assert desk.summaries.find_draft() is None


def test_what_is_put_together_comes_back_after_a_restart(open_tab: Open, tmp_path: Path) -> None:
    desk = open_tab()
    desk.drop(lease_pdf(tmp_path / "lease.pdf"))
    desk.choose_length(Length.SHORT)
    desk.choose_form(Form.OWN)
    desk.instruction.setFocus()
    desk.keys("only the money")
    desk.choose_language("de")
    again = open_tab()
    assert again.page == "draft"
    assert [chip.accessibleName().split(",")[0] for chip in again.chips] == ["lease.pdf"]
    assert again.wish == SummaryOptions(Length.SHORT, Form.OWN, "de", "only the money")
    assert again.instruction.isVisible()


def test_enter_starts_and_the_points_grow_section_by_section(desk: Desk, tmp_path: Path) -> None:
    desk.drop(lease_pdf(tmp_path / "lease.pdf"))
    desk.view.take_keyboard()
    desk.press(Qt.Key.Key_Return)
    assert desk.page == "work"
    desk.say(Planned(3, 900), SectionRead(1, 3, (found(),), 0, 1))
    desk.wait(lambda: desk.statement_count == 1)
    assert desk.work_words.text().startswith(SECTION_STEP.format(number=2, sections=3))
    assert desk.work_lead.text() == POINTS_SO_FAR
    assert 0 < desk.work_line.value() < desk.work_line.maximum() / 2
    desk.say(TaskRests("interactive"))
    desk.wait(
        lambda: desk.work_words.text() == f"{SECTION_STEP.format(number=2, sections=3)} · {PAUSED_WHILE_YOU_CHAT}"
    )
    assert desk.states[-1] == "Summary paused while you chat"
    desk.say(SectionRead(2, 3, (differing(),), 0, 2), SectionRead(3, 3, (), 0, 3), Merging(1, 2))
    desk.wait(lambda: desk.work_words.text().startswith(JOINING_STEP.format(number=2, merges=2)))
    assert desk.statement_count == 2
    assert desk.states[-1] == "Summarizing"
    desk.say(Writing("The deposit is 2,400"))
    desk.wait(lambda: desk.said == "The deposit is 2,400")
    assert desk.work_lead.text() == WRITES_LABEL
    room = desk.statements.viewport().mapTo(desk.view, QPoint()).y()
    room -= desk.work_lead.mapTo(desk.view, desk.work_lead.contentsRect().bottomLeft()).y()
    assert room >= 8, "text that is scrolled ends below the heading, not at it"
    desk.finish(found())
    desk.wait(lambda: desk.states[-1] == "")


def test_a_result_says_what_was_read_and_what_differs_and_its_chip_opens_the_sentence(
    desk: Desk, tmp_path: Path
) -> None:
    desk.begin_prompt(lease_pdf(tmp_path / "lease.pdf"))
    desk.finish(found(), differing())
    head, statements = desk.head, desk.statements
    assert statements.verticalScrollBar().value() == 0
    assert head.text.startswith("4 of 4 pages read") or head.text.startswith("4 pages read")
    tokens = desk.theme.tokens
    assert "2 statements: 1 found on their page, 1 differs" in head.text
    assert "1&nbsp;differs" in desk.facts.text()  # never a number at the end of a line and its word on the next
    assert tokens.warning in desk.facts.text()
    assert "This says “June”, the page says “May”." in statements.toPlainText()
    desk.open_chip(0)
    shown = desk.reader
    assert shown.is_visible
    assert shown.page == 2
    assert statements.open_chip == (0, 0)
    assert shown.mark == TextHighlight(4, 0, 15)
    desk.wait(lambda: shown.is_drawn)
    desk.press(Qt.Key.Key_Escape)
    assert not shown.is_visible
    assert statements.hasFocus()
    assert statements.open_chip is None


def test_a_finished_summary_opens_the_source_of_what_differs_and_keys_lead_through_the_pages(
    open_tab: Open, tmp_path: Path
) -> None:
    desk = open_tab(size=(1100, 700))
    number = desk.begin_prompt(lease_pdf(tmp_path / "lease.pdf"))
    desk.view.take_keyboard()
    desk.finish(found(), differing())
    desk.wait(lambda: desk.is_reader_open and desk.reader.page == 1)
    assert desk.statements.open_chip == (1, 0)
    assert desk.statements.hasFocus(), "it took nothing from who reads"
    desk.press(Qt.Key.Key_Up)
    assert (desk.reader.page, desk.statements.open_chip) == (2, (0, 0))
    assert desk.statements.hasFocus()
    desk.press(Qt.Key.Key_Escape)
    assert not desk.is_reader_open
    desk.view.show_new()
    desk.show(number)
    desk.wait(lambda: desk.page == "result")
    assert not desk.is_reader_open, "it stays closed"
    desk.open_chip(0)
    desk.view.show_new()
    assert not desk.is_reader_open
    desk.show(number)
    desk.wait(lambda: desk.is_reader_open)
    desk.view.resize(700, 700)
    desk.wait(lambda: not desk.is_reader_open)
    assert desk.statements.isVisible(), "what opened by itself takes nobody's place"
    desk.view.resize(1100, 700)
    desk.wait(lambda: desk.is_reader_open)


def test_stop_keeps_what_is_there_and_go_on_goes_on(desk: Desk, tmp_path: Path) -> None:
    number = desk.begin_prompt(lease_pdf(tmp_path / "lease.pdf"))
    desk.say(Planned(3, 900), SectionRead(1, 3, (found(),), 0, 1))
    desk.wait(lambda: desk.statement_count == 1)
    desk.click(desk.stop)
    desk.wait(lambda: desk.page == "result" and desk.statement_count == 1)
    assert desk.state_words.text() == STOPPED_AT_SECTION.format(read=1, sections=3)
    assert FOUND[:20] in desk.said
    desk.click(desk.go_on_button)
    desk.wait(lambda: len(desk.pipeline.asked) == 2)
    assert desk.page == "work"
    desk.finish(found(), differing())
    assert not desk.state_bar.isVisible()
    stored = desk.summaries.get(number)
    assert stored is not None
    assert stored.state == "done"


def test_a_summary_that_fails_says_why_and_can_be_tried_again(desk: Desk, tmp_path: Path) -> None:
    desk.notify.actions["open_model"] = lambda: None
    desk.begin_prompt(lease_pdf(tmp_path / "lease.pdf"))
    too_large = ModelTooLarge("/models/large.gguf", 9_100_000_000, 6_200_000_000)
    desk.say(Planned(2, 100), too_large)
    desk.wait(desk.state_bar.isVisible)
    assert sentence_for(too_large).text in desk.state_words.text()
    assert desk.state_other.text() == OPEN_A_MODEL
    assert desk.go_on_button.text() == TRY_AGAIN
    desk.click(desk.go_on_button)
    desk.wait(lambda: len(desk.pipeline.asked) == 2)
    desk.finish(found())


def test_two_documents_become_one_summary_with_the_file_in_every_chip(desk: Desk, tmp_path: Path) -> None:
    desk.begin_prompt(lease_pdf(tmp_path / "lease.pdf"), notes(tmp_path / "notes.txt", NOTE))
    assert desk.pipeline.asked[0][0] == ("lease.pdf", "notes.txt")
    desk.finish(found(), found("The kiln holds its heat.", None, 1, 1))
    chips = [stretch.shown.chips[0] for stretch in desk.statements.ranges]
    assert [chip.text for chip in chips] == ["lease p. 2", "notes ¶ 1"]
    assert [chip.spoken for chip in chips] == ["page 2 of lease.pdf", "paragraph 1 of notes.txt"]


def test_two_documents_become_one_summary_each_and_the_line_says_which(desk: Desk, tmp_path: Path) -> None:
    desk.drop(lease_pdf(tmp_path / "lease.pdf"), notes(tmp_path / "notes.txt", NOTE))
    each = desk.together_buttons[1]
    assert each.text() == ONE_SUMMARY_EACH
    desk.click(each)
    desk.click(desk.begin_button)
    desk.wait(lambda: len(desk.pipeline.asked) == 1)
    desk.wait(lambda: desk.states[-1:] == ["Summarizing 1 of 2"])
    desk.finish(found())
    desk.wait(lambda: len(desk.pipeline.asked) == 2)
    assert [names for names, _ in desk.pipeline.asked] == [("lease.pdf",), ("notes.txt",)]
    desk.wait(lambda: desk.states[-1] == "Summarizing 2 of 2")
    second = next(one for one in desk.summaries.find() if one.state == "running")
    desk.view.show_job(second.id)
    desk.finish(found(page=None, block_id=1))
    desk.wait(lambda: desk.states[-1] == "")


def test_what_waits_goes_on_after_a_restart(open_tab: Open, tmp_path: Path) -> None:
    desk = open_tab()
    number = desk.begin_prompt(lease_pdf(tmp_path / "lease.pdf"))
    again = open_tab()
    again.wait(lambda: len(again.pipeline.asked) == 1)
    again.view.show_job(number)
    assert again.page == "work"
    again.finish(found())


def test_the_title_can_be_changed_and_esc_takes_it_back(desk: Desk, tmp_path: Path) -> None:
    number = desk.begin_prompt(lease_pdf(tmp_path / "lease.pdf"))
    desk.finish(*[found(f"{FOUND} Number {n}.") for n in range(40)])
    title, bar = desk.title, desk.statements.verticalScrollBar()
    bar.setValue(200)
    with desk.hears(desk.view.list_changed):
        title.setFocus()
        title.selectAll()
        desk.keys("Lease, Rua das Flores 12")
        desk.press(Qt.Key.Key_Return)
    stored = desk.summaries.get(number)
    assert stored is not None
    assert stored.title == "Lease, Rua das Flores 12"
    assert bar.value() == 200, "the reader stays where they were"
    title.selectAll()
    desk.keys("Nothing")
    desk.press(Qt.Key.Key_Escape)
    assert title.text() == "Lease, Rua das Flores 12"


def test_ask_names_the_documents_and_again_makes_another_summary_of_them(desk: Desk, tmp_path: Path) -> None:
    first = desk.begin_prompt(lease_pdf(tmp_path / "lease.pdf"))
    desk.finish(found())
    stored = desk.summaries.get(first)
    assert stored is not None
    with desk.hears(desk.view.ask_wanted) as asked:
        desk.click(desk.ask_button)
    assert asked == [(list(stored.document_ids), stored.title)]
    desk.choose_length(Length.LONG)
    desk.click(desk.begin_button)
    desk.wait(lambda: len(desk.pipeline.asked) == 2)
    assert desk.pipeline.asked[1] == (("lease.pdf",), SummaryOptions(Length.LONG))
    assert desk.summary_id != first
    desk.finish(found())


def test_of_a_scan_that_was_corrected_since_a_summary_says_so_and_is_made_again_of_what_it_says_now(
    desk: Desk, tmp_path: Path
) -> None:
    path = scan(tmp_path / "lease.pdf", drawn([Page()], tmp_path, 20), 20)
    *_, read = desk.documents.read_file(path, CancelToken())
    assert isinstance(read, DocumentStored)
    typed = PageCorrections(desk.documents, read.document.id).correct_page(1, NOTE, CancelToken())
    assert typed is not None
    first = desk.begin_prompt(path)
    desk.finish(found())
    assert not desk.state_bar.isVisible()
    corrected = PageCorrections(desk.documents, typed.id).correct_page(1, NOTE.replace("fifth", "third"), CancelToken())
    assert corrected is not None
    desk.view.show_job(first)
    assert desk.state_words.text() == (
        "The text read from the pictures has changed. This summary is of an earlier version."
    )
    assert desk.go_on_button.text() == SUMMARIZE_AGAIN
    desk.click(desk.go_on_button)
    desk.wait(lambda: len(desk.pipeline.asked) == 2)
    again = desk.summaries.get(desk.summary_id or 0)
    assert again is not None
    assert (again.id != first, again.document_ids) == (True, (corrected.id,))
    desk.finish(found())
    assert not desk.state_bar.isVisible()


@pytest.mark.parametrize(("size", "zoom"), [((640, 540), 1.0), ((1000, 740), 1.5)])
def test_nothing_is_cut_off_in_a_small_window_or_a_large_zoom(
    open_tab: Open, tmp_path: Path, size: tuple[int, int], zoom: float
) -> None:
    desk = open_tab(size=size, zoom=zoom)
    assert clipped_texts(desk.view) == []
    desk.drop(
        lease_pdf(tmp_path / "lease.pdf"), notes(tmp_path / "a-file-with-a-rather-long-name-of-its-own.txt", NOTE)
    )
    assert clipped_texts(desk.view) == []
    desk.click(desk.begin_button)
    desk.say(Planned(3, 900), SectionRead(1, 3, (found(),), 0, 1))
    desk.wait(lambda: desk.statement_count == 1)
    assert clipped_texts(desk.view) == []
    desk.finish(found(), differing(), *[found(f"{FOUND} Number {n}.") for n in range(40)])
    assert clipped_texts(desk.view) == []
    statements = desk.statements
    assert statements.verticalScrollBar().value() == 0, "a long one begins at its beginning"
    assert statements.horizontalScrollBar().maximum() == 0
    assert statements.document().idealWidth() <= statements.viewport().width()


def test_with_the_real_pipeline_what_the_model_says_stands_beside_its_page(open_tab: Open, tmp_path: Path) -> None:
    said = f"{WRITTEN}\n- May and runs for three years without interruption [2]."
    desk = open_tab({"when": "Text to summarize", "text": said}, model=WRITES)
    desk.drop(lease_pdf(tmp_path / "lease.pdf"))
    desk.click(desk.begin_button)
    desk.wait(lambda: desk.page == "result")
    statements = desk.statements
    first, second, _ = statements.ranges
    assert [chip.text for chip in first.shown.chips] == ["p. 2"]
    assert not first.shown.is_flagged
    assert second.shown.is_flagged
    assert "on p. 1" in second.shown.spoken or "the page says" in second.shown.spoken
    statements.open_place(0)
    assert desk.reader.page == 2
    assert "2,400 euros" in desk.reader.marked_text


def test_a_model_that_is_stopped_says_why_and_what_it_wrote_stands_below_and_can_be_had_all_the_same(
    open_tab: Open, tmp_path: Path
) -> None:
    said = "".join(f"- The bell of {name} was cast in 1701 [2].\n" for name in ("Alrik", "Birka", "Cedra", "Dunvik"))
    rest = {"when": "Text to summarize", "text": f"{said}- And more.", "held_after": len(said.split()), "until": "go"}
    desk = open_tab(rest, model=WRITES)
    desk.drop(lease_pdf(tmp_path / "lease.pdf"))
    desk.wait(lambda: desk.begin_button.text() == SUMMARIZE and desk.begin_button.isEnabled())
    desk.click(desk.begin_button)
    desk.wait(lambda: desk.page == "result")
    desk.wait(lambda: "model.gguf was stopped: none of its first 4 statements" in desk.facts.accessibleName())
    assert WRITTEN_BY_MODEL.format(model="model") in desk.statements.toPlainText()
    assert [one.shown.is_flagged for one in desk.statements.ranges[-4:]] == [True] * 4
    assert not any(one.shown.is_flagged for one in desk.statements.ranges[:-4])
    desk.wait(desk.begin_anyway.isVisible)
    assert (desk.begin_button.text(), desk.begin_anyway.text()) == (
        CHOOSE_AGAIN,
        SUMMARIZE_ANYWAY.format(model="model"),
    )


def test_with_the_starter_the_button_keeps_sentences_and_beside_it_the_model_can_be_asked_all_the_same(
    open_tab: Open, tmp_path: Path
) -> None:
    desk = open_tab({"text": "[1] The lease begins in May and is written by a model.\n"})
    desk.drop(lease_pdf(tmp_path / "lease.pdf"))
    desk.wait(lambda: desk.begin_button.text() == KEEP_SENTENCES)
    assert desk.begin_anyway.text() == SUMMARIZE_ANYWAY.format(model=STARTER)
    desk.click(desk.begin_button)
    desk.wait(lambda: desk.page == "result" and desk.statement_count > 0)
    assert shows(DIGEST_WORDS, desk.head.text)
    desk.wait(lambda: desk.begin_button.text() == CHOOSE_AGAIN and desk.begin_anyway.isVisible())
    desk.click(desk.begin_anyway)
    desk.wait(lambda: desk.page == "result" and "written by a model" in desk.said)
    assert not shows(DIGEST_WORDS, desk.head.text)
    first, second = desk.summaries.find()
    assert first.title == second.title


def test_stopped_while_it_is_written_the_text_stands_there_and_go_on_is_offered(desk: Desk, tmp_path: Path) -> None:
    desk.begin_prompt(lease_pdf(tmp_path / "lease.pdf"))
    desk.say(Planned(1, 900), Writing("The deposit", 0.2))
    desk.wait(lambda: desk.said == "The deposit")
    assert desk.work_words.text().startswith(WRITING)
    share = desk.work_line.value() / desk.work_line.maximum()
    assert 0.4 < share < 0.7
    desk.pipeline.so_far = [found()]
    desk.click(desk.stop)
    desk.wait(lambda: desk.page == "result" and desk.statement_count == 1)
    assert desk.state_words.text().startswith(STOPPED_WHILE_WRITING)
    assert desk.go_on_button.isVisible()
    assert FOUND[:20] in desk.said


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (Form.ACTIONS, "No action items found in it."),
        (Form.BULLETS, "Nothing was written about it."),
    ],
)
def test_where_nothing_was_found_the_result_says_so(desk: Desk, tmp_path: Path, form: Form, sentence: str) -> None:
    desk.drop(lease_pdf(tmp_path / "lease.pdf"))
    desk.choose_form(form)
    desk.click(desk.begin_button)
    desk.wait(lambda: len(desk.pipeline.asked) == 1)
    desk.finish()
    assert desk.said == sentence
    assert desk.head.text == "4 of 4 pages read"
    assert desk.save_button.isEnabled()
    desk.click(desk.copy)
    assert QApplication.clipboard().text() == sentence
