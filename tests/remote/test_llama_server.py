"""A model on llama-server, as the benchmarks build it: what only the real one shows; skipped where nobody built it."""

from __future__ import annotations

import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.events import Finished, Message, Role, TextDelta
from app.engine.protocol import Ask, Sampling
from app.remote.servers import RemoteServer
from tests.helpers import tiny_eyes
from tests.helpers.remote import Remote

pytestmark = [pytest.mark.slow, pytest.mark.model, pytest.mark.timeout(300)]

BUILT = sorted(Path.home().glob(".cache/fireside/comparison/*/llama-server"))
GREEDY = Sampling(temperature=0.0, seed=1)
READY_S = 60


@pytest.fixture
def remote(tmp_path: Path, starter: Path) -> Iterator[Remote]:
    """An engine with the starter, and an eye that knows six colours, on a llama-server of four slots; one thread,
    which other work disturbs least."""
    if not BUILT:
        pytest.skip("llama-server is not built: make bench does it")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [BUILT[-1], "--model", starter, "--host", "127.0.0.1", "--port", str(port), "--alias", "SmolLM2-135M"]
    command += ["--ctx-size", "8192", "--parallel", "4", "--threads", "1", "--no-ui", "--offline", "--cache-ram", "0"]
    command += ["--mmproj", tiny_eyes.make_eye(starter, tmp_path / "eye.gguf")]
    with (tmp_path / "log.txt").open("wb") as log:
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    made = Remote(tmp_path / "remote")
    made.stream_timeout_s = 200
    try:
        wait_until_ready(port)
        made.load(made.add(f"http://127.0.0.1:{port}/v1", "SmolLM2-135M", at_once=4))
        yield made
    finally:
        made.engine.close()
        process.kill()
        process.wait()


def wait_until_ready(port: int) -> None:
    ends_s = time.monotonic() + READY_S
    while time.monotonic() < ends_s:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("llama-server did not become ready")


def test_it_tells_what_it_holds_counts_follows_a_grammar_goes_on_and_answers_several(remote: Remote) -> None:
    loaded = remote.engine.loaded
    assert loaded is not None and (loaded.context_tokens, loaded.counts_exactly) == (2048, True)
    assert loaded.thinking == "none" and 130e6 < loaded.weights < 140e6

    texts = ["The quick brown fox jumps over the lazy dog.", "", "Grüße aus Köln 🙂", "one\ntwo"]
    counts = remote.engine.count_texts(texts)
    alone = [remote.engine.count_texts([text])[0] for text in texts]
    assert counts[1] == 0 and all(0 <= one - other <= 1 for one, other in zip(counts, alone, strict=True))

    question = [Message(Role.USER, "Name a number.")]
    told = text_of(remote.engine.generate(question, grammar=r'root ::= "The number is " [1-9] "."', sampling=GREEDY))
    assert re.fullmatch(r"The number is [1-9]\.", told)

    begun = [*question, Message(Role.ASSISTANT, "My favourite number is")]
    went_on = text_of(remote.engine.generate(begun, continue_last=True, max_tokens=6, sampling=GREEDY))
    assert went_on and not went_on.startswith("My favourite")
    assert text_of(remote.engine.answer(Ask([], text="Once upon a", max_tokens=4, sampling=GREEDY)))

    asks = [Ask([Message(Role.USER, f"Say {number}.")], max_tokens=4, sampling=GREEDY) for number in range(6)]
    ends = [index for index, event in remote.engine.generate_many(asks) if isinstance(event, Finished)]
    assert sorted(ends) == list(range(6))
    assert remote.servers.get("box") == RemoteServer("box", f"http://{loaded.host}/v1", at_once=4)


def test_it_sees_what_is_sent(remote: Remote, tmp_path: Path) -> None:
    assert remote.engine.loaded is not None and remote.engine.loaded.sees
    grammar = "root ::= " + " | ".join(f'"{name}"' for name in tiny_eyes.COLOURS)
    named = []
    for colour in tiny_eyes.COLOURS.values():
        question = Message(Role.USER, "What colour is the picture?", (tiny_eyes.picture(tmp_path, colour, 1600, 1600),))
        named.append(text_of(remote.engine.generate([question], grammar=grammar, sampling=GREEDY)))
    assert sum(map(str.__eq__, named, tiny_eyes.COLOURS)) >= 5, named


def text_of(events: object) -> str:
    return "".join(one.text for one in events if isinstance(one, TextDelta))  # type: ignore[attr-defined]
