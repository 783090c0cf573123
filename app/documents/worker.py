"""The document child: reads one file into blocks, or draws its pages, within limits.

It leaves when its standard input closes, whatever it is doing; who wants it to stop kills it.
"""

from __future__ import annotations

import errno
import faulthandler
import hashlib
import logging
import os
import stat
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from app.core.child import NOTE, claim_wire
from app.core.errors import AppError, DocumentTooDemanding, DocumentUnreadable
from app.documents.blocks import Block, Numbering, Piece
from app.documents.clean import clean_piece, clean_text, fit_for_the_wire
from app.documents.formats import find_format, really
from app.documents.language import Sample
from app.documents.limits import limit_this_process
from app.documents.protocol import BlocksRead, Done, Draw, Event, Failed, Found, Read, event_line, request_from
from app.documents.readers import reader_for
from app.documents.source import Item, Opened, PageRead, Remark, Source

DEFECT_EXIT_CODE = 70
TELL_EVERY_S = 0.1
MOST_TOLD_CHARACTERS = 1_000_000
"""In one line, about: a line has at most two pieces' text."""
HASHED_BYTES = 1024 * 1024
MOST_REMARKS = 200

Tell = Callable[[Event], None]


def main(_arguments: list[str]) -> int:
    """`--document-worker`: requests come in, events go out. Never returns: the process ends itself."""
    reader, writer = claim_wire()
    logging.basicConfig(level=logging.CRITICAL, format=f"{NOTE}%(message)s", stream=sys.stderr)
    logging.getLogger("app").setLevel(logging.INFO)  # not the libraries': they may tell what is in a document
    faulthandler.enable(file=sys.stderr)
    lines: SimpleQueue[bytes] = SimpleQueue()

    def listen() -> None:
        for line in reader:
            lines.put(line)
        os._exit(0)

    def tell(event: Event) -> None:
        writer.write(event_line(event))
        writer.flush()

    threading.Thread(target=listen, name="parent", daemon=True).start()
    is_limited = False
    try:
        while True:
            request = request_from(lines.get())
            if not is_limited:
                limit_this_process(request.memory_bytes)
                is_limited = True
            tell(last_event(request, tell))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent reads it from stderr
        _tell_log(error)
    os._exit(DEFECT_EXIT_CODE)


def last_event(request: Read | Draw, tell: Tell) -> Event:
    """Carries out a request. What a reader raises and is no AppError counts as damage of the file."""
    path = request.path
    try:
        return _Reading(request, tell).run() if isinstance(request, Read) else _draw(request)
    except AppError as error:
        return Failed(error)
    except MemoryError:
        pass  # what the reader holds is let go before there is anything to say
    except RecursionError:
        return Failed(DocumentUnreadable(path, "too_deep"))
    except OSError as error:
        _tell_log(error)
        return Failed(DocumentUnreadable(path, reason_of(error)))
    except ImportError:
        raise  # no fault of the file
    except Exception as error:  # noqa: BLE001 - a file may make a library raise anything
        _tell_log(error)
        return Failed(DocumentUnreadable(path, "damaged"))
    return Failed(DocumentTooDemanding(path, "memory"))


def _tell_log(error: BaseException) -> None:
    """Where it happened, for the log. Not what the exception says: that may be text of the document."""
    sys.stderr.write("".join(traceback.format_tb(error.__traceback__)) + f"{type(error).__name__}\n")
    sys.stderr.flush()


_REASONS = {
    "missing": (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG),
    "denied": (errno.EACCES, errno.EPERM, errno.EIO, errno.EBUSY, errno.ETIMEDOUT),
    "not_a_file": (errno.ELOOP, errno.EISDIR, errno.ENXIO),
    "changed": (errno.ESTALE,),
}


def reason_of(error: OSError) -> str:
    """What is wrong with a file that the system does not give; damaged for what a reader did with a wrong number."""
    return next((reason for reason, numbers in _REASONS.items() if error.errno in numbers), "damaged")


def check_file(path: Path) -> os.stat_result:
    """Whether there is something to read in a regular file; raises DocumentUnreadable.

    Nothing else is ever opened: reading a pipe or a device may never end, and has effects.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise DocumentUnreadable(str(path), "not_a_file")
        # It may have become a pipe by now, which must not be waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        os.close(descriptor)
    except OSError as error:
        reason = "missing" if error.errno == errno.EINVAL else reason_of(error)  # Windows, for a name it cannot have
        raise DocumentUnreadable(str(path), reason) from error
    except ValueError as error:  # a name that no system can have
        raise DocumentUnreadable(str(path), "missing") from error
    if found.st_size == 0:
        raise DocumentUnreadable(str(path), "empty")
    return found


class _Reading:
    """One file's way into blocks."""

    def __init__(self, request: Read, tell: Tell) -> None:
        self._path, self._tell = Path(request.path), tell
        self._source = Source(
            self._path, request.password, request.encoding, request.first_page, request.last_page, request.recognize
        )
        self._format = ""
        self._opened = Opened()
        self._numbering = Numbering()
        self._waiting: list[Block] = []
        self._waiting_characters = 0
        self._told_s = float("-inf")
        self._hidden = 0
        self._without_text: list[int] = []
        self._has_pictures = False
        self._remarks = Remarks()
        self._sample = Sample()

    def run(self) -> Done:
        """Until all is read; raises an AppError, or whatever a reader raises."""
        before = check_file(self._path)
        self._format = find_format(self._path)
        if really(self._format, self._path.suffix):
            self._remarks.add(Remark("really", {"format": self._format, "ending": self._path.suffix}))
        for item in reader_for(self._format)(self._source):
            self._take(item)
        self._flush()
        if not self._numbering.count and not self._has_pictures:
            raise self._source.unreadable("no_text")
        if self._hidden:
            self._remarks.add(Remark("hidden_characters", {"count": self._hidden}))
        sha256 = self._hash()
        after = self._path.stat()
        if any(getattr(before, name) != getattr(after, name) for name in ("st_size", "st_mtime_ns", "st_ino")):
            raise self._source.unreadable("changed")
        return Done(
            self._opened.pages,
            tuple(self._without_text),
            self._numbering.count,
            self._sample.language(),
            sha256,
            self._remarks.all(),
        )

    def _take(self, item: Item) -> None:
        match item:
            case Piece():
                self._add(item)
            case PageRead():
                self._flush()
                if not item.has_text and not item.recognized:
                    self._without_text.append(item.page)
                self._has_pictures |= item.is_picture
                self._tell(item)
            case Remark():
                self._remarks.add(item)
            case Opened():
                title = " ".join(clean_text(item.title).split())
                self._opened = Opened(item.unit, item.pages, title, item.encoding)
                self._tell(Found(self._format, self._opened))

    def _add(self, piece: Piece) -> None:
        piece, hidden = clean_piece(piece)
        self._hidden += hidden
        if not piece.text.strip():
            return
        for part in fit_for_the_wire(piece):
            self._sample.add(part)
            self._waiting.append(self._numbering.block(part))
            self._waiting_characters += len(part.text) + 200
            if self._waiting_characters >= MOST_TOLD_CHARACTERS or time.monotonic() - self._told_s >= TELL_EVERY_S:
                self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._tell(BlocksRead(tuple(self._waiting)))
            self._waiting, self._waiting_characters, self._told_s = [], 0, time.monotonic()

    def _hash(self) -> str:
        """The file's sha256; an empty batch of blocks says now and then that a large file takes its time."""
        found = hashlib.sha256()
        with self._path.open("rb", buffering=0) as file:
            while data := file.read(HASHED_BYTES):
                found.update(data)
                if time.monotonic() - self._told_s >= 1:
                    self._tell(BlocksRead(()))
                    self._told_s = time.monotonic()
        return found.hexdigest()


class Remarks:
    """What a reader remarks on, each thing once: counts of the same are added up."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Remark] = {}

    def add(self, remark: Remark) -> None:
        """One more, unless there are too many to tell."""
        others = sorted((name, value) for name, value in remark.values.items() if name != "count")
        key = (remark.name, *others)
        known = self._found.get(key)
        if known is not None and "count" in remark.values:
            count = int(known.values["count"]) + int(remark.values["count"])
            self._found[key] = Remark(remark.name, {**known.values, "count": count})
        elif known is None and len(self._found) < MOST_REMARKS:
            values = {name: clean_text(v) if isinstance(v, str) else v for name, v in remark.values.items()}
            self._found[key] = Remark(remark.name, values)

    def all(self) -> tuple[Remark, ...]:
        """In the order in which they came first."""
        return tuple(self._found.values())


def _draw(request: Draw) -> Event:
    path = Path(request.path)
    check_file(path)
    from app.documents.readers.pdf_page import draw

    return draw(path, request.page, request.scale, request.password, request.most_pixels)
