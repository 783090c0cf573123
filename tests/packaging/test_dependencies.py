"""The list of dependencies is of what is pinned, and each that is kept without new releases has its reason."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))

import dependencies  # noqa: E402 - a script beside the program
from dependencies import NOTICES, OLDER, TARGET, missing_notices, read_pins  # noqa: E402 - a script beside the program


def test_every_package_has_its_notice_with_its_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert missing_notices() == []
    other = tmp_path / "notices.md"
    other.write_text(
        NOTICES.read_text("utf-8").replace(", zipp |", ", zip |").replace("| 5.6.3 |", "| 5.6.2 |"), "utf-8"
    )
    monkeypatch.setattr(dependencies, "NOTICES", other)
    assert [line.split()[0] for line in missing_notices()] == ["diskcache", "zipp"]


def test_every_pinned_package_is_listed_and_only_they_have_reasons() -> None:
    pinned = {package.name for package in read_pins()}
    listed = re.findall(r"^\| ([a-z][\w.-]*) \| \d", TARGET.read_text("utf-8"), re.MULTILINE)
    assert (set(listed), len(listed)) == (pinned, len(pinned))
    assert OLDER.keys() <= pinned
    hashed = [(ROOT / f"packaging/requirements/{name}.txt").read_text() for name in ("app", "engine", "dev")]
    for text in hashed:
        pins = re.split(r"^(?=[a-z][\w.-]*==)", text, flags=re.MULTILINE)[1:]
        assert pins
        assert all("--hash=sha256:" in pin for pin in pins)
