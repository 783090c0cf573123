"""Sentences with the place where a text states them, labelled by hand, and how well places are found for them.

A row of `tests/data/places` has the name of its text (`tests/benchmarks/quality_texts.py`; in `documents.json` one of
the real documents that `grounded_data.py` fetches), who wrote it, the sentence, and a phrase of the place; "" where the
text does not state it. "0.5B" and "1.5B" are Qwen2.5-Coder models, asked for summaries and answers; "hand" are
sentences in other words, half of them with another number, name or negation. What was tuned was tuned on the texts of
`DEVELOPMENT`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.features.retrieval.citations import sources_of
from app.store.document_store import DocumentStore
from tests.benchmarks.quality_texts import TEXTS

LABELS = Path(__file__).resolve().parents[1] / "data" / "places" / "labels.json"
DEVELOPMENT = frozenset(("harbour", "release", "buecherei", "wasserwerk", "tramway", "escuela"))
BY_HAND = "hand"
SWAPPED_DEVELOPMENT = "sale"
"""The text of `swapped.json` by which the rules were made."""
TEXTS_BY_NAME = {text.name: text.text for text in TEXTS}


@dataclass(frozen=True)
class LabelledSentence:
    """`phrase` is of the sentence or the block that states it, "" where nothing does."""

    document: str
    writer: str
    text: str
    phrase: str

    @property
    def is_development(self) -> bool:
        """Whether the rules may have been fitted to it."""
        return self.document in DEVELOPMENT


@dataclass(frozen=True)
class PlaceScore:
    """Places that were given, how many of them are right, and how many sentences are stated."""

    given: int
    right: int
    stated: int
    wrong: tuple[str, ...]

    @property
    def precision(self) -> float:
        """The share of the given places that are right."""
        return self.right / self.given if self.given else 1.0

    @property
    def recall(self) -> float:
        """The share of the stated sentences that got their place."""
        return self.right / self.stated if self.stated else 1.0


def load_labels(name: str = "labels") -> list[LabelledSentence]:
    """Return all labelled sentences of a file."""
    return [LabelledSentence(*row) for row in json.loads(LABELS.with_name(f"{name}.json").read_text("utf-8"))]


def load_swapped() -> tuple[dict[str, str], list[LabelledSentence]]:
    """Return texts, and sentences that reorder one of theirs, or let two in it change places: who sold to whom."""
    found = json.loads(LABELS.with_name("swapped.json").read_text("utf-8"))
    return found["documents"], [LabelledSentence(*row) for row in found["sentences"]]


def store_texts(store: DocumentStore, texts: Mapping[str, str] = TEXTS_BY_NAME) -> dict[str, int]:
    """Store all texts, a paragraph a block, and return their ids by name."""
    ids = {}
    for name, text in texts.items():
        id_ = store.begin_document(Path(f"/{name}.md"), 1, 1)
        paragraphs = enumerate(text.split("\n\n"), 1)
        store.add_blocks(id_, [{"id": n, "kind": "paragraph", "page": 1, "text": part} for n, part in paragraphs])
        ids[name] = store.finish_document(id_, format_="md", unit="page", pages=1, sha256="", info={}).id
    return ids


def score_places(store: DocumentStore, ids: dict[str, int], sentences: Sequence[LabelledSentence]) -> PlaceScore:
    """Look for each sentence's place in all texts together."""
    given, right, wrong = 0, 0, list[str]()
    for sentence in sentences:
        sources = sources_of(sentence.text, list(ids.values()), store)
        if not sources:
            continue
        given += 1
        source = sources[0]
        block = str(store.some_blocks(source.document_id, [source.block_id])[0]["text"])
        at = block.find(sentence.phrase) if sentence.phrase else -1
        is_there = source.document_id == ids[sentence.document] and at >= 0
        if is_there and at < source.end and source.start < at + len(sentence.phrase):
            right += 1
        else:
            wrong.append(f"{sentence.text} -> {block[source.start : source.end]}")
    return PlaceScore(given, right, sum(bool(sentence.phrase) for sentence in sentences), tuple(wrong))
