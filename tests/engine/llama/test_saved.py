"""Saved state in the real child: a chat goes on where it was, after another chat, another model, a restart."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.events import AnswerStats, Message, Role
from app.engine.client import EngineClient
from app.engine.protocol import Ask
from app.engine.states import StateFolder
from tests.helpers.engine import GREEDY, answer_of, assistant, load, user

pytestmark = pytest.mark.model

STORY = user("Once there was a lighthouse keeper with a red boat and two dogs. " * 8 + "Go on.")
OTHER = user("The desert is wide and dry and nothing like the sea at all. " * 8 + "Go on.")

Start = Callable[[], EngineClient]


@pytest.fixture
def states(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "states", lambda: 10**9)


@pytest.fixture
def path(tiny_model: Callable[[str], Path]) -> Path:
    """Of a model whose answers mean nothing, and differ with whatever is different in its memory."""
    return tiny_model("llama")


@pytest.fixture
def start(tmp_path: Path, states: StateFolder, path: Path) -> Iterator[Start]:
    """Starts engines that keep states, with the model loaded."""
    clients: list[EngineClient] = []

    def make() -> EngineClient:
        client = EngineClient(own_command("--engine-worker"), tmp_path / f"engine{len(clients)}", states=states)
        clients.append(client)
        load(client, path)
        return client

    yield make
    for client in clients:
        client.close()


def turn(client: EngineClient, messages: list[Message], session: str, max_tokens: int = 12) -> tuple[str, AnswerStats]:
    return answer_of(client.generate(messages, max_tokens=max_tokens, sampling=GREEDY, session=session))


def test_a_chat_goes_on_after_another_one_and_after_a_restart(start: Start, states: StateFolder) -> None:
    client = start()
    text, first = turn(client, [STORY], "chat-1")
    turn(client, [OTHER], "chat-2")
    second_turn = [STORY, assistant(text), user("And then?")]
    expected, second = turn(client, second_turn, "chat-1")
    assert second.reused_tokens >= first.prompt_tokens
    client.close()
    assert len(list(states.folder.glob("*.state"))) == 2

    client = start()
    again, third = turn(client, second_turn, "chat-1")
    assert again == expected
    assert third.reused_tokens == third.prompt_tokens - 1


def test_what_was_loaded_answers_exactly_like_what_was_read(start: Start, states: StateFolder) -> None:
    client = start()
    text, _ = turn(client, [STORY], "chat-1")
    client.close()
    client = start()
    second_turn = [STORY, assistant(text), user("And then?")]
    restored, stats = turn(client, second_turn, "chat-1", 40)
    assert stats.reused_tokens > 100
    states.clear()
    turn(client, [OTHER], "")
    anew, stats = turn(client, second_turn, "", 40)
    assert stats.reused_tokens < 40
    assert anew == restored


def test_switching_models_and_unloading_keep_the_state(start: Start, path: Path, states: StateFolder) -> None:
    client = start()
    _, first = turn(client, [STORY], "chat-1")
    load(client, path)
    _, again = turn(client, [STORY], "chat-1")
    assert again.reused_tokens == first.prompt_tokens - 1
    client.unload()
    load(client, path)
    _, again = turn(client, [STORY], "chat-1")
    assert again.reused_tokens == first.prompt_tokens - 1


def test_a_temporary_chat_leaves_nothing(start: Start, states: StateFolder) -> None:
    client = start()
    turn(client, [STORY], "")
    turn(client, [OTHER], "chat-2", 4)
    client.close()
    assert [states.state_path("chat-2")] == list(states.folder.glob("*.state"))


def test_a_forgotten_session_is_neither_on_disk_nor_saved_later(start: Start, states: StateFolder) -> None:
    client = start()
    turn(client, [STORY], "chat-1")
    turn(client, [OTHER], "chat-2")
    client.forget_session("chat-1")
    client.forget_session("chat-2")
    client.close()
    assert not list(states.folder.iterdir())


def test_a_state_of_another_context_is_deleted_and_said(
    start: Start, starter: Path, states: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    client = start()
    load(client, starter)  # heads of the tiny one are too narrow for anything but f16
    turn(client, [STORY], "chat-1")
    with caplog.at_level(logging.INFO):
        load(client, starter, kv_type="q8_0")
        _, stats = turn(client, [STORY], "chat-1")
        client.close()
    assert stats.reused_tokens == 0
    assert "kv_type differ" in caplog.text


def test_a_damaged_state_is_deleted_and_the_prompt_read(start: Start, states: StateFolder) -> None:
    client = start()
    expected, _ = turn(client, [STORY], "chat-1")
    client.close()
    state = next(states.folder.glob("*.state"))
    state.write_bytes(b"\0" * state.stat().st_size)
    client = start()
    text, stats = turn(client, [STORY], "chat-1")
    assert (text, stats.reused_tokens) == (expected, 0)


@pytest.mark.parametrize("session", ["chat-1", "chat-2"], ids=["its own", "of another chat"])
def test_a_state_torn_by_a_power_cut_is_deleted_and_the_prompt_read(
    start: Start, states: StateFolder, session: str
) -> None:
    client = start()
    expected, _ = turn(client, [STORY], "chat-1")
    client.close()
    state = next(states.folder.glob("*.state"))
    with state.open("r+b") as file:
        file.seek(state.stat().st_size // 2)
        file.write(bytes(512))
    client = start()
    text, stats = turn(client, [STORY], session)
    assert (text, stats.reused_tokens) == (expected, 0)
    assert not state.exists()


def test_without_room_on_disk_the_answer_is_unharmed(
    start: Start, states: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    client = start()
    states.folder.rmdir()
    states.folder.write_text("a file where the folder should be")
    with caplog.at_level(logging.INFO):
        text, _ = turn(client, [STORY], "chat-1")
        turn(client, [OTHER], "chat-2")
        again, stats = turn(client, [STORY], "chat-1")
        client.close()
    assert (again, stats.reused_tokens < 40) == (text, True)
    assert "was not saved" in caplog.text


@pytest.mark.parametrize("own", ["", "\n\nAnswer in one sentence."])
def test_what_several_sessions_begin_with_is_read_once(start: Start, states: StateFolder, own: str) -> None:
    """Also after a restart, and when the session that read it is gone."""
    beginning = STORY.text
    system = Message(Role.SYSTEM, beginning + own)

    def begun(client: EngineClient, question: str, session: str) -> AnswerStats:
        common = Ask([system, user(question)], 4, GREEDY, session=session)
        return answer_of(client.answer(replace(common, shared="project-1", shared_characters=len(beginning))))[1]

    client = start()
    first = begun(client, "What colour is the boat?", "chat-1")
    assert first.reused_tokens == 0
    client.forget_session("chat-1")
    client.close()
    assert list(states.folder.glob("*.state")) == [states.state_path("project-1")]

    client = start()
    second = begun(client, "How many dogs are there?", "chat-2")
    assert second.prompt_tokens - second.reused_tokens < 70  # letters, which are the tiny model's tokens


def test_a_document_that_one_chat_has_read_is_not_read_again_by_another_after_a_restart(
    start: Start, states: StateFolder
) -> None:
    document = "The ferry to the island leaves at nine, and the last one comes back at five. " * 8

    def asked(client: EngineClient, question: str, session: str) -> tuple[str, AnswerStats]:
        return turn(client, [user(f"{document}\n\n{question}")], session)

    client = start()
    first, stats = asked(client, "When does it leave?", "chat-1")
    assert stats.reused_tokens == 0
    client.close()
    kept = states.state_path("chat-1").read_bytes()

    client = start()
    elsewhere, stats = asked(client, "When does the last one come back?", "")
    assert stats.reused_tokens == 0, "what keeps nothing takes nothing"
    client.close()

    client = start()
    second, stats = asked(client, "When does the last one come back?", "chat-2")
    assert stats.reused_tokens >= len(document) - 50  # letters, which are the tiny model's tokens
    assert second == elsewhere, "as if all of it had just been read"
    client.close()
    assert states.state_path("chat-1").read_bytes() == kept
    assert states.state_path("chat-2").is_file()
    client = start()
    again, stats = asked(client, "When does it leave?", "chat-1")
    assert (again, stats.reused_tokens) == (first, stats.prompt_tokens - 1)


def test_a_documents_state_is_kept_by_a_background_answer(start: Start, states: StateFolder) -> None:
    client = start()
    ask = Ask([STORY], 4, GREEDY, session="document-1")
    list(client.generate_many([ask]))
    client.close()
    client = start()
    finished = [event for _, event in client.generate_many([ask])][-1]
    assert finished.stats.reused_tokens == finished.stats.prompt_tokens - 1  # type: ignore[union-attr]


def test_a_short_chat_is_not_worth_a_file(start: Start, states: StateFolder) -> None:
    client = start()
    turn(client, [user("Hi.")], "chat-1", 2)
    client.close()
    assert not states.folder.exists() or not list(states.folder.iterdir())
