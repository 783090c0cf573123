"""Vectors of texts from a table of tokens: no model runs, so a document of 300 pages takes under a second.

Each token of a sentence encoder's vocabulary went through the encoder alone once, at set-up (Tulkens and van Dongen,
Model2Vec, 2024; `packaging/setup/embedding_table.py`). The table knows English.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.paths import resource

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]
    Numbers = np.ndarray[Any, np.dtype[np.int64]]

log = logging.getLogger(__name__)

TABLE = "languages/embeddings.npz"
CONTINUED = "##"
"""Before a token that goes on with a word."""
LONGEST_WORD = 100
"""Letters; the encoder's tokenizer calls longer ones unknown, too."""
BATCH_TEXTS = 256
SHARPNESS = 3
"""Exponent of a match: a token that is nearly the same counts far more than one that is remotely alike."""
_WORD = re.compile(r"[^\W_]+")


class EmbeddingTable:
    """`rows` holds a vector for each token, unscaled, rare tokens longer than frequent ones."""

    def __init__(self, rows: Floats, vocabulary: dict[str, int]) -> None:
        self.rows, self.vocabulary = rows, vocabulary

    @classmethod
    def load(cls, path: Path) -> EmbeddingTable:
        """Read a table that set-up wrote. Raises OSError and ValueError."""
        import numpy as np

        with np.load(path, allow_pickle=False) as parts:
            rows = parts["rows"].astype(np.float32) * parts["scale"]
            tokens = parts["vocabulary"].tobytes().decode("utf-8").split("\n")
        if len(tokens) != len(rows):
            raise ValueError(f"{path.name} has {len(rows)} rows for {len(tokens)} tokens")
        return cls(rows, {token: number for number, token in enumerate(tokens)})

    def tokenize(self, text: str) -> list[int]:
        """Return the tokens by WordPiece, longest match first; words that do not consist of any are left out."""
        plain = "".join(
            letter for letter in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(letter) != "Mn"
        )
        return [token for word in _WORD.findall(plain) for token in self._pieces(word)]

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return the direction of each text, the mean of its tokens; zeros for one without a known word."""
        import numpy as np

        vectors = np.zeros((len(texts), self.rows.shape[1]), np.float32)
        for number, text in enumerate(texts):
            if tokens := self.tokenize(text):
                vectors[number] = self.rows[tokens].mean(0)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Floats = vectors / np.maximum(lengths, 1e-9)
        return unit

    def _pieces(self, word: str) -> list[int]:
        whole = self.vocabulary.get(word)
        if whole is not None:
            return [whole]
        pieces: list[int] = []
        at = 0
        while at < len(word) <= LONGEST_WORD:
            prefix = CONTINUED if at else ""
            found = next(
                (end for end in range(len(word), at, -1) if prefix + word[at:end] in self.vocabulary),
                None,
            )
            if found is None:
                return []
            pieces.append(self.vocabulary[prefix + word[at:found]])
            at = found
        return pieces


class PassageIndex:
    """The passages of one document, to be ranked by what they mean."""

    def __init__(self, table: EmbeddingTable, passages: Sequence[tuple[int, str]]) -> None:
        """`passages`: number and text of each; those without a known word are left out."""
        import numpy as np

        tokenized = [(number, tokens) for number, text in passages if (tokens := table.tokenize(text))]
        self._table = table
        self.numbers = [number for number, _ in tokenized]
        counts = [len(tokens) for _, tokens in tokenized]
        self._starts: Numbers = np.cumsum([0, *counts[:-1]], dtype=np.int64) if counts else np.zeros(0, np.int64)
        joined = np.fromiter((token for _, tokens in tokenized for token in tokens), np.int64, sum(counts))
        self._tokens, self._places = np.unique(joined, return_inverse=True)
        self._weights = self._idf(tokenized)
        self._means = self._unit(self._mean_vectors(joined, counts)) if counts else np.zeros((0, 0), np.float32)

    def rank(self, question: str, limit: int) -> list[list[int]]:
        """Return two rankings of passage numbers, best first: by the whole text, and by each word's best match."""
        import numpy as np

        tokens = self._table.tokenize(question)
        if not tokens or not self.numbers:
            return []
        weights = self._weights[tokens]
        vectors = self._table.rows[tokens]
        whole = self._cosines(tokens)
        likeness = self._unit(self._table.rows[self._tokens]) @ self._unit(vectors).T
        best = np.maximum.reduceat(likeness[self._places], self._starts, axis=0)
        lengths = np.linalg.norm(vectors, axis=1)
        matched = (np.clip(best, 0, 1) ** SHARPNESS) @ (weights * lengths)
        return [[self.numbers[place] for place in np.argsort(-scores)[:limit]] for scores in (whole, matched)]

    def closeness(self, question: str) -> float | None:
        """Return the cosine of the question with the nearest passage, or None without a known word."""
        tokens = self._table.tokenize(question)
        return float(self._cosines(tokens).max()) if tokens and self.numbers else None

    def _cosines(self, tokens: Sequence[int]) -> Floats:
        """How near the mean of these tokens is to that of each passage."""
        weighted = self._table.rows[tokens] * self._weights[tokens][:, None]
        cosines: Floats = self._means @ self._unit(weighted.mean(0, keepdims=True))[0]
        return cosines

    def _idf(self, tokenized: Sequence[tuple[int, list[int]]]) -> Floats:
        """How telling each token of the vocabulary is in this document."""
        import numpy as np

        frequency = np.zeros(len(self._table.rows), np.float32)
        for _, tokens in tokenized:
            frequency[list(set(tokens))] += 1
        return np.log((len(tokenized) + 1) / (frequency + 0.5)).astype(np.float32)

    def _mean_vectors(self, joined: Numbers, counts: Sequence[int]) -> Floats:
        """Weighted means, a batch at a time: the vectors of all words of a long document would take much memory."""
        import numpy as np

        parts = []
        ends = [*self._starts[1:], len(joined)]
        for first in range(0, len(counts), BATCH_TEXTS):
            last = min(first + BATCH_TEXTS, len(counts))
            tokens = joined[self._starts[first] : ends[last - 1]]
            weighted = self._table.rows[tokens] * self._weights[tokens][:, None]
            sums = np.add.reduceat(weighted, self._starts[first:last] - self._starts[first], axis=0)
            parts.append(sums / np.array(counts[first:last], np.float32)[:, None])
        return np.concatenate(parts)

    @staticmethod
    def _unit(vectors: Floats) -> Floats:
        import numpy as np

        lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        unit: Floats = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
        return unit


def load_table() -> EmbeddingTable | None:
    """Return the table that set-up made, read at the first call; None where there is none, or not yet."""
    path = resource(TABLE)
    return _read_table(path) if path.is_file() else None


@cache
def _read_table(path: Path) -> EmbeddingTable | None:
    try:
        return EmbeddingTable.load(path)
    except (OSError, ValueError, KeyError) as error:
        log.warning("The table of meanings could not be read: %s", error)
        return None


def reciprocal_scores(rankings: Iterable[Sequence[int]], k: int = 10) -> dict[int, float]:
    """Score what rankings hold by reciprocal ranks (Cormack, Clarke and Büttcher, 2009).

    Their k is 60; 10 trusts the first places more, which found 65 of 100 passages among the first 12 in place of 57.
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for place, number in enumerate(ranking, 1):
            scores[number] = scores.get(number, 0.0) + 1 / (k + place)
    return scores


def join_rankings(rankings: Iterable[Sequence[int]], k: int = 10) -> list[int]:
    """Join rankings by their `reciprocal_scores`, best first."""
    scores = reciprocal_scores(rankings, k)
    return sorted(scores, key=lambda number: -scores[number])
