"""Who decodes next, how many side by side, with how many threads."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.scheduler import ParallelismPolicy, next_decode
from app.engine.thread_controller import ThreadController, thread_counts


@dataclass(frozen=True)
class Runner:
    """An answer as the scheduler sees it."""

    pending_tokens: int
    interactive: bool = False
    is_outside: bool = False


RUNNERS = st.lists(st.builds(Runner, st.integers(1, 5000), st.booleans()), max_size=12)


def test_an_interactive_answer_goes_alone() -> None:
    background, chat = Runner(1), Runner(1, interactive=True)
    assert next_decode([background, chat], 256) == [(chat, 1)]


def test_one_prompt_is_read_beside_those_that_write() -> None:
    writing, reading, waiting = Runner(1), Runner(400), Runner(300)
    assert next_decode([writing, reading, waiting], 256) == [(writing, 1), (reading, 255)]


def test_a_persons_prompt_is_read_before_another_programs() -> None:
    programs = Runner(8000, interactive=True, is_outside=True)
    asks, writes = Runner(40, interactive=True), Runner(1, interactive=True, is_outside=True)
    assert next_decode([programs, asks, writes], 256) == [(writes, 1), (asks, 40)]


def test_the_last_piece_of_a_prompt_is_as_long_as_it_is() -> None:
    assert next_decode([Runner(40)], 256) == [(Runner(40), 40)]


@given(RUNNERS, st.integers(1, 512))
def test_a_decode_is_never_too_large_nor_empty_nor_mixed(runners: list[Runner], size: int) -> None:
    chosen = next_decode(runners, size)
    assert sum(count for _, count in chosen) <= size
    assert bool(chosen) == bool(runners)
    assert all(0 < count <= runner.pending_tokens for runner, count in chosen)
    assert len({runner.interactive for runner, _ in chosen}) <= 1
    assert sum(count > 1 for _, count in chosen) <= 1


def test_all_go_side_by_side_until_it_is_known_better() -> None:
    assert ParallelismPolicy(8).best == 8
    assert ParallelismPolicy(8, best=4).best == 4
    assert ParallelismPolicy(2, best=4).best == 2


def test_fewer_are_chosen_where_they_are_clearly_faster_in_sum() -> None:
    learnt = ParallelismPolicy(8)
    for answers, seconds in ((2, 0.010), (4, 0.012), (8, 0.030)) * 6:
        learnt.record_decode(answers, seconds)
    assert (learnt.best, learnt.learnt) == (4, True)


def test_nearly_equal_rates_keep_the_larger_number() -> None:
    learnt = ParallelismPolicy(8)
    for answers, seconds in ((4, 0.0100), (8, 0.0205)) * 6:
        learnt.record_decode(answers, seconds)
    assert learnt.best == 8


def test_two_go_one_after_the_other_where_that_is_faster() -> None:
    learnt = ParallelismPolicy(8)
    for answers, seconds in ((8, 0.030), (2, 0.027), (1, 0.009)) * 6:
        learnt.record_decode(answers, seconds)
    assert [learnt.choose_width(writing) for writing in (1, 2, 3, 8)] == [1, 1, 3, 8]
    one, two = Runner(1), Runner(1)
    assert next_decode([one, two], 256, width=1) == [(one, 1)]


def test_the_width_never_holds_back_an_interactive_answer() -> None:
    chats = [Runner(1, interactive=True), Runner(1, interactive=True)]
    assert len(next_decode(chats, 256, width=1)) == 2


# The thread controller against a simulated machine whose load comes and goes.


Cost = Callable[[int, int], float]


def run(controller: ThreadController, cost: Cost, tokens: int, seed: int = 1) -> tuple[float, list[int]]:
    """Total time and the counts used; `cost` is seconds for (count, token number), with noise of 5 %."""
    chance = random.Random(seed)
    total, used = 0.0, []
    for number in range(tokens):
        used.append(controller.count)
        seconds = cost(controller.count, number) * chance.uniform(0.95, 1.05)
        controller.record_time(seconds)
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


@pytest.mark.parametrize("cost", [quiet, busy])
def test_trials_in_vain_cost_little_and_are_told(cost: Cost) -> None:
    controller = ThreadController([1, 2], 2)
    run(controller, cost, 60)
    lost_before_s = controller.lost_share * controller.total_s
    total_s, used = run(controller, cost, 1000, 2)
    lost_s = sum(cost(count, 0) - cost(controller.settled, 0) for count in used)
    assert 0 < lost_s < 0.01 * total_s
    assert controller.lost_share * controller.total_s - lost_before_s == pytest.approx(lost_s, rel=0.2)


@pytest.mark.parametrize("seed", range(5))
def test_an_answer_on_a_quiet_machine_is_hardly_held_up(seed: int) -> None:
    _, used = run(ThreadController([1, 2], 2), quiet, 160, seed)
    assert used.count(1) <= 2


def test_load_that_comes_and_goes_does_not_make_it_try_without_end() -> None:
    def uneven(count: int, number: int) -> float:
        """For sixty tokens the machine is half as fast, then it is not; two threads are better all the time."""
        return quiet(count, number) * (1 + number // 60 % 2)

    tried = [run(ThreadController([1, 2], 2), uneven, 600, seed)[1].count(1) for seed in range(5)]
    assert sum(tried) < 5 * 36


def test_it_finds_its_way_over_many_counts() -> None:
    def cost(count: int, number: int) -> float:
        return 0.1 / count + 0.002 * count  # best at 7

    controller = ThreadController(thread_counts(16), 16)
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
    assert thread_counts(most) == counts
