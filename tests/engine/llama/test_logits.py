"""Numbers are told from what is none, wherever it stands."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from app.engine.llama.context import has_numbers

SIZE = 1000


def logits(**changes: float) -> npt.NDArray[np.float32]:
    values = np.sin(np.arange(SIZE, dtype="f4"))
    for place, value in changes.items():
        values[int(place.removeprefix("at"))] = value
    return values


def test_numbers_are_numbers() -> None:
    assert has_numbers(logits())
    assert has_numbers(logits(at3=-1e30, at4=1e30))


def test_tokens_may_be_ruled_out_but_not_all() -> None:
    assert has_numbers(logits(at0=-math.inf, at999=-math.inf))
    assert not has_numbers(np.full(SIZE, -math.inf, "f4"))


@pytest.mark.parametrize("place", ["at0", "at1", "at500", "at998", "at999"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_one_that_is_none_is_found(place: str, value: float) -> None:
    assert not has_numbers(logits(**{place: value}))


def test_no_logits_at_all_are_none() -> None:
    assert not has_numbers(None)
