"""The parent's side of reading a document: one child for one file, watched, limited, and killed at once.

So are its segments found, and so is it written with their translations.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

from app.core.child import Child, own_command
from app.core.errors.document_errors import DocumentReaderFailed, DocumentTooDemanding, DocumentUnreadable
from app.core.events import CancelToken
from app.core.wire import Ended, Failed, WireClient, WireInbox
from app.documents import protocol
from app.documents.child_files import make_output
from app.documents.limits import (
    ProcessMemoryWatch,
    TextBudget,
    child_environment,
    limits_from,
    remove_unpacked,
    unpacked_folder,
)
from app.documents.protocol import WIRE, Event

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.05
REPEAT_EVERY_S = 0.2
# Each holds a batch of blocks; without a limit a long text would gather here faster than it is taken.
MOST_WAITING_LINES = 4
"""Then the child waits: a long text must not gather here faster than it is taken."""
TAIL_CHARACTERS = 400
LAST = (
    protocol.Done,
    protocol.Drawn,
    protocol.Decoded,
    protocol.PageBlocks,
    protocol.SoundHeard,
    protocol.SegmentsDone,
    protocol.Rewritten,
)
"""Messages that end the answer to a request."""


def read(request: protocol.Read, *, folder: Path, cancel: CancelToken) -> Generator[Event, None, None]:
    """Read a file: Found, then BlocksRead and PageRead as they come, at last Done.

    `folder` is the child's working directory. Yields at least five times a second, an empty BlocksRead without news, so
    that the caller can check for other things. Cancelling kills the child at once and ends the events. Raises the
    child's AppError, DocumentTooDemanding at a limit, or DocumentReaderFailed if the child crashed.
    """
    with closing(_ReadingChild(folder, request)) as child:
        # Closing ends the child, also where the caller stops in the middle of the events.
        yield from child.ask(request, lambda: cancel.cancelled)


def listen(
    request: protocol.Listen, *, folder: Path, cancel: CancelToken
) -> Generator[protocol.SoundOpened | protocol.SoundPiece | protocol.SoundHeard, None, None]:
    """Cut a recording into pieces: SoundOpened, SoundPieces, at last SoundHeard; otherwise like `read`."""
    with closing(_ReadingChild(folder, request)) as child:
        for event in child.ask(request, lambda: cancel.cancelled):
            if isinstance(event, protocol.SoundOpened | protocol.SoundPiece | protocol.SoundHeard):
                yield event


def find_segments(
    request: protocol.Segments, *, folder: Path, cancel: CancelToken
) -> Generator[protocol.SegmentsRead | protocol.SegmentsDone, None, None]:
    """Find segments to translate: SegmentsRead, at last SegmentsDone; otherwise like `read`.

    Raises DocumentUnreadable ("not_rewritable") if the format can't be written.
    """
    with closing(_ReadingChild(folder, request)) as child:
        for event in child.ask(request, lambda: cancel.cancelled):
            if isinstance(event, protocol.SegmentsRead | protocol.SegmentsDone):
                yield event


def rewrite(
    request: protocol.Rewrite, *, folder: Path, cancel: CancelToken
) -> Generator[protocol.SegmentsWritten | protocol.Rewritten, None, None]:
    """Write a file with translations to `out`: SegmentsWritten, at last Rewritten; otherwise like `read`.

    `out` must not exist (FileExistsError) and exists only after Rewritten, complete and synced. Raises
    DocumentUnreadable ("changed") if the file changed since it was read, and FolderNotWritable or DiskFull.
    """
    make_output(Path(request.out))
    is_written = False
    try:
        with closing(_ReadingChild(folder, request)) as child:
            for event in child.ask(request, lambda: cancel.cancelled):
                # Only the last event of a complete file counts: an error behind it must not keep a half-written one.
                is_written = isinstance(event, protocol.Rewritten)
                if isinstance(event, protocol.SegmentsWritten | protocol.Rewritten):
                    yield event
    finally:
        if not is_written:
            Path(request.out).unlink(missing_ok=True)


class _ReusedChild:
    """A child that stays for the next request, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._child: _ReadingChild | None = None
        self._one_at_a_time = threading.Lock()
        # Apart from the caller's token: closing must not wait for a request that nobody cancels.
        self._closing = threading.Event()

    def _answer(self, request: protocol.Request, cancel: CancelToken) -> Event | None:
        """Return the child's last reply; None if cancelled, which ends the child."""
        if self._child is None or not self.running:
            self._end()
            self._child = _ReadingChild(self._folder, request)
        last, is_done = None, False
        try:
            for event in self._child.ask(request, lambda: cancel.cancelled or self._closing.is_set()):
                last, is_done = event, isinstance(event, LAST)
        finally:
            # A child that was left in the middle of an answer would send the rest of it as the next one's.
            if not is_done:
                self._end()
        return last if is_done and not cancel.cancelled else None

    @property
    def running(self) -> bool:
        child = self._child
        return child is not None and child.running

    def close(self) -> None:
        """End the child and its work; the next request starts a new one."""
        self._closing.set()
        with self._one_at_a_time:
            self._end()
            self._closing.clear()

    def _end(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None


class PageRenderer(_ReusedChild):
    """Draws pages of one file, one at a time, by a child that stays for the next one."""

    _path = ""

    def draw(self, request: protocol.Draw, cancel: CancelToken) -> Iterator[protocol.Drawn]:
        """Yield the one event is the picture, none where it was cancelled; raises what `read` raises."""
        with self._one_at_a_time:
            # One file a child: memory and handles of the last one go with it, and so does what a hostile one did.
            if self._path != request.path:
                self._end()
                self._path = request.path
            drawn = self._answer(request, cancel)
        if isinstance(drawn, protocol.Drawn):
            yield drawn


class PictureDecoder(_ReusedChild):
    """Decodes pictures, one after the other, by a child that stays for the next one; one that it ends over is alone."""

    def decode(self, request: protocol.Decode, cancel: CancelToken) -> protocol.Decoded | None:
        """Decode a picture; None if cancelled. Raises PictureUnreadable, and what `read` raises."""
        with self._one_at_a_time:
            decoded = self._answer(request, cancel)
        return decoded if isinstance(decoded, protocol.Decoded) else None


class PageScanner(_ReusedChild):
    """Pages that are pictures: drawn for a model, read by tesseract, arranged in blocks; by a child that stays."""

    def put_upright(self, request: protocol.PutUpright, cancel: CancelToken) -> protocol.Drawn | None:
        """Draw a page; None if cancelled. Raises what `read` raises."""
        drawn = self._one(request, cancel)
        return drawn if isinstance(drawn, protocol.Drawn) else None

    def blocks(self, request: protocol.Recognize | protocol.Arrange, cancel: CancelToken) -> protocol.PageBlocks | None:
        """Return the same; raises DocumentUnreadable ("picture") also where there is no tesseract to recognize
        anything.
        """
        said = self._one(request, cancel)
        return said if isinstance(said, protocol.PageBlocks) else None

    def _one(self, request: protocol.Request, cancel: CancelToken) -> Event | None:
        with self._one_at_a_time:
            return self._answer(request, cancel)


def _life_sign(request: protocol.Request) -> Event:
    """Return the event that is a sign of life."""
    match request:
        case protocol.Segments():
            return protocol.SegmentsRead(())
        case protocol.Rewrite():
            return protocol.SegmentsWritten(0)
        case _:
            return protocol.BlocksRead(())


def _text_budget(path: str) -> TextBudget:
    """Return what the child was let through is counted once more: its parent's memory has no limit."""
    try:
        return TextBudget(Path(path))
    except OSError as error:
        raise DocumentUnreadable(path, "changed") from error


def _event_characters(event: Event) -> int:
    """Return how much text an event holds, which the parent's budget counts."""
    match event:
        case protocol.BlocksRead(blocks):
            return sum(block.characters for block in blocks)
        case protocol.SegmentsRead(segments):
            return sum(len(segment.text) + len(segment.context) for segment in segments)
        case _:
            return 0


class _ReadingChild:
    """A document child at work: its wire, its memory watch, and what it unpacked."""

    def __init__(self, folder: Path, request: protocol.Request) -> None:
        self._limits = limits_from(os.environ)
        self._said = WireInbox(MOST_WAITING_LINES)
        self._folder = folder
        # Of earlier children that a power cut or a kill left; those that run are told by their number.
        remove_unpacked(folder)
        # Libraries write temporary files beside what is unpacked, where the parent clears up whatever happens.
        temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
        environment, name = child_environment() | temporary, Path(request.path).name
        command = own_command("--document-worker")
        self._child = Child(command, folder, environment, work="document", subject=name, tells_progress=True)
        self._conversation = WireClient(WIRE, self._child, self._said.add_item)
        self._watch = ProcessMemoryWatch(
            self._child.pid, request.memory_bytes, self._child.kill_tree, self._limits.watch_every_s
        )

    @property
    def running(self) -> bool:
        return self._child.running

    def ask(self, request: protocol.Request, is_stopped: Callable[[], bool]) -> Generator[Event, None, None]:
        """Yield what the child says to a request, up to its last word."""
        self._conversation.send(request)
        silent_s, told_s, pulse = 0.0, time.monotonic(), _life_sign(request)
        budget: TextBudget | None = None
        while not is_stopped():
            event = self._said.next_item(LOOK_EVERY_S)
            now_s = time.monotonic()
            # Its end comes as an event, so that lines it wrote before are still taken in order.
            if isinstance(event, Ended):
                raise self._exit_problem(request.path, event.code, event.tail)
            if isinstance(event, Failed):
                raise event.error
            if event is not None:
                silent_s, told_s = 0.0, now_s
                # Once more, though the child has counted: a budget in the process that a file may have taken over is no
                # budget.
                if characters := _event_characters(event):
                    budget = budget or _text_budget(request.path)
                    budget.take_characters(characters)
                yield event
                if isinstance(event, LAST):
                    return
                # While nothing new is written the caller sees the last number, not 0.
                pulse = event if isinstance(event, protocol.SegmentsWritten) else pulse
                continue
            silent_s += LOOK_EVERY_S  # not by the clock: while a computer sleeps or we are not asked, nobody waits
            if silent_s >= self._limits.silence_s:
                log.info("the document child %s said nothing for %.0f s and is ended", self._child.pid, silent_s)
                raise DocumentTooDemanding(request.path, "time")
            if now_s - told_s >= REPEAT_EVERY_S:
                told_s = now_s
                yield pulse

    def close(self) -> None:
        self._said.close()
        # The tree: tesseract, if it runs, is a child of the child and would go on.
        self._child.kill_tree()
        self._child.close()
        self._watch.close()
        # By the parent, since a child that was killed removes nothing.
        shutil.rmtree(unpacked_folder(self._folder, self._child.pid), ignore_errors=True)

    def _exit_problem(self, path: str, code: int, tail: str) -> DocumentTooDemanding | DocumentReaderFailed:
        # Before its figures are read: the last measurement may still be running.
        self._watch.close()
        peak_mb = self._watch.peak_bytes / 1e6
        log.info("the document child %s ended with exit code %s at %.0f MB", self._child.pid, code, peak_mb)
        # Given up by its heart: it computed without getting on. That is told like a limit of time.
        if self._child.was_given_up:
            return DocumentTooDemanding(path, "time")
        if self._watch.was_memory(code, tail):
            return DocumentTooDemanding(path, "memory")
        return DocumentReaderFailed(path, code, tail[-TAIL_CHARACTERS:])
