"""Calls without their tags are calls when an answer is nothing else; words are never held back for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.engine.protocol import CallSyntax
from app.features.tool_calls import CallArguments, CallBegins, CallWords, SyntaxReader, Told, ToolFunction
from app.features.untagged_calls import UntaggedCallReader, matches_schema
from tests.helpers.script import requests
from tests.server.conftest import Served
from tests.server.test_contracts import OWN_WAY, WEATHER, events

Make = Callable[..., Served]
TOOLS = [
    ToolFunction("weather", parameters=WEATHER["function"]["parameters"]),  # type: ignore[index]
    ToolFunction("now"),
]
ROME, BARE = {"city": "Rome"}, '{"name": "weather", "arguments": {"city": "Rome"}}'
NAMED = ("weather", ROME)


def read_each_character(text: str, *, several: bool = True, takes_json: bool = False) -> tuple[list[Told], str | None]:
    """What is told of a text that comes character by character; the text so far with the first that is told."""
    inner = SyntaxReader(CallSyntax(**OWN_WAY), TOOLS, must_call=False)
    reader = UntaggedCallReader(TOOLS, inner, begins=OWN_WAY["begins"], several=several, takes_json=takes_json)
    told, first = list[Told](), None
    for place in range(len(text)):
        told += reader.read(text[place])
        first = text[: place + 1] if told and first is None else first
    told += reader.close()
    return ([CallWords(f"rejected {reader.rejected}")] if reader.rejected is not None else told), first


def calls_of(told: list[Told]) -> list[tuple[str, dict[str, Any]]]:
    names = [one.name for one in told if isinstance(one, CallBegins)]
    pieces = ["".join(p.piece for p in told if isinstance(p, CallArguments) and p.number == n) for n in range(9)]
    return [(name, json.loads(piece)) for name, piece in zip(names, pieces, strict=False)]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (BARE, [NAMED]),
        (f"\n```json\n{BARE}\n```", [NAMED]),
        (f"```\n{BARE}\n```\n", [NAMED]),
        (f"{BARE}\n{BARE}", [NAMED, NAMED]),
        (f"[{BARE}, {BARE}]", [NAMED, NAMED]),
        (f"```json\n{BARE}\n```\n\n```json\n{BARE}\n```", [NAMED, NAMED]),
        ('{"name": "weather", "parameters": {"city": "Rome"}}', [NAMED]),
        ('{"name": "weather", "arguments": "{\\"city\\": \\"Rome\\"}"}', [NAMED]),
        ('{"type": "function", "function": {"name": "weather", "arguments": {"city": "Rome"}}}', [NAMED]),
        (f"{{{BARE}}}", [NAMED]),
        (f"<tools>\n{BARE}\n</tools>", [NAMED]),
        ('{"name": "now"}', [("now", {})]),
        (f"<tool_call>\n{BARE}\n</tool_call>", [NAMED]),
    ],
)
def test_a_call_in_any_form_is_a_call(text: str, calls: list[Any]) -> None:
    told, _ = read_each_character(text)
    assert calls_of(told) == calls
    assert not any(isinstance(one, CallWords) for one in told)
    assert len(calls_of(read_each_character(text, several=False)[0])) == 1 or "<tool_call>" in text


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Hello", "H"),
        ("[1] says", "[1"),
        ("```python\nprint()", "```py"),
        ("`code`", "`c"),
        ("<b>bold</b>", "<b"),
        ('{"capital": "Paris"}', '{"c'),
        ('{"name": "Bob", "age": 5}', '{"name": "Bob", "ag'),
        (f"{BARE}\nThat is the call.", f"{BARE}\nT"),
        ('{"name": "Bob"}', None),
    ],
)
def test_what_is_no_call_leaves_as_soon_as_that_is_sure(text: str, first: str | None) -> None:
    told, told_with = read_each_character(text)
    assert "".join(one.piece for one in told if isinstance(one, CallWords)) == text
    assert told_with == first


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"name": "multiply", "arguments": {"a": 2}}', ()),
        ('```json\n{{"name": "cat_joke", "arguments": {}', ()),
        ('{"name": "weather", "arguments": {"town": "Rome"}}', ("weather",)),
        ('{"name": "weather", "arguments": {"city": "Rome"', ("weather",)),
    ],
)
def test_calls_that_cannot_be_carried_out_are_no_answer(text: str, names: tuple[str, ...]) -> None:
    assert read_each_character(text)[0] == [CallWords(f"rejected {names}")]
    told, _ = read_each_character(text, takes_json=True)
    assert told == [CallWords(text)], "where JSON was asked for it is the answer"


@pytest.mark.parametrize(
    ("schema", "fitting", "wrong"),
    [
        ({"type": "integer", "minimum": 1}, [1, 5.0], [0, 1.5, True, "1", None]),
        ({"type": ["string", "null"], "maxLength": 2}, ["ab", None], ["abc", 1]),
        ({"enum": ["C", "F"]}, ["C"], ["K", 1]),
        ({"anyOf": [{"const": 1}, {"type": "array", "items": {"type": "string"}}]}, [1, ["a"]], [2, [1]]),
        ({"properties": {"a": {"type": "number"}}, "additionalProperties": False}, [{"a": 1}, {}], [{"b": 1}]),
        ({"type": "object", "required": ["a"]}, [{"a": None}], [{}, []]),
        (True, [1], []),
        ({"allOf": [{"type": "array", "maxItems": 1}, {}]}, [[1]], [[1, 2]]),
    ],
)
def test_a_value_is_held_against_its_schema(schema: Any, fitting: list[Any], wrong: list[Any]) -> None:
    assert [value for value in fitting if not matches_schema(value, schema)] == []
    assert [value for value in wrong if matches_schema(value, schema)] == []


FENCED = f"```json\n{BARE}\n```"


def test_each_contract_has_a_fenced_call_as_a_call(scripted: Make) -> None:
    served = scripted({"text": FENCED}, calls=OWN_WAY)
    for streams in (False, True):
        answer = served.chat(tools=[WEATHER], stream=streams, logprobs=True)
        choices = [piece["choices"][0] for piece in (events(answer.text) if streams else [answer.json()])]
        assert choices[-1]["finish_reason"] == "tool_calls"
        parts = [choice.get("delta") or choice.get("message") or {} for choice in choices]
        calls = [call["function"] for part in parts for call in part.get("tool_calls", [])]
        assert [call["name"] for call in calls if call.get("name")] == ["weather"]
        assert json.loads("".join(call["arguments"] for call in calls)) == ROME
        assert not any(part.get("content") for part in parts)
    schema = WEATHER["function"]["parameters"]  # type: ignore[index]
    asked = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 99}
    told = served.client.post("messages", json=asked | {"tools": [{"name": "weather", "input_schema": schema}]}).json()
    assert [(block["type"], block["input"]) for block in told["content"]] == [("tool_use", ROME)]
    flat = {"type": "function", "name": "weather", "parameters": schema}
    told = served.client.post("responses", json={"input": "x", "tools": [flat]}).json()
    assert [(item["type"], json.loads(item["arguments"])) for item in told["output"]] == [("function_call", ROME)]


def test_what_cannot_be_carried_out_is_asked_again(scripted: Make, tmp_path: Path) -> None:
    served = scripted(
        {"text": '{"name": "multiply", "arguments": {"a": 6}}', "when": "times", "times": 1},
        {"text": "42", "when": "times"},
        {"text": '```json\n{"name": "weather", "arguments": {}}\n```', "when": "rain", "times": 1},
        {"text": f"<tool_call>\n{BARE}\n</tool_call>", "when": "rain"},
        calls=OWN_WAY,
        log="prompts.jsonl",
    )
    words = served.chat("6 times 7?", tools=[WEATHER], logprobs=True).json()
    (choice,) = words["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("42", "stop")
    assert [token["token"] for token in choice["logprobs"]["content"]] == ["42"]
    assert words["usage"]["completion_tokens"] == 5 + 1, "both were written"
    called = served.chat("Will it rain?", tools=[WEATHER], stream=True)
    deltas = [piece["choices"][0]["delta"] for piece in events(called.text)]
    pieces = [call["function"]["arguments"] for delta in deltas for call in delta.get("tool_calls", [])]
    assert json.loads("".join(pieces)) == ROME
    asked = requests(tmp_path / "engine" / "script.json")
    assert [(one["calling"] or {}).get("must_call") for one in asked] == [False, None, False, True]
    assert [bool(one["template_variables"].get("tools")) for one in asked] == [True, False, True, True]
    once = served.chat("6 times 7?").json()["usage"]["prompt_tokens"]
    assert words["usage"]["prompt_tokens"] == 2 * once > 0, "both were read"


def test_a_call_whose_result_has_just_come_is_not_made_again(scripted: Make, tmp_path: Path) -> None:
    served = scripted({"text": FENCED, "times": 1}, {"text": "It rains."}, calls=OWN_WAY, log="prompts.jsonl")
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
    history = [
        {"role": "user", "content": "Rain in Rome?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    body = {"messages": history, "tools": [WEATHER]}
    (choice,) = served.client.post("chat/completions", json=body).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("It rains.", "stop")
    assert [bool(one["calling"]) for one in requests(tmp_path / "engine" / "script.json")] == [True, False]


def test_an_answer_that_was_cut_is_not_asked_again(scripted: Make) -> None:
    served = scripted({"text": BARE}, calls=OWN_WAY)
    (choice,) = served.chat(tools=[WEATHER], max_tokens=4).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (BARE[: BARE.index(' "Rome')], "length")
