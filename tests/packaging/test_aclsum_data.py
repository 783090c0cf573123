"""The benchmarks' papers are taken out of their package: data only, whole or not at all."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[2] / "packaging" / "setup"


def test_only_the_data_is_taken_out_of_the_package(tmp_path: Path) -> None:
    from aclsum_data import take_data

    wheel = tmp_path / "one.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("aclsum/aclsum.py", "aclsum/dataset/test.jsonl", "aclsum/dataset/paper_jsons/a.json"):
            archive.writestr(name, name)
    take_data(wheel, tmp_path / "data")
    files = sorted(path.relative_to(tmp_path / "data").as_posix() for path in (tmp_path / "data").rglob("*.json*"))
    assert files == ["paper_jsons/a.json", "test.jsonl"]
    assert not list((tmp_path / "data").rglob("*.py"))


def test_data_of_the_same_pins_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from aclsum_data import DONE, PINS, aclsum_folder

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "fireside" / "aclsum"
    folder.mkdir(parents=True)
    (folder / DONE).write_text(hashlib.sha256(PINS.read_bytes()).hexdigest(), "utf-8")
    assert aclsum_folder() == folder
    assert [path.name for path in folder.iterdir()] == [DONE]
