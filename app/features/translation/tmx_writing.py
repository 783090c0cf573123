"""Writes a translation memory as TMX 1.4 (Translation Memory eXchange, LISA 2005)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from json import loads
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from app import APP_ID, __version__
from app.documents.segments import Content, Mark, content_from_fields
from app.store.translations import Entry

_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4">\n'
    f'<header creationtool="{APP_ID}" creationtoolversion="{__version__}" segtype="paragraph" o-tmf="{APP_ID}"'
    ' adminlang="en" srclang="*all*" datatype="xml"/>\n<body>\n'
)
PROPERTIES = ("context", "formality", "hints", "model", "prompt_version")
PREFIX = f"x-{APP_ID}-"
OWN = "own"


def write_tmx(entries: Iterable[Entry], file: IO[bytes]) -> None:
    """Writes the entries to a file that is open for bytes; how each was made is kept as properties of its unit."""
    file.write(_HEAD.encode())
    for entry in entries:
        file.write("".join(_unit(entry)).encode())
    file.write(b"</body>\n</tmx>\n")


def _unit(entry: Entry) -> Iterator[str]:
    when = datetime.fromtimestamp(entry.made_at, UTC).strftime("%Y%m%dT%H%M%SZ")
    yield f'<tu srclang={quoteattr(entry.pair.source or "und")} changedate="{when}">\n'
    made = vars(entry.made) | {"context": entry.context}
    values = {name: made[name] for name in PROPERTIES} | {OWN: "yes" if entry.is_own else "no"}
    for name, value in values.items():
        if value:
            yield f'<prop type="{PREFIX}{name}">{_text(str(value))}</prop>\n'
    for language, content in ((entry.pair.source or "und", entry.source), (entry.pair.target, entry.target)):
        said = "".join(_segment(content_from_fields(loads(content))))
        yield f"<tuv xml:lang={quoteattr(language)}><seg>{said}</seg></tuv>\n"
    yield "</tu>\n"


def _segment(content: Content) -> Iterator[str]:
    for part in content:
        yield _text(part) if isinstance(part, str) else _mark(part)


def _mark(mark: Mark) -> str:
    """`x` pairs a mark with the same one on the other side; `type` is how it looks, as far as the format knows that."""
    look = f" type={quoteattr(mark.look)}" if mark.look else ""
    number = mark.number
    match mark.role:
        case "open":
            return f'<bpt i="{number}" x="{number}"{look}>&lt;g{number}&gt;</bpt>'
        case "close":
            return f'<ept i="{number}">&lt;/g{number}&gt;</ept>'
    return f'<ph x="{number}"{look}>{_text(mark.shows or f"<x{number}/>")}</ph>'


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text))
