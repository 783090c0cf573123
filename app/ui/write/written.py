"""Which stretches of a page a model wrote and nobody has touched since; and places in a text as Qt counts them."""

from __future__ import annotations

from collections.abc import Iterable

Ranges = tuple[tuple[int, int], ...]
"""From the first character to before the last, in their order and apart from each other."""


def after_edit(ranges: Ranges, position: int, removed: int, added: int) -> Ranges:
    """What an edit touches is the person's from now on; what stands behind it moves along. Edges are not touched."""
    kept: list[tuple[int, int]] = []
    for start, end in ranges:
        if position >= end:
            kept.append((start, end))
        elif position + removed <= start:
            kept.append((start + added - removed, end + added - removed))
    return tuple(kept)


def with_run(ranges: Ranges, start: int, end: int) -> Ranges:
    """Also what has just been written from `start` to `end`, where nothing else is marked."""
    return tuple(sorted([*ranges, (start, end)])) if start < end else ranges


def range_at(ranges: Ranges, position: int) -> tuple[int, int] | None:
    """The stretch that has this character."""
    return next(((start, end) for start, end in ranges if start <= position < end), None)


# Qt counts in units of UTF-16, Python and the store in characters.


def units_of(text: str, places: Iterable[int]) -> list[int]:
    """Places in a text, as Qt counts them."""
    places = list(places)
    return places if _is_plain(text) else [len(text[:place].encode("utf-16-le")) // 2 for place in places]


def places_of(text: str, units: Iterable[int]) -> list[int]:
    """Places that Qt counted, in characters of the text."""
    units = list(units)
    if _is_plain(text):
        return units
    data = text.encode("utf-16-le", "surrogatepass")
    return [len(data[: 2 * unit].decode("utf-16-le", "ignore")) for unit in units]


def _is_plain(text: str) -> bool:
    """Whether each character is one unit."""
    return text.isascii() or len(text.encode("utf-16-le", "surrogatepass")) == 2 * len(text)
