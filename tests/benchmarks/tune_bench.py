"""What tuning a model gives: a question read and answered by the engine as it starts, and tuned, in turns.

With the starter, and with Qwen2.5-Coder 0.5B where `make test-qwen` has put it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from comparing import Answer, compared, in_turns, progress
from our_engine import OurEngine, question, starter
from run import Row
from texts import STORY, prose

from app.engine.tuning import ModelTuning
from tests.helpers.qwen_models import qwen_path

BY_NAME_ONLY = True
"""It takes some minutes of two cores."""
READ_TOKENS, WRITTEN_TOKENS = 400, 100
AT_LEAST = 0.97
"""What was found to be faster must not be slower an hour later, and what changes nothing can't be."""


def rows() -> Iterator[Row]:
    """Each model that is there; `MODELS` in the environment names some of them, `ROUNDS` measures more or less."""
    rounds = int(os.environ.get("ROUNDS", "5"))
    models = {"starter": starter(), "0.5B": qwen_path("0.5B")}
    chosen = os.environ.get("MODELS", " ".join(models)).split()
    for name, model in models.items():
        if name in chosen and model.exists():
            with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
                yield from _rows_of_model(name, model, Path(scratch), rounds)


def _rows_of_model(name: str, model: Path, folder: Path, rounds: int) -> Iterator[Row]:
    progress(f"{name}: tuning")
    found = _tune(model, folder / "tuned")
    if found is None:
        progress(f"{name} was not tuned")
        return
    told = (
        f"threads {found.answer_threads} and {found.prompt_threads}, batch {found.batch_tokens}, "
        f"flash attention {found.flash}, in {found.seconds:.0f} s"
        if found.is_faster
        else f"nothing faster, in {found.seconds:.0f} s"
    )
    answers, prompts = found.answer_speed, found.prompt_speed
    label = f"{name}, while tuning, against llama.cpp's defaults"
    yield Row(f"{label}: writing ({told})", round(answers, 1), "tokens/s", round(found.answer_default_speed, 1))
    yield Row(f"{label}: reading", round(prompts, 1), "tokens/s", round(found.prompt_default_speed, 1))
    default, tuned = _measure(model, folder, rounds)
    rates = ([answer.tokens_per_s for answer in answers] for answers in (tuned, default))
    yield compared(f"{name}: writing, tuned against as it starts", *rates, "tokens/s", at_least=AT_LEAST)
    rates = ([answer.prompt_tokens_per_s for answer in answers] for answers in (tuned, default))
    yield compared(f"{name}: reading, tuned against as it starts", *rates, "tokens/s", at_least=AT_LEAST)


def _tune(model: Path, folder: Path) -> ModelTuning | None:
    """Tune in an engine of its own, which keeps what it finds in `folder` for the next one there."""
    with OurEngine(folder, model=model, keep_states=False) as engine:
        return next((event for event in engine.client.tune() if isinstance(event, ModelTuning)), None)


def _measure(model: Path, folder: Path, rounds: int) -> Sequence[list[Answer]]:
    """Ask both engines the same new questions; the first one of each only warms up."""
    with ExitStack() as stack:
        engines = [
            stack.enter_context(OurEngine(folder / way, model=model, keep_states=False)) for way in ("default", "tuned")
        ]
        ways = [partial(_answer, engine) for engine in engines]
        return [answers[1:] for answers in in_turns(ways, rounds + 1)]


def _answer(engine: OurEngine, number: int) -> Answer:
    return engine.chat(question(f"{number}. {STORY}\n\n{prose(READ_TOKENS, number)}"), WRITTEN_TOKENS)
