"""An embedding model for one command of the terminal: it makes the vectors of its documents, and ranks with them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.catalogue import tr
from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.core.paths import AppPaths
from app.core.settings import load_settings
from app.features.error_messages import sentence_for
from app.features.models.model_engines import build_engine, build_pool
from app.store.document_store import DocumentStore

if TYPE_CHECKING:
    from app.features.retrieval.passage_embedder import PassageEmbedder

NONE = "none"
WITHOUT_IT = "Searching without it."
PATIENCE_S = 60.0
"""Long wait for the model: without a window, nobody would prefer an earlier answer without it."""


def add_model_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passage-model", metavar="FILE", default="",
        help=tr(
            "an embedding model that finds passages by meaning; default: the one chosen in the "
            "window, if any; “none” for no model"
        ),
    )  # fmt: skip


@contextmanager
def passage_model(paths: AppPaths, wanted: str, cancel: CancelToken) -> Iterator[PassageModel]:
    """Yield the named model, or the window's, for the block."""
    path = wanted or load_settings(paths.settings)[0].models.passages_path
    # Nothing is loaded until a document is prepared; the stack closes what was.
    with ExitStack() as stack:
        yield PassageModel(paths, None if path in ("", NONE) else Path(path), cancel, stack)


class PassageModel:
    """Embedding model of a command; does nothing without one.

    One that can't be used is reported once, and ranking continues without it.
    """

    def __init__(self, paths: AppPaths, path: Path | None, cancel: CancelToken, stack: ExitStack) -> None:
        self._paths, self._path, self._cancel, self._stack = paths, path, cancel, stack
        self._embedder: PassageEmbedder | None = None

    def prepare(self, store: DocumentStore, document_ids: Sequence[int]) -> None:
        """Make the documents' vectors, reporting progress."""
        if self._path is None:
            return
        embedder = self._make_embedder()
        for document_id in document_ids:
            # Without the window nothing else is waiting: only these are made.
            embedder.prioritize_document(store, document_id)
        try:
            told = ""
            for progress in embedder.index(None, self._cancel):
                share = progress.done / max(1, progress.total)
                words = tr("Preparing {name}: {share:.0%}", name=progress.name, share=share)
                # Elsewhere than on a terminal a changing line is many lines.
                if words != told and sys.stderr.isatty():
                    print(f"\r{words}", end="", file=sys.stderr, flush=True)
                told = words
            if told and sys.stderr.isatty():
                print(file=sys.stderr)
        except AppError as error:
            print(f"{sentence_for(error).text} {tr(WITHOUT_IT)}", file=sys.stderr)
            # Told once; all that follows is ranked by words alone.
            self._path = None

    def rank(self, store: DocumentStore, document_id: int, question: str, limit: int) -> list[list[int]]:
        """Rank as `PassageEmbedder.rank`."""
        return self._make_embedder().rank(store, document_id, question, limit) if self._path is not None else []

    def rank_prepared(self, store: DocumentStore, document_id: int, question: str, limit: int) -> list[list[int]]:
        """Rank after making the document's vectors."""
        self.prepare(store, [document_id])
        return self.rank(store, document_id, question, limit)

    def _make_embedder(self) -> PassageEmbedder:
        from app.features.retrieval.passage_embedder import build_embedder

        # Made when first needed, so that a command whose files all fail starts no engine.
        if self._embedder is None:
            engine, settings = build_engine(self._paths), load_settings(self._paths.settings)[0]
            self._stack.callback(engine.close)
            # Its model is the only one, so it stays from one step to the next.
            pool = build_pool(engine, lambda: self._path, lambda: settings, lambda: build_engine(self._paths))
            self._embedder = build_embedder(lambda: self._path, lambda: pool, patience_s=PATIENCE_S)
        return self._embedder
