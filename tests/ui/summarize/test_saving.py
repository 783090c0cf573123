"""A summary leaves as a file that other programs open, as PDF too, or with a sentence on why not."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
from docx import Document
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.core.errors.saving_errors import FolderNotWritable
from app.features.error_messages import sentence_for
from app.ui.shared_labels import SAVED_AS
from app.ui.summarize.summary_page import write_pdf
from app.ui.work.doing import file_name
from tests.helpers.attached import lease_pdf
from tests.helpers.texts import start_of
from tests.ui.summarize.conftest import FOUND, WRONG, Desk, differing, found

NOT_WRITABLE = start_of(sentence_for(FolderNotWritable("{path}")).text)


@pytest.fixture
def done(desk: Desk, tmp_path: Path) -> Desk:
    desk.begin_prompt(lease_pdf(tmp_path / "lease.pdf"))
    desk.finish(found(), differing())
    return desk


def test_every_format_holds_the_statement_and_what_differs(done: Desk, tmp_path: Path) -> None:
    """One after the other, of one summary."""
    for ending in (".md", ".docx", ".html", ".pdf", ".json"):
        path = tmp_path / f"lease{ending}"
        path.write_bytes(b"old")
        done.save_as(ending, path)
        done.wait(lambda ending=ending: f"Saved as lease{ending}." in done.notices)
        if ending == ".json":
            assert [claim["found"] for claim in json.loads(path.read_text("utf-8"))["claims"]] == [True, False]
            continue
        text = text_of(path)
        assert "The deposit is 2,400 euros" in " ".join(text.split()), ending
        plain = " ".join(text.replace("ˮ", "”").split())  # PDFium takes one sign for the other
        assert "This says “June”, the page says “May”." in plain, ending


def text_of(path: Path) -> str:
    """Read what a person reads in a saved file."""
    if path.suffix == ".docx":
        return "\n".join(paragraph.text for paragraph in Document(str(path)).paragraphs)
    if path.suffix == ".pdf":
        with pdfium.PdfDocument(path) as document:
            return document[0].get_textpage().get_text_range()
    return path.read_text("utf-8")


def test_what_is_printed_on_a_thread_is_complete_and_without_complaint(
    qapp: QApplication,
    tmp_path: Path,
    qtlog: Any,
) -> None:
    html = "".join(f"<li>Kiln {number} was built.</li>" for number in range(300))
    printing = threading.Thread(target=write_pdf, args=(f"<ul>{html}</ul>", "Kilns", tmp_path / "kilns.pdf"))
    printing.start()
    printing.join()
    with pdfium.PdfDocument(tmp_path / "kilns.pdf") as document:
        assert "Kiln 299 was built." in document[len(document) - 1].get_textpage().get_text_range()
    assert [one.message for one in qtlog.records if "Timer" in one.message] == []


def test_a_name_with_a_dot_in_it_is_saved_in_the_format_that_was_chosen(done: Desk, tmp_path: Path) -> None:
    done.save_as(".docx", tmp_path / "lease v1.2")
    done.wait(lambda: SAVED_AS.format(name="lease v1.2.docx") in done.notices)
    assert any("2,400" in paragraph.text for paragraph in Document(str(tmp_path / "lease v1.2.docx")).paragraphs)
    assert not (tmp_path / "lease v1.2").exists()
    done.save_as(".docx", tmp_path / "lease v1.2")
    again = done.save_dialog
    assert Path(again.selectedFiles()[0]).name == "lease v1.2.docx", "a file that is there is asked about"
    again.close()


@pytest.mark.parametrize("ending", [".md", ".pdf"])
def test_a_folder_that_takes_nothing_is_told_and_nothing_is_left_behind(
    done: Desk, tmp_path: Path, ending: str
) -> None:
    done.save_as(ending, tmp_path / "gone" / f"lease{ending}")
    done.wait(lambda: any(NOT_WRITABLE in notice for notice in done.notices))
    assert not (tmp_path / "gone").exists()
    assert not list(tmp_path.glob(".fireside-*"))


def test_copy_puts_the_words_with_their_pages_on_the_clipboard(done: Desk) -> None:
    done.click(done.copy)
    copied = QGuiApplication.clipboard().text()
    assert FOUND.rstrip(".") in copied
    assert "p. 2" in copied


def test_a_summary_can_be_translated(done: Desk) -> None:
    stored = done.stored
    assert stored is not None
    with done.hears(done.view.translate_wanted) as wanted:
        done.click(done.translate)
    assert wanted == [(f"{stored.title}\n\n{FOUND}\n\n{WRONG}",)]


def test_a_title_becomes_a_name_that_every_system_takes() -> None:
    assert file_name('Lease: "Rua/Flores" 12?', "summary") == "Lease Rua Flores 12"
    assert file_name(" . ", "summary") == "summary"
    assert len(file_name("long " * 100, "summary")) <= 80
