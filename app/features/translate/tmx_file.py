"""Translation memories as TMX (Translation Memory eXchange, LISA 2005): 1.4 and earlier read, 1.4 written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from json import loads
from pathlib import Path
from typing import IO
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from app import APP_ID, __version__
from app.core.errors.document_errors import DocumentUnreadable
from app.core.lazy_dataclasses import dataclass, field
from app.documents.segments import Content, Mark, content_from_json, content_of, nests
from app.language.language_names import find_language
from app.store.translation_store import LanguagePair, MemoryEntry, TranslationOrigin


def key_of(source: Content) -> bytes:
    """Hash words and marks; the marks' looks don't count."""
    # Looks differ between formats; the same words in a web page and a Word file are one entry.
    parts = [part if isinstance(part, str) else [part.role, part.number] for part in source]
    return blake2b(json.dumps(parts).encode(), digest_size=16).digest()


def content_text(content: Content) -> str:
    return json.dumps(content)


READ_BYTES = 200_000
MOST_NAMED = 200
_MARKS = ("bpt", "ept", "ph", "it", "ut")
_NO_LANGUAGE = ("und", "*all*", "")


@dataclass
class _TmxUnit:
    """A translation unit being parsed."""

    source: str
    properties: dict[str, str] = field(default_factory=dict)
    variants: list[tuple[str, Content]] = field(default_factory=list)


def read_tmx(path: Path) -> Iterator[MemoryEntry]:
    """Yield every translation into a language other than the unit's source; raises DocumentUnreadable.

    Those of other programs count as the user's own; those of this program keep their origin. The file is read as it
    comes, by expat: nothing of it is fetched, and one that declares entities is refused. Inline markup becomes marks
    that are numbered anew in each unit; <hi> and <sub> are taken for their text.
    """
    reading = _TmxReading()
    try:
        with path.open("rb") as file:
            while piece := file.read(READ_BYTES):
                reading.feed(piece)
                yield from reading.take_entries()
            reading.feed(b"", is_last=True)
            yield from reading.take_entries()
    except OSError as error:
        raise DocumentUnreadable.by_system(path, error) from error
    except _EntitiesDeclaredError as error:
        raise DocumentUnreadable(str(path), "entities") from error
    except expat.ExpatError as error:
        raise DocumentUnreadable(str(path), "damaged") from error
    if not reading.is_tmx:
        raise DocumentUnreadable(str(path), "damaged")


class _EntitiesDeclaredError(Exception):
    pass


class _TmxReading:
    """Parser state; finished entries are fetched by `take_entries`."""

    def __init__(self) -> None:
        self.is_tmx = False
        self._units: list[_TmxUnit] = []
        self._unit: _TmxUnit | None = None
        self._default_source, self._language, self._property = "", "", ""
        self._text: list[str] = []
        self._parts: list[str | Mark] = []
        self._keys: dict[str, int] = {}
        self._open: dict[str, int] = {}
        self._in_segment = self._in_property = False
        self._mark_depth = 0
        self._parser = expat.ParserCreate()
        # Without it expat hands out each line of a text by itself.
        self._parser.buffer_text = True
        # An entity can grow to gigabytes, or name a file.
        self._parser.EntityDeclHandler = self._on_entity
        self._parser.StartElementHandler = self._on_start
        self._parser.EndElementHandler = self._on_end
        self._parser.CharacterDataHandler = self._on_text

    def feed(self, piece: bytes, *, is_last: bool = False) -> None:
        self._parser.Parse(piece, is_last)

    def take_entries(self) -> Iterator[MemoryEntry]:
        units, self._units = self._units, []
        for unit in units:
            yield from _unit_entries(unit)

    def _on_entity(self, *_: object) -> None:
        raise _EntitiesDeclaredError

    def _on_start(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "tmx":
                self.is_tmx = True
            case "header":
                self._default_source = attributes.get("srclang", "")
            case "tu":
                # Marks are numbered anew in each unit, but the same in all its languages.
                self._unit, self._keys = _TmxUnit(attributes.get("srclang") or self._default_source), {}
            case "prop":
                self._property, self._in_property, self._text = attributes.get("type", ""), True, []
            case "tuv":
                self._language = attributes.get("xml:lang") or attributes.get("lang") or ""
            case "seg":
                self._in_segment, self._parts, self._open, self._mark_depth = True, [], {}, 0
            # Only the outermost: what is inside a mark is its own text.
            case _ if self._in_segment and name in _MARKS:
                if not self._mark_depth:
                    self._read_mark(name, attributes)
                self._mark_depth += 1

    def _on_end(self, name: str) -> None:
        match name:
            case "prop":
                self._in_property = False
                # Properties of other programs mean something else.
                if self._unit is not None and self._property.startswith(PREFIX):
                    self._unit.properties[self._property.removeprefix(PREFIX)] = "".join(self._text)
            case "seg":
                self._in_segment = False
                if self._unit is not None:
                    self._unit.variants.append((self._language, content_of(self._parts)))
            case "tu" if self._unit is not None:
                self._units.append(self._unit)
                self._unit = None
            case _ if self._in_segment and name in _MARKS:
                self._mark_depth -= 1

    def _on_text(self, text: str) -> None:
        if self._in_property:
            self._text.append(text)
        elif self._in_segment and not self._mark_depth:
            self._parts.append(text)

    def _read_mark(self, name: str, attributes: dict[str, str]) -> None:
        """`x` says which marks of the languages are the same; without it their order does."""
        own, look = attributes.get("i", ""), attributes.get("type", "")
        if name == "ept" and own in self._open:
            self._parts.append(Mark("close", self._open[own]))
            # Other programs close a pair by `i`; one that isn't open stands alone.
            return
        role = "open" if name == "bpt" else "single"
        place = len([part for part in self._parts if isinstance(part, Mark)])
        # Without `x` the order tells which marks belong together.
        key = f"{role} {attributes.get('x') or f'#{place}'}"
        number = self._keys.setdefault(key, len(self._keys) + 1)
        if role == "open":
            self._open[own] = number
        self._parts.append(Mark("open" if role == "open" else "single", number, look))


def _unit_entries(unit: _TmxUnit) -> Iterator[MemoryEntry]:
    texts = [(_language_code(said), content) for said, content in unit.variants if content]
    wanted = _language_code(unit.source)
    # A unit without a source language: the first variant is taken for it.
    source = next((text for text in texts if text[0] == wanted), None) or next(iter(texts), None)
    if source is None or not nests(source[1]):
        return
    # Every other language of the unit is a translation of the same source.
    for code, content in texts:
        if code not in ("", source[0]) and nests(content):
            yield _entry_of_unit(LanguagePair(source[0], code), source[1], content, unit.properties)


def _entry_of_unit(pair: LanguagePair, source: Content, target: Content, properties: dict[str, str]) -> MemoryEntry:
    # What another program exported was accepted by somebody.
    is_own = properties.get(OWN) != "no"
    version = properties.get("prompt_version", "")
    # A person's own translation holds whatever model or prompt is used now.
    made = TranslationOrigin(
        properties.get("formality", ""),
        "" if is_own else properties.get("hints", ""),
        "" if is_own else properties.get("model", ""),
        int(version) if version.isdecimal() and not is_own else 0,
    )
    context = properties.get("context", "")
    return MemoryEntry(pair, key_of(source), content_text(source), content_text(target), context, made, is_own)


def _language_code(said: str) -> str:
    """Return our code of a language; an unknown region is dropped."""
    if said.casefold() in _NO_LANGUAGE:
        return ""
    found = find_language(said)
    # An unknown language keeps its name, bounded, so that the export gives it back.
    return found.code if found is not None else said[:MOST_NAMED]


_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4">\n'
    f'<header creationtool="{APP_ID}" creationtoolversion="{__version__}" segtype="paragraph" o-tmf="{APP_ID}"'
    ' adminlang="en" srclang="*all*" datatype="xml"/>\n<body>\n'
)
PROPERTIES = ("context", "formality", "hints", "model", "prompt_version")
PREFIX = f"x-{APP_ID}-"
OWN = "own"


def write_tmx(entries: Iterable[MemoryEntry], file: IO[bytes]) -> None:
    """Write the entries to a binary file; their origin is stored as properties of the unit."""
    file.write(_HEAD.encode())
    for entry in entries:
        file.write("".join(_write_unit(entry)).encode())
    file.write(b"</body>\n</tmx>\n")


def _write_unit(entry: MemoryEntry) -> Iterator[str]:
    # TMX wants UTC in its basic form.
    when = datetime.fromtimestamp(entry.made_at, UTC).strftime("%Y%m%dT%H%M%SZ")
    yield f'<tu srclang={quoteattr(entry.pair.source or "und")} changedate="{when}">\n'
    made = vars(entry.made) | {"context": entry.context}
    values = {name: made[name] for name in PROPERTIES} | {OWN: "yes" if entry.is_own else "no"}
    for name, value in values.items():
        if value:
            # Empty properties say nothing.
            yield f'<prop type="{PREFIX}{name}">{_escape_text(str(value))}</prop>\n'
    for code, content in ((entry.pair.source or "und", entry.source), (entry.pair.target, entry.target)):
        said = "".join(_write_segment(content_from_json(loads(content))))
        yield f"<tuv xml:lang={quoteattr(code)}><seg>{said}</seg></tuv>\n"
    yield "</tu>\n"


def _write_segment(content: Content) -> Iterator[str]:
    for part in content:
        yield _escape_text(part) if isinstance(part, str) else _write_mark(part)


def _write_mark(mark: Mark) -> str:
    """`x` pairs a mark with the same one on the other side; `type` is how it looks, as far as the format knows that."""
    look = f" type={quoteattr(mark.look)}" if mark.look else ""
    number = mark.number
    match mark.role:
        case "open":
            return f'<bpt i="{number}" x="{number}"{look}>&lt;g{number}&gt;</bpt>'
        case "close":
            return f'<ept i="{number}">&lt;/g{number}&gt;</ept>'
    return f'<ph x="{number}"{look}>{_escape_text(mark.shows or f"<x{number}/>")}</ph>'


def _escape_text(text: str) -> str:
    return escape(_NOT_XML.sub("", text))
