"""How much longer a summary takes, by the sections it has read itself while it was really at work."""

from __future__ import annotations

import pytest

from app.features.summary.pace import Pace
from app.features.summary.summarize import Merging, Planned, Rests, SectionRead, Writing
from app.features.work.asking import FIRST_WINDOW


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def read(done: int, sections: int = 10, *, was_kept: bool = False) -> SectionRead:
    return SectionRead(done, sections, (), 0, done, was_kept)


def test_nothing_is_said_before_anything_was_measured(clock: Clock) -> None:
    pace = Pace(clock=clock)
    assert pace.seconds_left() is None
    pace.take(Planned(10, 15_000))
    clock.now_s += 30
    assert pace.seconds_left() is None


def test_before_the_first_section_it_is_what_was_estimated(clock: Clock) -> None:
    pace = Pace(120.0, clock=clock)
    pace.take(Planned(10, 15_000))
    clock.now_s += 30
    assert pace.seconds_left() == 90
    clock.now_s += 200
    assert pace.seconds_left() == 1, "never nothing, as long as it goes on"


def test_then_it_is_the_pace_of_the_sections_with_the_merges_and_the_write_up_behind_them(clock: Clock) -> None:
    pace = Pace(9999.0, clock=clock)
    pace.take(Planned(10, 15_000))
    for number in range(1, 5):
        clock.now_s += 10
        pace.take(read(number))
    assert pace.seconds_left() == 10 * (6 + 1 + 1)
    clock.now_s += 5
    assert pace.seconds_left() == 75


def test_of_sections_that_are_read_side_by_side_the_first_to_end_is_not_the_pace_of_all(clock: Clock) -> None:
    pace = Pace(side_by_side=4, clock=clock)
    pace.take(Planned(8, 12_000))
    clock.now_s += 20
    pace.take(read(1, 8))
    assert pace.seconds_left() == 20 / FIRST_WINDOW * (7 + 1 + 1), "no more are on the wire at first"
    pace.take(read(2, 8))
    assert pace.seconds_left() == 10 * (6 + 1 + 1)
    clock.now_s += 20
    for number in (3, 4):
        pace.take(read(number, 8))
    assert pace.seconds_left() == 10 * (4 + 1 + 1)
    clock.now_s += 60
    for number in range(5, 9):
        pace.take(read(number, 8))
    assert pace.seconds_left() == 12.5 * (1 + 1)


def test_while_somebody_is_being_answered_the_clock_stands(clock: Clock) -> None:
    pace = Pace(clock=clock)
    pace.take(Planned(4, 6000))
    clock.now_s += 10
    pace.take(read(1, 4))
    before = pace.seconds_left()
    pace.take(Rests("interactive"))
    pace.take(Rests("interactive"))
    clock.now_s += 500
    assert pace.seconds_left() == before
    pace.take(Rests(""))
    assert (pace.seconds_left(), pace.worked_s) == (before, 10)
    clock.now_s += 10
    pace.take(read(2, 4))
    assert pace.seconds_left() == 10 * (2 + 1)


def test_sections_that_were_kept_say_nothing_of_those_to_come(clock: Clock) -> None:
    pace = Pace(clock=clock)
    pace.take(Planned(10, 15_000))
    clock.now_s += 0.5
    for number in range(1, 8):
        pace.take(read(number, was_kept=True))
    assert (pace.seconds_left(), pace.is_fresh) == (None, False)
    clock.now_s += 20
    pace.take(read(8))
    assert pace.seconds_left() == 20 * (2 + 1 + 1)


def test_what_is_left_shrinks_with_the_merges_and_ends_with_the_write_up(clock: Clock) -> None:
    pace = Pace(clock=clock)
    pace.take(Planned(2, 3000))
    for number in (1, 2):
        clock.now_s += 10
        pace.take(read(number, 2))
    pace.take(Merging(0, 2))
    assert pace.seconds_left() == 30
    pace.take(Merging(1, 2))
    assert pace.seconds_left() == 20
    pace.take(Writing("Kilns"))
    pace.take(Writing("Kilns are"))
    assert pace.seconds_left() == 10
    clock.now_s += 4
    assert pace.seconds_left() == 6
    clock.now_s += 40
    assert pace.seconds_left() == 1
    assert pace.is_fresh


def test_planned_again_it_begins_anew(clock: Clock) -> None:
    pace = Pace(clock=clock)
    pace.take(Planned(1, 15_000))
    clock.now_s += 20
    pace.take(Rests("interactive"))
    clock.now_s += 30
    pace.take(Rests(""))
    pace.take(Writing("Sorry"))
    clock.now_s += 10
    pace.take(Planned(4, 15_000))
    assert pace.worked_s == 0
    clock.now_s += 10
    pace.take(read(1, 4))
    assert pace.worked_s == 10
    assert pace.seconds_left() == pytest.approx(40), "three sections and the write-up at the pace of the first"
