"""The digest: how near three sentences come to experts' summaries, beside the first three; and how long books take.

The weights were found on the train part of ACLSum, the figures are of its other two parts. Books are whole papers one
after the other, each word of which is another one when they begin again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from aclsum_data import aclsum_folder
from comparing import progress
from papers import papers
from run import HERE, ROOT, Row

from app.core.events import CancelToken
from app.documents.blocks import Block, BlockKind, BlockNumbering, BlockPiece
from app.features.summarize.evaluate_summaries import (
    AS_GIVEN,
    COMPARED_MEASURES,
    FIRST_SENTENCES,
    WITHOUT_ABSTRACT,
    Evaluation,
    ScoredDocument,
    evaluate_examples,
    examples_in,
)
from app.features.summarize.summary_result import Form, Length, Method, SummaryOptions

PARTS = ("val", "test")
GOALS = {AS_GIVEN: {"rouge1": 0.43, "rouge2": 0.17}, WITHOUT_ABSTRACT: {"rouge1": 0.385, "rouge2": 0.115}}
WORDS_A_PAGE = 500
MOST_S = {300: 2.0, 5000: 30.0}
"""Seconds of the processor by pages: it is one thread."""
MOST_MB = 200.0
ENOUGH_PAPERS = 250

_MEASURE = """
import json, resource, sys, time
sys.path[:0] = {folders}
from digest_bench import book
from app.features.summarize.digest import digest_of
blocks = book({pages})
began_s = time.process_time()
digest_of(blocks, 8)
taken_s = time.process_time() - began_s
unit = 1024 if sys.platform == "linux" else 1024 * 1024
print(json.dumps([taken_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit]))
"""


def rows() -> Iterator[Row]:
    """Likeness first, then seconds and memory, each book in a process of its own."""
    yield from likeness()
    for pages, most_s in MOST_S.items():
        progress(f"a book of {pages} pages")
        taken_s, peak_mb = measured(pages)
        yield Row(f"a digest of {pages:,} pages, processor time", round(taken_s, 2), "s", most_s, at_most=1.0)
        yield Row(f"a digest of {pages:,} pages, peak of its process", round(peak_mb, 1), "MB", MOST_MB, at_most=1.0)


def likeness() -> Iterator[Row]:
    """F1 against the experts' sentences, what was aimed at as the baseline, the first sentences beside it."""
    examples = [one for part in PARTS for one in examples_in(aclsum_folder() / f"{part}.jsonl")]
    wish = SummaryOptions(Length.SHORT, Form.PARAGRAPHS)
    found = evaluate_examples(examples, wish, [Method.DIGEST], None, CancelToken())
    compared = Evaluation([one for one in found if isinstance(one, ScoredDocument)]).to_fields()["compared"]
    for part, goals in GOALS.items():
        for measure in COMPARED_MEASURES:
            digest, first = (compared[part][name][measure] for name in (Method.DIGEST.value, FIRST_SENTENCES))
            name = f"digest of {compared[part]['documents']} papers {part.replace('_', ' ')}, {measure}"
            yield Row(name, digest, "F1", goals.get(measure), f"the first three sentences {first}", at_least=1.0)


def measured(pages: int) -> tuple[float, float]:
    """Seconds of the processor, and the most MB that the process had, the text of the book among them."""
    folders = [str(ROOT), str(HERE), str(ROOT / "packaging" / "setup")]
    code = _MEASURE.format(folders=folders, pages=pages)
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    taken_s, peak_mb = json.loads(result.stdout)
    return taken_s, peak_mb


def book(pages: int) -> list[Block]:
    """So many pages of running text, the same in each run."""
    wanted, numbering = papers(ENOUGH_PAPERS), BlockNumbering()
    blocks: list[Block] = []
    words, round_ = 0, 0
    while words < pages * WORDS_A_PAGE:
        for paper in wanted:
            for section in paper.sections:
                blocks.append(numbering.block(BlockPiece(BlockKind.HEADING, section.heading, level=1)))
                for paragraph in section.paragraphs:
                    text = paragraph if not round_ else " ".join(f"{'q' * round_}{one}" for one in paragraph.split())
                    blocks.append(numbering.block(BlockPiece(BlockKind.PARAGRAPH, text)))
                    words += len(paragraph.split())
            if words >= pages * WORDS_A_PAGE:
                return blocks
        round_ += 1
    return blocks
