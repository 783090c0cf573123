"""The engine's own cost: decoding through child, wire and client against a plain loop, and the wire alone."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from comparing import ALTERNATIONS, EQUAL, compared, in_turns, span
from our_engine import OurEngine, processor_ticks, question, starter
from run import HERE, Row
from texts import STORY

from app.core.child import own_command
from app.core.events import Finished
from app.engine.client import ENVIRONMENT, EngineClient

TOKENS = 160
WIRE_TOKENS = 5000


def rows() -> Iterator[Row]:
    """Every measurement, ready to be printed."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as folder:
        yield _decode_row(Path(folder))
        yield _wire_row(Path(folder))


def _decode_row(folder: Path) -> Row:
    """Tokens per second of the same greedy answer, in turns; both compute with as many threads."""
    with OurEngine(folder, context_tokens=2048, keep_states=False) as ours:
        plain = PlainLoop(starter(), ours.loaded.threads)
        try:
            _chain_rate(ours)  # pages of the file, and the first graph
            plain.rate()
            mine, theirs = in_turns([lambda _n: _chain_rate(ours), lambda _n: plain.rate()])
        finally:
            plain.close()
    return compared(
        "decoding through child, wire and client, against a plain loop", mine, theirs, "tokens/s", at_least=EQUAL
    )


def _chain_rate(ours: OurEngine) -> float:
    """Tokens per second as a consumer of events sees them: from the first delta to the end."""
    answer = ours.chat(question(STORY), TOKENS)
    assert answer.generated_tokens == TOKENS, answer
    return answer.tokens_per_s


class PlainLoop:
    """The plain loop's process: one rate for each line sent."""

    def __init__(self, model: Path, threads: int) -> None:
        command = [sys.executable, str(HERE / "plain_loop.py"), str(model), str(TOKENS), str(threads), STORY]
        self._process = subprocess.Popen(
            command, env=os.environ | ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def rate(self) -> float:
        """One answer's tokens per second."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline().split()[0])

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate(timeout=20)


def _wire_row(folder: Path) -> Row:
    """Processor time per token of both sides, with a scripted backend that answers at once."""
    script = folder / "script.json"
    rule = {"text": " word", "repeat": WIRE_TOKENS}
    script.write_text(json.dumps({"load": {"any_path": True, "context_tokens": 10**9}, "answers": [rule]}))
    client = EngineClient([*own_command("--engine-worker"), "--scripted", str(script)], folder / "scripted")
    costs: list[float] = []
    try:
        for _ in client.load(Path("scripted.gguf")):
            pass
        for _ in range(ALTERNATIONS):
            assert client.pid is not None
            before_s = _processor_s(client.pid)
            for event in client.generate(question("hello"), max_tokens=WIRE_TOKENS):
                assert not isinstance(event, Finished) or event.stats.generated_tokens == WIRE_TOKENS
            costs.append((_processor_s(client.pid) - before_s) / WIRE_TOKENS * 1e6)
    finally:
        client.close()
    return Row(
        "wire, both sides", round(statistics.median(costs), 3), "µs of processor time per token", None, span(costs)
    )


def _processor_s(child: int) -> float:
    """Processor time used so far by this process and the child (Linux)."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    return mine.ru_utime + mine.ru_stime + processor_ticks(child) / os.sysconf("SC_CLK_TCK")
