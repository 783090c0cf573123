"""Tokens find their places in any text, and a text's figures count what llama-perplexity counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import CancelToken, Guess, Message, PromptProgress, Role, TokenSeen
from app.engine.client import EngineClient
from app.features.inside.looks import (
    PromptShare,
    place_tokens,
    read_attention,
    read_layers,
    read_probabilities,
    replace_token,
    shares_of,
    surprise_of,
    tokens_of,
    tokens_within,
)
from tests.helpers.engine import load, scripted_client


@given(st.text(min_size=1), st.data())
def test_pieces_of_any_text_cover_it_from_beginning_to_end(text: str, data: st.DataObject) -> None:
    raw = text.encode("utf-8", "replace")
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(raw) - 1)), max_size=8)) | {0, len(raw)})
    tokens = [TokenSeen(0, raw[start:end]) for start, end in itertools.pairwise(cuts) if start < end]
    places = place_tokens(tokens, text)
    assert places[0].start == 0
    assert places[-1].end == len(text)
    for one, following in itertools.pairwise(places):
        assert one.start < one.end
        assert one.start <= following.start <= one.end <= following.end
    for place in places:
        if "\N{REPLACEMENT CHARACTER}" not in place.text:
            assert text.encode("utf-8", "replace").decode()[place.start : place.end] == place.text


def test_a_blank_that_the_vocabulary_puts_before_a_text_has_no_place() -> None:
    places = place_tokens([TokenSeen(1, b" Hello"), TokenSeen(2, b" you")], "Hello you")
    assert [(place.start, place.end) for place in places] == [(0, 5), (5, 9)]


def seen(*log_probabilities: float) -> list[TokenSeen]:
    first = TokenSeen(0, b"<s>", True)
    return [first, *(TokenSeen(1, b"ab", False, value, 0) for value in log_probabilities)]


def test_a_short_text_counts_every_token_that_had_one_before_it() -> None:
    found = surprise_of(seen(-1.0, -3.0))
    assert found.perplexity == pytest.approx(math.exp(2))
    assert found.bits_per_byte == pytest.approx(4 / math.log(2) / 4)
    assert found.tokens == 3


def test_a_long_text_counts_the_second_halves_of_whole_windows() -> None:
    tokens = seen(*([-1.0] * 256 + [-2.0] * 255 + [-1.0] * 257 + [-4.0] * 255 + [-9.0] * 100))
    assert surprise_of(tokens).perplexity == pytest.approx(math.exp(3))


def test_nothing_to_foresee_has_no_figure() -> None:
    assert math.isnan(surprise_of(seen()).perplexity)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineClient]:
    client = scripted_client(tmp_path / "scripted", {})
    load(client)
    yield client
    client.close()


def test_a_text_of_any_length_is_seen_window_by_window_and_stops_when_asked(engine: EngineClient) -> None:
    events = list(read_probabilities(engine, "word " * 600))
    assert len([event for event in events if isinstance(event, TokenSeen)]) == 601
    assert [event.done_tokens for event in events if isinstance(event, PromptProgress)] == [256, 512, 601]
    cancel, got = CancelToken(), list[Any]()
    for event in read_probabilities(engine, "word " * 600, cancel=cancel):
        got.append(event)
        cancel.cancel()
    assert len(got) == 257


def test_heads_are_shown_one_by_one_or_as_their_mean(engine: EngineClient) -> None:
    found = read_attention(engine, "one two three")
    assert found.shares_of(1, 0) == found.shares_of(1)
    assert found.shares_of(0)[2] == pytest.approx([1 / 3] * 3)
    assert found.shares_of(0)[0] == [1, 0, 0]


def test_layers_and_tokens_come_with_their_words(engine: EngineClient) -> None:
    tokens, found = read_layers(engine, "one two")
    assert [token.data for token in tokens] == [b"one", b" two"]
    assert [[guesses[0].data for guesses in layer] for layer in found] == [[b"one", b" two"]] * 2
    assert [(token.text, token.start) for token in tokens_of(engine, "one two")] == [("one", 0), (" two", 3)]


def test_a_prompts_tokens_are_counted_by_message_and_the_rest_is_the_templates() -> None:
    parts = [
        "<|user|>",
        "\n",
        "Where",
        " to",
        "?",
        "\n",
        "<|bot|>",
        "\n",
        "Home",
        ".",
        "\n",
        "<|user|>",
        "Where",
        "?",
        "\n",
    ]
    tokens = place_tokens([TokenSeen(number, part.encode()) for number, part in enumerate(parts)])
    said = [(Role.USER, " Where to?\n"), (Role.ASSISTANT, "Home."), (Role.USER, "Where?")]
    found = shares_of(tokens, "".join(parts), [Message(role, text) for role, text in said])
    assert found == [
        PromptShare(Role.USER, 3),
        PromptShare(Role.ASSISTANT, 2),
        PromptShare(Role.USER, 2),
        PromptShare(None, 8),
    ]


def test_a_message_that_the_template_changed_counts_as_the_templates() -> None:
    tokens = place_tokens([TokenSeen(1, b"WHERE"), TokenSeen(2, b"?")])
    assert shares_of(tokens, "WHERE?", [Message(Role.USER, "where?")]) == [PromptShare(None, 2)]


def answer(*parts: str | bytes) -> list[TokenSeen]:
    return [TokenSeen(n, part if isinstance(part, bytes) else part.encode()) for n, part in enumerate(parts)]


def test_an_answers_own_tokens_are_told_from_the_thinking_before_it() -> None:
    tokens = answer("<think>", "Yes", "</think>", "\n\n", "Yes", ".")
    assert tokens_within(tokens, "Yes.") == tokens[4:]
    assert tokens_within(answer("Yes", ".", " And"), "Yes.") == answer("Yes", ".")
    assert tokens_within(answer("\n\nYes", "."), "Yes.") == answer("\n\nYes", ".")
    assert tokens_within(tokens, "No.") == []
    assert tokens_within(tokens, "I called for it.\n\nYes.") == tokens[4:]
    assert tokens_within(answer("a", "\n"), "I see.\n\n\n") == []


def test_another_token_begins_where_the_one_before_it_ended() -> None:
    tokens = answer("A", " house", " by")
    assert replace_token("A house by", tokens, 1, Guess(b" hut", 0.1, 70)) == ("A", (70,))
    assert replace_token("A house by", tokens, 0, Guess(b"The", 0.1, 71)) == ("", (71,))
    assert replace_token("A house by", tokens, 1, Guess(b" hut", 0.1)) is None
    assert replace_token("Another answer", tokens, 1, Guess(b" hut", 0.1, 70)) is None


def test_in_the_middle_of_a_character_its_first_bytes_are_written_again() -> None:
    data = "🎉".encode()
    tokens = answer("So ", data[:1], data[1:3], data[3:], "!")
    assert replace_token("So 🎉!", tokens, 3, Guess(b"\x8a", 0.1, 90)) == ("So ", (1, 2, 90))
    assert replace_token("So 🎉!", tokens, 4, Guess(b"?", 0.1, 91)) == ("So 🎉", (91,))


def test_what_the_template_took_from_the_beginning_or_left_there_is_no_matter() -> None:
    assert replace_token(" A b", answer("A", " b"), 1, Guess(b" c", 0.1, 70)) == (" A", (70,))
    assert replace_token("A b", answer("\n\nA", " b"), 1, Guess(b" c", 0.1, 70)) == ("A", (70,))
