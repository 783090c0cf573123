"""Rows of a list stay the same objects to a screen reader while others come, go and move."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QFocusEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.i18n import Translatable
from app.ui.theme import Theme
from app.ui.widgets.row_list import MOST_COMPARED, GroupedListModel, RowList, list_steps
from tests.helpers.accessible_tree import name_of, screen_reader_on


@dataclass(frozen=True)
class NamedRow:
    id: int
    title: str


class NamedRows(GroupedListModel[NamedRow]):
    groups = ("Today", "Older")

    def group_of(self, row: NamedRow, now: datetime) -> Translatable:
        return self.groups[row.id > 9]


@pytest.fixture
def rows(qapp: QApplication, qtbot: QtBot, theme: Theme) -> Iterator[RowList]:
    with screen_reader_on():
        shown = RowList(theme, NamedRows(), "Chats")
        qtbot.addWidget(shown)
        shown.show()
        yield shown


def show_rows(shown: RowList, *numbers: int, **titles: str) -> dict[str, int]:
    """Show rows by number; returns each row's name with the number of its object."""
    model = shown.model()
    assert isinstance(model, NamedRows)
    model.show([NamedRow(number, titles.get(f"t{number}", f"row {number}")) for number in numbers])
    told = QAccessible.queryAccessibleInterface(shown)
    children = [told.child(place) for place in range(told.childCount())]
    assert told.role() == QAccessible.Role.List
    assert {child.role() for child in children} <= {QAccessible.Role.ListItem}
    return {name_of(child): QAccessible.uniqueId(child) for child in children}


def are_alive(objects: Sequence[int]) -> bool:
    return all(QAccessible.accessibleInterface(number) is not None for number in objects)


def test_rows_stay_while_others_come_go_and_move(rows: RowList) -> None:
    before = show_rows(rows, 1, 2, 3, 10, 11)
    after = show_rows(rows, 4, 1, 3, 10, 11)  # one came at the top, one went
    kept = {name: number for name, number in before.items() if name != "row 2"}
    assert {name: number for name, number in after.items() if name != "row 4"} == kept
    assert are_alive(list(kept.values()))
    moved = show_rows(rows, 3, 4, 1, 10, 11)  # as a chat that was written in again
    assert {name: moved[name] for name in ("Today", "row 4", "row 1", "Older", "row 11")} == {
        name: after[name] for name in ("Today", "row 4", "row 1", "Older", "row 11")
    }
    assert len(set(moved.values())) == len(moved)


def test_renamed_row_stays(rows: RowList) -> None:
    before = show_rows(rows, 1, 2)
    after = show_rows(rows, 1, 2, t2="another")
    assert after == {"Today": before["Today"], "row 1": before["row 1"], "another": before["row 2"]}


def test_open_row_stays_current_while_others_come(rows: RowList) -> None:
    show_rows(rows, 1, 2)
    model = rows.model()
    assert isinstance(model, NamedRows)
    rows.mark(model.index_of(2))
    show_rows(rows, 3, 1, 2)
    assert rows.currentIndex() == model.index_of(2)


def test_tab_comes_to_a_row_after_the_open_one_went(rows: RowList) -> None:
    show_rows(rows, 1, 2)
    model = rows.model()
    assert isinstance(model, NamedRows)
    rows.mark(model.index_of(2))
    show_rows(rows)
    show_rows(rows, 1, 2)
    assert not rows.currentIndex().isValid()
    QApplication.sendEvent(rows, QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.TabFocusReason))
    assert rows.currentIndex() == model.index_of(1)


def test_steps_make_the_new_list_of_the_old_one() -> None:
    chance = random.Random(4)
    for _ in range(300):
        old, new = (chance.sample(range(12), chance.randrange(12)) for _ in range(2))
        steps, made = list_steps(old, new), list(old)
        assert steps is not None
        for first, last, added in steps:
            made[first:last] = new[added.start : added.stop]
        assert made == new


def test_long_list_that_is_another_is_shown_anew() -> None:
    assert list_steps(range(MOST_COMPARED + 1), range(MOST_COMPARED, 0, -1)) is None
    long = list(range(3 * MOST_COMPARED))
    assert list_steps(long, [-1, *long]) == [(0, 0, range(1))], "what comes at its top or end needs no comparing"
    assert list_steps(long, [*long, -1]) == [(len(long), len(long), range(len(long), len(long) + 1))]


@pytest.mark.parametrize("number", [4, MOST_COMPARED + 20])
def test_who_is_told_of_the_rows_finds_them_where_they_are(rows: RowList, number: int) -> None:
    """Changed row by row, and replaced as a whole where they are too many to compare."""
    model = rows.model()
    assert isinstance(model, NamedRows)
    show_rows(rows, 1, 2)
    found: list[object] = []
    for signal in (model.dataChanged, model.modelReset):
        signal.connect(lambda *_: found.append(model.index_of(2).data()))
    show_rows(rows, *range(3, number), 1, 2)
    assert found
    assert set(found) == {"row 2"}
