"""The same question for two models, one after the other, and a tally of which answered better."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import AppError
from app.core.events import CancelToken, Finished, LoadProgress, Message, PromptProgress, Role, TextDelta
from app.engine.contract import Engine
from app.engine.protocol import OPEN, Ask, Wish
from app.features.inside.room import MakeRoom, Rests, nobody_rests

MOST_TOKENS = 1024
"""Of an answer."""
MOST_PAIRS = 200
"""Whose tally is kept; that of the pair that was asked longest ago goes first."""
Told = Rests | LoadProgress | PromptProgress | TextDelta | Finished | AppError


def answers(
    engine: Engine,
    paths: Sequence[Path],
    question: str,
    *,
    wish: Wish = OPEN,
    make_room: MakeRoom = nobody_rests,
    cancel: CancelToken,
) -> Iterator[tuple[int, Told]]:
    """What each does with the question, with its place in `paths`; the last of each is Finished or its error.

    Cancelled, it ends with what there is. The engine may be let go of to end it at once.
    """
    ask = Ask((Message(Role.USER, question),), max_tokens=MOST_TOKENS)
    for place, path in enumerate(paths):
        try:
            if (rests := make_room(path)) is not None:
                yield place, rests
            for event in engine.load(path, wish, cancel=cancel):
                if isinstance(event, LoadProgress):
                    yield place, event
            for told in engine.answer(ask, cancel) if not cancel.cancelled else ():
                if isinstance(told, PromptProgress | TextDelta | Finished):
                    yield place, told
            if not cancel.cancelled:
                engine.unload()
        except AppError as error:
            if not cancel.cancelled:
                yield place, error
        if cancel.cancelled:
            return


@dataclass(frozen=True)
class Tally:
    """How often each of two models, by the names of their files, was found better, and how often neither."""

    first: str
    second: str
    for_first: int = 0
    for_second: int = 0
    same: int = 0

    @property
    def line(self) -> str:
        """As the settings keep it."""
        return json.dumps([self.first, self.second, self.for_first, self.for_second, self.same])


def tally_of(lines: Sequence[str], one: Path, other: Path) -> Tally:
    """The votes on two models so far, the first of which is `one`."""
    for kept in _read(lines):
        if (kept.first, kept.second) == (one.name, other.name):
            return kept
        if (kept.second, kept.first) == (one.name, other.name):
            return Tally(one.name, other.name, kept.for_second, kept.for_first, kept.same)
    return Tally(one.name, other.name)


def with_vote(lines: Sequence[str], one: Path, other: Path, better: Path | None) -> tuple[str, ...]:
    """The lines with one vote more; None: neither was better."""
    now = tally_of(lines, one, other)
    more = Tally(
        now.first,
        now.second,
        now.for_first + (better == one),
        now.for_second + (better == other),
        now.same + (better is None),
    )
    return (more.line, *_without(lines, one, other))[:MOST_PAIRS]


def without_votes(lines: Sequence[str], one: Path, other: Path) -> tuple[str, ...]:
    """The lines without those of two models."""
    return tuple(_without(lines, one, other))


def _without(lines: Sequence[str], one: Path, other: Path) -> Iterator[str]:
    for kept in _read(lines):
        if {kept.first, kept.second} != {one.name, other.name}:
            yield kept.line


def _read(lines: Sequence[str]) -> Iterator[Tally]:
    for line in lines:
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            first, second, *counts = json.loads(line)
            if isinstance(first, str) and isinstance(second, str) and all(isinstance(one, int) for one in counts):
                yield Tally(first, second, *(max(0, one) for one in counts))
