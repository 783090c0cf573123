"""What the program itself finds in documents: dates, quantities, links, mentions."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass, field
from app.documents.blocks import Block, BlockKind, rows_of
from app.features.retrieval.question_scope import QuestionScope, WantedScope
from app.features.summarize.sections import SectionReading, whole_section
from app.features.summarize.summary_result import (
    ClaimAnchor,
    InputDocument,
    Method,
    Statement,
    SummarizedDocument,
    Summary,
    SummaryOptions,
)
from app.language.dates import find_dates
from app.language.language_names import WITHOUT_SPACES
from app.language.numbers import CLOCK, MONEY, Quantity, find_quantities
from app.language.words import stretch_at

FOUND_BY_PROGRAM = frozenset(QuestionScope) - {QuestionScope.ABOUT, QuestionScope.LIST}
LONGEST_AROUND = 140
LONGEST_TEXT = 160
PERCENTAGES = frozenset({"%", "‰", "percentage points"})
ENDING = 3
"""Letters that a word may have more than what was asked for: "kilns" for "kiln"."""
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[^\W_](?:[\w-]{0,62})\.){1,6}[^\W\d_]{2,24}(?![\w-])")
_LINK = re.compile(
    r"(?:https?|ftp)://[^\s<>\"'“”‘’«»\\^`{|}]+|(?<![\w@./-])www\.[^\W_][\w-]*\.[^\s<>\"'“”‘’«»\\^`{|}]+", re.IGNORECASE
)
_BEHIND_LINK = ".,;:!?…"
_PAIRS = {")": "(", "]": "[", "}": "{", "。": "", "）": "（", "、": ""}


@dataclass(frozen=True)
class SurveyMatch:
    """A stretch of a block that is what was wanted; those with one `key` are the same thing. `level` is a heading's."""

    start: int
    end: int
    key: object
    text: str = ""
    """Label, where the matched text is a poor one."""
    level: int = 0


@dataclass
class _SurveyEntry:
    text: str
    level: int
    anchors: list[ClaimAnchor] = field(default_factory=list)


def find_all(
    documents: Sequence[InputDocument], scope: WantedScope, cancelled: Callable[[], bool] = lambda: False
) -> Summary:
    """Find everything of a kind in `FOUND_BY_PROGRAM`, as statements with sources, in document order.

    Repeated finds become one statement with all sources, whose texts are the sentences around.
    """
    begun_s = time.monotonic()
    # All blocks count: a list has to hold what stands in an index, too.
    reading = SectionReading(documents, leaves_apart=False)
    entries: dict[object, _SurveyEntry] = {}
    for place, document in enumerate(documents):
        for block in document.blocks:
            if cancelled():
                break
            for found in found_in(block, scope):
                text = found.text or shorten_text(" ".join(block.text[found.start : found.end].split()), LONGEST_TEXT)
                # By key, so that one date in two spellings is one entry with two places.
                entry = entries.setdefault(found.key, _SurveyEntry(text, found.level))
                around = _sentence_around(block, found)
                entry.anchors.append(ClaimAnchor(place, block.id, block.page, found.start, found.end, around))
        section = whole_section(place, document.blocks)
        if not cancelled():
            # Everything was looked at, so all of it counts as read.
            reading.mark_answered(section, section.text)
    told = tuple(
        SummarizedDocument(input_document.id, input_document.name, input_document.title, input_document.unit, coverage)
        for input_document, coverage in zip(documents, reading.make_coverage(), strict=True)
    )
    statements = tuple(
        Statement(survey_entry.text, tuple(survey_entry.anchors), paragraph=survey_entry.level)
        for survey_entry in entries.values()
    )
    return Summary(
        join_entries(document.title or document.name for document in documents), told, statements,
        SummaryOptions(), "", "", len(told), len(told),
        is_partial=cancelled(), seconds=time.monotonic() - begun_s, method=Method.DIGEST,
    )  # fmt: skip


def found_in(block: Block, scope: WantedScope) -> Iterator[SurveyMatch]:
    """Find what one block has of the wanted kind, in order."""
    text = block.text
    match scope.wanted:
        case QuestionScope.DATES:
            yield from _find_dates(text)
        case QuestionScope.MONEY | QuestionScope.PERCENTAGES | QuestionScope.NUMBERS:
            yield from (
                _quantity_match(text, quantity)
                for quantity in find_quantities(text)
                if _is_wanted(quantity, scope.wanted)
            )
        case QuestionScope.EMAILS:
            yield from (SurveyMatch(*match.span(), match[0].casefold()) for match in _EMAIL.finditer(text))
        case QuestionScope.LINKS:
            yield from _find_links(text)
        case QuestionScope.MENTIONS:
            yield from (
                SurveyMatch(*match.span(), match[0].casefold()) for match in mentions_of(scope.words).finditer(text)
            )
        case QuestionScope.HEADINGS if block.kind is BlockKind.HEADING:
            yield SurveyMatch(0, len(text), block.id, level=max(1, block.level))
        case QuestionScope.TABLES if block.kind is BlockKind.TABLE:
            yield SurveyMatch(0, len(text), block.id, block.label or _first_row(block))
        case QuestionScope.FIGURES if block.kind is BlockKind.CAPTION and not _OF_A_TABLE.match(text):
            yield SurveyMatch(0, len(text), block.id)


_OF_A_TABLE = re.compile(r"\s*(?:tab\.|tables?|tabellen?|tableaux?|tablas?|tabelas?|таблиц\w+|表)\s*\d", re.IGNORECASE)


def _find_dates(text: str) -> Iterator[SurveyMatch]:
    """Find dates that name a day, or a month of a year."""
    for date in find_dates(text):
        if date.year or any(day for _, day in date.readings):
            yield SurveyMatch(date.start, date.end, (date.year, date.readings))


def _is_wanted(quantity: Quantity, wanted: QuestionScope) -> bool:
    # Parts of other quantities, number words and times of day are no amounts.
    if quantity.is_part or quantity.is_word or quantity.dimension == CLOCK:
        return False
    if wanted is QuestionScope.MONEY:
        return quantity.dimension in MONEY
    return quantity.dimension in PERCENTAGES if wanted is QuestionScope.PERCENTAGES else bool(quantity.dimension)


def _quantity_match(text: str, quantity: Quantity) -> SurveyMatch:
    value: Decimal | str = quantity.value if quantity.value is not None else text[quantity.start : quantity.end]
    return SurveyMatch(quantity.start, quantity.end, (quantity.dimension, value))


def _find_links(text: str) -> Iterator[SurveyMatch]:
    for match in _LINK.finditer(text):
        end = match.end()
        while end > match.start() and _ends_outside(text[match.start() : end]):
            end -= 1
        # Without a dot it is a name, not an address.
        if "." in text[match.start() : end]:
            # With and without the last slash it is the same page.
            yield SurveyMatch(match.start(), end, text[match.start() : end].rstrip("/").casefold())


def _ends_outside(address: str) -> bool:
    """Return whether the last character belongs to the sentence around an address."""
    last = address[-1]
    # A closing bracket belongs to the address only if it was opened in it.
    return last in _BEHIND_LINK or (last in _PAIRS and address.count(last) > address.count(_PAIRS[last] or "\0"))


def mentions_of(words: str) -> re.Pattern[str]:
    """Build a pattern for the words, ignoring case and spacing, perhaps with another ending."""
    parts = [re.escape(part) for part in words.split()]
    joined = r"[\s\u00ad-]+".join(parts)
    if WITHOUT_SPACES.search(words):
        # Without spaces a word may stand anywhere.
        return re.compile(joined, re.IGNORECASE)
    ending = rf"[^\W\d_]{{0,{ENDING}}}" if words[-1:].isalpha() else ""
    return re.compile(rf"(?<!\w){joined}{ending}(?!\w)", re.IGNORECASE)


def _first_row(block: Block) -> str:
    cells = next((row for row in rows_of(block) if any(cell.strip() for cell in row)), [])
    return shorten_text(" · ".join(cell.strip() for cell in cells if cell.strip()), LONGEST_TEXT)


def _sentence_around(block: Block, found: SurveyMatch) -> str:
    """Return the sentence around a match; of a long one only what is near."""
    # A heading is its own sentence.
    if block.kind in (BlockKind.HEADING, BlockKind.TABLE, BlockKind.CAPTION):
        line = block.text[block.text.rfind("\n", 0, found.start) + 1 :].split("\n", 1)[0]
        return shorten_text(" ".join(line.split()), LONGEST_AROUND)
    stretch = stretch_at(block.text, found.start)
    start, end = (stretch.start, stretch.end) if stretch is not None else (0, len(block.text))
    # Half before and half behind, so that the match stays in view.
    half = LONGEST_AROUND // 2
    first, last = max(start, found.start - half), min(end, found.end + half)
    text = " ".join(block.text[first:last].split())
    before = "…" if first > start else ""
    behind = "…" if last < end else ""
    return f"{before}{_whole_words(text, cut_first=bool(before), cut_last=bool(behind))}{behind}"


def _whole_words(text: str, *, cut_first: bool, cut_last: bool) -> str:
    if cut_first and " " in text[:30]:
        text = text.split(" ", 1)[1]
    if cut_last and " " in text[-30:]:
        text = text.rsplit(" ", 1)[0]
    return text


def shorten_text(text: str, most: int) -> str:
    """Shorten to at most `most` characters, cutting at a word."""
    if len(text) <= most:
        return text
    cut = text[:most]
    return f"{(cut.rsplit(' ', 1)[0] if ' ' in cut[-30:] else cut).rstrip(' ,;:')}…"
