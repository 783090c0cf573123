"""Plain text of any size: paragraphs between blank lines, read as a stream, and written back.

A place is in characters of the decoded text, newlines as the file has them. A piece's text is exactly that part, but
for newlines, which are "\n", for NULs, which are left out and counted, and for a heading's underline.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.encoding import TextFile, after_the_text, stream, without_nuls
from app.documents.segments import SegmentKind, plain
from app.documents.source import FileSource, Item, Opened, SegmentVisits, TargetLanguage, Visit
from app.language.sentences import CLOSING, ENDS, ENDS_AT_ONCE, sentence_ends

MOST_CHARACTERS = 8000
"""Limit of a piece; longer paragraphs are divided at a line's, sentence's or word's end."""
MOST_HEADING_CHARACTERS = 80

_NEW_LINE = r"(?:\r\n|\r(?!\n)|\n)"  # the two of one end are never taken for two ends
_GAP = re.compile(rf"{_NEW_LINE}(?:[ \t]*{_NEW_LINE})+|\f+")
_UNDERLINED = re.compile(r"\s*(\S[^\n]*)\n[ \t]*(={3,}|-{3,})[ \t]*(?:\n|$)")
_SECTION = re.compile(r"(\d+(?:\.\d+)+)\.?[ \t]+\S.*[^.!?,;:]")
_CHAPTER = re.compile(r"[^\W\d_]+[ \t]+(?:\d+|[IVXLCDM]+)[.:]?")
_CAPITALS = re.compile(r"[^\W\d_]{3,}")


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


# A plain text written back: its paragraphs, joined for translating and wrapped again.


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


# What the lines of a plain text are: paragraphs, list items, headings, or something that is no prose.

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


# Goes through a plain text, part by part, and puts other words in their places.

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


# Lines of a plain text: how wide they are, where they were broken for their width, and breaking them anew.

_WIDE = re.compile("[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]")
_UNSPACED = "\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
"""Scripts that have no spaces between words and may be broken anywhere."""
_NOT_FIRST = "、。，．・：；？！」』）】〉》〕］｝ー々…ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
"""Characters that no line starts with in Chinese and Japanese."""
# A piece takes the signs along that no line may begin with.
_PIECE = re.compile(f"[ \t]+|[{_UNSPACED}][{_NOT_FIRST}]*|[^ \t{_UNSPACED}]+[{_NOT_FIRST}]*")
_UNSPACED_END = re.compile(f"[{_UNSPACED}]$")
_UNSPACED_START = re.compile(f"[{_UNSPACED}]")
_BLANKS = re.compile(r"[ \t\r\n\f\v]+")
LEAST_WIDTH = 20


def width_of(text: str) -> int:
    """Return the width in terminal columns: CJK letters take two, combining accents none."""
    if text.isascii():
        return len(text)
    combining = sum(unicodedata.combining(letter) != 0 for letter in text)
    return len(text) - combining + len(_WIDE.findall(text))


def one_line(text: str) -> str:
    """Replace line breaks and repeated blanks by single spaces; no-break spaces stay."""
    return _BLANKS.sub(" ", text).strip(" ")


def joined(lines: Sequence[str]) -> str:
    """Lines as one text: a space between them, none between letters of a script without spaces."""
    found = ""
    for line in lines:
        is_unspaced = _UNSPACED_END.search(found) is not None and _UNSPACED_START.match(line) is not None
        found += line if not found or is_unspaced else f" {line}"
    return found


def wrapped(text: str, first: str, next_: str, most: int) -> list[str]:
    """Lines of at most `most` columns, where words allow it; `first` and `next_` are what they begin with."""
    # Deep quotes and lists leave at least `LEAST_WIDTH` for words.
    return _fill_lines(text, max(most, width_of(next_) + LEAST_WIDTH), first, next_)


def balanced(text: str, most_lines: int) -> list[str]:
    """Wrap into at most so many lines of similar width."""
    text = one_line(text)
    total = width_of(text)
    # By bisection, the smallest width that still takes no more lines.
    low, high = -(-total // most_lines), total
    while low < high:
        middle = (low + high) // 2
        if len(_fill_lines(text, middle)) <= most_lines:
            high = middle
        else:
            low = middle + 1
    return _fill_lines(text, high)


def _fill_lines(text: str, most: int, first: str = "", next_: str = "") -> list[str]:
    lines, line, is_begun = [], first, False
    for piece in _PIECE.findall(text):
        if is_begun and width_of(line) + width_of(piece.rstrip()) > most:
            lines.append(line.rstrip())
            line, is_begun = next_, False
        if is_begun or not piece.isspace():
            line += piece
            is_begun = True
    return [*lines, line.rstrip() if is_begun else line]
