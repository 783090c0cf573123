"""A scan in the whole window: read, told of, stopped, asked about, compared, corrected; summarized and translated."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from app.store.jobs import PAGE_READING, JobTable
from app.ui.chat.attachment_row import AttachmentRow
from app.ui.chat.chat_view import ChatView
from app.ui.document.reading_pane import CORRECTED_PAGE, PageReadingPane
from app.ui.shared_labels import GO_ON, STOP, TEXT_LABEL, UNDO
from app.ui.translate.document_page import TRANSLATE_WHAT_CHANGED
from app.ui.work.picture_reading import (
    COMPARE_WITH_PICTURES,
    CORRECTED_PAGES,
    PAGE_IS_PICTURE,
    PAGE_NUMBER,
    PAGES_READ_FROM_PICTURES,
    READ_ITS_TEXT,
    PicturesLine,
)
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.desk import Found
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.models_on_disk import write_model
from tests.helpers.scans import drawn, letter, scan
from tests.helpers.script import prompts, write_script
from tests.helpers.texts import shows
from tests.helpers.translations import asked, one_by_one, put_pipeline
from tests.ui.chat.test_temporary import files_with
from tests.ui.translate.conftest import MODEL

FIRST = "# Lease\n\nThe rent is 1,450 euros, due on the third working day of each month."
SECOND = "Signed by both parties in Elm Street."
CITED = "Pets may be kept only with the written consent of the landlord."
READING_MS = 120_000
ANSWER = "The rent is 1,450 euros, due on the third working day of each month."


class ScanDesk(Frame):
    """The window with a real chat, whose model sees."""

    reading = Found(PageReadingPane)

    def __init__(self, frame: Frame, script: Path) -> None:
        super().__init__(frame.window, frame.app, frame.notify, theme=frame.theme, loader=frame.loader, chat=frame.chat)
        self.script = script
        self.talk = ChatDesk(self.chat, self.app, self.notify, self.theme, script)

    def line(self) -> PicturesLine:
        """What is told of pictures in the tab that is open."""
        return next(one for one in self.window.findChildren(PicturesLine) if one.isVisible())

    @property
    def said(self) -> str:
        lines = [one for one in self.window.findChildren(PicturesLine) if one.isVisible()]
        return lines[0].text if lines else ""

    def act(self, name: str) -> None:
        buttons = [one for one in self.line().findChildren(QPushButton) if one.text() == name and one.isVisible()]
        self.click(buttons[0])


def rule(text: str, **more: Any) -> dict[str, Any]:
    return {"when": "Copy all text", "text": text, "times": 1} | more


def with_a_model_that_sees(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *rules: dict[str, Any], name: str = "Eye 2B"
) -> Path:
    """The script of one that answers by these rules, and knows when the rent is due."""
    seeing = {"sees": True, "name": name, "context_tokens": 8192}
    path = write_script(folder / "script", *rules, {"when": "due", "text": ANSWER}, load=seeing)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


@contextmanager
def opened(application: QApplication, script: Path, model: Path = Path("/any/model.gguf")) -> Iterator[ScanDesk]:
    with open_window(application, make_chat=ChatView) as frame:
        list(frame.app.engine.load(model))
        frame.loader.sync_with_engine()
        yield ScanDesk(frame, script)


@pytest.fixture
def seeing(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScanDesk]:
    """Without tesseract; the model waits at the end of the second page."""
    held = rule(SECOND, held_after=1, until="go")
    script = with_a_model_that_sees(tmp_path, monkeypatch, rule(FIRST), held, rule(SECOND))
    monkeypatch.setenv("PATH", str(tmp_path))
    with opened(qapp, script) as desk:
        yield desk


TESSERACT = """#!/bin/sh
case "$*" in *--list-langs*) echo 'List of available languages in "/" (1):'; echo eng; exit;; esac
printf 'level\\tpage_num\\tblock_num\\tpar_num\\tline_num\\tword_num\\tleft\\ttop\\twidth\\theight\\tconf\\ttext\\n'
n=0
for word in The rent of 1,450 euros is due on the third working day of each month; do
  n=$((n + 1))
  printf '5\\t1\\t1\\t1\\t1\\t%d\\t%d\\t40\\t40\\t20\\t95\\t%s\\n' $n $((n * 50)) $word
done
"""


@pytest.fixture
def blind(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScanDesk]:
    """A model that sees nothing, and a tesseract that finds the same words in every picture."""
    script = write_script(tmp_path / "script", {"when": "due", "text": ANSWER}, load={"context_tokens": 8192})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    program = tmp_path / "bin" / "tesseract"
    program.parent.mkdir()
    program.write_text(TESSERACT, "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    with opened(qapp, script) as desk:
        yield desk


def test_the_text_of_a_picture_is_read_where_the_model_sees_none(blind: ScanDesk) -> None:
    desk, chat = blind, blind.talk
    pasted = QImage(900, 200, QImage.Format.Format_RGB32)
    pasted.fill(Qt.GlobalColor.white)
    chat.attaching.add_drawn(pasted, "Picture")
    row = desk.find_step(AttachmentRow)
    desk.wait(row.not_seen.instead.isVisible)
    assert row.not_seen.instead.text() == READ_ITS_TEXT
    desk.click(row.not_seen.instead)
    desk.wait(lambda: not chat.attaching.reason_to_wait() and len(chat.attaching.shown) == 1)
    assert chat.attaching.shown[0].name == "Picture"
    assert len(chat.attaching.pictures) == 1, "it stays with the message"
    assert not row.not_seen.instead.isVisible(), "once is enough"
    chat.ask("When is the rent due?")
    shown = " ".join(text for messages in prompts(desk.script) for _, text in messages)
    assert "The rent of 1,450 euros is due on the third working day" in shown
    assert chat.question().findChild(QLabel, "unseen") is None, "its text was read"
    with desk.app.database.reading() as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM documents")}
    assert names == {"Picture"}, "also with what was read of it"

    pasted.fill(Qt.GlobalColor.lightGray)
    chat.attaching.add_drawn(pasted, "Other")
    desk.wait(row.not_seen.instead.isVisible)
    chat.ask("When is it due?")
    (button,) = desk.every(QPushButton, "read_sent_text")
    desk.click(button)
    desk.wait(lambda: not chat.attaching.reason_to_wait() and [one.name for one in chat.attaching.shown] == ["Other"])


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="make test-documents installs it")
def test_the_text_of_a_picture_is_read_by_the_tesseract_that_is_installed(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = write_script(tmp_path / "script", {"when": "due", "text": ANSWER}, load={"context_tokens": 8192})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    pixels = drawn([letter()], tmp_path, 120)[0].squeeze()
    high, wide = pixels.shape
    with opened(qapp, script) as desk:
        page = QImage(pixels.tobytes(), wide, high, wide, QImage.Format.Format_Grayscale8)
        desk.talk.attaching.add_drawn(page, "Letter")
        row = desk.find_step(AttachmentRow)
        desk.wait(row.not_seen.instead.isVisible)
        desk.click(row.not_seen.instead)
        desk.wait(lambda: not desk.talk.attaching.reason_to_wait() and len(desk.talk.attaching.shown) == 1)
        desk.talk.ask("When is the rent due?")
        shown = " ".join(text for messages in prompts(desk.script) for _, text in messages)
        assert "monthly rent of 1,450 euros" in " ".join(shown.split())


@pytest.fixture
def lease(tmp_path: Path) -> Path:
    return scan(tmp_path / "lease.pdf", drawn([letter()] * 2, tmp_path, 40), 40)


def test_a_scan_is_stopped_and_gone_on_with_asked_about_compared_and_corrected(seeing: ScanDesk, lease: Path) -> None:
    desk, chat = seeing, seeing.talk
    chat.attaching.add([lease])
    desk.wait(lambda: "2 of 2" in desk.said)
    assert desk.said == "Reading the pictures of lease.pdf with Eye 2B · 2 of 2"
    assert chat.attaching.waits_for == "lease.pdf"
    desk.act(STOP)
    desk.wait(lambda: "wasn’t read" in desk.said)
    assert desk.said == PAGE_IS_PICTURE.format(page=2, name="lease.pdf")
    (desk.script.parent / "go").touch()
    desk.act(GO_ON)
    desk.wait(lambda: desk.said == PAGES_READ_FROM_PICTURES.format(pages="2 pages", name="lease.pdf", way="Eye 2B"))
    chat.wait_until_attached(1)
    desk.wait(lambda: "22 words" in chat.chips[0].accessibleName())

    desk.act(COMPARE_WITH_PICTURES)
    reading = desk.reading
    assert (desk.reader.page, reading.edit.toPlainText()) == (1, FIRST)
    assert reading.who.text().startswith("Read from the picture by Eye 2B.")
    assert not reading.save.isEnabled()
    reading.edit.setPlainText(FIRST.replace("1,450", "1,540"))
    desk.click(reading.save)
    desk.wait(lambda: reading.who.text() == CORRECTED_PAGE)
    assert desk.said.endswith(CORRECTED_PAGES.format(pages=PAGE_NUMBER.format(page=1)))
    desk.click(reading.give_up)
    desk.wait(lambda: reading.edit.toPlainText() == FIRST and not desk.said.endswith("page 1."))
    assert reading.who.text().startswith("Read from the picture by Eye 2B.")
    assert not reading.give_up.isVisible()
    desk.press_notice(UNDO)
    desk.wait(
        lambda: (
            desk.said.endswith(CORRECTED_PAGES.format(pages=PAGE_NUMBER.format(page=1))) and reading.give_up.isVisible()
        )
    )
    assert "1,540" in reading.edit.toPlainText()
    desk.click(desk.reader.next_page)
    assert not reading.give_up.isVisible()
    assert reading.edit.toPlainText() == SECOND
    reading.edit.setPlainText(f"| a | b |\n| - | - |\n| 1 | 2 |\n\n\n\n{SECOND}")
    QTest.keyClick(reading.edit, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    desk.click(reading.save)
    desk.wait(lambda: "\n\n\n" not in reading.edit.toPlainText())
    assert reading.edit.textCursor().atEnd(), "it was put in order, and nothing jumps"
    reading.edit.setPlainText(SECOND.replace("Elm", "Oak"))
    desk.click(desk.reader.close_button)  # keeps it, and is gone before that is done
    blocks = desk.app.documents.read_blocks
    desk.wait(lambda: any("Oak" in block.text for block in blocks(chat.attached[0].attachment.document_id)))
    desk.wait(lambda: desk.said.endswith(CORRECTED_PAGES.format(pages="pages 1, 2")))

    chat.ask("When is it due?")
    (asked,) = [one for one in prompts(desk.script) if "When is it due?" in one[-1][1]]
    assert "The rent is 1,540 euros" in asked[-1][1]
    assert "Signed by both parties in Oak Street." in asked[-1][1]


def test_a_scan_in_a_temporary_chat_is_read_as_well_and_nothing_of_it_stays(
    seeing: ScanDesk, lease: Path, fresh_home: Path
) -> None:
    desk, chat = seeing, seeing.talk
    passing = desk.app.paths.decoded
    (desk.script.parent / "go").touch()
    chat.chat.show_temporary()
    chat.attaching.add([lease])
    desk.wait(lambda: desk.said == PAGES_READ_FROM_PICTURES.format(pages="2 pages", name="lease.pdf", way="Eye 2B"))
    assert [one.name[:8] for one in passing.iterdir()] == ["passing-"]
    chat.wait_until_attached(1)
    desk.act(COMPARE_WITH_PICTURES)
    reading = desk.reading
    reading.edit.setPlainText(FIRST.replace("1,450", "1,540"))
    desk.click(reading.save)
    desk.wait(lambda: desk.said.endswith(CORRECTED_PAGES.format(pages=PAGE_NUMBER.format(page=1))))
    chat.ask("When is it due?")
    (asked,) = [one for one in prompts(desk.script) if "When is it due?" in one[-1][1]]
    assert "The rent is 1,540 euros" in asked[-1][1]
    assert SECOND in asked[-1][1]
    chat.chat.show_conversation(None)
    assert desk.said == ""

    def is_gone() -> bool:
        gc.collect()  # as the window does from time to time
        return list(passing.iterdir()) == []

    desk.wait(is_gone)
    for words in (b"third working day", b"elm street", b"lease.pdf"):
        assert files_with(words, fresh_home) == []
    assert JobTable(desk.app.database).find(PAGE_READING) == []


def test_a_citation_opens_what_a_model_read_where_it_says_that_it_stands(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = drawn([letter()], tmp_path, 150)  # as it is shown to a model, so that these are its pixels
    high, wide = pages[0].shape[:2]
    said = [
        {"bbox": [0.1 * wide, top * high, 0.9 * wide, bottom * high], "category": TEXT_LABEL, "text": text}
        for top, bottom, text in ((0.1, 0.15, ANSWER), (0.4, 0.45, CITED), (0.6, 0.65, SECOND))
    ]
    layout = {"when": "layout information", "text": json.dumps(said)}
    script = with_a_model_that_sees(tmp_path, monkeypatch, layout, {"when": "pets", "text": CITED}, name="dots.ocr 2B")
    monkeypatch.setenv("PATH", str(tmp_path))  # without tesseract
    with opened(qapp, script) as desk:
        path = scan(tmp_path / "lease.pdf", pages, 150)
        shares = opened_by_citation(desk, path, "read from pictures by dots.ocr 2B")
        assert shares == pytest.approx((0.4, 0.45), abs=0.01)


def opened_by_citation(desk: ScanDesk, path: Path, said: str) -> tuple[float, float]:
    """Where on the page what a chip of an answer opened is marked: its top and bottom, of the page's height."""
    desk.talk.attaching.add([path])
    desk.wait(lambda: said in desk.said, READING_MS)
    desk.talk.wait_until_attached(1)
    desk.talk.ask("May I keep pets?")
    (chip,) = desk.talk.places_in(desk.talk.last.evidence.sources)
    desk.click(chip)
    desk.wait(lambda: desk.reader.is_sharp)
    marked = desk.reader.paper.marked_rect()
    assert marked is not None
    return marked.top() / desk.reader.paper.height(), marked.bottom() / desk.reader.paper.height()


def test_a_scan_is_summarized_and_translated_once_it_is_read(seeing: ScanDesk, lease: Path, tmp_path: Path) -> None:
    desk = seeing
    desk.new_summary()
    desk.summarize.root.add_files([lease])
    desk.wait(lambda: "2 of 2" in desk.said)
    assert not desk.summarize.begin_button.isEnabled()
    (desk.script.parent / "go").touch()
    desk.wait(lambda: shows(PAGES_READ_FROM_PICTURES, desk.said))
    desk.wait(desk.summarize.begin_button.isEnabled)
    (document_id,) = desk.summarize.document_ids
    assert [block.text for block in desk.app.documents.read_blocks(document_id)][1:] == [FIRST.split("\n\n")[1], SECOND]

    copy = tmp_path / "other.pdf"
    copy.write_bytes(lease.read_bytes() + b"\n")  # another file, which nobody has read
    desk.window.show_tab("translate")
    said = list[str]()
    pictures = desk.window.ui.pictures
    assert pictures is not None
    pictures.changed.connect(lambda: said.append(desk.said))
    desk.window.tab("translate").take_files([copy])
    desk.wait(lambda: desk.app.translations.find() != [])
    assert any("Reading the pictures of other.pdf" in one for one in said)
    (translation,) = desk.app.translations.find()
    assert desk.app.translations.segments.read_row(translation.id, 1).segment.text == SECOND


def test_a_translated_scan_says_what_it_is_and_follows_what_is_corrected_beside_its_pictures(
    qapp: QApplication, tmp_path: Path, lease: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = with_a_model_that_sees(tmp_path, monkeypatch, rule(FIRST), rule(SECOND))
    monkeypatch.setenv("PATH", str(tmp_path))
    model = tmp_path / MODEL
    write_model(model, **{"tokenizer.chat_template": "{{ messages }}"})
    with opened(qapp, script, model) as desk:
        desk.app.change_settings("engine", model_path=str(model), known_models=(str(model),))
        desk.app.change_settings("translations", target="pt-BR")
        put_pipeline(desk.app, one_by_one)
        desk.window.show_tab("translate")
        desk.window.tab("translate").take_files([lease])
        page = desk.translate.document
        page.wait_until_read()
        told = PAGES_READ_FROM_PICTURES.format(pages="2 pages", name="lease.pdf", way="Eye 2B")
        assert desk.said == told
        page.translate()
        assert (desk.said, page.state_bar.isVisible()) == (told, False)

        desk.act(COMPARE_WITH_PICTURES)
        reading = desk.reading
        assert (reading.edit.toPlainText(), page.panel.page) == (FIRST, 1)
        QTest.keyClick(reading.edit, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(reading.edit, " In cash.")
        desk.wait(lambda: page.panel.is_sharp)
        picture = page.panel.paper.shown
        reading.save.setFocus()
        QTest.keyClick(reading.save, Qt.Key.Key_Space)
        desk.wait(page.state_bar.isVisible)
        assert (reading.edit.hasFocus(), reading.edit.textCursor().atEnd()) == (True, True), "nothing jumps"
        assert page.panel.paper.shown is picture
        assert desk.said == f"{told} Corrected by you: page 1."
        assert page.state_words.text() == (
            "The text read from the pictures has changed. Earlier translations are kept."
        )
        assert page.shown == ["You said: Lease", ANSWER, f"You said: {SECOND}"]
        QTest.keyClick(reading.edit, Qt.Key.Key_Escape)
        assert not reading.isVisible()
        assert page.go_on_button.text() == TRANSLATE_WHAT_CHANGED
        page.go_on_button.setFocus()
        QTest.keyClick(page.go_on_button, Qt.Key.Key_Space)
        page.wait(lambda: page.is_done and page.source_of(1).endswith("In cash."))
        assert page.has_keyboard
        assert not page.state_bar.isVisible()
        assert [asked(script)[page.source_of(number)] for number in range(3)] == [1, 1, 1]

        page.click(page.glossary_button)
        desk.act(COMPARE_WITH_PICTURES)
        assert (page.root.is_glossary_open, reading.isVisible()) == (False, True)
        page.click(page.glossary_button)
        assert (page.root.is_glossary_open, reading.isVisible()) == (True, False)
