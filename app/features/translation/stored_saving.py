"""Saves stored translations as documents: what they can be saved as, under which name, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from app.core.errors import DocumentGone
from app.core.events import CancelToken
from app.features.documents import Documents
from app.features.translation.adding import Copies
from app.features.translation.queue import row_of
from app.features.translation.saving import ENDINGS_OF_NEW, Original, check_target, compose, rewrite
from app.features.translation.stored import BLOCKS, TYPED, Saved, Saving, StoredTranslation, wish_of
from app.features.work.whole_file import SCRATCH
from app.language.names import language
from app.store.jobs import Job
from app.store.translations import TranslationStore


class Savings:
    """`child_folder` is the document child's own; `password_of` is what a person gave for a file, "" without one."""

    def __init__(
        self,
        store: TranslationStore,
        documents: Documents,
        copies: Copies,
        child_folder: Path,
        *,
        password_of: Callable[[int], str],
    ) -> None:
        self._store, self._documents, self._copies = store, documents, copies
        self._child_folder, self._password_of = child_folder, password_of

    def save(self, job: Job, path: Path, cancel: CancelToken) -> Iterator[Saving | Saved]:
        """The last thing is Saved, none where it was cancelled.

        Raises TargetIsSource, TargetIsOpen, DiskFull or FolderNotWritable, DocumentGone, or what the child met.
        """
        check_target(path, Path(str(job.spec.get("path", ""))))
        if job.spec.get("format") == BLOCKS:
            yield from self._compose(job, path, cancel)
            return
        name, format_ = str(job.spec.get("name", "")), str(job.spec.get("format", ""))
        copy = self._copies.path(job.id, name)
        if not copy.is_file():
            raise DocumentGone(name or job.title)
        original = Original(copy, format_, str(job.spec.get("sha256", "")), self._password_of(job.id))
        rows = map(row_of, self._store.every_segment(job.id))
        yield from rewrite(original, rows, wish_of(job).target, path, cancel, child_folder=self._child_folder)

    def _compose(self, job: Job, path: Path, cancel: CancelToken) -> Iterator[Saving | Saved]:
        ids = self._store.documents_of([job.id])[job.id]
        document = self._documents.store.get(ids[0]) if ids else None
        if document is None:
            raise DocumentGone(job.title)
        yield Saving(0)
        if not cancel.cancelled:
            blocks, rows = self._documents.blocks(document.id), map(row_of, self._store.every_segment(job.id))
            yield compose(blocks, rows, wish_of(job).target, path, title=job.title, unit=document.unit)


def remove_scratch(child_folder: Path, before: float) -> None:
    """Removes the words of savings that a killed program was at, from before that moment (seconds since 1970)."""
    for lines in child_folder.glob(f"{SCRATCH}*.jsonl"):
        with suppress(OSError):
            if lines.stat().st_mtime < before:
                lines.unlink()


def endings(job: Job) -> tuple[str, ...]:
    """What a translation can be saved as."""
    format_ = job.spec.get("format")
    if format_ == BLOCKS:
        return ENDINGS_OF_NEW
    return () if format_ == TYPED else (Path(str(job.spec.get("name", ""))).suffix,)


def file_name(stored: StoredTranslation, ending: str) -> str:
    """Such as "lease (Português).docx"; it says so where not all is translated."""
    target = language(stored.wish.target)
    said = target.own.replace(" (", ", ").replace(")", "") if target is not None else stored.wish.target
    stem = Path(stored.name).stem or "".join(one if one.isalnum() or one in " -_.()" else " " for one in stored.title)
    partial = ", partial" if stored.done < stored.segments else ""
    return f"{stem.strip()} ({said.replace('/', '-')}{partial}){ending}"
