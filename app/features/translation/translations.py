"""Translations as they are kept: added, queued, worked off, looked through, edited, saved, deleted and taken back.

Each is a stored job of the kind "translation" with its segments; see `app.store.jobs`. States:

    draft     its segments are there; it waits to be begun
    queued    waits for its turn
    running   is being worked on; after a crash or a restart it is queued again
    paused    stopped by the person; what is translated is kept
    done, failed
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from app.core.events import CancelToken
from app.core.settings import Settings
from app.documents.segments import Content
from app.features.documents import Documents
from app.features.translation.adding import Additions, Copies
from app.features.translation.estimate import Estimates
from app.features.translation.kept_segments import KeptSegments
from app.features.translation.live import TypedTexts
from app.features.translation.memory import Found, KeptWords
from app.features.translation.queue import Queue, Translate, row_of, with_the_pipeline
from app.features.translation.result import Memory, Term, TranslationEvent, TranslationWish, wish_to_fields
from app.features.translation.saving import Savings, endings, file_name, remove_scratch, save_bilingual
from app.features.translation.stored import (
    ADDING,
    DRAFT,
    KIND,
    TASK,
    Added,
    Adding,
    Row,
    Saved,
    Saving,
    StoredTranslation,
    TranslationEstimate,
    from_job,
    source_language_of,
    terms_of,
    wish_of,
)
from app.features.work.engines import TaskEngines
from app.features.work.queue import DONE, QUEUED, RUNNING
from app.features.work.stored import StoredJobs
from app.features.work.turns import Turns  # fmt: skip
from app.store.jobs import Job, Jobs
from app.store.translations import Pair, TranslationMemory, TranslationStore

__all__ = [
    "KIND", "TASK", "Added", "Adding", "Row", "Saved", "Saving", "StoredTranslation", "TranslationEstimate",
    "Translations",
]  # fmt: skip


class Translations(StoredJobs[StoredTranslation, TranslationEvent]):
    """All stored translations; see `StoredJobs`. `add` and `save` are generators, too.

    `child_folder` is the document child's own; passwords of files stay in memory.
    """

    def __init__(
        self,
        jobs: Jobs,
        store: TranslationStore,
        memory: TranslationMemory,
        documents: Documents,
        *,
        engines: TaskEngines,
        settings: Callable[[], Settings],
        copies: Path,
        child_folder: Path,
        turns: Turns | None = None,
        translate: Translate | None = None,
    ) -> None:
        super().__init__(KIND, jobs, store, engines, unlisted=ADDING)
        self._store = store
        self._passwords: dict[int, str] = {}
        self._copies, self._child_folder = Copies(copies), child_folder
        self._additions = Additions(jobs, store, documents, self._copies, child_folder)
        self._savings = Savings(
            store, documents, self._copies, child_folder, password_of=lambda job_id: self._passwords.get(job_id, "")
        )
        self._words, self._texts = KeptWords(store, memory), TypedTexts(jobs, store)
        self._segments = KeptSegments(store, self._words, self._known)
        self._estimates = Estimates(engines, jobs)
        self._at_work = Queue(
            jobs,
            store,
            engines,
            turns or Turns(),
            memory_for=self._words.memory,
            wish_for=self._words.whole_wish,
            stays_awake=lambda: settings().summaries.stay_awake,
            translate=translate or with_the_pipeline,
        )

    @property
    def _queue(self) -> Queue:
        return self._at_work

    # What is put together.

    def add(
        self, path: Path, wish: TranslationWish, cancel: CancelToken, *, password: str = ""
    ) -> Iterator[Adding | Added]:
        """Finds what there is to translate in a file; the last event is Added, and cancelled there is none.

        The file's bytes are copied, so that it can be written whatever becomes of it. Raises DocumentLocked where a
        password is needed, and what else the child met; nothing of the file is then kept.
        """
        for found in self._additions.add(path, wish, cancel, password):
            if isinstance(found, Adding):
                yield found
                continue
            if password:
                self._passwords[found] = password
            yield Added(self._row(self._known(found)))

    def change(self, translation_id: int, wish: TranslationWish) -> None:
        """Another wish: what does not hold for it any more is taken back, and found again in the memory or asked anew.

        What a person edited or accepted stays as long as the languages are the same. One at work goes on with it.
        """
        job = self._known(translation_id)
        before = wish_of(job)
        if wish == before:
            return
        with self._queue.changing():
            is_other_text = (wish.target, wish.source) != (before.target, before.source)
            self._segments.take_back(job.id, keeps_own=not is_other_text)
            self._jobs.update(job.id, spec=job.spec | {"wish": wish_to_fields(wish)})
        if job.state in (QUEUED, RUNNING):
            self._queue.begin_again(job.id)
        elif job.state != DRAFT:
            self._jobs.update(job.id, state=DRAFT)

    def estimate(self, translation_id: int, cancel: CancelToken) -> TranslationEstimate | None:
        """What it would take; None when cancelled. Takes seconds: it may wake the model, and measures it once.

        Raises what the engine raises, NoRoomForModel where the tab's own model would need the chat's to give way.
        """
        job = self._known(translation_id)
        wish, source = self._words.whole_wish(job), source_language_of(job)
        rows = self._segments.rows(job.id)
        return self._estimates.estimate(rows, lambda model: self._words.memory(wish, source, model), cancel)

    def begin(self, translation_ids: Sequence[int]) -> None:
        """Queues drafts, in this order; one that is done is worked through anew, and only what changed is asked."""
        for translation_id in translation_ids:
            job = self._known(translation_id)
            if job.state == DONE:
                with self._queue.changing():
                    self._segments.take_back(job.id, keeps_own=True)
            if job.state not in (QUEUED, RUNNING):
                self._jobs.queue_last(job.id)

    def translate_again(self, translation_id: int, segment_id: int) -> None:
        """Takes one segment back and queues the translation, which asks for it anew."""
        job = self._known(translation_id)
        with self._queue.changing():
            self._segments.take_back(job.id, keeps_own=False, only=segment_id)
        if job.state in (QUEUED, RUNNING):
            self._queue.begin_again(job.id)
        else:
            self._jobs.queue_last(job.id)

    # Its segments.

    def rows(self, translation_id: int, start: int = 1, count: int | None = None) -> list[Row]:
        """Segments beside their translations, in order from one on; None is all of them."""
        return self._segments.rows(translation_id, start, count)

    def row(self, translation_id: int, segment_id: int) -> Row:
        """One segment; raises KeyError where there is none."""
        return self._segments.row(translation_id, segment_id)

    def edit(self, translation_id: int, segment_id: int, content: Content) -> Row:
        """What a person writes for a segment; kept in the memory as their own, and never replaced by a model's.

        Raises ValueError where it has not exactly the marks of the source.
        """
        return self._segments.edit(translation_id, segment_id, content)

    def accept(self, translation_id: int, segment_id: int) -> Row:
        """A person says that it is good as it is; nothing happens to a segment without a translation."""
        return self._segments.accept(translation_id, segment_id)

    def next_flagged(self, translation_id: int, after: int) -> int | None:
        """The next segment to look at behind one, from the top again at the end; None where there is none."""
        return self._store.next_flagged(translation_id, after)

    def terms(self, translation_id: int) -> tuple[Term, ...]:
        """Names and terms that it repeats, and the renderings that are the same in all of it."""
        return terms_of(self._known(translation_id))

    # Files.

    def tidy(self, before: float) -> None:
        """Removes for good what was deleted, and what an ended program left half-added or half-saved; slow.

        Only of before that moment (seconds since 1970).
        """
        half = [job.id for job in self._jobs.find(KIND, (ADDING,)) if job.created_at < before]
        for job_id in (*half, *self._jobs.deleted(KIND, before)):
            self._store.remove_segments(job_id)
            self._jobs.remove(job_id)
        for job_id in set(self._copies.job_ids()) - self._jobs.ids(KIND):
            self._copies.remove(job_id)
        remove_scratch(self._child_folder, before)

    def endings(self, translation_id: int) -> tuple[str, ...]:
        """What it can be saved as, the usual one first; nothing for typed text."""
        return endings(self._known(translation_id))

    def file_name(self, translation_id: int, ending: str) -> str:
        """A name for it, such as "lease (Português).docx"; it says so where it is partial."""
        return file_name(self._row(self._known(translation_id)), ending)

    def save(self, translation_id: int, path: Path, cancel: CancelToken) -> Iterator[Saving | Saved]:
        """Writes the document; the last event is Saved, and cancelled there is none: nothing has then changed.

        It is there only when it is whole, and never in place of its source. Where not all is translated, the rest
        stays in its language, and says so in front of each segment in formats that people read. Raises TargetIsSource,
        TargetIsOpen, DiskFull, FolderNotWritable, DocumentGone, and what the child meets.
        """
        yield from self._savings.save(self._known(translation_id), path, cancel)

    def save_bilingual(self, translation_id: int, path: Path) -> None:
        """Source and translation side by side with what was flagged: a .html, .csv or .tmx file by the ending.

        Raises DiskFull or FolderNotWritable.
        """
        job = self._known(translation_id)
        rows = (row_of(one) for one in self._store.every_segment(job.id))
        save_bilingual(rows, path, title=job.title, source=source_language_of(job), target=wish_of(job).target)

    # Glossary and memory.

    def glossary(self, source: str, target: str) -> tuple[Term, ...]:
        """The terms of a pair of languages."""
        return self._words.glossary(source, target)

    def keep_glossary(self, source: str, target: str, terms: Sequence[Term]) -> None:
        """These are the terms of a pair now; translations that are begun from now on have them beside their own."""
        self._words.keep_glossary(source, target, terms)

    def memory(self, wish: TranslationWish, source_language: str, model: Path) -> Memory:
        """What was translated for such a wish by this model, and what a person made of it."""
        return self._words.memory(wish, source_language, model)

    def export_tmx(self, path: Path) -> None:
        """Writes the whole memory; raises DiskFull or FolderNotWritable."""
        self._words.export_tmx(path)

    def import_tmx(self, path: Path) -> int:
        """Takes the translations of a file into the memory; returns how many. Raises DocumentUnreadable."""
        return self._words.import_tmx(path)

    def pairs(self) -> dict[Pair, int]:
        """Of which languages the memory has translations, and how many."""
        return self._words.pairs()

    def memory_bytes(self) -> int:
        """About what the memory takes on the disk."""
        return self._words.memory_bytes()

    def remembered(
        self, cancel: CancelToken, words: str = "", *, pair: Pair | None = None, translation_id: int | None = None
    ) -> Found:
        """What the memory has with these words: of a pair of languages, of the segments of one translation, or all.

        Reads all of it, so not for the window's thread; nothing where it was cancelled.
        """
        only = None
        if translation_id is not None:
            only = self._words.ids_of(self._known(translation_id), self._segments.rows(translation_id))
        return self._words.find(words, pair, only, cancel)

    def forget(self, ids: Iterable[int] | None) -> int:
        """Deletes translations from the memory for good, all of them with None; how many there were.

        Translations in the list stay as they are.
        """
        return self._words.forget(ids)

    # Typed text.

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
        """Keeps a typed text with its translation in the list; with `id` in place of what that one has.

        `model` is the name of its file.
        """
        job = self._job(id) if id is not None else None
        kept = self._texts.keep(job, (source, target), wish, source_language=source_language, model=model)
        return self._row(self._known(kept))

    def text(self, translation_id: int) -> tuple[str, str]:
        """A typed text and its translation; empty ones for any other."""
        return self._texts.texts(translation_id)

    def _job(self, job_id: int) -> Job | None:
        job = super()._job(job_id)
        return None if job is None or job.state == ADDING else job

    def _known(self, translation_id: int) -> Job:
        """Raises KeyError where it is gone."""
        job = self._job(translation_id)
        if job is None:
            raise KeyError(translation_id)
        return job

    def _row(self, job: Job) -> StoredTranslation:
        return self._rows([job])[0]

    def _rows(self, jobs: Sequence[Job]) -> list[StoredTranslation]:
        counts = self._store.counts([job.id for job in jobs])
        return [from_job(job, counts[job.id]) for job in jobs]
