"""Documents read by the real child, and small good files to read."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.core.events import CancelToken
from app.core.wire import WireInbox
from app.documents import read_document
from app.documents.blocks import Block
from app.documents.protocol import BlocksRead, Done, Event, Found, Read
from app.documents.source import PageRead
from tests.helpers.program import children_of

WORDS = "Either party may end this agreement at the end of a year by giving notice three months before."

Events = Generator[Event, None, None]


HANGING = """
import subprocess, sys, threading
from pathlib import Path
from app.core import child
from app.documents import worker
from app.documents.blocks import BlockKind, BlockPiece
from app.documents.source import Opened

child.BEAT_EVERY_S, worker.PATIENCE_S = 0.05, 0.2

def reads(source):
    yield Opened()
    yield BlockPiece(BlockKind.PARAGRAPH, "The beginning.")
    {then}

worker.reader_for = lambda format_: reads
worker.tesseract_program = lambda: Path(sys.executable)  # the one program that it may start
worker.main([])
"""
WAITS_FOR_ITSELF = "lock = threading.Lock(); lock.acquire(); lock.acquire()"
GOES_ROUND = "while True: pass"
WAITS_FOR_A_PROGRAM = "subprocess.run([sys.executable, '-c', 'while True: pass'])"


class Hanging:
    """The command of a document child that hangs inside its reading; its heart beats twenty times a second.

    It stands in for `own_command`.
    """

    def __init__(self, then: str) -> None:
        self._code = HANGING.format(then=then)

    def __call__(self, flag: str) -> list[str]:
        return [sys.executable, "-c", self._code]


@dataclass
class Result:
    """What the child said of a file."""

    found: Found
    done: Done
    blocks: list[Block] = field(default_factory=list)
    pages: list[PageRead] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of it, a block a line."""
        return "\n".join(block.text for block in self.blocks)

    @property
    def remarks(self) -> dict[str, dict[str, Any]]:
        """The values of each remark by its name."""
        return {remark.name: remark.values for remark in self.done.remarks}


def events_of(
    path: Path, folder: Path, cancel: CancelToken | None = None, **fields: Any
) -> Generator[Event, None, None]:
    """What comes while a file is read; `folder` is where the child works."""
    return read_document.read(Read(str(path), **fields), folder=folder, cancel=cancel or CancelToken())


class Readings:
    """Readings that are looked at while they go on; `close` ends what a failed test leaves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._begun: list[Events] = []

    def events(self, path: Path, cancel: CancelToken | None = None, **fields: Any) -> Events:
        """Nothing of it came yet."""
        self._begun.append(events_of(path, self.folder, cancel, **fields))
        return self._begun[-1]

    def wait_for_first(self, path: Path, cancel: CancelToken | None = None, **fields: Any) -> tuple[Events, int]:
        """A reading that has told its first blocks, and its child."""
        events = self.events(path, cancel, **fields)
        assert any(isinstance(event, BlocksRead) and event.blocks for event in events)
        return events, only_child()

    def close(self) -> None:
        """Ends every child."""
        for events in self._begun:
            events.close()


def read(path: Path, folder: Path, **fields: Any) -> Result:
    """Reads a whole file in a child; raises what it met."""
    found, done, blocks, pages = None, None, list[Block](), list[PageRead]()
    for event in events_of(path, folder, **fields):
        match event:
            case Found():
                assert found is None, "found twice"
                found = event
            case BlocksRead():
                blocks += event.blocks
            case PageRead():
                pages.append(event)
            case Done():
                done = event
    assert found is not None
    assert done is not None
    assert done.blocks == len(blocks) == (blocks[-1].id if blocks else 0)
    return Result(found, done, blocks, pages)


def look_by_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the clock goes on with each look at what a child said, and with nothing else."""
    now_s, next_said = [time.monotonic()], WireInbox.next_item

    def look(said: WireInbox[Any], timeout_s: float) -> Any:
        now_s[0] += timeout_s
        return next_said(said, timeout_s)

    monkeypatch.setattr(WireInbox, "next_item", look)
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])


def only_child() -> int:
    """The process id of the one child of this process, which reads."""
    (pid,) = children_of()
    return pid


def long_text(path: Path, size_bytes: int) -> Path:
    """A text of short paragraphs."""
    paragraph = f"{WORDS}\n\n".encode()
    with path.open("wb") as file:
        for _ in range(size_bytes // (1000 * len(paragraph)) + 1):
            file.write(paragraph * 1000)
    return path


def pdf_of(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of numbered objects, the first of which is the catalogue."""
    data, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(data)


def pdf_stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def pdf_pages(contents: list[bytes], media_box: bytes = b"[0 0 595 842]") -> bytes:
    """A PDF whose pages have these content streams."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(contents), kids),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, content in enumerate(contents):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents %d 0 R /Resources << /Font << /F 3 0 R >> >> >>"
            % (media_box, 5 + 2 * number)
        )
        objects.append(pdf_stream(content))
    return pdf_of(objects)


def shown(text: str, y: int = 700) -> bytes:
    """A content stream that shows a line of Latin letters."""
    return b"BT /F 12 Tf 72 %d Td (%s) Tj ET" % (y, text.encode("latin-1"))


def good_pdf(path: Path, pages: int = 1) -> Path:
    """Pages with a sentence and their number."""
    path.write_bytes(pdf_pages([shown(f"Page {number}: {WORDS[:60]}") for number in range(1, pages + 1)]))
    return path
