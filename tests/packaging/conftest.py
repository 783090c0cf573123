"""The scripts of packaging import each other as neighbours, as they do when they are run."""

from __future__ import annotations

from pathlib import Path

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture(autouse=True)
def packaging_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGING / "setup"))
    monkeypatch.syspath_prepend(str(PACKAGING))
