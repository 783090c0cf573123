"""Where accepted translations are kept, and the events that tell how far a translation is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.documents.segments import Content
from app.features.translation.result import Term, Translated


class Memory(Protocol):
    """The translation memory as the pipeline asks for it; of one pair, model, formality and glossary. From any thread.

    The key of an entry is the source's content (words and marks) with its context; see `app.store.translations`.
    """

    def find(self, source: Content, context: str = "") -> Content | None:
        """An accepted translation of the same content; a person's own goes before a model's. None without one."""

    def keep(self, source: Content, target: Content, context: str = "") -> None:
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
class TranslationRests:
    """The work waits: "interactive" (somebody is being answered), "room"; "" when it goes on."""

    reason: str


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

    terms: tuple[Term, ...]


@dataclass(frozen=True)
class TranslationEnded:
    """The last event; with `is_partial` it was stopped, and the segments without a SegmentDone are not translated."""

    is_partial: bool = False


TranslationEvent = TranslationPlanned | TranslationRests | SegmentGrows | SegmentDone | TermsFound | TranslationEnded
