"""What fits, what goes, and what never does: the plain arithmetic of a full context."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.request_errors import PromptTooLong
from app.core.events import Role
from app.features.chat import context_fitting
from app.features.chat.context_fitting import (
    ContextBudget,
    PromptMessage,
    PromptView,
    budget_for,
    fit_prompt,
    turn_starts,
    view_prompt,
)

ROOM = ContextBudget(1000, 0, 0)


def said(*sizes: int, pinned: tuple[int, ...] = ()) -> list[PromptMessage]:
    """Questions and answers in turn, of these sizes; ids from 1 on."""
    roles = (Role.USER, Role.ASSISTANT)
    return [
        PromptMessage(number, roles[(number - 1) % 2], f"text {number}", size, number in pinned)
        for number, size in enumerate(sizes, start=1)
    ]


def ids(shown: PromptView) -> list[int]:
    return [one.id for one in shown.said]


@pytest.mark.parametrize(
    ("context_tokens", "max_tokens", "is_thinking", "expected"),
    [
        (8192, 2048, False, 8192 - 1024 - 245),
        (8192, 256, False, 8192 - 256 - 245),
        (32_768, 2048, True, 32_768 - 4096 - 983),
        (2048, 2048, True, 2048 - 1024 - 64),
        (256, 2048, False, 256 - 128 - 32),
    ],
)
def test_the_answer_gets_its_reserve_but_never_more_than_half(
    context_tokens: int, max_tokens: int, is_thinking: bool, expected: int
) -> None:
    assert budget_for(context_tokens, max_tokens, is_thinking=is_thinking).prompt_tokens == expected


def test_what_fits_is_shown_as_it_is() -> None:
    shown = fit_prompt(said(300, 300, 300), None, 100, ROOM, "compact")
    assert (ids(shown), shown.hidden, shown.first_kept_id, shown.newly_hidden) == ([1, 2, 3], (), None, 0)
    assert shown.tokens == 1000


def test_one_token_too_many_makes_room_for_a_quarter() -> None:
    branch = said(*[100] * 9)
    shown = fit_prompt(branch, None, 101, ROOM, "rolling")
    assert (ids(shown), shown.first_kept_id) == ([3, 4, 5, 6, 7, 8, 9], 3), "a rolling window lets one turn go"
    shown = fit_prompt(branch, None, 101, ROOM, "compact")
    assert (ids(shown), shown.first_kept_id, shown.newly_hidden) == ([5, 6, 7, 8, 9], 5, 4)
    assert shown.tokens <= 750


def test_after_an_event_the_same_view_comes_until_it_is_full_again() -> None:
    branch = said(*[100] * 9)
    first = fit_prompt(branch, None, 101, ROOM, "compact")
    longer = [*branch, PromptMessage(10, Role.ASSISTANT, "text 10", 100), PromptMessage(11, Role.USER, "text 11", 100)]
    second = fit_prompt(longer, first.first_kept_id, 101, ROOM, "compact")
    assert second.newly_hidden == 0
    assert second.messages("Be brief.")[: len(first.messages("Be brief."))] == first.messages("Be brief.")


def test_in_a_larger_context_all_is_shown_again_once_a_quarter_stays_free() -> None:
    branch = said(*[100] * 9)
    assert ids(fit_prompt(branch, 5, 101, ContextBudget(1334, 0, 0), "compact")) == [5, 6, 7, 8, 9]
    shown = fit_prompt(branch, 5, 101, ContextBudget(1336, 0, 0), "compact")
    assert (ids(shown), shown.first_kept_id, shown.newly_hidden) == ([1, 2, 3, 4, 5, 6, 7, 8, 9], None, -4)


def test_pinned_messages_stay_and_a_pinned_answer_brings_its_question() -> None:
    shown = fit_prompt(said(*[100] * 9, pinned=(1, 4)), None, 101, ROOM, "rolling")
    assert ids(shown) == [1, 3, 4, 5, 6, 7, 8, 9], "only the answer 2 goes"
    shown = fit_prompt(said(*[100] * 11, pinned=(1, 4)), None, 101, ROOM, "rolling")
    assert ids(shown) == [1, 3, 4, 7, 8, 9, 10, 11]
    assert [message.text for message in shown.messages("")][:2] == ["text 1\n\ntext 3", "text 4"]


def test_instructions_are_carried_word_for_word_the_first_and_the_latest() -> None:
    branch = said(*[20, 80] * 30, 20)
    budget = ContextBudget(3000, 0, 0)
    shown = fit_prompt(branch, None, 0, budget, "compact")
    hidden_questions = [number for number in shown.hidden if number % 2]
    assert [one.id for one in shown.carried] == [1, *hidden_questions[-7:]]
    assert shown.messages("Be brief.")[0].text == "\n\n".join(
        ["Be brief.", context_fitting.CARRIED_HEADING, *(f"- {one.text}" for one in shown.carried)]
    )
    assert fit_prompt(branch, None, 0, budget, "rolling").carried == ()


def test_a_long_instruction_is_left_out_whole() -> None:
    shown = fit_prompt(said(300, 200, 20, 200, *[110] * 5), None, 0, ROOM, "compact")
    assert (shown.hidden, [one.id for one in shown.carried]) == ((1, 2, 3, 4), [3])


def test_a_message_larger_than_the_budget_is_refused_and_said_with_both_numbers() -> None:
    with pytest.raises(PromptTooLong) as caught:
        fit_prompt(said(10, 10, 980), None, 50, ROOM, "compact")
    assert (caught.value.prompt_tokens, caught.value.context_tokens) == (1030, 1000)


def test_a_newest_turn_between_the_target_and_the_budget_is_taken() -> None:
    assert ids(fit_prompt(said(100, 100, 800), None, 50, ROOM, "compact")) == [3]


def test_carried_instructions_give_way_before_the_message_is_refused() -> None:
    shown = fit_prompt(said(30, 100, 940), None, 0, ROOM, "compact")
    assert (ids(shown), shown.carried) == ([3], ())


def test_a_mark_on_another_branch_counts_as_none() -> None:
    assert ids(view_prompt(said(10, 10, 10), 77, 0, ROOM, "compact")) == [1, 2, 3]
    assert ids(view_prompt(said(10, 10, 10), 3, 0, ROOM, "compact")) == [3]


def test_an_answer_that_goes_on_belongs_to_the_newest_turn() -> None:
    assert ids(fit_prompt(said(300, 300, 300, 300), None, 0, ROOM, "compact")) == [3, 4]


def test_parts_add_up_to_the_prompt() -> None:
    shown = view_prompt(said(100, 50, 30, pinned=(2,)), None, 70, ROOM, "compact")
    parts = context_fitting.parts_of(shown, 25, ROOM)
    assert (parts.system, parts.pinned, parts.earlier, parts.documents, parts.message) == (70, 50, 130, 0, 25)
    assert (parts.used_tokens, parts.is_over) == (275, False)
    assert context_fitting.parts_of(shown, 900, ROOM).is_over
    cut = view_prompt(said(20, 200, *[100] * 5), 3, 70, ROOM, "compact")
    parts = context_fitting.parts_of(cut, 0, ROOM)
    assert (parts.system, parts.carried, parts.earlier) == (70, 20 + context_fitting.CARRIED_HEADING_TOKENS, 500)
    assert parts.used_tokens == cut.tokens


messages = st.builds(
    lambda role, size, pinned: (role, size, pinned),
    st.sampled_from([Role.USER, Role.USER, Role.ASSISTANT]),
    st.integers(1, 400),
    st.sampled_from([False] * 6 + [True]),
)


@given(
    st.lists(messages, max_size=40),
    st.integers(0, 200),
    st.sampled_from(["compact", "rolling", "ask"]),
    st.integers(0, 45),
)
def test_the_view_fits_or_is_refused_and_keeps_what_must_stay(
    before: list[tuple[Role, int, bool]], fixed: int, when_full: str, kept: int
) -> None:
    branch = [PromptMessage(n, role, f"<{n}>", size, pinned) for n, (role, size, pinned) in enumerate(before, start=1)]
    branch.append(PromptMessage(len(branch) + 1, Role.USER, "newest", 50))
    newest = turn_starts(branch)[-1]
    pinned = {one.id for one in branch if one.pinned}
    try:
        shown = fit_prompt(branch, kept, fixed, ROOM, when_full)
    except PromptTooLong:
        answered = [branch[n - 1] for n in pinned if branch[n - 1].role is Role.ASSISTANT]
        most = sum(one.tokens for one in branch if one.pinned) + 400 * len(answered) + 50 + fixed
        assert most > ROOM.prompt_tokens, "refused only where what must stay does not fit"
        return
    order = {one.id: place for place, one in enumerate(branch)}
    places = [order[one.id] for one in shown.said]
    assert shown.tokens <= ROOM.prompt_tokens
    assert shown.tokens >= fixed + sum(one.tokens for one in (*shown.said, *shown.carried))
    assert places == sorted(set(places)), "in order, each once"
    assert pinned | {one.id for one in branch[newest:]} <= set(ids(shown))
    assert set(ids(shown)) | set(shown.hidden) == set(order)
    assert not set(ids(shown)) & set(shown.hidden)
    start = order[shown.first_kept_id] if shown.first_kept_id is not None else 0
    assert start in turn_starts(branch) or start == order.get(kept, 0), "whole turns go"
    assert ids(shown)[-len(branch[start:]) :] == [one.id for one in branch[start:]]
    assert len(shown.carried) <= context_fitting.CARRIED_MESSAGES
    assert {one.id for one in shown.carried} <= set(shown.hidden)
    assert sum(one.tokens for one in shown.carried) <= ROOM.carried_tokens
    text = "\n".join(message.text for message in shown.messages("system prompt"))
    assert text.startswith("system prompt")
    assert all(one.text in text for one in (*shown.said, *shown.carried)), "nothing is cut"
    assert fit_prompt(branch, shown.first_kept_id, fixed, ROOM, when_full).said == shown.said, "the same again"
