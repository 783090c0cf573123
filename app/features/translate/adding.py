"""A file becomes a translation to be begun: its bytes are copied, its segments found by the child and stored."""

from __future__ import annotations

import shutil
import stat
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from app.core.errors.document_errors import DocumentUnreadable
from app.core.events import CancelToken
from app.core.json_forms import to_json
from app.core.lazy_dataclasses import asdict, dataclass, replace
from app.core.paths import disk_problem, make_folder, private_opener
from app.core.synced_files import sync_file
from app.core.visible import visible_name
from app.documents import read_document
from app.documents.protocol import BlocksRead, Segments, SegmentsDone, SegmentsRead
from app.documents.segments import Content
from app.features.document_library import DocumentLibrary, DocumentStored
from app.features.translate.at_work import outcome_of, row_of
from app.features.translate.recomposed import segments_of
from app.features.translate.translation_events import (
    ADDING,
    BLOCKS,
    DRAFT,
    KIND,
    TYPED,
    Adding,
    Pictured,
    Translated,
    TranslationWish,
    searched_text,
)
from app.language.language_names import find_language
from app.store.document_store import StoredDocument
from app.store.encrypted_files import fetch_file, forget_file, store_file, stored_files
from app.store.jobs import Job, JobTable
from app.store.translation_store import TranslationStore

COPY_BYTES = 4_000_000


@dataclass(frozen=True)
class FileCopies:
    """Copies of files being translated, each under its own name in a separate folder.

    Without a folder the files stay in place: for commands that translate one and end.
    """

    folder: Path | None

    def copy_path(self, job_id: int, path: Path) -> Path:
        return path if self.folder is None else fetch_file(self.folder / str(job_id) / path.name)

    def copy_file(self, job_id: int, path: Path, cancel: CancelToken) -> Path:
        """Copy a file. Raises DocumentUnreadable if it can't be read, DiskFull or FolderNotWritable."""
        if (copy := self.copy_path(job_id, path)) == path:
            return path
        try:
            # Reading a pipe or a device would never end.
            if not stat.S_ISREG(path.stat().st_mode):
                raise DocumentUnreadable(str(path), "not_a_file")
            source = path.open("rb")
        except (OSError, ValueError) as error:
            raise DocumentUnreadable.by_system(path, error) from error
        with source:
            try:
                make_folder(copy.parent)
                # Opened with its mode: between making and chmod others could read it.
                with open(copy, "wb", opener=private_opener) as file:
                    # In pieces, so that a cancel counts also on a slow disk.
                    while not cancel.cancelled and (piece := source.read(COPY_BYTES)):
                        file.write(piece)
                # The row that is stored next promises it.
                sync_file(copy)
            except OSError as error:
                raise disk_problem(error, copy.parent) from error
        store_file(copy)
        return copy

    def remove_copy(self, job_id: int) -> None:
        if self.folder is not None:
            forget_file(self.folder / str(job_id))
            shutil.rmtree(self.folder / str(job_id), ignore_errors=True)

    def job_ids(self) -> list[int]:
        if self.folder is None:
            return []
        names = {entry.name for entry in self.folder.iterdir()} if self.folder.is_dir() else set()
        names |= {path.parent.name for path in stored_files(self.folder)}
        return [int(name) for name in names if name.isdecimal()]


class FileAdditions:
    """Adds files to translate; `child_folder` is the document child's."""

    def __init__(
        self,
        jobs: JobTable,
        store: TranslationStore,
        documents: DocumentLibrary,
        copies: FileCopies,
        child_folder: Path,
    ) -> None:
        self._jobs, self._store, self._documents = jobs, store, documents
        self._copies, self._child_folder = copies, child_folder
        self._compared: dict[tuple[int, int], bool] = {}
        """Cache by job and document id: True if their segments differ."""

    def add_file(
        self, path: Path, wish: TranslationWish, cancel: CancelToken, password: str, *, leaves_pictures: bool = False
    ) -> Iterator[Adding | Pictured | int]:
        """Yield progress, at last the job's id; none when cancelled, and nothing is stored then."""
        # Stored before its segments are found, so that a killed run leaves a row by which its copy is found.
        spec = {"wish": to_json(wish), "name": path.name, "path": str(path)}
        # A name may hold signs that turn a line around, and a title is shown.
        job = self._jobs.add(KIND, visible_name(PurePath(path.name).stem or path.name), spec, state=ADDING)
        is_there = False
        try:
            for found in self._find_content(job.id, path, cancel, password, leaves_pictures=leaves_pictures):
                if isinstance(found, Adding | Pictured):
                    yield found
                    continue
                # Without a first segment there is nothing to translate, and a draft would be a dead end.
                if not self._store.read_segment(job.id, 1):
                    raise DocumentUnreadable(str(path), "no_text")
                self._store.keep_result(job.id, {}, searched_text(job, self._store.every_segment(job.id)))
                self._jobs.update(job.id, state=DRAFT, spec=spec | found)
                is_there = True
            if is_there:
                yield job.id
        finally:
            # Also when the generator is closed: a half-added file leaves neither row nor copy.
            if not is_there:
                self._copies.remove_copy(job.id)
                self._jobs.remove(job.id)

    def add_text(self, text: str, wish: TranslationWish) -> int:
        """Add a text as a translation with a segment per paragraph; return the job's id."""
        from app.features.translate.live import segments_of as paragraphs_of  # brings the pipeline along

        job = self._jobs.add(KIND, "", {"wish": to_json(wish), "format": TYPED}, state=ADDING)
        self._store.add_segments(job.id, ((segment.id, to_json(segment)) for segment in paragraphs_of(text)))
        self._store.keep_result(job.id, {"source": text}, text)
        self._jobs.update(job.id, state=DRAFT)
        return job.id

    def document_of(self, job: Job) -> StoredDocument | None:
        """Return the current reading of a job's document; None unless the file was read into blocks."""
        numbers = self._store.documents_of([job.id])[job.id]
        document = self._documents.store.get(numbers[0]) if numbers else None
        return None if document is None else self._documents.current_document(document)

    def is_outdated(self, job: Job) -> bool:
        """Return whether its segments differ from the current document's."""
        document = self.document_of(job)
        if document is None or document.id in self._store.documents_of([job.id])[job.id]:
            return False
        key = job.id, document.id
        if key not in self._compared:
            # Reading a document again takes seconds, so the answer is kept for each document that took its place.
            before = [row_of(stored_segment).segment for stored_segment in self._store.every_segment(job.id)]
            self._compared[key] = before != list(segments_of(self._documents.read_blocks(document.id)))
        return self._compared[key]

    def take_again(self, job: Job) -> None:
        """Replace its segments by the current document's; translations of unchanged ones stay."""
        if (document := self.document_of(job)) is None:
            return
        # The same sentence may stand there several times, each with its own translation, taken in order.
        known: dict[Content, deque[Translated]] = defaultdict(deque)
        for row in map(row_of, self._store.every_segment(job.id)):
            if row.translated is not None:
                known[row.segment.content].append(row.translated)
        segments = list(segments_of(self._documents.read_blocks(document.id)))
        stays = [
            replace(known[segment.content].popleft(), id=segment.id) for segment in segments if known[segment.content]
        ]
        self._store.replace_segments(
            job.id, [document.id], [(segment.id, to_json(segment)) for segment in segments], map(outcome_of, stays)
        )
        told = {"remarks": document.info.get("remarks", [])}
        # A language that was found before, or chosen, isn't guessed anew.
        if not job.spec.get("source_language"):
            told["source_language"] = _language_code(str(document.info.get("language") or ""))
        self._jobs.update(job.id, spec=job.spec | told)
        text = searched_text(job, self._store.every_segment(job.id))
        self._store.keep_result(job.id, self._store.read_result(job.id) or {}, text)

    def _find_content(
        self, job_id: int, path: Path, cancel: CancelToken, password: str, *, leaves_pictures: bool
    ) -> Iterator[Adding | Pictured | dict[str, Any]]:
        """Yield progress, at last the job's fields about the file."""
        copy = self._copies.copy_file(job_id, path, cancel)
        try:
            yield from self._find_segments(job_id, copy, cancel, password)
        except DocumentUnreadable as error:
            if error.reason != "not_rewritable":
                raise
            # Read into blocks, a file is stored with its text: a copy of its bytes has no use any more.
            self._copies.remove_copy(job_id)
            yield from self._find_blocks(job_id, path, cancel, password, leaves_pictures=leaves_pictures)

    def _find_segments(
        self, job_id: int, copy: Path, cancel: CancelToken, password: str
    ) -> Iterator[Adding | dict[str, Any]]:
        count, request = 0, Segments(str(copy), password)
        if cancel.cancelled:
            return
        for event in read_document.find_segments(request, folder=self._child_folder, cancel=cancel):
            match event:
                case SegmentsRead(segments=segments):
                    self._store.add_segments(job_id, ((segment.id, to_json(segment)) for segment in segments))
                    count += len(segments)
                    yield Adding(count)
                case SegmentsDone():
                    yield {
                        "format": event.format,
                        "sha256": event.sha256,
                        "source_language": _language_code(event.language),
                        "remarks": [asdict(remark) for remark in event.remarks],
                    }

    def _find_blocks(
        self, job_id: int, path: Path, cancel: CancelToken, password: str, *, leaves_pictures: bool
    ) -> Iterator[Adding | Pictured | dict[str, Any]]:
        count = 0
        for event in self._documents.read_file(path, cancel, password=password):
            if isinstance(event, DocumentStored):
                # Read before they are translated: the pictures' words would be missing, and adding them changes the
                # document.
                document = event.document
                if not leaves_pictures and self._documents.has_unread_pictures(document):
                    yield Pictured(document)
                    raise DocumentUnreadable(str(path), "pictures")
                self._store.set_documents(job_id, [document.id])
                segments = segments_of(self._documents.read_blocks(document.id))
                self._store.add_segments(job_id, ((segment.id, to_json(segment)) for segment in segments))
                yield {
                    "format": BLOCKS,
                    "source_language": _language_code(str(document.info.get("language") or "")),
                    "remarks": document.info.get("remarks", []),
                }
            else:
                count += len(event.blocks) if isinstance(event, BlocksRead) else 0
                yield Adding(count)


def _language_code(found: str) -> str:
    """Return our code of a language."""
    # The child tells what its detector says; menus and stored wishes have our codes.
    known = find_language(found) if found else None
    return known.code if known else found
