"""The starter behind the server: what it writes is what it writes elsewhere, and what was read is used again."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from PySide6.QtCore import QBuffer
from PySide6.QtGui import QColor, QImage

from app.core.child import own_command
from app.engine.client import EngineClient
from tests.helpers.engine import load
from tests.helpers.tiny_eyes import COLOURS, PICTURE_TOKENS, make_eye
from tests.server.conftest import Served, serve

pytestmark = pytest.mark.model

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}, "unit": {"enum": ["C", "F"]}},
            "required": ["city", "unit"],
        },
    },
}


def test_a_call_cannot_be_malformed(starter_server: Served) -> None:
    answer = starter_server.chat(
        "What is the weather in Paris?", tools=[WEATHER], tool_choice="required", parallel_tool_calls=False
    ).json()
    (call,) = answer["choices"][0]["message"]["tool_calls"]
    values = json.loads(call["function"]["arguments"])
    assert call["function"]["name"] == "weather"
    assert set(values) == {"city", "unit"}
    assert values["unit"] in ("C", "F")
    assert starter_server.chat("Say hello.", tools=[WEATHER], max_tokens=4, temperature=0).status_code == 200


def test_json_follows_its_schema_and_says_how_sure_it_was(starter_server: Served) -> None:
    schema = {"type": "object", "properties": {"legs": {"enum": [2, 4]}}, "required": ["legs"]}
    wished = {"type": "json_schema", "json_schema": {"name": "animal", "schema": schema}}
    choice = starter_server.chat(
        "A dog has how many legs?", response_format=wished, logprobs=True, top_logprobs=2, seed=1
    ).json()["choices"][0]
    assert json.loads(choice["message"]["content"])["legs"] in (2, 4)
    assert all(one["logprob"] <= 0 and len(one["top_logprobs"]) == 2 for one in choice["logprobs"]["content"])


def test_an_answer_that_was_begun_is_gone_on_with_as_its_schema_says(starter_server: Served) -> None:
    schema = {"type": "object", "properties": {"legs": {"enum": [2, 4]}}, "required": ["legs"]}
    wished = {"type": "json_schema", "json_schema": {"name": "animal", "schema": schema}}
    question = {"role": "user", "content": "A dog has how many legs?"}

    def gone_on(begun: str) -> httpx2.Response:
        turns = [question, {"role": "assistant", "content": begun}]
        body = {"messages": turns, "response_format": wished, "tools": [WEATHER], "temperature": 0}
        return starter_server.client.post("chat/completions", json=body)

    begun = '{"legs":'
    assert json.loads(begun + gone_on(begun).json()["choices"][0]["message"]["content"])["legs"] in (2, 4)
    refused = gone_on("Dogs have")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_schema")


def test_tokens_are_forbidden_by_their_numbers_and_a_grammar_is_followed(starter_server: Served) -> None:
    asked = {"prompt": "The capital of France is", "max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": True}
    told = starter_server.client.post("completions", json=asked).json()["choices"][0]["logprobs"]
    assert told["tokens"][-1] == " Paris"
    engine = starter_server.serving.pool.chat
    ids = [token.id for token in engine.inspect("tokens", "The capital of France is Paris").tokens]
    whole = starter_server.client.post("completions", json=asked | {"prompt": ids[:-1]}).json()["choices"][0]
    assert whole["text"] == "The capital of France is Paris"
    assert whole["logprobs"]["token_logprobs"][1:] == pytest.approx(told["token_logprobs"][1:], abs=0.05)
    other = starter_server.client.post("completions", json=asked | {"logit_bias": {str(ids[-1]): -100}}).json()
    assert "Paris" not in other["choices"][0]["text"]
    unknown = starter_server.client.post("completions", json=asked | {"logit_bias": {"9999999": 1}})
    assert unknown.status_code == 400
    assert (unknown.json()["error"]["code"], unknown.json()["error"]["param"]) == ("unknown_token", "logit_bias")
    yes = starter_server.chat("Is it?", grammar='root ::= "yes" | "no"').json()["choices"][0]["message"]["content"]
    assert yes in ("yes", "no")
    refused = starter_server.chat("Is it?", grammar="root ::= what")
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "grammar")


def test_what_two_requests_begin_with_is_read_once(starter_server: Served) -> None:
    rules = {"role": "system", "content": "You are brief. " * 100}
    usages = []
    for text in ("Hello", "Goodbye"):
        messages = [rules, {"role": "user", "content": text}]
        body = {"messages": messages, "max_tokens": 2}
        usages.append(starter_server.client.post("chat/completions", json=body).json()["usage"])
    assert usages[1]["prompt_tokens_details"]["cached_tokens"] > 400
    headers = [f"x-anthropic-billing-header: {number}\nBe brief." for number in range(2)]
    counted = [
        starter_server.client.post(
            "messages/count_tokens", json={"system": header, "messages": [{"role": "user", "content": "Hello"}]}
        ).json()
        for header in headers
    ]
    assert counted[0] == counted[1]


def test_a_text_is_gone_on_with_and_a_long_one_is_refused_with_the_numbers(starter_server: Served) -> None:
    body = {"prompt": "The capital of France is", "max_tokens": 3, "temperature": 0, "echo": True, "logprobs": 1}
    choice = starter_server.client.post("completions", json=body).json()["choices"][0]
    assert choice["text"].startswith("The capital of France is Paris")
    told = choice["logprobs"]
    assert "".join(told["tokens"]) == choice["text"]
    assert [
        choice["text"][at:].startswith(token) for at, token in zip(told["text_offset"], told["tokens"], strict=True)
    ]
    assert told["token_logprobs"][0] is None or told["token_logprobs"][0] < 0
    assert all(number < 0 for number in told["token_logprobs"][1:])
    assert told["top_logprobs"][-1][told["tokens"][-1]] == told["token_logprobs"][-1], (
        "the likeliest, to the last digit"
    )
    refused = starter_server.client.post("completions", json={"prompt": "def f(", "suffix": "):"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_infill")
    refused = starter_server.chat("word " * 9000)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "context_length_exceeded"
    assert "8192" in refused.json()["error"]["message"]


def test_schemas_of_every_kind_are_followed_or_refused(starter_server: Served) -> None:
    parameters = {
        "type": "object",
        "properties": {
            "anything": True,
            "maybe": {"type": ["string", "null"], "maxLength": 3},
            "leaf": {"$ref": "#/$defs/branch/properties/leaf"},
        },
        "required": ["maybe", "leaf"],
        "$defs": {
            "branch": {"type": "object", "properties": {"leaf": {"$ref": "#/$defs/end"}}},
            "end": {"enum": ["a", "b"]},
        },
    }
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    answer = starter_server.chat(
        "Call f.", tools=[tool], tool_choice="required", parallel_tool_calls=False, max_tokens=300
    )
    assert answer.status_code == 200
    (call,) = answer.json()["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "f"
    deep: dict[str, object] = {"type": "string"}
    for _ in range(400):
        deep = {"type": "object", "properties": {"a": deep}, "required": ["a"]}
    wished = {"type": "json_schema", "json_schema": {"name": "deep", "schema": deep}}
    refused = starter_server.chat("Hello", response_format=wished, max_tokens=5)
    assert refused.status_code in (200, 400)
    assert starter_server.chat("Hello", max_tokens=1).status_code == 200, "nothing has ended over it"


@pytest.fixture(scope="module")
def seeing_server(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with the starter and an eye that knows six colours."""
    folder = tmp_path_factory.mktemp("seeing")
    with ExitStack() as stack:
        engine = EngineClient(own_command("--engine-worker"), folder / "engine")
        engine.folders = lambda: (Path(tempfile.gettempdir()),)  # where a server under test keeps pictures
        stack.callback(engine.close)
        load(engine, starter, projector=str(make_eye(starter, folder / "eye.gguf")), context_tokens=2048)
        yield serve(engine, [starter], stack)


def plain_png(colour: str) -> str:
    """A picture of one colour, as base64."""
    picture, file = QImage(96, 96, QImage.Format.Format_RGB888), QBuffer()
    picture.fill(QColor(*COLOURS[colour]))
    picture.save(file, "PNG")  # type: ignore[call-overload]
    return base64.b64encode(file.data().data()).decode()


QUESTION = "What colour is the picture?"
ONE_OF_SIX = {"enum": list(COLOURS)}


def test_a_picture_that_a_program_sends_is_seen(seeing_server: Served) -> None:
    wished = {"type": "json_schema", "json_schema": {"name": "colour", "schema": ONE_OF_SIX}}
    named = []
    for colour in ("red", "green", "blue"):
        url = f"data:image/png;base64,{plain_png(colour)}"
        parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": QUESTION}]
        answer = seeing_server.client.post(
            "chat/completions",
            json={"messages": [{"role": "user", "content": parts}], "response_format": wished, "temperature": 0},
        ).json()
        named.append(json.loads(answer["choices"][0]["message"]["content"]))
        assert answer["usage"]["prompt_tokens"] > PICTURE_TOKENS
    assert named == ["red", "green", "blue"]
    (listed,) = seeing_server.client.get(seeing_server.address.replace("/v1", "/api/v0/models")).json()["data"]
    assert (listed["type"], listed["capabilities"]) == ("vlm", ["tool_use", "vision"])


@pytest.mark.slow
def test_a_picture_is_seen_through_the_other_contracts_too(seeing_server: Served) -> None:
    parameters = {"type": "object", "properties": {"colour": ONE_OF_SIX}, "required": ["colour"]}
    for colour in ("red", "blue"):
        source = {"type": "base64", "media_type": "image/png", "data": plain_png(colour)}
        asked = {
            "messages": [
                {"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": QUESTION}]}
            ],
            "tools": [{"name": "name_it", "input_schema": parameters}],
            "tool_choice": {"type": "tool", "name": "name_it", "disable_parallel_tool_use": True},
            "temperature": 0,
            "max_tokens": 100,
        }
        answer = seeing_server.client.post("messages", json=asked).json()
        assert [block["input"] for block in answer["content"]] == [{"colour": colour}]
        counted = seeing_server.client.post("messages/count_tokens", json=asked).json()["input_tokens"]
        assert counted == sum(answer["usage"][f"{kind}input_tokens"] for kind in ("", "cache_read_"))
        parts = [
            {"type": "input_image", "image_url": f"data:image/png;base64,{plain_png(colour)}"},
            {"type": "input_text", "text": QUESTION},
        ]
        asked = {
            "input": [{"role": "user", "content": parts}],
            "text": {"format": {"type": "json_schema", "name": "colour", "schema": ONE_OF_SIX}},
            "temperature": 0,
        }
        (item,) = seeing_server.client.post("responses", json=asked).json()["output"]
        assert json.loads(item["content"][0]["text"]) == colour
