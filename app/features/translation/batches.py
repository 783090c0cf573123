"""How much a model is given at once: sizes by the class of model, and segments put together to batches of one section.

The sizes are those that others use: 450 tokens (TranslateBooksWithLLMs), 40 units (ai-epub-translator), 2K tokens in
all (TranslateGemma); in between they are judged. A document that is short beside what the engine works on side by side
is spread over more and smaller batches, which is faster. The smallest models are told nothing of the text before: the
starter wrote just that down in place of a translation for 2 of 8 sentences.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, Protocol, TypeVar

from app.documents.segments import Content, Mark, Segment, content_of, plain
from app.documents.split import Rank, cuts_in
from app.features.models.languages import GENERIC, TRANSLATE_GEMMA, Knows
from app.features.translation.delivering import Candidate
from app.features.translation.marking import Shown, trimmed
from app.features.translation.problems import weight
from app.features.translation.result import Term
from app.language.names import MANY_TOKENS, WITHOUT_WORD_SPACES, base
from app.language.sentences import CLOSING, ENDS, ENDS_AT_ONCE

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


# Cuts a content into sentences that can be translated one by one: never within a pair of marks; and joins them.


_EVERY = 1
"""As small a step as goes: every sentence."""
_ENDS = re.compile(rf"[{ENDS}{ENDS_AT_ONCE}][{CLOSING}]*\s*\Z")


def sentences_of(content: Content) -> list[Content]:
    """The sentences, which together are the content; those that a pair holds together stay one."""
    return _cut(content, Rank.SENTENCE)


def parts_of(content: Content, size: Callable[[Content], int], most: int) -> list[Content]:
    """Stretches of sentences of at most so many tokens; a longer sentence is cut between words, where that goes."""
    found: list[Content] = []
    for sentence in sentences_of(content):
        for piece in [sentence] if size(sentence) <= most else _cut(sentence, Rank.WORD):
            if found and size((*found[-1], *piece)) <= most:
                found[-1] = content_of([*found[-1], *piece])
            else:
                found.append(piece)
    return found


def halves_of(content: Content) -> list[Content]:
    """Two parts at the end of a sentence, near the middle; one where there is only one sentence."""
    sentences = sentences_of(content)
    if len(sentences) < 2:
        return sentences
    sizes = [len(plain(one)) for one in sentences]
    middle = min(range(1, len(sentences)), key=lambda n: abs(sum(sizes[:n]) - sum(sizes[n:])))
    return [content_of([part for one in some for part in one]) for some in (sentences[:middle], sentences[middle:])]


def joined(parts: Sequence[Content], source: str, target: str) -> Content:
    """Translated parts in a row, with the spaces between sentences that the target language has."""
    was_spaceless, is_spaceless = (base(code) in WITHOUT_WORD_SPACES for code in (source, target))
    found: list[str | Mark] = []
    for number, part in enumerate(parts):
        ours = list(part)
        if was_spaceless and not is_spaceless and number and found and not _ends_in_space(found):
            ours.insert(0, " ")
        if is_spaceless and not was_spaceless and number < len(parts) - 1 and isinstance(ours[-1], str):
            ours[-1] = ours[-1].rstrip(" ")
        found += ours
    return content_of(found)


def _ends_in_space(parts: Sequence[str | Mark]) -> bool:
    return plain(tuple(parts))[-1:].isspace()


def _cut(content: Content, rank: Rank) -> list[Content]:
    """At every place of a rank that lies in no pair."""
    found: list[list[str | Mark]] = [[]]
    depth = 0
    for part in content:
        if isinstance(part, Mark):
            depth += {"open": 1, "close": -1}.get(part.role, 0)
            found[-1].append(part)
            continue
        if depth:
            found[-1].append(part)
            continue
        at = 0
        for place in [*cuts_in(part, rank, _EVERY), len(part)]:
            found[-1].append(part[at:place])
            at = place
            if place < len(part) or (rank is Rank.SENTENCE and _ENDS.search(part) and part[-1:].isspace()):
                found.append([])
    pieces = [content_of(piece) for piece in found]
    return [piece for piece in pieces if piece]


# What is asked once: the segments of one content and context, how far the ladder of repair got, and what came.


class Step(IntEnum):
    """How a unit is asked: with others, alone and told what was wrong, without context, sentence by sentence."""

    FIRST = 0
    ALONE = 1
    BARE = 2
    PIECES = 3


@dataclass(eq=False)
class Unit:
    """`place` is that of its first segment in the document. `terms` are those of the person's glossary in it.

    A sentence of a longer unit has that as its `parent`, and no segments. `before` are the segments in front that were
    told when it was asked last.
    """

    segments: list[Segment]
    shown: Shown
    place: int
    section: object = None
    tokens: int = 0
    terms: tuple[Term, ...] = ()
    parent: Unit | None = None
    step: Step = Step.FIRST
    before: tuple[tuple[str, str], ...] = ()
    has_hint: bool = False
    candidates: list[Candidate] = field(default_factory=list)
    pieces: list[Unit] = field(default_factory=list)
    settled: Candidate | None = None

    @property
    def had_context(self) -> bool:
        """Whether anything beside the text was told when it was asked last."""
        return self.has_hint or bool(self.before)

    @property
    def best(self) -> Candidate:
        """The one with the least wrong, of those alike the first."""
        return min(self.candidates, key=lambda one: weight(one.problems))

    def piece(self, content: Content, tokens: int) -> Unit:
        before, core, after = trimmed(content)
        shown = Shown(before, core, after, self.shown.ordered, self.shown.kind)
        return Unit([], shown, self.place, self.section, tokens, parent=self)

    def guarded(self, core: Content) -> Content:
        """A core with what was kept back around it; protected text is still behind its marks."""
        return content_of([*self.shown.before, *core, *self.shown.after])
