"""Summarizes whole documents: every block is read, every statement leads to the place it rests on.

    documents → sections → points with ids, under a grammar → checks → merges with evidence → one write-up → checks

The method (hierarchical merging with evidence from the source) follows BooookScore (Chang et al., ICLR 2024) and
context-aware merging (Ou and Lapata, Findings of ACL 2025); where the document fits, it is read in one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.cancel import CancelToken
from app.documents.blocks import Block
from app.engine.client import EngineClient
from app.features.summary.result import Statement, Summary, Wish


@dataclass(frozen=True)
class InputDocument:
    """One document to be summarized, all blocks in order. `id` is that of the store, 0 in the terminal."""

    id: int
    name: str
    title: str
    unit: str
    pages: int
    pages_without_text: tuple[int, ...]
    language: str
    blocks: Sequence[Block]


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

    `document` and `first_page` say where it is; `was_kept`: an earlier run had read it.
    """

    done: int
    sections: int
    points: tuple[Statement, ...]
    document: int
    first_page: int | None
    was_kept: bool = False


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


def summarize(
    documents: Sequence[InputDocument], wish: Wish, engine: EngineClient, steps: Steps, cancel: CancelToken
) -> Iterator[SummaryEvent]:
    """One summary over all of the documents, by the model that is loaded in `engine`.

    Cancelled, it ends at once with a partial summary of what was read. Raises what the engine raises when a second
    try does not help; every step that was finished is kept.
    """
    raise NotImplementedError
