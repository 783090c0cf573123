"""`search FILE… -q QUESTION` in the terminal: find the passages that answer a question, without a model."""

from __future__ import annotations

import argparse
import sys
import textwrap
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from app.cli import terminal
from app.cli.input_files import InputFiles, files_of
from app.cli.passage_model import add_model_argument, passage_model
from app.core.catalogue import tr
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass
from app.core.paths import AppPaths
from app.features.document_frames import page_mark
from app.features.document_library import build_documents
from app.features.retrieval.joined import JOINED, JoinedDocuments
from app.features.retrieval.ranking import MOST_RANKED, rank_with_scores
from app.store.database import Database
from app.store.document_store import DocumentStore, StoredDocument

TOP = 5
SCORE_DIGITS = 4
WIDTH = 100
INDENT = " " * 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", metavar="FILE", type=Path, nargs="+", help=tr("documents or folders to search together")
    )
    parser.add_argument(
        "-q", "--question", metavar="QUESTION", action="append", required=True, type=_parse_question,
        help=tr("what to look for, in your own words; can be given several times"),
    )  # fmt: skip
    parser.add_argument(
        "--top", metavar="N", type=terminal.parse_positive, default=TOP,
        help=tr(
            "number of passages for each question, best first; default: {default}, at most {most}",
            default=TOP, most=MOST_RANKED,
        ),
    )  # fmt: skip
    add_model_argument(parser)
    terminal.add_password(parser)
    parser.add_argument(
        "--json", action="store_true",
        help=tr(
            "print one JSON object; score is the mean reciprocal rank by words and by meaning, 1 for "
            "first in both"
        ),
    )  # fmt: skip
    parser.set_defaults(run=run_search)


def _parse_question(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError(tr("must not be empty"))
    return text.strip()


def _load_ranking() -> None:
    """Load what ranking takes a moment for."""
    # The rules by which missing answers are told, compiled when imported.
    import app.features.retrieval.absence  # noqa: F401
    from app.language.static_embeddings import load_table

    load_table()


def run_search(options: argparse.Namespace) -> int:
    """Run `search`: reads the files each time and stores nothing of them."""
    loading = threading.Thread(target=_load_ranking, name="ranking")
    loading.start()  # a child reads meanwhile
    places = AppPaths.from_environment()
    with terminal.interruptible_token() as cancel, closing(Database.in_memory()) as database:
        inputs = InputFiles(build_documents(places, database), options.password, cancel)
        # Nothing is stored: another run reads the files again.
        inputs.read_all(files_of(options.files))
        if cancel.cancelled:
            return terminal.INTERRUPTED
        if not inputs.documents:
            return 1
        documents = {document.id: document for document in inputs.documents}
        # Only here: without a document nobody waits for it.
        loading.join()
        from app.features.retrieval.absence import has_answer

        # All documents are ranked as one, so that passages of different files compare.
        store = JoinedDocuments(database, list(documents))
        with passage_model(places, options.passage_model, cancel) as model:
            model.prepare(DocumentStore(database), list(documents))
            by_model = {question: model.rank(store, JOINED, question, MOST_RANKED) for question in options.question}
        results: list[tuple[str, list[_RankedPassage]]] = []
        for question in options.question:
            results.append((question, _find_passages(store, question, by_model[question], documents)[: options.top]))
            # None means that nobody can say; only a clear no is told.
            if has_answer(store, JOINED, question) is False:
                # On standard error, since the passages nearest to it are told all the same.
                print(tr("No passage seems to answer “{question}”.", question=question), file=sys.stderr)
            if cancel.cancelled:
                return terminal.INTERRUPTED
        if options.json:
            listed = [
                {"question": asked, "passages": [passage.fields() for passage in found]} for asked, found in results
            ]
            terminal.print_json({"results": listed, "errors": inputs.errors})
        else:
            print("\n\n".join(_as_text(question, passages) for question, passages in results))
    return 0


@dataclass(frozen=True)
class _RankedPassage:
    """A block that fits a question. `score` is the mean of its reciprocal ranks: 1 is the first in every ranking."""

    document: StoredDocument
    page: int | None
    text: str
    score: float

    def fields(self) -> dict[str, Any]:
        # Rounded for readers; ties are decided before by the ranking.
        score = round(self.score, SCORE_DIGITS)
        return {"file": self.document.name, "page": self.page, "text": self.text, "score": score}


def _find_passages(
    store: JoinedDocuments, question: str, by_model: Sequence[Sequence[int]], documents: dict[int, StoredDocument]
) -> list[_RankedPassage]:
    found = []
    for block, score in rank_with_scores(store, JOINED, question, by_model):
        document_id, _ = store.origin_of(int(block["id"]))
        found.append(_RankedPassage(documents[document_id], block["page"], str(block["text"]), score))
    return found


def _as_text(question: str, passages: Sequence[_RankedPassage]) -> str:
    """Format the question and the passages, each below its place."""
    parts = [question]
    for number, passage in enumerate(passages, 1):
        place = join_entries(filter(None, [passage.document.name, page_mark(passage.document.unit, passage.page)]))
        lines = [
            line
            for part in passage.text.splitlines()
            # A blank line would vanish in wrapping, and paragraphs with it.
            for line in textwrap.wrap(part, WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
        ]
        parts.append("\n".join([f"{number}. {place}", *(f"{INDENT}{line}" for line in lines)]))
    if not passages:
        parts.append(INDENT + tr("No passage has a word in common with the question."))
    return "\n\n".join(parts)
