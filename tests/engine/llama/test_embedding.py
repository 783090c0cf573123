"""Texts as vectors: of length 1, the same alone and in company, and only from models that were made for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.core.child import own_command
from app.core.errors.request_errors import EmbeddingsUnavailable, PromptTooLong
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.features.models.model_pool import needed_bytes
from tests.helpers.bert import NumpyBert, write_tiny_bert, write_tiny_modern_bert
from tests.helpers.engine import load
from tests.helpers.tiny_models import WIDTH, make_tiny

LAST_TOKEN = 3
MINILM = Path.home() / ".cache" / "fireside" / "models" / "all-MiniLM-L6-v2-F16.gguf"


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    folder = tmp_path_factory.mktemp("embedder")
    client = EngineClient(own_command("--engine-worker"), folder / "engine")
    load(client, make_tiny("llama", folder / "embedder.gguf", template="", **{"llama.pooling_type": LAST_TOKEN}))
    yield client
    client.close()


def test_a_vector_is_the_same_alone_and_beside_others(embedder: EngineClient) -> None:
    texts = [f"text number {number} " * number for number in range(1, 40)]
    together = embedder.embed(texts)
    assert together.width == WIDTH
    assert len(list(together.vectors)) == len(texts)
    assert together.prompt_tokens == sum(embedder.count_texts(texts))
    for text, vector in zip(texts[::13], list(together.vectors)[::13], strict=True):
        assert sum(number * number for number in vector) == pytest.approx(1, abs=1e-4)
        assert list(embedder.embed([text]).numbers) == pytest.approx(list(vector), abs=1e-3)
    assert len({tuple(vector) for vector in together.vectors}) == len(texts)


def test_a_text_that_is_too_long_is_refused_with_the_numbers_and_nobody_waits_for_what_nobody_wants(
    embedder: EngineClient,
) -> None:
    with pytest.raises(PromptTooLong) as refused:
        embedder.embed(["short", "long " * 2000])
    assert refused.value.prompt_tokens > refused.value.context_tokens == 2048
    cancel = CancelToken()
    cancel.cancel()
    assert not embedder.embed(["many " * 400] * 400, cancel=cancel).numbers


def test_a_model_that_chats_is_not_asked_for_vectors(tmp_path: Path) -> None:
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    try:
        load(client, make_tiny("llama", tmp_path / "chats.gguf"))
        with pytest.raises(EmbeddingsUnavailable):
            client.embed(["a"])
    finally:
        client.close()


PIECES = ["▁the", "▁kiln", "▁cool", "▁for", "▁two", "▁day", "s", "ing", "▁open", "▁never", "▁it"]
SENTENCES = ("the kiln cools for two days", "never open it", "cooling the kilns", "it")


def assert_same(client: EngineClient, bert: NumpyBert, least: float) -> None:
    """Alone and together, the vectors are those of a plain pass through the same weights."""
    together = list(client.embed(SENTENCES).vectors)
    for sentence, vector in zip(SENTENCES, together, strict=True):
        expected = bert.encode(sentence)
        assert float(np.dot(vector, expected)) > least
        assert float(np.dot(client.embed([sentence]).numbers, expected)) > least


def test_the_vectors_of_a_bert_are_those_of_a_plain_pass_through_its_weights(tmp_path: Path) -> None:
    path = write_tiny_bert(tmp_path / "bert.gguf", PIECES)
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    try:
        load(client, path, context_tokens=64)
        assert_same(client, NumpyBert(path), 0.9999)
    finally:
        client.close()


def test_a_modern_encoder_whose_file_does_not_say_how_it_is_pooled_gives_vectors(tmp_path: Path) -> None:
    path = write_tiny_modern_bert(tmp_path / "granite.gguf", PIECES)
    pooled = write_tiny_modern_bert(tmp_path / "pooled.gguf", PIECES, pooling_type=2)
    assert needed_bytes(path) > path.stat().st_size
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    try:
        load(client, pooled, context_tokens=512)
        expected = list(client.embed(SENTENCES).vectors)
        load(client, path, context_tokens=512)
        together = list(client.embed([*SENTENCES, "the kilns " * 40]).vectors)
        for sentence, vector, same in zip(SENTENCES, together, expected, strict=False):
            assert list(vector) == pytest.approx(list(same), abs=2e-3), "by the family: its first token"
            assert list(client.embed([sentence]).numbers) == pytest.approx(list(vector), abs=2e-3)
        assert len({tuple(vector) for vector in together}) == len(SENTENCES) + 1
    finally:
        client.close()


@pytest.mark.skipif(not MINILM.is_file(), reason="packaging/setup/embedding_model.py was not run")
def test_so_are_those_of_a_real_encoder(tmp_path: Path) -> None:
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    try:
        load(client, MINILM, context_tokens=512)
        assert_same(client, NumpyBert(MINILM), 0.999)
    finally:
        client.close()
