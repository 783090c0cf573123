"""The left column of the translations: what stands where, and what is said behind the titles."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester

from app.features.translate.translation_events import StoredTranslation, TranslationWish
from app.ui.shared_labels import FAILED_LABEL, LAST_SEVEN_DAYS, OLDER, STOPPED, TODAY, WAITS_LABEL
from app.ui.translate.translation_texts import NOT_BEGUN, is_at_work, note_of, title_of
from app.ui.widgets.row_list import NOTE_ROLE, TITLE_ROLE
from app.ui.work.job_column import WORKING_LABEL, WorkListModel

NOW = datetime(2026, 11, 24, 16, 0)


def document(number: int, state: str = "done", age: timedelta = timedelta(0), **fields: object) -> StoredTranslation:
    seen = (NOW - age).timestamp()
    row = StoredTranslation(
        number, "lease", state, None, seen, seen, TranslationWish("pt-BR"), "en", "lease.docx", "docx", 206, 132, 1, 0
    )
    return replace(row, **fields)


def typed(number: int, age: timedelta = timedelta(0)) -> StoredTranslation:
    return document(number, age=age, title="Letter to the bank", name="", format="typed", segments=0, done=0)


def rows(model: WorkListModel) -> list[str]:
    return [str(model.index(row).data()) for row in range(model.rowCount())]


def test_documents_at_work_stand_above_and_typed_texts_among_the_days(qtmodeltester: ModelTester) -> None:
    model = WorkListModel(note_of, is_at_work=is_at_work, title_of=title_of)
    model.show(
        [
            document(1, "running"),
            document(2, "queued", title="menu", name="menu.epub"),
            document(3, "paused"),
            document(4, "draft", age=timedelta(days=3)),
            typed(5),
            document(6, title="The lease"),
            document(7, "failed", age=timedelta(days=3)),
            typed(8, timedelta(days=30)),
        ],
        NOW,
    )
    qtmodeltester.check(model)
    assert rows(model) == [
        WORKING_LABEL,
        "lease.docx · 132 of 206",
        f"menu.epub · {WAITS_LABEL}",
        f"lease.docx · {NOT_BEGUN}",
        TODAY,
        f"lease.docx · {STOPPED}",
        "Letter to the bank",
        "The lease",
        LAST_SEVEN_DAYS,
        f"lease.docx · {FAILED_LABEL}",
        OLDER,
        "Letter to the bank",
    ]


def test_what_is_edited_is_the_title_and_what_is_seen_the_files_name() -> None:
    model = WorkListModel(note_of, is_at_work=is_at_work, title_of=title_of)
    model.show([document(1, "running")], NOW)
    index = model.index_of(1)
    assert index.data(TITLE_ROLE) == "lease.docx"
    assert index.data(NOTE_ROLE) == "132 of 206"
    assert index.data(Qt.ItemDataRole.EditRole) == "lease"
    heard: list[tuple[int, str]] = []
    model.renamed.connect(lambda *said: heard.append(said))
    assert model.setData(index, "  The   lease ")
    assert heard == [(1, "The lease")]


def test_a_row_that_is_further_is_changed_in_place() -> None:
    model = WorkListModel(note_of, is_at_work=is_at_work, title_of=title_of)
    model.show([document(1, "running"), typed(2)], NOW)
    assert model.update(document(1, "running", done=133), NOW)
    assert rows(model)[1] == "lease.docx · 133 of 206"
    assert not model.update(document(1, "done", done=206), NOW), "it stands elsewhere now"
