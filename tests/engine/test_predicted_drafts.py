"""Whether guesses of a model's own layer are worth their time, by the times they are told."""

from __future__ import annotations

import pytest

from app.engine import predicted_drafts
from app.engine.predicted_drafts import (
    LEAST_TIMES,
    MEASURED_EVERY_STEPS,
    REST_ANSWERS,
    PredictedDrafts,
    PredictionGain,
    PredictionRest,
)

ONE_S = 0.1


class Layer:
    """Guesses what it is told to; a step with guesses takes so long. Reading takes time on a clock of its own."""

    def __init__(self, *, right: float, one_more_s: float, clock: list[float], read_s: float = 0.0) -> None:
        self._right, self._one_more_s, self._clock, self._read_s = right, one_more_s, clock, read_s
        self.is_on = False
        self.rested = 0
        self._guessed = 0.0

    def hand_out_states(self, *, is_on: bool) -> None:
        self.is_on = is_on

    def rest(self) -> None:
        self.is_on = False
        self.rested += 1

    def read_along(self, owner: object, tokens: list[int], start: int, count: int) -> None:
        if count > 1:
            self._clock[0] += self._read_s

    def predict(self, owner: object, tokens: list[int], most: int) -> list[int]:
        return [0] * most

    def write(self, drafts: PredictedDrafts, tokens: int) -> tuple[float, int]:
        """Write an answer; return the seconds it took, and the most tokens that were guessed at once."""
        took_s, written, most = 0.0, 0, 0
        drafts.read_along([0] * 100, 0, 100)
        while written < tokens:
            draft = drafts.propose([0] * (100 + written), 2)
            most = max(most, len(draft))
            if not draft:
                drafts.record_token(ONE_S)
                took_s, written = took_s + ONE_S, written + 1
                continue
            kept = 0
            # As often right as told, without chance.
            while kept < len(draft) and self._is_right():
                kept += 1
            step_s = ONE_S + len(draft) * self._one_more_s
            drafts.record_draft(len(draft), kept, step_s)
            took_s, written = took_s + step_s, written + kept + 1
        return took_s, most

    def _is_right(self) -> bool:
        self._guessed += self._right
        is_right, self._guessed = self._guessed >= 1, self._guessed % 1
        return is_right


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now_s = [0.0]
    monkeypatch.setattr(predicted_drafts.time, "perf_counter", lambda: now_s[0])
    return now_s


def test_right_guesses_are_made_two_at_once_and_save_time(clock: list[float]) -> None:
    layer = Layer(right=0.9, one_more_s=0.02, clock=clock)
    gain = PredictionGain()
    drafts = PredictedDrafts(gain, layer)
    took_s, most = layer.write(drafts, 300)
    assert (most, drafts.is_off) == (2, False)
    assert took_s < 0.6 * 300 * ONE_S
    drafted, kept, _ = drafts.figures
    assert kept > 0.8 * drafted
    assert gain.description.startswith("2 at once, ")


def test_one_is_guessed_where_a_second_costs_more_than_it_gains(clock: list[float]) -> None:
    layer = Layer(right=0.45, one_more_s=0.03, clock=clock)
    gain = PredictionGain()
    for _ in range(4):
        layer.write(PredictedDrafts(gain, layer), 100)
    took_s, most = layer.write(PredictedDrafts(gain, layer), 100)
    assert most == 1
    assert took_s < 100 * ONE_S


@pytest.mark.parametrize(("right", "one_more_s"), [(0.0, 0.02), (0.3, 0.05), (0.9, 0.2)])
def test_guesses_that_cost_end_at_once_and_the_answer_says_so(
    clock: list[float], right: float, one_more_s: float
) -> None:
    layer, gain = Layer(right=right, one_more_s=one_more_s, clock=clock), PredictionGain()
    took_s = 0.0
    for number in range(20):
        drafts = PredictedDrafts(gain, layer)
        took_s += layer.write(drafts, 200)[0]
        assert (drafts.is_off, layer.is_on) == (True, False), number
    assert took_s < 20 * 200 * ONE_S * 1.01


def test_a_prompt_that_takes_longer_counts_and_after_a_rest_it_is_tried_again(clock: list[float]) -> None:
    """Each answer saves some 3 seconds while it is written."""
    for read_s, tried in ((2.0, 40), (8.0, 4)):
        layer, gain = Layer(right=0.9, one_more_s=0.02, clock=clock, read_s=read_s), PredictionGain()
        guessed = [layer.write(PredictedDrafts(gain, layer), 80)[1] > 0 for _ in range(40)]
        assert guessed.count(True) <= tried
        assert guessed.count(True) >= min(tried, 3)
        assert guessed[0]
        assert ("rests" in gain.description) is (read_s > 3)
        assert layer.rested == 40 - guessed.count(True), "its memory is free meanwhile"


def test_answers_that_gave_up_are_followed_by_a_rest_that_grows_until_something_is_gained(clock: list[float]) -> None:
    slow, gain = Layer(right=0.2, one_more_s=0.08, clock=clock), PredictionGain()
    for _ in range(3 + REST_ANSWERS):
        slow.write(PredictedDrafts(gain, slow), 100)
    assert gain.rest.next_answers == 4 * REST_ANSWERS
    assert gain.rest.answers
    again = PredictionGain(PredictionRest(1, 4 * REST_ANSWERS))  # the last answer of a rest, after a restart
    fast = Layer(right=0.9, one_more_s=0.02, clock=clock)
    for _ in range(2):
        fast.write(PredictedDrafts(again, fast), 100)
    assert again.begin_answer()
    assert again.rest == PredictionRest(0, REST_ANSWERS)


def test_a_token_is_written_alone_now_and_then_to_know_how_long_it_takes(clock: list[float]) -> None:
    layer = Layer(right=1.0, one_more_s=0.01, clock=clock)
    drafts, alone = PredictedDrafts(PredictionGain(), layer), 0
    for _ in range(4 * MEASURED_EVERY_STEPS):
        if draft := drafts.propose([0], 2):
            drafts.record_draft(len(draft), len(draft), ONE_S)
        else:
            drafts.record_token(ONE_S)
            alone += 1
    assert alone == LEAST_TIMES + 4
