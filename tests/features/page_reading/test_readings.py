"""Pages that are pictures, read by the scripted model in the real child: kept, stopped, gone on with, corrected."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.request_errors import MediaRefused
from app.core.events import CancelToken
from app.documents.blocks import MODEL, PERSON, TESSERACT, BlockKind
from app.features.document_library import DocumentStored
from app.features.page_reading.corrections import PageCorrections
from app.features.page_reading.readings import PageDone, PageReadingJobs, ReadingMethod
from app.features.retrieval.citations import sources_of
from app.features.work.queue import DONE, FAILED, PAUSED
from app.store.attachments import DocumentUse
from app.store.document_store import StoredDocument
from tests.helpers.pdf_files import Page, column, write_pdf
from tests.helpers.scans import LETTER, drawn, letter, scan
from tests.helpers.script import requests, write_script

FIRST = "# Lease\n\nThe rent is **1,450** euros."
TABLE = "| Month | Rent |\n| --- | --- |\n| May | 1,450 |"
LAST = "Signed by both parties."
SEEING = ReadingMethod(MODEL, "Eye 2B")


def once(text: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "times": 1} | more


@pytest.fixture
def answers() -> Sequence[dict[str, Any]]:
    return [once(FIRST), once(TABLE), once(LAST)]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: Sequence[dict[str, Any]]) -> Path:
    path = write_script(tmp_path / "script", *answers, load={"sees": True, "name": "Eye 2B", "context_tokens": 8192})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    monkeypatch.setenv("PATH", str(tmp_path))  # no tesseract
    return path


@pytest.fixture
def readings(app: Fireside) -> PageReadingJobs:
    return app.readings


def stored(app: Fireside, path: Path) -> StoredDocument:
    """A file, read as the window reads it."""
    *_, kept = app.documents.read_file(path, CancelToken())
    assert isinstance(kept, DocumentStored)
    return kept.document


def scanned(app: Fireside, folder: Path, pages: int = 3) -> StoredDocument:
    return stored(app, scan(folder / "scan.pdf", drawn([letter()] * pages, folder, 40), 40))


def work_off(readings: PageReadingJobs) -> list[PageDone]:
    return [worked.event for worked in readings.run(CancelToken()) if isinstance(worked.event, PageDone)]


def until_page(readings: PageReadingJobs, number: int) -> Iterator[PageDone]:
    for worked in readings.run(CancelToken()):
        if isinstance(worked.event, PageDone) and worked.event.number == number:
            yield worked.event


def texts(app: Fireside, document: StoredDocument) -> list[tuple[BlockKind, str]]:
    return [(block.kind, block.text) for block in app.documents.read_blocks(document.id)]


ALL = [
    (BlockKind.HEADING, "Lease"),
    (BlockKind.PARAGRAPH, "The rent is 1,450 euros."),
    (BlockKind.TABLE, "Month\tRent\nMay\t1,450"),
    (BlockKind.PARAGRAPH, "Signed by both parties."),
]


def test_a_scan_becomes_a_document_with_text_in_the_chat_that_it_is_attached_to(
    app: Fireside, readings: PageReadingJobs, tmp_path: Path, script: Path
) -> None:
    document = scanned(app, tmp_path)
    attachment = app.documents.attachments.add_to_draft(None, document.id)
    assert readings.reading_methods() == [SEEING]
    assert readings.picture_pages(document).unread_pages == (1, 2, 3)
    readings.queue_reading(document.id, SEEING, (1, 2, 3))
    assert [(one.page, one.state) for one in work_off(readings)] == [(1, "read"), (2, "read"), (3, "read")]
    renewed = app.documents.current_document(document)
    assert texts(app, renewed) == ALL
    assert {block.origin for block in app.documents.read_blocks(renewed.id)} == {MODEL}
    assert all(block.place.boxes[0].right > 500 for block in app.documents.read_blocks(renewed.id))
    assert [one.document_id for one in app.documents.attachments.in_draft(None)] == [renewed.id]
    assert app.documents.attachments.in_draft(None)[0].id == attachment.id
    assert renewed.info["pages_without_text"] == []
    assert renewed.info["words"] == sum(len(text.split()) for _, text in ALL)
    assert readings.picture_pages(renewed).unread_pages == ()
    assert not list(app.paths.documents.glob("*.ppm"))
    (first, *_) = requests(script)
    assert first["background"]
    assert first["task_sampling"]["temperature"] == 0


def test_stopped_after_a_page_it_goes_on_with_the_next_one(
    app: Fireside, readings: PageReadingJobs, tmp_path: Path, script: Path
) -> None:
    document = scanned(app, tmp_path)
    row = readings.queue_reading(document.id, SEEING, (1, 2, 3))
    for _ in until_page(readings, 1):
        readings.stop(row.id)
    after = app.documents.current_document(document)
    assert texts(app, after) == ALL[:2]
    open_one = readings.of_document(after)
    assert open_one is not None
    assert (open_one.id, open_one.state, open_one.done) == (row.id, PAUSED, (1,))
    readings.resume(row.id)
    assert [one.page for one in work_off(readings)] == [2, 3]
    assert texts(app, app.documents.current_document(after)) == ALL
    assert len(requests(script)) == 3


def test_after_a_crash_the_pages_that_are_missing_are_read(
    app: Fireside, readings: PageReadingJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = scanned(app, tmp_path)
    readings.queue_reading(document.id, SEEING, (1, 2, 3))
    for _ in until_page(readings, 1):
        shutil.copytree(os.environ["FIRESIDE_HOME"], tmp_path / "as it was")
        readings.stop(1)
    app.close()
    monkeypatch.setenv("FIRESIDE_HOME", str(tmp_path / "as it was"))
    again = build_program()
    try:
        list(again.engine.load(Path("/any/model.gguf")))
        assert texts(again, again.documents.current_document(document)) == []
        assert [one.page for one in work_off(again.readings)] == [2, 3]
        assert texts(again, again.documents.current_document(document)) == ALL
    finally:
        again.close()


@pytest.mark.parametrize("answers", [[once(FIRST), once("never", crash_after=1), once(TABLE), once(LAST)]])
def test_an_engine_that_ends_costs_one_page(app: Fireside, readings: PageReadingJobs, tmp_path: Path) -> None:
    document = scanned(app, tmp_path)
    readings.queue_reading(document.id, SEEING, (1, 2, 3))
    assert [one.page for one in work_off(readings)] == [1, 2, 3]
    assert texts(app, app.documents.current_document(document)) == ALL


@pytest.mark.parametrize(
    ("answers", "state", "kept"),
    [
        ([once("Rent. " + "the same again " * 300)] * 2, "repeated", "Rent. the same again"),
        ([once("Rent. " + "no no no no " * 300), once("Rent is due.")], "read", "Rent is due."),
        ([once("Rent is", finish="length")], "cut", "Rent is"),
        ([once(" - ")], "empty", ""),
        ([once("I'm sorry, I can't assist with that.")], "refused", ""),
    ],
    ids=["repeated", "better the second time", "cut", "empty", "refused"],
)
def test_an_answer_that_is_none_is_noticed(
    app: Fireside, readings: PageReadingJobs, tmp_path: Path, state: str, kept: str
) -> None:
    document = scanned(app, tmp_path, 1)
    row = readings.queue_reading(document.id, SEEING, (1,))
    assert [one.state for one in work_off(readings)] == [state]
    assert " ".join(text for _, text in texts(app, app.documents.current_document(document))) == kept
    done = readings.get(row.id)
    assert done is not None
    assert done.state == DONE
    assert readings.picture_pages(document).readings[1].state == state


@pytest.mark.parametrize("answers", [[once("A kiln beside a wall.\n\nTEXT\n\n" + TABLE)]])
def test_a_figure_gets_a_caption_and_what_is_written_in_it(
    app: Fireside, readings: PageReadingJobs, tmp_path: Path
) -> None:
    page = Page()
    column(page, 72, 90, LETTER)
    page.picture(72, 300, 200, 100)
    document = stored(app, write_pdf(tmp_path / "a.pdf", [page, page]))
    before = texts(app, document)
    assert readings.picture_pages(document).unread_figures == (1, 2)
    readings.queue_reading(document.id, SEEING, (1,))
    work_off(readings)
    renewed = app.documents.current_document(document)
    new = [block for block in app.documents.read_blocks(renewed.id) if block.origin]
    assert [(block.kind, block.text, block.page) for block in new] == [
        (BlockKind.CAPTION, "A kiln beside a wall.", 1),
        (BlockKind.TABLE, "Month\tRent\nMay\t1,450", 1),
    ]
    assert [block.place.boxes[0][1:5] for block in new] == [pytest.approx((72, 300, 272, 400), abs=1)] * 2
    assert len(texts(app, renewed)) == len(before) + 2
    assert readings.picture_pages(renewed).unread_figures == (2,)
    cited = sources_of("A kiln stands beside a wall.", [renewed.id], app.documents.store)
    assert [(one.block_id, one.page) for one in cited] == [(new[0].id, 1)]


def test_what_a_person_corrects_stays_whoever_reads_the_page_again(
    app: Fireside, readings: PageReadingJobs, tmp_path: Path
) -> None:
    document = scanned(app, tmp_path)
    readings.queue_reading(document.id, SEEING, (1, 2, 3))
    work_off(readings)
    renewed = app.documents.current_document(document)
    corrections = PageCorrections(app.documents, renewed.id)
    text = corrections.text_of(1)
    assert text == "# Lease\n\nThe rent is 1,450 euros."
    corrected = corrections.correct_page(1, text.replace("1,450", "1,540"), CancelToken())
    assert corrected is not None
    first, second, *_ = app.documents.read_blocks(corrected.id)
    assert (second.text, first.origin, second.origin) == ("The rent is 1,540 euros.", PERSON, PERSON)
    assert texts(app, corrected)[2:] == ALL[2:]
    row = readings.queue_reading(corrected.id, SEEING, (1, 2))
    assert row.pages == (2,)
    attachments = app.documents.attachments
    attachments.add_to_draft(None, corrected.id)
    again = corrections.correct_page(1, "Other words", CancelToken())  # begun with the document that is replaced by now
    assert again is not None
    assert [one.document_id for one in attachments.in_draft(None)] == [again.id]
    corrections = PageCorrections(app.documents, again.id)
    given_up = corrections.give_up(1)
    assert given_up is not None
    assert texts(app, given_up.document) == ALL, "as it was read, not as it was corrected first"
    assert readings.queue_reading(given_up.document.id, SEEING, (1, 2)).pages == (1, 2)
    assert texts(app, corrections.take_back(given_up)) == [(BlockKind.PARAGRAPH, "Other words"), *ALL[2:]]


def test_the_same_file_is_not_read_a_second_time(app: Fireside, readings: PageReadingJobs, tmp_path: Path) -> None:
    document = scanned(app, tmp_path)
    readings.queue_reading(document.id, SEEING, (1, 2, 3))
    work_off(readings)
    assert stored(app, document.path).id == app.documents.current_document(document).id
    copy = tmp_path / "copy.pdf"
    copy.write_bytes(document.path.read_bytes())
    assert texts(app, stored(app, copy)) == ALL


def test_what_was_made_of_the_document_before_keeps_it(
    app: Fireside, readings: PageReadingJobs, tmp_path: Path
) -> None:
    document = scanned(app, tmp_path)
    chat = app.conversations.create()
    message = app.conversations.add_message(chat.id, None, "user", "What is it?")  # type: ignore[arg-type]
    app.documents.attachments.add_to_draft(chat.id, document.id, DocumentUse.BACKGROUND)
    app.documents.attachments.move_to_message(chat.id, message.id)
    app.conversations.set_sources(message.id, [{"document_id": document.id, "block_id": 1}])
    readings.queue_reading(document.id, SEEING, (1, 2, 3))
    work_off(readings)
    (attachment,) = app.documents.attachments.of_messages([message.id])[message.id]
    assert attachment.document_id == app.documents.current_document(document).id
    app.documents.store.purge_unused(float("inf"))
    assert app.documents.store.get(document.id) is not None
    assert app.documents.store.get(attachment.document_id) is not None


def test_a_model_that_does_not_see_is_told(
    readings: PageReadingJobs, app: Fireside, tmp_path: Path, script: Path
) -> None:
    document = scanned(app, tmp_path, 1)
    write_script(script.parent, load={"name": "Blind 1B"})
    app.engine.close()
    blind = build_program()
    try:
        list(blind.engine.load(Path("/any/model.gguf")))
        assert blind.readings.reading_methods() == []
        row = blind.readings.queue_reading(document.id, SEEING, (1,))
        assert work_off(blind.readings) == []
        found = blind.readings.get(row.id)
        assert found is not None
        assert (found.state, type(found.error)) == (FAILED, MediaRefused)
    finally:
        blind.close()


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="make test-documents installs it")
def test_tesseract_reads_without_any_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    app = build_program()
    try:
        pictures = drawn([letter(), Page()], tmp_path, 120)
        document = stored(app, scan(tmp_path / "scan.pdf", pictures, 120))
        assert [way.method for way in app.readings.reading_methods()] == [TESSERACT]
        app.readings.queue_reading(document.id, app.readings.reading_methods()[0], (1, 2))
        assert [one.state for one in work_off(app.readings)] == ["read", "empty"]
        blocks = app.documents.read_blocks(app.documents.current_document(document).id)
        assert "monthly rent of 1,450 euros" in " ".join(block.text for block in blocks)
        assert {block.origin for block in blocks} == {TESSERACT}
        readings = app.readings.picture_pages(document).readings
        assert all("en" in one.model.split("+") for one in readings.values())  # whatever else is installed
        assert all(box.page == 1 and box.bottom - box.top < 30 for block in blocks for box in block.place.boxes)
        assert app.loaded is None
    finally:
        app.close()
