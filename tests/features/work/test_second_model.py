"""A second model shares the memory where it can; else one question per job decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.features.work.engines import RESERVE_BYTES, Places, SecondEngine, Swap, swap_words

GB = 10**9
TIGHT = Swap("translate-1", "Qwen3.5 4B", 4 * GB, "Hy-MT2 1.8B", 2 * GB, free_bytes=GB + RESERVE_BYTES)


class Person:
    """Answers as told and remembers what was asked."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.asked: list[Swap] = []

    def ask(self, swap: Swap) -> bool:
        self.asked.append(swap)
        return self.answers.pop(0)


def second(person: Person) -> SecondEngine:
    """It is not opened: only what it decides is asked."""
    nobody: Any = None
    return SecondEngine("translate", nobody, nobody, person.ask)


def test_both_fit_without_a_question() -> None:
    person = Person()
    roomy = replace(TIGHT, free_bytes=2 * GB + RESERVE_BYTES)
    assert second(person).decide(roomy) is Places.BOTH
    assert person.asked == []


def test_some_memory_stays_for_everything_else() -> None:
    person = Person(False)
    exact = replace(TIGHT, free_bytes=2 * GB + RESERVE_BYTES - 1)
    assert second(person).decide(exact) is Places.NO
    assert person.asked == [exact]


def test_with_nothing_loaded_there_is_nothing_to_swap() -> None:
    assert second(Person()).decide(replace(TIGHT, loaded_bytes=0, free_bytes=GB)) is Places.BOTH


def test_the_person_is_asked_once_a_job_and_the_answer_holds() -> None:
    person = Person(True, False)
    yes, no = second(person), second(person)
    assert [yes.decide(TIGHT) for _ in range(3)] == [Places.SWAP] * 3
    assert [no.decide(TIGHT) for _ in range(2)] == [Places.NO] * 2
    assert person.asked == [TIGHT] * 2


def test_memory_that_got_free_meanwhile_is_used_whatever_was_answered() -> None:
    engine = second(Person(False))
    assert engine.decide(TIGHT) is Places.NO
    assert engine.decide(replace(TIGHT, free_bytes=8 * GB)) is Places.BOTH


def test_a_model_that_does_not_fit_even_alone_is_not_asked_about() -> None:
    person = Person()
    assert second(person).decide(replace(TIGHT, wanted_bytes=9 * GB)) is Places.NO
    assert person.asked == []


def test_a_job_that_is_over_asks_again() -> None:
    person = Person(True, False)
    engine = second(person)
    assert engine.decide(TIGHT) is Places.SWAP
    engine.close()
    assert engine.decide(TIGHT) is Places.NO


def test_the_question_names_both_models_and_both_sizes() -> None:
    assert str(swap_words(TIGHT)) == (
        "This needs Hy-MT2 1.8B, which takes 2.0 GB, and 1.5 GB are free. Put Qwen3.5 4B to sleep meanwhile?"
    )
