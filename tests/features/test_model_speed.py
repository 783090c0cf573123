"""How fast this computer is with models: what ran here decides, else a probe of its memory, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.engine.computer import writing_bytes_per_s
from app.features.model_estimate import WELL, Fit, fit_words, pace_words
from app.features.model_speed import MachineSpeed

CORES = 4


class Probe:
    """Stands in for the child that reads memory."""

    def __init__(self, bytes_per_s: float) -> None:
        self.bytes_per_s, self.asked = bytes_per_s, 0

    def __call__(self, cores: int, *, folder: Path, cancelled: Callable[[], bool]) -> float:
        self.asked += 1
        return self.bytes_per_s


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.features.model_speed.physical_cores", lambda: CORES)


def test_memory_is_probed_once_and_bounds_what_cores_can_unpack(tmp_path: Path, four_cores: None) -> None:
    probe = Probe(20e9)
    expected = writing_bytes_per_s(20e9, CORES)
    assert MachineSpeed(tmp_path, tmp_path, probe).bytes_per_s([], on_gpu=False) == expected
    assert MachineSpeed(tmp_path, tmp_path, probe).bytes_per_s([], on_gpu=False) == expected
    assert probe.asked == 1
    assert writing_bytes_per_s(1e12, 2) < writing_bytes_per_s(1e12, 8)


def test_what_a_large_model_did_here_counts_more_than_a_probe_or_a_small_one(tmp_path: Path, four_cores: None) -> None:
    speed = MachineSpeed(tmp_path, tmp_path, Probe(100e9))
    answers = [(145_000_000, 100.0), (2_000_000_000, 3.0)]
    assert speed.bytes_per_s(answers, on_gpu=False) == 6e9
    small = MachineSpeed(tmp_path / "other", tmp_path, Probe(10e9))
    assert small.bytes_per_s(answers[:1], on_gpu=False) == 14.5e9, "it was faster than the probe said"


def test_the_figure_stays_until_another_is_far_from_it(tmp_path: Path) -> None:
    speed = MachineSpeed(tmp_path, tmp_path, Probe(0.0))
    told = [speed.bytes_per_s([(10**9, rate)], on_gpu=False) / 1e9 for rate in (10.0, 13.0, 8.0, 16.0, 11.0)]
    assert told == [10.0, 10.0, 10.0, 16.0, 16.0]


def test_a_card_on_which_nothing_ran_is_not_judged_by_the_processor(tmp_path: Path) -> None:
    probe = Probe(20e9)
    assert MachineSpeed(tmp_path, tmp_path, probe).bytes_per_s([], on_gpu=True) == 0.0
    assert probe.asked == 0


def test_a_probe_that_fails_says_nothing_and_is_tried_again(tmp_path: Path) -> None:
    probe = Probe(0.0)
    speed = MachineSpeed(tmp_path, tmp_path, probe)
    assert [speed.bytes_per_s([], on_gpu=False) for _ in range(2)] == [0.0, 0.0]
    assert probe.asked == 2


@pytest.mark.parametrize(
    ("tokens_per_s", "fits", "pace"),
    [
        (0.0, "Runs well", "None"),
        (1.24, "Fits", "about 1.2 tokens/s, very slow"),
        (6.0, "Fits", "about 6 tokens/s, slower than you read"),
        (9.0, "Runs well", "about 9 tokens/s, as fast as you read"),
        (40.0, "Runs well", "about 40 tokens/s, fast"),
    ],
)
def test_the_words_follow_the_number(tokens_per_s: float, fits: str, pace: str) -> None:
    fit = Fit(WELL, 7_000_000_000, 9_000_000_000, 8192, active_bytes=10**9).at(tokens_per_s * 1e9)
    assert str(fit_words(fit)) == f"{fits} · needs 7.0 GB"
    assert str(pace_words(fit)) == pace
    assert fit.runs_well == (fits == "Runs well")
    assert fit.is_usable == (pace != "about 1.2 tokens/s, very slow")
