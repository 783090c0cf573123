"""The document view with real keys: the right pixels marked, pages turned, errors said, nothing left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QAction, QColor, QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors.database_errors import DatabaseDamaged
from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.saving_errors import DiskFull
from app.core.events import CancelToken
from app.documents.blocks import Block, BlockKind, BlockPlace
from app.features.error_messages import sentence_for
from app.features.shown_document import TextHighlight
from app.store.document_store import StoredPageReading
from app.ui.document.document_text import EMPTY_CHAPTER, NO_TEXT_ON_PAGE
from app.ui.document.document_view import DocumentView
from app.ui.document.header import (
    CHAPTER_OF,
    PAGE_OF,
    SAVE_WORDS,
    SHOW_AS_TEXT,
    SHOW_THE_PAGE,
    SMALLER,
)
from app.ui.screen_reader import install_interfaces
from app.ui.shared_labels import LARGER, SEARCH_CHATS
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import LIGHT, Theme
from tests.helpers.clipping import clipped_texts
from tests.helpers.counting import lines_run
from tests.helpers.desks.document import ReaderDesk
from tests.helpers.shown_documents import (
    SETTLED,
    WIDTH_PT,
    DocumentInMemory,
    annual_report,
    every_kind,
    many_blocks,
    settled_mark,
)
from tests.helpers.texts import shows

Key = Qt.Key


class Desk(ReaderDesk):
    """A view in a window that has jobs of its own for the same keys."""

    theme: Theme
    window: QWidget
    window_searches: list[bool]

    def drawn(self) -> None:
        self.wait(lambda: self.is_sharp)

    def image(self) -> QImage:
        return self.paper.grab().toImage()

    def count(self, color: str, image: QImage | None = None) -> int:
        image = image or self.image()
        wanted = QColor(color).rgb()
        return sum(image.pixel(x, y) == wanted for x in range(image.width()) for y in range(image.height()))


@pytest.fixture
def desk(qtbot: QtBot, qapp: QApplication) -> Iterator[Desk]:
    theme = Theme("light")
    theme.install(qapp)
    notify = Notify(theme)
    window = QWidget()
    qtbot.addWidget(window)
    view = DocumentView(theme, notify)
    QVBoxLayout(window).addWidget(view)
    searches: list[bool] = []
    action = QAction(SEARCH_CHATS, window)
    action.setShortcut(QKeySequence("Ctrl+F"))
    action.triggered.connect(searches.append)
    window.addAction(action)
    window.resize(444, 704)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    view.setFocus()
    desk = Desk(view, notify=notify)
    desk.theme, desk.window, desk.window_searches = theme, window, searches
    yield desk
    view.close_document()
    qtbot.waitUntil(lambda: len(tasks.running) == 0)
    notify.bar.deleteLater()
    qapp.setStyleSheet("")


def open_report(desk: Desk, mark: bool = True) -> DocumentInMemory:
    report = annual_report()
    desk.root.open(report, settled_mark(report) if mark else None)
    desk.root.setFocus()
    desk.drawn()
    return report


def test_the_asked_sentence_is_marked_where_it_stands(desk: Desk) -> None:
    report = open_report(desk)
    assert desk.page == 27
    assert PAGE_OF.format(page=27, pages=48) in desk.where.text()
    block = next(block for block in report.blocks_of_page(27) if SETTLED in block.text)
    start = block.text.index(SETTLED)
    image = desk.image()
    scale = image.width() / WIDTH_PT
    inside = [box for box in block.place.boxes if start < box.end and box.start < start + len(SETTLED)]
    assert len(inside) == 2
    marked = QColor(LIGHT.mark).rgb()
    ys = [y for y in range(image.height()) for x in range(image.width()) if image.pixel(x, y) == marked]
    assert min(ys) == pytest.approx(inside[0].top * scale, abs=2)
    assert max(ys) == pytest.approx(inside[-1].bottom * scale, abs=2)
    # The line before the sentence's own beginning is not marked, and letters stay as dark as they were.
    first = inside[0]
    early = [x for x in range(image.width()) if image.pixel(x, round(first.top * scale) + 2) == marked]
    share = (start - first.start) / (first.end - first.start)
    assert min(early) == pytest.approx((first.left + share * (first.right - first.left)) * scale, abs=14)
    assert min(image.pixelColor(x, y).lightness() for x in early for y in range(min(ys), max(ys))) < 90


def test_a_mark_at_the_foot_of_a_page_is_scrolled_into_view(desk: Desk) -> None:
    desk.window.resize(664, 300)
    report = annual_report()
    last = report.blocks_of_page(27)[-1]
    desk.root.open(report, TextHighlight(last.id))
    desk.drawn()
    area = desk.area
    marked = desk.paper.marked_rect()
    assert marked is not None
    top = desk.paper.mapTo(area.viewport(), marked.topLeft().toPoint()).y()
    assert 0 < top < area.viewport().height() / 2
    desk.root.open(report, settled_mark(report))
    marked = desk.paper.marked_rect()
    assert marked is not None
    assert 0 < desk.paper.mapTo(area.viewport(), marked.topLeft().toPoint()).y() < area.viewport().height() / 2


def test_keys_turn_the_pages(desk: Desk) -> None:
    report = open_report(desk)
    area = desk.area
    assert area.hasFocus()
    for key, modifier, page in (
        (Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, 28),
        (Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, 27),
        (Key.Key_Right, Qt.KeyboardModifier.AltModifier, 28),
        (Key.Key_Left, Qt.KeyboardModifier.AltModifier, 27),
        (Key.Key_Home, Qt.KeyboardModifier.NoModifier, 1),
        (Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, 1),
        (Key.Key_End, Qt.KeyboardModifier.NoModifier, 48),
        (Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, 48),
    ):
        QTest.keyClick(area, key, modifier)
        assert desk.page == page
    assert not desk.next_page.isEnabled()
    QTest.mouseClick(desk.previous_page, Qt.MouseButton.LeftButton)
    assert desk.page == 47
    desk.search_button.setFocus()
    QTest.keyClick(desk.search_button, Key.Key_PageDown)
    assert desk.page == 48
    desk.drawn()
    assert report.draws


def test_a_page_higher_than_the_view_is_scrolled_before_it_is_turned(desk: Desk) -> None:
    desk.window.resize(664, 404)
    open_report(desk, mark=False)
    bar = desk.area.verticalScrollBar()
    presses = 0
    while desk.page == 1 and presses < 20:
        QTest.keyClick(desk.area, Key.Key_PageDown)
        presses += 1
    assert presses > 2
    assert desk.page == 2
    assert bar.value() == 0


def test_an_error_is_said_in_the_card_and_the_text_is_the_way_out(desk: Desk) -> None:
    report = annual_report()
    report.errors[27] = DocumentUnreadable("/private/annual-report-2025.pdf", "not_drawn")
    desk.root.open(report, settled_mark(report))
    problem = desk.problem
    desk.wait(problem.isVisible)
    assert problem.sentence.text() == sentence_for(report.errors[27]).text
    assert clipped_texts(desk.window) == []
    QTest.mouseClick(problem.text_button, Qt.MouseButton.LeftButton)
    assert desk.root.is_text
    assert SETTLED in desk.text.toPlainText()
    assert desk.text.textCursor().selectedText() == SETTLED
    desk.root.show_form(is_text=False)
    desk.wait(problem.isVisible)
    desk.root.turn(1)
    desk.drawn()
    assert not problem.isVisible()
    assert desk.notices == []


def test_the_switch_shows_the_text_of_the_page_and_the_page_again(desk: Desk) -> None:
    open_report(desk)
    desk.choose_more(SHOW_AS_TEXT)
    assert desk.text.isVisible()
    assert desk.show_text.text() == SHOW_THE_PAGE
    assert "Page 26" not in desk.text.toPlainText()
    desk.root.turn(-1)
    assert desk.text.toPlainText().startswith("Page 26")
    desk.root.turn(5)
    assert desk.page == 31
    assert shows(NO_TEXT_ON_PAGE, desk.text.toPlainText())
    desk.choose_more(SHOW_THE_PAGE)
    desk.drawn()
    assert desk.area.isVisible()


def test_keys_turn_the_pages_of_the_text_too(desk: Desk) -> None:
    report = annual_report()
    report.can_draw = False
    desk.root.open(report)
    desk.root.setFocus()
    text = desk.text
    assert not desk.more_button.isVisible()
    QTest.keyClick(text, Key.Key_PageDown)
    assert desk.page == 2
    QTest.keyClick(text, Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert desk.page == 48
    QTest.keyClick(text, Key.Key_PageUp)
    assert desk.page == 47


def test_a_page_of_the_web_shows_its_address_and_opens_it_only_when_asked(desk: Desk) -> None:
    address, block = "https://site.test/kilns?page=2", Block(1, BlockKind.PARAGRAPH, "Hot.")
    desk.root.open(DocumentInMemory("Kilns (site.test)", [block], address=address))
    origin = desk.root.origin
    assert (origin.isVisible(), origin.address.text()) == (True, address)
    desk.click(origin.open)
    asked = desk.find_step(QMessageBox)
    assert asked.informativeText() == address
    asked.reject()
    desk.root.open(annual_report())
    assert not origin.isVisible()


def test_searching_goes_through_the_pages_with_real_keys(desk: Desk) -> None:
    report = open_report(desk)
    search = desk.search_row
    QTest.keyClick(desk.area, Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert search.isVisible()
    assert desk.search_field.hasFocus()
    assert desk.window_searches == []
    QTest.keyClicks(desk.search_field, "REVENUE rose")
    desk.wait(lambda: desk.search_count.text() == "27 of 46")
    assert desk.page == 28  # the first one from the page that was in view
    desk.drawn()
    assert desk.count(LIGHT.mark) > 50
    QTest.keyClick(desk.search_field, Key.Key_Return)
    assert (desk.search_count.text(), desk.page) == ("28 of 46", 29)
    QTest.keyClick(desk.search_field, Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(desk.search_field, Key.Key_F3, Qt.KeyboardModifier.ShiftModifier)
    assert (desk.search_count.text(), desk.page) == ("26 of 46", 26)
    QTest.keyClick(desk.search_field, Key.Key_F3)
    assert desk.search_count.text() == "27 of 46"
    QTest.keyClick(desk.search_field, Key.Key_Escape)
    assert not search.isVisible()
    assert desk.area.hasFocus()
    assert desk.root.document is report
    with desk.hears(desk.root.closed):
        QTest.keyClick(desk.area, Key.Key_Escape)
    assert desk.root.document is None


def test_a_screen_reader_hears_what_is_marked_and_then_the_page(desk: Desk) -> None:
    install_interfaces()
    open_report(desk)
    paper = desk.paper
    assert paper.accessibleName() == PAGE_OF.format(page=27, pages=48)
    said = paper.accessibleDescription().split("\n")
    assert said[0] == f"Marked: {SETTLED}"
    assert said[1].startswith("4.3")
    parts = QAccessible.queryAccessibleInterface(paper)
    assert [parts.child(number).text(QAccessible.Text.Name) for number in range(parts.childCount())] == said
    desk.root.turn(4)
    assert shows(NO_TEXT_ON_PAGE, paper.accessibleDescription())


def test_nothing_is_cut_off(desk: Desk) -> None:
    desk.theme.zoom = 1.5
    open_report(desk)
    desk.root.begin_search()
    QTest.keyClicks(desk.search_field, "rose")
    desk.wait(lambda: desk.has_hits)
    assert clipped_texts(desk.window) == []


def test_right_to_left_is_mirrored(desk: Desk) -> None:
    desk.window.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    open_report(desk)
    assert desk.close_button.x() < desk.next_page.x() < desk.previous_page.x() < desk.name.x()
    assert desk.next_page.toolTip() == "Next page (Alt+←)"
    QTest.keyClick(desk.area, Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert desk.page == 28


def test_what_the_store_raises_is_said_and_nothing_breaks(desk: Desk) -> None:
    class Broken(DocumentInMemory):
        def blocks_of_page(self, page: int) -> list[Block]:
            raise DatabaseDamaged("fireside.db")

        def search_text(self, text: str, limit: int = 1000) -> list[TextHighlight]:
            raise DatabaseDamaged("fireside.db")

    desk.root.open(Broken("a.pdf", [Block(1, BlockKind.PARAGRAPH, "Words.", 1)], "page", 1))
    assert len(desk.notices) == 1
    desk.root.begin_search()
    desk.notice.dismiss()
    QTest.keyClicks(desk.search_field, "word")
    desk.wait(lambda: len(desk.notices) == 1)


def test_opening_turning_and_drawing_are_little_work_for_the_window(desk: Desk) -> None:
    report = annual_report()
    assert lines_run(lambda: desk.root.open(report, settled_mark(report))) < 10_000
    desk.drawn()
    for _ in range(5):
        assert lines_run(lambda: desk.root.turn(1)) < 5_000
        desk.drawn()
    assert threading.main_thread().name not in report.draw_threads


def test_a_hundred_thousand_blocks_open_and_scroll_within_the_budget(desk: Desk) -> None:
    document = many_blocks(100_000)
    document.fetched = 0
    assert lines_run(lambda: desk.root.open(document)) < 50_000
    text = desk.text
    desk.wait(lambda: text.verticalScrollBar().maximum() > 2 * text.viewport().height())
    assert document.fetched < 500

    def page_down() -> None:
        QTest.keyClick(text, Key.Key_PageDown)
        QApplication.processEvents()

    for _ in range(60):
        assert lines_run(page_down) < 60_000
    assert lines_run(lambda: desk.root.open(document, TextHighlight(60_000))) < 100_000
    QApplication.processEvents()
    assert document.fetched < 2_000
    assert text.top_block_id in range(59_980, 60_001)
    assert desk.where.text().endswith("60\u00a0%")
    assert text.loaded <= 800


def test_a_double_click_comes_nearer_and_goes_back(desk: Desk) -> None:
    open_report(desk)
    area = desk.area
    before = desk.paper.width()
    QTest.mouseDClick(area.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    assert desk.paper.width() == pytest.approx(2 * before, abs=2)
    desk.drawn()
    assert area.horizontalScrollBar().value() > 0
    QTest.keyClick(area, Key.Key_0)
    desk.drawn()
    assert desk.paper.width() == before


def test_every_kind_of_block_is_shown_as_text(desk: Desk) -> None:
    desk.root.open(every_kind())
    text = desk.text.toPlainText()
    assert "1.\tLet the bricks dry" in text
    assert "Year\tRevenue\tMargin\n2023\t381 million" in text
    assert "    for step in range" in text
    assert "Comment: Ask Maria" in text
    assert CHAPTER_OF.format(page=1, pages=3) in desk.where.text()
    desk.root.turn(1)
    assert desk.text.toPlainText() == EMPTY_CHAPTER


def test_buttons_bring_the_page_nearer_and_farther_up_to_an_end(desk: Desk) -> None:
    desk.window.resize(664, 704)
    open_report(desk)
    area = desk.area
    before = desk.paper.width()
    desk.choose_more(LARGER)
    assert area.zoom == 1.25
    assert desk.paper.width() > before
    for _ in range(4):
        desk.choose_more(LARGER)
    assert not desk.larger.isEnabled()
    QTest.keyClick(area, Key.Key_0)
    assert (area.zoom, desk.larger.isEnabled()) == (1.0, True)
    desk.choose_more(SMALLER)
    assert desk.paper.width() < before
    desk.root.show_form(is_text=True)
    assert not desk.larger.isVisible(), "text is as large as all text"


def test_what_is_said_in_a_recording_is_saved_with_its_times_or_without(desk: Desk, tmp_path: Path) -> None:
    blocks = [
        Block(1, BlockKind.PARAGRAPH, "Good morning.", 1, place=BlockPlace("", 0, 1500), label="0:00 – 0:01"),
        Block(2, BlockKind.PARAGRAPH, "And good night.", 2, place=BlockPlace("", 61_000, 62_000), label="1:01 – 1:02"),
    ]
    desk.root.open(annual_report())
    assert not desk.save_words.isVisible(), "a page says nothing"
    desk.root.open(DocumentInMemory("Meeting.wav", blocks, "minute", 2))
    for name in ("said.srt", "said.txt"):
        desk.choose_more(SAVE_WORDS)
        dialog = desk.find_step(QFileDialog, "save_words")
        assert Path(dialog.selectedFiles()[0]).name == "Meeting.srt"
        desk.choose_file(tmp_path / name, "save_words")
        desk.wait((tmp_path / name).exists)
    assert (tmp_path / "said.srt").read_text("utf-8").splitlines()[5:7] == [
        "00:01:01,000 --> 00:01:02,000",
        "And good night.",
    ]
    assert (tmp_path / "said.txt").read_text("utf-8") == "Good morning.\nAnd good night.\n"


class Kept:
    """In place of `Corrections`: what was saved, as long as there is room for it."""

    readings: Mapping[int, StoredPageReading] = {}

    def __init__(self) -> None:
        self.is_full, self.saved = True, list[tuple[int, str]]()

    def text_of(self, page: int) -> str:
        return dict(self.saved).get(page, "")

    def correct_page(self, page: int, text: str, _cancel: CancelToken) -> None:
        if self.is_full:
            raise DiskFull("/home")
        self.saved.append((page, text))


def test_what_was_typed_off_a_page_stays_until_there_is_room_for_it(desk: Desk, qtbot: QtBot) -> None:
    kept, beside = Kept(), desk.root._page_panes
    reading = beside.reading
    beside.show_reading(True)

    def failed() -> None:
        qtbot.waitUntil(lambda: len(tasks.running) == 0)
        assert any("full" in notice for notice in desk.notices)

    reading.show_page(kept, 5, 1)  # type: ignore[arg-type]
    reading.edit.setPlainText("The rent")
    desk.click(reading.save)
    failed()
    assert reading.save.isEnabled() and reading.edit.toPlainText() == "The rent"
    reading.show_page(kept, 5, 2)  # type: ignore[arg-type]
    assert reading.edit.toPlainText() == ""
    failed()
    reading.show_page(kept, 5, 1)  # type: ignore[arg-type]
    assert reading.save.isEnabled() and reading.edit.toPlainText() == "The rent"
    kept.is_full = False
    beside.show_reading(False)
    qtbot.waitUntil(lambda: kept.saved == [(1, "The rent")])


class HeldUp(Kept):
    """Each correction waits for leave, and makes another document; what came after the first is quicker."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full, self.begun, self.leave = False, threading.Semaphore(0), threading.Semaphore(0)

    def correct_page(self, page: int, text: str, _cancel: CancelToken) -> Any:
        self.begun.release()
        assert self.leave.acquire(timeout=60)
        super().correct_page(page, text, _cancel)
        return SimpleNamespace(id=5 + len(self.saved))


def test_who_types_on_while_a_correction_is_saved_goes_on_in_what_takes_the_documents_place(
    desk: Desk, qtbot: QtBot
) -> None:
    held, beside = HeldUp(), desk.root._page_panes
    reading = beside.reading
    beside.show_reading(True)
    renewals = desk.heard(desk.root.renewed)
    desk.root.renewed.connect(lambda _, number: reading.take_over(held, number))
    reading.show_page(held, 5, 1)  # type: ignore[arg-type]
    reading.edit.setPlainText("The rent")
    desk.click(reading.save)
    assert held.begun.acquire(timeout=60)
    QTest.keyClicks(reading.edit, "s ")
    held.leave.release()
    qtbot.waitUntil(lambda: len(renewals) == 1)
    assert (held.saved, reading.edit.toPlainText()) == ([(1, "The rent")], "s The rent")
    QTest.keyClicks(reading.edit, "and")
    desk.click(reading.save)
    held.leave.release()
    qtbot.waitUntil(lambda: len(renewals) == 2)
    assert [tuple(one) for one in renewals] == [(5, 6), (6, 7)]
    assert held.saved[1] == (1, "s andThe rent") and not reading.is_changed
