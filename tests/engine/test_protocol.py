"""Every message of the engine crosses its wire unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.events import CANCELLED, Finished, Message, Role, TextDelta
from app.core.wire import Caged, EventReply, Greeting
from app.engine.protocol import (
    LAST_REPLIES,
    WIRE,
    Ask,
    Attended,
    Device,
    DevicesDescribed,
    Done,
    Generate,
    LoadModel,
    Sampling,
    Vectors,
    is_last,
)
from tests.helpers.wire import check_missing_keys, check_recorded, survives

RECORDED = Path(__file__).parent / "data" / f"wire-{WIRE.version}.jsonl"


@pytest.mark.parametrize("cls", WIRE.requests, ids=lambda cls: cls.__name__)
def test_a_request_survives_the_wire(cls: type) -> None:
    survives(WIRE, cls, is_request=True)
    check_missing_keys(WIRE, cls, is_request=True)


@pytest.mark.parametrize("cls", [*WIRE.replies, *WIRE.events.values()], ids=lambda cls: cls.__name__)
def test_a_reply_survives_the_wire(cls: type) -> None:
    survives(WIRE, cls, is_request=False)
    check_missing_keys(WIRE, cls, is_request=False)


def test_a_recorded_conversation_is_read_and_written_as_it_was() -> None:
    check_recorded(WIRE, RECORDED)


def test_new_keys_inside_an_ask_and_devices_are_ignored_too() -> None:
    line = b'{"type":"Generate","id":1,"ask":{"messages":[],"sampling":{"temperature":0.5,"mirostat":2},"later":1}}'
    assert WIRE.parse_request(line) == Generate(1, Ask((), sampling=Sampling(temperature=0.5)))
    line = (
        b'{"type":"DevicesDescribed","id":1,"llama_cpp":"","devices":[{"name":"a","description":"","type":"cpu",'
        b'"free_bytes":1,"total_bytes":2,"driver":"x"}],"backends":[],"threads":2}'
    )
    assert WIRE.parse_reply(line) == DevicesDescribed(1, "", (Device("a", "", "cpu", 1, 2),), (), 2)


def test_keys_with_a_default_may_be_missing() -> None:
    assert WIRE.parse_request(b'{"type":"LoadModel","id":1,"path":"x"}') == LoadModel(1, "x")
    line = b'{"type":"Generate","id":1,"ask":{"messages":[{"role":"user","text":"hi"}]}}'
    assert WIRE.parse_request(line) == Generate(1, Ask((Message(Role.USER, "hi"),)))


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\0", "\u2028\u0085\r\n", "🔥 عربى"])
def test_text_of_every_kind_stays_on_one_line(text: str) -> None:
    delta = EventReply(1, TextDelta(text))
    plainly = {"type": "Delta", "id": 1, "text": text, "thinking": False, "used_tokens": 0}
    assert WIRE.encode_message(delta) == json.dumps(plainly, separators=(",", ":")).encode() + b"\n"
    line = WIRE.encode_message(delta)
    assert WIRE.parse_reply(line) == delta
    assert len(line.splitlines()) == 1


def test_a_last_reply_ends_every_request_and_a_progress_reply_does_not() -> None:
    progress = {Vectors, Attended}
    assert not progress & set(LAST_REPLIES)
    assert {*progress, *LAST_REPLIES} == {cls for cls in WIRE.replies if cls not in (Greeting, Caged)}
    assert is_last(EventReply(1, Finished(CANCELLED))) and is_last(Done(1))
    assert not is_last(EventReply(1, TextDelta("Hi"))) and not is_last(Attended(1, b""))
