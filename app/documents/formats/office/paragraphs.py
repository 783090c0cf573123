"""Paragraphs of Word and OpenDocument in common: roles by style, list numbering, and joining of notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum, auto

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace

MOST_ANCESTORS = 30
"""Limit of a style's ancestors, since one may be based on itself."""
_MOST_SPELLED = 3_999
"""Higher numbers are in figures: Roman ones end here, and "aaa…" would be longer than the page."""
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)


class ParagraphRole(Enum):
    """Role of a paragraph by its style, besides its outline level."""

    TITLE = auto()
    CAPTION = auto()
    CODE = auto()
    BODY = auto()


def spelled(number: int, style: str) -> str:
    """Return a number of a list by the style's name in OpenDocument: "a" gives a, z, aa, bb, "i" Roman ones, else
    figures.
    """
    if not 0 < number <= _MOST_SPELLED:
        return str(number)
    text = ""
    match style.lower():
        case "a":
            # aa follows z, then bb, as OpenDocument wants it; spreadsheets' columns go ab instead.
            text = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        case "i":
            for value, sign in _ROMAN:
                text += sign * (number // value)
                number %= value
        case _:
            text = str(number)
    return text.upper() if style.isupper() else text


def labelled(piece: BlockPiece) -> str:
    """Return the text of a piece with its label before it."""
    return f"{piece.label} {piece.text}" if piece.label else piece.text


def trimmed(text: str, kind: BlockKind) -> str:
    """Return a piece's text as its kind wants it: a heading on one line, code with its indentation."""
    if kind is BlockKind.HEADING:
        return " ".join(text.split())
    return text.strip("\n").rstrip() if kind is BlockKind.CODE else text.strip()


def gathered(
    found: Iterable[BlockPiece], kind: BlockKind, place: BlockPlace, page: int | None = None, label: str = ""
) -> Iterator[BlockPiece]:
    """Join the pieces of a note, title or margin; the notes inside follow."""
    pieces = list(found)
    text = "\n".join(labelled(piece) for piece in pieces if piece.kind is not BlockKind.NOTE).strip("\n")
    if text:
        yield BlockPiece(
            kind,
            trimmed(text, kind) if kind is BlockKind.HEADING else text,
            page,
            place,
            int(kind is BlockKind.HEADING),
            label,
        )
    yield from (piece for piece in pieces if piece.kind is BlockKind.NOTE)


def once_each(pieces: Iterable[BlockPiece]) -> Iterator[BlockPiece]:
    """Yield running headers and footers, of equal ones the first: each section repeats its own."""
    said: set[tuple[str, str]] = set()
    for piece in pieces:
        if (piece.label, piece.text) not in said:
            said.add((piece.label, piece.text))
            yield piece
