"""Data shared by translations: glossaries per language pair, the translation memory, and its TMX file."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from json import loads
from pathlib import Path
from typing import IO
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from app import APP_ID, __version__
from app.core.errors import DocumentUnreadable
from app.core.events import CancelToken
from app.documents.segments import Content, Mark, content_from_json, content_of, marks, nests, plain
from app.features.translate.glossary import TermGlossary
from app.features.translate.marking import same_marks
from app.features.translate.translation_events import (
    Formality,
    GlossaryTerm,
    MemoryLookup,
    Row,
    TranslationWish,
    source_language_of,
    wish_of,
)
from app.features.translate.translation_prompts import PROMPT_VERSION
from app.features.work.saved_file import write_file
from app.language.language_names import find_language
from app.store.database import fold_text
from app.store.jobs import Job
from app.store.translation_store import (
    LanguagePair,
    MemoryEntry,
    TranslationMemory,
    TranslationOrigin,
    TranslationStore,
)


class KeptMemory:
    """Memory lookup, see `app.features.translate.translation_events.MemoryLookup`.

    A model's translation is reused only with the same notes, form of address, model and glossary terms in the text;
    the user's own always.
    """

    def __init__(
        self, store: TranslationMemory, wish: TranslationWish, pair: LanguagePair, *, model: str, prompt_version: int
    ) -> None:
        self._store, self._wish, self._pair = store, wish, pair
        self._model, self._prompt_version = model, prompt_version
        self._glossary = TermGlossary(wish.glossary, pair.source)

    def find_step(self, source: Content, context: str = "") -> Content | None:
        """Return an accepted translation of the same content, with the source's own marks; None without one."""
        found = self._store.find(self._pair, key_of(source), context, self._origin_of(source))
        return None if found is None else with_marks_of(source, found)

    def keep_step(self, source: Content, target: Content, context: str = "") -> None:
        made = self._origin_of(source)
        self._store.save_entries([_memory_entry(self._pair, source, target, context=context, made=made, is_own=False)])

    def _origin_of(self, source: Content) -> TranslationOrigin:
        # Only terms that occur count, so a new line in the glossary doesn't make the whole memory useless.
        terms = sorted((term.source, term.target) for term in self._glossary.found_in(plain(source)))
        # Nothing is hashed where there are no hints, as before there were any.
        hints = [self._wish.domain.strip(), terms] if terms or self._wish.domain.strip() else ""
        return TranslationOrigin(
            self._wish.formality.value,
            _hash_text(json.dumps(hints)) if hints else "",
            self._model,
            self._prompt_version,
        )


def own_entry(
    pair: LanguagePair, source: Content, target: Content, context: str = "", formality: Formality = Formality.DEFAULT
) -> MemoryEntry:
    """Build an entry for a translation the user wrote, accepted or imported."""
    return _memory_entry(pair, source, target, context=context, made=TranslationOrigin(formality.value), is_own=True)


def key_of(source: Content) -> bytes:
    """Hash words and marks; the marks' looks don't count."""
    # Looks differ between formats; the same words in a web page and a Word file are one entry.
    parts = [part if isinstance(part, str) else [part.role, part.number] for part in source]
    return blake2b(json.dumps(parts).encode(), digest_size=16).digest()


def with_marks_of(source: Content, found: str) -> Content | None:
    """Return a stored target with the looks of the source's marks; None if its marks differ."""
    try:
        # A file of another program may hold anything.
        target = content_from_json(json.loads(found))
    except (TypeError, ValueError):
        return None
    # Marks that don't fit would damage the file.
    if not same_marks(target, source):
        return None
    own = {mark.key: mark for mark in marks(source)}
    return content_of([own[part.key] if isinstance(part, Mark) else part for part in target])


def model_key(path: Path) -> str:
    """Identify a model by its file's name and size."""
    # A missing file still has a name to compare by.
    try:
        size_bytes = path.stat().st_size
    except OSError:
        size_bytes = 0
    return f"{path.name} {size_bytes}"


def _memory_entry(
    pair: LanguagePair, source: Content, target: Content, *, context: str, made: TranslationOrigin, is_own: bool
) -> MemoryEntry:
    return MemoryEntry(pair, key_of(source), content_text(source), content_text(target), context, made, is_own)


def content_text(content: Content) -> str:
    """Return the JSON stored."""
    return json.dumps(content)


def _hash_text(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


# What is kept across translations: the glossaries of pairs of languages, and the memory with its file (TMX).


MOST_SHOWN = 500


@dataclass(frozen=True)
class MemoryTranslation:
    """A translation in the memory, in plain text. `is_own`: written or accepted by the user."""

    id: int
    pair: LanguagePair
    source: str
    target: str
    is_own: bool


@dataclass(frozen=True)
class MemoryMatches:
    """Result of a search: ids of all matches, oldest first, and the newest entries, newest first."""

    ids: tuple[int, ...] = ()
    newest: tuple[MemoryTranslation, ...] = ()


class KeptWords:
    """Glossaries and memory; from any thread."""

    def __init__(self, store: TranslationStore, memory: TranslationMemory) -> None:
        self._store, self._memory = store, memory

    def read_glossary(self, source: str, target: str) -> tuple[GlossaryTerm, ...]:
        return tuple(GlossaryTerm(text, other) for text, other in self._store.read_glossary(source, target))

    def keep_glossary(self, source: str, target: str, terms: Sequence[GlossaryTerm]) -> None:
        """Replace a pair's glossary; translations started from now on use it with their own terms."""
        self._store.keep_glossary(source, target, [(term.source, term.target) for term in terms])

    def whole_wish(self, job: Job) -> TranslationWish:
        """Return a job's wish with its languages' glossary after its own terms."""
        wish = wish_of(job)
        # The job's own terms before the shared ones.
        own = {term.source for term in wish.glossary}
        shared = self.read_glossary(source_language_of(job), wish.target)
        return replace(wish, glossary=(*wish.glossary, *(term for term in shared if term.source not in own)))

    def memory_for(self, wish: TranslationWish, source_language: str, model: Path) -> MemoryLookup:
        """Return the lookup of this model's translations for such a wish, and of the user's own."""
        pair = LanguagePair(source_language, wish.target)
        return KeptMemory(self._memory, wish, pair, model=model_key(model), prompt_version=PROMPT_VERSION)

    def keep_own(self, job: Job, row: Row, content: Content) -> None:
        """Store what the user wrote or accepted for a segment."""
        wish = wish_of(job)
        pair = LanguagePair(source_language_of(job), wish.target)
        self._memory.save_entries([own_entry(pair, row.segment.content, content, row.segment.context, wish.formality)])

    def export_tmx(self, path: Path) -> None:
        """Write the whole memory; raises DiskFull or FolderNotWritable."""
        with write_file(path) as file:
            write_tmx(self._memory.iterate_entries(), file)

    def import_tmx(self, path: Path) -> int:
        """Import a file's translations; return their number. Raises DocumentUnreadable."""
        return self._memory.save_entries(read_tmx(path))

    def count_pairs(self) -> dict[LanguagePair, int]:
        return self._memory.count_pairs()

    def memory_bytes(self) -> int:
        """Return the memory's approximate size on disk."""
        return self._memory.size_bytes()

    def ids_of(self, job: Job, rows: Iterable[Row]) -> frozenset[int]:
        """Return the ids of translations of these segments, whichever document they came from."""
        pair = LanguagePair(source_language_of(job), wish_of(job).target)
        return frozenset(self._memory.find_ids(pair, {key_of(row.segment.content) for row in rows}))

    def find_matches(
        self, words: str, pair: LanguagePair | None, only: Collection[int] | None, cancel: CancelToken
    ) -> MemoryMatches:
        """Find translations with every word in source or target; reads all, so not on the window's thread."""
        wanted = fold_text(words).split()
        # Only the newest are held in full; of all others the number is enough.
        ids, newest = list[int](), deque[MemoryTranslation](maxlen=MOST_SHOWN)
        for entry in self._memory.iterate_entries(pair):
            if cancel.cancelled:
                return MemoryMatches()
            if only is not None and entry.id not in only:
                continue
            found = MemoryTranslation(
                entry.id, entry.pair, _words_of(entry.source), _words_of(entry.target), entry.is_own
            )
            # Folded, so that case and accents don't matter.
            if wanted:
                text = fold_text(f"{found.source}\n{found.target}")
                if not all(word in text for word in wanted):
                    continue
            ids.append(entry.id)
            newest.append(found)
        return MemoryMatches(tuple(ids), tuple(reversed(newest)))

    def delete_entries(self, ids: Iterable[int] | None) -> int:
        """Purge translations from the memory, all of them with None; return their number.

        Translations in the list stay.
        """
        # Read while deleting, so that a large memory is never held at once.
        return self._memory.delete((entry.id for entry in self._memory.iterate_entries()) if ids is None else ids)


def _words_of(content: str) -> str:
    try:
        return plain(content_from_json(json.loads(content)))
    except (TypeError, ValueError):
        return content


# Reads TMX 1.4 and earlier, of this program and of others, as entries of the translation memory.
#
# The file is read as it comes, by expat: nothing of it is fetched, and one that declares entities is refused. Inline
# markup becomes marks that are numbered anew in each unit; <hi> and <sub> are taken for their text.


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

    Those of other programs count as the user's own; those of this program keep their origin.
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


# Writes a translation memory as TMX 1.4 (Translation Memory eXchange, LISA 2005).


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
