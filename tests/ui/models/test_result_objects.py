"""A repository that is found again stays the same object to screen readers."""

from __future__ import annotations

from PySide6.QtGui import QAccessible
from pytestqt.qtbot import QtBot

from app.hub.hub_search import FoundRepository
from app.ui.models.search_results import ResultList
from app.ui.theme import Theme
from tests.helpers.accessible_tree import screen_reader_on


def objects_of(shown: ResultList, *repos: str) -> list[int]:
    shown.show_found([FoundRepository(repo) for repo in repos])
    told = QAccessible.queryAccessibleInterface(shown)
    return [QAccessible.uniqueId(told.child(place)) for place in range(told.childCount())]


def test_result_stays_while_others_come_and_go(qtbot: QtBot, theme: Theme) -> None:
    with screen_reader_on():
        shown = ResultList(theme, open_repository=lambda _: None)
        qtbot.addWidget(shown)
        before = objects_of(shown, "a/one", "a/two", "a/three")
        after = objects_of(shown, "a/new", "a/one", "a/three")
        assert after[1:] == [before[0], before[2]]
