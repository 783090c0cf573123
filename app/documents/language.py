"""The stretches of a document that tell which language it is in."""

from __future__ import annotations

from collections import deque

from app.documents.blocks import Kind, Piece
from app.language.detection import language_of

BEGINNING_CHARACTERS = 1000
STRETCH_CHARACTERS = 200
STRETCHES = 5


class Sample:
    """Stretches of a document's prose: its beginning, and one from wherever it has become twice as long."""

    def __init__(self) -> None:
        self._beginning = ""
        self._stretches: deque[str] = deque(maxlen=STRETCHES)
        self._seen = 0
        self._next = 2 * BEGINNING_CHARACTERS

    def add(self, piece: Piece) -> None:
        """The next piece of the document."""
        if piece.kind is Kind.CODE:
            return
        self._seen += len(piece.text)
        if len(self._beginning) < BEGINNING_CHARACTERS:
            self._beginning += piece.text[: BEGINNING_CHARACTERS - len(self._beginning)] + "\n"
        elif self._seen >= self._next:
            self._next = 2 * self._seen
            self._stretches.append(piece.text[:STRETCH_CHARACTERS])

    @property
    def text(self) -> str:
        """At most some 2,000 characters."""
        return self._beginning + "\n".join(self._stretches)

    def language(self) -> str:
        """Its code; "" where there is too little text to tell."""
        return language_of(self.text)
