"""Answers with tools: whether 200 rounds leave memory level, and how soon Stop ends them, beside a plain answer."""

from __future__ import annotations

import gc
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
from comparing import percentile, progress, span
from run import Row

from app.core.events import CancelToken, Finished, FinishReason, TextDelta
from app.engine.client import EngineClient
from app.features.serving.generation_request import GenerationRequest
from app.features.tool_calls import ToolFunction
from app.features.tools.permissions import OWN_SERVER, ToolGrants, ToolPermissions
from app.features.tools.round_events import StepBegan, StepEnded
from app.features.tools.rounds import ToolRounds
from app.features.tools.tool import IsStopped, Tool, ToolResult
from tests.helpers.engine import ANY_PATH, load, scripted_client, user

ROUNDS = 200
RESULT_CHARACTERS = 2_000
ANSWERS = 3
"""Memory has to be level from the first on."""
MOST_GROWTH_MB = 2.0
STOPS = 100  # of each kind
LATEST_S = 0.1
AT_MOST_MS = 50.0
TOKEN_S = 0.01
LOOK_S = 0.005
"""How often the tool that waits asks whether it is stopped."""
NUMBER = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
Ask = Callable[[CancelToken], Iterator[object]]


def rows() -> Iterator[Row]:
    """Memory first, in a process that has done nothing else."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        yield memory(Path(scratch) / "memory")
        yield from stops(Path(scratch) / "stops")


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
