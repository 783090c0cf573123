"""The splitter: a document of a million tokens with a cheap counter, and what it asks of the counter."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator, Sequence

from run import Row

from app.documents.blocks import Block, BlockKind, BlockNumbering, BlockPiece
from app.documents.split import SEPARATOR, split

TOKENS = 1_000_000
ROUNDS = 9
BUDGETS = (500, 2_000, 16_000)
MOST_S = 0.5
MOST_CALLS = 6


def rows() -> Iterator[Row]:
    """Seconds and calls of the counter for each budget, and how full the chunks are."""
    blocks = _document()
    for budget in BUDGETS:
        taken_s, calls, filled = [], 0, 0.0
        for _ in range(ROUNDS):
            seen: list[int] = []

            def count(texts: Sequence[str], seen: list[int] = seen) -> list[int]:
                seen.append(len(texts))
                return [len(text) // 4 + 1 for text in texts]

            began_s = time.monotonic()
            chunks = split(blocks, budget, count)
            taken_s.append(time.monotonic() - began_s)
            calls, filled = len(seen), statistics.mean(chunk.tokens for chunk in chunks) / budget
            if "".join(chunk.text for chunk in chunks) != SEPARATOR.join(block.text for block in blocks):
                raise AssertionError("something of the document was lost")
        spread = f"{min(taken_s):.2f} to {max(taken_s):.2f}, {ROUNDS} rounds"
        name = f"split_of_{TOKENS // 1_000_000}_million_tokens_into_{budget}"
        yield Row(name, round(statistics.median(taken_s), 3), "s", MOST_S, spread, at_most=1.0)
        yield Row(f"{name}_calls", calls, "calls", MOST_CALLS, at_most=1.0)
        yield Row(f"{name}_filled", round(filled, 3), "share of the budget", 1.0, at_least=0.6)


def _document() -> list[Block]:
    """Chapters of paragraphs, lists and tables; the same in each run."""
    chosen, numbering = random.Random(7), BlockNumbering()
    words = ["".join(chosen.choices("etaoinshrdlu", k=chosen.randint(2, 9))) for _ in range(5000)]
    blocks: list[Block] = []
    characters = 0
    while characters < 4 * TOKENS:
        match chosen.randint(0, 30):
            case 0:
                piece = BlockPiece(BlockKind.HEADING, " ".join(chosen.choices(words, k=5)), level=chosen.randint(1, 4))
            case 1:
                cells = ("\t".join(chosen.choices(words, k=6)) for _ in range(chosen.randint(2, 200)))
                piece = BlockPiece(BlockKind.TABLE, "\n".join(cells))
            case number:
                sentences = (" ".join(chosen.choices(words, k=14)) + "." for _ in range(chosen.randint(1, 9)))
                piece = BlockPiece(BlockKind.LIST_ITEM if number > 24 else BlockKind.PARAGRAPH, " ".join(sentences))
        blocks.append(numbering.block(piece))
        characters += len(piece.text)
    return blocks
