"""What the window asks of the thread that translates typed text, and what it tells; frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.core.events import CancelToken
from app.documents.segments import Content, Segment
from app.features.translation.result import Translated, TranslationEvent, TranslationWish


class Either(CancelToken):
    """Set with either of two others."""

    def __init__(self, one: CancelToken, other: CancelToken) -> None:
        super().__init__()
        self._one, self._other = one, other

    @property
    def cancelled(self) -> bool:
        return self._one.cancelled or self._other.cancelled


@dataclass(frozen=True)
class Ask:
    """One thing to do with a model. `stop` ends it; it is set when something newer takes its place."""

    number: int
    wish: TranslationWish
    model: Path
    stop: CancelToken = field(default_factory=CancelToken, kw_only=True)


@dataclass(frozen=True)
class AskText(Ask):
    """A text; `done` is what is there already, by what it translates. `source_language`: "" where nothing tells it."""

    text: str
    done: Mapping[Content, Translated]
    source_language: str


@dataclass(frozen=True)
class AskAlternatives(Ask):
    """Other translations of a sentence of the source, which stands in that paragraph; `current` is the one it has."""

    sentence: str
    paragraph: str
    source_language: str
    current: str


@dataclass(frozen=True)
class AskBack(Ask):
    """A translation, back into the language of the source."""

    text: str
    source_language: str


@dataclass(frozen=True)
class Paragraphs:
    """What a text is made of, and the language it was found to be in ("" where that cannot be told)."""

    segments: tuple[Segment, ...]
    source_language: str
    translated: Mapping[int, Translated]


@dataclass(frozen=True)
class Alternative:
    """One other wording."""

    text: str


@dataclass(frozen=True)
class BackText:
    """What is there of a translation back."""

    text: str


@dataclass(frozen=True)
class Ended:
    """Nothing more comes of an ask."""

    is_partial: bool
    seconds: float


Event = Paragraphs | TranslationEvent | Alternative | BackText | Ended


@dataclass(frozen=True)
class Answer:
    """What came of an ask, by its number."""

    number: int
    event: Event
