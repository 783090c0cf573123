"""Group lines into blocks (paragraphs, list items, code, captions) by place, size and font."""

from __future__ import annotations

import re
from itertools import pairwise

from app.core.lazy_dataclasses import dataclass, field
from app.documents.blocks import BlockKind
from app.documents.formats.pdf.page_text import BULLETS, HYPHEN, PdfLine, PdfTable

# A bullet, "3.", "(iv)" or "[12]", and something behind it.
MARK = re.compile(
    rf"([{BULLETS}])\s+(?=\S)|((?:\d{{1,3}}|[a-zA-Z]|[ivx]{{2,5}})[.)]|\((?:\d{{1,3}}|[a-zA-Z]|[ivx]{{2,5}})\)|\[\d{{1,3}}\])\s+(?=\S)"
)
CAPTION = re.compile(
    # "Figure 3.2:", "Abb. 4 |": a number and a sign have to follow, or "Table tennis" would be a caption.
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
# What a web address may go on with in the next line: a host, or the name of a file.
_HOST = re.compile(r"\.?[a-z0-9][\w-]*(\.[a-z0-9][\w-]*)*(\.[a-z]{2,}\b|/)|\.?(com|org|net|edu|gov|info)\b")
_FILE = re.compile(r"\.[\w-]*\.?(html?|pdf|txt|php)\b|\w[\w-]*\.(html?|pdf|txt|php)\b")
SAME_SIZE = 0.07
MIXED_SIZES, LEAST_MIXED_CHARS = 0.16, 20  # words in other sizes within a line
FOOT = 0.45
"""Share of the page above which no footnotes are."""
_GOES_ON = {
    BlockKind.PARAGRAPH: (BlockKind.PARAGRAPH,),
    BlockKind.LIST_ITEM: (BlockKind.LIST_ITEM, BlockKind.PARAGRAPH),
    BlockKind.NOTE: (BlockKind.NOTE,),
}
"""Kinds a block may continue as in the next column."""


@dataclass(slots=True)
class BlockDraft:
    """A block made of lines; a table has `table`, and a list item's `mark` is cut from its text."""

    kind: BlockKind
    lines: list[PdfLine]
    level: int = 0
    label: str = ""
    table: PdfTable | None = None
    mark: int = 0
    left: float = 0.0
    """Left edge of the block's column."""
    right: float = 0.0

    @property
    def size(self) -> float:
        """Font size of the first line longer than a mark."""
        return next((line.size for line in self.lines if len(line.text) > 3), self.lines[0].size)


@dataclass(slots=True)
class LineColumn:
    """Edges and line pitch of a run of lines, and the drafts made of them so far."""

    left: float
    right: float
    pitch: float
    """Distance between two lines' bases, in font sizes."""
    drafts: list[BlockDraft] = field(default_factory=list)


def drafts_of(lines: list[PdfLine]) -> list[BlockDraft]:
    column = LineColumn(min(line.left for line in lines), max(line.right for line in lines), _line_pitch(lines))
    draft: BlockDraft | None = None
    for line in lines:
        if draft is None or _begins_block(draft, line, column):
            draft = _begin_draft(line, column)
            column.drafts.append(draft)
        else:
            draft.lines.append(line)
    _set_levels(column.drafts)
    return column.drafts


def in_address(before: str, following: str) -> bool:
    """Return whether a line ends inside a web address that the next continues.

    After a letter, slash or full stop the address may have ended: what follows must not be a word of prose.
    """
    found = _ADDRESS.search(before)
    if not found or not _ADDRESS_CHARS.match(following):
        return False
    word = following.split(" ", 1)[0]
    # "https:/" at a line's end: only the second slash may follow.
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


def table_draft(table: PdfTable) -> BlockDraft:
    lines = [line for row in table.rows for cell in row for line in cell]
    return BlockDraft(BlockKind.TABLE, lines, table=table)


def _line_pitch(lines: list[PdfLine]) -> float:
    pitches = [
        (after.base - before.base) / after.size
        for before, after in pairwise(lines)
        if abs(after.size - before.size) < SAME_SIZE * after.size
        and 0.8 < (after.base - before.base) / after.size < 2.6
    ]
    # The paragraphs' own pitch is the smaller one where there are many short paragraphs.
    return sorted(pitches)[len(pitches) // 3] if pitches else 1.3


def _begin_draft(line: PdfLine, column: LineColumn) -> BlockDraft:
    draft = BlockDraft(BlockKind.PARAGRAPH, [line], left=column.left, right=column.right)
    mark = MARK.match(line.text)
    if line.is_mono:
        draft.kind = BlockKind.CODE
    elif CAPTION.match(line.text):
        draft.kind = BlockKind.CAPTION
    elif mark:
        draft.kind, draft.mark = BlockKind.LIST_ITEM, mark.end()
        draft.label = (mark[1] or mark[2]).strip()
        # Symbol fonts have their bullets in the private use area.
        if draft.label >= "\ue000":
            draft.label = "•"
    return draft


def _begins_block(draft: BlockDraft, line: PdfLine, column: LineColumn) -> bool:
    """Return whether a line begins a block, and does not go on with the one before."""
    before = draft.lines[-1]
    size = line.size if line.size > before.size else before.size
    if draft.kind is BlockKind.CODE:
        return not line.is_mono or abs(line.size - before.size) > 0.15 * size or line.base - before.base > 3 * size
    # A step up, or clearly more than the usual pitch.
    if not -1 < line.base - before.base <= (1.22 * column.pitch + 0.08) * size:
        return True
    if before.gap > 3 * size:
        return not _is_meaning(before, line, column)
    if _changes_font(draft, line, column) or line.gap > 3 * size or _is_entry(before, line) or CAPTION.match(line.text):
        return True
    is_near = abs(line.left - before.left) < 4 * size
    # Something that is divided goes on, whatever else the lines look like.
    if is_near and (before.text[-1] == HYPHEN or ("http" in before.text and in_address(before.text, line.text))):
        return False
    return _is_cut(draft, line, before, column)


def _is_meaning(before: PdfLine, line: PdfLine, column: LineColumn) -> bool:
    """Return whether a line continues the text next to a term, below its start."""
    if abs(line.left - before.inner) > 0.6 * line.size or abs(line.size - before.size) > SAME_SIZE * line.size:
        return False
    return line.text[0].islower() or not (line.gap > 3 * line.size or _has_room(before, line, column))


def _is_entry(before: PdfLine, line: PdfLine) -> bool:
    """Return whether the line before is an entry of contents, with its page at the end, or the number of a formula."""
    text = before.text
    if text[-1] == ")" and _EQUATION.fullmatch(text):
        return True
    if (". . ." in text or "...." in text or "…" in text) and _LEADER.search(text):
        return True
    return text[-1].isdigit() and line.text[0].isdigit() and bool(_SECTION.match(line.text))


def _changes_font(draft: BlockDraft, line: PdfLine, column: LineColumn) -> bool:
    """Return whether a line is of another size or weight, or is the first one of code."""
    before = draft.lines[-1]
    size = line.size if line.size > before.size else before.size
    if abs(line.size - before.size) > SAME_SIZE * size and min(len(line.text), len(before.text)) > 3:
        return not _is_mixed(before, line, column)
    if line.is_mono and (line.left - before.left > size or _has_room(before, line, column)):
        return True
    # A bold word or two may fill a line of a paragraph; only whole lines from its beginning on are a heading.
    return line.is_bold != before.is_bold and (line.is_bold or all(pdf_line.is_bold for pdf_line in draft.lines))


def _is_mixed(before: PdfLine, line: PdfLine, column: LineColumn) -> bool:
    """Return whether two lines of a paragraph have other sizes because one has a word of code in its middle."""
    size = line.size if line.size > before.size else before.size
    if abs(line.size - before.size) > MIXED_SIZES * size or min(len(line.text), len(before.text)) < LEAST_MIXED_CHARS:
        return False
    is_below = -3 * size < line.left - before.left < 0.6 * size
    return is_below and not before.text.endswith(SENTENCE_END) and not _has_room(before, line, column)


def _is_cut(draft: BlockDraft, line: PdfLine, before: PdfLine, column: LineColumn) -> bool:
    """Return whether the shape of the lines says that a paragraph ends: indents, short lines, marks."""
    tolerance = 0.6 * line.size
    step = line.left - before.left
    is_ended = before.text.endswith(SENTENCE_END)
    has_room = _has_room(before, line, column)
    if MARK.match(line.text):
        is_beside = draft.kind is BlockKind.LIST_ITEM and abs(line.left - draft.lines[0].left) < tolerance
        if is_ended or has_room or is_beside or abs(step) > tolerance:
            return True
    # The next word would have fitted, so the line was ended on purpose.
    if has_room and (is_ended or not line.text[0].islower()):
        return True
    if draft.kind is BlockKind.LIST_ITEM:
        # The second line of an item hangs below its text or begins at the mark; the others follow the second.
        if len(draft.lines) == 1:
            return step < -tolerance or (step < tolerance and has_room)
        return abs(step) > tolerance
    if step > tolerance:
        return is_ended or has_room
    return step < -tolerance and len(draft.lines) > 1


def _has_room(before: PdfLine, line: PdfLine, column: LineColumn) -> bool:
    """Return whether the next line's first word would have stood on the line before: then it was ended on purpose."""
    word = len(line.text.split(" ", 1)[0]) + 1
    # The mean width of the line's own letters.
    width = (before.right - before.left) / len(before.text)
    return before.right + word * width + line.size < column.right


def _set_levels(drafts: list[BlockDraft]) -> None:
    """Set list items' depths by indent among those right before."""
    lefts: list[float] = []
    for draft in drafts:
        if draft.kind is not BlockKind.LIST_ITEM:
            lefts.clear()
            continue
        left, tolerance = draft.lines[0].left, 0.5 * draft.size
        # A smaller indent ends all deeper levels.
        while lefts and lefts[-1] > left + tolerance:
            lefts.pop()
        if not lefts or left > lefts[-1] + tolerance:
            lefts.append(left)
        draft.level = min(len(lefts), 9)


def mark_footnotes(drafts: list[BlockDraft], body_size: float, height: float) -> None:
    """Mark small paragraphs with a leading number or sign at the foot of the page as notes."""
    for draft in drafts:
        # A note is low on the page and smaller than the text; a list is neither.
        is_low = draft.lines[0].base > FOOT * height and draft.size < 0.93 * body_size
        if is_low and draft.kind in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM) and FOOTNOTE.match(draft.lines[0].text):
            draft.kind, draft.mark, draft.level, draft.label = BlockKind.NOTE, 0, 0, "footnote"


def goes_on(draft: BlockDraft, after: BlockDraft) -> bool:
    """Return whether a paragraph of one column or page is the beginning of the next one's first."""
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
