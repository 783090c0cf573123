"""Rank passages with the chosen embedding model: vectors of passages in the background, of questions on demand.

The model runs in its own child, which also serves API clients' embeddings. A question never waits long: without its
vector in time, words and the static table rank alone.
"""

from __future__ import annotations

import itertools
import logging
import re
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import EngineStopped
from app.core.errors.request_errors import PromptTooLong
from app.core.events import CancelToken, LinkedToken
from app.core.gguf import GgufProblem, read_beginning
from app.core.lazy_dataclasses import dataclass
from app.engine.contract import EmbeddingVectors, Engine
from app.features.models.model_pool import EMBEDDING_TOKENS, LeaseTerms
from app.features.models.pool_policy import LeasePriority
from app.features.retrieval.embedding_recipes import PLAIN, EmbeddingRecipe, recipe_of
from app.features.retrieval.meaning import text_with_headings
from app.store.document_store import DocumentStore, Fields

if TYPE_CHECKING:
    import numpy as np

    from app.core.settings import Settings
    from app.features.models.model_pool import ModelPool

    Floats = np.ndarray[Any, np.dtype[np.float32]]

log = logging.getLogger(__name__)

OpenEngine = Callable[[Path, CancelToken], AbstractContextManager[Engine | None]]
"""An engine with that model, as long as the context lasts; None when cancelled."""

# A question never waits long: without its vector in time, words and the static table rank alone.
QUESTION_S = 2.0
"""Longest wait for a question's vector."""
LOOK_EVERY_S = 0.05
# Small: a batch that gives way to an answer is made again from its beginning.
BATCH_PASSAGES = 16
# What the smaller models were trained on. The rest of a longer one counts by its words.
MOST_TOKENS = 512
"""Of a passage."""
SPARE_TOKENS = 8
"""For the marks that a model puts around a text."""
# Before tokens are counted: a page without blanks would be counted whole.
MOST_CHARACTERS = 4_000
KEPT_QUESTIONS = 64
# Enough for a header's own fields; its vocabulary, which takes megabytes, is not needed.
HEADER_BYTES = 256 * 1024
# A document on which the child crashes would otherwise be tried for ever.
ATTEMPTS = 3
"""Attempts per document after the child crashed."""
RECIPES_VERSION = 1
"""Goes up when the same model would make other vectors of the same document."""
# The dots between a title and its page.
_CONTENTS = re.compile(r"(?:\. ?){5}|…{3}|(?:_ ?){5}|(?:· ?){5}")


@dataclass(frozen=True)
class IndexProgress:
    """Progress of a document's vectors; `is_paused` while someone is being answered."""

    document_id: int
    name: str
    done: int
    total: int
    documents_left: int
    is_paused: bool = False


class DeadlineToken(CancelToken):
    """Token that cancels itself after a time."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._until_s = time.monotonic() + seconds

    @property
    def cancelled(self) -> bool:
        # Asked by who works, so no timer is needed.
        return super().cancelled or time.monotonic() >= self._until_s


class YieldingToken(LinkedToken):
    """Token cancelled while other work has priority."""

    def __init__(self, other: CancelToken, must_yield: Callable[[], bool]) -> None:
        super().__init__(other)
        self._must_yield = must_yield

    @property
    def cancelled(self) -> bool:
        return super().cancelled or self._must_yield()


class PassageEmbedder:
    """Owns no thread: run the generator `index` when `on_wanted` says there is work."""

    def __init__(
        self,
        model: Callable[[], Path | None],
        open_engine: OpenEngine,
        *,
        is_loaded: Callable[[Path], bool],
        is_answering: Callable[[], bool] = lambda: False,
        patience_s: float = 0.0,
    ) -> None:
        """`model` returns the chosen model;

        `is_loaded` whether `open_engine` has it at once; `is_answering` whether anyone is being answered.
        `patience_s` is how long a question waits for its vector, if not the default.
        """
        self._model, self._open_engine = model, open_engine
        self._is_loaded, self._is_answering, self._patience_s = is_loaded, is_answering, patience_s
        self.on_wanted: Callable[[], object] = lambda: None
        """Called from any thread: a question needs the model, or a document its vectors."""
        # The terminal runs `index` itself, and no question there may wait for somebody else.
        self.is_served = False
        """True if someone runs `index` when wanted; otherwise no question waits for the model."""
        # Weak: a temporary chat that is left takes its store with it.
        self._wanted: list[tuple[weakref.ref[DocumentStore], int]] = []
        self._is_awaited = False
        self._askers = itertools.count()
        self._asking: set[int] = set()
        self._questions: OrderedDict[tuple[str, str], Floats] = OrderedDict()
        self._lock = threading.Lock()

    def rank(self, store: DocumentStore, document_id: int, question: str, limit: int) -> list[list[int]]:
        """Return one ranking of block ids, best first; none without a vector in time, or if vectors are missing."""
        if (path := self._model()) is None or not question.strip():
            return []
        model = model_key(path)
        # A part of the vectors would rank only that part: none is better.
        if not store.vectors.is_finished(document_id, model):
            self.prioritize_document(store, document_id)
            return []
        vector = self._question_vector(path, model, question)
        return [nearest_blocks(store, document_id, model, vector, limit)] if vector is not None else []

    def index(self, store: DocumentStore | None, cancel: CancelToken) -> Iterator[IndexProgress]:
        """Make the missing vectors of all documents that can be asked about, those that were just asked about first.

        Without `store` only of those that were wanted. Ends when none is missing, or the model is not chosen any more.
        Raises what loading the model raises.
        """
        path = self._model()
        model, failures = model_key(path) if path is not None else "", 0
        # Vectors of models that were chosen before take room and are never read again.
        if store is not None:
            store.vectors.keep_only(model)
        if path is None:
            return
        # Another model may be chosen meanwhile: its vectors are made by another call.
        while not cancel.cancelled and self._model() == path:
            if not (work := self._unfinished_documents(store, model)) and not self._is_awaited:
                return
            try:
                with self._open_engine(path, cancel) as engine:
                    # From here on `is_loaded` is true, and who waits goes on.
                    self._is_awaited = False
                    for place, (kept, number) in enumerate(work if engine is not None else ()):
                        assert engine is not None
                        try:
                            yield from self._index_document(engine, (kept, number), path, len(work) - place, cancel)
                        except Exception:
                            if kept.is_open:  # else a temporary chat was left, and its documents with it
                                raise
                        if self._wanted:  # that goes first
                            break
                failures = 0
            except EngineStopped:  # a server that was switched off, or a crash
                failures += 1
                if failures >= ATTEMPTS:
                    raise

    def _unfinished_documents(self, store: DocumentStore | None, model: str) -> list[tuple[DocumentStore, int]]:
        """Return the documents without all vectors: what was asked about last goes first."""
        with self._lock:
            wanted = [(kept, number) for reference, number in reversed(self._wanted) if (kept := reference())]
            # Taken out before they are made: one that is asked about meanwhile is put in again.
            self._wanted.clear()
        if store is not None:
            wanted += [(store, number) for number in store.vectors.unfinished_documents(model)]
        return [
            (kept, number)
            for kept, number in dict.fromkeys(wanted)
            if kept.get(number) and not kept.vectors.is_finished(number, model)
        ]

    def _index_document(
        self, engine: Engine, wanted: tuple[DocumentStore, int], path: Path, left: int, cancel: CancelToken
    ) -> Iterator[IndexProgress]:
        store, document_id = wanted
        document, model = store.get(document_id), model_key(path)
        if document is None:
            return
        encoder = PassageEncoder(engine, recipe_at(path))
        passages = [
            (int(block["id"]), text_with_headings(block))
            for block in store.every_block(document_id)
            if is_passage(block)
        ]
        # What an earlier run finished is not made again.
        done = store.vectors.block_numbers(document_id, model)
        missing = [passage for passage in passages if passage[0] not in done]
        at, total = 0, len(passages)
        is_paused = False

        def progress() -> IndexProgress:
            return IndexProgress(document_id, document.name, total - len(missing) + at, total, left, is_paused)

        yield progress()
        while at < len(missing) and not cancel.cancelled and self._model() == path:
            batch = missing[at : at + BATCH_PASSAGES]
            vectors = (
                None
                if self._must_yield()
                else encoder.encode([text for _, text in batch], YieldingToken(cancel, self._must_yield))
            )
            if vectors is None:
                if not is_paused and not cancel.cancelled:
                    is_paused = True
                    yield progress()
                # Answers use the same cores; a batch more beside them slows both.
                time.sleep(LOOK_EVERY_S)
                continue
            store.vectors.add(document_id, model, [number for number, _ in batch], vectors)
            at, is_paused = at + len(batch), False
            yield progress()
        if at >= len(missing):
            # Only whole documents are ranked, so the end is written once.
            store.vectors.mark_complete(document_id, model)

    def _must_yield(self) -> bool:
        # An asker's own vector is made by the same child, which does one thing at a time.
        return bool(self._asking) or self._is_answering()

    def prioritize_document(self, store: DocumentStore, document_id: int) -> None:
        """Have the vectors of a document made before others."""
        with self._lock:
            self._wanted.append((weakref.ref(store), document_id))
        self.on_wanted()

    def _question_vector(self, path: Path, model: str, question: str) -> Floats | None:
        """Return a question's vector, or None if it takes more than 2 s."""
        key = (model, question)
        if key in self._questions:
            return self._questions[key]
        # Each asker has a number, since several threads may ask at once.
        deadline, asker = DeadlineToken(self._patience_s or QUESTION_S), next(self._askers)
        if not self._is_loaded(path):
            # Keeps `index` from ending because no document lacks vectors: somebody waits for the model itself.
            self._is_awaited = self.is_served
            self.on_wanted()
            # Loading may take longer than a question should wait; it goes on for the next one.
            while not self._is_loaded(path):
                if deadline.cancelled or not self.is_served:
                    return None
                time.sleep(LOOK_EVERY_S)
        self._asking.add(asker)
        try:
            with self._open_engine(path, deadline) as engine:
                encoder = PassageEncoder(engine, recipe_at(path)) if engine is not None else None
                vectors = encoder.encode_question(question, deadline) if encoder is not None else None
        except AppError as problem:
            # The kind of error alone: its text may have a path.
            log.info("a question got no vector: %s", type(problem).__name__)
            return None
        finally:
            self._asking.discard(asker)
        if vectors is None:
            return None
        # Asked again when the same question is put to the next document.
        self._questions[key] = vectors
        while len(self._questions) > KEPT_QUESTIONS:
            self._questions.popitem(last=False)
        return vectors


class PassageEncoder:
    """Turns texts into vectors, with what their family of models wants before them, cut to what a model can read."""

    def __init__(self, engine: Engine, recipe: EmbeddingRecipe) -> None:
        self._engine, self._recipe = engine, recipe
        loaded = engine.loaded
        trained = loaded.trained_context_tokens if loaded is not None else 0
        # A model may have been trained on fewer tokens than the usual.
        self._most_tokens = min(trained or MOST_TOKENS, MOST_TOKENS) - SPARE_TOKENS

    def encode(self, passages: Sequence[str], cancel: CancelToken) -> Floats | None:
        """Return a row for each passage; None when cancelled."""
        return self._embed_texts([self._recipe.for_passage(text[:MOST_CHARACTERS]) for text in passages], cancel)

    def encode_question(self, question: str, cancel: CancelToken) -> Floats | None:
        """Return the vector of a question; None when cancelled."""
        rows = self._embed_texts([self._recipe.for_question(question[:MOST_CHARACTERS])], cancel)
        return rows[0] if rows is not None else None

    def _embed_texts(self, texts: list[str], cancel: CancelToken) -> Floats | None:
        import numpy as np

        texts = self._cut_texts(texts, cancel)
        if cancel.cancelled:
            return None
        found = self._embed_shorter(texts, cancel)
        # A model may refuse, or answer fewer: half an array must not be reshaped.
        if found is None or not found.width or len(found.numbers) != found.width * len(texts):
            return None
        rows: Floats = np.array(found.numbers, np.float32).reshape(len(texts), found.width)
        return rows

    def _embed_shorter(self, texts: list[str], cancel: CancelToken) -> EmbeddingVectors | None:
        while True:
            try:
                return self._engine.embed(texts, cancel=cancel)
            except PromptTooLong as problem:
                longest = max(map(len, texts))
                # By the share that was too much; at least by half, so that this ends.
                shorter = min(longest // 2, longest * problem.context_tokens // max(1, problem.prompt_tokens))
                if shorter < 1:
                    raise
                texts = [text[:shorter] for text in texts]

    def _cut_texts(self, texts: list[str], cancel: CancelToken) -> list[str]:
        """Cut those that have too many tokens, by their share of letters; short ones are not counted."""
        # A token has a letter at least, so shorter texts cannot have too many.
        long = [place for place, text in enumerate(texts) if len(text) > self._most_tokens]
        if not long:
            return texts
        counts = self._engine.count_texts([texts[place] for place in long], cancel=cancel)
        for place, count in zip(long, counts, strict=True):
            if count > self._most_tokens:
                texts[place] = texts[place][: len(texts[place]) * self._most_tokens // count]
        return texts


def nearest_blocks(store: DocumentStore, document_id: int, model: str, vector: Floats, limit: int) -> list[int]:
    """Return the blocks of a document whose vectors are nearest to one, the nearest first."""
    import numpy as np

    parts = [
        (batch.blocks, batch.vectors @ vector)
        # Batch by batch: 100,000 passages took 230 MB for a question, now 84.
        for batch in store.vectors.read_batches(document_id, model)
        if batch.vectors.shape[1] == len(vector)
    ]
    if not parts:
        return []
    blocks, scores = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    # Stable, so that equal ones keep the document's order.
    return [int(number) for number in blocks[np.argsort(-scores, kind="stable")[:limit]]]


def is_passage(block: Fields) -> bool:
    """Return whether a block can answer anything: it has letters, and is no line of a table of contents."""
    text = str(block["text"])
    return any(map(str.isalpha, text)) and not _CONTENTS.search(text)


def model_key(path: Path) -> str:
    """Return the key vectors are stored under: the model file's name, size and time, and the recipes' version."""
    try:
        stat = path.stat()
    except OSError:
        return path.name
    # A file of the same name that was replaced is another model.
    return f"{path.name} {stat.st_size} {stat.st_mtime_ns} {RECIPES_VERSION}"


def recipe_at(path: Path) -> EmbeddingRecipe:
    """Return a model file's recipe, PLAIN if it is unreadable."""
    return _recipe_of_file(path, model_key(path))


@lru_cache(maxsize=8)
# `_state` is not read: it makes a changed file another entry of the cache.
def _recipe_of_file(path: Path, _state: str) -> EmbeddingRecipe:
    try:
        with path.open("rb") as file:
            # By its beginning alone: nothing of a model's weights is read for a question.
            return recipe_of(read_beginning(file.read(HEADER_BYTES)), path.stem)
    except (OSError, GgufProblem):
        return PLAIN


def chosen_embedder(settings: Settings) -> Path | None:
    """Return the chosen embedding model if its file is there."""
    path = settings.models.passages_path
    return Path(path) if path and Path(path).is_file() else None


def build_embedder(model: Callable[[], Path | None], pool: Callable[[], ModelPool], **options: Any) -> PassageEmbedder:
    """Build the embedder that leases its model as idle work; `options` as in `PassageEmbedder`."""

    def open_engine(path: Path, cancel: CancelToken) -> AbstractContextManager[Engine | None]:
        return pool().lease(path, LeasePriority.IDLE, cancel, LeaseTerms(context_tokens=EMBEDDING_TOKENS))

    return PassageEmbedder(
        model,
        open_engine,
        is_loaded=lambda path: any(Path(model.path) == path for model in pool().loaded),
        is_answering=lambda: pool().broadcast.is_answering,
        **options,
    )
