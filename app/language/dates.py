"""Dates in their many spellings: "3 March 2024", "March 3, 2024", "3. März 2024", "2024-03-03", "03.03.2024"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from app.core.paths import resource
from app.language.words import level

TABLES: dict[str, Any] = json.loads(resource("quantities.json").read_text("utf-8"))
"""Units, scales, numbers in letters and months, as words of the more common languages stand for them."""
MONTHS: dict[str, int] = {word: number for number, row in enumerate(TABLES["months"], 1) for word in row.split()}
_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY = r"\d{1,2}(?:st|nd|rd|th|er|\.|º|ª)?"
_YEAR = r"(?:\d{4}|'\d{2})"
_DAY_FIRST = re.compile(
    rf"(?<![\w.,])(?:(?P<from>{_DAY}) ?(?:-|to|bis|and|und|au|al|a) ?)?(?P<day>{_DAY}) ?(?:of |de |di )?"
    rf"(?P<month>{_NAME})\b\.?(?:,? ?(?:de |del )?(?P<year>{_YEAR})\b)?",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"(?<!\w)(?P<month>{_NAME})\b\.? (?P<day>{_DAY})(?![.,/:]?\d)(?! \d(?!\d{{3}}))(?:(?: ?- ?)(?P<from>\d{{1,2}}))?\b"
    rf"(?:,? (?P<year>{_YEAR})\b)?",
    re.IGNORECASE,
)
_MONTH_YEAR = re.compile(
    rf"(?<!\w)(?P<month>{_NAME})\b\.?,? (?:of |de |del )?(?P<year>\d{{4}})\b(?![.,]\d)", re.IGNORECASE
)
_MONTH_ALONE = re.compile(rf"(?<=[^\W_][ ,] )(?:{_NAME})\b|(?<=[^\W_] )(?:{_NAME})\b", re.IGNORECASE)
_ISO = re.compile(r"(?<![\d./-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d/-]|\.\d)")
_POINTS = re.compile(r"(?<![\d./-])(\d{1,2})([./-]) ?(\d{1,2})\2 ?(\d{4}|\d{2})(?![\d/-]|\.\d)")
_CJK = re.compile(r"(?:(\d{4}) ?[年년] ?)?(\d{1,2}) ?[月월](?: ?(\d{1,2}) ?[日일号])?")
_DAY_MONTH = re.compile(rf"(?<![\w.,])(?P<from>)(?P<day>{_DAY}) ?(?P<month>{_NAME})\b(?P<year>)", re.IGNORECASE)
_LONGEST_ABBREVIATION = 4
_SHORT_NAME = 3
"""A month's name of so few letters alone is taken for another word."""


class Date(NamedTuple):
    """A date from `start` to `end`; what it leaves open is 0. `days` and `months`: the ways to read it."""

    start: int
    end: int
    year: int
    readings: tuple[tuple[int, int], ...]
    """(month, day) pairs: two where "03/04/2024" may be either."""

    def covers(self, other: Date) -> bool:
        """Whether this date, on a page, bears out `other`: all that the other one names is the same here."""
        if other.year and self.year and other.year != self.year:
            return False
        return any(
            mine[0] == theirs[0] and (not theirs[1] or mine[1] == theirs[1])
            for mine in self.readings
            for theirs in other.readings
        )


@lru_cache(maxsize=4096)
def dates(text: str) -> tuple[Date, ...]:
    """The dates of a text in their order, none inside another. A month's name alone counts as one too."""
    plain = level(text)
    found: list[Date] = []
    taken = bytearray(len(plain))
    for date in _all(plain):
        if not any(taken[date.start : date.end]):
            taken[date.start : date.end] = b"\1" * (date.end - date.start)
            found.append(date)
    return tuple(sorted(found))


def _all(plain: str) -> Iterator[Date]:
    for match in _ISO.finditer(plain):
        yield from _checked(match.start(), match.end(), int(match[1]), [(int(match[3]), int(match[4]))])
    for match in _POINTS.finditer(plain):
        first, second = int(match[1]), int(match[3])
        pairs = [(second, first)] if match[2] == "." else [(first, second), (second, first)]
        yield from _checked(match.start(), match.end(), _year(match[4]), pairs)
    for match in _CJK.finditer(plain):
        yield from _checked(match.start(), match.end(), int(match[1] or 0), [(int(match[2]), int(match[3] or 0))])
    if not _has_month(plain):
        return
    for pattern in (_DAY_FIRST, _MONTH_FIRST, _DAY_MONTH):
        for match in pattern.finditer(plain):
            if _ends_sentence(plain, match):
                continue
            month = MONTHS[match["month"].casefold()]
            pairs = [(month, int(re.sub(r"\D", "", match[day]))) for day in ("day", "from") if match[day]]
            yield from _checked(match.start(), match.end(), _year(match["year"] or "0"), pairs)
    for match in _MONTH_YEAR.finditer(plain):
        if _ends_sentence(plain, match):
            continue
        yield from _checked(match.start(), match.end(), int(match["year"]), [(MONTHS[match["month"].casefold()], 0)])
    for match in _MONTH_ALONE.finditer(plain):
        word = match[0]
        if len(word) > _SHORT_NAME and word[0].isupper():
            yield Date(match.start(), match.end(), 0, ((MONTHS[word.casefold()], 0),))


def _ends_sentence(plain: str, match: re.Match[str]) -> bool:
    """Whether a full stop parts the month from what follows: "on 3 May. 2024 tonnes", and not "3 Sept. 2024"."""
    month = match["month"].casefold()
    is_whole = len(month) > _LONGEST_ABBREVIATION or month == "may"
    return is_whole and match.end("month") < match.end() and plain[match.end("month")] == "."


@lru_cache(maxsize=4096)
def _has_month(plain: str) -> bool:
    return any(word in MONTHS for word in re.findall(r"[^\W\d_]{3,}", plain.casefold()))


def _checked(start: int, end: int, year: int, pairs: list[tuple[int, int]]) -> Iterator[Date]:
    good = tuple(dict.fromkeys((month, day) for month, day in pairs if 1 <= month <= 12 and 0 <= day <= 31))
    if good:
        yield Date(start, end, year, good)


def _year(text: str) -> int:
    """A year of two figures counts for this century up to 68, as POSIX reads it."""
    year = int(text.lstrip("'"))
    if len(text.lstrip("'")) > 2 or not year:
        return year
    return year + (2000 if year < 69 else 1900)
