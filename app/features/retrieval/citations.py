"""Find where an answer may come from: the sentences of the documents that share most of its words.

No second model and no judgement: a sentence of the answer gets the place in the documents that holds the largest
share of its words (numbers as they stand, words by their first letters), where that is at least three in five, and
all of its numbers: a place that says thirty-one is none for 301. What the model names itself ("[p. 3]") is taken at
its word only as far as there is such a page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from app.features.retrieval.ranking import words_of
from app.language.sentences import sentences
from app.store.documents import DocumentStore, Fields

if TYPE_CHECKING:
    from app.language.numbers import Quantity

LEAST_SHARE = 0.6
LEAST_WORDS = 4
MOST_CANDIDATES = 12
MOST_SENTENCES = 60
_LIST_NUMBER = re.compile(r"^\W*\d{1,3}[.)]\s")
_PAGE = re.compile(
    r"[\[(](?:p|pp|page|pages|slide|sheet|chapter|ch|file|minute|min|(¶))\.? ?(\d{1,6})[\])]", re.IGNORECASE
)


@dataclass(frozen=True)
class Source:
    """A stretch of a document (`start` to `end` in the text of a block) that says what the answer says.

    `answer_start` and `answer_end` are that sentence in the answer. `is_named`: the model named the page itself.
    """

    answer_start: int
    answer_end: int
    document_id: int
    block_id: int
    start: int
    end: int
    page: int | None
    is_named: bool = False


def sources_of(answer: str, document_ids: Sequence[int], store: DocumentStore) -> list[Source]:
    """The places that fit best, in the order of the answer; at most one for each of its sentences."""
    found: list[Source] = []
    if not document_ids:
        return found
    for start, end in list(sentences(answer))[:MOST_SENTENCES]:
        text = _PAGE.sub(" ", answer[start:end])
        source = _best(text, start, end, document_ids, store)
        if source is not None:
            found.append(source)
    return found


def named_pages(answer: str) -> list[tuple[int, int, int]]:
    """(start, end, page) of each page that an answer names in brackets; a paragraph's number ("[¶ 12]") is negative."""
    return [(m.start(), m.end(), -int(m[2]) if m[1] else int(m[2])) for m in _PAGE.finditer(answer)]


def source_on_page(answer: str, at: int, page: int, document_id: int, store: DocumentStore) -> Source | None:
    """What stands on a page that the answer names at `at`: the sentence there that fits best, else its first block."""
    blocks = [one for one in store.blocks_of_page(document_id, page) if one["page"] == page]
    if not blocks:
        return None
    start, end = next(((a, b) for a, b in sentences(answer) if a <= at < b), (at, at))
    wanted = _stems(_PAGE.sub(" ", answer[start:end]))
    best = max(((*_place(one, wanted), one) for one in blocks), key=lambda found: found[0])
    share, first, last, block = best
    if not share:
        block, first, last = blocks[0], 0, 0
    return Source(start, end, document_id, int(block["id"]), first, last, page, is_named=True)


def source_to_fields(source: Source) -> dict[str, Any]:
    """A source as plain JSON values."""
    return asdict(source)


def source_from_fields(fields: dict[str, Any]) -> Source:
    """The source of such values; raises TypeError for any others."""
    return Source(**fields)


def _best(text: str, start: int, end: int, document_ids: Sequence[int], store: DocumentStore) -> Source | None:
    wanted = _stems(text)
    if len(wanted) < LEAST_WORDS:
        return None
    numbers = _numbers(text)
    best: tuple[float, Source] | None = None
    for document_id, number, _score in store.rank(document_ids, words_of(text), MOST_CANDIDATES):
        block = store.some_blocks(document_id, [number])[0]
        share, first, last = _place(block, wanted, numbers)
        if share >= LEAST_SHARE and (best is None or share > best[0]):
            best = share, Source(start, end, document_id, number, first, last, block["page"])
    return best[1] if best else None


def _place(block: Fields, wanted: set[str], numbers: Sequence[Quantity] = ()) -> tuple[float, int, int]:
    """The share of `wanted` that the best sentence of a block holds that has all `numbers`, and where it stands."""
    text = str(block["text"])
    best = (0.0, 0, 0)
    for start, end in sentences(text):
        share = len(wanted & _stems(text[start:end])) / len(wanted) if wanted else 0.0
        if share > best[0] and _holds(text[start:end], numbers):
            best = (share, start, end)
    return best


def _numbers(text: str) -> list[Quantity]:
    """The numbers that a sentence says, in figures or words; without its own number in a list, and without "first"."""
    from app.language.numbers import quantities  # as below

    text = _LIST_NUMBER.sub(" ", text)
    return [one for one in quantities(text) if not one.is_part or text[one.start].isdigit()]


def _holds(text: str, numbers: Sequence[Quantity]) -> bool:
    from app.language.numbers import quantities

    return all(any(one.has_figure_of(other) for other in quantities(text)) for one in numbers)


def _stems(text: str) -> set[str]:
    """The beginnings of words, and every number."""
    from app.language.words import WORD, stems  # not needed before there is an answer

    numbers = (word for word in WORD.findall(text.casefold()) if any(map(str.isdigit, word)))
    return {*stems(text), *numbers}
