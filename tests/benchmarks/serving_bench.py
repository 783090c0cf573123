"""Our models through the server for other programs, beside the engine itself: writing, first token, several at once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
from comparing import Answer, compared, in_turns, progress
from llama_server import LlamaServer
from our_engine import OurEngine, question, starter
from run import ROOT, Row
from texts import STORY, prose

from app.core.events import Message

DECODED_TOKENS = 128
PREFIX_TOKENS = 7_000
CLIENTS = 8
CLIENT_TOKENS = 48
CLIENT_ROUNDS = 3
AS_QUICK = 0.97
MOST_MORE_MS = 10.0
MOST_MB = 15.0
KEY = "benchmark"


class Served:
    """`fireside serve` in a process of its own."""

    def __init__(self, home: Path) -> None:
        command = [sys.executable, "-m", "app", "serve", "--port", "0", "--key", KEY, "--model", str(starter())]
        environment = os.environ | {"FIRESIDE_HOME": str(home)}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, encoding="utf-8")
        assert self._process.stderr is not None
        found = None
        while found is None:
            line = self._process.stderr.readline()
            assert line, "the server has ended"
            found = re.search(r"http://\S+", line)
        headers = {"Authorization": f"Bearer {KEY}"}
        self._client = httpx2.Client(base_url=found[0], headers=headers, timeout=600)

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait(60)

    def chat(self, messages: Sequence[Message], max_tokens: int) -> Answer:
        """One greedy answer, as a client sees it that streams."""
        body = {
            "messages": [{"role": message.role.value, "content": message.text} for message in messages],
            "max_tokens": max_tokens,
            "temperature": 0,
            "repeat_penalty": 1.0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        began_s, first_s, text, usage = time.perf_counter(), 0.0, "", dict[str, Any]()
        with self._client.stream("POST", "chat/completions", json=body) as response:
            for line in response.iter_lines():
                if not line.startswith("data: {"):
                    continue
                piece = json.loads(line.removeprefix("data: "))
                usage = piece.get("usage") or usage
                written = "".join(choice["delta"].get("content") or "" for choice in piece["choices"])
                if written:
                    first_s = first_s or time.perf_counter()
                    text, ended_s = text + written, time.perf_counter()
        reused = usage["prompt_tokens_details"]["cached_tokens"]
        written_tokens = usage["completion_tokens"]
        return Answer(text, first_s - began_s, ended_s - first_s, usage["prompt_tokens"], reused, written_tokens)


Server = Served | LlamaServer


def rows() -> Iterator[Row]:
    """One side works while the other rests."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        folder = Path(scratch)
        with OurEngine(folder / "ours", keep_states=False) as ours, Served(folder / "home") as served:
            yield writing(ours, served)
            yield first_token(ours, served)
            yield side_by_side(served)
            yield prefix(served)
        with (
            Served(folder / "home") as served,
            LlamaServer(starter(), folder / "theirs", slots=CLIENTS, options=("--kv-unified",)) as theirs,
        ):
            yield from beside_llama_server(served, theirs)
    yield idle_memory()


def writing(ours: OurEngine, served: Served) -> Row:
    """Tokens per second from the first text to the last."""
    progress("writing through the server and without it")

    def rate(side: OurEngine | Served) -> Callable[[int], float]:
        return lambda _number: side.chat(question(STORY), DECODED_TOKENS).tokens_per_s

    for side in (ours, served):
        rate(side)(0)
    through, direct = in_turns([rate(served), rate(ours)])
    return compared("decoding through the server", through, direct, "tokens/s", at_least=AS_QUICK)


def first_token(ours: OurEngine, served: Served) -> Row:
    """How much later the first text comes."""
    progress("first token through the server and without it")

    def first(side: OurEngine | Served) -> Callable[[int], float]:
        return lambda number: side.chat(question(prose(60, 5000 + number)), 4).first_s * 1000

    through, direct = in_turns([first(served), first(ours)], 15)
    later = sorted(one - other for one, other in zip(through, direct, strict=True))
    spread = f"{later[0]:.1f} to {later[-1]:.1f}, {len(later)} rounds"
    return Row(
        "first token through the server, later by",
        round(later[len(later) // 2], 1),
        "ms",
        MOST_MORE_MS,
        spread,
        at_most=1.0,
    )


def one_of_many(served: Server, number: int) -> None:
    """One client's answer."""
    answer = served.chat(question(f"{STORY} It begins in harbour {number}."), CLIENT_TOKENS)
    assert answer.generated_tokens == CLIENT_TOKENS


def together(served: Server) -> float:
    """Tokens per second of several clients at once."""
    began_s = time.perf_counter()
    threads = [threading.Thread(target=one_of_many, args=(served, number)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return CLIENTS * CLIENT_TOKENS / (time.perf_counter() - began_s)


def side_by_side(served: Served) -> Row:
    """Tokens per second of several clients together, against one after another."""
    progress(f"{CLIENTS} clients at once and one after another")

    def in_a_row(_round: int) -> float:
        began_s = time.perf_counter()
        for number in range(CLIENTS):
            one_of_many(served, number)
        return CLIENTS * CLIENT_TOKENS / (time.perf_counter() - began_s)

    joined, single = in_turns([lambda _: together(served), in_a_row], CLIENT_ROUNDS)
    return compared(f"{CLIENTS} clients at once, against one after another", joined, single, "tokens/s", at_least=1.5)


def beside_llama_server(served: Served, theirs: LlamaServer) -> Iterator[Row]:
    """The same requests to llama-server, which has as many places as there are clients, and one memory for all."""
    progress("beside llama-server")

    def rate(side: Server) -> Callable[[int], float]:
        return lambda _: side.chat(question(STORY), DECODED_TOKENS).tokens_per_s

    def first(side: Server) -> Callable[[int], float]:
        return lambda number: side.chat(question(prose(60, 7000 + number)), 4).first_s * 1000

    for side in (served, theirs):
        rate(side)(0)
    mine, other = in_turns([rate(served), rate(theirs)])
    yield compared("decoding through the server beside llama-server", mine, other, "tokens/s")
    mine, other = in_turns([first(served), first(theirs)], 15)
    yield compared("first token through the server beside llama-server", mine, other, "ms")
    mine, other = in_turns([lambda _: together(served), lambda _: together(theirs)], CLIENT_ROUNDS)
    yield compared(f"{CLIENTS} clients at once beside llama-server", mine, other, "tokens/s")


def prefix(served: Served) -> Row:
    """From the second request of an agent, which begins as the first one, to its first text."""
    progress(f"a prefix of {PREFIX_TOKENS} tokens, twice")
    firsts, seconds = [], []
    for number in range(3):
        beginning = prose(PREFIX_TOKENS, 6000 + number)
        asked = [question(f"{beginning} {words}") for words in ("What is first?", "And what is second?")]
        firsts.append(served.chat(asked[0], 4).first_s)
        again = served.chat(asked[1], 4)
        assert again.reused_tokens > PREFIX_TOKENS * 0.9, f"{again.reused_tokens} tokens were used again"
        seconds.append(again.first_s)
    return compared(
        f"second request of a {PREFIX_TOKENS}-token prefix, against the first", seconds, firsts, "s", at_most=0.1
    )


IDLE = """
import psutil, sys
sys.path.insert(0, {root!r})
import app.bootstrap, app.engine.client, app.features.error_messages, app.features.write_pages
before = psutil.Process().memory_info().rss
from app.features.models.model_pool import ModelPool
from app.features.serving.answer_server import AnswerServer
from app.server.http_application import AccessRules, make_application
from app.server.running import RunningServer
serving = AnswerServer(ModelPool(*[lambda: None] * 4), list)
server = RunningServer(make_application(serving, AccessRules("k")), port=0)
server.start()
print(psutil.Process().memory_info().rss - before)
server.stop()
"""


def idle_memory() -> Row:
    """What a process grows by when the server is switched on; nothing of it is imported before."""
    command = [sys.executable, "-c", IDLE.format(root=str(ROOT))]
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as compiled:
        environment = os.environ | {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(2):  # an installed program is compiled, which would take memory, too
            found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return Row("memory of an idle server", round(int(found.stdout) / 1e6, 1), "MB", MOST_MB, at_most=1.0)
