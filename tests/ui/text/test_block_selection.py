"""Selecting by mouse, as in every view whose text stands in blocks: a chat's turns, the rows of a translation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.ui.text.block_selection import BlockSelection, SelectionMouse, SelectionUnit
from app.ui.theme import Theme

LINE_PX, LETTER_PX = 20, 10
LINES = [f"line {number} of text" for number in range(100)]
LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier


class LineSpot(NamedTuple):
    """A letter of a line."""

    line: int
    offset: int

    @property
    def key(self) -> tuple[int, int]:
        return self.line, self.offset


class LineSelection(BlockSelection[LineSpot]):
    """Lines of letters that are all as wide, a block each."""

    def spot_at(self, place: QPointF, *, is_inside: bool = False) -> LineSpot | None:
        line, offset = int(place.y() // LINE_PX), round(place.x() / LETTER_PX)
        text = LINES[min(max(line, 0), len(LINES) - 1)]
        if is_inside and offset > len(text):
            return None
        return LineSpot(min(max(line, 0), len(LINES) - 1), min(max(offset, 0), len(text)))

    def ends_of_unit(self, spot: LineSpot, unit: SelectionUnit) -> tuple[LineSpot, LineSpot]:
        text = LINES[spot.line]
        if unit is SelectionUnit.PARAGRAPH:
            return LineSpot(spot.line, 0), LineSpot(spot.line, len(text))
        end = text.find(" ", spot.offset)
        return LineSpot(spot.line, text.rfind(" ", 0, spot.offset) + 1), LineSpot(spot.line, max(end, spot.offset))

    def text(self) -> str:
        spans = [(line, self.span_in((line,))) for line in range(len(LINES))]
        return "\n".join(LINES[line][slice(*span)] for line, span in spans if span is not None)


class View:
    """Lines in a scroll area, ten of them seen."""

    def __init__(self, theme: Theme) -> None:
        self.area, self.surface = QScrollArea(), QWidget()
        self.surface.resize(300, LINE_PX * len(LINES))
        self.area.setWidget(self.surface)
        self.area.resize(320, 10 * LINE_PX)
        self.selection = LineSelection(self.area)
        self.mouse = SelectionMouse(self.selection, self.area, self.surface, theme)
        self.surface.installEventFilter(self.mouse)
        self.clicks: list[LineSpot | None] = []
        self.mouse.clicked.connect(lambda spot, _place: self.clicks.append(spot))

    def place(self, line: int, offset: int) -> QPoint:
        return QPoint(offset * LETTER_PX, line * LINE_PX + LINE_PX // 2)

    def drag(self, first: tuple[int, int], last: tuple[int, int]) -> None:
        QTest.mousePress(self.surface, LEFT, pos=self.place(*first))
        QTest.mouseMove(self.surface, self.place(*last))
        QTest.mouseRelease(self.surface, LEFT, pos=self.place(*last))

    def click(self, line: int, offset: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.mouseClick(self.surface, LEFT, modifier, self.place(line, offset))


@pytest.fixture
def view(qtbot: QtBot, qapp: QApplication) -> Iterator[View]:
    view = View(Theme("light"))
    qtbot.addWidget(view.area)
    view.area.show()
    usual_ms = QApplication.doubleClickInterval()
    QApplication.setDoubleClickInterval(60_000)  # a machine at work takes its time between two clicks
    yield view
    QApplication.setDoubleClickInterval(usual_ms)


def test_a_drag_selects_from_block_to_block_either_way_and_shift_extends(view: View) -> None:
    for ends in (((1, 5), (3, 4)), ((3, 4), (1, 5))):
        view.drag(*ends)
        assert view.selection.text() == "1 of text\nline 2 of text\nline"
        assert view.selection.head == LineSpot(*ends[1])
    view.click(4, 4, SHIFT)
    assert view.selection.text() == "line"[4:] + " 3 of text\nline"
    assert view.clicks == []


def test_two_clicks_are_a_word_three_a_paragraph_and_a_fourth_is_a_click(view: View) -> None:
    QTest.mouseDClick(view.surface, LEFT, pos=view.place(2, 8))
    assert view.selection.text() == "of"
    view.click(2, 8)
    assert view.selection.text() == LINES[2]
    view.click(2, 8)
    assert view.selection.text() == ""
    assert view.clicks == [LineSpot(2, 8)]


def test_by_words_both_ends_are_those_of_words(view: View) -> None:
    QTest.mouseDClick(view.surface, LEFT, pos=view.place(2, 8))
    for spot, text in ((LineSpot(1, 12), "text\nline 2 of"), (LineSpot(3, 2), "of text\nline")):
        view.selection.extend(*view.selection.ends_of_unit(spot, SelectionUnit.WORD))
        assert view.selection.text() == text


def test_a_click_on_what_is_selected_clears_it_and_keys_go_on_from_there(view: View) -> None:
    view.drag((1, 0), (3, 0))
    view.click(2, 3)
    assert (view.selection.ends, view.selection.head) == (None, LineSpot(2, 3))
    assert view.clicks == [LineSpot(2, 3)]
    view.click(2, 28)
    assert view.clicks[1] is None, "beside the text"


def test_beyond_what_is_seen_the_view_scrolls_on_while_the_pointer_rests(view: View, qtbot: QtBot) -> None:
    below = view.area.viewport().mapToGlobal(QPoint(40, view.area.height() + 150))
    QCursor.setPos(below)
    QTest.mousePress(view.surface, LEFT, pos=view.place(1, 0))
    view.mouse.move(below)
    bar = view.area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.value() == bar.maximum(), timeout=60_000)
    assert view.selection.ends == (LineSpot(1, 0), LineSpot(99, 4))
    QTest.mouseRelease(view.surface, LEFT, pos=view.place(99, 4))


def test_spans_are_of_the_blocks_between_the_ends(view: View) -> None:
    selection = view.selection
    selection.begin(LineSpot(3, 4), LineSpot(1, 5))
    assert [selection.span_in((line,)) for line in range(5)] == [None, (5, 1 << 30), (0, 1 << 30), (0, 4), None]
    assert [selection.holds(LineSpot(line, 4)) for line in (1, 2, 3)] == [False, True, False]
    selection.begin(LineSpot(2, 2))
    assert selection.span_in((2,)) is None
