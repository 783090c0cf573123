"""Build translation requests: group segments into batches, and phrase prompts for each model family.

The sizes are between those others use: 450 tokens (TranslateBooksWithLLMs), 40 units (ai-epub-translator), 2K tokens
in all (TranslateGemma). A document that is short compared with the engine's parallel capacity is spread over more and
smaller batches, which is faster. The smallest models get no context: for 2 of 8 sentences the starter wrote the
context instead of a translation. The wording of Hy-MT2, HY-MT1.5 and TranslateGemma is their makers'. When changing
any, raise PROMPT_VERSION.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol, TypeVar

from app.core.lazy_dataclasses import dataclass, field
from app.documents.segments import Content, Segment, content_of
from app.features.models.model_languages import GENERIC, TRANSLATE_GEMMA, KnownLanguages
from app.features.translate.delivering import DeliveryCandidate
from app.features.translate.marking import ShownContent, trim_content
from app.features.translate.problems import total_weight
from app.features.translate.translation_events import GlossaryTerm
from app.features.translate.translator_families import GenericFamily, HyMt1, HyMt2, TranslateGemma, TranslatorFamily
from app.language.language_names import MANY_TOKENS, base_code

SHARE_OF_CONTEXT = 0.2
"""Of the window, for the segments: rules, reference and an answer twice as long have to go in too."""
CONTEXT_SHARE = 0.25
ANSWER, LONG_ANSWER, ANSWER_MORE = 2.0, 2.5, 64
TAG_TOKENS = 16
"""More than `<s n="12">` and `</s>` take."""
LEAST_TOKENS = 48
_GEMMA_TOKENS = 600


class _ModelSize(NamedTuple):
    """Size class: models of up to this many weights."""

    most_weights: float
    tokens: int
    segments: int
    context: int


_CLASSES = (
    _ModelSize(1e9, 150, 1, 0),
    _ModelSize(5e9, 350, 8, 1),
    _ModelSize(16e9, 800, 20, 2),
    _ModelSize(float("inf"), 2000, 40, 2),
)


@dataclass(frozen=True)
class BatchSizes:
    """Tokens of source and number of segments per request.

    Preceding segments shown as context, and their token limit.
    """

    tokens: int
    segments: int
    context: int
    context_tokens: int
    side_by_side: int


def sizes_for(knows: KnownLanguages, weights: float, window_tokens: int, side_by_side: int) -> BatchSizes:
    """Return the batch sizes for a model, given its context window and number of parallel slots."""
    # A window may be smaller than the class's batches; rules, reference and a long answer have to go in too.
    found = next(model_size for model_size in _CLASSES if weights <= model_size.most_weights)
    tokens = knows.input_tokens or (_GEMMA_TOKENS if knows.family == TRANSLATE_GEMMA else found.tokens)
    # Specialised translators take one text at a time.
    segments = (knows.segments or found.segments) if knows.family == GENERIC else 1
    context = knows.context_segments or found.context
    most = max(LEAST_TOKENS, int(window_tokens * SHARE_OF_CONTEXT))
    return BatchSizes(min(tokens, most), segments, context, int(window_tokens * CONTEXT_SHARE), max(1, side_by_side))


def answer_tokens(source_tokens: int, segments: int, target: str) -> int:
    """Return the token limit of an answer to so many source tokens."""
    # In some scripts a word takes several tokens.
    times = LONG_ANSWER if base_code(target) in MANY_TOKENS else ANSWER
    return int(times * source_tokens) + ANSWER_MORE + (TAG_TOKENS * segments if segments > 1 else 0)


class SizedBatch(Protocol):
    """Item that is grouped into batches: its length and position in the document."""

    @property
    def tokens(self) -> int:
        """Length in the model's tokens."""

    @property
    def section(self) -> object:
        """Key that all units of one batch share."""


T = TypeVar("T", bound=SizedBatch)


def batches_of(units: Sequence[T], sizes: BatchSizes) -> list[list[T]]:
    """Group the units in order into batches as large as the sizes allow."""
    if sizes.segments == 1:
        return [[unit] for unit in units]
    # Spread over the places, since short batches side by side are faster than one long one.
    most = _spread_tokens(sum(unit.tokens for unit in units), sizes)
    most_segments = max(1, min(sizes.segments, math.ceil(len(units) / sizes.side_by_side)))
    found: list[list[T]] = []
    held = 0
    for unit in units:
        last = found[-1] if found else []
        fits = last and len(last) < most_segments and held + unit.tokens <= most
        # A batch keeps to its section, whose words explain each other.
        if fits and last[-1].section == unit.section:
            last.append(unit)
            held += unit.tokens
        else:
            found.append([unit])
            held = unit.tokens
    return found


def _spread_tokens(tokens: int, sizes: BatchSizes) -> int:
    # Very small batches cost more in rules than they gain.
    share = -(-tokens // sizes.side_by_side)
    return min(sizes.tokens, max(LEAST_TOKENS, share))


class AskingStep(IntEnum):
    """Ways of asking a unit, in order of attempts: batched, alone with the last problem, without context, by
    sentence.
    """

    FIRST = 0
    ALONE = 1
    BARE = 2
    PIECES = 3


@dataclass(eq=False)
class TranslationUnit:
    """A text to translate; `place` is its first segment's position in the document.

    `terms` are the user's glossary terms in it. A sentence of a longer unit has that as its `parent`, and no
    segments. `before` are the preceding segments shown as context in the last request.
    """

    segments: list[Segment]
    shown: ShownContent
    place: int
    section: object = None
    tokens: int = 0
    terms: tuple[GlossaryTerm, ...] = ()
    parent: TranslationUnit | None = None
    step: AskingStep = AskingStep.FIRST
    before: tuple[tuple[str, str], ...] = ()
    has_hint: bool = False
    candidates: list[DeliveryCandidate] = field(default_factory=list)
    pieces: list[TranslationUnit] = field(default_factory=list)
    settled: DeliveryCandidate | None = None

    @property
    def had_context(self) -> bool:
        """True if the last request had context."""
        return self.has_hint or bool(self.before)

    @property
    def best(self) -> DeliveryCandidate:
        """The one with the least wrong, of those alike the first."""
        # Of equal ones the first: later ones were asked with less context.
        return min(self.candidates, key=lambda one: total_weight(one.problems))

    def make_piece(self, content: Content, tokens: int) -> TranslationUnit:
        before, core, after = trim_content(content)
        shown = ShownContent(before, core, after, self.shown.ordered, self.shown.kind)
        return TranslationUnit([], shown, self.place, self.section, tokens, parent=self)

    def restore_guarded(self, core: Content) -> Content:
        """Put the guarded ends back around a core; protected text is still behind its marks."""
        return content_of([*self.shown.before, *core, *self.shown.after])


PROMPT_VERSION = 1


def family_for(name: str, *, is_large: bool = False) -> TranslatorFamily:
    """Return the family of a name in `KnownLanguages.family`.

    `is_large`: Hy-MT2's mixture of experts with 30 billion weights.
    """
    # The catalog of models is read only by who translates.
    from app.features.models.model_languages import HY_MT1, HY_MT2, TRANSLATE_GEMMA

    if name == HY_MT2:
        return HyMt2(is_large=is_large)
    if name == HY_MT1:
        return HyMt1()
    if name == TRANSLATE_GEMMA:
        return TranslateGemma()
    return GenericFamily()
