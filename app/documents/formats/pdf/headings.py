"""Headings of a PDF: what the outline names, and what is larger or bolder than the text around it.

Running heads and feet are told by the pages around one only, so that the first block of a long document comes at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from app.documents.blocks import BlockKind
from app.documents.formats.pdf.outline_entries import OutlineEntry
from app.documents.formats.pdf.page_text import PdfLine
from app.documents.formats.pdf.pdf_blocks import SAME_SIZE, SENTENCE_END, BlockDraft
from app.documents.formats.pdf.pdf_pages import PageGeometry
from app.documents.formats.pdf.running_headers import plain

LARGER = 1.12  # a heading is at least so much larger than the body
BOLDER, NAMED = 1.3, math.inf  # a weight this far above the body's counts as bold, where no font's name tells
NEARLY_ALL = 0.8
MOST_CHARS = 200
MOST_TITLE_LINES = 4
MOST_HEADING_LINES = 3
NEXT_LINE, NEXT_TITLE_LINE = 1.35, 1.6
"""Largest distance of a heading's next line in font sizes; and if the outline says it is a heading."""
MOST_TITLES = 5000
MOST_PREFIX_CHARS = 20
_LADDER = (1.75, 1.4, 1.18)
"""Sizes over the text's from which on a heading is of level 1, 2 and 3."""
# "1.2 Title", "3. Title" and "A.1 Title".
_NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3}){0,7})\.?\s+\S|[A-Z](?:\.\d{1,3}){1,7}\.?\s+\S")
_DOTTED = re.compile(r"(\d{1,3}|[A-Z])(\.\d{1,3}){1,7}\.?\s")
_CHAPTER = re.compile(r"\D{2,15}\s(\d{1,3}|[IVXLC]{1,6}|[A-Z])\.?|第\s?\S{1,3}\s?[章部編]")
"""Label above a chapter's title."""
_PREFIX = re.compile(r"(chapter|kapitel|part|teil|appendix|anhang|section)?[ivxlc]{0,6}[a-z]?")


class LetterStatistics:
    """Most common size, weight and width of a document's letters, counted page by page."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        """Counts by quarters of a point."""
        self._weights: dict[int, int] = {}
        self._bold = self._mono = self._all = 0

    def count_letters(self, lines: list[PdfLine]) -> None:
        for line in lines:
            length = len(line.text)
            size = round(line.size * 4)
            self._sizes[size] = self._sizes.get(size, 0) + length
            self._all += length
            if line.is_mono:
                self._mono += length
            if line.is_bold:
                self._bold += length
            elif line.weight:
                self._weights[line.weight] = self._weights.get(line.weight, 0) + length

    def settle(self, lines: list[PdfLine]) -> None:
        """Set which lines are bold: by font names, or if none tells, by a weight far above that of most letters.

        If most letters are bold or monospaced, no line is: it means nothing there.
        """
        is_all_bold, is_all_mono = 2 * self._bold > self._all, self._mono > NEARLY_ALL * self._all
        # PDFium derives a weight from the width of the stems: the body of many a document counts as bold by it.
        body = max(self._weights, key=self._weights.__getitem__) if self._weights and not self._bold else NAMED
        for line in lines:
            if line.is_bold is None:
                line.is_bold = line.weight > BOLDER * body
            elif is_all_bold:
                line.is_bold = False
            if is_all_mono:
                line.is_mono = False

    @property
    def size(self) -> float:
        """Size of most characters in points; 10 without any."""
        return max(max(self._sizes, key=self._sizes.__getitem__) / 4, 0.25) if self._sizes else 10.0


class HeadingMarker:
    """Marks the headings among the drafts of one page after the other, and remembers their titles and levels."""

    def __init__(self) -> None:
        self._outlined: dict[int, int] = {}
        self._guessed: dict[int, int] = {}
        """Level by font size in halves of a point: by the outline, or as first assigned."""
        self.titles: set[str] = set()

    def mark(
        self, drafts: list[BlockDraft], entries: list[OutlineEntry], sheet: PageGeometry, body_size: float
    ) -> list[BlockDraft]:
        """Return the drafts with their headings marked; one whose first line is a title is divided after it."""
        for entry in entries:
            drafts = _with_entry(drafts, entry, sheet)
            self._remember_title(entry.title)
        drafts = _put_together(drafts, body_size)
        for draft in drafts:
            if draft.kind is BlockKind.HEADING:
                self._outlined.setdefault(_half_points(draft), draft.level)
        for number, draft in enumerate(drafts):
            if draft.kind in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM) and _looks_like_heading(draft, body_size):
                after = drafts[number + 1] if number + 1 < len(drafts) else None
                draft.kind, draft.mark, draft.label = BlockKind.HEADING, 0, ""
                draft.level = self._heading_level(draft, after, body_size)
                self._remember_title(" ".join(line.text for line in draft.lines))
        return drafts

    def _remember_title(self, title: str) -> None:
        letters = plain(title)
        if len(letters) > 2 and len(self.titles) < MOST_TITLES:
            self.titles.add(letters)

    def _heading_level(self, draft: BlockDraft, after: BlockDraft | None, body_size: float) -> int:
        """Return the level of a heading outside the outline: equal for equal sizes."""
        text, size = draft.lines[0].text, _half_points(draft)
        # "Chapter 3" above its title is of the title's level.
        if after is not None and after.kind is BlockKind.HEADING and _CHAPTER.fullmatch(text):
            return after.level
        if size in self._outlined:
            return self._outlined[size]
        # "2.1.3" says its level itself.
        dotted = _DOTTED.match(text)
        if dotted:
            level = dotted[0].rstrip(". ").count(".") + 1
        elif size in self._guessed:
            return self._guessed[size]
        elif _NUMBERED.match(text) and not self._outlined:
            level = 1
        else:
            level = self._by_size(size, draft.size / body_size)
        return self._guessed.setdefault(size, level) if not dotted else level

    def _by_size(self, size: int, ratio: float) -> int:
        larger = [other for other in self._outlined if other > size]
        if larger:
            return min(self._outlined[min(larger)] + 1, 9)
        level = next((level for level, least in enumerate(_LADDER, 1) if ratio >= least), 4)
        return min([level, *self._outlined.values()])


def _half_points(draft: BlockDraft) -> int:
    return round(2 * draft.size)


def _put_together(drafts: list[BlockDraft], body_size: float) -> list[BlockDraft]:
    """Join large lines of one font right below each other into one heading, whatever their lengths."""
    found: list[BlockDraft] = []
    for draft in drafts:
        if found and _is_next_line(found[-1], draft, body_size):
            found[-1].lines += draft.lines
        else:
            found.append(draft)
    return found


def _is_next_line(before: BlockDraft, draft: BlockDraft, body_size: float) -> bool:
    if draft.kind is not BlockKind.PARAGRAPH or before.kind not in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM):
        return False
    if before.size < LARGER * body_size or len(before.lines) + len(draft.lines) > MOST_HEADING_LINES:
        return False
    last, first = before.lines[-1], draft.lines[0]
    # A wide gap divides cells: such lines are rows, not a title.
    if not _is_below(last, first, NEXT_LINE) or _NUMBERED.match(first.text) or last.gap or first.gap:
        return False
    return first.is_bold or not last.text.endswith(SENTENCE_END)


def _is_below(line: PdfLine, after: PdfLine, most: float) -> bool:
    """Return whether a line of the same font is right below another."""
    if abs(after.size - line.size) > SAME_SIZE * line.size or after.is_bold != line.is_bold:
        return False
    return not line.is_turned and not after.is_turned and 0.8 < (after.base - line.base) / line.size <= most


def _looks_like_heading(draft: BlockDraft, body_size: float) -> bool:
    lines = draft.lines
    length = sum(len(line.text) for line in lines)
    if length > MOST_CHARS or len(lines) > 3 or lines[0].is_turned or lines[0].gap > 3 * lines[0].size:
        return False
    text = lines[-1].text
    # A row of figures or of signs is no heading, however large.
    if not any(letter.isalpha() for letter in lines[0].text):
        return False
    if draft.size >= LARGER * body_size:
        return not (len(lines) > 1 and text.endswith((".", ","))) or draft.size >= 1.4 * body_size
    is_bold = all(line.is_bold for line in lines) and draft.size > 0.93 * body_size
    # A bold line that ends like a sentence is a run-in heading or an emphasised paragraph.
    if not is_bold or length > 120 or text.endswith((".", ",", ";", ":")):
        return False
    return draft.kind is BlockKind.PARAGRAPH or bool(draft.label[0].isdigit())


def _with_entry(drafts: list[BlockDraft], entry: OutlineEntry, sheet: PageGeometry) -> list[BlockDraft]:
    """Mark the draft that an outline entry names: of several, the one nearest its target."""
    title = plain(entry.title)
    if not title:
        return drafts
    # Compared by letters, so lines far longer than the title need not be.
    longest = len(entry.title) + MOST_PREFIX_CHARS
    found = [
        (number, lines)
        for number, draft in enumerate(drafts)
        if len(draft.lines[0].text) <= longest and (lines := _title_lines(drafts, number, title))
    ]
    if not found:
        return drafts
    at, lines = found[0]
    if entry.y is not None and len(found) > 1:
        y = sheet.point(0, entry.y)[1]
        at, lines = min(found, key=lambda entry_lines: abs(drafts[entry_lines[0]].lines[0].top - y))
    draft = drafts[at]
    divided = [BlockDraft(BlockKind.HEADING, lines, entry.level, left=draft.left, right=draft.right)]
    end, left_over = at, len(lines)
    while left_over > 0:
        rest = drafts[end].lines[left_over:]
        left_over -= len(drafts[end].lines)
        end += 1
        if rest:
            divided.append(BlockDraft(BlockKind.PARAGRAPH, rest, left=draft.left, right=draft.right))
    return [*drafts[:at], *divided, *drafts[end:]]


def _title_lines(drafts: Sequence[BlockDraft], number: int, title: str) -> list[PdfLine]:
    """Return the lines that make up the title, with or without a number; empty if they don't."""
    text = ""
    lines: list[PdfLine] = []
    for draft in drafts[number : number + MOST_TITLE_LINES]:
        if draft.kind not in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.CAPTION):
            break
        if lines and not _is_below(lines[-1], draft.lines[0], NEXT_TITLE_LINE):
            break
        for line in draft.lines[: MOST_TITLE_LINES - len(lines)]:
            text += plain(line.text)
            lines.append(line)
            # The page may have "Chapter 3" or "iv" before what the outline calls the title.
            if text == title or (text.endswith(title) and _PREFIX.fullmatch(text[: -len(title)])):
                return lines
            # Some characters more are ligatures and hyphens; then it is another text.
            if len(text) > len(title) + 12:
                return []
        if len(lines) >= MOST_TITLE_LINES:
            break
    return []
