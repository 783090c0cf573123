"""README, CONTRIBUTING and docs say what is so: what they name exists, and a newcomer is not met by a book."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.__main__ import CHILDREN

ROOT = Path(__file__).resolve().parents[2]
DOORS = ["README.md", "CONTRIBUTING.md", "docs/decisions.md", "docs/measured.md", "docs/threats.md"]
MOST_README_LINES = 150
MOST_CONTRIBUTING_LINES = 250
LEAST_TERMS, MOST_TERMS = 80, 120
MOST_PICTURE_BYTES = 300_000
_NAMED = re.compile(r"`((?:app|docs|packaging|resources|tests)(?:/[\w.*-]+)*/?|[\w-]+\.(?:md|toml))`")
_CODE = re.compile(r"`([^`]+)`")
_PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")


@pytest.mark.parametrize("name", DOORS)
def test_what_is_named_exists(name: str) -> None:
    named = _NAMED.findall((ROOT / name).read_text("utf-8"))
    assert named
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []


@pytest.mark.parametrize("name", DOORS)
def test_the_targets_of_make_that_are_named_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", (ROOT / name).read_text("utf-8"))) <= targets


def test_the_readme_is_short_and_its_two_pictures_are_small() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= MOST_README_LINES
    pictures = [ROOT / path for path in _PICTURE.findall(text)]
    assert len(pictures) == 2
    assert sum(path.stat().st_size for path in pictures) <= MOST_PICTURE_BYTES


def test_every_child_is_in_the_table_of_cages_and_asks_for_its_own() -> None:
    text = (ROOT / "docs" / "decisions.md").read_text("utf-8")
    listed = re.findall(r"^\| `(--[\w-]+)` \|", text, re.MULTILINE)
    assert sorted([*listed, "--try-imports"]) == sorted(CHILDREN)
    for flag in listed:
        module = (ROOT / CHILDREN[flag].replace(".", "/")).with_suffix(".py").read_text("utf-8")
        assert re.search(r"\b(enter_cage|cage_\w+)\(|, cage_\w+ if ", module), flag


def test_contributing_is_a_door() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()) <= MOST_CONTRIBUTING_LINES


def _glossary_rows() -> list[list[str]]:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    glossary = text.split("\n## Glossary\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in glossary.splitlines() if "|" in line]
    return [row for row in rows if row[1] != "what it is" and not row[1].startswith("---")]


def test_the_glossary_is_neither_a_list_nor_a_book_and_has_each_term_once() -> None:
    terms = [row[0] for row in _glossary_rows()]
    assert LEAST_TERMS <= len(terms) <= MOST_TERMS
    assert len(set(terms)) == len(terms)


def test_a_term_lives_where_the_glossary_says() -> None:
    """A name in the last column is defined in the file before it."""
    missing = []
    for term, _line, where in _glossary_rows():
        source = ""
        for code in _CODE.findall(where):
            if "/" in code:
                path = ROOT / code
                source = path.read_text("utf-8") if path.is_file() else ""
            elif not re.search(rf"^(?:class|def) {code}\b|^{code}\b[^=\n]*=", source, re.MULTILINE):
                missing.append((term, code))
        assert source or (ROOT / _CODE.findall(where)[0]).is_dir(), term
    assert missing == []
