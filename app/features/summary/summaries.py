"""Summaries as they are kept: put together, queued, worked off step by step, found again, deleted and taken back.

Each is a stored job of the kind "summary" with the documents it is about; see `app.store.jobs`. States:

    draft     its documents are being put together; there is at most one
    queued    waits for its turn
    running   is being worked on; after a crash or a restart it is queued again
    paused    stopped by the person; what was read is kept, and shown as a partial summary
    done, failed
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.errors import DocumentGone
from app.core.events import CancelToken
from app.core.settings import Settings
from app.core.wire import to_json
from app.features.documents import Documents
from app.features.summary.at_work import AtWork, Summarize
from app.features.summary.pace import Estimates
from app.features.summary.result import (
    Summary,
    SummaryEvent,
    Wish,
    summary_from_json,
)
from app.features.summary.stored import DRAFT, KIND, TASK, Estimate, StoredSummary, from_job, inputs_of, joint_title
from app.features.work.engines import TaskEngines
from app.features.work.stored import StoredJobs
from app.features.work.turns import Turns
from app.store.documents import StoredDocument
from app.store.jobs import Job, Jobs, SummaryStore

if TYPE_CHECKING:
    from app.features.summary.overview import FirstLook

__all__ = ["KIND", "TASK", "Estimate", "StoredSummary", "Summaries"]

log = logging.getLogger(__name__)


class Summaries(StoredJobs[StoredSummary, SummaryEvent]):
    """All stored summaries; see `StoredJobs`. KeyError also for a document that does not exist."""

    def __init__(
        self,
        jobs: Jobs,
        store: SummaryStore,
        documents: Documents,
        engines: TaskEngines,
        settings: Callable[[], Settings],
        *,
        turns: Turns | None = None,
    ) -> None:
        super().__init__(KIND, jobs, store, engines, settings, turns=turns, unlisted=DRAFT)
        self._store, self._documents = store, documents
        self._estimates = Estimates(lambda ids: inputs_of(documents, ids), engines, jobs)
        self._drafting = threading.Lock()
        self.pipeline: Summarize | None = None
        """Another one than the program's own."""

    def _begun(self, job: Job) -> AtWork:
        documents = inputs_of(self._documents, self._store.documents_of([job.id])[job.id])
        if not documents:
            raise DocumentGone(job.title)
        return AtWork(
            job,
            documents,
            self._jobs,
            self._store,
            expect=self._estimates.seconds,
            weights=self.engines.weights,
            summarize=self.pipeline,
        )

    # What is being put together.

    def draft(self) -> StoredSummary | None:
        """The documents that wait for Start, also after a restart."""
        job = self._draft()
        return None if job is None else self._rows([job])[0]

    def keep_draft(self, document_ids: Sequence[int], wish: Wish, *, is_together: bool = True) -> StoredSummary | None:
        """Keeps what is put together now; without documents the draft goes."""
        with self._drafting:
            job, spec = self._draft(), {"wish": to_json(wish), "is_together": is_together}
            if not document_ids:
                self._remove_draft()
                return None
            title = joint_title(self._stored(document_ids))
            if job is None:
                job = self._jobs.add(KIND, title, spec, state=DRAFT, document_ids=document_ids)
            else:
                self._store.set_documents(job.id, document_ids)
                self._jobs.update(job.id, title=title, spec=spec)
        return self.get(job.id)

    def estimate(self, document_ids: Sequence[int], wish: Wish, cancel: CancelToken) -> Estimate | None:
        """Counts with the model's tokenizer and measures it where that was not done yet; None when cancelled.

        Takes seconds: it may wake the model, unless that is not asked anyway. Raises what the engine raises,
        NoRoomForModel where the tab's own model would need the chat's to give way.
        """
        return self._estimates.estimate(document_ids, wish, cancel)

    def first_look(
        self,
        document_ids: Sequence[int],
        wish: Wish,
        cancel: CancelToken,
        progress: Callable[[float], object] = lambda _share: None,
    ) -> FirstLook | None:
        """The digest, key terms and outline, for which no model is asked; None when cancelled.

        Takes a second for 300 pages. Raises DocumentGone or DocumentUnreadable.
        """
        from app.features.summary.overview import first_look  # a window that lists summaries does without it

        documents = inputs_of(self._documents, document_ids, has_places=False)
        return first_look(documents, wish, lambda: cancel.cancelled, progress)

    def begin(
        self, document_ids: Sequence[int], wish: Wish, *, together: bool, is_draft: bool = True
    ) -> list[StoredSummary]:
        """Queues one summary over all documents, or one each; the draft goes where these are its documents."""
        ids = list(dict.fromkeys(document_ids))
        spec = {"wish": to_json(wish)}
        documents = {one.id: one for one in self._stored(ids)}
        groups = [ids] if together and ids else [[one] for one in ids]
        with self._drafting:
            jobs = [
                self._jobs.add(KIND, joint_title([documents[one] for one in group]), spec, document_ids=group)
                for group in groups
            ]
            if is_draft:
                self._remove_draft()
        return self._rows(jobs)

    def summary(self, summary_id: int) -> Summary | None:
        """What there is of it: complete, or partial where it was stopped; None before anything was read."""
        job, fields = self._job(summary_id), self._store.result(summary_id)
        if job is None or fields is None:
            return None
        try:
            return replace(summary_from_json(fields), title=job.title)
        except (KeyError, TypeError, ValueError) as error:
            log.info("summary %d was stored by another version: %r", summary_id, error)
            return None

    def _draft(self) -> Job | None:
        return next(iter(self._jobs.find(KIND, (DRAFT,))), None)

    def _remove_draft(self) -> None:
        for job in self._jobs.find(KIND, (DRAFT,)):
            self._jobs.remove(job.id)

    def _rows(self, jobs: Sequence[Job]) -> list[StoredSummary]:
        documents = self._store.documents_of([job.id for job in jobs])
        return [from_job(job, documents[job.id]) for job in jobs]

    def _stored(self, document_ids: Sequence[int]) -> list[StoredDocument]:
        """Raises KeyError where one is gone."""
        found = [(one, self._documents.store.get(one)) for one in document_ids]
        for document_id, document in found:
            if document is None:
                raise KeyError(document_id)
        return [document for _, document in found if document is not None]
