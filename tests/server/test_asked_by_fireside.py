"""Our own server as the place where a model runs: one Fireside asks another."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors.server_errors import ServerKeyRefused
from app.core.events import CancelToken, Finished, FinishReason, Message, Role, TextDelta
from app.engine.protocol import Ask, Sampling
from tests.helpers.remote import Remote
from tests.server.conftest import KEY, Served

pytestmark = pytest.mark.model

GREEDY = Sampling(temperature=0.0, seed=1)


@pytest.fixture
def remote(tmp_path: Path, starter_server: Served) -> Iterator[Remote]:
    made = Remote(tmp_path)
    name = starter_server.client.get("models").json()["data"][0]["id"]
    path = made.add(starter_server.address, name)
    with pytest.raises(ServerKeyRefused):
        made.load(path)
    made.servers.keep_key("box", KEY)
    loaded = made.load(path)
    assert (loaded.context_tokens, loaded.weights) == (8192, 135_000_000)
    yield made
    made.engine.close()


def text_of(events: list[object]) -> str:
    return "".join(one.text for one in events if isinstance(one, TextDelta))


def test_the_same_is_written_as_by_the_server_itself(remote: Remote, starter_server: Served) -> None:
    messages = [Message(Role.USER, "Name three rivers.")]
    events = list(remote.engine.generate(messages, max_tokens=24, sampling=GREEDY))
    direct = starter_server.chat("Name three rivers.", max_tokens=24, temperature=0, seed=1).json()
    assert text_of(events) == direct["choices"][0]["message"]["content"]
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.stats.prompt_tokens == direct["usage"]["prompt_tokens"]
    assert (end.stats.generated_tokens, end.stats.finish_reason) == (24, FinishReason.LENGTH)


def test_several_at_once_a_stop_and_a_schema(remote: Remote) -> None:
    asks = [
        Ask([Message(Role.USER, f"Say the number {number}.")], max_tokens=8, sampling=GREEDY) for number in range(6)
    ]
    ended = [index for index, event in remote.engine.generate_many(asks) if isinstance(event, Finished)]
    assert sorted(ended) == list(range(6))

    cancel = CancelToken()
    events = []
    for event in remote.engine.generate([Message(Role.USER, "Tell a long story.")], cancel=cancel):
        events.append(event)
        if isinstance(event, TextDelta):
            cancel.cancel()
    end = events[-1]
    assert isinstance(end, Finished) and end.stats.finish_reason is FinishReason.CANCELLED
    assert not [
        one for one in threading.enumerate() if one.name == "remote request" and one.join(20) and one.is_alive()
    ]

    schema = {"type": "object", "properties": {"legs": {"enum": [2, 4]}}, "required": ["legs"]}
    question = [Message(Role.USER, "How many legs has a dog?")]
    told = text_of(list(remote.engine.generate(question, json_schema=json.dumps(schema), sampling=GREEDY)))
    assert json.loads(told)["legs"] in (2, 4)


@pytest.mark.slow
def test_a_text_is_gone_on_with(remote: Remote) -> None:
    events = list(remote.engine.answer(Ask([], text="Once upon a time", max_tokens=6, sampling=GREEDY)))
    assert text_of(events).strip()
