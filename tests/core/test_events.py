"""Values are frozen, and a flag stops long work."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.events import CancelToken, Message, Role


def test_messages_are_frozen_and_roles_are_their_wire_names() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Message(Role.USER, "x").text = "y"  # type: ignore[misc]
    assert [role.value for role in Role] == ["system", "user", "assistant"]


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
