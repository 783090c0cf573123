"""Background OCR and description of picture pages for a window: started automatically or by the user."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.store.jobs import PAGE_READING, JobTable
from app.ui.shell import tasks
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.chat.answer_service import AnswerService
    from app.features.page_reading.readings import (
        PageReadingJobs,
        PicturePages,
        ReadingEvent,
        ReadingMethod,
        StoredReading,
    )
    from app.features.shown_document import TextHighlight
    from app.features.work.queue import JobEvent
    from app.store.document_store import StoredDocument

QUEUED, RUNNING = "queued", "running"
At = tuple[int, int, float | None, bool]
"""Page being read, its position among the wanted pages, seconds left, and True if other jobs go first."""
NOWHERE: At = (0, 0, None, False)


@dataclass(frozen=True)
class PictureState:
    """OCR state of a document; `page` is being read, as the `number`th of the wanted pages."""

    document: StoredDocument
    pictures: PicturePages
    ways: Sequence[ReadingMethod]
    row: StoredReading | None
    page: int = 0
    number: int = 0
    seconds_left: float | None = None
    rests: bool = False

    @property
    def is_reading(self) -> bool:
        return self.row is not None and self.row.state in (QUEUED, RUNNING)


class PictureReading(QObject):
    """OCR jobs of the stored documents, or of one temporary chat. The readers are imported at the first document with
    pictures.
    """

    changed = Signal()
    """The progress or the available readers changed."""
    renewed = Signal(int, int)
    """A document was replaced because more of it was read: its old and new ids."""

    def __init__(self, app: Fireside, notify: Notify, parent: QObject, talk: AnswerService | None = None) -> None:
        """Read the pages of stored documents, or with `talk` those of a temporary chat, of which nothing is kept."""
        super().__init__(parent)
        self._app, self._notify, self._talk = app, notify, talk
        self._rounds = tasks.RepeatedTask(
            self._work, self, on_event=self._on_worked, on_failed=notify.error, on_over=self._on_over
        )
        self._at: dict[int, At] = {}
        """Position of each running job, by its id."""

    def of_temporary(self, talk: AnswerService) -> PictureReading:
        """Return a reader for the documents of a temporary chat; it works until `end`."""
        return PictureReading(self._app, self._notify, self, talk)

    def end(self) -> None:
        """Stop reading and drop the temporary chat, because it was left."""
        self._rounds.abandon()
        self._talk = None
        # It holds the temporary chat's store, which closes when nobody holds it.
        self.__dict__.pop("_readings", None)
        self.deleteLater()

    @cached_property
    def _readings(self) -> PageReadingJobs:
        of_temporary = self._app.temporary.readings_of(self._talk) if self._talk is not None else None
        return of_temporary or self._app.readings

    def go_on(self) -> None:
        """Resume the jobs that an earlier run left queued, when the program starts."""
        with self._notify.guard():
            # Asked of the table first, since the jobs themselves import the readers.
            if JobTable(self._app.database).find(PAGE_READING, (QUEUED,)):
                self._start()

    def state_of(self, document: StoredDocument) -> PictureState | None:
        """Return the OCR state; None for a document without pictures, or after a storage error."""
        if not _has_pictures(document):
            return None
        with self._notify.guard():
            readings = self._readings
            row = readings.of_document(document)
            at = self._at.get(row.id, NOWHERE) if row is not None else NOWHERE
            return PictureState(document, readings.picture_pages(document), readings.reading_methods(), row, *at)
        return None

    def is_reading(self, document: StoredDocument) -> bool:
        """Return whether a job for the document is running or queued, so that more text will follow."""
        state = self.state_of(document)
        return state is not None and state.is_reading

    def begin_by_itself(self, document: StoredDocument, *, is_asked_for: bool = False) -> None:
        """Read a new document's picture pages without being asked, unless the settings forbid that.

        `is_asked_for` overrides the setting. Uses the last chosen method if available, else the fastest one. Figures,
        and methods on another computer, are only used when the user asks.
        """
        state, wanted = self.state_of(document), self._app.settings.documents.pictures
        is_unwanted = wanted == "none" and not is_asked_for
        if state is None or state.row is not None or is_unwanted or not state.pictures.unread_pages:
            return
        # Never by another computer, and never figures, unless the user asks.
        here = [reading_method for reading_method in state.ways if not reading_method.goes_out]
        way = next((method for method in here if method.method == wanted), next(iter(here), None))
        if way is not None:
            self._begin(document, way, state.pictures.unread_pages)

    def begin(self, document: StoredDocument, way: ReadingMethod, pages: Sequence[int]) -> None:
        """Read pages with the method that the user chose, which becomes the default for stored documents."""
        with self._notify.guard():
            if self._talk is None:
                self._app.change_settings("documents", pictures=way.method)
        self._begin(document, way, pages)

    def stop(self, document: StoredDocument) -> None:
        """Stop reading the document; finished pages keep their text."""
        self._with_row(document, self._readings.stop)

    def resume(self, document: StoredDocument) -> None:
        """Resume a stopped document with the page after the last one that was read."""
        self._with_row(document, self._readings.resume)
        self._start()

    def reveal(self, document: StoredDocument) -> TextHighlight | None:
        """Return the place of the first text block that was read from a picture, or None."""
        from app.features.shown_document import TextHighlight

        with self._notify.guard():
            documents = self._talk.documents if self._talk is not None else self._app.documents
            blocks = documents.read_blocks(document.id)
            return next((TextHighlight(block.id, compares=True) for block in blocks if block.origin), None)
        return None

    def _begin(self, document: StoredDocument, way: ReadingMethod, pages: Sequence[int]) -> None:
        try:
            with self._notify.guard():
                self._readings.queue_reading(document.id, way, list(dict.fromkeys(pages)))
        # The document was deleted meanwhile.
        except KeyError:
            return
        self._start()

    def _with_row(self, document: StoredDocument, do: Callable[[int], object]) -> None:
        if (state := self.state_of(document)) is not None and state.row is not None:
            with self._notify.guard():
                do(state.row.id)
        self.changed.emit()

    def _start(self) -> None:
        self._rounds.start()
        self.changed.emit()

    def _work(self, cancel: CancelToken) -> Iterator[tuple[JobEvent[ReadingEvent], tuple[int, int] | None]]:
        """Run the queued jobs and yield their events; at the end of each, the old and new id of its document."""
        before: dict[int, int] = {}
        # This reference keeps a temporary store open while the round runs.
        readings, _held = self._readings, self._talk
        for worked in readings.run(cancel):
            renewal = None
            if worked.event is None and (row := readings.get(worked.id)) is not None:
                # A document whose pictures are read is replaced by a new one, as summaries count its blocks.
                earlier = before.setdefault(worked.id, row.document_id)
                renewal = (earlier, row.document_id) if earlier != row.document_id else None
                before[worked.id] = row.document_id
            yield worked, renewal

    def _on_worked(self, told: tuple[JobEvent[ReadingEvent], tuple[int, int] | None]) -> None:
        from app.features.page_reading.readings import PageBegun, PageDone
        from app.features.work.asking import TaskRests

        worked, renewal = told
        page, number, seconds_left, _ = self._at.get(worked.id, NOWHERE)
        match worked.event:
            case None:
                self._at.pop(worked.id, None)
            case PageBegun():
                self._at[worked.id] = (worked.event.page, worked.event.number, seconds_left, False)
            case PageDone():
                self._at[worked.id] = (page, number, worked.event.seconds_left, False)
            case TaskRests(reason=reason):
                self._at[worked.id] = (page, number, seconds_left, bool(reason))
            case _:
                return
        if renewal is not None:
            self.renewed.emit(*renewal)
        self.changed.emit()

    def _on_over(self) -> None:
        self._at.clear()
        self.changed.emit()


def _has_pictures(document: StoredDocument) -> bool:
    """Return whether the document has picture pages. Avoids importing the readers, which is slow."""
    return any(page["is_picture"] or page.get("figures") for page in document.info.get("pages", ()))
