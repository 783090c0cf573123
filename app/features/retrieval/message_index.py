"""Find messages of all chats by meaning, for searches whose words occur nowhere.

The index is in memory and filled on use: with the newest messages at the first search, then with those added since. A
message ranks by its best part, the mean of its tokens' vectors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from app.language.sentences import split_sentences
from app.language.static_embeddings import EmbeddingTable, load_table
from app.store.text_search import TextSearch

if TYPE_CHECKING:
    import numpy as np

    Bytes = np.ndarray[Any, np.dtype[np.int8]]
    Floats = np.ndarray[Any, np.dtype[np.float32]]

# The newest; of 600 characters each, their parts take about 10 MB and 1.4 s of processor time once, 3 ms a query.
MOST_MESSAGES = 10_000
BATCH = 400
PART = 150
"""Characters of a part, in whole sentences."""
# Of 32 questions and keywords in other words than the messages' 19 are found among the first five of 364 messages, by
# words none; of 16 queries about nothing there 6 show something.
LEAST_CLOSENESS = 0.34
"""Cosine of a query with a part."""
# Fewer letters are a word that is still being typed.
LEAST_LETTERS = 4
# Fewer are in a language that the table does not know, or still being typed.
LEAST_PIECE = 2.5
"""Letters a token."""
# A byte a number: a quarter of the memory.
_STEPS = 127
_WORD = re.compile(r"[^\W_]+")


class MessagePart(NamedTuple):
    """The nearest part of a message, from `start` to `end` in its text."""

    message_id: int
    start: int
    end: int


class MessageIndex:
    """From any thread, though never from the window's: the first search reads up to `MOST_MESSAGES`."""

    def __init__(self, search: TextSearch) -> None:
        self._search, self._lock = search, Lock()
        self._parts: list[MessagePart] = []
        self._vectors: list[Bytes] = []
        self._read_to: int | None = None

    def find(self, query: str, most: int, is_cancelled: Callable[[], bool] = lambda: False) -> list[MessagePart]:
        """Return the nearest part of each message that is near enough, best first.

        Empty without a table or known words, and when cancelled; what was read so far stays indexed.
        """
        import numpy as np

        table, words = load_table(), _WORD.findall(query)
        # The search above the chats asks at each letter.
        letters = sum(map(len, words))
        if table is None or letters < LEAST_LETTERS or letters < LEAST_PIECE * len(table.tokenize(query)):
            return []
        with self._lock:
            if not self._read_on(table, is_cancelled) or not self._vectors:
                return []
            # Copies, so that the lock is not held over the multiplication.
            parts, vectors = list(self._parts), list(self._vectors)
        wanted = table.embed([query])[0]
        scores = np.concatenate([batch.astype(np.float32) @ wanted for batch in vectors]) / _STEPS
        # A message ranks by its best part: the mean of a long message says nothing.
        best: dict[int, MessagePart] = {}
        for place in np.argsort(-scores):
            if scores[place] < LEAST_CLOSENESS or len(best) == most:
                break
            best.setdefault(parts[place].message_id, parts[place])
        # Asked now: the index keeps parts of messages that were deleted since.
        there = self._search.not_deleted(list(best))
        return [part for number, part in best.items() if number in there]

    def _read_on(self, table: EmbeddingTable, is_cancelled: Callable[[], bool]) -> bool:
        """Index the messages added since; False when cancelled."""
        if self._read_to is None:
            # From the end back; ids of deleted messages in between only make it fewer.
            self._read_to = max(0, self._search.last_message() - MOST_MESSAGES)
        while messages := self._search.messages_after(self._read_to, BATCH):
            if is_cancelled():
                return False
            texts = [
                (part, text[part.start : part.end])
                for number, text in messages
                for part in _message_parts(number, text)
            ]
            if texts:
                self._vectors.append(_in_bytes(table.embed([text for _, text in texts])))
                self._parts += [part for part, _ in texts]
            # After the batch is in, so that a cancelled search goes on here.
            self._read_to = messages[-1][0]
        return not is_cancelled()


def _message_parts(message_id: int, text: str) -> Iterator[MessagePart]:
    """Split into parts of whole sentences, up to about `PART` characters."""
    first, last = 0, 0
    for start, end in split_sentences(text):
        if last and end - first > PART:
            yield MessagePart(message_id, first, last)
            last = 0
        first, last = (first if last else start), end
    if last:
        yield MessagePart(message_id, first, last)


def _in_bytes(vectors: Floats) -> Bytes:
    import numpy as np

    return np.round(vectors * _STEPS).astype(np.int8)
