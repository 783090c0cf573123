"""What Claude Code 2.1.197, Codex 0.171.0 and opencode 1.18.33 send, replayed: a question, then the result of a call.

Recorded with the settings of `app/server/recipes.py`; long texts are shortened, and names and numbers of who asked left
out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.script import prompts
from tests.server.conftest import Served

DATA = Path(__file__).parent / "data"
AGENTS = ("claude_code", "codex", "opencode")
UNUSUAL = ("maxLength", "pattern", "aximum", "propertyNames", "anyOf")
ENDS = {"claude_code": '"type": "message_stop"', "codex": '"type": "response.completed"', "opencode": "data: [DONE]"}


def recorded(agent: str) -> list[dict[str, Any]]:
    requests = json.loads((DATA / f"{agent}.json").read_text("utf-8"))
    assert isinstance(requests, list)
    return requests


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_is_answered_and_its_results_are_read(
    agent: str, scripted: Callable[..., Served], tmp_path: Path
) -> None:
    served = scripted({"text": "Hi there."}, log="prompts.jsonl")
    for request in recorded(agent):
        address = served.address.replace("/v1", request["path"])
        body = request["body"] and request["body"] | {"model": "one"}
        answer = served.client.request(request["method"], address, json=body, headers=request["headers"])
        assert answer.status_code == 200, answer.text
        if body:
            assert ENDS[agent] in answer.text and "Hi there." in "".join(texts_of(answer.text))
    last = prompts(tmp_path / "engine" / "script.json")[-1]
    assert any("the word is plum" in text for _, text in last)


def texts_of(stream: str) -> Iterator[str]:
    """Pieces of the answer, in any of the three contracts."""
    for line in stream.splitlines():
        if line.startswith("data: {"):
            event = json.loads(line.removeprefix("data: "))
            delta = event.get("delta", "")
            if isinstance(delta, dict):
                yield delta.get("text", "")
            elif event.get("type", "response.output_text.delta") == "response.output_text.delta":
                yield delta
            for choice in event.get("choices", ()):
                yield choice["delta"].get("content", "")


@pytest.mark.parametrize("agent", [AGENTS[0], *(pytest.param(agent, marks=pytest.mark.slow) for agent in AGENTS[1:])])
def test_the_schemas_of_an_agents_functions_become_a_grammar(agent: str, starter_server: Served) -> None:
    """With bounds of half a million characters, patterns and numbers up to 2^53."""
    request = next(one for one in reversed(recorded(agent)) if one["body"])
    tools = request["body"]["tools"]
    tools = [tool for tool in tools if any(word in json.dumps(tool) for word in UNUSUAL)][-4:] or tools[:2]
    assert agent != "claude_code" or any("524288" in json.dumps(tool) for tool in tools)
    short = {"max_tokens": 2, "max_output_tokens": 2, "stream": False, "tools": tools, "model": ""}
    if agent == "claude_code":
        short |= {"messages": [{"role": "user", "content": "Hello"}], "tool_choice": {"type": "any"}}
    elif agent == "codex":
        short |= {"input": "Hello", "tool_choice": "required"}
    else:
        short |= {"messages": [{"role": "user", "content": "Hello"}], "tool_choice": "required"}
    address = starter_server.address.replace("/v1", request["path"])
    answer = starter_server.client.post(address, json=short)
    assert answer.status_code == 200, answer.text
