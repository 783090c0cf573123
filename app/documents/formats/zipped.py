"""A ZIP archive of documents: each of them is a page, with its name as the heading.

Readers read files, so each document is unpacked into a folder of the child's own, one at a time; the parent takes the
folder away (`app.documents.read_document`). A place's part begins with the document's name in the archive.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentTooDemanding
from app.core.paths import private_opener
from app.documents.archive import Archive
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.folder import MOST_FILES, documents_in
from app.documents.formats.format_detection import find_format
from app.documents.formats.registry import reader_for
from app.documents.limits import unpacked_folder
from app.documents.source import FileSource, Item, Opened, PageRead, ReadingRemark, counted

# A stranger's name becomes part of a path: no separators, no colons, no leading dot.
_NO_NAME = re.compile(r"[^\w.() -]")
MOST_NAME = 100
MOST_TOLD_NAME = 300


def read(source: FileSource) -> Iterator[Item]:
    """Yield all documents inside. An unreadable one becomes a remark."""
    with Archive(source) as archive:
        found = documents_in(archive.names)
        names = found[:MOST_FILES]
        # Cut at the front: the end of a path has the file's own name.
        yield Opened("file", len(names), names=tuple(name[-MOST_TOLD_NAME:] for name in names))
        folder = unpacked_folder(Path.cwd(), os.getpid())
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            for page, name in enumerate(names, 1):
                if source.wants(page):
                    yield from _ZippedDocument(source, archive, name, page).items(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        yield from counted("others_inside", len(archive.names) - len(names))


class _ZippedDocument:
    """Read one document of the archive by unpacking it into a file of its own."""

    def __init__(self, source: FileSource, archive: Archive, name: str, page: int) -> None:
        self._source, self._archive = source, archive
        self._name, self._page = name, page

    def items(self, folder: Path) -> Iterator[Item]:
        has_text = False
        copy = folder / (_NO_NAME.sub("_", PurePosixPath(self._name).name)[-MOST_NAME:].lstrip(".") or "document")
        try:
            # Unpacked through the archive's counting stream, so a bomb inside ends here.
            with self._archive.open(self._name) as stream, open(copy, "wb", opener=private_opener) as file:
                shutil.copyfileobj(stream, file)
            for item in self._read_copy(copy):
                if isinstance(item, BlockPiece) and not has_text:
                    # The name as a heading comes before the first text, and not at all for a document without any.
                    yield BlockPiece(BlockKind.HEADING, self._name, self._page, BlockPlace(self._name), level=1)
                    has_text = True
                yield item
        except (MemoryError, ImportError, DocumentTooDemanding):
            # Limits of this process and missing libraries are no fault of the one document.
            raise
        except Exception as error:  # noqa: BLE001 - a document may make a library raise anything
            # The budget is for the archive as a whole: other documents must not get a second one.
            if isinstance(error, AppError) and getattr(error, "reason", "") == "inflates":
                raise self._source.unreadable("inflates") from None
            yield ReadingRemark("not_read_inside", {"name": self._name})
        finally:
            copy.unlink(missing_ok=True)
        yield PageRead(self._page, has_text)

    def _read_copy(self, copy: Path) -> Iterator[Item]:
        # Pages were chosen of the archive, not of the document in it.
        inside = replace(self._source, path=copy, first_page=0, last_page=0, remarks=[])
        if copy.stat().st_size == 0 or (format_ := find_format(copy)) == "zipped":
            # An archive in an archive could hold another one, and so on.
            raise self._source.unreadable("not_text")
        for item in reader_for(format_)(inside):
            match item:
                case BlockPiece():
                    level = item.level + 1 if item.kind is BlockKind.HEADING else item.level
                    part = "/".join(filter(None, (self._name, item.place.part)))
                    place = BlockPlace(part, item.place.start, item.place.end)
                    yield item._replace(page=self._page, place=place, level=level)
                case ReadingRemark():
                    yield item
        # What the document inflated counts for the archive.
        self._source.inflated(inside.inflated_bytes)
