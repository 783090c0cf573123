"""Prompt look-up drafts: copying and free tasks with and without, in turns, and whether the answers are the same.

With the starter, and with Qwen2.5-Coder where `make test-qwen` has put it. `SERVER=1` in the environment adds
llama-server of the same build with its own look-up (``--spec-type ngram-simple``), on and off.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from comparing import compared, progress
from llama_server import LlamaServer
from our_engine import GREEDY, processor_ticks, question, starter
from run import Row

from app.core.child import own_command
from app.core.events import CANCELLED, AnswerStats, Finished, TextDelta
from app.engine.client import EngineClient
from app.engine.protocol import Wish
from tests.helpers.qwen_models import qwen_path

BY_NAME_ONLY = True
"""It takes some minutes of two cores."""
COPY_AT_LEAST, FREE_AT_LEAST = 1.3, 0.97
LETTER = """On a grey morning in March, Helena Marchetti left the harbour office in Valparaíso with the ledger under \
her arm. The clerk, Tomás Iturra, had told her that the shipment of copper wire would not arrive before the 14th, and \
that the insurance papers signed by Douglas & Whitmore were missing their second page. She walked along Calle Blanco \
to the post office, where she sent two telegrams: one to her brother Luca in Genoa, the other to the director of the \
Compañía Sudamericana de Vapores. Then she bought bread, counted her coins, and sat down on the steps of the old \
church to read the ledger again, line by line, from the beginning of January to the last entry of February."""
COPIES = {
    "edit": f"Replace the name Helena by Maria in this text and change nothing else:\n\n{LETTER}",
    "quote": f"Repeat the following text word for word.\n\n{LETTER}",
    "correct": "Correct the spelling of this text and write all of it again:\n\n"
    + LETTER.replace("morning", "mornning").replace("telegrams", "telegramms"),
}
TRANSLATION = {"translate with names": f"Translate into Spanish and keep all names as they are:\n\n{LETTER}"}
FREE = {
    "story": "Write a short story about a lighthouse keeper and a storm.",
    "explanation": "Explain how a refrigerator works.",
}


@dataclass(frozen=True)
class Written:
    """An answer, its figures, and its tokens in a second of the child's processor time, from the first words on."""

    text: str
    stats: AnswerStats
    tokens_per_processor_s: float


@dataclass
class Found:
    """The answers of all rounds to one task, with drafts and without."""

    drafted: list[Written] = field(default_factory=list)
    plain: list[Written] = field(default_factory=list)


def rows() -> Iterator[Row]:
    """Each model that is there; `ROUNDS` and `TOKENS` in the environment measure more or less."""
    rounds, tokens = int(os.environ.get("ROUNDS", "3")), int(os.environ.get("TOKENS", "180"))
    models = {"starter": starter()} | {size: qwen_path(size) for size in ("0.5B", "1.5B")}
    chosen = os.environ.get("MODELS", " ".join(models)).split()
    for name, model in models.items():
        if name in chosen and model.exists():
            with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
                yield from _rows_of_model(name, model, Path(scratch), rounds, tokens)
                if os.environ.get("SERVER"):
                    yield from _rows_of_server(name, model, Path(scratch), rounds, tokens)


def _rows_of_model(name: str, model: Path, folder: Path, rounds: int, tokens: int) -> Iterator[Row]:
    found = {task: Found() for task in COPIES | TRANSLATION | FREE}
    for number in range(rounds):
        progress(f"{name}, {number + 1} of {rounds}")
        # Two of the same kind differ by up to 7 % for as long as they live, by what was loaded first.
        clients = {drafts: _loaded(model, folder / str(drafts), drafts=drafts) for drafts in _order(number)}
        try:
            for place, (task, asked) in enumerate((FREE | COPIES | TRANSLATION).items()):
                answers = {drafts: _answer(clients[drafts], asked, tokens) for drafts in _order(number + place)}
                found[task].drafted.append(answers[True])
                found[task].plain.append(answers[False])
        finally:
            for client in clients.values():
                client.close()
    for task, measured in found.items():
        yield from _rows_of_task(name, task, measured, rounds)


def _rows_of_task(name: str, task: str, found: Found, rounds: int) -> Iterator[Row]:
    least = COPY_AT_LEAST if task in COPIES else FREE_AT_LEAST if task in FREE else None
    told = f"{name}, {task}: with drafts against without"
    rates = ([one.stats.tokens_per_s for one in answers] for answers in (found.drafted, found.plain))
    yield compared(told, *rates, "tokens/s")
    # Other work on the machine lengthens seconds by more than what is asked of free tasks.
    rates = ([one.tokens_per_processor_s for one in answers] for answers in (found.drafted, found.plain))
    yield compared(told, *rates, "tokens in a second of processor time", at_least=least)
    same = sum(one.text == other.text for one, other in zip(found.drafted, found.plain, strict=True))
    yield Row(f"{name}, {task}: answers equal to those without", same, "answers", rounds)
    figures = [one.stats for one in found.drafted]
    kept, asked = (sum(getattr(stats, count) for stats in figures) for count in ("kept_tokens", "drafted_tokens"))
    ended = sum(stats.drafts_ended for stats in figures)
    yield Row(f"{name}, {task}: guessed tokens kept (answers that switched off: {ended})", kept, "tokens", asked)


def _rows_of_server(name: str, model: Path, folder: Path, rounds: int, tokens: int) -> Iterator[Row]:
    for task, asked in COPIES.items():
        rates: dict[bool, list[float]] = {True: [], False: []}
        for drafts in (True, False):
            options = ("--spec-type", "ngram-simple") if drafts else ()
            with LlamaServer(model, folder / f"server-{drafts}", context_tokens=4096, options=options) as server:
                for _ in range(rounds):
                    server.erase()
                    answer = server.chat(question(asked), tokens)
                    rates[drafts].append(answer.tokens_per_s)
        told = f"{name}, {task}: llama-server with ngram-simple against without"
        yield compared(told, rates[True], rates[False], "tokens/s")


def _loaded(model: Path, folder: Path, *, drafts: bool) -> EngineClient:
    client = EngineClient(own_command("--engine-worker"), folder)
    list(client.load(model, Wish(4096, gpu_layers=0, devices=("CPU",), drafts=drafts)))
    return client


def _order(number: int) -> Sequence[bool]:
    return (True, False) if number % 2 else (False, True)


def _answer(client: EngineClient, asked: str, tokens: int) -> Written:
    pieces: list[str] = []
    stats, begun, child = CANCELLED, 0, client.pid
    assert child is not None
    for event in client.generate(question(asked), max_tokens=tokens, sampling=GREEDY):
        if isinstance(event, TextDelta):
            begun = begun or processor_ticks(child)
            pieces.append(event.text)
        if isinstance(event, Finished):
            stats = event.stats
    ticks = max(1, processor_ticks(child) - begun)
    return Written("".join(pieces), stats, stats.generated_tokens * os.sysconf("SC_CLK_TCK") / ticks)
