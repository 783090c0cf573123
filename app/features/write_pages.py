"""Pages of the Write tab, reading and saving text files, and options of writing."""

from __future__ import annotations

import codecs
import itertools
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.core.catalogue import tr
from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.exchange_errors import TextFileUnreadable
from app.core.lazy_dataclasses import dataclass, field, replace
from app.core.visible import visible_name
from app.engine.protocol import Ask, Sampling
from app.features.chat.chat_options import known_sampling
from app.features.document_messages import remark_sentence
from app.features.work.saved_file import write_file
from app.store.page_store import PageRow, PageStore, Ranges, StoredPageState, WrittenPage

__all__ = ["OpenedFile", "PageRow", "Pages", "Ranges", "StoredPageState", "WrittenPage", "text_of"]

MOST_FILE_BYTES = 2_000_000
"""A thick book; saving more than that twice a second, and drawing it, would be felt."""
SEEN = "seen"
"""In a page's `file_form`: what its file was like when it was read or written last."""
_SAVING = threading.Lock()
"""One export at a time: otherwise an older text could be written last on a slow disk."""
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

    page: WrittenPage
    remarks: tuple[str, ...]


class Pages(PageStore):
    """All stored pages; what is said of `PageStore` holds here, too."""

    def open_file(self, path: Path) -> OpenedFile:
        """Return the page of this file if it has the same text, else create one named after the file.

        Raises TextFileUnreadable. Reads up to 2 MB and may guess the encoding: call from a worker thread.
        """
        path = path.absolute()
        text, form, remarks = _read_file(path)
        # The same file with other words is another page, so that nothing written here is lost.
        if (page := self.of_file(path, text)) is None:
            page = self.create(text, title=visible_name(path.name), file=path, file_form=form)
        # The text is the same; how it is written has changed.
        elif page.file_form != form:
            self.note_file(page.id, path, form)
        return OpenedFile(page, remarks)

    def export_page(self, page_id: int, path: Path) -> tuple[str, ...]:
        """Save a page as a file, which becomes the page's own; return remarks on differences.

        Keeps the encoding and line ends of the opened file: UTF-8 if there was none or the encoding lacks a
        character. The file is replaced atomically; if another program changed it meanwhile, that version is saved
        next to it. Raises DiskFull, FolderNotWritable, and KeyError for a deleted page.
        """
        with _SAVING:
            return self._export_file(page_id, path.absolute())

    def _export_file(self, page_id: int, path: Path) -> tuple[str, ...]:
        if (page := self.get(page_id)) is None:
            raise KeyError(page_id)
        data, form, remarks = _encode_text(page.text, page.file_form)
        target = path.resolve()  # a link stays one
        # Compared with what was read last: another program's work is kept beside.
        if path == page.file and form.get(SEEN) not in (None, _file_identity(target)):
            remarks += _kept_beside(target, data)
        with write_file(target) as file:
            file.write(data)
        self.note_file(page_id, path, form | {SEEN: _file_identity(target)})
        return remarks


def text_of(path: Path) -> str:
    """Read a file's text without making a page.

    Raises TextFileUnreadable; call from a worker thread, as `Pages.open_file`.
    """
    return _read_file(path)[0]


def _read_file(path: Path) -> tuple[str, dict[str, Any], tuple[str, ...]]:
    """Text with one kind of line end, what its file is to have again, and what is to be said."""
    from app.documents.encoding import after_the_text, decode, encoding_of, without_nuls

    # Before the bytes: a change in between is seen at the next saving.
    seen, data = _file_identity(path), _bytes_of(path)
    # PDFs begin like text.
    if not (encoding := encoding_of(data)) or data.startswith(_NEVER_TEXT):
        raise _unreadable_file(path, "not_text")
    decoded, mark = decode(data, encoding), _MARKS.get(encoding, b"")
    has_mark = bool(mark) and data.startswith(mark)
    form = {"encoding": encoding, "newline": _usual_newline(decoded.text), "has_mark": has_mark, SEEN: seen}
    remarks = tuple(remark_sentence(remark) for remark in after_the_text(encoding, decoded.odd_bytes))
    return without_nuls(decoded.text), form, remarks


def _bytes_of(path: Path) -> bytes:
    from app.documents.child_files import check_file

    try:
        if check_file(path).st_size > MOST_FILE_BYTES:
            raise _unreadable_file(path, "too_large")
        with path.open("rb") as file:
            # One byte more tells that it has grown since.
            data = file.read(MOST_FILE_BYTES + 1)
    except DocumentUnreadable as error:
        if error.reason == "empty":
            # An empty file is a page to write on.
            return b""
        raise _unreadable_file(path, error.reason) from error
    except OSError as error:
        raise _unreadable_file(path, DocumentUnreadable.by_system(path, error).reason) from error
    if len(data) > MOST_FILE_BYTES:  # it has grown
        raise _unreadable_file(path, "too_large")
    return data


def _file_identity(path: Path) -> list[int] | None:
    """Return what identifies a file's state: size in bytes and modification time in nanoseconds."""
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _kept_beside(path: Path, data: bytes) -> tuple[str, ...]:
    """Save a copy of another program's version of a file, unless it is gone or equal to what will be written."""
    if not path.is_file() or (path.stat().st_size == len(data) and path.read_bytes() == data):
        return ()
    names = (f"{path.stem}.changed{number or ''}{path.suffix}" for number in itertools.count())
    copy = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    with path.open("rb") as changed, write_file(copy) as file:
        shutil.copyfileobj(changed, file)
    shown = {"name": visible_name(path.name), "copy": visible_name(copy.name)}
    return (tr("Another program changed {name}. That version was kept as {copy}.", **shown),)


def _encode_text(text: str, form: dict[str, Any]) -> tuple[bytes, dict[str, Any], tuple[str, ...]]:
    from app.documents.source import ReadingRemark

    encoding, newline = form.get("encoding", "utf-8"), form.get("newline", "\n")
    # A page has one kind of line end; its file gets back its own.
    lines = text if newline == "\n" else text.replace("\n", newline)
    remarks: tuple[str, ...] = ()
    try:
        data = lines.encode(encoding)
    # The page has letters that its old encoding lacks.
    except (UnicodeEncodeError, LookupError):
        remarks = (remark_sentence(ReadingRemark("became_utf8", {"encoding": encoding})),)
        encoding, data = "utf-8", lines.encode()
    if form.get("has_mark"):
        data = _MARKS.get(encoding, b"") + data
    return data, form | {"encoding": encoding}, remarks


def _usual_newline(text: str) -> str:
    """Return the most frequent line end."""
    pairs = text.count("\r\n")
    counts = {"\n": text.count("\n") - pairs, "\r\n": pairs, "\r": text.count("\r") - pairs}
    return max(counts, key=lambda each: counts[each])


def _unreadable_file(path: Path, reason: str) -> TextFileUnreadable:
    return TextFileUnreadable(str(path), reason, MOST_FILE_BYTES)


SEEDS = 1 << 32
MOST_AT_ONCE = 5
LONGEST_TOKENS = 8192
USUAL_TOKENS = 64
TOLD = 8
"""Top tokens recorded per written token."""
GREEDY = Sampling(repeat_penalty=1.0, presence_penalty=0.0)
"""Always the likeliest token: nothing that a family of models recommends for chats takes any away."""


@dataclass(frozen=True)
class WritingOptions:
    """Options stored with a page.

    `sampling` has the fields of `protocol.Sampling` that the page overrides. `middle`: fill in between the text
    before and after the cursor: "" (in code), on or off. `language` is the Pygments lexer for highlighting: "" by
    file, "text" for prose.
    """

    max_tokens: int = USUAL_TOKENS
    count: int = 1
    sampling: Mapping[str, float] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    middle: str = ""
    language: str = ""

    def to_fields(self) -> dict[str, Any]:
        return vars(self) | {"sampling": dict(self.sampling), "stop": list(self.stop)}

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> WritingOptions:
        """Read the JSON form; wrong or missing fields fall back to defaults."""
        sampling, stop = stored.get("sampling"), stored.get("stop")
        words = {name: stored[name] for name in ("middle", "language") if isinstance(stored.get(name), str)}
        return cls(
            max_tokens=_value_within(stored.get("max_tokens"), LONGEST_TOKENS, USUAL_TOKENS),
            count=_value_within(stored.get("count"), MOST_AT_ONCE, 1),
            sampling=known_sampling(sampling) if isinstance(sampling, dict) else {},
            stop=tuple(text for text in stop if isinstance(text, str) and text) if isinstance(stop, list) else (),
            **words,
        )

    def make_ask(self, text: str, suffix: str = "", *, tries: int = 0) -> Ask:
        """Build the engine's request. `tries` counts repetitions of the same request, so that a fixed seed moves on."""
        sampling = Sampling(**self.sampling)  # type: ignore[arg-type]
        if sampling.seed is not None:
            # The next seeds, so that asking again gives something else.
            sampling = replace(sampling, seed=(sampling.seed + tries * self.count) % SEEDS)
        return Ask(
            (),
            max_tokens=self.max_tokens,
            sampling=sampling,
            task_sampling=GREEDY if sampling.temperature == 0 else Sampling(),
            stop=self.stop,
            text=text,
            suffix=suffix,
            alternatives=TOLD,
            stop_on_repetition=True,
        )


def _value_within(value: object, most: int, usual: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most else usual
