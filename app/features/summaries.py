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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from app.core.events import CancelToken
from app.core.settings import Settings
from app.engine.client import EngineClient
from app.features.documents import Documents
from app.features.second_model import Swap
from app.features.summary.estimate import Estimates
from app.features.summary.events import InputDocument, Steps, SummaryEvent
from app.features.summary.inputs import inputs_of
from app.features.summary.queue import Queue, Summarize
from app.features.summary.result import Summary, Wish, summary_from_fields, wish_to_fields
from app.features.summary.stored import (
    DRAFT,
    KIND,
    QUEUED,
    RUNNING,
    TASK,
    Estimate,
    StoredSummary,
    Worked,
    from_job,
    joint_title,
)
from app.features.task_engines import TaskEngines
from app.features.turns import Turns
from app.store.documents import StoredDocument
from app.store.jobs import Job, Jobs
from app.store.summaries import SummaryStore

__all__ = ["KIND", "TASK", "Estimate", "StoredSummary", "Summaries", "Worked"]

log = logging.getLogger(__name__)


class Summaries:
    """All stored summaries; from any thread. Owns no thread: `run` is a generator for the one that works.

    Writes may raise DiskFull or FolderNotWritable, and KeyError for a summary or a document that does not exist.
    """

    def __init__(
        self,
        jobs: Jobs,
        store: SummaryStore,
        documents: Documents,
        engines: TaskEngines,
        settings: Callable[[], Settings],
        *,
        turns: Turns | None = None,
        summarize: Summarize | None = None,
    ) -> None:
        self._jobs, self._store, self._documents, self._engines = jobs, store, documents, engines
        self._estimates = Estimates(lambda ids: inputs_of(documents, ids), engines, jobs)
        self._queue = Queue(
            jobs,
            store,
            documents,
            engines,
            turns or Turns(),
            expect=self._estimates.seconds,
            stays_awake=lambda: settings().summaries.stay_awake,
            summarize=summarize or _summarize,
        )
        self._drafting = threading.Lock()

    @property
    def ask(self) -> Callable[[Swap], bool]:
        """Asks the person, on the thread that works, whether the chat's model may give way; by itself it may not."""
        return self._engines.ask

    @ask.setter
    def ask(self, ask: Callable[[Swap], bool]) -> None:
        self._engines.ask = ask

    # What is being put together.

    def draft(self) -> StoredSummary | None:
        """The documents that wait for Start, also after a restart."""
        job = self._draft()
        return None if job is None else self._rows([job])[0]

    def keep_draft(self, document_ids: Sequence[int], wish: Wish, *, is_together: bool = True) -> StoredSummary | None:
        """Keeps what is put together now; without documents the draft goes."""
        with self._drafting:
            job, spec = self._draft(), {"wish": wish_to_fields(wish), "is_together": is_together}
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

        Takes seconds: it may wake the model. Raises what the engine raises, NoRoomForModel where the tab's own model
        would need the chat's to give way.
        """
        return self._estimates.estimate(document_ids, wish, cancel)

    def begin(
        self, document_ids: Sequence[int], wish: Wish, *, together: bool, is_draft: bool = True
    ) -> list[StoredSummary]:
        """Queues one summary over all documents, or one each; the draft goes where these are its documents."""
        ids = list(dict.fromkeys(document_ids))
        spec = {"wish": wish_to_fields(wish)}
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

    # The list.

    def find(self, query: str = "") -> list[StoredSummary]:
        """All but the draft: those at work or waiting in their order, then the newest first.

        With a query those with every word of it in the title, the documents' names or the text.
        """
        jobs = [self._queue.settled(job) for job in self._jobs.find(KIND) if job.state != DRAFT]
        if query.strip():
            found = self._store.search(query)
            jobs = [job for job in jobs if job.id in found]
        waiting = [job for job in jobs if job.state in (RUNNING, QUEUED)]
        waiting.sort(key=lambda job: job.state != RUNNING)
        rest = [job for job in jobs if job.state not in (RUNNING, QUEUED)]
        rest.sort(key=lambda job: (job.created_at, job.id), reverse=True)
        return self._rows([*waiting, *rest])

    def get(self, summary_id: int) -> StoredSummary | None:
        """One of them; None where it is deleted."""
        job = self._job(summary_id)
        return None if job is None else self._rows([job])[0]

    def summary(self, summary_id: int) -> Summary | None:
        """What there is of it: complete, or partial where it was stopped; None before anything was read."""
        job, fields = self._job(summary_id), self._store.result(summary_id)
        if job is None or fields is None:
            return None
        try:
            return replace(summary_from_fields(fields), title=job.title)
        except (KeyError, TypeError, ValueError) as error:
            log.info("summary %d was stored by another version: %r", summary_id, error)
            return None

    def rename(self, summary_id: int, title: str) -> None:
        """Another title."""
        self._jobs.update(summary_id, title=title.strip())

    def delete(self, summary_id: int) -> None:
        """Stops it and takes it out of the list; gone for good at the next start."""
        self._queue.delete(summary_id)

    def restore(self, summary_id: int) -> None:
        """Takes a deletion back; one that was at work or waiting waits for its turn again."""
        self._jobs.restore(summary_id)

    # The work.

    @property
    def at_work(self) -> int | None:
        """Which one is being worked on now."""
        return self._queue.at_work

    def seconds_left(self, summary_id: int) -> float | None:
        """About how much longer the one at work takes, by its pace; None for others, and where nothing tells it yet."""
        return self._queue.seconds_left(summary_id)

    def stop(self, summary_id: int) -> None:
        """Ends the work on it at once; what is there is kept, and `resume` goes on."""
        self._queue.stop(summary_id)

    def resume(self, summary_id: int) -> None:
        """Queues a paused or failed one again."""
        self._queue.resume(summary_id)

    def run(self, cancel: CancelToken) -> Iterator[Worked]:
        """Works off the queue until nothing waits in it; a summary that fails does not keep the next from its turn.

        Cancelled (the program quits), the one at work stays queued. One caller at a time. While other long work has
        its turn, nothing comes.
        """
        for summary_id, event in self._queue.run(cancel):
            yield Worked(summary_id, event)

    def close(self) -> None:
        """The program quits: what `run` has cancelled goes on the next time. Safe to call twice."""
        self._engines.close()

    def _draft(self) -> Job | None:
        return next(iter(self._jobs.find(KIND, (DRAFT,))), None)

    def _remove_draft(self) -> None:
        for job in self._jobs.find(KIND, (DRAFT,)):
            self._jobs.remove(job.id)

    def _job(self, summary_id: int) -> Job | None:
        job = self._jobs.get(summary_id)
        return self._queue.settled(job) if job is not None and job.kind == KIND else None

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


def _summarize(
    documents: Sequence[InputDocument], wish: Wish, engine: EngineClient, steps: Steps, cancel: CancelToken
) -> Iterator[SummaryEvent]:
    from app.features.summarize import summarize  # the window lists summaries without it

    yield from summarize(documents, wish, engine, steps, cancel)
