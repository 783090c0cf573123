"""Rows of a translated document and typed translations are read aloud in their own language, by Qt's silent voice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolButton

from app.core.events import CancelToken
from app.features.reading_aloud.sentence_reading import ReadingState
from app.features.reading_aloud.voice_process import TRIAL_VARIABLE
from app.features.translate.translation_events import TranslationAdded, TranslationWish
from app.ui.shell.readable_texts import READ_FROM_HERE
from app.ui.shell.text_reading import NO_VOICE_FOR, TextReading
from app.ui.translate.document_view import DocumentTranslationView
from app.ui.translate.rows import SOURCE, TARGET
from app.ui.translate.segment_table import CellSpot, SegmentTable
from tests.helpers.desks.translate import DocumentDesk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.helpers.texts import shows
from tests.ui.translate.test_window import use_translator

GERMAN = ("Der Mieter zahlt. Der Eigentümer wartet.", "Katzen sind erlaubt.", "Zwei Schlüssel.")
ENGLISH = ("The tenant pays. The owner waits.", "Cats are allowed.", "Two keys.")
PAIRS = (*zip(GERMAN, ENGLISH, strict=True), *zip(ENGLISH, GERMAN, strict=True))


@pytest.fixture
def frame(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    monkeypatch.setenv(TRIAL_VARIABLE, "mock")
    rules: list[dict[str, Any]] = [{"when": rf"{line[:-1]}\.[^\n]*\Z", "text": said} for line, said in PAIRS]
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", *rules)))
    with open_window(qapp) as parts:
        use_translator(parts, tmp_path)
        yield parts


def open_document(frame: Frame, folder: Path, source: str = "de", target: str = "en") -> DocumentDesk:
    path = folder / "lease.txt"
    path.write_text("\n\n".join(GERMAN if source == "de" else ENGLISH), "utf-8")
    events = list(frame.translations.add(path, TranslationWish(target, source), CancelToken()))
    number = next(event.translation.id for event in events if isinstance(event, TranslationAdded))
    frame.key(Qt.Key.Key_3)
    frame.translations.begin_translations([number])
    frame.work_off_translations()
    frame.window.tab("translate").view.show_job(number)
    desk = DocumentDesk(frame.find_step(DocumentTranslationView), frame.app, frame.notify)
    desk.wait_until_done()
    return desk


def reading_of(frame: Frame) -> TextReading:
    reading = frame.window.ui.reading
    assert reading is not None
    return reading


def marked(table: SegmentTable) -> list[tuple[int, int, str]]:
    """What has the colour of the sentence that is read: row, column and text."""
    return [
        (row, column, table.cell(row, column).written.text[start:end])
        for row in range(table.rows.rowCount())
        for column in (SOURCE, TARGET)
        for start, end, look in table._marks_in_cell(row, column)
        if look.background().color() == QColor(table._theme.tokens.mark)
    ]


def follow(frame: Frame, table: SegmentTable) -> list[list[tuple[int, int, str]]]:
    """Until it was read to its end; return what was marked meanwhile."""
    reading, seen = reading_of(frame), []
    reading.changed.connect(lambda: seen.append(marked(table)))
    frame.wait(lambda: not reading.is_on)
    assert marked(table) == []
    return [sentences for place, sentences in enumerate(seen) if sentences and sentences != seen[place - 1]]


def press(frame: Frame) -> None:
    QTest.keyClick(frame.window.focusWidget() or frame.window, Qt.Key.Key_F9, Qt.KeyboardModifier.ShiftModifier)


def test_rows_are_read_by_the_button_from_the_current_one_on(frame: Frame, tmp_path: Path) -> None:
    desk = open_document(frame, tmp_path)
    button = desk.page.head.findChild(QToolButton, "read_translation")
    assert button is not None
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert follow(frame, desk.segments) == [
        [(0, TARGET, "The tenant pays.")],
        [(0, TARGET, "The owner waits.")],
        [(1, TARGET, ENGLISH[1])],
        [(2, TARGET, ENGLISH[2])],
    ]
    desk.segments.go_to(1)
    desk.segments.setFocus()
    press(frame)
    assert follow(frame, desk.segments) == [[(1, TARGET, ENGLISH[1])], [(2, TARGET, ENGLISH[2])]]


def test_the_menu_reads_from_the_sentence_that_was_pointed_at_in_the_columns_language(
    frame: Frame, tmp_path: Path
) -> None:
    desk, reading = open_document(frame, tmp_path, "en", "de"), reading_of(frame)
    table = desk.segments
    cell = table.cell(0, SOURCE).rect_of(ENGLISH[0].index("owner"), ENGLISH[0].index("owner") + 1)[0]
    place = (cell.center() - table.point_in(0, SOURCE, table.viewport().rect().topLeft())).toPoint()
    QApplication.sendEvent(
        table.viewport(),
        QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, table.viewport().mapToGlobal(place)),
    )
    menu = next(menu for menu in table.findChildren(QMenu) if menu.isVisible())
    next(action for action in menu.actions() if action.text() == READ_FROM_HERE).trigger()
    menu.close()
    frame.wait(lambda: reading.state is ReadingState.SPEAKING)
    assert marked(table) == [(0, SOURCE, "The owner waits.")], "the silent engine has a voice for English"
    reading.stop()
    frame.activate()
    table.setFocus()
    press(frame)
    frame.wait(lambda: not reading.is_on)
    assert shows(NO_VOICE_FOR, frame.notices[-1]), "and none for German, whatever the text looks like"


def test_what_is_selected_is_read_and_another_document_ends_it(frame: Frame, tmp_path: Path) -> None:
    desk, reading = open_document(frame, tmp_path), reading_of(frame)
    table = desk.segments
    table.setFocus()
    table.selection.begin(CellSpot(0, len("The tenant "), TARGET), CellSpot(1, len("Cats"), TARGET))
    press(frame)
    assert follow(frame, table) == [
        [(0, TARGET, "pays.")],
        [(0, TARGET, "The owner waits.")],
        [(1, TARGET, "Cats")],
    ]
    press(frame)
    frame.wait(lambda: reading.state is ReadingState.SPEAKING)
    desk.segments.show_source(None, ("", ""), (None, None))
    assert not reading.is_on
