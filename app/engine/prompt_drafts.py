"""Prompt look-up drafts: what the prompt went on with after the last words, proposed as the next words. Pure.

An answer that edits, quotes or corrects a text repeats long stretches of it. Tokens guessed from there are decoded
together, which takes less time than one by one, and only those the model chooses itself stay. How many pay off depends
on the machine and on the answer, so both are measured, and an answer that gains nothing is written without.
"""

from __future__ import annotations

import statistics
from collections import defaultdict, deque

from app.engine.model_shape import MOST_DRAFTED_TOGETHER

SIZES = (4, 8, MOST_DRAFTED_TOGETHER)
"""Tokens decoded at once: llama.cpp's matrix kernels take rows by fours. More than 16 gained little."""
GRAM = 8  # equal tokens before a place: fewer happen in free texts, where a guess loses time and can turn a near tie
OWN_GRAM = (
    24  # the same for what an answer repeats of itself, which goes on in other words more often: 16 guessed wrong
)
NEAR_GRAM, NEAR_TOKENS = 2, 24  # fewer are enough just behind the place where an answer left its source
PLACES = 8
LONGEST_MATCH = 64
DOUBT_TOKENS = 3  # so long a match is as likely to go on as to end, before this answer showed more
PRIOR_TOKENS = 8.0  # how many tokens what is expected weighs against what this answer showed
FADES, FADES_EVERY_ANSWERS = 0.85, 4
CLEARLY = 1.08  # a draft must promise so much more than writing token by token
USUAL_SLOPE = 0.35  # what one more token costs, in times of one alone, until it is measured
ALLOWED_LOSS_TOKENS, ALLOWED_LOSS = 2.0, 0.01
LATE = 1.25
LEAST_TIMES, KEPT_TIMES = 4, 7
MOST_DRAFT_S = 1.5  # longer, and words would come in jerks and Stop late


class DecodeTimes:
    """Seconds of a step that writes one token, and of steps that decode several of one answer; for a loaded model."""

    def __init__(self) -> None:
        self._times: dict[int, deque[float]] = defaultdict(lambda: deque(maxlen=KEPT_TIMES))
        self._answers = 0
        self.one_s = 0.0
        """Seconds for one token; 0 until enough were measured."""

    def fade(self) -> None:
        """Begin an answer; forget the oldest time of each size now and then.

        One from a busy moment would keep it from being tried for ever.
        """
        self._answers += 1
        for size in SIZES:
            if self._times[size] and self._answers % FADES_EVERY_ANSWERS == 0:
                self._times[size].popleft()

    def record(self, tokens: int, seconds: float) -> None:
        """Record the time of a step that decoded `tokens` tokens of one answer."""
        times = self._times[_size_of(tokens)]
        times.append(seconds)
        if tokens == 1 and len(times) >= LEAST_TIMES:
            # Once for each token, of which `statistics.median` would make much more.
            self.one_s = sorted(times)[len(times) // 2]

    def expected_s(self, size: int) -> float:
        """Return what a step of one of `SIZES` takes: measured, with a guess as the first measurement."""
        return statistics.median([self.one_s * (1 + USUAL_SLOPE * (size - 1)), *self._times[size]])


class AnswerDrafts:
    """Drafts of one answer: `propose` before a step; afterwards `record_draft`, or `record_token` without one."""

    def __init__(self, times: DecodeTimes) -> None:
        self.is_off = False
        self._drafted_tokens = self._kept_tokens = 0
        times.fade()
        self._times = times
        self._source = PromptSource()
        self._kept = self._refused = self._gained_s = 0.0
        self._written = 0

    @property
    def figures(self) -> tuple[int, int, bool]:
        """Tokens guessed, how many of them were kept, and whether guessing was given up."""
        return self._drafted_tokens, self._kept_tokens, self.is_off

    def propose(self, tokens: list[int], most: int) -> list[int]:
        """Return at most `most` tokens that may follow `tokens`, the prompt and the answer so far; often none."""
        if self.is_off or not self._times.one_s:
            return []
        self._source.add_tokens(tokens)
        going_on = self._source.going_on(min(most, SIZES[-1] - 1))
        return going_on[: self._best_length(len(going_on))] if going_on else []

    def read_along(self, tokens: list[int], start: int, count: int) -> None:
        """Do nothing: look-ups need no more than the tokens."""

    def record_token(self, seconds: float) -> None:
        """Record a step that wrote one token without a draft."""
        self._written += 1
        self._times.record(1, seconds)

    def record_draft(self, drafted: int, kept: int, seconds: float) -> None:
        """Record a step with a draft: how many of its tokens were kept; drafts end where they cost more than that."""
        # One that took far longer than its tokens one by one was held up by other programs.
        counted_s = min(seconds, LATE * (drafted + 1) * self._times.one_s)
        self._times.record(drafted + 1, counted_s)
        self._kept, self._refused = self._kept * FADES + kept, self._refused * FADES + (kept < drafted)
        self._written += kept + 1
        self._gained_s += (kept + 1) * self._times.one_s - counted_s
        lost_tokens = -self._gained_s / self._times.one_s
        self.is_off = lost_tokens > ALLOWED_LOSS_TOKENS + ALLOWED_LOSS * self._written
        self._drafted_tokens += drafted
        self._kept_tokens += kept

    def _best_length(self, available: int) -> int:
        """Return how many tokens to draft; 0 where one by one is expected to be as fast."""
        usual = self._source.matched / (self._source.matched + DOUBT_TOKENS)
        share = (PRIOR_TOKENS * usual + self._kept) / (PRIOR_TOKENS + self._kept + self._refused)
        best, length = CLEARLY / self._times.one_s, 0
        for size in SIZES:
            drafted = min(size - 1, available)
            took_s = self._times.expected_s(size)
            written = (1 - share ** (drafted + 1)) / (1 - share)
            if took_s <= MOST_DRAFT_S and written / took_s > best:
                best, length = written / took_s, drafted
        return length


class PromptSource:
    """The place that the end of a text repeats, found once and then followed from token to token."""

    def __init__(self) -> None:
        self.matched = 0
        """How many tokens before the place are those at the end of the text."""
        self._tokens: list[int] = []
        self._place = 0  # of the token expected next; 0 is no place
        self._left = 0  # where an answer went other ways last
        self._seen = self._prompt_tokens = 0
        self._places: dict[tuple[int, ...], tuple[int, ...]] = {}

    def add_tokens(self, tokens: list[int]) -> None:
        """Take in what was written since; `tokens` only grows between two calls. The first ones are the prompt."""
        self._prompt_tokens = self._prompt_tokens or len(tokens)
        for at in range(self._seen, len(tokens)):
            # What follows these is known now; the last ones of all are never a place for themselves.
            if at >= GRAM:
                gram = tuple(tokens[at - GRAM : at])
                self._places[gram] = (*self._places.get(gram, ())[1 - PLACES :], at)
            if self._place and tokens[self._place] == tokens[at]:
                self._place, self.matched = self._place + 1, min(self.matched + 1, LONGEST_MATCH)
            elif self._place:
                self._place, self._left = 0, self._place
        self._tokens, self._seen = tokens, len(tokens)
        if not self._place and not self._find_near():
            self._find_anywhere()

    def going_on(self, most: int) -> list[int]:
        """Return what follows the place, up to a picture; nothing where there is no place."""
        if not self._place:
            return []
        found = self._tokens[self._place : self._place + most]
        return found[: next((at for at, token in enumerate(found) if token < 0), len(found))]

    def _find_near(self) -> bool:
        """Look just behind where the source was left: an edit replaces a few words and goes on."""
        if not self._left:
            return False
        last = self._tokens[-NEAR_GRAM:]
        for place in range(self._left, min(self._left + NEAR_TOKENS, len(self._tokens))):
            if self._tokens[place - NEAR_GRAM : place] == last:
                self._place, self.matched = place, GRAM
                return True
        return False

    def _find_anywhere(self) -> None:
        places = self._places.get(tuple(self._tokens[-GRAM:]))
        if places is None:  # nearly always, in a free text
            self.matched = self._place = 0
            return
        matches = ((self._match_length(place), place) for place in places)
        worth = (match for match in matches if match[1] < self._prompt_tokens or match[0] >= OWN_GRAM)
        # Of two that match as far the later one is likelier.
        self.matched, self._place = max(worth, default=(0, 0))

    def _match_length(self, place: int) -> int:
        tokens, end = self._tokens, len(self._tokens)
        most = min(place, LONGEST_MATCH)
        return next((n for n in range(most) if tokens[place - 1 - n] != tokens[end - 1 - n]), most)


def _size_of(tokens: int) -> int:
    """Return the size that stands for a number of tokens decoded at once."""
    return 1 if tokens == 1 else next((size for size in SIZES if size >= tokens), SIZES[-1])
