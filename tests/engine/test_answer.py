"""Writing an answer: whole characters, stop strings, limits and measures."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import FinishReason
from app.engine.answer import Answer, StopStrings
from app.engine.protocol import Delta, Generate, Reading, Reply


class Written:
    """An answer fed by hand."""

    def __init__(self, **options: object) -> None:
        self.replies: list[Reply] = []
        request = Generate(7, (("user", "hello"),), **options)  # type: ignore[arg-type]
        self.answer = Answer(request, self.replies.append, time.perf_counter())

    @property
    def deltas(self) -> list[str]:
        return [reply.text for reply in self.replies if isinstance(reply, Delta)]


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
