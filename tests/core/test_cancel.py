"""A flag that stays up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from app.core.cancel import CancelToken


def test_a_token_is_down_until_somebody_cancels_and_then_stays_up() -> None:
    token = CancelToken()
    assert not token.cancelled
    with ThreadPoolExecutor(1) as other_thread:
        other_thread.submit(token.cancel).result()
    assert token.cancelled
    token.cancel()
    assert token.cancelled


def test_tokens_are_apart() -> None:
    first, second = CancelToken(), CancelToken()
    first.cancel()
    assert not second.cancelled
