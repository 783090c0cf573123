"""What is guessed from a prompt, how much of it, and when guessing is given up."""

from __future__ import annotations

import random

import pytest

from app.engine.prompt_drafts import GRAM, LEAST_TIMES, AnswerDrafts, DecodeTimes, PromptSource

ONE_S = 0.01
MOST = 15
PROMPT = random.Random(4).sample(range(1000, 9000), 200)


def measured(cost_of_16: float = 5.0) -> DecodeTimes:
    """Times of a machine where sixteen tokens at once take so many times one."""
    times = DecodeTimes()
    for _ in range(2 * LEAST_TIMES):
        times.record(1, ONE_S)
        for size in (4, 8, 16):
            times.record(size, ONE_S * (1 + (cost_of_16 - 1) * (size - 1) / 15))
    return times


def write(answer: list[int], times: DecodeTimes, *, cost_of_16: float = 5.0) -> tuple[float, AnswerDrafts]:
    """Return how many times faster than token by token the answer is written on such a machine."""
    drafts, tokens, took_s = AnswerDrafts(times), [*PROMPT], 0.0
    while (done := len(tokens) - len(PROMPT)) < len(answer):
        draft, rest = drafts.propose(tokens, min(MOST, len(answer) - done - 1)), answer[done:]
        kept = next((at for at, token in enumerate(draft) if token != rest[at]), len(draft))
        step_s = ONE_S * (1 + (cost_of_16 - 1) * len(draft) / 15)
        tokens += rest[: kept + 1]
        took_s += step_s
        if draft:
            drafts.record_draft(len(draft), kept, step_s)
        else:
            drafts.record_token(step_s)
    return len(answer) * ONE_S / took_s, drafts


def test_a_copy_is_written_in_long_drafts() -> None:
    speedup, drafts = write(PROMPT[20:180], measured())
    assert speedup > 1.5
    drafted, kept, is_off = drafts.figures
    assert kept == drafted > 100
    assert not is_off


def test_an_edit_goes_on_behind_the_word_that_it_replaced() -> None:
    answer = PROMPT[:180]
    for place in range(25, 180, 40):
        answer[place : place + 2] = [7]
    speedup, drafts = write(answer, measured())
    assert speedup > 1.3
    assert not drafts.is_off


def test_an_answer_in_other_words_is_never_drafted() -> None:
    speedup, drafts = write(list(range(160)), measured())
    assert speedup == pytest.approx(1.0)
    assert drafts.figures == (0, 0, False)


def test_an_answer_has_to_repeat_more_of_itself_than_of_its_prompt() -> None:
    phrase = list(range(GRAM + 2))
    assert write([*phrase, 500, *phrase, 600, *range(700, 720)], measured())[1].figures[0] == 0
    longer = list(range(100, 180))
    speedup, drafts = write([*longer, 500, *longer], measured())
    assert speedup > 1.1
    assert drafts.figures[1] > 0


def test_what_repeats_its_prompt_and_always_goes_on_differently_loses_little() -> None:
    answer: list[int] = []
    for place in range(0, 160, 12):
        answer += [*PROMPT[place : place + 9], 1, 2, 3]
    speedup, drafts = write(answer, measured())
    assert speedup > 0.94
    answer = [*answer, *range(300)]
    speedup, _ = write(answer, measured())
    assert speedup > 0.97
    assert drafts.figures[1] < drafts.figures[0]


def test_where_several_at_once_cost_as_much_as_one_by_one_guessing_ends() -> None:
    speedup, drafts = write(PROMPT[20:180], DecodeTimes(), cost_of_16=20.0)
    assert drafts.is_off
    assert speedup > 0.97
    again, drafts = write(PROMPT[20:180], measured(20.0), cost_of_16=20.0)
    assert drafts.figures[0] == 0
    assert again == pytest.approx(1.0)


def test_one_slow_moment_is_forgotten_after_some_answers() -> None:
    times = measured()
    for _ in range(9):
        times.record(16, 40 * ONE_S)
    slow = times.expected_s(16)
    for _ in range(36):
        AnswerDrafts(times)
    for _ in range(LEAST_TIMES):
        times.record(1, ONE_S)
    assert times.expected_s(16) < slow / 2


def test_pictures_are_never_guessed() -> None:
    prompt = [*range(1, 10), -7, -7, 6, *range(1, 9)]
    source = PromptSource()
    source.add_tokens(prompt)
    assert source.going_on(MOST) == [9]


@pytest.mark.parametrize("seed", range(20))
def test_what_goes_on_was_in_the_text_behind_the_same_tokens(seed: int) -> None:
    chance = random.Random(seed)
    tokens = [chance.randrange(4) for _ in range(40)]
    source = PromptSource()
    for _ in range(200):
        source.add_tokens(tokens)
        if found := source.going_on(MOST):
            assert any(tokens[at : at + len(found)] == found for at in range(len(tokens)))
        tokens.append(found[0] if found and chance.random() < 0.7 else chance.randrange(4))
