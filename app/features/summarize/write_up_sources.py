"""Sources of a merge or a write-up: numbered paragraphs or points, and the blocks behind each number."""

from __future__ import annotations

import re
from collections import abc
from collections.abc import Iterable, Sequence
from itertools import groupby

from app.core.lazy_dataclasses import dataclass, replace
from app.documents.blocks import BlockKind
from app.features.summarize import summary_prompts
from app.features.summarize.checks import CitedBlock
from app.features.summarize.digest import FORMS, digest_of
from app.features.summarize.point_answers import without_repeats
from app.features.summarize.sections import ReadSection
from app.features.summarize.summary_result import Statement
from app.features.summarize.summary_work import SummaryWork

OUTLINE_SENTENCES, OUTLINE_TOKENS = 5, 400
MOST_OUTLINED = 320
"""Characters of a sentence."""
OUTLINED_TIMES = 5
"""A text is at least this many times longer than its outline."""
MOST_EVIDENCE = 20
MOST_ANCHORS = 6
_ALONE = re.compile(r"^\[(\d{1,7})\][ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class WriteUpSources:
    """`texts` are pairs of title and text. `points` are the points shown, in the order of their numbers from 1."""

    texts: tuple[tuple[str, str], ...]
    blocks: abc.Mapping[int, tuple[CitedBlock, ...]]
    points: tuple[Statement, ...] = ()

    @property
    def citable(self) -> list[int]:
        """Numbers that may be cited: not those of headings, if there is anything else."""
        headings = {
            n for n, cited in self.blocks.items() if not self.points and cited[0].block.kind is BlockKind.HEADING
        }
        return [number for number in self.blocks if number not in headings] or list(self.blocks)

    def blocks_behind(self, numbers: Iterable[int]) -> tuple[CitedBlock, ...]:
        return _unique_blocks(cited for number in numbers for cited in self.blocks.get(number, ()))

    @property
    def all_blocks(self) -> tuple[CitedBlock, ...]:
        return self.blocks_behind(self.blocks)

    def spelled_out(self, answer: str) -> str:
        """Append the point to each number standing alone on its line."""
        return _ALONE.sub(lambda match: f"[{match[1]}] {self._point_text(int(match[1]))}", answer)

    def _point_text(self, number: int) -> str:
        return self.points[number - 1].text if 0 < number <= len(self.points) else ""

    @property
    def text(self) -> str:
        """The texts without frames, and with titles only if there are several."""
        if len(self.texts) == 1:
            return self.texts[0][1]
        return "\n\n".join(f"{title}:\n{text}" for title, text in self.texts)


def of_sections(work: SummaryWork, sections: Sequence[ReadSection], offsets: Sequence[int]) -> WriteUpSources:
    """Build sources from whole documents or parts of them; block numbers are raised by the document's offset."""
    texts = tuple((summary_prompts.title_of(work.documents[section.document]), section.text) for section in sections)
    # Blocks of several documents have equal ids; offsets keep their numbers apart in one prompt.
    blocks = {
        cited.block.id + offsets[section.document]: (cited,)
        for section in sections
        for cited in work.cited_blocks(section.document, section.ids)
    }
    return WriteUpSources(texts, blocks)


def outline_of(work: SummaryWork, sections: Sequence[ReadSection], offsets: Sequence[int]) -> str:
    """Build an outline of the most informative sentences with block numbers;

    "" if it would be much of the text. Only for small models and forms made of sentences, where it was measured to
    help.
    """
    if not (work.budgets.is_small and work.wish.form in FORMS):
        return ""
    lines: list[str] = []
    for section in sections:
        blocks = [cited.block for cited in work.cited_blocks(section.document, section.ids)]
        texts, title = {block.id: block.text for block in blocks}, work.documents[section.document].title
        for told in digest_of(blocks, -(-OUTLINE_SENTENCES // len(sections)), title=title):
            text = " ".join(texts[told.block_id][told.start : told.end].split())
            if len(text) <= MOST_OUTLINED:
                lines.append(f"[{told.block_id + offsets[section.document]}] {text}")
    outline = "\n".join(lines)
    # An outline nearly as long as its text would only be read twice.
    return outline if OUTLINED_TIMES * len(outline) <= sum(len(section.text) for section in sections) else ""


def of_points(work: SummaryWork, points: Sequence[Statement]) -> WriteUpSources:
    """Build sources from points, under document names if there are several."""
    numbered = list(enumerate(points, 1))
    texts = tuple(
        (_document_title(work, document), "\n".join(f"[{number}] {statement.text}" for number, statement in run))
        for document, run in groupby(numbered, key=lambda pair: _document_of(pair[1]))
    )
    return WriteUpSources(
        texts, {number: work.blocks_behind(statement) for number, statement in numbered}, tuple(points)
    )


def evidence_of(points: Sequence[Statement]) -> str:
    """Return the sentences that points rest on, each with its point's number: the first of each, then the second
    ones.
    """
    ranked = [
        (rank, number, anchor.text)
        for number, point in enumerate(points, 1)
        for rank, anchor in enumerate(point.anchors)
        if anchor.text.strip()
    ]
    # Chosen by rank, so each point has a sentence before any has two; shown by number, as the points are.
    chosen = sorted(sorted(ranked)[:MOST_EVIDENCE], key=lambda found: (found[1], found[0]))
    return "\n".join(f"[{number}] {' '.join(text.split())}" for _, number, text in chosen)


def distinct_statements(points: Iterable[Statement]) -> list[Statement]:
    """Merge repeated statements, keeping all their sources."""
    return without_repeats(list(points), lambda one: one.text, _join_statements)


# An unsupported wording never replaces a supported one, even if it is longer.
def _join_statements(longer: Statement, shorter: Statement) -> Statement:
    if not shorter.check.found:
        return longer
    if not longer.check.found:
        return shorter
    return replace(longer, anchors=tuple(dict.fromkeys(longer.anchors + shorter.anchors))[:MOST_ANCHORS])


def _document_title(work: SummaryWork, document: int) -> str:
    return summary_prompts.title_of(work.documents[document])


def _document_of(point: Statement) -> int:
    return point.anchors[0].document if point.anchors else 0


def _unique_blocks(cited: Iterable[CitedBlock]) -> tuple[CitedBlock, ...]:
    return tuple({(block.document, block.block.id): block for block in cited}.values())
