"""Leases on a scripted memory: who makes room for whom, who waits, and what comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from app.core.errors.model_errors import ModelNotLoaded, ModelTooLarge, NoRoomForModel
from app.core.events import CancelToken
from app.features.models import pool_policy
from app.features.models.model_pool import LeaseTerms
from app.features.models.pool_policy import ChatConcession, LeasePriority
from app.features.models.pooled_engine import ChatUse
from tests.helpers.model_memory import Memory, model

AGREES = LeaseTerms(ChatConcession.SWAP, "job", lambda swap: True)
DECLINES = LeaseTerms(ChatConcession.SWAP, "job")
TERMINAL = LeaseTerms(ChatConcession.LEAVE)
PERSON, PAGE, JOB, CLIENT, IDLE = LeasePriority


@pytest.fixture
def memories() -> Iterator[Callable[..., Memory]]:
    made: list[Memory] = []

    def make(*arguments: Any) -> Memory:
        made.append(Memory(*arguments))
        return made[-1]

    yield make
    for memory in made:
        memory.pool.close()


Step = tuple[str, Callable[[Memory], object], str]
RUNS: dict[str, tuple[int, list[Step]]] = {
    "a job's model comes beside the chat's and goes": (
        5,
        [("lease", lambda m: m.lease("small"), "chat small"), ("end", lambda m: m.end("small"), "chat")],
    ),
    "a client's stays a while, and gives way to a job before anybody is asked": (
        8,
        [
            ("client", lambda m: m.lease("small", CLIENT), "chat small"),
            ("answered", lambda m: m.end("small"), "chat small"),
            ("again", lambda m: m.lease("small", IDLE), "chat small"),
            ("done", lambda m: m.end("small"), "chat small"),
            ("job", lambda m: m.lease("large", JOB, DECLINES), "chat large"),
            ("end", lambda m: m.end("large"), "chat"),
        ],
    ),
    "the chat's model gives its place if the user agrees, and comes back": (
        5,
        [("job", lambda m: m.lease("large", JOB, AGREES), "large"), ("end", lambda m: m.end("large"), "chat")],
    ),
    "it comes back after the last one that uses the other": (
        5,
        [
            ("job", lambda m: m.lease("large", JOB, AGREES), "large"),
            ("client", lambda m: m.lease("large", CLIENT, key="client"), "large"),
            ("end", lambda m: m.end("large"), "large"),
            ("answered", lambda m: m.end("client"), "chat"),
        ],
    ),
    "it doesn't come back over a model that the user has loaded meanwhile": (
        5,
        [
            ("job", lambda m: m.lease("large", JOB, AGREES), "large"),
            ("user", lambda m: list(m.chat.load(model("small"))), "small"),
            ("end", lambda m: m.end("large"), "small"),
        ],
    ),
    "of two that gave their place the first comes back": (
        5,
        [
            ("page", lambda m: m.lease("large", PAGE, AGREES), "large"),
            ("job", lambda m: m.lease("other", JOB, AGREES), "other"),
            ("page ends", lambda m: m.end("large"), "other"),
            ("job ends", lambda m: m.end("other"), "chat"),
        ],
    ),
    "nor when the program quits": (
        5,
        [
            ("job", lambda m: m.lease("large", PAGE, AGREES), "large"),
            ("quit", lambda m: m.pool.end_swaps(), "large"),
            ("end", lambda m: m.end("large"), "large"),
        ],
    ),
    "it sleeps for a comparison and wakes for a job": (
        5,
        [
            ("fits", lambda m: m.pool.make_room(model("small")), "chat"),
            ("compare", lambda m: m.pool.make_room(model("large")), "(chat)"),
            ("again", lambda m: m.pool.make_room(model("large")), "(chat)"),
            ("job", lambda m: m.lease("chat"), "chat"),
        ],
    ),
    "a comparison closes what a client no longer uses first": (
        8,
        [
            ("client", lambda m: m.lease("small", CLIENT), "chat small"),
            ("answered", lambda m: m.end("small"), "chat small"),
            ("compare", lambda m: m.pool.make_room(model("large")), "chat"),
        ],
    ),
    "a chat's own model takes the place, for which what nobody uses closes": (
        9,
        [
            ("client", lambda m: m.lease("large", CLIENT), "chat large"),
            ("answered", lambda m: m.end("large"), "chat large"),
            ("fits", lambda m: m.ask("other"), "other large"),
            ("end", lambda m: m.end("other"), "other large"),
            ("larger", lambda m: m.choose("larger"), "larger"),
        ],
    ),
    "but not what a client uses": (
        9,
        [
            ("client", lambda m: m.lease("large", CLIENT), "chat large"),
            ("chosen", lambda m: m.choose("larger"), "larger large"),
        ],
    ),
    "a sleeping model that wakes closes what nobody uses": (
        8,
        [
            ("sleep", lambda m: m.chat.sleep(), "(chat)"),
            ("client", lambda m: m.lease("larger", CLIENT), "(chat) larger"),
            ("answered", lambda m: m.end("larger"), "(chat) larger"),
            ("question", lambda m: m.ask(), "chat"),
        ],
    ),
    "one that gave its place comes back after an answer by the other": (
        5,
        [
            ("job", lambda m: m.lease("large", JOB, AGREES), "large"),
            ("question", lambda m: m.ask(), "large"),
            ("job ends", lambda m: m.end("large"), "large"),
            ("answered", lambda m: m.end("ask"), "chat"),
        ],
    ),
    "on the terminal's server it is replaced for good": (
        5,
        [("client", lambda m: m.lease("large", CLIENT, TERMINAL), "large"), ("end", lambda m: m.end("large"), "large")],
    ),
    "a sleeping model and one that a client has are shared": (
        9,
        [
            ("sleep", lambda m: m.chat.sleep(), "(chat)"),
            ("page", lambda m: m.lease("chat", PAGE), "chat"),
            ("client", lambda m: m.lease("large", CLIENT), "chat large"),
            ("job", lambda m: m.lease("large", JOB, DECLINES), "chat large"),
        ],
    ),
    "what only clients use closes with their server": (
        9,
        [
            ("client", lambda m: m.lease("large", CLIENT), "chat large"),
            ("off", lambda m: m.pool.close(CLIENT), "chat"),
        ],
    ),
    "but not what a job uses": (
        9,
        [("job", lambda m: m.lease("large", JOB), "chat large"), ("off", lambda m: m.pool.close(CLIENT), "chat large")],
    ),
}


@pytest.mark.parametrize("run", RUNS)
def test_what_is_in_memory_after_each_step(memories: Callable[..., Memory], run: str) -> None:
    gigabytes, steps = RUNS[run]
    memory = memories(gigabytes)
    for name, step, expected in steps:
        step(memory)
        assert memory.shown == expected, name


REFUSALS: list[tuple[str, tuple[str, LeasePriority, LeaseTerms], type[Exception]]] = [
    ("chat", ("large", PERSON, LeaseTerms()), NoRoomForModel),
    ("chat", ("large", JOB, DECLINES), NoRoomForModel),
    ("chat", ("huge", JOB, AGREES), NoRoomForModel),
    ("chat", ("large", CLIENT, LeaseTerms()), NoRoomForModel),
    ("chat", ("small", CLIENT, LeaseTerms(may_load=False)), ModelNotLoaded),
    ("", ("huge", CLIENT, LeaseTerms()), ModelTooLarge),
]


@pytest.mark.parametrize(("chat", "wanted", "error"), REFUSALS)
def test_a_refused_lease_changes_nothing(
    memories: Callable[..., Memory], chat: str, wanted: tuple[str, LeasePriority, LeaseTerms], error: type[Exception]
) -> None:
    memory = memories(5, chat)
    before = memory.shown
    with pytest.raises(error):
        memory.lease(*wanted)
    assert (memory.shown, len(memory.engines)) == (before, 1)


def test_the_chats_model_is_loaded_in_the_chat_and_anything_in_it_serves(memories: Callable[..., Memory]) -> None:
    memory = memories(5, "")
    memory.lease("chat", CLIENT)
    assert memory.shown == "chat"
    other = memories(5, "large")
    with other.pool.lease(None, JOB, CancelToken()) as engine:
        assert engine is other.chat
    assert other.shown == "large"


def test_of_those_that_wait_for_a_load_the_most_urgent_decides_first(memories: Callable[..., Memory]) -> None:
    memory = memories(9)
    memory.go_on.clear()
    gives_up = CancelToken()

    def lease(name: str, priority: LeasePriority, cancel: CancelToken) -> None:
        with suppress(NoRoomForModel), memory.pool.lease(model(name), priority, cancel):
            over.wait(30)

    over = threading.Event()
    threads = []
    for name, priority, cancel in (
        ("large", CLIENT, gives_up),
        ("medium", IDLE, CancelToken()),
        ("other", JOB, CancelToken()),
    ):
        threads.append(threading.Thread(target=lease, args=(name, priority, cancel)))
        threads[-1].start()
        # By then the pool knows that it waits.
        assert memory.measured.acquire(timeout=30)
        assert memory.loading.acquire(timeout=30) if name == "large" else True
    gives_up.cancel()
    memory.go_on.set()
    assert memory.loading.acquire(timeout=30)
    threads[1].join(30)
    assert (memory.begun, memory.shown) == (["chat", "large", "other"], "chat other"), "idle work found no room"
    over.set()
    for thread in threads:
        thread.join(30)


def test_a_model_that_no_client_uses_any_more_is_closed_in_time(
    memories: Callable[..., Memory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_policy, "KEPT_S", 0.1)
    memory = memories(9)
    memory.lease("small", CLIENT)
    memory.end("small")
    assert memory.closed.acquire(timeout=30)


@pytest.mark.parametrize("asking", [PERSON, IDLE])
@pytest.mark.parametrize("waiting", [PAGE, JOB])
def test_pages_and_jobs_wait_for_an_answer_and_for_a_title(
    memories: Callable[..., Memory], waiting: LeasePriority, asking: LeasePriority
) -> None:
    memory = memories(5)
    memory.ask(priority=asking)
    thread = threading.Thread(target=memory.lease, args=("large", waiting, AGREES))
    thread.start()
    # By then it has seen that the chat's model is in use.
    assert memory.measured.acquire(timeout=30)
    assert memory.shown == "chat"
    memory.end("ask")
    thread.join(30)
    assert memory.shown == "large"


@pytest.mark.parametrize("priority", [PERSON, JOB, CLIENT, IDLE])
def test_every_lease_of_the_chats_model_counts_as_use(memories: Callable[..., Memory], priority: LeasePriority) -> None:
    memory, now_s = memories(5), [0.0]
    seat = memory.pool.seat
    seat.clock, seat.used_s = (lambda: now_s[0]), 0.0
    memory.lease("chat", priority)
    now_s[0] = 900.0
    assert seat.use == ChatUse((priority,), 0.0)
    memory.end("chat")
    now_s[0] = 910.0
    assert seat.use == ChatUse((), 10.0)


def test_a_deleted_chat_is_forgotten_by_every_engine_also_after_one_that_fails(
    memories: Callable[..., Memory],
) -> None:
    memory = memories(9)
    memory.lease("small", CLIENT)
    memory.chat.sleep()
    memory.pool.broadcast.forget_session("chat-3")
    assert [engine.forgotten for engine in memory.engines] == [["chat-3"], ["chat-3"]]
