"""Find where an answer of a few words may come from ("Thirty-one days."): the question completes its sentence."""

from __future__ import annotations

from collections.abc import Sequence

from app.features.retrieval.absence import telling_words
from app.features.retrieval.citations import LEAST_WORDS, MOST_CANDIDATES
from app.features.retrieval.ranking import words_of
from app.features.retrieval.source_places import SourcePlace
from app.language.admissions import admits_absence
from app.language.language_detection import language_by_words
from app.language.numbers import find_quantities
from app.language.sentence_support import missing_fact
from app.language.sentences import split_sentences
from app.language.words import WORD, stems_of_word, word_stems
from app.store.document_store import DocumentStore

# Of 24 short answers labelled by hand, 7 got a place, all right, of 13 right answers; half of the 24 were wrong.
LEAST_ASKED = 0.6
"""Share of the question's telling words."""


def sources_of_short_answer(
    answer: str, question: str, document_ids: Sequence[int], store: DocumentStore
) -> list[SourcePlace]:
    """Return the sentence that has all of a short answer and most of what was asked; empty for any other answer."""
    spans = list(split_sentences(answer))
    told = word_stems(_without_numbers(answer))
    asked = [_known_by(word) for word in telling_words(question)]
    # Words of the answer are looked for as the answer's.
    asked = [known for known in asked if not known <= told]
    is_short = len(spans) == 1 and len(word_stems(answer)) < LEAST_WORDS and bool(told or find_quantities(answer))
    if not is_short or not asked or admits_absence(answer):
        return []
    best: tuple[float, SourcePlace] | None = None
    for document_id, number, _ in store.rank_blocks(document_ids, words_of(f"{question} {answer}"), MOST_CANDIDATES):
        block = store.some_blocks(document_id, [number])[0]
        text, headings = str(block["text"]), [str(heading) for heading in block.get("heading_path") or ()]
        language = language_by_words(text)
        for start, end in split_sentences(text):
            sentence = text[start:end]
            there = _known_by(" ".join([*headings, sentence]))
            share = sum(known <= there for known in asked) / len(asked)
            # All of the answer, since it is only a few words.
            if share < LEAST_ASKED or not told <= there or (best is not None and share <= best[0]):
                continue
            # Another number in the sentence could be the answer as well.
            if _has_other_numbers(sentence, f"{question} {answer}") and find_quantities(answer):
                continue
            if not missing_fact(answer, sentence, headings, language=language):
                best = share, SourcePlace(*spans[0], document_id, number, start, end, block["page"])
    return [best[1]] if best else []


def _known_by(text: str) -> frozenset[str]:
    """Return the beginnings of its words, and those words whole that are too short for one."""
    # Words that are too short to have a beginning still tell.
    return word_stems(text) | {word for word in WORD.findall(text.casefold()) if not stems_of_word(word)}


def _has_other_numbers(sentence: str, said: str) -> bool:
    """Return whether a sentence has more than one number that could be the answer."""
    known, there = (
        find_quantities(said),
        [quantity for quantity in find_quantities(sentence) if not quantity.is_word and not quantity.is_part],
    )
    return any(not any(quantity.has_figure_of(other) for other in known) for quantity in there)


def _without_numbers(text: str) -> str:
    """Leave its numbers out: they are compared as such, in figures or in words."""
    # From behind, so that the places before stay right.
    for quantity in sorted(find_quantities(text), key=lambda one: -one.start):
        text = text[: quantity.start] + text[quantity.end :]
    return text
