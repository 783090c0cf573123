"""What is remembered survives a restart; a damaged file is an empty one."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.engine.remembered import MOST_ENTRIES, Remembered, key_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "loading.json"


def test_an_entry_is_there_after_a_restart_and_gone_when_forgotten(path: Path) -> None:
    Remembered(path).put("one", {"layers": 3})
    assert Remembered(path).find("one") == {"layers": 3}
    Remembered(path).forget("one")
    assert Remembered(path).find("one") is None


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"one": 3}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_an_empty_one(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert Remembered(path).find("one") is None
    Remembered(path).put("one", {"layers": 3})
    assert Remembered(path).find("one") == {"layers": 3}


def test_the_oldest_entries_go_first(path: Path) -> None:
    remembered = Remembered(path)
    for number in range(MOST_ENTRIES + 1):
        remembered.put(str(number), {})
    assert remembered.find("0") is None
    assert remembered.find("1") == remembered.find(str(MOST_ENTRIES)) == {}


def test_a_folder_that_is_gone_costs_nothing_but_the_memory(tmp_path: Path) -> None:
    remembered = Remembered(tmp_path / "gone" / "loading.json")
    remembered.put("one", {})
    assert remembered.find("one") is None


def test_nothing_unfinished_is_left_beside_it(path: Path) -> None:
    Remembered(path).put("one", {})
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_other_facts_have_another_key() -> None:
    assert key_of("a", 1, ("x",)) == key_of("a", 1, ("x",))
    assert len({key_of("a"), key_of("a", 1), key_of(["a"]), key_of("b")}) == 4
