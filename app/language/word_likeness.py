"""Similarity of two words in meaning, by the table of tokens; 0 without a table, and for words it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from app.language.static_embeddings import load_table

if TYPE_CHECKING:
    import numpy as np

# Short words have vectors, but mean anything.
LEAST_LETTERS = 3


def closest_likeness(word: str, others: Iterable[str]) -> float:
    """Return the cosine of a word with that of the others which is nearest to it, at least 0."""
    mine = _word_vector(word)
    if mine is None:
        return 0.0
    vectors = (_word_vector(other) for other in others)
    return max((float(mine @ theirs) for theirs in vectors if theirs is not None), default=0.0)


@lru_cache(maxsize=8192)
def _word_vector(word: str) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    import numpy as np

    table = load_table()
    tokens = table.tokenize(word) if table is not None and len(word) >= LEAST_LETTERS else []
    if table is None or not tokens:
        return None
    vector = table.rows_of(np.array(tokens)).sum(axis=0)
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length else None
