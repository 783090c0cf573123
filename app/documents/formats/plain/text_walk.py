"""Goes through a plain text, part by part, and puts other words in their places."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from app.documents.formats.plain.text import MOST_CHARACTERS, cut_at
from app.documents.formats.plain.text_blocks import Line, Measure, Part, blocks_of, parts_of
from app.documents.formats.plain.wrapping import joined, one_line, width_of, wrapped
from app.documents.segments import SegmentKind

Show = Callable[[str, SegmentKind, int], str | None]
"""Words, what they are and a heading's level; the words to stand there, None where they stay."""
Replace = Callable[[int, int, str], None]
"""A place in the text, and what to put there."""


def walk(text: str, newline: str, show: Show, replace: Replace) -> int:
    """All parts in order; how many tables, drawings and pieces of code were left."""
    measure = Measure.of(text)
    left = 0
    for part in pieces(text, measure):
        if part.kind is None:
            left += any(re.search(r"[^\W\d_]{2}", line.text) is not None for line in part.lines)
            continue
        new = show(joined([line.text for line in part.lines]), part.kind, part.level)
        if new is not None:
            _put(replace, newline, part, one_line(new), measure)
    return left


def pieces(text: str, measure: Measure | None = None) -> Iterator[Part]:
    """All parts in order, those with words in pieces that can be translated as one."""
    measure = measure or Measure.of(text)
    for block in blocks_of(text):
        for part in parts_of(block, measure):
            if part.kind is None:
                yield part
            else:
                yield from _cut(part)


def _cut(part: Part) -> Iterator[Part]:
    """A part in pieces that can be translated as one."""
    waiting: list[Line] = []
    size = 0
    for line in part.lines:
        if waiting and size + len(line.text) > MOST_CHARACTERS:
            yield Part(waiting, part.kind, part.level)
            waiting, size = [], 0
        if len(line.text) > MOST_CHARACTERS:
            yield from (Part([piece], part.kind, part.level) for piece in _pieces(line))
        else:
            waiting.append(line)
            size += len(line.text) + 1
    if waiting:
        yield Part(waiting, part.kind, part.level, part.underline)


def _pieces(line: Line) -> Iterator[Line]:
    """What a long line is cut into; spaces between them are in none."""
    at = 0
    while at < len(line.text):
        end = cut_at(line.text, at) if len(line.text) - at > MOST_CHARACTERS else len(line.text)
        text = line.text[at:end].strip()
        start = line.start + line.text.index(text, at)
        if text:
            yield Line(start, start + len(text), line.prefix, text, line.is_marked)
        at = end


def _put(replace: Replace, newline: str, part: Part, new: str, measure: Measure) -> None:
    """Puts a part's new text where the old one stands."""
    first, last = part.lines[0], part.lines[-1]
    is_wrapped = len(part.lines) > 1
    width = max(line.width for line in part.lines)
    if len(part.lines) < 3 and measure.is_wrapped:
        width = max(width, measure.width)
    if is_wrapped or (measure.is_wrapped and first.width <= measure.width and part.underline is None):
        next_ = part.lines[1].prefix if is_wrapped else _hanging(first)
        lines = wrapped(new, first.prefix, next_, width)
        new = newline.join(lines).removeprefix(first.prefix)
    replace(first.start, last.end, new)
    if part.underline is not None and part.underline.width == first.width:
        replace(part.underline.start, part.underline.end, part.underline.text[0] * max(3, width_of(new)))


def _hanging(line: Line) -> str:
    """What a further line of an item begins with."""
    if not line.is_marked:
        return line.prefix
    kept = re.match(r"[ \t\f\0]*(?:>[> \t]*)?", line.prefix)[0]  # type: ignore[index]
    return kept + " " * (len(line.prefix) - len(kept))
