"""A second model shares the memory where it can, else one question per job decides; a job's own beside the chat's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ModelUnreadable
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.features.work.engines import RESERVE_BYTES, ModelPlacement, ModelSwap, SecondEngine, needed_bytes, swap_words
from tests.helpers.engine import answer_of, load, scripted_client, user

GB = 10**9
TIGHT = ModelSwap("translate-1", "Qwen3.5 4B", 4 * GB, "Hy-MT2 1.8B", 2 * GB, free_bytes=GB + RESERVE_BYTES)


class Person:
    """Answers as told and remembers what was asked."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.asked: list[ModelSwap] = []

    def ask(self, swap: ModelSwap) -> bool:
        self.asked.append(swap)
        return self.answers.pop(0)


def second(person: Person) -> SecondEngine:
    """It is not opened: only what it decides is asked."""
    nobody: Any = None
    return SecondEngine("translate", nobody, nobody, person.ask)


def test_both_fit_without_a_question() -> None:
    person = Person()
    roomy = replace(TIGHT, free_bytes=2 * GB + RESERVE_BYTES)
    assert second(person).decide_placement(roomy) is ModelPlacement.BOTH
    assert person.asked == []


def test_some_memory_stays_for_everything_else() -> None:
    person = Person(False)
    exact = replace(TIGHT, free_bytes=2 * GB + RESERVE_BYTES - 1)
    assert second(person).decide_placement(exact) is ModelPlacement.NO
    assert person.asked == [exact]


def test_with_nothing_loaded_there_is_nothing_to_swap() -> None:
    assert second(Person()).decide_placement(replace(TIGHT, loaded_bytes=0, free_bytes=GB)) is ModelPlacement.BOTH


def test_the_person_is_asked_once_a_job_and_the_answer_holds() -> None:
    person = Person(True, False)
    yes, no = second(person), second(person)
    assert [yes.decide_placement(TIGHT) for _ in range(3)] == [ModelPlacement.SWAP] * 3
    assert [no.decide_placement(TIGHT) for _ in range(2)] == [ModelPlacement.NO] * 2
    assert person.asked == [TIGHT] * 2


def test_memory_that_got_free_meanwhile_is_used_whatever_was_answered() -> None:
    engine = second(Person(False))
    assert engine.decide_placement(TIGHT) is ModelPlacement.NO
    assert engine.decide_placement(replace(TIGHT, free_bytes=8 * GB)) is ModelPlacement.BOTH


def test_a_model_that_does_not_fit_even_alone_is_not_asked_about() -> None:
    person = Person()
    assert second(person).decide_placement(replace(TIGHT, wanted_bytes=9 * GB)) is ModelPlacement.NO
    assert person.asked == []


def test_a_job_that_is_over_asks_again() -> None:
    person = Person(True, False)
    engine = second(person)
    assert engine.decide_placement(TIGHT) is ModelPlacement.SWAP
    engine.close()
    assert engine.decide_placement(TIGHT) is ModelPlacement.NO


def test_the_question_names_both_models_and_both_sizes() -> None:
    words = str(swap_words(TIGHT))
    assert all(fact in words for fact in ("Hy-MT2 1.8B", "2.0 GB", "1.5 GB", "Qwen3.5 4B"))


CHAT_MODEL, JOB_MODEL = Path("/models/chat.gguf"), Path("/models/job.gguf")
RULES = {"load": {"any_path": True, "needed_bytes": 4 * GB}}


class Desk:
    """A chat's engine with its model, and what a job gets beside it."""

    def __init__(self, folder: Path, free_bytes: int, *answers: bool) -> None:
        self._folder = folder
        self._answers = list(answers)
        self.asked: list[ModelSwap] = []
        self.made: list[EngineClient] = []
        self.chats = scripted_client(folder / "chats", RULES)
        load(self.chats, CHAT_MODEL)
        self.engines = SecondEngine(
            "translate", self.chats, self._make, self._ask, free_bytes=lambda: free_bytes, needs=lambda path: 2 * GB
        )

    def open(self, path: Path = JOB_MODEL) -> EngineClient | None:
        return self.engines.open(path, CancelToken())

    def _make(self) -> EngineClient:
        self.made.append(scripted_client(self._folder / f"beside{len(self.made)}", RULES))
        return self.made[-1]

    def _ask(self, swap: ModelSwap) -> bool:
        self.asked.append(swap)
        return self._answers.pop(0)

    def close(self) -> None:
        for engine in (self.chats, *self.made):
            engine.close()


@pytest.fixture
def desks() -> Iterator[list[Desk]]:
    """Desks that are cleared after the test."""
    made: list[Desk] = []
    yield made
    for desk in made:
        desk.close()


def desk_with(desks: list[Desk], folder: Path, free_bytes: int, *answers: bool) -> Desk:
    desks.append(Desk(folder, free_bytes, *answers))
    return desks[-1]


def model_in(engine: EngineClient | None) -> Path | None:
    return Path(engine.loaded.path) if engine is not None and engine.loaded is not None else None


def test_a_job_with_the_chats_model_shares_its_engine(desks: list[Desk], tmp_path: Path) -> None:
    desk = desk_with(desks, tmp_path, 0)
    assert desk.open(CHAT_MODEL) is desk.chats
    assert not desk.made


def test_both_are_in_memory_where_they_fit(desks: list[Desk], tmp_path: Path) -> None:
    desk = desk_with(desks, tmp_path, 3 * GB)
    engine = desk.open()
    assert (model_in(engine), model_in(desk.chats)) == (JOB_MODEL, CHAT_MODEL)
    assert desk.open() is engine
    assert engine is not None
    assert answer_of(engine.generate([user("hello")]))[0] == "You said: hello"
    desk.engines.close()
    assert engine.pid is None
    assert (desk.asked, model_in(desk.chats)) == ([], CHAT_MODEL)


def test_the_chats_model_gives_way_when_a_person_says_so_and_comes_back(desks: list[Desk], tmp_path: Path) -> None:
    desk = desk_with(desks, tmp_path, GB + RESERVE_BYTES, True)
    assert desk.open() is desk.chats
    assert model_in(desk.chats) == JOB_MODEL
    assert desk.open() is desk.chats
    assert [swap.job for swap in desk.asked] == ["translate"]
    desk.engines.close()
    assert model_in(desk.chats) == CHAT_MODEL


def test_a_person_who_declines_is_not_asked_again_for_that_job(desks: list[Desk], tmp_path: Path) -> None:
    desk = desk_with(desks, tmp_path, GB + RESERVE_BYTES, False)
    assert [desk.open(), desk.open()] == [None, None]
    assert len(desk.asked) == 1
    assert model_in(desk.chats) == CHAT_MODEL


def test_the_memory_a_model_needs_is_known_from_its_file(starter: Path, tmp_path: Path) -> None:
    assert starter.stat().st_size < needed_bytes(starter) < 4 * starter.stat().st_size
    nothing = tmp_path / "nothing.gguf"
    nothing.write_bytes(b"")
    with pytest.raises(ModelUnreadable):
        needed_bytes(nothing)
