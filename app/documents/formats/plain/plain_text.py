"""Plain text of any size: paragraphs between blank lines, read as a stream, and written back.

A place is in characters of the decoded text, newlines as the file has them. A piece's text is exactly that part, but
for newlines, which are "\n", for NULs, which are left out and counted, and for a heading's underline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.encoding import after_the_text, stream, without_nuls
from app.documents.formats.plain.line_wrapping import joined, one_line, width_of, wrapped
from app.documents.formats.plain.plain_lines import (
    MOST_HEADING_CHARACTERS,
    PlainLine,
    PlainPart,
    TextMeasure,
    blocks_of,
    heading_level,
    parts_of,
)
from app.documents.segments import SegmentKind, plain
from app.documents.source import FileSource, Item, Opened, SegmentVisits, TargetLanguage, Visit
from app.documents.text_file import TextFile
from app.language.sentences import sentence_ends

MOST_CHARACTERS = 8000
"""Limit of a piece; longer paragraphs are divided at a line's, sentence's or word's end."""

_NEW_LINE = r"(?:\r\n|\r(?!\n)|\n)"  # the two of one end are never taken for two ends
_GAP = re.compile(rf"{_NEW_LINE}(?:[ \t]*{_NEW_LINE})+|\f+")
_UNDERLINED = re.compile(r"\s*(\S[^\n]*)\n[ \t]*(={3,}|-{3,})[ \t]*(?:\n|$)")


def read(source: FileSource) -> Iterator[Item]:
    """Yield paragraphs as a stream, and headings where they are clear; any text can be read."""
    with source.path.open("rb") as file:
        text = stream(file, source.encoding)
        yield Opened(encoding=text.encoding)
        nuls = 0
        for start, raw in paragraphs(text):
            nuls += raw.count("\0")
            yield from pieces_of(raw, start)
        yield from after_the_text(text.encoding, text.odd_bytes + nuls)


def paragraphs(chunks: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield text between blank lines or form feeds with its offset, at most `MOST_CHARACTERS` at once."""
    buffer, base = "", 0
    for chunk in chunks:
        buffer += chunk
        at = 0
        for gap in _GAP.finditer(buffer):
            yield from _divide_lines(buffer[at : gap.start()], base + at)
            at = gap.end() - (gap.end() == len(buffer))  # it may go on after its last character
        # A paragraph without any gap must not fill the memory.
        while len(buffer) - at > 4 * MOST_CHARACTERS:
            cut = cut_at(buffer, at)
            yield base + at, buffer[at:cut]
            at = cut
        buffer, base = buffer[at:], base + at
    yield from _divide_lines(buffer, base)


def _divide_lines(raw: str, start: int) -> Iterator[tuple[int, str]]:
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


def cut_at(text: str, start: int) -> int:
    """Return where a part of at most `MOST_CHARACTERS` from `start` best ends."""
    window = text[start : start + MOST_CHARACTERS]
    # In the second half only, or a single early line end would make scraps.
    least = len(window) // 2
    newline = max(window.rfind("\n", least), window.rfind("\r", least))
    # Not between the two characters of one line end.
    if newline >= 0 and not text.startswith("\r\n", start + newline):
        return start + newline + 1
    ends = [end for end in sentence_ends(window) if end > least]
    if ends:
        return start + ends[-1]
    space = max(window.rfind(" ", least), window.rfind("\t", least))
    return start + (space + 1 if space >= 0 else max(1, len(window)))


def plain_pieces(text: str, part: str) -> Iterator[BlockPiece]:
    """Yield the paragraphs of a text inside something else; none counts as a heading."""
    for start, raw in paragraphs([text]):
        if words := without_nuls(raw).strip("\n"):
            yield BlockPiece(BlockKind.PARAGRAPH, words, place=BlockPlace(part, start, start + len(raw)))


def pieces_of(raw: str, start: int = 0) -> Iterator[BlockPiece]:
    """Yield a paragraph, or a heading and a paragraph if its first line is one."""
    lead = len(raw) - len(raw.lstrip("\r\n\0"))
    raw = raw[lead:].rstrip()
    # Places are of the words: blank lines before them are not in it.
    start += lead
    text = without_nuls(raw)
    if (underlined := _UNDERLINED.match(text)) is not None and len(underlined[1].strip()) <= MOST_HEADING_CHARACTERS:
        end = _raw_length(raw, underlined.end())
        level = 1 if underlined[2][0] == "=" else 2
        yield BlockPiece(
            BlockKind.HEADING, underlined[1].strip(), place=BlockPlace("", start, start + end), level=level
        )
        yield from pieces_of(raw[end:], start + end)
    elif text:
        kind, level = (BlockKind.HEADING, level) if (level := heading_level(text)) else (BlockKind.PARAGRAPH, 0)
        yield BlockPiece(
            kind, text.strip() if level else text, place=BlockPlace("", start, start + len(raw)), level=level
        )


def _raw_length(raw: str, length: int) -> int:
    """Return how many characters of `raw` the first `length` of its plain form are."""
    at = 0
    for _ in range(length):
        while raw[at] == "\0":
            at += 1
        at += 2 if raw.startswith("\r\n", at) else 1
    return at


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:  # noqa: ARG001 - a plain text says no language
    """Rewrite paragraphs and headings. Never refuses: any text is plain text. See `app.documents.source`."""
    file, visits = TextFile(source), SegmentVisits(visit)

    def show(words: str, kind: SegmentKind, level: int) -> str | None:
        new = visits((words,), kind, level=level)
        return plain(new) if new is not None else None

    left = walk(file.text, file.newline, show, file.replace)
    source.remark("left_blocks", count=left)
    if out is not None:
        file.write(out)


Show = Callable[[str, SegmentKind, int], str | None]
"""Shows words, their kind and a heading's level; returns the new words, or None to keep them."""
Replace = Callable[[int, int, str], None]
"""A place in the text, and what to put there."""


def walk(text: str, newline: str, show: Show, replace: Replace) -> int:
    """Visit all parts in order; return how many tables, drawings and pieces of code were left."""
    measure = TextMeasure.measure_text(text)
    left = 0
    for part in pieces(text, measure):
        if part.kind is None:
            left += any(re.search(r"[^\W\d_]{2}", line.text) is not None for line in part.lines)
            continue
        new = show(joined([line.text for line in part.lines]), part.kind, part.level)
        if new is not None:
            _replace_part(replace, newline, part, one_line(new), measure)
    return left


def pieces(text: str, measure: TextMeasure | None = None) -> Iterator[PlainPart]:
    """Yield all parts in order, those with words as units of translation."""
    measure = measure or TextMeasure.measure_text(text)
    for block in blocks_of(text):
        for part in parts_of(block, measure):
            if part.kind is None:
                yield part
            else:
                yield from _cut_part(part)


def _cut_part(part: PlainPart) -> Iterator[PlainPart]:
    """Yield a part in pieces that can be translated as one."""
    waiting: list[PlainLine] = []
    size = 0
    for line in part.lines:
        if waiting and size + len(line.text) > MOST_CHARACTERS:
            yield PlainPart(waiting, part.kind, part.level)
            waiting, size = [], 0
        # A single line longer than a segment may be.
        if len(line.text) > MOST_CHARACTERS:
            yield from (PlainPart([piece], part.kind, part.level) for piece in _cut_line(line))
        else:
            waiting.append(line)
            size += len(line.text) + 1
    if waiting:
        yield PlainPart(waiting, part.kind, part.level, part.underline, part.is_one_line)


def _cut_line(line: PlainLine) -> Iterator[PlainLine]:
    """Yield what a long line is cut into; spaces between them are in none."""
    at = 0
    while at < len(line.text):
        end = cut_at(line.text, at) if len(line.text) - at > MOST_CHARACTERS else len(line.text)
        text = line.text[at:end].strip()
        start = line.start + line.text.index(text, at)
        if text:
            yield PlainLine(start, start + len(text), line.prefix, text, line.is_marked)
        at = end


def _replace_part(replace: Replace, newline: str, part: PlainPart, new: str, measure: TextMeasure) -> None:
    """Replace a part's words by its translation, wrapped as the part was; an underline follows its title's width."""
    first, last = part.lines[0], part.lines[-1]
    is_wrapped = len(part.lines) > 1
    width = max(line.width for line in part.lines)
    # One or two lines tell no width of their own.
    if len(part.lines) < 3 and measure.is_wrapped:
        width = max(width, measure.width)
    is_in_wrapped = measure.is_wrapped and first.width <= measure.width and part.underline is None
    # A line that fits in a wrapped text stays within its width, too.
    if (is_wrapped or is_in_wrapped) and not part.is_one_line:
        next_ = part.lines[1].prefix if is_wrapped else _hanging_indent(first)
        lines = wrapped(new, first.prefix, next_, width)
        new = newline.join(lines).removeprefix(first.prefix)
    replace(first.start, last.end, new)
    if part.underline is not None and part.underline.width == first.width:
        replace(part.underline.start, part.underline.end, part.underline.text[0] * max(3, width_of(new)))


def _hanging_indent(line: PlainLine) -> str:
    """Return what a further line of an item begins with."""
    if not line.is_marked:
        return line.prefix
    kept = re.match(r"[ \t\f\0]*(?:>[> \t]*)?", line.prefix)[0]  # type: ignore[index]
    return kept + " " * (len(line.prefix) - len(kept))
