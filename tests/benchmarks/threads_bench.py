"""Writing speed with 0, 1 and 2 busy processes beside it: the thread controller against every fixed count."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from busy import beside, busy_processes
from comparing import compared, in_turns, progress
from llama_server import LlamaServer
from our_engine import OurEngine, processor_ticks, question, starter
from run import Row
from texts import STORY

BUSY = (0, 1, 2)
SETTLE_TOKENS = 256
TOKENS = 96
SERVER_TOKENS = 16
SERVER_ROUNDS = 5
"""Under load llama.cpp's default build may write a token a second."""
AT_LEAST = 0.9
IDLE_S = 5
MOST_IDLE_TICKS = 1  # the clock's own step: a tick may begin before and end within the time that is watched


def rows() -> Iterator[Row]:
    """All models are loaded at once; one works while the others rest."""
    counts = range(1, (os.cpu_count() or 1) + 1)
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        ours = stack.enter_context(OurEngine(folder / "controlled"))
        fixed = {count: stack.enter_context(OurEngine(folder / f"fixed-{count}", threads=count)) for count in counts}
        server = stack.enter_context(LlamaServer(starter(), folder / "server"))
        for side in (ours, *fixed.values(), server):
            side.chat(question(STORY), SERVER_TOKENS)
        for busy in BUSY:
            with busy_processes(busy):
                yield from under_load(busy, ours, fixed, server)
        yield idle(ours)


def under_load(busy: int, ours: OurEngine, fixed: dict[int, OurEngine], server: LlamaServer) -> Iterator[Row]:
    """The rows of one load. The first answer is apart: in it the controller learns of the load."""
    label = f"decoding {beside(busy)}"
    progress(label)
    first = rate(ours, SETTLE_TOKENS)
    controlled, *others = in_turns([lambda _n, side=side: rate(side, TOKENS) for side in (ours, *fixed.values())])
    medians = {count: statistics.median(rates) for count, rates in zip(fixed, others, strict=True)}
    best = max(medians, key=lambda count: medians[count])
    told = ", ".join(f"{count} fixed: {median:.1f}" for count, median in medians.items())
    yield compared(
        f"{label}, against the best fixed number of threads",
        controlled,
        others[list(fixed).index(best)],
        "tokens/s",
        at_least=AT_LEAST,
        note=told,
    )
    yield Row(f"{label}, first answer after the change", round(first, 1), "tokens/s", round(medians[best], 1))
    mine, theirs = in_turns([lambda _n: rate(ours, TOKENS), lambda _n: rate(server, SERVER_TOKENS)], SERVER_ROUNDS)
    yield compared(f"{label}, against llama.cpp's default build", mine, theirs, "tokens/s")


def rate(side: OurEngine | LlamaServer, tokens: int) -> float:
    """Tokens per second of one answer."""
    answer = side.chat(question(STORY), tokens)
    assert answer.generated_tokens == tokens, f"{answer.generated_tokens} tokens instead of {tokens}"
    return answer.tokens_per_s


def idle(ours: OurEngine) -> Row:
    """What the child uses between two answers."""
    rate(ours, TOKENS)
    before = processor_ticks(ours.pid)
    time.sleep(IDLE_S)
    used = processor_ticks(ours.pid) - before
    return Row(f"engine between answers, {IDLE_S} s", used, "ticks", MOST_IDLE_TICKS, at_most=1.0)
