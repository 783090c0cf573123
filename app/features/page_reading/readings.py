"""Jobs that read picture pages and figures: start, read page by page, stop, resume, correct.

Each is a stored job of the kind "page_reading" with its document; see `app.features.work.queue`. A page's text is
stored by the content of its file (`app.store.document_store`), so that a file is read only once. When a job ends in
any way, a document with the text replaces the one without.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from app.core.errors.document_errors import DocumentGone
from app.core.errors.request_errors import MediaRefused
from app.core.events import CancelToken, LookProgress, Media, ModelElsewhere, ModelLoaded
from app.core.lazy_dataclasses import dataclass, replace
from app.core.settings import Settings
from app.documents.blocks import MODEL, TESSERACT, Block, BlockKind, BlockPlace, LineBox, block_to_fields
from app.documents.formats.registry import can_scan
from app.engine.contract import Engine
from app.features.document_library import DocumentLibrary
from app.features.models.model_pool import ModelPool
from app.features.page_reading.by_model import (
    EMPTY,
    READ,
    REPEATED,
    PageAnswer,
    ask_for,
    ask_model,
    split_figure_answer,
    words_for,
)
from app.features.page_reading.corrections import DocumentScanner, Region
from app.features.work.asking import TaskRests
from app.features.work.pace import WorkClock
from app.features.work.queue import DONE, PAUSED, QUEUED, RUNNING, JobAttempt, StoredJobs
from app.features.work.task_engines import TaskEngines
from app.store.database import Database
from app.store.document_store import PageReadings, StoredDocument, StoredPageReading
from app.store.jobs import Job, JobResults, JobRow, JobTable

KIND = "page_reading"
OPEN = (QUEUED, RUNNING, PAUSED)


@dataclass(frozen=True)
class ReadingMethod:
    """A method of reading pictures here: method, and the model's or program's name.

    `goes_out`: the model runs on another computer, so pictures are sent there.
    """

    method: str
    name: str
    goes_out: bool = False


@dataclass(frozen=True)
class PicturePages:
    """The pages of a document that are pictures, and those with figures: which there are, and which were read."""

    pages: tuple[int, ...]
    figures: tuple[int, ...]
    """A page for each figure."""
    readings: dict[int, StoredPageReading]

    @property
    def unread_pages(self) -> tuple[int, ...]:
        return tuple(page for page in self.pages if page not in self.readings)

    @property
    def unread_figures(self) -> tuple[int, ...]:
        return tuple(page for page in self.figures if page not in self.readings)


@dataclass(frozen=True)
class PageBegun:
    """Page `page` is being read, number `number` of `total`."""

    page: int
    number: int
    total: int


@dataclass(frozen=True)
class PageGrown:
    """Event: characters read of the page so far."""

    page: int
    characters: int


@dataclass(frozen=True)
class PageDone:
    """Event: the page is read and stored;

    `state` as in `StoredPageReading`. `seconds_left` for the rest; None if unknown.
    """

    page: int
    number: int
    total: int
    state: str
    seconds_left: float | None = None


ReadingEvent = PageBegun | PageGrown | PageDone | LookProgress | TaskRests


@dataclass(frozen=True)
class StoredReading(JobRow):
    """Row of the list. `pages` are all to be read, `done` those read."""

    document_id: int
    way: ReadingMethod
    pages: tuple[int, ...]
    done: tuple[int, ...]


class PageReadingJobs(StoredJobs[StoredReading, ReadingEvent]):
    """All page reading jobs; see `StoredJobs`.

    They have their own turns: the user waits for a page, while a summary takes hours. `folder` holds pictures while
    the model reads them.
    """

    def __init__(
        self,
        database: Database,
        documents: DocumentLibrary,
        engines: TaskEngines,
        settings: Callable[[], Settings],
        *,
        folder: Path,
        loaded: Callable[[], ModelLoaded | None],
    ) -> None:
        # Turns of its own: somebody waits for a page while a summary takes hours.
        results = JobResults(database)
        super().__init__(KIND, JobTable(database), results, engines, settings, turns=None, unlisted="")
        assert documents.readings is not None
        self._results, self._documents, self._readings = results, documents, documents.readings
        self._folder, self._loaded = folder, loaded

    def reading_methods(self) -> list[ReadingMethod]:
        """List the methods available now, fastest first."""
        return reading_methods(self._loaded())

    def picture_pages(self, document: StoredDocument) -> PicturePages:
        """Return a document's picture pages and the state of each."""
        return pictures_of(document, self._readings)

    def queue_reading(self, document_id: int, way: ReadingMethod, pages: Sequence[int]) -> StoredReading:
        """Queue the reading of some pages, replacing a job for the same document; the user's corrections stay.

        Raises KeyError if the document is gone.
        """
        if (document := self._documents.store.get(document_id)) is None:
            raise KeyError(document_id)
        # More may have been read since the window asked.
        document = self._documents.current_document(document)
        for row in self.find():
            # Finished ones of any document go, too: the list is for what is open.
            if row.state == DONE or row.document_id in (document_id, document.id):
                self._queue.stop(row.id)
                self._jobs.remove(row.id)
        # A person's correction is never read over.
        wanted = [page for page in pages if not self._is_edited(document, page)]
        spec = {"method": way.method, "name": way.name, "pages": wanted}
        job = self._jobs.add(KIND, document.name, spec, document_ids=[document.id])
        return self._stored_rows([job])[0]

    def of_document(self, document: StoredDocument) -> StoredReading | None:
        """Return a document's reading that is queued, running, stopped or failed, also under its newer version.

        Else None.
        """
        rows = [row for row in self.find() if row.state != DONE]
        ids = {document.id, self._documents.current_document(document).id} if rows else set()
        return next((row for row in rows if row.document_id in ids), None)

    def _is_edited(self, document: StoredDocument, page: int) -> bool:
        reading = self._readings.read_pages(document.sha256).get(page)
        return reading is not None and reading.is_edited

    def _job_at_work(self, job: Job) -> ReadingAtWork:
        row = self._stored_rows([job])[0]
        if (document := self._documents.store.get(row.document_id)) is None:
            raise DocumentGone(job.title)
        return ReadingAtWork(row, document, self._documents, self._jobs, self._folder)

    def _stored_rows(self, jobs: Sequence[Job]) -> list[StoredReading]:
        documents = self._results.documents_of([job.id for job in jobs])
        return [_stored_reading(job, documents[job.id]) for job in jobs]


def reading_methods(loaded: ModelLoaded | None) -> list[ReadingMethod]:
    """List the methods this computer has with the loaded model, fastest first."""
    found = [ReadingMethod(TESSERACT, TESSERACT)] if shutil.which(TESSERACT) else []
    if loaded is None or not loaded.sees:
        return found
    return [*found, ReadingMethod(MODEL, loaded.name, isinstance(loaded, ModelElsewhere) and not loaded.stays_here)]


def pictures_of(document: StoredDocument, kept: PageReadings | None) -> PicturePages:
    """Return the pages that are pictures or have figures, and what is known of each."""
    if not can_scan(document.format):
        return PicturePages((), (), {})
    pages = document.info.get("pages", ())
    readings = kept.read_pages(document.sha256) if kept is not None and document.sha256 else {}
    pictures = tuple(page["page"] for page in pages if page["is_picture"])
    # A page counts once for each of its figures.
    figures = tuple(page["page"] for page in pages if not page["is_picture"] for _ in page.get("figures", ()))
    return PicturePages(pictures, figures, readings)


def _stored_reading(job: Job, document_ids: Sequence[int]) -> StoredReading:
    spec, way = job.spec, ReadingMethod(job.spec["method"], job.spec["name"])
    return StoredReading(
        job.id, job.title, job.state, job.error, job.created_at, job.updated_at, document_ids[0] if document_ids else 0,
        way, tuple(spec["pages"]), tuple(job.progress.get("done", ())),
    )  # fmt: skip


class ReadingAtWork(JobAttempt[ReadingEvent]):
    """A document's page reading, attempt after attempt."""

    def __init__(
        self, row: StoredReading, document: StoredDocument, documents: DocumentLibrary, jobs: JobTable, folder: Path
    ) -> None:
        # It keeps its own count; the frame's record isn't needed.
        self.record = None
        self._row, self._document, self._documents, self._jobs, self._folder = row, document, documents, jobs, folder
        self._done = list(row.done)
        self._done_now = 0
        self._languages: tuple[str, ...] = ()
        self._clock = WorkClock()

    @property
    def steps(self) -> int:
        return len(self._done)

    @property
    def is_complete(self) -> bool:
        return set(self._done) >= set(self._row.pages)

    def seconds_left(self) -> float | None:
        """Estimate from the pages read so far."""
        left = len(self._row.pages) - len(self._done)
        # By this run's pages: earlier ones may have been read by something faster.
        return left * self._clock.worked_s / self._done_now if self._done_now else None

    def without_engine(self, cancel: CancelToken) -> Iterator[ReadingEvent]:
        """Read everything here if tesseract does it."""
        if self._row.way.method == TESSERACT:
            yield from self._read_pages(cancel, self._by_tesseract)

    def attempt(self, engine: Engine, model: ModelLoaded, cancel: CancelToken) -> Generator[ReadingEvent, None, None]:
        """Resume with the first page not done."""
        # The chat may have got another model since the job was queued.
        if not model.sees:
            raise MediaRefused(self._document.name, "picture", "blind")
        by_model = ByModel(engine, model)

        def read(scanner: DocumentScanner, page: int, region: Region) -> Generator[ReadingEvent, None, Found]:
            return (yield from by_model.read_page(scanner, page, region, cancel))

        yield from self._read_pages(cancel, read)

    def _by_tesseract(
        self, scanner: DocumentScanner, page: int, region: Region
    ) -> Generator[ReadingEvent, None, Found]:
        yield from ()
        if (found := scanner.recognize_region(page, region, self._cancel)) is None:
            return None
        self._languages = found.languages
        return found.blocks, READ if found.blocks else EMPTY

    def _read_pages(self, cancel: CancelToken, read: ReadPage) -> Generator[ReadingEvent, None, None]:
        self._cancel = cancel
        self._clock.start()
        # An attempt after a crash measures anew.
        self._done_now = 0
        scanner = DocumentScanner(self._document.path, self._documents.password_of(self._document.id), self._folder)
        figures = {page["page"]: page.get("figures", ()) for page in self._document.info.get("pages", ())}
        pictures = {page["page"] for page in self._document.info.get("pages", ()) if page["is_picture"]}
        total = len(self._row.pages)
        try:
            for page in [number for number in self._row.pages if number not in self._done]:
                yield PageBegun(page, len(self._done) + 1, total)
                # A picture is read as a whole, another page's figures one by one.
                regions = [()] if page in pictures else [tuple(region) for region in figures.get(page, ())] or [()]
                way = self._row.way
                reading = yield from self._stop_clock_at_rest(read_page(page, regions, partial(read, scanner), way))
                # Cancelled in the middle of a page: it is read again.
                if reading is None:
                    return
                if way.method == TESSERACT:
                    # Tesseract's languages stand where a model's name would.
                    reading = replace(reading, model="+".join(self._languages))
                self._keep_reading(reading)
                yield PageDone(page, len(self._done), total, reading.state, self.seconds_left())
        finally:
            scanner.close()
            # However it ended, what was read becomes part of the document.
            if self._done_now:
                self._documents.refresh_document(self._document.id)

    def _keep_reading(self, reading: StoredPageReading) -> None:
        assert self._documents.readings is not None
        self._documents.readings.save_page(self._document.sha256, reading)
        self._done.append(reading.page)
        self._done_now += 1
        with suppress(KeyError):  # another reading of it was begun
            self._jobs.update(self._row.id, progress={"done": self._done})

    def _stop_clock_at_rest(
        self, events: Generator[ReadingEvent, None, StoredPageReading | None]
    ) -> Generator[ReadingEvent, None, StoredPageReading | None]:
        """Pass events on; the clock stops while other work has the model."""
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                found: StoredPageReading | None = end.value
                return found
            if isinstance(event, TaskRests):
                self._clock.set_resting(is_resting=bool(event.reason))
            yield event


Found = tuple[Sequence[Block], str] | None
"""Blocks of a page or region, and the outcome; None when cancelled."""
ReadPage = Callable[[DocumentScanner, int, Region], Generator[ReadingEvent, None, Found]]


def read_page(
    page: int,
    regions: Sequence[Region],
    read: Callable[[int, Region], Generator[ReadingEvent, None, Found]],
    way: ReadingMethod,
) -> Generator[ReadingEvent, None, StoredPageReading | None]:
    """Read a page, or its figures; None when cancelled."""
    blocks: list[Block] = []
    states: list[str] = []
    for region in regions:
        found = yield from read(page, region)
        if found is None:
            return None
        blocks += found[0]
        states.append(found[1])
    # One region that isn't whole makes the page so.
    state = states[0] if len(set(states)) == 1 else next(text for text in states if text != READ)
    name = way.name if way.method == MODEL else ""
    return StoredPageReading(page, way.method, name, state, tuple(map(block_to_fields, blocks)))


def reading_outcome(events: Generator[ReadingEvent, None, StoredPageReading | None]) -> StoredPageReading | None:
    """Run to the end and return the result, ignoring progress within a page."""
    while True:
        try:
            next(events)
        except StopIteration as end:
            found: StoredPageReading | None = end.value
            return found


class ByModel:
    """Reads pages with a vision model, and stores the model's name with the text."""

    @property
    def way(self) -> ReadingMethod:
        """Method stored with what was read."""
        return ReadingMethod(MODEL, self._model.name)

    def __init__(self, engine: Engine, model: ModelLoaded) -> None:
        self._engine, self._model, self._words = engine, model, words_for(model)

    def read_page(
        self, scanner: DocumentScanner, page: int, region: Region, cancel: CancelToken
    ) -> Generator[ReadingEvent, None, Found]:
        """Read a page, or a figure on it."""
        if (with_picture := scanner.put_upright(page, region, self._words.most_side, cancel)) is None:
            return None
        picture, view = with_picture
        try:
            said = yield from self._ask_twice(picture, page, cancel, is_figure=bool(region))
        finally:
            Path(picture.path).unlink(missing_ok=True)
        if said is None:
            return None
        # What a figure shows and what it says are two blocks.
        said = split_figure_answer(said) if region and self._words.figure and said.text else said
        # The child knows where lines of the page are, by which text gets its place.
        blocks = scanner.arrange_blocks(page, said.text, view, MODEL, cancel) if said.text else ()
        if blocks is None:
            return None
        caption = [_caption_block(said.caption, page, region)] if said.caption else []
        return [*caption, *blocks], said.state

    def _ask_twice(
        self, picture: Media, page: int, cancel: CancelToken, *, is_figure: bool
    ) -> Generator[ReadingEvent, None, PageAnswer | None]:
        """Ask again, slightly warmer, if the answer repeats itself; the longer answer counts."""
        found: PageAnswer | None = None
        for attempt in range(2):
            ask = ask_for(self._words, picture, self._model, is_figure=is_figure, attempt=attempt)
            said: PageAnswer | None = None
            for event in ask_model(self._engine, ask, cancel):
                if isinstance(event, PageAnswer):
                    said = event
                else:
                    yield PageGrown(page, len(event)) if isinstance(event, str) else event
            if said is None:
                return None
            # A page that loops twice keeps the longer text.
            if found is None or len(said.text) > len(found.text) or said.state != REPEATED:
                found = said
            if said.state != REPEATED:
                break
        return found


def _caption_block(text: str, page: int, region: Region) -> Block:
    box = LineBox(page, region[0], region[1], region[2], region[3], 0, len(text))
    return Block(1, BlockKind.CAPTION, text, page, place=BlockPlace(boxes=(box,)), label="figure", origin=MODEL)


def build_readings(
    database: Database, documents: DocumentLibrary, pool: ModelPool, settings: Callable[[], Settings], folder: Path
) -> PageReadingJobs:
    """Build the jobs of a store, which use whatever model the chat has: nobody chooses one for this."""
    engines = TaskEngines(KIND, pool, lambda: None, let_out=documents.let_out)
    return PageReadingJobs(database, documents, engines, settings, folder=folder, loaded=lambda: pool.chat.loaded)
