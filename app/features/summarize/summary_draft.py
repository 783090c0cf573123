"""The draft of a summary: what of it is stored, and how its jobs begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.core.errors.document_errors import DocumentGone
from app.features.summarize.summary_result import SummaryOptions
from app.features.work.job_draft import (
    BeginJobs,
    DraftFound,
    FindDraft,
    JobDraft,
    JobDraftSession,
    JobsBegun,
    StoreDraft,
)

if TYPE_CHECKING:
    from app.features.document_library import DocumentLibrary
    from app.features.summarize.summaries import SummaryJobs
    from app.store.document_store import StoredDocument


class SummaryDraftSession(JobDraftSession):
    """Session of the files to summarize; its draft is stored once `FindDraft` has read the one before."""

    def __init__(self, summaries: SummaryJobs, documents: DocumentLibrary) -> None:
        self._summaries, self._documents = summaries, documents
        super().__init__(
            {FindDraft: self._find_draft, StoreDraft: self._store_draft, BeginJobs: self._begin_jobs},
            JobDraft(options=SummaryOptions()),
        )

    def find_documents(self, ids: Sequence[int]) -> tuple[StoredDocument, ...]:
        """Return the newest versions of documents, without those that no longer exist."""
        found = [self._documents.store.get(number) for number in ids]
        return tuple(self._documents.current_document(document) for document in found if document is not None)

    def _find_draft(self, _effect: FindDraft) -> DraftFound:
        if (stored := self._summaries.find_draft()) is None:
            return DraftFound(None, True, ())
        return DraftFound(stored.wish, stored.is_together, self.find_documents(stored.document_ids))

    def _store_draft(self, effect: StoreDraft) -> None:
        try:
            self._summaries.keep_draft(effect.document_ids, effect.options, is_together=effect.is_together)
        except KeyError as error:
            raise self._gone(error) from error

    def _begin_jobs(self, effect: BeginJobs) -> JobsBegun:
        try:
            rows = self._summaries.begin_summaries(
                effect.document_ids, effect.options, together=effect.is_together or len(effect.document_ids) < 2
            )
        except KeyError as error:
            raise self._gone(error) from error
        return JobsBegun(effect.keys, tuple(rows))

    def _gone(self, error: KeyError) -> DocumentGone:
        number = error.args[0]
        return DocumentGone(next((doc.name for doc in self.state.documents if doc.id == number), ""))
