"""What is shown of a model while it reads, against computations of our own from the same file."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.child import MAX_LINE_BYTES
from app.core.errors.request_errors import InfillUnavailable, ModelNotInspectable, TooLongToInspect
from app.core.events import Finished, Message, PromptProgress, Role, TextDelta, TokenChosen
from app.core.gguf import check_model
from app.engine.backend import EngineJob
from app.engine.client import EngineClient
from app.engine.llama.inspection import LENS_TOKENS, MOST_ATTENTION_TOKENS, InspectionContext, TensorReader
from app.engine.llama.llama_backend import LlamaBackend
from app.engine.llama.llama_library import open_library
from app.engine.llama.model import Model, load_model
from app.engine.protocol import Ask, Inspect, LoadModel, Sampling, Wish
from app.features.inside.looks import LayersOf, layers_of, read_attention, read_layers
from tests.helpers.engine import load
from tests.helpers.tiny_models import HEAD, HEADS, KV_HEADS, LAYERS, WIDTH

TEXT = "abcabcxyzabcabc"
EPSILON, ROPE_BASE = 1e-5, 10_000.0


@pytest.fixture(scope="module")
def tiny(tiny_model: Callable[[str], Path]) -> Iterator[Model]:
    path = tiny_model("llama")
    model = load_model(open_library(), str(path), check_model(path), 0, tell=lambda _: None, cancelled=bool)
    assert model is not None
    yield model
    model.free()


@pytest.fixture(scope="module")
def look(tiny: Model) -> Iterator[InspectionContext]:
    made = InspectionContext(open_library(), tiny, threads=1, size_tokens=64)
    yield made
    made.free()


def tensor(model: Model, name: str) -> Any:
    weights = TensorReader(open_library(), Path(model.path), model.header)
    found = weights.find_tensor(name)
    assert found is not None
    return np.concatenate(list(weights.read_rows(found)))


def normed(values: Any) -> Any:
    return values / np.sqrt(np.square(values).mean(-1, keepdims=True) + EPSILON)


def turned(values: Any) -> Any:
    """Rotary positions (Su et al., 2021), on neighbouring pairs; `values` are [token, head, number]."""
    places = np.arange(len(values))[:, None]
    angles = places * ROPE_BASE ** (-np.arange(0, HEAD, 2) / HEAD)[None]
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    out = np.empty_like(values)
    out[..., 0::2] = values[..., 0::2] * cos - values[..., 1::2] * sin
    out[..., 1::2] = values[..., 0::2] * sin + values[..., 1::2] * cos
    return out


def test_attention_of_the_first_layer_is_what_the_formula_says(tiny: Model, look: InspectionContext) -> None:
    tokens = tiny.tokenize(TEXT, special=False)
    found = look.read_attention(tokens)
    assert list(found) == list(range(LAYERS))
    shares = np.stack(list(found.values()))
    assert shares.shape == (LAYERS, HEADS, len(tokens), len(tokens))
    assert np.abs(shares.sum(-1) - 1).max() < 1e-3
    assert np.abs(np.triu(shares, 1)).max() == 0
    inner = normed(tensor(tiny, "token_embd.weight")[tokens])
    queries = turned((inner @ tensor(tiny, "blk.0.attn_q.weight").T).reshape(len(tokens), HEADS, HEAD))
    keys = turned((inner @ tensor(tiny, "blk.0.attn_k.weight").T).reshape(len(tokens), KV_HEADS, HEAD))
    keys = keys.repeat(HEADS // KV_HEADS, axis=1)
    scores = np.einsum("qhd,khd->hqk", queries, keys) / math.sqrt(HEAD)
    scores[:, np.triu(np.ones((len(tokens),) * 2, bool), 1)] = -np.inf
    expected = np.exp(scores - scores.max(-1, keepdims=True))
    expected /= expected.sum(-1, keepdims=True)
    assert np.abs(shares[0] - expected).max() < 1e-4


def test_the_last_layer_says_what_the_model_says_and_the_one_below_what_its_head_makes_of_it(
    tiny: Model, look: InspectionContext
) -> None:
    tokens = tiny.tokenize(TEXT, special=False)
    layers = look.read_layers(tokens, 5)
    seen = list(look.read_tokens(tokens, 0, 5))
    assert len(layers) == LAYERS
    for place in range(len(tokens) - 1):
        assert layers[-1][place] == seen[place + 1].alternatives
    stream = look._capture_tensors("l_out-", tokens)[0].reshape(len(tokens), WIDTH)
    logits = normed(stream) @ tensor(tiny, "output.weight").T
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    for row, guesses in zip(shares, layers[0], strict=True):
        best = np.argsort(-row)[:5]
        assert [guess.probability for guess in guesses] == pytest.approx(row[best].tolist(), rel=1e-3)
        assert guesses[0].data == tiny.spell_token(int(best[0]))[0]


def test_probabilities_are_ranked_and_add_up(tiny: Model, look: InspectionContext) -> None:
    tokens = tiny.tokenize(TEXT, special=False)
    first, *others = look.read_tokens(tokens, 0, tiny.vocabulary_size)
    assert (first.rank, first.alternatives) == (-1, ())
    for token in others:
        assert sum(guess.probability for guess in token.alternatives) == pytest.approx(1, abs=1e-4)
        assert token.alternatives[token.rank].probability == pytest.approx(math.exp(token.log_probability))
    for token, alone in zip(others, list(look.read_tokens(tokens, 0, 0))[1:], strict=True):
        assert (alone.rank, alone.alternatives) == (token.rank, ())
        assert alone.log_probability == pytest.approx(token.log_probability, abs=1e-5)


def test_a_long_text_is_seen_in_windows_that_look_back(tiny: Model, look: InspectionContext) -> None:
    tokens = tiny.tokenize("abcdefghij" * 20, special=False)
    seen, start = [], 0
    while start < len(tokens):
        piece = list(look.read_tokens(tokens, start, 0))
        assert piece
        seen += piece
        start += len(piece)
    assert [token.id for token in seen] == tokens
    assert [token.rank >= 0 for token in seen] == [False] + [True] * (len(tokens) - 1)
    alone = InspectionContext(open_library(), tiny, threads=1, size_tokens=64)
    window = list(alone.read_tokens(tokens[64:128], 0, 0))  # the window that tells of the tokens from 96 on
    alone.free()
    ours = [token.log_probability for token in seen[96:128]]
    assert ours == pytest.approx([token.log_probability for token in window[32:]], abs=1e-4)


@pytest.mark.parametrize("kind", ["llama", "sentencepiece", "gemma3", "experts"])
def test_each_kind_of_model_shows_its_attention(
    tiny_model: Callable[[str], Path], engine: EngineClient, kind: str
) -> None:
    load(engine, tiny_model(kind))
    parts: list[bytes] = []
    found = engine.inspect("attention", TEXT, on_attention=parts.append)
    layers, heads, count, _ = found.shape
    shares = np.frombuffer(b"".join(parts), np.float32).reshape(found.shape)
    assert (layers, heads, count) == (LAYERS, HEADS, found.total)
    assert np.abs(shares.sum(-1) - 1).max() < 1e-3
    assert engine.inspect("layers", TEXT, most=2).layers[-1]


@pytest.mark.model
@pytest.mark.slow
def test_the_longest_text_shows_its_attention_in_lines_of_a_layer(starter: Path, engine: EngineClient) -> None:
    load(engine, starter)
    found = read_attention(engine, " one" * MOST_ATTENTION_TOKENS)
    shares = np.asarray(found.shares)
    assert shares.shape == (len(found.layers), found.heads, MOST_ATTENTION_TOKENS, MOST_ATTENTION_TOKENS)
    assert shares.nbytes * 4 / 3 > MAX_LINE_BYTES, "as base64 it is more than a line may have"
    assert np.abs(shares.sum(-1) - 1).max() < 1e-3
    assert not np.triu(shares, 1).any()


def test_layers_of_a_longer_text_come_in_pieces(tiny_model: Callable[[str], Path], engine: EngineClient) -> None:
    load(engine, tiny_model("llama"))
    text = "abcdefgh" * 5
    pieces = list(layers_of(engine, text, 2))
    sizes = [len(piece.tokens) for piece in pieces if isinstance(piece, LayersOf)]
    assert sizes == [LENS_TOKENS, LENS_TOKENS, 40 - 2 * LENS_TOKENS]
    assert [piece.done_tokens for piece in pieces if isinstance(piece, PromptProgress)] == [16, 32, 40]
    tokens, whole = read_layers(engine, text, 2)
    assert [len(row) for row in whole] == [len(tokens)] * LAYERS
    one = read_layers(engine, text[:37], 2)[1]
    for row, same in zip(whole, one, strict=True):
        for guesses, others in zip(row, same, strict=False):
            assert guesses[0].data == others[0].data
            assert guesses[0].probability == pytest.approx(others[0].probability, abs=1e-4)


def test_a_model_without_attention_says_so(tiny_model: Callable[[str], Path], engine: EngineClient) -> None:
    load(engine, tiny_model("mamba"))
    with pytest.raises(ModelNotInspectable) as caught:
        engine.inspect("attention", TEXT)
    assert caught.value.what == "attention"
    assert engine.inspect("probabilities", TEXT).tokens[-1].rank >= 0


def test_what_is_too_long_to_be_looked_at_says_how_long_it_is(
    tiny_model: Callable[[str], Path], engine: EngineClient
) -> None:
    load(engine, tiny_model("llama"))
    with pytest.raises(TooLongToInspect):
        engine.inspect("attention", "abc" * 100)
    assert engine.inspect("tokens", "abc" * 100).total == 300


def test_a_text_goes_on_without_a_template_and_each_token_tells_how_sure_it_was(
    tiny_model: Callable[[str], Path], engine: EngineClient
) -> None:
    load(engine, tiny_model("llama"))
    asked = Ask((), text=TEXT, max_tokens=5, sampling=Sampling(temperature=0), alternatives=3)
    events = list(engine.answer(asked))
    chosen = [event.token for event in events if isinstance(event, TokenChosen)]
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert isinstance(events[-1], Finished)
    assert b"".join(token.data for token in chosen).decode() == text
    assert [len(token.alternatives) for token in chosen] == [3] * 5
    assert {token.rank for token in chosen} == {0}
    again = engine.inspect("probabilities", TEXT + text, most=3).tokens[-5:]
    assert [token.id for token in again] == [token.id for token in chosen]
    assert [t.log_probability for t in again] == pytest.approx([t.log_probability for t in chosen], abs=1e-3)


def test_the_middle_is_refused_where_the_model_has_no_tokens_for_it(
    tiny_model: Callable[[str], Path], engine: EngineClient
) -> None:
    load(engine, tiny_model("llama"))
    with pytest.raises(InfillUnavailable):
        list(engine.answer(Ask((), text="def f(", suffix="):", max_tokens=2)))


@pytest.mark.model
@pytest.mark.slow
def test_the_starter_knows_a_capital_only_in_its_last_layers(starter_engine: EngineClient) -> None:
    found = starter_engine.inspect("layers", "The capital of France is Paris. The capital of Germany is", most=3)
    after = [layer[-1][0].data for layer in found.layers]
    assert after[-1] == b" Berlin"
    assert b" Berlin" not in after[: len(after) // 2]
    shown = starter_engine.inspect("tokens", messages=[Message(Role.USER, "Hello")])
    assert [token.data for token in shown.tokens if token.is_control][:1] == [b"<|im_start|>"]


@pytest.mark.parametrize(
    "purge", [lambda backend: backend.forget_texts({"chat-1"}), lambda b: b.forget_session("chat-1")]
)
def test_a_text_that_was_inspected_is_gone_after_a_purge(tiny_model: Callable[[str], Path], purge: Any) -> None:
    """Nobody knows what it was made of."""
    backend, text = LlamaBackend(), TEXT * 2  # a text that only this test holds
    backend.load(LoadModel(1, str(tiny_model("llama")), Wish(256, threads=1)), EngineJob(lambda _: None))
    for what in ("tokens", "probabilities"):
        backend.inspect(Inspect(2, what, text), EngineJob(lambda _: None))

    def count_kept() -> tuple[int, int]:
        gc.collect()  # contexts hold callbacks of their own
        found = gc.get_objects()
        texts = sum(any(part is text for part in thing) for thing in found if type(thing) is tuple)
        return texts, sum(isinstance(thing, InspectionContext) for thing in found)

    before = count_kept()
    purge(backend)
    after = count_kept()
    backend.unload()
    backend.close()
    assert (before[0] - after[0], before[1] - after[1]) == (1, 1)
