"""The left column of the summaries: groups, what is at work, finding, renaming, deleting with a way back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.bootstrap import Fireside, build
from app.features.summaries import StoredSummary
from app.features.summary.result import Wish
from app.store.jobs import Jobs
from app.ui.notify import Notify
from app.ui.row_list import ID_ROLE
from app.ui.summarize.summaries_column import SummariesColumn
from app.ui.summarize.summary_list import SummaryListModel, group_of
from app.ui.theme import Theme
from tests.helpers.clipping import clipped_texts
from tests.helpers.summaries import store_document

NOW = datetime(2026, 11, 24, 16, 0)


def summary(number: int, state: str = "done", age: timedelta = timedelta(0), **fields: object) -> StoredSummary:
    seen = (NOW - age).timestamp()
    return replace(StoredSummary(number, f"Report {number}", state, Wish(), (1,), 0, 0, None, seen, seen), **fields)


def rows(model: SummaryListModel) -> list[str]:
    return [str(model.index(row).data()) for row in range(model.rowCount())]


# The rows.


def test_groups_go_by_calendar_days_and_what_is_not_done_stands_above_them() -> None:
    ages = {"Today": 15, "Last 7 days": 24 * 6, "Older": 24 * 7}
    assert [group_of(summary(1, age=timedelta(hours=hours)), NOW) for hours in ages.values()] == list(ages)
    for state in ("running", "queued"):
        assert group_of(summary(1, state, timedelta(days=40)), NOW) == "Working"
    for state in ("paused", "failed"):
        assert group_of(summary(1, state), NOW) == "Today", "nothing happens there before a person says so"


def test_rows_say_how_far_the_work_is(qtmodeltester: ModelTester) -> None:
    model = SummaryListModel()
    model.show(
        [
            summary(1, "running", title="Council minutes", sections=21, sections_read=9),
            summary(2, "running"),
            summary(3, "queued"),
            summary(4, "paused"),
            summary(5),
            summary(6, "failed"),
            summary(7, age=timedelta(days=3)),
        ],
        NOW,
    )
    qtmodeltester.check(model)
    assert rows(model) == [
        "Working",
        "Council minutes · 9 of 21",
        "Report 2 · begins",
        "Report 3 · waits",
        "Today",
        "Report 4 · stopped",
        "Report 5",
        "Report 6 · failed",
        "Last 7 days",
        "Report 7",
    ]
    assert model.flags(model.index(0)) == Qt.ItemFlag.NoItemFlags
    assert model.index_of(99) == QModelIndex()


def test_a_heading_comes_once_in_whatever_order_the_summaries_come() -> None:
    model = SummaryListModel()
    model.show([summary(1, age=timedelta(days=3)), summary(2), summary(3, age=timedelta(days=2))], NOW)
    assert rows(model) == ["Today", "Report 2", "Last 7 days", "Report 1", "Report 3"]


def test_progress_changes_the_words_of_one_row(qtbot: QtBot) -> None:
    model = SummaryListModel()
    model.show([summary(1, "running", sections=9), summary(2)], NOW)
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.dataChanged) as told:
        assert model.update(summary(1, "running", sections=9, sections_read=4), NOW)
    assert told.args[0].row() == told.args[1].row() == 1
    assert rows(model)[1] == "Report 1 · 4 of 9"
    assert not model.update(summary(1, "done"), NOW), "it stands elsewhere now"
    assert not model.update(summary(3), NOW), "it is not in the list"


def test_renaming_cleans_the_title_and_refuses_an_empty_one(qtbot: QtBot) -> None:
    model = SummaryListModel()
    model.show([summary(1)], NOW)
    with qtbot.waitSignal(model.renamed) as told:
        assert model.setData(model.index(1), "  A \n better   title ")
    assert told.args == [1, "A better title"]
    assert not model.setData(model.index(1), "  \n ")


# The column.


@dataclass
class Desk:
    """The column over the real store, and what it told. Three summaries are there: one at work, two of today."""

    column: SummariesColumn
    app: Fireside
    notify: Notify
    council: int
    report: int
    lease: int
    chosen: list[int]
    gone: list[int]
    work: list[bool]

    def rows(self) -> list[str]:
        return rows(self.column.model)

    def state_of(self, summary_id: int) -> str:
        found = self.app.summaries.get(summary_id)
        assert found is not None
        return found.state


def add(app: Fireside, title: str, state: str = "done", sections: int = 0, read: int = 0) -> int:
    """A summary with its document, as the work would have left it."""
    document = store_document(app.documents.store, f"{title}.pdf", "Words.", title=title)
    (made,) = app.summaries.begin([document.id], Wish(), together=False)
    put(app, made.id, state, sections, read)
    return made.id


def put(app: Fireside, summary_id: int, state: str, sections: int = 0, read: int = 0) -> None:
    progress = {"sections": sections, "sections_read": read}
    Jobs(app.database).update(summary_id, state=state, progress=progress)


@pytest.fixture
def desk(qtbot: QtBot, qapp: QApplication) -> Iterator[Desk]:
    app = build()
    theme = Theme("light")
    theme.install(qapp)
    notify = Notify(theme)
    column = SummariesColumn(theme, app.summaries, notify)
    qtbot.addWidget(column)
    qtbot.addWidget(notify.bar)
    column.resize(260, 600)
    council = add(app, "Council minutes", "running", 21, 9)
    lease, report = add(app, "Lease, Rua das Flores 12"), add(app, "Annual report 2025")
    desk = Desk(column, app, notify, council, report, lease, [], [], [])
    column.chosen.connect(desk.chosen.append)
    column.chosen.connect(column.show_open)
    column.gone.connect(desk.gone.append)
    column.work_wanted.connect(lambda: desk.work.append(True))
    column.show()
    column.activateWindow()
    yield desk
    app.close()
    qapp.setStyleSheet("")


def click_row(desk: Desk, qtbot: QtBot, summary_id: int) -> None:
    place = desk.column.list.visualRect(desk.column.model.index_of(summary_id)).center()
    qtbot.mouseClick(desk.column.list.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_shown_it_lists_what_is_there(desk: Desk) -> None:
    assert desk.rows() == [
        "Working", "Council minutes · 9 of 21", "Today", "Annual report 2025", "Lease, Rua das Flores 12",
    ]  # fmt: skip
    assert clipped_texts(desk.column) == []


def test_without_any_it_says_what_will_be_here(desk: Desk) -> None:
    for summary_id in (desk.council, desk.report, desk.lease):
        desk.app.summaries.delete(summary_id)
    desk.column.reload()
    assert desk.column._nothing.isVisible()
    assert desk.column._nothing.text() == "Your summaries will be here."


def test_searching_narrows_the_list_and_says_when_nothing_fits(desk: Desk, qtbot: QtBot) -> None:
    qtbot.keyClicks(desk.column.search, "lease")
    qtbot.waitUntil(lambda: desk.rows() == ["Today", "Lease, Rua das Flores 12"])
    desk.column.search.setText("zebra")
    qtbot.waitUntil(lambda: desk.rows() == [])
    assert desk.column._nothing.text() == "No summary has these words."


def test_a_click_opens_and_arrows_open_where_they_stop(desk: Desk, qtbot: QtBot) -> None:
    click_row(desk, qtbot, desk.report)
    assert desk.chosen == [desk.report]
    desk.column.list.setFocus()
    qtbot.keyClick(desk.column.list, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: desk.chosen == [desk.report, desk.lease])
    qtbot.keyClick(desk.column.list, Qt.Key.Key_Up)
    qtbot.keyClick(desk.column.list, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: desk.chosen == [desk.report, desk.lease, desk.council])


def test_f2_renames_in_the_row_and_begins_with_the_title_alone(desk: Desk, qtbot: QtBot) -> None:
    click_row(desk, qtbot, desk.council)
    desk.column.list.setFocus()
    qtbot.keyClick(desk.column.list, Qt.Key.Key_F2)
    editor = desk.column.list.findChild(QLineEdit, "row_editor")
    assert editor is not None
    assert editor.text() == "Council minutes"
    editor.setText("Minutes of May")
    with qtbot.waitSignal(desk.column.renamed):
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert desk.rows()[1] == "Minutes of May · 9 of 21"


def test_what_is_being_typed_in_a_row_survives_progress(desk: Desk, qtbot: QtBot) -> None:
    click_row(desk, qtbot, desk.council)
    desk.column.list.setFocus()
    qtbot.keyClick(desk.column.list, Qt.Key.Key_F2)
    editor = desk.column.list.findChild(QLineEdit, "row_editor")
    assert editor is not None
    editor.setText("Minutes of May")
    for state, tell in (
        ("running", lambda: desk.column.show_progress(desk.council)),
        ("done", desk.column.refresh_soon),
    ):
        put(desk.app, desk.council, state, 21, 20)
        tell()
        with qtbot.assertNotEmitted(desk.column.model.modelReset, wait=400):
            pass
        assert editor.text() == "Minutes of May"
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desk.rows()[0] == "Today" and "Minutes of May" in desk.rows())


def test_delete_can_be_taken_back(desk: Desk, qtbot: QtBot) -> None:
    click_row(desk, qtbot, desk.report)
    desk.column.list.setFocus()
    qtbot.keyClick(desk.column.list, Qt.Key.Key_Delete)
    assert desk.gone == [desk.report]
    assert "Annual report 2025" not in desk.rows()
    assert [notice.text for notice in desk.notify.bar.notices] == ["“Annual report 2025” was deleted."]
    desk.notify.bar.show()
    undo = next(b for b in desk.notify.bar.findChildren(QPushButton) if b.text() == "Undo")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert "Annual report 2025" in desk.rows()
    assert desk.chosen[-1] == desk.report


@pytest.mark.parametrize(
    ("state", "words", "then"),
    [("running", "Stop", "paused"), ("queued", "Stop", "paused"), ("paused", "Go on", "queued")],
)
def test_the_menu_stops_and_goes_on(desk: Desk, state: str, words: str, then: str) -> None:
    put(desk.app, desk.council, state)
    desk.column.reload()
    menu = desk.column.menu_for(desk.column.model.index_of(desk.council))
    texts = [action.text().split("\t")[0] for action in menu.actions() if not action.isSeparator()]
    assert texts == [words, "Rename", "Delete"]
    menu.actions()[0].trigger()
    assert desk.state_of(desk.council) == then
    assert desk.work == ([True] if then == "queued" else [])


def test_the_menu_of_a_finished_one_has_nothing_to_stop(desk: Desk) -> None:
    menu = desk.column.menu_for(desk.column.model.index_of(desk.report))
    assert menu.actions()[0].text() == "Rename\tF2"


def test_a_row_follows_the_work_and_moves_when_it_is_over(desk: Desk, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(desk.column.model.modelReset):
        put(desk.app, desk.council, "running", 21, 10)
        desk.column.show_progress(desk.council)
        qtbot.waitUntil(lambda: desk.rows()[1] == "Council minutes · 10 of 21")
    put(desk.app, desk.council, "done")
    desk.column.show_progress(desk.council)
    qtbot.waitUntil(lambda: desk.rows()[0] == "Today" and "Council minutes" in desk.rows())


def test_the_open_one_stays_marked_when_the_list_is_another(desk: Desk, qtbot: QtBot) -> None:
    click_row(desk, qtbot, desk.lease)
    add(desk.app, "New", "queued")
    desk.column.refresh_soon()
    qtbot.waitUntil(lambda: "New · waits" in desk.rows())
    assert desk.column.list.currentIndex().data(ID_ROLE) == desk.lease
    assert desk.chosen == [desk.lease], "nothing is opened by that"


def test_hidden_it_reads_nothing_until_it_is_shown(desk: Desk, qtbot: QtBot) -> None:
    desk.column.hide()
    put(desk.app, desk.council, "running", 21, 10)
    desk.column.show_progress(desk.council)
    with qtbot.assertNotEmitted(desk.column.model.dataChanged, wait=400):
        pass
    desk.column.show()
    assert desk.rows()[1] == "Council minutes · 10 of 21"


def test_ten_thousand_rows_stay_fast(desk: Desk) -> None:
    with desk.app.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO jobs (kind, title, state, spec, created_at, updated_at, place)"
            " VALUES ('summary', ?, 'done', '{}', ?, ?, ?)",
            [(f"Report {number}", number * 3600, number, number) for number in range(10_000)],
        )
    begun_s = time.perf_counter()
    desk.column.reload()
    desk.column.grab()
    loaded_s = time.perf_counter() - begun_s
    put(desk.app, desk.council, "running", 99, 1)
    begun_s = time.perf_counter()
    desk.column.show_progress(desk.council)
    desk.column._refresh()
    desk.column.grab()
    refreshed_s = time.perf_counter() - begun_s
    assert desk.column.model.rowCount() > 10_000
    assert desk.rows()[1].endswith("1 of 99")
    assert loaded_s < 1.5
    assert refreshed_s < 0.1
