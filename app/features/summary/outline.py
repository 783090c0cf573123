"""Which statements go into which write-up: all into one, or in a summary by section under the document's headings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.documents.blocks import Block
from app.features.summary.events import InputDocument
from app.features.summary.headings import runs_under_headings
from app.features.summary.result import Form, Statement
from app.features.summary.work import Work


def groups(work: Work, place: int, blocks: Sequence[Block]) -> list[tuple[str, Sequence[Block]]]:
    """Stretches of a document that are written up by themselves; all of it but in a summary by section."""
    if work.wish.form is not Form.SECTIONS:
        return [("", blocks)]
    runs = list(runs_under_headings(blocks))
    if len(work.documents) == 1:
        return [*runs]
    name = title_shown(work.documents[place])
    return [(f"{name}: {heading}" if heading else name, run) for heading, run in runs]


def piles(work: Work, points: Sequence[Sequence[Statement]]) -> tuple[list[str], list[list[list[Statement]]]]:
    """What goes into each write-up, with its heading; empty ones are left out."""
    names, run_of = _runs(work)
    found: list[list[list[Statement]]] = [[] for _ in names]
    last = 0
    for section in points:
        mine: dict[int, list[Statement]] = {}
        for point in section:
            last = _run(point, run_of, last)
            mine.setdefault(last, []).append(point)
        for run, group in mine.items():
            found[run].append(group)
    full = [(name, pile) for name, pile in zip(names, found, strict=True) if pile]
    return [name for name, _ in full], [pile for _, pile in full]


def _runs(work: Work) -> tuple[list[str], dict[tuple[int, int], int]]:
    """The headings to write under, and which of them each block is under."""
    if work.wish.form is not Form.SECTIONS:
        return [""], {}
    names: list[str] = []
    run_of: dict[tuple[int, int], int] = {}
    for place, document in enumerate(work.documents):
        for name, blocks in groups(work, place, document.blocks):
            run_of |= {(place, block.id): len(names) for block in blocks}
            names.append(name)
    return names or [""], run_of


def _run(point: Statement, run_of: dict[tuple[int, int], int], last: int) -> int:
    if not point.anchors:
        return last
    return run_of.get((point.anchors[0].document, point.anchors[0].block_id), 0)


def points_so_far(work: Work, points: Sequence[Sequence[Statement]]) -> list[Statement]:
    """The checked points, each for itself."""
    names, run_of = _runs(work)
    found: list[Statement] = []
    last = 0
    for point in (one for section in points for one in section):
        last = _run(point, run_of, last)
        found.append(replace(point, group=names[last], paragraph=len(found)))
    return found


def title_shown(document: InputDocument) -> str:
    """What a document is called where a person reads it."""
    return document.title.strip() or document.name
