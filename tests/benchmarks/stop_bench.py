"""Stop at seeded moments, while an answer is written and while a long prompt is read, as its consumer sees it."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from comparing import percentile, progress, span
from our_engine import GREEDY, OurEngine, question
from run import Row
from texts import STORY, prose

from app.core.events import CancelToken, Finished, FinishReason, Message, PromptProgress, Role, TextDelta

CANCELS = 100  # of each kind
SPARE = 1.3
"""An answer or a prompt may be over before its moment comes; so many times the cancels are tried."""
LATEST_WRITING_S = 0.4
LATEST_READING_S = 0.8
PROMPT_TOKENS = 4000
AT_MOST_MS = 100.0
CHECK_EVERY = 20
CHECKED_TOKENS = 24


@dataclass
class Stops:
    """Milliseconds from Stop to the end of the answer, and how often the next answer was as it should be."""

    taken_ms: list[float] = field(default_factory=list)
    checked: int = 0
    right: int = 0


def rows() -> Iterator[Row]:
    """Two kinds of stop, the 99th percentile of each, and the answers after them."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        folder = Path(scratch)
        with OurEngine(folder / "fresh", keep_states=False) as fresh:
            expected = control(fresh)
        with OurEngine(folder / "stopped", keep_states=False) as ours:
            writing, reading = Stops(), Stops()
            progress(f"{CANCELS} stops while writing")
            stop_often(ours, writing, while_writing, expected)
            progress(f"{CANCELS} stops while reading")
            stop_often(ours, reading, while_reading, expected)
    yield row("stop while writing, 99th percentile", writing)
    yield row(f"stop while a prompt of {PROMPT_TOKENS} tokens is read, 99th percentile", reading)
    right, checked = writing.right + reading.right, writing.checked + reading.checked
    yield Row("answers after a stop that are those of a fresh engine", right, "answers", checked, at_least=1.0)


def row(name: str, stops: Stops) -> Row:
    """The 99th percentile against the limit."""
    spread = f"{span(stops.taken_ms)}, median {percentile(stops.taken_ms, 0.5):.1f}, {len(stops.taken_ms)} stops"
    return Row(name, round(percentile(stops.taken_ms, 0.99), 1), "ms", AT_MOST_MS, spread, at_most=1.0)


def stop_often(ours: OurEngine, stops: Stops, stop, expected: str) -> None:  # type: ignore[no-untyped-def]
    """Fills `stops`."""
    moments = random.Random(20_261_124)
    for number in range(round(CANCELS * SPARE)):
        if len(stops.taken_ms) == CANCELS:
            return
        taken_s = stop(ours, moments, number)
        if taken_s is None:
            continue
        stops.taken_ms.append(taken_s * 1000)
        if len(stops.taken_ms) % CHECK_EVERY == 0:
            stops.checked += 1
            stops.right += control(ours) == expected
    raise AssertionError(f"only {len(stops.taken_ms)} of {CANCELS} stops came in time")


def while_writing(ours: OurEngine, moments: random.Random, number: int) -> float | None:
    """A stop after the first text."""
    return stopped(ours, question(f"{number}. {STORY}"), moments.uniform(0, LATEST_WRITING_S), TextDelta)


def while_reading(ours: OurEngine, moments: random.Random, number: int) -> float | None:
    """A stop after the first progress of a prompt; every prompt begins differently."""
    chat = question(prose(PROMPT_TOKENS, 9000 + number))
    return stopped(ours, chat, moments.uniform(0, LATEST_READING_S), PromptProgress)


def stopped(ours: OurEngine, chat: list[Message], after_s: float, begin: type) -> float | None:
    """Seconds from Stop, `after_s` after the first event of type `begin`, to the end; None when that came first."""
    cancel = CancelToken()
    pressed_s: list[float] = []

    def press() -> None:
        pressed_s.append(time.perf_counter())
        cancel.cancel()

    timer = threading.Timer(after_s, press)
    reason: FinishReason | None = None
    try:
        for event in ours.client.generate(chat, max_tokens=2048, sampling=GREEDY, cancel=cancel):
            if isinstance(event, begin) and not timer.is_alive() and not pressed_s:
                timer.start()
            if isinstance(event, TextDelta) and begin is PromptProgress and not pressed_s:
                return None  # the prompt was read before its moment came
            if isinstance(event, Finished):
                reason = event.stats.finish_reason
        ended_s = time.perf_counter()
    finally:
        timer.cancel()
    return ended_s - pressed_s[0] if pressed_s and reason is FinishReason.CANCELLED else None


def control(ours: OurEngine) -> str:
    """The beginning of a known answer; nothing of its prompt but the template's first tokens is shared."""
    chat = [Message(Role.SYSTEM, "Answer like a sailor."), *question("What is the sea? Tell it at length.")]
    return ours.chat(chat, CHECKED_TOKENS).text
