"""Models without a chat template, GPT-2 first of all: they go on with a text, are looked into, and do not chat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.core.errors.request_errors import ChatUnavailable, InfillUnavailable, PromptTooLong
from app.core.events import FinishReason, TokenSeen
from app.core.gguf import check_model
from app.engine.client import EngineClient
from app.engine.llama.llama_library import open_library
from app.engine.llama.model import load_model
from app.engine.protocol import Ask, Sampling
from app.features.continue_page import continue_text
from app.features.error_messages import sentence_for
from app.features.inside.looks import read_attention, read_layers, read_probabilities, tokens_of
from tests.helpers.engine import load, user
from tests.helpers.gemma_model import fetched_gemma
from tests.helpers.terminal import fireside, only_json
from tests.helpers.tiny_models import CONTROL, LAYERS, make_tiny

pytestmark = pytest.mark.model

GREEDY = Sampling(temperature=0.0, repeat_penalty=1.0, presence_penalty=0.0)
TEXT = "the inner theorem"


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny("gpt2", tmp_path_factory.mktemp("gpt2") / "tiny-gpt2.gguf", template="")


def greedy(engine: EngineClient, text: str, tokens: int = 12) -> tuple[str, FinishReason | None]:
    *_, (_, found) = continue_text(engine, Ask((), max_tokens=tokens, sampling=GREEDY, text=text))
    return found.text, found.finish_reason


def test_gpt_2_goes_on_with_a_text_and_does_not_chat(engine: EngineClient, gpt2: Path) -> None:
    load(engine, gpt2)
    assert engine.loaded is not None
    assert not engine.loaded.can_chat
    first = greedy(engine, TEXT)
    assert first == greedy(engine, TEXT)
    assert len(first[0]) == 12
    assert greedy(engine, TEXT + first[0][:5], 7) == (first[0][5:], first[1])
    assert len(greedy(engine, "")[0]) == 12
    with pytest.raises(ChatUnavailable):
        list(engine.generate([user("hi")]))
    with pytest.raises(ChatUnavailable):
        engine.count_tokens([user("hi")])
    with pytest.raises(InfillUnavailable):
        list(engine.answer(Ask((), text="a", suffix="b")))


def test_gpt_2_is_looked_into_as_any_other(engine: EngineClient, gpt2: Path) -> None:
    load(engine, gpt2)
    assert "".join(token.text for token in tokens_of(engine, TEXT)) == TEXT
    *seen, _progress = read_probabilities(engine, TEXT, most=3)
    assert [isinstance(token, TokenSeen) and len(token.alternatives) for token in seen] == [0] + [3] * (len(seen) - 1)
    looked = read_attention(engine, TEXT)
    assert looked.layers == tuple(range(LAYERS))
    for row, shares in enumerate(looked.shares_of(1, 0)):
        assert sum(shares) == pytest.approx(1, abs=1e-3)
        assert not any(shares[row + 1 :])
    _, said = read_layers(engine, TEXT, 1)
    own = greedy(engine, TEXT, 1)[0]
    assert len(said) == LAYERS
    assert said[-1][-1][0].data.decode() == own, "the last layer says what the model says"


def test_no_text_goes_beyond_the_places_that_gpt_2_knows(engine: EngineClient, tmp_path: Path) -> None:
    """It has a vector for each place in its context, and none for what comes later."""
    places = 100
    load(engine, make_tiny("gpt2", tmp_path / "short.gguf", template="", context_tokens=places), context_tokens=4096)
    assert engine.loaded is not None
    assert engine.loaded.context_tokens == places
    text, reason = greedy(engine, "ab" * 40, 1000)
    assert (len(text), reason) == (places - 80 + 1, FinishReason.CONTEXT), "the last one is not read any more"
    with pytest.raises(PromptTooLong):
        greedy(engine, "ab" * 50)
    found = list(read_probabilities(engine, "ab" * 300, most=1))
    assert len([token for token in found if isinstance(token, TokenSeen)]) == 600
    assert engine.loaded is not None, "it is still there"


def assert_same_texts(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Compare two answers of the terminal: equal but for how their probabilities were rounded.

    Each number of threads that is tried adds up in another order.
    """
    assert len(first["completions"]) == len(second["completions"])
    for one, other in zip(first["completions"], second["completions"], strict=True):
        assert one["logprob"] == pytest.approx(other["logprob"], abs=1e-2)
        assert {**one, "logprob": 0} == {**other, "logprob": 0}
    assert {**first, "completions": ()} == {**second, "completions": ()}


def test_in_the_terminal_chat_says_why_not_and_complete_does_it(gpt2: Path) -> None:
    refused = fireside("chat", "-p", "hi", "--model", str(gpt2))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "no chat template" in refused.stderr
    assert "complete" in refused.stderr
    arguments = ["complete", "-p", TEXT, "--temperature", "0", "--max-tokens", "12", "--model", str(gpt2), "--json"]
    bodies = [only_json(fireside(*arguments)) for _ in range(2)]
    assert_same_texts(*bodies)
    (found,) = bodies[0]["completions"]
    assert (len(found["text"]), found["tokens"], found["finish_reason"]) == (12, 12, "length")
    assert found["logprob"] < 0
    anatomy = only_json(fireside("inspect", "anatomy", "--model", str(gpt2), "--json"))
    assert anatomy


def test_the_terminal_takes_a_text_from_a_pipe_and_a_seed_gives_the_same_texts_again(gpt2: Path) -> None:
    arguments = ["complete", "--n", "2", "--seed", "7", "--temperature", "1", "--max-tokens", "8", "--json"]
    first, second = (only_json(fireside(*arguments, "--model", str(gpt2), text=TEXT)) for _ in range(2))
    assert_same_texts(first, second)
    assert first["prompt"] == TEXT
    one, other = (each["text"] for each in first["completions"])
    assert one != other
    refused = fireside("complete", "-p", "a", "--suffix", "b", "--model", str(gpt2))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert sentence_for(InfillUnavailable(str(gpt2))).text in refused.stderr


def test_what_stands_around_the_middle_is_shown_to_a_model_that_has_tokens_for_it(
    engine: EngineClient, tmp_path: Path
) -> None:
    before, after, middle = (CONTROL.index(name) for name in ("<|im_start|>", "<|endoftext|>", "<|im_end|>"))
    named = {"pre": before, "suf": after, "mid": middle}
    keys = {f"tokenizer.ggml.fim_{name}_token_id": number for name, number in named.items()}
    path = make_tiny("llama", tmp_path / "middle.gguf", template="", **keys)
    model = load_model(open_library(), str(path), check_model(path), 0, tell=lambda _: None, cancelled=bool)
    assert model is not None
    a, b = (model.tokenize(letter, special=False) for letter in "ab")
    assert model.raw_tokens("a", "b") == [*model.begin_of_text(), before, *a, after, *b, middle]
    model.free()
    load(engine, path)
    *_, (_, found) = continue_text(engine, Ask((), max_tokens=4, sampling=GREEDY, text="def f(", suffix="):"))
    assert found.tokens
    assert found.text != greedy(engine, "def f(", 4)[0], "what follows counts"


@pytest.mark.gemma
def test_gemmas_base_model_goes_on_with_a_text_and_does_not_chat(engine: EngineClient) -> None:
    load(engine, fetched_gemma())
    assert engine.loaded is not None
    assert not engine.loaded.can_chat
    text = "The capital of Spain is Madrid. The capital of Germany is Berlin. The capital of France is"
    first = greedy(engine, text)
    assert first == greedy(engine, text)
    assert first[0].startswith(" Paris")
    _, said = read_layers(engine, text, 1)
    assert said[-1][-1][0].data.decode().strip() == "Paris"
    with pytest.raises(ChatUnavailable):
        list(engine.generate([user("hi")]))
