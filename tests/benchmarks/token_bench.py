"""What a token costs outside `llama_decode`: our child beside a plain loop with llama.cpp's chain, and llama-server.

Sampled as a person has it by default, and greedy. With the starter, and with Qwen2.5-Coder where `make test-qwen` has
put it.
"""

from __future__ import annotations

import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from comparing import compared, in_turns, progress
from llama_server import LlamaServer
from our_engine import question, starter
from run import HERE, Row
from texts import STORY
from timed_child import FIELDS

from app.core.events import CANCELLED, Finished, ModelLoaded
from app.core.gguf import check_model
from app.engine.client import ENVIRONMENT, EngineClient
from app.engine.llama.sampling import SamplingValues, choose_sampling
from app.engine.protocol import Sampling, Wish
from tests.helpers.qwen_models import qwen_path

TOKENS = 120
ROUNDS = int(os.environ.get("ROUNDS", "7"))
MOST_MS = 0.3
"""Outside of `llama_decode`, with a vocabulary of 150,000."""
AT_LEAST = {"starter": 0.98}
AT_LEAST_ELSE = 0.985
SAMPLINGS = {"default": Sampling(seed=7), "greedy": Sampling(temperature=0.0, repeat_penalty=1.0, seed=7)}


def rows() -> Iterator[Row]:
    """Each model that is there; `MODELS` in the environment names some of them."""
    models = {"starter": starter()} | {size: qwen_path(size) for size in ("0.5B", "1.5B")}
    wanted = os.environ.get("MODELS", " ".join(models)).split()
    for name, model in models.items():
        if name in wanted and model.exists():
            for way, sampling in SAMPLINGS.items():
                yield from _rows(name, model, way, sampling)


def _rows(name: str, model: Path, way: str, sampling: Sampling) -> Iterator[Row]:
    progress(f"{name}, {way}")
    values = choose_sampling(sampling, Sampling(), check_model(model).metadata)
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        folder = Path(scratch)
        with (
            closing(TimedEngine(model, folder)) as ours,
            closing(PlainLoop(model, ours.threads, values)) as plain,
            LlamaServer(
                model, folder / "server", context_tokens=2048, threads=ours.threads, environment=ENVIRONMENT
            ) as server,
        ):
            ways = [lambda _n: ours.costs(sampling), lambda _n: plain.costs(), lambda _n: _server_rate(server, values)]
            for warm in ways:
                warm(0)
            mine, bare, served = in_turns(ways, ROUNDS)
    label = f"{name}, {way}"
    for kind, place in (("outside llama_decode", 1), ("outside it, processor time of the loop's thread", 2)):
        ms, others = ([cost[place] for cost in costs] for costs in (mine, bare))
        yield compared(f"{label}: {kind}, against a plain loop", ms, others, "ms a token")
    found = statistics.median(cost[2] for cost in mine)
    yield Row(f"{label}: the same against the aim", round(found, 3), "ms a token", MOST_MS, at_most=1.0)
    rates, others = ([cost[0] for cost in costs] for costs in (mine, bare))
    least = AT_LEAST.get(name, AT_LEAST_ELSE)
    yield compared(f"{label}: writing, against a plain loop", rates, others, "tokens/s", at_least=least)
    yield compared(f"{label}: writing, against llama-server", rates, served, "tokens/s")
    yield Row(f"{label}: lost to trials of the thread controller", ours.lost_percent, "% of the time of writing")


Costs = tuple[float, float, float]
"""Tokens a second, and milliseconds a token outside `llama_decode`: of the clock and of the loop's thread."""


class TimedEngine:
    """Our child with a clock around `llama_decode`."""

    def __init__(self, model: Path, folder: Path) -> None:
        self._clock = folder / "clock"
        self._clock.write_bytes(bytes(8 * FIELDS))
        self._client = EngineClient([sys.executable, str(HERE / "timed_child.py"), str(self._clock)], folder / "engine")
        self.lost_percent = 0.0
        for event in self._client.load(model, Wish(2048, gpu_layers=0, devices=("CPU",))):
            if isinstance(event, ModelLoaded):
                self.threads = event.threads

    def costs(self, sampling: Sampling) -> Costs:
        """What a token of one answer costs."""
        before, stats = self._read(), CANCELLED
        for event in self._client.generate(question(STORY), max_tokens=TOKENS, sampling=sampling):
            if isinstance(event, Finished):
                stats = event.stats
        tokens, outside_s, thread_s, _ = (now - then for now, then in zip(self._read(), before, strict=True))
        return stats.tokens_per_s, 1000 * outside_s / tokens, 1000 * thread_s / tokens

    def close(self) -> None:
        """Ask what its trials cost, and end it."""
        told = str(self._client.describe_devices().thread_policy["lost_to_trials"])
        self.lost_percent = float(re.sub("[^0-9.]", "", told))
        self._client.close()

    def _read(self) -> tuple[float, ...]:
        return struct.unpack(f"{FIELDS}d", self._clock.read_bytes())


class PlainLoop:
    """The plain loop's process, with llama.cpp's own chain of the same values."""

    def __init__(self, model: Path, threads: int, values: SamplingValues) -> None:
        command = [sys.executable, str(HERE / "plain_loop.py"), str(model), str(TOKENS), str(threads), STORY]
        chosen = [values.temperature, values.top_k, values.top_p, values.min_p, values.repeat_penalty]
        self._process = subprocess.Popen(
            [*command, *map(str, chosen)],
            env=os.environ | ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def costs(self) -> Costs:
        """What a token of one answer costs."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        rate, outside_ms, thread_ms = map(float, self._process.stdout.readline().split())
        return rate, outside_ms, thread_ms

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate(timeout=20)


def _server_rate(server: LlamaServer, values: SamplingValues) -> float:
    """Tokens a second of one answer with the same values, the seed included."""
    options = {
        "temperature": values.temperature,
        "top_k": values.top_k,
        "top_p": values.top_p,
        "min_p": values.min_p,
        "repeat_penalty": values.repeat_penalty,
        "seed": values.seed,
        "samplers": ["penalties", "top_k", "top_p", "min_p", "temperature"],
    }
    return server.chat(question(STORY), TOKENS, **options).tokens_per_s
