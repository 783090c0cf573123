"""Where everything lives."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from app import APP_ID
from app.core.paths import AppPaths, resource_path, resource_root, starter_model


def every_path(paths: AppPaths) -> list[Path]:
    derived = [paths.models, paths.database, paths.settings, paths.engine, paths.lock, paths.encrypted_files]
    # Of what is unlocked there is nothing without a lock.
    return [getattr(paths, field.name) for field in dataclasses.fields(paths) if field.name != "unlocked"] + derived


def test_everything_is_below_the_home_that_was_given(fresh_home: Path) -> None:
    paths = AppPaths.from_environment()
    assert all(path.is_relative_to(fresh_home) for path in every_path(paths))
    assert len(set(every_path(paths))) == len(every_path(paths))
    assert not fresh_home.exists(), "nothing is created until it is needed"


def test_a_relative_home_does_not_move_with_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIRESIDE_HOME", "here")
    assert AppPaths.from_environment().database == tmp_path / "here" / "data" / "fireside.db"


def test_a_tilde_is_the_persons_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("FIRESIDE_HOME", "~/fireside")
    assert AppPaths.from_environment().logs == tmp_path / "fireside" / "logs"


@pytest.mark.parametrize("empty", ["", None])
def test_without_a_home_the_systems_places_carry_the_programs_name(
    empty: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FIRESIDE_HOME")
    if empty is not None:
        monkeypatch.setenv("FIRESIDE_HOME", empty)
    assert all(APP_ID in path.parts and path.is_absolute() for path in every_path(AppPaths.from_environment()))


def test_resources_are_found_whatever_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resource_root() == Path(__file__).parents[2] / "resources"
    assert resource_path("icons/x.svg") == resource_root() / "icons" / "x.svg"


def test_a_frozen_program_finds_them_in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys._MEIPASS", str(tmp_path), raising=False)
    assert resource_root() == tmp_path / "resources"
    assert starter_model() is None
    (tmp_path / "resources" / "models").mkdir(parents=True)
    (tmp_path / "resources" / "models" / "starter.gguf").touch()
    assert starter_model() == tmp_path / "resources" / "models" / "starter.gguf"


def test_a_folder_beside_a_portable_program_keeps_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "stick" / "fireside" / "program" / "fireside"
    monkeypatch.delenv("FIRESIDE_HOME")
    monkeypatch.setattr("sys.executable", str(program))
    usual = AppPaths.from_environment()
    data = program.parents[1] / "data"
    data.mkdir(parents=True)
    assert AppPaths.from_environment() == usual  # a checkout's Python has such folders beside it, too
    monkeypatch.setattr("sys.frozen", True, raising=False)
    assert AppPaths.from_environment().database == data / "data" / "fireside.db"
    assert all(path.is_relative_to(data) for path in AppPaths.from_environment().folders)
    monkeypatch.setenv("FIRESIDE_HOME", str(tmp_path / "home"))
    assert AppPaths.from_environment().data == tmp_path / "home" / "data"


def test_the_folder_of_a_bundle_of_macos_is_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIRESIDE_HOME")
    monkeypatch.setattr("sys.frozen", True, raising=False)
    monkeypatch.setattr("sys.executable", str(tmp_path / "Fireside.app" / "Contents" / "MacOS" / "fireside"))
    (tmp_path / "Fireside.app" / "Contents" / "data").mkdir(parents=True)  # what is in it is signed
    (tmp_path / "data").mkdir()
    assert AppPaths.from_environment().config == tmp_path / "data" / "config"


def test_the_folder_of_a_program_in_one_file_is_beside_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FIRESIDE_HOME")
    monkeypatch.setattr("sys.frozen", True, raising=False)
    monkeypatch.setattr("sys.executable", str(tmp_path / "mounted" / "program" / "fireside"))
    monkeypatch.setenv("APPIMAGE", str(tmp_path / "stick" / "Fireside.AppImage"))
    (tmp_path / "stick" / "data").mkdir(parents=True)
    assert AppPaths.from_environment().config == tmp_path / "stick" / "data" / "config"
