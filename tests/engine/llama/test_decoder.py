"""Several answers at once in the real child: shared beginnings, order, room, cancelling, and what happens on a load."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ModelReplaced
from app.core.errors.request_errors import GrammarInvalid, PromptTooLong
from app.core.events import AnswerStats, CancelToken, Finished, FinishReason, PromptProgress, TextDelta, Waiting
from app.engine.client import EngineClient
from app.engine.protocol import Ask
from tests.helpers.engine import GREEDY, answer_of, load, system, user
from tests.helpers.tiny_models import make_tiny

pytestmark = pytest.mark.model

RULES = system("You describe harbours in plain words. " * 12)
HARBOURS = ("the north", "the south", "a small island", "an old town", "the great river")
CHAT = [user("Say something about the sea.")]


def ask(topic: str, max_tokens: int = 24, **options: object) -> Ask:
    return Ask([RULES, user(f"Describe the harbour of {topic}.")], max_tokens, GREEDY, **options)  # type: ignore[arg-type]


def texts_of(
    client: EngineClient, asks: Sequence[Ask]
) -> tuple[dict[int, str], dict[int, AnswerStats], dict[int, AppError]]:
    texts, stats, errors = dict.fromkeys(range(len(asks)), ""), {}, {}
    for index, event in client.generate_many(asks):
        if isinstance(event, TextDelta):
            texts[index] += event.text
        elif isinstance(event, Finished):
            stats[index] = event.stats
        elif isinstance(event, AppError):
            errors[index] = event
    return texts, stats, errors


def alone(client: EngineClient, one: Ask) -> str:
    return answer_of(client.generate(one.messages, max_tokens=one.max_tokens, sampling=one.sampling))[0]


COMPARED = 30
"""Letters; so many tokens have at least as many."""


def beginnings(client: EngineClient) -> dict[int, str]:
    """As each harbour's answer begins where it is asked for alone."""
    return {index: alone(client, ask(topic, COMPARED)) for index, topic in enumerate(HARBOURS)}


def assert_nearly_the_same(texts: dict[int, str], expected: dict[int, str]) -> None:
    """Side by side, sums are rounded in another order: of two words as good as equal, the other one may win."""
    assert all(len(one) >= COMPARED for one in expected.values())
    same = [texts[index][:COMPARED] == expected[index][:COMPARED] for index in expected]
    assert sum(same) >= len(same) - 1, (texts, expected)


def test_answers_side_by_side_are_those_that_come_one_by_one(starter_engine: EngineClient) -> None:
    asks = [ask(topic, 12) for topic in HARBOURS]
    texts, stats, errors = texts_of(starter_engine, asks)
    assert not errors
    assert all(one.generated_tokens == 12 for one in stats.values())
    assert_nearly_the_same(texts, {index: alone(starter_engine, one) for index, one in enumerate(asks)})


def test_what_asks_begin_with_in_common_is_read_once(tiny_engine: EngineClient) -> None:
    _, stats, _ = texts_of(tiny_engine, [ask(topic) for topic in HARBOURS])
    reused = sorted(one.reused_tokens for one in stats.values())
    assert reused[1] > 60
    assert all(one.reused_tokens < one.prompt_tokens for one in stats.values())


def test_several_that_somebody_waits_for_hold_what_they_begin_with_once(engine: EngineClient, tmp_path: Path) -> None:
    load(engine, make_tiny("llama", tmp_path / "tiny.gguf"), context_tokens=2048)
    ask = Ask((), text="ab" * 600, max_tokens=24, sampling=GREEDY)
    events = list(engine.generate_many([ask] * 3, background=False))
    assert not [event for _, event in events if isinstance(event, Waiting)], "each by itself would take all the room"
    stats = [event.stats for _, event in events if isinstance(event, Finished)]
    assert sorted(one.reused_tokens > 1000 for one in stats) == [False, True, True]
    written = [index for index, event in events if isinstance(event, TextDelta)]
    assert written.index(2) < len(written) - 1 - written[::-1].index(0), "one after the other"


def test_words_of_a_fast_model_are_told_together_but_for_alternatives(tiny_engine: EngineClient) -> None:
    together, alone = (
        [
            event.text
            for event in tiny_engine.generate((), text="ab" * 20, max_tokens=200, sampling=GREEDY, alternatives=n)
            if isinstance(event, TextDelta)
        ]
        for n in (-1, 0)
    )
    assert "".join(together) == "".join(alone)
    assert len(together) < len(alone)


def test_more_asks_than_places_all_end(tiny_engine: EngineClient) -> None:
    asks = [ask(f"place {number}", max_tokens=3) for number in range(20)]
    texts, stats, _ = texts_of(tiny_engine, asks)
    assert len(stats) == 20
    assert all(texts.values())


def test_an_ask_that_cannot_be_answered_fails_alone(tiny_engine: EngineClient) -> None:
    too_long = Ask([user("word " * 9000)], 8, GREEDY)
    no_grammar = Ask(CHAT, 8, GREEDY, grammar="root ::= nowhere")
    texts, _, errors = texts_of(tiny_engine, [ask("the north", 8), too_long, no_grammar, ask("the south", 8)])
    assert {index: type(error) for index, error in errors.items()} == {1: PromptTooLong, 2: GrammarInvalid}
    assert texts[0]
    assert texts[3]


def test_an_interactive_answer_goes_first_and_the_others_go_on_afterwards(tiny_engine: EngineClient) -> None:
    expected = beginnings(tiny_engine)
    asked = threading.Event()
    order: list[str] = []

    def chat() -> None:
        asked.wait(60)
        for event in tiny_engine.generate(CHAT, max_tokens=12, sampling=GREEDY):
            if isinstance(event, TextDelta | Finished):
                order.append("chat")

    thread = threading.Thread(target=chat)
    thread.start()
    texts = dict.fromkeys(expected, "")
    waits = 0
    for index, event in tiny_engine.generate_many([ask(topic, 200) for topic in HARBOURS]):  # told in many pieces
        if isinstance(event, TextDelta):
            asked.set()
            texts[index] += event.text
        order.append("job")
        waits += isinstance(event, Waiting) and event.reason == "interactive"
    thread.join()
    first, last = order.index("chat"), len(order) - 1 - order[::-1].index("chat")
    between = order[first:last].count("job")
    assert between <= len(HARBOURS) + 5, "background answers went on beside the interactive one"
    assert order[last:].count("job") > 5
    assert waits >= 1
    assert_nearly_the_same(texts, expected)


def test_a_long_background_prompt_gives_way_in_the_middle(tiny_engine: EngineClient) -> None:
    long = Ask([user("The sea is deep and blue and wide. " * 70)], 2, GREEDY)  # in three pieces
    seen: list[AnswerStats] = []
    threads = []

    def chat() -> None:
        seen.append(answer_of(tiny_engine.generate(CHAT, max_tokens=4, sampling=GREEDY))[1])

    text, finished = "", None
    for _, event in tiny_engine.generate_many([long]):
        if isinstance(event, PromptProgress) and not threads:
            threads.append(threading.Thread(target=chat))
            threads[0].start()
        if isinstance(event, TextDelta):
            text += event.text
        if isinstance(event, Finished):
            finished = event.stats
    threads[0].join()
    assert seen
    assert finished is not None
    assert seen[0].generated_tokens == 4
    assert text == alone(tiny_engine, long)


def test_cancelling_a_batch_ends_all_of_it_and_memory_stays_right(tiny_engine: EngineClient) -> None:
    expected = alone(tiny_engine, ask("the north"))
    token, reasons = CancelToken(), []
    for _, event in tiny_engine.generate_many([ask(topic, 500) for topic in HARBOURS], cancel=token):
        if isinstance(event, TextDelta):
            token.cancel()
        if isinstance(event, Finished):
            reasons.append(event.stats.finish_reason)
    assert reasons == [FinishReason.CANCELLED] * len(HARBOURS)
    assert alone(tiny_engine, ask("the north")) == expected


def test_leaving_the_loop_early_frees_the_places(tiny_engine: EngineClient) -> None:
    for _, event in tiny_engine.generate_many([ask(topic, 2000) for topic in HARBOURS]):
        if isinstance(event, TextDelta):
            break
    assert alone(tiny_engine, ask("the north", 4))


def test_a_chat_takes_the_room_that_background_answers_have(engine: EngineClient, tmp_path: Path) -> None:
    load(engine, make_tiny("llama", tmp_path / "tiny.gguf"), context_tokens=2048)
    jobs = [ask(topic, 40) for topic in HARBOURS]
    expected = beginnings(engine)
    long_chat = [user("The sea is deep and blue. " * 60)]  # needs most of the context for itself
    stats: list[AnswerStats] = []
    threads: list[threading.Thread] = []
    texts = dict.fromkeys(expected, "")
    for index, event in engine.generate_many(jobs):
        if isinstance(event, TextDelta):
            texts[index] += event.text
            if not threads:
                threads.append(
                    threading.Thread(
                        target=lambda: stats.append(
                            answer_of(engine.generate(long_chat, max_tokens=8, sampling=GREEDY))[1]
                        )
                    )
                )
                threads[0].start()
    threads[0].join()
    assert stats[0].generated_tokens == 8
    assert_nearly_the_same(texts, expected)


def test_another_model_ends_background_answers_with_its_reason(engine: EngineClient, tmp_path: Path) -> None:
    path = make_tiny("llama", tmp_path / "tiny.gguf", context_tokens=1 << 16)
    load(engine, path, context_tokens=1 << 16)
    thread: list[threading.Thread] = []
    errors = []
    for _, event in engine.generate_many([ask(topic, 10_000) for topic in HARBOURS]):
        if isinstance(event, TextDelta) and not thread:
            thread.append(threading.Thread(target=lambda: load(engine, path, context_tokens=2048)))
            thread[0].start()
        if isinstance(event, AppError):
            errors.append(event)
    thread[0].join()
    assert [type(error) for error in errors] == [ModelReplaced] * len(HARBOURS)
    assert engine.loaded is not None
    assert engine.loaded.context_tokens == 2048


def test_texts_are_counted_by_themselves(starter_engine: EngineClient) -> None:
    none, one, control = starter_engine.count_texts(["", "hello", "<|im_end|>"])
    assert (none, one) == (0, 1)
    assert control > 1
