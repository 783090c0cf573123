"""A package says which build it is; a checkout and a damaged note say nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import APP_NAME, __version__
from app.core import build
from app.core.build import Build, this_build


@pytest.mark.parametrize("note", [None, "", "[]", '{"commit": "abc"}'])
def test_without_a_note_there_is_the_version_alone(
    note: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "resource", lambda name: tmp_path / name)
    if note is not None:
        (tmp_path / "build.json").write_text(note)
    assert this_build() == Build()
    assert this_build().line == f"{APP_NAME} {__version__}"


def test_a_package_names_its_commit_and_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "resource", lambda name: tmp_path / name)
    (tmp_path / "build.json").write_text('{"commit": "2bd7af8", "date": "2026-11-27"}')
    assert this_build().line == f"{APP_NAME} {__version__} (build 2bd7af8 of 2026-11-27)"
