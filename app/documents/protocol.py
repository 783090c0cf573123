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
from app.documents.source import Opened, PageRead, Remark

VERSION = 1


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
class Found:
    """The file is open; `format` is what its content is, as `app.documents.formats` calls it."""

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
class Failed:
    """It ended with a situation."""

    error: AppError


Request = Read | Draw
Event = Found | BlocksRead | PageRead | Done | Drawn | Failed
_REQUESTS: dict[str, type[Read | Draw]] = {"read": Read, "draw": Draw}


def request_line(request: Request) -> bytes:
    """A request as a line. The password travels here and never on a command line."""
    name = "read" if isinstance(request, Read) else "draw"
    return _line({"version": VERSION, "request": name, **dataclasses.asdict(request)})


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
            return Found(raw["format"], Opened(**raw["opened"]))
        case "pageread":
            return PageRead(**raw)
        case "drawn":
            return Drawn(**raw)
        case "done":
            remarks = tuple(Remark(**remark) for remark in raw.pop("remarks"))
            return Done(**{**raw, "pages_without_text": tuple(raw["pages_without_text"])}, remarks=remarks)
        case _:
            raise KeyError(name)


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
