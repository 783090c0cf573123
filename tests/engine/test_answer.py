"""Writing an answer: whole characters, stop strings, limits and measures."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import FinishReason
from app.engine.answer import Answer, StopStrings
from app.engine.protocol import Delta, Generate, Reading, Reply
from app.engine.reasoning import PLAIN, Syntax


class Written:
    """An answer fed by hand."""

    def __init__(self, style: Syntax = PLAIN, **options: object) -> None:
        self.replies: list[Reply] = []
        request = Generate(7, (("user", "hello"),), **options)  # type: ignore[arg-type]
        self.answer = Answer(request, self.replies.append, time.perf_counter(), style)

    @property
    def deltas(self) -> list[str]:
        return [reply.text for reply in self.replies if isinstance(reply, Delta) and not reply.thinking]

    @property
    def thoughts(self) -> list[str]:
        return [reply.text for reply in self.replies if isinstance(reply, Delta) and reply.thinking]


def test_characters_are_shown_only_when_they_are_whole() -> None:
    written = Written()
    for byte in "é🎉".encode():
        assert written.answer.add(bytes([byte])) is None
    assert written.deltas == ["é", "🎉"]


def test_half_a_character_at_the_end_is_shown_as_replaced() -> None:
    written = Written()
    written.answer.add(b"a" + "🎉".encode()[:2])
    written.answer.finish(FinishReason.STOP)
    assert written.deltas == ["a", "\ufffd"]


def test_a_stop_string_across_tokens_is_never_shown() -> None:
    written = Written(stop=("END",))
    reasons = [written.answer.add(piece) for piece in (b"one E", b"N", b"D two")]
    assert reasons == [None, None, FinishReason.STOP]
    written.answer.finish(FinishReason.STOP)
    assert written.deltas == ["one "]


def test_what_only_began_like_a_stop_string_is_shown() -> None:
    written = Written(stop=("END",))
    for piece in (b"one EN", b"OUGH E"):
        written.answer.add(piece)
    written.answer.finish(FinishReason.STOP)
    assert "".join(written.deltas) == "one ENOUGH E"


def test_the_earliest_of_several_stop_strings_counts() -> None:
    stops = StopStrings(["three", "two"])
    assert (stops.feed("one two three"), stops.met) == ("one ", True)
    assert stops.feed("more") == ""


def test_an_empty_stop_string_stops_nothing() -> None:
    assert StopStrings([""]).feed("text") == "text"


@given(st.text("ab.", max_size=40), st.lists(st.text("ab.", min_size=1, max_size=4), max_size=3), st.data())
def test_cutting_text_differently_shows_the_same(text: str, stops: list[str], data: st.DataObject) -> None:
    strings, shown, rest = StopStrings(stops), "", text
    while rest and not strings.met:
        size = data.draw(st.integers(1, len(rest)))
        shown, rest = shown + strings.feed(rest[:size]), rest[size:]
    shown += strings.rest()
    assert text.startswith(shown)
    assert not any(stop in shown for stop in stops)
    assert strings.met == any(stop in text for stop in stops)


def test_without_a_limit_it_goes_on_and_each_piece_says_what_the_context_holds() -> None:
    written = Written(max_tokens=-1)
    written.answer.begin(100, 0)
    assert [written.answer.add(b"x") for _ in range(3000)] == [None] * 3000
    assert [reply.used_tokens for reply in written.replies if isinstance(reply, Delta)][::1000] == [101, 1101, 2101]


@pytest.mark.parametrize("limit", [1, 3])
def test_the_limit_counts_tokens(limit: int) -> None:
    written = Written(max_tokens=limit)
    reasons = [written.answer.add(b"x") for _ in range(limit)]
    assert reasons == [None] * (limit - 1) + [FinishReason.LENGTH]


def test_the_measures_are_those_of_the_answer() -> None:
    written = Written()
    written.answer.begin(10, 4)
    written.answer.read(10)
    for piece in (b"a", b"b", b"c"):
        written.answer.add(piece)
    last = written.answer.finish(FinishReason.STOP)
    assert Reading(7, 10, 10) in written.replies
    assert (last.id, last.prompt_tokens, last.reused_tokens, last.generated_tokens) == (7, 10, 4, 3)
    assert last.time_to_first_token_s > 0
    assert last.tokens_per_s > 0
    assert last.finish_reason == "stop"


def test_an_answer_without_tokens_has_no_rates() -> None:
    last = Written().answer.finish(FinishReason.CANCELLED)
    assert (last.generated_tokens, last.time_to_first_token_s, last.tokens_per_s) == (0, 0.0, 0.0)


def test_thinking_is_told_apart_and_counted() -> None:
    written = Written()
    for piece in (b"<thi", b"nk>", b"Hm", b" so", b"</think>", b"\n\n", b"Hello", b" you"):
        assert written.answer.add(piece) is None
    last = written.answer.finish(FinishReason.STOP)
    assert written.thoughts == ["Hm", " so"]
    assert written.deltas == ["Hello", " you"]
    assert (last.generated_tokens, last.thinking_tokens) == (8, 6)


def test_an_answer_without_thinking_counts_none() -> None:
    written = Written()
    for piece in (b"<", b"b>", b"bold"):
        written.answer.add(piece)
    assert written.answer.finish(FinishReason.STOP).thinking_tokens == 0
    assert "".join(written.deltas) == "<b>bold"


def test_stop_strings_and_the_limit_are_for_the_answer_alone() -> None:
    written = Written(stop=("END",), max_tokens=2)
    for piece in (b"<think>", b"END", b" x", b"</think>", b"One"):
        assert written.answer.add(piece) is None
    assert written.answer.add(b"two") is FinishReason.LENGTH
    assert written.answer.add(b" END") is FinishReason.STOP
    written.answer.finish(FinishReason.STOP)
    assert ("".join(written.thoughts), "".join(written.deltas)) == ("END x", "Onetwo ")


def test_an_answer_that_ends_inside_keeps_its_thinking() -> None:
    written = Written(style=PLAIN.after("<think>\n"))
    written.answer.add(b"Hm, </th")
    written.answer.finish(FinishReason.CANCELLED)
    assert ("".join(written.thoughts), written.deltas) == ("Hm, </th", [])


def test_a_used_up_budget_forces_the_end_once() -> None:
    written = Written(thinking_budget=2, style=PLAIN.after("<think>\n"))
    written.answer.add(b"One")
    assert written.answer.forced_text() is None
    written.answer.add(b" two")
    assert written.answer.forced_text() == "\n</think>\n\n"
    assert written.answer.forced_text() is None
    for piece in (b"\n</think>", b"\n\n", b"Hello"):
        written.answer.add(piece)
    last = written.answer.finish(FinishReason.STOP)
    assert (written.thoughts, written.deltas, last.thinking_tokens) == (["One", " two"], ["Hello"], 4)


def test_no_budget_at_all_ends_thinking_before_its_first_token() -> None:
    assert Written(thinking_budget=0, style=PLAIN.after("<think>\n")).answer.forced_text() == "\n</think>\n\n"
    assert Written(thinking_budget=0).answer.forced_text() is None
    assert Written(style=PLAIN.after("<think>\n")).answer.forced_text() is None


def test_a_character_split_over_tokens_stays_whole_in_thinking() -> None:
    written = Written(style=PLAIN.after("<think>"))
    for byte in "é🎉".encode():
        written.answer.add(bytes([byte]))
    assert written.thoughts == ["é", "🎉"]
