"""Choose which passages of a document a prompt shows: those that fit a question best, in the document's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.features.retrieval.ranking import MOST_RANKED, rank_blocks
from app.store.document_store import DocumentStore, Fields

# The first blocks say what the document is.
FIRST_BLOCKS = 3
"""First blocks of a document, included if there is room."""
# Of the prompt's room: a title page must not displace what fits the question.
FIRST_SHARE = 0.15
# More passages help a model less than they distract it.
MOST_HITS = 12
# The block after a hit often goes on with its sentence or list.
BEHIND_HIT = 1
# A heading that fits says nothing without what stands below it.
BELOW_HEADING = 3
FRAME_TOKENS = 16
"""Upper bound of what page mark, gap and heading path add to a passage."""

Count = Callable[[Sequence[str]], Sequence[int]]
"""Counts the tokens of texts."""


def choose_passages(
    store: DocumentStore,
    document_id: int,
    question: str,
    room_tokens: int,
    count: Count,
    *,
    by_model: Sequence[Sequence[int]] = (),
) -> list[int]:
    """Choose the ids of blocks to show, in order, in at most `room_tokens` of `count`.

    First the document's beginning, within its share; then the best matches, each with what follows it, and a heading
    with the first blocks below it. Without a match, the beginning as far as there is room.
    """
    filling = _PassageChoice(store, document_id, count)
    filling.add_passages(
        # Their own, smaller room comes first, so that the best matches cannot use it up.
        [int(block["id"]) for block in store.read_blocks(document_id, 1, FIRST_BLOCKS)],
        int(room_tokens * FIRST_SHARE),
    )
    wanted = [
        number
        for hit in rank_blocks(store, document_id, question, by_model)[:MOST_HITS]
        for number in _blocks_around(hit)
    ]
    if not wanted:
        # Without a match the document's beginning is better than nothing: it may say where to look.
        wanted = list(range(1, min(store.block_count(document_id), MOST_RANKED) + 1))
    filling.add_passages(wanted, room_tokens - filling.used_tokens)
    return sorted(filling.chosen)


def _blocks_around(hit: Fields) -> range:
    """Return the ids of a hit and the blocks after it."""
    number = int(hit["id"])
    return range(number, number + (BELOW_HEADING if hit["kind"] == "heading" else BEHIND_HIT) + 1)


class _PassageChoice:
    """Blocks chosen so far, and their tokens."""

    def __init__(self, store: DocumentStore, document_id: int, count: Count) -> None:
        self._store, self._document_id, self._count = store, document_id, count
        self.chosen: set[int] = set()
        self.used_tokens = 0

    def add_passages(self, wanted: Sequence[int], room_tokens: int) -> None:
        """Take the wanted blocks in this order while they fit."""
        blocks = self._store.some_blocks(self._document_id, sorted(set(wanted) - self.chosen))
        texts = {int(block["id"]): str(block["text"]) for block in blocks}
        new = [number for number in dict.fromkeys(wanted) if number in texts]
        # All in one call: counting asks the engine's child.
        for number, tokens in zip(new, self._count([texts[number] for number in new]), strict=True):
            cost = tokens + FRAME_TOKENS
            # One that is too long does not end it: shorter ones after it may fit.
            if cost <= room_tokens:
                self.chosen.add(number)
                self.used_tokens += cost
                room_tokens -= cost
