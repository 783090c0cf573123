"""Tell whether an answer rests on the documents that were shown: on the places that were found for its sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from app.features.retrieval.citations import LEAST_WORDS, MOST_SENTENCES, SourcePlace
from app.language.admissions import admits_absence
from app.language.sentences import sentences
from app.language.words import stems

_FRAME = re.compile(r"^\s*(?:#+\s|```|\|?[\s:|-]*$)|[:：]\W*$|[?？]\W*$")
"""Headings, code's fences and rules, what only leads to a list, and questions: they state nothing."""


NOT_FOUND = {"support": "not_found"}
"""Stands among the sources of an answer that rests on nothing; versions that do not know it leave it out."""


def is_marked_not_found(sources: Sequence[dict[str, Any]]) -> bool:
    """Whether an answer with these sources was judged to rest on nothing of its documents."""
    return NOT_FOUND in sources


class AnswerSupport(StrEnum):
    """What an answer rests on."""

    SUPPORTED = "supported"
    """Every sentence that states something has a place in the documents."""
    PARTLY = "partly"
    NOT_FOUND = "not_found"
    """None has, or the answer begins by saying that the documents do not tell."""


def support_of(answer: str, sources: Sequence[SourcePlace]) -> AnswerSupport:
    """Judge an answer by the places of its sentences, as `sources_of` found them; looks nothing up itself."""
    stated = list(statements_of(answer, sources))
    rests = [has_place for _, has_place in stated]
    if not any(rests) or (not rests[0] and admits_absence(stated[0][0])):
        return AnswerSupport.NOT_FOUND
    return AnswerSupport.SUPPORTED if all(rests) else AnswerSupport.PARTLY


def statements_of(answer: str, sources: Sequence[SourcePlace]) -> Iterator[tuple[str, bool]]:
    """Yield the sentences that state something, each with whether it has a place.

    Short ones, which are looked up nowhere ("Yes."), count only where they have one or say that nothing was found.
    """
    for start, end in list(sentences(answer))[:MOST_SENTENCES]:
        sentence = answer[start:end]
        has_place = any(source.answer_start < end and start < source.answer_end for source in sources)
        is_long = len(stems(sentence)) >= LEAST_WORDS
        if has_place or (not _FRAME.search(sentence) and (is_long or admits_absence(sentence))):
            yield sentence, has_place
