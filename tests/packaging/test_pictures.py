"""The scenes that `make pictures` shows are made of what the program and its page objects have."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
SCENES = sorted(path.stem for path in PACKAGING.glob("*_scenes.py"))


@pytest.mark.parametrize("name", [*SCENES, "pictures"])
def test_scenes_find_what_they_are_made_of(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGING))
    assert import_module(name).__doc__
