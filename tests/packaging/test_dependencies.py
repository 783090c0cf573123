"""The list of dependencies is of what is pinned, and each that is kept without new releases has its reason."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))

from dependencies import OLDER, TARGET, read_pins  # noqa: E402 - a script beside the program


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
