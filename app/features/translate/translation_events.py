"""A translation's data: options, segment results, flags, events; and how they are stored."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from app.core.lazy_dataclasses import dataclass
from app.core.wire import from_json
from app.documents.segments import Content, Segment
from app.documents.source import ReadingRemark
from app.features.work.asking import TaskRests
from app.store.document_store import StoredDocument
from app.store.jobs import Job, JobRow
from app.store.translation_store import SegmentCounts, StoredSegment


class Formality(StrEnum):
    """Form of address, in languages that distinguish."""

    DEFAULT = ""
    FORMAL = "formal"
    INFORMAL = "informal"


@dataclass(frozen=True)
class GlossaryTerm:
    """A line of the glossary: this in the source is that in the target. The same on both sides: not translated."""

    source: str
    target: str


@dataclass(frozen=True)
class TranslationWish:
    """Options the user chose.

    Languages are BCP 47 codes ("pt-BR"); `source` "" is detected. `domain` is a note such as "a rental contract", for
    models that take one.
    """

    target: str
    source: str = ""
    formality: Formality = Formality.DEFAULT
    domain: str = ""
    glossary: tuple[GlossaryTerm, ...] = ()


class FlagKind(StrEnum):
    """Reason to review a segment; used in the terminal's JSON."""

    UNTRANSLATED = "untranslated"
    """Every attempt failed: the segment keeps its source text."""
    FORMATTING = "formatting"
    """The words are there, the inline markup was put back by place."""
    GLOSSARY = "glossary"
    """`said` is the term, `wanted` what the glossary says for it."""
    NUMBER = "number"
    """`said` is a number of the source that is not in the translation, or the other way round."""
    WORD = "word"
    """`said` is a weekday, a month or a number in words of the source for which there is nothing, or another."""
    NEGATION = "negation"
    """`said` negates in one of the texts, and nothing does in the other."""
    OPPOSITE = "opposite"
    """`said` is a word of the source ("narrow"), `wanted` one of the translation that excludes it ("wide")."""
    GARBLED = "garbled"
    """`said` has letters of a foreign script, or words glued together."""
    SEPARATORS = "separators"
    """`said` is a number written as in the source's language."""
    LENGTH = "length"
    """Much shorter or longer than such a text is."""
    LANGUAGE = "language"
    """It looks like another language than the target."""
    SAME = "same"
    """It is the source, unchanged, and has words."""
    LOOP = "loop"
    """The same words over and over."""
    UNSURE = "unsure"
    """The model was not sure while it wrote this, of `said` least of all."""
    LEFTOVER = "leftover"
    """`said` was left in the source's script, or is an ordinary word of its language."""


@dataclass(frozen=True)
class Flag:
    """A problem found by a check."""

    kind: FlagKind
    said: str = ""
    wanted: str = ""


class TranslationSource(StrEnum):
    """Origin of a segment's translation."""

    MODEL = "model"
    MEMORY = "memory"
    EDITED = "edited"
    """By the user; never replaced by a model's."""
    SKIPPED = "skipped"
    """Nothing to translate: numbers, code, addresses, or it is in the target language already."""
    KEPT = "kept"
    """It could not be translated; flagged."""


@dataclass(frozen=True)
class Translated:
    """A segment's result.

    `content` has exactly the markup of the source. `accepted`: the user approved it, so its flags are hidden.
    """

    id: int
    content: Content
    origin: TranslationSource = TranslationSource.MODEL
    flags: tuple[Flag, ...] = ()
    accepted: bool = False


class MemoryLookup(Protocol):
    """The translation memory as the pipeline asks for it; of one pair, model, formality and glossary. From any thread.

    The key of an entry is the source's content (words and marks) with its context; see `app.store.memory`.
    """

    def find_step(self, source: Content, context: str = "") -> Content | None:
        """Return an accepted translation of the same content, the user's own before a model's; None without one."""

    def keep_step(self, source: Content, target: Content, context: str = "") -> None:
        """Store a model's translation without flags; it is on disk on return."""


@dataclass(frozen=True)
class TranslationPlanned:
    """The first event: how many segments there are, how many of them were known (memory or nothing to do), and the
    tokens that are left to translate. `source` is the language, found or given."""

    segments: int
    known: int
    tokens: int
    source: str


@dataclass(frozen=True)
class SegmentGrows:
    """Event: a segment's translation so far, as plain text."""

    id: int
    text: str


@dataclass(frozen=True)
class SegmentDone:
    """A segment is done: `done` of `segments`. Events of segments come in no certain order."""

    translated: Translated
    done: int
    segments: int


@dataclass(frozen=True)
class TermsFound:
    """Names and terms that the document repeats, and the renderings that are fixed for it from now on: all so far."""

    terms: tuple[GlossaryTerm, ...]


@dataclass(frozen=True)
class TranslationEnded:
    """The last event; with `is_partial` it was stopped, and the segments without a SegmentDone are not translated."""

    is_partial: bool = False


TranslationEvent = TranslationPlanned | TaskRests | SegmentGrows | SegmentDone | TermsFound | TranslationEnded


KIND = "translation"
TASK = "translate"

ADDING, DRAFT = "adding", "draft"
"""States in addition to those of `app.features.work.queue`: still reading segments; waiting to be started."""
BLOCKS, TYPED = "blocks", "typed"
"""Formats that are none of `app.documents.formats.registry`: a new document is made; text that somebody typed."""


@dataclass(frozen=True)
class StoredTranslation(JobRow):
    """Row of the list.

    `format` is a name of `app.documents.formats.registry`, "blocks" where a new document is made (PDF, RTF and
    others), "typed" for typed text; `name` is the file's, "" for typed text. `source_language` is given or detected,
    "" if unknown. `flagged` counts segments to review that nobody accepted; `reused` those from the memory. `seconds`
    is the working time, `model` the file name of the last model used.
    """

    wish: TranslationWish
    source_language: str
    name: str
    format: str
    segments: int
    done: int
    flagged: int
    reused: int
    seconds: float = 0.0
    model: str = ""
    remarks: tuple[ReadingRemark, ...] = ()
    """Remarks from reading the file."""


@dataclass(frozen=True)
class Row:
    """A segment with its translation, None until there is one."""

    segment: Segment
    translated: Translated | None

    @property
    def is_open(self) -> bool:
        """True if it has words and no translation."""
        return self.translated is None and any(character.isalpha() for character in self.segment.text)


@dataclass(frozen=True)
class Adding:
    """Event: number of segments found so far; several times a second."""

    segments: int


@dataclass(frozen=True)
class Pictured:
    """Pages of this document are pictures that are not read yet: DocumentUnreadable ("pictures") follows."""

    document: StoredDocument


@dataclass(frozen=True)
class TranslationAdded:
    """The last event: the translation is there, a draft."""

    translation: StoredTranslation


@dataclass(frozen=True)
class TranslationEstimate:
    """Estimated cost.

    `known` segments need no model; `tokens` are those of the rest. `seconds` None: no measurement yet for this model
    here.
    """

    segments: int
    known: int
    tokens: int
    seconds: float | None
    is_elsewhere: bool = False
    """True if a server runs the model."""


@dataclass(frozen=True)
class Saving:
    """Event: number of segments written so far; several times a second."""

    segments: int


@dataclass(frozen=True)
class Saved:
    """Final event: the file is written.

    `untranslated` are ids of segments left in the source language because they have no translation yet; with
    `is_marked` the file says so at each. `kept` are segments that couldn't be translated and that nobody accepted:
    left as in the source, unmarked. `refused` are those whose translation lacked the source's markup. `keeps_layout`
    is False for a new document made of the text alone.
    """

    path: Path
    untranslated: tuple[int, ...] = ()
    is_marked: bool = False
    refused: tuple[int, ...] = ()
    keeps_layout: bool = True
    remarks: tuple[ReadingRemark, ...] = ()
    kept: tuple[int, ...] = ()


def from_job(job: Job, counts: SegmentCounts) -> StoredTranslation:
    spec, progress = job.spec, job.progress
    return StoredTranslation(
        job.id,
        job.title,
        job.state,
        job.error,
        job.created_at,
        job.updated_at,
        wish_of(job),
        source_language_of(job),
        str(spec.get("name", "")),
        str(spec.get("format", "")),
        counts.segments,
        counts.done,
        counts.flagged,
        dict(counts.by_origin).get(TranslationSource.MEMORY, 0),
        float(progress.get("worked_s", 0.0)),
        str(progress.get("model_file", "")),
        tuple(ReadingRemark(**fields) for fields in spec.get("remarks", ())),
    )


def wish_of(job: Job) -> TranslationWish:
    # An old row may lack it; such a job is listed, and needs a language before it runs.
    return from_json(TranslationWish, job.spec.get("wish") or {"target": ""})


def source_language_of(job: Job) -> str:
    """Return the source language the user chose, else the detected one."""
    return wish_of(job).source or str(job.spec.get("source_language", ""))


def terms_of(job: Job) -> tuple[GlossaryTerm, ...]:
    """Return the names and terms its last run repeated, with their translations; none before it starts."""
    # A draft's terms are those of an earlier run with other words.
    if job.state == DRAFT:
        return ()
    return tuple(GlossaryTerm(str(source), str(target)) for source, target in job.progress.get("terms", ()))


MOST_CHARACTERS = 1_000_000
"""Characters indexed of a long text, from its start: indexing more would hold up the work."""


def searched_text(job: Job, segments: Iterable[StoredSegment]) -> str:
    """Return the text to search by, without markup."""
    found, length = [str(job.spec.get("name", ""))], 0
    for segment in segments:
        for fields in (segment.source, segment.target or {}):
            # Segments come as JSON: making objects of a hundred thousand would take seconds.
            words = "".join(part for part in fields.get("content", ()) if isinstance(part, str))
            found.append(words)
            length += len(words)
        if length >= MOST_CHARACTERS:
            break
    return "\n".join(found)
