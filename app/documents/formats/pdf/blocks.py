"""Lines to blocks: which lines are one paragraph, list item, code or caption, told by place, size and font."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from app.documents.blocks import Kind
from app.documents.formats.pdf.text import BULLETS, HYPHEN, Line, Table

MARK = re.compile(
    rf"([{BULLETS}])\s+(?=\S)|((?:\d{{1,3}}|[a-zA-Z]|[ivx]{{2,5}})[.)]|\((?:\d{{1,3}}|[a-zA-Z]|[ivx]{{2,5}})\)|\[\d{{1,3}}\])\s+(?=\S)",
)
CAPTION = re.compile(
    r"(fig(ure|\.)|tab(le|elle|leau|la|\.)|abb(ildung|\.)|listing|figura|chart|diagram|photo|plate|scheme)"
    r"\s*[A-Z]?\.?\d+([.\-]\d+)*\s*([.:–—|]|$)",
    re.IGNORECASE,
)
FOOTNOTE = re.compile(r"(\d{1,3}|[*†‡§¶]{1,3}|[a-z])[.)]?\s*(?=\S)|\[\d{1,3}\]\s*")
_EQUATION = re.compile(r"\(\d{1,3}(\.\d{1,3})*[a-z]?\)")
_LEADER = re.compile(r"((\. ?){4,}|…|·{3,})\s*\w*$")
_SECTION = re.compile(r"\d+(\.\d+)+\s")
SENTENCE_END = (".", "!", "?", ":", ";", "。", "！", "？", ".”", '."', ".)", "”")
_ADDRESS = re.compile(r"\bhttps?:(?:/?|//(\S*))$")
_ADDRESS_CHARS = re.compile(r"[\w\-.~:/?#@!$&'*+,;=%]")
_HOST = re.compile(r"\.?[a-z0-9][\w-]*(\.[a-z0-9][\w-]*)*(\.[a-z]{2,}\b|/)|\.?(com|org|net|edu|gov|info)\b")
_FILE = re.compile(r"\.[\w-]*\.?(html?|pdf|txt|php)\b|\w[\w-]*\.(html?|pdf|txt|php)\b")
SAME_SIZE = 0.07
MIXED_SIZES, LEAST_MIXED_CHARS = 0.16, 20
FOOT = 0.45
"""Footnotes stand below this part of the page."""
_GOES_ON = {
    Kind.PARAGRAPH: (Kind.PARAGRAPH,),
    Kind.LIST_ITEM: (Kind.LIST_ITEM, Kind.PARAGRAPH),
    Kind.NOTE: (Kind.NOTE,),
}
"""What a block may go on as, in the next column."""


@dataclass(slots=True)
class Draft:
    """A block that is still made of lines; a table has `table`, and a list item's `mark` is cut from its text."""

    kind: Kind
    lines: list[Line]
    level: int = 0
    label: str = ""
    table: Table | None = None
    mark: int = 0
    left: float = 0.0
    """Where the column begins and ends that the block stands in."""
    right: float = 0.0

    @property
    def size(self) -> float:
        """The font size of its first line that is longer than a mark."""
        return next((line.size for line in self.lines if len(line.text) > 3), self.lines[0].size)


@dataclass(slots=True)
class Column:
    """What holds for a run of lines as a whole."""

    left: float
    right: float
    pitch: float
    """How far the bases of two lines are apart, in font sizes."""
    drafts: list[Draft] = field(default_factory=list)


def drafts_of(lines: list[Line]) -> list[Draft]:
    """The blocks of a run of lines."""
    column = Column(min(line.left for line in lines), max(line.right for line in lines), _pitch(lines))
    draft: Draft | None = None
    for line in lines:
        if draft is None or _begins(draft, line, column):
            draft = _first(line, column)
            column.drafts.append(draft)
        else:
            draft.lines.append(line)
    _set_levels(column.drafts)
    return column.drafts


def in_address(before: str, following: str) -> bool:
    """Whether a line ends inside an address of the web that the next one goes on with.

    After a letter, a slash or a full stop the address may be at its end: what follows must not be a word of prose.
    """
    found = _ADDRESS.search(before)
    if not found or not _ADDRESS_CHARS.match(following):
        return False
    word = following.split(" ", 1)[0]
    if found[1] is None:
        return word[0] == "/"
    is_in_brackets = before[: found.start()].endswith("(") and ")" not in found[1] and ")" in word
    if is_in_brackets or found[0][-1] in f"{HYPHEN}-_=&?#%~+@:" or word[0] in "/_=&?#%~":
        return True
    if found[0][-1] == "/":
        return not word.rstrip(".,;:)!?").isalpha()
    if "/" in found[1]:
        return bool(_FILE.match(f"{found[0][-1]}{word}"))
    return bool(_HOST.match(word)) and "." in (found[0][-1], word[0])


def table_draft(table: Table) -> Draft:
    """A table as a draft."""
    lines = [line for row in table.rows for cell in row for line in cell]
    return Draft(Kind.TABLE, lines, table=table)


def _pitch(lines: list[Line]) -> float:
    pitches = [
        (after.base - before.base) / after.size
        for before, after in pairwise(lines)
        if abs(after.size - before.size) < SAME_SIZE * after.size
        and 0.8 < (after.base - before.base) / after.size < 2.6
    ]
    # The paragraphs' own pitch is the smaller one where there are many short paragraphs.
    return sorted(pitches)[len(pitches) // 3] if pitches else 1.3


def _first(line: Line, column: Column) -> Draft:
    draft = Draft(Kind.PARAGRAPH, [line], left=column.left, right=column.right)
    mark = MARK.match(line.text)
    if line.is_mono:
        draft.kind = Kind.CODE
    elif CAPTION.match(line.text):
        draft.kind = Kind.CAPTION
    elif mark:
        draft.kind, draft.mark = Kind.LIST_ITEM, mark.end()
        draft.label = (mark[1] or mark[2]).strip()
        if draft.label >= "\ue000":
            draft.label = "•"
    return draft


def _begins(draft: Draft, line: Line, column: Column) -> bool:
    """Whether a line begins a block, and does not go on with the one before."""
    before = draft.lines[-1]
    size = line.size if line.size > before.size else before.size
    if draft.kind is Kind.CODE:
        return not line.is_mono or abs(line.size - before.size) > 0.15 * size or line.base - before.base > 3 * size
    if not -1 < line.base - before.base <= (1.22 * column.pitch + 0.08) * size:
        return True
    if before.gap > 3 * size:
        return not _is_meaning(before, line, column)
    if _changes_font(draft, line, column) or line.gap > 3 * size or _is_entry(before, line) or CAPTION.match(line.text):
        return True
    is_near = abs(line.left - before.left) < 4 * size
    if is_near and (before.text[-1] == HYPHEN or ("http" in before.text and in_address(before.text, line.text))):
        return False
    return _is_cut(draft, line, before, column)


def _is_meaning(before: Line, line: Line, column: Column) -> bool:
    """Whether a line goes on with what stands beside a term, below where that began."""
    if abs(line.left - before.inner) > 0.6 * line.size or abs(line.size - before.size) > SAME_SIZE * line.size:
        return False
    return line.text[0].islower() or not (line.gap > 3 * line.size or _has_room(before, line, column))


def _is_entry(before: Line, line: Line) -> bool:
    """Whether the line before is an entry of contents, with its page at the end, or the number of a formula."""
    text = before.text
    if text[-1] == ")" and _EQUATION.fullmatch(text):
        return True
    if (". . ." in text or "...." in text or "…" in text) and _LEADER.search(text):
        return True
    return text[-1].isdigit() and line.text[0].isdigit() and bool(_SECTION.match(line.text))


def _changes_font(draft: Draft, line: Line, column: Column) -> bool:
    """Whether a line is of another size or weight, or is the first one of code."""
    before = draft.lines[-1]
    size = line.size if line.size > before.size else before.size
    if abs(line.size - before.size) > SAME_SIZE * size and min(len(line.text), len(before.text)) > 3:
        return not _is_mixed(before, line, column)
    if line.is_mono and (line.left - before.left > size or _has_room(before, line, column)):
        return True
    # A bold word or two may fill a line of a paragraph; only whole lines from its beginning on are a heading.
    return line.is_bold != before.is_bold and (line.is_bold or all(each.is_bold for each in draft.lines))


def _is_mixed(before: Line, line: Line, column: Column) -> bool:
    """Whether two lines of a paragraph have other sizes because one has a word of code in its middle."""
    size = line.size if line.size > before.size else before.size
    if abs(line.size - before.size) > MIXED_SIZES * size or min(len(line.text), len(before.text)) < LEAST_MIXED_CHARS:
        return False
    is_below = -3 * size < line.left - before.left < 0.6 * size
    return is_below and not before.text.endswith(SENTENCE_END) and not _has_room(before, line, column)


def _is_cut(draft: Draft, line: Line, before: Line, column: Column) -> bool:
    """Whether the shape of the lines says that a paragraph ends: indents, short lines, marks."""
    tolerance = 0.6 * line.size
    step = line.left - before.left
    is_ended = before.text.endswith(SENTENCE_END)
    has_room = _has_room(before, line, column)
    if MARK.match(line.text):
        is_beside = draft.kind is Kind.LIST_ITEM and abs(line.left - draft.lines[0].left) < tolerance
        if is_ended or has_room or is_beside or abs(step) > tolerance:
            return True
    if has_room and (is_ended or not line.text[0].islower()):
        return True
    if draft.kind is Kind.LIST_ITEM:
        if len(draft.lines) == 1:
            return step < -tolerance or (step < tolerance and has_room)
        return abs(step) > tolerance
    if step > tolerance:
        return is_ended or has_room
    return step < -tolerance and len(draft.lines) > 1


def _has_room(before: Line, line: Line, column: Column) -> bool:
    """Whether the next line's first word would have stood on the line before: then it was ended on purpose."""
    word = len(line.text.split(" ", 1)[0]) + 1
    width = (before.right - before.left) / len(before.text)
    return before.right + word * width + line.size < column.right


def _set_levels(drafts: list[Draft]) -> None:
    """How deep a list item is, by its indent among those right before it."""
    lefts: list[float] = []
    for draft in drafts:
        if draft.kind is not Kind.LIST_ITEM:
            lefts.clear()
            continue
        left, tolerance = draft.lines[0].left, 0.5 * draft.size
        while lefts and lefts[-1] > left + tolerance:
            lefts.pop()
        if not lefts or left > lefts[-1] + tolerance:
            lefts.append(left)
        draft.level = min(len(lefts), 9)


def mark_footnotes(drafts: list[Draft], body_size: float, height: float) -> None:
    """Small paragraphs with a number or a sign in front, at the foot of the page, are notes."""
    for draft in drafts:
        is_low = draft.lines[0].base > FOOT * height and draft.size < 0.93 * body_size
        if is_low and draft.kind in (Kind.PARAGRAPH, Kind.LIST_ITEM) and FOOTNOTE.match(draft.lines[0].text):
            draft.kind, draft.mark, draft.level, draft.label = Kind.NOTE, 0, 0, "footnote"


def goes_on(draft: Draft, after: Draft) -> bool:
    """Whether a paragraph of one column or page is the beginning of the next one's first."""
    if after.kind not in _GOES_ON.get(draft.kind, ()):
        return False
    last, first = draft.lines[-1], after.lines[0]
    if abs(last.size - first.size) > SAME_SIZE * first.size or last.is_bold != first.is_bold or after.mark:
        return False
    if last.gap > 3 * last.size or first.gap > 3 * first.size or first.is_turned or last.is_turned:
        return False
    begins_low = first.text[0].islower()
    if last.text[-1] == HYPHEN or (last.text[-1] == "-" and begins_low):
        return True
    if last.text.endswith(SENTENCE_END):
        return False
    # The last line of a paragraph that goes on reaches the end of its column.
    is_full = last.right > draft.right - 0.15 * (draft.right - draft.left) or len(draft.lines) == 1
    return begins_low and is_full
