"""What goes over the wire, field by field, with a scripted engine behind a real server."""

from __future__ import annotations

import array
import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.core.errors.request_errors import EmbeddingsUnavailable, TokenUnknown
from app.core.events import PromptProgress, TextDelta
from app.features.error_messages import sentence_for
from app.features.serving.answer_server import AnswerServer
from app.features.serving.generation_request import AnswerEvent
from app.server.anthropic import AnthropicMessages
from app.server.json_body import BadRequest, JsonBody
from app.server.responses import Responses
from tests.helpers.script import prompts, requests
from tests.server.conftest import KEY, Served

Make = Callable[..., Served]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = '{"name": "weather", "arguments": {"city": "Köln"}}'


def events(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def test_who_has_no_key_or_calls_it_by_a_strange_name_gets_nothing(scripted: Make) -> None:
    served = scripted()
    refused = httpx2.get(f"{served.address}/models")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    for headers in ({"x-api-key": KEY}, {"Authorization": f"bearer {KEY}"}):
        assert httpx2.get(f"{served.address}/models", headers=headers).status_code == 200
    assert httpx2.get(served.address.replace("/v1", "/health")).json() == {"status": "ok"}
    rebound = served.client.get("models", headers={"Host": "evil.example:80"})
    assert (rebound.status_code, rebound.json()["error"]["code"]) == (403, "wrong_host")
    assert served.client.get("models", headers={"Host": "localhost:1"}).status_code == 200
    assert (
        served.client.get("models", headers={"Origin": "https://evil.example"}).headers.get(
            "access-control-allow-origin"
        )
        is None
    )


def test_what_functions_say_is_cleaned_like_all_texts_and_their_schemas_are_looked_at() -> None:
    output = {"type": "function_call_output", "call_id": "1", "output": "half \ud83d"}
    told = Responses(JsonBody({"input": [output]})).wanted[0].messages
    assert [message.text for message in told] == ["half \ufffd"]
    use = {"type": "tool_use", "id": "1", "name": "weather", "input": {"city": "\ud83d"}}
    asked: dict[str, Any] = {"max_tokens": 9, "messages": [{"role": "assistant", "content": [use]}]}
    (call,) = AnthropicMessages(JsonBody(asked)).wanted[0].messages[0].calls
    assert json.loads(call.arguments) == {"city": "\ufffd"}
    with pytest.raises(BadRequest) as refused:
        AnthropicMessages(JsonBody(asked | {"tools": [{"name": "weather", "input_schema": "any"}]}))
    assert refused.value.field == "tools[0].input_schema"


def test_models_are_listed_as_each_client_wants_them(scripted: Make) -> None:
    served = scripted()
    served.chat(model="two")
    listed = served.client.get(f"{served.address}//models").json()["data"]
    assert [(one["id"], one["object"]) for one in listed] == [("one", "model"), ("two", "model")]
    assert all(isinstance(one["created"], int) for one in listed)
    assert served.client.get("models/two.gguf").json()["id"] == "two"
    assert served.client.get("models/gone").json()["error"]["code"] == "model_not_found"
    assert served.client.get("gone").json()["error"]["code"] == "not_found"
    assert served.client.get("chat/completions").status_code == 405
    described = httpx2.get(
        served.address.replace("/v1", "/api/v0/models"), headers={"Authorization": f"Bearer {KEY}"}
    ).json()["data"]
    fields = {"id", "type", "publisher", "compatibility_type", "state", "max_context_length", "loaded_context_length"}
    assert all(fields | {"capabilities"} <= set(one) for one in described)
    assert [one["state"] for one in described] == ["not-loaded", "loaded"]


def test_a_chat_completion_whole_and_streamed_says_the_same(scripted: Make) -> None:
    served = scripted({"text": "one two three", "thinking": "hm"})
    whole = served.chat(model="one").json()
    message = whole["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("one two three", "hm")
    assert whole["choices"][0]["finish_reason"] == "stop"
    usage = whole["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    streamed = served.chat(model="one", stream=True, stream_options={"include_usage": True}, n=2)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert streamed.text.endswith("data: [DONE]\n\n")
    pieces = events(streamed.text)
    deltas = [(one["index"], one["delta"]) for piece in pieces for one in piece["choices"]]
    for index in (0, 1):
        mine = [delta for number, delta in deltas if number == index]
        assert mine[0] == {"role": "assistant", "content": ""}
        assert "".join(delta.get("content", "") for delta in mine) == "one two three"
        assert "".join(delta.get("reasoning_content", "") for delta in mine) == "hm"
    assert pieces[-1]["choices"] == []
    assert pieces[-1]["usage"]["completion_tokens"] > 0
    assert len({piece["id"] for piece in pieces}) == 1


def test_what_a_completion_wishes_reaches_the_engine_and_each_answer_has_a_seed(scripted: Make, tmp_path: Path) -> None:
    served = scripted({"text": "a b"}, log="prompts.jsonl")
    wishes = {"suffix": "):", "n": 2, "seed": 7, "stop": "\n", "temperature": 0, "n_predict": 9}
    whole = served.client.post("completions", json=wishes | {"prompt": ["def f(", "def g("]}).json()
    assert [(one["index"], one["text"]) for one in whole["choices"]] == [(number, "a b") for number in range(4)]
    streamed = events(served.client.post("completions", json=wishes | {"prompt": "x", "n": 1, "stream": True}).text)
    assert "".join(piece["choices"][0]["text"] for piece in streamed) == "a b"
    asked = requests(tmp_path / "engine" / "script.json")
    assert [(one["text"], one["sampling"]["seed"]) for one in asked] == [
        ("def f(", 7),
        ("def f(", 8),
        ("def g(", 7),
        ("def g(", 8),
        ("x", 7),
    ]
    assert {(one["suffix"], one["max_tokens"], *one["stop"]) for one in asked} == {("):", 9, "\n")}


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({}, True),
        ({"stop_on_repetition": False}, False),
        ({"max_tokens": 5000}, False),
        ({"max_tokens": 5000, "stop_on_repetition": True}, True),
    ],
)
def test_an_answer_that_repeats_itself_ends_without_a_limit_or_where_that_is_wished(
    scripted: Make, fields: dict[str, Any], ends: bool
) -> None:
    served = scripted({"text": "It is so. ", "repeat": 90, "watched": True})
    choice = served.chat(**fields).json()["choices"][0]
    assert choice["finish_reason"] == ("length" if ends else "stop")
    assert (len(choice["message"]["content"]) < 600) == ends


def test_a_call_is_told_with_its_name_once_and_then_its_arguments(scripted: Make) -> None:
    served = scripted({"text": f"{CALL}\n{CALL}", "times": 2}, {"text": "Rain."})
    message = served.chat(tools=[WEATHER]).json()["choices"][0]
    assert message["finish_reason"] == "tool_calls"
    assert message["message"]["content"] is None
    assert [json.loads(one["function"]["arguments"]) for one in message["message"]["tool_calls"]] == [
        {"city": "Köln"},
        {"city": "Köln"},
    ]
    pieces = events(served.chat(tools=[WEATHER], stream=True).text)
    told = [one for piece in pieces for one in piece["choices"][0]["delta"].get("tool_calls", [])]
    begun = [one for one in told if "id" in one]
    assert [(one["index"], one["type"], one["function"]["name"]) for one in begun] == [
        (0, "function", "weather"),
        (1, "function", "weather"),
    ]
    for index in (0, 1):
        text = "".join(one["function"]["arguments"] for one in told if one["index"] == index)
        assert json.loads(text) == {"city": "Köln"}
    call = message["message"]["tool_calls"][0]
    history = [
        {"role": "user", "content": [{"type": "text", "text": "And in Köln?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "rain"},
    ]
    answered = served.client.post("chat/completions", json={"messages": history, "tools": [WEATHER]}).json()
    assert answered["choices"][0]["message"]["content"] == "Rain."


NAMED = {"type": "function", "function": {"name": "weather"}}


@pytest.mark.parametrize(
    "choice",
    ["required", NAMED, {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}],
)
def test_a_choice_of_functions_may_be_a_word_or_an_object(scripted: Make, choice: object) -> None:
    served = scripted({"text": CALL})
    assert served.chat(tools=[WEATHER], tool_choice=choice).json()["choices"][0]["message"]["tool_calls"]
    assert served.chat(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "x"}}).status_code == 400


def test_of_several_functions_those_are_lent_that_are_chosen(scripted: Make, tmp_path: Path) -> None:
    served = scripted({"text": "words"}, calls=OWN_WAY, log="prompts.jsonl")
    other = {"type": "function", "function": {"name": "other"}}
    flat = {"type": "function", "name": "weather"}
    both = [WEATHER, other]
    for choice in ("none", "auto", {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}}):
        assert served.chat(tools=both, tool_choice=choice).json()["choices"][0]["message"]["content"] == "words"
    asked = {
        "input": "Hello",
        "tools": [flat, {"type": "function", "name": "other"}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [flat, {"type": "web_search"}]},
    }
    assert served.client.post("responses", json=asked).status_code == 200
    lent = [
        [name for name, _ in (one["calling"] or {"functions": []})["functions"]]
        for one in requests(tmp_path / "engine" / "script.json")
    ]
    assert lent == [[], ["weather", "other"], ["weather"], ["weather"]]


def test_messages_of_anthropic_have_blocks_that_are_closed_in_order(scripted: Make) -> None:
    served = scripted({"text": CALL, "thinking": "hm", "when": "call"}, {"text": "one two", "thinking": "hm"})
    asked = {"model": "one", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}
    whole = served.client.post("messages", json=asked).json()
    assert [block["type"] for block in whole["content"]] == ["thinking", "text"]
    assert (whole["type"], whole["stop_reason"]) == ("message", "end_turn")
    tool = {"name": "weather", "input_schema": WEATHER["function"]["parameters"]}  # type: ignore[index]
    asked["messages"] = [{"role": "user", "content": [{"type": "text", "text": "call"}]}]
    streamed = served.client.post("messages", json=asked | {"stream": True, "tools": [tool]}).text
    kinds = [piece["type"] for piece in events(streamed)]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    open_blocks: list[int] = []
    for piece in events(streamed):
        if piece["type"] == "content_block_start":
            assert not open_blocks
            open_blocks.append(piece["index"])
        elif piece["type"] == "content_block_delta":
            assert open_blocks == [piece["index"]]
        elif piece["type"] == "content_block_stop":
            open_blocks.remove(piece["index"])
    begun = [piece["content_block"]["type"] for piece in events(streamed) if piece["type"] == "content_block_start"]
    assert begun == ["thinking", "tool_use"]
    assert events(streamed)[-2]["delta"]["stop_reason"] == "tool_use"
    assert streamed.startswith("event: message_start\ndata: ")
    refused = served.client.post("messages", json={"messages": []})
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_request_error")


def test_what_changes_with_each_request_of_claude_code_is_not_read(scripted: Make, tmp_path: Path) -> None:
    served = scripted({"text": "fine"}, log="prompts.jsonl")
    countdown = "<total_tokens>{} tokens left</total_tokens>"
    for number in range(2):
        header = f"x-anthropic-billing-header: cch={number};\nBe brief.\n{countdown.format(9 - number)}"
        turns = [
            {"role": "user", "content": "Hello"},
            {"role": "system", "content": countdown.format(5 - number)},
            {"role": "assistant", "content": "Hi"},
            {"role": "system", "content": [{"type": "text", "text": f"Be quick.\n{countdown.format(4 - number)}"}]},
            {"role": "user", "content": "<total_tokens>mine</total_tokens>"},
        ]
        asked = {"system": [{"type": "text", "text": header}], "messages": turns, "max_tokens": 5}
        assert served.client.post("messages", json=asked).status_code == 200
    logged = (tmp_path / "engine" / "prompts.jsonl").read_text("utf-8").splitlines()
    first, second = (json.loads(line)["ask"]["messages"] for line in logged if '"Generate"' in line)
    assert first == second
    said = [(one["role"], one["text"]) for one in first]
    assert said == [
        ("system", "Be brief."),
        ("user", "Hello"),
        ("assistant", "Hi"),
        ("system", "Be quick."),
        ("user", "<total_tokens>mine</total_tokens>"),
    ]


def test_what_the_system_says_behind_a_question_is_read_before_it(scripted: Make, tmp_path: Path) -> None:
    """A small model went on with Claude Code's list of agents in place of an answer."""
    served = scripted({"text": "Paris"}, log="prompts.jsonl")
    first = [{"role": "user", "content": "Capital of France?"}, {"role": "system", "content": "Agents: none."}]
    later = [{"role": "assistant", "content": "Paris"}, {"role": "user", "content": "And of Spain?"}]
    for turns in (first, first + later):
        asked = {"system": "Be brief.", "messages": turns, "max_tokens": 5}
        assert served.client.post("messages", json=asked).status_code == 200
    read, again = prompts(tmp_path / "engine" / "script.json")[-2:]
    assert read == [("system", "Be brief."), ("system", "Agents: none."), ("user", "Capital of France?")]
    assert again[:3] == read, "the beginning that is known stays"
    assert again[-1] == ("user", "And of Spain?")


def test_responses_are_items_told_one_after_the_other(scripted: Make) -> None:
    served = scripted({"text": CALL, "thinking": "hm", "when": "call"}, {"text": "one two"})
    whole = served.client.post("responses", json={"input": "Hello", "instructions": "Be brief."}).json()
    assert (whole["object"], whole["status"]) == ("response", "completed")
    assert whole["output"][0]["content"][0]["text"] == "one two"
    tool = {"type": "function"} | WEATHER["function"]  # type: ignore[operator]
    asked = {
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "rain"},
            {"role": "user", "content": "call"},
        ],
        "tools": [tool, {"type": "web_search"}],
        "stream": True,
    }
    told = events(served.client.post("responses", json=asked).text)
    assert [one["sequence_number"] for one in told] == list(range(len(told)))
    kinds = [one["type"] for one in told]
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    items = [one["item"] for one in told if one["type"] == "response.output_item.done"]
    assert [one["type"] for one in items] == ["reasoning", "function_call"]
    assert told[-1]["response"]["output"] == items
    pieces = [one["delta"] for one in told if one["type"] == "response.function_call_arguments.delta"]
    assert json.loads("".join(pieces)) == json.loads(items[1]["arguments"]) == {"city": "Köln"}
    kept = served.client.post("responses", json={"input": "x", "previous_response_id": "resp_1"})
    assert kept.json()["error"]["param"] == "previous_response_id"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", None),
        (b"\xff\xfe", None),
        (b"[1]", None),
        (b'{"messages": "hello"}', "messages"),
        (b'{"messages": []}', "messages"),
        (b'{"messages": [{"role": "king", "content": "x"}]}', "messages[0].role"),
        (b'{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}', "messages[0].content[0].image_url"),
        (b'{"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}', "messages[0].content[0].type"),
        (b'{"messages": [{"role": "user", "content": "x"}], "temperature": "hot"}', "temperature"),
        (b'{"messages": [{"role": "user", "content": "x"}], "n": 99}', "n"),
        (b'{"messages": [{"role": "user", "content": "x"}], "stop": [1]}', "stop"),
        (b'{"messages": [{"role": "user", "content": "x"}], "stream": "yes"}', "stream"),
        (b"[" * 100_000, None),
    ],
)
def test_what_is_wrong_with_a_request_is_said_by_its_name(scripted: Make, body: bytes, field: str | None) -> None:
    answer = scripted().client.post("chat/completions", content=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)


def test_unknown_fields_are_left_alone_and_too_much_is_refused(scripted: Make) -> None:
    served = scripted({"text": "fine"})
    assert served.chat(user="me", store=False, metadata={"a": 1}, frequency_penalty=0.5).status_code == 200
    host = served.address.split("/")[2]
    for path, kind in (("chat/completions", "invalid_request_error"), ("messages", "request_too_large")):
        with closing(HTTPConnection(host)) as plain:  # it sends all of it before it reads a word of the answer
            plain.request("POST", f"/v1/{path}", b"x" * 50_000_000, {"Authorization": f"Bearer {KEY}"})
            answer = plain.getresponse()
            assert (answer.status, json.load(answer)["error"]["type"]) == (413, kind)
    missing = served.chat(model="gpt-4o")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


def test_who_sends_too_slowly_or_too_much_at_once_is_told(scripted: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    served = scripted({"text": "word ", "repeat": 100_000, "delay_s": 0.01, "when": "long"}, {"text": "next"})
    with served.client.stream("POST", "chat/completions", json=LONG) as response:
        lines = response.iter_lines()
        next(lines)
        monkeypatch.setattr("app.server.access_guard.MOST_AT_ONCE", 1)
        refused = served.chat("short")
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many")
        assert httpx2.get(served.address.replace("/v1", "/health")).status_code == 200
    monkeypatch.setattr("app.server.access_guard.MOST_AT_ONCE", 9)
    monkeypatch.setattr("app.server.request_body.READ_WITHIN_S", 0.05)
    with closing(HTTPConnection(served.address.split("/")[2])) as plain:
        plain.putrequest("POST", "/v1/chat/completions")
        plain.putheader("Authorization", f"Bearer {KEY}")
        plain.putheader("Content-Length", "100")
        plain.endheaders(b"{")
        answer = plain.getresponse()
        assert (answer.status, json.load(answer)["error"]["code"]) == (408, "too_slow")


LONG = {"messages": [{"role": "user", "content": "long"}], "stream": True}


@pytest.mark.parametrize("streams", [True, False])
def test_a_client_that_goes_away_stops_its_answer(scripted: Make, streams: bool) -> None:
    served = scripted({"text": "word ", "repeat": 100_000, "delay_s": 0.01, "when": "long"}, {"text": "next"})
    if streams:
        with served.client.stream("POST", "chat/completions", json=LONG) as response:
            next(response.iter_lines())
    else:
        with closing(HTTPConnection(served.address.split("/")[2])) as plain:
            body = json.dumps(LONG | {"stream": False})
            plain.request("POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {KEY}"})
    stopped = threading.Event()
    while not stopped.wait(0.02):
        if served.serving.journal.list_requests():
            stopped.set()
    (asked,) = served.serving.journal.list_requests()
    assert (asked.path, asked.status) == ("/v1/chat/completions", 499)
    assert served.chat("short").json()["choices"][0]["message"]["content"] == "next"


def test_what_fails_in_the_middle_of_a_stream_is_an_event(scripted: Make) -> None:
    served = scripted({"text": "word ", "repeat": 10, "crash_after": 3})
    pieces = events(served.chat(stream=True).text)
    assert pieces[-1]["error"]["type"] == "server_error"
    assert served.chat(stream=True).status_code in (200, 503)
    for path, asked, end, name in (
        ("messages", {"messages": [{"role": "user", "content": "x"}], "max_tokens": 50}, "api_error", "error"),
        ("responses", {"input": "x"}, "unavailable", "response.failed"),
    ):
        told = scripted({"text": "word ", "repeat": 10, "crash_after": 3}).client.post(
            path, json=asked | {"stream": True}
        )
        last = events(told.text)[-1]
        error = last["response"]["error"]["code"] if "response" in last else last["error"]["type"]
        assert (error, told.text.rpartition("event: ")[2].splitlines()[0]) == (end, name)


@pytest.mark.logs_warnings  # in the moment in which the answer is there, or after it
def test_a_fault_of_the_server_itself_is_an_error_of_the_contract(
    scripted: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = scripted()
    monkeypatch.setattr(served.serving, "list_models", lambda: 1 // 0)
    failed = served.client.get("models")
    assert (failed.status_code, failed.json()["error"]["type"]) == (500, "server_error")


def test_the_journal_has_who_asked_and_no_word_of_it(scripted: Make) -> None:
    served = scripted({"text": "secret answer"})
    served.client.headers["User-Agent"] = "Zed/1.2 (linux)"
    served.chat("secret question", model="one")
    served.chat(model="gone")
    newest, first = served.serving.journal.list_requests()
    assert (first.who, first.model, first.status, first.generated_tokens) == ("Zed/1.2", "one", 200, 2)
    assert (newest.model, newest.status) == ("gone", 404)
    assert "secret" not in repr(served.serving.journal.list_requests())


EMBEDDER = {"when": "", "any_path": True, "can_chat": False}


def test_texts_become_vectors_in_an_engine_of_their_own(scripted: Make, embedding_file: Path) -> None:
    served = scripted({"text": "fine"}, beside={"load": EMBEDDER}, models=[embedding_file])
    listed = served.client.get(served.address.replace("/v1", "/api/v0/models")).json()["data"]
    assert {one["id"]: (one["type"], one["capabilities"]) for one in listed} == {
        "one": ("llm", ["tool_use"]),
        "two": ("llm", ["tool_use"]),
        "vectors": ("embeddings", []),
    }
    asked = {"model": "vectors", "input": ["tea and toast", "no"]}
    whole = served.client.post("embeddings", json=asked).json()
    assert [(one["index"], len(one["embedding"])) for one in whole["data"]] == [(0, 8), (1, 8)]
    assert whole["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    told = served.client.post("embeddings", json=asked | {"encoding_format": "base64"}).json()["data"]
    numbers = array.array("f", base64.b64decode(told[0]["embedding"]))
    assert numbers.tolist() == whole["data"][0]["embedding"]
    (short,) = served.client.post("embeddings", json={"input": "tea and toast", "dimensions": 2}).json()["data"]
    assert sum(number**2 for number in short["embedding"]) == pytest.approx(1)
    assert served.chat(model="one").status_code == 200, "the chat's own model is still there"
    assert served.client.get(served.address.replace("/v1", "/api/v0/models")).json()["data"][2]["state"] == "loaded"


NO_VECTORS: list[tuple[dict[str, Any], str | None, str]] = [
    ({"input": "x", "dimensions": 9}, "dimensions", "at most 8"),
    ({"input": [1, 2]}, "input", "send texts"),
    ({"input": [[1, 2]]}, "input", "send texts"),
    ({"input": ["a", ""]}, "input", "non-empty"),
    ({"input": []}, "input", "non-empty"),
    ({"input": "x", "encoding_format": "hex"}, "encoding_format", "base64"),
    ({"input": "x", "model": "one"}, None, sentence_for(EmbeddingsUnavailable("one.gguf", ("vectors",))).text),
]


def test_what_cannot_become_a_vector_is_said(scripted: Make, embedding_file: Path) -> None:
    served = scripted(beside={"load": EMBEDDER}, models=[embedding_file])
    for asked, field, words in NO_VECTORS:
        refused = served.client.post("embeddings", json=asked)
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, field)
        assert words in refused.json()["error"]["message"]


def test_a_model_that_is_named_is_loaded_beside_the_other_one_where_there_is_room(scripted: Make) -> None:
    free = [20_000_000_000]
    served = scripted(
        {"text": "own"}, beside={"answers": [{"text": "beside"}]}, free_bytes=lambda: free[0], needs=lambda path: 10**9
    )

    def said(model: str) -> str:
        answer = served.chat(model=model).json()
        return str(answer["choices"][0]["message"]["content"] if "choices" in answer else answer["error"]["code"])

    assert [said("one"), said("two"), said("one"), said("two")] == ["own", "beside", "own", "beside"]
    free[0] = 10**6
    assert said("two") == "beside", "it is there already"
    served.serving.pool.close()
    assert said("two") == "no_room"
    assert served.chat(model="two").status_code == 503
    assert said("one") == "own"
    free[0] = 20_000_000_000
    served.may_load = False
    assert said("two") == "model_not_loaded"


OWN_WAY = {
    "opening": '<tool_call>\n{"name": "',
    "between": '", "arguments": ',
    "closing": "}\n</tool_call>",
    "joiner": '}\n</tool_call>\n<tool_call>\n{"name": "',
    "begins": "<tool_call>",
}


def test_a_model_that_was_taught_to_call_does_it_in_its_own_way(scripted: Make, tmp_path: Path) -> None:
    text = f"I look.\n<tool_call>\n{CALL}\n</tool_call>"
    served = scripted({"text": text, "times": 1}, {"text": "Rain."}, calls=OWN_WAY, log="prompts.jsonl")
    pieces = [piece["choices"][0]["delta"] for piece in events(served.chat(tools=[WEATHER], stream=True).text)]
    told = [one for piece in pieces for one in piece.get("tool_calls", [])]
    assert "".join(piece.get("content", "") for piece in pieces) == "I look."
    assert [one["function"]["name"] for one in told if "id" in one] == ["weather"]
    assert json.loads("".join(one["function"]["arguments"] for one in told)) == {"city": "Köln"}
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}
    history = [
        {"role": "user", "content": "And in Köln?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    answered = served.client.post("chat/completions", json={"messages": history, "tools": [WEATHER]}).json()
    assert answered["choices"][0]["message"]["content"] == "Rain."
    blocks = [
        {"role": "user", "content": "And in Köln?"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Köln"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "rain"}]},
    ]
    served.client.post("messages", json={"messages": blocks, "max_tokens": 5})
    items = [
        {"role": "user", "content": "And in Köln?"},
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city": "Köln"}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
    ]
    served.client.post("responses", json={"input": items})
    first, *later = requests(tmp_path / "engine" / "script.json")
    assert first["calling"]["functions"][0][0] == "weather"
    assert first["template_variables"]["tools"][0]["function"]["name"] == "weather"
    assert len(first["messages"]) == 1, "its template tells it of the functions"
    logged = (tmp_path / "engine" / "prompts.jsonl").read_text("utf-8")
    conversations = [json.loads(line)["ask"]["messages"] for line in logged.splitlines() if '"Generate"' in line][1:]
    assert len(later) == len(conversations) == 3
    for _, asked, result in conversations:
        assert (asked["text"], asked["calls"][0]["name"]) == ("", "weather")
        assert (result["text"], result["result_of"]["id"], result["result_of"]["name"]) == ("rain", "call_1", "weather")


PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAAAABJRU5ErkJggg=="


def test_pictures_are_shown_to_a_model_that_sees(scripted: Make, tmp_path: Path) -> None:
    served = scripted({"text": "a cat"}, load={"any_path": True, "sees": True}, log="prompts.jsonl")
    url = f"data:image/png;base64,{PICTURE}"
    parts = [
        {"type": "text", "text": "What"},
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "is it?"},
    ]
    assert (
        served.client.post("chat/completions", json={"messages": [{"role": "user", "content": parts}]}).status_code
        == 200
    )
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}
    asked = {"messages": [{"role": "user", "content": [block]}], "max_tokens": 5}
    assert served.client.post("messages", json=asked).status_code == 200
    assert served.client.post("messages/count_tokens", json=asked).json()["input_tokens"] > 4
    item = {"role": "user", "content": [{"type": "input_image", "image_url": url}, {"type": "input_text", "text": "?"}]}
    assert served.client.post("responses", json={"input": [item]}).status_code == 200
    logged = (tmp_path / "engine" / "prompts.jsonl").read_text("utf-8").splitlines()
    shown = [json.loads(line)["ask"]["messages"][0]["media"] for line in logged if '"Generate"' in line]
    assert [(one[0]["width"], one[0]["height"], one[0]["at"]) for one in shown] == [(2, 2, 4), (2, 2, 0), (2, 2, 0)]
    assert not any(Path(one[0]["path"]).exists() for one in shown), "nothing of a request stays"


def test_pictures_are_not_fetched_nor_read_nor_shown_to_the_blind(scripted: Make) -> None:
    served = scripted()

    def refusal(url: str) -> tuple[int, str]:
        parts = [{"type": "image_url", "image_url": {"url": url}}]
        refused = served.client.post("chat/completions", json={"messages": [{"role": "user", "content": parts}]})
        return refused.status_code, refused.json()["error"]["code"]

    for url in (
        "https://evil.example/x.png",
        "file:///etc/passwd",
        "/etc/passwd",
        "data:text/html;base64,AAAA",
        "data:image/png;base64,%",
    ):
        assert refusal(url) == (400, "invalid_request")
    assert refusal(f"data:image/png;base64,{PICTURE}") == (400, "no_pictures")
    for url in ("https://evil.example/x.png", "file:///etc/passwd"):
        block = {"type": "image", "source": {"type": "url", "url": url}}
        asked: dict[str, Any] = {"messages": [{"role": "user", "content": [block]}], "max_tokens": 5}
        refused = served.client.post("messages", json=asked)
        assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_request_error")
        assert "URLs" in refused.json()["error"]["message"]
        asked = {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]}
        refused = served.client.post("responses", json=asked)
        assert refused.json()["error"]["param"] == "input[0].content[0].image_url"
    seeing = scripted(load={"any_path": True, "sees": True})
    parts = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    broken = seeing.client.post("chat/completions", json={"messages": [{"role": "user", "content": parts}]})
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "bad_picture")


def test_a_page_that_is_named_may_ask_and_no_other(scripted: Make) -> None:
    served = scripted(origins=("app://obsidian.md",))
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    asked = httpx2.options(f"{served.address}/chat/completions", headers=wanted | {"Origin": "app://obsidian.md"})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == "app://obsidian.md"
    assert "authorization" in asked.headers["access-control-allow-headers"].lower()
    other = httpx2.options(f"{served.address}/chat/completions", headers=wanted | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_while_a_prompt_is_read_the_stream_is_kept_alive(scripted: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.server.answer_stream.HEARTBEAT_S", 0.05)
    served = scripted({"text": "slow", "delay_s": 0.5, "when": "slowly"}, {"text": "read", "prompt_s": 0.6})
    for question in ("slowly", "read a long prompt, which is told step by step"):
        text = served.chat(question, stream=True).text
        assert ": still at work\n" in text
        assert events(text)[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
        ("completions", {"prompt": "x"}),
        ("responses", {"input": "x"}),
    ],
)
def test_a_refusal_in_the_middle_of_a_stream_names_its_field(
    scripted: Make, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any]
) -> None:
    def refused(*_: Any, **__: Any) -> Iterator[tuple[int, AnswerEvent]]:
        yield 0, PromptProgress(1, 2)
        yield 0, TextDelta("Well")
        raise TokenUnknown(99_999, 1_000)

    monkeypatch.setattr(AnswerServer, "answer_all", refused)
    text = scripted().client.post(path, json=body | {"stream": True}).text
    (error,) = [found for found in map(error_in, events(text)) if found]
    assert error["code"] == "unknown_token"
    assert error["message"].startswith("logit_bias: ")
    assert path == "responses" or error["param"] == "logit_bias", "that contract has no such field"


def error_in(event: dict[str, Any]) -> dict[str, Any] | None:
    """What went wrong, where a stream says that."""
    found: dict[str, Any] | None = event.get("error") or event.get("response", {}).get("error")
    return found


@pytest.mark.parametrize("wished", [{"type": "text"}, {"type": "json_object"}])
def test_every_form_of_an_answer_may_be_wished(scripted: Make, wished: dict[str, str]) -> None:
    assert scripted({"text": "{}"}).chat(response_format=wished).status_code == 200
