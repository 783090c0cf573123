"""What a summary is made from, where its steps are kept, and the events that tell how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.documents.blocks import Block
from app.features.summary.result import Coverage, Statement, Summary


@dataclass(frozen=True)
class InputDocument:
    """One document to be summarized, all blocks in order. `id` is that of the store, 0 in the terminal.

    `picture_pages` are those of `pages_without_text` that are pictures.
    """

    id: int
    name: str
    title: str
    unit: str
    pages: int
    pages_without_text: tuple[int, ...]
    language: str
    blocks: Sequence[Block]
    picture_pages: tuple[int, ...] = ()


class Steps(Protocol):
    """Where finished steps are kept, so that none is done twice. Values are plain JSON."""

    def find(self, key: str) -> Any | None:
        """What was kept under a key, by this or any other summary; None without it."""

    def keep(self, key: str, value: Any) -> None:
        """Keeps a finished step; it is safe when this returns."""


@dataclass(frozen=True)
class Planned:
    """The first event: how much there is to do. `sections` is 1 where everything fits into one pass."""

    sections: int
    tokens: int


@dataclass(frozen=True)
class Rests:
    """The work waits: "interactive" (somebody is being answered), "room"; "" when it goes on."""

    reason: str


@dataclass(frozen=True)
class SectionRead:
    """One more section is read: `done` of `sections`. `points` are its statements, checked.

    `document` and `first_page` say where it is; `was_kept`: an earlier run had read it; `has_failed`: it could not be
    condensed. `coverage` is what is read of each document with it.
    """

    done: int
    sections: int
    points: tuple[Statement, ...]
    document: int
    first_page: int | None
    was_kept: bool = False
    coverage: tuple[Coverage, ...] = ()
    has_failed: bool = False


@dataclass(frozen=True)
class Merging:
    """Points of several sections are being joined: `done` of `merges` so far."""

    done: int
    merges: int


@dataclass(frozen=True)
class Writing:
    """The write-up so far, as plain text without ids."""

    text: str


@dataclass(frozen=True)
class Summarized:
    """The last event: the summary, partial where it was stopped."""

    summary: Summary


SummaryEvent = Planned | Rests | SectionRead | Merging | Writing | Summarized
