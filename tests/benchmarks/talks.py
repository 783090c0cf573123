"""Long chats for measurements: facts that are told early, much other talk about a handbook, questions about the facts.

The facts and the small talk are written for this (`tests/data/recall/talks.json`), with other turns that are nearly the
same; the long answers are paragraphs of the Debian Administrator's Handbook.
"""

from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from handbook import handbook_folder

DATA = Path(__file__).parents[1] / "data" / "recall" / "talks.json"
LANGUAGES = {
    "en": ("en-US", "a-zA-Z"),
    "de": ("de-DE", "a-zA-Zäöüß"),
    "zh": ("zh-CN", "\u4e00-\u9fff"),
    "ar": ("ar-MA", "\u0600-\u06ff"),
}
"""The handbook's folder, and the letters that most of a translated paragraph is made of."""
SHOWN_TURNS = 10
"""At the end of a chat, which are still in the model's memory."""
LEAST_CHARACTERS, LEAST_SHARE = 60, 0.4
_SECTION = re.compile(r'<h[23][^>]*class="title"[^>]*>(.*?)</h[23]>(.*?)(?=<h[23][^>]*class="title"|$)', re.S)
_PARAGRAPH = re.compile(r'<div class="para"[^>]*>(.*?)</div>', re.S)

Pair = tuple[str, str]
"""What was asked, and the answer."""


@dataclass(frozen=True)
class Fact:
    """Something told at `place` among the forgotten turns; an answer to `question` has one of `words`."""

    question: str
    place: int
    words: Sequence[str]


@dataclass(frozen=True)
class Talk:
    """A chat: `forgotten` turns, those that are `shown`, and what is asked next; `nothing` is about no earlier turn."""

    forgotten: Sequence[Pair]
    shown: Sequence[Pair]
    facts: Sequence[Fact]
    nothing: Sequence[str]
    other: Sequence[Pair]
    """About the same handbook, but none of the turns."""


def talk(language: str, seed: int, turns: int, *, is_buried: bool = False) -> Talk:
    """A chat of about so many turns. `is_buried`: each fact stands in the middle of a long message."""
    chance, told = random.Random(seed), data()[language]
    sections = [(heading, paragraphs) for heading, paragraphs in handbook(language)]
    chance.shuffle(sections)
    pairs = [(chance.choice(told["about"]).format(heading), "\n\n".join(found[:3])) for heading, found in sections]
    used, other = pairs[:turns], pairs[turns:]
    around = [paragraph for _, found in sections[turns:] for paragraph in found]
    facts: list[tuple[Pair, int | None]] = []
    for number, (said, answered, _, _) in enumerate(told["facts"]):
        pair = (said, answered)
        if is_buried:
            beside = chance.sample(around, 4)
            pair = tuple("\n\n".join([*beside[:2], text, *beside[2:]]) for text in pair)  # type: ignore[assignment]
        facts.append((pair, number))
    early: list[tuple[Pair, int | None]] = [((a, b), None) for a, b in (*used[: turns // 2], *told["others"])]
    early += facts
    chance.shuffle(early)
    all_turns = [pair for pair, _ in early] + used[turns // 2 :]
    places = {number: place for place, (_, number) in enumerate(early) if number is not None}
    asked = [Fact(one[2], places[number], one[3]) for number, one in enumerate(told["facts"])]
    return Talk(all_turns[:-SHOWN_TURNS], all_turns[-SHOWN_TURNS:], asked, told["nothing"], other)


@cache
def data() -> dict[str, Any]:
    """What was written for this, by language."""
    found: dict[str, Any] = json.loads(DATA.read_text("utf-8"))
    return found


@cache
def handbook(language: str) -> list[tuple[str, list[str]]]:
    """Headings with the paragraphs below them, as far as they are translated."""
    folder, letters = LANGUAGES[language]
    letter, found = re.compile(f"[{letters}]"), []
    for path in sorted((handbook_folder() / folder).glob("sect.*.html")):
        for heading, body in _SECTION.findall(path.read_text("utf-8")):
            texts = [text for text in map(_text, _PARAGRAPH.findall(body)) if len(text) > LEAST_CHARACTERS]
            texts = [text for text in texts if len(letter.findall(text)) > LEAST_SHARE * len(text)]
            if texts:
                found.append((re.sub(r"^[\s\d.]+", "", _text(heading)), texts))
    return found


def _text(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())
