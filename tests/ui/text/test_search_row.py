"""Searching in a text: off the window's thread, bounded, and only the last wish counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.features.shown_document import TextHighlight
from app.ui.shell import tasks
from app.ui.text.search_row import NO_MATCHES, TextSearchRow
from app.ui.theme import Theme
from tests.helpers.clipping import clipped_texts
from tests.helpers.shown_documents import DocumentInMemory, many_blocks


@pytest.fixture
def document() -> DocumentInMemory:
    return many_blocks(3000)


@pytest.fixture
def search(qtbot: QtBot, qapp: QApplication, document: DocumentInMemory) -> Iterator[TextSearchRow]:
    theme = Theme("light")
    theme.install(qapp)
    search = TextSearchRow(theme)
    qtbot.addWidget(search)
    search.set_document(document)
    search.resize(420, 44)
    search.begin(1)
    yield search
    search.set_document(None)
    qtbot.waitUntil(lambda: len(tasks.running) == 0)
    qapp.setStyleSheet("")


def test_typing_searches_once_after_a_pause_and_on_a_thread(
    search: TextSearchRow, document: DocumentInMemory, qtbot: QtBot
) -> None:
    qtbot.keyClicks(search.field, "paragraph 300.")
    qtbot.waitUntil(lambda: search.count.text() == "1 of 1")
    assert len(document.search_threads) == 1
    assert document.search_threads[0] != threading.main_thread().name
    assert search.hits == [TextHighlight(300, 0, 14)]


def test_enter_does_not_wait_for_the_pause(search: TextSearchRow, qtbot: QtBot) -> None:
    qtbot.keyClicks(search.field, "paragraph 30")
    with qtbot.waitSignal(search.chosen) as told:
        qtbot.keyClick(search.field, Qt.Key.Key_Return)
    assert told.args == [TextHighlight(30, 0, 12)]


def test_many_matches_are_said_to_be_many(search: TextSearchRow, qtbot: QtBot) -> None:
    qtbot.keyClicks(search.field, "kiln")
    qtbot.waitUntil(lambda: search.count.text() == "1 of more than 1,000")
    assert len(search.hits) == 1000
    assert clipped_texts(search) == []
    search.step(-1)
    assert search.count.text() == "1,000 of more than 1,000"


def test_no_match_is_said_and_an_empty_field_says_nothing(search: TextSearchRow, qtbot: QtBot) -> None:
    qtbot.keyClicks(search.field, "zebra")
    assert search.count.text() == ""
    qtbot.waitUntil(lambda: search.count.text() == NO_MATCHES)
    assert not search.next.isEnabled()
    search.field.clear()
    assert search.count.text() == ""


def test_the_first_match_is_the_one_after_what_is_in_view(search: TextSearchRow, qtbot: QtBot) -> None:
    search.begin(2000)
    with qtbot.waitSignal(search.chosen) as told:
        qtbot.keyClicks(search.field, "paragraph 20")
    assert told.args is not None
    assert told.args[0].block_id == 2000


def test_a_search_that_is_overtaken_is_not_told(
    search: TextSearchRow, document: DocumentInMemory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    real = document.search_text

    def slow(text: str, limit: int = 1000) -> list[TextHighlight]:
        if text == "kiln":
            gate.wait(60)
        return real(text, limit)

    monkeypatch.setattr(document, "search_text", slow)
    search.field.setText("kiln")
    qtbot.waitUntil(lambda: len(tasks.running) == 1)
    search.field.setText("paragraph 77.")
    qtbot.waitUntil(lambda: search.count.text() == "1 of 1")
    gate.set()
    qtbot.waitUntil(lambda: len(tasks.running) == 0)
    assert search.count.text() == "1 of 1"


def test_escape_leaves_and_what_was_found_is_forgotten(search: TextSearchRow, qtbot: QtBot) -> None:
    qtbot.keyClicks(search.field, "paragraph 77.")
    qtbot.waitUntil(lambda: bool(search.hits))
    with qtbot.waitSignal(search.left):
        qtbot.keyClick(search.field, Qt.Key.Key_Escape)
    assert search.close_search(), "it had the keyboard"
    assert (search.hits, search.isVisible()) == ([], False)
    search.begin(1)
    qtbot.waitUntil(lambda: bool(search.hits))  # the words are still there
    assert search.field.selectedText() == "paragraph 77."


def test_f3_steps_from_wherever_the_keyboard_is_while_the_row_is_open(search: TextSearchRow, qtbot: QtBot) -> None:
    chosen: list[int] = []
    search.chosen.connect(lambda hit: chosen.append(hit.block_id))
    qtbot.keyClicks(search.field, "29")
    qtbot.waitUntil(lambda: chosen == [29])
    none, shift = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
    for modifier in (none, shift):
        job = search.key_job(QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_F3, modifier))
        assert job is not None
        job()
    assert chosen == [29, 129, 29]
    assert search.key_job(QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_F4, none)) is None
    search.close_search()
    assert search.key_job(QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_F3, none)) is None
