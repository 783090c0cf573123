"""Dates in their many spellings: "3 March 2024", "March 3, 2024", "3. März 2024", "2024-03-03", "03.03.2024"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from app.core.paths import resource_path
from app.language.text_cache import text_cache
from app.language.words import normalize_signs

TABLES: dict[str, Any] = json.loads(resource_path("quantities.json").read_text("utf-8"))
"""Units, scales, number words and months in the more common languages."""
MONTHS: dict[str, int] = {word: number for number, row in enumerate(TABLES["months"], 1) for word in row.split()}
_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
# An ordinal's ending or point, as it stands in the commoner languages.
_DAY = r"\d{1,2}(?:st|nd|rd|th|er|\.|º|ª)?"
_YEAR = r"(?:\d{4}|'\d{2})"
# A range of days has the month once: "3-5 May".
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
# Alone a month's name could be another word at the beginning of a sentence ("May I …"), so a word has to stand before.
_MONTH_ALONE = re.compile(rf"(?<=[^\W_][ ,] )(?:{_NAME})\b|(?<=[^\W_] )(?:{_NAME})\b", re.IGNORECASE)
_ISO = re.compile(r"(?<![\d./-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d/-]|\.\d)")
_DAY_POINTS = re.compile(r"(?<![\d./-])(\d{1,2})([./-]) ?(\d{1,2})\2 ?(\d{4}|\d{2})(?![\d/-]|\.\d)")
_CJK = re.compile(r"(?:(\d{4}) ?[年년] ?)?(\d{1,2}) ?[月월](?: ?(\d{1,2}) ?[日일号])?")
_DAY_MONTH = re.compile(
    rf"(?<![\w.,])(?P<from>)(?P<day>{_DAY}) ?(?:of |de |di )?(?P<month>{_NAME})\b(?P<year>)", re.IGNORECASE
)
_LONGEST_ABBREVIATION = 4
_SHORT_NAME = 3
"""A month's name of so few letters alone is taken for another word."""


class Date(NamedTuple):
    """A date from `start` to `end`; missing parts are 0. `days` and `months`: its possible readings."""

    start: int
    end: int
    year: int
    readings: tuple[tuple[int, int], ...]
    """(month, day) pairs: two where "03/04/2024" may be either."""

    def covers_date(self, other: Date) -> bool:
        """Return whether this date, on a page, supports `other`: everything `other` names is equal here."""
        # A page with more (the year) bears out a statement with less, but never the other way round.
        if other.year and self.year and other.year != self.year:
            return False
        return any(
            mine[0] == theirs[0] and (not theirs[1] or mine[1] == theirs[1])
            for mine in self.readings
            for theirs in other.readings
        )


@text_cache(4096)
def find_dates(text: str) -> tuple[Date, ...]:
    """Return a text's dates in order, none nested. A month's name alone counts, too."""
    # Non-breaking spaces and other digits are levelled, so that patterns need not know them.
    plain = normalize_signs(text)
    found: list[Date] = []
    taken = bytearray(len(plain))
    for date in _all_dates(plain):
        if not any(taken[date.start : date.end]):
            # Longer forms are looked for first, so that "3 May 2024" is not also "May 2024".
            taken[date.start : date.end] = b"\1" * (date.end - date.start)
            found.append(date)
    return tuple(sorted(found))


def _all_dates(plain: str) -> Iterator[Date]:
    for match in _ISO.finditer(plain):
        yield from _check_pairs(match.start(), match.end(), int(match[1]), [(int(match[3]), int(match[4]))])
    for match in _DAY_POINTS.finditer(plain):
        first, second = int(match[1]), int(match[3])
        # A point is European, day first; a slash or a hyphen may be either.
        pairs = [(second, first)] if match[2] == "." else [(first, second), (second, first)]
        yield from _check_pairs(match.start(), match.end(), _parse_year(match[4]), pairs)
    for match in _CJK.finditer(plain):
        yield from _check_pairs(match.start(), match.end(), int(match[1] or 0), [(int(match[2]), int(match[3] or 0))])
    # Few texts have a month's name, and these patterns are the slow ones.
    if not _has_month(plain):
        return
    for pattern in (_DAY_FIRST, _MONTH_FIRST, _DAY_MONTH):
        for match in pattern.finditer(plain):
            if _ends_sentence(plain, match):
                continue
            month = MONTHS[match["month"].casefold()]
            pairs = [(month, int(re.sub(r"\D", "", match[day]))) for day in ("day", "from") if match[day]]
            yield from _check_pairs(match.start(), match.end(), _parse_year(match["year"] or "0"), pairs)
    for match in _MONTH_YEAR.finditer(plain):
        if _ends_sentence(plain, match):
            continue
        yield from _check_pairs(
            match.start(), match.end(), int(match["year"]), [(MONTHS[match["month"].casefold()], 0)]
        )
    for match in _MONTH_ALONE.finditer(plain):
        word = match[0]
        if len(word) > _SHORT_NAME and word[0].isupper():
            yield Date(match.start(), match.end(), 0, ((MONTHS[word.casefold()], 0),))


def _ends_sentence(plain: str, match: re.Match[str]) -> bool:
    """Return whether a full stop separates the month from what follows, as in "on 3 May.

    2024 tonnes" but not "3 Sept. 2024".
    """
    month = match["month"].casefold()
    is_whole = len(month) > _LONGEST_ABBREVIATION or month == "may"
    return is_whole and match.end("month") < match.end() and plain[match.end("month")] == "."


@text_cache(4096)
def _has_month(plain: str) -> bool:
    return any(word in MONTHS for word in re.findall(r"[^\W\d_]{3,}", plain.casefold()))


def _check_pairs(start: int, end: int, year: int, pairs: list[tuple[int, int]]) -> Iterator[Date]:
    # 0 days: a month alone.
    good = tuple(dict.fromkeys((month, day) for month, day in pairs if 1 <= month <= 12 and 0 <= day <= 31))
    if good:
        yield Date(start, end, year, good)


def _parse_year(text: str) -> int:
    """Parse a year; one of two digits is in this century up to 68, as in POSIX."""
    year = int(text.lstrip("'"))
    if len(text.lstrip("'")) > 2 or not year:
        return year
    return year + (2000 if year < 69 else 1900)
