"""Places in a text, counted in characters: of sentences, of Qt's cursor."""

from __future__ import annotations

from app.language.sentences import sentences


def place_in(text: str, units: int) -> int:
    """Qt counts units of UTF-16, of which some characters take two; never beyond the end."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, units)].decode("utf-16-le", "ignore"))


def sentences_around(text: str, start: int, end: int) -> tuple[int, int]:
    """From the beginning of the sentence that `start` is in, to the end of the one that `end` is in."""
    begins = [first for first, _ in sentences(text)]
    first = max((one for one in begins if one <= start), default=0)
    last = min((one for one in begins if one >= end and one > first), default=len(text))
    return first, last


def sentence_like(source: str, target: str, start: int, end: int) -> tuple[str, int, int]:
    """The sentence of the source that one of its translation, from start to end, is of; and from where to where it is.

    Where both have as many sentences, those at the same place; else everything.
    """
    ours, theirs = list(sentences(source)), list(sentences(target))
    chosen = [number for number, (first, last) in enumerate(theirs) if first < end and last > start]
    if len(ours) != len(theirs) or not chosen:
        return source.strip(), 0, len(target)
    words = source[ours[chosen[0]][0] : ours[chosen[-1]][1]].strip()
    return words, theirs[chosen[0]][0], theirs[chosen[-1]][1]
