"""The speed is that of the last ten seconds, and the time left is said once it is no guess."""

from __future__ import annotations

import pytest

from app.hub.speed import Speed

MB = 1_000_000


def test_nothing_is_known_before_anything_came() -> None:
    speed = Speed()
    assert (speed.bytes_per_s(5.0), speed.left_s(5.0, MB)) == (0.0, None)


def test_a_steady_stream_has_its_speed_and_an_end() -> None:
    speed = Speed()
    speed.go_on(100.0)
    for tick in range(51):
        speed.moved(100.0 + tick / 10, tick * MB // 10)
    assert speed.bytes_per_s(105.0) == pytest.approx(MB, rel=0.01)
    assert speed.left_s(105.0, 30 * MB) == pytest.approx(30, rel=0.01)


def test_what_was_here_before_does_not_count() -> None:
    speed = Speed()
    speed.go_on(0.0)
    speed.moved(0.1, 500 * MB)
    speed.moved(4.0, 502 * MB)
    assert speed.bytes_per_s(4.0) == pytest.approx(MB / 2)


def test_the_time_left_is_not_guessed_in_the_first_two_seconds() -> None:
    speed = Speed()
    speed.go_on(0.0)
    speed.moved(0.0, 0)
    speed.moved(1.9, MB)
    assert speed.left_s(1.9, MB) is None
    assert speed.left_s(2.0, MB) == pytest.approx(2.0)


def test_one_burst_does_not_shake_it() -> None:
    speed = Speed()
    speed.go_on(0.0)
    for tick in range(101):
        speed.moved(tick / 10, tick * MB // 10)
    before = speed.bytes_per_s(10.0)
    speed.moved(10.1, 10 * MB + 2 * MB)
    assert before < speed.bytes_per_s(10.1) < 1.3 * before


def test_when_nothing_comes_it_falls_to_zero_within_ten_seconds_and_no_end_is_promised() -> None:
    speed = Speed()
    speed.go_on(0.0)
    for tick in range(101):
        speed.moved(tick / 10, tick * MB // 10)
    speeds = [speed.bytes_per_s(10.0 + second) for second in range(0, 11, 2)]
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[-1] == 0
    assert speed.left_s(20.0, MB) is None


def test_a_new_start_from_zero_is_no_speed_below_zero() -> None:
    speed = Speed()
    speed.go_on(0.0)
    speed.moved(0.0, 0)
    speed.moved(4.0, 4 * MB)
    speed.moved(4.1, 0)
    assert speed.bytes_per_s(4.1) == pytest.approx(4 * MB / 4.1)
    speed.go_on(5.0)
    speed.moved(5.0, 7 * MB)
    assert speed.bytes_per_s(5.0) == pytest.approx(4 * MB / 5)
