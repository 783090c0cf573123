"""A draft never changes a token: answers with guesses from the prompt against those written one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.child import own_command
from app.core.events import AnswerStats, Finished, FinishReason, TextDelta, TokenChosen
from app.engine import predicted_drafts, prompt_drafts
from app.engine.backend import EngineJob
from app.engine.client import EngineClient
from app.engine.llama.llama_backend import LlamaBackend
from app.engine.protocol import Ask, Calling, CallSyntax, Generate, LoadModel, Sampling, Wish
from tests.helpers.engine import GREEDY, answer_of, load, user

pytestmark = pytest.mark.model

SENTENCE = "On a grey morning in March, Helena Marchetti left the harbour office with the ledger under her arm."
COPY = f"Repeat this text word for word: {SENTENCE}"
LETTERS = "abcdefghijklmnop"


@pytest.fixture(scope="module", autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A working folder, as the child has one: what was learnt of a model is kept there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("engine"))
        yield


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that repeats two tokens is guessed, at full length, however long it takes."""
    monkeypatch.setattr(prompt_drafts, "GRAM", 2)
    monkeypatch.setattr(prompt_drafts, "OWN_GRAM", 2)
    monkeypatch.setattr(prompt_drafts, "LEAST_TIMES", 1)
    monkeypatch.setattr(prompt_drafts, "MOST_DRAFT_S", 60.0)
    monkeypatch.setattr(prompt_drafts, "ALLOWED_LOSS_TOKENS", 1e9)
    monkeypatch.setattr(prompt_drafts.AnswerDrafts, "_best_length", lambda _, available: available)
    monkeypatch.setattr(predicted_drafts, "LEAST_TIMES", 1)
    monkeypatch.setattr(predicted_drafts, "ALLOWED_LOSS_TOKENS", 1e9)
    monkeypatch.setattr(predicted_drafts, "REST_LOSS_TOKENS", 1e9)
    monkeypatch.setattr(predicted_drafts.PredictionGain, "best_length", lambda _, most: min(most, 2))


class Loaded:
    """A model in the test's own process, twice: with drafts and without."""

    def __init__(self, path: Path) -> None:
        self._backends = {drafts: LlamaBackend() for drafts in (True, False)}
        for drafts, backend in self._backends.items():
            wish = Wish(2048, gpu_layers=0, devices=("CPU",), threads=1, drafts=drafts)
            backend.load(LoadModel(1, str(path), wish), EngineJob(lambda _: None))

    def answer(
        self, ask: Ask, *, drafts: bool, meanwhile: Callable[[LlamaBackend], object] = lambda _: None
    ) -> tuple[str, AnswerStats, list[TokenChosen]]:
        """Text, figures and told tokens of one answer."""
        return self.ask_one(self._backends[drafts], ask, meanwhile)

    @staticmethod
    def ask_one(
        backend: LlamaBackend, ask: Ask, meanwhile: Callable[[LlamaBackend], object] = lambda _: None
    ) -> tuple[str, AnswerStats, list[TokenChosen]]:
        """Like `answer`, of a backend; `meanwhile` is called after each step."""
        events: list[Any] = []
        backend.begin_answer(Generate(2, ask), EngineJob(lambda reply: events.append(getattr(reply, "event", reply))))
        while backend.busy:
            backend.step(lambda: False)
            meanwhile(backend)
        stats = [event.stats for event in events if isinstance(event, Finished)]
        assert stats, events[-1:]
        text = "".join(event.text for event in events if isinstance(event, TextDelta))
        return text, stats[0], [event for event in events if isinstance(event, TokenChosen)]

    def compare(self, ask: Ask) -> AnswerStats:
        """Both ways, one after the other; returns the figures of the one with drafts."""
        plain, drafted = self.answer(ask, drafts=False), self.answer(ask, drafts=True)
        assert drafted[0] == plain[0]
        assert drafted[1].generated_tokens == plain[1].generated_tokens
        assert drafted[1].finish_reason == plain[1].finish_reason
        assert drafted[1].stop == plain[1].stop
        assert [event.token.id for event in drafted[2]] == [event.token.id for event in plain[2]]
        assert not plain[1].drafted_tokens
        return drafted[1]

    def close(self) -> None:
        for backend in self._backends.values():
            backend.unload()
            backend.close()


@pytest.fixture(scope="module", params=["llama", "qwen35_mtp", "qwen35moe_mtp"])
def tiny(tiny_model: Callable[[str], Path], request: pytest.FixtureRequest) -> Iterator[Loaded]:
    """A tiny model, whose nonsense runs in circles: much to guess, and much of it wrong."""
    loaded = Loaded(tiny_model(request.param))
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def small(starter: Path) -> Iterator[Loaded]:
    """The starter, which can copy."""
    loaded = Loaded(starter)
    yield loaded
    loaded.close()


VARIED: dict[str, dict[str, Any]] = {
    "greedy": {},
    "sampled": {"sampling": Sampling(temperature=0.8, seed=11)},
    "penalties": {"sampling": Sampling(temperature=0.0, repeat_penalty=1.3, presence_penalty=0.5)},
    "sampled with penalties": {"sampling": Sampling(temperature=1.2, seed=5, repeat_penalty=1.1, top_k=10)},
    "bias": {"logit_bias": ((70, 3.0), (71, -3.0))},
    "grammar": {"grammar": 'root ::= ("ab" | "c" | "de")*'},
    "probabilities": {"alternatives": 3},
    "stop words": {"stop": ("ab", "zz", "q")},
    "repetition": {"stop_on_repetition": True},
    "few tokens": {"max_tokens": 9},
    "forced beginning": {"forced": (70, 71, 72)},
}


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("name", "text"),
    [*((name, "abcabdabeabf" * 4) for name in VARIED), ("greedy", LETTERS * 3), ("sampled", "a" * 40)],
)
def test_a_draft_changes_no_token_of_a_tiny_model(tiny: Loaded, name: str, text: str) -> None:
    ask = replace(Ask((), text=text, max_tokens=96, sampling=GREEDY), **VARIED[name])
    tiny.compare(ask)


@pytest.mark.usefixtures("eager")
def test_guesses_are_made_and_refused_in_these_tests(tiny: Loaded) -> None:
    drafted, kept = 0, 0
    for text in (LETTERS * 3, "abcabdabeabf" * 4):
        stats = tiny.compare(Ask((), text=text, max_tokens=128, sampling=Sampling(temperature=0.6, seed=3)))
        drafted, kept = drafted + stats.drafted_tokens, kept + stats.kept_tokens
    assert 0 < kept < drafted


# Up to 256 cells attention is computed alike for one token and for several, so that not even the last bit differs.
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    "sampling",
    [GREEDY, pytest.param(Sampling(temperature=0.7, seed=9, repeat_penalty=1.1), marks=pytest.mark.slow)],
)
def test_a_draft_changes_no_token_of_real_text(small: Loaded, sampling: Sampling) -> None:
    stats = small.compare(Ask([user(COPY)], 40, sampling, stop=("ledger under her",)))
    assert stats.kept_tokens > 5
    assert small.compare(Ask([user("Name three colours.")], 20, sampling)).generated_tokens > 5


@pytest.mark.usefixtures("eager")
def test_a_draft_changes_no_token_of_a_form_or_a_call(small: Loaded) -> None:
    schema = '{"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}'
    small.compare(Ask([user(COPY)], 30, GREEDY, json_schema=schema))
    calling = Calling(CallSyntax("<tool_call>", "(", ")</tool_call>", begins="<tool_call>"), (("look", schema),), True)
    small.compare(Ask([user(COPY)], 30, GREEDY, calling=calling))


@pytest.mark.usefixtures("eager")
def test_the_next_question_finds_the_memory_as_without_drafts(tiny: Loaded) -> None:
    for text in (LETTERS * 2, LETTERS * 2 + "abc", LETTERS):
        ask = Ask((), text=text, max_tokens=40, sampling=Sampling(temperature=0.7, seed=2), session="chat")
        plain, drafted = (tiny.answer(ask, drafts=drafts)[1].reused_tokens for drafts in (False, True))
        assert plain == drafted


@pytest.mark.usefixtures("eager")
def test_a_full_context_ends_an_answer_at_the_same_token(tiny: Loaded) -> None:
    stats = tiny.compare(Ask((), text="ab" * 990, max_tokens=-1, sampling=GREEDY))
    assert stats.finish_reason in (FinishReason.CONTEXT, FinishReason.STOP)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("kind", ["mamba", "lfm2", "gemma3"])
def test_where_nothing_can_be_taken_back_nothing_is_guessed(tiny_model: Callable[[str], Path], kind: str) -> None:
    loaded = Loaded(tiny_model(kind))
    try:
        assert not loaded.compare(Ask((), text=LETTERS * 3, max_tokens=40, sampling=GREEDY)).drafted_tokens
    finally:
        loaded.close()


def test_a_copy_is_guessed_in_the_real_child(starter: Path, tmp_path: Path) -> None:
    client = EngineClient(own_command("--engine-worker"), tmp_path)
    try:
        load(client, starter, context_tokens=1024)
        question = [user(f"Repeat this text word for word: {SENTENCE * 2}")]
        _, stats = answer_of(client.generate(question, max_tokens=60, sampling=GREEDY))
        assert 0 < stats.kept_tokens <= stats.drafted_tokens
    finally:
        client.close()
