"""Whole papers of ACLSum on the starter: what was read, where the anchors lead, ROUGE beside the beginning, speed.

The starter is not asked by itself: sentences of the paper are its summary. MODEL=1 has it write, which takes minutes a
paper. What was read and where anchors lead is found out without our own count: from the prompts that were really sent
to it, and from the text that Poppler finds on the page. SMALL=1 takes two papers.
"""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from comparing import progress, span
from our_engine import OurEngine
from papers import Paper, papers, write_papers
from recorded import Run, document_of, summarized
from run import Row

from app.documents.blocks import Block, BlockKind
from app.features.summarize.digest import digest_summary
from app.features.summarize.summarize import InputDocument
from app.features.summarize.summary_result import Form, Length, Method, SummaryOptions
from tests.helpers.real_files import pdftotext_pages

PAPERS, FEW_PAPERS = 20, 2
WISH = SummaryOptions(Length.SHORT, Form.PARAGRAPHS)  # the experts' three sentences are short too
ROUGE = ("rouge1", "rouge2", "rougeL")
LEAD_SENTENCES = 3
MOST_S = 5.0
"""From the file to its short summary."""
LEAST_PIECE = 4  # letters before and after the end of a column
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z(\"“])")


@dataclass(frozen=True)
class Measured:
    """One paper, its summary, and what an independent reader finds on each of its pages.

    `from_file_s`: from the closed file to the summary, by the engine that is there.
    """

    paper: Paper
    document: InputDocument
    run: Run
    pages: tuple[str, ...]
    from_file_s: float

    @property
    def summary(self) -> str:
        """Its statements as one text."""
        return " ".join(statement.text for statement in self.run.summary.statements)

    @property
    def lead(self) -> str:
        """The first sentences of the same text, which begins with the abstract."""
        paragraphs = [block.text for block in self.document.blocks if block.kind is BlockKind.PARAGRAPH]
        return " ".join(sentences(" ".join(paragraphs[:5]))[:LEAD_SENTENCES])

    @property
    def digest(self) -> str:
        """Sentences chosen by counting words, as `--method digest` takes them."""
        return " ".join(one.text for one in digest_summary([self.document], WISH).statements)

    @property
    def words(self) -> int:
        """Words of the document."""
        return sum(len(block.text.split()) for block in self.document.blocks)


def rows() -> Iterator[Row]:
    """Every paper is read, summarized and looked through; then the figures over all of them."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch, OurEngine(Path(scratch) / "engine") as ours:
        done, tokens = [], []
        wish = replace(WISH, method=Method.MODEL) if os.environ.get("MODEL") else WISH
        wanted = papers(FEW_PAPERS if os.environ.get("SMALL") else PAPERS)
        for number, paper in enumerate(wanted, 1):
            path = write_papers(Path(scratch) / f"{paper.name}.pdf", [paper])
            began_s = time.perf_counter()
            document = document_of(path, Path(scratch))
            read_s = time.perf_counter() - began_s
            tokens.append(sum(ours.client.count_texts([block.text for block in document.blocks])))
            progress(f"paper {number} of {len(wanted)}: {paper.name}, {tokens[-1]} tokens")
            run = summarized(ours.client, document, wish)
            done.append(Measured(paper, document, run, tuple(pdftotext_pages(path)), read_s + run.taken_s))
    yield from reading(done) if wish.method is Method.MODEL else counted(done)
    yield from places(done)
    yield from likeness(done)
    yield from speed(done, tokens)


def reading(done: Sequence[Measured]) -> Iterator[Row]:
    """Blocks in the prompts beside our own count, which must not tell of more that they are read."""
    found = [sum(stands_in(prompts_of(one.run), block) for block in one.document.blocks) for one in done]
    counted = [sum(document.coverage.blocks_read for document in one.run.summary.documents) for one in done]
    blocks = sum(len(one.document.blocks) for one in done)
    overstated = sum(max(0, said - seen) for said, seen in zip(counted, found, strict=True))
    failed = sum(one.run.summary.sections_failed for one in done)
    sections = sum(one.run.summary.sections for one in done)
    note = f"{sum(counted)} told as read, {failed} of {sections} sections could not be condensed, which is told too"
    papers = f"of {len(done)} papers"
    yield Row(f"blocks {papers} that are accounted for", blocks - overstated, "blocks", blocks, note, at_least=1.0)
    yield Row(f"blocks {papers} whose text stands in a prompt that was answered", sum(found), "blocks", blocks)


def counted(done: Sequence[Measured]) -> Iterator[Row]:
    """Blocks whose words were counted, or that are told apart as no text, beside all; and what was asked."""
    coverage = [document.coverage for one in done for document in one.run.summary.documents]
    blocks = sum(len(one.document.blocks) for one in done)
    apart = sum(each.blocks for one in coverage for each in one.apart)
    told = sum(one.blocks_read for one in coverage) + apart
    note = f"{apart} of them told apart as no text"
    yield Row(f"blocks of {len(done)} papers that are accounted for", told, "blocks", blocks, note, at_least=1.0)
    yield Row("prompts that were sent", sum(len(one.run.asked) for one in done), "prompts", spread="no model is asked")
    from_file = [one.from_file_s for one in done]
    name = "a paper from its file to its short summary, the slowest"
    yield Row(name, round(max(from_file), 2), "s", MOST_S, span(from_file), at_most=1.0)


def places(done: Sequence[Measured]) -> Iterator[Row]:
    """Anchors whose words an independent reader finds on their page, and statements that the checks found there."""
    statements = [statement for one in done for statement in one.run.summary.statements]
    resolved = sum(
        bool(anchor.text) and stands_on(one.pages, anchor.page, anchor.text)
        for one in done
        for statement in one.run.summary.statements
        for anchor in statement.anchors
    )
    anchors = sum(len(statement.anchors) for statement in statements)
    anchored = sum(bool(statement.anchors) for statement in statements)
    note = f"{anchored} of {len(statements)} statements have anchors"
    yield Row("anchors whose words Poppler finds on their page", resolved, "anchors", anchors, note, at_least=1.0)
    found = sum(statement.check.found for statement in statements)
    yield Row("statements whose checks found what they say on their page", found, "statements", len(statements))


def likeness(done: Sequence[Measured]) -> Iterator[Row]:
    """ROUGE F1 against the three experts' sentences, and how much shorter it is."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(ROUGE), use_stemmer=True)

    def scores(text: Callable[[Measured], str]) -> list[dict[str, float]]:
        return [{n: s.fmeasure for n, s in scorer.score(one.paper.summary, text(one)).items()} for one in done]

    ours, lead = scores(lambda one: one.summary), scores(lambda one: one.lead)
    digest = scores(lambda one: one.digest)
    for name in ROUGE:
        mine, theirs = [score[name] for score in ours], [score[name] for score in lead]
        note = f"{span(mine)} against {span(theirs)}; the baseline is the first {LEAD_SENTENCES} sentences"
        yield Row(f"{name} F1, mean of {len(done)} papers", round(statistics.mean(mine), 4), "F1",
                  round(statistics.mean(theirs), 4), note)  # fmt: skip
        chosen = round(statistics.mean(score[name] for score in digest), 4)
        yield Row(f"{name} F1 beside that of the digest", round(statistics.mean(mine), 4), "F1", chosen, at_least=1.0)
    words = [len(one.summary.split()) for one in done]
    note = f"{min(words)} to {max(words)}; experts {statistics.median(len(one.paper.summary.split()) for one in done)}"
    yield Row("words of a summary beside words of its paper, median", statistics.median(words), "words",
              statistics.median(one.words for one in done), note)  # fmt: skip


def speed(done: Sequence[Measured], tokens: Sequence[int]) -> Iterator[Row]:
    """Seconds for a paper, from its blocks to its summary."""
    taken = [one.run.taken_s for one in done]
    sizes = f"{min(tokens)} to {max(tokens)} tokens in a paper"
    yield Row("summarizing a paper, median", round(statistics.median(taken), 1), "s", spread=f"{span(taken)}; {sizes}")
    yield Row("tokens of document per second", round(sum(tokens) / sum(taken), 1), "tokens/s")


def prompts_of(run: Run) -> str:
    """All prompts that were answered, words divided by one space."""
    return " ".join(" ".join(asked.prompt.split()) for asked in run.asked if asked.stats is not None)


def stands_in(prompts: str, block: Block) -> bool:
    """Whether a block's text is in the prompts, whole or, where it was divided, sentence by sentence."""
    text = " ".join(block.text.split())
    return text in prompts or all(sentence in prompts for sentence in sentences(text))


def sentences(text: str) -> list[str]:
    """Plain division after a full stop before a capital letter."""
    return _SENTENCE_END.split(" ".join(text.split()))


def stands_on(pages: Sequence[str], page: int | None, text: str) -> bool:
    """Whether a page has a text, letters and digits compared.

    It may be in two pieces: where a column ends, Poppler goes on with a page number, and a page ends there too.
    """
    if page is None or not 1 <= page <= len(pages):
        return False
    wanted, here = folded(text), folded(pages[page - 1])
    rest = " ".join([here, *(folded(each) for each in pages[page : page + 1])])
    cuts = range(LEAST_PIECE, len(wanted) - LEAST_PIECE + 1)
    return bool(wanted) and (wanted in here or any(wanted[:cut] in here and wanted[cut:] in rest for cut in cuts))


def folded(text: str) -> str:
    """Its letters and digits alone: spaces, hyphens and signs differ between readers."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())
