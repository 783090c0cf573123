"""Vectors of texts from a table of tokens: no model runs, so a document of 300 pages takes under a second.

Two tables, made at set-up (`packaging/setup/embedding_table.py`): one of English, of all-MiniLM-L6-v2, each token of
which went through the encoder alone once (Tulkens and van Dongen, Model2Vec, 2024); and one of the ten languages of the
interface, of the vectors that multilingual-e5-small begins with.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.paths import resource_path
from app.language.subwords import Tokenize, UnigramTokenizer, WordPieceTokenizer

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]
    Bytes = np.ndarray[Any, np.dtype[np.int8]]
    Bits = np.ndarray[Any, np.dtype[np.uint64]]
    Numbers = np.ndarray[Any, np.dtype[np.int64]]

log = logging.getLogger(__name__)

TABLE = "languages/embeddings.npz"
MULTILINGUAL_TABLE = "languages/embeddings-multilingual.npz"
BATCH_TEXTS = 256
SHARPNESS = 3
"""Exponent of a match: a token that is nearly the same counts far more than one that is remotely alike."""
NEIGHBOURS_WEIGHT = 0.3
"""What the passage before and the one behind add to a passage: a question often names what only its context says."""
SIEVED = 400
"""Passages whose signs are nearest to the question's, and which are then compared exactly."""
SIEVE_WORDS = 2
"""Of 64 signs each; the principal components come first, so the others would tell little more."""
SAMPLED = 8_192
LIKE_TOKENS = 40
LEAST_LIKENESS = 0.3
"""A token further away counts less than 3 % of the same one."""
LEAST_WEIGHT = 0.2
"""Words of a question that weigh less than this share of its heaviest are not looked for ("the", "is")."""
FULL_SCALE = 127


class EmbeddingTable:
    """`rows` holds a vector for each token, unscaled, rare tokens longer than frequent ones."""

    def __init__(self, rows: Floats, tokenize: Tokenize) -> None:
        import numpy as np

        self.rows, self.tokenize = rows, tokenize
        self.lengths = np.linalg.norm(rows, axis=1)
        self._codes = pack_signs(rows)
        self._like: dict[int, tuple[Numbers, Floats]] = {}

    @classmethod
    def load(cls, path: Path) -> EmbeddingTable:
        """Read a table that set-up wrote; one with scores is cut as a unigram model. Raises OSError and ValueError."""
        import numpy as np

        with np.load(path, allow_pickle=False) as parts:
            rows = parts["rows"].astype(np.float32) * parts["scale"]
            tokens = parts["vocabulary"].tobytes().decode("utf-8").split("\n")
            scores = parts["scores"].astype(float).tolist() if "scores" in parts else None
        if len(tokens) != len(rows) or (scores is not None and len(scores) != len(rows)):
            raise ValueError(f"{path.name} has {len(rows)} rows for {len(tokens)} tokens")
        vocabulary = {token: number for number, token in enumerate(tokens)}
        return cls(rows, WordPieceTokenizer(vocabulary) if scores is None else UnigramTokenizer(vocabulary, scores))

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return the direction of each text, the mean of its tokens; zeros for one without a known word."""
        import numpy as np

        vectors = np.zeros((len(texts), self.rows.shape[1]), np.float32)
        for number, text in enumerate(texts):
            if tokens := self.tokenize(text):
                vectors[number] = self.rows[tokens].mean(0)
        return unit_vectors(vectors)

    def find_like_tokens(self, token: int) -> tuple[Numbers, Floats]:
        """Return the tokens that mean most nearly the same, with their cosines, the farthest first."""
        import numpy as np

        if token not in self._like:
            nearest = _nearest_codes(self._codes, pack_signs(self.rows[token : token + 1])[:, 0], LIKE_TOKENS)
            cosines = unit_vectors(self.rows[nearest]) @ unit_vectors(self.rows[token : token + 1])[0]
            order = np.argsort(cosines)[-LIKE_TOKENS:]
            order = order[cosines[order] >= LEAST_LIKENESS]
            self._like[token] = nearest[order], cosines[order]
        return self._like[token]


class PassageIndex:
    """The passages of one document, to be ranked by what they mean.

    Of each there are a vector of bytes, a bit for each sign of its vector with its neighbours', and its tokens: 36 MB
    for 100,000 passages of 256 dimensions and ten telling words.
    """

    def __init__(self, table: EmbeddingTable, passages: Sequence[tuple[int, str]]) -> None:
        """`passages`: number and text of each, in order; those without a known word are left out."""
        import numpy as np

        self._table = table
        numbers, counts, joined = array("q"), array("q"), array("i")
        for number, text in passages:
            if tokens := table.tokenize(text):
                numbers.append(number)
                counts.append(len(tokens))
                joined.extend(tokens)
        self.numbers: Numbers = np.array(numbers, np.int64)
        lengths, joined_tokens = np.array(counts, np.int64), np.array(joined, np.int64)
        self._index_tokens(joined_tokens, np.repeat(np.arange(len(lengths), dtype=np.int64), lengths))
        self._make_vectors(joined_tokens, lengths)

    def rank(self, question: str, limit: int) -> list[list[int]]:
        """Return two rankings of passage numbers, best first: by the whole text, and by each word's best match."""
        tokens = self._table.tokenize(question)
        if not tokens or not len(self.numbers):
            return []
        places = [self._rank_by_mean(tokens)[:limit], self._rank_by_matches(tokens, limit)]
        return [self.numbers[ranked].tolist() for ranked in places]

    def closeness(self, question: str) -> float | None:
        """Return the cosine of the question with the nearest passage, or None without a known word."""
        tokens = self._table.tokenize(question)
        if not tokens or not len(self.numbers):
            return None
        vector = self._vector_of(tokens)
        places = _nearest_codes(self._codes, pack_signs(vector[None])[:, 0], max(SAMPLED, SIEVED))
        return float((self._vectors[places].astype("float32") @ vector).max() / FULL_SCALE)

    def _vector_of(self, tokens: Sequence[int]) -> Floats:
        weighted = self._table.rows[tokens] * self._weights[tokens][:, None]
        vector: Floats = unit_vectors(weighted.sum(0, keepdims=True))[0]
        return vector

    def _rank_by_mean(self, tokens: Sequence[int]) -> Numbers:
        """Sieve by signs, then compare with each passage's vector and its neighbours'."""
        import numpy as np

        vector = self._vector_of(tokens)
        places = _nearest_codes(self._codes, pack_signs(vector[None])[:, 0], SIEVED)
        last = len(self.numbers) - 1
        own, before, behind = (
            self._vectors.take(places + step, axis=0, mode="clip").astype(np.float32) @ vector for step in (0, -1, 1)
        )
        around = before * (places > 0) + behind * (places < last)
        scores = (own + NEIGHBOURS_WEIGHT * around) * self._scales[places]
        ranked: Numbers = places[np.argsort(-scores, kind="stable")]
        return ranked

    def _rank_by_matches(self, tokens: Sequence[int], limit: int) -> Numbers:
        """Add up how like each word's best match in a passage is, by how telling the word is."""
        import numpy as np

        scores = np.zeros(len(self.numbers), np.float32)
        best = np.zeros(len(self.numbers), np.float32)
        weights = self._weights[tokens] * self._table.lengths[tokens]
        for token, weight in zip(tokens, weights, strict=True):
            if weight < LEAST_WEIGHT * weights.max():
                continue
            best[:] = 0
            for like, cosine in zip(*self._table.find_like_tokens(token), strict=True):
                best[self._postings[self._begins[like] : self._begins[like + 1]]] = cosine**SHARPNESS * weight
            scores += best
        return _highest_scores(scores, limit)

    def _index_tokens(self, joined: Numbers, places: Numbers) -> None:
        """List the passages of each token of the vocabulary, and count how telling it is in this document."""
        import numpy as np

        total, size = int(places[-1]) + 1 if len(places) else 0, len(self._table.rows)
        pairs = np.unique(joined * max(1, total) + places)
        self._postings = (pairs % max(1, total)).astype(np.int32)
        frequency = np.bincount(pairs // max(1, total), minlength=size)
        self._begins = np.concatenate([[0], np.cumsum(frequency)])
        self._weights: Floats = np.log((total + 1) / (frequency + 0.5)).astype(np.float32)

    def _make_vectors(self, joined: Numbers, counts: Numbers) -> None:
        """Weighted means, a batch at a time: the vectors of all words of a long document would take much memory."""
        import numpy as np

        ends = np.concatenate([[0], np.cumsum(counts)])
        units = np.zeros((len(counts), self._table.rows.shape[1]), np.float32)
        for first in range(0, len(counts), BATCH_TEXTS):
            last = min(first + BATCH_TEXTS, len(counts))
            tokens = joined[ends[first] : ends[last]]
            weighted = self._table.rows[tokens] * self._weights[tokens][:, None]
            units[first:last] = unit_vectors(np.add.reduceat(weighted, ends[first:last] - ends[first], axis=0))
        self._vectors: Bytes = np.round(units * FULL_SCALE).astype(np.int8)
        units[1:-1] += NEIGHBOURS_WEIGHT * (self._vectors[:-2].astype(np.float32) + self._vectors[2:]) / FULL_SCALE
        self._scales: Floats = 1 / np.maximum(np.linalg.norm(units, axis=1), 1e-9)
        self._codes: Bits = pack_signs(units)


def unit_vectors(vectors: Floats) -> Floats:
    """Scale rows to length one; rows of nothing stay nothing."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return unit


def pack_signs(vectors: Floats) -> Bits:
    """Keep a bit for each sign of the first components: an array of `SIEVE_WORDS` 64-bit words by rows."""
    import numpy as np

    width = min(vectors.shape[1], SIEVE_WORDS * 64)
    signs = np.zeros((len(vectors), SIEVE_WORDS * 64), np.bool_)
    signs[:, :width] = vectors[:, :width] > 0
    packed: Bits = np.ascontiguousarray(np.packbits(signs, axis=1).view(np.uint64).T)
    return packed


def _nearest_codes(codes: Bits, code: Bits, count: int) -> Numbers:
    """Return the columns of `codes` with the fewest other signs, about `count` of them where there are so many."""
    import numpy as np

    if codes.shape[1] <= count:
        return np.arange(codes.shape[1])
    distances = np.bitwise_count(codes[0] ^ code[0])
    for row, word in zip(codes[1:], code[1:], strict=True):
        distances += np.bitwise_count(row ^ word)
    return np.flatnonzero(distances <= _sampled_least(distances, count))


def _highest_scores(scores: Floats, count: int) -> Numbers:
    """Return the places of the highest scores above nothing, best first."""
    import numpy as np

    least = -_sampled_least(-scores, 2 * count) if len(scores) > count else 0.0
    places = np.flatnonzero(scores > max(0.0, least * (1 - 1e-6)))
    if len(places) < count:
        places = np.flatnonzero(scores > 0)
    ranked: Numbers = places[np.argsort(-scores[places], kind="stable")][:count]
    return ranked


def _sampled_least(values: np.ndarray[Any, Any], count: int) -> float:
    """Return what about `count` of the values do not exceed, by a sample where there are many."""
    import numpy as np

    step = max(1, len(values) // SAMPLED)
    sample = values[::step]
    place = min(len(sample) - 1, -(-count // step))
    return float(np.partition(sample, place)[place])


def load_table() -> EmbeddingTable | None:
    """Return the English table, read at the first call; None where set-up made none, or not yet."""
    path = resource_path(TABLE)
    return _read_table(path) if path.is_file() else None


def load_multilingual_table() -> EmbeddingTable | None:
    """Return the table of the interface's languages; None as in `load_table`."""
    path = resource_path(MULTILINGUAL_TABLE)
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
