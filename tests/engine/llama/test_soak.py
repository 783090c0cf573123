"""Chats, jobs, stops, counts and forgetting, all at once in a small context: afterwards all is as it was."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ModelReplaced
from app.core.errors.request_errors import PromptTooLong
from app.core.events import CancelToken, Finished, FinishReason, TextDelta
from app.engine.client import EngineClient
from app.engine.protocol import Ask
from app.engine.states import StateFolder
from tests.helpers.engine import GREEDY, answer_of, load, system, user

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(300)]
QUESTION = [user("Say something about the sea.")]
RULES = system("You describe harbours in plain words. " * 6)
ROUNDS, AT_ONCE = 12, 4


class Person:
    """Does something different each time, always the same for one seed."""

    def __init__(self, client: EngineClient, seed: int) -> None:
        self._client = client
        self._chance = random.Random(seed)
        self.problems: list[BaseException] = []

    def live(self) -> None:
        deeds: list[Callable[[], None]] = [self._chat, self._chat, self._jobs, self._jobs, self._count, self._forget]
        for _ in range(ROUNDS):
            try:
                self._chance.choice(deeds)()
            except BaseException as problem:  # noqa: BLE001 - the test shows it
                self.problems.append(problem)

    def _chat(self) -> None:
        length, token = self._chance.choice((3, 30, 90)), CancelToken()
        stop_after = self._chance.choice((0, 2, 1000))
        session = self._chance.choice(("", "chat-1", "chat-2"))
        messages = [RULES, user("The sea is deep. " * length)]
        seen = []
        try:
            for event in self._client.generate(messages, max_tokens=20, sampling=GREEDY, session=session, cancel=token):
                seen.append(event)
                if len(seen) > stop_after:
                    token.cancel()
        except PromptTooLong:
            return
        _, stats = answer_of(seen)
        assert stats.generated_tokens <= 20
        assert stats.finish_reason in set(FinishReason)

    def _jobs(self) -> None:
        asks = [
            Ask(
                [RULES, user(f"Describe harbour {self._chance.randrange(99)}. " * self._chance.choice((1, 9)))],
                12,
                GREEDY,
            )
            for _ in range(self._chance.randrange(1, 11))
        ]
        token, stop_after, texts = CancelToken(), self._chance.choice((3, 10_000)), 0
        ended = set()
        for index, event in self._client.generate_many(asks, cancel=token):
            texts += isinstance(event, TextDelta)
            if texts > stop_after:
                token.cancel()
            if isinstance(event, Finished | AppError):
                assert isinstance(event, Finished | PromptTooLong | ModelReplaced), event
                ended.add(index)
        assert ended == set(range(len(asks)))

    def _count(self) -> None:
        assert self._client.count_tokens([RULES, *QUESTION]) > self._client.count_tokens(QUESTION)

    def _forget(self) -> None:
        self._client.forget_session(self._chance.choice(("chat-1", "chat-2")))


@pytest.mark.parametrize("seed", [1, 12])
def test_whatever_people_do_at_once_the_engine_stays_right(starter: Path, tmp_path: Path, seed: int) -> None:
    states = StateFolder(tmp_path / "states", lambda: 10**8)
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine", states=states)
    try:
        load(client, starter, context_tokens=512)
        expected, _ = answer_of(client.generate(QUESTION, max_tokens=16, sampling=GREEDY))
        pid = client.pid
        people = [Person(client, 100 * seed + number) for number in range(AT_ONCE)]
        threads = [threading.Thread(target=person.live) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [problem for person in people for problem in person.problems] == []
        assert client.pid == pid, "the child was replaced"
        assert answer_of(client.generate(QUESTION, max_tokens=16, sampling=GREEDY))[0] == expected
    finally:
        client.close()
