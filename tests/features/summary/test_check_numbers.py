"""Numbers, units and dates are found in other spellings, and changed ones are seen."""

from __future__ import annotations

import pytest

from app.features.summary.checks import missing_number


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("It cost 3.7 million.", "It cost 3,700,000."),
        ("It cost 3,700,000.", "It cost 3.7 million."),
        ("It cost $3.7m.", "The price was 3.7 million dollars."),
        ("It cost 3,7 Mio. €.", "Der Preis betrug 3.700.000 Euro."),
        ("It cost 1,250.50 euros.", "Es kostete 1.250,50 €."),
        ("It cost 12 million of euros.", "It cost €12 million."),
        ("It has 1284 seats.", "It has 1 284 seats."),
        ("It has 7,500 seats.", "It has 7.500 Plätze."),
        ("It has 1,23,456 seats.", "It has 123456 seats."),
        ("It has 110M parameters.", "It has 110 million parameters."),
        ("It rose by 8%.", "It rose by 8 per cent."),
        ("It rose by 8 percent.", "Es stieg um 8 Prozent."),
        ("It rose by .5 points.", "It rose by 0.50 points."),
        ("It is 2 km long.", "It is 2,000 metres long."),
        ("It is 2 kilometres long.", "It is 2 km long."),
        ("It took two weeks.", "It took 14 days."),
        ("It takes 90 minutes.", "It takes 1.5 hours."),
        ("A notice of 60 days is due.", "A 60-day notice is due."),
        ("A year is given.", "1 year is given."),
        ("3 parties signed.", "Three parties signed."),
        ("Three parties signed.", "3 parties signed."),
        ("25 people came.", "Twenty-five people came."),
        ("21 Tage bleiben.", "Einundzwanzig Tage bleiben."),
        ("It lost 3,000,000 dollars.", "It lost three million dollars."),
        ("Between 5 and 10 km were built.", "5-10 km were built."),
        ("The 4th attempt worked.", "The fourth attempt worked."),
        ("It opens at 2:30 pm.", "It opens at 14:30."),
        ("It holds 16 GB.", "It holds 16 gb of memory."),
        ("About 3.7 million came.", "3,712,455 people came."),
        ("Nearly 3.8 million came.", "3,712,455 people came."),
        ("Mehr als 3,7 Millionen kamen.", "3.712.455 Menschen kamen."),
        ("Revenue was 412 million.", "Group revenue (in millions)\t2024\nServices\t412"),
        ("The share was 31 %.", "Share (%)\t31\t29"),
        ("(1) The rent rises. (2) Pets stay out.", "The rent rises. Pets stay out."),
        ("1. The rent rises.", "The rent rises."),
        ("It happened in 1990.", "It happened in the 1990s."),
        ("It is version 1.2.3.", "Version 1.2.3 is out."),
        ("The number is 12345678901234567890123456789012345.", "No. 12345678901234567890123456789012345 it is."),
    ],
)
def test_a_number_is_found_in_another_spelling(statement: str, text: str) -> None:
    assert missing_number(statement, [text]) is None


@pytest.mark.parametrize(
    ("statement", "text", "said", "page_says"),
    [
        ("It cost 3.7 billion.", "It cost 3.7 million.", "3.7 billion", "3.7 million"),
        ("It is 11.5 km deep.", "It is 11.5 metres deep.", "11.5 km", "11.5 metres"),
        ("It took 2.4 days on average.", "It took 2.4 hours on average.", "2.4 days", "2.4 hours"),
        ("It cost 410 dollars.", "It cost 410 euros.", "410 dollars", "410 euros"),
        ("It gained 5 % of the votes.", "It gained 5 percentage points.", "5 %", "5 percentage points"),
        ("It took 14 % of the vote.", "It took 14 parties to agree.", "14 %", "14"),
        ("Four parties signed it.", "Three parties signed it.", "Four", "Three"),
        ("The rent rises by 9 percent.", "The rent rises by 8 percent.", "9 percent", "8 percent"),
        ("About 3.8 million came in all.", "3,712,455 people came in all.", "3.8 million", ""),
        ("Of 3.71 million many came.", "3,712,455 people came.", "3.71 million", ""),
        ("More than 3.8 million came.", "3,712,455 people came.", "3.8 million", ""),
        ("It is version 1.2.4 now.", "It is version 1.2.3 now.", "1.2.4", "1.2.3"),
        ("It opens at 3 pm.", "It opens at 14:30.", "3 pm", "14:30"),
        ("It happened in 2025.", "It happened on 3 March 2024.", "2025", ""),
        ("A score of 2 is given.", "A score is given if two aspects match.", "2", ""),
        ("The range is [-8, 1].", "The range is [-1, 1].", "8", ""),
    ],
)
def test_a_changed_number_or_unit_is_seen(statement: str, text: str, said: str, page_says: str) -> None:
    assert missing_number(statement, [text]) == (said, page_says)


@pytest.mark.parametrize("statement", ["Five reasons are given.", "One thing matters.", "The first of them failed."])
def test_a_small_number_in_letters_is_no_alarm_where_nothing_is_counted(statement: str) -> None:
    assert missing_number(statement, ["Reasons are given: price, weight, colour, noise and smell. It matters."]) is None


DATES = [
    "3 March 2024", "March 3, 2024", "March 3rd, 2024", "3rd of March 2024", "2024-03-03", "03.03.2024", "3.3.24",
    "03/03/2024", "3. März 2024", "3 mars 2024", "3 de marzo de 2024", "3 marzo 2024", "3 de março de 2024",
    "3 maart 2024", "3 марта 2024", "2024年3月3日", "2024년 3월 3일", "3–5 March 2024",
]  # fmt: skip


@pytest.mark.parametrize("there", DATES)
@pytest.mark.parametrize("said", [*DATES[:-1], "March 2024", "3 March"])
def test_a_date_is_found_in_every_spelling(said: str, there: str) -> None:
    assert missing_number(f"It was signed on {said}.", [f"The contract was signed on {there} in Bern."]) is None


@pytest.mark.parametrize("there", DATES[:-1])
@pytest.mark.parametrize("said", ["4 March 2024", "2023-03-03", "03.04.2024", "April 2024", "April 3rd"])
def test_another_day_month_or_year_is_seen_in_every_spelling(said: str, there: str) -> None:
    missing = missing_number(f"The contract was signed on {said}.", [f"The contract was signed on {there} in Bern."])
    assert missing is not None
    assert missing.said == said
    assert missing.page_says == there


def test_the_year_of_a_date_may_stand_elsewhere() -> None:
    assert missing_number("It was signed on 3 March 2024.", ["Report for 2024", "It was signed on 3 March."]) is None
    assert missing_number("It was signed on 3 March 2023.", ["Report for 2024", "It was signed on 3 March."])
