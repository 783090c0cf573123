"""The document view with real keys: the right pixels marked, pages turned, errors said, nothing left running."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QColor, QImage, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors import DatabaseDamaged, DocumentUnreadable
from app.documents.blocks import Block, Kind
from app.features.shown_document import Mark
from app.ui import tasks
from app.ui.notify import Notify
from app.ui.theme import DARK, LIGHT, Theme
from app.ui.widgets.document_view import DocumentView
from tests.helpers.clipping import clipped_texts
from tests.helpers.gaps import Gaps
from tests.helpers.shown_documents import (
    HEIGHT_PT,
    SETTLED,
    WIDTH_PT,
    DocumentInMemory,
    annual_report,
    every_kind,
    many_blocks,
    settled_mark,
)

Key = Qt.Key


@dataclass
class Desk:
    """A view in a window that has jobs of its own for the same keys."""

    qtbot: QtBot
    theme: Theme
    notify: Notify
    window: QWidget
    view: DocumentView
    window_searches: list[bool]

    def drawn(self) -> None:
        self.qtbot.waitUntil(
            lambda: (
                self.view.area.paper.shown is not None
                and self.view.area.paper.shown.page == self.view.page
                and self.view.area.paper.shown.width_px == self.view.area.width_px
                and abs(self.view.area.paper.shown.image.width() - self.view.area.width_px) <= 1  # the sharp one
            )
        )

    def paper(self) -> QImage:
        return self.view.area.paper.grab().toImage()

    def count(self, color: str, image: QImage | None = None) -> int:
        image = image or self.paper()
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
    action = QAction("Search chats", window)
    action.setShortcut(QKeySequence("Ctrl+F"))
    action.triggered.connect(searches.append)
    window.addAction(action)
    window.resize(444, 704)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    view.setFocus()
    yield Desk(qtbot, theme, notify, window, view, searches)
    view.close_document()
    qtbot.waitUntil(lambda: len(tasks.running) == 0)
    notify.bar.deleteLater()
    qapp.setStyleSheet("")


def open_report(desk: Desk, mark: bool = True) -> DocumentInMemory:
    report = annual_report()
    desk.view.open(report, settled_mark(report) if mark else None)
    desk.view.setFocus()
    desk.drawn()
    return report


def test_the_asked_sentence_is_marked_where_it_stands(desk: Desk) -> None:
    report = open_report(desk)
    assert desk.view.page == 27
    assert "page 27 of 48" in desk.view.header.where.text()
    block = next(block for block in report.blocks_of_page(27) if SETTLED in block.text)
    start = block.text.index(SETTLED)
    image = desk.paper()
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


def test_nothing_is_marked_on_another_page(desk: Desk) -> None:
    open_report(desk)
    assert desk.count(LIGHT.mark) > 500
    desk.view.turn(1)
    desk.drawn()
    assert desk.count(LIGHT.mark) == 0
    desk.view.turn(-1)
    desk.drawn()
    assert desk.count(LIGHT.mark) > 500


def test_the_page_is_drawn_as_sharp_as_the_window_is_wide(desk: Desk) -> None:
    report = open_report(desk)
    shown = desk.view.area.paper.shown
    assert shown is not None
    assert shown.image.width() == desk.view.area.paper.width()
    assert desk.view.area.paper.height() == pytest.approx(desk.view.area.paper.width() * HEIGHT_PT / WIDTH_PT, abs=1)
    desk.window.resize(664, 704)
    desk.drawn()
    shown = desk.view.area.paper.shown
    assert shown is not None
    assert shown.image.width() == desk.view.area.paper.width() > 560
    desk.theme.zoom = 1.5
    desk.drawn()
    assert report.draws[0][0] == 27


def test_a_mark_at_the_foot_of_a_page_is_scrolled_into_view(desk: Desk) -> None:
    desk.window.resize(664, 300)
    report = annual_report()
    last = report.blocks_of_page(27)[-1]
    desk.view.open(report, Mark(last.id))
    desk.drawn()
    area = desk.view.area
    marked = area.paper.marked_rect()
    assert marked is not None
    top = area.paper.mapTo(area.viewport(), marked.topLeft().toPoint()).y()
    assert 0 < top < area.viewport().height() / 2
    desk.view.show_mark(settled_mark(report))
    marked = area.paper.marked_rect()
    assert marked is not None
    assert 0 < area.paper.mapTo(area.viewport(), marked.topLeft().toPoint()).y() < area.viewport().height() / 2


def test_the_dark_scheme_dims_the_paper_and_keeps_it_paper(desk: Desk) -> None:
    open_report(desk)
    desk.theme.scheme = "dark"
    paper = desk.paper().pixelColor(4, 4)
    assert 200 < paper.lightness() < 245
    card = desk.view.grab().toImage()
    assert card.pixelColor(card.width() // 2, 6) == QColor(DARK.surface)


def test_keys_turn_the_pages(desk: Desk) -> None:
    report = open_report(desk)
    area, view = desk.view.area, desk.view
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
        desk.qtbot.keyClick(area, key, modifier)
        assert view.page == page
    assert not view.header.next.isEnabled()
    desk.qtbot.mouseClick(view.header.previous, Qt.MouseButton.LeftButton)
    assert view.page == 47
    view.header.search.setFocus()
    desk.qtbot.keyClick(view.header.search, Key.Key_PageDown)
    assert view.page == 48
    desk.drawn()
    assert report.draws


def test_a_page_higher_than_the_view_is_scrolled_before_it_is_turned(desk: Desk) -> None:
    desk.window.resize(664, 404)
    open_report(desk, mark=False)
    bar = desk.view.area.verticalScrollBar()
    presses = 0
    while desk.view.page == 1 and presses < 20:
        desk.qtbot.keyClick(desk.view.area, Key.Key_PageDown)
        presses += 1
    assert presses > 2
    assert desk.view.page == 2
    assert bar.value() == 0


def test_empty_paper_says_so_after_a_while(desk: Desk) -> None:
    report = annual_report()
    report.gate.clear()
    desk.view.open(report)
    assert desk.view.area.paper.words == ""
    desk.qtbot.waitUntil(lambda: desk.view.area.paper.words == "Drawing the page…")
    assert desk.view.area.paper.height() > desk.view.area.paper.width()
    report.gate.set()
    desk.drawn()
    assert desk.view.area.paper.words == ""


def test_an_error_is_said_in_the_card_and_the_text_is_the_way_out(desk: Desk) -> None:
    report = annual_report()
    report.errors[27] = DocumentUnreadable("/private/annual-report-2025.pdf", "not_drawn")
    desk.view.open(report, settled_mark(report))
    problem = desk.view.problem
    desk.qtbot.waitUntil(problem.isVisible)
    assert problem.sentence.text() == "This page of annual-report-2025.pdf cannot be shown."
    assert clipped_texts(desk.window) == []
    desk.qtbot.mouseClick(problem.text_button, Qt.MouseButton.LeftButton)
    assert desk.view.is_text
    assert SETTLED in desk.view.text.toPlainText()
    assert desk.view.text.textCursor().selectedText() == SETTLED
    desk.view.show_form(is_text=False)
    desk.qtbot.waitUntil(problem.isVisible)
    desk.view.turn(1)
    desk.drawn()
    assert not problem.isVisible()
    assert desk.notify.bar.notices == []


def test_the_switch_shows_the_text_of_the_page_and_the_page_again(desk: Desk) -> None:
    open_report(desk)
    desk.qtbot.mouseClick(desk.view.header.text, Qt.MouseButton.LeftButton)
    assert desk.view.text.isVisible()
    assert desk.view.header.text.isChecked()
    assert "Page 26" not in desk.view.text.toPlainText()
    desk.view.turn(-1)
    assert desk.view.text.toPlainText().startswith("Page 26")
    desk.view.turn(5)
    assert desk.view.page == 31
    assert "no text on this page" in desk.view.text.toPlainText()
    desk.qtbot.mouseClick(desk.view.header.text, Qt.MouseButton.LeftButton)
    desk.drawn()
    assert desk.view.area.isVisible()


def test_keys_turn_the_pages_of_the_text_too(desk: Desk) -> None:
    report = annual_report()
    report.can_draw = False
    desk.view.open(report)
    desk.view.setFocus()
    text = desk.view.text
    assert not desk.view.header.text.isVisible()
    desk.qtbot.keyClick(text, Key.Key_PageDown)
    assert desk.view.page == 2
    desk.qtbot.keyClick(text, Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert desk.view.page == 48
    desk.qtbot.keyClick(text, Key.Key_PageUp)
    assert desk.view.page == 47


def test_the_note_of_a_document_is_shown(desk: Desk) -> None:
    note = "The file is no longer where it was, so only its text is shown."
    document = DocumentInMemory("a.pdf", [Block(1, Kind.PARAGRAPH, "Words.", 1)], "page", 1, note=note)
    desk.view.open(document)
    assert desk.view.note.isVisible()
    assert desk.view.note.text() == note
    assert clipped_texts(desk.window) == []


def test_searching_goes_through_the_pages_with_real_keys(desk: Desk) -> None:
    report = open_report(desk)
    search, qtbot = desk.view.search, desk.qtbot
    qtbot.keyClick(desk.view.area, Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert search.isVisible()
    assert search.field.hasFocus()
    assert desk.window_searches == []
    qtbot.keyClicks(search.field, "REVENUE rose")
    qtbot.waitUntil(lambda: search.count.text() == "27 of 46")
    assert desk.view.page == 28  # the first one from the page that was in view
    desk.drawn()
    assert desk.count(LIGHT.mark) > 50
    qtbot.keyClick(search.field, Key.Key_Return)
    assert (search.count.text(), desk.view.page) == ("28 of 46", 29)
    qtbot.keyClick(search.field, Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(search.field, Key.Key_F3, Qt.KeyboardModifier.ShiftModifier)
    assert (search.count.text(), desk.view.page) == ("26 of 46", 26)
    qtbot.keyClick(search.field, Key.Key_F3)
    assert search.count.text() == "27 of 46"
    qtbot.keyClick(search.field, Key.Key_Escape)
    assert not search.isVisible()
    assert desk.view.area.hasFocus()
    assert desk.view.document is report
    with qtbot.waitSignal(desk.view.closed):
        qtbot.keyClick(desk.view.area, Key.Key_Escape)
    assert desk.view.document is None


def test_matches_beside_the_chosen_one_are_marked_more_softly(desk: Desk) -> None:
    open_report(desk)
    desk.view.begin_search()
    desk.qtbot.keyClicks(desk.view.search.field, "costs of")
    desk.qtbot.waitUntil(lambda: desk.view.search.count.text() == "1 of 1")
    assert desk.count(LIGHT.selection) == 0
    desk.view.search.field.setText("of the")
    desk.qtbot.waitUntil(lambda: bool(desk.view.search.hits))
    while desk.view.page != 27:
        desk.view.search.step(1)
    desk.drawn()
    assert desk.count(LIGHT.mark) > 20
    desk.view.search.close_button.click()
    assert desk.count(LIGHT.selection) == 0
    assert desk.count(LIGHT.mark) > 500  # the sentence that was asked for is marked again


def test_every_control_has_a_name_and_shortcuts_are_told(desk: Desk) -> None:
    open_report(desk)
    desk.view.begin_search()
    names = [button.accessibleName() for button in desk.view.findChildren(QAbstractButton) if button.isVisible()]
    assert all(names)
    assert {"Search in the document", "Previous page", "Next page", "Close the document", "Next match"} <= set(names)
    assert desk.view.header.next.toolTip() == "Next page (Alt+→)"
    assert desk.view.header.close_button.toolTip() == "Close the document (Esc)"
    assert desk.view.search.field.accessibleName() == "Search in the document"
    assert desk.view.accessibleName() == "Document annual-report-2025.pdf"


def test_a_screen_reader_hears_what_is_marked_and_then_the_page(desk: Desk) -> None:
    open_report(desk)
    paper = desk.view.area.paper
    assert paper.accessibleName() == "page 27 of 48"
    said = paper.accessibleDescription().split("\n")
    assert said[0] == f"Marked: {SETTLED}"
    assert said[1].startswith("4.3")
    desk.view.turn(4)
    assert "no text on this page" in paper.accessibleDescription()


@pytest.mark.parametrize("width", [444, 664])
@pytest.mark.parametrize("zoom", [1.0, 1.5])
def test_nothing_is_cut_off(desk: Desk, width: int, zoom: float) -> None:
    desk.window.resize(width, 704)
    desk.theme.zoom = zoom
    open_report(desk)
    desk.view.begin_search()
    desk.qtbot.keyClicks(desk.view.search.field, "rose")
    desk.qtbot.waitUntil(lambda: bool(desk.view.search.hits))
    assert clipped_texts(desk.window) == []


def test_right_to_left_is_mirrored(desk: Desk) -> None:
    desk.window.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    open_report(desk)
    header = desk.view.header
    assert header.close_button.x() < header.next.x() < header.previous.x() < header.name.x()
    assert header.next.toolTip() == "Next page (Alt+←)"
    desk.qtbot.keyClick(desk.view.area, Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert desk.view.page == 28


def test_the_same_document_only_moves_to_another_mark(desk: Desk) -> None:
    report = open_report(desk)
    desk.view.show_form(is_text=True)
    desk.view.open(report, Mark(report.blocks_of_page(5)[0].id))
    assert (desk.view.page, desk.view.is_text) == (5, True)
    desk.view.open(report)
    assert desk.view.page == 5


def test_what_the_store_raises_is_said_and_nothing_breaks(desk: Desk) -> None:
    class Broken(DocumentInMemory):
        def blocks_of_page(self, page: int) -> list[Block]:
            raise DatabaseDamaged("fireside.db")

        def search(self, text: str, limit: int = 1000) -> list[Mark]:
            raise DatabaseDamaged("fireside.db")

    desk.view.open(Broken("a.pdf", [Block(1, Kind.PARAGRAPH, "Words.", 1)], "page", 1))
    assert len(desk.notify.bar.notices) == 1
    desk.view.begin_search()
    desk.notify.bar.notices[0].dismiss()
    desk.qtbot.keyClicks(desk.view.search.field, "word")
    desk.qtbot.waitUntil(lambda: len(desk.notify.bar.notices) == 1)


def test_closing_cancels_what_runs(desk: Desk) -> None:
    report = annual_report()
    report.gate.clear()
    desk.view.open(report)
    desk.qtbot.waitUntil(lambda: bool(report.draws))
    with desk.qtbot.waitSignal(desk.view.closed):
        desk.qtbot.mouseClick(desk.view.header.close_button, Qt.MouseButton.LeftButton)
    desk.qtbot.waitUntil(lambda: report.cancelled == [1])
    desk.qtbot.waitUntil(lambda: len(tasks.running) == 0)
    assert desk.view.area.paper.shown is None
    assert desk.view.text.toPlainText() == ""


def test_opening_turning_and_drawing_never_hold_the_window(desk: Desk) -> None:
    gaps = Gaps().start()
    open_report(desk)
    for _ in range(5):
        desk.view.turn(1)
        desk.drawn()
    gaps.stop()
    print(f"pages: own time at most {gaps.largest_busy_ms:.0f} ms")
    assert gaps.largest_busy_ms < 100


def test_a_hundred_thousand_blocks_open_and_scroll_within_the_budget(desk: Desk) -> None:
    document = many_blocks(100_000)
    document.fetched = 0
    gaps = Gaps().start()
    desk.view.open(document)
    text = desk.view.text
    desk.qtbot.waitUntil(lambda: text.verticalScrollBar().maximum() > 2 * text.viewport().height())
    assert document.fetched < 500
    for _ in range(60):
        desk.qtbot.keyClick(text, Key.Key_PageDown)
        QApplication.processEvents()
    desk.view.show_mark(Mark(60_000))
    QApplication.processEvents()
    gaps.stop()
    print(f"text: own time at most {gaps.largest_busy_ms:.0f} ms")
    assert gaps.largest_busy_ms < 100
    assert text.top_block_id in range(59_980, 60_001)
    assert desk.view.header.where.text().endswith("60\u00a0%")
    assert text.loaded <= 800


def test_a_short_text_has_no_percents(desk: Desk) -> None:
    desk.view.open(many_blocks(2))
    desk.qtbot.waitUntil(lambda: desk.view.header.where.text() == "")
    desk.view.open(many_blocks(50))
    desk.qtbot.waitUntil(lambda: desk.view.header.where.text().endswith("· 0\u00a0%"))
    desk.view.setFocus()
    desk.qtbot.keyClick(desk.view.text, Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    desk.qtbot.waitUntil(lambda: desk.view.header.where.text().endswith("· 100\u00a0%"))


def test_the_keyboards_focus_is_seen_and_a_click_leaves_no_ring(desk: Desk) -> None:
    open_report(desk)
    desk.view.header.close_button.setFocus()
    middle = QPoint(desk.view.width() // 2, 1)
    assert desk.view.grab().toImage().pixelColor(middle) != QColor(LIGHT.focus)
    desk.qtbot.keyClick(desk.view.header.close_button, Key.Key_Tab)
    assert desk.view.area.hasFocus()
    assert desk.view.grab().toImage().pixelColor(middle) == QColor(LIGHT.focus)
    desk.view.header.close_button.setFocus()
    desk.qtbot.mouseClick(desk.view.area.viewport(), Qt.MouseButton.LeftButton)
    assert desk.view.area.hasFocus()
    assert desk.view.grab().toImage().pixelColor(middle) != QColor(LIGHT.focus)


def test_a_double_click_comes_nearer_and_goes_back(desk: Desk) -> None:
    open_report(desk)
    area = desk.view.area
    before = area.paper.width()
    desk.qtbot.mouseDClick(area.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    assert area.paper.width() == pytest.approx(2 * before, abs=2)
    desk.drawn()
    assert area.horizontalScrollBar().value() > 0
    desk.qtbot.keyClick(area, Key.Key_0)
    desk.drawn()
    assert area.paper.width() == before


def test_every_kind_of_block_is_shown_as_text(desk: Desk) -> None:
    desk.view.open(every_kind())
    text = desk.view.text.toPlainText()
    assert "1.\tLet the bricks dry" in text
    assert "Year\tRevenue\tMargin\n2023\t381 million" in text
    assert "    for step in range" in text
    assert "Comment: Ask Maria" in text
    assert "chapter 1 of 3" in desk.view.header.where.text()
    desk.view.turn(1)
    assert desk.view.text.toPlainText() == "There is no text in this chapter."


def test_buttons_bring_the_page_nearer_and_farther_up_to_an_end(desk: Desk) -> None:
    desk.window.resize(664, 704)
    open_report(desk)
    header, area = desk.view.header, desk.view.area
    before = area.paper.width()
    desk.qtbot.mouseClick(header.nearer, Qt.MouseButton.LeftButton)
    assert area.zoom == 1.25
    assert area.paper.width() > before
    for _ in range(4):
        desk.qtbot.mouseClick(header.nearer, Qt.MouseButton.LeftButton)
    assert not header.nearer.isEnabled()
    desk.qtbot.keyClick(area, Key.Key_0)
    assert (area.zoom, header.nearer.isEnabled()) == (1.0, True)
    desk.qtbot.mouseClick(header.farther, Qt.MouseButton.LeftButton)
    assert area.paper.width() < before
    desk.view.show_form(is_text=True)
    assert not header.nearer.isVisible(), "text is as large as all text"
    desk.view.show_form(is_text=False)
    desk.window.resize(370, 704)
    desk.qtbot.waitUntil(lambda: not header.next.isVisible())
    assert header.nearer.isVisible(), "pages are turned by scrolling, too"
    assert header.name.text()
    desk.qtbot.waitUntil(lambda: desk.window.minimumSizeHint().width() < 330)
    desk.window.resize(330, 704)
    desk.qtbot.waitUntil(lambda: not header.nearer.isVisible())
