"""Sentences of a text by position, and their counterparts in its source."""

from __future__ import annotations

from app.language.sentences import split_sentences


def sentences_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the range of whole sentences that contains `start` and `end`."""
    begins = [first for first, _ in split_sentences(text)]
    first = max((number for number in begins if number <= start), default=0)
    last = min((number for number in begins if number >= end and number > first), default=len(text))
    return first, last


def sentence_like(source: str, target: str, start: int, end: int) -> tuple[str, int, int]:
    """Return the source sentence for a translated range, with its range.

    With equal numbers of sentences it is the one at the same place, else the whole text.
    """
    ours, theirs = list(split_sentences(source)), list(split_sentences(target))
    chosen = [number for number, (first, last) in enumerate(theirs) if first < end and last > start]
    if len(ours) != len(theirs) or not chosen:
        return source.strip(), 0, len(target)
    words = source[ours[chosen[0]][0] : ours[chosen[-1]][1]].strip()
    return words, theirs[chosen[0]][0], theirs[chosen[-1]][1]
