"""A package says which build it is; a checkout and a damaged note say nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import app
from app import APP_NAME, __version__
from app.core import build
from app.core.build import Build, terminal_command, this_build


@pytest.mark.parametrize("note", [None, "", "[]", '{"commit": "abc"}'])
def test_without_a_note_there_is_the_version_alone(
    note: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "resource_path", lambda name: tmp_path / name)
    if note is not None:
        (tmp_path / "build.json").write_text(note)
    assert this_build() == Build()
    assert this_build().line == f"{APP_NAME} {__version__}"


def test_a_package_names_its_commit_and_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "resource_path", lambda name: tmp_path / name)
    (tmp_path / "build.json").write_text('{"commit": "2bd7af8", "date": "2026-11-27"}')
    assert this_build().line == f"{APP_NAME} {__version__} (build 2bd7af8 of 2026-11-27)"


def test_the_line_to_type_is_one_that_works_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal_command("lend --host 10.0.0.2") == 'make run ARGS="lend --host 10.0.0.2"'
    monkeypatch.setattr(app, "__file__", str(tmp_path / "app" / "__init__.py"))
    assert terminal_command("lend --host 10.0.0.2") == "fireside lend --host 10.0.0.2"
