"""What a merge or a write-up is shown: numbered paragraphs or points, and the blocks behind each number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from app.documents.blocks import Kind
from app.features.summary import prompts
from app.features.summary.points import without_repeats
from app.features.summary.result import Statement
from app.features.summary.sections import Section
from app.features.summary.work import Work
from app.features.verify import Cited

MOST_EVIDENCE = 20
MOST_ANCHORS = 6
_ALONE = re.compile(r"^\[(\d{1,7})\][ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Sources:
    """`texts` are pairs of title and text. `points` are the points shown, in the order of their numbers from 1."""

    texts: tuple[tuple[str, str], ...]
    blocks: Mapping[int, tuple[Cited, ...]]
    points: tuple[Statement, ...] = ()

    @property
    def citable(self) -> list[int]:
        """The numbers of what says something: not of headings, where there is anything else."""
        headings = {n for n, cited in self.blocks.items() if not self.points and cited[0].block.kind is Kind.HEADING}
        return [number for number in self.blocks if number not in headings] or list(self.blocks)

    def cited(self, numbers: Iterable[int]) -> tuple[Cited, ...]:
        """The blocks behind numbers."""
        return _once(cited for number in numbers for cited in self.blocks.get(number, ()))

    @property
    def all_blocks(self) -> tuple[Cited, ...]:
        """All of them."""
        return self.cited(self.blocks)

    def spelled_out(self, answer: str) -> str:
        """An answer in which numbers that stand alone on their lines are followed by their points."""
        return _ALONE.sub(lambda match: f"[{match[1]}] {self._point(int(match[1]))}", answer)

    def _point(self, number: int) -> str:
        return self.points[number - 1].text if 0 < number <= len(self.points) else ""

    @property
    def text(self) -> str:
        """Without frames, and with titles only where there are several."""
        if len(self.texts) == 1:
            return self.texts[0][1]
        return "\n\n".join(f"{title}:\n{text}" for title, text in self.texts)


def of_sections(work: Work, sections: Sequence[Section], offsets: Sequence[int]) -> Sources:
    """Whole documents, or stretches of them; the numbers of a document's blocks are larger by its offset."""
    texts = tuple((prompts.title_of(work.documents[one.document]), one.text) for one in sections)
    blocks = {
        cited.block.id + offsets[one.document]: (cited,)
        for one in sections
        for cited in work.cited(one.document, one.ids)
    }
    return Sources(texts, blocks)


def of_points(work: Work, points: Sequence[Statement]) -> Sources:
    """Points, under the names of their documents where there are several."""
    numbered = list(enumerate(points, 1))
    texts = tuple(
        (_title(work, document), "\n".join(f"[{number}] {one.text}" for number, one in run))
        for document, run in groupby(numbered, key=lambda pair: _document_of(pair[1]))
    )
    return Sources(texts, {number: work.behind(one) for number, one in numbered}, tuple(points))


def evidence_of(points: Sequence[Statement]) -> str:
    """The sentences that points rest on, each with the number of its point: the first of each, then the second ones."""
    ranked = [
        (rank, number, anchor.text)
        for number, one in enumerate(points, 1)
        for rank, anchor in enumerate(one.anchors)
        if anchor.text.strip()
    ]
    chosen = sorted(sorted(ranked)[:MOST_EVIDENCE], key=lambda found: (found[1], found[0]))
    return "\n".join(f"[{number}] {' '.join(text.split())}" for _, number, text in chosen)


def distinct(points: Iterable[Statement]) -> list[Statement]:
    """What is said several times only once, with the places of all of them."""
    return without_repeats(list(points), lambda one: one.text, _joined)


def _joined(longer: Statement, shorter: Statement) -> Statement:
    if not shorter.check.found:
        return longer
    if not longer.check.found:
        return shorter
    return replace(longer, anchors=tuple(dict.fromkeys(longer.anchors + shorter.anchors))[:MOST_ANCHORS])


def evenly(points: Sequence[Statement], most: int) -> list[Statement]:
    """At most so many of them, from beginning to end."""
    if len(points) <= most:
        return list(points)
    return [points[place * len(points) // most] for place in range(most)]


def _title(work: Work, document: int) -> str:
    return prompts.title_of(work.documents[document])


def _document_of(point: Statement) -> int:
    return point.anchors[0].document if point.anchors else 0


def _once(cited: Iterable[Cited]) -> tuple[Cited, ...]:
    return tuple({(one.document, one.block.id): one for one in cited}.values())
