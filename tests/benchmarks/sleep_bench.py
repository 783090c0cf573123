"""A model that went idle: the first token of its chat after waking up, against awake and against reading anew.

The child stays, its model is gone; files and states are in the page cache, as after minutes of rest. Who types for as
long as loading takes waits as for a model that is awake.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from comparing import ALTERNATIONS, Answer, compared, progress
from our_engine import OurEngine, question, starter, then
from run import Row
from texts import STORY, prose

from tests.helpers.qwen_models import qwen_path

CHAT_TOKENS = 500
ANSWER_TOKENS = 8
ANEW_ROUNDS = 3
AT_MOST = 0.25


def rows() -> Iterator[Row]:
    """The starter and, where it is there, Qwen2.5-Coder 0.5B."""
    for name, model in (("starter", starter()), ("Qwen2.5-Coder 0.5B", qwen_path("0.5B"))):
        if model.exists():
            with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
                yield from _rows_of(name, model, Path(scratch))


def _rows_of(name: str, model: Path, scratch: Path) -> Iterator[Row]:
    with OurEngine(scratch, model=model) as engine:
        anew = [_read_anew(engine, number) for number in range(ANEW_ROUNDS)]
        chat = question(prose(CHAT_TOKENS, 7000) + " " + STORY)
        chat = then(chat, engine.chat(chat, ANSWER_TOKENS, session="chat").text, "Go on.")
        engine.chat(chat, ANSWER_TOKENS, session="chat")
        awake, asleep, loaded = list[Answer](), list[Answer](), list[float]()
        for number in range(ALTERNATIONS):
            progress(f"{name}, waking up, {number + 1} of {ALTERNATIONS}")
            awake.append(engine.chat(chat, ANSWER_TOKENS, session="chat"))
            engine.client.sleep()
            asleep.append(engine.chat(chat, ANSWER_TOKENS, session="chat"))
            engine.client.sleep()
            began_s = time.perf_counter()
            engine.client.count_texts(["a"])
            loaded.append((time.perf_counter() - began_s) * 1000)
    left = [answer.prompt_tokens - answer.reused_tokens for answer in (*awake, *asleep)]
    assert max(left) == 1, f"{max(left)} tokens were read anew"
    what = f"{name}: first token of a chat of {CHAT_TOKENS} tokens after the model slept"
    slept_ms = [answer.first_s * 1000 for answer in asleep]
    yield compared(f"{what}, against awake", slept_ms, [answer.first_s * 1000 for answer in awake], "ms")
    # As many rounds: reading anew takes too long to be done in each.
    anew_ms = [anew[number % ANEW_ROUNDS] for number in range(ALTERNATIONS)]
    yield compared(f"{what}, against reading anew in a loaded model", slept_ms, anew_ms, "ms", at_most=AT_MOST)
    yield compared(f"{name}: loading that typing hides, against all of waking up", loaded, slept_ms, "ms")


def _read_anew(engine: OurEngine, number: int) -> float:
    return engine.chat(question(prose(CHAT_TOKENS, 7100 + number) + " " + STORY), ANSWER_TOKENS).first_s * 1000
