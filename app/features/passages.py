"""Which passages of a document fit a question: ranked by the words they share (BM25), kept in the document's order.

The ranking is SQLite FTS5's bm25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009). Languages
written without spaces, of which a full-text index sees whole runs only, are ranked by the pairs of letters they share.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from app.language.scripts import WITHOUT_SPACES
from app.store.documents import DocumentStore, Fields

FIRST_BLOCKS = 3
"""A document's beginning says what it is, so it comes along where there is room."""
FIRST_SHARE = 0.15
MOST_RANKED = 200
MOST_HITS = 12
"""More passages help a model less than they distract it."""
BEHIND_HIT = 1
BELOW_HEADING = 3
FRAME_TOKENS = 16
"""More than a page mark, a gap and a heading path usually take beside a passage."""
LONG_WORD = 6
ENDING = 2
"""Letters that a long word may change at its end."""
_LEADERS = re.compile(r"(?:\. ?){5}|…{3}")
"""The dots between a title and its page."""
_WORD = re.compile(r"\w+")

Count = Callable[[Sequence[str]], Sequence[int]]


def choose(store: DocumentStore, document_id: int, question: str, room_tokens: int, count: Count) -> list[int]:
    """The numbers of the blocks to show, in order, together at most `room_tokens` of `count`.

    First the beginning, within its share; then the blocks that fit best, each with what follows it, and a heading with
    the first blocks below it. Where nothing fits, the document's beginning as far as there is room.
    """
    filling = _Filling(store, document_id, count)
    filling.take([int(one["id"]) for one in store.blocks(document_id, 1, FIRST_BLOCKS)], int(room_tokens * FIRST_SHARE))
    wanted = [number for hit in rank(store, document_id, question)[:MOST_HITS] for number in _around(hit)]
    if not wanted:
        wanted = list(range(1, min(store.block_count(document_id), MOST_RANKED) + 1))
    filling.take(wanted, room_tokens - filling.used_tokens)
    return sorted(filling.chosen)


def _around(hit: Fields) -> range:
    """A block and what follows it."""
    number = int(hit["id"])
    return range(number, number + (BELOW_HEADING if hit["kind"] == "heading" else BEHIND_HIT) + 1)


def rank(store: DocumentStore, document_id: int, question: str) -> list[Fields]:
    """The blocks that fit, best first; empty where nothing of the question occurs. A table of contents fits nothing."""
    found = store.rank([document_id], words_of(question), MOST_RANKED)
    numbers = [number for _, number, _ in found]
    runs = "".join(WITHOUT_SPACES.findall(question))
    if len(runs) > 1:
        numbers = list(dict.fromkeys([*_by_pairs(store, document_id, runs), *numbers]))
    blocks = {int(one["id"]): one for one in store.some_blocks(document_id, numbers)}
    return [blocks[number] for number in numbers if not _LEADERS.search(str(blocks[number]["text"]))]


def words_of(text: str) -> list[str]:
    """The words to search for; a long one by its beginning ("settl*"), since words change at their end."""
    found = dict.fromkeys(word.casefold() for word in _WORD.findall(text))
    return [f"{word[:-ENDING]}*" if len(word) >= LONG_WORD and word.isalpha() else word for word in found]


def _by_pairs(store: DocumentStore, document_id: int, runs: str) -> list[int]:
    wanted = {runs[at : at + 2] for at in range(len(runs) - 1)}
    scores: Counter[int] = Counter()
    for fields in store.every_block(document_id):
        text = str(fields["text"])
        hits = sum(1 for pair in wanted if pair in text)
        if hits:
            scores[int(fields["id"])] = hits
    return [number for number, _ in scores.most_common(MOST_RANKED)]


class _Filling:
    """Blocks chosen so far, and what they take."""

    def __init__(self, store: DocumentStore, document_id: int, count: Count) -> None:
        self._store, self._document_id, self._count = store, document_id, count
        self.chosen: set[int] = set()
        self.used_tokens = 0

    def take(self, wanted: Sequence[int], room_tokens: int) -> None:
        """Takes of the wanted blocks, in this order, what fits into the room."""
        blocks = self._store.some_blocks(self._document_id, sorted(set(wanted) - self.chosen))
        texts = {int(one["id"]): str(one["text"]) for one in blocks}
        new = [number for number in dict.fromkeys(wanted) if number in texts]
        for number, tokens in zip(new, self._count([texts[number] for number in new]), strict=True):
            cost = tokens + FRAME_TOKENS
            if cost <= room_tokens:
                self.chosen.add(number)
                self.used_tokens += cost
                room_tokens -= cost
