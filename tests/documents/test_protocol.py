"""The wire of the document child: what goes in comes out, and what is none of it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.errors import DocumentLocked, DocumentUnreadable, ProtocolViolation, to_fields
from app.documents.blocks import Block, Box, Kind, Place
from app.documents.protocol import (
    VERSION,
    BlocksRead,
    Done,
    Draw,
    Drawn,
    Event,
    Failed,
    Found,
    Read,
    Request,
    Rewrite,
    Rewritten,
    Segments,
    SegmentsDone,
    SegmentsRead,
    SegmentsWritten,
    event_from,
    event_line,
    request_from,
    request_line,
)
from app.documents.segments import Mark, Segment, SegmentKind
from app.documents.source import Opened, PageRead, Remark

BLOCK = Block(7, Kind.TABLE, "a\tb\nc\td", 3, ("One", "Zwei ä"), Place(boxes=(Box(3, 1.5, 2, 3, 4, 0, 3),)), label="T")
SEGMENT = Segment(2, (Mark("single", 1, "code", "x = 1"),), SegmentKind.HEADING, 3, 2, "a key", ("already",))
EVENTS: list[Event] = [
    Found("pdf", Opened("page", 12, "A title", "")),
    BlocksRead((BLOCK, Block(8, Kind.PARAGRAPH, "lone \ud800 and 😀", place=Place("word/document.xml", 3, 9)))),
    BlocksRead(()),
    PageRead(3, has_text=False, is_picture=True),
    Done(12, (3, 4), 99, "en", "ab" * 32, (Remark("rows_cut", {"sheet": "One", "rows": 9, "shown": 3}),)),
    Drawn(3, 10, 20, 595.3, 841.9, "AAAA"),
    SegmentsRead((Segment(1, ("Zwei ", Mark("open", 1, "bold"), "ä\ud800", Mark("close", 1))), SEGMENT)),
    SegmentsRead(()),
    SegmentsDone("docx", 99, "en", "ab" * 32, (Remark("left_values", {"count": 3}),)),
    SegmentsWritten(12),
    Rewritten(99, 97, (3, 4), (Remark("became_utf8", {"encoding": "cp1252"}),)),
]


@pytest.mark.parametrize(
    "request_",
    [
        Read("/tmp/ä/\udcff.pdf", "secret", "cp1251", 3, 7, recognize=False, memory_bytes=5),
        Draw("/tmp/x.pdf", 3, 1.5, "secret", 100, 5),
        Segments("/tmp/x.docx", "secret", "cp1251", 5),
        Rewrite("/tmp/x.docx", "/tmp/y.docx", "/tmp/z", "pt-BR", True, "ab" * 32, "secret", "cp1251", 5),
    ],
)
def test_a_request_comes_through_as_it_was(request_: Request) -> None:
    line = request_line(request_)
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert request_from(line) == request_


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_through_as_it_was(event: Event) -> None:
    line = event_line(event)
    assert line.count(b"\n") == 1
    assert event_from(line) == event


@pytest.mark.parametrize("error", [DocumentUnreadable("/x", "damaged"), DocumentLocked("/x", True)])
def test_a_situation_comes_through_as_it_was(error: Any) -> None:
    found = event_from(event_line(Failed(error)))
    assert isinstance(found, Failed)
    assert (type(found.error), to_fields(found.error)) == (type(error), to_fields(error))


@pytest.mark.parametrize(
    "line",
    [b"", b"words", b"[1]", b"{}", b'{"event": "poem"}', b'{"event": "blocks"}',
   b'{"event": "done", "pages": 1}', b'{"event": "segmentsread", "segments": [{"id": 1}]}',
     b'{"event": "rewritten", "segments": 1}', b'{"event": "segmentsdone", "remarks": []}',
     b'{"event": "found", "format": "pdf", "opened": {"colour": 1}}',
     b'{"event": "failed", "error": "X"}', b"\xff\xfe"],
)  # fmt: skip
def test_what_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        event_from(line)


@pytest.mark.parametrize(
    "change", [{"version": VERSION + 1}, {"request": "burn"}, {"request": None}, {"colour": "red"}, {"path": ...}]
)
def test_what_is_no_request_is_refused(change: dict[str, Any]) -> None:
    body = json.loads(request_line(Read("/x"))) | change
    body = {name: value for name, value in body.items() if value is not ...}
    with pytest.raises(ProtocolViolation):
        request_from(json.dumps(body).encode())
