"""Re-use is exactly right or does not happen: each architecture answers as a child that never read anything before.

Whatever the engine kept, it must write the same text as a fresh child that is given the same conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.events import AnswerStats, CancelToken, FinishReason, Message, PromptProgress, TextDelta
from app.engine.client import EngineClient
from app.engine.protocol import Ask, Sampling
from app.engine.states import StateFolder
from tests.helpers.engine import answer_of, assistant, load, system, user
from tests.helpers.gemma_model import WINDOW, gemma_with_template
from tests.helpers.tiny_models import KINDS, RECURRENT
from tests.helpers.tiny_models import WINDOW as TINY_WINDOW

pytestmark = pytest.mark.model

PLAINLY_GREEDY = Sampling(temperature=0.0, repeat_penalty=1.0, presence_penalty=0.0)
TOKENS = 16
SURE_TOKENS = 8  # of real models: the more they write, the likelier two words are as good as equal and rounding decides
RULE = system("Answer in one line.")
# Longer than the window of gemma-3-270m, and examples enough for a base model to be sure how an answer looks.
CAPITALS = """Spain Madrid, Portugal Lisbon, Austria Vienna, Greece Athens, Poland Warsaw, Norway Oslo,
Sweden Stockholm, Finland Helsinki, Denmark Copenhagen, Ireland Dublin, Hungary Budapest, Russia Moscow,
Egypt Cairo, Japan Tokyo, China Beijing, India Delhi, Peru Lima, Cuba Havana, Kenya Nairobi, Iran Tehran,
Iraq Baghdad, Turkey Ankara"""
LONG_RULE = system(
    "\n".join(
        f"Question: What is the capital of {country}?\nAnswer: {city}."
        for country, city in (pair.split() for pair in CAPITALS.replace("\n", " ").split(", "))
    )
    * 2
)
QUESTION = user("What is the capital of France?")
EDITED = user("What is the capital of Italy?")
NEXT = user("What is the capital of England?")
STARTER, GEMMA = "starter", "gemma-3-270m"
ALIKE = (STARTER, "sentencepiece", "gpt2", "qwen2vl", "qwen35")
"""What these keep of a text is as in `llama`, and as in `qwen35_mtp`."""


@dataclass
class Talk:
    """One architecture in a child that lives through all its tests, and one that reads everything anew."""

    name: str
    path: Path
    engine: EngineClient
    forgetting: EngineClient
    rule: Message
    tokens: int
    _fresh: dict[tuple[Message, ...], str] = field(default_factory=dict)

    def ask(self, messages: Sequence[Message], session: str = "chat-1") -> tuple[str, AnswerStats]:
        """The engine's answer, from whatever it remembers."""
        return answer_of(
            self.engine.generate(messages, max_tokens=self.tokens, sampling=PLAINLY_GREEDY, session=session)
        )

    def fresh(self, messages: Sequence[Message]) -> str:
        """The answer where nothing was read before."""
        key = tuple(messages)
        if key not in self._fresh:
            asked = self.forgetting.generate(key, max_tokens=self.tokens, sampling=PLAINLY_GREEDY, session="anew")
            text, stats = answer_of(asked)
            self.forgetting.forget_session("anew")
            assert stats.reused_tokens == 0
            self._fresh[key] = text
        return self._fresh[key]

    def second_turn(self) -> list[Message]:
        """A conversation of two questions, the first one answered by the model itself."""
        first, _ = self.ask([self.rule, QUESTION])
        return [self.rule, QUESTION, assistant(first), NEXT]


@pytest.fixture(
    scope="module",
    params=[
        *(pytest.param(kind, marks=[pytest.mark.slow] * (kind in ALIKE)) for kind in (*KINDS, STARTER)),
        pytest.param(GEMMA, marks=pytest.mark.gemma),
    ],
)
def talk(
    request: pytest.FixtureRequest,
    tiny_model: Callable[[str], Path],
    starter: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Talk]:
    """Each architecture in turn."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == GEMMA:
        path = gemma_with_template(folder / "gemma.gguf")
    else:
        path = starter if request.param == STARTER else tiny_model(request.param)
    states = StateFolder(folder / "states", lambda: 1 << 30)
    engine = EngineClient(own_command("--engine-worker"), folder / "engine", states=states)
    forgetting = EngineClient(own_command("--engine-worker"), folder / "forgetting")
    for each in (engine, forgetting):
        load(each, path)
    tokens = SURE_TOKENS if request.param in (STARTER, GEMMA) else TOKENS
    rule = LONG_RULE if request.param == GEMMA else RULE
    yield Talk(request.param, path, engine, forgetting, rule, tokens)
    engine.close()
    forgetting.close()


def test_the_second_turn_is_as_if_all_was_read_anew(talk: Talk) -> None:
    conversation = talk.second_turn()
    text, stats = talk.ask(conversation)
    assert text == talk.fresh(conversation)
    assert stats.prompt_tokens > (WINDOW if talk.name == GEMMA else TINY_WINDOW)
    assert 0 < stats.reused_tokens < stats.prompt_tokens


def test_an_edited_question_and_the_first_wording_again_are_as_if_read_anew(talk: Talk) -> None:
    conversation = talk.second_turn()
    talk.ask(conversation)
    text, stats = talk.ask([talk.rule, EDITED])
    assert text == talk.fresh([talk.rule, EDITED])
    if talk.name not in RECURRENT:
        assert stats.reused_tokens > 0
    for _ in range(2):
        assert talk.ask(conversation)[0] == talk.fresh(conversation)


def test_a_stop_while_reading_leaves_nothing_behind(talk: Talk) -> None:
    conversation = talk.second_turn()
    # A tiny model may have read all of it before a busy machine hears the stop: tried until one comes in time.
    stopped = (stop_while_reading(talk.engine, conversation, attempt) for attempt in range(30))
    assert any(stats.generated_tokens == 0 for stats in stopped)
    assert talk.ask(conversation)[0] == talk.fresh(conversation)


def test_a_stop_while_writing_leaves_nothing_behind(talk: Talk) -> None:
    conversation = talk.second_turn()
    stop_while_writing(talk.engine, conversation)
    assert talk.ask(conversation)[0] == talk.fresh(conversation)
    half = stop_while_writing(talk.engine, conversation)
    goes_on = [*conversation, assistant(half[:3]), NEXT]  # less than is in the memory, and the same in every run
    assert talk.ask(goes_on)[0] == talk.fresh(goes_on)


def test_two_chats_in_turn_do_not_mix(talk: Talk) -> None:
    conversation = talk.second_turn()
    for _ in range(2):
        assert talk.ask([talk.rule, EDITED], session="chat-2")[0] == talk.fresh([talk.rule, EDITED])
        assert talk.ask(conversation)[0] == talk.fresh(conversation)


def test_several_at_once_answer_as_each_alone(talk: Talk) -> None:
    conversation = talk.second_turn()
    asks = [
        Ask(messages, max_tokens=talk.tokens, sampling=PLAINLY_GREEDY)
        for messages in (conversation, [talk.rule, EDITED])
    ]
    texts = ["", ""]
    for index, event in talk.engine.generate_many([*asks]):
        assert not isinstance(event, Exception), event
        texts[index] += event.text if isinstance(event, TextDelta) else ""
    assert texts == [talk.fresh(ask.messages) for ask in asks]
    assert talk.ask(conversation)[0] == talk.fresh(conversation)


def test_after_unloading_and_loading_again_it_is_as_before(talk: Talk) -> None:
    conversation = talk.second_turn()
    talk.engine.unload()
    load(talk.engine, talk.path)
    text, _ = talk.ask(conversation)
    assert text == talk.fresh(conversation)
    goes_on = [*conversation, assistant(text), NEXT]
    assert talk.ask(goes_on)[0] == talk.fresh(goes_on)


def test_another_session_goes_on_from_what_both_begin_with(talk: Talk) -> None:
    rule = talk.rule if talk.name == GEMMA else system(f"{talk.rule.text} {CAPITALS}")
    read = []
    for number, question in enumerate((EDITED, NEXT)):
        if read or rule is talk.rule:  # which the tests before have left in memory
            talk.engine.unload()
            load(talk.engine, talk.path)
        ask = Ask([rule, question], talk.tokens, PLAINLY_GREEDY, session=f"chat-1{number}")
        text, stats = answer_of(talk.engine.answer(replace(ask, shared="shared", shared_characters=len(rule.text))))
        assert text == talk.fresh(ask.messages)
        read.append(stats.prompt_tokens - stats.reused_tokens)
        talk.engine.forget_session(ask.session)
    assert read[1] < stats.prompt_tokens / 2  # the first may have found a state of the tests before


def stop_while_reading(engine: EngineClient, conversation: Sequence[Message], attempt: int) -> AnswerStats:
    """Goes on from `conversation` with a long text, and stops at the first sign of progress."""
    cancel, seen = CancelToken(), []
    long = [*conversation, user(f"{attempt} " + "over the hills and far away, " * 55)]
    for event in engine.generate(long, max_tokens=TOKENS, sampling=PLAINLY_GREEDY, session="chat-1", cancel=cancel):
        seen.append(event)
        if isinstance(event, PromptProgress):
            cancel.cancel()
    _, stats = answer_of(seen)
    return stats


def stop_while_writing(engine: EngineClient, conversation: Sequence[Message]) -> str:
    """What was written until a stop after the first piece."""
    for _ in range(50):  # a tiny model may have written everything before a busy machine hears the stop
        cancel, seen = CancelToken(), []
        for event in engine.generate(
            conversation, max_tokens=500, session="chat-1", cancel=cancel, sampling=PLAINLY_GREEDY
        ):
            seen.append(event)
            if isinstance(event, TextDelta):
                cancel.cancel()
        text, stats = answer_of(seen)
        if stats.finish_reason is FinishReason.CANCELLED:
            return text
    raise AssertionError("never stopped")
