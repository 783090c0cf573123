"""Numbers of a text and its translation: the same in every notation, and found where they are not."""

from __future__ import annotations

import pytest

from app.features.translation.checks import different_number


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("It costs 1,240.00 euros.", "Es kostet 1.240,00 Euro."),
        ("It costs 1,240.00 euros.", "Cela coûte 1 240,00 euros."),
        ("It costs 1,240.00 euros.", "Cela coûte 1\u202f240,00 euros."),
        ("1,000,000 people", "1’000’000 Personen"),
        ("12,34,567 rupees", "1,234,567 Rupien"),
        ("3.5 km", "3,5 km"),
        ("The year 2025", "سنة ٢٠٢٥"),
        ("2025 was good", "२०२५ अच्छा था"),
        ("2 million people", "200万人"),
        ("2 million people", "2.000.000 Menschen"),
        ("3 billion", "3 Milliarden"),
        ("10,000 yen", "1万円"),
        ("two days and 3 nights", "2 Tage und drei Nächte"),
        ("April 3, 2025", "2025年4月3日"),
        ("04/03/2025", "3. April 2025"),
        ("at 3:30 pm", "um 15:30 Uhr"),
        ("the 21st century", "das 21. Jahrhundert"),
        ("Version 1.2.3", "Fassung 1.2.3"),
        ("Call 555 0199 now", "Rufen Sie 555-0199 an"),
        ("GPT-4 and H2O", "GPT-4 und Wasser"),
        ("no number", "keine Zahl"),
        ("5 of 5", "5 von 5"),
        ("第3章", "Kapitel 3"),
    ],
)
def test_the_same_numbers(source: str, target: str) -> None:
    assert different_number(source, target) == ""
    assert different_number(target, source) == ""


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("42 doors", "43 Türen", "42"),
        ("42 doors", "Türen", "42"),
        ("Doors", "43 Türen", "43"),
        ("1.5 litres", "15 Liter", "1.5"),
        ("1,240 euros", "1.250 Euro", "1,240"),
        ("3 days", "4 Tage", "3"),
        ("5 and 5", "5", ""),
        ("50 and 50", "50", "50"),
        ("from 1990 to 1995", "von 1995 bis 1999", "1990"),
        ("2 million", "2 Milliarden", ""),
        ("20 million", "30 Millionen", "20"),
    ],
)
def test_other_numbers(source: str, target: str, said: str) -> None:
    assert different_number(source, target) == said
