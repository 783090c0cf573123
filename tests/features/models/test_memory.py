"""A model leaves memory when memory is short or nobody uses it, and never during an answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.core.settings import EngineSettings
from app.features.models.model_memory import MachineMemory, MemoryVerdict, ModelMemoryWatch, read_memory
from app.features.models.pool_policy import LeasePriority
from app.features.models.pooled_engine import ChatUse

GB = 10**9
MEMINFO = """MemTotal:       16384000 kB
MemFree:          200000 kB
MemAvailable:    4096000 kB
Buffers:           12345 kB
"""
PLENTY, SHORT = MachineMemory(16 * GB, 8 * GB), MachineMemory(16 * GB, GB // 2)


class Machine:
    """A time without use and a memory that a test sets."""

    def __init__(self, **settings: object) -> None:
        self.now_s = 0.0
        self.memory: MachineMemory | None = PLENTY
        self.settings = replace(EngineSettings(), **settings)  # type: ignore[arg-type]
        self.reads = 0
        self.leases: tuple[LeasePriority, ...] = ()
        use = lambda: ChatUse(self.leases, self.now_s)  # noqa: E731
        self.watch = ModelMemoryWatch(lambda: self.settings, use, self.report_prompt)

    def report_prompt(self) -> MachineMemory | None:
        self.reads += 1
        return self.memory

    def report_encoding(self, *, busy: bool = False) -> MemoryVerdict:
        self.leases = (LeasePriority.PERSON,) if busy else ()
        return self.watch.check_memory()


def proc(folder: Path, meminfo: str = MEMINFO) -> Path:
    (folder / "meminfo").write_text(meminfo)
    return folder


def test_linux_says_what_is_available(tmp_path: Path) -> None:
    assert read_memory(proc(tmp_path)) == MachineMemory(16384000 * 1024, 4096000 * 1024)


def test_programs_that_wait_for_memory_do_not_make_it_short(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure" / "memory").write_text("full avg10=92.50 avg60=80.00 avg300=50.10 total=999\n")
    memory = read_memory(proc(tmp_path, "MemTotal: 24000000 kB\nMemAvailable: 1900000 kB\n"))
    assert memory is not None
    assert not memory.is_short


@pytest.mark.parametrize("meminfo", ["", "MemTotal: lots kB\n", "MemTotal:  1000 kB\n"])
def test_a_system_that_says_nothing_is_none(tmp_path: Path, meminfo: str) -> None:
    assert read_memory(proc(tmp_path, meminfo)) is None
    assert read_memory(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("total_gb", "available_mb", "is_short"),
    [(64, 3300, False), (64, 3100, True), (8, 520, False), (8, 480, True), (2, 210, False), (2, 190, True)],
)
def test_short_is_a_twentieth_or_half_a_gigabyte_and_less_on_small_machines(
    total_gb: int, available_mb: int, is_short: bool
) -> None:
    assert MachineMemory(total_gb * GB, available_mb * 10**6).is_short is is_short


def test_a_model_stays_while_there_is_plenty() -> None:
    machine = Machine()
    machine.now_s = 1e6
    assert machine.report_encoding() is MemoryVerdict.STAY


def test_it_sleeps_at_once_when_memory_is_short() -> None:
    machine = Machine()
    machine.memory = SHORT
    assert machine.report_encoding() is MemoryVerdict.SLEEP_SHORT


def test_during_an_answer_it_only_warns_once_and_sleeps_afterwards() -> None:
    machine = Machine()
    machine.memory = SHORT
    verdicts = [machine.report_encoding(busy=True) for _ in range(3)]
    assert verdicts == [MemoryVerdict.WARN_SHORT, MemoryVerdict.STAY, MemoryVerdict.STAY]
    assert machine.watch.is_warned
    assert machine.report_encoding() is MemoryVerdict.SLEEP_SHORT
    assert not machine.watch.is_warned


def test_a_second_shortage_warns_again() -> None:
    machine = Machine()
    machine.memory = SHORT
    machine.report_encoding(busy=True)
    machine.memory = PLENTY
    assert machine.report_encoding(busy=True) is MemoryVerdict.STAY
    machine.memory = SHORT
    assert machine.report_encoding(busy=True) is MemoryVerdict.WARN_SHORT


def test_who_does_not_want_it_keeps_the_model_and_nothing_is_read() -> None:
    machine = Machine(unload_when_memory_short=False)
    machine.memory = SHORT
    assert machine.report_encoding() is MemoryVerdict.STAY
    assert machine.reads == 0


def test_a_system_that_says_nothing_never_puts_it_to_sleep() -> None:
    machine = Machine()
    machine.memory = None
    assert machine.report_encoding() is MemoryVerdict.STAY


def test_after_the_minutes_that_were_set_it_sleeps() -> None:
    machine = Machine(unload_after_min=10)
    machine.now_s = 599
    assert machine.report_encoding() is MemoryVerdict.STAY
    machine.now_s = 600
    assert machine.report_encoding() is MemoryVerdict.SLEEP_IDLE


def test_what_somebody_uses_stays_however_long_that_takes() -> None:
    machine = Machine(unload_after_min=10)
    machine.now_s = 3000
    assert machine.report_encoding(busy=True) is MemoryVerdict.STAY
