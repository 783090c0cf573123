"""Put marks back into a text that lost or muddled them: on the same words, or as far along as they were.

What came back whole stays where it is. Whatever is put in, the result has exactly the marks of the source, nested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.core.lazy_dataclasses import dataclass
from app.documents.segments import Content, Mark, content_of, marks, nests, plain
from app.features.translate.marked_answers import enclosing_pairs
from app.features.translate.marking import PROTECTED, ShownContent, same_marks
from app.language.language_names import WITHOUT_SPACES
from app.language.words import JOINED_WORD

_WORD = re.compile(rf"{WITHOUT_SPACES.pattern[:-1]}|{JOINED_WORD.pattern}")
"""A word; in scripts without spaces a character."""


def put_back(shown: ShownContent, answered: Content) -> Content:
    """Put exactly the marks of `shown.core` into the words of `answered`, as parsed by `parse_marked`: its marks may
    be too few, too many, unknown or crossed.
    """
    # What came back whole stays where the model put it: it knows the sentence, the share of words only counts.
    kept = _keep_right_marks(shown, answered)
    there = {mark.key for mark in marks(kept)}
    for element in _source_elements(shown.core):
        if element.first.key not in there:
            kept = _with_element(kept, element)
    if not shown.order_is_kept(kept):
        kept = _in_order(kept, shown.ordered)
    # Marks that are lost would damage the file, so this must hold for whatever a model writes.
    assert same_marks(kept, shown.core)
    return kept


@dataclass(frozen=True)
class _SourceMark:
    """A pair or single mark of the source, with the number of words before it, in it, and in all."""

    first: Mark
    last: Mark | None
    before: int
    inside: int
    of: int
    text: str
    """Text enclosed by the pair."""
    glued_before: bool
    glued_behind: bool
    between: str
    """The signs on both sides of it, "()", where both are signs."""


def _source_elements(core: Content) -> Iterator[_SourceMark]:
    texts = [part if isinstance(part, str) else "" for part in core]
    counts = [len(_WORD.findall(text)) for text in texts]
    for place, part in enumerate(core):
        if isinstance(part, str) or part.role == "close":
            continue
        end = place
        if part.role == "open":
            # Pairs nest, so the next closing mark of this number is its own.
            end = next(
                n for n, other in enumerate(core) if isinstance(other, Mark) and other.key == ("close", part.number)
            )
        last = core[end] if end > place else None
        yield _SourceMark(
            part,
            last if isinstance(last, Mark) else None,
            sum(counts[:place]),
            sum(counts[place:end]),
            sum(counts),
            "".join(texts[place:end]).strip(),
            "".join(texts[:place])[-1:].isalnum(),
            "".join(texts[end:])[:1].isalnum(),
            _surrounding_signs("".join(texts[:place])[-1:] + "".join(texts[end:])[:1]),
        )


def _surrounding_signs(around: str) -> str:
    return around if len(around) == 2 and not any(text.isalnum() or text.isspace() for text in around) else ""


def _keep_right_marks(shown: ShownContent, answered: Content) -> Content:
    """Keep the words, and the marks that are right: known, once, closed and not crossed."""
    known = {mark.key: mark for mark in marks(shown.core)}
    needs_words = enclosing_pairs(shown.core)
    parts: list[str | Mark] = [part for part in answered if isinstance(part, str) or part.key in known]
    parts = _first_of_each(parts)
    # Each round takes out one pair, since that may mend another.
    while (bad := _bad_number(parts, needs_words)) is not None:
        parts = [part for part in parts if isinstance(part, str) or part.role == "single" or part.number != bad]
    return content_of(parts)


def _first_of_each(parts: Sequence[str | Mark]) -> list[str | Mark]:
    seen: set[tuple[str, int]] = set()
    found: list[str | Mark] = []
    for part in parts:
        if isinstance(part, Mark):
            if part.key in seen:
                continue
            seen.add(part.key)
        found.append(part)
    return found


def _bad_number(parts: Sequence[str | Mark], needs_words: set[int]) -> int | None:
    """Return the number of a pair that is incomplete, crosses another, or is empty where it must not be."""
    waiting: list[int] = []
    for part in parts:
        if isinstance(part, str) or part.role == "single":
            continue
        if part.role == "open":
            waiting.append(part.number)
        # Crossed or never opened: without it the others nest.
        elif part.number not in waiting or waiting.pop() != part.number:
            return part.number
    if waiting:
        return waiting[-1]
    empty = needs_words - enclosing_pairs(tuple(parts))
    return next(
        (part.number for part in parts if isinstance(part, Mark) and part.number in empty and part.role == "open"), None
    )


def _with_element(content: Content, element: _SourceMark) -> Content:
    if element.last is None:
        return _space_element(content, element)
    if not element.text:
        parts = _split_at(content, _place_of(content, element))
        # Behind what stands there already, so that marks put in one after the other keep their order.
        at = _gap_range(parts, _place_of(content, element))[-1]
        return content_of([*parts[:at], element.first, element.last, *parts[at:]])
    return _wrap_range(content, element.first, element.last, *_element_range(content, element))


def _wrap_range(content: Content, first: Mark, last: Mark, start: int, end: int) -> Content:
    """Put a pair around a range of the plain text; around less if it would cross another, at worst around nothing."""
    ends = [match.end() for match in _WORD.finditer(plain(content)) if start < match.end() < end]
    # The range shrinks word by word until the pair fits between the others.
    for stop in (end, *reversed(ends)):
        parts = _split_at(_split_at(content, start), stop)
        for begin_at in reversed(_gap_range(parts, start)):
            for end_at in _gap_range(parts, stop):
                if end_at > begin_at:
                    found = (*parts[:begin_at], first, *parts[begin_at:end_at], last, *parts[end_at:])
                    if nests(found):
                        return content_of(found)
    # Around nothing rather than crossing: the file needs both marks.
    parts = _split_at(content, start)
    at = _gap_range(parts, start)[-1]
    return content_of([*parts[:at], first, last, *parts[at:]])


def _space_element(content: Content, element: _SourceMark) -> Content:
    """Add spaces on both sides where the source has them."""
    text, at = plain(content), _place_of(content, element)
    before, behind = text[at - 1 : at] if at else "", text[at : at + 1]
    parts: list[str | Mark] = [element.first]
    # Only for protected text: an image or a break has no word beside it.
    if element.first.look == PROTECTED and text.strip() and (before + behind != element.between or not before):
        is_spaceless = bool(WITHOUT_SPACES.match(before) or WITHOUT_SPACES.match(behind))
        if before and not before.isspace() and not element.glued_before and not is_spaceless:
            parts.insert(0, " ")
        if behind and behind.isalnum() and not element.glued_behind and not is_spaceless:
            parts.append(" ")
    there = _split_at(content, at)
    gap = _gap_range(there, at)[-1]
    return content_of([*there[:gap], *parts, *there[gap:]])


def _place_of(content: Content, element: _SourceMark) -> int:
    """Find a position in the plain text by the share of words before it: a word's start, or the end of the last."""
    text = plain(content)
    # "()" that came back empty is where the source had the mark in brackets.
    if element.between and text.count(element.between) == 1:
        return text.index(element.between) + 1
    words = [match.span() for match in _WORD.finditer(text)]
    if not words:
        return len(text) if element.before else 0
    number = round(element.before * len(words) / element.of) if element.of else 0
    if number >= len(words):
        return words[-1][1]
    # "10 km²": glued to the word before, it stays with that word.
    if element.glued_before and number and not element.glued_behind:
        return words[number - 1][1]
    return words[number][0]


def _element_range(content: Content, element: _SourceMark) -> tuple[int, int]:
    """Return the range for a pair: around the same words if they occur once, else as many at the same relative
    position.
    """
    text = plain(content)
    lowered, wanted = text.casefold(), element.text.casefold()
    # Casefolding may change the length; then places don't agree.
    if len(lowered) == len(text) and lowered.count(wanted) == 1:
        start = lowered.index(wanted)
        return start, start + len(wanted)
    words = [match.span() for match in _WORD.finditer(text)]
    if not words:
        return 0, len(text)
    total = max(1, element.of)
    # No such words in the answer: as many words, as far along as in the source.
    first = min(len(words) - 1, round(element.before * len(words) / total))
    count = max(1, round(element.inside * len(words) / total))
    return words[first][0], words[min(len(words), first + count) - 1][1]


def _split_at(parts: Content, at: int) -> Content:
    """Split the text at a position of the plain text, without joining the parts again."""
    found: list[str | Mark] = []
    offset = 0
    for part in parts:
        size = len(part) if isinstance(part, str) else 0
        if isinstance(part, str) and offset < at < offset + size:
            found += [part[: at - offset], part[at - offset :]]
        else:
            found.append(part)
        offset += size
    return tuple(found)


def _gap_range(parts: Content, at: int) -> range:
    """Return the indexes in a list of parts where something could be inserted at this position."""
    offset, first, last = 0, -1, 0
    # One more, so that the end is a place, too.
    for place, part in enumerate((*parts, "")):
        if offset == at:
            first, last = (place if first < 0 else first), place
        offset += len(part) if isinstance(part, str) else 0
    return range(first, last + 1) if first >= 0 else range(len(parts), len(parts) + 1)


def _in_order(content: Content, ordered: Sequence[int]) -> Content:
    """Reorder marks whose order matters, swapping their places."""
    # Only places are swapped: what stands between them stays.
    by_number = {mark.number: mark for mark in marks(content) if mark.role == "single"}
    wanted = iter([by_number[number] for number in ordered if number in by_number])
    return content_of(
        [
            next(wanted) if isinstance(part, Mark) and part.role == "single" and part.number in ordered else part
            for part in content
        ]
    )
