"""README and CONTRIBUTING say what is so: what they name exists, and a newcomer is not met by a book."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_README_LINES = 150
MOST_PICTURE_BYTES = 300_000
_NAMED = re.compile(r"`((?:app|packaging|resources|tests)(?:/[\w.*-]+)*/?|[\w-]+\.(?:md|toml))`")
_PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_what_is_named_exists(name: str) -> None:
    named = _NAMED.findall((ROOT / name).read_text("utf-8"))
    assert named
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_targets_of_make_that_are_named_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", (ROOT / name).read_text("utf-8"))) <= targets


def test_the_readme_is_short_and_its_two_pictures_are_small() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= MOST_README_LINES
    pictures = [ROOT / path for path in _PICTURE.findall(text)]
    assert len(pictures) == 2
    assert sum(path.stat().st_size for path in pictures) <= MOST_PICTURE_BYTES
