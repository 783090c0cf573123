"""Questions in other words about real documents (`tests/data/grounded`), and those documents in a store.

The questions were written from the documents before any ranking of them was seen. What is tuned is tuned on the
development sets; the held-out ones only say what it is worth. A passage is known by a phrase of the document.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from app.documents.blocks import block_to_fields
from app.features.retrieval.ranking import ASKING_WORDS
from app.language.language_detection import SMALL_WORDS
from app.language.words import WORD, word_stems
from app.store.document_store import DocumentStore, Fields
from tests.helpers.documents import read

SETS = Path(__file__).resolve().parents[1] / "data" / "grounded"
DEVELOPMENT, HELD_OUT = "development", "held-out"
_SMALL = frozenset(f"{ASKING_WORDS} {' '.join(SMALL_WORDS.values())}".split())


@dataclass(frozen=True)
class AnswerableQuestion:
    """`passage` is a phrase of the block that answers it; `language` that of the question, not of the document."""

    text: str
    passage: str
    language: str


@dataclass(frozen=True)
class UnanswerableQuestion:
    """One that sounds as if the document could answer it, or is about something else altogether."""

    text: str
    is_off_topic: bool


@dataclass(frozen=True)
class QuestionSet:
    """The questions about one document; `split` is `DEVELOPMENT` or `HELD_OUT`."""

    name: str
    document: str
    language: str
    kind: str
    split: str
    answerable: tuple[AnswerableQuestion, ...]
    unanswerable: tuple[UnanswerableQuestion, ...]


def load_question_sets(split: str | None = None) -> list[QuestionSet]:
    """Return all sets, or those of one split, by name."""
    sets = [_question_set(path) for path in sorted(SETS.glob("*.json"))]
    return [question_set for question_set in sets if split in (None, question_set.split)]


def _question_set(path: Path) -> QuestionSet:
    fields = json.loads(path.read_text("utf-8"))
    language = fields["language"]
    answerable = tuple(
        AnswerableQuestion(entry["question"], entry["passage"], entry.get("asked_in", language))
        for entry in fields["answerable"]
    )
    unanswerable = tuple(
        UnanswerableQuestion(entry["question"], bool(entry["off_topic"])) for entry in fields["unanswerable"]
    )
    return QuestionSet(
        path.stem, fields["document"], language, fields["kind"], fields["split"], answerable, unanswerable
    )


def store_document(store: DocumentStore, path: Path) -> int:
    """Read a file as the program does and return the stored document's id."""
    with TemporaryDirectory(prefix="fireside-grounded-") as folder:
        result = read(path, Path(folder))
    id_ = store.begin_document(path, path.stat().st_size, path.stat().st_mtime_ns)
    store.add_blocks(id_, [block_to_fields(block) for block in result.blocks])
    pages = result.done.pages
    return store.finish_document(id_, format_="", unit="page" if pages else "", pages=pages, sha256="", info={}).id


def find_passage(blocks: Sequence[Fields], passage: str) -> set[int]:
    """Return the numbers of the blocks that hold a phrase, however its lines are broken."""
    wanted = _plain(passage)
    return {int(block["id"]) for block in blocks if wanted in _plain(str(block["text"]))}


def count_shared_words(question: str, texts: Sequence[str]) -> int:
    """Return how many telling words a question has in common with its passage, endings aside."""
    telling = " ".join(word for word in WORD.findall(question.casefold()) if word not in _SMALL)
    asked = word_stems(telling)
    return max(sum(_occurs(stem, word_stems(text)) for stem in asked) for text in texts)


def _occurs(stem: str, known: frozenset[str]) -> bool:
    return any(other.startswith(stem) or stem.startswith(other) for other in known)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
