"""The verdict of the soak: what stays level passes, and what grows, is said or fails does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.soak.figures import ProcessSample, verdict_on

LEVEL = [ProcessSample(140.0 + number % 3, 24, 8, 900, 250_000, 260.0, 10, 8, 2) for number in range(12)]


def test_what_stays_as_it_was_is_level() -> None:
    verdict = verdict_on(LEVEL, [], [])
    assert (verdict["level"], verdict["grown"], verdict["window_handles"]) == (True, [], [24, 24])


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("window_mb", 0.6),
        ("engine_mb", 0.6),
        ("window_handles", 1),
        ("engine_threads", 1),
        ("window_widgets", 1),
        ("window_objects", 500),
    ],
)
def test_what_grows_with_every_round_is_named(name: str, step: float) -> None:
    samples = [replace(sample, **{name: getattr(sample, name) + step * number}) for number, sample in enumerate(LEVEL)]
    assert verdict_on(samples, [], [])["grown"] == [name]
    assert not verdict_on(samples, [], [])["level"]


def test_what_settles_in_the_first_quarter_is_level() -> None:
    settling = [replace(sample, window_mb=90 + 25 * min(number, 2)) for number, sample in enumerate(LEVEL)]
    assert verdict_on(settling, [], [])["level"]


@pytest.mark.parametrize("said", [(["a WARNING b"], []), ([], ["Traceback"])])
def test_a_warning_or_a_failure_is_not_level(said: tuple[list[str], list[str]]) -> None:
    assert not verdict_on(LEVEL, *said)["level"]


def test_too_few_samples_prove_nothing() -> None:
    assert not verdict_on(LEVEL[:3], [], [])["level"]
