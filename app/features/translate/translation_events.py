"""What a translation is: what was wished, what became of each segment, what to look at; and how it is stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from app.core.wire import from_json
from app.documents.segments import Content, Segment
from app.documents.source import ReadingRemark
from app.features.work.asking import TaskRests
from app.store.document_store import StoredDocument
from app.store.jobs import Job, JobRow
from app.store.translation_store import SegmentCounts, StoredSegment


class Formality(StrEnum):
    """How people are addressed, in languages that tell."""

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
    """What a person wants. Languages are codes as BCP 47 has them ("pt-BR"); `source` "" is to be found out.

    `domain` is a note such as "a rental contract", for models that take one.
    """

    target: str
    source: str = ""
    formality: Formality = Formality.DEFAULT
    domain: str = ""
    glossary: tuple[GlossaryTerm, ...] = ()


class FlagKind(StrEnum):
    """Why a person should look at a segment; the terminal's JSON has these."""

    UNTRANSLATED = "untranslated"
    """Nothing usable came, after every way was tried: the source stands there."""
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
    """What a check came upon."""

    kind: FlagKind
    said: str = ""
    wanted: str = ""


class TranslationSource(StrEnum):
    """Where a segment's translation is from."""

    MODEL = "model"
    MEMORY = "memory"
    EDITED = "edited"
    """By a person; never replaced by a model's."""
    SKIPPED = "skipped"
    """Nothing to translate: numbers, code, addresses, or it is in the target language already."""
    KEPT = "kept"
    """It could not be translated; flagged."""


@dataclass(frozen=True)
class Translated:
    """What became of a segment. `content` has exactly the marks of the source. `accepted`: a person said it is good,
    its flags are not shown any more."""

    id: int
    content: Content
    origin: TranslationSource = TranslationSource.MODEL
    flags: tuple[Flag, ...] = ()
    accepted: bool = False


# Where accepted translations are kept, and the events that tell how far a translation is.


class MemoryLookup(Protocol):
    """The translation memory as the pipeline asks for it; of one pair, model, formality and glossary. From any thread.

    The key of an entry is the source's content (words and marks) with its context; see `app.store.memory`.
    """

    def find_step(self, source: Content, context: str = "") -> Content | None:
        """An accepted translation of the same content; a person's own goes before a model's. None without one."""

    def keep_step(self, source: Content, target: Content, context: str = "") -> None:
        """Keeps a model's translation without flags; it is on the disk when this returns."""


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
    """What is there of a segment's translation while it is being written, as plain text."""

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
"""States beside those of `app.features.work.queue`: not all of its segments are there; it waits to be begun."""
BLOCKS, TYPED = "blocks", "typed"
"""Formats that are none of `app.documents.formats.registry`: a new document is made; text that somebody typed."""


@dataclass(frozen=True)
class StoredTranslation(JobRow):
    """One row of the list.

    `format` is a name of `app.documents.formats.registry`, "blocks" where a new document is made (PDF, RTF and others),
    "typed" for typed text; `name` is the file's, "" for that. `source_language` is what was found or given, "" where
    it is not known. `flagged` are those to look at, which nobody has accepted; `reused` came from the memory.
    `seconds` is how long it was worked on, `model` the name of the file of the one that did it last.
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
    """What there was to tell of the file when it was read."""


@dataclass(frozen=True)
class Row:
    """A segment beside its translation, None as long as there is none."""

    segment: Segment
    translated: Translated | None

    @property
    def is_open(self) -> bool:
        """Whether it has words that nobody has translated yet."""
        return self.translated is None and any(character.isalpha() for character in self.segment.text)


@dataclass(frozen=True)
class Adding:
    """So many segments were found so far; comes several times a second."""

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
    """What a translation would take. `known` segments need no model; `tokens` are those of the others.

    `seconds` None: nothing was measured on this machine with this model yet.
    """

    segments: int
    known: int
    tokens: int
    seconds: float | None
    is_elsewhere: bool = False
    """Whether a server does it."""


@dataclass(frozen=True)
class Saving:
    """So many segments were written so far; comes several times a second."""

    segments: int


@dataclass(frozen=True)
class Saved:
    """The last event: the file is there.

    `untranslated` are the ids of segments that stand in the source's language, as they are not translated yet; where
    `is_marked`, each says so in the file. `kept` are those that could not be translated and that nobody has accepted:
    they stand there as in the source, unmarked. `refused` are those whose translation had not the markup of the source.
    `keeps_layout` is False for a new document made of the text alone.
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
    return from_json(TranslationWish, job.spec.get("wish") or {"target": ""})


def source_language_of(job: Job) -> str:
    """What a person said the source's language is, else what was found."""
    return wish_of(job).source or str(job.spec.get("source_language", ""))


def terms_of(job: Job) -> tuple[GlossaryTerm, ...]:
    """The names and terms that it repeats, and how its last run translated them; none for one that is to begin."""
    if job.state == DRAFT:
        return ()
    return tuple(GlossaryTerm(str(source), str(target)) for source, target in job.progress.get("terms", ()))


# What a translation is found by, besides its title: the file's name, and the text on both sides.


MOST_CHARACTERS = 1_000_000
"""Of a longer text what comes first: the index would take longer than the work beside it may."""


def searched_text(job: Job, segments: Iterable[StoredSegment]) -> str:
    """The words without their markup."""
    found, length = [str(job.spec.get("name", ""))], 0
    for segment in segments:
        for fields in (segment.source, segment.target or {}):
            words = _content_words(fields.get("content", ()))
            found.append(words)
            length += len(words)
        if length >= MOST_CHARACTERS:
            break
    return "\n".join(found)


def _content_words(content: Iterable[Any]) -> str:
    return "".join(part for part in content if isinstance(part, str))
