"""The chain of samplers in the real library: same tokens however it is put together, and what DRY does."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from app.engine.llama.library import open_library
from app.engine.llama.model import Model
from app.engine.llama.sampling import Choice, choose, make_chain
from app.engine.protocol import Sampling
from tests.helpers.writer import Writer

pytestmark = pytest.mark.model


def chosen_after(model: Model, choice: Choice, before: str, logits: dict[str, float]) -> bytes:
    """What is chosen after a text when the single-token words of `logits` are likeliest."""
    c = open_library().c
    items = np.zeros(model.vocabulary_size, np.dtype([("id", "i4"), ("logit", "f4"), ("p", "f4")]))
    items["id"] = np.arange(model.vocabulary_size)
    for word, logit in logits.items():
        (token,) = model.tokenize(word, special=False)
        items["logit"][token] = logit
    data = ctypes.cast(items.ctypes.data, ctypes.POINTER(c.llama_token_data))
    array = c.llama_token_data_array(data=data, size=len(items), selected=-1, sorted=False)
    chain = make_chain(open_library(), choice, model)
    for token in model.tokenize(before, special=False):
        chain.accept(token)
    c.llama_sampler_apply(chain.pointer, ctypes.byref(array))
    token = array.data[array.selected].id
    chain.free()
    return model.piece(token)


@pytest.mark.parametrize("choice", [Choice(repeat_penalty=1.3, seed=5), Choice(0, presence_penalty=1.5)])
def test_looking_at_the_likeliest_tokens_first_changes_no_token(
    writer: Writer, choice: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = writer.write("Tell me about the sea.", choice=choice, most_tokens=80)
    monkeypatch.setattr("app.engine.llama.sampling._enough_to_penalize", lambda *_: 0)
    assert writer.write("Tell me about the sea.", choice=choice, most_tokens=80) == quick


@pytest.mark.parametrize(
    ("choice", "after"),
    [
        (Choice(0), b" sea"),
        (Choice(0, repeat_penalty=2.0), b" dog"),
        (Choice(0, presence_penalty=3.0), b" dog"),
        (Choice(0, dry_multiplier=5.0), b" dog"),
        (Choice(0, repeat_penalty=2.0, penalty_last_tokens=0), b" sea"),
    ],
)
def test_what_stands_there_already_becomes_less_likely(starter_loaded: Model, choice: Choice, after: bytes) -> None:
    likely = {" sea": 10.0, " dog": 8.0}
    assert chosen_after(starter_loaded, choice, " sun tree sea sun tree", likely) == after


def test_nothing_is_penalized_where_nothing_repeats(starter_loaded: Model) -> None:
    choice = Choice(0, repeat_penalty=2.0, presence_penalty=3.0, dry_multiplier=5.0)
    assert chosen_after(starter_loaded, choice, " sun tree", {" sea": 10.0, " dog": 8.0}) == b" sea"


def test_a_seed_makes_the_same_answer_again(writer: Writer) -> None:
    texts = {writer.write("Name an animal.", choice=Choice(1.0, seed=seed), most_tokens=30) for seed in (3, 3, 4)}
    assert len(texts) == 2


def test_the_starter_is_sampled_as_its_family_is(starter_loaded: Model) -> None:
    assert choose(Sampling(), Sampling(), starter_loaded.header.metadata).repeat_penalty == 1.1
