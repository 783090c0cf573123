"""The wire of the document child: requests go in, events come out, one JSON object a line.

One child serves one file at a time, request after request. It leaves when its standard input closes.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from app.core.errors import AppError, ProtocolViolation, from_fields, to_fields
from app.documents.blocks import Block, block_from_fields, block_to_fields
from app.documents.segments import Segment, segment_from_fields, segment_to_fields
from app.documents.source import Opened, PageRead, Remark

VERSION = 3


@dataclass(frozen=True)
class Read:
    """Read a file into blocks; see `Source` for the fields. `memory_bytes` is the most the child may take."""

    path: str
    password: str = ""
    encoding: str = ""
    first_page: int = 0
    last_page: int = 0
    recognize: bool = True
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Draw:
    """Draw a page of a PDF, `scale` pixels for a point, at most `most_pixels` in all. Several may follow each other."""

    path: str
    page: int
    scale: float
    password: str = ""
    most_pixels: int = 16_000_000
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Segments:
    """Find what there is to translate in a file; `encoding` is the person's choice for a text file."""

    path: str
    password: str = ""
    encoding: str = ""
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Rewrite:
    """Write a file with the translations of its segments to `out`, an empty file that is there and is another one.

    `translations` is a file of JSON lines, {"id": 3, "content": [...]}, see `content_to_fields`; segments without one
    stay as they are. `language` is what the file is then said to be in, "" to leave that. `sha256` is the file's own
    from when the segments were found.
    """

    path: str
    out: str
    translations: str
    language: str
    is_rtl: bool
    sha256: str
    password: str = ""
    encoding: str = ""
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Found:
    """The file is open; `format` is what its content is, as `app.documents.formats.registry` calls it."""

    format: str
    opened: Opened


@dataclass(frozen=True)
class BlocksRead:
    """The next blocks, in order."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Done:
    """All is read. `pages_without_text` have neither text nor a recognized picture.

    `language` is a code such as "en", "" where there is too little text to tell.
    """

    pages: int
    pages_without_text: tuple[int, ...]
    blocks: int
    language: str = ""
    sha256: str = ""
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """A page as a picture: rows of RGB bytes without padding, compressed by zlib and written in base64.

    `width_pt` and `height_pt` are the page's own size in points.
    """

    page: int
    width: int
    height: int
    width_pt: float
    height_pt: float
    pixels: str


@dataclass(frozen=True)
class SegmentsRead:
    """The next segments, in order; an empty batch says that work goes on."""

    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class SegmentsDone:
    """All segments are found; `segments` counts them. `format` is a name of `app.documents.formats.registry`.

    `language` is a code such as "en", "" where there is too little text to tell.
    """

    format: str
    segments: int
    language: str = ""
    sha256: str = ""
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class SegmentsWritten:
    """How many segments the rewriting has come past so far."""

    segments: int


@dataclass(frozen=True)
class Rewritten:
    """The file is written. `replaced` of `segments` have their translation.

    `refused` are the ids of those that have none because it does not have exactly the marks of the source.
    """

    segments: int
    replaced: int
    refused: tuple[int, ...] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Failed:
    """It ended with a situation."""

    error: AppError


Request = Read | Draw | Segments | Rewrite
Event = (
    Found | BlocksRead | PageRead | Done | Drawn | SegmentsRead | SegmentsDone | SegmentsWritten | Rewritten | Failed
)
_REQUESTS: dict[str, type[Request]] = {"read": Read, "draw": Draw, "segments": Segments, "rewrite": Rewrite}


def request_line(request: Request) -> bytes:
    """A request as a line. The password travels here and never on a command line."""
    return _line({"version": VERSION, "request": type(request).__name__.lower(), **dataclasses.asdict(request)})


def request_from(line: bytes) -> Request:
    """The request of a line; raises ProtocolViolation."""
    raw = _object(line)
    if raw.pop("version", None) != VERSION:
        raise ProtocolViolation("the document child is of another version")
    try:
        return _REQUESTS[raw.pop("request")](**raw)
    except (TypeError, KeyError) as error:
        raise ProtocolViolation(f"not a request: {error}"[:200]) from error


def event_line(event: Event) -> bytes:
    """An event as a line."""
    match event:
        case Failed(error):
            return _line({"event": "failed", "error": type(error).__name__, "fields": to_fields(error)})
        case BlocksRead(blocks):
            return _line({"event": "blocks", "blocks": [block_to_fields(block) for block in blocks]})
        case SegmentsRead(segments):
            return _line({"event": "segmentsread", "segments": [segment_to_fields(segment) for segment in segments]})
        case Found(format_, opened):
            return _line({"event": "found", "format": format_, "opened": dataclasses.asdict(opened)})
        case _:
            return _line({"event": type(event).__name__.lower(), **dataclasses.asdict(event)})


def event_from(line: bytes) -> Event:
    """The event of a line; raises ProtocolViolation."""
    raw = _object(line)
    try:
        return _event(str(raw.pop("event", "")), raw)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ProtocolViolation(f"not an event: {error}"[:200]) from error


def _event(name: str, raw: dict[str, Any]) -> Event:
    match name:
        case "failed":
            return Failed(from_fields(raw["error"], raw["fields"]))
        case "blocks":
            return BlocksRead(tuple(block_from_fields(fields) for fields in raw["blocks"]))
        case "found":
            opened = raw["opened"]
            return Found(raw["format"], Opened(**opened | {"names": tuple(opened.get("names", ()))}))
        case "done":
            remarks = _remarks(raw)
            return Done(**{**raw, "pages_without_text": tuple(raw["pages_without_text"])}, remarks=remarks)
        case "segmentsread" | "segmentsdone" | "rewritten":
            return _segments_event(name, raw)
        case _:
            return _SIMPLE[name](**raw)


_SIMPLE: dict[str, type[PageRead | Drawn | SegmentsWritten]] = {
    "pageread": PageRead, "drawn": Drawn, "segmentswritten": SegmentsWritten,
}  # fmt: skip


def _segments_event(name: str, raw: dict[str, Any]) -> Event:
    match name:
        case "segmentsread":
            return SegmentsRead(tuple(segment_from_fields(fields) for fields in raw["segments"]))
        case "segmentsdone":
            remarks = _remarks(raw)
            return SegmentsDone(**raw, remarks=remarks)
        case _:
            remarks, refused = _remarks(raw), tuple(raw.pop("refused"))
            return Rewritten(**raw, refused=refused, remarks=remarks)


def _remarks(raw: dict[str, Any]) -> tuple[Remark, ...]:
    return tuple(Remark(**remark) for remark in raw.pop("remarks"))


def _line(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode("ascii") + b"\n"


def _object(line: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(line)
    except ValueError as error:
        raise ProtocolViolation(repr(line[:100])) from error
    if not isinstance(raw, dict):
        raise ProtocolViolation(repr(line[:100]))
    return raw
