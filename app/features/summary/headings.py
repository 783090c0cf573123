"""Which stretches a document has under its own headings, for a summary by section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.documents.blocks import Block, Kind

DEEPEST = 3


def runs_under_headings(blocks: Sequence[Block]) -> Iterator[tuple[str, list[Block]]]:
    """The stretches of a document with their headings, of the highest level that has several.

    What stands before the first is under ""; headings without any text below join what comes next.
    """
    depth = next((n for n in range(DEEPEST) if len({_name(block, n) for block in blocks} - {""}) > 1), 0)
    run: list[Block] = []
    name = ""
    for block in blocks:
        now = _name(block, depth)
        if run and now != name and any(one.kind is not Kind.HEADING for one in run):
            yield name, run
            run = []
        run, name = [*run, block], now
    if run:
        yield name, run


def _name(block: Block, depth: int) -> str:
    if len(block.heading_path) > depth:
        return block.heading_path[depth]
    return block.text if block.kind is Kind.HEADING and len(block.heading_path) == depth else ""
