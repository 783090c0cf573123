"""Reads TMX 1.4 and earlier, of this program and of others, as entries of the translation memory.

The file is read as it comes, by expat: nothing of it is fetched, and one that declares entities is refused. Inline
markup becomes marks that are numbered anew in each unit; <hi> and <sub> are taken for their text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from app.core.errors import DocumentUnreadable
from app.documents.segments import Content, Mark, content_of, nests
from app.features.translation.kept_memory import content_text, key_of
from app.features.translation.tmx_writing import OWN, PREFIX
from app.language.names import language
from app.store.translations import Entry, Made, Pair

READ_BYTES = 200_000
MOST_NAMED = 200
_MARKS = ("bpt", "ept", "ph", "it", "ut")
_NO_LANGUAGE = ("und", "*all*", "")


@dataclass
class _Unit:
    """A translation unit on its way."""

    source: str
    properties: dict[str, str] = field(default_factory=dict)
    variants: list[tuple[str, Content]] = field(default_factory=list)


def read_tmx(path: Path) -> Iterator[Entry]:
    """Every translation into another language than the unit's source; raises DocumentUnreadable.

    Those of other programs are a person's own. Of this program's each is again what it was.
    """
    reading = _Reading()
    try:
        with path.open("rb") as file:
            while piece := file.read(READ_BYTES):
                reading.feed(piece)
                yield from reading.taken()
            reading.feed(b"", is_last=True)
            yield from reading.taken()
    except FileNotFoundError as error:
        raise DocumentUnreadable(str(path), "missing") from error
    except PermissionError as error:
        raise DocumentUnreadable(str(path), "denied") from error
    except OSError as error:
        raise DocumentUnreadable(str(path), "not_a_file") from error
    except _EntitiesDeclaredError as error:
        raise DocumentUnreadable(str(path), "entities") from error
    except expat.ExpatError as error:
        raise DocumentUnreadable(str(path), "damaged") from error
    if not reading.is_tmx:
        raise DocumentUnreadable(str(path), "damaged")


class _EntitiesDeclaredError(Exception):
    pass


class _Reading:
    """What the parser has come past; entries wait in `taken`."""

    def __init__(self) -> None:
        self.is_tmx = False
        self._units: list[_Unit] = []
        self._unit: _Unit | None = None
        self._default_source, self._language, self._property = "", "", ""
        self._text: list[str] = []
        self._parts: list[str | Mark] = []
        self._keys: dict[str, int] = {}
        self._open: dict[str, int] = {}
        self._in_segment = self._in_property = False
        self._mark_depth = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.EntityDeclHandler = self._on_entity
        self._parser.StartElementHandler = self._on_start
        self._parser.EndElementHandler = self._on_end
        self._parser.CharacterDataHandler = self._on_text

    def feed(self, piece: bytes, *, is_last: bool = False) -> None:
        """The next bytes of the file."""
        self._parser.Parse(piece, is_last)

    def taken(self) -> Iterator[Entry]:
        """The entries of the units that are complete."""
        units, self._units = self._units, []
        for unit in units:
            yield from _entries(unit)

    def _on_entity(self, *_: object) -> None:
        raise _EntitiesDeclaredError

    def _on_start(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "tmx":
                self.is_tmx = True
            case "header":
                self._default_source = attributes.get("srclang", "")
            case "tu":
                self._unit, self._keys = _Unit(attributes.get("srclang") or self._default_source), {}
            case "prop":
                self._property, self._in_property, self._text = attributes.get("type", ""), True, []
            case "tuv":
                self._language = attributes.get("xml:lang") or attributes.get("lang") or ""
            case "seg":
                self._in_segment, self._parts, self._open, self._mark_depth = True, [], {}, 0
            case _ if self._in_segment and name in _MARKS:
                if not self._mark_depth:
                    self._mark(name, attributes)
                self._mark_depth += 1

    def _on_end(self, name: str) -> None:
        match name:
            case "prop":
                self._in_property = False
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

    def _mark(self, name: str, attributes: dict[str, str]) -> None:
        """`x` says which marks of the languages are the same; without it their order does."""
        own, look = attributes.get("i", ""), attributes.get("type", "")
        if name == "ept" and own in self._open:
            self._parts.append(Mark("close", self._open[own]))
            return
        role = "open" if name == "bpt" else "single"
        place = len([part for part in self._parts if isinstance(part, Mark)])
        key = f"{role} {attributes.get('x') or f'#{place}'}"
        number = self._keys.setdefault(key, len(self._keys) + 1)
        if role == "open":
            self._open[own] = number
        self._parts.append(Mark("open" if role == "open" else "single", number, look))


def _entries(unit: _Unit) -> Iterator[Entry]:
    texts = [(_code(said), content) for said, content in unit.variants if content]
    wanted = _code(unit.source)
    source = next((one for one in texts if one[0] == wanted), None) or next(iter(texts), None)
    if source is None or not nests(source[1]):
        return
    for code, content in texts:
        if code not in ("", source[0]) and nests(content):
            yield _entry(Pair(source[0], code), source[1], content, unit.properties)


def _entry(pair: Pair, source: Content, target: Content, properties: dict[str, str]) -> Entry:
    is_own = properties.get(OWN) != "no"
    version = properties.get("prompt_version", "")
    made = Made(
        properties.get("formality", ""),
        "" if is_own else properties.get("hints", ""),
        "" if is_own else properties.get("model", ""),
        int(version) if version.isdecimal() and not is_own else 0,
    )
    context = properties.get("context", "")
    return Entry(pair, key_of(source), content_text(source), content_text(target), context, made, is_own)


def _code(said: str) -> str:
    """A language as translations call it; of a region that is not told apart the language."""
    if said.casefold() in _NO_LANGUAGE:
        return ""
    found = language(said)
    return found.code if found is not None else said[:MOST_NAMED]
