"""Short segments translated beside llama-server of the same source with the same file; and a run that was killed.

What our pipeline asks is recorded, and then sent to llama-server one after another, with the same sampling, grammar and
limits. Its own cache of what the prompts begin with stays on, its answers are as long as ours, and its threads wait for
each other as ours do, so that what else the machine does slows both alike. The segments are short paragraphs of the
Debian FAQ; what the model writes does not matter here.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from book_bench import ALIKE, sampling_of
from comparing import Answer, progress
from llama_server import LlamaServer
from our_engine import OurEngine, starter
from recorded import Asked, RecordedClient
from run import Row
from translate_faq import segments_of_faq
from translate_resumed import SEGMENTS, killed_and_resumed

from app.core.events import CancelToken
from app.documents.segments import Segment
from app.engine.client import ENVIRONMENT, EngineClient
from app.features.translate.translate import translate_segments
from app.features.translate.translation_events import SegmentDone, TranslationWish
from tests.features.translate.pipeline import DictMemory

SHORT_WORDS = (4, 16)
COUNT, SPARE = 64, 2
CONTEXT_TOKENS = 8192
LEAST_RATIO = 1.5
WISH = TranslationWish("fr", "en")


def rows() -> Iterator[Row]:
    """The speed, and what a killed run cost."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as name:
        folder = Path(name)
        yield from beside_the_server(folder)
        progress(f"{SEGMENTS} segments, killed in the middle")
        resumed = killed_and_resumed(folder / "resumed")
        if resumed.translated != SEGMENTS:
            raise AssertionError(f"{resumed.translated} of {SEGMENTS} segments were translated")
        note = f"{resumed.stored} were stored at the kill; {resumed.reopened} were being answered and were asked again"
        yield Row(
            "segments translated again after a kill", resumed.repeated, "segments", resumed.stored, note, at_most=0.0
        )


def beside_the_server(folder: Path) -> Iterator[Row]:
    """Segments per second, ours over theirs."""
    segments, spare = short_segments(folder)
    progress(f"{len(segments)} segments in our pipeline")
    with OurEngine(folder / "ours", context_tokens=CONTEXT_TOKENS) as ours:
        translated(RecordedClient(ours.client), spare)  # pages of the file, and the model that tells languages
        recorded = RecordedClient(ours.client)
        began_s = time.perf_counter()
        done = translated(recorded, segments)
        ours_s = time.perf_counter() - began_s
        places = ours.loaded.sequences
    asked = [one for one in recorded.asked if one.stats is not None]
    progress(f"the same {len(asked)} prompts in llama-server")
    with LlamaServer(starter(), folder / "server", context_tokens=CONTEXT_TOKENS, environment=ENVIRONMENT) as server:
        replayed(server, asked[0])
        began_s = time.perf_counter()
        answers = [replayed(server, one) for one in asked]
        theirs_s = time.perf_counter() - began_s
    mine, theirs = _written(asked), sum(answer.generated_tokens for answer in answers)
    note = (
        f"{len(segments)} segments, {len(asked)} prompts, {places} side by side; answers of {mine} and {theirs} tokens"
    )
    note += f"; {recorded.answered_s:.1f} s of {ours_s:.1f} s were waited for answers"
    note += "" if abs(mine - theirs) <= ALIKE * theirs else ": not alike, so this says little"
    if done != len(segments):
        raise AssertionError(f"{done} of {len(segments)} segments were settled")
    rates = round(done / ours_s, 3), round(done / theirs_s, 3)
    yield Row("short segments per second, against llama-server one by one", rates[0], "segments/s", rates[1], note,
              at_least=LEAST_RATIO)  # fmt: skip


def short_segments(folder: Path) -> tuple[list[Segment], list[Segment]]:
    """So many of the book, each once; and a few others."""
    found: dict[str, Segment] = {}
    for segment in segments_of_faq("en", folder):
        if SHORT_WORDS[0] <= len(segment.text.split()) <= SHORT_WORDS[1] and len(segment.content) == 1:
            found.setdefault(segment.text, segment)
    every = [Segment(number, one.content, one.kind) for number, one in enumerate(found.values(), 1)]
    return every[:COUNT], every[COUNT : COUNT + SPARE]


def translated(recorded: RecordedClient, segments: Sequence[Segment]) -> int:
    """How many are settled."""
    events = translate_segments(segments, WISH, cast(EngineClient, recorded), DictMemory(), CancelToken())
    return sum(isinstance(event, SegmentDone) for event in events)


def replayed(server: LlamaServer, asked: Asked) -> Answer:
    """The same ask over HTTP; its answer is made as long as ours was."""
    ask = asked.ask
    assert asked.stats is not None
    options: dict[str, Any] = {"grammar": ask.grammar} if ask.grammar else {}
    tokens = max(asked.stats.generated_tokens, 1)
    return server.chat(ask.messages, tokens, **sampling_of(ask), **options, ignore_eos=True)


def _written(asked: Sequence[Asked]) -> int:
    return sum(one.stats.generated_tokens for one in asked if one.stats is not None)
