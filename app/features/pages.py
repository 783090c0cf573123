"""The pages of the Write tab, and text files in and out of them."""

from __future__ import annotations

import codecs
import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import DocumentUnreadable, TextFileUnreadable
from app.core.visible import visible_name
from app.features.messages import remark_sentence
from app.features.work.saved_file import written
from app.store.pages import Page, PageRow, PageState, PageStore, Ranges

__all__ = ["OpenedFile", "Page", "PageRow", "PageState", "Pages", "Ranges", "text_of"]

MOST_FILE_BYTES = 2_000_000
"""A thick book; saving more than that twice a second, and drawing it, would be felt."""
SEEN = "seen"
"""In a page's `file_form`: what its file was like when it was read or written last."""
_NEVER_TEXT = (b"%PDF-",)
"""Looks like text at its beginning."""
_MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@dataclass(frozen=True)
class OpenedFile:
    """The page of a text file. `remarks` are sentences: a guessed encoding, bytes that were no text."""

    page: Page
    remarks: tuple[str, ...]


class Pages(PageStore):
    """All stored pages; what is said of `PageStore` holds here, too."""

    def open_file(self, path: Path) -> OpenedFile:
        """The page that has this file and its text already, else a new one that is called as the file is.

        Raises TextFileUnreadable. Reads up to two megabytes and may guess their encoding: for a thread of its own.
        """
        path = path.absolute()
        text, form, remarks = _read(path)
        page = self.of_file(path, text)
        if page is None:
            page = self.create(text, title=visible_name(path.name), file=path, file_form=form)
        elif page.file_form != form:
            self.note_file(page.id, path, form)
        return OpenedFile(page, remarks)

    def export(self, page_id: int, path: Path) -> tuple[str, ...]:
        """Saves a page as a file, which is from then on the page's own; returns sentences on what came otherwise.

        The text is written as it is, with the encoding and line ends of the file that it was opened from: UTF-8 where
        there was none, or where that encoding lacks a letter. A file is replaced only by a whole one, and where its own
        was changed by another program meanwhile, that is kept beside it. Raises DiskFull, FolderNotWritable, and
        KeyError for a page that is gone.
        """
        page = self.get(page_id)
        if page is None:
            raise KeyError(page_id)
        path = path.absolute()
        data, form, remarks = _encoded(page.text, page.file_form)
        target = path.resolve()  # a link stays one
        if path == page.file and form.get(SEEN) not in (None, _seen(target)):
            remarks += _kept_beside(target, data)
        with written(target) as file:
            file.write(data)
        self.note_file(page_id, path, form | {SEEN: _seen(target)})
        return remarks


def text_of(path: Path) -> str:
    """The text of a file of which no page is made. Raises TextFileUnreadable; for a thread, as `Pages.open_file`."""
    return _read(path)[0]


def _read(path: Path) -> tuple[str, dict[str, Any], tuple[str, ...]]:
    """Text with one kind of line end, what its file is to have again, and what is to be said."""
    from app.documents.encoding import after_the_text, decode, encoding_of, without_nuls

    seen, data = _seen(path), _bytes_of(path)
    encoding = encoding_of(data)
    if not encoding or data.startswith(_NEVER_TEXT):
        raise _unreadable(path, "not_text")
    decoded, mark = decode(data, encoding), _MARKS.get(encoding, b"")
    has_mark = bool(mark) and data.startswith(mark)
    form = {"encoding": encoding, "newline": _newline(decoded.text), "has_mark": has_mark, SEEN: seen}
    remarks = tuple(remark_sentence(each) for each in after_the_text(encoding, decoded.odd_bytes))
    return without_nuls(decoded.text), form, remarks


def _bytes_of(path: Path) -> bytes:
    from app.documents.files import check_file

    try:
        size_bytes = check_file(path).st_size
        if size_bytes > MOST_FILE_BYTES:
            raise _unreadable(path, "too_large")
        with path.open("rb") as file:
            data = file.read(MOST_FILE_BYTES + 1)
    except DocumentUnreadable as error:
        if error.reason == "empty":
            return b""
        raise _unreadable(path, error.reason) from error
    except OSError as error:
        raise _unreadable(path, DocumentUnreadable.by_system(path, error).reason) from error
    if len(data) > MOST_FILE_BYTES:  # it has grown
        raise _unreadable(path, "too_large")
    return data


def _seen(path: Path) -> list[int] | None:
    """By which a file is known to be as it was: its size in bytes, and when it was changed last, in nanoseconds."""
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _kept_beside(path: Path, data: bytes) -> tuple[str, ...]:
    """A copy of what another program made of a file, unless that is gone, or the same as what is to be written."""
    if not path.is_file() or (path.stat().st_size == len(data) and path.read_bytes() == data):
        return ()
    names = (f"{path.stem}.changed{number or ''}{path.suffix}" for number in itertools.count())
    copy = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    with path.open("rb") as changed, written(copy) as file:
        shutil.copyfileobj(changed, file)
    return (f"Another program had changed {visible_name(path.name)}: what it said is in {visible_name(copy.name)}.",)


def _encoded(text: str, form: dict[str, Any]) -> tuple[bytes, dict[str, Any], tuple[str, ...]]:
    from app.documents.source import Remark

    encoding, newline = form.get("encoding", "utf-8"), form.get("newline", "\n")
    lines = text if newline == "\n" else text.replace("\n", newline)
    remarks: tuple[str, ...] = ()
    try:
        data = lines.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        remarks = (remark_sentence(Remark("became_utf8", {"encoding": encoding})),)
        encoding, data = "utf-8", lines.encode()
    if form.get("has_mark"):
        data = _MARKS.get(encoding, b"") + data
    return data, form | {"encoding": encoding}, remarks


def _newline(text: str) -> str:
    """The line end that a text has most."""
    pairs = text.count("\r\n")
    counts = {"\n": text.count("\n") - pairs, "\r\n": pairs, "\r": text.count("\r") - pairs}
    return max(counts, key=lambda each: counts[each])


def _unreadable(path: Path, reason: str) -> TextFileUnreadable:
    return TextFileUnreadable(str(path), reason, MOST_FILE_BYTES)
