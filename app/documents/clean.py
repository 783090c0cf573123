"""Clean text on its way out of the child: hidden characters, wire size, and language detection."""

from __future__ import annotations

import dataclasses
import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from functools import cache

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, LineBox
from app.documents.encoding import find_encoding
from app.documents.segments import Content, Mark, Segment, content_of, marks, nests
from app.documents.source import ReadingRemark
from app.language.language_detection import language_of

MOST_CHARACTERS = 1_000_000
"""Limit of one piece; a character takes up to 12 bytes on the wire."""
MOST_HEADING_CHARACTERS = 500
"""A longer one is a paragraph: every block below a heading carries its text."""
DEEPEST_LEVEL = 9

# A model reads what a person does not see, so these are how instructions are hidden in a document (U+E0000 to U+E007F
# are invisible copies of ASCII).
_HIDDEN = "\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e007f\x00-\x08\x0e-\x1b\x7f"
# Python's splitlines() ends lines at these, and a terminal acts on them.
_SPACES = "\x0b\x0c\r\x1c-\x1f"
_ODD = re.compile(f"[{_HIDDEN}{_SPACES}\ud800-\udfff]")
_TAKEN_OUT = re.compile(f"[{_HIDDEN}]")
_SEPARATOR = re.compile(f"[{_SPACES}]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean_text(text: str) -> str:
    """Return a text without hidden characters.

    Taken out are zero-width spaces and word joiners, byte-order marks, direction controls, tag characters, interlinear
    annotation marks and control characters. A control that separates words becomes a space, a lone surrogate becomes
    U+FFFD. The joiners of scripts and emoji (U+200C, U+200D) and U+200E, U+200F stay.
    """
    # Nearly every text is clean, and one search is cheaper than three substitutions.
    if not _ODD.search(text):
        return text
    return _SURROGATE.sub("\ufffd", _SEPARATOR.sub(" ", _TAKEN_OUT.sub("", text)))


def clean_piece(piece: BlockPiece) -> tuple[BlockPiece, int]:
    """Remove hidden characters; return the piece and their number. Its boxes still refer to the same letters."""
    label = clean_text(piece.label)
    if not _ODD.search(piece.text):
        return (piece if label == piece.label else piece._replace(label=label)), 0
    # Boxes hold offsets into the text, so each moves left by what was taken out before it.
    gone = [found.start() for found in _TAKEN_OUT.finditer(piece.text)]
    boxes = tuple(_shift_box(box, gone) for box in piece.place.boxes)
    place = piece.place._replace(boxes=boxes)
    return piece._replace(text=clean_text(piece.text), label=label, place=place), len(gone)


def _shift_box(box: LineBox, gone: list[int]) -> LineBox:
    return box._replace(start=box.start - bisect_left(gone, box.start), end=box.end - bisect_left(gone, box.end))


def fit_for_the_wire(piece: BlockPiece) -> Iterator[BlockPiece]:
    """Yield the piece, or the pieces it is cut into; a level is 1 to 9, and a heading is short."""
    if piece.kind is BlockKind.HEADING:
        if len(piece.text) > MOST_HEADING_CHARACTERS:
            # Styles are misused: whole paragraphs stand in "Heading 1", and every block below carries the heading's
            # text.
            piece = piece._replace(kind=BlockKind.PARAGRAPH, level=0)
        elif not 1 <= piece.level <= DEEPEST_LEVEL:
            piece = piece._replace(level=min(max(piece.level, 1), DEEPEST_LEVEL))
    start = 0
    while len(piece.text) - start > MOST_CHARACTERS:
        end = _good_end(piece.text, start, start + MOST_CHARACTERS)
        yield _cut_piece(piece, start, end)
        start = end
    yield _cut_piece(piece, start, len(piece.text)) if start else piece


def _good_end(text: str, start: int, end: int) -> int:
    """Return where to cut: after the last line break, else the last space, in the second half; else at `end`."""
    for mark in ("\n", " "):
        found = text.rfind(mark, (start + end) // 2, end)
        if found >= 0:
            return found + 1
    return end


def _cut_piece(piece: BlockPiece, start: int, end: int) -> BlockPiece:
    place = piece.place
    if place.boxes:
        # A line belongs to the piece that it begins in; its box is shown for what is left of it.
        kept = (box for box in place.boxes if start <= box.start < end)
        place = BlockPlace(boxes=tuple(b._replace(start=b.start - start, end=min(b.end, end) - start) for b in kept))
    # Only where offsets count characters one to one; elements of an XML part cannot be divided.
    elif place.end - place.start == len(piece.text):
        place = place._replace(start=place.start + start, end=place.start + end)
    return piece._replace(text=piece.text[start:end], place=place)


MOST_CONTEXT_CHARACTERS = 2000
# What XML 1.0 does not allow in any form, escaped or not (2.2): a program refuses the whole file over one.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def clean_segment(segment: Segment) -> Segment:
    """Return a segment without hidden characters, see `clean_text`; its context is cut where it is long."""
    return dataclasses.replace(
        segment,
        content=_clean_content(segment.content),
        context=clean_text(segment.context)[:MOST_CONTEXT_CHARACTERS],
        translated=_clean_content(segment.translated),
    )


def _clean_content(content: Content) -> Content:
    return content_of(
        [clean_text(part) if isinstance(part, str) else part._replace(shows=clean_text(part.shows)) for part in content]
    )


def length_of(segment: Segment) -> int:
    return sum(len(part) if isinstance(part, str) else len(part.shows) + 1 for part in segment.content)


def fit_translation(translation: Content, source: Content) -> Content | None:
    """Return the translation with the source's own marks, and with characters that any text may have.

    None where it has other marks than the source, or they do not nest.
    """
    own = {mark.key: mark for mark in marks(source)}
    keys = [mark.key for mark in marks(translation)]
    # A missing or doubled mark would lose a link or a formula, or leave a tag open in the file.
    if len(keys) != len(own) or set(keys) != own.keys() or not nests(translation):
        return None
    fitted = (
        part if isinstance(part, Mark) else _SURROGATE.sub("\ufffd", _NO_TEXT.sub("", part)) for part in translation
    )
    # The source's own marks, since what a model returned may only repeat the keys.
    return content_of([own[part.key] if isinstance(part, Mark) else part for part in fitted])


MOST_REMARKS = 200
MOST_REMARK_CHARACTERS = 300
"""Limit of names in a remark, such as a sheet's or an attachment's."""


class RemarkCounts:
    """Remarks of a reader, each once; counts of equal ones are summed."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], ReadingRemark] = {}

    def add(self, remark: ReadingRemark) -> None:
        """Add a remark, unless there are too many kinds."""
        # Counts differ from file to file; what is counted has to be the same for two remarks to be added up.
        others = sorted((name, value) for name, value in remark.values.items() if name != "count")
        key = (remark.name, *others)
        known = self._found.get(key)
        if known is not None and "count" in remark.values:
            count = int(known.values["count"]) + int(remark.values["count"])
            self._found[key] = ReadingRemark(remark.name, {**known.values, "count": count})
        # A hostile workbook could name a million sheets, and each remark goes over the wire and into the store.
        elif known is None and len(self._found) < MOST_REMARKS:
            values = {name: _shorten_text(v) if isinstance(v, str) else v for name, v in remark.values.items()}
            self._found[key] = ReadingRemark(remark.name, values)

    def all(self) -> tuple[ReadingRemark, ...]:
        return tuple(self._found.values())


def _shorten_text(text: str) -> str:
    return clean_text(text if len(text) <= MOST_REMARK_CHARACTERS else f"{text[: MOST_REMARK_CHARACTERS - 1]}…")


BEGINNING_CHARACTERS = 1000
STRETCH_CHARACTERS = 200
STRETCHES = 5


class ProseSample:
    """Stretches of a document's prose: its beginning, and one from wherever it has become twice as long."""

    def __init__(self) -> None:
        self._beginning = ""
        self._stretches: deque[str] = deque(maxlen=STRETCHES)
        self._seen = 0
        # Where the text has doubled: a preface in another language would otherwise speak for the whole book.
        self._next = 2 * BEGINNING_CHARACTERS

    def add(self, piece: BlockPiece) -> None:
        # Keywords and identifiers are English whatever the text is.
        if piece.kind is BlockKind.CODE:
            return
        self._seen += len(piece.text)
        if len(self._beginning) < BEGINNING_CHARACTERS:
            self._beginning += piece.text[: BEGINNING_CHARACTERS - len(self._beginning)] + "\n"
        elif self._seen >= self._next:
            self._next = 2 * self._seen
            self._stretches.append(piece.text[:STRETCH_CHARACTERS])

    @property
    def text(self) -> str:
        return self._beginning + "\n".join(self._stretches)

    def language(self) -> str:
        """Return its code; "" where there is too little text to tell."""
        return language_of(self.text)


LEAST_WORDS = 5
LEAST_SHARE = 0.05
"""Least share of the long words; a document may have more than one font."""
SAMPLE_CHARACTERS = 100_000
_WORD = re.compile(r"[^\W\d_]{4,}")
_ACCENTED = re.compile("[\xc0-\xd6\xd8-\xf6\xf8-\xff]{4,}")
_ALIEN = re.compile(
    # A word with Latin letters beside is left: in a mixed text "é" may well be an é.
    "(?<![A-Za-z])[\x80-\xff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u20ac\u2122]+(?![A-Za-z])"
)
_ENCODINGS = ("cp1251", "cp1253", "cp1255", "cp1256", "cp874", "koi8-r", "koi8-u", "iso8859-5")


class LegacyFonts:
    """Detect fonts with legacy encodings from the beginning of a document's text.

    Such fonts are older than Unicode, and a document that uses one says nothing of it. It is known by words of
    nothing but accented letters, which no language has.
    """

    def __init__(self) -> None:
        self._looked_at = 0
        self._words = 0
        self._accented: list[str] = []

    def inspect_text(self, text: str) -> None:
        if self._looked_at >= SAMPLE_CHARACTERS:
            return
        self._looked_at += len(text)
        words = _WORD.findall(text)
        self._words += len(words)
        # Words of four accented letters and more: no language has them, but a Cyrillic text read as Latin has nothing
        # else.
        self._accented += [] if text.isascii() else filter(_ACCENTED.fullmatch, words)

    def remarks(self) -> list[ReadingRemark]:
        """Return what it is read as and what is meant, with an example; [] where all is well."""
        if len(self._accented) < max(LEAST_WORDS, LEAST_SHARE * self._words):
            return []
        # The text came out as Latin-1, so encoding it so gives the codes that the font was asked for.
        encoding = find_encoding(" ".join(self._accented).encode("latin-1")).replace("iso8859-7", "cp1253")
        if encoding not in _ENCODINGS:
            return []
        example = self._accented[0]
        return [
            ReadingRemark("legacy_font", {"encoding": encoding, "read": example, "meant": recoded(example, encoding)})
        ]


def recoded(text: str, encoding: str) -> str:
    """Return the text as a font of this encoding shows it; words with Latin letters stay."""
    if text.isascii():
        return text
    table = _character_table(encoding)
    return _ALIEN.sub(lambda found: found[0].translate(table), text)


@cache
def _character_table(encoding: str) -> dict[int, str]:
    """Return what is shown for each character of Windows' and of ISO's Latin; only encodings of one byte have it."""
    table: dict[int, str] = {}
    for byte in range(0x80, 0x100):
        try:
            shown = bytes([byte]).decode(encoding)
        except UnicodeDecodeError:
            continue
        # PDF readers decode the upper half either way, so both readings of a byte stand for what the font shows.
        table |= {ord(bytes([byte]).decode(latin, "replace")): shown for latin in ("latin-1", "cp1252")}
    table.pop(0xFFFD, None)
    return table
