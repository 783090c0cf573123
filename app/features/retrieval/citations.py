"""Find an answer's sources: sentences of the documents that say what its sentences say.

No second model and no judgement. A sentence of the answer gets the passage with the largest share of its word
weights: rare words weigh more; similar words and words in the heading count in part. The passage must support all its
facts (`app.language.text_facts`): "thirty-one" doesn't support 301, nor "not allowed" "allowed". A page the model
cites itself ("[p. 3]") is accepted only if it exists.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise

from app.core.lazy_dataclasses import dataclass
from app.features.retrieval.ranking import words_of
from app.features.retrieval.source_places import PAGE_CITATION, SourcePlace
from app.language.admissions import admits_absence
from app.language.language_detection import SMALL_WORDS, language_by_words
from app.language.numbers import find_quantities
from app.language.proper_names import find_names
from app.language.sentence_support import missing_fact
from app.language.sentences import split_sentences
from app.language.word_likeness import closest_likeness
from app.language.words import WORD, stems_of_word
from app.store.document_store import DocumentStore, Fields

LEAST_SHARE = 0.7
LEAST_EXACT = 0.45
# Below this a likeness misled: the risk of a version got the place of its advantage.
LEAST_LIKE = 0.6
"""Cosine from which a word partly counts as another."""
NEARBY = 0.6
"""Weight of a word found just before a block, or in its heading."""
LEAST_WEIGHT, SMALL_WEIGHT = 0.5, 0.3
# Two sentences are cited only if they say more than one: a place should be short.
PAIR_COSTS = 0.1
"""Penalty of two sentences, which are cited only if they say more than one."""
# A second-best sentence took the place of one that contradicts the answer.
MOST_BEHIND = 0.1
"""A passage is no citation if another fits this much better and says something else."""
# Blocks, and characters of each: what "it" or "there" in a sentence means stands just before.
BEFORE = 2
MOST_BEFORE = 400
# Limits for long answers and long blocks: this runs after each answer.
MOST_SPANS = 60
MOST_COUNTED = 200
# Shorter sentences ("Yes.") share their few words with any passage.
LEAST_WORDS = 4
MOST_CANDIDATES = 12
MOST_SENTENCES = 60


def sources_of(answer: str, document_ids: Sequence[int], store: DocumentStore) -> list[SourcePlace]:
    """Return the best sources in the answer's order; at most one per sentence."""
    found: list[SourcePlace] = []
    if not document_ids:
        return found
    for start, end in list(split_sentences(answer))[:MOST_SENTENCES]:
        # A page that the model named is not a word that its source would have.
        text = PAGE_CITATION.sub(" ", answer[start:end])
        if (source := _best_place(text, start, end, document_ids, store)) is not None:
            found.append(source)
    return found


def source_on_page(answer: str, at: int, page: int, document_id: int, store: DocumentStore) -> SourcePlace | None:
    """Return the best matching sentence on a page the answer cites at `at`, else the page's first block."""
    # The store gives what overlaps the page; only blocks that begin there are meant.
    blocks = [fields for fields in store.blocks_of_page(document_id, page) if fields["page"] == page]
    if not blocks:
        return None
    start, end = next(((a, b) for a, b in split_sentences(answer) if a <= at < b), (at, at))
    wanted = _word_stems(PAGE_CITATION.sub(" ", answer[start:end]))
    # The page is the model's own claim: something on it is shown, however little fits.
    best = max(((*_best_sentence(block, wanted), block) for block in blocks), key=lambda found: found[0])
    share, first, last, block = best
    if not share:
        block, first, last = blocks[0], 0, 0
    return SourcePlace(start, end, document_id, int(block["id"]), first, last, page, is_named=True)


@dataclass(frozen=True)
class _AnswerStatement:
    """A sentence of an answer, with the weight of each word (by stem) in the documents."""

    text: str
    start: int
    end: int
    weights: dict[str, float]
    words: dict[str, str]
    language: str


@dataclass(frozen=True)
class _StretchFit:
    """Fit of a passage to a statement, as shares of the statement's word weights.

    `share` counts similar words and the text before it in part; `exact` counts verbatim words only.
    """

    share: float
    exact: float
    start: int
    end: int


def _best_place(
    text: str, start: int, end: int, document_ids: Sequence[int], store: DocumentStore
) -> SourcePlace | None:
    # "The document does not say" has no place.
    if len(_word_stems(text)) < LEAST_WORDS or admits_absence(text):
        return None
    words = words_of(text)
    hits = store.rank_blocks(document_ids, words, MOST_CANDIDATES)
    known = _words_by_stem(text)
    statement = _AnswerStatement(
        text, start, end, _stem_weights(known, document_ids, store), known, language_by_words(text)
    )
    best: tuple[float, SourcePlace] | None = None
    denied = 0.0
    # From the best down, so that `best` soon excludes most of the rest.
    for document_id, number, _score in hits:
        block = store.some_blocks(document_id, [number])[0]
        text_there, around = str(block["text"]), _text_around(block, document_id, store)
        language = statement.language or language_by_words(text_there)
        for fit in _stretch_fits(text_there, statement, around):
            if not _is_close(fit) or (best is not None and fit.share <= best[0]):
                continue
            # Headings and sentences before may have the name or date that the sentence itself leaves out.
            before = [*around, text_there[: fit.start]]
            if missing_fact(text, text_there[fit.start : fit.end], before, language=language):
                # A passage that fits well but says something else: see MOST_BEHIND.
                denied = max(denied, fit.share)
            else:
                best = fit.share, SourcePlace(start, end, document_id, number, fit.start, fit.end, block["page"])
    return best[1] if best and best[0] >= denied - MOST_BEHIND else None


def _is_close(fit: _StretchFit) -> bool:
    return fit.share >= LEAST_SHARE and fit.exact >= LEAST_EXACT


def _stem_weights(stems: Iterable[str], document_ids: Sequence[int], store: DocumentStore) -> dict[str, float]:
    """Weigh stems: three times as much if in one block than if in all."""
    blocks = sum(store.block_count(id_) for id_ in document_ids)
    weights: dict[str, float] = {}
    for stem in stems:
        # The index is asked for beginnings, since its stems are not ours.
        count = len(store.rank_blocks(document_ids, [f"{stem}*" if stem.isalpha() else stem], MOST_COUNTED))
        # From 0 for a word in every block to 1 for one in a single block.
        rarity = math.log((blocks + 1) / (max(count, 1) + 0.5)) / math.log((blocks + 1) / 1.5)
        # A document of one block cannot tell which words are rare.
        weights[stem] = SMALL_WEIGHT if stem in _small_stems() else LEAST_WEIGHT + rarity if blocks > 1 else 1.0
    return weights


@cache
def _small_stems() -> frozenset[str]:
    return frozenset(stem for row in SMALL_WORDS.values() for word in row.split() for stem in stems_of_word(word))


def _text_around(block: Fields, document_id: int, store: DocumentStore) -> list[str]:
    """Return the headings above a block and the blocks right before it."""
    number = int(block["id"])
    before = store.some_blocks(
        document_id, [number_before for number_before in range(number - BEFORE, number) if number_before > 0]
    )
    return [*map(str, block.get("heading_path") or ()), *(str(fields["text"])[-MOST_BEFORE:] for fields in before)]


def _stretch_fits(text: str, statement: _AnswerStatement, around: Sequence[str]) -> Iterator[_StretchFit]:
    """Yield the fits of each sentence of a block, and of each pair of neighbours."""
    spans = list(split_sentences(text))[:MOST_SPANS]
    # Two sentences may give a name of one and a number of the other, which together say what neither says.
    pairs = [] if _names_facts(statement.text) else [(first[0], second[1]) for first, second in pairwise(spans)]
    total = sum(statement.weights.values()) or 1.0
    for start, end in (*spans, *pairs):
        # The text before the stretch in the same block counts as near, too.
        there, nearby = _words_by_stem(text[start:end]), _word_stems(" ".join((*around, text[:start])))
        found = {stem: _found_share(stem, word, there, nearby) for stem, word in statement.words.items()}
        share = sum(found[stem] * weight for stem, weight in statement.weights.items()) / total
        exact = sum(weight for stem, weight in statement.weights.items() if found[stem] == 1) / total
        yield _StretchFit(share - (PAIR_COSTS if (start, end) in pairs else 0), exact, start, end)


def _names_facts(text: str) -> bool:
    """Return whether it has numbers or names, whose order two sentences together may mix up."""
    return bool(find_quantities(text)) or any(not name.is_first for name in find_names(text))


def _found_share(stem: str, word: str, there: dict[str, str], nearby: set[str]) -> float:
    """Return how much of a word a passage has: all, or part if the surrounding text or a similar word has it."""
    if stem in there or any(map(str.isdigit, stem)):  # numbers are compared as facts
        return 1.0
    like = closest_likeness(word, there.values())
    return max(NEARBY if stem in nearby else 0.0, like if like >= LEAST_LIKE else 0.0)


def _best_sentence(block: Fields, wanted: set[str]) -> tuple[float, int, int]:
    """Return the best sentence's share of `wanted`, and its range."""
    text = str(block["text"])
    best = (0.0, 0, 0)
    for start, end in split_sentences(text):
        share = len(wanted & _word_stems(text[start:end])) / len(wanted) if wanted else 0.0
        if share > best[0]:
            best = (share, start, end)
    return best


def _word_stems(text: str) -> set[str]:
    """Return the stems of all words, and every number."""
    return set(_words_by_stem(text))


def _words_by_stem(text: str) -> dict[str, str]:
    """Map stems to words; numbers are their own stems."""
    found: dict[str, str] = {}
    # Soft hyphens stand inside words of PDFs and web pages.
    for word in WORD.findall(text.replace("\u00ad", "").casefold()):
        parts = [word] if any(map(str.isdigit, word)) else stems_of_word(word)
        found |= {part: found.get(part, word) for part in parts}
    return found
