"""What the lines of a plain text are: paragraphs, list items, headings, or something that is no prose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from app.documents.formats.plain.text import heading_level
from app.documents.formats.plain.wrapping import width_of
from app.documents.segments import SegmentKind

LEAST_WRAPPED = 40
"""Columns; lines that are all shorter are lines of their own."""
SLACK = 0.9
"""Of the width: a line that ends behind it may have been broken for its width."""
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")
_PREFIX = re.compile(r"[ \t\f\0]*(?:>[> \t]*)?")
_LIST_MARK = re.compile(r"(?:[-*+•‣◦▪–—·]|(?:\d{1,3}|[A-Za-z])[.)]|\((?:\d{1,3}|[A-Za-z])\))[ \t]+(?=\S)")
_RULE = re.compile(r"([=~^\"'`#*+.:_-])\1{2,}")
_LETTER = re.compile(r"[^\W\d_]")
_GAP = re.compile(r"\S(?: {3,}|\t)[ \t]*\S")
_DRAWN = re.compile(r"[\u2500-\u259f]|^\+[-=+]+\+?$|^\|.*\|$")
MOST_WORDS_OF_CODE = 6
MOST_LOOKED_AT = 400
"""Characters of a line, for telling what it is."""
_PLAIN_WORD = re.compile(r"(?<!\S)[^\W\d_]{2,}[,.]?(?!\S)")
_CODE_END = re.compile(r"[;{}]$|\)\s*[:{]$|\\$")
_CODE = re.compile(
    r"^(?:\$|%|>>>|\.\.\.|C:\\.*>|[\w.-]+@[\w.-]+:\S*[$#])[ ]\S"
    r"|^(?:#include|#define|import|from|def|class|return|public|private|static|void|int|var|const|let|function)\b.*"
    r"[;(){}:<>=]|^</?[\w:.-]+[^<>]*>|\w\(.*\)\s*[;{]|\w\s*(?:[:+*/-]?=|==|->|=>|&&|\|\|)\s*[\w\"'({\[].*[;)}\]\"']$"
)


class Line(NamedTuple):
    """`start` to `end` is its text without indent, marks and trailing spaces; `prefix` is what stands before."""

    start: int
    end: int
    prefix: str
    text: str
    is_marked: bool

    @property
    def width(self) -> int:
        """In columns."""
        return width_of(self.prefix.expandtabs()) + width_of(self.text)


@dataclass
class Part:
    """Lines that are translated as one; none has words where `kind` is None."""

    lines: list[Line]
    kind: SegmentKind | None = SegmentKind.PARAGRAPH
    level: int = 0
    underline: Line | None = None


def blocks_of(text: str) -> Iterator[list[Line]]:
    """Lines that follow each other, up to an empty one."""
    block: list[Line] = []
    for found in _LINE.finditer(text):
        if found[1].strip(" \t\f\0>"):
            block.append(_line(found[1], found.start()))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _line(raw: str, start: int) -> Line:
    prefix = _PREFIX.match(raw)[0]  # type: ignore[index]
    mark = _LIST_MARK.match(raw, len(prefix))
    prefix += mark[0] if mark is not None else ""
    text = raw[len(prefix) :].rstrip(" \t\f\0")
    return Line(start + len(prefix), start + len(prefix) + len(text), prefix, text, mark is not None)


@dataclass
class Measure:
    """How wide the text is, and whether its lines were broken for it."""

    width: int = 0
    is_wrapped: bool = False
    _widths: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Measure:
        """From the lines that others follow in their paragraph, and how many others are longer."""
        inner, every = list[int](), list[int]()
        for block in blocks_of(text):
            widths = [line.width for line in block]
            every += widths
            inner += widths[:-1]
        inner.sort()
        width = inner[int(len(inner) * 0.97)] if inner else 0
        longer = sum(each > 1.1 * width for each in every)
        return cls(width, width >= LEAST_WRAPPED and len(inner) >= 3 and longer <= 0.03 * len(every))


def parts_of(block: Sequence[Line], measure: Measure) -> Iterator[Part]:
    """A block's parts in order."""
    if is_no_prose(block):
        yield Part(list(block), None)
        return
    width = max(line.width for line in block)
    if len(block) < 3 or width < 0.6 * measure.width:
        width = max(width, measure.width)
    waiting: list[Line] = []
    for number, line in enumerate(block):
        if not _LETTER.search(line.text):
            yield from _part(waiting, line)
            waiting = []
        elif waiting and not _goes_on(waiting, line, width):
            yield from _part(waiting)
            waiting = [line]
        else:
            waiting.append(line)
        if number + 1 == len(block):
            yield from _part(waiting)


def _part(lines: list[Line], behind: Line | None = None) -> Iterator[Part]:
    if not lines:
        return
    if lines[0].is_marked:
        yield Part(lines, SegmentKind.LIST_ITEM)
    elif behind is not None and len(lines) == 1 and _RULE.fullmatch(behind.text):
        yield Part(lines, SegmentKind.HEADING, 1 if behind.text[0] == "=" else 2, behind)
    elif len(lines) == 1 and (level := heading_level(lines[0].text)):
        yield Part(lines, SegmentKind.HEADING, level)
    else:
        yield Part(lines)


def _goes_on(waiting: Sequence[Line], line: Line, width: int) -> bool:
    """Whether a line is of the same paragraph as the one before it, which then was broken for its width."""
    last = waiting[-1]
    if line.is_marked or width < LEAST_WRAPPED or line.prefix.count(">") != last.prefix.count(">"):
        return False
    if len(waiting) > 1 and line.prefix != last.prefix:
        return False
    word = re.match(r"\S+", line.text)
    room = last.width + 1 + width_of(word[0] if word is not None else "")
    if room > SLACK * width:
        return True
    return line.text[0].islower() and last.text[-1] not in ".!?:;"


def is_no_prose(block: Sequence[Line]) -> bool:
    """A table or a drawing made of characters, or code."""
    texts = [_looked_at(line.text) for line in block]
    drawn = sum(_DRAWN.search(text) is not None for text in texts)
    gaps = sum(_GAP.search(text) is not None for text in texts)
    code = sum(_is_code(text) for text, line in zip(texts, block, strict=True) if not line.is_marked)
    is_table = len(texts) > 1 and gaps >= 0.6 * len(texts)
    return is_table or drawn > 0.3 * len(texts) or code >= 0.5 * len(texts)


def _looked_at(text: str) -> str:
    """The ends of a line, which tell enough of a long one."""
    return text if len(text) <= MOST_LOOKED_AT else f"{text[:MOST_LOOKED_AT]} {text[-20:]}"


def _is_code(text: str) -> bool:
    """Whether a line is code, and no sentence that has some in it."""
    has_signs = (_CODE_END.search(text) or _CODE.search(text)) is not None
    return has_signs and len(_PLAIN_WORD.findall(text)) < MOST_WORDS_OF_CODE
