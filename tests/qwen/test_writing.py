"""What is written on with a real model: behind a blank, and into the middle of a function."""

from __future__ import annotations

import pytest

from app.core.events import FinishReason
from app.engine.client import EngineClient
from app.engine.protocol import Ask, Sampling
from app.features.continue_page import continue_text
from app.features.write_pages import GREEDY

BEGINNINGS = (
    "The old lighthouse keeper climbed the stairs and ",
    "She opened the door and ",
    "On the last day of summer we ",
    "The train to Vienna was late because ",
)
SAMPLED = Sampling(temperature=0.8, seed=11)
FUNCTIONS = (
    (
        "def largest(numbers):\n    best = numbers[0]\n    ",
        "\n    return best\n",
        "largest([3, 9, 2]) == 9",
    ),
    (
        "def flatten(lists):\n    result = []\n    for inner in lists:\n        ",
        "\n    return result\n",
        "flatten([[1], [2, 3]]) == [1, 2, 3]",
    ),
    (
        "def average(values):\n    if not values:\n        return 0\n    total = ",
        "\n    return total / len(values)\n",
        "average([1, 2, 3]) == 2",
    ),
    (
        "def factorial(n):\n    if n <= 1:\n        return 1\n    result = 1\n    ",
        "\n    return result\n",
        "factorial(5) == 120",
    ),
)


def test_behind_a_blank_comes_a_word_and_no_number(engine_05b: EngineClient) -> None:
    """Before the blank was left out of the prompt, 38 of 40 began with a number."""
    found: dict[tuple[str, int], str] = {}
    for text in BEGINNINGS:
        for index, one in continue_text(engine_05b, Ask((), text=text, max_tokens=4, sampling=SAMPLED), 3):
            found[text, index] = one.text
    assert len(found) == 12
    numbers = [text for text in found.values() if text[:1].isdigit()]
    assert len(numbers) <= 1, found
    assert not any(text[:1].isspace() for text in found.values()), "a second blank, or a line's end"


@pytest.mark.parametrize(("before", "after", "check"), FUNCTIONS, ids=["largest", "flatten", "average", "factorial"])
def test_a_function_that_is_filled_in_runs(engine_05b: EngineClient, before: str, after: str, check: str) -> None:
    """Before a middle ended where its suffix begins again, 2 of 10 ran."""
    greedy = Sampling(temperature=0)
    ask = Ask((), text=before, suffix=after, max_tokens=128, sampling=greedy, task_sampling=GREEDY)
    *_, (_, one) = continue_text(engine_05b, ask)
    names: dict[str, object] = {}
    exec(before + one.text + after, names)
    assert eval(check, names), one.text
    assert one.finish_reason is FinishReason.STOP and len(one.tokens) < 100
