"""UTF-16 units, in which Qt counts the positions of a text, while Python counts characters."""

from __future__ import annotations


def utf16_length(text: str) -> int:
    """Return how many units a text takes; an emoji takes two."""
    return len(text) if text.isascii() else len(_encoded(text)) // 2


def utf16_slice(text: str, start: int, end: int) -> str:
    """Return the part of a text between two positions in units."""
    if text.isascii():
        return text[start:end]
    return _encoded(text)[2 * start : 2 * end].decode("utf-16-le", "ignore")


def characters_before(text: str, position: int) -> int:
    """Convert a position in units to a number of characters, clamped to the text."""
    if text.isascii():
        return min(max(0, position), len(text))
    return len(_encoded(text)[: 2 * max(0, position)].decode("utf-16-le", "ignore"))


def _encoded(text: str) -> bytes:
    # Qt keeps lone surrogates, as half an emoji after a cut, which strict encoding refuses.
    return text.encode("utf-16-le", "surrogatepass")
