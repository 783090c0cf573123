"""Drafts by the model's own layer for multi-token prediction, switched off where measured times say they cost. Pure.

The layer guesses the token after the next from what the model made of the newest ones. It has to read the prompt as
well, so that reading counts: what it costs and gains is one account over all answers of a loaded model.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from typing import Protocol

from app.core.lazy_dataclasses import dataclass
from app.engine.model_shape import MOST_PREDICTED_TOKENS

LEAST_TIMES, KEPT_TIMES = 4, 7
USUAL_SLOPE = 0.35  # what a guess and its check cost, in times of one token alone, until it is measured
USUAL_SHARE, PRIOR_GUESSES = 0.7, 8.0  # how many guesses are right, before there were so many
FADES = 0.9  # of what earlier guesses and answers told, with each that comes
CLEARLY = 1.03  # a draft must promise so much more than writing token by token
MEASURED_EVERY_STEPS = 32  # a token is written alone so often, or a busy moment's times would hold for ever
ALLOWED_LOSS_TOKENS, ALLOWED_LOSS = 2.0, 0.01
LATE = 1.25
REST_LOSS_TOKENS, REST_ANSWERS, MOST_REST_ANSWERS = 4.0, 8, 512
GIVEN_UP_TOKENS = 2.5  # what an answer is charged that gave up: after two of them the next ones rest


@dataclass(frozen=True)
class PredictionRest:
    """For how many answers nothing is guessed, and for how many after the next loss."""

    answers: int = 0
    next_answers: int = REST_ANSWERS


class TokenPredictor(Protocol):
    """The layer's context, which follows one answer at a time."""

    def hand_out_states(self, *, is_on: bool) -> None:
        """Have the model hand out what the layer reads, or no longer."""

    def read_along(self, owner: object, tokens: list[int], start: int, count: int) -> None:
        """Take in `count` tokens of `owner` from `start` on, which the model has just decoded by themselves."""

    def predict(self, owner: object, tokens: list[int], most: int) -> list[int]:
        """Return at most `most` tokens that may follow `tokens`."""

    def rest(self) -> None:
        """Free the memory that guesses need, until states are handed out again."""


class PredictionGain:
    """What guesses cost and gain with a loaded model, and for how many answers they rest."""

    def __init__(self, rest: PredictionRest = PredictionRest()) -> None:  # noqa: B008 - it is frozen
        self.rest = rest
        self._alone: deque[float] = deque(maxlen=KEPT_TIMES)
        self._drafts = [deque[float](maxlen=KEPT_TIMES) for _ in range(MOST_PREDICTED_TOKENS)]
        self._right, self._tried = [0.0] * MOST_PREDICTED_TOKENS, [0.0] * MOST_PREDICTED_TOKENS
        self._balance_s = 0.0

    @property
    def one_s(self) -> float:
        """Seconds for one token; 0 until enough were measured."""
        return statistics.median(self._alone) if len(self._alone) >= LEAST_TIMES else 0.0

    @property
    def description(self) -> str:
        """How many tokens are guessed at once and how many of the first ones were right, for the diagnosis."""
        if self.rest.answers:
            return f"rests for {self.rest.answers} answers"
        right = f", {self._right[0] / self._tried[0]:.0%} right" if self._tried[0] else ""
        return f"{self.best_length(MOST_PREDICTED_TOKENS)} at once{right}"

    def begin_answer(self) -> bool:
        """Return whether the next answer is to be guessed. After a loss some are not, twice as many each time."""
        answers, following = self.rest.answers, self.rest.next_answers
        if not answers and self._balance_s < -REST_LOSS_TOKENS * self.one_s:
            answers, following = following, min(2 * following, MOST_REST_ANSWERS)
            self._balance_s = 0.0
            # What was learnt counts half then: other texts may be easier.
            self._right, self._tried = [n / 2 for n in self._right], [n / 2 for n in self._tried]
        elif self._balance_s > REST_LOSS_TOKENS * self.one_s:
            following = REST_ANSWERS
        self._balance_s *= FADES
        self.rest = PredictionRest(max(0, answers - 1), following)
        return not self.rest.answers

    def charge(self, seconds: float) -> None:
        """Count seconds that guessing cost, such as those that a prompt was read longer for."""
        self._balance_s -= seconds

    def record_token(self, seconds: float) -> None:
        """Record a step that wrote one token without a draft."""
        self._alone.append(seconds)

    def record_draft(self, drafted: int, kept: int, seconds: float) -> float:
        """Record a step with a draft; return the seconds it saved, below 0 where it cost some."""
        # One that took far longer than its tokens one by one was held up by other programs, or is the first.
        seconds = min(seconds, LATE * (drafted + 1) * self.one_s)
        self._drafts[drafted - 1].append(seconds)
        for place in range(min(kept + 1, drafted)):
            self._right[place] = self._right[place] * FADES + (place < kept)
            self._tried[place] = self._tried[place] * FADES + 1
        saved_s = (kept + 1) * self.one_s - seconds
        self._balance_s += saved_s
        return saved_s

    def best_length(self, most: int) -> int:
        """Return how many tokens to guess; 0 where one by one is expected to be as fast."""
        one_s, written, share, best, length = self.one_s, 1.0, 1.0, 0.0, 0
        for place in range(min(most, MOST_PREDICTED_TOKENS) if one_s else 0):
            right = PRIOR_GUESSES * USUAL_SHARE + self._right[place]
            share *= right / (PRIOR_GUESSES + self._tried[place])
            written += share
            times = self._drafts[place]
            took_s = statistics.median(times) if times else one_s * (1 + USUAL_SLOPE * (place + 1))
            if written / took_s > max(best, CLEARLY / one_s):
                best, length = written / took_s, place + 1
        return length


class PredictedDrafts:
    """Drafts of one answer by the layer, used as `AnswerDrafts` are for look-ups."""

    def __init__(self, gain: PredictionGain, predictor: TokenPredictor) -> None:
        self._gain, self._predictor = gain, predictor
        self._drafted_tokens = self._kept_tokens = self._written = self._steps = 0
        self._saved_s = 0.0
        self.is_off = not gain.begin_answer()
        if self.is_off:
            predictor.rest()
        else:
            predictor.hand_out_states(is_on=True)

    @property
    def figures(self) -> tuple[int, int, bool]:
        """Tokens guessed, how many of them were kept, and whether guessing was given up."""
        return self._drafted_tokens, self._kept_tokens, self.is_off

    def read_along(self, tokens: list[int], start: int, count: int) -> None:
        """Let the layer read `count` tokens from `start` on, which the model has just decoded by themselves."""
        if not self.is_off:
            begun_s = time.perf_counter()
            self._predictor.read_along(self, tokens, start, count)
            # What it takes while writing is part of the steps that are timed.
            if not self._written:
                self._gain.charge(time.perf_counter() - begun_s)

    def propose(self, tokens: list[int], most: int) -> list[int]:
        """Return tokens that may follow `tokens`, the prompt and the answer so far; often none."""
        self._steps += 1
        if self.is_off or not self._gain.one_s or self._steps % MEASURED_EVERY_STEPS == 0:
            return []
        length = self._gain.best_length(most)
        if not length and most >= MOST_PREDICTED_TOKENS:
            self._give_up()
        return self._predictor.predict(self, tokens, length) if length else []

    def record_token(self, seconds: float) -> None:
        """Record a step that wrote one token without a draft."""
        self._written += 1
        self._gain.record_token(seconds)

    def record_draft(self, drafted: int, kept: int, seconds: float) -> None:
        """Record a step with a draft: how many of its tokens were kept; drafts end where they cost more than that."""
        self._written += kept + 1
        self._saved_s += self._gain.record_draft(drafted, kept, seconds)
        self._drafted_tokens += drafted
        self._kept_tokens += kept
        if -self._saved_s > (ALLOWED_LOSS_TOKENS + ALLOWED_LOSS * self._written) * self._gain.one_s:
            self._give_up()

    def _give_up(self) -> None:
        self.is_off = True
        self._gain.charge(GIVEN_UP_TOKENS * self._gain.one_s)
        self._predictor.hand_out_states(is_on=False)
