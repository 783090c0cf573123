"""A claim checker in the engine's child: its logits are those of ModernBERT, and its spans the text's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.core.child import own_command
from app.core.errors.request_errors import CheckingUnavailable, PromptTooLong
from app.core.gguf import check_model
from app.engine.client import EngineClient
from app.engine.llama.llama_library import open_library
from app.engine.llama.model import load_model
from app.engine.llama.token_classifier import ClassificationBrokenOff, TokenClassifier, spans_of
from app.features.claim_checker.conversion import convert_checker, read_safetensors
from tests.helpers.engine import load
from tests.helpers.tiny_checker import CONTEXT_TOKENS, encode_pair, make_checker, reference_logits
from tests.helpers.tiny_models import make_tiny

SOURCE = "the kiln of Lindvik was fired in 1901, and then again in the winter of 1903. " * 2
CLAIM = "The kiln was fired in 1901 by Jürgen “the potter” 🙂 again."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checker(tmp_path_factory.mktemp("checker"))


@pytest.fixture(scope="module")
def checker(folder: Path) -> Iterator[EngineClient]:
    client = EngineClient(own_command("--engine-worker"), folder / "engine")
    load(client, convert_checker(folder, folder / "checker.gguf"))
    yield client
    client.close()


def test_the_labels_are_those_of_the_same_network_computed_without_llama_cpp(
    checker: EngineClient, folder: Path
) -> None:
    """The reference rounds GELU to 16 bits as llama.cpp's table does; without that single tokens differ by 0.002."""
    tokens, text = encode_pair(SOURCE, CLAIM)
    wanted = reference_logits(read_safetensors(folder / "model.safetensors"), tokens)[text]
    labels = checker.classify_tokens(SOURCE, CLAIM)
    found = np.array(labels.logits).reshape(-1, labels.labels)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-3
    assert np.abs(wanted).max() > 1, "there is something to be wrong about"


def test_reading_is_broken_off_in_the_middle_and_begins_again(folder: Path) -> None:
    path = convert_checker(folder, folder / "cancelled.gguf")
    library = open_library()
    model = load_model(library, str(path), check_model(path), 0, tell=lambda _: None, cancelled=bool)
    assert model is not None
    asked: list[bool] = []
    until = [20]

    def is_cancelled() -> bool:
        asked.append(True)
        return len(asked) > until[0]

    classifier = TokenClassifier(library, model, threads=1, size_tokens=CONTEXT_TOKENS, is_cancelled=is_cancelled)
    try:
        tokens, _ = encode_pair(SOURCE, CLAIM)
        with pytest.raises(ClassificationBrokenOff):
            classifier.label_logits(tokens)
        broken_off = len(asked)
        asked.clear()
        until[0] = 1_000_000
        assert len(classifier.label_logits(tokens)) == len(tokens)
        assert broken_off < len(asked), "most of the layers were left out"
    finally:
        classifier.free()
        model.free()


def test_tokens_cover_the_text_from_beginning_to_end(checker: EngineClient) -> None:
    labels = checker.classify_tokens(SOURCE, CLAIM)
    assert (labels.starts[0], labels.ends[-1]) == (0, len(CLAIM))
    assert all(start <= end for start, end in zip(labels.starts, labels.ends, strict=True))
    assert "".join(CLAIM[start:end] for start, end in zip(labels.starts, labels.ends, strict=True)).startswith("The ki")


def test_places_are_told_in_characters_also_of_a_letter_in_two_tokens() -> None:
    assert spans_of("a b", [b"a", b" b"]) == ((0, 1), (1, 3))
    assert spans_of("\u00fcx", [b"\xc3", b"\xbc", b"x"]) == ((0, 0, 1), (1, 1, 2))


def test_what_is_too_long_is_refused_and_a_model_that_chats_marks_nothing(
    checker: EngineClient, tmp_path: Path
) -> None:
    with pytest.raises(PromptTooLong) as refused:
        checker.classify_tokens("long " * 600, CLAIM)
    assert refused.value.context_tokens == CONTEXT_TOKENS
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    try:
        load(client, make_tiny("llama", tmp_path / "chats.gguf"))
        with pytest.raises(CheckingUnavailable):
            client.classify_tokens("a", "b")
    finally:
        client.close()
