"""How much a model is given to read at once and how much it may write, in tokens of its own.

Small models lose what stands in the middle of long prompts, whatever window they advertise, so each class of models
has its own sizes: of a section, of what is read in one pass, and of the answers. The anchors of 2,000 and 8,000
tokens are those of BooookScore (Chang et al., ICLR 2024) and of context-aware merging (Ou and Lapata, 2025).
The first class is our own: of what the starter wrote about a report of 970 tokens read in one pass 1 of 12 statements
stood there, read in parts of 250 tokens 5 of 6, in half the time. Of what it notes of papers 70 % stands there in parts
of 250 and 69 % in parts of 360 tokens, which take a fifth less of prompts; 52 % in parts of 500.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from app.core.events import ModelLoaded
from app.features.models.languages import weights_of
from app.features.summary.result import Length, Method, Wish
from app.language.names import has_word_spaces

WORDS = {Length.SHORT: 150, Length.MEDIUM: 350, Length.LONG: 800}
WORDS_A_STATEMENT = 22
LEAST_MARGIN_TOKENS = 64
MARGIN_SHARE = 0.03
SHARE_OF_CONTEXT = 0.45
"""A section, with all around it, takes no more of the context, so that two are worked on side by side."""
WRITING_SHARE = 0.35
"""Nor does a write-up."""
WORDS_A_TOKEN = 0.65
"""In English; elsewhere a word takes about twice as many tokens."""
ANCHOR_TOKENS = 8
"""More than the numbers behind a statement take."""
POINT_TOKENS = 45
LONGER = 1.6
"""Answers may be so many times as long as planned before they are cut off."""
LEAST_POINTS, MOST_POINTS = 2, 10
LEAST_JOINED_TOKENS = 2500
LEAST_SECTION_TOKENS = 64


class _Class(NamedTuple):
    """Models of up to so many weights."""

    most_weights: float
    section: int
    points: int
    single: int
    merged: int


_SMALLEST = 5e8
_CLASSES = (
    _Class(_SMALLEST, 360, 120, 250, 300),
    _Class(2e9, 1500, 200, 2500, 300),
    _Class(6e9, 3000, 350, 6000, 450),
    _Class(16e9, 7000, 600, 16000, 700),
    _Class(float("inf"), 12000, 800, 32000, 1000),
)


def method_for(wish: Wish, weights: float) -> Method:
    """What a summary is made by where the wish leaves it open: sentences of the document under half a billion weights.

    What the starter writes is worse than the sentences it would write about, by every measure that there is, and takes
    minutes. `weights` 0: not known, and not taken for small.
    """
    if wish.method is not None:
        return wish.method
    return Method.DIGEST if 0 < weights <= _SMALLEST else Method.MODEL


@dataclass(frozen=True)
class Budgets:
    """In tokens: a section's text, the answer to it, a text that is read in one pass, the answer of a merge.

    `is_small`: a model of up to two billion weights. It loses the thread in JSON and copies badly, so it is asked for
    plain lines and no quotations. `only_chooses`: one of up to half a billion adds to every sentence that it writes a
    second time, so its merges and summaries are made of points as they are; it says which.
    """

    context: int
    section: int
    points: int
    single: int
    merged: int
    is_small: bool
    only_chooses: bool = False

    @property
    def most_points(self) -> int:
        """How many points a section is asked for."""
        return max(LEAST_POINTS, min(MOST_POINTS, self.points // POINT_TOKENS))

    @property
    def most_merged_points(self) -> int:
        """How many points a merge may leave."""
        return max(LEAST_POINTS, self.merged // POINT_TOKENS)

    @property
    def points_limit(self) -> int:
        """Where the answer to a section is cut off."""
        return int(self.points * LONGER)

    @property
    def merged_limit(self) -> int:
        """Where the answer of a merge is cut off."""
        return int(self.merged * LONGER)

    @property
    def margin(self) -> int:
        """What stays free in the context: counts of parts do not add up exactly."""
        return margin_of(self.context)

    def room(self, fixed_tokens: int, answer_tokens: int) -> int:
        """What a text that is read in one prompt may take beside instructions and answer."""
        free = self.context - fixed_tokens - answer_tokens - self.margin
        return max(LEAST_SECTION_TOKENS, min(self.single, free))

    def room_for_points(self, fixed_tokens: int, answer_tokens: int) -> int:
        """What points may take: they are condensed already, so also the smallest models are shown many."""
        free = self.context - fixed_tokens - answer_tokens - self.margin
        return max(LEAST_SECTION_TOKENS, min(max(self.single, LEAST_JOINED_TOKENS), free))

    def within(self, fixed_tokens: int) -> Budgets:
        """The same, with sections that fit the context beside instructions of so many tokens."""
        share = int(SHARE_OF_CONTEXT * self.context) - fixed_tokens - self.points_limit - self.margin
        return replace(self, section=max(LEAST_SECTION_TOKENS, min(self.section, share)))

    def writing(self, length: Length, language: str) -> int:
        """What a write-up of this length takes at most, with the numbers behind its statements."""
        words, statements = WORDS[length], WORDS[length] // WORDS_A_STATEMENT
        usual = words / WORDS_A_TOKEN * (1.25 if language in ("", "en") else 2)
        return int(min(usual + statements * ANCHOR_TOKENS, self.context * WRITING_SHARE))


def margin_of(context_tokens: int) -> int:
    """In tokens."""
    return max(LEAST_MARGIN_TOKENS, int(MARGIN_SHARE * context_tokens))


def budgets_for(loaded: ModelLoaded) -> Budgets:
    """The sizes for a model and the context it was loaded with."""
    weights = weights_of(loaded)
    found = next(one for one in _CLASSES if weights <= one.most_weights)
    context = loaded.context_tokens
    answer, merged = (min(tokens, context // 6) for tokens in (found.points, found.merged))
    only_chooses = found is _CLASSES[0]
    is_small = only_chooses or found is _CLASSES[1]
    return Budgets(context, found.section, answer, found.single, merged, is_small, only_chooses)


def statements_for(length: Length) -> int:
    """About how many statements a summary of this length has."""
    return WORDS[length] // WORDS_A_STATEMENT


def length_words(length: Length, language: str, share: float = 1.0) -> str:
    """The length to ask for, such as "about 150 words"; in sentences where words have no spaces between them."""
    if not has_word_spaces(language):
        return f"about {max(2, round(statements_for(length) * share))} sentences"
    words = WORDS[length] * share
    return f"about {max(20, round(words / 10) * 10)} words"
