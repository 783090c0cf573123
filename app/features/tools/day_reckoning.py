"""Reckons with days: now and in another time zone, the weekday, days added, the time between two dates."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo

from app.features.tools.tool import ToolRefused
from app.language.dates import find_dates

MOST_DAYS = 4_000_000
"""Beyond what the calendar of datetime holds."""
_NOW = frozenset({"", "now", "today", "heute", "hoy", "aujourd’hui"})


class DateRefused(ToolRefused):
    """A date or zone that can't be reckoned with, and the reason."""


def describe_date(
    written: str = "",
    *,
    zone: str = "",
    add_days: int = 0,
    until: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> str:
    """Describe a date, or now, with its weekday; with days added, or with the time until another one.

    Raises DateRefused with a sentence.
    """
    place = _find_zone(zone)
    moment = now().astimezone(place)
    begin, has_time = _read_date(written, moment)
    if abs(add_days) > MOST_DAYS:
        raise DateRefused("That is too far away for a calendar.")
    try:
        end = begin + timedelta(days=add_days)
    except OverflowError:
        raise DateRefused("That is too far away for a calendar.") from None
    lines = [_write_moment(end, has_time=has_time)]
    if add_days:
        lines[0] = f"{_write_moment(begin, has_time=has_time)} {add_days:+,} days is {lines[0]}"
    if until:
        other, other_has_time = _read_date(until, moment)
        lines.append(f"Until {_write_moment(other, has_time=other_has_time)}: {_write_span(end, other)}")
    return "\n".join(lines)


def _find_zone(name: str) -> tzinfo | None:
    """Return the time zone; None for this computer's own."""
    if not name.strip():
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name.strip().upper() in ("UTC", "GMT", "Z"):
        return UTC
    try:
        return ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, or no name of a zone at all
        raise DateRefused(f"There is no time zone “{name}”. Name one like Europe/Berlin.") from None


def _read_date(written: str, now: datetime) -> tuple[datetime, bool]:
    """Return a date in the zone of `now`, and whether it has a time of day."""
    text = written.strip()
    if text.casefold() in _NOW:
        return now, True
    if text.casefold() in ("tomorrow", "yesterday"):
        return now + timedelta(days=1 if text.casefold() == "tomorrow" else -1), False
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _read_words(text, now)
    has_time = re.search(r"\d:\d", text) is not None
    try:
        return (found.astimezone(now.tzinfo) if found.tzinfo else found.replace(tzinfo=now.tzinfo)), has_time
    except OverflowError:
        raise DateRefused("That is too far away for a calendar.") from None


def _read_words(text: str, now: datetime) -> datetime:
    """Return the date in a text such as "3 May 2027"; without a year it is this one's."""
    dates = find_dates(text)
    days = [(month, day) for month, day in dates[0].readings if month and day] if len(dates) == 1 else []
    if len(days) > 1:
        raise DateRefused(f"“{text}” can be read in two ways. Write it as YYYY-MM-DD.")
    try:
        month, day = days[0]
        return datetime(dates[0].year or now.year, month, day)
    except (IndexError, ValueError):
        raise DateRefused(f"“{text}” is no date. Write it as YYYY-MM-DD, or with a time as YYYY-MM-DDTHH:MM.") from None


def _write_moment(moment: datetime, *, has_time: bool) -> str:
    # Names of days and months in English whatever the computer speaks: the model reads them.
    words = f"{_DAYS[moment.weekday()]}, {moment.day} {calendar.month_name[moment.month]} {moment.year}"
    written = f"{words} ({moment.date().isoformat()}, week {moment.isocalendar().week})"
    return written if not has_time else f"{written}, {moment:%H:%M} {_write_zone(moment)}"


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _write_zone(moment: datetime) -> str:
    offset = moment.strftime("%z")
    return f"{moment.tzname()} (UTC{offset[:3]}:{offset[3:5]})"


def _write_span(begin: datetime, end: datetime) -> str:
    days = (end.date() - begin.date()).days
    parts = [_count_words(days, "day")]
    weeks, rest = divmod(abs(days), 7)
    if weeks:
        parts.append(f"{_count_words(weeks, 'week')} and {_count_words(rest, 'day')}")
    years, months, left = months_between(*sorted((begin.date(), end.date())))
    if years or months:
        parts.append(f"{_count_words(years, 'year')}, {_count_words(months, 'month')} and {_count_words(left, 'day')}")
    return " = ".join(parts)


def _count_words(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'s' if abs(count) != 1 else ''}"


def months_between(begin: date, end: date) -> tuple[int, int, int]:
    """Return whole years, months and days from a date to a later one; a month ends on its last day at the latest."""
    months = (end.year - begin.year) * 12 + end.month - begin.month
    if (reached := _add_months(begin, months)) > end:
        months -= 1
        reached = _add_months(begin, months)
    return months // 12, months % 12, (end - reached).days


def _add_months(begin: date, months: int) -> date:
    year, month = divmod(begin.year * 12 + begin.month - 1 + months, 12)
    return date(year, month + 1, min(begin.day, calendar.monthrange(year, month + 1)[1]))
