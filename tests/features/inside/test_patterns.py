"""A head's sentence follows from its numbers: made-up heads of each kind, and those that are none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import TokenSeen
from app.features.inside.patterns import (
    REPEATED,
    RESTS,
    AttentionTarget,
    HeadPattern,
    pattern_of,
    sentences_of,
    shown_word,
)
from tests.helpers.texts import start_of

WORDS = "the small black cat saw the dog and the dog saw the small black cat too".split()  # noqa: SIM905 - a sentence
TOKENS = tuple(TokenSeen(number, f" {word}".encode()) for number, word in enumerate(WORDS))
COUNT = len(TOKENS)


def head(weight: Callable[[int, int], float]) -> np.ndarray:
    """Rows that sum to 1, and 0 for what comes later."""
    rows = np.array([[weight(i, j) if j <= i else 0.0 for j in range(COUNT)] for i in range(COUNT)], np.float32)
    rows[rows.sum(axis=1) == 0, 0] = 1
    return rows / rows.sum(axis=1, keepdims=True)


def came_before(i: int, j: int) -> bool:
    return 0 < j < i - 1 and WORDS[i] == WORDS[j]


@pytest.mark.parametrize(
    ("weight", "place"),
    [
        (lambda i, j: 8 if j == i - 1 else 0.3, AttentionTarget.PREVIOUS),
        (lambda i, j: 40 if j == 0 else 0.3, AttentionTarget.FIRST),
        (lambda i, j: 20 if j == i else 0.3, AttentionTarget.ITSELF),
        (lambda i, j: 1, AttentionTarget.EVEN),
        (lambda i, j: 6 if i - 4 <= j <= i else 0.05, AttentionTarget.NEAR),
        (lambda i, j: 9 if j in (1, 3, 4) else 0.3, AttentionTarget.FEW),
        (lambda i, j: 12 if j == (i * 7) % (i + 1) else 0.4, AttentionTarget.MIXED),
    ],
)
def test_each_kind_of_head_is_known(weight: Callable[[int, int], float], place: AttentionTarget) -> None:
    found = pattern_of(head(weight), TOKENS)
    assert found.place is found.kind is place
    assert found.repeated is None


@pytest.mark.parametrize(
    ("weight", "place"),
    [
        (lambda i, j: 8 if j == i - 1 else 0.1, AttentionTarget.PREVIOUS),
        (lambda i, j: 8 if j == i else 0.1, AttentionTarget.ITSELF),
        (lambda i, j: 2 if i - 4 <= j <= i else 0.02, AttentionTarget.NEAR),
        (lambda i, j: 4 if j in (1, 3, 4) else 0.1, AttentionTarget.FEW),
        (lambda i, j: 1, AttentionTarget.EVEN),
        (lambda i, j: 9 if j == 1 + i // 2 else 0.6, AttentionTarget.MIXED),
    ],
)
def test_what_rests_on_the_first_token_is_said_apart_from_the_rest(
    weight: Callable[[int, int], float], place: AttentionTarget
) -> None:
    def half(i: int, j: int) -> float:
        return sum(weight(i, other) for other in range(1, i + 1)) if j == 0 else weight(i, j)

    found = pattern_of(head(half), TOKENS)
    assert found.place is place
    assert found.first == pytest.approx(0.5)
    said = list(map(str, sentences_of(found)))
    assert said[0] == RESTS.format(percent=50)
    assert "rest" in said[1]


def test_few_tokens_that_everything_looks_at_are_named() -> None:
    found = pattern_of(head(lambda i, j: 9 if j in (1, 3, 12) else 0.1), TOKENS)
    assert found.words == ("small", "cat")
    assert "“small”, “cat”" in str(sentences_of(found)[0])


def test_a_head_that_finds_the_same_word_says_so_beside_what_it_does_elsewhere() -> None:
    found = pattern_of(head(lambda i, j: 40 if came_before(i, j) else 5 if j == 0 else 0.1), TOKENS)
    assert found.repeated is not None
    assert found.repeated[0] is AttentionTarget.SAME
    assert str(sentences_of(found)[0]).startswith(start_of(REPEATED[AttentionTarget.SAME]))


def test_a_head_that_goes_on_with_a_repetition_is_known() -> None:
    found = pattern_of(head(lambda i, j: 40 if came_before(i, j - 1) else 5 if j == 0 else 0.1), TOKENS)
    assert found.repeated is not None
    assert found.repeated[0] is AttentionTarget.AFTER_SAME


def test_a_word_that_everything_looks_at_is_no_find_of_the_same_word() -> None:
    columns = [number for number, word in enumerate(WORDS) if number and word == "the"]
    found = pattern_of(head(lambda i, j: 9 if j in columns else 0.1), TOKENS)
    assert found.repeated is None


def test_a_head_of_the_token_before_is_not_taken_for_one_of_repeated_words() -> None:
    tokens = tuple(TokenSeen(7, b" no") for _ in range(COUNT))
    found = pattern_of(head(lambda i, j: 8 if j == i - 1 else 0.1), tokens)
    assert found.repeated is None
    assert found.place is AttentionTarget.PREVIOUS


def test_full_stops_are_no_words_that_come_again() -> None:
    tokens = tuple(TokenSeen(7, b".") for _ in range(COUNT))
    assert pattern_of(head(lambda i, j: 1), tokens).repeated is None


def test_the_percentage_is_the_mean_of_the_shares() -> None:
    shares = np.zeros((COUNT, COUNT), np.float32)
    for at in range(1, COUNT):
        shares[at, at - 1], shares[at, at] = 0.8, 0.2
    shares[0, 0] = 1
    assert str(sentences_of(pattern_of(shares, TOKENS))[0]) == (
        "Mostly looks at the token before: 80 % of the attention on average."
    )


def test_a_text_of_three_tokens_has_no_pattern() -> None:
    assert pattern_of(np.tri(3, dtype=np.float32), TOKENS[:3]) == HeadPattern(AttentionTarget.SHORT)


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_every_head_has_a_sentence(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    shares = np.tril(random.random((count, count), np.float32) ** random.integers(1, 20)) + 1e-6 * np.tri(count)
    shares = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    tokens = tuple(TokenSeen(int(word), f" {'abc'[word]}".encode()) for word in random.integers(0, 3, count))
    said = list(map(str, sentences_of(pattern_of(shares, tokens))))
    assert 1 <= len(said) <= 3
    assert all(sentence.endswith((".", ")")) and "{" not in sentence for sentence in said)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b" cat", "cat"),
        (b"\n", "↵"),
        (b"  ", "␣␣"),
        (b"", "·"),
        (b"\xf0\x9f", "F0 9F"),
        (b"<|im_start|>", "<|im_start|>"),
        (b"\x1b[1m", "\\x1b[1m"),
    ],
)
def test_a_token_is_shown_as_a_word(data: bytes, shown: str) -> None:
    assert shown_word(data) == shown
