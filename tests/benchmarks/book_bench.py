"""A long document summarized: how fast, beside llama-server of the same source with the same file and prompts.

By itself the starter is not asked: that comes first, from the file to the summary. Then it is made to write: what our
pipeline asks is recorded, and then sent to llama-server one after another, with the same sampling, grammar and limits;
its own cache of the common beginning stays on, and its answers are no longer than ours. SMALL=1 takes a short document.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from comparing import EQUAL, EQUAL_TIME, Answer, compared, in_turns, progress
from llama_server import LlamaServer
from our_engine import OurEngine, starter
from papers import cut, papers, write_papers
from recorded import Asked, Run, document_of, summarized
from run import Row

from app.core.errors.app_error import AppError
from app.core.gguf import check_model
from app.engine.llama.sampling import choose_sampling
from app.engine.protocol import Ask
from app.features.summarize.summarize import InputDocument
from app.features.summarize.summary_result import Method, SummaryOptions

BOOK = "book.pdf"
TOKENS, FEW_TOKENS = 50_000, 3_000
MOST_S = 30.0
"""From the file to the summary."""
ENOUGH_PAPERS = 20
CONTEXT_TOKENS = 8192
SECTIONS, ROUNDS = 8, 2
SAMPLERS = ["penalties", "top_k", "top_p", "min_p", "temperature"]  # the order of our chain
ALIKE = 0.15
"""Answers are drawn, so both sides do not write the same; more than this share apart in length is no comparison."""


def rows() -> Iterator[Row]:
    """Ours first, because it says what is asked; then the same asks over HTTP."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        folder = Path(scratch)
        with OurEngine(folder / "ours", context_tokens=CONTEXT_TOKENS) as ours:
            document, tokens = long_document(ours, folder, FEW_TOKENS if os.environ.get("SMALL") else TOKENS)
            yield by_itself(ours, folder, tokens)
            progress(f"{tokens} tokens on {document.pages} pages, summarized")
            run = summarized(ours.client, document, SummaryOptions(method=Method.MODEL))
            asked = [one for one in run.asked if one.stats is not None]
            together = side_by_side(ours, [one.ask for one in asked[:SECTIONS]])
        progress(f"the same {len(asked)} prompts in llama-server")
        with LlamaServer(starter(), folder / "server", context_tokens=CONTEXT_TOKENS) as server:
            began_s = time.perf_counter()
            answers = [replayed(server, one) for one in asked]
            taken_s = time.perf_counter() - began_s
    yield from beside(run, asked, answers, taken_s, tokens)
    yield from within(run, asked)
    yield together


def by_itself(ours: OurEngine, folder: Path, tokens: int) -> Row:
    """As a person has it who drops the file: read by a child of its own, and summarized as the model suits it."""
    began_s = time.perf_counter()
    document = document_of(folder / BOOK, folder)
    run = summarized(ours.client, document, SummaryOptions())
    taken_s = time.perf_counter() - began_s
    note = f"{len(run.asked)} prompts, {len(run.summary.statements)} statements"
    name = f"a document of {tokens} tokens, from its file to its summary"
    return Row(name, round(taken_s, 2), "s", MOST_S, note, at_most=1.0)


def long_document(ours: OurEngine, folder: Path, tokens: int) -> tuple[InputDocument, int]:
    """Papers joined as one PDF, read by the reading child; and its tokens as they are counted block by block."""
    wanted = papers(ENOUGH_PAPERS)
    texts = [text for paper in wanted for section in paper.sections for text in section.paragraphs]
    sizes = dict(zip(texts, ours.client.count_texts(texts), strict=True))
    book = cut(wanted, tokens, sizes.__getitem__)
    document = document_of(write_papers(folder / BOOK, book), folder)
    return document, sum(ours.client.count_texts([block.text for block in document.blocks]))


def side_by_side(ours: OurEngine, asks: Sequence[Ask]) -> Row:
    """The first prompts again: as many at once as the engine chooses, and one after another."""
    progress(f"{len(asks)} prompts side by side and one after another")

    def took(batches: Sequence[Sequence[Ask]]) -> Callable[[int], float]:
        def measured(_number: int) -> float:
            began_s = time.perf_counter()
            for batch in batches:
                for _, event in ours.client.generate_many(batch):
                    if isinstance(event, AppError):
                        raise event
            return time.perf_counter() - began_s

        return measured

    joined, single = in_turns([took([asks]), took([[ask] for ask in asks])], ROUNDS)
    return compared(f"{len(asks)} prompts side by side, against one after another in our engine", joined, single, "s")


def replayed(server: LlamaServer, asked: Asked) -> Answer:
    """The same ask over HTTP. Where its answer would be longer than ours, it is cut: nothing of it is in our favour."""
    ask = asked.ask
    assert asked.stats is not None
    assert not ask.continue_last, "llama-server has no way to go on with an answer"
    options: dict[str, Any] = {"grammar": ask.grammar} if ask.grammar else {}
    return server.chat(ask.messages, max(asked.stats.generated_tokens, 1), **sampling_of(ask), **options)


def sampling_of(ask: Ask) -> dict[str, Any]:
    """What our engine decides for an ask, in llama-server's names."""
    chosen = choose_sampling(ask.sampling, ask.task_sampling, check_model(starter()).metadata)
    assert not chosen.dry_multiplier, "not compared"
    assert not chosen.xtc_probability, "not compared"
    return {
        "samplers": SAMPLERS,
        "temperature": chosen.temperature,
        "top_k": chosen.top_k,
        "top_p": chosen.top_p,
        "min_p": chosen.min_p,
        "repeat_penalty": chosen.repeat_penalty,
        "presence_penalty": chosen.presence_penalty,
        "repeat_last_n": chosen.penalty_last_tokens,
        "seed": chosen.seed,
    }


def beside(run: Run, asked: list[Asked], answers: list[Answer], taken_s: float, tokens: int) -> Iterator[Row]:
    """The whole summary against the prompts alone: what ours does besides (counting, checks) counts against it."""
    ours = sum(one.stats.generated_tokens for one in asked if one.stats is not None)
    theirs = sum(answer.generated_tokens for answer in answers)
    read = sum(one.stats.prompt_tokens for one in asked if one.stats is not None)
    assert read == sum(answer.prompt_tokens for answer in answers), "the prompts are not the same"
    apart = abs(ours - theirs) / max(theirs, 1)
    note = f"{len(asked)} prompts of {read} tokens in all; answers of {ours} against {theirs} tokens"
    note += "" if apart <= ALIKE else ": not alike, so this says little"
    name = f"a document of {tokens} tokens, against llama-server with the same prompts one after another"
    yield Row(f"summarizing {name}", round(run.taken_s, 1), "s", round(taken_s, 1), note, at_most=EQUAL_TIME)
    rates = round(tokens / run.taken_s, 1), round(tokens / taken_s, 1)
    yield Row(f"tokens of document per second: {name}", rates[0], "tokens/s", rates[1], at_least=EQUAL)


def within(run: Run, asked: list[Asked]) -> Iterator[Row]:
    """Where the time goes, and how much of the prompts was read anew."""
    idle_s = run.taken_s - run.answered_s - run.counted_s
    yield Row("of that, counting tokens", round(run.counted_s, 2), "s", round(run.taken_s, 1))
    yield Row("of that, neither counting nor waiting for answers", round(idle_s, 2), "s", round(run.taken_s, 1))
    stats = [one.stats for one in asked if one.stats is not None]
    read = sum(one.prompt_tokens - one.reused_tokens for one in stats)
    yield Row("prompt tokens that were read", read, "tokens", sum(one.prompt_tokens for one in stats))
    cut_short = sum(one.generated_tokens >= each.ask.max_tokens for one, each in zip(stats, asked, strict=True))
    yield Row("answers that ended at their limit", cut_short, "answers", len(stats))
