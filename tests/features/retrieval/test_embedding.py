"""Passages by an embedding model: made in the background, paused by answers, gone on with, and never waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from app.core.errors.engine_errors import EngineStopped
from app.core.events import CancelToken, TextDelta
from app.core.gguf import read_beginning
from app.engine.client import EngineClient
from app.engine.contract import Engine
from app.features.retrieval.choosing import choose_passages
from app.features.retrieval.embedding_recipes import recipe_of
from app.features.retrieval.passage_embedder import BATCH_PASSAGES, IndexProgress, PassageEmbedder, model_key
from app.store.attachments import Attachments
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.helpers.engine import load, scripted_client, user
from tests.helpers.gguf_files import header

LIMIT = 20
FILLER = "mmm uuu ccc"
"""Words without one of the letters that the scripted model counts."""


def write_gguf(path: Path, name: str) -> Path:
    path.write_bytes(header({"general.architecture": "bert", "general.name": name}))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_gguf(tmp_path / "e5-tiny.gguf", "E5 tiny")


@pytest.fixture
def engine(tmp_path: Path, model: Path) -> Iterator[EngineClient]:
    script = {"load": {"any_path": True, "can_chat": False, "trained_context_tokens": 512}, "log": "log"}
    client = scripted_client(tmp_path / "engine", script)
    yield client
    client.close()


class Child:
    """Opens the engine as the program does, and says how often."""

    def __init__(self, engine: EngineClient) -> None:
        self.engine, self.opened = engine, 0

    @contextmanager
    def open(self, path: Path, cancel: CancelToken) -> Iterator[Engine | None]:
        self.opened += 1
        if self.engine.loaded is None:
            load(self.engine, path)
        yield self.engine if not cancel.cancelled else None

    def is_loaded(self, path: Path) -> bool:
        return self.engine.loaded is not None


def embedder_of(
    engine: EngineClient, model: Path | None, **options: Callable[[], bool]
) -> tuple[PassageEmbedder, Child]:
    child = Child(engine)
    return PassageEmbedder(lambda: model, child.open, is_loaded=child.is_loaded, **options), child


def attached(store: DocumentStore, texts: list[str], *, headings: tuple[str, ...] = ()) -> int:
    id_ = store.begin_document(Path("/a.txt"), 1, 1)
    fields = [
        {"id": number, "kind": "paragraph", "page": None, "text": text, "heading_path": list(headings)}
        for number, text in enumerate(texts, 1)
    ]
    store.add_blocks(id_, fields)
    document = store.finish_document(id_, format_="text", unit="", pages=0, sha256="", info={}).id
    Attachments(store._database).add_to_draft(None, document)
    return document


def events(embedder: PassageEmbedder, store: DocumentStore) -> list[IndexProgress]:
    return list(embedder.index(store, CancelToken()))


def test_a_passage_without_a_word_in_common_is_found_by_the_model(
    store: DocumentStore, engine: EngineClient, model: Path
) -> None:
    texts = [f"{FILLER} {number}" for number in range(60)]
    texts[41] = "zoo zoo zoo"  # two of the letters that are counted, as in the question
    document = attached(store, texts)
    embedder, _ = embedder_of(engine, model)
    told = events(embedder, store)
    assert [one.done for one in told] == [0, *range(BATCH_PASSAGES, 60, BATCH_PASSAGES), 60]
    assert told[-1].total == 60
    found = embedder.rank(store, document, "Ooo?", LIMIT)
    assert found[0][0] == 42
    words = lambda texts: [len(text.split()) for text in texts]  # noqa: E731
    assert 42 in choose_passages(store, document, "Ooo?", 60, words, by_model=found)
    assert 42 not in choose_passages(store, document, "Ooo?", 60, words)


def test_texts_are_framed_as_the_family_wants_and_have_their_headings_but_no_contents(
    store: DocumentStore, engine: EngineClient, model: Path, tmp_path: Path
) -> None:
    document = attached(store, ["Cool it.", "Kiln . . . . . . . . 12", "12.5"], headings=("A", "Kilns", "Cooling"))
    embedder, _ = embedder_of(engine, model)
    events(embedder, store)
    embedder.rank(store, document, "How long?", LIMIT)
    asked = (tmp_path / "engine" / "log").read_text("utf-8")
    assert '"passage: Kilns\\nCooling\\nCool it."' in asked
    assert '"query: How long?"' in asked
    assert asked.count("passage: ") == 1


def test_what_was_made_stays_and_the_rest_follows_after_a_stop(
    store: DocumentStore, engine: EngineClient, model: Path
) -> None:
    document = attached(store, [f"tea {number}" for number in range(3 * BATCH_PASSAGES)])
    embedder, _ = embedder_of(engine, model)
    cancel = CancelToken()
    for told in embedder.index(store, cancel):
        if told.done == BATCH_PASSAGES:
            cancel.cancel()
    assert len(store.vectors.block_numbers(document, model_key(model))) == BATCH_PASSAGES
    assert embedder.rank(store, document, "tea", LIMIT) == [], "not before it has all: the rest would be hidden"
    assert [one.done // BATCH_PASSAGES for one in events(embedder, store)] == [1, 2, 3]
    assert embedder.rank(store, document, "tea", LIMIT) != []
    assert events(embedder, store) == []


def test_an_answer_goes_first(store: DocumentStore, engine: EngineClient, model: Path) -> None:
    attached(store, ["tea"] * 3 * BATCH_PASSAGES)
    answering = threading.Event()
    embedder, _ = embedder_of(engine, model, is_answering=answering.is_set)
    steps = embedder.index(store, CancelToken())
    assert next(steps).done == 0
    assert next(steps).done == BATCH_PASSAGES
    answering.set()
    paused = next(steps)
    assert (paused.done, paused.is_paused) == (BATCH_PASSAGES, True)
    answering.clear()
    assert [(one.done, one.is_paused) for one in steps] == [(2 * BATCH_PASSAGES, False), (3 * BATCH_PASSAGES, False)]


def test_a_changed_file_makes_them_again_and_no_model_leaves_none(
    store: DocumentStore, engine: EngineClient, model: Path
) -> None:
    document = attached(store, ["tea"])
    events(embedder_of(engine, model)[0], store)
    before = model_key(model)
    write_gguf(model, "E5 tiny, second edition")
    embedder, _ = embedder_of(engine, model)
    assert embedder.rank(store, document, "tea", LIMIT) == []
    assert [one.done for one in events(embedder, store)] == [0, 1]
    assert store.vectors.block_numbers(document, before) == set()
    assert events(embedder_of(engine, None)[0], store) == []
    assert store.vectors.block_numbers(document, model_key(model)) == set()


def test_a_question_wakes_the_model_and_goes_on_without_it_in_time(
    store: DocumentStore, engine: EngineClient, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = attached(store, ["tea"])
    embedder, child = embedder_of(engine, model)
    wanted: list[int] = []
    embedder.on_wanted = lambda: wanted.append(1)
    assert embedder.rank(store, document, "tea?", LIMIT) == [], "it has no vectors yet"
    assert wanted == [1]
    events(embedder, store)
    engine.unload()
    opened = child.opened
    assert embedder.rank(store, document, "tea?", LIMIT) == []  # at once: nobody is there to bring the model
    embedder.is_served = True
    monkeypatch.setattr("app.features.retrieval.passage_embedder.QUESTION_S", 0.1)
    assert embedder.rank(store, document, "tea?", LIMIT) == []
    assert (len(wanted), child.opened) == (3, opened), "who waits does not load"
    assert events(embedder, store) == []  # nothing is missing, but the model is awaited
    assert engine.loaded is not None
    assert embedder.rank(store, document, "tea?", LIMIT) == [[1]]
    engine.unload()
    assert embedder.rank(store, document, "tea?", LIMIT) == [[1]], "the same question is not asked again"


def test_documents_of_a_temporary_chat_have_vectors_as_long_as_it_is_there(
    store: DocumentStore, engine: EngineClient, model: Path
) -> None:
    embedder, _ = embedder_of(engine, model)
    passing = Database.in_memory()
    temporary = DocumentStore(passing)
    document = attached(temporary, ["tea"] * 2 * BATCH_PASSAGES)
    assert embedder.rank(temporary, document, "tea", LIMIT) == []
    assert events(embedder, store)[-1].document_id == document
    assert embedder.rank(temporary, document, "tea", LIMIT) != []
    assert store.vectors.unfinished_documents("") == []
    another = attached(temporary, ["tea"] * 2 * BATCH_PASSAGES)
    embedder.rank(temporary, another, "tea", LIMIT)
    steps = embedder.index(store, CancelToken())
    assert next(steps).document_id == another
    passing.close()  # the chat is left
    assert list(steps) == []


def test_a_child_that_ends_is_opened_again(store: DocumentStore, engine: EngineClient, model: Path) -> None:
    attached(store, ["tea"] * 2 * BATCH_PASSAGES)
    child = Child(engine)
    failures = [EngineStopped(None, ""), EngineStopped(None, "")]

    def open_engine(path: Path, cancel: CancelToken) -> AbstractContextManager[Engine | None]:
        if failures:
            raise failures.pop()
        return child.open(path, cancel)

    embedder = PassageEmbedder(lambda: model, open_engine, is_loaded=child.is_loaded)
    assert events(embedder, store)[-1].done == 2 * BATCH_PASSAGES
    attached(store, ["tea"])
    failures[:] = [EngineStopped(None, "")] * 3
    with pytest.raises(EngineStopped):
        events(embedder, store)


def test_the_engine_says_when_somebody_waits_for_an_answer(tmp_path: Path) -> None:
    rule = {"text": "a b c d", "held_after": 1, "until": "go"}
    client = scripted_client(tmp_path / "answers", {"answers": [rule]})
    try:
        load(client)
        assert not client.is_answering
        for is_background in (False, True):
            (tmp_path / "answers" / "go").unlink(missing_ok=True)
            answer = client.generate([user("hello")], background=is_background)
            while not isinstance(next(answer), TextDelta):
                pass
            assert client.is_answering is not is_background
            (tmp_path / "answers" / "go").touch()
            assert list(answer)
            assert not client.is_answering
    finally:
        client.close()


@pytest.mark.parametrize(
    ("name", "file", "question", "passage"),
    [
        ("multilingual-e5-small", "a", "query: q", "passage: q"),
        ("", "multilingual-e5-base-Q8_0", "query: q", "passage: q"),
        ("embeddinggemma-300M", "a", "task: search result | query: q", "title: none | text: q"),
        ("nomic-embed-text-v1.5", "a", "search_query: q", "search_document: q"),
        ("bge-small-en-v1.5", "a", "Represent this sentence for searching relevant passages: q", "q"),
        ("snowflake-arctic-embed-m-v2.0", "a", "query: q", "q"),
        ("granite-embedding-97m-multilingual-r2", "a", "q", "q"),
        ("bge-m3", "a", "q", "q"),
        ("all-MiniLM-L6-v2", "a", "q", "q"),
        ("Tiny", "something.e500", "q", "q"),
    ],
)
def test_each_family_has_its_own_frame(tmp_path: Path, name: str, file: str, question: str, passage: str) -> None:
    path = write_gguf(tmp_path / "a.gguf", name)
    recipe = recipe_of(read_beginning(path.read_bytes()), file)
    assert (recipe.for_question("q"), recipe.for_passage("q")) == (question, passage)
