"""What a translation is: what was wished, what became of each segment, and what a person should look at. Frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.documents.segments import Content
from app.features.work.asking import Rests


class Formality(StrEnum):
    """How people are addressed, in languages that tell."""

    DEFAULT = ""
    FORMAL = "formal"
    INFORMAL = "informal"


@dataclass(frozen=True)
class Term:
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
    glossary: tuple[Term, ...] = ()


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
    LENGTH = "length"
    """Much shorter or longer than such a text is."""
    LANGUAGE = "language"
    """It looks like another language than the target."""
    SAME = "same"
    """It is the source, unchanged, and has words."""
    LOOP = "loop"
    """The same words over and over."""
    LEFTOVER = "leftover"
    """`said` was left in the source's script."""


@dataclass(frozen=True)
class Flag:
    """What a check came upon."""

    kind: FlagKind
    said: str = ""
    wanted: str = ""


class Origin(StrEnum):
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
    origin: Origin = Origin.MODEL
    flags: tuple[Flag, ...] = ()
    accepted: bool = False


# Where accepted translations are kept, and the events that tell how far a translation is.


class Memory(Protocol):
    """The translation memory as the pipeline asks for it; of one pair, model, formality and glossary. From any thread.

    The key of an entry is the source's content (words and marks) with its context; see `app.store.memory`.
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


TranslationEvent = TranslationPlanned | Rests | SegmentGrows | SegmentDone | TermsFound | TranslationEnded
