"""Passages found by an embedding model in the engine's child: English documents, beside words and the built-in table.

The model is all-MiniLM-L6-v2 (F16), which the program never ships; what is offered is larger and knows more languages.
`tests/engine/llama/test_embedding.py` compares its vectors with a plain pass through the weights.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from comparing import progress
from grounded_data import grounded_folder
from run import Row

from app.core.child import own_command
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.engine.contract import Engine
from app.engine.protocol import Wish
from app.features.retrieval.passage_embedder import PassageEmbedder
from app.features.retrieval.ranking import MOST_RANKED, rank_blocks
from app.store.attachments import Attachments
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.helpers.grounded import count_shared_words, find_passage, load_question_sets, store_document

BY_NAME_ONLY = True
"""It takes some minutes of two cores."""
FIRSTS = (1, 5, 12)
WAYS = ("words and table", "model", "joined")
PAGES = 100
MOST_S = 30.0
CONTEXT_TOKENS = 512
MODEL = Path.home() / ".cache" / "fireside" / "models" / "all-MiniLM-L6-v2-F16.gguf"


def rows() -> Iterator[Row]:
    """Recall, then the cost of 100 pages."""
    if not MODEL.is_file():
        progress("all-MiniLM-L6-v2 is not there: packaging/setup/embedding_model.py makes it")
        return
    folder = grounded_folder()
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch, closing(Database.in_memory()) as database:
        engine = EngineClient(own_command("--engine-worker"), Path(scratch) / "engine")
        try:
            yield from _rows(DocumentStore(database), Attachments(database), folder, engine)
        finally:
            engine.close()


def _rows(store: DocumentStore, attachments: Attachments, folder: Path, engine: EngineClient) -> Iterator[Row]:
    @contextmanager
    def opened(path: Path, _cancel: CancelToken) -> Iterator[Engine]:
        if engine.loaded is None:
            list(engine.load(path, Wish(context_tokens=CONTEXT_TOKENS)))
        yield engine

    embedder = PassageEmbedder(lambda: MODEL, opened, is_loaded=lambda _: engine.loaded is not None)
    places: dict[bool, list[dict[str, int]]] = {False: [], True: []}
    costs: list[tuple[float, int]] = []
    for question_set in load_question_sets():
        path = folder / question_set.document
        if question_set.language != "en" or not path.is_file():
            continue
        progress(question_set.name)
        document_id = store_document(store, path)
        attachments.add_to_draft(None, document_id)
        began_s, spent_s = time.monotonic(), _processor_s(engine)
        for _ in embedder.index(store, CancelToken()):
            pass
        document = store.get(document_id)
        if document is not None and document.unit == "page":
            costs.append((time.monotonic() - began_s, document.pages))
            progress(f"{_processor_s(engine) - spent_s:.1f} s of processor time for {document.pages} pages")
        blocks = store.read_blocks(document_id)
        texts = {int(block["id"]): str(block["text"]) for block in blocks}
        for question in question_set.answerable:
            wanted = find_passage(blocks, question.passage)
            if wanted and question.language == "en":
                shared = count_shared_words(question.text, [texts[number] for number in wanted])
                places[shared >= 2].append(_places(embedder, store, document_id, question.text, wanted))
    yield from _recall_rows("all", [*places[False], *places[True]])
    yield from _recall_rows("at most one shared word", places[False])
    yield from _recall_rows("two shared words or more", places[True])
    for seconds, pages in costs:
        yield Row(f"{PAGES} pages", round(seconds * PAGES / pages, 1), "s", MOST_S, f"{pages} pages", at_most=1.0)


def _places(
    embedder: PassageEmbedder, store: DocumentStore, document_id: int, question: str, wanted: set[int]
) -> dict[str, int]:
    by_model = embedder.rank(store, document_id, question, MOST_RANKED)
    ways = {
        "words and table": [int(block["id"]) for block in rank_blocks(store, document_id, question)],
        "model": by_model[0] if by_model else [],
        "joined": [int(block["id"]) for block in rank_blocks(store, document_id, question, by_model)],
    }
    return {
        way: next((place for place, number in enumerate(ranked, 1) if number in wanted), 0)
        for way, ranked in ways.items()
    }


def _recall_rows(name: str, places: Sequence[dict[str, int]]) -> Iterator[Row]:
    for first in FIRSTS if places else ():
        shares = [statistics.fmean(0 < each[way] <= first for each in places) for way in WAYS]
        before, model, joined = (round(share, 3) for share in shares)
        note = f"by the model alone {model}; {len(places)} questions"
        yield Row(f"{name}: recall@{first}, joined", joined, "share", before, note)


def _processor_s(engine: EngineClient) -> float:
    if engine.pid is None or sys.platform != "linux":
        return 0.0
    fields = Path(f"/proc/{engine.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
