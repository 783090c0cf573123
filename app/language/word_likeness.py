"""Likeness of words in meaning, by the table of tokens; 0 without a table, and for words it lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from app.language.language_detection import SMALL_WORD_SETS
from app.language.static_embeddings import load_table
from app.language.text_cache import text_cache

if TYPE_CHECKING:
    import numpy as np

# Short words have vectors, but mean anything.
LEAST_LETTERS = 3
_LETTERS = re.compile(r"[^\W\d_]+")


def closest_likeness(word: str, others: Iterable[str]) -> float:
    """Return the cosine of a word with that of the others which is nearest to it, at least 0."""
    mine, _ = _word_vector(word)
    if mine is None:
        return 0.0
    vectors = (_word_vector(other)[0] for other in others)
    return max((float(mine @ theirs) for theirs in vectors if theirs is not None), default=0.0)


def shared_meaning(one: str, other: str, languages: tuple[str, str]) -> float | None:
    """Return the mean likeness of each word to its nearest in the other text, from 0 to 1, telling words counting more.

    Small words are left out, and what both texts have: left untranslated, or a name. None if no other words are known.
    """
    mine, theirs = (_telling_words(text, language) for text, language in zip((one, other), languages, strict=True))
    shares = _mean_likeness(mine - theirs, theirs), _mean_likeness(theirs - mine, mine)
    return None if None in shares else sum(filter(None, shares)) / len(shares)


def _telling_words(text: str, language: str) -> set[str]:
    return set(_LETTERS.findall(text.casefold())).difference(SMALL_WORD_SETS.get(language, ()))


def _mean_likeness(mine: set[str], theirs: set[str]) -> float | None:
    weights = {word: _word_vector(word)[1] for word in sorted(mine)}
    total = sum(weights.values())
    return sum(closest_likeness(word, theirs) * weight for word, weight in weights.items()) / total if total else None


@text_cache(8192)
def _word_vector(word: str) -> tuple[np.ndarray[Any, np.dtype[np.float32]] | None, float]:
    """Return a word's direction, None if unknown, and its length, which is how much the word tells."""
    import numpy as np

    table = load_table()
    tokens = table.tokenize(word) if table is not None and len(word) >= LEAST_LETTERS else []
    if table is None or not tokens:
        return None, 0.0
    vector = table.rows_of(np.array(tokens)).sum(axis=0)
    length = float(np.linalg.norm(vector))
    return ((vector / length).astype(np.float32), length) if length else (None, 0.0)
