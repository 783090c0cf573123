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

from app.core.events import CancelToken, PromptProgress, TokenSeen
from app.engine.client import EngineClient
from app.features.inside.looks import attention, layers, placed, probabilities, surprise_of, tokens_of
from tests.helpers.engine import load, scripted_client


@given(st.text(min_size=1), st.data())
def test_pieces_of_any_text_cover_it_from_beginning_to_end(text: str, data: st.DataObject) -> None:
    raw = text.encode("utf-8", "replace")
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(raw) - 1)), max_size=8)) | {0, len(raw)})
    tokens = [TokenSeen(0, raw[start:end]) for start, end in itertools.pairwise(cuts) if start < end]
    places = placed(tokens, text)
    assert places[0].start == 0
    assert places[-1].end == len(text)
    for one, following in itertools.pairwise(places):
        assert one.start < one.end
        assert one.start <= following.start <= one.end <= following.end
    for place in places:
        if "\N{REPLACEMENT CHARACTER}" not in place.text:
            assert text.encode("utf-8", "replace").decode()[place.start : place.end] == place.text


def test_a_blank_that_the_vocabulary_puts_before_a_text_has_no_place() -> None:
    places = placed([TokenSeen(1, b" Hello"), TokenSeen(2, b" you")], "Hello you")
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
    events = list(probabilities(engine, "word " * 600))
    assert len([event for event in events if isinstance(event, TokenSeen)]) == 601
    assert [event.done_tokens for event in events if isinstance(event, PromptProgress)] == [256, 512, 601]
    cancel, got = CancelToken(), list[Any]()
    for event in probabilities(engine, "word " * 600, cancel=cancel):
        got.append(event)
        cancel.cancel()
    assert len(got) == 257


def test_heads_are_shown_one_by_one_or_as_their_mean(engine: EngineClient) -> None:
    found = attention(engine, "one two three")
    assert found.of(1, 0) == found.of(1)
    assert found.of(0)[2] == pytest.approx([1 / 3] * 3)
    assert found.of(0)[0] == [1, 0, 0]


def test_layers_and_tokens_come_with_their_words(engine: EngineClient) -> None:
    tokens, found = layers(engine, "one two")
    assert [token.data for token in tokens] == [b"one", b" two"]
    assert [[guesses[0].data for guesses in layer] for layer in found] == [[b"one", b" two"]] * 2
    assert [(token.text, token.start) for token in tokens_of(engine, "one two")] == [("one", 0), (" two", 3)]
