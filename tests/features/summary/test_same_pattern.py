"""Two points of one pattern that differ in the word that matters are two points; the same in other words is one."""

from __future__ import annotations

import pytest

from app.features.summary.prompts import without_repeats


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "The lender may end the loan after a missed payment of thirty days.",
            "The tenant may end the loan after a missed payment of thirty days.",
        ),
        ("Revenue of Alpha rose by 5 % in 2024.", "Revenue of Beta rose by 5 % in 2024."),
        ("Alice voted for the plan to build the quay.", "Bob voted for the plan to build the quay."),
        ("Kiln 1 was built in 1801 and repaired in 1901.", "Boat 1 was built in 1801 and repaired in 1901."),
        (
            "The ferry to Sandholm was stopped by ice in January.",
            "The ferry to Grey Point was stopped by ice in January.",
        ),
        (
            "Der Mieter trägt alle Kosten der Reparatur im Haus.",
            "Der Vermieter trägt alle Kosten der Reparatur im Haus.",
        ),
    ],
)
def test_another_name_or_thing_is_another_point(one: str, other: str) -> None:
    assert without_repeats([one, other], str) == [one, other]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The town has sold the old kiln.", "The town had sold the old kiln."),
        ("The kiln was repaired by the town of Lindvik.", "The kiln was repaired by the town of Lindvik again."),
        ("The council decides about the quays of Lindvik.", "The council decided about the quays of Lindvik."),
        ("Repairing the roof cost the town a lot.", "The repairing of the roof cost the town a lot."),
    ],
)
def test_the_same_in_another_form_is_one(one: str, other: str) -> None:
    assert without_repeats([one, other], str) == [max(one, other, key=len)]
