"""A stored translation as it is listed, and how its values stand in the job that keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.wire import from_json
from app.documents.segments import Segment
from app.documents.source import Remark
from app.features.translation.result import Origin, Term, Translated, TranslationWish
from app.store.documents import StoredDocument
from app.store.jobs import Job, JobRow
from app.store.translations import Counts, StoredSegment

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
    remarks: tuple[Remark, ...] = ()
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
class Added:
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
    remarks: tuple[Remark, ...] = ()
    kept: tuple[int, ...] = ()


def from_job(job: Job, counts: Counts) -> StoredTranslation:
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
        dict(counts.by_origin).get(Origin.MEMORY, 0),
        float(progress.get("worked_s", 0.0)),
        str(progress.get("model_file", "")),
        tuple(Remark(**fields) for fields in spec.get("remarks", ())),
    )


def wish_of(job: Job) -> TranslationWish:
    return from_json(TranslationWish, job.spec.get("wish") or {"target": ""})


def source_language_of(job: Job) -> str:
    """What a person said the source's language is, else what was found."""
    return wish_of(job).source or str(job.spec.get("source_language", ""))


def terms_of(job: Job) -> tuple[Term, ...]:
    """The names and terms that it repeats, and how its last run translated them; none for one that is to begin."""
    if job.state == DRAFT:
        return ()
    return tuple(Term(str(source), str(target)) for source, target in job.progress.get("terms", ()))


# What a translation is found by, besides its title: the file's name, and the text on both sides.


MOST_CHARACTERS = 1_000_000
"""Of a longer text what comes first: the index would take longer than the work beside it may."""


def searched_text(job: Job, segments: Iterable[StoredSegment]) -> str:
    """The words without their markup."""
    found, length = [str(job.spec.get("name", ""))], 0
    for segment in segments:
        for fields in (segment.source, segment.target or {}):
            words = _words(fields.get("content", ()))
            found.append(words)
            length += len(words)
        if length >= MOST_CHARACTERS:
            break
    return "\n".join(found)


def _words(content: Iterable[Any]) -> str:
    return "".join(part for part in content if isinstance(part, str))
