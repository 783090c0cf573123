"""How much longer a translation takes, by the text that its model has written."""

from __future__ import annotations

from app.features.translate.at_work import TranslationPace
from app.features.translate.translation_events import (
    SegmentDone,
    SegmentGrows,
    Translated,
    TranslationPlanned,
    TranslationSource,
)
from app.features.work.asking import TaskRests


class Clock:
    """Seconds that pass when a test says so."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def done(number: int, origin: TranslationSource = TranslationSource.MODEL) -> SegmentDone:
    return SegmentDone(Translated(number, ("x",), origin), number, 4)


def planned() -> TranslationPlanned:
    return TranslationPlanned(4, 0, 10, "en")


def test_nothing_is_told_before_the_model_has_written_something() -> None:
    clock = Clock()
    pace = TranslationPace({1: 10, 2: 10, 3: 10, 4: 10}, clock)
    assert (pace.seconds_left(), pace.worked_s) == (None, 0.0)
    pace.take_event(planned())
    clock.now_s += 5
    for origin in (TranslationSource.MEMORY, TranslationSource.SKIPPED):
        pace.take_event(done(1, origin))
    assert (pace.seconds_left(), pace.worked_s) == (None, 5.0)


def test_the_text_that_is_left_takes_as_long_as_that_which_was_written() -> None:
    clock = Clock()
    pace = TranslationPace({1: 10, 2: 20, 3: 30, 4: 40}, clock)
    pace.take_event(planned())
    clock.now_s += 6
    pace.take_event(done(3))
    assert pace.seconds_left() == 14.0
    pace.take_event(done(4, TranslationSource.MEMORY))
    assert pace.seconds_left() == 6.0
    pace.take_event(done(2))
    pace.take_event(done(1))
    assert pace.seconds_left() == 1.0


def test_what_grows_side_by_side_is_not_taken_for_one_after_the_other() -> None:
    """Eight segments of a prompt are done together after 40 s, of which 12 went into reading; then the next eight."""
    clock = Clock()
    pace = TranslationPace(dict.fromkeys(range(40), 100), clock)
    pace.take_event(planned())
    clock.now_s += 12
    pace.take_event(SegmentGrows(0, "x"))
    assert pace.seconds_left() is None
    told = []
    for batch in range(5):
        clock.now_s += 3 if batch else 0
        for number in range(8 * batch, 8 * batch + 8):
            clock.now_s += 3.5
            pace.take_event(SegmentGrows(number, "x" * 100))
            told.append((pace.seconds_left(), (39 - number) * 3.5 + (4 - batch) * 3))
        for number in range(8 * batch, 8 * batch + 8):
            pace.take_event(done(number))
    assert all(left is not None for left, _ in told)
    assert all(left <= 1.3 * really + 5 and left >= 0.7 * really - 5 for left, really in told if left is not None), told


def test_while_it_rests_the_clock_stands() -> None:
    clock = Clock()
    pace = TranslationPace({1: 10, 2: 10}, clock)
    pace.take_event(planned())
    clock.now_s += 4
    pace.take_event(done(1))
    pace.take_event(TaskRests("interactive"))
    clock.now_s += 1000
    assert (pace.worked_s, pace.seconds_left()) == (4.0, 4.0)
    pace.take_event(TaskRests(""))
    clock.now_s += 2
    assert pace.worked_s == 6.0
