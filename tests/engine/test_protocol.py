"""Every message crosses the wire unchanged; everything else is a violation."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ProtocolViolation
from app.engine import protocol
from app.engine.protocol import (
    LAST_REPLIES,
    Answered,
    Cancel,
    CountTexts,
    CountTokens,
    Delta,
    DescribeDevices,
    Device,
    DevicesDescribed,
    Done,
    Failed,
    ForgetSession,
    Generate,
    Greeting,
    Loaded,
    Loading,
    LoadModel,
    Reading,
    Reply,
    Request,
    Sampling,
    TextsCounted,
    TokensCounted,
    UnloadModel,
    Waiting,
    from_line,
    to_line,
)

NUMBERS = st.integers(-(2**63), 2**63)
FRACTIONS = st.floats(allow_nan=False, allow_infinity=False)
TURNS = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text()), max_size=4).map(tuple)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | FRACTIONS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FREE_FORM = st.dictionaries(st.text(), VALUES, max_size=3)
WORDS = st.lists(st.text(), max_size=3).map(tuple)
DEVICES = st.lists(st.builds(Device, st.text(), st.text(), st.text(), NUMBERS, NUMBERS), max_size=3).map(tuple)
SAMPLING = st.builds(
    Sampling,
    temperature=st.none() | FRACTIONS,
    top_k=st.none() | NUMBERS,
    top_p=st.none() | FRACTIONS,
    min_p=st.none() | FRACTIONS,
    repeat_penalty=st.none() | FRACTIONS,
    presence_penalty=st.none() | FRACTIONS,
    dry_multiplier=st.none() | FRACTIONS,
    seed=st.none() | NUMBERS,
)
COUNTS = st.lists(NUMBERS, max_size=3).map(tuple)
# Whatever a field's type says; what is a name for something else there is listed here.
BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "int": NUMBERS,
    "float": FRACTIONS,
    "str": st.text(),
    "bool": st.booleans(),
    "dict[str, Any]": FREE_FORM,
    "tuple[str, ...]": WORDS,
    "tuple[int, ...]": COUNTS,
    "tuple[float, ...]": st.lists(FRACTIONS, max_size=3).map(tuple),
    "tuple[tuple[str, str], ...]": TURNS,
    "tuple[Device, ...]": DEVICES,
    "Sampling": SAMPLING,
}
REQUESTS = (LoadModel, UnloadModel, Generate, CountTokens, CountTexts, ForgetSession, DescribeDevices, Cancel)
PROGRESS = (Greeting, Loading, Waiting, Reading, Delta)


def any_of(cls: type) -> st.SearchStrategy[Any]:
    """Messages of one class with every field filled."""
    return st.builds(cls, **{field.name: BY_TYPE[str(field.type)] for field in dataclasses.fields(cls)})


MESSAGES: dict[type, st.SearchStrategy[Any]] = {
    cls: any_of(cls)
    for cls in (*REQUESTS, *PROGRESS, Loaded, Answered, TokensCounted, TextsCounted, DevicesDescribed, Done, Failed)
}
ANY_MESSAGE = st.one_of(*MESSAGES.values())


def changed(message: Request | Reply, **keys: object) -> bytes:
    """The line of a message with keys added or replaced."""
    return json.dumps(json.loads(to_line(message)) | keys).encode()


def test_every_message_of_the_protocol_is_tested_here() -> None:
    declared = {
        value
        for value in vars(protocol).values()
        if dataclasses.is_dataclass(value) and isinstance(value, type) and value.__module__ == protocol.__name__
    }
    assert declared - {Sampling, Device} == set(MESSAGES)


@pytest.mark.parametrize("cls", MESSAGES, ids=lambda cls: cls.__name__)
def test_a_message_survives_the_wire(cls: type) -> None:
    @given(MESSAGES[cls])
    def survives(message: Any) -> None:
        line = to_line(message)
        assert line.isascii()
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert from_line(line) == message
        assert type(from_line(line)) is cls

    survives()


@given(
    ANY_MESSAGE, st.dictionaries(st.text(min_size=1).map(lambda name: "later_" + name), VALUES, min_size=1, max_size=3)
)
def test_keys_that_a_newer_side_added_are_ignored(message: Request | Reply, keys: dict[str, object]) -> None:
    assert from_line(changed(message, **keys)) == message


def test_new_keys_inside_sampling_and_devices_are_ignored_too() -> None:
    line = changed(Generate(1, ()), sampling={"temperature": 0.5, "mirostat": 2})
    assert from_line(line) == Generate(1, (), sampling=Sampling(temperature=0.5))
    device = {"name": "a", "description": "", "type": "cpu", "free_bytes": 1, "total_bytes": 2, "driver": "x"}
    line = changed(DevicesDescribed(1, "", (), (), 2), devices=[device])
    assert from_line(line) == DevicesDescribed(1, "", (Device("a", "", "cpu", 1, 2),), (), 2)


@given(ANY_MESSAGE, st.data())
def test_a_missing_key_without_a_default_is_a_violation(message: Request | Reply, data: st.DataObject) -> None:
    body = json.loads(to_line(message))
    needed = [
        field.name
        for field in dataclasses.fields(message)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    del body[data.draw(st.sampled_from(needed))]
    with pytest.raises(ProtocolViolation):
        from_line(json.dumps(body).encode())


def test_keys_with_a_default_may_be_missing() -> None:
    assert from_line(b'{"type":"LoadModel","id":1,"path":"x"}') == LoadModel(1, "x")
    assert from_line(b'{"type":"Generate","id":1,"messages":[["user","hi"]]}') == Generate(1, (("user", "hi"),))


@given(st.text().filter(lambda name: name not in {cls.__name__ for cls in MESSAGES}))
def test_an_unknown_type_is_a_violation(name: str) -> None:
    with pytest.raises(ProtocolViolation):
        from_line(changed(Done(1), type=name))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"llama_model_load: error",
        b"\xff\xfe",
        b"null",
        b"5",
        b'"Done"',
        b"[]",
        b'[{"type":"Done","id":1}]',
        b"{}",
        b'{"id":1}',
        b'{"type":null,"id":1}',
        b'{"type":["Done"],"id":1}',
        b'{"type":{},"id":1}',
        b'{"type":"Done","id":1',
        b'{"type":"Done","id":1}{"type":"Done","id":2}',
        b'{"type":"Sampling"}',
        b'{"type":"Generate","id":1,"messages":[],"sampling":null}',
        b'{"type":"Generate","id":1,"messages":[],"sampling":[]}',
        b'{"type":"DevicesDescribed","id":1,"llama_cpp":"","devices":5,"backends":[],"threads":1}',
        b'{"type":"DevicesDescribed","id":1,"llama_cpp":"","devices":[5],"backends":[],"threads":1}',
        b"[" * 100_000,
        b'{"type":' * 100_000,
        b"1" * 10_000,
    ],
    ids=range(24),
)
def test_garbage_is_a_violation_that_quotes_a_little_of_it(line: bytes) -> None:
    with pytest.raises(ProtocolViolation) as raised:
        from_line(line)
    assert len(raised.value.detail) < 1000


@given(st.binary(max_size=50) | st.text().map(str.encode) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_no_line_raises_anything_else(line: bytes) -> None:
    try:
        from_line(line)
    except ProtocolViolation:
        return


@given(ANY_MESSAGE, st.data())
def test_a_line_that_was_cut_is_a_violation(message: Request | Reply, data: st.DataObject) -> None:
    line = to_line(message).rstrip(b"\n")
    with pytest.raises(ProtocolViolation):
        from_line(line[: data.draw(st.integers(0, len(line) - 1))])


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\0", "\u2028\u0085\r\n", "🔥 عربى"])
def test_text_of_every_kind_stays_on_one_line(text: str) -> None:
    line = to_line(Delta(1, text))
    assert from_line(line) == Delta(1, text)
    assert len(line.splitlines()) == 1


def test_a_last_reply_ends_every_request_and_a_progress_reply_does_not() -> None:
    assert not set(LAST_REPLIES) & {*REQUESTS, *PROGRESS}
    assert {*REQUESTS, *PROGRESS, *LAST_REPLIES} == set(MESSAGES)
