"""Vectors of texts from a table of tokens: no model runs, so a document of 300 pages takes under a second.

The table is made at set-up (`packaging/setup/embedding_table.py`): each token of the ten languages of the interface
went alone through the multilingual Universal Sentence Encoder once (Tulkens and van Dongen, Model2Vec, 2024). All
languages lie together, so that a question in any of them may be asked of any document.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.lazy_dataclasses import dataclass
from app.core.paths import resource_path
from app.language.subwords import Tokenize, UnigramTokenizer

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]
    Bytes = np.ndarray[Any, np.dtype[np.int8]]
    Bits = np.ndarray[Any, np.dtype[np.uint64]]
    Numbers = np.ndarray[Any, np.dtype[np.int64]]

log = logging.getLogger(__name__)

TABLE = "languages/embeddings-multilingual.npz"
# More at once only takes more memory.
BATCH_TEXTS = 256
BATCH_ROWS = 8_192
SHARPNESS = 3
"""Exponent of a match: a token that is nearly the same counts far more than one that is remotely alike."""
NEIGHBOURS_WEIGHT = 0.3
"""Weight of the neighbouring passages: a question often names what only the context mentions."""
SIEVED = 400
"""Passages whose signs are nearest to the question's, and which are then compared exactly."""
SIEVE_WORDS = 2
"""Words of 64 bits compared first; principal components come first, so later bits add little."""
# A sieve lets so many times more through than are wanted, as its first bits are rough.
COARSE = 8
# Enough to say where a share of all values lies.
SAMPLED = 2_048
LIKE_FIRST_SIGNS, LIKE_SIGNS = 22, 46
"""A token that differs from another in more of its first signs, or of all, is hardly like it; by chance half differ."""
LIKE_TOKENS = 6
"""Most tokens of a document that a word of the question is looked for in; with 4 less is found, with 12 no more."""
LEAST_LIKENESS = 0.4
"""A token further away counts less than 7 % of the same one."""
MOST_PASSAGES = 0.1
"""Tokens in more than this share of passages are ignored: they distinguish nothing and took most of the time."""
LEAST_MOST_PASSAGES = 40
"""In a short document a token may be in this many passages regardless."""
# Of 6,900 blocks of seven documents as one, no question was lost at 200.
LARGEST_MOST_PASSAGES = 2_000
"""In a long document a token may be in no more than this many, since looking them up took most of the time."""
MATCH_SCALE = 60_000
"""Score of a passage with all words of a question, as a 16-bit integer."""
LEAST_WEIGHT = 0.2
"""Words of a question that weigh less than this share of its heaviest are not looked for ("the", "is")."""
FULL_SCALE = 127


class EmbeddingTable:
    """A vector for each token, rare tokens longer than frequent ones."""

    def __init__(self, rows: Floats | Bytes, tokenize: Tokenize, scale: Floats | float = 1.0) -> None:
        """`scale`: by which each row, or all, are multiplied; rows of bytes stay bytes."""
        import numpy as np

        self.tokenize = tokenize
        self.dimensions = rows.shape[1]
        self._rows = rows
        self._scale: Floats = np.broadcast_to(np.asarray(scale, np.float32), len(rows))
        # Rare tokens are longer: their length is how much they tell.
        self.lengths: Floats = np.zeros(len(rows), np.float32)
        for first in range(0, len(rows), BATCH_ROWS):
            tokens = np.arange(first, min(first + BATCH_ROWS, len(rows)))
            self.lengths[tokens] = np.linalg.norm(self.rows_of(tokens), axis=1)

    @classmethod
    def load(cls, path: Path) -> EmbeddingTable:
        """Read a table that set-up wrote. Raises OSError, ValueError and KeyError."""
        import numpy as np

        # Pickles run programs; this file needs none.
        with np.load(path, allow_pickle=False) as parts:
            rows, scale = parts["rows"], parts["scale"]
            vocabulary = _read_vocabulary(parts["vocabulary"], len(rows), path)
            scores = parts["scores"].astype(float).tolist()
        if len(scores) != len(rows):
            raise ValueError(f"{path.name} has {len(rows)} rows for {len(scores)} scores")
        return cls(rows, UnigramTokenizer(vocabulary, scores), scale)

    def rows_of(self, tokens: Numbers) -> Floats:
        """Return a row with the vector of each token, as long as it is telling."""
        import numpy as np

        rows: Floats = self._rows[tokens].astype(np.float32) * self._scale[tokens][:, None]
        return rows

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return the direction of each text, the mean of its tokens; zeros for one without a known word."""
        import numpy as np

        # Zeros are like nothing, so that an unknown text is never found.
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for number, text in enumerate(texts):
            if tokens := self.tokenize(text):
                vectors[number] = self.rows_of(np.array(tokens)).mean(0)
        return unit_vectors(vectors)


def _read_vocabulary(letters: Bytes, size: int, path: Path) -> dict[str, int]:
    tokens = letters.tobytes().decode("utf-8").split("\n")
    if len(tokens) != size:
        raise ValueError(f"{path.name} has {size} rows for {len(tokens)} tokens")
    return {token: number for number, token in enumerate(tokens)}


@dataclass(frozen=True)
class _AskedQuestion:
    """A question's words, each once: vectors, weights in the document, counts."""

    rows: Floats
    weights: Floats
    times: Floats


class PassageIndex:
    """The passages of one document, to be ranked by what they mean.

    Of each there are a vector of bytes, a bit for each sign of its vector with its neighbours', and its tokens: 27 MB
    for 100,000 passages of 128 dimensions and twenty telling words.
    """

    def __init__(self, table: EmbeddingTable, passages: Sequence[tuple[int, str]]) -> None:
        """`passages`: number and text of each, in order; those without a known word are left out."""
        import numpy as np

        self._table = table
        # Arrays of numbers: lists of Python's would take far more memory.
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
        """Return rankings of passage numbers, best first: by the whole text, and by each word's best match."""
        asked = self._read_question(question)
        if asked is None:
            return []
        places = [self._rank_by_mean(asked)[:limit], self._rank_by_matches(asked, limit)]
        return [self.numbers[ranked].tolist() for ranked in places]

    def closeness(self, question: str) -> float | None:
        """Return the cosine of the question with the nearest passage, or None without a known word."""
        asked = self._read_question(question)
        if asked is None:
            return None
        # A sample is enough: only the nearest is asked for.
        vector = _mean_direction(asked)
        places = _nearest_codes(self._codes, pack_signs(vector[None])[:, 0], max(SAMPLED, SIEVED))
        return float((self._vectors[places].astype("float32") @ vector).max() / FULL_SCALE)

    def _read_question(self, question: str) -> _AskedQuestion | None:
        import numpy as np

        tokens, times = np.unique(np.array(self._table.tokenize(question), np.int64), return_counts=True)
        if not len(tokens) or not len(self.numbers):
            return None
        return _AskedQuestion(self._table.rows_of(tokens), self._weights[tokens], times.astype(np.float32))

    def _rank_by_mean(self, asked: _AskedQuestion) -> Numbers:
        """Sieve by signs, then compare with each passage's vector and its neighbours'."""
        import numpy as np

        vector = _mean_direction(asked)
        places = _nearest_codes(self._codes, pack_signs(vector[None])[:, 0], SIEVED)
        last = len(self.numbers) - 1
        own, before, behind = (
            # The passages before and behind, at the ends cut to the passage itself and then left out.
            self._vectors.take(places + step, axis=0, mode="clip").astype(np.float32) @ vector
            for step in (0, -1, 1)
        )
        around = before * (places > 0) + behind * (places < last)
        scores = (own + NEIGHBOURS_WEIGHT * around) * self._scales[places]
        ranked: Numbers = places[np.argsort(-scores, kind="stable")]
        return ranked

    def _rank_by_matches(self, asked: _AskedQuestion, limit: int) -> Numbers:
        """Add up how like each word's best match in a passage is, by how telling the word is."""
        import numpy as np

        # How telling a word is, by the document and by the table.
        lengths = np.linalg.norm(asked.rows, axis=1)
        weights = asked.weights * lengths
        is_telling = weights >= LEAST_WEIGHT * weights.max()
        weights = (weights * asked.times)[is_telling]
        # Scaled, so that sixteen bits hold the sum.
        weights *= MATCH_SCALE / max(float(weights.sum()), 1e-9)
        scores, best = np.zeros((2, len(self.numbers)), np.uint16)
        which, places, cosines = self._find_like_tokens(unit_vectors(asked.rows[is_telling]))
        values = np.round(cosines**SHARPNESS * weights[which]).astype(np.uint16).tolist()
        begins, ends = self._begins[places].tolist(), self._begins[places + 1].tolist()
        first = 0
        for last in np.searchsorted(which, np.arange(len(weights)), "right").tolist():
            if last == first:
                continue
            # The nearest last, so that each passage keeps its best match.
            for number in range(max(first, last - LIKE_TOKENS), last):
                best[self._postings[begins[number] : ends[number]].astype(np.intp)] = values[number]
            scores += best
            best[:] = 0
            first = last
        return _highest_scores(scores, limit)

    def _find_like_tokens(self, asked: Floats) -> tuple[Numbers, Numbers, Floats]:
        """Return pairs of a word of the question and a token of the document that mean nearly the same.

        `asked`: directions of the words. Three columns: the places of both among those and among the telling tokens,
        and their cosines; word by word, the farthest first.
        """
        import numpy as np

        signs = pack_signs(asked)
        # Counting bits that differ is far quicker than multiplying vectors.
        distances = np.bitwise_count(self._telling_codes[0] ^ signs[0][:, None])
        pairs = np.flatnonzero(distances <= LIKE_FIRST_SIGNS)
        which, places = np.divmod(pairs, max(1, self._telling_codes.shape[1]))
        distances = distances.ravel()[pairs]
        for row, word in zip(self._telling_codes[1:], signs[1:], strict=True):
            distances += np.bitwise_count(row[places] ^ word[which])
        is_near = distances <= LIKE_SIGNS
        which, places = which[is_near], places[is_near]
        cosines = np.einsum("ij,ij->i", asked[which], self._telling_vectors[places].astype(np.float32)) / FULL_SCALE
        is_like = cosines >= LEAST_LIKENESS
        which, places, cosines = which[is_like], places[is_like], cosines[is_like]
        order = np.lexsort((cosines, which))
        return which[order], places[order], cosines[order]

    def _index_tokens(self, joined: Numbers, places: Numbers) -> None:
        """List the passages of each telling token of the document, and count how telling all are there."""
        import numpy as np

        total = int(places[-1]) + 1 if len(places) else 0
        # Token and passage in one number, so that sorting groups them; each pair counts once.
        pairs = np.unique(joined * max(1, total) + places)
        tokens = pairs // max(1, total)
        frequency = np.bincount(tokens, minlength=len(self._table.lengths))
        # As in inverse document frequency; halves keep it finite.
        self._weights: Floats = np.log((total + 1) / (frequency + 0.5)).astype(np.float32)
        most = min(LARGEST_MOST_PASSAGES, max(LEAST_MOST_PASSAGES, MOST_PASSAGES * total))
        is_telling = (frequency > 0) & (frequency <= most)
        telling = np.flatnonzero(is_telling)
        vectors = unit_vectors(self._table.rows_of(telling))
        self._telling_codes: Bits = pack_signs(vectors)
        self._telling_vectors: Bytes = np.round(vectors * FULL_SCALE).astype(np.int8)
        self._postings = (pairs[is_telling[tokens]] % max(1, total)).astype(np.int32)
        self._begins = np.concatenate([[0], np.cumsum(frequency[telling])])

    def _make_vectors(self, joined: Numbers, counts: Numbers) -> None:
        """Weighted means, a batch at a time: the vectors of all words of a long document would take much memory."""
        import numpy as np

        present = np.unique(joined)
        rows: Floats = self._table.rows_of(present) * self._weights[present][:, None]
        # A table from tokens to rows, as looking each up in a dict would take longer than all else.
        place_of = np.zeros(len(self._table.lengths), np.int32)
        place_of[present] = np.arange(len(present))
        ends = np.concatenate([[0], np.cumsum(counts)])
        units = np.zeros((len(counts), self._table.dimensions), np.float32)
        for first in range(0, len(counts), BATCH_TEXTS):
            last = min(first + BATCH_TEXTS, len(counts))
            weighted = rows[place_of[joined[ends[first] : ends[last]]]]
            sums: Floats = np.add.reduceat(weighted, ends[first:last] - ends[first], axis=0)
            units[first:last] = unit_vectors(sums)
        self._vectors: Bytes = np.round(units * FULL_SCALE).astype(np.int8)
        # What is near counts less: a passage is found by its own words first.
        units[1:-1] += NEIGHBOURS_WEIGHT * (self._vectors[:-2].astype(np.float32) + self._vectors[2:]) / FULL_SCALE
        self._scales: Floats = 1 / np.maximum(np.linalg.norm(units, axis=1), 1e-9)
        self._codes: Bits = pack_signs(units)


def _mean_direction(asked: _AskedQuestion) -> Floats:
    """Return the direction of a whole question, its words weighed by how telling they are."""
    import numpy as np

    weights: Floats = asked.weights * asked.times
    total: Floats = (weights[None] @ asked.rows).astype(np.float32)
    vector: Floats = unit_vectors(total)[0]
    return vector


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
    """Return about `count` columns of `codes` with the fewest different bits.

    The first bits, which matter most, preselect `COARSE` times as many to compare by the rest.
    """
    import numpy as np

    if codes.shape[1] <= count:
        return np.arange(codes.shape[1])
    distances = np.bitwise_count(codes[0] ^ code[0])
    # About so many: an exact order of a hundred thousand distances would take longer than it saves.
    places = np.flatnonzero(distances <= _sampled_least(distances, COARSE * count))
    distances = distances[places]
    for row, word in zip(codes[1:], code[1:], strict=True):
        distances += np.bitwise_count(row[places] ^ word)
    nearest: Numbers = places[distances <= _sampled_least(distances, count)]
    return nearest


def _highest_scores(scores: np.ndarray[Any, np.dtype[np.uint16]], count: int) -> Numbers:
    """Return the places of the highest scores above nothing, best first."""
    import numpy as np

    least = MATCH_SCALE - _sampled_least(MATCH_SCALE - scores, 2 * count) if len(scores) > count else 0
    places = np.flatnonzero(scores >= max(1, least))
    # The bound is from a sample, so that it can be too high.
    if len(places) < count:
        places = np.flatnonzero(scores)
    ranked: Numbers = places[np.argsort(-scores[places].astype(np.int32), kind="stable")][:count]
    return ranked


def _sampled_least(values: np.ndarray[Any, Any], count: int) -> float:
    """Return a bound that about `count` of the values don't exceed, from a sample if there are many."""
    import numpy as np

    step = max(1, len(values) // SAMPLED)
    sample = values[::step]
    place = min(len(sample) - 1, -(-count // step))
    return float(np.partition(sample, place)[place])


def load_table() -> EmbeddingTable | None:
    """Return the table, read at the first call; None where set-up made none, or not yet."""
    path = resource_path(TABLE)
    return _read_table(path) if path.is_file() else None


@cache
def _read_table(path: Path) -> EmbeddingTable | None:
    # A missing table costs this way of finding, not the question.
    try:
        return EmbeddingTable.load(path)
    except (OSError, ValueError, KeyError) as error:
        log.warning("The table of meanings %s could not be read: %s", path.name, error)
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
    """Merge rankings by their `reciprocal_scores`; what only one ranking has counts, too."""
    scores = reciprocal_scores(rankings, k)
    return sorted(scores, key=lambda number: -scores[number])
