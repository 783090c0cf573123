"""The sections of a long document read by a model on a server: 32 requests at once, and as many as are found to pay
off, beside one after another.

Once on llama-server with as many slots, which is this machine's own processor, and once on a server of ours that writes
every answer at one speed however many there are, as a large card with vLLM does. SMALL=1 takes a short document.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from comparing import compared, in_turns, progress
from llama_server import LlamaServer
from our_engine import starter
from run import Row
from texts import prose

from app.core.events import CancelToken
from app.documents.blocks import Block, BlockKind
from app.features.summarize.summarize import SectionRead, summarize_documents
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_result import InputDocument, Method, SummaryOptions
from tests.helpers.fake_server import FakeServer
from tests.helpers.remote import Remote

AT_ONCE, AUTOMATIC = 32, 0
SLOT_TOKENS = 1536
PARAGRAPH_TOKENS = 120
TOKENS, FEW_TOKENS = 6_000, 1_500
FAST_TOKENS = 400_000
"""About 1,000 pages."""
PIECE_S = 0.01
"""A token of each answer: 100 a second."""
ROUNDS = 2
_SHOWN = re.compile(r"^\[(\d+)\] (.+?\.)", re.MULTILINE)


def rows() -> Iterator[Row]:
    tokens = FEW_TOKENS if os.environ.get("SMALL") else TOKENS
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        folder = Path(scratch)
        progress(f"{tokens} tokens on llama-server with {AT_ONCE} slots")
        size = AT_ONCE * SLOT_TOKENS
        # One thread: with more, OpenMP's barriers make it as slow as whatever else runs, which is not the question.
        with LlamaServer(starter(), folder / "server", context_tokens=size, slots=AT_ONCE, threads=1) as server:
            yield from beside(
                f"llama-server on this processor, sections of {tokens} tokens", folder, server.address, tokens
            )
        tokens = FEW_TOKENS if os.environ.get("SMALL") else FAST_TOKENS
        progress(f"{tokens} tokens on a server that writes each answer at 100 tokens/s")
        with FakeServer(answer, kind="vllm") as fake:
            fake.models, fake.context_tokens, fake.piece_s = ["tiny-4B"], 8192, PIECE_S
            yield from beside(f"a server that batches, sections of {tokens} tokens", folder, fake.address, tokens)


def answer(body: dict[str, Any]) -> str:
    """Three of the paragraphs, as a model cites them."""
    shown = _SHOWN.findall(body["messages"][-1]["content"])
    return "\n".join(f"- {said} [{number}]" for number, said in shown[:3])


def beside(name: str, folder: Path, address: str, tokens: int) -> Iterator[Row]:
    """Seconds of each way, in turns; each time another document, so that no server has read it before."""

    def taken(at_once: int, number: int) -> float:
        remote = Remote(folder / f"{at_once}-{number}-{time.monotonic_ns()}")
        remote.stream_timeout_s = 900
        with closing(remote.engine):
            model = remote.model_on(address, at_once=at_once)
            remote.load(model)
            return seconds_of_sections(remote, document(tokens, seed=number * 100 + at_once))

    ways = [lambda number, at_once=at_once: taken(at_once, number) for at_once in (AT_ONCE, AUTOMATIC, 1)]
    many, found, single = in_turns(ways, ROUNDS)
    yield compared(f"{name}: {AT_ONCE} at once beside one after another", many, single, "s", at_most=1.0)
    yield compared(f"{name}: as many as pay off beside one after another", found, single, "s", at_most=1.0)


def document(tokens: int, seed: int) -> InputDocument:
    """Paragraphs of words without sense."""
    count = max(4, tokens // PARAGRAPH_TOKENS)
    blocks = [
        Block(number, BlockKind.PARAGRAPH, prose(PARAGRAPH_TOKENS, seed * 100_000 + number), number)
        for number in range(1, count + 1)
    ]
    return InputDocument(1, "long.txt", "", "page", count, (), "en", blocks)


def seconds_of_sections(remote: Remote, read: InputDocument) -> float:
    """From the first prompt to the last section that was read."""
    began_s = time.perf_counter()
    cancel = CancelToken()
    for event in summarize_documents([read], SummaryOptions(method=Method.MODEL), remote.engine, MemorySteps(), cancel):
        if isinstance(event, SectionRead) and event.done == event.sections:
            taken_s = time.perf_counter() - began_s
            cancel.cancel()
    return taken_s
