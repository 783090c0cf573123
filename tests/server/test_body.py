"""What a request may hold is counted while it comes in, before anything of it is parsed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.server.json_body import MOST_OBJECTS, MOST_TEXT_BYTES, MOST_VALUES, BodyScan, JsonBody
from tests.server.conftest import Served

TEXTS = st.text(st.sampled_from('ab{}[],:"\\/\n\u00e9\U0001f600'), max_size=12)
BODIES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def values_in(value: Any) -> int:
    """Objects and lists, and what in them has a comma before it."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(0, len(value) - 1) + sum(map(values_in, inner))
    return 0


@given(BODIES, st.booleans(), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_values_are_counted_however_the_bytes_come(value: Any, is_ascii: bool, sizes: list[int]) -> None:
    data, scan, at, turn = json.dumps(value, ensure_ascii=is_ascii).encode(), BodyScan(), 0, 0
    while at < len(data):
        scan.feed(data[at : at + sizes[turn % len(sizes)]])
        at, turn = at + sizes[turn % len(sizes)], turn + 1
    assert scan.values == values_in(value)
    assert scan.problem is None


EMPTY_MESSAGES = b'{"messages": [' + b",".join([b"{}"] * (6 * MOST_VALUES)) + b"]}"
MANY_KEYS = b"{" + b",".join(b'"%d": 0' % number for number in range(MOST_VALUES + 1)) + b"}"
LONG_TEXT = b'{"messages": [{"role": "user", "content": "' + b"word " * (MOST_TEXT_BYTES // 5) + b'"}]}'
DEEP = b"[" * (MOST_VALUES + 1)


@pytest.mark.parametrize(
    ("data", "words"),
    [(EMPTY_MESSAGES, "values"), (MANY_KEYS, "values"), (DEEP, "values"), (LONG_TEXT, "without pictures")],
    ids=["empty messages", "keys", "deep", "text"],
)
def test_what_would_take_a_hundred_times_its_bytes_is_refused_and_never_parsed(
    scripted: Callable[..., Served], monkeypatch: pytest.MonkeyPatch, data: bytes, words: str
) -> None:
    monkeypatch.setattr(JsonBody, "parse", lambda data: pytest.fail("it was parsed"))
    answer = scripted().client.post("chat/completions", content=data)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert words in answer.json()["error"]["message"]


def test_a_large_picture_and_a_long_text_with_signs_pass() -> None:
    picture = b'{"type": "image_url", "image_url": {"url": "data:image/png;base64,' + b"A" * 12_000_000 + b'"}}'
    for data, values in ((picture, 3), (json.dumps({"text": "a, [b], {c}, " * 300_000}).encode(), 1)):
        scan = BodyScan()
        scan.feed(data)
        assert (scan.problem, scan.values) == (None, values)


def test_too_many_messages_and_too_many_bytes_at_once_are_refused_with_the_reason(
    scripted: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = scripted({"text": "fine"})
    message = {"role": "user", "content": "x"}
    answer = served.client.post("chat/completions", json={"messages": [message] * (MOST_OBJECTS + 1)})
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["param"]) == (
        400,
        "too_many",
        "messages",
    )
    monkeypatch.setattr("app.server.request_body.MOST_HELD_BYTES", 1000)
    answer = served.chat("word " * 1000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many")
    for _ in range(20):  # what was held is given back each time
        assert served.chat("Hello", user="x" * 100).status_code == 200
