"""Questions about whole documents: what the program finds, what passages can hold at most, and what the starter finds.

Sentences with dates, amounts of money, addresses and names, in many spellings, are planted into papers of ACLSum, so
that everything there is to find is known. "Passages" is what a chat would show of the document, read by a reader that
makes no mistake: no model finds more that way. SMALL=1 takes one document; STARTER=1 asks the starter too (minutes).
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from comparing import progress
from our_engine import OurEngine
from papers import Paper, papers
from run import Row

from app.core.events import CancelToken
from app.documents.blocks import Block, BlockKind, block_to_fields
from app.features.chat.attached_documents import PASSAGES_SHARE
from app.features.retrieval.choosing import choose_passages
from app.features.retrieval.question_scope import QuestionScope, WantedScope
from app.features.retrieval.scope import scope_of
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_result import InputDocument
from app.features.survey.model_lists import SurveyListed, list_all
from app.features.survey.program_finds import find_all
from app.language.dates import find_dates
from app.store.database import Database
from app.store.document_store import DocumentStore

DOCUMENTS, PAPERS_EACH, EACH = 4, 4, 12
PROMPT_TOKENS = 6_900
"""Of a context of 8,192, what a prompt of the chat may take."""
DATES = (
    "3 March 2019", "March 4, 2020", "5. April 2018", "2017-06-06", "07.07.2016", "8 août 2015", "9 de mayo de 2014",
    "10 June", "November 11th, 2012", "12 Dec. 2011", "June 2010", "14 July 2009",
)  # fmt: skip
MONEY = (
    "€1,250", "$3.7 million", "4,100 euros", "EUR 5200", "£6,300", "7.400,50 €", "8,500 dollars", "$9bn", "US$ 10,700",
    "11.800 Euro", "12,900 yen", "CHF 13,000",
)  # fmt: skip
NAMES = (
    "Ada Halvorsen", "Ben Osei", "Cleo Ruiz", "Dmitri Falk", "Elif Aksoy", "Farid Nasser", "Greta Lindqvist",
    "Hugo Brandt", "Ines Caldeira", "Jonas Keller", "Karla Novak", "Liam Doyle",
)  # fmt: skip
QUESTIONS = {
    QuestionScope.DATES: "List all dates",
    QuestionScope.MONEY: "Which amounts of money are mentioned?",
    QuestionScope.EMAILS: "List all e-mail addresses",
    QuestionScope.MENTIONS: "How often is Halvorsen mentioned?",
    QuestionScope.LIST: "Which people are named?",
}


@dataclass(frozen=True)
class Planted:
    """A document, and what stands in it: for each kind the block of each thing."""

    document: InputDocument
    blocks: dict[QuestionScope, list[tuple[int, str]]]


def rows() -> Iterator[Row]:
    """The program and the passages over all documents; the starter over the first."""
    planted = [plant(number) for number in range(1 if os.environ.get("SMALL") else DOCUMENTS)]
    yield from by_program(planted)
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch, OurEngine(Path(scratch) / "engine") as ours:
        yield from by_passages(planted, Path(scratch), ours.client.count_texts)
        if os.environ.get("STARTER"):
            yield from by_starter(in_short(planted[0]), ours)


def plant(number: int) -> Planted:
    """Papers with a sentence more in some of their paragraphs."""
    chosen = papers(DOCUMENTS * PAPERS_EACH)[number * PAPERS_EACH : (number + 1) * PAPERS_EACH]
    texts = list(_texts(chosen))
    drawn = random.Random(number)
    places = drawn.sample(
        [n for n, (kind, text) in enumerate(texts) if kind is BlockKind.PARAGRAPH and len(text) > 200], EACH
    )
    known: dict[QuestionScope, list[tuple[int, str]]] = {wanted: [] for wanted in QUESTIONS}
    for nth, place in enumerate(sorted(places)):
        name, mail = NAMES[nth], f"{NAMES[nth].split()[0].lower()}@lab{nth}.example.org"
        more = f"On {DATES[nth]} {name} paid {MONEY[nth]} for it and wrote to {mail}."
        kind, text = texts[place]
        half = text.find(". ", len(text) // 2) + 2 or len(text)
        texts[place] = kind, f"{text[:half].rstrip()} {more} {text[half:]}".strip()
        for wanted, what in zip(QUESTIONS, (DATES[nth], MONEY[nth], mail, name, name), strict=True):
            if wanted is not QuestionScope.MENTIONS or "Halvorsen" in what:
                known[wanted].append((place + 1, what))
    blocks = [Block(n, kind, text, n // 12 + 1) for n, (kind, text) in enumerate(texts, 1)]
    return Planted(InputDocument(1, "papers.pdf", "", "page", blocks[-1].page or 1, (), "en", blocks), known)


def _texts(chosen: Sequence[Paper]) -> Iterator[tuple[BlockKind, str]]:
    for paper in chosen:
        yield BlockKind.HEADING, paper.title
        for section in paper.sections:
            yield BlockKind.HEADING, section.heading
            yield from ((BlockKind.PARAGRAPH, text) for text in section.paragraphs)


def in_short(planted: Planted) -> Planted:
    """Only the paragraphs in which something is planted: that makes it easier, not harder, to find."""
    wanted = {block for block, _ in planted.blocks[QuestionScope.DATES]}
    blocks = [block for block in planted.document.blocks if block.id in wanted]
    return Planted(replace(planted.document, blocks=blocks), planted.blocks)


def by_program(planted: Sequence[Planted]) -> Iterator[Row]:
    """Of what was planted, how much the program finds at its place; how long that takes."""
    begun_s = time.process_time()
    words = sum(len(block.text.split()) for one in planted for block in one.document.blocks)
    for wanted, question in QUESTIONS.items():
        if wanted is QuestionScope.LIST:
            continue
        found, there = 0, 0
        for one in planted:
            summary = find_all([one.document], scope_of(question) or WantedScope(wanted))
            places = {a.block_id for statement in summary.statements for a in statement.anchors}
            for statement in summary.statements:
                progress(f"{wanted}: {statement.text}")
            there += len(one.blocks[wanted])
            found += sum(block in places for block, _ in one.blocks[wanted])
        yield Row(f"planted {wanted} that the program finds", found, "of them", there, at_least=1.0)
    seconds = time.process_time() - begun_s
    yield Row(f"processor time for {words:,} words, four questions", round(seconds, 2), "s")


def by_passages(
    planted: Sequence[Planted], scratch: Path, count: Callable[[Sequence[str]], Sequence[int]]
) -> Iterator[Row]:
    """Of what was planted, how much stands in the passages that a chat would show."""
    database = Database.open(scratch / "passages.db")
    store = DocumentStore(database)
    for wanted, question in QUESTIONS.items():
        shown, there = 0, 0
        for one in planted:
            number = store.begin_document(scratch / "papers.pdf", 1, 1)
            store.add_blocks(number, [block_to_fields(block) for block in one.document.blocks])
            store.finish_document(number, format_="pdf", unit="page", pages=one.document.pages, sha256="", info={})
            chosen = set(choose_passages(store, number, question, int(PROMPT_TOKENS * PASSAGES_SHARE), count))
            there += len(one.blocks[wanted])
            shown += sum(block in chosen for block, _ in one.blocks[wanted])
        yield Row(f"planted {wanted} that stand in passages", shown, "of them", there)
    database.close()


def by_starter(planted: Planted, ours: OurEngine) -> Iterator[Row]:
    """A document read whole by the starter, section by section: what it finds, and what of it is right."""
    for wanted in (QuestionScope.DATES, QuestionScope.LIST):
        begun_s = time.monotonic()
        events = list_all([planted.document], QUESTIONS[wanted], ours.client, MemorySteps(), CancelToken())
        summary = next(event.summary for event in events if isinstance(event, SurveyListed))
        said = " ".join(one.text for one in summary.statements)
        found = sum(what in said for _, what in planted.blocks[wanted])
        yield Row(
            f"planted {wanted} that the starter finds, reading all", found, "of them", len(planted.blocks[wanted])
        )
        right = sum(_is_right(one.text, wanted) for one in summary.statements)
        yield Row(f"entries of the starter that are {wanted}", right, "of them", len(summary.statements) or None)
        yield Row(f"time for {wanted}", round(time.monotonic() - begun_s), "s")
        print(*(one.text for one in summary.statements[:40]), sep="\n", file=sys.stderr)


def _is_right(text: str, wanted: QuestionScope) -> bool:
    return bool(find_dates(text)) if wanted is QuestionScope.DATES else any(name in text for name in NAMES)
