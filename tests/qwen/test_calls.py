"""A model of 1.5 billion weights calls functions, keeps to schemas and goes on with what was begun."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.helpers.blemishes import find_blemishes
from tests.helpers.qwen_models import serve_model


def function(name: str, description: str, required: list[str], **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TOOLS = [
    function(
        "get_weather",
        "Current weather of a city",
        ["city"],
        city={"type": "string"},
        unit={"type": "string", "enum": ["celsius", "fahrenheit"]},
    ),
    function(
        "convert_currency",
        "Convert an amount of money",
        ["amount", "source", "target"],
        amount={"type": "number"},
        source={"type": "string", "description": "ISO code"},
        target={"type": "string", "description": "ISO code"},
    ),
    function("set_timer", "Start a countdown timer", ["minutes"], minutes={"type": "integer", "minimum": 1}),
]
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
BOB = "Bob is 5 years old and likes trains."


@pytest.fixture(scope="module")
def served(qwen_15b: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    with serve_model(qwen_15b, tmp_path_factory.mktemp("home"), "--context", "4096") as client:
        yield client


def choice_of(served: httpx2.Client, text: str, **more: Any) -> dict[str, Any]:
    """The answer to a question, as the first contract has it."""
    body = {"messages": [{"role": "user", "content": text}], "temperature": 0, "max_tokens": 120} | more
    found = served.post("chat/completions", json=body).json()
    assert "choices" in found, found
    choice = found["choices"][0]
    assert isinstance(choice, dict)
    return choice


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("How warm is it in Oslo, in celsius?", "get_weather", {"city": "oslo", "unit": "celsius"}),
        ("Do I need an umbrella in Hamburg today?", "get_weather", {"city": "hamburg"}),
        ("Change 1200 EUR into PLN please.", "convert_currency", {"amount": 1200, "source": "eur", "target": "pln"}),
        ("Start a 3 minute timer for the eggs.", "set_timer", {"minutes": 3}),
    ],
)
def test_a_function_is_called_where_one_fits(
    served: httpx2.Client, text: str, name: str, arguments: dict[str, Any]
) -> None:
    choice = choice_of(served, text, tools=TOOLS)
    assert choice["finish_reason"] == "tool_calls", choice
    (call,) = choice["message"]["tool_calls"]
    given = {key: str(value).lower() for key, value in json.loads(call["function"]["arguments"]).items()}
    assert (call["function"]["name"], given) == (name, given | {key: str(value) for key, value in arguments.items()})


@pytest.mark.parametrize("text", ["What is 6 times 7?", "Thank you very much!"])
def test_words_are_the_answer_where_none_fits(served: httpx2.Client, text: str) -> None:
    choice = choice_of(served, text, tools=TOOLS)
    answer = choice["message"]["content"]
    assert (choice["finish_reason"], choice["message"].get("tool_calls")) == ("stop", None)
    assert answer and not {"{", "<"} & {answer[0], answer[-1]}, answer
    assert find_blemishes(answer, "", "en") == [], answer


def test_words_follow_the_result_of_a_call(served: httpx2.Client) -> None:
    question = {"role": "user", "content": "Do I need an umbrella in Hamburg today?"}
    called = choice_of(served, question["content"], tools=TOOLS)["message"]
    result = {"role": "tool", "tool_call_id": called["tool_calls"][0]["id"], "content": "heavy rain, 11 degrees"}
    choice = choice_of(served, "", tools=TOOLS, messages=[question, called, result])
    assert (choice["finish_reason"], choice["message"].get("tool_calls")) == ("stop", None)
    assert "umbrella" in choice["message"]["content"], choice


def test_two_calls_come_where_several_are_needed_and_one_must(served: httpx2.Client) -> None:
    choice = choice_of(served, "What is the weather in Rome and in Madrid?", tools=TOOLS, tool_choice="required")
    cities = [json.loads(call["function"]["arguments"])["city"] for call in choice["message"]["tool_calls"]]
    assert sorted(city.partition(",")[0] for city in cities) == ["Madrid", "Rome"]


def test_a_schema_holds_beside_functions(served: httpx2.Client) -> None:
    wished = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
    told = choice_of(served, "Anna turned 31 yesterday. Extract the person.", tools=TOOLS, response_format=wished)
    assert json.loads(told["message"]["content"] or "null") == {"name": "Anna", "age": 31}, told
    called = choice_of(served, "Start a 3 minute timer for the eggs.", tools=TOOLS, response_format=wished)
    assert [call["function"]["name"] for call in called["message"]["tool_calls"]] == ["set_timer"]


def test_the_other_contracts_keep_to_a_schema_too(served: httpx2.Client) -> None:
    turns = [{"role": "user", "content": f"Who is it about? {BOB}"}]
    asked: dict[str, Any] = {"messages": turns, "max_tokens": 99, "temperature": 0}
    form = {"type": "json_schema", "schema": PERSON}
    told = served.post("messages", json=asked | {"output_config": {"format": form}}).json()
    assert json.loads(told["content"][0]["text"]) == {"name": "Bob", "age": 5}
    asked = {"input": turns, "temperature": 0, "text": {"format": form | {"name": "person", "strict": True}}}
    told = served.post("responses", json=asked).json()
    assert json.loads(told["output"][0]["content"][0]["text"]) == {"name": "Bob", "age": 5}


def test_what_was_begun_is_gone_on_with(served: httpx2.Client) -> None:
    begun = '{"capital": "'
    turns = [
        {"role": "user", "content": "The capital of France, as JSON with the key capital only."},
        {"role": "assistant", "content": begun},
    ]
    told = served.post("messages", json={"messages": turns, "max_tokens": 20, "temperature": 0}).json()
    answer = told["content"][0]["text"]
    assert not answer.startswith("{")
    assert json.loads(begun + answer.partition("}")[0] + "}") == {"capital": "Paris"}
