"""Points out of answers, in whatever form they come, and what counts as a bad answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import FinishReason
from app.features.summary.prompts import (
    Point,
    Problem,
    cited_runs,
    is_looping,
    problem_of,
    read_points,
    without_repeats,
)

ALLOWED = range(1, 20)


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        ("[12] The kiln is old.\n[13, 14] It burns.\n", [("The kiln is old.", (12,)), ("It burns.", (13, 14))]),
        ("- The kiln is old. [12]\n* It burns wood [13].", [("The kiln is old.", (12,)), ("It burns wood.", (13,))]),
        ("1. The kiln is old [12]. It burns wood [13]", [("The kiln is old.", (12,)), ("It burns wood", (13,))]),
        ("The kiln is old. [12][13]", [("The kiln is old.", (12,))]),
        ("The kiln is old.", [("The kiln is old.", ())]),
        ("Here are the points:\n- The kiln is old. [12]", [("The kiln is old.", (12,))]),
        ("- The kiln is old. [12, 99, 12]", [("The kiln is old.", (12,))]),
        ('{"points":[{"t":"A \\"kiln\\" is old.","ids":[12],"q":"is old"}]}', [('A "kiln" is old.', (12,))]),
        ('{"points":[{"t":"A kiln.","ids":[12]},{"t":"Cut o', [("A kiln.", (12,))]),
        ('[{"t":"A kiln.","ids":12}]', [("A kiln.", (12,))]),
        ('{"points":[{"t":"","ids":[12]},{"t":7,"ids":[12]},{"ids":[12]}]}', []),
        ("", []),
        ("no points at all", []),
    ],
)  # fmt: skip
def test_points_are_read_from_lines_and_json(answer: str, points: list[tuple[str, tuple[int, ...]]]) -> None:
    assert [(one.text, one.ids) for one in read_points(answer, ALLOWED)] == points


@given(st.text(alphabet='{}[]",: \n-tqids12points\\u', max_size=200))
def test_no_answer_is_too_odd_to_be_read(answer: str) -> None:
    assert all(set(point.ids) <= set(ALLOWED) for point in read_points(answer, ALLOWED))


def test_deep_nesting_is_no_way_to_end_the_program() -> None:
    assert read_points('{"points":' + "[" * 50_000, ALLOWED) == []


def points(*texts: str) -> list[Point]:
    return [Point(text, (1,)) for text in texts]


@pytest.mark.parametrize(
    ("answer", "finish", "found", "kept", "problem"),
    [
        ("", "stop", [], [], Problem.EMPTY),
        ("what?", "stop", [], [], Problem.UNREADABLE),
        ("I'm sorry, but I can't.", "stop", points("I'm sorry, but I can't."), points("x"), Problem.REFUSED),
        ("As an AI language model I have no view.", "stop", [], [], Problem.REFUSED),
        ("[1] a", "length", points("a"), points("a"), Problem.TOO_LONG),
        ("[1] a", "context", [], [], Problem.TOO_LONG),
        ("[1] a [2] b", "length", points("a", "b"), points("a", "b"), None),
        ("[1] a" * 3, "stop", points("a", "a", "a"), points("a"), Problem.REPEATED),
        ('{"points": []}', "stop", [], [], None),
        ("[1] a", "stop", points("a"), points("a"), None),
        ("I cannot come on 3 May, writes Anna. [1]", "stop", points("I cannot come."), points("I cannot come."), None),
    ],
)
def test_what_is_wrong_with_an_answer(
    answer: str, finish: str, found: list[Point], kept: list[Point], problem: Problem | None
) -> None:
    assert problem_of(answer, FinishReason(finish), found, kept) is problem


def distinct(*texts: str) -> list[str]:
    return without_repeats(texts, str)


def test_the_same_said_twice_stays_in_its_longest_form() -> None:
    assert distinct("The kiln is old.", "A roof leaks.", "The old kiln is very old.") == [
        "The old kiln is very old.",
        "A roof leaks.",
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The kiln was built in 1871.", "The kiln was built in 1954."),
        ("The kiln was sold.", "The kiln was not sold."),
        ("Der Ofen wurde verkauft.", "Der Ofen wurde nicht verkauft."),
        ("The kiln burns wood.", "The roof needs tiles."),
    ],
)
def test_another_number_or_a_denial_is_another_point(one: str, other: str) -> None:
    assert distinct(one, other) == [one, other]


def test_what_runs_in_circles_is_left_out() -> None:
    circle = "the kiln is old and " * 4
    assert is_looping(circle)
    assert distinct("The kiln is old.", circle) == ["The kiln is old."]
    assert not is_looping("The kiln is old and the roof is old and the door is old.")


def test_numbers_before_and_behind_a_text_are_told_apart() -> None:
    assert list(cited_runs("[1] A kiln. [2, 3] A roof.")) == [("A kiln.", (1,)), ("A roof.", (2, 3))]
    assert list(cited_runs("A kiln [1]. A roof [2, 3].")) == [("A kiln.", (1,)), ("A roof.", (2, 3))]
    assert list(cited_runs("A kiln [sic] is old. [1]")) == [("A kiln [sic] is old.", (1,))]
