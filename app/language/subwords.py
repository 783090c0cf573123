"""Cut texts into the tokens of an encoder's vocabulary by a unigram model, a word at a time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

BEGINS_WORD = "\u2581"
"""Before a unigram piece that begins one."""
KEPT_WORDS = 100_000
LONGEST_KEPT = 40
UNKNOWN_COST = 10.0
"""Extra cost of a letter without a piece over the rarest piece, as in SentencePiece."""
_WORD = re.compile(r"[^\W_]+")

Tokenize = Callable[[str], list[int]]


class UnigramTokenizer:
    """The likeliest pieces, by their logarithms (Kudo, 2018); the vocabulary has one entry for all cases of letters."""

    def __init__(self, vocabulary: dict[str, int], scores: Sequence[float]) -> None:
        self._vocabulary, self._scores = vocabulary, scores
        self._longest = max(map(len, vocabulary), default=0)
        self._unknown = min(scores, default=0.0) - UNKNOWN_COST
        self._kept: dict[str, list[int]] = {}

    def __call__(self, text: str) -> list[int]:
        """Return the tokens; letters without a piece are left out."""
        return _tokens_of_words(unicodedata.normalize("NFKC", text).casefold(), self._kept, self._split_word)

    def _split_word(self, word: str) -> list[int]:
        word = BEGINS_WORD + word
        # The best way to each place, and from where it came (Viterbi).
        best, back = [0.0, *[-1e30] * len(word)], [(0, -1)] * (len(word) + 1)
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + self._longest) + 1):
                token = self._vocabulary.get(word[start:end], -1)
                # Only single letters may be unknown, so that any word has a way through.
                if token < 0 and end > start + 1:
                    continue
                score = best[start] + (self._scores[token] if token >= 0 else self._unknown)
                if score > best[end]:
                    best[end], back[end] = score, (start, token)
        pieces: list[int] = []
        end = len(word)
        while end:
            end, token = back[end]
            pieces += [token] if token >= 0 else []
        return pieces[::-1]


def _tokens_of_words(text: str, kept: dict[str, list[int]], cut: Callable[[str], list[int]]) -> list[int]:
    """Split each word once and cache its tokens; overlong ones are hardly words and aren't cached."""
    tokens: list[int] = []
    for word in _WORD.findall(text):
        pieces = kept.get(word)
        if pieces is None:
            pieces = cut(word)
            # Chats have new words every day, and a cache has to end.
            if len(word) <= LONGEST_KEPT:
                if len(kept) >= KEPT_WORDS:
                    kept.clear()
                kept[word] = pieces
        tokens += pieces
    return tokens
