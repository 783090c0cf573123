"""The thread controller against a simulated machine whose load comes and goes."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from app.engine.threads import ThreadController, ladder

Cost = Callable[[int, int], float]


def run(controller: ThreadController, cost: Cost, tokens: int, seed: int = 1) -> tuple[float, list[int]]:
    """Total time and the counts used; `cost` is seconds for (count, token number), with noise of 5 %."""
    chance = random.Random(seed)
    total, used = 0.0, []
    for number in range(tokens):
        used.append(controller.count)
        seconds = cost(controller.count, number) * chance.uniform(0.95, 1.05)
        controller.took(seconds)
        total += seconds
    return total, used


def quiet(count: int, number: int) -> float:
    return 0.012 / count


def busy(count: int, number: int) -> float:
    """One other program on two cores: two threads wait for each other."""
    return {1: 0.012, 2: 0.024}[count]


def best(cost: Cost, counts: list[int], tokens: int) -> float:
    return min(sum(cost(count, number) for number in range(tokens)) for count in counts)


@pytest.mark.parametrize("cost", [quiet, busy])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_nearly_as_fast_as_the_best_fixed_count(cost: Cost, seed: int) -> None:
    total, _ = run(ThreadController([1, 2], 2), cost, 400, seed)
    assert best(cost, [1, 2], 400) / total > 0.93


def test_it_finds_its_way_over_many_counts() -> None:
    def cost(count: int, number: int) -> float:
        return 0.1 / count + 0.002 * count  # best at 7

    controller = ThreadController(ladder(16), 16)
    run(controller, cost, 600)
    assert 5 <= controller.settled <= 9


def test_load_that_comes_is_answered_within_a_few_tokens() -> None:
    controller = ThreadController([1, 2], 2)
    run(controller, quiet, 300)
    assert controller.settled == 2
    _, used = run(controller, busy, 40)
    assert used[20:].count(1) > 15


def test_load_that_goes_is_noticed() -> None:
    controller = ThreadController([1, 2], 2)
    run(controller, busy, 300)
    assert controller.settled == 1
    _, used = run(controller, quiet, 300)
    assert used[-1] == 2


def test_a_single_count_stays() -> None:
    controller = ThreadController([4], 4)
    _, used = run(controller, lambda count, number: 0.01 * (number + 1), 300)
    assert set(used) == {4}


def test_a_long_context_that_slows_every_token_does_not_confuse_it() -> None:
    def growing(count: int, number: int) -> float:
        return (0.010 + number * 0.00002) / count

    total, _ = run(ThreadController([1, 2], 2), growing, 2000)
    assert best(growing, [1, 2], 2000) / total > 0.95


@pytest.mark.parametrize(
    ("most", "counts"),
    [(1, [1]), (2, [1, 2]), (4, [1, 2, 3, 4]), (8, [1, 2, 3, 4, 5, 6, 8]), (16, [1, 2, 3, 4, 5, 6, 8, 10, 13, 16])],
)
def test_the_ladder_is_dense_below_and_sparse_above(most: int, counts: list[int]) -> None:
    assert ladder(most) == counts
