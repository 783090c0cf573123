"""How much longer a translation takes, by the text that its model has written."""

from __future__ import annotations

from app.features.translation.at_work import Pace
from app.features.translation.result import Origin, SegmentDone, Translated, TranslationPlanned
from app.features.work.asking import Rests


class Clock:
    """Seconds that pass when a test says so."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def done(number: int, origin: Origin = Origin.MODEL) -> SegmentDone:
    return SegmentDone(Translated(number, ("x",), origin), number, 4)


def planned() -> TranslationPlanned:
    return TranslationPlanned(4, 0, 10, "en")


def test_nothing_is_told_before_the_model_has_written_something() -> None:
    clock = Clock()
    pace = Pace({1: 10, 2: 10, 3: 10, 4: 10}, clock)
    assert (pace.seconds_left(), pace.worked_s) == (None, 0.0)
    pace.take(planned())
    clock.now_s += 5
    for origin in (Origin.MEMORY, Origin.SKIPPED):
        pace.take(done(1, origin))
    assert (pace.seconds_left(), pace.worked_s) == (None, 5.0)


def test_the_text_that_is_left_takes_as_long_as_that_which_was_written() -> None:
    clock = Clock()
    pace = Pace({1: 10, 2: 20, 3: 30, 4: 40}, clock)
    pace.take(planned())
    clock.now_s += 6
    pace.take(done(3))
    assert pace.seconds_left() == 14.0
    pace.take(done(4, Origin.MEMORY))
    assert pace.seconds_left() == 6.0
    pace.take(done(2))
    pace.take(done(1))
    assert pace.seconds_left() == 1.0


def test_while_it_rests_the_clock_stands() -> None:
    clock = Clock()
    pace = Pace({1: 10, 2: 10}, clock)
    pace.take(planned())
    clock.now_s += 4
    pace.take(done(1))
    pace.take(Rests("interactive"))
    clock.now_s += 1000
    assert (pace.worked_s, pace.seconds_left()) == (4.0, 4.0)
    pace.take(Rests(""))
    clock.now_s += 2
    assert pace.worked_s == 6.0
