"""Lines of code that are paragraphs of their own in their format, put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.documents.blocks import Kind, Piece, Place

MOST_LINES = 200


def code_joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Pieces of code that follow each other as one; those without text are empty lines, and are none at its ends."""
    lines: list[Piece] = []
    for piece in pieces:
        if piece.kind is Kind.CODE:
            if len(lines) == MOST_LINES:
                yield from _one(lines)
                lines = []
            lines.append(piece)
        elif lines:
            yield from _one(lines)
            lines = []
            yield piece
        else:
            yield piece
    yield from _one(lines)


def _one(lines: list[Piece]) -> Iterator[Piece]:
    filled = [number for number, line in enumerate(lines) if line.text]
    if filled:
        lines = lines[filled[0] : filled[-1] + 1]
        first, last = lines[0], lines[-1]
        place = Place(first.place.part, first.place.start, last.place.end)
        yield Piece(Kind.CODE, "\n".join(line.text for line in lines), first.page, place, label=first.label)
