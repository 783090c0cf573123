"""Saved state in the real child: a chat goes on where it was, after another chat, another model, a restart."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.child import own_command
from app.core.errors.engine_errors import EngineStopped
from app.core.events import AnswerStats, Finished, Message, Role, TextDelta
from app.engine.client import EngineClient
from app.engine.protocol import Ask
from app.engine.states import StateFolder, StateIdentity, name_documents
from tests.helpers import dying_engine
from tests.helpers.dying_engine import MOMENTS
from tests.helpers.engine import GREEDY, answer_of, assistant, load, user

pytestmark = pytest.mark.model

STORY = user("Once there was a lighthouse keeper with a red boat and two dogs. " * 8 + "Go on.")
LONG = "The ferry to the island leaves at nine, and the last one comes back at five. " * 8
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


@pytest.mark.parametrize(
    ("named", "forgotten"),
    [("chat-1", True), ("memory-3", True), ("document-5", True), ("document-6", False), ("", False)],
)
def test_what_was_deleted_leaves_the_memory_of_a_loaded_model(
    start: Start, states: StateFolder, named: str, forgotten: bool
) -> None:
    client = start()

    def ask() -> AnswerStats:
        told: dict[str, Any] = {"session": "chat-1", "made_of": ("memory-3", "document-5")}
        return answer_of(client.generate([STORY], max_tokens=4, sampling=GREEDY, **told))[1]

    first = ask()
    client.forget_texts({named} - {""})
    again = ask()
    assert again.reused_tokens == (0 if forgotten else first.prompt_tokens - 1)
    client.forget_texts({named} - {""})
    client.close()
    assert bool(list(states.folder.glob("*.state"))) is not forgotten, "nor is it saved later"


def test_a_temporary_chat_that_was_left_is_in_no_memory(start: Start) -> None:
    client = start()
    turn(client, [STORY], "")
    client.forget_texts(frozenset())
    assert turn(client, [STORY], "")[1].reused_tokens == 0


def test_what_is_forgotten_while_it_is_written_goes_with_its_end(start: Start, states: StateFolder) -> None:
    client = start()
    answer = client.generate([STORY], max_tokens=200, sampling=GREEDY, session="chat-1")
    next(event for event in answer if isinstance(event, TextDelta))
    client.forget_texts({"chat-1"})
    assert [event for event in answer if isinstance(event, Finished)], "the answer goes on"
    assert turn(client, [STORY], "")[1].reused_tokens == 0
    client.close()
    assert not list(states.folder.glob("*.state"))


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
    def asked(client: EngineClient, question: str, session: str) -> tuple[str, AnswerStats]:
        return turn(client, [user(f"{LONG}\n\n{question}")], session)

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
    assert stats.reused_tokens >= len(LONG) - 50  # letters, which are the tiny model's tokens
    assert second == elsewhere, "as if all of it had just been read"
    client.close()
    assert states.state_path("chat-1").read_bytes() == kept
    assert states.state_path("chat-2").is_file()
    client = start()
    again, stats = asked(client, "When does it leave?", "chat-1")
    assert (again, stats.reused_tokens) == (first, stats.prompt_tokens - 1)


def documents_kept(states: StateFolder) -> list[str]:
    """Numbers of the documents of which there are states."""
    return sorted(file.name.split("-")[1] for file in states.folder.glob("documents-*.state"))


def ask_about(client: EngineClient, number: int, session: str) -> AnswerStats:
    """Ask a chat's first question about a document of this number."""
    text = f"{number}. {LONG}"
    ask = Ask([user(f"{text}\n\nWhen does it leave?")], 4, GREEDY, session=session)
    return answer_of(client.answer(replace(ask, shared=name_documents((number,)), shared_characters=len(text))))[1]


def test_of_documents_the_longest_unused_goes_first_and_a_deleted_one_at_once(
    start: Start, states: StateFolder, path: Path
) -> None:
    client = start()

    def read_in_deleted_chat(number: int) -> bool:
        """Whether the document was known."""
        is_known = ask_about(client, number, "chat-1").reused_tokens > len(LONG) // 2
        client.forget_session("chat-1")
        return is_known

    assert [read_in_deleted_chat(number) for number in (1, 2)] == [False, False]
    assert documents_kept(states) == ["1", "2"]
    room = states.size_bytes() * 5 // 4
    states.budget_bytes = lambda: room  # of two and a half
    load(client, path)
    assert [read_in_deleted_chat(number) for number in (1, 3)] == [True, False]
    assert documents_kept(states) == ["1", "3"]
    states.delete_documents(lambda number: number == 3)
    assert documents_kept(states) == ["1"]
    assert [read_in_deleted_chat(number) for number in (1, 3)] == [True, False]
    assert states.size_bytes() <= room


def test_a_document_larger_than_the_budget_is_not_kept(start: Start, states: StateFolder, path: Path) -> None:
    client = start()
    states.budget_bytes = lambda: 1000
    load(client, path)
    ask_about(client, 1, "chat-1")
    client.close()
    assert states.size_bytes() == 0


def test_a_temporary_chat_neither_keeps_a_document_nor_takes_one(start: Start, states: StateFolder) -> None:
    client = start()
    ask_about(client, 1, "")
    client.close()
    assert states.size_bytes() == 0
    client = start()
    ask_about(client, 1, "chat-1")
    client.close()
    client = start()
    assert ask_about(client, 1, "").reused_tokens == 0


def test_the_same_beginning_is_found_behind_many_newer_states(start: Start, states: StateFolder) -> None:
    def asked(client: EngineClient, question: str, session: str) -> AnswerStats:
        return turn(client, [user(f"{LONG}\n\n{question}")], session, 4)[1]

    client = start()
    asked(client, "When does it leave?", "chat-1")
    client.close()
    (state,) = states.folder.glob("*.state")
    body = json.loads(state.with_suffix(".json").read_text())
    identity = StateIdentity(**body["identity"])
    for number in range(60):
        unfinished = states.unfinished_path(f"other-{number}")
        unfinished.write_bytes(b"x")
        states.add_state(f"other-{number}", identity, [1000 + number, *body["tokens"][1:]], unfinished)
    stats = asked(start(), "When does the last one come back?", "chat-2")
    assert stats.reused_tokens >= len(LONG) - 50


@pytest.mark.skipif(sys.platform == "win32", reason="nothing ends a process there as SIGKILL does")
@pytest.mark.parametrize(("moment", "is_kept_before"), list(zip(MOMENTS, (False, True, False, True), strict=True)))
def test_a_child_killed_while_it_writes_a_state_with_checkpoints_leaves_nothing_wrong(
    tmp_path: Path, states: StateFolder, tiny_model: Callable[[str], Path], moment: str, is_kept_before: bool
) -> None:
    def begun(command: Sequence[str], name: str) -> EngineClient:
        client = EngineClient(command, tmp_path / name, states=states)
        load(client, tiny_model("granitehybrid"))
        return client

    longer = [STORY, assistant("The dogs."), user("And then?")]
    with closing(begun(own_command("--engine-worker"), "first")) as client:
        expected, _ = turn(client, longer, "")
        if is_kept_before:
            turn(client, [STORY], "chat-1")
    before = {file.name for file in states.folder.iterdir()} if is_kept_before else set()
    with closing(begun([sys.executable, dying_engine.__file__, moment], "dying")) as client:
        turn(client, longer, "chat-1")
        with pytest.raises(EngineStopped):
            turn(client, [OTHER], "chat-2")  # whose place is that of the first
    assert {file.name for file in states.folder.iterdir()} != before, "it died while it wrote"
    with closing(begun(own_command("--engine-worker"), "second")) as client:
        found, stats = turn(client, longer, "chat-1")
        assert found == expected
        # What was kept before is used, or all is read: a half state is neither.
        assert stats.reused_tokens == 0 or is_kept_before
        turn(client, [OTHER], "chat-2")
        again, stats = turn(client, longer, "chat-1")
        assert again == expected
        assert stats.reused_tokens >= stats.prompt_tokens - 40
    for file in states.folder.glob("*.part"):
        os.utime(file, (0, 0))
    states.trim()
    assert sorted(file.suffix for file in states.folder.iterdir()) == [".json", ".json", ".state", ".state"]


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
