"""The left column of stored jobs: groups, what is at work, finding, renaming, deleting with a way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.bootstrap import Fireside, build_program
from app.features.summarize.summary_result import Form, Length, StoredSummary, SummaryOptions
from app.store.jobs import JobRow, JobTable
from app.ui.locale_formats import format_date, format_time
from app.ui.shared_labels import (
    BEGINS_LABEL,
    DELETE,
    FAILED_LABEL,
    GO_ON,
    LAST_SEVEN_DAYS,
    OLDER,
    RENAME,
    STOP,
    STOPPED,
    TODAY,
    WAITS_LABEL,
)
from app.ui.shell.notify import Notify
from app.ui.summarize.summarize_tab import summary_words
from app.ui.summarize.summary_texts import form_and_time, note_of
from app.ui.theme import Theme
from app.ui.work import job_column
from app.ui.work.job_column import WORKING_LABEL, WorkColumn, WorkListModel, group_of
from tests.helpers.counting import thousand_steps
from tests.helpers.desks.window import ListDesk
from tests.helpers.summaries import store_document

NOW = datetime(2026, 11, 24, 16, 0)


def summary(number: int, state: str = "done", age: timedelta = timedelta(0), **fields: object) -> StoredSummary:
    seen = (NOW - age).timestamp()
    return replace(
        StoredSummary(number, f"Report {number}", state, None, seen, seen, SummaryOptions(), (1,), 0, 0), **fields
    )


def rows(model: WorkListModel) -> list[str]:
    return [str(model.index(row).data()) for row in range(model.rowCount())]


# The rows.


def test_groups_go_by_calendar_days_and_what_is_not_done_stands_above_them() -> None:
    ages = {TODAY: 15, LAST_SEVEN_DAYS: 24 * 6, OLDER: 24 * 7}
    assert [group_of(summary(1, age=timedelta(hours=hours)), NOW) for hours in ages.values()] == list(ages)
    for state in ("running", "queued"):
        assert group_of(summary(1, state, timedelta(days=40)), NOW) == WORKING_LABEL
    for state in ("paused", "failed"):
        assert group_of(summary(1, state), NOW) == TODAY, "nothing happens there before a person says so"


def test_rows_of_one_title_are_told_apart_by_form_length_and_time(qtmodeltester: ModelTester) -> None:
    model = WorkListModel(note_of, twin_note_of=lambda row: form_and_time(row, NOW))
    short = SummaryOptions(Length.SHORT, Form.PARAGRAPHS)
    model.show(
        [
            summary(1, title="harbour", wish=short),
            summary(2, title="harbour", age=timedelta(days=3)),
            summary(3, "paused", title="harbour"),
            summary(4),
        ],
        NOW,
    )
    qtmodeltester.check(model)
    today, earlier = (
        format_time(datetime(2026, 11, 24, 16).timestamp()),
        format_date(datetime(2026, 11, 21).timestamp()),
    )
    assert rows(model) == [
        TODAY,
        f"harbour · Text, short, {today}",
        f"harbour · {STOPPED}",
        "Report 4",
        LAST_SEVEN_DAYS,
        f"harbour · Bullets, {earlier}",
    ]
    assert f"Bullets, {today}" in model.index(3).data(Qt.ItemDataRole.ToolTipRole)


def test_rows_say_how_far_the_work_is(qtmodeltester: ModelTester) -> None:
    model = WorkListModel(note_of)
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
        WORKING_LABEL,
        "Council minutes · 9 of 21",
        f"Report 2 · {BEGINS_LABEL}",
        f"Report 3 · {WAITS_LABEL}",
        TODAY,
        f"Report 4 · {STOPPED}",
        "Report 5",
        f"Report 6 · {FAILED_LABEL}",
        LAST_SEVEN_DAYS,
        "Report 7",
    ]
    assert model.flags(model.index(0)) == Qt.ItemFlag.NoItemFlags
    assert model.index_of(99) == QModelIndex()


def test_progress_changes_the_words_of_one_row(qtbot: QtBot) -> None:
    model = WorkListModel(note_of)
    model.show([summary(1, "running", sections=9), summary(2)], NOW)
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.dataChanged) as told:
        assert model.update(summary(1, "running", sections=9, sections_read=4), NOW)
    assert told.args[0].row() == told.args[1].row() == 1
    assert rows(model)[1] == "Report 1 · 4 of 9"
    assert not model.update(summary(1, "done"), NOW), "it stands elsewhere now"
    assert not model.update(summary(3), NOW), "it is not in the list"


# The column.


def add(app: Fireside, title: str, state: str = "done", steps: int = 0, done: int = 0) -> int:
    """A summary with its document, as the work would have left it."""
    document = store_document(app.documents.store, f"{title}.pdf", "Words.", title=title)
    number = app.summaries.begin_summaries([document.id], SummaryOptions(), together=False)[0].id
    put(app, number, state, steps, done)
    return number


def put(app: Fireside, number: int, state: str, steps: int = 0, done: int = 0) -> None:
    """Its state now, and how many of its steps are done."""
    JobTable(app.database).update(number, state=state, progress={"sections": steps, "sections_read": done})


class Desk(ListDesk):
    """The column over the real store, and what it told. Three jobs are there: one at work, two of today."""

    root: WorkColumn
    council: int
    report: int
    lease: int

    def __init__(self, root: WorkColumn, app: Fireside, notify: Notify) -> None:
        super().__init__(root, app, notify)
        self.chosen: list[int] = []
        self.gone: list[int] = []
        self.work: list[bool] = []
        root.chosen.connect(self.chosen.append)
        root.chosen.connect(root.show_open)
        root.gone.connect(self.gone.append)
        root.work_wanted.connect(lambda: self.work.append(True))

    def state_of(self, number: int) -> str:
        found = self.summaries.get(number)
        assert found is not None
        return str(found.state)

    def wait_for_refreshing(self) -> None:
        """Until what is to be read in a moment was, or was put off."""
        told = self.heard(self.root._refresh_later.timeout)
        self.wait(lambda: told)

    def add(self, title: str, state: str = "done") -> int:
        return add(self.app, title, state)

    def put(self, number: int, state: str, steps: int = 0, done: int = 0) -> None:
        put(self.app, number, state, steps, done)


@pytest.fixture
def desk(qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """What has changed is read again after a hundredth of a second."""
    monkeypatch.setattr(job_column, "REFRESH_MS", 10)
    app = build_program()
    theme = Theme("light")
    theme.install(qapp)
    notify = Notify(theme)
    root = WorkColumn(theme, app.summaries, notify, summary_words())
    qtbot.addWidget(root)
    qtbot.addWidget(notify.bar)
    root.resize(260, 600)
    council = add(app, "Council minutes", "running", 21, 9)
    lease, report = add(app, "Lease, Rua das Flores 12"), add(app, "Annual report 2025")
    desk = Desk(root, app, notify)
    desk.council, desk.report, desk.lease = council, report, lease
    root.show()
    root.activateWindow()
    yield desk
    app.close()
    qapp.setStyleSheet("")


def test_what_is_being_typed_in_a_row_survives_progress(desk: Desk, qtbot: QtBot) -> None:
    desk.open(desk.council)
    desk.press_in_list(Qt.Key.Key_F2)
    editor = desk.row_editor
    editor.setText("Minutes of May")
    for state, tell in (
        ("running", lambda: desk.root.show_progress(desk.council)),
        ("done", desk.root.refresh_soon),
    ):
        desk.put(desk.council, state, 21, 20)
        tell()
        with qtbot.assertNotEmitted(desk.model.modelReset):
            desk.wait_for_refreshing()
        assert editor.text() == "Minutes of May"
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desk.rows[0] == TODAY and "Minutes of May" in desk.rows)


@pytest.mark.parametrize(
    ("state", "words", "then"),
    [("running", STOP, "paused"), ("queued", STOP, "paused"), ("paused", GO_ON, "queued")],
)
def test_the_menu_stops_and_goes_on(desk: Desk, state: str, words: str, then: str) -> None:
    desk.put(desk.council, state)
    desk.root.reload()
    menu = desk.menu_of(desk.council)
    texts = [action.text().split("\t")[0] for action in menu.actions() if not action.isSeparator()]
    assert texts == [words, RENAME, DELETE]
    menu.actions()[0].trigger()
    assert desk.state_of(desk.council) == then
    assert desk.work == ([True] if then == "queued" else [])


def test_a_row_follows_the_work_and_moves_when_it_is_over(desk: Desk, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(desk.model.modelReset):
        desk.put(desk.council, "running", 21, 10)
        desk.root.show_progress(desk.council)
        qtbot.waitUntil(lambda: desk.rows[1] == "Council minutes · 10 of 21")
    desk.put(desk.council, "done")
    desk.root.show_progress(desk.council)
    qtbot.waitUntil(lambda: desk.rows[0] == TODAY and "Council minutes" in desk.rows)


def test_hidden_it_reads_nothing_until_it_is_shown(desk: Desk, qtbot: QtBot) -> None:
    desk.root.hide()
    desk.put(desk.council, "running", 21, 10)
    desk.root.show_progress(desk.council)
    with qtbot.assertNotEmitted(desk.model.dataChanged):
        desk.wait_for_refreshing()
    desk.root.show()
    assert desk.rows[1] == "Council minutes · 10 of 21"


def test_of_ten_thousand_rows_only_those_in_view_are_put_into_words(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO jobs (kind, title, state, spec, created_at, updated_at, place)"
            " VALUES ('summary', ?, 'done', '{}', ?, ?, ?)",
            [(f"Report {number}", number * 3600, number, number) for number in range(10_000)],
        )
    in_words: set[int] = set()

    def noted(work: JobRow) -> str:
        in_words.add(work.id)
        return work.title

    monkeypatch.setattr(desk.model, "_title_of", noted)
    steps = thousand_steps(desk.database, desk.root.reload)
    desk.root.grab()
    assert 3 < len(in_words) < 100
    desk.put(desk.council, "running", 99, 1)
    desk.root.show_progress(desk.council)
    in_words.clear()
    assert thousand_steps(desk.database, desk.root._refresh) < 5 < steps, "the list is not read again for one row"
    desk.root.grab()
    assert 0 < len(in_words) < 100
    assert len(desk.rows) > 10_000
    assert desk.rows[1].endswith("1 of 99")
