"""Pages that are pictures, as a window has them read: begun by itself or as the person says, told of wherever shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.bootstrap import PAGE_READING
from app.core.events import CancelToken
from app.store.jobs import JobTable
from app.ui.shell import tasks
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.chat.answer_service import AnswerService
    from app.features.document_library import TextHighlight
    from app.features.page_reading.readings import (
        PageReadingJobs,
        PicturePages,
        ReadingEvent,
        ReadingMethod,
        StoredReading,
    )
    from app.features.work.queue import JobEvent
    from app.store.document_store import StoredDocument

QUEUED, RUNNING = "queued", "running"
At = tuple[int, int, float | None, bool]
"""Page, number, seconds left, whether others go before it."""
NOWHERE: At = (0, 0, None, False)


@dataclass(frozen=True)
class PictureState:
    """What is known of the pictures of a document now; `page` is being read, the `number`th of the wanted ones."""

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
    """One for a window, and one for a temporary chat; nothing of it is imported before a document has a picture."""

    changed = Signal()
    """Something that is read, or can be, is another."""
    renewed = Signal(int, int)
    """A document, and the one that has taken its place because more of it was read."""

    def __init__(self, app: Fireside, notify: Notify, parent: QObject, talk: AnswerService | None = None) -> None:
        """`talk` has documents of its own, of which nothing is kept; None: the kept ones."""
        super().__init__(parent)
        self._app, self._notify, self._talk = app, notify, talk
        self._rounds = tasks.Rounds(self._work, self)
        self._rounds.happened.connect(self._on_worked)
        self._rounds.failed.connect(notify.error)
        self._rounds.over.connect(self._on_over)
        self._at: dict[int, At] = {}
        """Of a job at work."""

    def of_temporary(self, talk: AnswerService) -> PictureReading:
        """The same for the documents of a temporary chat, until `end`."""
        return PictureReading(self._app, self._notify, self, talk)

    def end(self) -> None:
        """The chat is left: nothing of it is read any more."""
        self._rounds.abandon()
        self._talk = None
        self.__dict__.pop("_readings", None)
        self.deleteLater()

    @cached_property
    def _readings(self) -> PageReadingJobs:
        return self._app.readings_of(self._talk) if self._talk is not None else self._app.readings

    def go_on(self) -> None:
        """At start: with what the run before left."""
        with self._notify.guard():
            if JobTable(self._app.database).find(PAGE_READING, (QUEUED,)):
                self._start()

    def state_of(self, document: StoredDocument) -> PictureState | None:
        """None for a document without pictures, and where the store cannot tell."""
        if not _has_pictures(document):
            return None
        with self._notify.guard():
            readings = self._readings
            row = readings.of_document(document)
            at = self._at.get(row.id, NOWHERE) if row is not None else NOWHERE
            return PictureState(document, readings.picture_pages(document), readings.reading_methods(), row, *at)
        return None

    def is_reading(self, document: StoredDocument) -> bool:
        """Whether more of it will be there soon."""
        state = self.state_of(document)
        return state is not None and state.is_reading

    def begin_by_itself(self, document: StoredDocument, *, is_asked_for: bool = False) -> None:
        """A document has come: its pages that are pictures are read, unless the person does not want that.

        `is_asked_for`: of this one a person wants it.

        By what was chosen last where it is there, else by the quickest; figures, and on another computer, only when
        somebody asks.
        """
        state, wanted = self.state_of(document), self._app.settings.documents.pictures
        is_unwanted = wanted == "none" and not is_asked_for
        if state is None or state.row is not None or is_unwanted or not state.pictures.unread_pages:
            return
        here = [reading_method for reading_method in state.ways if not reading_method.goes_out]
        way = next((method for method in here if method.method == wanted), next(iter(here), None))
        if way is not None:
            self._begin(document, way, state.pictures.unread_pages)

    def begin(self, document: StoredDocument, way: ReadingMethod, pages: Sequence[int]) -> None:
        """The person chose a way, which is then the usual one."""
        with self._notify.guard():
            if self._talk is None:
                self._app.change_settings("documents", pictures=way.method)
        self._begin(document, way, pages)

    def stop(self, document: StoredDocument) -> None:
        """What was read stays."""
        self._with_row(document, self._readings.stop)

    def resume(self, document: StoredDocument) -> None:
        """With the next page."""
        self._with_row(document, self._readings.resume)
        self._start()

    def reveal(self, document: StoredDocument) -> TextHighlight | None:
        """The first block that was read from a picture."""
        from app.features.document_library import TextHighlight

        with self._notify.guard():
            documents = self._talk.documents if self._talk is not None else self._app.documents
            blocks = documents.read_blocks(document.id)
            return next((TextHighlight(block.id, compares=True) for block in blocks if block.origin), None)
        return None

    def _begin(self, document: StoredDocument, way: ReadingMethod, pages: Sequence[int]) -> None:
        try:
            with self._notify.guard():
                self._readings.queue_reading(document.id, way, list(dict.fromkeys(pages)))
        except KeyError:
            return
        self._start()

    def _with_row(self, document: StoredDocument, do: Callable[[int], object]) -> None:
        state = self.state_of(document)
        if state is not None and state.row is not None:
            with self._notify.guard():
                do(state.row.id)
        self.changed.emit()

    def _start(self) -> None:
        self._rounds.start()
        self.changed.emit()

    def _work(self, cancel: CancelToken) -> Iterator[tuple[JobEvent[ReadingEvent], tuple[int, int] | None]]:
        """What happens, and at the end of each one which document took the place of which."""
        before: dict[int, int] = {}
        readings, _held = self._readings, self._talk  # as long as this works, its store is not closed
        for worked in readings.run(cancel):
            renewal = None
            if worked.event is None and (row := readings.get(worked.id)) is not None:
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
    """Without asking what reads them, which takes its time to import."""
    return any(page["is_picture"] or page.get("figures") for page in document.info.get("pages", ()))
