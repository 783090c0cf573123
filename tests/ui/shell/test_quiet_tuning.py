"""A model is tuned once, by itself, when nobody needs it and the computer is quiet."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.events import CancelToken
from app.features.models.pool_policy import LeasePriority
from app.ui.shell import tasks
from app.ui.shell.quiet_tuning import MOST_TRIES, QUIET_S, QuietTuning
from tests.helpers.desks.window import Frame
from tests.helpers.script import write_script


@dataclass
class QuietHouse:
    """A window with a loaded model, and how quiet the computer is."""

    frame: Frame
    script: Path
    now_s: float = 0.0
    is_quiet: bool = True

    def tunings(self) -> int:
        log = self.script.with_name("prompts.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line)["type"] for line in log].count("TuneModel")

    def watch(self) -> QuietTuning:
        return QuietTuning(self.frame.app.pool.seat, self.frame.loader, lambda: self.is_quiet)

    def tune(self, tuning: QuietTuning) -> None:
        """Look once, and wait until what that began is over."""
        tuning.tune_if_quiet()
        self.frame.wait(lambda: len(tasks.running) == 0)


@pytest.fixture
def house(frame: Frame, tmp_path: Path) -> Callable[..., QuietHouse]:
    def make(**tune: object) -> QuietHouse:
        script = write_script(tmp_path / "script", tune=tune)
        path = tmp_path / "model.gguf"
        path.write_bytes(b"weights")
        frame.loader.load(path)
        frame.wait(lambda: frame.loader.state == "ready")
        made = QuietHouse(frame, script)
        seat = frame.app.pool.seat
        seat.clock, seat.used_s = lambda: made.now_s, 0.0
        made.now_s = QUIET_S
        return made

    return make


def test_it_is_tuned_once_when_all_is_quiet(house: Callable[..., QuietHouse]) -> None:
    here = house()
    tuning = here.watch()
    assert tuning.is_waiting
    here.tune(tuning)
    assert here.tunings() == 1
    assert not tuning.is_waiting


def test_it_waits_while_somebody_uses_the_model_or_the_computer(house: Callable[..., QuietHouse]) -> None:
    here = house()
    tuning = here.watch()
    here.is_quiet = False
    here.tune(tuning)
    here.is_quiet = True
    here.now_s = QUIET_S - 1
    here.tune(tuning)
    here.now_s = QUIET_S
    with here.frame.app.pool.lease(None, LeasePriority.JOB, CancelToken()):
        here.tune(tuning)
    assert here.tunings() == 0
    assert tuning.is_waiting


def test_one_that_is_interrupted_is_tried_again_but_not_for_ever(house: Callable[..., QuietHouse]) -> None:
    here = house(until="never")
    tuning = here.watch()
    for number in range(1, MOST_TRIES + 1):
        assert tuning.is_waiting
        here.now_s += QUIET_S
        tuning.tune_if_quiet()
        here.frame.wait(lambda number=number: here.tunings() == number)  # type: ignore[misc]
        here.frame.app.engine.count_texts(("Hello",), cancel=CancelToken())
        here.frame.wait(lambda: len(tasks.running) == 0)
    assert not tuning.is_waiting
