"""Calls of two real models, free, constrained late and strictly: the fixed set chooses, the held-out ones tell.

For each of Qwen2.5-Coder-Instruct 0.5B and 1.5B (`make test-qwen` fetches them) that is there: the way that is best on
the fixed requests, held against the others on the held-out ones.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from run import ROOT, Row

from app.core.child import own_command
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.engine.contract import Engine
from app.features.tool_calls import CallWay
from app.features.tools.score_requests import ScoreRequest, score_requests, score_tools
from app.features.tools.scoring import WaysCompared, compare_ways
from tests.helpers.engine import load
from tests.helpers.qwen_models import CONTEXT_TOKENS, NAMES, qwen_path

BY_NAME_ONLY = True
"""Some twenty minutes for each model."""
SETS = ROOT / "tests" / "data" / "tools"
HELD_OUT, UNSEEN = "held_out.json", "unseen.json"
"""Rules were made after answers to the first were seen; of the second none were."""


def compare(engine: Engine, requests: list[ScoreRequest]) -> WaysCompared:
    """The ways' scores, with each answer on standard error."""
    for event in compare_ways(engine, requests, score_tools(), CancelToken()):
        if isinstance(event, WaysCompared):
            return event
        answer = event.answer
        right = "right" if answer.is_right else "wrong"
        called = f"{answer.tool or 'none'} {dict(answer.arguments)}" if answer.is_valid else "no valid call"
        print(
            f"  {event.done}/{event.total} {event.way.value} {right}: {answer.request.text} -> {called}",
            file=sys.stderr,
        )
    raise AssertionError("it was cancelled")


def model_rows(size: str) -> Iterator[Row]:
    """The counts of one model on both held-out sets."""
    with tempfile.TemporaryDirectory() as folder:
        engine = EngineClient(own_command("--engine-worker"), Path(folder))
        try:
            load(engine, qwen_path(size), context_tokens=CONTEXT_TOKENS)
            best = compare(engine, score_requests()).best
            compared = {name: compare(engine, score_requests(SETS / name)) for name in (HELD_OUT, UNSEEN)}
        finally:
            engine.close()
    for name, found in compared.items():
        yield from set_rows(f"{size} {Path(name).stem}", best, found)


def set_rows(title: str, best: CallWay, held_out: WaysCompared) -> Iterator[Row]:
    """The counts over one set, and what they should be."""
    counts = {score.way: score.to_fields() for score in held_out.ways}
    count, free, chosen = held_out.requests, counts[CallWay.FREE], counts[best]
    for way, fields in counts.items():
        for name in ("valid", "right_tool", "right_arguments", "valid_but_wrong", "called_without_need"):
            yield Row(f"{title} {way.value} {name}", fields[name], f"of {count}", free[name])
    others = max(counts[way]["right_arguments"] for way in (CallWay.FREE, CallWay.STRICT))
    yield Row(f"{title} best way ({best.value}) right", chosen["right_arguments"], f"of {count}", others, at_least=1.0)
    for way in (CallWay.LAZY, CallWay.STRICT):
        yield Row(f"{title} {way.value} valid, of all", counts[way]["valid"], f"of {count}", count, at_least=1.0)
    # Held against at least one, for of nothing there is no ratio.
    without, baseline = chosen["called_without_need"], free["called_without_need"]
    yield Row(f"{title} best way without need", max(without, 1), f"of {count // 3}", max(baseline, 1), at_most=1.0)


def rows() -> Iterator[Row]:
    """The rows of each model that was fetched; others are named."""
    for size in NAMES:
        if qwen_path(size).exists():
            yield from model_rows(size)
        else:
            print(f"  {NAMES[size]} is missing: run `make test-qwen`", file=sys.stderr)
