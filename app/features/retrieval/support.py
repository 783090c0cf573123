"""Tell whether an answer is supported by the documents shown, from its citations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from app.core.lazy_dataclasses import dataclass
from app.features.retrieval.citations import LEAST_WORDS, MOST_SENTENCES
from app.features.retrieval.source_places import SourcePlace
from app.language.admissions import admits_absence
from app.language.sentences import split_sentences
from app.language.words import word_stems

# Headings, code's fences and rules, what only leads to a list, and questions: they state nothing, so no place is
# missed.
_FRAME = re.compile(r"^\s*(?:#+\s|```|\|?[\s:|-]*$)|[:：]\W*$|[?？]\W*$")


MOST_PARTS, MOST_QUOTED = 4, 80
"""Doubted stretches that are quoted in a line, and characters of each."""
# Kept among the citations, which every version stores; older ones ignore it.
NOT_FOUND = {"support": "not_found"}
"""Entry among an answer's citations if nothing supports it."""


def is_marked_not_found(sources: Sequence[dict[str, Any]]) -> bool:
    """Return whether an answer with these citations was judged unsupported."""
    return NOT_FOUND in sources


@dataclass(frozen=True)
class UnsupportedParts:
    """Stretches of an answer's text (`spans`, in characters) for which a claim checker found no support."""

    spans: tuple[tuple[int, int], ...]
    checker: str


def unsupported_parts(sources: Sequence[dict[str, Any]]) -> UnsupportedParts | None:
    """Return what a claim checker doubted in an answer with these citations; None if nothing, or it didn't run."""
    for fields in sources:
        # Stored by other versions or brought by an import: it is checked before it is used.
        spans = fields.get("unsupported")
        if isinstance(spans, list) and all(_is_span(span) for span in spans):
            return UnsupportedParts(tuple((start, end) for start, end in spans), str(fields.get("checker", "")))
    return None


def quote_parts(text: str, parts: UnsupportedParts) -> tuple[list[str], int]:
    """Quote the first doubted parts of a text, long ones shortened; also return how many more there are."""
    # A stretch may go over lines; quoted, it is in one.
    quoted = [" ".join(text[start:end].split()) for start, end in parts.spans if text[start:end].strip()]
    short = [words if len(words) <= MOST_QUOTED else f"{words[:MOST_QUOTED].rstrip()}…" for words in quoted]
    return short[:MOST_PARTS], max(0, len(short) - MOST_PARTS)


def with_unsupported(
    sources: Sequence[dict[str, Any]], spans: Sequence[tuple[int, int]], checker: str
) -> list[dict[str, Any]]:
    """Replace the doubts among an answer's citations by those of a claim checker."""
    kept = [fields for fields in sources if "unsupported" not in fields]
    return [*kept, {"unsupported": [list(span) for span in spans], "checker": checker}] if spans else kept


def _is_span(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(type(place) is int for place in value)


class AnswerSupport(StrEnum):
    """Support of an answer by its documents."""

    SUPPORTED = "supported"
    """Every sentence that states something has a place in the documents."""
    PARTLY = "partly"
    NOT_FOUND = "not_found"
    """No sentence has a citation, or the answer begins by saying that the documents don't say."""


def support_of(answer: str, sources: Sequence[SourcePlace]) -> AnswerSupport:
    """Judge an answer by the places of its sentences, as `sources_of` found them; looks nothing up itself."""
    stated = list(statements_of(answer, sources))
    rests = [has_place for _, has_place in stated]
    # An answer that begins by saying so and then goes on from its own knowledge counts as not found.
    if not any(rests) or (not rests[0] and admits_absence(stated[0][0])):
        return AnswerSupport.NOT_FOUND
    return AnswerSupport.SUPPORTED if all(rests) else AnswerSupport.PARTLY


def statements_of(answer: str, sources: Sequence[SourcePlace]) -> Iterator[tuple[str, bool]]:
    """Yield the sentences that state something, each with whether it has a citation.

    Short ones ("Yes."), which aren't looked up, count only if they have one or say that nothing was found.
    """
    for start, end in list(split_sentences(answer))[:MOST_SENTENCES]:
        sentence = answer[start:end]
        has_place = any(source.answer_start < end and start < source.answer_end for source in sources)
        # Those that are too short are never looked up, so that they have no place says nothing.
        is_long = len(word_stems(sentence)) >= LEAST_WORDS
        if has_place or (not _FRAME.search(sentence) and (is_long or admits_absence(sentence))):
            yield sentence, has_place
