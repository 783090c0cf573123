"""Numbers are told from what is none, wherever it stands."""

from __future__ import annotations

import ctypes
import math

import pytest

from app.engine.llama.context import has_numbers

SIZE = 1000


def logits(**changes: float) -> ctypes.Array[ctypes.c_float]:
    values = (ctypes.c_float * SIZE)(*(math.sin(n) for n in range(SIZE)))
    for place, value in changes.items():
        values[int(place.removeprefix("at"))] = value
    return values


def judged(values: ctypes.Array[ctypes.c_float]) -> bool:
    return has_numbers(ctypes.cast(values, ctypes.POINTER(ctypes.c_float)), SIZE)


def test_numbers_are_numbers() -> None:
    assert judged(logits())
    assert judged(logits(at3=-1e30, at4=1e30))


def test_tokens_may_be_ruled_out_but_not_all() -> None:
    assert judged(logits(at0=-math.inf, at999=-math.inf))
    assert not judged((ctypes.c_float * SIZE)(*[-math.inf] * SIZE))


@pytest.mark.parametrize("place", ["at0", "at1", "at500", "at998", "at999"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_one_that_is_none_is_found(place: str, value: float) -> None:
    assert not judged(logits(**{place: value}))


def test_no_logits_at_all_are_none() -> None:
    assert not has_numbers(ctypes.POINTER(ctypes.c_float)(), SIZE)
