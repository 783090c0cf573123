"""Passages found in other words: real documents in three languages, by words, by meaning, and by both.

Questions and documents: `tests/helpers/grounded.py`. What rankings are worth is told for the development sets, on which
the program was tuned, and for the held-out ones, on which it was not; by language, by document, and by how many telling
words a question shares with its passage. Documents that cannot be had are said and left out.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count, cycle, islice
from pathlib import Path

from absence import absence_rows, excerpt_rows, fit, judge_excerpts, judge_questions, named_documents
from comparing import progress
from grounded_data import grounded_folder
from papers import papers, write_papers
from place_rows import document_place_rows, place_rows, translation_check_rows
from run import Row

from app.features.retrieval.meaning import PassageIndexes, passage_indexes
from app.features.retrieval.ranking import MOST_RANKED, rank_blocks, words_of
from app.language.static_embeddings import join_rankings
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.helpers.grounded import (
    DEVELOPMENT,
    HELD_OUT,
    count_shared_words,
    find_passage,
    load_question_sets,
    store_document,
)

PAPERS = 10
FIRSTS = (1, 5, 12)
MOST_SHARED = 2
LARGE_BLOCKS = 100_000
LARGE_ROUNDS = 20
PAGES_300 = 300


@dataclass(frozen=True)
class Measured:
    """Where a question's passage stands in each ranking, from 1; 0 where it does not."""

    split: str
    document: str
    language: str
    is_crossing: bool
    """Asked in another language than that of the document."""
    shared: int
    places: dict[str, int]


def rows() -> Iterator[Row]:
    """The tables, then what it costs."""
    folder = grounded_folder()
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch, closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        documents = _store_documents(store, folder, Path(scratch))
        measured = _measure(store, documents)
        for split in (DEVELOPMENT, HELD_OUT):
            chosen = [one for one in measured if one.split == split]
            yield from _tables(split, chosen)
        judged, excerpts = judge_questions(store, documents), judge_excerpts(store, documents)
        yield from absence_rows(judged)
        yield from excerpt_rows(excerpts)
        progress(f"weights that fit the development sets: {fit([*judged, *excerpts])}")
        yield from _cost_rows(store, documents)
        yield from document_place_rows(store, documents)
    yield from place_rows()
    yield from translation_check_rows()


def _store_documents(store: DocumentStore, folder: Path, scratch: Path) -> dict[str, int]:
    """The ids of the documents by the names of their files."""
    documents = {}
    for name in sorted({*named_documents(), *(question_set.document for question_set in load_question_sets())}):
        path = folder / name
        if name == "papers.pdf":
            path = write_papers(scratch / name, papers(PAPERS))
        if path.is_file():
            progress(name)
            documents[name] = store_document(store, path)
    return documents


def _measure(store: DocumentStore, documents: dict[str, int]) -> list[Measured]:
    measured = []
    for question_set in load_question_sets():
        if question_set.document not in documents:
            continue
        document_id = documents[question_set.document]
        blocks = store.read_blocks(document_id)
        texts = {int(block["id"]): str(block["text"]) for block in blocks}
        for question in question_set.answerable:
            wanted = find_passage(blocks, question.passage)
            if not wanted:
                progress(f"{question_set.name} no longer holds: {question.passage}")
                continue
            places = {way: _place(ranked, wanted) for way, ranked in _rankings(store, document_id, question.text)}
            shared = count_shared_words(question.text, [texts[number] for number in wanted])
            is_crossing = question.language != question_set.language
            measured.append(
                Measured(question_set.split, question_set.name, question_set.language, is_crossing, shared, places)
            )
    return measured


def _rankings(store: DocumentStore, document_id: int, question: str) -> Iterator[tuple[str, list[int]]]:
    yield "words", [number for _, number, _ in store.rank_blocks([document_id], words_of(question), MOST_RANKED)]
    yield "meaning", join_rankings(passage_indexes().rank(store, document_id, question, MOST_RANKED))
    yield "joined", [int(block["id"]) for block in rank_blocks(store, document_id, question)]


def _place(ranked: Sequence[int], wanted: set[int]) -> int:
    return next((place for place, number in enumerate(ranked, 1) if number in wanted), 0)


def _tables(split: str, measured: Sequence[Measured]) -> Iterator[Row]:
    own = [one for one in measured if not one.is_crossing]
    groups: dict[str, list[Measured]] = {"all": own}
    for language in sorted({one.language for one in own}):
        groups[language] = [one for one in own if one.language == language]
    for shared in range(MOST_SHARED + 1):
        name = f"{shared} shared words" if shared < MOST_SHARED else f"{shared} shared words or more"
        groups[name] = [one for one in own if min(one.shared, MOST_SHARED) == shared]
    for document in sorted({one.document for one in own}):
        groups[document] = [one for one in own if one.document == document]
    groups["asked in another language"] = [one for one in measured if one.is_crossing]
    for name, group in groups.items():
        if group:
            yield from _group_rows(f"{split}, {name}", group)


def _group_rows(name: str, group: Sequence[Measured]) -> Iterator[Row]:
    """Joined beside words; what meaning finds by itself is in the note."""
    measures: dict[str, Callable[[int], float]] = {
        f"recall@{first}": lambda place, first=first: float(0 < place <= first) for first in FIRSTS
    }
    measures["MRR"] = lambda place: 1 / place if place else 0.0
    for measure, score in measures.items():
        words, meaning, joined = (
            round(statistics.fmean(score(one.places[way]) for one in group), 3)
            for way in ("words", "meaning", "joined")
        )
        note = f"by words {words}, by meaning {meaning}; {len(group)} questions"
        yield Row(f"{name}: {measure}, joined", joined, "share", words, note)


# What it costs.


def _cost_rows(store: DocumentStore, documents: dict[str, int]) -> Iterator[Row]:
    largest = max(documents.values(), key=store.block_count)
    document = store.get(largest)
    assert document is not None
    began_s = time.process_time()
    PassageIndexes().rank(store, largest, "What is it about?", MOST_RANKED)
    spent_s = time.process_time() - began_s
    pages = document.pages or 1
    note = f"{pages} pages, {store.block_count(largest)} blocks"
    yield Row("processor time of the vectors of 300 pages", round(spent_s * PAGES_300 / pages, 2), "s", 1.0, note)

    all_blocks = [block for id_ in documents.values() for block in store.read_blocks(id_)]
    id_ = store.begin_document(Path("/large.txt"), 1, 1)
    numbered = zip(count(1), islice(cycle(all_blocks), LARGE_BLOCKS), strict=False)
    store.add_blocks(id_, [{**block, "id": number} for number, block in numbered])
    large = store.finish_document(id_, format_="text", unit="", pages=0, sha256="", info={}).id
    indexes = PassageIndexes()
    tracemalloc.start()
    indexes.rank(store, large, "What is it about?", MOST_RANKED)
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield Row(f"memory of the vectors of {LARGE_BLOCKS:,} blocks", round(kept_bytes / 1e6, 1), "MB", 60.0)
    questions = [question.text for each in load_question_sets() for question in each.answerable][:LARGE_ROUNDS]
    times_ms = []
    for question in questions:
        began_s = time.process_time()
        indexes.rank(store, large, question, MOST_RANKED)
        times_ms.append((time.process_time() - began_s) * 1e3)
    yield Row(f"a question over {LARGE_BLOCKS:,} blocks", round(statistics.median(times_ms), 2), "ms", 1.0)
