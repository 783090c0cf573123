"""Reading and correcting one document's picture pages, through the child."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from app.core.events import CancelToken, Media
from app.core.lazy_dataclasses import dataclass
from app.core.paths import make_folder
from app.documents.blocks import PERSON, Block, as_markdown, block_from_fields, block_to_fields
from app.documents.protocol import NO_VIEW, Arrange, PageBlocks, PutUpright, Recognize, View
from app.documents.read_document import PageScanner
from app.features.document_library import DocumentLibrary
from app.store.document_store import StoredDocument, StoredPageReading

PAGE = "page-"
"""So begins the name of a page's picture, while a model looks at it."""
FORGOTTEN_S = 3600.0
Region = tuple[float, ...]
"""Left, top, right and bottom in points; () is all of the page."""


class DocumentScanner:
    """The pages of one document in the hands of a child."""

    def __init__(self, path: Path, password: str, folder: Path) -> None:
        self._path, self._password, self._folder = str(path), password, folder
        make_folder(folder)
        # Before anything is drawn: a killed run's pictures are large.
        _remove_old(folder)
        self._scanning = PageScanner(folder)

    def recognize_region(self, page: int, region: Region, cancel: CancelToken) -> PageBlocks | None:
        """Recognize with tesseract; None when cancelled."""
        return self._scanning.blocks(Recognize(self._path, page, region, self._password), cancel)

    def put_upright(self, page: int, region: Region, most_side: int, cancel: CancelToken) -> tuple[Media, View] | None:
        """Draw a region upright for a model; return the file, to be deleted by the caller, and what it shows.

        None when cancelled.
        """
        handle, name = tempfile.mkstemp(".ppm", PAGE, self._folder)  # another process may read pages, too
        os.close(handle)
        out, drawn = Path(name), None
        try:
            request = PutUpright(self._path, page, str(out), region, most_side, self._password)
            drawn = self._scanning.put_upright(request, cancel)
        finally:
            # Nobody else would delete it.
            if drawn is None:
                out.unlink(missing_ok=True)
        if drawn is None:
            return None
        with out.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Media(digest, str(out), width=drawn.width, height=drawn.height), drawn.view

    def arrange_blocks(
        self, page: int, text: str, view: View, origin: str, cancel: CancelToken
    ) -> tuple[Block, ...] | None:
        """Turn a page's text into blocks; None when cancelled."""
        request = Arrange(self._path, page, text, view, origin, self._password)
        arranged = self._scanning.blocks(request, cancel)
        return arranged.blocks if arranged is not None else None

    def close(self) -> None:
        self._scanning.close()


def _remove_old(folder: Path) -> None:
    """Delete files left by a killed run."""
    for path in folder.glob(f"{PAGE}*.ppm"):
        with suppress(OSError):
            # Younger files may be another process's.
            if time.time() - path.stat().st_mtime > FORGOTTEN_S:
                path.unlink()


@dataclass(frozen=True)
class GivenUp:
    """The user's dropped correction of a page, and the document without it."""

    document: StoredDocument
    correction: StoredPageReading


class PageCorrections:
    """The user's corrections of pages, which take precedence over any reading, also in newer readings of the document.

    Raises KeyError if the document is gone, and the store's errors.
    """

    def __init__(self, documents: DocumentLibrary, document_id: int) -> None:
        self._documents, self._document_id = documents, document_id

    @property
    def readings(self) -> dict[int, StoredPageReading]:
        kept = self._documents.readings
        return kept.read_pages(self._document.sha256) if kept is not None else {}

    def text_of(self, page: int) -> str:
        """Return a page's text as Markdown for correcting; "" without one."""
        reading = self.readings.get(page)
        blocks = map(block_from_fields, reading.blocks) if reading is not None else ()
        return "".join(as_markdown(blocks, "")).strip()

    def correct_page(self, page: int, text: str, cancel: CancelToken) -> StoredDocument | None:
        """Store a correction; return the document with it, None when cancelled. Raises the child's errors, too."""
        document, before = self._document, self.readings.get(page)
        scanner = DocumentScanner(document.path, self._documents.password_of(document.id), self._documents.folder)
        try:
            blocks = scanner.arrange_blocks(page, text, NO_VIEW, PERSON, cancel)
        finally:
            scanner.close()
        if blocks is None or self._documents.readings is None:
            return None
        # Who read it first stays known.
        method, model = (before.method, before.model) if before is not None else (PERSON, "")
        # A correction of a correction still goes back to what was read.
        if before is not None and before.is_edited:
            before = before.before
        fields = tuple(map(block_to_fields, blocks))
        corrected = StoredPageReading(page, method, model, "read", fields, is_edited=True, before=before)
        self._documents.readings.save_page(document.sha256, corrected)
        # Asked again: it may have been replaced while the child worked.
        return self._documents.refresh_document(self._document.id)

    def give_up(self, page: int) -> GivenUp | None:
        """Drop a page's correction, restoring the reading before it; None if there was none."""
        document, readings = self._document, self._documents.readings
        correction = readings.give_up(document.sha256, page) if readings is not None else None
        return GivenUp(self._documents.refresh_document(document.id), correction) if correction is not None else None

    def take_back(self, given_up: GivenUp) -> StoredDocument:
        """Restore a dropped correction, in the current document."""
        document = self._documents.current_document(given_up.document)
        assert self._documents.readings is not None
        self._documents.readings.save_page(document.sha256, given_up.correction)
        return self._documents.refresh_document(document.id)

    @property
    def _document(self) -> StoredDocument:
        if (document := self._documents.store.get(self._document_id)) is None:
            raise KeyError(self._document_id)
        return self._documents.current_document(document)
