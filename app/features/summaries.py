"""Summaries as they are kept: put together, queued, worked off step by step, found again, deleted and taken back.

Each is a stored job of the kind "summary" with the documents it is about; see `app.store.jobs`. States:

    draft     its documents are being put together; there is at most one
    queued    waits for its turn
    running   is being worked on; after a crash or a restart it is queued again
    paused    stopped by the person; what was read is kept, and shown as a partial summary
    done, failed
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.core.cancel import CancelToken
from app.core.errors import AppError
from app.features.summarize import SummaryEvent
from app.features.summary.result import Summary, Wish

KIND = "summary"
TASK = "summarize"


@dataclass(frozen=True)
class StoredSummary:
    """One row of the list. Times are seconds since 1970; `sections` 0: not known yet."""

    id: int
    title: str
    state: str
    wish: Wish
    document_ids: tuple[int, ...]
    sections: int
    sections_read: int
    error: AppError | None
    created_at: float
    updated_at: float


@dataclass(frozen=True)
class Worked:
    """Something happened in one summary. `event` None: its row has changed (state, error, title), look again."""

    id: int
    event: SummaryEvent | None


@dataclass(frozen=True)
class Estimate:
    """What a summary would take. `seconds` None: nothing was measured on this machine with this model yet.

    `tokens` and `sections` are of all documents together; `by_document` are the tokens of each.
    """

    tokens: int
    sections: int
    seconds: float | None
    by_document: tuple[int, ...]


class Summaries:
    """All stored summaries; from any thread. Owns no thread: `run` is a generator for the one that works.

    Writes may raise DiskFull or FolderNotWritable.
    """

    # What is being put together.

    def draft(self) -> StoredSummary | None:
        """The documents that wait for Start, also after a restart."""
        raise NotImplementedError

    def keep_draft(self, document_ids: Sequence[int], wish: Wish) -> StoredSummary | None:
        """Keeps what is put together now; without documents the draft goes."""
        raise NotImplementedError

    def estimate(self, document_ids: Sequence[int], wish: Wish, cancel: CancelToken) -> Estimate | None:
        """Counts with the model's tokenizer and measures it where that was not done yet; None when cancelled.

        Takes seconds: it may wake the model. Raises what the engine raises.
        """
        raise NotImplementedError

    def begin(self, document_ids: Sequence[int], wish: Wish, *, together: bool) -> list[StoredSummary]:
        """Queues one summary over all documents, or one each; the draft goes."""
        raise NotImplementedError

    # The list.

    def find(self, query: str = "") -> list[StoredSummary]:
        """All but the draft: those at work or waiting in their order, then the newest first.

        With a query those with every word of it in the title, the documents' names or the text.
        """
        raise NotImplementedError

    def get(self, summary_id: int) -> StoredSummary | None:
        """One of them; None where it is deleted."""
        raise NotImplementedError

    def summary(self, summary_id: int) -> Summary | None:
        """What there is of it: complete, or partial where it was stopped; None before anything was read."""
        raise NotImplementedError

    def rename(self, summary_id: int, title: str) -> None:
        """Another title."""
        raise NotImplementedError

    def delete(self, summary_id: int) -> None:
        """Stops it and takes it out of the list; gone for good at the next start."""
        raise NotImplementedError

    def restore(self, summary_id: int) -> None:
        """Takes a deletion back."""
        raise NotImplementedError

    # The work.

    def stop(self, summary_id: int) -> None:
        """Ends the work on it at once; what is there is kept, and `resume` goes on."""
        raise NotImplementedError

    def resume(self, summary_id: int) -> None:
        """Queues a paused or failed one again."""
        raise NotImplementedError

    def run(self, cancel: CancelToken) -> Iterator[Worked]:
        """Works off the queue until nothing waits in it; a summary that fails does not keep the next from its turn.

        Cancelled (the program quits), the one at work stays queued. One caller at a time.
        """
        raise NotImplementedError
