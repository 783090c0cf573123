"""What is wrong with a text is found, and what only looks so is left."""

from __future__ import annotations

import pytest

from tests.helpers.blemishes import find_blemishes

SOURCE = "The harbour handled 3.2 million tonnes in 2023. See fireside.db and kellmouth.example for the U.S. figures."


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "empty"),
        ("It handled 3.2 million tonnes in 2023.销售收入 rose by 8 %.", "foreign letters: 销售收入"),
        ("The crane came on 18 April 2024._the new crane lifts 60 tonnes.", "glued: 4._the"),
        ("Fifteen were serious.inoa, none of them fatal.", "glued: serious.inoa"),
        ("The ferry sailed 388 times..", "glued: s.."),
        ("No ship had to wait. The crane is new. No ship had to wait.", "repeated: no ship had to wait"),
        ("Der Hafen hat die Kräne und das Licht für den Kai von der Stadt.", "language: de"),
    ],
)
def test_what_is_wrong_is_named(text: str, wrong: str) -> None:
    assert wrong in find_blemishes(text, SOURCE, "en")


@pytest.mark.parametrize(
    "text",
    [
        "It handled 3.2 million tonnes in 2023. The U.S. figures are in fireside.db, at kellmouth.example.",
        "“No ship waited.” The crane lifts 60 t (e.g. timber)… It reaches 42 m.",
        "Müller & Søn, naïve, 5 µm, 2nd.",
    ],
)
def test_clean_text_is_left_alone(text: str) -> None:
    assert find_blemishes(text, SOURCE, "en") == []
