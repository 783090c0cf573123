"""Numbers, dates and lists are written by the language of the window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from PySide6.QtCore import QLocale

from app.core.catalogue import fill_value
from app.core.errors.hub_errors import NotEnoughDisk
from app.core.visible import ByteSize, Moment
from app.ui.i18n import sentence_for, size_text, tr
from app.ui.locale_formats import (
    ENGLISH,
    format_brief_percent,
    format_clock,
    format_day,
    format_decimal,
    format_moment,
    format_number,
    format_percent,
    is_right_to_left,
    join_facts,
    join_list,
    join_with_and,
    use_formats,
)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    default = QLocale()
    use_formats(ENGLISH)
    yield
    use_formats(ENGLISH)
    QLocale.setDefault(default)


def test_moments_of_saved_files_are_written_as_the_language_does() -> None:
    at = datetime(2026, 12, 2, 6, 5).timestamp()
    assert fill_value(Moment(at), "") == "2 Dec 2026, 06:05"
    use_formats("de")
    assert fill_value(Moment(at), "") == format_moment(at) != "2 Dec 2026, 06:05"


@pytest.mark.parametrize(
    ("language", "number", "decimal", "share"),
    [
        ("en", "1,240", "0.41", "76 %"), ("de", "1.240", "0,41", "76 %"), ("fr", "1\u202f240", "0,41", "76 %"),
        ("es", "1240", "0,41", "76 %"), ("pt", "1.240", "0,41", "76%"), ("pl", "1240", "0,41", "76 %"),
        ("ja", "1,240", "0.41", "76%"), ("zh", "1,240", "0.41", "76%"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_the_language_does(language: str, number: str, decimal: str, share: str) -> None:
    use_formats(language)
    assert (format_number(1240), format_decimal(0.41, 2), format_percent(0.76)) == (number, decimal, share)


def test_decimals_that_say_nothing_are_left_out() -> None:
    assert [format_decimal(value, 2, is_trimmed=True) for value in (0.7, 1.0, 10.0)] == ["0.7", "1", "10"]
    assert [format_brief_percent(share) for share in (0.62, 0.042)] == ["62 %", "4.2 %"]
    use_formats("de")
    assert format_decimal(0.7, 2, is_trimmed=True) == "0,7"


def test_a_template_fills_numbers_and_sizes_in_by_the_language() -> None:
    assert tr("{count:,} pages, {speed:.1f} a second, page {page}", count=1240, speed=2.55, page=1240)
    use_formats("de")
    assert tr("{count:,} pages, page {page}", count=1240, page=1240) == "1.240 pages, page 1240"
    assert tr("{free} free", free=ByteSize(5_680_000)) == "5,7 MB free" == f"{size_text(5_680_000)} free"


def test_an_error_tells_sizes_by_the_language_of_who_shows_it() -> None:
    problem = NotEnoughDisk("/models", 5_680_000_000, 1_200_000)
    use_formats("de")
    assert "5,7 GB" in str(sentence_for(problem))
    assert "5.7 GB" in sentence_for(problem).english, "for a model or another program"


def test_lists_are_joined_as_the_language_does() -> None:
    assert join_with_and(["a"]) == "a"
    assert join_with_and(["a", "b"]) == "a and b"
    assert join_with_and(["a", "", "b", "c"]) == "a, b and c"
    assert join_list(["a", "", "b"]) == "a, b"
    use_formats("de")
    assert join_with_and(["a", "b", "c"]) == "a, b und c"
    use_formats("ja")
    assert join_list(["a", "b"]) == "a、b"


def test_days_are_written_as_the_language_does() -> None:
    at = datetime(2020, 12, 2, 6, 5).timestamp()
    assert (format_day(at), format_moment(at)) == ("2 Dec 2020", "2 Dec 2020, 06:05")
    use_formats("de")
    assert (format_day(at), format_moment(at)) == ("02.12.20", "02.12.20 06:05")
    assert [format_clock(seconds) for seconds in (5, 65, 3723)] == ["0:05", "1:05", "1:02:03"]


def test_facts_and_sizes_stay_whole_in_a_line_from_right_to_left() -> None:
    assert (join_facts(["5 pages", "9 MB"]), is_right_to_left()) == ("5 pages · 9 MB", False)
    use_formats("ar")
    assert is_right_to_left()
    assert join_facts(["5 pages", "", "9 MB"]) == "\u20685 pages\u2069 · \u20689 MB\u2069"
    assert size_text(5_680_000) == "\u20685.7 MB\u2069", "the digits of counts in sentences"
