"""How much a model is given at once: sizes by the class of model, and segments put together to batches of one section.

The sizes are those that others use: 450 tokens (TranslateBooksWithLLMs), 40 units (ai-epub-translator), 2K tokens in
all (TranslateGemma); in between they are judged. A document that is short beside what the engine works on side by side
is spread over more and smaller batches, which is faster. The smallest models are told nothing of the text before: the
starter wrote just that down in place of a translation for 2 of 8 sentences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from app.features.model_languages import GENERIC, TRANSLATE_GEMMA, Knows
from app.language.names import MANY_TOKENS, base

SHARE_OF_CONTEXT = 0.2
"""Of the window, for the segments: rules, reference and an answer twice as long have to go in too."""
CONTEXT_SHARE = 0.25
ANSWER, LONG_ANSWER, ANSWER_MORE = 2.0, 2.5, 64
TAG_TOKENS = 16
"""More than `<s n="12">` and `</s>` take."""
LEAST_TOKENS = 48
_GEMMA_TOKENS = 600


class _Class(NamedTuple):
    """Models of up to so many weights."""

    most_weights: float
    tokens: int
    segments: int
    context: int


_CLASSES = (
    _Class(1e9, 150, 1, 0),
    _Class(5e9, 350, 8, 1),
    _Class(16e9, 800, 20, 2),
    _Class(float("inf"), 2000, 40, 2),
)


@dataclass(frozen=True)
class Sizes:
    """Tokens of the source and segments at once; how many segments before them are told, in how many tokens."""

    tokens: int
    segments: int
    context: int
    context_tokens: int
    side_by_side: int


def sizes_for(knows: Knows, weights: float, window_tokens: int, side_by_side: int) -> Sizes:
    """The sizes for a model, loaded with such a window and so many places."""
    found = next(one for one in _CLASSES if weights <= one.most_weights)
    tokens = knows.input_tokens or (_GEMMA_TOKENS if knows.family == TRANSLATE_GEMMA else found.tokens)
    segments = (knows.segments or found.segments) if knows.family == GENERIC else 1
    context = knows.context_segments or found.context
    most = max(LEAST_TOKENS, int(window_tokens * SHARE_OF_CONTEXT))
    return Sizes(min(tokens, most), segments, context, int(window_tokens * CONTEXT_SHARE), max(1, side_by_side))


def answer_tokens(source_tokens: int, segments: int, target: str) -> int:
    """Where an answer to so many tokens is cut off."""
    times = LONG_ANSWER if base(target) in MANY_TOKENS else ANSWER
    return int(times * source_tokens) + ANSWER_MORE + (TAG_TOKENS * segments if segments > 1 else 0)


class Sized(Protocol):
    """What is put together."""

    @property
    def tokens(self) -> int:
        """How long it is."""

    @property
    def section(self) -> object:
        """Units of one batch have the same."""


T = TypeVar("T", bound=Sized)


def batches_of(units: Sequence[T], sizes: Sizes) -> list[list[T]]:
    """The units in their order, put together as far as the sizes let."""
    if sizes.segments == 1:
        return [[unit] for unit in units]
    most = _spread(sum(unit.tokens for unit in units), sizes)
    most_segments = max(1, min(sizes.segments, math.ceil(len(units) / sizes.side_by_side)))
    found: list[list[T]] = []
    held = 0
    for unit in units:
        last = found[-1] if found else []
        fits = last and len(last) < most_segments and held + unit.tokens <= most
        if fits and last[-1].section == unit.section:
            last.append(unit)
            held += unit.tokens
        else:
            found.append([unit])
            held = unit.tokens
    return found


def _spread(tokens: int, sizes: Sizes) -> int:
    share = -(-tokens // sizes.side_by_side)
    return min(sizes.tokens, max(LEAST_TOKENS, share))
