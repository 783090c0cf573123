"""Tuning takes what is faster by more than noise, within its time, and gives way at once. The clock is a number."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from app.engine.tuner import (
    ModelTuner,
    SpeedVariant,
    TuningChoices,
    TuningInterrupted,
    is_clearly_faster,
    thread_choices,
)
from app.engine.tuning import FLASH_AUTO, FLASH_OFF, TUNING_BUDGET_S, ModelTuning, TuningTable

DEFAULTS, START = SpeedVariant(4, 4, 512), SpeedVariant(4, 4, 256)
CHOICES = TuningChoices((2, 8), (8,), (128, 512), (FLASH_OFF,), 8)


@dataclass
class FakeMachine:
    """A computer whose tokens take what `read_s` and `write_s` say; time passes only by that."""

    read_s: Callable[[SpeedVariant], float] = lambda variant: 0.001
    write_s: Callable[[SpeedVariant], float] = lambda variant: 0.02
    noise: float = 0.0
    interrupted_at_s: float = float("inf")
    now_s: float = 0.0
    open: int = 0
    refused: set[str] = field(default_factory=set)
    chance: random.Random = field(default_factory=lambda: random.Random(4))

    def open_probe(self, variant: SpeedVariant) -> FakeProbe | None:
        if variant.flash in self.refused or (variant.on_cpu and "cpu" in self.refused):
            return None
        self.open += 1
        return FakeProbe(self, variant)

    def pass_time(self, seconds: float) -> float:
        taken = seconds * (1 + self.noise * self.chance.random())
        self.now_s += taken
        if self.now_s > self.interrupted_at_s:
            raise TuningInterrupted
        return taken

    def tune(self, defaults: SpeedVariant = DEFAULTS, choices: TuningChoices = CHOICES) -> ModelTuning | None:
        tuner = ModelTuner(self.open_probe, defaults, START, choices, clock=lambda: self.now_s)
        found = tuner.tune()
        assert self.open == 0, "a context was left over"
        return found


@dataclass
class FakeProbe:
    """A context of that computer."""

    machine: FakeMachine
    variant: SpeedVariant

    def read(self, tokens: int, threads: int) -> float:
        variant = replace(self.variant, answer_threads=threads, prompt_threads=threads)
        return self.machine.pass_time(tokens * self.machine.read_s(variant))

    def write(self, tokens: int, threads: int) -> float:
        variant = replace(self.variant, answer_threads=threads, prompt_threads=threads)
        return self.machine.pass_time(tokens * self.machine.write_s(variant))

    def write_together(self, answers: int, threads: int) -> float:
        return self.machine.pass_time(0.02 * (1 + 0.1 * answers) if answers <= 4 else 0.02 * answers)

    def close(self) -> None:
        self.machine.open -= 1


def test_fewer_threads_are_taken_where_they_write_faster() -> None:
    found = FakeMachine(write_s=lambda variant: 0.01 * variant.answer_threads).tune()
    assert found is not None
    assert (found.is_faster, found.answer_threads, found.prompt_threads) == (True, 2, 4)
    assert found.answer_speed == pytest.approx(50)
    assert found.answer_default_speed == pytest.approx(25)


def test_prompts_and_answers_get_threads_apart() -> None:
    machine = FakeMachine(
        read_s=lambda variant: 0.004 / variant.prompt_threads, write_s=lambda variant: 0.01 * variant.answer_threads
    )
    found = machine.tune()
    assert found is not None
    assert (found.answer_threads, found.prompt_threads) == (2, 8)


def test_flash_attention_is_left_out_where_that_costs_less_in_all() -> None:
    # As on some Arm servers: prompts five times slower with it, answers hardly faster.
    machine = FakeMachine(
        read_s=lambda variant: 0.01 if variant.flash == FLASH_AUTO else 0.002,
        write_s=lambda variant: 0.02 if variant.flash == FLASH_AUTO else 0.0204,
    )
    found = machine.tune()
    assert found is not None
    assert found.flash == FLASH_OFF
    assert found.flash_off_prompts == pytest.approx(5)
    assert found.flash_off_answers == pytest.approx(0.02 / 0.0204)


@pytest.mark.parametrize(("prompts", "answers"), [(0.9, 2.0), (5.0, 0.9)])
def test_prompts_do_not_pay_for_answers_nor_answers_for_prompts(prompts: float, answers: float) -> None:
    machine = FakeMachine(
        read_s=lambda variant: 0.001 if variant.flash == FLASH_AUTO else 0.001 / prompts,
        write_s=lambda variant: 0.02 if variant.flash == FLASH_AUTO else 0.02 / answers,
    )
    found = machine.tune()
    assert found is not None
    assert found.flash != FLASH_OFF
    assert (found.flash_off_prompts, found.flash_off_answers) == pytest.approx((prompts, answers))


def test_flash_attention_stays_where_the_device_refuses_the_other() -> None:
    found = FakeMachine(refused={FLASH_OFF}).tune()
    assert found is not None
    assert (found.flash, found.flash_off_prompts) == (FLASH_AUTO, 0.0)


@pytest.mark.parametrize(("prompts", "answers"), [(1.5, 2.0), (0.5, 2.0), (2.0, 0.9), (1.0, 1.0)])
def test_an_integrated_gpu_is_left_out_where_the_processor_is_faster_without_it(prompts: float, answers: float) -> None:
    machine = FakeMachine(
        read_s=lambda variant: 0.001 / (prompts if variant.on_cpu else 1),
        write_s=lambda variant: 0.02 / (answers if variant.on_cpu else 1),
    )
    found = machine.tune(choices=replace(CHOICES, on_cpu=True))
    assert found is not None
    assert found.on_cpu is found.is_faster is (min(prompts, answers) > 1)
    assert (found.cpu_prompts, found.cpu_answers) == pytest.approx((prompts, answers))
    if found.on_cpu:
        assert (found.answer_speed, found.answer_default_speed) == pytest.approx((100, 50)), "against the GPU's"


def test_without_an_integrated_gpu_or_room_for_a_copy_nothing_is_left_out() -> None:
    machine = FakeMachine(write_s=lambda variant: 0.01 if variant.on_cpu else 0.02, refused={"cpu"})
    for choices in (CHOICES, replace(CHOICES, on_cpu=True)):
        found = machine.tune(choices=choices)
        assert found is not None
        assert (found.on_cpu, found.cpu_answers) == (False, 0.0)


def test_fewer_tokens_at_once_are_taken_where_prompts_are_read_faster() -> None:
    found = FakeMachine(read_s=lambda variant: 0.0005 * variant.batch_tokens / 256).tune()
    assert found is not None
    assert found.batch_tokens == 128


def test_answers_go_together_up_to_the_highest_sum() -> None:
    found = FakeMachine().tune()
    assert found is not None
    assert found.sequences == 4


def test_noise_changes_nothing() -> None:
    for seed in range(30):
        found = FakeMachine(noise=0.3, chance=random.Random(seed)).tune()
        assert found is not None
        assert not found.is_faster or found.answer_speed > found.answer_default_speed * 0.9
        if not found.is_faster:
            assert (found.answer_threads, found.prompt_threads, found.batch_tokens) == (4, 4, 256)


@pytest.mark.parametrize("slowness", [1, 4, 20, 60])
def test_the_time_is_kept_to_on_any_machine(slowness: float) -> None:
    machine = FakeMachine(lambda _: 0.001 * slowness, lambda _: 0.02 * slowness)
    assert machine.tune() is not None
    assert machine.now_s <= TUNING_BUDGET_S


@pytest.mark.parametrize("at_s", [0.01, 0.5, 5, 9])
def test_whoever_needs_the_model_ends_it(at_s: float) -> None:
    machine = FakeMachine(interrupted_at_s=at_s)
    assert machine.tune() is None


def test_few_or_mixed_rounds_say_nothing() -> None:
    assert is_clearly_faster([1.2, 1.25, 1.3])
    assert not is_clearly_faster([1.2, 1.25])
    assert not is_clearly_faster([1.3, 1.2, 0.9])
    assert not is_clearly_faster([1.01, 1.02, 1.01, 1.02, 1.01])
    assert not is_clearly_faster([1.5, 0.7, 1.04, 0.8, 1.6, 0.7, 1.5])


def test_other_threads_are_neighbours_halves_and_both_of_a_core() -> None:
    assert thread_choices(1, 1) == []
    assert thread_choices(2, 2) == [1]
    assert thread_choices(8, 16) == [2, 4, 7, 16]


TUNING = ModelTuning(2, 4, 256, answer_speed=31.0, is_faster=True, day="2026-12-02")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    return path


def test_a_tuning_holds_for_its_model_devices_and_build(tmp_path: Path, model: Path) -> None:
    table = TuningTable(tmp_path)
    table.store_tuning(model, "b1", ["CPU"], TUNING)
    assert TuningTable(tmp_path).find(model, "b1", ["CPU"]) == TUNING
    assert table.find(model, "b2", ["CPU"]) is None
    assert table.find(model, "b1", ["CPU", "GPU"]) is None
    model.write_bytes(b"other weights")
    assert table.find(model, "b1", ["CPU"]) is None
    assert table.find_latest(model) is None


def test_forgetting_concerns_all_tunings_of_a_model(tmp_path: Path, model: Path) -> None:
    table, other = TuningTable(tmp_path), tmp_path / "other.gguf"
    other.write_bytes(b"other")
    table.store_tuning(model, "b1", ["CPU"], TUNING)
    table.store_tuning(model, "b2", ["CPU"], TUNING)
    table.store_tuning(other, "b1", ["CPU"], TUNING)
    assert table.forget_model(model)
    assert not table.forget_model(model)
    assert table.find_latest(model) is None
    assert table.find_latest(other) == TUNING


@pytest.mark.parametrize("wrong", ['{"answer_threads": "two"', '{"answer_threads": 0', '{"is_faster": 3'])
def test_a_damaged_entry_is_none(tmp_path: Path, model: Path, wrong: str) -> None:
    table = TuningTable(tmp_path)
    table.store_tuning(model, "b1", ["CPU"], TUNING)
    file = tmp_path / "tuning.json"
    key = wrong.split('"')[1]
    file.write_text(file.read_text().replace(f'"{key}"', f'{wrong[1:]}, "was_{key}"', 1))
    assert table.find(model, "b1", ["CPU"]) is None
    file.write_text("[")
    assert table.find_latest(model) is None
