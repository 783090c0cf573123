"""Stored translations: add, queue, run, review, edit, save, delete, restore.

Each is a stored job of the kind "translation" with its segments; see `app.store.jobs`. States:

    draft     its segments are read; waiting to be started
    queued    waiting for its turn
    running   is being worked on; after a crash or a restart it is queued again
    paused    stopped by the user; what is translated is stored
    done, failed
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from app.core.errors.document_errors import DocumentGone
from app.core.events import CancelToken
from app.core.json_forms import to_json
from app.core.paths import AppPaths
from app.core.settings import Settings
from app.documents.segments import Content
from app.engine.contract import LocalEngine
from app.features.chat.answer_service import title_from
from app.features.document_library import DocumentLibrary, build_documents
from app.features.models.model_engines import build_engine, build_pool
from app.features.translate.adding import FileAdditions, FileCopies
from app.features.translate.at_work import RunningTranslation, Translate, TranslationEstimates, outcome_of, row_of
from app.features.translate.marking import same_marks
from app.features.translate.saving import TranslationSavings, remove_scratch
from app.features.translate.translation_events import (
    ADDING,
    DRAFT,
    KIND,
    TASK,
    TYPED,
    Adding,
    GlossaryTerm,
    Pictured,
    Row,
    Saved,
    Saving,
    StoredTranslation,
    Translated,
    TranslationAdded,
    TranslationEstimate,
    TranslationEvent,
    TranslationSource,
    TranslationWish,
    from_job,
    source_language_of,
    terms_of,
    wish_of,
)
from app.features.translate.translation_memory import KeptWords, MemoryMatches, PurgeCopies
from app.features.work.queue import DONE, QUEUED, RUNNING, StoredJobs
from app.features.work.task_engines import TaskEngines
from app.features.work.turns import QueueTurns  # fmt: skip
from app.store.database import Database
from app.store.document_store import StoredDocument
from app.store.jobs import Job, JobTable
from app.store.translation_store import LanguagePair, TranslationMemory, TranslationStore

__all__ = [
    "KIND",
    "TASK",
    "Adding",
    "Row",
    "Saved",
    "Saving",
    "StoredTranslation",
    "TranslationAdded",
    "TranslationEstimate",
    "TranslationJobs",
]  # fmt: skip


TITLE_CHARACTERS = 80
"""Of a typed text's beginning, by which it is listed."""


class TranslationJobs(StoredJobs[StoredTranslation, TranslationEvent]):
    """All stored translations; see `StoredJobs`.

    `add` is a generator, too. `segments` edits and reviews, `files` writes files, `words` has the glossaries and the
    memory that all translations share. `documents` holds files read into blocks. `copies` is the folder of source
    copies, None to leave files in place; `child_folder` is the document child's. Passwords of files stay in memory.
    """

    def __init__(
        self,
        database: Database,
        memory: TranslationMemory,
        documents: DocumentLibrary,
        *,
        engines: TaskEngines,
        settings: Callable[[], Settings],
        copies: Path | None,
        child_folder: Path,
        turns: QueueTurns | None = None,
        purge_copies: PurgeCopies = lambda _entries: None,
    ) -> None:
        jobs, store = JobTable(database), TranslationStore(database)
        super().__init__(KIND, jobs, store, engines, settings, turns=turns, unlisted=ADDING)
        self._store = store
        self._passwords: dict[int, str] = {}
        self.documents = documents
        self._copies, self._child_folder = FileCopies(copies), child_folder
        self._additions = FileAdditions(jobs, store, documents, self._copies, child_folder)
        self.files = TranslationSavings(
            store, documents, self._copies, child_folder,
            known=self._known_job, password_of=lambda job_id: self._passwords.get(job_id, ""),
        )  # fmt: skip
        self.words = KeptWords(store, memory, purge_copies)
        self.segments = KeptSegments(store, self.words, self._known_job)
        self._estimates = TranslationEstimates(engines, jobs)
        self._changing = threading.Lock()
        """Held while a wish or the segments change: no outcome of the work is stored."""
        self.pipeline: Translate | None = None
        """A pipeline other than the program's own."""

    def _job_at_work(self, job: Job) -> RunningTranslation:
        # A translation whose segments were purged can't go on.
        if not self._store.read_segment(job.id, 1):
            raise DocumentGone(job.title)
        return RunningTranslation(
            job.id, self._jobs, self._store, self.words, changing=self._changing, translate=self.pipeline
        )

    def add(
        self,
        path: Path,
        wish: TranslationWish,
        cancel: CancelToken,
        *,
        password: str = "",
        leaves_pictures: bool = False,
    ) -> Iterator[Adding | Pictured | TranslationAdded]:
        """Read a file's segments; the last event is TranslationAdded, unless cancelled.

        The file is copied, so that the translation can be written whatever becomes of it. Raises DocumentLocked if it
        needs a password, and the child's errors; nothing is stored then. Picture pages must be read first unless
        `leaves_pictures`.
        """
        for found in self._additions.add_file(path, wish, cancel, password, leaves_pictures=leaves_pictures):
            if isinstance(found, Adding | Pictured):
                yield found
                continue
            # In memory only: a password never reaches the disk.
            if password:
                self._passwords[found] = password
            yield TranslationAdded(self._stored_row(self._known_job(found)))

    def merge_twin(self, translation_id: int) -> StoredTranslation:
        """If a file was added twice with one wish and never started, delete this one and return the first.

        Else return this. Raises KeyError if it is gone.
        """
        job = self._known_job(translation_id)
        # Only drafts: what was begun is somebody's work.
        drafts = self._jobs.find(KIND, (DRAFT,))
        documents = self._store.documents_of([draft.id for draft in drafts])

        def is_same(other: Job) -> bool:
            # The hash, too: the same path may hold another file by now.
            facts = ("wish", "path", "sha256")
            is_alike = [other.spec.get(fact) for fact in facts] == [job.spec.get(text) for text in facts]
            return other.id < job.id and is_alike and documents[other.id] == documents[job.id]

        if job.state != DRAFT or not job.spec.get("path"):
            return self._stored_row(job)
        rows = (self._stored_row(other) for other in drafts if is_same(other))
        # With words of the person in it, the older one isn't just a twin.
        first = next((row for row in rows if not row.done), None)
        if first is None:
            return self._stored_row(job)
        self._remove_jobs([job.id])
        return first

    def discard(self, translation_id: int) -> None:
        """Delete a draft whose file was removed while it was being added."""
        if (job := self._job(translation_id)) is not None and job.state == DRAFT:
            self._remove_jobs([job.id])

    def add_text(self, text: str, wish: TranslationWish) -> StoredTranslation:
        """Add a text as a translation; without words it has no segments."""
        return self._stored_row(self._known_job(self._additions.add_text(text, wish)))

    def change_wish(self, translation_id: int, wish: TranslationWish) -> None:
        """Change the wish: translations that no longer apply are dropped, then looked up in the memory or requested
        again. The user's edits stay while the languages are the same. A running job continues with the new wish.
        """
        job = self._known_job(translation_id)
        before = wish_of(job)
        if wish == before:
            return
        # Between these two lines nothing of the old wish may be stored.
        with self._changing:
            is_other_text = (wish.target, wish.source) != (before.target, before.source)
            # Edits fit only the languages that they were written for.
            self.segments.take_back(job.id, keeps_own=not is_other_text)
            self._jobs.update(job.id, spec=job.spec | {"wish": to_json(wish)})
        if job.state in (QUEUED, RUNNING):
            self._queue.begin_again(job.id)
        # What is done is no longer what was asked for.
        elif job.state != DRAFT:
            self._jobs.update(job.id, state=DRAFT)

    def estimate(self, translation_id: int, cancel: CancelToken) -> TranslationEstimate | None:
        """Estimate the cost;

        None when cancelled. Takes seconds: it may wake the model, and measures it once. Raises the engine's errors,
        NoRoomForModel if the tab's model would have to replace the chat's.
        """
        job = self._known_job(translation_id)
        wish, source = self.words.whole_wish(job), source_language_of(job)
        rows = self.segments.read_rows(job.id)
        return self._estimates.estimate_rows(rows, lambda model: self.words.memory_for(wish, source, model), cancel)

    def estimate_all(self, translation_ids: Sequence[int], cancel: CancelToken) -> TranslationEstimate | None:
        found = [self.estimate(number, cancel) for number in translation_ids]
        whole = [translation_estimate for translation_estimate in found if translation_estimate is not None]
        seconds = [estimate.seconds for estimate in whole if estimate.seconds is not None]
        return (
            None
            # One without an estimate makes the sum unknown.
            if len(whole) < len(found)
            else TranslationEstimate(
                sum(translation_estimate.segments for translation_estimate in whole),
                sum(translation_estimate.known for translation_estimate in whole),
                sum(translation_estimate.tokens for translation_estimate in whole),
                # Without one of the speeds a sum would be too small.
                sum(seconds) if len(seconds) == len(whole) else None,
                any(translation_estimate.is_elsewhere for translation_estimate in whole),
            )
        )

    def begin_translations(self, translation_ids: Sequence[int]) -> None:
        """Queue drafts in this order; a finished one is run again, requesting only what changed."""
        for translation_id in translation_ids:
            job = self._known_job(translation_id)
            # A scan may have been read since the file was added; nothing is lost by taking it anew.
            if job.state == DRAFT and not self._stored_row(job).done and self.is_outdated(job.id):
                self.take_again(job.id)
            if job.state == DONE:
                # Asked again means that a model's words go, a person's stay.
                with self._changing:
                    self.segments.take_back(job.id, keeps_own=True)
            if job.state not in (QUEUED, RUNNING):
                self._jobs.queue_last(job.id)

    def translate_again(self, translation_id: int, segment_id: int) -> None:
        """Drop one segment's translation and queue the job to request it again."""
        job = self._known_job(translation_id)
        with self._changing:
            self.segments.take_back(job.id, keeps_own=False, only=segment_id)
        if job.state in (QUEUED, RUNNING):
            self._queue.begin_again(job.id)
        else:
            self._jobs.queue_last(job.id)

    def source_document(self, translation_id: int) -> StoredDocument | None:
        """Return the current reading of its file; None where the file itself is translated."""
        return self._additions.document_of(self._known_job(translation_id))

    def is_outdated(self, translation_id: int) -> bool:
        """Return whether the document changed since, because pictures were read or corrected."""
        return self._additions.is_outdated(self._known_job(translation_id))

    def take_again(self, translation_id: int) -> None:
        """Translate the current reading of the document; translations of unchanged segments stay.

        Doesn't start one that wasn't started.
        """
        job = self._known_job(translation_id)
        with self._changing:
            self._additions.take_again(job)
        if job.state in (QUEUED, RUNNING):
            self._queue.begin_again(job.id)
        elif job.state != DRAFT:
            self._jobs.queue_last(job.id)

    def repeated_terms(self, translation_id: int) -> tuple[GlossaryTerm, ...]:
        """Return repeated names and terms with the renderings used throughout."""
        return terms_of(self._known_job(translation_id))

    def remove_leftovers(self, before: float) -> None:
        """Delete what a killed run left half-added or half-saved before a moment (seconds since 1970); slow."""
        self._remove_jobs(job.id for job in self._jobs.find(KIND, (ADDING,)) if job.created_at < before)
        remove_scratch(self._child_folder, before)

    def remove_deleted(self, before: float) -> None:
        """Purge what was deleted before a moment (seconds since 1970), with its files; slow."""
        deleted = self._jobs.deleted(KIND, before)
        for job in deleted:
            self.words.forget_made(job, self.segments.read_rows(job.id), self.typed_text(job.id)[0])
        self._remove_jobs(job.id for job in deleted)

    def _remove_jobs(self, job_ids: Iterable[int]) -> None:
        for job_id in job_ids:
            self._store.remove_segments(job_id)
            self._jobs.remove(job_id)
        # Copies whose job is gone, whoever removed it.
        for job_id in set(self._copies.job_ids()) - self._jobs.list_ids(KIND):
            self._copies.remove_copy(job_id)

    def search_memory(
        self,
        cancel: CancelToken,
        words: str = "",
        *,
        pair: LanguagePair | None = None,
        translation_id: int | None = None,
    ) -> MemoryMatches:
        """Search the memory: for a language pair, for one translation's segments, or all.

        Reads all of it, so not on the window's thread; empty when cancelled.
        """
        only = None
        if translation_id is not None:
            only = self.words.ids_of(self._known_job(translation_id), self.segments.read_rows(translation_id))
        return self.words.find_matches(words, pair, only, cancel)

    def keep_text(
        self,
        source: str,
        target: str,
        wish: TranslationWish,
        source_language: str,
        model: str,
        *,
        id: int | None = None,
    ) -> StoredTranslation:
        """Store a typed text with its translation in the list; with `id`, replace that entry's.

        `model` is the model's file name.
        """
        job, title = self._job(id) if id is not None else None, title_from(source, TITLE_CHARACTERS)
        spec = {"wish": to_json(wish), "source_language": source_language, "format": TYPED}
        if job is None:
            job = self._jobs.add(KIND, title, spec, state=DONE)
        else:
            has_name = job.title != title_from(self.typed_text(job.id)[0], TITLE_CHARACTERS)  # from the person
            self._jobs.update(job.id, title=None if has_name else title, spec=spec)
        self._jobs.update(job.id, progress={"model_file": model})
        self._store.keep_result(job.id, {"source": source, "target": target}, f"{source}\n{target}")
        return self._stored_row(self._known_job(job.id))

    def typed_text(self, translation_id: int) -> tuple[str, str]:
        """Return a typed text and its translation; empty ones for others."""
        fields = self._store.read_result(translation_id) or {}
        return str(fields.get("source", "")), str(fields.get("target", ""))

    def _job(self, job_id: int) -> Job | None:
        job = super()._job(job_id)
        # Files that are still being read are in no list.
        return None if job is None or job.state == ADDING else job

    def _known_job(self, translation_id: int) -> Job:
        """Return the job. Raises KeyError if it is gone."""
        if (job := self._job(translation_id)) is None:
            raise KeyError(translation_id)
        return job

    def _stored_row(self, job: Job) -> StoredTranslation:
        return self._stored_rows([job])[0]

    def _stored_rows(self, jobs: Sequence[Job]) -> list[StoredTranslation]:
        counts = self._store.count_segments([job.id for job in jobs])
        return [from_job(job, counts[job.id]) for job in jobs]


class KeptSegments:
    """From any thread. `known` gives a translation's job, or raises KeyError."""

    def __init__(self, store: TranslationStore, words: KeptWords, known: Callable[[int], Job]) -> None:
        self._store, self._words, self._known = store, words, known
        # One edit at a time: reading, comparing and storing a row belong together.
        self._editing = threading.Lock()

    def read_rows(self, job_id: int, start: int = 1, count: int | None = None) -> list[Row]:
        """Return segments with translations, from `start`; `count` None is all."""
        return [row_of(segment) for segment in self._store.read_segments(job_id, start, count)]

    def read_row(self, job_id: int, segment_id: int) -> Row:
        """Return one segment. Raises KeyError without it."""
        if (found := self._store.read_segment(job_id, segment_id)) is None:
            raise KeyError(segment_id)
        return row_of(found)

    def edit_segment(self, job_id: int, segment_id: int, content: Content) -> Row:
        """Store the user's text for a segment, also in the memory; a model never replaces it.

        Raises ValueError unless it has exactly the source's marks.
        """
        with self._editing:
            row = self.read_row(job_id, segment_id)
            # A mark more or less would damage the file when it is written.
            if not same_marks(content, row.segment.content):
                raise ValueError("the marks are not those of the source")
            return self._keep_row(job_id, row, Translated(segment_id, content, TranslationSource.EDITED))

    def accept(self, job_id: int, segment_id: int) -> Row:
        """Accept a segment's translation; does nothing without one."""
        with self._editing:
            row = self.read_row(job_id, segment_id)
            if row.translated is None:
                return row
            return self._keep_row(job_id, row, replace(row.translated, accepted=True))

    def next_flagged(self, job_id: int, after: int) -> int | None:
        """Return the next segment to review after one, wrapping at the end; None if there is none."""
        return self._store.next_flagged(job_id, after)

    def take_back(self, job_id: int, *, keeps_own: bool, only: int | None = None) -> None:
        """Drop translations of one or all segments; with `keeps_own`, not those the user edited or accepted."""
        with self._editing:
            rows = self.read_rows(job_id) if keeps_own else []
            own = [row.translated for row in rows if row.translated is not None and _is_own(row.translated)]
            # All are dropped and the own ones put back, in this order, under the lock.
            self._store.forget_outcomes(job_id, only=only)
            self._store.save_outcomes(job_id, map(outcome_of, own))

    def _keep_row(self, job_id: int, row: Row, translated: Translated) -> Row:
        # The memory first: a failure there leaves the row as it was.
        self._words.keep_own(self._known(job_id), row, translated.content)
        self._store.save_outcomes(job_id, [outcome_of(translated)])
        return Row(row.segment, translated)


def _is_own(translated: Translated) -> bool:
    return translated.origin is TranslationSource.EDITED or translated.accepted


def build_translations(
    paths: AppPaths,
    settings: Settings,
    database: Database,
    memory: TranslationMemory,
    *,
    engine: LocalEngine,
    model: Callable[[], Path],
) -> TranslationJobs:
    """Build the jobs of a terminal command: own database but the shared memory, one engine, one model.

    Source files stay in place.
    """
    pool = build_pool(engine, model, lambda: settings, lambda: build_engine(paths))
    return TranslationJobs(
        database,
        memory,
        build_documents(paths, database),
        engines=TaskEngines(TASK, pool, lambda: None),
        settings=lambda: settings,
        copies=None,
        child_folder=paths.documents,
    )
