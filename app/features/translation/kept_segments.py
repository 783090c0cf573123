"""The segments of translations in the store, and what a person does with them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from app.documents.segments import Content, marks, nests
from app.features.translation.memory import KeptWords
from app.features.translation.queue import row_of
from app.features.translation.record import outcome_of
from app.features.translation.result import Origin, Translated
from app.features.translation.stored import Row
from app.store.jobs import Job
from app.store.translations import TranslationStore


class KeptSegments:
    """From any thread. `known` gives a translation's job, or raises KeyError."""

    def __init__(self, store: TranslationStore, words: KeptWords, known: Callable[[int], Job]) -> None:
        self._store, self._words, self._known = store, words, known
        self._editing = threading.Lock()

    def rows(self, job_id: int, start: int = 1, count: int | None = None) -> list[Row]:
        """Segments beside their translations, in order from one on; None is all of them."""
        return [row_of(one) for one in self._store.segments(job_id, start, count)]

    def row(self, job_id: int, segment_id: int) -> Row:
        """One segment; raises KeyError where there is none."""
        found = self._store.segment(job_id, segment_id)
        if found is None:
            raise KeyError(segment_id)
        return row_of(found)

    def edit(self, job_id: int, segment_id: int, content: Content) -> Row:
        """What a person writes for a segment; kept in the memory as their own, and never replaced by a model's.

        Raises ValueError where it has not exactly the marks of the source.
        """
        with self._editing:
            row = self.row(job_id, segment_id)
            wanted = {mark.key for mark in marks(row.segment.content)}
            if not nests(content) or {mark.key for mark in marks(content)} != wanted:
                raise ValueError("the marks are not those of the source")
            return self._keep(job_id, row, Translated(segment_id, content, Origin.EDITED))

    def accept(self, job_id: int, segment_id: int) -> Row:
        """It is good as it is; nothing happens to a segment without a translation."""
        with self._editing:
            row = self.row(job_id, segment_id)
            if row.translated is None:
                return row
            return self._keep(job_id, row, replace(row.translated, accepted=True))

    def next_flagged(self, job_id: int, after: int) -> int | None:
        """The next segment to look at behind one, from the top again at the end; None where there is none."""
        return self._store.next_flagged(job_id, after)

    def take_back(self, job_id: int, *, keeps_own: bool, only: int | None = None) -> None:
        """Segments are open again, one or all; with `keeps_own` not those that a person edited or accepted."""
        with self._editing:
            rows = self.rows(job_id) if keeps_own else []
            own = [row.translated for row in rows if row.translated is not None and _is_own(row.translated)]
            self._store.forget_outcomes(job_id, only=only)
            self._store.keep(job_id, map(outcome_of, own))

    def _keep(self, job_id: int, row: Row, translated: Translated) -> Row:
        self._words.keep_own(self._known(job_id), row, translated.content)
        self._store.keep(job_id, [outcome_of(translated)])
        return Row(row.segment, translated)


def _is_own(translated: Translated) -> bool:
    return translated.origin is Origin.EDITED or translated.accepted
