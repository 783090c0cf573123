"""Text to read and to ask about, the same in every run. Different seeds share no beginning, so nothing is re-used."""

from __future__ import annotations

import random

STORY = "Write a very long story about a lighthouse and the sea."

_TEXT = (
    "water light morning house river stone garden window letter summer winter bridge road field child mother "
    "father sister brother teacher doctor sailor farmer market village city harbour ship train horse bird tree "
    "flower mountain valley forest island cloud rain wind snow fire bread apple table chair door wall roof floor "
    "old young small large bright dark quiet loud slow quick warm cold open closed early late near far long short "
    "walked looked found carried opened closed wrote read heard spoke built painted planted crossed followed waited"
)
_WORDS = _TEXT.split()
WORDS_PER_SENTENCE = 11
TOKENS_PER_WORD = 1.12
"""Of the starter's vocabulary, full stops and rare words included; only lengths are chosen with it."""


def prose(tokens: int, seed: int) -> str:
    """About so many tokens of sentences without sense, in ordinary words."""
    words = random.Random(seed)
    sentences = []
    for _ in range(max(1, round(tokens / TOKENS_PER_WORD / WORDS_PER_SENTENCE))):
        chosen = [words.choice(_WORDS) for _ in range(WORDS_PER_SENTENCE)]
        sentences.append(" ".join(chosen).capitalize() + ".")
    return " ".join(sentences)
