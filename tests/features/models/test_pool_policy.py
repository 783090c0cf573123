"""The table of the pool's policy: where a leased model goes, and which other one makes room for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors.model_errors import ModelUnreadable
from app.features.models.model_pool import ModelSwap, needed_bytes, swap_words
from app.features.models.pool_policy import (
    RESERVE_BYTES,
    ChatConcession,
    LeasePriority,
    MemoryState,
    ModelInMemory,
    ModelPlacement,
    place_model,
)

GB = 10**9
CHAT, OLD, NEW = Path("chat.gguf"), Path("old.gguf"), Path("new.gguf")
EMPTY, FULL = 3 * GB + RESERVE_BYTES, GB + RESERVE_BYTES
IN_CHAT = ModelInMemory(CHAT, 4 * GB)
ELSEWHERE = ModelInMemory(CHAT, 0)
UNUSED = (ModelInMemory(NEW, GB, (), 9.0), ModelInMemory(OLD, GB, (), 3.0))
LEASED = (ModelInMemory(OLD, GB, (LeasePriority.IDLE,)),)
PERSON, PAGE, JOB, CLIENT, IDLE = LeasePriority
STAY, SLEEP, SWAP, LEAVE = ChatConcession


def shared_by(priority: LeasePriority) -> ModelInMemory:
    """The chat's model while a lease uses it."""
    return replace(IN_CHAT, leases=(priority,))


ROWS: list[tuple[str, LeasePriority, MemoryState, ChatConcession, ModelPlacement]] = [
    ("fits beside the chat's", JOB, MemoryState(3 * GB + RESERVE_BYTES, IN_CHAT), SWAP, ModelPlacement.BESIDE),
    ("but for the reserve", JOB, MemoryState(3 * GB + RESERVE_BYTES - 1, IN_CHAT), SWAP, ModelPlacement.SWAP),
    ("nobody knows what is free", CLIENT, MemoryState(0, IN_CHAT), STAY, ModelPlacement.BESIDE),
    ("an unused one goes first", IDLE, MemoryState(FULL, IN_CHAT, UNUSED), STAY, ModelPlacement.CLOSE),
    ("before a person is asked", JOB, MemoryState(FULL, IN_CHAT, UNUSED), SWAP, ModelPlacement.CLOSE),
    ("a leased one stays", JOB, MemoryState(FULL, IN_CHAT, LEASED), SWAP, ModelPlacement.SWAP),
    ("another one is loading", PERSON, MemoryState(EMPTY, IN_CHAT, (), 1), STAY, ModelPlacement.WAIT),
    ("and both fit", PERSON, MemoryState(EMPTY + GB, IN_CHAT, (), GB), STAY, ModelPlacement.BESIDE),
    ("a second answer", PERSON, MemoryState(FULL, IN_CHAT), STAY, ModelPlacement.REFUSE),
    ("a comparison", PERSON, MemoryState(FULL, IN_CHAT), SLEEP, ModelPlacement.SLEEP),
    ("a job beside a page", JOB, MemoryState(FULL, shared_by(LeasePriority.PAGE)), SWAP, ModelPlacement.SWAP),
    ("a job beside another", JOB, MemoryState(FULL, shared_by(LeasePriority.JOB)), SWAP, ModelPlacement.WAIT),
    ("a page beside a job", PAGE, MemoryState(FULL, shared_by(LeasePriority.JOB)), SWAP, ModelPlacement.REFUSE),
    ("a page", PAGE, MemoryState(FULL, IN_CHAT), SWAP, ModelPlacement.SWAP),
    ("an estimate asks nobody", JOB, MemoryState(FULL, IN_CHAT), STAY, ModelPlacement.REFUSE),
    ("not even alone", JOB, MemoryState(0 + 1, ModelInMemory(CHAT, 3 * GB)), SWAP, ModelPlacement.REFUSE),
    ("a client", CLIENT, MemoryState(FULL, IN_CHAT), STAY, ModelPlacement.REFUSE),
    ("a client of the terminal", CLIENT, MemoryState(FULL, IN_CHAT), LEAVE, ModelPlacement.REPLACE),
    (
        "while another is answered",
        CLIENT,
        MemoryState(FULL, shared_by(LeasePriority.CLIENT)),
        LEAVE,
        ModelPlacement.WAIT,
    ),
    ("idle work", IDLE, MemoryState(FULL, IN_CHAT), STAY, ModelPlacement.REFUSE),
    ("nothing in the way", JOB, MemoryState(FULL), SWAP, ModelPlacement.BESIDE),
    ("nothing, for a client", CLIENT, MemoryState(FULL), STAY, ModelPlacement.TOO_LARGE),
    ("the chat's runs elsewhere", PERSON, MemoryState(FULL, ELSEWHERE), STAY, ModelPlacement.BESIDE),
    ("elsewhere, for a client", CLIENT, MemoryState(FULL, ELSEWHERE), STAY, ModelPlacement.REFUSE),
]


@pytest.mark.parametrize(
    ("priority", "memory", "concession", "placement"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_happens_for_a_model_of_three_gigabytes(
    priority: LeasePriority, memory: MemoryState, concession: ChatConcession, placement: ModelPlacement
) -> None:
    path = OLD if placement is ModelPlacement.CLOSE else None
    assert place_model(3 * GB, priority, memory, concession) == (placement, path)


@pytest.mark.parametrize("priority", LeasePriority)
def test_a_model_on_another_computer_takes_no_room(priority: LeasePriority) -> None:
    assert place_model(0, priority, MemoryState(1, IN_CHAT))[0] is ModelPlacement.BESIDE


def test_the_question_names_both_models_and_both_sizes() -> None:
    swap = ModelSwap("translate-1", "Qwen3.5 4B", "Hy-MT2 1.8B", 2 * GB, free_bytes=GB + RESERVE_BYTES)
    words = str(swap_words(swap))
    assert all(fact in words for fact in ("Hy-MT2 1.8B", "2.0 GB", "1.5 GB", "Qwen3.5 4B"))


def test_the_memory_a_model_needs_is_known_from_its_file(starter: Path, tmp_path: Path) -> None:
    assert starter.stat().st_size < needed_bytes(starter) < 4 * starter.stat().st_size
    nothing = tmp_path / "nothing.gguf"
    nothing.write_bytes(b"")
    with pytest.raises(ModelUnreadable):
        needed_bytes(nothing)
