"""The one door for numbers, sizes, dates and lists on the screen, as the language of the window writes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from PySide6.QtCore import QDate, QDateTime, QLocale, Qt, QTime

from app.core.catalogue import tr, use_value_format
from app.core.installed_languages import ENGLISH
from app.core.joined_texts import comma_of
from app.core.visible import ByteSize, Moment, measure_size
from app.ui.shown_texts import remember_joined

_SHORT = QLocale.FormatType.ShortFormat
_NO_BLANK = ("ar", "it", "ja", "pt", "zh")
"""Languages that write a percent sign right behind its number."""
_WITH_OTHER_DIGITS = {"ar": QLocale(QLocale.Language.Arabic, QLocale.Country.UnitedArabEmirates)}
_EMBED, _POP = "\u2068", "\u2069"
"""Isolate what lies between, in its own direction (Unicode Bidirectional Algorithm: FSI and PDI)."""


def _locale_of(language: str) -> QLocale:
    # The region is the system's where its language is the same, for days and clocks of London or of Boston.
    system, wanted = QLocale.system(), QLocale(language)
    found = system if system.language() is wanted.language() else wanted
    # Counts in sentences have digits from 0 to 9, and a sentence should not mix them with those of the Mashriq.
    return found if found.zeroDigit() == "0" else _WITH_OTHER_DIGITS.get(language, found)


class _FormatsInUse:
    """The language in use; numbers are written by it."""

    def __init__(self) -> None:
        self.use(ENGLISH)

    def use(self, language: str, *, is_mirrored: bool = False) -> None:
        self.language = language.partition("-")[0].partition("_")[0]
        self.locale = _locale_of(language)
        self.is_right_to_left = is_mirrored or self.locale.textDirection() is Qt.LayoutDirection.RightToLeft


_formats = _FormatsInUse()


def use_formats(language: str, *, is_mirrored: bool = False) -> None:
    """Write numbers, dates and lists by this language code from now on, in the system's region of it.

    `is_mirrored` writes any language as one from right to left.
    """
    _formats.use(language, is_mirrored=is_mirrored)
    use_value_format(format_value)
    QLocale.setDefault(_formats.locale)


def is_right_to_left() -> bool:
    """Return whether the language in use is written from right to left."""
    return _formats.is_right_to_left


def format_number(number: int) -> str:
    """Format a whole number with its thousands grouped, such as 1,240."""
    return _formats.locale.toString(number) if abs(number) < 2**63 else str(number)


def format_decimal(number: float, places: int, *, is_trimmed: bool = False) -> str:
    """Format with so many decimal places, such as 0.41; trimmed, zeros at its end are left out."""
    written = _formats.locale.toString(float(number), "f", places)
    point = _formats.locale.decimalPoint()
    if is_trimmed and point in written:
        written = written.rstrip(_formats.locale.zeroDigit()).removesuffix(point)
    return written


def format_significant(number: float, digits: int) -> str:
    """Format with so many digits in all, such as 0.0123 or 4.57e+06."""
    return _formats.locale.toString(float(number), "g", digits)


def format_percent(share: float, places: int = 0) -> str:
    """Format a share of one as percent, such as 76 %."""
    number, sign = format_decimal(100 * share, places), _formats.locale.percent()
    if _formats.language == "tr":
        return f"{sign}{number}"
    return f"{number}{sign}" if _formats.language in _NO_BLANK else f"{number} {sign}"


def format_brief_percent(share: float) -> str:
    """Format a share of one as percent with two digits that matter, such as 62 % and 4.2 %."""
    return format_percent(share, 0 if share >= 0.0995 else 1)


def format_speed(per_second: float) -> str:
    """Format a speed with a decimal only where it is slow, such as 24 and 3.5."""
    return format_decimal(per_second, 0 if per_second >= 10 else 1)


def format_size(size_bytes: float) -> str:
    """Format a size of a file or memory, such as 1.2 GB."""
    value, places, unit = measure_size(size_bytes)
    return isolate(f"{format_decimal(value, places)} {tr(unit)}")


def format_clock(seconds: int) -> str:
    """Format a length of a recording, such as 1:05, or 1:02:03 from an hour on."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_time(at: float) -> str:
    """Format the time of day of a moment in seconds since 1970, in the local zone."""
    moment = datetime.fromtimestamp(at)
    return _formats.locale.toString(QTime(moment.hour, moment.minute), _SHORT)


def format_date(at: float) -> str:
    """Format the day of a moment in figures."""
    moment = datetime.fromtimestamp(at)
    return _formats.locale.toString(QDate(moment.year, moment.month, moment.day), _SHORT)


def format_moment(at: float) -> str:
    """Format day and time of a moment, such as 2 Dec 2026, 06:05."""
    return _with_pattern("d MMM yyyy, HH:mm", QDateTime.fromSecsSinceEpoch(int(at)))


def format_day(at: float) -> str:
    """Format the day of a moment, such as 2 Dec; with its year if that is another than this one's."""
    moment = datetime.fromtimestamp(at)
    day = QDate(moment.year, moment.month, moment.day)
    return _with_pattern("d MMM" if moment.year == datetime.now().year else "d MMM yyyy", day)


def format_weekday(day: QDate) -> str:
    """Format a day of these weeks, such as Wednesday, 2 December."""
    return _formats.locale.toString(day, "dddd, d MMMM" if _is_english() else QLocale.FormatType.LongFormat)


def format_month_day(day: QDate) -> str:
    """Format a day with its month in words, such as 2 December; with its year if that is another than this one's."""
    pattern = "d MMMM" if day.year() == QDate.currentDate().year() else "d MMMM yyyy"
    return _formats.locale.toString(day, pattern if _is_english() else QLocale.FormatType.LongFormat)


def format_long_date(day: QDate) -> str:
    """Format a day in words, as a letter has it."""
    return _formats.locale.toString(day, QLocale.FormatType.LongFormat)


def join_list(entries: Iterable[str]) -> str:
    """Join the entries of a list by commas; empty ones are left out."""
    found = [entry for entry in entries if entry]
    return remember_joined(comma_of(_formats.language).join(map(isolate, found)), join_list, found)


def join_with_and(entries: Iterable[str]) -> str:
    """Join the entries of a list as a sentence does, such as "a, b and c"; empty ones are left out."""
    found = [entry for entry in entries if entry]
    isolated = [isolate(entry) for entry in found]
    joined = _formats.locale.createSeparatedList(isolated)
    # CLDR's comma before "and" is not ours.
    if _is_english():
        joined = " and ".join(filter(None, [", ".join(isolated[:-1]), *isolated[-1:]]))
    return remember_joined(joined, join_with_and, found)


def join_facts(facts: Iterable[str]) -> str:
    """Join facts that stand side by side in a line, such as "5 pages · 508 words"; empty ones are left out."""
    found = [fact for fact in facts if fact]
    return remember_joined(" · ".join(map(isolate, found)), join_facts, found)


def isolate(text: str) -> str:
    """Keep a text from turning with the line that it stands in; only lines from right to left need that."""
    return f"{_EMBED}{text}{_POP}" if is_right_to_left() and text else text


def format_value(value: object, spec: str) -> str:
    """Format a value of a template by the language: sizes, moments, and numbers with a comma or decimals."""
    if isinstance(value, ByteSize):
        return format_size(value)
    if isinstance(value, Moment):
        return format_moment(value)
    if isinstance(value, (int, float)) and spec and not isinstance(value, bool):
        places = spec.strip(",").removeprefix(".").removesuffix("f")
        if places.isdecimal() or (spec == "," and isinstance(value, int)):
            return format_decimal(value, int(places)) if places else format_number(int(value))
    return format(value, spec)


def _with_pattern(pattern: str, value: QDate | QDateTime) -> str:
    return _formats.locale.toString(value, pattern if _is_english() else _SHORT)


def _is_english() -> bool:
    return _formats.language == ENGLISH
