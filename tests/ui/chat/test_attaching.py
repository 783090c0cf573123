"""Documents attached to a message: read by the real child, shown as chips, sent with the question."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from app.core.errors.document_errors import DocumentUnreadable
from app.features import file_reading as f
from app.features.chat import session_messages as m
from app.features.document_library import ReadEvent
from app.features.error_messages import NO_PICTURES, sentence_for
from app.features.files_to_read import LARGE_BYTES
from app.store.attachments import DocumentUse
from app.ui.chat.attaching import SHOW_ALL, STILL_READING, SUMMARIZE_ALL, USE_AS_BACKGROUND
from app.ui.chat.attachment_row import TOO_LONG_PASSAGES_INSTEAD
from app.ui.chat.chat_notices import SENT_WHEN_READ
from app.ui.chat.pasted import ATTACH_ENTRY, ATTACH_FOLDER
from app.ui.chat.question import SHOWN_TO_MODEL
from app.ui.document.document_dialogs import WRONG_PASSWORD, LargeFile, PasswordDialog
from app.ui.shared_labels import CHOOSE_PAGES, SUMMARIZE, TRANSLATE
from app.ui.widgets.layouts import LEAST_LINES
from tests.helpers.attached import LEASE_PAGES, copy_files, lease_pdf, notes
from tests.helpers.clipping import clipped_texts
from tests.helpers.texts import shows, start_of
from tests.helpers.window_tour import settle
from tests.ui.chat.conftest import Open

LONG = " ".join(f"word{number}" for number in range(9_000))


def test_a_pdf_is_read_counted_and_sent_with_the_question(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "Three months before the end of a quarter [p. 3]."})
    desk.attach(lease_pdf(tmp_path / "lease.pdf"))
    (chip,) = desk.chips
    assert chip.accessibleDescription() == ""
    assert chip.accessibleName() == "lease.pdf, 4 pages, 83 words, attached"
    assert re.search(r"lease\.pdf<br/?>\d+ tokens for this model|lease\.pdf\n\d+ tokens for this model", chip.toolTip())
    desk.ask("When must I give notice?")
    (role, text) = desk.prompts()[-1][-1]
    assert role == "user"
    assert all(words in " ".join(text.split()) for words in LEASE_PAGES)
    assert text.endswith("When must I give notice?")
    assert desk.chips == []
    question = desk.question()
    assert [one.accessibleName().split(",")[0] for one in desk.chips_of(question)] == ["lease.pdf"]
    assert "4 pages · " in desk.chips_of(question)[0].accessibleDescription()


def test_files_pasted_into_the_message_are_attached_and_text_stays_text(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat()
    copy_files(notes(tmp_path / "notes.txt", "A note about the kiln."), notes(tmp_path / "plan.md", "# Plan", "Go."))
    desk.chat.focus_composer()
    desk.paste()
    desk.wait_until_attached(2)
    assert [one.name for one in desk.attached] == ["notes.txt", "plan.md"]
    assert desk.message == ""
    QGuiApplication.clipboard().setText("only words")
    desk.paste()
    assert desk.message == "only words"
    assert len(desk.chips) == 2


def test_a_picture_pasted_into_a_sent_message_is_told(open_chat: Open) -> None:
    desk = open_chat({"text": "Yes."})
    desk.ask("Is it?")
    QGuiApplication.clipboard().setImage(QImage(2, 2, QImage.Format.Format_RGB32))
    question = desk.question()
    QTest.keyClick(question.start_editing(question.text).edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert desk.notices == [str(NO_PICTURES)]


def test_the_menu_asks_for_several_files(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat()
    paths = [notes(tmp_path / name, f"Words of {name}.") for name in ("a.txt", "b.txt")]
    desk.choose_entry(ATTACH_ENTRY)
    dialog = desk.chat.findChild(QFileDialog, "attach_dialog")
    assert dialog is not None
    assert dialog.fileMode() == QFileDialog.FileMode.ExistingFiles
    dialog.filesSelected.emit([str(path) for path in paths])
    dialog.close()
    desk.wait_until_attached(2)
    folder = tmp_path / "papers"
    folder.mkdir()
    notes(folder / "c.txt", "First.")
    desk.choose_entry(ATTACH_FOLDER)
    dialog = desk.chat.findChild(QFileDialog, "attach_folder_dialog")
    assert dialog is not None
    assert dialog.fileMode() == QFileDialog.FileMode.Directory
    dialog.filesSelected.emit([str(folder)])
    dialog.close()
    desk.wait_until_attached(3)


def test_the_same_file_twice_is_one_chip_and_a_folder_is_its_files(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat()
    folder = tmp_path / "papers"
    folder.mkdir()
    inside = notes(folder / "a.txt", "First.")
    notes(folder / "b.md", "Second.")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    desk.attach(inside)
    desk.attaching.add([folder, inside])
    desk.wait_until_attached(2)
    assert [one.name for one in desk.attached] == ["a.txt", "b.md"]
    assert desk.notices == ["2 files attached. photo.png was left out because it has no text."]


def test_a_dropped_address_is_text_of_the_message_and_words_are_too(open_chat: Open) -> None:
    desk = open_chat()
    for data, text in ((QMimeData(), "https://example.org/a"), (QMimeData(), " and words")):
        if text.startswith("https"):
            data.setUrls([QUrl(text)])
        else:
            data.setText(text)
        how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        at = QPointF(400, 8)
        enter = QDragEnterEvent(at, *how)
        QApplication.sendEvent(desk.field.viewport(), enter)
        assert enter.isAccepted()
        QApplication.sendEvent(desk.field.viewport(), QDropEvent(at, *how))
    assert desk.message == "https://example.org/a and words"
    assert desk.attached == []


def test_what_does_not_fit_becomes_background_by_itself_and_that_is_said_once(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "Sealed."})
    path = notes(tmp_path / "manual.txt", *(f"Paragraph {n}. {LONG[n * 400 : n * 400 + 380]}" for n in range(200)),
                 "The zirconium valve must be sealed with copper paste.")  # fmt: skip
    desk.attach(path)
    said = desk.too_long_said
    assert said == (TOO_LONG_PASSAGES_INSTEAD.format(name="manual.txt"))
    assert desk.note == ""
    assert desk.chips[0].accessibleName().endswith(" words, attached")
    desk.ask("How is the zirconium valve sealed?")
    assert not desk.row.isVisible()
    (_, text) = desk.prompts()[-1][-1]
    assert "The zirconium valve must be sealed with copper paste." in text
    assert "only some passages" in text
    question = desk.question()
    (row,) = desk.rows_of(question)
    assert desk.said_in(row).startswith(start_of(SHOWN_TO_MODEL))
    assert desk.said_in(row).endswith("(only parts were read for this question)")
    assert any("zirconium" in chip.text() for chip in desk.places_in(row))
    desk.ask("Which colour has the elephant?")
    (row,) = desk.rows_of(desk.question(2))
    assert desk.said_in(row).startswith(start_of(SHOWN_TO_MODEL))


def test_in_a_low_window_what_is_said_of_a_document_is_scrolled_and_not_crushed(
    open_chat: Open, tmp_path: Path
) -> None:
    desk = open_chat(load={"context_tokens": 150})
    desk.attach(lease_pdf(tmp_path / "lease.pdf"))
    desk.root.setMinimumSize(1, 1)  # as in a window on a screen that is as small
    for height, is_low in ((700, False), (240, True), (700, False)):
        desk.root.resize(360, height)
        settle()
        assert clipped_texts(desk.root) == []
        seen_px = desk.too_long.visibleRegion().boundingRect().height()
        assert (seen_px < desk.too_long.height()) == is_low
        assert seen_px >= LEAST_LINES * desk.too_long.fontMetrics().height()


def test_a_part_of_a_document_can_be_read_instead(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat(load={"context_tokens": 150})
    desk.attach(lease_pdf(tmp_path / "lease.pdf"))
    assert desk.attached[0].is_too_long
    desk.press_offer(CHOOSE_PAGES)
    desk.choose_pages(2, 2)
    desk.wait_until_attached(1)
    (one,) = desk.attached
    assert one.document is not None
    blocks = desk.documents.read_blocks(one.document.id)
    assert {block.page for block in blocks} == {2}
    assert desk.chips[0].accessibleName().startswith("lease.pdf, page 2 of 4")
    assert len(desk.in_draft) == 1


def test_what_does_not_fit_can_go_over_to_the_summaries(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat(load={"context_tokens": 150})
    desk.attach(lease_pdf(tmp_path / "lease.pdf"), notes(tmp_path / "note.txt", "Short."))
    assert desk.offers == [SUMMARIZE_ALL, CHOOSE_PAGES]
    (lease, short) = desk.attached
    assert lease.document is not None
    desk.type("About the lease")
    told = desk.hear_requests(m.SummarizeDocument)
    desk.press_offer(SUMMARIZE_ALL)
    assert told == [m.SummarizeDocument(lease.document.id)]
    assert desk.attached == [short]
    assert desk.message == "About the lease"
    assert desk.documents.store.get(lease.document.id) is not None


def test_what_fits_can_be_summarized_and_translated_from_its_menu(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat()
    path = notes(tmp_path / "note.txt", "Short.")
    desk.attach(path, notes(tmp_path / "other.txt", "Another."))
    told = desk.hear_requests(m.TranslateFile)
    desk.choose(desk.menu_of(desk.chips[0]), TRANSLATE)
    assert told == [m.TranslateFile(path)]
    (one,) = desk.attached
    assert one.document is not None
    told = desk.hear_requests(m.SummarizeDocument)
    desk.choose(desk.menu_of(desk.chips[0]), SUMMARIZE)
    assert told == [m.SummarizeDocument(one.document.id)]
    assert desk.chips == []


def test_of_a_temporary_chat_nothing_goes_to_where_it_would_be_kept(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat(load={"context_tokens": 150})
    desk.chat.show_temporary()
    desk.attach(lease_pdf(tmp_path / "lease.pdf"))
    assert desk.offers == [CHOOSE_PAGES]
    menu = desk.menu_of(desk.chips[0])
    assert not {SUMMARIZE, TRANSLATE} & {action.text() for action in menu.actions()}


def test_of_two_that_fit_only_alone_either_is_shown_whole_with_one_click(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat()
    words = LONG[:30_000]
    desk.attach(notes(tmp_path / "one.txt", words), notes(tmp_path / "two.txt", f"Other. {words}"))

    def uses() -> list[DocumentUse]:
        return [one.use for one in desk.attached]

    assert uses() == [DocumentUse.WHOLE, DocumentUse.BACKGROUND]
    assert desk.offers == [SUMMARIZE_ALL, SHOW_ALL]
    desk.press_offer(SHOW_ALL)
    desk.wait(lambda: uses() == [DocumentUse.BACKGROUND, DocumentUse.WHOLE])
    desk.attaching.remove(desk.attached[1])
    desk.wait_until_attached(1)
    assert uses() == [DocumentUse.WHOLE]
    assert desk.offers == []


def test_background_that_the_person_wants_stays_so_until_all_of_it_is_wanted(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat()
    desk.attach(notes(tmp_path / "note.txt", "Short."))

    def choose(words: str) -> None:
        menu = desk.menu_of(desk.chips[0])
        next(action for action in menu.actions() if action.text() == words).trigger()
        menu.close()
        desk.wait_until_attached(1)

    choose(USE_AS_BACKGROUND)
    attach_more = notes(tmp_path / "more.txt", "More.")
    desk.attaching.add([attach_more])
    desk.wait_until_attached(2)
    assert [one.use for one in desk.attached] == [DocumentUse.BACKGROUND, DocumentUse.WHOLE]
    assert desk.too_long_said == "", "nothing is too long"
    desk.attaching.remove(desk.attached[1])
    desk.wait_until_attached(1)
    choose(SHOW_ALL)
    assert desk.attached[0].use is DocumentUse.WHOLE


def test_a_locked_pdf_asks_for_its_password(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "Yes."})
    desk.attaching.add([lease_pdf(tmp_path / "locked.pdf", password="spring")])
    desk.wait(lambda: desk.chat.findChild(PasswordDialog) is not None)
    dialog = desk.chat.findChild(PasswordDialog)
    assert dialog is not None
    QTest.keyClicks(dialog.field, "winter")
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)

    def is_asked_again() -> bool:
        return any(shows(WRONG_PASSWORD, one.words.text()) for one in desk.chat.findChildren(PasswordDialog))

    desk.wait(is_asked_again)
    again = next(one for one in desk.chat.findChildren(PasswordDialog) if shows(WRONG_PASSWORD, one.words.text()))
    assert again.words.text() == WRONG_PASSWORD.format(name="locked.pdf")
    QTest.keyClicks(again.field, "spring")
    QTest.keyClick(again.field, Qt.Key.Key_Return)
    desk.wait_until_attached(1)
    desk.ask("When does it begin?")
    assert "first of May" in " ".join(desk.prompts()[-1][-1][1].split())


def test_a_damaged_file_says_so_and_the_good_one_beside_it_is_attached(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "Fine."})
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing of a document" * 20)
    desk.attach(broken, notes(tmp_path / "good.txt", "The good one speaks of quinces."))
    bad, good = desk.chips
    assert bad.accessibleDescription() == sentence_for(DocumentUnreadable("broken.pdf", "damaged")).text
    assert good.accessibleName().startswith("good.txt")
    desk.ask("What is it about?")
    text = desk.prompts()[-1][-1][1]
    assert "quinces" in text
    assert "broken" not in text
    assert desk.chips == []


def test_enter_while_a_document_is_read_sends_the_message_once_it_is_there(
    open_chat: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_chat({"text": "Yes."})
    read, may_begin = desk.documents.read_file, threading.Event()

    def read_later(*args: Any, **kwargs: Any) -> Iterator[ReadEvent]:
        may_begin.wait(60)
        yield from read(*args, **kwargs)

    monkeypatch.setattr(desk.documents, "read_file", read_later)
    desk.attaching.add([lease_pdf(tmp_path / "lease.pdf")])
    desk.wait(lambda: bool(desk.chips))
    desk.type("When does it begin?")
    with desk.hears(desk.chat.answer_finished):
        desk.press(Qt.Key.Key_Return)
        assert desk.note == SENT_WHEN_READ.format(name="lease.pdf")
        assert not desk.turns
        may_begin.set()
    assert "first of May" in " ".join(desk.prompts()[-1][-1][1].split())
    assert (desk.message, desk.note) == ("", "")


def test_delete_on_a_chip_takes_it_away(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat()
    desk.attach(notes(tmp_path / "a.txt", "First."), notes(tmp_path / "b.txt", "Second."))
    first = desk.chips[0]
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Delete)
    assert [one.name for one in desk.attached] == ["b.txt"]
    assert desk.chips[0].hasFocus()
    assert len(desk.in_draft) == 1


def test_documents_of_a_draft_come_back_each_to_its_chat(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "Yes."})
    desk.ask("first chat")
    first = desk.chat.conversation_id
    desk.attach(notes(tmp_path / "a.txt", "First."))
    desk.chat.show_conversation(None)
    assert desk.chips == []
    desk.attach(lease_pdf(tmp_path / "lease.pdf"))
    desk.chat.show_conversation(first)
    desk.wait_until_attached(1)
    assert desk.attached[0].name == "a.txt"
    desk.chat.hide()
    again = open_chat({"text": "Fine."})
    again.wait_until_attached(1)
    assert again.attached[0].name == "lease.pdf"
    again.ask("What of the deposit?")
    assert "2,400 euros" in again.prompts()[-1][-1][1]
    assert again.in_draft == []


def test_before_the_model_is_there_enter_sends_and_what_fits_is_decided_by_the_answer(
    open_chat: Open, tmp_path: Path
) -> None:
    desk = open_chat({"text": "Yes."}, loaded=False)
    woken = desk.hear_requests(f.WakeModel)
    desk.attaching.add([notes(tmp_path / "a.txt", "First."), notes(tmp_path / "b.txt", LONG)])
    desk.wait(lambda: woken)
    desk.wait(lambda: desk.attaching.reason_to_wait() == "" and len(desk.attached) == 2)
    desk.load(tmp_path / "model.gguf")
    desk.ask("What?")
    text = desk.prompts()[-1][-1][1]
    assert "First." in text
    assert "only some passages" in text
    question = desk.question()
    assert [", searched for each question" in one.accessibleName() for one in desk.chips_of(question)] == [False, True]


def test_letters_that_came_out_wrong_can_be_read_in_another_encoding(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat()
    path = tmp_path / "notes.txt"
    path.write_bytes("Größe".encode("cp850"))
    desk.attach(path)
    before = desk.attached[0]
    assert before.document is not None
    (chip,) = desk.chips
    chip.customContextMenuRequested.emit(QPoint(4, 4))
    menu = next(menu for menu in desk.chat.findChildren(QMenu) if menu.isVisible())
    encodings = next(action.menu() for action in menu.actions() if action.menu() is not None)
    assert isinstance(encodings, QMenu)
    action = next(action for action in encodings.actions() if action.text() == "cp850")
    action.trigger()
    menu.close()
    desk.wait_until_attached(1)
    desk.wait(lambda: desk.attached[0].document not in (None, before.document))
    desk.wait_until_attached(1)
    desk.ask("What does it say?")
    assert "Größe" in desk.prompts()[-1][-1][1]


def test_a_very_large_file_is_asked_about_first(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat()
    path = tmp_path / "huge.bin"
    with path.open("wb") as file:
        file.write(b"\x7fELF")
        file.truncate(LARGE_BYTES)  # takes no room
    desk.attaching.add([path])
    desk.wait(lambda: bool(desk.chat.findChildren(LargeFile)))
    dialog = desk.chat.findChildren(LargeFile)[0]
    assert desk.attaching.reason_to_wait() == STILL_READING.format(name="huge.bin")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert desk.attached == []
    desk.attaching.add([path])
    desk.wait(lambda: any(one.isVisible() for one in desk.chat.findChildren(LargeFile)))
    dialog = next(one for one in desk.chat.findChildren(LargeFile) if one.isVisible())
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    desk.wait(lambda: bool(desk.attached[0].error))
    assert desk.attached[0].error == sentence_for(DocumentUnreadable("huge.bin", "not_text")).text
