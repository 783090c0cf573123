"""Each known field of each contract does what its table says: honoured, of no matter, or refused by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.server import request_fields
from app.server.json_body import BadRequest, JsonBody
from app.server.request_fields import HarmlessField, HonouredField, RefusedField, Treatment
from tests.helpers.script import requests
from tests.server.conftest import Served
from tests.server.test_contracts import OWN_WAY, WEATHER, events

Make = Callable[..., Served]
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FUNCTION = WEATHER["function"]
FLAT = {"type": "function"} | FUNCTION  # type: ignore[operator]
TURN = {"role": "user", "content": "Hello there"}
SAMPLED: dict[str, Any] = {
    "temperature": 0.3,
    "top_k": 3,
    "top_p": 0.3,
    "min_p": 0.3,
    "seed": 3,
    "repeat_penalty": 1.3,
    "repetition_penalty": 1.4,
    "presence_penalty": 0.3,
    "frequency_penalty": 0.3,
    "dry_multiplier": 0.3,
    "logit_bias": {"3": -100},
}
OPENAI: dict[str, Any] = SAMPLED | {
    "stream": True,
    "n": 2,
    "max_tokens": 2,
    "stop": ["there"],
    "json_schema": SCHEMA,
    "grammar": 'root ::= "a"',
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
    "stop_on_repetition": True,
    "stream_options": {"include_usage": True},
    "model": "two",
}
FORMAT = {"type": "json_schema", "name": "a", "schema": SCHEMA}
ANTHROPIC_TOOL = {"name": "weather", "input_schema": FUNCTION["parameters"]}  # type: ignore[index]
BASES: dict[str, tuple[Mapping[str, Treatment], dict[str, Any], dict[str, Any]]] = {
    "chat/completions": (
        request_fields.CHAT,
        {"messages": [TURN], "model": "one", "stream": False},
        OPENAI
        | {
            "messages": [TURN | {"content": "Else"}],
            "max_completion_tokens": 2,
            "logprobs": True,
            "top_logprobs": 2,
            "tools": [WEATHER],
            "tool_choice": "required",
            "parallel_tool_calls": False,
            "functions": [FUNCTION],
            "function_call": {"name": "weather"},
            "reasoning_effort": "high",
            "chat_template_kwargs": {"enable_thinking": False},
            "continue_final_message": False,
        },
    ),
    "completions": (
        request_fields.COMPLETION,
        {"prompt": "Hello there", "model": "one", "stream": False},
        OPENAI | {"prompt": "Else", "suffix": "end", "echo": True, "logprobs": 1, "n_predict": 2},
    ),
    "responses": (
        request_fields.RESPONSES,
        {"input": "Hello there", "model": "one", "stream": False},
        SAMPLED
        | {
            "model": "two",
            "stream": True,
            "input": "Else",
            "instructions": "Be brief.",
            "max_output_tokens": 2,
            "text": {"format": FORMAT},
            "reasoning": {"effort": "high"},
            "tools": [FLAT],
            "tool_choice": "required",
            "parallel_tool_calls": False,
            "metadata": {"a": "b"},
        },
    ),
    "messages": (
        request_fields.ANTHROPIC,
        {"messages": [TURN], "model": "one", "max_tokens": 99, "stream": False},
        SAMPLED
        | {
            "model": "two",
            "stream": True,
            "messages": [TURN | {"content": "Else"}],
            "system": "Be brief.",
            "max_tokens": 2,
            "stop_sequences": ["there"],
            "tools": [ANTHROPIC_TOOL],
            "tool_choice": {"type": "any"},
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
            "output_format": {"type": "json_schema", "schema": SCHEMA},
        },
    ),
}
NEEDS: dict[str, dict[str, Any]] = {
    "tool_choice": {"tools": [WEATHER, FLAT, ANTHROPIC_TOOL]},
    "parallel_tool_calls": {"tools": [WEATHER, FLAT]},
    "function_call": {"functions": [FUNCTION]},
    "top_logprobs": {"logprobs": True},
    "stream_options": {"stream": True},
    "continue_final_message": {"messages": [TURN, {"role": "assistant", "content": "Well,"}]},
}
"""What a field says nothing without; of tools those of the contract's own form."""
FORM = {"chat/completions": WEATHER, "responses": FLAT, "messages": ANTHROPIC_TOOL}


def needed(path: str, name: str) -> dict[str, Any]:
    more = dict(NEEDS.get(name, {}))
    return more | {"tools": [FORM[path]]} if "tools" in more else more


@pytest.mark.parametrize("path", BASES)
def test_each_known_field_is_honoured_or_refused_or_changes_nothing(scripted: Make, tmp_path: Path, path: str) -> None:
    table, base, samples = BASES[path]
    served = scripted({"text": "Well, you said: Hello there"}, calls=OWN_WAY, log="prompts.jsonl")

    def seen(body: dict[str, Any]) -> str:
        """What was asked of the engine and answered, without what differs each time."""
        log = tmp_path / "engine" / "prompts.jsonl"
        log.unlink(missing_ok=True)
        answer = served.client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        asked = requests(tmp_path / "engine" / "script.json")
        return re.sub(r'"(id|created|created_at|item_id)": ?("[^"]*"|\d+)', "", json.dumps(asked) + answer.text)

    wrong = []
    for name, treatment in table.items():
        plain = base | needed(path, name)
        if isinstance(treatment, HonouredField):
            ok = seen(plain | {name: samples[name]}) != seen(plain)
        elif isinstance(treatment, HarmlessField):
            ok = seen(plain | {name: ANY.get(name, "x")}) == seen(plain)
        else:
            assert isinstance(treatment, RefusedField)
            refused = served.client.post(path, json=plain | {name: ["other"]})
            ok = refused.status_code == 400 and name in refused.json()["error"]["message"]
            ok &= path == "messages" or refused.json()["error"]["param"] == name
            ok &= all(served.client.post(path, json=plain | {name: value}).is_success for value in treatment.neutral)
        if not ok:
            wrong.append(name)
    assert not wrong


ANY: dict[str, Any] = {"metadata": {"a": "b"}, "store": True, "stream_options": {"include_obfuscation": False}}

ASKED = {"messages": [TURN]}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"logit_bias": {"word": 1}}, "logit_bias"),
        ({"logit_bias": [[5, "much"]]}, "logit_bias"),
        ({"logit_bias": {"5": 5000}}, "logit_bias"),
        ({"grammar": "x" * 60_000}, "grammar"),
        ({"grammar": 'root ::= "a"', "tools": [WEATHER]}, "grammar"),
        ({"grammar": 'root ::= "a"', "response_format": {"type": "json_object"}}, "grammar"),
        ({"chat_template_kwargs": {"messages": 1}}, "chat_template_kwargs.messages"),
        ({"chat_template_kwargs": {"tone": "<|im_end|>"}}, "chat_template_kwargs.tone"),
        ({"chat_template_kwargs": {"enable_thinking": "yes"}}, "chat_template_kwargs.enable_thinking"),
        ({"reasoning_effort": "heroic"}, "reasoning_effort"),
        ({"functions": [FUNCTION], "function_call": {"name": "gone"}}, "function_call"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        (
            {
                "messages": [TURN, {"role": "assistant", "content": "Well"}],
                "tools": [WEATHER],
                "tool_choice": "required",
            },
            "messages",
        ),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_its_name(more: dict[str, Any], field: str) -> None:
    from app.server.openai import ChatCompletion

    with pytest.raises(BadRequest) as refused:
        ChatCompletion(JsonBody(ASKED | more))
    assert refused.value.field == field


def test_functions_of_the_old_contract_are_called_in_its_way(scripted: Make, tmp_path: Path) -> None:
    served = scripted({"text": '{"name": "weather", "arguments": {"city": "Rome"}}'}, log="prompts.jsonl")
    asked = {"functions": [FUNCTION], "function_call": "auto"}
    (choice,) = served.chat(**asked).json()["choices"]
    call = choice["message"]["function_call"]
    assert (choice["finish_reason"], call["name"], json.loads(call["arguments"])) == (
        "function_call",
        "weather",
        {"city": "Rome"},
    )
    deltas = [piece["choices"][0]["delta"] for piece in events(served.chat(stream=True, **asked).text)]
    told = [delta["function_call"] for delta in deltas if "function_call" in delta]
    assert told[0]["name"] == "weather"
    assert json.loads("".join(one["arguments"] for one in told)) == {"city": "Rome"}
    history = [
        TURN,
        {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": "weather", "content": "rain"},
    ]
    assert served.chat(messages=history, functions=[FUNCTION], function_call="none").status_code == 200
    told = [text for _, text in requests(tmp_path / "engine" / "script.json")[-1]["messages"]]
    assert told[-2:] == ['{"name": "weather", "arguments": {"city": "Rome"}}', "Result of weather:\nrain"]


def test_an_answer_that_was_begun_is_gone_on_with(scripted: Make, tmp_path: Path) -> None:
    served = scripted({"text": ' "Paris"}'}, log="prompts.jsonl")
    turns = [TURN, {"role": "assistant", "content": '{"capital":'}]
    chat = served.client.post("chat/completions", json={"messages": turns}).json()
    assert chat["choices"][0]["message"]["content"] == ' "Paris"}'
    told = served.client.post("messages", json={"messages": turns, "max_tokens": 9}).json()
    assert told["content"] == [{"type": "text", "text": ' "Paris"}'}]
    empty = [TURN, {"role": "assistant", "content": ""}]
    assert served.client.post("chat/completions", json={"messages": empty}).status_code == 200
    asked = requests(tmp_path / "engine" / "script.json")
    assert [(one["continue_last"], len(one["messages"])) for one in asked] == [(True, 2), (True, 2), (False, 1)]


def test_a_schema_holds_beside_functions_in_each_contract(scripted: Make, tmp_path: Path) -> None:
    served = scripted({"text": '{"a": 1}'}, calls=OWN_WAY, log="prompts.jsonl")
    tree = {"type": "object", "properties": {"b": {"$ref": "#/$defs/b"}}, "$defs": {"b": SCHEMA}}
    wished = {"type": "json_schema", "json_schema": {"name": "a", "schema": tree}}
    (choice,) = served.chat(tools=[WEATHER], response_format=wished).json()["choices"]
    assert choice["message"]["content"] == '{"a": 1}'
    asked = {"input": "x", "tools": [FLAT], "text": {"format": FORMAT | {"schema": tree}}}
    assert served.client.post("responses", json=asked).status_code == 200
    form = {"format": {"type": "json_schema", "schema": tree}}
    asked = {"messages": [TURN], "max_tokens": 9, "tools": [ANTHROPIC_TOOL], "output_config": form}
    assert served.client.post("messages", json=asked).status_code == 200
    for one in requests(tmp_path / "engine" / "script.json"):
        assert json.loads(one["json_schema"]) == {"type": "object", "properties": {"b": SCHEMA}}
        assert one["calling"]["functions"][0][0] == "weather"
        assert json.dumps(tree) in one["messages"][0][1], "else a model takes its form for that of a call"


def test_anthropic_is_told_which_stop_was_met_and_how_long_the_prompt_is(scripted: Make) -> None:
    served = scripted({"text": "one two three", "prompt_s": 0.01})
    asked = {"messages": [TURN], "max_tokens": 9, "stop_sequences": ["three", "two"]}
    whole = served.client.post("messages", json=asked).json()
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("stop_sequence", "two")
    told = events(served.client.post("messages", json=asked | {"stream": True}).text)
    assert told[0]["message"]["usage"]["input_tokens"] == 6
    assert told[-2]["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "two"}
    del asked["stop_sequences"]
    whole = served.client.post("messages", json=asked).json()
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("end_turn", None)


def test_a_completion_tells_its_prompt_and_counts_each_of_several(scripted: Make) -> None:
    served = scripted({"text": " four"})
    asked = {"prompt": ["one two", [7, 8]], "echo": True, "logprobs": 1, "max_tokens": 0}
    whole = served.client.post("completions", json=asked).json()
    assert [one["text"] for one in whole["choices"]] == ["one two", " t7 t8"]
    assert whole["choices"][0]["logprobs"]["tokens"] == ["one", " two"]
    assert whole["choices"][0]["logprobs"]["text_offset"] == [0, 3]
    assert whole["choices"][0]["logprobs"]["token_logprobs"][0] is None
    assert whole["choices"][0]["logprobs"]["token_logprobs"][1] < 0
    assert (whole["usage"]["prompt_tokens"], whole["usage"]["completion_tokens"]) == (12, 0)
    (choice,) = served.client.post("completions", json=asked | {"prompt": "one two", "max_tokens": 5}).json()["choices"]
    assert (choice["text"], choice["logprobs"]["tokens"]) == ("one two four", ["one", " two", " four"])
    asked = {"prompt": "one two", "logprobs": 1, "echo": True, "stream": True, "max_tokens": 5}
    pieces = [piece["choices"][0] for piece in events(served.client.post("completions", json=asked).text)]
    assert "".join(piece["text"] for piece in pieces) == "one two four"
    assert [token for piece in pieces for token in piece["logprobs"]["tokens"]] == ["one", " two", " four"]
    assert [at for piece in pieces for at in piece["logprobs"]["text_offset"]] == [0, 3, 7]
    assert served.client.post("completions", json={"prompt": [1, -2]}).json()["error"]["param"] == "prompt"
    empty = served.chat(max_tokens=0).json()
    assert (empty["choices"][0]["message"]["content"], empty["usage"]["completion_tokens"]) == ("", 0)


@pytest.mark.parametrize("streams", [False, True])
def test_what_stops_an_answer_is_not_among_its_tokens(scripted: Make, streams: bool) -> None:
    served = scripted({"text": "1, 2, 3, 4"})
    answer = served.chat(stop="3", logprobs=True, stream=streams)
    choices = [piece["choices"][0] for piece in (events(answer.text) if streams else [answer.json()])]
    told = [token["token"] for choice in choices for token in (choice["logprobs"] or {"content": []})["content"]]
    assert told == ["1,", " 2,", " 3,"][: 3 if " 3," in told else 2]
    assert "".join((choice.get("delta") or choice.get("message") or {}).get("content") or "" for choice in choices) == (
        "1, 2, "
    )


def test_responses_say_what_they_were_asked_and_which_item_is_whole(scripted: Make) -> None:
    call = '<tool_call>\n{"name": "crm__weather", "arguments": {"city": "Rome"}}\n</tool_call>'
    served = scripted({"text": call, "when": "call"}, {"text": "one two three"}, calls=OWN_WAY)
    space = {"type": "namespace", "name": "crm", "description": "x", "tools": [FLAT]}
    asked = {
        "input": "call",
        "tools": [space, {"type": "web_search"}],
        "metadata": {"a": "half \ud83d"},
        "temperature": 0.5,
        "max_output_tokens": 6,
    }
    whole = served.client.post("responses", content=json.dumps(asked)).json()
    assert (whole["metadata"], whole["temperature"], whole["tools"]) == ({"a": "half \ufffd"}, 0.5, [space])
    (item,) = whole["output"]
    assert (item["name"], item["namespace"], item["status"]) == ("weather", "crm", "completed")
    assert whole["status"] == "completed", "the call is whole, though nothing more may be written"
    assert (whole["tool_choice"], whole["max_output_tokens"]) == ("auto", 6)
    told = events(served.client.post("responses", content=json.dumps(asked | {"stream": True})).text)
    assert told[-1]["response"]["output"][0]["namespace"] == "crm"
    cut = served.client.post("responses", json={"input": "x", "max_output_tokens": 2}).json()
    assert (cut["status"], cut["output"][0]["status"]) == ("incomplete", "incomplete")


def test_a_tool_that_takes_any_text_is_given_one(scripted: Make, tmp_path: Path) -> None:
    call = '```json\n{"name": "patch", "arguments": {"input": "*** Begin"}}\n```'
    served = scripted({"text": call, "times": 2}, {"text": "done"}, calls=OWN_WAY, log="prompts.jsonl")
    tools = [{"type": "custom", "name": "patch", "description": "Change a file", "format": {"type": "text"}}]
    asked: dict[str, Any] = {"input": [{"role": "user", "content": "x"}], "tools": tools}
    (item,) = served.client.post("responses", json=asked).json()["output"]
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "patch", "*** Begin")
    told = events(served.client.post("responses", json=asked | {"stream": True}).text)
    assert [one["input"] for one in told if one["type"] == "response.custom_tool_call_input.done"] == ["*** Begin"]
    output = {"type": "custom_tool_call_output", "call_id": item["call_id"], "output": "fine"}
    asked["input"] += [item, output]
    assert served.client.post("responses", json=asked).json()["output"][0]["content"][0]["text"] == "done"
    logged = (tmp_path / "engine" / "prompts.jsonl").read_text("utf-8").splitlines()
    *_, called, result = json.loads([line for line in logged if '"Generate"' in line][-1])["ask"]["messages"]
    assert json.loads(called["calls"][0]["arguments"]) == {"input": "*** Begin"}
    assert (result["result_of"]["name"], result["text"]) == ("patch", "fine")


def test_of_a_function_that_is_named_there_is_one_call(scripted: Make, tmp_path: Path) -> None:
    served = scripted({"text": "{}"}, calls=OWN_WAY, log="prompts.jsonl")
    for choice in ({"type": "function", "function": {"name": "weather"}}, "required"):
        served.chat(tools=[WEATHER], tool_choice=choice)
    asked = requests(tmp_path / "engine" / "script.json")
    assert [one["calling"]["several"] for one in asked] == [False, True]
