"""Answers with tools: first tokens on a kept prefix; memory of 200 rounds, and how soon Stop ends them.

The prefix is ten tools, read by Qwen2.5-Coder-Instruct 1.5B (`make test-qwen` fetches it), else by the starter.
"""

from __future__ import annotations

import gc
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from comparing import compared, percentile, progress, span
from our_engine import GREEDY, OurEngine, starter
from run import Row

from app.core.events import CancelToken, Finished, FinishReason, Message, Role, TextDelta
from app.engine.client import EngineClient
from app.engine.protocol import Ask as EngineAsk
from app.features.serving.generation_request import GenerationRequest
from app.features.tool_calls import ToolFunction
from app.features.tools.permissions import OWN_SERVER, ToolGrants, ToolPermissions
from app.features.tools.round_events import StepBegan, StepEnded
from app.features.tools.rounds import ToolRounds
from app.features.tools.score_requests import score_tools
from app.features.tools.tool import IsStopped, Tool, ToolResult
from tests.helpers.engine import ANY_PATH, load, scripted_client, user
from tests.helpers.qwen_models import qwen_path

ROUNDS = 200
RESULT_CHARACTERS = 2_000
ANSWERS = 3
"""Memory has to be level from the first on."""
MOST_GROWTH_MB = 2.0
STOPS = 100  # of each kind
LATEST_S = 0.1
AT_MOST_MS = 50.0
TOKEN_S = 0.01
PREFIX_ROUNDS = 3
AT_MOST_READ = 0.1
"""Of the time that reading ten tools takes."""
LOOK_S = 0.005
"""How often the tool that waits asks whether it is stopped."""
NUMBER = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
Ask = Callable[[CancelToken], Iterator[object]]


def rows() -> Iterator[Row]:
    """Memory first, in a process that has done nothing else."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        yield memory(Path(scratch) / "memory")
        yield from stops(Path(scratch) / "stops")
        yield from prefixes(Path(scratch))


def prefixes(scratch: Path) -> Iterator[Row]:
    """First tokens of chats with ten tools, each against the first of all, which reads them."""
    taken: dict[str, list[float]] = {}
    for number in range(PREFIX_ROUNDS):
        progress(f"ten tools, {number + 1} of {PREFIX_ROUNDS}")
        for name, ms in first_tokens(scratch / f"prefix-{number}"):
            taken.setdefault(name, []).append(ms)
    (_, anew), *others = taken.items()
    for name, times in others:
        yield compared(f"first token with ten tools, {name}", times, anew, "ms", at_most=AT_MOST_READ)


def first_tokens(folder: Path) -> Iterator[tuple[str, float]]:
    """What was asked, and milliseconds from asking to the first token, everything of the rounds included."""
    model = qwen_path("1.5B") if qwen_path("1.5B").exists() else starter()
    first = (user("How long is a marathon?"),)
    second = (*first, Message(Role.ASSISTANT, "About 42 kilometres."), user("And half of one?"))
    with OurEngine(folder, model=model) as engine:
        yield "all read", first_token_ms(engine.client, first, "chat-1")
        yield "second question", first_token_ms(engine.client, second, "chat-1")
        yield "new chat", first_token_ms(engine.client, (user("Who was Ada Lovelace?"),), "chat-2")
        engine.chat([user("Tell me something of the sea.")], 1, session="chat-3")
        yield "new chat after one without tools", first_token_ms(engine.client, (user("Why do cats purr?"),), "chat-4")
    with OurEngine(folder, model=model) as engine:
        yield "new chat after a restart", first_token_ms(engine.client, (user("Where is Oslo?"),), "chat-5")
        yield "next question after a restart", first_token_ms(engine.client, second, "chat-1")


def first_token_ms(client: EngineClient, messages: Sequence[Message], session: str) -> float:
    """Milliseconds of an answer of one token."""

    def shape_ask(ask: EngineAsk) -> EngineAsk:
        return replace(ask, max_tokens=1, sampling=GREEDY, session=session)

    tools = [Tool(function, lambda *_: ToolResult("")) for function in score_tools()]
    permissions = ToolPermissions(ToolGrants(servers=frozenset({OWN_SERVER})), lambda *_: None)
    rounds = ToolRounds(client, tools, permissions, shape_ask=shape_ask)
    began_s = time.perf_counter()
    *_, last = rounds.answer(GenerationRequest(tuple(messages)), CancelToken())
    assert isinstance(last, Finished)
    ended_s = time.perf_counter()
    progress(f"  {session}: {last.stats.reused_tokens} of {last.stats.prompt_tokens} tokens kept")
    return (ended_s - began_s) * 1000


def call_text(number: int) -> str:
    return f'{{"name": "count", "arguments": {{"number": {number}}}}}'


def rounds_of(client: EngineClient, tool: Callable[[Mapping[str, Any], IsStopped], ToolResult]) -> ToolRounds:
    permissions = ToolPermissions(ToolGrants(servers=frozenset({OWN_SERVER})), lambda *_: None)
    return ToolRounds(client, [Tool(ToolFunction("count", "", NUMBER), tool)], permissions, most_rounds=ROUNDS)


def memory(folder: Path) -> Row:
    """What this process holds after three answers of 200 rounds each, beside what it held after one."""
    progress(f"{ANSWERS} answers of {ROUNDS} rounds")
    answers = [{"when": rf"next {number}\b", "text": call_text(number)} for number in range(ROUNDS)]
    script = {"answers": [*answers, {"when": "Begin", "text": call_text(0)}, {"text": "Done."}]}
    client = scripted_client(folder, script | {"load": ANY_PATH | {"context_tokens": 500_000}})
    process, held = psutil.Process(), list[float]()

    def count(arguments: Mapping[str, Any], _is_stopped: IsStopped) -> ToolResult:
        return ToolResult(f"{'x' * RESULT_CHARACTERS} next {arguments['number'] + 1}.")

    try:
        load(client)
        for _ in range(ANSWERS):
            for event in rounds_of(client, count).answer(GenerationRequest((user("Begin"),)), CancelToken()):
                if isinstance(event, StepEnded) and event.number == ROUNDS:
                    gc.collect()
                    held.append(process.memory_info().rss / 1e6)
    finally:
        client.close()
    assert len(held) == ANSWERS, held
    note = f"{held[0]:.1f} MB after {ROUNDS} rounds, {held[-1]:.1f} MB after {ROUNDS * ANSWERS}"
    name = f"memory that {ROUNDS * (ANSWERS - 1)} more rounds added"
    return Row(name, round(held[-1] - held[0], 2), "MB", MOST_GROWTH_MB, note, at_most=1)


def stops(folder: Path) -> Iterator[Row]:
    """Stop while the model writes between two calls, while a tool runs, and in a plain answer, in turns."""
    progress(f"{STOPS} stops of each kind")
    words = {"text": "word " * 500, "delay_s": TOKEN_S}
    client = scripted_client(
        folder, {"answers": [{"when": "next 1", **words}, {"when": "Plain", **words}, {"text": call_text(0)}]}
    )

    def count(_arguments: Mapping[str, Any], _is_stopped: IsStopped) -> ToolResult:
        return ToolResult("next 1")

    def wait(_arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        while not is_stopped():
            time.sleep(LOOK_S)
        return ToolResult("stopped")

    asked = GenerationRequest((user("Begin"),))
    kinds: dict[str, tuple[Ask, type]] = {
        "while the model writes after a call": (lambda token: rounds_of(client, count).answer(asked, token), TextDelta),
        "while a tool runs": (lambda token: rounds_of(client, wait).answer(asked, token), StepBegan),
        "plain": (lambda token: client.generate([user("Plain")], cancel=token), TextDelta),
    }
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    moments = random.Random(20_261_202)
    try:
        load(client)
        for _ in range(STOPS):
            for kind, (ask, begin) in kinds.items():
                taken[kind].append(stopped(ask, begin, moments.uniform(0, LATEST_S)) * 1000)
    finally:
        client.close()
    plain = percentile(taken.pop("plain"), 0.99)
    for kind, times in taken.items():
        note = f"{span(times)}, median {percentile(times, 0.5):.1f}; a plain answer's {plain:.1f} ms"
        yield Row(f"stop {kind}, 99th percentile", round(percentile(times, 0.99), 1), "ms", AT_MOST_MS, note, at_most=1)


def stopped(ask: Ask, begin: type, after_s: float) -> float:
    """Seconds from Stop, `after_s` after the first event of type `begin`, to the end."""
    cancel, pressed_s = CancelToken(), list[float]()

    def press() -> None:
        pressed_s.append(time.perf_counter())
        cancel.cancel()

    timer = threading.Timer(after_s, press)
    reason = None
    for event in ask(cancel):
        if isinstance(event, begin) and timer.ident is None:
            timer.start()
        if isinstance(event, Finished):
            reason = event.stats.finish_reason
    ended_s = time.perf_counter()
    timer.join()
    assert reason is FinishReason.CANCELLED, reason
    return ended_s - pressed_s[0]
