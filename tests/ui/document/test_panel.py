"""The document beside the chat: opened by chips, at the sentence; closed by Esc; alone in a narrow window."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.bootstrap import build_program
from app.features.chat.attached_documents import NO_ANSWER
from app.language import static_embeddings
from app.language.static_embeddings import load_table
from app.store.document_store import DocumentStore
from app.ui.chat.answer_view import MAY_COME_FROM, NOT_FOUND_IN_DOCUMENT
from app.ui.chat.branch_documents import SourceRow
from app.ui.chat.question import NO_PASSAGE_ANSWERS
from app.ui.document.document_view import DocumentView
from app.ui.qt_application import chat_tab
from app.ui.shell import tasks
from app.ui.shell.main_window import MainWindow
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.tab_list import TABS, open_help, open_settings
from app.ui.theme import Theme
from tests.helpers.attached import drop, lease_pdf, notes
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.document import ReaderDesk
from tests.helpers.script import write_script

ANSWER = (
    "The deposit is 2,400 euros, paid back within eight weeks of moving out. It says nothing on [p. 9]. "
    "Notice is given three months before the end of a quarter by a signed letter [p. 3]."
)


class Window(ChatDesk):
    """A desk in its whole window."""

    window: MainWindow

    @property
    def reader(self) -> ReaderDesk:
        return ReaderDesk(self.window.findChild(DocumentView))


@pytest.fixture
def open_whole(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Window]]:
    """A window with the real chat, whose model answers by these rules."""
    opened: list[Window] = []

    def make(*rules: dict[str, Any], width: int = 1280, **keys: Any) -> Window:
        script = write_script(tmp_path / "script", *rules, **keys)
        monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
        app, theme = build_program(), Theme("light")
        theme.install(qapp)
        notify = Notify(theme)
        loader = ModelLoader(app, notify)
        window = MainWindow(app, theme, notify, loader, TABS, open_settings=open_settings, open_help=open_help)
        desk = Window(chat_tab(window).chat, app, notify, theme, script)
        desk.window = window
        desk.window.resize(width, 700)
        desk.window.show()
        desk.window.activateWindow()
        opened.append(desk)
        loader.load(tmp_path / "model.gguf")
        qtbot.waitUntil(lambda: loader.state == "ready")
        return desk

    yield make
    for desk in opened:
        desk.window.close()
        assert tasks.running.stop_all(60)
        tasks.running.reopen()
        desk.app.close()
        desk.window.deleteLater()
    qapp.setStyleSheet("")


def ask_about_the_lease(desk: Window, tmp_path: Path) -> None:
    drop(desk.window, lease_pdf(tmp_path / "lease.pdf"))
    desk.wait_until_attached(1)
    desk.type("And the deposit?")
    desk.wait(desk.send.isEnabled)
    with desk.hears(desk.chat.answer_finished):
        desk.press(Qt.Key.Key_Return)


def sources(desk: Window) -> SourceRow:
    return desk.last.evidence.sources


def test_a_source_is_reached_by_tab_and_opens_its_sentence_and_so_does_a_page_that_the_model_names(
    open_whole: Callable[..., Window], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[tuple[int, threading.Thread]] = []
    blocks_of_page = DocumentStore.blocks_of_page

    def noted(store: DocumentStore, document_id: int, page: int) -> Any:
        if sys._getframe(1).f_globals["__name__"] != "app.features.document_library":  # what the document view shows
            readers.append((page, threading.current_thread()))
        return blocks_of_page(store, document_id, page)

    monkeypatch.setattr(DocumentStore, "blocks_of_page", noted)
    desk = open_whole({"text": ANSWER})
    ask_about_the_lease(desk, tmp_path)
    assert desk.said_in(sources(desk)) == "Possible sources p. 2", "without p. 3, which the answer names itself"
    assert readers == [], "whether a page is there is asked of an index"
    (chip,) = desk.places_in(sources(desk))
    assert chip.accessibleName() == "page 2 of lease.pdf"
    desk.chat.focus_composer()
    for _ in range(16):
        QTest.keyClick(desk.focus, Qt.Key.Key_Tab)
        if desk.focus is chip:
            break
    assert chip.hasFocus()
    QTest.keyClick(chip, Qt.Key.Key_Space)
    view = desk.reader
    assert view.is_visible
    assert desk.chat.isVisible()
    assert view.page == 2
    assert " ".join(view.marked_text.split()).startswith("The deposit is 2,400 euros")
    desk.wait(lambda: view.is_drawn)
    assert view.paper.marked_rect() is not None
    focus = desk.focus
    assert view.root.isAncestorOf(focus)
    QTest.keyClick(focus, Qt.Key.Key_Escape)
    assert not view.is_visible
    assert chip.hasFocus()

    prose = desk.last_views[0]
    spans = [span for line in prose.lines for span in line.spans]  # type: ignore[union-attr]
    links = [span for span in spans if span.href]
    assert [link.text.strip("\u202f").replace("\u00a0", " ") for link in links] == ["p. 3"]
    assert "[p. 9]" in prose.toPlainText()  # type: ignore[union-attr]
    desk.follow_link(links[0].href)
    desk.wait(lambda: desk.reader.is_visible)
    assert desk.reader.page == 3
    assert desk.reader.marked_text
    assert [page for page, _ in readers] == [3]
    assert readers[0][1] is not threading.main_thread(), "a page may be a whole sheet"
    assert desk.texts[-1] == ANSWER, "what the model said stays as it was"


PETS = "Dogs and cats are allowed as long as the people next door do not complain about them to the landlord."


def long_rules(folder: Path) -> Path:
    """Rules of a house, too long to be shown whole."""
    texts = [f"The windows of flat {number} were cleaned, and it was paid for by the owners." for number in range(400)]
    texts[230] = PETS
    return notes(folder / "rules.txt", "The rules of the house were agreed by all who live in it.", *texts)


def test_a_question_in_other_words_leads_to_its_sentence_and_one_about_something_else_is_told(
    open_whole: Callable[..., Window], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_embeddings, "NEIGHBOURS_WEIGHT", 0.0)  # the others are alike, but for where they stand
    desk = open_whole(
        {"when": "keep pets", "text": f"Yes. {PETS}"},
        {"text": "The rocket reached Jupiter after a flight of nineteen months."},
        load={"context_tokens": 3000},
    )
    desk.attach(long_rules(tmp_path))
    desk.ask("Would the landlord let me keep pets?")
    if load_table() is not None:
        assert PETS in desk.prompts()[-1][-1][1], "found by what it means"
        (shown,) = desk.rows_of(desk.question())
        passage = next(chip for chip in desk.places_in(shown) if PETS.startswith(chip.text().strip("“”…")))
        QTest.keyClick(passage, Qt.Key.Key_Space)
        assert " ".join(desk.reader.marked_text.split()) == PETS, "the passage that was shown, by its chip"
        QTest.keyClick(desk.focus, Qt.Key.Key_Escape)
        assert not desk.reader.is_visible
    assert desk.said_in(sources(desk)).startswith(MAY_COME_FROM)
    QTest.mouseClick(desk.places_in(sources(desk))[0], Qt.MouseButton.LeftButton)
    assert desk.reader.is_visible
    assert " ".join(desk.reader.marked_text.split()) == PETS
    QTest.mouseClick(desk.reader.close_button, Qt.MouseButton.LeftButton)
    desk.ask("How long did the rocket fly until it reached Jupiter?")
    told = desk.question(2).findChild(QLabel, "no_answer_words")
    assert told is not None
    assert told.text() == NO_PASSAGE_ANSWERS
    assert NO_ANSWER.format("rules.txt") in desk.prompts()[-1][-1][1]
    assert desk.said_in(desk.last.evidence.sources) == NOT_FOUND_IN_DOCUMENT


def test_in_a_narrow_window_the_document_takes_the_place_of_the_chat_and_leaves_with_it(
    open_whole: Callable[..., Window], tmp_path: Path
) -> None:
    desk = open_whole({"text": ANSWER}, width=900)
    ask_about_the_lease(desk, tmp_path)
    QTest.mouseClick(desk.places_in(sources(desk))[0], Qt.MouseButton.LeftButton)
    assert desk.reader.is_visible
    assert not desk.chat.isVisible()
    QTest.mouseClick(desk.reader.close_button, Qt.MouseButton.LeftButton)
    assert desk.chat.isVisible()
    assert not desk.reader.is_visible
    QTest.keyClick(desk.chips_of(desk.question())[0], Qt.Key.Key_Return)
    assert (desk.reader.page, desk.reader.mark) == (1, None), "a document of a question opens at its beginning"
    chat_tab(desk.window).open_new()
    assert not desk.reader.is_visible
