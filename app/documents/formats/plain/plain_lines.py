"""Kinds of lines of a plain text: paragraphs, list items, headings, or something that is no prose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.core.lazy_dataclasses import dataclass, field
from app.documents.formats.plain.line_wrapping import width_of
from app.documents.segments import SegmentKind
from app.language.sentences import CLOSING, ENDS, ENDS_AT_ONCE

MOST_HEADING_CHARACTERS = 80
_SECTION = re.compile(r"(\d+(?:\.\d+)+)\.?[ \t]+\S.*[^.!?,;:]")
_CHAPTER = re.compile(r"[^\W\d_]+[ \t]+(?:\d+|[IVXLCDM]+)[.:]?")
_CAPITALS = re.compile(r"[^\W\d_]{3,}")


def heading_level(text: str) -> int:
    """Return a heading's level, 0 for a paragraph. A heading is a line between blank lines that can hardly be anything
    else.
    """
    line = text.strip()
    if len(line) > MOST_HEADING_CHARACTERS or "\n" in line:
        return 0
    # "2.1 Scope" is a section; "3.5" alone, or "1.2 3.4 5.6", is a row of figures.
    if (section := _SECTION.fullmatch(line)) is not None and re.search(r"[^\W\d_]{2}", line):
        return min(9, section[1].count(".") + 1)
    if _CHAPTER.fullmatch(line):
        return 1
    # "CHAPTER" shouts, and so does "STOP!", which is none.
    return 2 if line.isupper() and line[-1] not in ".!?,;" and _CAPITALS.search(line) else 0


LEAST_WRAPPED = 40
"""Columns; lines that are all shorter are lines of their own."""
SLACK = 0.9
"""Share of the width beyond which a line's end may be a wrap."""
SENTENCE_LINES = 0.8
"""So many of the lines that others follow end a sentence where each line is one; of a wrapped text every fifth does."""
LEAST_SENTENCE_LINES = 3
_SENTENCE_END = re.compile(rf"[{re.escape(ENDS + ENDS_AT_ONCE)}][{CLOSING}]*$")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")
_PREFIX = re.compile(r"[ \t\f\0]*(?:>[> \t]*)?")
_LIST_MARK = re.compile(r"(?:[-*+•‣◦▪–—·]|(?:\d{1,3}|[A-Za-z])[.)]|\((?:\d{1,3}|[A-Za-z])\))[ \t]+(?=\S)")
_RULE = re.compile(r"([=~^\"'`#*+.:_-])\1{2,}")
_LETTER = re.compile(r"[^\W\d_]")
_COLUMN_GAP = re.compile(r"\S(?: {3,}|\t)[ \t]*\S")
# Box drawing, and tables drawn with + - and |.
_DRAWN = re.compile(r"[\u2500-\u259f]|^\+[-=+]+\+?$|^\|.*\|$")
MOST_WORDS_OF_CODE = 6
MOST_LOOKED_AT = 400
"""Characters of a line, for telling what it is."""
# A sentence about code has several plain words in a row; code has hardly any.
_PLAIN_WORD = re.compile(r"(?<!\S)[^\W\d_]{2,}[,.]?(?!\S)")
_CODE_END = re.compile(r"[;{}]$|\)\s*[:{]$|\\$")
_CODE = re.compile(
    r"^(?:\$|%|>>>|\.\.\.|C:\\.*>|[\w.-]+@[\w.-]+:\S*[$#])[ ]\S"
    r"|^(?:#include|#define|import|from|def|class|return|public|private|static|void|int|var|const|let|function)\b.*"
    r"[;(){}:<>=]|^</?[\w:.-]+[^<>]*>|\w\(.*\)\s*[;{]|\w\s*(?:[:+*/-]?=|==|->|=>|&&|\|\|)\s*[\w\"'({\[].*[;)}\]\"']$"
)


class PlainLine(NamedTuple):
    """`start` to `end` is the text without indent, marks and trailing spaces; `prefix` is what precedes it."""

    start: int
    end: int
    prefix: str
    text: str
    is_marked: bool

    @property
    def width(self) -> int:
        """Width in columns of a terminal, tabs expanded to eight."""
        return width_of(self.prefix.expandtabs()) + width_of(self.text)


@dataclass
class PlainPart:
    """Lines that are translated as one; none has words where `kind` is None."""

    lines: list[PlainLine]
    kind: SegmentKind | None = SegmentKind.PARAGRAPH
    level: int = 0
    underline: PlainLine | None = None
    is_one_line: bool = False
    """True for one of several lines that are a sentence each: it stays one, however long."""


def blocks_of(text: str) -> Iterator[list[PlainLine]]:
    """Lines that follow each other, up to an empty one."""
    return ([_make_line(start, raw) for start, raw in block] for block in filled_lines(text, " \t\f\0>"))


def filled_lines(text: str, blank: str) -> Iterator[list[tuple[int, str]]]:
    """Lines that follow each other with their offsets, up to one that has nothing but `blank` characters."""
    block: list[tuple[int, str]] = []
    for found in _LINE.finditer(text):
        if found[1].strip(blank):
            block.append((found.start(), found[1]))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _make_line(start: int, raw: str) -> PlainLine:
    prefix = _PREFIX.match(raw)[0]  # type: ignore[index]
    mark = _LIST_MARK.match(raw, len(prefix))
    prefix += mark[0] if mark is not None else ""
    text = raw[len(prefix) :].rstrip(" \t\f\0")
    return PlainLine(start + len(prefix), start + len(prefix) + len(text), prefix, text, mark is not None)


@dataclass
class TextMeasure:
    """Width of the text, and whether its lines are wrapped."""

    width: int = 0
    is_wrapped: bool = False
    is_of_sentences: bool = False
    """Each line is a sentence, or some."""
    _widths: list[int] = field(default_factory=list)

    @classmethod
    def measure_text(cls, text: str) -> TextMeasure:
        """Measure from lines that others follow in their paragraph, and how many others are longer."""
        inner, every, ends = list[int](), list[int](), 0
        for block in blocks_of(text):
            widths = [line.width for line in block]
            ends += sum(_ends_sentence(line) for line in block[:-1])
            every += widths
            inner += widths[:-1]
        inner.sort()
        # The 97th percentile, so that one overlong line does not set the width.
        width = inner[int(len(inner) * 0.97)] if inner else 0
        # A few may be longer: addresses and tables. More means that lines are broken by sense, not by width.
        longer = sum(number > 1.1 * width for number in every)
        is_of_sentences = len(inner) >= LEAST_SENTENCE_LINES and ends >= SENTENCE_LINES * len(inner)
        is_wrapped = width >= LEAST_WRAPPED and len(inner) >= 3 and longer <= 0.03 * len(every)
        return cls(width, is_wrapped and not is_of_sentences, is_of_sentences)


def parts_of(block: Sequence[PlainLine], measure: TextMeasure) -> Iterator[PlainPart]:
    if is_no_prose(block):
        yield PlainPart(list(block), None)
        return
    width = max(line.width for line in block)
    # A short block tells little of the width, so the whole text's counts.
    if len(block) < 3 or width < 0.6 * measure.width:
        width = max(width, measure.width)
    ends = sum(map(_ends_sentence, block[:-1]))
    has_sentences = measure.is_of_sentences or ends >= max(LEAST_SENTENCE_LINES, SENTENCE_LINES * (len(block) - 1))
    waiting: list[PlainLine] = []
    for number, line in enumerate(block):
        if not _LETTER.search(line.text):
            yield from _make_part(waiting, line)
            waiting = []
        # Sentence lines: each is a segment and stays a line.
        elif waiting and has_sentences and _ends_sentence(waiting[-1]) and not line.prefix[:1].isspace():
            yield from _make_part(waiting, is_one_line=len(waiting) == 1)
            waiting = [line]
        elif waiting and not _goes_on(waiting, line, width):
            yield from _make_part(waiting)
            waiting = [line]
        else:
            waiting.append(line)
        if number + 1 == len(block):
            yield from _make_part(waiting, is_one_line=has_sentences and len(waiting) == 1)


def _ends_sentence(line: PlainLine) -> bool:
    return _SENTENCE_END.search(line.text[-MOST_LOOKED_AT:]) is not None


def _make_part(
    lines: list[PlainLine], behind: PlainLine | None = None, *, is_one_line: bool = False
) -> Iterator[PlainPart]:
    if not lines:
        return
    if lines[0].is_marked:
        yield PlainPart(lines, SegmentKind.LIST_ITEM)
    elif behind is not None and len(lines) == 1 and _RULE.fullmatch(behind.text):
        yield PlainPart(lines, SegmentKind.HEADING, 1 if behind.text[0] == "=" else 2, behind)
    elif len(lines) == 1 and (level := heading_level(lines[0].text)):
        yield PlainPart(lines, SegmentKind.HEADING, level)
    else:
        yield PlainPart(lines, is_one_line=is_one_line)


def _goes_on(waiting: Sequence[PlainLine], line: PlainLine, width: int) -> bool:
    """Return whether a line is of the same paragraph as the one before it, which then was broken for its width."""
    last = waiting[-1]
    if line.is_marked or width < LEAST_WRAPPED or line.prefix.count(">") != last.prefix.count(">"):
        return False
    # A second line with another indent begins something else.
    if len(waiting) > 1 and line.prefix != last.prefix:
        return False
    word = re.match(r"\S+", line.text)
    room = last.width + 1 + width_of(word[0] if word is not None else "")
    # The next word would not have fitted: the line was broken for its width.
    if room > SLACK * width:
        return True
    return line.text[0].islower() and last.text[-1] not in ".!?:;"


def is_no_prose(block: Sequence[PlainLine]) -> bool:
    """Return whether lines are a table or a drawing made of characters, or code."""
    texts = [_looked_at(line.text) for line in block]
    drawn = sum(_DRAWN.search(text) is not None for text in texts)
    gaps = sum(_COLUMN_GAP.search(text) is not None for text in texts)
    # An item's text may look like code; its mark says that it is one.
    code = sum(_is_code(text) for text, line in zip(texts, block, strict=True) if not line.is_marked)
    is_table = len(texts) > 1 and gaps >= 0.6 * len(texts)
    return is_table or drawn > 0.3 * len(texts) or code >= 0.5 * len(texts)


def _looked_at(text: str) -> str:
    """Return the ends of a line, which tell enough of a long one."""
    return text if len(text) <= MOST_LOOKED_AT else f"{text[:MOST_LOOKED_AT]} {text[-20:]}"


def _is_code(text: str) -> bool:
    """Return whether a line is code, and no sentence that has some in it."""
    has_signs = (_CODE_END.search(text) or _CODE.search(text)) is not None
    return has_signs and len(_PLAIN_WORD.findall(text)) < MOST_WORDS_OF_CODE
