"""The left column of stored jobs: groups, what is at work, finding, renaming, deleting with a way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.bootstrap import Fireside, build_program
from app.core.json_forms import to_json
from app.features.summarize.summary_result import Form, Length, StoredSummary, SummaryOptions
from app.features.translate.translation_events import TranslationWish
from app.features.work.queue import StoredJobs
from app.store.jobs import JobRow, JobTable
from app.store.translation_store import SegmentOutcome
from app.ui.locale_formats import format_date, format_time
from app.ui.shared_labels import (
    BEGINS_LABEL,
    DELETE,
    FAILED_LABEL,
    GO_ON,
    LAST_SEVEN_DAYS,
    NAME_DELETED,
    OLDER,
    RENAME,
    STOP,
    STOPPED,
    TODAY,
    UNDO,
    WAITS_LABEL,
)
from app.ui.shell.notify import Notify
from app.ui.summarize.summarize_tab import NO_SUMMARIES_FOUND, NO_SUMMARIES_YET, summary_words
from app.ui.summarize.summary_texts import form_and_time, note_of
from app.ui.theme import Theme
from app.ui.translate.translate_tab import NO_TRANSLATIONS_FOUND, NO_TRANSLATIONS_YET, translation_words
from app.ui.work import job_column
from app.ui.work.job_column import WORKING_LABEL, ColumnWords, WorkColumn, WorkListModel, group_of
from tests.helpers.clipping import clipped_texts
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


def test_a_heading_comes_once_in_whatever_order_the_summaries_come() -> None:
    model = WorkListModel(note_of)
    model.show([summary(1, age=timedelta(days=3)), summary(2), summary(3, age=timedelta(days=2))], NOW)
    assert rows(model) == [TODAY, "Report 2", LAST_SEVEN_DAYS, "Report 1", "Report 3"]


def test_progress_changes_the_words_of_one_row(qtbot: QtBot) -> None:
    model = WorkListModel(note_of)
    model.show([summary(1, "running", sections=9), summary(2)], NOW)
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.dataChanged) as told:
        assert model.update(summary(1, "running", sections=9, sections_read=4), NOW)
    assert told.args[0].row() == told.args[1].row() == 1
    assert rows(model)[1] == "Report 1 · 4 of 9"
    assert not model.update(summary(1, "done"), NOW), "it stands elsewhere now"
    assert not model.update(summary(3), NOW), "it is not in the list"


def test_renaming_cleans_the_title_and_refuses_an_empty_one(qtbot: QtBot) -> None:
    model = WorkListModel(note_of)
    model.show([summary(1)], NOW)
    with qtbot.waitSignal(model.renamed) as told:
        assert model.setData(model.index(1), "  A \n better   title ")
    assert told.args == [1, "A better title"]
    assert not model.setData(model.index(1), "  \n ")


# The column.


@dataclass(frozen=True)
class Kind:
    """A kind of job over the real store, and what its column says."""

    name: str
    words: Callable[[], ColumnWords]
    nothing_yet: str
    nothing_found: str

    def jobs(self, app: Fireside) -> StoredJobs[Any, Any]:
        return app.summaries if self.name == "summary" else app.translations

    def add(self, app: Fireside, title: str, state: str = "done", steps: int = 0, done: int = 0) -> int:
        """One as the work would have left it: a summary with its document, a document with its segments."""
        if self.name == "summary":
            document = store_document(app.documents.store, f"{title}.pdf", "Words.", title=title)
            number = app.summaries.begin_summaries([document.id], SummaryOptions(), together=False)[0].id
        else:
            spec = {"wish": to_json(TranslationWish("pt-BR")), "format": "docx", "source_language": "en"}
            number = JobTable(app.database).add("translation", title, spec, state=state).id
            app.translations._store.add_segments(number, ((one, []) for one in range(1, steps + 1)))
        self.append_text(app, number, state, steps, done)
        return number

    def append_text(self, app: Fireside, number: int, state: str, steps: int = 0, done: int = 0) -> None:
        """Its state now, and how many of its steps are done."""
        if self.name == "summary":
            JobTable(app.database).update(number, state=state, progress={"sections": steps, "sections_read": done})
            return
        JobTable(app.database).update(number, state=state)
        app.translations._store.save_outcomes(
            number, [SegmentOutcome(one, [], "model", False) for one in range(1, done + 1)]
        )


SUMMARIES = Kind("summary", summary_words, NO_SUMMARIES_YET, NO_SUMMARIES_FOUND)
TRANSLATIONS = Kind("translation", translation_words, NO_TRANSLATIONS_YET, NO_TRANSLATIONS_FOUND)


class Desk(ListDesk):
    """The column over the real store, and what it told. Three jobs are there: one at work, two of today."""

    root: WorkColumn
    council: int
    report: int
    lease: int

    def __init__(self, root: WorkColumn, app: Fireside, notify: Notify, kind: Kind) -> None:
        super().__init__(root, app, notify)
        self.kind, self.jobs = kind, kind.jobs(app)
        self.chosen: list[int] = []
        self.gone: list[int] = []
        self.work: list[bool] = []
        root.chosen.connect(self.chosen.append)
        root.chosen.connect(root.show_open)
        root.gone.connect(self.gone.append)
        root.work_wanted.connect(lambda: self.work.append(True))

    def state_of(self, number: int) -> str:
        found = self.jobs.get(number)
        assert found is not None
        return str(found.state)

    def wait_for_refreshing(self) -> None:
        """Until what is to be read in a moment was, or was put off."""
        told = self.heard(self.root._refresh_later.timeout)
        self.wait(lambda: told)

    def add(self, title: str, state: str = "done") -> int:
        return self.kind.add(self.app, title, state)

    def put(self, number: int, state: str, steps: int = 0, done: int = 0) -> None:
        self.kind.append_text(self.app, number, state, steps, done)


@pytest.fixture(params=[SUMMARIES, TRANSLATIONS], ids=lambda kind: kind.name)
def desk(
    request: pytest.FixtureRequest, qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """What has changed is read again after a hundredth of a second."""
    monkeypatch.setattr(job_column, "REFRESH_MS", 10)
    kind: Kind = request.param
    app = build_program()
    theme = Theme("light")
    theme.install(qapp)
    notify = Notify(theme)
    root = WorkColumn(theme, kind.jobs(app), notify, kind.words())
    qtbot.addWidget(root)
    qtbot.addWidget(notify.bar)
    root.resize(260, 600)
    council = kind.add(app, "Council minutes", "running", 21, 9)
    lease, report = kind.add(app, "Lease, Rua das Flores 12"), kind.add(app, "Annual report 2025")
    desk = Desk(root, app, notify, kind)
    desk.council, desk.report, desk.lease = council, report, lease
    root.show()
    root.activateWindow()
    yield desk
    app.close()
    qapp.setStyleSheet("")


def test_shown_it_lists_what_is_there(desk: Desk) -> None:
    assert desk.rows == [
        WORKING_LABEL, "Council minutes · 9 of 21", TODAY, "Annual report 2025", "Lease, Rua das Flores 12",
    ]  # fmt: skip
    assert clipped_texts(desk.root) == []


def test_without_any_it_says_what_will_be_here(desk: Desk) -> None:
    for number in (desk.council, desk.report, desk.lease):
        desk.jobs.delete(number)
    desk.root.reload()
    assert desk.nothing.isVisible()
    assert desk.nothing.text() == desk.kind.nothing_yet


def test_searching_narrows_the_list_and_says_when_nothing_fits(desk: Desk, qtbot: QtBot) -> None:
    qtbot.keyClicks(desk.search_text, "lease")
    qtbot.waitUntil(lambda: desk.rows == [TODAY, "Lease, Rua das Flores 12"])
    desk.search_text.setText("zebra")
    qtbot.waitUntil(lambda: desk.rows == [])
    assert desk.nothing.text() == desk.kind.nothing_found


def test_a_click_opens_and_arrows_open_where_they_stop(desk: Desk, qtbot: QtBot) -> None:
    desk.open(desk.report)
    assert desk.chosen == [desk.report]
    desk.press_in_list(Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: desk.chosen == [desk.report, desk.lease])
    desk.press_in_list(Qt.Key.Key_Up)
    desk.press_in_list(Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: desk.chosen == [desk.report, desk.lease, desk.council])


def test_f2_renames_in_the_row_and_begins_with_the_title_alone(desk: Desk, qtbot: QtBot) -> None:
    desk.open(desk.council)
    desk.press_in_list(Qt.Key.Key_F2)
    editor = desk.row_editor
    assert editor.text() == "Council minutes"
    editor.setText("Minutes of May")
    with qtbot.waitSignal(desk.root.renamed):
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert desk.rows[1] == "Minutes of May · 9 of 21"


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


def test_delete_can_be_taken_back(desk: Desk) -> None:
    desk.open(desk.report)
    desk.press_in_list(Qt.Key.Key_Delete)
    assert desk.gone == [desk.report]
    assert "Annual report 2025" not in desk.rows
    assert desk.notices == [NAME_DELETED.format(name="Annual report 2025")]
    desk.press_notice(UNDO)
    assert "Annual report 2025" in desk.rows
    assert desk.chosen[-1] == desk.report


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


def test_the_menu_of_a_finished_one_has_nothing_to_stop(desk: Desk) -> None:
    menu = desk.menu_of(desk.report)
    assert menu.actions()[0].text() == "Rename\tF2"


def test_a_row_follows_the_work_and_moves_when_it_is_over(desk: Desk, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(desk.model.modelReset):
        desk.put(desk.council, "running", 21, 10)
        desk.root.show_progress(desk.council)
        qtbot.waitUntil(lambda: desk.rows[1] == "Council minutes · 10 of 21")
    desk.put(desk.council, "done")
    desk.root.show_progress(desk.council)
    qtbot.waitUntil(lambda: desk.rows[0] == TODAY and "Council minutes" in desk.rows)


def test_the_open_one_stays_marked_when_the_list_is_another(desk: Desk, qtbot: QtBot) -> None:
    desk.open(desk.lease)
    desk.add("New", "queued")
    desk.root.refresh_soon()
    qtbot.waitUntil(lambda: f"New · {WAITS_LABEL}" in desk.rows)
    assert desk.current == desk.lease
    assert desk.chosen == [desk.lease], "nothing is opened by that"


def test_hidden_it_reads_nothing_until_it_is_shown(desk: Desk, qtbot: QtBot) -> None:
    desk.root.hide()
    desk.put(desk.council, "running", 21, 10)
    desk.root.show_progress(desk.council)
    with qtbot.assertNotEmitted(desk.model.dataChanged):
        desk.wait_for_refreshing()
    desk.root.show()
    assert desk.rows[1] == "Council minutes · 10 of 21"


@pytest.mark.parametrize("desk", [SUMMARIES], indirect=True)
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
