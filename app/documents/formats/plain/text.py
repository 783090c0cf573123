"""Plain text of any size: paragraphs between blank lines, read as a stream.

A place is in characters of the decoded text, newlines as the file has them. A piece's text is exactly that part, but
for newlines, which are "\\n", for NULs, which are left out and counted, and for a heading's underline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.documents.blocks import Kind, Piece, Place
from app.documents.encoding import after_the_text, stream
from app.documents.source import Item, Opened, Source
from app.language.sentences import sentence_ends

MOST_CHARACTERS = 8000
"""Of a piece; longer paragraphs are divided at the end of a line, of a sentence or of a word."""
MOST_HEADING_CHARACTERS = 80

_GAP = re.compile(r"(?:\r\n|\r|\n)(?:[ \t]*(?:\r\n|\r|\n))+|\f+")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_UNDERLINED = re.compile(r"\s*(\S[^\n]*)\n[ \t]*(={3,}|-{3,})[ \t]*(?:\n|$)")
_SECTION = re.compile(r"(\d+(?:\.\d+)+)\.?[ \t]+\S.*[^.!?,;:]")
_CHAPTER = re.compile(r"[^\W\d_]+[ \t]+(?:\d+|[IVXLCDM]+)[.:]?")
_CAPITALS = re.compile(r"[^\W\d_]{3,}")


def read(source: Source) -> Iterator[Item]:
    """Paragraphs, and headings where they are clear."""
    with source.path.open("rb") as file:
        text = stream(file, source.encoding)
        yield Opened(encoding=text.encoding)
        nuls = 0
        for start, raw in paragraphs(text):
            nuls += raw.count("\0")
            yield from pieces_of(raw, start)
        yield from after_the_text(text.encoding, text.odd_bytes + nuls)


def without_nuls(raw: str) -> str:
    """A text with one kind of newline and without NULs."""
    if "\r" in raw:
        raw = raw.replace("\r\n", "\n").replace("\r", "\n")
    return raw.replace("\0", "") if "\0" in raw else raw


def paragraphs(chunks: Iterable[str]) -> Iterator[tuple[int, str]]:
    """What stands between blank lines or form feeds, at most `MOST_CHARACTERS` at once, with its offset."""
    buffer, base = "", 0
    for chunk in chunks:
        buffer += chunk
        at = 0
        for gap in _GAP.finditer(buffer):
            yield from _divided(buffer[at : gap.start()], base + at)
            at = gap.end() - (gap.end() == len(buffer))  # it may go on after its last character
        while len(buffer) - at > 4 * MOST_CHARACTERS:
            cut = cut_at(buffer, at)
            yield base + at, buffer[at:cut]
            at = cut
        buffer, base = buffer[at:], base + at
    yield from _divided(buffer, base)


def _divided(raw: str, start: int) -> Iterator[tuple[int, str]]:
    if len(raw) <= MOST_CHARACTERS:
        if raw and not raw.isspace():
            yield start, raw
        return
    at = 0
    while at < len(raw):
        cut = cut_at(raw, at) if len(raw) - at > MOST_CHARACTERS else len(raw)
        if not raw[at:cut].isspace():
            yield start + at, raw[at:cut]
        at = cut


def cut_at(text: str, start: int, most: int = MOST_CHARACTERS) -> int:
    """Where a part of at most so many characters from `start` best ends."""
    window = text[start : start + most]
    least = len(window) // 2
    newline = max(window.rfind("\n", least), window.rfind("\r", least))
    if newline >= 0 and not text.startswith("\r\n", start + newline):
        return start + newline + 1
    ends = [end for end in sentence_ends(window) if end > least]
    if ends:
        return start + ends[-1]
    space = max(window.rfind(" ", least), window.rfind("\t", least))
    return start + (space + 1 if space >= 0 else max(1, len(window)))


def pieces_of(raw: str, start: int = 0) -> Iterator[Piece]:
    """One paragraph as a piece, or two where its first line is a heading."""
    lead = len(raw) - len(raw.lstrip("\r\n\0"))
    raw = raw[lead:].rstrip()
    start += lead
    text = without_nuls(raw)
    if (underlined := _UNDERLINED.match(text)) is not None and len(underlined[1].strip()) <= MOST_HEADING_CHARACTERS:
        end = _raw_length(raw, underlined.end())
        level = 1 if underlined[2][0] == "=" else 2
        yield Piece(Kind.HEADING, underlined[1].strip(), place=Place("", start, start + end), level=level)
        yield from pieces_of(raw[end:], start + end)
    elif text:
        kind, level = (Kind.HEADING, level) if (level := heading_level(text)) else (Kind.PARAGRAPH, 0)
        yield Piece(kind, text.strip() if level else text, place=Place("", start, start + len(raw)), level=level)


def _raw_length(raw: str, length: int) -> int:
    """How many characters of `raw` the first `length` of its plain form are."""
    at = 0
    for _ in range(length):
        while raw[at] == "\0":
            at += 1
        at += 2 if raw.startswith("\r\n", at) else 1
    return at


def heading_level(text: str) -> int:
    """Of a heading: a line between blank lines that can hardly be anything else; 0 for a paragraph."""
    line = text.strip()
    if len(line) > MOST_HEADING_CHARACTERS or "\n" in line:
        return 0
    if (section := _SECTION.fullmatch(line)) is not None and re.search(r"[^\W\d_]{2}", line):
        return min(9, section[1].count(".") + 1)
    if _CHAPTER.fullmatch(line):
        return 1
    return 2 if line.isupper() and line[-1] not in ".!?,;" and _CAPITALS.search(line) else 0


def lines(chunks: Iterable[str], most_characters: int) -> Iterator[tuple[int, str, int]]:
    """Each line's offset, its text with its newline, and how many characters beyond the most were left out."""
    parts: list[str] = []
    kept, length, start, held = 0, 0, 0, ""

    def keep(part: str) -> None:
        nonlocal kept, length
        parts.append(part[: max(0, most_characters - kept)])
        kept += len(parts[-1])
        length += len(part)

    for more, is_last in _with_end(chunks):
        chunk, held = held + more, ""
        if chunk.endswith("\r") and not is_last:
            chunk, held = chunk[:-1], "\r"  # a line feed may follow
        at = 0
        for newline in _NEWLINE.finditer(chunk):
            keep(chunk[at : newline.start()])
            yield start, "".join(parts) + newline[0], length - kept
            start += length + len(newline[0])
            parts.clear()
            kept, length, at = 0, 0, newline.end()
        keep(chunk[at:])
    if length:
        yield start, "".join(parts), length - kept


def _with_end(chunks: Iterable[str]) -> Iterator[tuple[str, bool]]:
    for chunk in chunks:
        yield chunk, False
    yield "", True
