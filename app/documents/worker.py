"""The document child: reads a file into blocks, draws its pages, finds its segments or rewrites it, within limits.

It leaves when its standard input closes, whatever it is doing; who wants it to stop kills it.
"""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import logging
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from app.core.cage import enter_cage, loader_of, programs_of
from app.core.cage_report import CageReport
from app.core.child import NOTE, claim_wire, run_in_heart
from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentPagesMissing, DocumentTooDemanding, DocumentUnreadable
from app.core.errors.engine_errors import ProtocolViolation
from app.core.landlock import ThreadGrant, program_places
from app.core.wire import Caged, Failed, ParentSide, check_request
from app.documents import clean, protocol
from app.documents.blocks import TESSERACT, Block, BlockNumbering, BlockPiece
from app.documents.child_files import (
    check_file,
    open_checked,
    reason_of,
    require_unchanged,
)
from app.documents.file_pass import FilePass, Tell
from app.documents.formats.format_detection import find_format
from app.documents.formats.registry import drawer_for, reader_for, scanner_for
from app.documents.formats.tesseract import tesseract_places, tesseract_program
from app.documents.limits import limit_this_process, unpacked_folder
from app.documents.protocol import WIRE, Event
from app.documents.segment_pass import rewritten
from app.documents.source import FileSource, Item, Opened, PageRead, ReadingRemark

DEFECT_EXIT_CODE = 70
MOST_TITLE_CHARACTERS = 1000
PATIENCE_S = 5.0
"""Seconds of computing without progress: one large page may take that long, an endless loop takes longer."""


def main(_arguments: list[str]) -> int:
    """Run `--document-worker`: read requests, write events. Never returns: the process ends itself."""
    progress = WorkerProgress(PATIENCE_S)
    streams = claim_wire(is_at_work=lambda: progress.is_at_work, progress=progress.figures)
    parent = ParentSide(WIRE, *streams)
    logging.basicConfig(level=logging.CRITICAL, format=f"{NOTE}%(message)s", stream=sys.stderr)
    logging.getLogger("app").setLevel(logging.INFO)  # not the libraries': they may tell what is in a document
    # A crash inside a library then leaves its stack on stderr, which the parent logs.
    faulthandler.enable(file=sys.stderr)
    requests: SimpleQueue[protocol.Request | ProtocolViolation] = SimpleQueue()

    def tell(event: Event) -> None:
        parent.send_reply(event)
        # Sending is progress, too: a slow parent must not look like a hang.
        progress.step()

    parent.send_greeting()
    try:
        if (first := next(parent.read_requests(), None)) is None:
            os._exit(0)
        request = check_request(first)
        # A decoding child opens pictures by a thread that may; see `FileOpener`.
        open_file = FileOpener().open if isinstance(request, protocol.Decode) else open_checked
        # All before the file is opened, and once: limits can only be lowered. The memory's comes last, or no thread
        # could start.
        parent.send_reply(Caged(restrict_to(request)))
        parent.leave_with_parent(
            # The parent removes it as well; whoever is left does it.
            requests.put,
            lambda: shutil.rmtree(unpacked_folder(Path.cwd(), os.getpid()), ignore_errors=True),
        )
        limit_this_process(request.memory_bytes, is_writing=isinstance(request, protocol.Rewrite))
        requests.put(request)
        while True:
            request = check_request(requests.get())
            # Only now is anybody waiting: between requests silence is no hang.
            with progress.at_work():
                tell(last_event(request, tell, progress.step, open_file))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent reads it from stderr
        _tell_log(error)
    # No clean-up of libraries: a destructor of PDFium or Qt may hang or crash over what a file did.
    os._exit(DEFECT_EXIT_CODE)


class FileOpener:
    """Open files in a thread started before the others were restricted, so that it can open what requests name.

    One child decodes picture after picture but is restricted once, and no picture may open another.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "file-opener")
        # Started here, or it would begin with the first file, when the restriction already holds for new threads.
        self._thread.submit(int).result()

    def open(self, path: Path, mode: str) -> IO[Any]:
        """Open a file as `open_checked` does, on the unrestricted thread; raises the same."""
        return self._thread.submit(open_checked, path, mode).result()


def restrict_to(request: protocol.Request) -> CageReport:
    """Restrict this process to the request's files, its own folder, the program and tesseract, without any network, as
    far as the kernel can.

    Later requests are for the same file, or pictures opened by `FileOpener`.
    """
    # Libraries load plug-ins and tables when they are first needed, so their folders stay open.
    reading = [*program_places(), *tesseract_places()]
    writing = [Path.cwd(), Path(os.devnull)]
    if not isinstance(request, protocol.Decode):
        reading.append(Path(request.path))
    if isinstance(request, protocol.Rewrite):
        reading.append(Path(request.translations))
    if isinstance(request, protocol.Rewrite | protocol.PutUpright):
        writing.append(Path(request.out))
    if isinstance(request, protocol.Listen):
        writing.append(Path(request.folder))
    tesseract = tesseract_program()
    # One that is a script starts what nobody can know.
    programs = None if tesseract and not loader_of(tesseract) else programs_of(*filter(None, [tesseract]))
    return enter_cage(ThreadGrant(reading, writing, (), programs, ports=()), other_threads=(run_in_heart,))


class WorkerProgress:
    """Signs of a request's progress: its steps, programs computing for it, and limited time without either.

    A thread that merely runs proves nothing, and one that computes may do so forever.
    """

    def __init__(self, patience_s: float) -> None:
        self.is_at_work = False
        self._patience_s = patience_s
        self._steps, self._seen, self._since_s = 0, 0, 0.0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Within the block a caller waits, so that a lack of progress counts."""
        self.step()
        self.is_at_work = True
        try:
            yield
        finally:
            self.is_at_work = False

    def step(self) -> None:
        """Record progress: something was sent, or more was read."""
        self._steps += 1

    def figures(self) -> tuple[float, ...]:
        """Return figures of which one grows with progress; the caller's own thread isn't counted."""
        # The heartbeat's own thread asks for this, and its time is no progress.
        now_s = time.process_time() - time.thread_time()
        if self._steps != self._seen:
            self._seen, self._since_s = self._steps, now_s
        programs_s = _computed_by_programs() if self.is_at_work else 0.0
        # Limited: a loop that computes for ever gives a growing figure for a short while only.
        return self._steps, min(now_s - self._since_s, self._patience_s), programs_s


def _computed_by_programs() -> float:
    """Return processor seconds of programs that this process started, such as tesseract."""
    total_s = 0.0
    with contextlib.suppress(OSError, MemoryError):  # at the limit of this process's memory nothing is found
        import psutil

        for program in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                total_s += sum(program.cpu_times()[:2])
    return total_s


def last_event(
    request: protocol.Request,
    tell: Tell,
    on_step: Callable[[], None] = lambda: None,
    open_file: Callable[[Path, str], IO[Any]] = open_checked,
) -> Event:
    """Carry out a request. Exceptions other than AppErrors count as damage of the file.

    `on_step` is called when more was read; `open_file` opens pictures.
    """
    path = request.path
    try:
        return _carry_out(request, tell, on_step, open_file)
    except AppError as error:
        return Failed(error)
    except MemoryError:
        # Said at the end of the function: until then the frames of the traceback hold what filled the memory.
        pass
    except RecursionError:
        return Failed(DocumentUnreadable(path, "too_deep"))
    except OSError as error:
        # Mapping a file raises this at the limit of memory, not a MemoryError.
        if error.errno != errno.ENOMEM:
            _tell_log(error)
            return Failed(DocumentUnreadable(path, reason_of(error)))
    except ImportError:
        raise  # no fault of the file
    except Exception as error:  # noqa: BLE001 - a file may make a library raise anything
        _tell_log(error)
        return Failed(DocumentUnreadable(path, "damaged"))
    return Failed(DocumentTooDemanding(path, "memory"))


def _carry_out(
    request: protocol.Request, tell: Tell, on_step: Callable[[], None], open_file: Callable[[Path, str], IO[Any]]
) -> Event:
    match request:
        case protocol.Read():
            return _BlockPass(request, tell, on_step).run()
        case protocol.Draw():
            return _draw_page(request)
        case protocol.Decode():
            from app.documents.decoding import decode  # Qt, which no document needs

            return decode(request, on_step, open_file)
        case protocol.Listen():
            from app.documents.formats.sound import listen  # what decodes it, which no document needs

            return listen(request, tell, on_step)
        case protocol.PutUpright() | protocol.Recognize() | protocol.Arrange():
            return _handle_image_page(request)
        case _:
            return rewritten(request, tell, on_step)


def _tell_log(error: BaseException) -> None:
    """Log where an error happened, not its message, which may be text of the document."""
    # A message of lxml or json quotes the line that it stumbled over.
    sys.stderr.write("".join(traceback.format_tb(error.__traceback__)) + f"{type(error).__name__}\n")
    sys.stderr.flush()


class _BlockPass(FilePass):
    """Read a file into numbered blocks, and gather what is to be told of all of it: language, remarks, pages."""

    def __init__(self, request: protocol.Read, tell: Tell, on_step: Callable[[], None]) -> None:
        source = FileSource(
            Path(request.path),
            request.password,
            request.encoding,
            request.first_page,
            request.last_page,
            request.recognize,
            on_step=on_step,
        )
        super().__init__(source, tell, protocol.BlocksRead)
        self._format = ""
        self._opened = Opened()
        self._numbering = BlockNumbering()
        self._hidden = 0
        self._without_text: list[int] = []
        self._is_recognized = False
        self._has_pictures = False
        self._sample = clean.ProseSample()
        self._fonts = clean.LegacyFonts()

    def run(self) -> protocol.Done:
        """Read everything. Raises an AppError, or whatever a reader raises."""
        self._format = self._find_format()
        for item in reader_for(self._format)(self._source):
            self._take_item(item)
        self._flush()
        # A document of pictures only is one: its pages can be read later.
        if not self._numbering.count and not self._has_pictures:
            raise self._source.unreadable("no_text")
        for remark in self._fonts.remarks():
            self._remarks.add(remark)
        if self._is_recognized:
            self._remark("recognized")
        self._remark("hidden_characters", count=self._hidden)
        sha256 = self._sha256()
        # Last: blocks of half the old and half the new file would be worse than an error.
        require_unchanged(self._path, self._before)
        return protocol.Done(
            self._opened.pages,
            tuple(self._without_text),
            self._numbering.count,
            self._sample.language(),
            sha256,
            self._remarks.all(),
        )

    def _take_item(self, item: Item) -> None:
        self._source.on_step()
        match item:
            case BlockPiece():
                self._add(item)
            case PageRead():
                # Pages are told behind their blocks, so that the parent may show one as soon as it is told.
                self._flush()
                if not item.has_text and not item.recognized:
                    self._without_text.append(item.page)
                self._has_pictures |= item.is_picture
                self._is_recognized |= item.recognized
                self._tell(item)
            case ReadingRemark():
                self._remarks.add(item)
            case Opened():
                title = " ".join(clean.clean_text(item.title[:MOST_TITLE_CHARACTERS]).split())
                # The title of an old font is recoded like the text.
                self._opened = Opened(item.unit, item.pages, self._recoded(title, item), item.encoding, item.names)
                self._tell(protocol.Found(self._format, self._opened))
                self._check_pages(item)

    def _check_pages(self, opened: Opened) -> None:
        """Remark on chosen pages that don't exist; raises DocumentPagesMissing where none of them does."""
        first, last = self._source.first_page, self._source.last_page
        if not first and not last:
            return
        if not opened.unit:
            # All of a document without pages is read: whoever chose some gets more, not nothing.
            self._remark("no_pages")
        elif first > opened.pages:
            raise DocumentPagesMissing(str(self._path), opened.unit, opened.pages, first, last)
        elif last > opened.pages:
            self._remark("fewer_pages", unit=opened.unit, pages=opened.pages, last=last)

    def _add(self, piece: BlockPiece) -> None:
        piece, hidden = clean.clean_piece(piece)
        self._hidden += hidden
        if not piece.text.strip():
            return
        piece = piece._replace(text=self._recoded(piece.text, self._opened))
        self._fonts.inspect_text(piece.text)
        for part in clean.fit_for_the_wire(piece):
            self._sample.add(part)
            # Cut into parts before it is numbered, so that numbers stay without gaps.
            block = self._numbering.block(part)
            self._wait(block, block.characters)

    def _recoded(self, text: str, opened: Opened) -> str:
        """Decode text by the user's encoding for formats without one: it is that of their fonts."""
        is_done = bool(opened.encoding) or self._format == "zipped"  # whose documents were read in it
        return text if is_done or not self._source.encoding else clean.recoded(text, self._source.encoding)


def _handle_image_page(request: protocol.PutUpright | protocol.Recognize | protocol.Arrange) -> Event:
    """Handle a request on an image page: draw it, read it by tesseract, or arrange its transcript."""
    path = Path(request.path)
    check_file(path)
    task = {protocol.PutUpright: "put_upright", protocol.Recognize: "recognize", protocol.Arrange: "lines_of"}
    do = scanner_for(find_format(path), task[type(request)])
    if do is None:
        raise DocumentUnreadable(request.path, "not_drawn")
    if isinstance(request, protocol.PutUpright):
        event: Event = do(request)
        return event
    languages: tuple[str, ...] = ()
    if isinstance(request, protocol.Recognize):
        (pieces, languages), origin = do(request), TESSERACT
    else:
        from app.documents.formats.page_transcript import pieces_of

        pieces, origin = pieces_of(request.text, request.page, *do(request)), request.origin
    return protocol.PageBlocks(request.page, tuple(_number_blocks(pieces, request.page, origin)), languages)


def _number_blocks(pieces: Iterable[BlockPiece], page: int, origin: str) -> Iterator[Block]:
    numbering = BlockNumbering()
    for piece in pieces:
        cleaned, _hidden = clean.clean_piece(piece)
        # Blank after cleaning: a block of hidden characters only.
        if cleaned.text.strip():
            for part in clean.fit_for_the_wire(cleaned._replace(page=page, origin=origin)):
                yield numbering.block(part)


def _draw_page(request: protocol.Draw) -> Event:
    path = Path(request.path)
    check_file(path)
    draw = drawer_for(find_format(path))
    if draw is None:
        raise DocumentUnreadable(request.path, "not_drawn")
    event: Event = draw(path, request.page, request.scale, request.password, request.most_pixels)
    return event
