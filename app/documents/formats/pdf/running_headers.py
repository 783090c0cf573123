"""Running headers, footers and page numbers: what recurs at the same place on several pages, apart from the text."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence

from app.core.lazy_dataclasses import dataclass
from app.documents.formats.pdf.page_text import PageText, PdfLine

PAGES_BEHIND = 6
MARGIN = 0.14
"""Share of the page's height in which headers and footers are."""
MOST_ROWS = 4
SAME_HEIGHT = 3.0
APART = 1.5
"""Least distance of a header from the text, in font sizes."""
LEAST_OTHERS = 2
"""Least other pages: text on only two may be a title and its half title."""
SMALLER, LARGE = 0.93, 1.12
LEAST_OTHERS_OF_LARGE = 4
LEAST_LETTERS = 5
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(
    # "Page 3 of 12", "iv" and "- 7 -" in five languages.
    r"\W*(?:page|seite|p\.|página|pagina)?\s*(\d{1,5}|[ivxlcdm]{1,7})\s*(?:(?:/|\||of|von|de|sur|di)\s*\d{1,5})?\W*",
    re.IGNORECASE,
)
_COUNTED = re.compile("chapter|kapitel|part|teil|appendix|anhang|section|capítulo|chapitre")
_LETTERS = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True)
class _MarginRow:
    """A row in a page's margin, as it is compared: digits are all the same."""

    texts: tuple[str, ...]
    patterns: tuple[str, ...]
    base: float
    is_apart: bool
    is_number: bool


@dataclass(frozen=True, slots=True)
class _MarginNeighbours:
    """Data that a row is compared with: the same margin of other pages, and facts of the document."""

    marks: list[_MarginRow]
    body_size: float
    titles: set[str]
    named: set[str]
    page: int


def plain(text: str) -> str:
    """Return the letters of a text alone, to compare titles by."""
    return _LETTERS.sub("", text).casefold()


class RunningHeaders:
    """Remove running headers and footers page by page, by comparing each margin with those of the pages around."""

    def __init__(self) -> None:
        self._behind: deque[tuple[list[_MarginRow], list[_MarginRow]]] = deque(maxlen=PAGES_BEHIND)
        self._known: dict[int, tuple[list[_MarginRow], list[_MarginRow]]] = {}

    def body(
        self, page: PageText, ahead: Sequence[PageText], body_size: float, titles: set[str], named: set[str]
    ) -> list[PdfLine]:
        """Return the lines of a page without its furniture.

        `titles` are headings, as `plain` has them, and `named` those of this page by the outline: a running header may
        name the section.
        """
        rows = _margin_rows(page)
        marks = self._margin_marks(page, rows)
        others = [*self._behind, *(self._margin_marks(page_text, None) for page_text in ahead)]
        self._behind.append(marks)
        self._known.pop(page.page, None)
        gone: set[int] = set()
        # Top and bottom apart, from the outside in: what is inside of a row that stays is text.
        for side in (0, 1):
            beside = [mark for other in others for mark in other[side]]
            count = 0
            for row, mark in zip(rows[side], marks[side], strict=True):
                if not self._is_repeated(row, mark, _MarginNeighbours(beside, body_size, titles, named, page.page)):
                    break
                count += 1
            # A row that is set close to the text belongs to it, even if it comes again.
            while count and not marks[side][count - 1].is_apart:
                count -= 1
            gone |= {id(line) for row in rows[side][:count] for line in row}
        return [line for line in page.lines if id(line) not in gone] if gone else page.lines

    def _margin_marks(self, page: PageText, rows: _Rows | None) -> tuple[list[_MarginRow], list[_MarginRow]]:
        if page.page not in self._known:
            top, bottom = rows or _margin_rows(page)
            self._known[page.page] = (_marks_of(top), _marks_of(bottom))
        return self._known[page.page]

    def _is_repeated(self, row: list[PdfLine], mark: _MarginRow, around: _MarginNeighbours) -> bool:
        near = [other for other in around.marks if abs(other.base - mark.base) <= SAME_HEIGHT]
        # A number alone is a page number if others have one there, or if it is this page's.
        if mark.is_number and (any(other.is_number for other in near) or _number_value(mark.texts[0]) == around.page):
            return True
        # Large letters come again as titles of chapters, so they have to do it more often.
        is_large = any(line.size >= LARGE * around.body_size for line in row)
        same = sum((other.texts == mark.texts) if is_large else _is_like(other, mark) for other in near)
        if same >= (LEAST_OTHERS_OF_LARGE if is_large else LEAST_OTHERS):
            return True
        if is_large or not mark.is_apart or not near:
            return False
        # In bold letters it may be the heading itself, or a half title.
        is_bold = all(line.is_bold and line.size > SMALLER * around.body_size for line in row)
        if (
            not is_bold
            and sum(other.is_apart for other in near) >= LEAST_OTHERS
            and all(_NUMBER.fullmatch(text) or plain(text) in around.titles for text in mark.texts)
        ):
            return True
        # Of two parts with words: a number and a title may be a heading.
        worded = [text for text in mark.texts if len(plain(text)) >= LEAST_LETTERS]
        titles = around.titles | around.named
        return len(worded) > 1 and any(_is_known(text, near, titles) for text in worded)


_Rows = tuple[list[list[PdfLine]], list[list[PdfLine]]]


def _is_like(other: _MarginRow, mark: _MarginRow) -> bool:
    if other.patterns == mark.patterns:
        return True
    if not (other.is_apart and mark.is_apart):
        return False
    # Numbers alone are no repetition: they may be those of headings.
    return any(pattern in other.patterns and plain(pattern) for pattern in mark.patterns)


def _is_known(text: str, near: list[_MarginRow], titles: set[str]) -> bool:
    """Return whether a part of a row is on the pages around, or names a heading; its end may be cut off."""
    letters = plain(text)
    if any(len(other.texts) > 1 and letters in map(plain, other.texts) for other in near):
        return True
    prefix = _COUNTED.match(letters)
    names = [letters, letters[prefix.end() :]] if prefix else [letters]
    # Running headers are cut off with dots where a section's title is too long.
    is_cut = text.rstrip().endswith(("…", "..."))
    return any(
        name in titles or (is_cut and any(title.startswith(name) for title in titles))
        for name in names
        if len(name) >= LEAST_LETTERS
    )


def _number_value(text: str) -> int:
    found = _NUMBER.fullmatch(text)
    return int(found[1]) if found and found[1].isdigit() else -1


def _margin_rows(page: PageText) -> _Rows:
    """Return the rows of the top and bottom margins from outside in, each with the text's first row."""
    high, low = MARGIN * page.sheet.height, (1 - MARGIN) * page.sheet.height
    outer = [line for line in page.lines if not high <= line.base <= low and not line.is_turned]
    upper, lower = [line for line in outer if line.base < high], [line for line in outer if line.base > low]
    # From outside in: headers downwards, footers upwards.
    return _group_rows(sorted(upper, key=lambda line: line.base)), _group_rows(
        sorted(lower, key=lambda line: -line.base)
    )


def _group_rows(lines: list[PdfLine]) -> list[list[PdfLine]]:
    rows: list[list[PdfLine]] = []
    for line in lines:
        if rows and abs(line.base - rows[-1][0].base) < 2:
            rows[-1].append(line)
        elif len(rows) > MOST_ROWS:
            break
        else:
            rows.append([line])
    return rows


def _marks_of(rows: list[list[PdfLine]]) -> list[_MarginRow]:
    marks = []
    for number, row in enumerate(rows):
        row.sort(key=lambda line: line.left)
        base, size = row[0].base, max(line.size for line in row)
        inner = rows[number + 1][0].base if number + 1 < len(rows) else None
        texts = tuple(line.text for line in row)
        # "Page 3" and "Page 4" are the same row.
        patterns = tuple(_DIGITS.sub("#", text) for text in texts)
        is_number = len(texts) == 1 and bool(_NUMBER.fullmatch(texts[0]))
        is_apart = inner is None or abs(inner - base) >= APART * size
        marks.append(_MarginRow(texts, patterns, base, is_apart, is_number))
    return marks
