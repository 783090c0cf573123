"""Chats leave by the menu of a row, by keys and by choice: as files that other readers read, and as printed pages."""

from __future__ import annotations

import json
import os
from pathlib import Path

import docx
import pypdfium2 as pdfium
from PySide6.QtCore import Qt
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QLabel, QRadioButton

from app.core.errors.saving_errors import FolderNotWritable
from app.features.error_messages import sentence_for
from app.ui.exchange.export_dialog import (
    EXPORT_CHAT,
    ONE_CHAT_CHOSEN,
    ExportDialog,
    Printing,
    PrintPreview,
)
from app.ui.shared_labels import SAVED_AS
from app.ui.widgets.input_fields import SearchField
from tests.helpers.desks.window import Frame
from tests.helpers.texts import start_of
from tests.ui.exchange.conftest import add_chat

NOT_WRITABLE = start_of(sentence_for(FolderNotWritable("{path}")).text)


def choose(frame: Frame, dialog: ExportDialog, name: str, path: Path) -> None:
    """A format, then a file, whose writing is waited for."""
    next(row for row in dialog.findChildren(QRadioButton) if row.accessibleName() == name).setChecked(True)
    frame.click(dialog.export)
    frame.choose_file(path, "export_chats")
    frame.wait(lambda: f"Saved as {path.name}." in frame.notices)


def text_of(path: Path) -> list[str]:
    with pdfium.PdfDocument(path) as document:
        return [page.get_textpage().get_text_range() for page in document]


def test_the_menu_of_a_row_exports_its_chat(frame: Frame, tmp_path: Path) -> None:
    number = add_chat(frame, "Rent", "How high?", "It is **high**.")
    add_chat(frame, "Soup", "Which?", "Leek.")
    for name, ending in (("PDF", ".pdf"), ("Word document", ".docx"), ("JSON", ".json")):
        frame.chats.choose_for(number, "Export or print")
        dialog = frame.find_step(ExportDialog)
        assert EXPORT_CHAT.format(title="Rent") in [label.text() for label in dialog.findChildren(QLabel)]
        assert not dialog.choice.isVisible()
        choose(frame, dialog, name, tmp_path / f"rent{ending}")
    (page,) = text_of(tmp_path / "rent.pdf")
    assert "It is high." in page
    assert "Leek" not in page
    assert "It is high." in [one.text for one in docx.Document(str(tmp_path / "rent.docx")).paragraphs]
    (chat,) = json.loads((tmp_path / "rent.json").read_text("utf-8"))["chats"]
    assert [one["text"] for one in chat["messages"]] == ["How high?", "It is **high**."]


def test_several_are_chosen_among_all_and_a_search_keeps_what_is_ticked(frame: Frame, tmp_path: Path) -> None:
    for title in ("Rent", "Soup", "Stew"):
        add_chat(frame, title, "Well?", title)
    frame.do("export_chats")
    dialog = frame.find_step(ExportDialog)
    assert not dialog.export.isEnabled(), "nothing is chosen yet"
    item = next(item for item in map(dialog.choice.list.item, range(3)) if item.text() == "Rent")
    frame.click_at(dialog.choice.list, dialog.choice.list.visualItemRect(item).center())
    assert dialog.choice.count.text() == ONE_CHAT_CHOSEN
    dialog.findChild(SearchField).setText("sou")
    frame.click(dialog.choice.all)
    dialog.findChild(SearchField).setText("")
    assert [chat.title for chat in dialog.chosen] == ["Soup", "Rent"]
    choose(frame, dialog, "JSON", tmp_path / "some.json")
    assert [chat["title"] for chat in json.loads((tmp_path / "some.json").read_text("utf-8"))["chats"]] == [
        "Soup",
        "Rent",
    ]


def test_a_folder_that_takes_nothing_is_told(frame: Frame, tmp_path: Path) -> None:
    number = add_chat(frame, "Rent", "Well?", "Yes.")
    for ending in (".pdf", ".md"):
        frame.chats.choose_for(number, "Export or print")
        dialog = frame.find_step(ExportDialog)
        frame.click(dialog.export)
        frame.choose_file(tmp_path / "gone" / f"rent{ending}", "export_chats")
        frame.wait(lambda: any(NOT_WRITABLE in notice for notice in frame.notices))
        frame.notice.dismiss()


def test_the_pages_are_seen_before_they_are_printed(frame: Frame, tmp_path: Path) -> None:
    number = add_chat(frame, "Rent", *["How high?", "It is high. " * 120] * 9)
    frame.show_chat(number)
    frame.do("print")
    frame.wait(lambda: frame.has(PrintPreview, "print_preview"))
    preview = frame.find_step(PrintPreview)
    count = preview._pages.pages
    assert count > 2
    assert preview.where == f"Page 1 of {count}"
    frame.wait(lambda: preview.pane.area.paper.shown is not None)
    frame.wait(preview.pane.area.hasFocus)
    frame.press(*[Qt.Key.Key_PageDown] * 2)
    frame.wait(lambda: preview.where == f"Page 2 of {count}")
    frame.press(Qt.Key.Key_End)
    assert preview.where == f"Page {count} of {count}"
    file = preview._pages.path
    assert file.exists()
    assert file.parent.name.startswith(f"passing-{os.getpid()}-"), "by which the next start knows what a kill left"
    preview.reject()
    assert not file.parent.exists()


def test_only_the_pages_that_are_wanted_are_printed(frame: Frame, tmp_path: Path) -> None:
    number = add_chat(frame, "Rent", *["How high?", "It is high. " * 120] * 9)
    chat = frame.app.conversations.get(number)
    printing = Printing(frame.app, frame.window.ui, [chat], with_thinking=False, window=frame.window)
    found: list[list[str]] = []
    for pages in ((0, 0), (2, 3)):
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setOutputFileName(str(tmp_path / "printed.pdf"))
        printer.setFromTo(*pages)
        task = printing.print(printer)
        frame.wait(lambda: task.done)  # noqa: B023 - asked before the next one
        assert SAVED_AS.format(name="printed.pdf") in frame.notices
        found.append([page.split()[-1] for page in text_of(tmp_path / "printed.pdf")])
    assert found[0] == [str(number + 1) for number in range(len(found[0]))]
    assert len(found[0]) > 3
    assert found[1] == ["2", "3"]
