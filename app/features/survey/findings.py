"""What the program finds in whole documents by itself, exactly, without a model: dates, amounts, addresses, words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from app.documents.blocks import Block, Kind, rows_of
from app.features.summary.result import Anchor, InputDocument, Method, Statement, SummarizedDocument, Summary, Wish
from app.features.summary.sections import Reading, whole
from app.features.survey.wanted import Scope, Wanted
from app.language.names import WITHOUT_SPACES
from app.language.numbers import CLOCK, MONEY, Quantity, dates, quantities
from app.language.words import stretch_at

FOUND_BY_PROGRAM = frozenset(Wanted) - {Wanted.ABOUT, Wanted.LIST}
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
class Found:
    """A stretch of a block that is what was wanted; those with one `key` are the same thing. `level` is a heading's."""

    start: int
    end: int
    key: object
    text: str = ""
    """What it is called, where the stretch itself says it badly."""
    level: int = 0


@dataclass
class _Entry:
    text: str
    level: int
    anchors: list[Anchor] = field(default_factory=list)


def find(documents: Sequence[InputDocument], scope: Scope, cancelled: Callable[[], bool] = lambda: False) -> Summary:
    """Everything of one of the kinds `FOUND_BY_PROGRAM`, as statements with their places, in the documents' order.

    What occurs several times is one statement with all its places, whose texts are the sentences around.
    """
    begun_s = time.monotonic()
    reading = Reading(documents, leaves_apart=False)
    entries: dict[object, _Entry] = {}
    for place, document in enumerate(documents):
        for block in document.blocks:
            if cancelled():
                break
            for found in found_in(block, scope):
                text = found.text or shortened(" ".join(block.text[found.start : found.end].split()), LONGEST_TEXT)
                entry = entries.setdefault(found.key, _Entry(text, found.level))
                around = _around(block, found)
                entry.anchors.append(Anchor(place, block.id, block.page, found.start, found.end, around))
        section = whole(place, document.blocks)
        if not cancelled():
            reading.answered(section, section.text)
    told = tuple(
        SummarizedDocument(one.id, one.name, one.title, one.unit, coverage)
        for one, coverage in zip(documents, reading.coverage(), strict=True)
    )
    statements = tuple(Statement(one.text, tuple(one.anchors), paragraph=one.level) for one in entries.values())
    return Summary(
        ", ".join(one.title or one.name for one in documents), told, statements, Wish(), "", "", len(told), len(told),
        is_partial=cancelled(), seconds=time.monotonic() - begun_s, method=Method.DIGEST,
    )  # fmt: skip


def found_in(block: Block, scope: Scope) -> Iterator[Found]:
    """What one block has of what is wanted, in order."""
    text = block.text
    match scope.wanted:
        case Wanted.DATES:
            yield from _dates(text)
        case Wanted.MONEY | Wanted.PERCENTAGES | Wanted.NUMBERS:
            yield from (_quantity(text, one) for one in quantities(text) if _is_wanted(one, scope.wanted))
        case Wanted.EMAILS:
            yield from (Found(*one.span(), one[0].casefold()) for one in _EMAIL.finditer(text))
        case Wanted.LINKS:
            yield from _links(text)
        case Wanted.MENTIONS:
            yield from (Found(*one.span(), one[0].casefold()) for one in mentions_of(scope.words).finditer(text))
        case Wanted.HEADINGS if block.kind is Kind.HEADING:
            yield Found(0, len(text), block.id, level=max(1, block.level))
        case Wanted.TABLES if block.kind is Kind.TABLE:
            yield Found(0, len(text), block.id, block.label or _first_row(block))
        case Wanted.FIGURES if block.kind is Kind.CAPTION and not _OF_A_TABLE.match(text):
            yield Found(0, len(text), block.id)


_OF_A_TABLE = re.compile(r"\s*(?:tab\.|tables?|tabellen?|tableaux?|tablas?|tabelas?|таблиц\w+|表)\s*\d", re.IGNORECASE)


def _dates(text: str) -> Iterator[Found]:
    """Those that name a day, or a month of a year."""
    for one in dates(text):
        if one.year or any(day for _, day in one.readings):
            yield Found(one.start, one.end, (one.year, one.readings))


def _is_wanted(one: Quantity, wanted: Wanted) -> bool:
    if one.is_part or one.is_word or one.dimension == CLOCK:
        return False
    if wanted is Wanted.MONEY:
        return one.dimension in MONEY
    return one.dimension in PERCENTAGES if wanted is Wanted.PERCENTAGES else bool(one.dimension)


def _quantity(text: str, one: Quantity) -> Found:
    value: Decimal | str = one.value if one.value is not None else text[one.start : one.end]
    return Found(one.start, one.end, (one.dimension, value))


def _links(text: str) -> Iterator[Found]:
    for match in _LINK.finditer(text):
        end = match.end()
        while end > match.start() and _ends_outside(text[match.start() : end]):
            end -= 1
        if "." in text[match.start() : end]:
            yield Found(match.start(), end, text[match.start() : end].rstrip("/").casefold())


def _ends_outside(address: str) -> bool:
    """Whether the last sign belongs to the sentence around."""
    last = address[-1]
    return last in _BEHIND_LINK or (last in _PAIRS and address.count(last) > address.count(_PAIRS[last] or "\0"))


def mentions_of(words: str) -> re.Pattern[str]:
    """The words whatever their case and the space between them, perhaps with another ending."""
    parts = [re.escape(part) for part in words.split()]
    joined = r"[\s\u00ad-]+".join(parts)
    if WITHOUT_SPACES.search(words):
        return re.compile(joined, re.IGNORECASE)
    ending = rf"[^\W\d_]{{0,{ENDING}}}" if words[-1:].isalpha() else ""
    return re.compile(rf"(?<!\w){joined}{ending}(?!\w)", re.IGNORECASE)


def _first_row(block: Block) -> str:
    cells = next((row for row in rows_of(block) if any(cell.strip() for cell in row)), [])
    return shortened(" · ".join(cell.strip() for cell in cells if cell.strip()), LONGEST_TEXT)


def _around(block: Block, found: Found) -> str:
    """The sentence in which it stands; of a long one what is near."""
    if block.kind in (Kind.HEADING, Kind.TABLE, Kind.CAPTION):
        line = block.text[block.text.rfind("\n", 0, found.start) + 1 :].split("\n", 1)[0]
        return shortened(" ".join(line.split()), LONGEST_AROUND)
    stretch = stretch_at(block.text, found.start)
    start, end = (stretch.start, stretch.end) if stretch is not None else (0, len(block.text))
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


def shortened(text: str, most: int) -> str:
    """At most so many letters, cut at a word."""
    if len(text) <= most:
        return text
    cut = text[:most]
    return f"{(cut.rsplit(' ', 1)[0] if ' ' in cut[-30:] else cut).rstrip(' ,;:')}…"
