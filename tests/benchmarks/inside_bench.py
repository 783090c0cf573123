"""What looking into the model costs: an answer after a look and while it is looked at, attention, and perplexity.

Perplexity is held against llama-perplexity, built from the same source, on one paper.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from comparing import ALTERNATIONS, compared, in_turns, progress, span
from llama_build import built
from our_engine import OurEngine, question, starter
from papers import papers
from run import Row
from texts import STORY, prose

from app.core.events import TokenSeen
from app.features.inside import looks

TOKENS = 96
ROUNDS = 24
CONTEXT_TOKENS = 2048
ALTERNATIVES = 8
"""As the window shows them."""
ATTENTION_TOKENS = 128
MOST_S = 1.0
NOT_SLOWER, LITTLE_SLOWER = 0.99, 0.9
PAPER_CHARACTERS = 40_000
FIGURE = re.compile(r"Final estimate: PPL = ([\d.]+)")


def rows() -> Iterator[Row]:
    """Two engines with the same file: one is looked into, the other never is."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        folder = Path(scratch)
        with (
            OurEngine(folder / "looked", context_tokens=CONTEXT_TOKENS, keep_states=False) as looked,
            OurEngine(folder / "never", context_tokens=CONTEXT_TOKENS, keep_states=False) as never,
        ):
            yield from _speeds(looked, never)
            yield _attention(looked)
            yield _perplexity(looked, folder)


def _speeds(looked: OurEngine, never: OurEngine) -> Iterator[Row]:
    """Writing, in turns: untouched, after the panel was closed, with alternatives told for each token."""
    text = prose(ATTENTION_TOKENS, 1)

    def after_a_look(_number: int) -> float:
        looked.client.inspect("attention", text[:400])
        return _rate(looked)

    ways: list[Callable[[int], float]] = [
        lambda _n: _rate(never),
        after_a_look,
        lambda _n: _rate(never, alternatives=ALTERNATIVES),
    ]
    for way in ways:  # the first graph, and the pages of the file
        way(0)
    plain, closed, seen = in_turns(ways, ROUNDS)
    name = "writing with Inside closed again, against an engine that was never looked into"
    yield compared(name, closed, plain, "tokens/s", at_least=NOT_SLOWER)
    name = f"writing while {ALTERNATIVES} alternatives of each token are told, against without"
    yield compared(name, seen, plain, "tokens/s", at_least=LITTLE_SLOWER)


def _rate(ours: OurEngine, **options: int) -> float:
    answer = ours.chat(question(STORY), TOKENS, **options)
    assert answer.generated_tokens == TOKENS, answer
    return answer.tokens_per_s


def _attention(ours: OurEngine) -> Row:
    """As the window asks for it, from the text to all shares of all heads."""
    taken: list[float] = []
    for number in range(ALTERNATIONS):
        text = _cut(ours, prose(2 * ATTENTION_TOKENS, number))
        began_s = time.perf_counter()
        found = looks.read_attention(ours.client, text)
        taken.append(time.perf_counter() - began_s)
        assert len(found.tokens) == ATTENTION_TOKENS, len(found.tokens)
    note = f"{span(taken)}, {len(found.layers)} layers of {found.heads} heads"
    name = f"attention of a text of {ATTENTION_TOKENS} tokens"
    return Row(name, round(statistics.median(taken), 3), "s", MOST_S, note, at_most=1.0)


def _cut(ours: OurEngine, text: str) -> str:
    """The text up to so many tokens, wherever that is."""
    return text[: looks.tokens_of(ours.client, text)[ATTENTION_TOKENS - 1].end]


def _perplexity(ours: OurEngine, folder: Path) -> Row:
    """The same text by our engine and by llama-perplexity, with its own defaults."""
    (paper,) = papers(1)
    text = "\n".join(part for section in paper.sections for part in (section.heading, *section.paragraphs))
    file = folder / "paper.txt"
    file.write_text(text[:PAPER_CHARACTERS], "utf-8")
    progress("llama-perplexity")
    command = [built() / "llama-perplexity", "--model", starter(), "--file", file, "--device", "none"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    found = FIGURE.search(done.stdout + done.stderr)
    assert found is not None, done.stderr[-2000:]
    seen = looks.read_probabilities(ours.client, file.read_text("utf-8"), most=0)
    mine = looks.surprise_of([event for event in seen if isinstance(event, TokenSeen)])
    name = f"perplexity of a paper of {mine.tokens} tokens, against llama-perplexity"
    return Row(name, round(mine.perplexity, 4), "", float(found[1]), at_least=0.99, at_most=1.01)
