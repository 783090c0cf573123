"""What this computer has, and what was found out about it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from app.engine import computer
from app.engine.computer import MOST_ENTRIES, JsonCache, key_of

GIB = 2**30
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads the files of Linux")


def test_threads_are_not_more_than_this_process_may_use() -> None:
    assert 1 <= computer.physical_cores() <= (os.cpu_count() or 1)
    assert 1 <= computer.default_threads() <= computer.physical_cores()


def test_half_the_cores_on_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in ((8, 4), (3, 1), (1, 1)):
        monkeypatch.setattr(computer, "physical_cores", lambda cores=cores: cores)
        monkeypatch.setattr(computer, "on_battery", lambda: False)
        assert computer.default_threads() == cores
        monkeypatch.setattr(computer, "on_battery", lambda: True)
        assert computer.default_threads() == threads
        assert computer.thread_policy()["start"] == threads


def test_memory_can_be_true() -> None:
    assert 0 < computer.free_memory_bytes() <= computer.total_memory_bytes()
    assert computer.total_memory_bytes() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system of files with 16 GiB, 12 of them free, and the process in a control group two levels down."""
    (tmp_path / "meminfo").write_text(f"MemTotal: {16 * 2**20} kB\nMemFree: 5 kB\nMemAvailable: {12 * 2**20} kB\n")
    (tmp_path / "own").write_text("1:name=systemd:/\n0::/user.slice/app.scope\n")
    (tmp_path / "groups" / "user.slice" / "app.scope").mkdir(parents=True)
    (tmp_path / "power").mkdir()
    for name, file in (
        ("MEMORY", "meminfo"),
        ("OWN_CGROUP", "own"),
        ("CGROUPS", "groups"),
        ("POWER_SUPPLIES", "power"),
    ):
        monkeypatch.setattr(computer, name, tmp_path / file)
    return tmp_path


def limit(folder: Path, most: str, used: int = 0, cold: int = 0) -> None:
    (folder / "memory.max").write_text(f"{most}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon {used - cold}\ninactive_file {cold}\n")


@linux_only
def test_without_a_limit_the_system_counts(system: Path) -> None:
    limit(system / "groups" / "user.slice", "max")
    assert (computer.free_memory_bytes(), computer.total_memory_bytes()) == (12 * GIB, 16 * GIB)


@linux_only
def test_a_containers_limit_is_believed(system: Path) -> None:
    limit(system / "groups", str(4 * GIB), used=3 * GIB, cold=GIB)
    assert (computer.free_memory_bytes(), computer.total_memory_bytes()) == (2 * GIB, 4 * GIB)


@linux_only
def test_the_narrowest_of_all_limits_counts(system: Path) -> None:
    limit(system / "groups" / "user.slice", str(8 * GIB), used=7 * GIB)
    limit(system / "groups" / "user.slice" / "app.scope", str(6 * GIB))
    assert (computer.free_memory_bytes(), computer.total_memory_bytes()) == (GIB, 6 * GIB)


@linux_only
def test_a_limit_that_is_already_passed_leaves_nothing_which_is_not_called_unknown(system: Path) -> None:
    limit(system / "groups", str(GIB), used=2 * GIB)
    assert computer.free_memory_bytes() == 1


@linux_only
def test_limits_of_the_first_version_of_control_groups_count_too(system: Path) -> None:
    (system / "own").write_text("4:memory:/box\n3:cpu,cpuacct:/box\n0::/\n")
    for controller in ("memory", "cpu"):
        (system / "groups" / controller / "box").mkdir(parents=True)
    root, box = system / "groups" / "memory", system / "groups" / "memory" / "box"
    for folder, most, used in ((root, 0x7FFFFFFFFFFFF000, 9 * GIB), (box, 3 * GIB, 2 * GIB)):
        (folder / "memory.limit_in_bytes").write_text(f"{most}\n")
        (folder / "memory.usage_in_bytes").write_text(f"{used}\n")
        (folder / "memory.stat").write_text(f"cache 5\ninactive_file 0\ntotal_inactive_file {GIB // 2}\n")
    assert (computer.free_memory_bytes(), computer.total_memory_bytes()) == (GIB * 3 // 2, 3 * GIB)
    cpu = system / "groups" / "cpu" / "box"
    (cpu / "cpu.cfs_period_us").write_text("100000\n")
    for quota, cores in (("100000", 1), ("-1", len(os.sched_getaffinity(0)))):
        (cpu / "cpu.cfs_quota_us").write_text(quota)
        assert computer.physical_cores() <= cores


@linux_only
def test_the_narrowest_limit_of_processors_on_the_way_to_the_root_counts(system: Path) -> None:
    scope = system / "groups" / "user.slice" / "app.scope"
    (scope.parent / "cpu.max").write_text("max 100000\n")
    before = computer.physical_cores()
    (scope / "cpu.max").write_text("150000 100000\n")
    assert computer.physical_cores() == 1 <= before


def supply(system: Path, name: str, **facts: str) -> None:
    folder = system / "power" / name
    folder.mkdir()
    for fact, value in facts.items():
        (folder / fact).write_text(value + "\n")


@linux_only
def test_a_battery_that_drains_is_noticed(system: Path) -> None:
    assert not computer.on_battery()
    supply(system, "hidpp_battery_0", type="Battery", status="Discharging", scope="Device")
    assert not computer.on_battery()
    supply(system, "BAT0", type="Battery", status="Discharging")
    assert computer.on_battery()
    supply(system, "AC", type="Mains", online="1")
    assert not computer.on_battery()


# What is remembered survives a restart; a damaged file is an empty one.


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "loading.json"


def test_an_entry_is_there_after_a_restart_and_gone_when_forgotten(path: Path) -> None:
    JsonCache(path).put("one", {"layers": 3})
    assert JsonCache(path).find("one") == {"layers": 3}
    JsonCache(path).forget("one")
    assert JsonCache(path).find("one") is None


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"one": 3}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_an_empty_one(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert JsonCache(path).find("one") is None
    JsonCache(path).put("one", {"layers": 3})
    assert JsonCache(path).find("one") == {"layers": 3}


def test_the_oldest_entries_go_first(path: Path) -> None:
    remembered = JsonCache(path)
    for number in range(MOST_ENTRIES + 1):
        remembered.put(str(number), {})
    assert remembered.find("0") is None
    assert remembered.find("1") == remembered.find(str(MOST_ENTRIES)) == {}


def test_a_folder_that_is_gone_costs_nothing_but_the_memory(tmp_path: Path) -> None:
    remembered = JsonCache(tmp_path / "gone" / "loading.json")
    remembered.put("one", {})
    assert remembered.find("one") is None


def test_nothing_unfinished_is_left_beside_it(path: Path) -> None:
    JsonCache(path).put("one", {})
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_other_facts_have_another_key() -> None:
    assert key_of("a", 1, ("x",)) == key_of("a", 1, ("x",))
    assert len({key_of("a"), key_of("a", 1), key_of(["a"]), key_of("b")}) == 4
