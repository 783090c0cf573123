"""What a document's text tells as it goes by: its language, and whether its font shows other letters than it says.

Fonts that show other letters than their text says are older than Unicode; a document that uses one says nothing of
it. It is known by words of nothing but accented letters, which no language has.
"""

from __future__ import annotations

import re
from collections import deque
from functools import cache

from app.documents.blocks import Kind, Piece
from app.documents.encoding import find_encoding
from app.documents.source import Remark
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


# Text of fonts that show other letters at the codes of Latin ones: "Ïðèâåò" is read where a page shows "Привет".


LEAST_WORDS = 5
LEAST_SHARE = 0.05
"""Of all words that are long enough; a document may have more than one font."""
SAMPLE_CHARACTERS = 100_000
_WORD = re.compile(r"[^\W\d_]{4,}")
_ACCENTED = re.compile("[\xc0-\xd6\xd8-\xf6\xf8-\xff]{4,}")
_ALIEN = re.compile(
    "(?<![A-Za-z])[\x80-\xff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u20ac\u2122]+(?![A-Za-z])"
)
_ENCODINGS = ("cp1251", "cp1253", "cp1255", "cp1256", "cp874", "koi8-r", "koi8-u", "iso8859-5")


class LegacyFonts:
    """Looks at the beginning of a document's text."""

    def __init__(self) -> None:
        self._looked_at = 0
        self._words = 0
        self._accented: list[str] = []

    def look(self, text: str) -> None:
        """At the next piece."""
        if self._looked_at >= SAMPLE_CHARACTERS:
            return
        self._looked_at += len(text)
        words = _WORD.findall(text)
        self._words += len(words)
        self._accented += [] if text.isascii() else filter(_ACCENTED.fullmatch, words)

    def remarks(self) -> list[Remark]:
        """What it is read as and what is meant, with an example; [] where all is well."""
        if len(self._accented) < max(LEAST_WORDS, LEAST_SHARE * self._words):
            return []
        encoding = find_encoding(" ".join(self._accented).encode("latin-1")).replace("iso8859-7", "cp1253")
        if encoding not in _ENCODINGS:
            return []
        example = self._accented[0]
        return [Remark("legacy_font", {"encoding": encoding, "read": example, "meant": recoded(example, encoding)})]


def recoded(text: str, encoding: str) -> str:
    """The text as a font of this encoding shows it, letter for letter; words with Latin letters stay as they are."""
    if text.isascii():
        return text
    table = _table(encoding)
    return _ALIEN.sub(lambda found: found[0].translate(table), text)


@cache
def _table(encoding: str) -> dict[int, str]:
    """What is shown for each character of Windows' and of ISO's Latin; only encodings of one byte have it."""
    table: dict[int, str] = {}
    for byte in range(0x80, 0x100):
        try:
            shown = bytes([byte]).decode(encoding)
        except UnicodeDecodeError:
            continue
        table |= {ord(bytes([byte]).decode(latin, "replace")): shown for latin in ("latin-1", "cp1252")}
    table.pop(0xFFFD, None)
    return table
