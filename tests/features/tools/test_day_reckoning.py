"""Dates are reckoned as datetime does, and what is no date is said to be none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.tools.day_reckoning import DateRefused, describe_date, months_between

NOW = datetime(2026, 12, 1, 22, 30, tzinfo=UTC)
DATES = st.dates(min_value=date(1700, 1, 1), max_value=date(2500, 1, 1))


def described(written: str = "", **options: object) -> str:
    return describe_date(written, now=lambda: NOW, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "options", "result"),
    [
        ("", {"zone": "UTC"}, "Tuesday, 1 December 2026 (2026-12-01, week 49), 22:30 UTC (UTC+00:00)"),
        ("now", {"zone": "Asia/Tokyo"}, "Wednesday, 2 December 2026 (2026-12-02, week 49), 07:30 JST (UTC+09:00)"),
        ("2024-02-28", {"add_days": 2}, "Wednesday, 28 February 2024 (2024-02-28, week 9) +2 days is Friday, 1 March"),
        ("2024-02-29", {}, "Thursday, 29 February 2024 (2024-02-29, week 9)"),
        ("3 May 2027", {}, "Monday, 3 May 2027 (2027-05-03, week 18)"),
        ("tomorrow", {"zone": "UTC"}, "Wednesday, 2 December 2026"),
        ("2026-12-01", {"until": "2026-12-25"}, "24 days = 3 weeks and 3 days"),
        ("2024-01-31", {"until": "2025-03-01"}, "395 days = 56 weeks and 3 days = 1 year, 1 month and 1 day"),
        ("2026-12-25", {"until": "2026-12-01"}, "-24 days"),
        ("2026-12-01T15:00+01:00", {"zone": "Asia/Tokyo"}, "23:00 JST"),
    ],
)
def test_dates(written: str, options: dict[str, object], result: str) -> None:
    assert result in described(written, **options)


@pytest.mark.parametrize(
    ("written", "options", "reason"),
    [
        ("soon", {}, "“soon” is no date. Write it as YYYY-MM-DD"),
        ("2023-02-29", {}, "is no date"),
        ("03/04/2027", {}, "can be read in two ways"),
        ("", {"zone": "Atlantis/Capital"}, "There is no time zone “Atlantis/Capital”."),
        ("", {"zone": "../../etc/passwd"}, "There is no time zone"),
        ("", {"zone": "\0"}, "There is no time zone"),
        ("", {"add_days": 10**9}, "too far away"),
        ("9999-12-31", {"add_days": 2}, "too far away"),
        ("0001-01-01", {"add_days": -2}, "too far away"),
        ("2026-12-01", {"until": "later"}, "“later” is no date"),
    ],
)
def test_what_cannot_be_reckoned_is_said(written: str, options: dict[str, object], reason: str) -> None:
    with pytest.raises(DateRefused) as refusal:
        described(written, **options)
    assert reason in str(refusal.value)


@given(DATES, st.integers(-100_000, 100_000))
def test_days_are_added_as_datetime_adds_them(begin: date, days: int) -> None:
    end = begin + timedelta(days=days)
    written = described(begin.isoformat(), add_days=days)
    assert f"({end.isoformat()}, week {end.isocalendar().week})" in written
    assert f"{end:%A}, {end.day} {end:%B} {end.year}" in written


@given(DATES, DATES)
def test_the_days_between_are_those_of_datetime(begin: date, end: date) -> None:
    written = described(begin.isoformat(), until=end.isoformat())
    assert f": {(end - begin).days:,} day" in written


@given(DATES, DATES)
def test_years_months_and_days_lead_from_one_date_to_the_other(one: date, other: date) -> None:
    begin, end = sorted((one, other))
    years, months, days = months_between(begin, end)
    assert 0 <= months < 12
    assert 0 <= days < 31
    whole = begin.year * 12 + begin.month - 1 + years * 12 + months
    reached = end - timedelta(days=days)
    assert (reached.year * 12 + reached.month - 1) == whole
    assert reached.day in (begin.day, *range(28, 31))


@given(st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)), st.sampled_from(["Europe/Berlin", "America/Lima"]))
def test_zones_are_those_of_zoneinfo(moment: datetime, zone: str) -> None:
    there = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    written = described(moment.replace(tzinfo=UTC).isoformat(), zone=zone)
    assert f"({there.date().isoformat()}, " in written
    assert f", {there:%H:%M} {there.tzname()}" in written


WRITTEN = st.text("0123456789-:/.,TZ+ aMayé\0", max_size=30)


@given(WRITTEN, WRITTEN, WRITTEN)
def test_whatever_is_written_there_is_a_date_or_a_sentence(written: str, zone: str, until: str) -> None:
    try:
        assert described(written, zone=zone, until=until)
    except DateRefused as refusal:
        assert str(refusal).endswith(".")
