"""Stored summaries: draft, queue, run step by step, find, delete, restore.

Each is a stored job of the kind "summary" with the documents it is about; see `app.store.jobs`. States:

    draft     its documents are being chosen; there is at most one
    queued    waiting for its turn
    running   is being worked on; after a crash or a restart it is queued again
    paused    stopped by the user; what was read is stored, and shown as a partial summary
    done, failed
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from app.core.errors.document_errors import DocumentGone
from app.core.events import CancelToken, ModelLoaded
from app.core.json_forms import to_json
from app.core.settings import Settings
from app.engine.contract import Engine
from app.features.document_library import DocumentLibrary
from app.features.summarize.method import MethodChoice, is_short
from app.features.summarize.summary_attempt import Expect, KeptSteps, PartialSummary, SummaryAttempt
from app.features.summarize.summary_pace import SummaryEstimates, counting_seconds, model_file
from app.features.summarize.summary_result import (
    DRAFT,
    KIND,
    TASK,
    Estimate,
    InputDocument,
    Method,
    Steps,
    StoredSummary,
    Summary,
    SummaryEvent,
    SummaryOptions,
    from_job,
    inputs_of,
    joint_title,
    summary_from_json,
    wish_from_json,
)
from app.features.work.queue import JobAttempt, StoredJobs
from app.features.work.task_engines import TaskEngines
from app.features.work.turns import QueueTurns
from app.store.database import Database
from app.store.document_store import StoredDocument
from app.store.jobs import Job, JobTable, SummaryStore

if TYPE_CHECKING:
    from app.features.summarize.overview import FirstLook
    from app.features.summarize.summarize import CheckClaims


class Summarize(Protocol):
    """Signature of `app.features.summarize.summarize.summarize`, so that tests can replace it."""

    def __call__(
        self,
        documents: Sequence[InputDocument],
        wish: SummaryOptions,
        engine: Engine,
        steps: Steps,
        cancel: CancelToken,
    ) -> Generator[SummaryEvent, None, None]:
        """Yield the events of one summary."""


class RunningSummary(JobAttempt[SummaryEvent]):
    """Job of one summary; see `JobAttempt`.

    `expect` estimates seconds from measured runs, `choice` picks the method. `summarize` None is the program's own
    pipeline.
    """

    def __init__(
        self,
        job: Job,
        documents: Sequence[InputDocument],
        jobs: JobTable,
        store: SummaryStore,
        *,
        expect: Expect,
        choice: MethodChoice,
        check: CheckClaims | None,
        summarize: Summarize | None,
    ) -> None:
        self._job, self._documents, self._wish = job, documents, wish_from_json(job.spec.get("wish", {}))
        self._jobs, self._store, self._expect, self._summarize = jobs, store, expect, summarize
        self._choice, self._check = choice, check
        self._kept = KeptSteps(store, job.id)
        self.record: SummaryAttempt | None = None

    @property
    def steps(self) -> int:
        return self._kept.kept

    def without_engine(self, cancel: CancelToken) -> Iterator[SummaryEvent]:
        from app.features.summarize.summarize import by_counting  # the window lists summaries without it

        # A replaced pipeline is a test's; it is always asked.
        if self._summarize is None and self._choice.choose_method(self._documents)(self._wish) is Method.DIGEST:
            seconds = counting_seconds(self._documents)
            record = self._start_recording("", expect=lambda *_: seconds)
            yield from by_counting(self._documents, self._wish, cancel)
            if not record.is_complete:
                self._wish = replace(self._wish, method=Method.MODEL)  # there was nothing to choose

    def attempt(self, engine: Engine, model: ModelLoaded, cancel: CancelToken) -> Generator[SummaryEvent, None, None]:
        from app.features.summarize.summarize import summarize_documents

        # Sections read in parallel share the time, so estimates need their number.
        self._start_recording(model_file(model), expect=self._expect, side_by_side=model.sequences)
        earlier = self._choice.earlier_score(self._documents)
        pipeline = self._summarize or partial(summarize_documents, earlier=earlier, check=self._check)
        return pipeline(self._documents, self._wish, engine, self._kept, cancel)

    def _start_recording(self, model: str, *, expect: Expect, side_by_side: int = 1) -> SummaryAttempt:
        partial = PartialSummary(self._documents, self._wish, self._job.title, model)
        self.record = SummaryAttempt(
            self._job, self._jobs, self._store, partial=partial, model=model, side_by_side=side_by_side, expect=expect
        )
        return self.record


__all__ = ["KIND", "TASK", "Estimate", "StoredSummary", "SummaryJobs"]

log = logging.getLogger(__name__)


class SummaryJobs(StoredJobs[StoredSummary, SummaryEvent]):
    """All stored summaries; see `StoredJobs`. KeyError also for a document that does not exist."""

    def __init__(
        self,
        database: Database,
        documents: DocumentLibrary,
        engines: TaskEngines,
        settings: Callable[[], Settings],
        *,
        turns: QueueTurns | None = None,
        check: CheckClaims | None = None,
    ) -> None:
        jobs, store = JobTable(database), SummaryStore(database)
        super().__init__(KIND, jobs, store, engines, settings, turns=turns, unlisted=DRAFT)
        self._store, self._documents, self._check = store, documents, check
        self._choice = MethodChoice(engines, jobs)
        self._estimates = SummaryEstimates(lambda ids: inputs_of(documents, ids), engines, jobs, self._choice)
        self._draft_lock = threading.Lock()
        self._compared: dict[tuple[int, int], bool] = {}
        """Cache by two document ids: True if their texts differ."""
        self.pipeline: Summarize | None = None
        """A pipeline other than the program's own."""

    def _job_at_work(self, job: Job) -> RunningSummary:
        # Documents are read when the job begins, not when it was queued: a scan may have been read since.
        if not (documents := inputs_of(self._documents, self._store.documents_of([job.id])[job.id])):
            raise DocumentGone(job.title)
        return RunningSummary(
            job,
            documents,
            self._jobs,
            self._store,
            expect=self._estimates.estimate_seconds,
            choice=self._choice,
            check=self._check,
            summarize=self.pipeline,
        )

    def find_draft(self) -> StoredSummary | None:
        """Return the draft waiting to be started, also after a restart."""
        job = self._draft_job()
        return None if job is None else self._stored_rows([job])[0]

    def keep_draft(
        self, document_ids: Sequence[int], wish: SummaryOptions, *, is_together: bool = True
    ) -> StoredSummary | None:
        """Store the draft; without documents it is deleted."""
        # Two quick clicks would make two drafts.
        with self._draft_lock:
            job, spec = self._draft_job(), {"wish": to_json(wish), "is_together": is_together}
            if not document_ids:
                self._remove_draft()
                return None
            title = joint_title(self._stored_documents(document_ids))
            if job is None:
                job = self._jobs.add(KIND, title, spec, state=DRAFT, document_ids=document_ids)
            else:
                self._store.set_documents(job.id, document_ids)
                self._jobs.update(job.id, title=title, spec=spec)
        return self.get(job.id)

    def method_of(self, document_ids: Sequence[int]) -> Callable[[SummaryOptions], Method]:
        """Return a function from options to the method these documents would be summarized with now.

        See `MethodChoice`. Raises as `first_look`.
        """
        # Without the places of lines: a third of the memory.
        return self._choice.choose_method(inputs_of(self._documents, document_ids, has_places=False))

    def are_short(self, document_ids: Sequence[int]) -> bool:
        """Return whether a small model could summarize these documents, see `is_short`. Raises as `first_look`."""
        return is_short(inputs_of(self._documents, document_ids, has_places=False))

    def estimate(self, document_ids: Sequence[int], wish: SummaryOptions, cancel: CancelToken) -> Estimate | None:
        """Estimate the cost with the model's tokenizer, measuring speed once;

        None when cancelled. Takes seconds: it may wake the model, unless none is used. Raises the engine's errors,
        NoRoomForModel if the tab's model would have to replace the chat's.
        """
        return self._estimates.estimate(document_ids, wish, cancel)

    def first_look(
        self,
        document_ids: Sequence[int],
        wish: SummaryOptions,
        cancel: CancelToken,
        progress: Callable[[float], object] = lambda _share: None,
    ) -> FirstLook | None:
        """Return digest, key terms and outline, made without a model;

        None when cancelled. Takes 1 s per 300 pages. Raises DocumentGone or DocumentUnreadable.
        """
        from app.features.summarize.overview import first_look  # a window that lists summaries does without it

        documents = inputs_of(self._documents, document_ids, has_places=False)
        return first_look(documents, wish, lambda: cancel.cancelled, progress)

    def begin_summaries(
        self, document_ids: Sequence[int], wish: SummaryOptions, *, together: bool, is_draft: bool = True
    ) -> list[StoredSummary]:
        """Queue one summary over all documents, or one each; a draft of the same documents is removed."""
        # One document dropped twice is one document.
        ids = list(dict.fromkeys(document_ids))
        spec = {"wish": to_json(wish)}
        documents = {stored_document.id: stored_document for stored_document in self._stored_documents(ids)}
        groups = [ids] if together and ids else [[number] for number in ids]
        titled = [(joint_title([documents[number] for number in group]), group) for group in groups]
        with self._draft_lock:
            jobs = self._jobs.add_several(KIND, spec, titled, over=DRAFT if is_draft else "")
        return self._stored_rows(jobs)

    def load_summary(self, summary_id: int) -> Summary | None:
        """Return the summary, complete or partial; None before anything was read."""
        job = self._job(summary_id)
        return None if job is None else read_summary(self._store, job)

    def current_documents(self, document_ids: Sequence[int]) -> list[int]:
        """Return the newest reading of each document: more may have been read since."""
        found = [(number, self._documents.store.get(number)) for number in document_ids]
        return [
            number if document is None else self._documents.current_document(document).id for number, document in found
        ]

    def is_outdated(self, summary_id: int) -> bool:
        """Return whether the documents changed since, because pictures were read or corrected."""
        ids = self._store.documents_of([summary_id]).get(summary_id, ())
        return any(self._documents_differ(number, now) for number in ids for now in self.current_documents([number]))

    def _documents_differ(self, document_id: int, other_id: int) -> bool:
        key = document_id, other_id
        # Comparing reads both documents from the database, so each pair is compared once.
        if document_id != other_id and key not in self._compared:
            texts = [[block.text for block in self._documents.read_texts(number)] for number in key]
            self._compared[key] = texts[0] != texts[1]
        return self._compared.get(key, False)

    def _draft_job(self) -> Job | None:
        return next(iter(self._jobs.find(KIND, (DRAFT,))), None)

    def _remove_draft(self) -> None:
        for job in self._jobs.find(KIND, (DRAFT,)):
            self._jobs.remove(job.id)

    def _stored_rows(self, jobs: Sequence[Job]) -> list[StoredSummary]:
        documents = self._store.documents_of([job.id for job in jobs])
        return [from_job(job, documents[job.id]) for job in jobs]

    def _stored_documents(self, document_ids: Sequence[int]) -> list[StoredDocument]:
        """Raise KeyError if a document is gone."""
        found = [(number, self._documents.store.get(number)) for number in document_ids]
        for document_id, document in found:
            if document is None:
                raise KeyError(document_id)
        return [document for _, document in found if document is not None]


def read_summary(store: SummaryStore, job: Job) -> Summary | None:
    """Return what a job wrote, complete or partial; None before anything was read."""
    if (fields := store.read_result(job.id)) is None:
        return None
    try:
        # A person may have renamed the job since.
        return replace(summary_from_json(fields), title=job.title)
    except (KeyError, TypeError, ValueError) as error:
        # An older program wrote it, or a newer one; the list goes on without it.
        log.info("summary %d was stored by another version: %r", job.id, error)
        return None


def find_summary(database: Database, document_id: int) -> Summary | None:
    """Return the newest complete summary of a document by itself; None without one."""
    jobs, store = JobTable(database), SummaryStore(database)
    done = sorted(jobs.find(KIND, ("done",)), key=lambda job: job.updated_at, reverse=True)
    documents = store.documents_of([job.id for job in done])
    own = (job for job in done if list(documents.get(job.id, ())) == [document_id])
    return next((summary for job in own if (summary := read_summary(store, job)) is not None), None)
