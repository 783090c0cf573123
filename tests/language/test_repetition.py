"""A text that runs in a circle is told from one that repeats for a reason."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.paths import resource_path
from app.language.repetition import KEPT_CHARACTERS, LOOK_EVERY, RepetitionWatch

ROOT = Path(__file__).parents[2]
CUSTOMS = "{number}. The customs office was extended in the spring, and the new quay was opened by the mayor.\n"


def stops_at(text: str, wanted: str = "", size: int = 5) -> int:
    """After how many characters it is stopped; -1: never."""
    watch = RepetitionWatch(wanted)
    for at in range(0, len(text), size):
        if watch.feed(text[at : at + size]):
            return at + size
    return -1


CIRCLES = {
    "numbered": "".join(CUSTOMS.format(number=number) for number in range(36, 60)),
    "numbered in a line": CUSTOMS.replace("\n", " ") * 40,
    "a word": "very " * 300,
    "a sentence": "I am sorry, I cannot say more about that. " * 30,
    "a paragraph": ("The harbour was rebuilt in 1911 after the fire, and " * 3 + "it stayed so.\n\n") * 12,
    "Chinese": "海关在春天扩建了，" * 60,
    "Japanese": "そうですね。" * 80,
    "Thai": "สวัสดีครับ" * 60,
    "Arabic": "هذا هو الجواب الصحيح. " * 40,
    "a letter": "a" * 900,
    "signs": "!" * 3000,
    "line ends": "\n" * 3000,
    "figures": "0 1 " * 700,
    "code": "```python\n" + "    x = x + 1\n" * 600,
}


@pytest.mark.parametrize("name", CIRCLES)
def test_a_circle_is_stopped_wherever_it_begins(name: str) -> None:
    text = CIRCLES[name]
    assert 0 < stops_at(text) < len(text)
    before = "Here is what I know about the town. "
    assert 0 < stops_at(before + text, size=3) < len(before + text)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=250), st.integers(1, 40))
def test_whatever_comes_again_and_again_ends(unit: str, size: int) -> None:
    assert stops_at("So: " + unit * (9000 // len(unit)), size=size) > 0


RIGHT = {
    "cat": ("cat " * 50, "write cat 50 times"),
    "numbered cats": ("".join(f"{number}. cat\n" for number in range(1, 51)), "Write cat 50 times."),
    "a punishment": ("I will not talk in class. " * 100, "Write 'I will not talk in class' 100 times, please"),
    "a quoted one": ("I will not talk. " * 100, "Write “I will not talk” a hundred times"),
    "counting": ("".join(f"{number}\n" for number in range(1, 400)), ""),
    "a times table": ("".join(f"{a} × {b} = {a * b}\n" for a in range(1, 11) for b in range(1, 11)), ""),
    "a planner": ("| Time | Mon | Tue |\n| --- | --- | --- |\n" + "| | | |\n" * 60, ""),
    "a plan with hours": ("".join(f"| {hour:02}:00 | free | free | free |\n" for hour in range(24)) * 3, ""),
    "rules": ("Title\n" + "=" * 120 + "\nText\n" + "-" * 400 + "\n", ""),
    "dots": ("".join(f"Chapter {number} {'.' * 90} {number * 7}\n" for number in range(1, 60)), ""),
    "inserts": ("".join(f"INSERT INTO users VALUES ({n}, 'user{n}', 'u{n}@example.com');\n" for n in range(99)), ""),
    "zeros in code": ("```python\nm = [\n" + "    [0, 0, 0, 0],\n" * 60 + "]\n```\n", ""),
    "entries in code": ("```json\n[\n" + '  {"name": "", "value": 0},\n' * 90 + "]\n```\n", ""),
    "a refrain": (
        "".join(
            f"Verse {word} tells of the {word} that went to sea,\nand never came home to me.\n\n"
            "Row, row, row your boat,\nGently down the stream.\nMerrily, merrily, merrily, merrily,\n"
            "Life is but a dream.\n\n"
            for word in ("sailor", "lark", "rose", "baker", "king", "wind", "cat", "moon")
        ),
        "",
    ),
    "a refrain twice": ("Na na na na, hey hey hey, goodbye!\n" * 6, ""),
    "list of likes": ("".join(f"- The colour of the {word} is red.\n" for word in "abcdefghijklmnopqrstuvwxyz"), ""),
    "laughing": ("哈" * 60 + " ha" * 40, ""),
    "a long request": ("word " * 200, "x " * 900 + "write word 200 times"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_repeats_for_a_reason_goes_on(name: str) -> None:
    text, wanted = RIGHT[name]
    assert stops_at(text, wanted) < 0


def _texts() -> Iterator[tuple[str, str]]:
    """What the repository itself has to say: prose, tables, lists, poems' worth of strings, code of all kinds."""
    for path in [*ROOT.glob("*.md"), *ROOT.glob("app/[e-f]*/**/*.py"), *ROOT.glob("tests/data/**/*.md")]:
        text = path.read_text("utf-8")
        yield str(path), f"```python\n{text}\n```" if path.suffix == ".py" else text
    folder = resource_path("texts")
    for path in folder.glob("**/*.*"):
        yield str(path), path.read_text("utf-8", "replace")


@pytest.mark.slow
def test_no_text_of_the_repository_is_stopped() -> None:
    texts = list(_texts())
    assert sum(len(text) for _, text in texts) > 1_000_000
    assert [name for name, text in texts if stops_at(text, size=LOOK_EVERY) > 0] == []


def test_little_is_kept_and_one_look_costs_little() -> None:
    watch = RepetitionWatch()
    letters = random.Random(3)
    for _ in range(4000):
        assert not watch.feed("".join(letters.choices("abcdefgh ", k=20)))
    assert len(watch._text) <= KEPT_CHARACTERS + LOOK_EVERY + 20
