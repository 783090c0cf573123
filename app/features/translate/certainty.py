"""Measure a model's certainty of a translation: the mean log probability of its tokens.

It costs nothing, since the probabilities are known when a token is chosen, and needs no other model. A small model
that doesn't know a word hesitates between several wrong ones. Where it doesn't, the wrong word is often unlike any of
the source, so that how alike both texts are in meaning counts, too.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from app.core.events import ModelElsewhere, TokenSeen
from app.engine.contract import Engine
from app.language.language_names import base_code
from app.language.word_likeness import shared_meaning

MOST_WEIGHTS = 5e9
"""Of the models for which the threshold was measured. Larger ones are seldom wrong, and seldom unsure when they are."""
LEAST_MEAN = -0.4
"""A translation whose tokens are less likely on average is doubted: `tests/features/translate/test_certainty.py`."""
LANGUAGES = frozenset(("de", "en", "es", "fr"))
"""Those in which it was measured how alike a source and its right translations are."""
LEAST_TOGETHER = -0.17
"""Of the likeness of source and translation, and `LOG_WEIGHT` times the mean log probability: fitted to the
development sentences, of which one right one in 26 is doubted."""
LOG_WEIGHT = 2
LEAST_LETTERS = 4
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")


class TranslationCertainty(NamedTuple):
    """Sum of the tokens' natural log probabilities, their number, and the least likely word."""

    total: float
    tokens: int
    least_word: str = ""
    least: float = 0.0

    def is_doubtful(self, likeness: float | None = None) -> bool:
        """Return whether the user should review it: its tokens were unlikely, or it means something else.

        `likeness`: that of source and translation, as in `likeness_of`.
        """
        if not self.tokens:
            return False
        mean = self.total / self.tokens
        return mean < LEAST_MEAN if likeness is None else likeness + LOG_WEIGHT * mean < LEAST_TOGETHER


def likeness_of(source: str, target: str, pair: tuple[str, str]) -> float | None:
    """Return how alike a translation is to its source in meaning; None if not measured for their languages."""
    codes = (base_code(pair[0]), base_code(pair[1]))
    return shared_meaning(source, target, codes) if LANGUAGES.issuperset(codes) else None


def is_telling(engine: Engine, weights: float) -> bool:
    """Return whether a model's probabilities are informative: a small one, on this computer."""
    # Servers tell no probabilities of ours, and 0 weights means unknown.
    return not isinstance(engine.loaded, ModelElsewhere) and 0 < weights <= MOST_WEIGHTS


def certainty_of(text: str, tokens: Sequence[TokenSeen]) -> TranslationCertainty | None:
    """Return the certainty of a part of the answer made of these tokens; None if the part isn't in it."""
    # Tokens may end within a letter, so places are counted in bytes.
    ends = list(accumulate(len(token.data) for token in tokens))
    wanted = text.encode()
    # From the end: a model that thinks or repeats may have written the same before.
    begin = b"".join(token.data for token in tokens).rfind(wanted) if wanted else -1
    if begin < 0:
        return None

    def total_of(start: int, end: int) -> tuple[float, int]:
        first, last = bisect_right(ends, begin + start), bisect_left(ends, begin + end) + 1
        return sum(token.log_probability for token in tokens[first:last]), len(tokens[first:last])

    words = list(_WORD.finditer(text))
    # Small words are uncertain in every translation.
    words = [match for match in words if len(match[0]) >= LEAST_LETTERS] or words
    spans = [(len(text[: match.start()].encode()), len(text[: match.end()].encode())) for match in words]
    found = [(total_of(*span)[0], match[0]) for span, match in zip(spans, words, strict=True)]
    least, word = min(found, default=(0.0, ""))
    return TranslationCertainty(*total_of(0, len(wanted)), word, least)


def joined_certainty(parts: Sequence[TranslationCertainty | None]) -> TranslationCertainty | None:
    """Return the certainty of several parts together; None if one is unknown."""
    known = [part for part in parts if part is not None]
    # A mean over some of the parts would hide the unknown one.
    if not known or len(known) < len(parts):
        return None
    least, word = min((part.least, part.least_word) for part in known)
    return TranslationCertainty(sum(part.total for part in known), sum(part.tokens for part in known), word, least)
