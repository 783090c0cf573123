"""Text that every later stage can hold."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.messages import Message, Role, clean_text

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("a\0b\0", "ab"),
        ("\ud800", "\ufffd"),
        ("a\udfffb", "a\ufffdb"),
        ("\ud83dx", "\ufffdx"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        ("\ud83d\udd25", "🔥"),
        ("\ufeffstart", "\ufeffstart"),
        ("مرحبا \u202e עברית", "مرحبا \u202e עברית"),
        ("👩\u200d👩\u200d👧 e\u0301\r\n\t", "👩\u200d👩\u200d👧 e\u0301\r\n\t"),
    ],
)
def test_only_what_cannot_be_stored_changes(text: str, kept: str) -> None:
    assert clean_text(text) == kept


@given(ANY_TEXT)
def test_clean_text_can_be_stored_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert "\0" not in cleaned
    assert clean_text(cleaned) == cleaned


@given(st.text().filter(lambda text: "\0" not in text))
def test_text_without_halves_and_nul_is_never_touched(text: str) -> None:
    assert clean_text(text) == text


def test_messages_are_frozen_and_roles_are_their_wire_names() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Message(Role.USER, "x").text = "y"  # type: ignore[misc]
    assert [role.value for role in Role] == ["system", "user", "assistant"]
