"""Summaries as they are kept: the draft, the list, searching, renaming, deleting and taking back, over restarts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.catalogue import TextCatalogue, use_catalogue
from app.features.summarize.summaries import KIND
from app.features.summarize.summary_result import Form, Length, SummaryOptions
from app.features.trash import DAY_S
from app.store.jobs import JobTable
from app.ui.pseudo_language import PseudoEntries
from tests.helpers.script import write_script
from tests.helpers.summaries import paragraphs, store_document, summaries_of, work_off

SHORT = SummaryOptions(Length.SHORT, Form.QUESTIONS, "de", "Only the prices.")


@pytest.fixture(autouse=True)
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script", {"when": "glaze", "text": "Die Glasur schmilzt."})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


@pytest.fixture
def app() -> Iterator[Fireside]:
    app = build_program()
    yield app
    app.close()


def add(app: Fireside, name: str, *texts: str, title: str = "") -> int:
    return store_document(app.documents.store, name, *(texts or paragraphs(1)), title=title).id


def titles(app: Fireside, query: str = "") -> list[str]:
    return [row.title for row in app.summaries.find(query)]


def test_a_draft_comes_back_after_a_restart_and_keeps_its_documents(app: Fireside) -> None:
    first, second = add(app, "a.pdf"), add(app, "b.pdf")
    app.summaries.keep_draft([first], SummaryOptions())
    draft = app.summaries.keep_draft([second, first], SHORT, is_together=False)
    assert draft is not None
    app.close()
    again = build_program()
    again.housekeeping.remove_unreferenced()
    try:
        found = again.summaries.find_draft()
        assert found is not None
        assert (found.document_ids, found.wish, found.state, found.title) == (
            (second, first), SHORT, "draft", "b and 1 more",
        )  # fmt: skip
        assert not found.is_together
        assert again.documents.store.purge_unused(1e12) == []
        assert again.summaries.find() == []
    finally:
        again.close()


def test_a_draft_without_documents_goes_and_they_go_with_it(app: Fireside) -> None:
    document = add(app, "a.pdf")
    app.summaries.keep_draft([document], SHORT)
    assert app.summaries.keep_draft([], SHORT) is None
    assert app.summaries.find_draft() is None
    assert len(app.documents.store.purge_unused(1e12)) == 1


def test_a_document_that_is_gone_is_refused_and_nothing_is_kept(app: Fireside) -> None:
    with pytest.raises(KeyError):
        app.summaries.keep_draft([7], SummaryOptions())
    with pytest.raises(KeyError):
        app.summaries.begin_summaries([add(app, "a.pdf"), 7], SummaryOptions(), together=False)
    assert (app.summaries.find_draft(), app.summaries.find()) == (None, [])


def test_a_joint_title_is_in_the_language(app: Fireside) -> None:
    ids = [add(app, "kilns.pdf"), add(app, "clay.pdf"), add(app, "glazes.pdf")]
    use_catalogue(TextCatalogue("en", PseudoEntries()))
    try:
        (joint,) = app.summaries.begin_summaries(ids, SHORT, together=True)
    finally:
        use_catalogue(TextCatalogue())
    assert joint.title.startswith("[") and "kilns" in joint.title and "2" in joint.title


def test_starting_makes_one_summary_or_one_each_and_ends_the_draft(app: Fireside) -> None:
    ids = [add(app, "kilns.pdf"), add(app, "glazes.pdf", title="On Glazes"), add(app, "clay.pdf")]
    app.summaries.keep_draft(ids, SHORT)
    (joint,) = app.summaries.begin_summaries(ids, SHORT, together=True)
    assert (joint.title, joint.document_ids, joint.wish, joint.state) == (
        "kilns and 2 more",
        tuple(ids),
        SHORT,
        "queued",
    )
    assert app.summaries.find_draft() is None
    each = app.summaries.begin_summaries(ids, SummaryOptions(), together=False)
    assert [one.title for one in each] == ["kilns", "On Glazes", "clay"]
    assert [one.document_ids for one in each] == [(one,) for one in ids]
    assert [one.id for one in app.summaries.find()] == [joint.id, *(one.id for one in each)]


def test_another_summary_of_the_same_documents_leaves_the_draft_alone(app: Fireside) -> None:
    draft = app.summaries.keep_draft([add(app, "kilns.pdf")], SHORT)
    app.summaries.begin_summaries([add(app, "clay.pdf")], SummaryOptions(), together=True, is_draft=False)
    assert app.summaries.find_draft() == draft


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("The Kiln Book", "The Kiln Book"), ("", "scan 7"), ("  ", "scan 7"), ("Microsoft Word - x1.doc", "scan 7"),
        ("untitled", "scan 7"), ("book.indd", "scan 7"), ("12-07", "scan 7"), ("a" * 300, "scan 7"),
        ("窑の本", "窑の本"), ("Document1", "scan 7"), ("Document retention policy", "Document retention policy"),
        ("PowerPoint Presentation", "scan 7"),
    ],
)  # fmt: skip
def test_a_summary_is_called_as_the_document_calls_itself_if_that_is_a_title(
    app: Fireside, title: str, expected: str
) -> None:
    (row,) = app.summaries.begin_summaries([add(app, "scan 7.pdf", title=title)], SummaryOptions(), together=True)
    assert row.title == expected


def test_those_that_wait_come_first_in_their_order_then_the_newest(app: Fireside) -> None:
    summaries = summaries_of(app)
    for name in ("a", "b"):
        summaries.begin_summaries([add(app, f"{name}.pdf")], SummaryOptions(), together=True)
    work_off(summaries)
    for name in ("c", "d"):
        summaries.begin_summaries([add(app, f"{name}.pdf")], SummaryOptions(), together=True)
    assert titles(app) == ["c", "d", "b", "a"]


def test_a_search_looks_at_titles_names_of_documents_and_texts(app: Fireside) -> None:
    summaries = summaries_of(app)
    summaries.begin_summaries(
        [add(app, "größe.pdf", "glaze of the pot", title="On Pots")], SummaryOptions(), together=True
    )
    summaries.begin_summaries([add(app, "kilns.pdf", "fire of the pot")], SummaryOptions(), together=True)
    work_off(summaries)
    assert titles(app, "schmilzt") == ["On Pots"]
    assert titles(app, "pots GROSSE glas") == ["On Pots"], "each word may be somewhere else"
    assert titles(app, "pot") == ["kilns", "On Pots"]
    assert titles(app, "schmilzt kilns") == []
    assert titles(app, '" OR *') == []
    (found,) = summaries.find("kilns")
    summaries.rename(found.id, "  Öfen  ")
    assert titles(app, "ofen") == ["Öfen"]


def test_another_title_is_also_that_of_the_summary(app: Fireside) -> None:
    summaries = summaries_of(app)
    (row,) = summaries.begin_summaries([add(app, "kilns.pdf")], SummaryOptions(), together=True)
    work_off(summaries)
    summaries.rename(row.id, "My kilns")
    summary = summaries.load_summary(row.id)
    assert summary is not None
    assert (summary.title, summary.is_partial) == ("My kilns", False)
    with pytest.raises(KeyError):
        summaries.rename(999, "x")


def test_what_is_deleted_can_be_taken_back_for_thirty_days_and_is_gone_for_good_after_a_later_start(
    app: Fireside,
) -> None:
    summaries = summaries_of(app)
    rows = summaries.begin_summaries([add(app, "a.pdf"), add(app, "b.pdf")], SummaryOptions(), together=False)
    work_off(summaries)
    for row in rows:
        summaries.delete(row.id)
    assert (summaries.find(), summaries.get(rows[0].id), summaries.load_summary(rows[0].id)) == ([], None, None)
    assert summaries.find("a") == []
    summaries.restore(rows[0].id)
    assert [row.state for row in summaries.find()] == ["done"]
    assert summaries.load_summary(rows[0].id) is not None
    assert app.documents.store.purge_unused(1e12) == []
    app.close()
    again = build_program()
    try:
        again.housekeeping.remove_unreferenced()
        assert [row.id for row in again.summaries.find()] == [rows[0].id]
        assert again.documents.store.get(rows[1].document_ids[0]) is not None, "it is in the trash"
        again.began_at += 31 * DAY_S
        again.housekeeping.remove_unreferenced()
        with pytest.raises(KeyError):
            again.summaries.restore(rows[1].id)
        assert again.documents.store.get(rows[0].document_ids[0]) is not None
        assert again.documents.store.get(rows[1].document_ids[0]) is None
    finally:
        again.close()


def test_only_summaries_are_summaries(app: Fireside) -> None:
    jobs = JobTable(app.database)
    download = jobs.add("download", "kilns", {})
    (row,) = app.summaries.begin_summaries([add(app, "a.pdf")], SummaryOptions(), together=True)
    assert app.summaries.get(download.id) is None
    assert [one.id for one in app.summaries.find()] == [row.id]
    with pytest.raises(KeyError):
        app.summaries.delete(download.id)
    app.summaries.stop(download.id)
    app.summaries.resume(download.id)
    assert [job.state for job in jobs.find("download")] == ["queued"]
    assert [job.id for job in jobs.find(KIND)] == [row.id]


def test_clearing_the_list_of_downloads_leaves_summaries_alone(app: Fireside) -> None:
    summaries, jobs = summaries_of(app), JobTable(app.database)
    (row,) = summaries.begin_summaries([add(app, "a.pdf")], SummaryOptions(), together=True)
    work_off(summaries)
    assert app.models.storage.make_report().jobs_bytes == 0, "what cannot be cleared there is not counted there"
    jobs.update(jobs.add("download", "a model", {}).id, state="done")
    assert app.models.storage.make_report().jobs_bytes > 0
    app.models.storage.clear_jobs()
    assert jobs.find("download") == []
    assert summaries.load_summary(row.id) is not None


def test_a_result_of_another_version_is_none(app: Fireside) -> None:
    summaries = summaries_of(app)
    (row,) = summaries.begin_summaries([add(app, "a.pdf")], SummaryOptions(), together=True)
    summaries._store.keep_result(row.id, {"title": "from the future"}, "")
    assert summaries.load_summary(row.id) is None


def test_what_was_chosen_last_comes_back(app: Fireside) -> None:
    app.change_settings("summaries", length="long", form="actions", language="ar")
    app.close()
    again = build_program()
    again.close()
    chosen = again.settings.summaries
    assert (chosen.length, chosen.form, chosen.language, chosen.stay_awake) == ("long", "actions", "ar", True)
