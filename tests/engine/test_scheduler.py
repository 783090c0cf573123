"""Who decodes next, and how many side by side."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from app.engine.scheduler import SideBySide, next_decode


@dataclass(frozen=True)
class Runner:
    """An answer as the scheduler sees it."""

    pending_tokens: int
    interactive: bool = False


RUNNERS = st.lists(st.builds(Runner, st.integers(1, 5000), st.booleans()), max_size=12)


def test_an_interactive_answer_goes_alone() -> None:
    background, chat = Runner(1), Runner(1, interactive=True)
    assert next_decode([background, chat], 256) == [(chat, 1)]


def test_one_prompt_is_read_beside_those_that_write() -> None:
    writing, reading, waiting = Runner(1), Runner(400), Runner(300)
    assert next_decode([writing, reading, waiting], 256) == [(writing, 1), (reading, 255)]


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
    assert SideBySide(8).best == 8
    assert SideBySide(8, best=4).best == 4
    assert SideBySide(2, best=4).best == 2


def test_fewer_are_chosen_where_they_are_clearly_faster_in_sum() -> None:
    learnt = SideBySide(8)
    for answers, seconds in ((2, 0.010), (4, 0.012), (8, 0.030)) * 6:
        learnt.took(answers, seconds)
    assert (learnt.best, learnt.learnt) == (4, True)


def test_nearly_equal_rates_keep_the_larger_number() -> None:
    learnt = SideBySide(8)
    for answers, seconds in ((4, 0.0100), (8, 0.0205)) * 6:
        learnt.took(answers, seconds)
    assert learnt.best == 8


def test_two_go_one_after_the_other_where_that_is_faster() -> None:
    learnt = SideBySide(8)
    for answers, seconds in ((8, 0.030), (2, 0.027), (1, 0.009)) * 6:
        learnt.took(answers, seconds)
    assert [learnt.width(writing) for writing in (1, 2, 3, 8)] == [1, 1, 3, 8]
    one, two = Runner(1), Runner(1)
    assert next_decode([one, two], 256, width=1) == [(one, 1)]


def test_the_width_never_holds_back_an_interactive_answer() -> None:
    chats = [Runner(1, interactive=True), Runner(1, interactive=True)]
    assert len(next_decode(chats, 256, width=1)) == 2
